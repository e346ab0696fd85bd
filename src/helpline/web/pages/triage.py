"""How well messages were read in a quarter, for leads; and the judgement of one, on its case."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import readings
from helpline.errors import NotFound
from helpline.rules import languages, periods
from helpline.rules.periods import QUARTER, Period
from helpline.web.asked import actor_of, contracts_of, field, house_of, now_of, number_in_path
from helpline.web.pages.case import Words
from helpline.web.pages.case_acts import Act, do
from helpline.web.showing import show

SHOWN: Final = 6
"""Quarters to choose from."""
URGENCIES: Final = {
    "emergency": "Emergency",
    "urgent": "Urgent",
    "standard": "Standard",
    "low": "Low",
}


async def show_triage(request: web.Request) -> web.Response:
    """One quarter of one contract: `?contract=`, `?period=`."""
    known = contracts_of(request, "triage.review")
    contract = _contract(request, known)
    quarters = _quarters(request, contract)
    span = _span(request, contract, quarters)
    async with house_of(request).db.read() as session:
        found = await readings.of_quarter(session, contract, span, actor_of(request))
    words = Words(contract)
    return show(
        request,
        "triage.html.j2",
        zone=contract.zone,
        contract=contract,
        contracts=known,
        quarters=quarters,
        span=span,
        found=found,
        words=words,
        urgencies=URGENCIES,
        language=_language,
    )


async def judge(request: web.Request) -> web.Response:
    urgency, reason = await field(request, "urgency"), await field(request, "judged_reason")
    reading_id = number_in_path(request, "id")

    async def act(it: Act) -> None:
        await readings.judge(
            it.session, it.contract, it.case, reading_id, urgency, it.by, it.now, reason
        )

    return await do(request, "judgement", act)


def _language(code: str | None) -> str:
    if code in (None, "en"):
        return "English"
    return languages.NAMES.get(code or "", "Another language, or not told")


def _quarters(request: web.Request, contract: Contract) -> list[Period]:
    today = now_of(request).astimezone(ZoneInfo(contract.zone)).date()
    found = [periods.period_containing(today, QUARTER, contract.year_starts_month)]
    while len(found) < SHOWN:
        found.append(periods.previous(found[-1]))
    return found


def _span(request: web.Request, contract: Contract, quarters: list[Period]) -> Period:
    wanted = request.query.get("period", "")
    if not wanted:
        return quarters[0]
    try:
        span = periods.period(wanted, contract.year_starts_month)
    except ValueError:
        raise NotFound("There is no such quarter. Choose one of those on the page.") from None
    if span.kind != QUARTER:
        raise NotFound("This page is about quarters. Choose one of those on the page.")
    return span


def _contract(request: web.Request, known: list[Contract]) -> Contract:
    wanted = request.query.get("contract", "")
    found = next((one for one in known if one.key == wanted), None if wanted else known[0])
    if found is None:
        raise NotFound("There is no contract here whose messages you may review.")
    return found
