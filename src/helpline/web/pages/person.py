"""One person: their household and memberships, what they need and are covered for, the ways to
reach them, their cases, and records that may be the same person.

Joining is somebody's decision with a reason, never the computer's; it can be taken back here.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import casefile, eligibility, linking, membership, merging, privacy, seeing
from helpline.desk.rights import requests
from helpline.errors import Conflict, InvalidInput
from helpline.models import Address, Merge, Person
from helpline.rules import quadrants
from helpline.rules.permissions import Actor
from helpline.vocabulary import NeedKind
from helpline.web.asked import (
    actor_of,
    contract_of,
    field,
    form_of,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case import Words
from helpline.web.pages.register import day
from helpline.web.pages.rights_words import KINDS
from helpline.web.showing import go, show

Change = Callable[[AsyncSession, Person, Actor, datetime], Awaitable[object]]


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
            contract = contract_of(request, into.contract)
            await eligibility.decide_cases_again(session, contract, into, by, now_of(request))
    except (InvalidInput, Conflict) as error:
        return await _page(request, 400, str(error))
    return go(f"/people/{person_id}?done=joined")


async def unmerge(request: web.Request) -> web.Response:
    """Take a join back."""
    person_id = number_in_path(request, "id")
    merge_id, by = number_in_path(request, "merge"), actor_of(request)
    async with house_of(request).db.write() as session:
        person = await merging.find_person(session, by, person_id)
        await merging.unmerge(session, person, merge_id, by, now_of(request))
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


async def add_need(request: web.Request) -> web.Response:
    kind, detail = await field(request, "kind"), await field(request, "detail")

    async def change(session: AsyncSession, person: Person, by: Actor, now: datetime) -> object:
        return await membership.add_need(session, person, kind, detail, by, now)

    return await _change(request, "need", change)


async def end_need(request: web.Request) -> web.Response:
    need_id = number_in_path(request, "need")

    async def change(session: AsyncSession, person: Person, by: Actor, now: datetime) -> None:
        await membership.end_need(session, person, need_id, by, now)

    return await _change(request, "need_ended", change)


async def add_cover(request: web.Request) -> web.Response:
    given = {
        name: await field(request, name)
        for name in ("code", "policy", "valid_from", "valid_to", "household")
    }

    async def change(session: AsyncSession, person: Person, by: Actor, now: datetime) -> object:
        if given["valid_to"] and day(given["valid_to"]) is None:
            raise InvalidInput("Give the last day like 2026-08-31, or leave it empty.")
        return await membership.add_cover(
            session,
            contract_of(request, person.contract),
            person,
            given["code"],
            given["policy"],
            day(given["valid_from"]),
            day(given["valid_to"]),
            by,
            now,
            covers_household=given["household"] == "yes",
        )

    return await _change(request, "cover", change)


async def end_cover(request: web.Request) -> web.Response:
    cover_id, last = number_in_path(request, "cover"), day(await field(request, "last_day"))

    async def change(session: AsyncSession, person: Person, by: Actor, now: datetime) -> None:
        await membership.end_cover(session, person, cover_id, last, by, now)

    return await _change(request, f"cover_{cover_id}", change, done="cover_ended")


async def _change(
    request: web.Request, form: str, change: Change, *, done: str = ""
) -> web.Response:
    """One act on the person, in one transaction; a refusal shows the page with what was typed."""
    person_id = number_in_path(request, "id")
    try:
        async with house_of(request).db.write() as session:
            by = actor_of(request)
            person = await merging.find_person(session, by, person_id)
            await change(session, person, by, now_of(request))
    except InvalidInput as error:
        typed = {name: values[-1] for name, values in (await form_of(request)).items() if values}
        return await _page(request, 400, str(error), form=form, typed=typed)
    return go(f"/people/{person_id}?done={done or form}")


async def _page(
    request: web.Request,
    status: int = 200,
    problem: str = "",
    code: str = "",
    *,
    form: str = "other",
    typed: dict[str, str] | None = None,
) -> web.Response:
    person_id = number_in_path(request, "id")
    async with house_of(request).db.read() as session:
        person = await merging.find_person(session, actor_of(request), person_id)
        alike = await merging.likenesses(session, person)
        others = {
            other.id: other
            for other in await session.scalars(
                select(Person).where(
                    col(Person.id).in_([one.person_id for one in alike]),
                    *seeing.people(actor_of(request)),
                )
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
        member = await _membership(session, request, contract, person)
        told = await privacy.told(session, contract, person_id)
        asked = await requests.listed(
            session, actor_of(request), [contract.key], person_id=person_id
        )
    return show(
        request,
        "person.html.j2",
        status,
        zone=contract.zone,
        person=person,
        words=Words(contract),
        addresses=addresses,
        alike=[(one, others[one.person_id]) for one in alike if one.person_id in others],
        joins=joins,
        privacy_told=told,
        asked_of_us=asked,
        right_words=KINDS,
        cases=cases,
        problem=problem,
        form=form,
        typed=typed or {},
        **member,
        code=code,
        has_telegram="telegram" in house_of(request).channels,
        done=request.query.get("done", ""),
    )


async def _membership(
    session: AsyncSession, request: web.Request, contract: Contract, person: Person
) -> dict[str, Any]:
    """What the page shows of the register: household, memberships by date, needs, cover, flags."""
    now = now_of(request)
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    rows = await membership.memberships_of(session, person.id or 0)
    postcode = rows[0].postcode if rows else None
    decided = await eligibility.decision_for(session, contract, person, now)
    return {
        "contract": contract,
        "household": await membership.household_of(session, actor_of(request), person),
        "memberships": rows,
        "needs": await membership.needs_of(session, person.id or 0),
        "need_words": membership.NEED_WORDS,
        "need_kinds": list(NeedKind),
        "covers": await membership.covers_of(session, actor_of(request), person, today),
        "cover_words": {one.code: one.name for one in contract.entitlements},
        "decided": decided,
        "sentence": eligibility.sentence(contract, decided.reason),
        "lives_outside": quadrants.lives_outside(contract.suggest_quadrant(postcode))
        if postcode
        else None,
        "today": today.isoformat(),
    }
