"""The reports of a period, as a page or a file.

Aggregates only. Whoever may not see exact figures sees what was signed, read back as it was signed,
and of a period that still runs the totals of last Sunday; leads see any period as it stands.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import (
    events,
    figure_threads,
    promises,
    releasing,
    releasing_lists,
    report_templates,
)
from helpline.errors import Conflict, HelplineError, InvalidInput, NotFound
from helpline.models import Release
from helpline.reports import frozen
from helpline.reports.figures import figures
from helpline.reports.render import made
from helpline.reports.report import Report
from helpline.rules import periods
from helpline.rules.periods import ANNUAL, QUARTER, Period
from helpline.rules.permissions import may, require
from helpline.web.asked import actor_of, contracts_of, house_of, now_of, row_id
from helpline.web.pages.figure import opened
from helpline.web.showing import show

QUARTERS_BACK, YEARS_BACK = 6, 3
PROMISES_BACK = timedelta(days=90)
TYPES: Final = {
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "json": "application/json",
}
TEXTS: Final = ("html", "csv", "json")
FILES: Final = {**{format: format.upper() for format in TYPES}, "docx": "Word", "xlsx": "Excel"}


@dataclass(frozen=True)
class Listed:
    """A period in the list; `is_running` while its last day is not over."""

    period: Period
    is_running: bool


@dataclass(frozen=True)
class Section:
    """What the list shows of one contract. `any_period`: for who may see what is not signed."""

    contract: Contract
    signed: list[releasing_lists.Listed]
    running: list[tuple[str, str, Period]]
    meetings: list[releasing_lists.Meeting]
    any_period: list[Listed]


async def show_reports(request: web.Request) -> web.Response:
    """Every contract the asker may see: what is on its way, what is signed, what still runs."""
    return await page_of_reports(request)


async def page_of_reports(
    request: web.Request, error: HelplineError | None = None, report: str = "", period: str = ""
) -> web.Response:
    """The same; with the `error` of a form for a draft, and what was chosen and typed in it."""
    now, actor = now_of(request), actor_of(request)
    sections, on_the_way, kept = [], list[tuple[Contract, releasing_lists.Listed]](), {}
    asked = list[tuple[Contract, int, date]]()  # questions of the councils that wait for us
    async with house_of(request).db.read() as session:
        for contract in contracts_of(request, "report.read"):
            prepares = may(actor, "report.prepare", contract.key)
            found = await releasing_lists.listed(session, contract, actor, now)
            section = Section(
                contract,
                [one for one in found if one.state.is_out],
                _running(contract, now),
                await releasing_lists.meetings(session, contract, now) if prepares else [],
                _recent(contract, now) if prepares else [],
            )
            sections.append(section)
            on_the_way += [(contract, one) for one in found if not one.state.is_out]
            number, due_on = await figure_threads.waiting(session, contract)
            if prepares and due_on is not None:
                asked.append((contract, number, due_on))
        for contract in contracts_of(request, "promises.read"):
            since = now - PROMISES_BACK
            kept[contract.key] = await promises.kept_rates(session, contract.key, since, now)
    far = now + timedelta(days=10_000)
    return show(
        request,
        "reports.html.j2",
        sections=sections,
        on_the_way=sorted(on_the_way, key=lambda pair: pair[1].due_at or far),
        formats=list(TYPES),
        files=FILES,
        kept=kept,
        asked=sorted(asked, key=lambda one: one[2]),
        today=now.date(),
        error=error,
        typed={"report": report, "period": period},
        status=200 if error is None else 409 if isinstance(error, Conflict) else 400,
    )


async def show_report(request: web.Request) -> web.Response:
    """One report as a page, or with `?format=` as a file; `?report=` its code, `?number=` which of
    several. `?exact=1` for those who may; they see what is not signed, too."""
    contract, now = _contract(request), now_of(request)
    is_exact = request.query.get("exact") == "1"
    if is_exact:
        require(actor_of(request), "report.exact", contract.key)
    period = contract.period(request.match_info["label"])
    code = request.query.get("report") or contract.report_for(period.kind).code
    if periods.KIND_OF[contract.report(code).every] != period.kind:
        raise NotFound("There is no such report of that time.")
    chosen = request.query.get("format")
    async with house_of(request).db.read() as session:
        release = await _signed(request, session, contract, code, period)
        if release is None and not may(actor_of(request), "report.exact", contract.key):
            return await _running_page(request, session, contract, code, period)
        if release is not None:
            report = await frozen.load(session, contract, release, exact=is_exact)
        else:
            proved = chosen is not None  # a file may be handed on
            report = await figures(session, contract, period, now, is_exact, code, proved=proved)
    if chosen is not None:
        return await _file(request, report, release, chosen, is_exact)
    if is_exact:
        await _record(request, contract, period, "page")
    async with house_of(request).db.read() as session:
        values = await _about(request, session, contract, release, report)
    asked = f"report={code}" + (f"&number={release.number}" if release else "")
    return show(
        request,
        "report.html.j2",
        zone=contract.zone,
        report=report,
        opened=await opened(request, report),
        contract=contract,
        period=period,
        is_exact=is_exact,
        formats=list(TYPES),
        files=FILES,
        asked=asked,
        **values,
    )


async def _signed(
    request: web.Request, session: AsyncSession, contract: Contract, code: str, period: Period
) -> Release | None:
    """The release that is asked for, or the one that counts; None where none is signed, or where a
    lead asks for the figures as they stand today (`?live=1`)."""
    if request.query.get("live") == "1" and may(actor_of(request), "report.exact", contract.key):
        return None
    number = row_id(request.query.get("number", ""))
    if number is None:
        return await frozen.newest(session, contract, code, period.label)
    for one in await frozen.releases(session, contract):
        if (one.report, one.period, one.number) == (code, period.label, number):
            return one
    raise NotFound("There is no such report, or it is not signed yet.")


async def _running_page(
    request: web.Request, session: AsyncSession, contract: Contract, code: str, period: Period
) -> web.Response:
    """What the council may see of a period that is not signed: while it runs, its totals."""
    now = now_of(request)
    if not _is_running(period, contract, now) or request.query.get("format") is not None:
        raise NotFound(
            "This report is not signed yet, or there is none of that time. "
            "Those that are signed are listed under Reports."
        )
    found = await frozen.running(session, contract, code, period.label)
    zone = ZoneInfo(contract.zone)
    sunday = found.row.as_at.astimezone(zone) - timedelta(hours=1) if found else None
    return show(
        request,
        "report_running.html.j2",
        zone=contract.zone,
        found=found,
        sunday=sunday,
        contract=contract,
        period=period,
        title=contract.report(code).title,
    )


async def _about(
    request: web.Request,
    session: AsyncSession,
    contract: Contract,
    release: Release | None,
    report: Report,
) -> dict[str, Any]:
    """Of a signed report: who signed it, what it restates, and whether a newer one does."""
    if release is None:
        return {"one": None, "changed": [], "others": []}
    found = await frozen.releases(session, contract)
    same = [one for one in found if (one.report, one.period) == (release.report, release.period)]
    return {
        "one": await releasing_lists.one(session, contract, release, now_of(request)),
        "changed": await releasing_lists.changed(session, contract, release, report),
        "others": [one for one in same if one.id != release.id],
    }


async def _file(
    request: web.Request, report: Report, release: Release | None, chosen: str, is_exact: bool
) -> web.Response:
    """A signed report is handed out as it was signed, byte for byte."""
    if chosen not in TYPES:
        raise InvalidInput(f"Reports come as {', '.join(TYPES)}. Choose one of these.")
    body = None
    if release is not None and not is_exact:
        async with house_of(request).db.read() as session:
            body = await releasing.file(session, release, chosen)
    contract, period = report.contract, report.period
    if body is None:
        async with house_of(request).db.read() as session:
            own = None
            if chosen == "docx":
                own = await report_templates.templates_of(session, contract, report.asked.code)
            body = await made(session, report, chosen, own)
    await _record(request, contract, period, chosen)
    again = f"-{report.number}" if report.number > 1 else ""
    name = f"{contract.key}-{period.label}{again}{'-exact' if is_exact else ''}.{chosen}"
    return web.Response(
        body=body,
        content_type=TYPES[chosen],
        charset="utf-8" if chosen in TEXTS else None,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _record(request: web.Request, contract: Contract, period: Period, kind: str) -> None:
    """Who took figures out of the house, and whether the exact ones."""
    is_exact = request.query.get("exact") == "1"
    async with house_of(request).db.write() as session:
        await events.record(
            session,
            "report.taken",
            now_of(request),
            contract=contract.key,
            by=actor_of(request).user_id,
            period=period.label,
            format=kind,
            exact=is_exact,
        )


def _contract(request: web.Request) -> Contract:
    for contract in contracts_of(request, "report.read"):
        if contract.key == request.match_info["contract"]:
            return contract
    raise NotFound("There is no such report, or it is not yours to see.")


def _recent(contract: Contract, now: datetime) -> list[Listed]:
    """The running quarter and year and those before them, the newest first."""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    found = []
    for kind, how_many in ((QUARTER, QUARTERS_BACK), (ANNUAL, YEARS_BACK)):
        period = periods.period_containing(today, kind, contract.year_starts_month)
        for _ in range(how_many):
            found.append(Listed(period, _is_running(period, contract, now)))
            period = periods.previous(period)
    return found


def _running(contract: Contract, now: datetime) -> list[tuple[str, str, Period]]:
    """The running period of each report that is owed for it: code, title, period."""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    found = [
        (
            one.code,
            one.title,
            periods.period_containing(
                today, periods.KIND_OF[one.every], contract.year_starts_month
            ),
        )
        for one in contract.reports
    ]
    return [one for one in found if contract.report(one[0]).owes(one[2].end)]


def _is_running(period: Period, contract: Contract, now: datetime) -> bool:
    return now < periods.bounds(period, contract.zone)[1]
