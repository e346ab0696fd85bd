"""What the register holds already of the people on a list, and whose an address is now.

Used by desk/imports/difference.py. It only reads; it finds things through blind indexes under every
key of the ring, so that a list is recognised while keys are being changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk.imports.listed import Listed
from helpline.desk.imports.reading import chunks
from helpline.models import metadata
from helpline.sealing import ring

ADDRESS: Final = metadata.tables["address"]
MEMBERSHIP: Final = metadata.tables["membership"]
PERSON: Final = metadata.tables["person"]
KEPT: Final = ("name", "group", "language", "household", "young_person_born", "quadrant")
"""The columns of a person that a list may speak of, and what they said of where they live."""


@dataclass
class Stored:
    """What is here of one person: rows as they are, addresses by (channel, value)."""

    id: int
    person: dict[str, Any]
    membership_id: int | None = None
    membership: dict[str, Any] = field(default_factory=dict)
    addresses: dict[tuple[str, str], int] = field(default_factory=dict)  # the register's own only


@dataclass(frozen=True)
class Missing:
    """Somebody whose membership still holds, and whom a whole list does not have."""

    person_id: int
    membership_id: int
    name: str | None
    group: str
    last_day: date


@dataclass(frozen=True)
class Owner:
    """Whose an address is now, and whether the register says so."""

    address_id: int
    person_id: int
    from_register: bool


async def find_stored(
    session: AsyncSession, contract: Contract, listed: Sequence[Listed]
) -> dict[str, Stored]:
    """The list's id → what is here of that person."""
    place = f"register:{contract.key}"
    by_index = {index: p.id for p in listed for index in ring().indexes(place, p.id)}
    found: dict[str, Stored] = {}
    for chunk in chunks(list(by_index)):
        rows = await session.execute(
            select(PERSON.c.register_index, PERSON.c.id, *(PERSON.c[name] for name in KEPT)).where(
                PERSON.c.contract == contract.key, PERSON.c.register_index.in_(chunk)
            )
        )
        for row in rows.mappings():
            person = {name: row[name] for name in KEPT}
            found[by_index[row["register_index"]]] = Stored(row["id"], person)
    by_person = {stored.id: stored for stored in found.values()}
    for ids in chunks(list(by_person)):
        await _add_memberships(session, by_person, ids)
        await _add_addresses(session, by_person, ids)
    return found


async def _add_memberships(
    session: AsyncSession, by_person: Mapping[int, Stored], ids: Sequence[int]
) -> None:
    """The newest row of each person: the one that a list speaks of."""
    rows = await session.execute(
        select(MEMBERSHIP).where(MEMBERSHIP.c.person_id.in_(ids)).order_by(MEMBERSHIP.c.id)
    )
    for row in rows.mappings():
        stored = by_person[row["person_id"]]
        stored.membership_id, stored.membership = row["id"], dict(row)


async def _add_addresses(
    session: AsyncSession, by_person: Mapping[int, Stored], ids: Sequence[int]
) -> None:
    rows = await session.execute(
        select(ADDRESS.c.person_id, ADDRESS.c.channel, ADDRESS.c.value, ADDRESS.c.id).where(
            ADDRESS.c.person_id.in_(ids), ADDRESS.c.from_register.is_(True)
        )
    )
    for person_id, channel, value, address_id in rows:
        by_person[person_id].addresses[channel, value] = address_id


async def find_owners(
    session: AsyncSession, contract: Contract, listed: Sequence[Listed]
) -> dict[tuple[str, str], Owner]:
    """Every address of the list that is here already, whoever has it."""
    by_index = {
        (channel, index): (channel, value)
        for person in listed
        for channel, value in person.addresses
        for index in ring().indexes(f"address:{channel}", value)
    }
    found = {}
    columns = (ADDRESS.c.id, ADDRESS.c.person_id, ADDRESS.c.from_register)
    for chunk in chunks([index for _, index in by_index]):
        rows = await session.execute(
            select(ADDRESS.c.channel, ADDRESS.c.value_index, *columns).where(
                ADDRESS.c.contract == contract.key, ADDRESS.c.value_index.in_(chunk)
            )
        )
        for channel, index, address_id, person_id, from_register in rows:
            if (channel, index) in by_index:
                owner = Owner(address_id, person_id, from_register)
                found[by_index[channel, index]] = owner
    return found


async def find_missing(
    session: AsyncSession,
    contract: Contract,
    listed: Sequence[Listed],
    here: Collection[int],
    as_of: date,
) -> list[Missing]:
    """Who is on the register and not `here`, on the list. Only the kinds of people that the list
    has at all are compared: a list without own children ends no child's membership. Their last day
    is the one before the list was drawn up."""
    groups = {person.group for person in listed}
    day_before = as_of - timedelta(days=1)
    rows = await session.execute(
        select(MEMBERSHIP.c.id, MEMBERSHIP.c.person_id, MEMBERSHIP.c.group, PERSON.c.name)
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .where(
            MEMBERSHIP.c.contract == contract.key,
            MEMBERSHIP.c.group.in_(groups),
            MEMBERSHIP.c.held_to.is_(None),
            or_(MEMBERSHIP.c.approved_to.is_(None), MEMBERSHIP.c.approved_to >= as_of),
            or_(MEMBERSHIP.c.approved_from.is_(None), MEMBERSHIP.c.approved_from < as_of),
            PERSON.c.register_index.is_not(None),
        )
        .order_by(MEMBERSHIP.c.id)
    )
    newest = {
        person_id: Missing(person_id, id_, name, group, day_before)
        for id_, person_id, group, name in rows
        if person_id not in here
    }
    return list(newest.values())


async def find_alike(
    session: AsyncSession, contract: Contract, new: Sequence[Listed]
) -> dict[str, list[tuple[int, str]]]:
    """Postcode → (person, name) of everybody on the register who lives there: one of them may be
    a new row's person under an older number."""
    by_index = {
        index: person.postcode
        for person in new
        if person.postcode
        for index in ring().indexes("postcode", person.postcode.replace(" ", ""))
    }
    found: dict[str, list[tuple[int, str]]] = {}
    for chunk in chunks(list(by_index)):
        rows = await session.execute(
            select(MEMBERSHIP.c.postcode_index, PERSON.c.id, PERSON.c.name)
            .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
            .where(MEMBERSHIP.c.contract == contract.key, MEMBERSHIP.c.postcode_index.in_(chunk))
            .distinct()
        )
        for index, person_id, name in rows:
            if name:
                found.setdefault(by_index[index], []).append((person_id, name))
    return found
