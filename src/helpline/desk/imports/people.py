"""The council's list of carers and their families as the register that senders are matched with.

Called through desk/imports. A person is recognised by the list's own id; taking in the same list
again changes nothing. Nobody is removed: who left has a date in approved_to. It opens no case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, TypeVar

import phonenumbers
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import events
from helpline.desk.imports.checking import Checks
from helpline.desk.imports.reading import ImportProblems, ImportResult, Progress, Row, read_rows
from helpline.desk.people import plain_number
from helpline.models import metadata
from helpline.sealing import ring
from helpline.vocabulary import UNKNOWN

REQUIRED: Final = ("person", "name", "kind")
COLUMNS: Final = (
    *REQUIRED,
    *("team", "postcode", "approved_from", "approved_to", "household"),
    *("mobile", "email", "language"),
)
_POSTCODE: Final = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}")
_EMAIL: Final = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\"]{2,}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z]{2,4})?")
_DRAMA: Final = re.compile(r"7700900[0-9]{3}")  # Ofcom's numbers for stories: no network has them
_CHUNK: Final = 500
ADDRESS: Final = metadata.tables["address"]
MEMBERSHIP: Final = metadata.tables["membership"]
PERSON: Final = metadata.tables["person"]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Listed:
    """One row, understood. `addresses` are (channel, canonical value)."""

    row: Row
    id: str
    name: str
    group: str
    team: str
    quadrant: str
    postcode: str | None
    approved_from: date | None
    approved_to: date | None
    household: str | None
    language: str
    addresses: tuple[tuple[str, str], ...]

    @property
    def person(self) -> dict[str, Any]:
        wanted = {"name": self.name, "group": self.group, "language": self.language}
        return {**wanted, "household": self.household}

    @property
    def membership(self) -> dict[str, Any]:
        postcode_index = None
        if self.postcode:
            postcode_index = ring().index("postcode", self.postcode.replace(" ", ""))
        return {
            "group": self.group,
            "team": self.team,
            "quadrant": self.quadrant,
            "postcode": self.postcode,
            "postcode_index": postcode_index,
            "approved_from": self.approved_from,
            "approved_to": self.approved_to,
        }


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
    listed = [_understood(checks, row) for row in read]
    stored = await _stored(session, contract, listed)
    owners = await _owners(session, contract, listed)
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


# --- one row -------------------------------------------------------------------------------------


def _understood(checks: Checks, row: Row) -> Listed:
    id_ = checks.needed(row, "person", 100).upper()
    checks.once(row, "person", id_)
    if id_ and not plain_number(id_):
        checks.wrong(row, "person", "it has no letter or digit that could be quoted.")
    name = checks.needed(row, "name")
    if not row["kind"]:
        checks.needed(row, "kind")
    postcode = _postcode(checks, row)
    team = checks.word(row, "team", "team")
    start, end = checks.day(row, "approved_from"), checks.day(row, "approved_to")
    checks.not_before(row, "approved_to", end, "approved_from", start)
    addresses = (("sms", _mobile(checks, row)), ("email", _email(checks, row)))
    return Listed(
        row=row,
        id=id_,
        name=name,
        group=checks.word(row, "kind", "group"),
        team=team,
        quadrant=_quadrant(checks.contract, team, postcode),
        postcode=postcode,
        approved_from=start,
        approved_to=end,
        household=checks.short(row, "household") or None,
        language=_language(checks, row),
        addresses=tuple((channel, value) for channel, value in addresses if value),
    )


def _quadrant(contract: Contract, team: str, postcode: str | None) -> str:
    """The team's; where it has none (A10: one team for the whole county), the home's."""
    quadrant = contract.quadrant_of_team(team) if team != UNKNOWN else None
    if quadrant is None and postcode:
        quadrant = contract.suggest_quadrant(postcode).quadrant
    return quadrant or UNKNOWN


def _postcode(checks: Checks, row: Row) -> str | None:
    plain = "".join(row["postcode"].upper().split())
    if not plain:
        return None
    if not _POSTCODE.fullmatch(plain):
        checks.wrong(row, "postcode", "it is no postcode; one is written CO1 1AA.")
    return f"{plain[:-3]} {plain[-3:]}"


def _mobile(checks: Checks, row: Row) -> str:
    """E.164. Only a mobile can be texted: a landline here would be told things it must not say."""
    if not row["mobile"]:
        return ""
    try:
        number = phonenumbers.parse(row["mobile"], "GB")
    except phonenumbers.NumberParseException:
        checks.wrong(row, "mobile", "it is no telephone number; one is written 07700 900123.")
        return ""
    if number.country_code != 44 or not _DRAMA.fullmatch(str(number.national_number)):
        mobile = phonenumbers.PhoneNumberType.MOBILE
        either = phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
        if not phonenumbers.is_valid_number(number):
            checks.wrong(row, "mobile", "there is no such telephone number.")
        elif phonenumbers.number_type(number) not in (mobile, either):
            checks.wrong(row, "mobile", "it is no mobile number, so it cannot be texted.")
    e164 = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    checks.once(row, "mobile", e164)
    return e164


def _email(checks: Checks, row: Row) -> str:
    address = checks.short(row, "email", 254).lower()
    if address and not _EMAIL.fullmatch(address):
        checks.wrong(row, "email", "it is no e-mail address.")
    checks.once(row, "email", address)
    return address


def _language(checks: Checks, row: Row) -> str:
    language = row["language"].lower() or "en"
    if not _LANGUAGE.fullmatch(language):
        checks.wrong(row, "language", "it must be a language's short code: en, pl, ro, ur …")
    return language


# --- what is here already ------------------------------------------------------------------------


async def _stored(
    session: AsyncSession, contract: Contract, listed: Sequence[Listed]
) -> dict[str, Stored]:
    """The list's id → what is here of that person."""
    place = f"register:{contract.key}"
    by_index = {index: p.id for p in listed for index in ring().indexes(place, p.id)}
    found: dict[str, Stored] = {}
    columns = (PERSON.c.id, PERSON.c.name, PERSON.c.group, PERSON.c.language, PERSON.c.household)
    for chunk in _chunks(list(by_index)):
        rows = await session.execute(
            select(PERSON.c.register_index, *columns).where(
                PERSON.c.contract == contract.key, PERSON.c.register_index.in_(chunk)
            )
        )
        for row in rows.mappings():
            person = {name: row[name] for name in ("name", "group", "language", "household")}
            found[by_index[row["register_index"]]] = Stored(row["id"], person)
    by_person = {stored.id: stored for stored in found.values()}
    for ids in _chunks(list(by_person)):
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


async def _owners(
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
    for chunk in _chunks([index for _, index in by_index]):
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
    for chunk in _chunks(new):
        ids = await _add(session, contract, chunk, now)
        await _give(session, contract, list(zip(chunk, ids, strict=True)), owners)
        done += len(chunk)
        if progress:
            progress(done, total)
    for chunk in _chunks(changed):
        holders = [(person, stored[person.id].id) for person in chunk]
        await _give(session, contract, holders, owners)
    if progress and changed:
        progress(total, total)


async def _change(
    session: AsyncSession, contract: Contract, person: Listed, stored: Stored
) -> None:
    if person.person != stored.person:
        await session.execute(
            update(PERSON).where(PERSON.c.id == stored.id).values(**person.person)
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


async def _add(
    session: AsyncSession, contract: Contract, chunk: Sequence[Listed], now: datetime
) -> list[int]:
    place = f"register:{contract.key}"
    people = [
        {
            **person.person,
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


def _chunks(rows: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))
