"""To whom a case is kept, and every time it was opened in an emergency all the same. A tab of the
case for those who lead; for everybody to whom it is not kept there is no such case."""

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import breaking, restricting
from helpline.models import Case
from helpline.web.asked import actor_of, fields, form_of, row_id
from helpline.web.pages.breaking import ROLE_WORDS, SHUT_WORDS
from helpline.web.pages.case_acts import Act
from helpline.web.pages.case_frame import act_on, show_tab


async def show_restriction(request: web.Request, **again: Any) -> web.Response:
    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        case_id, problem = found.id or 0, str(again.get("problem", ""))
        named = await restricting.names_on(session, case_id)
        asked = (await form_of(request)).get("who", []) if problem else []
        ticked = {row_id(one) for one in asked} if problem else {row.user_id for row in named}
        if not named and not problem:
            ticked = {actor_of(request).user_id, found.worker_id}
        held = await restricting.held_on(session, case_id)
        return {
            "held": held,
            "named": named,
            "candidates": await restricting.candidates(session, found),
            "ticked": ticked,
            "broken": await breaking.on_case(session, found),
            "role_words": ROLE_WORDS,
            "shut_words": SHUT_WORDS,
            "wrong": "why" if problem.startswith("Say") else "who",
        }

    return await show_tab(request, "restriction.html.j2", fill, **again)


async def keep(request: web.Request) -> web.Response:
    """To these people, for this reason; they may be changed the same way."""
    chosen = {i for one in await fields(request, "who") if (i := row_id(one)) is not None}

    async def act(it: Act) -> str | None:
        why = (await form_of(request)).get("why", [""])[-1]
        await restricting.keep_to(it.session, it.case, chosen, why, it.by, it.now)
        return None if it.by.user_id in chosen else "/inbox"

    return await act_on(request, "people", act, show_restriction)


async def lift(request: web.Request) -> web.Response:
    """It is everybody's again who works on this contract's cases."""

    async def act(it: Act) -> None:
        await restricting.lift(it.session, it.case, it.by, it.now)

    return await act_on(request, "lifted", act, show_restriction)
