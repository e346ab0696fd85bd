"""The council's list of carers and their families as the register that senders are matched with.

Called through desk/imports. A person is recognised by the list's own id; taking in the same list
again changes nothing. Nobody is removed: who left has a date in approved_to. It opens no case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import events
from helpline.desk.imports.checking import Checks
from helpline.desk.imports.listed import COLUMNS, REQUIRED, Listed, understood
from helpline.desk.imports.reading import (
    ImportProblems,
    ImportResult,
    Progress,
    chunks,
    read_rows,
)
from helpline.desk.imports.register import (
    ADDRESS,
    MEMBERSHIP,
    PERSON,
    Owner,
    Stored,
    find_owners,
    find_stored,
)
from helpline.desk.people import plain_number
from helpline.sealing import ring


async def import_people(
    session: AsyncSession,
    contract: Contract,
    rows: str | bytes,
    now: datetime,
    dry_run: bool,
    progress: Progress | None = None,
) -> ImportResult:
    """Take in the list, in the caller's transaction: new people added, changed ones brought up to
    it, the others left. Raises ImportProblems with every fault, before anything is written."""
    read, problems = read_rows(rows, COLUMNS, REQUIRED)
    checks = Checks(contract, now, problems)
    listed = [understood(checks, row) for row in read]
    stored = await find_stored(session, contract, listed)
    owners = await find_owners(session, contract, listed)
    _check_owners(checks, listed, stored, owners)
    if checks.problems:
        raise ImportProblems(checks.problems)
    new = [person for person in listed if person.id not in stored]
    changed = [p for p in listed if p.id in stored and _differs(p, stored[p.id], owners)]
    result = ImportResult(len(new), len(changed), len(listed) - len(new) - len(changed))
    if not dry_run and (new or changed):
        await _write(session, contract, new, changed, stored, owners, now, progress)
        counts = {"added": len(new), "changed": len(changed), "unchanged": result.unchanged}
        await events.record(session, "people.imported", now, contract=contract.key, **counts)
    return result


def _check_owners(
    checks: Checks,
    listed: Sequence[Listed],
    stored: Mapping[str, Stored],
    owners: Mapping[tuple[str, str], Owner],
) -> None:
    """An address that the register gives somebody else, who keeps it, cannot be given again."""
    given_up = {
        (stored[person.id].id, address)
        for person in listed
        if person.id in stored
        for address in stored[person.id].addresses
        if address not in person.addresses
    }
    columns = {"sms": "mobile", "email": "email"}
    for person in listed:
        own = stored[person.id].id if person.id in stored else None
        for address in person.addresses:
            owner = owners.get(address)
            if owner is None or not owner.from_register or owner.person_id == own:
                continue
            if (owner.person_id, address) not in given_up:
                reason = "somebody else on the register has it; one address can be one person's."
                checks.wrong(person.row, columns[address[0]], reason)


def _differs(person: Listed, stored: Stored, owners: Mapping[tuple[str, str], Owner]) -> bool:
    return (
        person.person != stored.person
        or _membership_differs(person, stored)
        or set(person.addresses) != set(stored.addresses)
    )


def _membership_differs(person: Listed, stored: Stored) -> bool:
    """Blind indexes are left out: they change with the keys, and follow from the rest."""
    wanted = {name: value for name, value in person.membership.items() if name != "postcode_index"}
    return any(stored.membership.get(name, "") != value for name, value in wanted.items())


# --- writing -------------------------------------------------------------------------------------


async def _write(
    session: AsyncSession,
    contract: Contract,
    new: Sequence[Listed],
    changed: Sequence[Listed],
    stored: Mapping[str, Stored],
    owners: Mapping[tuple[str, str], Owner],
    now: datetime,
    progress: Progress | None,
) -> None:
    done, total = 0, len(new) + len(changed)
    for person in changed:  # first what is given up, then what is taken: numbers may change hands
        await _change(session, contract, person, stored[person.id])
        done += 1
    for chunk in chunks(new):
        ids = await _add(session, contract, chunk, now)
        await _give(session, contract, list(zip(chunk, ids, strict=True)), owners)
        done += len(chunk)
        if progress:
            progress(done, total)
    for chunk in chunks(changed):
        holders = [(person, stored[person.id].id) for person in chunk]
        await _give(session, contract, holders, owners)
    if progress and changed:
        progress(total, total)


async def _change(
    session: AsyncSession, contract: Contract, person: Listed, stored: Stored
) -> None:
    if person.person != stored.person:
        await session.execute(
            update(PERSON)
            .where(PERSON.c.id == stored.id)
            .values(**person.person, household_index=_household_index(contract, person))
        )
    if stored.membership_id is None:
        await session.execute(insert(MEMBERSHIP).values(_membership(contract, person, stored.id)))
    elif _membership_differs(person, stored):
        await session.execute(
            update(MEMBERSHIP)
            .where(MEMBERSHIP.c.id == stored.membership_id)
            .values(**person.membership)
        )
    gone = [id_ for address, id_ in stored.addresses.items() if address not in person.addresses]
    if gone:  # kept, as a conversation may hang on it; but it proves nobody's identity any more
        await session.execute(
            update(ADDRESS).where(ADDRESS.c.id.in_(gone)).values(from_register=False)
        )


def _household_index(contract: Contract, person: Listed) -> str | None:
    if person.household is None:
        return None
    return ring().index(f"household:{contract.key}", person.household)


async def _add(
    session: AsyncSession, contract: Contract, chunk: Sequence[Listed], now: datetime
) -> list[int]:
    place = f"register:{contract.key}"
    people = [
        {
            **person.person,
            "household_index": _household_index(contract, person),
            "contract": contract.key,
            "register_id": person.row["person"],
            "register_index": ring().index(place, person.id),
            "created_at": now,
        }
        for person in chunk
    ]
    statement = insert(PERSON).returning(PERSON.c.id, sort_by_parameter_order=True)
    ids = list(await session.scalars(statement, people))
    memberships = [_membership(contract, p, id_) for p, id_ in zip(chunk, ids, strict=True)]
    await session.execute(insert(MEMBERSHIP), memberships)
    return ids


def _membership(contract: Contract, person: Listed, person_id: int) -> dict[str, Any]:
    return {
        **person.membership,
        "person_id": person_id,
        "contract": contract.key,
        "number_index": ring().index("membership", plain_number(person.id)),
    }


async def _give(
    session: AsyncSession,
    contract: Contract,
    holders: Sequence[tuple[Listed, int]],
    owners: Mapping[tuple[str, str], Owner],
) -> None:
    """Each address to its person: a new row, or the row an unknown sender has had until now."""
    new = []
    for person, person_id in holders:
        for channel, value in person.addresses:
            owner = owners.get((channel, value))
            if owner is None:
                new.append(_address(contract, person_id, channel, value))
            elif owner.person_id != person_id or not owner.from_register:
                await session.execute(
                    update(ADDRESS)
                    .where(ADDRESS.c.id == owner.address_id)
                    .values(person_id=person_id, from_register=True)
                )
    if new:
        await session.execute(insert(ADDRESS), new)


def _address(contract: Contract, person_id: int, channel: str, value: str) -> dict[str, Any]:
    return {
        "person_id": person_id,
        "contract": contract.key,
        "channel": channel,
        "value": value,
        "value_index": ring().index(f"address:{channel}", value),
        "from_register": True,
    }
