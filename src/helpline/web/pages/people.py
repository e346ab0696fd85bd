"""Finding a case by its reference or a person by membership number.

The question is posted, never part of an address: what is asked about people must not end up in
logs or in a browser's history.
"""

from typing import Any

from aiohttp import web

from helpline.desk import casefile, cases, events
from helpline.desk.people import plain_number
from helpline.errors import NotFound
from helpline.web.asked import actor_of, contracts_of, field, house_of, now_of
from helpline.web.pages.case import Words
from helpline.web.showing import go, show


async def ask(request: web.Request) -> web.Response:
    return show(request, "people.html.j2", asked="", problem="", found=None, cases=[])


async def find(request: web.Request) -> web.Response:
    """A reference goes straight to its case; a membership number lists the person's cases."""
    asked = await field(request, "asked")
    number = plain_number(asked)
    if not 3 <= len(number) <= 40 or len(asked) > 60:
        problem = "Give a case reference or a membership number, from 3 to 40 letters and digits."
        return _answer(request, 400, asked, problem)
    actor = actor_of(request)
    contracts = {c.key: c for c in contracts_of(request, "people.read")}
    async with house_of(request).db.read() as session:
        try:
            case = await cases.find_case(session, actor, asked)
        except NotFound:
            case = None
        found = await casefile.references_by_number(session, actor, list(contracts), number)
        listed = await casefile.cases_of(session, actor, [row.id for row in found])
    async with house_of(request).db.write() as session:
        await events.record(
            session,
            "search.made",
            now_of(request),
            by=actor.user_id,
            of="number",
            people=len(found),
            cases=1 if case else len(listed),
        )
    if case is not None:
        return go(f"/cases/{case.reference}")
    problem = "" if found else "Nobody on the register has this number, and no case this reference."
    words = {key: Words(contract) for key, contract in contracts.items()}
    values: dict[str, Any] = {
        "asked": asked,
        "problem": problem,
        "found": found,
        "cases": listed,
        "words": words,
    }
    return show(request, "people.html.j2", **values)


def _answer(request: web.Request, status: int, asked: str, problem: str) -> web.Response:
    values: dict[str, Any] = {"asked": asked[:60], "problem": problem, "found": None, "cases": []}
    return show(request, "people.html.j2", status, **values)
