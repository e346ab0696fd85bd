"""One figure of a report, and what it counts: references with links, two hundred at a time, for
those who may open them. The report's own page links every figure here (`opened`).

Nothing personal stands in the address or on the page, and what the reader may not see is a number.
That somebody looked is recorded.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from helpline.contract import Contract
from helpline.contract.measuring import POPULATION
from helpline.desk import events
from helpline.desk.behind import SHOWN, Behind, asked, behind
from helpline.errors import NotFound
from helpline.reports import catalogue, codes, frozen, reconciling
from helpline.reports.cells import By, Cell, ordered
from helpline.reports.reconciling import Difference
from helpline.reports.report import Report
from helpline.reports.supplied import written
from helpline.reports.view import Table, View, span
from helpline.rules.periods import Period
from helpline.rules.permissions import may
from helpline.web.asked import actor_of, contracts_of, house_of, now_of
from helpline.web.showing import show

FAULT: Final = "Nothing explains it: this is a fault of ours."
MOST_PAGES: Final = 100_000
OPENS: Final = {
    "complaints": "/complaints/{}",
    "incidents": "/incidents/{}",
    "allegations": "/cases/{}/pathway",
}
"""Where something that is counted is looked at; all else is on its case."""


async def show_figure(request: web.Request) -> web.Response:
    contract = contract_asked(request)
    period = period_asked(request, contract)
    measure, by = asked(contract, request.query.get("measure", ""), request.query.get("by", ""))
    page = page_asked(request)
    now, actor = now_of(request), actor_of(request)
    async with house_of(request).db.read() as session:
        found = await behind(session, contract, period, measure, by, actor, now, (page - 1) * SHOWN)
        stands = await frozen.standing(session, contract, period.label, (measure.code, by))
    async with house_of(request).db.write() as session:
        await events.record(
            session,
            "figure.opened",
            now,
            contract=contract.key,
            by=actor.user_id,
            period=period.label,
            measure=measure.code,
            cut=written(by),
        )
    names = codes.names(contract)
    return show(
        request,
        "figure.html.j2",
        zone=contract.zone,
        contract=contract,
        period=period,
        found=found,
        stands=stands,
        cut=[(codes.NAMES[name], names[name][code]) for name, code in by],
        titles=codes.NAMES,
        names=names,
        columns=_columns(found),
        entry=catalogue.entry(contract, measure),
        took=span,
        wholes=[
            (contract.measure(code).name, figure_address(contract, period, code, by))
            for code in measure.of
            if code not in (POPULATION, measure.code)
        ],
        opens=OPENS.get(measure.counts, "/cases/{}"),
        address=figure_address(contract, period, measure.code, by),
        shown=SHOWN,
        may_exact=may(actor, "report.exact", contract.key),
    )


def _columns(found: Behind) -> list[str]:
    """The dimensions that tell the listed things apart: those by which the figure is not cut."""
    known = found.rows[0].by if found.rows else ()
    return list(ordered(name for name, _ in known if name not in dict(found.by)))


def figure_address(contract: Contract, period: Period, code: str, by: By) -> str:
    """Where a figure opens onto what it counts."""
    asked_for = {"measure": code} | ({"by": written(by)} if by else {})
    return f"/reports/{contract.key}/figure/{period.label}?{urlencode(asked_for)}"


# --- the report's page, with every figure a link --------------------------------------------------


async def opened(request: web.Request, report: Report) -> View:
    """The report arranged for reading on a page: for whoever may, every exact figure opens, and
    what does not add up is said below its table. Files are made without this."""
    if report.is_protected or not may(actor_of(request), "report.behind", report.contract.key):
        return report.view
    differences = await asyncio.to_thread(reconciling.differences, report)  # a year takes a second
    return OpenedView(report, reconciling.told(differences))


class OpenedView(View):
    """A view whose figures are links, and whose tables say what does not add up."""

    def __init__(self, report: Report, told: Sequence[reconciling.Told]) -> None:
        super().__init__(report)
        self._told = told

    def link(self, cell: Cell) -> str:
        if not cell.value and not cell.words:
            return ""  # nothing is behind a nought
        return figure_address(self.contract, self.report.period, cell.measure, cell.by)

    def notes(self, table: Table) -> Sequence[str]:
        """What is said below a table: by how much its rows differ from the total, and why."""
        measures = {cell.measure for cell in table.total}
        names = {name for _, cells in table.rows for cell in cells for name, _ in cell.by}
        line = table.key.partition("-")[0]
        by_reason: dict[str, list[reconciling.Told]] = defaultdict(list)
        for one in self._told:
            of_this = {one.most.along, *(name for name, _ in one.most.by)} == names
            if one.most.measure in measures and of_this and one.most.line in ("", line):
                by_reason[one.most.why].append(one)
        return [_note(self.contract, some, why) for why, some in by_reason.items()]


def _note(contract: Contract, some: Sequence[reconciling.Told], why: str) -> str:
    """What of one table does not add up for one reason."""
    reason = reconciling.WHY.get(why, FAULT)
    if some[0].most.by:
        number = sum(one.number for one in some)
        return f"{number:,} of its rows and columns do not add up to their total. {reason}"
    told = (
        f"{contract.measure(one.most.measure).name} {one.most.parts:,g} (all: {one.most.total:,g})"
        for one in some
    )
    return f"The rows together: {'; '.join(told)}. {reason}"


def difference_words(contract: Contract, one: reconciling.Told) -> str:
    """By how much parts differ from their total, and why."""
    most = one.most
    name = contract.measure(most.measure).name
    amount = f"{abs(most.by_how_many):,g} {'more' if most.by_how_many > 0 else 'fewer'}"
    where = difference_along(contract, most)
    told = f"{name}, {where}: {most.parts:,g} together, {amount} than the total"
    also = f", and so in {one.number - 1:,} other places" if one.number > 1 else ""
    why = reconciling.WHY.get(most.why, FAULT)
    return f"{told} ({most.total:,g}){also}. {why}"


def difference_along(contract: Contract, one: Difference) -> str:
    """Into what a total was cut that its parts do not add up to, and where it stands."""
    names = codes.names(contract)
    parts = [f"by {codes.NAMES[one.along].lower()}"] if one.along else []
    if one.of:
        parts.append(" and ".join(contract.measure(code).name for code in one.of))
    parts += [names[name][code] for name, code in one.by]
    return ", ".join(parts)


# --- what the address says ------------------------------------------------------------------------


def contract_asked(request: web.Request) -> Contract:
    for contract in contracts_of(request, "report.behind"):
        if contract.key == request.match_info["contract"]:
            return contract
    raise NotFound("There is no such report, or it is not yours to see.")


def period_asked(request: web.Request, contract: Contract) -> Period:
    return contract.period(request.match_info["label"])


def page_asked(request: web.Request) -> int:
    """Which page of a long list, from 1; whatever is none is the first."""
    text = request.query.get("page", "1")
    is_number = text.isascii() and text.isdigit() and len(text) <= 6
    return min(max(int(text), 1), MOST_PAGES) if is_number else 1
