"""A council's list set against the register: who is new, changed, gone, and where the two clash.

Used by desk/imports/people.py, which writes it, and by desk/register.py, which shows it first. It
only reads; every fault of the list is found before anything is compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

from rapidfuzz import fuzz
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk.imports.checking import Checks
from helpline.desk.imports.listed import COLUMNS, REQUIRED, Listed, understood
from helpline.desk.imports.reading import CHUNK, ImportProblems, Problem, read_rows
from helpline.desk.imports.register import (
    Missing,
    Owner,
    Stored,
    find_alike,
    find_missing,
    find_owners,
    find_stored,
)
from helpline.rules import quadrants
from helpline.vocabulary import UNKNOWN

TAKEN: Final = "somebody else on the register has it; one address can be one person's."
DERIVED: Final = ("postcode_index", "quadrant_from", "quadrant_confidence", "lives_outside")
"""Columns of a membership that follow from the others, so that they alone are no change."""
DATED: Final = ("group", "team", "quadrant")
"""Columns whose change makes a new row with its own days."""
COLUMN_OF: Final = {"sms": "mobile", "email": "email"}
LIKE: Final = 85
"""Out of 100: a typing slip in a name, not a sister."""


@dataclass(frozen=True)
class Change:
    """One person of the register whom the list has otherwise: (column, before, after). `begins`:
    the day on which a new row of their membership begins; None where the row is only put right."""

    listed: Listed
    stored: Stored
    fields: tuple[tuple[str, Any, Any], ...]
    begins: date | None


@dataclass(frozen=True)
class Clash:
    """A row that cannot be taken as it stands. `taken`: its address stays with whoever has it;
    `alike`: it is taken in as somebody new, who may be on the register already."""

    line: int
    kind: Literal["taken", "alike"]
    listed: Listed
    column: str
    other_id: int


@dataclass(frozen=True)
class Difference:
    """What taking the list in would do. `left` is empty for a list that is not whole."""

    as_of: date
    listed: Sequence[Listed]
    new: Sequence[Listed]
    changed: Sequence[Change]
    left: Sequence[Missing]
    clashes: Sequence[Clash]
    owners: Mapping[tuple[str, str], Owner]
    ids: frozenset[int] = frozenset()
    """The people of the register whom the list has."""

    @property
    def unchanged(self) -> int:
        return len(self.listed) - len(self.new) - len(self.changed)

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.changed or self.left)


async def compare(
    session: AsyncSession,
    contract: Contract,
    content: str | bytes,
    as_of: date,
    now: datetime,
    *,
    is_whole: bool,
) -> Difference:
    """Raises ImportProblems with every fault of the list, before anything is compared."""
    listed = await people_of(contract, content, now)
    return await compare_people(session, contract, listed, as_of, is_whole=is_whole)


async def people_of(
    contract: Contract, content: str | bytes, now: datetime, found: Sequence[Problem] = ()
) -> list[Listed]:
    """The list understood, in a thread of its own: a long one takes a second, in which everything
    else goes on. Raises ImportProblems, with those `found` before."""
    return await asyncio.to_thread(_understood, contract, content, now, found)


def _understood(
    contract: Contract, content: str | bytes, now: datetime, found: Sequence[Problem]
) -> list[Listed]:
    try:
        read, problems = read_rows(content, COLUMNS, REQUIRED)
    except ImportProblems as error:
        raise ImportProblems([*found, *error.problems]) from error
    checks = Checks(contract, now, [*found, *problems])
    listed = [understood(checks, row) for row in read]
    if checks.problems:
        raise ImportProblems(checks.problems)
    return listed


async def compare_people(
    session: AsyncSession,
    contract: Contract,
    listed: Sequence[Listed],
    as_of: date,
    *,
    is_whole: bool,
) -> Difference:
    """The same for a list that was understood before."""
    found = await compare_portion(session, contract, listed, as_of)
    missing = await find_missing(session, contract, listed, found.ids, as_of) if is_whole else []
    alike = await _alike(session, contract, found.new)
    return replace(found, left=missing, clashes=[*found.clashes, *alike])


async def compare_portion(
    session: AsyncSession, contract: Contract, listed: Sequence[Listed], as_of: date
) -> Difference:
    """Some rows of a list, or all of them, without who is missing from it or like somebody else."""
    stored = await find_stored(session, contract, listed)
    owners = await find_owners(session, contract, listed)
    taken = _taken(listed, stored, owners)
    lost = {(clash.listed.row.line, clash.column) for clash in taken}
    given, new, changed = [], [], []
    for number, one in enumerate(listed):
        if number % CHUNK == 0:
            await asyncio.sleep(0)  # a long list is no reason to keep everybody waiting
        person, here = _as_taken_in(one, stored.get(one.id), lost), stored.get(one.id)
        given.append(person)
        if here is None:
            new.append(person)
        elif fields := _fields(person, here):
            changed.append(Change(person, here, fields, _begins(person, here, as_of)))
    ids = frozenset(one.id for one in stored.values())
    return Difference(as_of, given, new, changed, [], taken, owners, ids)


def refuse_clashes(difference: Difference) -> None:
    """For a list that nobody looks at before it is taken in: an address that is somebody else's is
    a fault of the list."""
    taken = [clash for clash in difference.clashes if clash.kind == "taken"]
    if taken:
        raise ImportProblems([Problem(one.line, one.column, TAKEN) for one in taken])


def _taken(
    listed: Sequence[Listed],
    stored: Mapping[str, Stored],
    owners: Mapping[tuple[str, str], Owner],
) -> list[Clash]:
    """An address that the register gives somebody else, who keeps it, cannot be given again."""
    given_up = {
        (stored[person.id].id, address)
        for person in listed
        if person.id in stored
        for address in stored[person.id].addresses
        if address not in person.addresses
    }
    found = []
    for person in listed:
        own = stored[person.id].id if person.id in stored else None
        for address in person.addresses:
            owner = owners.get(address)
            if owner is None or not owner.from_register or owner.person_id == own:
                continue
            if (owner.person_id, address) not in given_up:
                column = COLUMN_OF[address[0]]
                found.append(Clash(person.row.line, "taken", person, column, owner.person_id))
    return found


def _as_taken_in(
    person: Listed, stored: Stored | None, lost: Collection[tuple[int, str]]
) -> Listed:
    """The row without an address that is somebody else's, and with the quadrant they said where
    neither the list nor their postcode says one."""
    columns = [column for column in COLUMN_OF.values() if (person.row.line, column) in lost]
    if columns:
        kept = tuple(one for one in person.addresses if COLUMN_OF[one[0]] not in columns)
        person = replace(person, addresses=kept)
    asked = stored.person.get("quadrant") if stored else None
    if asked and person.quadrant.code == UNKNOWN:
        person = replace(person, quadrant=quadrants.derive(asked=asked))
    return person


def _begins(person: Listed, stored: Stored, as_of: date) -> date | None:
    """They come back after their membership ended, or are of another group, team or quadrant: then
    the days that were stay as they were (A04). A second list of the same day puts right the first.
    """
    held = stored.membership
    if not held:
        return None
    last = held["approved_to"]
    if last is not None and person.approved_from is not None and person.approved_from > last:
        return person.approved_from
    if last is not None and last < as_of and person.approved_to is None:
        return as_of
    moved = any(held[name] != person.membership[name] for name in DATED)
    began = held["held_from"] or held["approved_from"]
    return as_of if moved and (began is None or began < as_of) else None


def _fields(person: Listed, stored: Stored) -> tuple[tuple[str, Any, Any], ...]:
    """(column, before, after) for everything that the list has otherwise; blind indexes are left
    out: they change with the keys, and follow from the rest."""
    found = [
        (name, stored.person.get(name), value)
        for name, value in person.person.items()
        if stored.person.get(name) != value
    ]
    named = {name for name, _, _ in found}  # the group stands on the person and the membership
    found += [
        (name, stored.membership.get(name), value)
        for name, value in person.membership.items()
        if name not in (*DERIVED, *named) and stored.membership.get(name, "") != value
    ]
    for channel, column in COLUMN_OF.items():
        before = sorted(value for at, value in stored.addresses if at == channel)
        after = sorted(value for at, value in person.addresses if at == channel)
        if before != after:
            found.append((column, ", ".join(before) or None, ", ".join(after) or None))
    return tuple(found)


async def _alike(session: AsyncSession, contract: Contract, new: Sequence[Listed]) -> list[Clash]:
    """New rows that may be somebody who is on the register under another number."""
    at_home = await find_alike(session, contract, new) if new else {}
    found = []
    for person in new:
        for other_id, name in at_home.get(person.postcode or "", []):
            if fuzz.token_sort_ratio(person.name.lower(), name.lower()) >= LIKE:
                found.append(Clash(person.row.line, "alike", person, "person", other_id))
                break
    return found
