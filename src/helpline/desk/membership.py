"""What a member needs, is covered for, and who lives with them; and the facts that decide whether
they are within the contract, as a worker hears them.

Called by the person's page and by the tab of a case. Nothing is taken away: a need ends, cover
lapses, and what was asked is an event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import eligibility, events, merging, seeing
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import Case, Membership, Need, Person, PersonEntitlement
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import UNKNOWN, NeedKind

LONGEST_DETAIL: Final = 200
LONGEST_POLICY: Final = 80
MOST_NEEDS: Final = 20
OLDEST_YOUNG_PERSON: Final = 60
"""Years: more is a slip of the year."""
NEED_WORDS: Final = {
    NeedKind.LANGUAGE: "Speaks",
    NeedKind.INTERPRETER: "Interpreter",
    NeedKind.EASY_READ: "Easy read",
    NeedKind.LARGE_PRINT: "Large print",
    NeedKind.OTHER: "Needs",
}
WITH_WORDS: Final = (NeedKind.LANGUAGE, NeedKind.INTERPRETER, NeedKind.OTHER)
"""Kinds that mean nothing without saying what."""


@dataclass(frozen=True)
class Covered:
    """One cover. `whose`: the name of the household's member who holds it, None for one's own."""

    row: PersonEntitlement
    state: str
    """valid, lapsed or later."""
    whose: str | None = None


@dataclass(frozen=True)
class Said:
    """What a worker heard; empty and None: nothing new about that."""

    group: str = ""
    approved_by: str = ""
    young_person_born: date | None = None
    quadrant: str = ""


async def needs_of(session: AsyncSession, person_id: int) -> Sequence[Need]:
    """Those that stand, in the order of the kinds."""
    found = await session.scalars(
        select(Need)
        .where(col(Need.person_id) == person_id, col(Need.ended_at).is_(None))
        .order_by(col(Need.id))
    )
    order = list(NeedKind)
    return sorted(found, key=lambda need: order.index(NeedKind(need.kind)))


def needs_line(needs: Sequence[Need]) -> str:
    """All of them in one line, for whoever is about to write or ring; "" where there are none."""
    said = []
    for need in needs:
        words = NEED_WORDS[NeedKind(need.kind)]
        said.append(f"{words}: {need.detail}" if need.detail else words)
    return "; ".join(said)


async def add_need(
    session: AsyncSession, person: Person, kind: str, detail: str, by: Actor, now: datetime
) -> Need:
    """From now on. The same kind twice is once, with the newer words."""
    require(by, "case.triage", person.contract)
    if kind not in list(NeedKind):
        raise InvalidInput("Choose what they need.")
    missing = "Say which language, or what it is." if kind in WITH_WORDS else ""
    said = in_a_line(detail, LONGEST_DETAIL, missing) or None
    standing = await needs_of(session, person.id or 0)
    if len(standing) >= MOST_NEEDS:
        raise InvalidInput(f"{MOST_NEEDS} needs are the most. End one first.")
    for need in standing:
        if need.kind == kind and kind != NeedKind.OTHER:
            need.ended_at, need.ended_by_id = now, by.user_id
    made = Need(
        contract=person.contract,
        person_id=person.id or 0,
        kind=kind,
        detail=said,
        since=now,
        by_user_id=by.user_id,
    )
    session.add(made)
    await _flush(session, "person.need_added", person, by, now, need=kind)
    return made


async def end_need(
    session: AsyncSession, person: Person, need_id: int, by: Actor, now: datetime
) -> None:
    """They need it no longer; that they did stays."""
    require(by, "case.triage", person.contract)
    need = await session.get(Need, need_id)
    if need is None or need.person_id != person.id:
        raise NotFound("There is no such need on this person.")
    if need.ended_at is None:
        need.ended_at, need.ended_by_id = now, by.user_id
        await _flush(session, "person.need_ended", person, by, now, need=need.kind)


async def covers_of(
    session: AsyncSession, actor: Actor, person: Person, on: date
) -> Sequence[Covered]:
    """A person's own covers, and those of their household that cover the household (A31, A32), as
    far as the asker may see who holds them: what holds first, what lapsed last."""
    own = col(PersonEntitlement.person_id) == person.id
    condition: Any = own
    if person.household_index is not None:
        at_home = (
            (col(Person.household_index) == person.household_index)
            & (col(Person.contract) == person.contract)
            & col(PersonEntitlement.covers_household).is_(True)
            & and_(*seeing.people(actor))
        )
        condition = or_(own, at_home)
    rows = await session.execute(
        select(PersonEntitlement, col(Person.name))
        .join(Person, col(Person.id) == col(PersonEntitlement.person_id))
        .where(condition)
        .order_by(col(PersonEntitlement.id))
    )
    found = [
        Covered(
            row,
            _state(row, on),
            None if row.person_id == person.id else name or "somebody of the household",
        )
        for row, name in rows
    ]
    return sorted(found, key=lambda one: ("valid", "later", "lapsed").index(one.state))


def _state(row: PersonEntitlement, on: date) -> str:
    if row.valid_to is not None and row.valid_to < on:
        return "lapsed"
    return "later" if row.valid_from > on else "valid"


async def add_cover(
    session: AsyncSession,
    contract: Contract,
    person: Person,
    code: str,
    policy: str,
    valid_from: date | None,
    valid_to: date | None,
    by: Actor,
    now: datetime,
    *,
    covers_household: bool,
) -> PersonEntitlement:
    """From a day to a day. Its last day may be unknown."""
    require(by, "case.triage", person.contract)
    given = next((one for one in contract.entitlements if one.code == code), None)
    if given is None:
        raise InvalidInput("Choose what they are covered for.")
    if person.group != UNKNOWN and person.group not in given.groups:
        names = [one.name.lower() for one in contract.groups if one.code in given.groups]
        raise InvalidInput(f"The contract gives this to: {', '.join(names)}.")
    if valid_from is None:
        raise InvalidInput("Give the first day of the cover, like 2026-08-01.")
    if valid_to is not None and valid_to < valid_from:
        raise InvalidInput("The last day is before the first.")
    made = PersonEntitlement(
        contract=contract.key,
        person_id=person.id or 0,
        code=code,
        policy=in_a_line(policy, LONGEST_POLICY) or None,
        covers_household=covers_household,
        valid_from=valid_from,
        valid_to=valid_to,
        written_at=now,
        by_user_id=by.user_id,
    )
    session.add(made)
    await _flush(session, "person.cover_added", person, by, now, cover=code)
    return made


async def end_cover(
    session: AsyncSession,
    person: Person,
    cover_id: int,
    last_day: date | None,
    by: Actor,
    now: datetime,
) -> None:
    """It ends on a day, which may be past: from then on it is shown as lapsed."""
    require(by, "case.triage", person.contract)
    row = await session.get(PersonEntitlement, cover_id)
    if row is None or row.person_id != person.id:
        raise NotFound("There is no such cover on this person.")
    if last_day is None:
        raise InvalidInput("Give the last day of the cover, like 2026-08-31.")
    if last_day < row.valid_from:
        raise InvalidInput("The last day is before the first.")
    row.valid_to = last_day
    await _flush(session, "person.cover_ended", person, by, now, cover=row.code)


async def household_of(session: AsyncSession, actor: Actor, person: Person) -> Sequence[Row[Any]]:
    """Who else lives there, as far as the asker may see them: id, name, group."""
    if person.household_index is None:
        return []
    query = (
        select(col(Person.id), col(Person.name), col(Person.group))
        .where(
            col(Person.household_index) == person.household_index,
            col(Person.contract) == person.contract,
            col(Person.id) != person.id,
            *seeing.people(actor),
        )
        .order_by(col(Person.id))
        .limit(40)
    )
    return list(await session.execute(query))


async def memberships_of(session: AsyncSession, person_id: int) -> Sequence[Membership]:
    """Every row, the newest first: what was stays."""
    found = await session.scalars(
        select(Membership)
        .where(col(Membership.person_id) == person_id)
        .order_by(col(Membership.id).desc())
    )
    return list(found)


async def note_facts(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    said: Said,
    by: Actor,
    now: datetime,
) -> None:
    """What they said when a worker asked: who they are, who approved them, when the young person
    was born, where they live. The case takes down what it did not know, and is decided anew."""
    require(by, "case.triage", case.contract)
    person = await merging.find_person(session, by, case.person_id)
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    _check(contract, said, today)
    if said.group:
        person.group = said.group
        if case.group == UNKNOWN:
            case.group = said.group
    if said.approved_by:
        is_ours = said.approved_by == eligibility.IN_HOUSE
        person.approved_by = None if is_ours else said.approved_by
        case.said_exclusion = None
    if said.young_person_born:
        person.young_person_born = said.young_person_born.isoformat()
    if said.quadrant:
        person.quadrant = said.quadrant
        if case.quadrant == UNKNOWN:
            case.quadrant = said.quadrant
    await _flush(
        session, "person.facts_noted", person, by, now, case=case.id, approved_by=said.approved_by
    )
    await eligibility.decide_cases_again(session, contract, person, by, now)


def _check(contract: Contract, said: Said, today: date) -> None:
    if said == Said():
        raise InvalidInput("Write down at least one thing that they told you.")
    allowed = {eligibility.IN_HOUSE, *(one.code for one in contract.exclusions)}
    if said.approved_by and said.approved_by not in allowed:
        raise InvalidInput("Choose from the list who approved them.")
    if said.group and said.group not in {one.code for one in contract.groups}:
        raise InvalidInput("Choose from the list who they are.")
    if said.quadrant and said.quadrant not in {one.code for one in contract.quadrants}:
        raise InvalidInput("Choose from the list where they live.")
    born = said.young_person_born
    if born is not None and not today.year - OLDEST_YOUNG_PERSON <= born.year <= today.year:
        raise InvalidInput("Look at the year again: when was the young person born?")
    if born is not None and born > today:
        raise InvalidInput("The young person cannot be born in the future.")


async def _flush(
    session: AsyncSession, kind: str, person: Person, by: Actor, now: datetime, **detail: Any
) -> None:
    await session.flush()
    await events.record(
        session, kind, now, contract=person.contract, by=by.user_id, person=person.id, **detail
    )
