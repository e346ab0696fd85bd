"""What the register holds already of the people on a list, and whose an address is now.

Used by desk/imports/people.py. It only reads; it finds things through blind indexes under every key
of the ring, so that a list is recognised while keys are being changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk.imports.listed import Listed
from helpline.desk.imports.reading import chunks
from helpline.models import metadata
from helpline.sealing import ring

ADDRESS: Final = metadata.tables["address"]
MEMBERSHIP: Final = metadata.tables["membership"]
PERSON: Final = metadata.tables["person"]


@dataclass
class Stored:
    """What is here of one person: rows as they are, addresses by (channel, value)."""

    id: int
    person: dict[str, Any]
    membership_id: int | None = None
    membership: dict[str, Any] = field(default_factory=dict)
    addresses: dict[tuple[str, str], int] = field(default_factory=dict)  # the register's own only


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
    columns = (PERSON.c.id, PERSON.c.name, PERSON.c.group, PERSON.c.language, PERSON.c.household)
    for chunk in chunks(list(by_index)):
        rows = await session.execute(
            select(PERSON.c.register_index, *columns).where(
                PERSON.c.contract == contract.key, PERSON.c.register_index.in_(chunk)
            )
        )
        for row in rows.mappings():
            person = {name: row[name] for name in ("name", "group", "language", "household")}
            found[by_index[row["register_index"]]] = Stored(row["id"], person)
    by_person = {stored.id: stored for stored in found.values()}
    for ids in chunks(list(by_person)):
        await _add_memberships(session, by_person, ids)
        await _add_addresses(session, by_person, ids)
    return found


async def _add_memberships(
    session: AsyncSession, by_person: Mapping[int, Stored], ids: Sequence[int]
) -> None:
    """The newest of each person: the one that a list speaks of."""
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
