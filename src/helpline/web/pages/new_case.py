"""A case written down by hand: somebody came in person, wrote a letter, rang another telephone."""

from aiohttp import web

from helpline.desk import byhand
from helpline.desk.byhand import CHANNELS, TakenDown
from helpline.errors import InvalidInput
from helpline.web.asked import actor_of, contracts_of, field, form_of, house_of, now_of, one_of
from helpline.web.pages.case import Words, local_now
from helpline.web.pages.case_acts import instant
from helpline.web.showing import go, show, which_council

FIELDS = ("contract", "channel", "happened_at", "who", "mobile", "text", "reason", "answered")


async def ask(request: web.Request) -> web.Response:
    return await _page(request)


async def take_down(request: web.Request) -> web.Response:
    """Store it and open its page; a mistake shows the form again with all that was typed."""
    typed = {name: await field(request, name) for name in FIELDS}
    contract = await one_of(request, contracts_of(request, "case.reply"))
    if contract is None:
        return await _page(request, 400, "Choose the council first.")
    now = now_of(request)
    try:
        taken = TakenDown(
            channel=typed["channel"],
            happened_at=instant(typed["happened_at"], contract.zone, now),
            who=typed["who"],
            mobile=typed["mobile"],
            text=typed["text"],
            reason=typed["reason"],
            answered=bool(typed["answered"]),
        )
        async with house_of(request).db.write() as session:
            case = await byhand.take_down(session, contract, taken, actor_of(request), now)
    except InvalidInput as error:
        return await _page(request, 400, str(error))
    return go(f"/cases/{case.reference}?done=taken_down")


async def _page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
    contracts = contracts_of(request, "case.reply")
    typed = {}
    if problem:
        await form_of(request)
        typed = {name: await field(request, name) for name in FIELDS}
    chosen = await one_of(request, contracts)
    if chosen is None:
        return which_council(request, "Write down a new case", "/new-case", "/inbox", problem)
    return show(
        request,
        "new_case.html.j2",
        status,
        zone=chosen.zone,
        contract=chosen,
        words=Words(chosen),
        channels=CHANNELS,
        local_now=local_now(now_of(request), chosen.zone),
        typed=typed,
        problem=problem,
    )
