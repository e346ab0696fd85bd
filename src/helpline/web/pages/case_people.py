"""The people of a case: their parts, cases that belong to it, and the wall between two sides."""

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import cases, membership, parts, search, tasks
from helpline.errors import InvalidInput
from helpline.models import Case, Person
from helpline.rules.permissions import Actor, may
from helpline.vocabulary import LinkKind, PartRole, Role
from helpline.web.asked import (
    actor_of,
    field,
    form_of,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case import find, local_now
from helpline.web.pages.case_acts import Act
from helpline.web.pages.case_frame import act_on, show_tab


async def show_people(request: web.Request, **again: Any) -> web.Response:
    typed = again.get("typed") or {}
    asked = (typed.get("asked") or [""])[-1]

    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        actor = actor_of(request)
        return {
            "asked": asked,
            **await _who_is_here(session, found, contract, actor, asked),
            "parts": await parts.on_case(session, found.id or 0),
            "linked": await parts.linked(session, found.id or 0, actor),
            "roles": [role for role in PartRole if role is not PartRole.SUPPORTED],
            "may_link": may(actor, "case.link", contract.key),
            "leads": [
                one
                for one in await cases.workers_for(session, contract.key)
                if one.role == Role.LEAD
            ],
            "asked_by": local_now(
                tasks.end_of_working_day(contract, now_of(request), 0), contract.zone
            ),
        }

    return await show_tab(request, "case_people.html.j2", fill, **again)


async def _who_is_here(
    session: AsyncSession, case: Case, contract: Contract, actor: Actor, asked: str
) -> dict[str, Any]:
    """Whom a part can be given to: of the household by the register, and whoever was looked for."""
    taken = {case.person_id, *(one.person_id for one in await parts.on_case(session, case.id or 0))}
    person = await session.get(Person, case.person_id)
    living = await membership.household_of(session, actor, person) if person else []
    is_question = 2 <= len(asked) <= search.LONGEST_QUESTION
    found = await search.find_people(session, actor, contract, asked) if is_question else []
    lives_there = [one for one in living if one.id not in taken]
    known = {one.id for one in lives_there}
    return {
        "household": lives_there,
        "found": [one for one in found if one.id not in taken | known][: search.MOST],
    }


async def look_for(request: web.Request) -> web.Response:
    """The question is posted: what is asked about people stands in no address."""
    typed, asked = await form_of(request), await field(request, "asked")
    if not 2 <= len(asked) <= search.LONGEST_QUESTION:
        problem = f"Write whom to look for: 2 to {search.LONGEST_QUESTION} letters."
        return await show_people(request, status=400, form="look", problem=problem, typed=typed)
    async with house_of(request).db.write() as session:
        await find(session, request)
        await search.note_looking(session, actor_of(request), now_of(request))
    return await show_people(request, form="look", typed=typed)


async def give_part(request: web.Request) -> web.Response:
    """A part for somebody who is here already."""
    person_id, role = row_id(await field(request, "person")), await field(request, "role")

    async def act(it: Act) -> str:
        await parts.give_to_known(it.session, it.case, person_id, role, it.by, it.now)
        return f"/cases/{it.case.reference}/people?done=part"

    return await act_on(request, "known", act, show_people)


async def add_part(request: web.Request) -> web.Response:
    name, group = await field(request, "name"), await field(request, "group")
    role = await field(request, "role")

    async def act(it: Act) -> None:
        await parts.write_down(it.session, it.contract, it.case, name, group, role, it.by, it.now)

    return await act_on(request, "part", act, show_people)


async def end_part(request: web.Request) -> web.Response:
    part_id = number_in_path(request, "id")

    async def act(it: Act) -> str:
        await parts.end_part(it.session, it.case, part_id, it.by, it.now)
        return f"/cases/{it.case.reference}/people?done=ended"

    return await act_on(request, "ended", act, show_people)


async def separate(request: web.Request) -> web.Response:
    """A case of their own for somebody with a part, and a wall between."""
    part_id = number_in_path(request, "id")
    why = await field(request, "why")

    async def act(it: Act) -> str:
        await parts.separate(it.session, it.contract, it.case, part_id, why, it.by, it.now)
        return f"/cases/{it.case.reference}/people?done=separate"

    return await act_on(request, f"separate_{part_id}", act, show_people)


async def link(request: web.Request) -> web.Response:
    reference, kind = await field(request, "other"), await field(request, "kind")
    why = await field(request, "why")

    async def act(it: Act) -> None:
        if kind not in list(LinkKind):
            raise InvalidInput("Choose how the two cases belong together.")
        if not reference:
            raise InvalidInput("Give the reference of the other case.")
        other = await cases.find_case(it.session, it.by, reference[:20])
        await parts.link(it.session, it.case, other, LinkKind(kind), why, it.by, it.now)

    return await act_on(request, "link", act, show_people)


async def end_link(request: web.Request) -> web.Response:
    link_id = number_in_path(request, "id")

    async def act(it: Act) -> str:
        await parts.end_link(it.session, it.case, link_id, it.by, it.now)
        return f"/cases/{it.case.reference}/people?done=unlinked"

    return await act_on(request, "unlinked", act, show_people)
