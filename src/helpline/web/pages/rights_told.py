"""Whom outside we told, on which legal basis, and what we have agreed with others about it."""

from typing import Final

from aiohttp import web

from helpline.desk.rights import sharing
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    form_of,
    house_of,
    narrowed,
    now_of,
    number_in_path,
    one_of,
)
from helpline.web.pages import rights_words as words
from helpline.web.pages.register import day
from helpline.web.showing import go, show

_WRONG: Final = {
    "Give the agreement": "title",
    "Say with whom": "party",
    "Say what may": "covers",
    "Choose on which": "basis",
    "Give the first": "from_day",
    "Give a day": "review_on",
}


async def show_told(
    request: web.Request, status: int = 200, problem: str = "", form: str = ""
) -> web.Response:
    actor, known = actor_of(request), contracts_of(request, "agreement.write")
    if not known:
        raise NotFound("There is no contract here whose agreements you may see.")
    shown, contract = narrowed(request, known), await one_of(request, known)
    keys = [one.key for one in shown]
    async with house_of(request).db.read() as session:
        told = await sharing.disclosures(session, actor, keys)
        agreed = await sharing.agreements(session, keys)
    typed = await form_of(request) if problem else {}
    wrong = next((name for begins, name in _WRONG.items() if problem.startswith(begins)), "title")
    return show(
        request,
        "rights_told.html.j2",
        status,
        zone=known[0].zone,
        told=told,
        agreed=agreed,
        contract=contract,
        bases={one.code: one.name for each in known for one in each.sharing_bases},
        own_bases=[(one.code, one.name) for one in contract.sharing_bases] if contract else [],
        recipients=words.RECIPIENTS,
        knows=words.KNOWS,
        today={one.key: one.days.day_of(now_of(request)) for one in known},
        problem=problem,
        form=form,
        wrong="review_on" if form.startswith("review") else wrong,
        typed={name: given[-1] for name, given in typed.items()},
        done=request.query.get("done", ""),
    )


async def agree(request: web.Request) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    try:
        contract = await one_of(request, contracts_of(request, "agreement.write"))
        if contract is None:
            raise InvalidInput("Choose the council first.")
        first, review = (
            day(await field(request, "from_day")),
            day(await field(request, "review_on")),
        )
        if first is None:
            raise InvalidInput("Give the first day on which it holds.")
        if review is None:
            raise InvalidInput("Give a day on which somebody looks at it again.")
        async with house_of(request).db.write() as session:
            await sharing.agree(
                session,
                contract,
                await field(request, "title"),
                await field(request, "party"),
                await field(request, "basis"),
                await field(request, "covers"),
                first,
                review,
                actor,
                now,
            )
    except InvalidInput as error:
        return await show_told(request, 400, str(error), "agreement")
    return go("/rights/told?done=agreed")


async def look_again(request: web.Request) -> web.Response:
    """It holds on, until the day it is looked at next; or it ends."""
    actor, now = actor_of(request), now_of(request)
    agreement_id = number_in_path(request, "id")
    ends = await field(request, "act") == "end"
    review = day(await field(request, "review_on"))
    try:
        if review is None and not ends:
            raise InvalidInput("Give a day on which somebody looks at it again.")
        async with house_of(request).db.write() as session:
            zone = contracts_of(request, "agreement.write")[0]
            await sharing.look_again(
                session,
                agreement_id,
                None if ends else review,
                actor,
                now,
                zone.days.day_of(now),
            )
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        return await show_told(request, status, str(error), f"review{agreement_id}")
    return go("/rights/told?done=looked")
