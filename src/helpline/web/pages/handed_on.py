"""How often people were handed on or pointed to others, to whom, in the last quarters. Exact
figures are for whoever may see exact figures of reports; everybody else sees small ones protected.
"""

from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.contract import Contract
from helpline.errors import NotFound
from helpline.reports import handed_on
from helpline.rules import periods
from helpline.rules.periods import QUARTER
from helpline.rules.permissions import may
from helpline.web.asked import actor_of, contracts_of, house_of, now_of
from helpline.web.pages.partners import KIND_WORDS
from helpline.web.showing import show

SHOWN: Final = 4
"""Quarters; the running one among them for whoever may see exact figures."""
NAMES: Final = {
    handed_on.LEGAL_LINE: "The legal helpline",
    handed_on.LINE_FAILED: "The legal helpline, where nobody answered",
}


async def show_handed_on(request: web.Request) -> web.Response:
    known = contracts_of(request, "handed_on.read")
    contract = _contract(request, known)
    today = now_of(request).astimezone(ZoneInfo(contract.zone)).date()
    exact = may(actor_of(request), "report.exact", contract.key)
    running = periods.period_containing(today, QUARTER, contract.year_starts_month)
    # Who could look every day at protected figures that still grow would see each one come.
    quarters = [running if exact else periods.previous(running)]
    while len(quarters) < SHOWN:
        quarters.insert(0, periods.previous(quarters[0]))
    async with house_of(request).db.read() as session:
        rows = await handed_on.rows(session, contract, quarters, exact=exact)
    return show(
        request,
        "handed_on.html.j2",
        zone=contract.zone,
        contract=contract,
        contracts=known,
        quarters=quarters,
        tables=[
            (group, [row for row in rows if row.group in groups])
            for group, groups in (
                (handed_on.HANDED, (handed_on.HANDED,)),
                (handed_on.POINTED, (handed_on.POINTED, handed_on.WENT)),
            )
        ],
        names=NAMES | {str(kind): words for kind, words in KIND_WORDS.items()},
        is_exact=exact,
        is_running=exact,
    )


def _contract(request: web.Request, known: list[Contract]) -> Contract:
    wanted = request.query.get("contract", "")
    found = next((one for one in known if one.key == wanted), known[0] if known else None)
    if found is None:
        raise NotFound("There is no contract here whose figures you may see.")
    return found
