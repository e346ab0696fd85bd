"""Opening a case that is shut to oneself, in an emergency, and looking at what others opened so.

The page says what follows before anybody does it. Whatever cannot be opened this way is answered
like what is not there.
"""

import re
from typing import Any, Final

from aiohttp import web

from helpline.desk import breaking, intake
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.vocabulary import Role
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.showing import go, show

E164: Final = re.compile(r"\+[1-9][0-9]{7,14}")
SHUT_WORDS: Final = {
    "no_wall": "they have worked for the other side",
    "not_restricted": "it is kept to certain people",
}
ROLE_WORDS: Final = {
    Role.WORKER: "support worker",
    Role.LEAD: "team lead",
    Role.SAFEGUARDING: "safeguarding lead",
    Role.COMPLAINTS: "complaints officer",
    Role.COMMISSIONER: "commissioner",
    Role.ADMIN: "administrator",
}


async def ask(request: web.Request) -> web.Response:
    return _form(request)


async def open_case(request: web.Request) -> web.Response:
    """A typed reason opens it for an hour, and the leads are told."""
    asked, why = await field(request, "asked"), await field(request, "why")
    typed = {"asked": asked, "why": why}
    if not asked:
        problem = "Write the case's reference, or the number that the person rings from."
        return _form(request, 400, problem, "asked", typed)
    number = intake.canonical("sms", asked[:30])
    try:
        async with house_of(request).db.write() as session:
            case = await breaking.open_in_emergency(
                session,
                contracts_of(request, "glass.break"),
                asked,
                number if E164.fullmatch(number) else None,
                why,
                actor_of(request),
                now_of(request),
            )
    except NotFound as error:
        return _form(request, 404, str(error), "asked", typed)
    except InvalidInput as error:
        return _form(request, 400, str(error), "why", typed)
    return go(f"/cases/{case.reference}")


async def show_opened(request: web.Request) -> web.Response:
    return await _list(request)


async def review(request: web.Request) -> web.Response:
    """Somebody else says whether it was right."""
    broken_id = number_in_path(request, "id")
    was_right, words = await field(request, "was_right"), await field(request, "words")
    try:
        async with house_of(request).db.write() as session:
            await breaking.review(
                session, broken_id, was_right, words, actor_of(request), now_of(request)
            )
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        typed = {"was_right": was_right, "words": words}
        return await _list(request, status, str(error), broken_id, typed)
    return go("/emergencies?done=reviewed")


def _form(
    request: web.Request,
    status: int = 200,
    problem: str = "",
    wrong: str = "",
    typed: dict[str, str] | None = None,
) -> web.Response:
    values: dict[str, Any] = {
        "form": "glass" if problem else "",
        "problem": problem,
        "wrong": wrong,
        "typed": typed or {},
        "longest": breaking.LONGEST_WHY,
    }
    return show(request, "emergency.html.j2", status, **values)


async def _list(
    request: web.Request,
    status: int = 200,
    problem: str = "",
    wrong: int = 0,
    typed: dict[str, str] | None = None,
) -> web.Response:
    keys = [one.key for one in contracts_of(request, "glass.review")]
    async with house_of(request).db.read() as session:
        rows = await breaking.to_review(session, keys, actor_of(request))
    values: dict[str, Any] = {
        "rows": rows,
        "waiting": sum(row.reviewed_at is None for row in rows),
        "shut_words": SHUT_WORDS,
        "role_words": ROLE_WORDS,
        "problem": problem,
        "wrong": wrong,
        "typed": typed or {},
        "done": request.query.get("done", ""),
    }
    return show(request, "emergencies.html.j2", status, **values)
