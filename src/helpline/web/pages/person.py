"""One person: the ways to reach them, their cases, and records that may be the same person.

Joining is somebody's decision with a reason, never the computer's; it can be taken back here.
"""

from aiohttp import web
from sqlalchemy import select
from sqlmodel import col

from helpline.desk import casefile, linking, merging
from helpline.errors import InvalidInput
from helpline.models import Address, Merge, Person
from helpline.web.asked import (
    actor_of,
    contract_of,
    field,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case import Words
from helpline.web.showing import go, show


async def show_person(request: web.Request) -> web.Response:
    return await _page(request)


async def merge(request: web.Request) -> web.Response:
    """Join another record into this one."""
    person_id, other_id = number_in_path(request, "id"), row_id(await field(request, "other"))
    if other_id is None:
        return await _page(request, 400, "Choose which record is the same person.")
    try:
        async with house_of(request).db.write() as session:
            by = actor_of(request)
            into = await merging.find_person(session, by, person_id)
            other = await merging.find_person(session, by, other_id)
            reason = await field(request, "reason")
            await merging.merge(session, into, other, reason, by, now_of(request))
    except InvalidInput as error:
        return await _page(request, 400, str(error))
    return go(f"/people/{person_id}?done=joined")


async def unmerge(request: web.Request) -> web.Response:
    """Take a join back."""
    person_id = number_in_path(request, "id")
    async with house_of(request).db.write() as session:
        await merging.unmerge(
            session, number_in_path(request, "merge"), actor_of(request), now_of(request)
        )
    return go(f"/people/{person_id}?done=parted")


async def make_code(request: web.Request) -> web.Response:
    """A one-time code to read out, so that their Telegram is known to be theirs."""
    person_id = number_in_path(request, "id")
    async with house_of(request).db.write() as session:
        person = await merging.find_person(session, actor_of(request), person_id)
        code = await linking.make_code_for_person(
            session, person, actor_of(request), now_of(request)
        )
    return await _page(request, code=code)


async def _page(
    request: web.Request, status: int = 200, problem: str = "", code: str = ""
) -> web.Response:
    person_id = number_in_path(request, "id")
    async with house_of(request).db.read() as session:
        person = await merging.find_person(session, actor_of(request), person_id)
        alike = await merging.likenesses(session, person)
        others = {
            other.id: other
            for other in await session.scalars(
                select(Person).where(col(Person.id).in_([one.person_id for one in alike]))
            )
        }
        addresses = list(
            await session.scalars(select(Address).where(col(Address.person_id) == person_id))
        )
        joins = list(
            await session.scalars(
                select(Merge)
                .where(col(Merge.into_id) == person_id, col(Merge.undone_at).is_(None))
                .order_by(col(Merge.id).desc())
            )
        )
        cases = await casefile.cases_of(session, actor_of(request), [person_id])
    contract = contract_of(request, person.contract)
    return show(
        request,
        "person.html.j2",
        status,
        zone=contract.zone,
        person=person,
        words=Words(contract),
        addresses=addresses,
        alike=[(one, others[one.person_id]) for one in alike],
        joins=joins,
        cases=cases,
        problem=problem,
        code=code,
        has_telegram="telegram" in house_of(request).channels,
        done=request.query.get("done", ""),
    )
