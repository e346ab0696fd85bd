"""What is to be put right before a report of a period is signed: what is wanting, on which cases,
and whether the totals agree. Counts for all of it, a list of the cases the reader may see.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from helpline.contract import Contract
from helpline.contract import parts as contract_parts
from helpline.desk import quality
from helpline.reports import codes, frozen, over_time, reconciling
from helpline.reports.figures import counted
from helpline.reports.report import Report
from helpline.rules import periods
from helpline.rules.periods import KIND_OF, Period
from helpline.rules.permissions import may, require
from helpline.web.asked import actor_of, house_of, now_of
from helpline.web.pages.figure import (
    contract_asked,
    difference_along,
    difference_words,
    figure_address,
    page_asked,
    period_asked,
)
from helpline.web.showing import show

PLACES: Final = {
    "standing": "/standing#facts",
    "group": "/standing#facts",
    "quadrant": "/standing#facts",
    "reason": "#urgency-act",
    "method": "#method-act",
    "person": "/people",
    "track": "/pathway",
    "waiting": "#reply",
    "in_time": "#reply",
    "late": "/record",
    "support": "#completion",
    "outcome": "#completion",
}
"""Below /cases/<reference>: where each is put right."""


async def show_quality(request: web.Request) -> web.Response:
    contract = contract_asked(request)
    period = period_asked(request, contract)
    asked = _report(contract, period, request.query.get("report", ""))
    only = request.query.get("only", "")
    only = only if only in quality.WANTING else ""
    page, actor, now = page_asked(request), actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        found = await quality.of_period(
            *(session, contract, asked.code, period, actor, now),
            only=only,
            first=(page - 1) * quality.SHOWN,
        )
        stands = await frozen.newest(session, contract, asked.code, period.label)
        report = await counted(session, contract, period, now, asked.code, late=False)
        may_exact = may(actor, "report.exact", contract.key)
        beside = (
            await over_time.together(session, contract, report, stands, now) if may_exact else []
        )
    if request.query.get("format") == "json":
        require(actor, "report.exact", contract.key)
        return web.json_response(_plain(contract, report, beside))
    differences = await asyncio.to_thread(reconciling.differences, report)
    told = reconciling.told(differences)
    faults = [one for one in told if one.most.is_fault]
    explained = [one for one in told if not one.most.is_fault]
    simple = [one for one in explained if not one.most.by]
    return show(
        request,
        "quality.html.j2",
        zone=contract.zone,
        contract=contract,
        period=period,
        report=report,
        found=found,
        stands=stands,
        only=only,
        places=PLACES,
        shown=quality.SHOWN,
        passing=quality.PASSING,
        faults=[difference_words(contract, one) for one in faults],
        told=_by_reason(contract, period, simple),
        crossed=len(explained) - len(simple),
        address=f"/reports/{contract.key}/quality/{period.label}?report={asked.code}",
        before=periods.previous(period),
        after=periods.following(period) if not report.is_provisional else None,
        may_exact=may_exact,
        beside=[_beside(contract, one) for one in beside],
    )


@dataclass(frozen=True)
class Line:
    """One table that does not add up to its total."""

    name: str
    along: str
    total: float
    parts: float
    address: str


def _by_reason(
    contract: Contract, period: Period, told: Sequence[reconciling.Told]
) -> dict[str, list[Line]]:
    """The reason in words → what differs by it; of several times of one promise the first."""
    found: dict[str, list[Line]] = defaultdict(list)
    timed = set[tuple[object, ...]]()
    for one in (each.most for each in told):
        measure = contract.measure(one.measure)
        same = (str(measure.where), one.along)
        if measure.is_minutes and same in timed:
            continue
        timed |= {same} if measure.is_minutes else set()
        line = Line(
            measure.name,
            difference_along(contract, one),
            one.total,
            one.parts,
            figure_address(contract, period, one.measure, one.by),
        )
        found[reconciling.WHY[one.why]].append(line)
    return found


# --- beside the shorter periods ---------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One total that is not the sum of its parts: `also`, in how many breakdowns neither;
    `since`: what has changed since it was signed."""

    name: str
    numbers: tuple[float, ...]
    whole: float
    also: int
    since: str
    address: str


@dataclass(frozen=True)
class Beside:
    """A period beside its parts: `heads` say of each whether it is signed; by reason the rows."""

    kind: str
    heads: list[str]
    whole: str
    agree: int
    rows: dict[str, list[Row]]
    faults: list[str]
    not_added: list[str]


def _beside(contract: Contract, one: over_time.Together) -> Beside:
    rows: dict[str, list[Row]] = defaultdict(list)
    faults = []
    for (code, why), some in _measures(one.apart).items():
        first = some[0]
        if not why:
            faults.append(f"{_named(contract, first)}: {first.by_how_many:+,g}")
            continue
        found = Row(
            _named(contract, first),
            first.parts,
            first.whole,
            len(some) - 1,
            _since(one, first),
            figure_address(contract, contract.period(one.whole.label), code, first.by),
        )
        rows[over_time.WHY[why]].append(found)
    heads = [f"{part.label}, {_how(part)}" for part in one.parts]
    left = [measure.name for measure in one.not_added]
    whole = f"{one.whole.label}, {_how(one.whole)}"
    return Beside(one.kind, heads, whole, one.agree, rows, faults, left)


def _measures(
    some: Sequence[over_time.Apart],
) -> dict[tuple[str, str], list[over_time.Apart]]:
    """Measure and reason → its figures, the total first."""
    found: dict[tuple[str, str], list[over_time.Apart]] = defaultdict(list)
    for one in sorted(some, key=lambda each: len(each.by)):
        found[one.measure, one.why].append(one)
    return found


def _named(contract: Contract, one: over_time.Apart) -> str:
    names = codes.names(contract)
    cut = [names[name][code] for name, code in one.by]
    return ", ".join([contract.measure(one.measure).name, *cut])


def _how(part: over_time.Standing) -> str:
    return "as signed" if part.signed else "counted now"


def _since(one: over_time.Together, apart: over_time.Apart) -> str:
    """What would be otherwise if it were counted today."""
    labels = [*(part.label for part in one.parts), one.whole.label]
    moved = [f"{label} {more:+,g}" for label, more in zip(labels, apart.since, strict=True) if more]
    return ", ".join(moved)


def _plain(
    contract: Contract, report: Report, beside: Sequence[over_time.Together]
) -> dict[str, object]:
    """The same for a program: every figure, each breakdown too."""
    return {
        "contract": contract.key,
        "report": report.asked.code,
        "period": report.period.label,
        "beside": [
            {
                "kind": one.kind,
                "whole": _how(one.whole),
                "parts": [{"period": part.label, "how": _how(part)} for part in one.parts],
                "agree": one.agree,
                "not_added": [measure.code for measure in one.not_added],
                "apart": [
                    {
                        "measure": each.measure,
                        "by": dict(each.by),
                        "whole": each.whole,
                        "parts": each.parts,
                        "difference": each.by_how_many,
                        "since": each.since,
                        "why": each.why or "fault",
                    }
                    for each in one.apart
                ],
            }
            for one in beside
        ],
    }


def _report(contract: Contract, period: Period, code: str) -> contract_parts.Report:
    """The report that is asked for, or the first that is owed for such a period."""
    for one in contract.reports:
        if one.code == code and KIND_OF[one.every] == period.kind:
            return one
    return contract.report_for(period.kind)
