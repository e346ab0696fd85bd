"""The reports of a period, as a page or a file, and the landing page of those who pay.

Aggregates only. Exact figures need `report.exact`; everybody else sees small numbers protected.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import events, promises
from helpline.errors import InvalidInput, NotFound
from helpline.reports import catalogue
from helpline.reports.figures import figures
from helpline.reports.render import rendered
from helpline.rules import periods
from helpline.rules.periods import ANNUAL, QUARTER, Period
from helpline.rules.permissions import require
from helpline.web.asked import actor_of, contracts_of, house_of, now_of
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


@dataclass(frozen=True)
class Listed:
    """A period in the list; `is_running` while its last day is not over."""

    period: Period
    is_running: bool


async def show_reports(request: web.Request) -> web.Response:
    """Every contract the asker may see, with its last quarters and years."""
    now = now_of(request)
    listed = [(c, _recent(c, now)) for c in contracts_of(request, "report.read")]
    kept = {}
    async with house_of(request).db.read() as session:
        for contract in contracts_of(request, "promises.read"):
            since = now - PROMISES_BACK
            kept[contract.key] = await promises.kept_rates(session, contract.key, since, now)
    return show(request, "reports.html.j2", listed=listed, formats=list(TYPES), kept=kept)


async def show_portal(request: web.Request) -> web.Response:
    """What a commissioner sees first: the last whole quarter, and where the rest is."""
    listed = [(c, _recent(c, now_of(request))) for c in contracts_of(request, "report.read")]
    return show(request, "portal.html.j2", listed=listed, formats=list(TYPES))


async def show_measures(request: web.Request) -> web.Response:
    """Every figure of the contract's reports, explained."""
    contract = _contract(request)
    return show(request, "measures.html.j2", contract=contract, entries=catalogue.entries(contract))


async def show_report(request: web.Request) -> web.Response:
    """One report as a page, or with `?format=` as a file; `?exact=1` for those who may."""
    contract, now = _contract(request), now_of(request)
    is_exact = request.query.get("exact") == "1"
    if is_exact:
        require(actor_of(request), "report.exact", contract.key)
    period = _period(request.match_info["label"], contract)
    chosen = request.query.get("format")
    if chosen is not None:
        return await _file(request, contract, period, chosen, is_exact)
    async with house_of(request).db.read() as session:
        report = await figures(session, contract, period, now, is_exact)
    if is_exact:
        await _record(request, contract, period, "page")
    values: dict[str, Any] = {
        "report": report,
        "contract": contract,
        "period": period,
        "is_exact": is_exact,
    }
    values["formats"] = list(TYPES)
    return show(request, "report.html.j2", zone=contract.zone, **values)


async def _file(
    request: web.Request, contract: Contract, period: Period, chosen: str, is_exact: bool
) -> web.Response:
    if chosen not in TYPES:
        raise InvalidInput(f"Reports come as {', '.join(TYPES)}. Choose one of these.")
    async with house_of(request).db.read() as session:
        report = await figures(session, contract, period, now_of(request), is_exact)
    body = await rendered(report, chosen)  # no connection is held meanwhile
    await _record(request, contract, period, chosen)
    name = f"{contract.key}-{period.label}{'-exact' if is_exact else ''}.{chosen}"
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


def _period(label: str, contract: Contract) -> Period:
    try:
        return periods.period(label, contract.year_starts_month)
    except periods.BadPeriod as error:
        raise InvalidInput(str(error)) from None


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


def _is_running(period: Period, contract: Contract, now: datetime) -> bool:
    return now < periods.bounds(period, contract.zone)[1]
