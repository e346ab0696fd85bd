"""One person, many addresses: finding records that may be one person, joining them, and taking a
join back without losing anything.

A person decides every join and says why; names alone never do it (two sisters may foster). What was
moved is written down row by row, so that the undoing is exact. Called by the people page.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from rapidfuzz import fuzz
from sqlalchemy import ColumnElement, Table, UniqueConstraint, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import conflicts, events, safety, seeing
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Address,
    Membership,
    Merge,
    Person,
    metadata,
)
from helpline.rules.permissions import Actor, may, require
from helpline.sealing import ring

OF_A_PERSON = (
    *("address", "safe_contact", "link_code", "case", "contact", "part", "allegation"),
    *("membership", "need", "person_entitlement", "counselling_offer", "partner_referral"),
    *("library_use", "policy_proof", "booking", "news_consent", "news_recipient"),
    *("complaint", "compliment", "feedback_ask", "feedback_refusal"),
    *("data_request", "legal_hold", "disclosure", "privacy_told"),
)
MOVED = {name: metadata.tables[name] for name in OF_A_PERSON}
"""The tables whose rows belong to a person and follow a join."""
WHO = "person_id"
STAYS = {
    "page_link": "opened whoever's page it was made for, and opens none once that is another's",
    "merge": "says itself which two records were joined",
    "person_word": "made anew from the names, and each record keeps its own",
}
"""What speaks of a person and stays where it is, and why; tests/desk/test_merging.py reads the
tables and finds whatever stands in neither list."""


@dataclass(frozen=True)
class Likeness:
    """Somebody who may be the same person, and what speaks for it."""

    person_id: int
    reasons: tuple[str, ...]


async def find_person(session: AsyncSession, actor: Actor, person_id: int) -> Person:
    """NotFound alike for who is not there and who is not theirs to see."""
    person = await session.scalar(
        select(Person).where(col(Person.id) == person_id, *seeing.people(actor))
    )
    if person is None:
        raise NotFound("There is no such person, or they are not yours to see.")
    return person


async def likenesses(session: AsyncSession, person: Person) -> Sequence[Likeness]:
    """Records of the same contract that share an address's value or a postcode and a like name.
    A like name alone proposes nothing."""
    reasons: dict[int, list[str]] = {}
    for other_id in await sharing_a_number(session, person):
        reasons.setdefault(other_id, []).append("the same number or address")
    for other in await _neighbours(session, person):
        if other.id and person.name and other.name and _is_like(person.name, other.name):
            reasons.setdefault(other.id, []).append("a like name at the same postcode")
    return [Likeness(other_id, tuple(why)) for other_id, why in sorted(reasons.items())]


async def merge(
    session: AsyncSession, into: Person, other: Person, reason: str, by: Actor, now: datetime
) -> Merge:
    """Everything of `other` becomes `into`'s, who is reached by the stricter rules of both; undoing
    leaves those standing. InvalidInput without a reason, or over contracts."""
    require(by, "case.triage", into.contract)
    if into.contract != other.contract or into.id == other.id:
        raise InvalidInput("Only two different records of one contract can be joined.")
    if not reason.strip():
        raise InvalidInput("Say how you know that they are the same person.")
    if await seeing.is_wall_between(session, into.id or 0, other.id or 0):
        raise Conflict("There is a wall between these two, so they are not one person.")
    assert into.id is not None
    assert other.id is not None
    rules = await safety.stricter_of(session, into.id, other.id)
    async with conflicts.leaving_workers(session):
        moved = await hand_on(session, other.id, into.id)
    await safety.hold_to(session, into.id, rules, by.user_id, now)
    merged = Merge(
        contract=into.contract,
        into_id=into.id,
        from_id=other.id,
        reason=reason.strip(),
        moved=moved,
        at=now,
        by_user_id=by.user_id,
    )
    session.add(merged)
    await session.flush()
    await _event(session, "person.merged", merged, by, now)
    return merged


async def hand_on(
    session: AsyncSession,
    from_id: int,
    into_id: int,
    *,
    case_id: int | None = None,
    but: Collection[str] = (),
) -> dict[str, list[int]]:
    """What belongs to one person is another's from now on: table → the rows that moved. With a
    `case_id` only what is on that case; `but`: tables that stay."""
    moved = {}
    for name, table in MOVED.items():
        if name in but or (case_id is not None and "case_id" not in table.c):
            continue
        on_it = () if case_id is None else (table.c.case_id == case_id,)
        rows = await session.scalars(
            update(table)
            .where(table.c.person_id == from_id, *on_it, *_has_room(table, into_id))
            .values(person_id=into_id)
            .returning(table.c.id)
        )
        moved[name] = sorted(rows)
    return moved


async def unmerge(
    session: AsyncSession, person: Person, merge_id: int, by: Actor, now: datetime
) -> None:
    """Take a join with `person` back: exactly the rows that were moved return, wherever they are
    still; what came since stays where it is. NotFound alike for a join that is not there, is
    another's, or of somebody whom `by` must not know of."""
    merged = await session.get(Merge, merge_id, with_for_update=True)
    if (
        merged is None
        or not may(by, "case.triage", merged.contract)
        or person.id not in (merged.into_id, merged.from_id)
        or not await sees(session, by, (merged.into_id, merged.from_id))
    ):
        raise NotFound("There is no such join.")
    if merged.undone_at is not None:
        raise Conflict("This join has already been taken back.")
    for name, ids in merged.moved.items():
        table = MOVED[name]
        await session.execute(
            update(table)
            .where(table.c.id.in_(ids), table.c.person_id == merged.into_id)
            .values(person_id=merged.from_id)
        )
    merged.undone_at, merged.undone_by_id = now, by.user_id
    await session.flush()
    await _event(session, "person.unmerged", merged, by, now)


