"""Who read somebody's cases: on the screen for whoever asks on their behalf, and as a sheet that is
printed and given to them. That they asked is written down before the sheet is shown."""

from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.desk import merging, readers
from helpline.errors import InvalidInput
from helpline.web.asked import actor_of, contract_of, field, house_of, now_of, number_in_path
from helpline.web.pages.breaking import ROLE_WORDS
from helpline.web.showing import go, show


async def show_readers(request: web.Request) -> web.Response:
    return await _page(request)


async def note_asked(request: web.Request) -> web.Response:
    """They asked, and get the sheet."""
    person_id, how = number_in_path(request, "id"), await field(request, "how")
    try:
        async with house_of(request).db.write() as session:
            person = await merging.find_person(session, actor_of(request), person_id)
            await readers.note_shown(session, person, how, actor_of(request), now_of(request))
    except InvalidInput as error:
        return await _page(request, 400, str(error))
    return go(f"/people/{person_id}/readers?sheet=1")


async def _page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
    person_id = number_in_path(request, "id")
    async with house_of(request).db.read() as session:
        person = await merging.find_person(session, actor_of(request), person_id)
        contract = contract_of(request, person.contract)
        found = await readers.readings_of(session, person, actor_of(request))
    values: dict[str, Any] = {
        "person": person,
        "contract": contract,
        "found": found,
        "most": readers.MOST,
        "role_words": ROLE_WORDS,
        "asked_by": list(readers.ASKED_BY.items()),
        "is_sheet": bool(request.query.get("sheet")),
        "form": "asked" if problem else "",
        "wrong": "how",
        "problem": problem,
        "typed": {},
        "dated": lambda at: at.astimezone(ZoneInfo(contract.zone)).strftime("%-d %B %Y, %H:%M"),
    }
    return show(request, "readers.html.j2", status, zone=contract.zone, **values)
