"""Who is writing: from an address to a person, and from what they say to the register.

Called by intake. An unknown sender becomes a person without a name and is helped like anybody
else; nothing here ever refuses.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from rapidfuzz import fuzz
from sqlalchemy import bindparam, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import merging, safety, seeing
from helpline.models import (
    Address,
    Case,
    Conversation,
    FeedbackRefusal,
    Membership,
    NewsConsent,
    Part,
    Person,
    metadata,
)
from helpline.rules.eligibility import Held
from helpline.sealing import ring
from helpline.vocabulary import UNKNOWN, CaseStatus, Identity, Step

SENDER = (
    select(Address, Person, Conversation, Case)
    .join(Person, col(Person.id) == col(Address.person_id))
    .outerjoin(Conversation, col(Conversation.address_id) == col(Address.id))
    .outerjoin(Case, col(Case.id) == col(Conversation.case_id))
    .with_for_update(of=Address)
    # What it asks by never changes, and all that it finds is written at once: it need not wait
    # until what is still to be written has been.
    .execution_options(autoflush=False)
)
SENDER_BY_VALUE = SENDER.where(
    col(Address.contract) == bindparam("contract"),
    col(Address.channel) == bindparam("channel"),
    col(Address.value_index).in_(bindparam("indexes", expanding=True)),
)
SENDER_BY_ID = SENDER.where(col(Address.id) == bindparam("address"))
MEMBERSHIPS = (
    select(Membership)
    .where(col(Membership.person_id) == bindparam("person"))
    .order_by(
        col(Membership.approved_to).is_(None).desc(),
        col(Membership.approved_to).desc(),
        col(Membership.id).desc(),
    )
)
PERSON = metadata.tables["person"]
NAMING_A_PERSON = [
    key.parent
    for table in metadata.tables.values()
    for key in table.foreign_keys
    if key.column is PERSON.c.id
]
"""Every column that names a person: who stands in one of them is not forgotten."""
POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][A-Z0-9]?)\s*([0-9][A-Z]{2})\b", re.IGNORECASE)
NAME_LIKENESS = 85
"""Out of 100, words in any order: enough for a typing slip, too much for a namesake's sister."""


@dataclass(frozen=True)
class Standing:
    """Group, team and quadrant as a case takes them down on the day it opens."""

    group: str = UNKNOWN
    team: str = UNKNOWN
    quadrant: str = UNKNOWN


@dataclass(frozen=True)
class Sender:
    """Who writes from an address, and where the conversation with them stands."""

    address: Address
    person: Person
    talk: Conversation | None = None
    case: Case | None = None


async def sender(
    session: AsyncSession, contract: str, channel: str, value: str, now: datetime
) -> Sender:
    """The address with this canonical value and its person, made where new. The caller holds the
    sender's turn, so two first messages never make two."""
    indexes = ring().indexes(f"address:{channel}", value)
    asked = {"contract": contract, "channel": channel, "indexes": indexes}
    row = (await session.execute(SENDER_BY_VALUE, asked)).first()
    if row is not None:
        return Sender(*row)
    person = Person(contract=contract, created_at=now)
    session.add(person)
    await session.flush()
    assert person.id is not None
    address = Address(
        person_id=person.id,
        contract=contract,
        channel=channel,
        value=value,
        value_index=ring().index(f"address:{channel}", value),
    )
    session.add(address)
    await session.flush()
    return Sender(address, person)


async def sender_at(session: AsyncSession, address_id: int) -> Sender | None:
    """Who writes from an address that is known already."""
    row = (await session.execute(SENDER_BY_ID, {"address": address_id})).first()
    return Sender(*row) if row is not None else None


async def standing(session: AsyncSession, person: Person, on: date) -> Standing:
    """From the membership that holds on that day, else the last one, else the person's group. Where
    nothing says the quadrant, what they said when they were asked."""
    memberships = (await session.scalars(MEMBERSHIPS, {"person": person.id})).all()
    if not memberships:
        return Standing(group=person.group, quadrant=person.quadrant or UNKNOWN)
    best = next((m for m in memberships if days_of(m).holds(on)), memberships[0])
    quadrant = best.quadrant if best.quadrant != UNKNOWN else person.quadrant or UNKNOWN
    return Standing(best.group, best.team, quadrant)


def days_of(membership: Membership) -> Held:
    """The days on which this row is how it was: approved, and of this group, team and quadrant."""
    firsts = [day for day in (membership.approved_from, membership.held_from) if day is not None]
    lasts = [day for day in (membership.approved_to, membership.held_to) if day is not None]
    return Held(max(firsts, default=None), min(lasts, default=None))


async def find_member(session: AsyncSession, contract: Contract, text: str) -> Person | None:
    """The one person on the register whom `text` names: by membership number, or by name and
    postcode together. None when there is nobody or more than one."""
    numbers = {
        ring_index
        for word in re.findall(r"[A-Za-z0-9/-]{3,20}", text)
        for ring_index in ring().indexes("membership", plain_number(word))
    }
    by_number = await _people(session, contract, col(Membership.number_index).in_(numbers))
    if len(by_number) == 1:
        return by_number[0]
    postcode = POSTCODE.search(text)
    if postcode is None:
        return None
    plain = (postcode[1] + postcode[2]).upper()
    living_there = await _people(
        session, contract, col(Membership.postcode_index).in_(ring().indexes("postcode", plain))
    )
    said = POSTCODE.sub(" ", text)
    fitting = [person for person in living_there if person.name and _is_like(said, person.name)]
    return fitting[0] if len(fitting) == 1 else None