async def sees(session: AsyncSession, actor: Actor, person_ids: Sequence[int]) -> bool:
    """Whether `actor` may see all of these people."""
    seen = await session.scalars(
        select(col(Person.id)).where(col(Person.id).in_(person_ids), *seeing.people(actor))
    )
    return set(seen) == set(person_ids)


def _has_room(table: Table, into_id: int) -> list[ColumnElement[bool]]:
    """Where a person may have one row only of something (a place at a gathering, a piece of news),
    one that `into` has as well stays where it is."""
    theirs = table.alias()
    return [
        ~exists().where(
            theirs.c.person_id == into_id,
            *(theirs.c[one.name] == table.c[one.name] for one in unique.columns if one.name != WHO),
        )
        for unique in table.constraints
        if isinstance(unique, UniqueConstraint) and WHO in unique.columns
    ]


async def sharing_a_number(session: AsyncSession, person: Person) -> set[int]:
    """Who else has one of their numbers or addresses. A mobile that texts and also rings is one
    number under two channels, with an index each."""
    own = await session.scalars(select(Address).where(col(Address.person_id) == person.id))
    keys = _keys([address.value for address in own])
    if not keys:
        return set()
    found = await session.scalars(
        select(col(Address.person_id)).where(
            col(Address.contract) == person.contract,
            col(Address.person_id) != person.id,
            col(Address.value_index).in_(keys),
        )
    )
    return set(found)


def _keys(values: Sequence[str]) -> list[str]:
    channels = ("sms", "whatsapp", "voice", "telegram", "email", "webform")
    return [
        index
        for value in values
        for channel in channels
        for index in ring().indexes(f"address:{channel}", value)
    ]


async def _neighbours(session: AsyncSession, person: Person) -> Sequence[Person]:
    postcodes = select(col(Membership.postcode_index)).where(
        col(Membership.person_id) == person.id, col(Membership.postcode_index).is_not(None)
    )
    found = await session.scalars(
        select(Person)
        .join(Membership, col(Membership.person_id) == col(Person.id))
        .where(
            col(Membership.postcode_index).in_(postcodes),
            col(Person.contract) == person.contract,
            col(Person.id) != person.id,
        )
    )
    return list(found.unique())


def _is_like(one: str, other: str) -> bool:
    return fuzz.token_sort_ratio(one.lower(), other.lower()) >= 85


async def _event(session: AsyncSession, kind: str, merged: Merge, by: Actor, now: datetime) -> None:
    counts = {name: len(ids) for name, ids in merged.moved.items()}
    await events.record(
        session, kind, now, contract=merged.contract, by=by.user_id, merge=merged.id, moved=counts
    )