def plain_number(number: str) -> str:
    """A membership number as it is indexed: letters and digits, capitals."""
    return re.sub(r"[^A-Z0-9]", "", number.upper())


async def identify(
    session: AsyncSession,
    address: Address,
    case: Case | None,
    person: Person,
    now: datetime,
    identity: Identity = Identity.CLAIMED,
) -> None:
    """Whoever writes from `address` is `person`: by their own word, which stays marked as a claim
    until a worker confirms it, or by what proves it. A record that only stood in for them goes over
    as a whole; of somebody known otherwise, no more than this address and `case`. Across a wall
    nothing goes over: a claim counts for nothing there, and a proof is one of the address alone,
    which leaves the case it wrote on: what comes from it next opens one of its own."""
    before = await session.get(Person, address.person_id)
    assert before is not None
    assert person.id is not None
    if case is not None and case.person_id != before.id:
        before = await session.get(Person, case.person_id) or before
    is_walled = await seeing.is_wall_between(session, before.id or 0, person.id)
    if not is_walled or identity is Identity.KNOWN:
        address.person_id = person.id
    if is_walled and identity is Identity.KNOWN:
        await _leave_its_case(session, address)
    if is_walled or before.id is None or before.id == person.id:
        return
    whole = await _only_stood_in(session, before, person)
    rules = await safety.stricter_of(session, person.id, before.id)
    await session.flush()
    theirs = select(Case).where(col(Case.person_id) == before.id, col(Case.id) != _id(case))
    others = list(await session.scalars(theirs)) if whole else []
    for one in [*others, *([case] if case is not None else [])]:
        await _is_of(session, one, person, identity, now)
    await session.flush()
    only = None if whole else _id(case)
    await merging.hand_on(session, before.id, person.id, case_id=only, but=("news_consent",))
    await _keep_refusals(session, before.id, person.id, is_proved=identity is Identity.KNOWN)
    await safety.hold_to(session, person.id, rules, None, now)
    if case is not None:  # they are whom it is for: what they were in it besides ends
        await session.execute(
            update(Part)
            .where(
                col(Part.case_id) == case.id,
                col(Part.person_id) == person.id,
                col(Part.ended_at).is_(None),
            )
            .values(ended_at=now)
        )
    unused = ~or_(*(exists().where(column == before.id) for column in NAMING_A_PERSON))
    await session.execute(delete(Person).where(col(Person.id) == before.id, unused))


async def _leave_its_case(session: AsyncSession, address: Address) -> None:
    """Nothing that is written on that case goes to this address any more, nor the other way."""
    await session.execute(
        update(Conversation)
        .where(col(Conversation.address_id) == address.id)
        .values(case_id=None, step=Step.NEW, letter_id=None)
    )


async def _only_stood_in(session: AsyncSession, before: Person, person: Person) -> bool:
    """Whether a record is nobody's but of whoever this address turned out to be: it is on no list,
    and has no name or a like one."""
    listed = select(col(Membership.id)).where(col(Membership.person_id) == before.id)
    if before.register_index is not None or await session.scalar(listed.limit(1)) is not None:
        return False
    return not before.name or _is_like(before.name, person.name or "")


async def _is_of(
    session: AsyncSession, case: Case, person: Person, identity: Identity, now: datetime
) -> None:
    """An open case takes down anew what it knows of its person; a closed one stays as it was
    counted."""
    assert person.id is not None
    case.person_id, case.identity = person.id, identity
    if case.status == CaseStatus.OPEN:
        known = await standing(session, person, now.date())
        case.group, case.team, case.quadrant = known.group, known.team, known.quadrant


async def _keep_refusals(
    session: AsyncSession, before: int, person_id: int, *, is_proved: bool
) -> None:
    """That they want no news, or not to be asked, is theirs under any name; that they want some is
    not taken on a claim."""
    taken = () if is_proved else (~col(NewsConsent.is_given),)
    await session.execute(
        update(NewsConsent)
        .where(col(NewsConsent.person_id) == before, *taken)
        .values(person_id=person_id)
    )
    await session.execute(
        update(FeedbackRefusal)
        .where(col(FeedbackRefusal.person_id) == before)
        .values(person_id=person_id)
    )


def _id(case: Case | None) -> int:
    """0: no case."""
    return (case.id or 0) if case is not None else 0


async def _people(session: AsyncSession, contract: Contract, condition: object) -> list[Person]:
    found = await session.scalars(
        select(Person)
        .join(Membership, col(Membership.person_id) == col(Person.id))
        .where(col(Person.contract) == contract.key, condition)  # type: ignore[arg-type]  # a column condition
        .distinct()
    )
    return list(found.unique())


def _is_like(said: str, name: str) -> bool:
    """Whether the name's words are among what was said."""
    return fuzz.token_set_ratio(said.lower(), name.lower()) >= NAME_LIKENESS
