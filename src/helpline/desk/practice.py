"""The practice helpline: learners, an invented carer for each exercise, and what was really done.

It lives in a house of its own (main.demo_house): its own database and keys, simulated phones,
nobody real. Called by its pages alone. What a learner does goes through the same pages and desk
functions as the real work; this only begins an exercise and reads what came of it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound
from helpline.desk import access, events, intake, rota
from helpline.desk.house import House
from helpline.desk.rota import handovers
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Address,
    Alert,
    Allegation,
    AllegationTick,
    Case,
    Contact,
    Conversation,
    Event,
    Handover,
    InboundItem,
    Notice,
    Person,
    SafeContact,
    Shift,
    TriageReading,
    User,
)
from helpline.rules import practice as rules
from helpline.rules import safety
from helpline.rules.permissions import Actor
from helpline.sealing import ring
from helpline.vocabulary import CaseStatus, ContactKind, Direction, Role

BEGUN = "practice.begun"
NUMBERS = range(300, 900)
"""The last three digits of the telephones of invented carers: reserved for drama."""
CARERS = ("Ann Barrow", "Moira Kell", "Jean Sutter", "Pat Oyelaran", "Sue Lindqvist", "Rita Malik")
GROUP = "foster_carer"
LONGEST_NAME = 40
ON_CALL = timedelta(hours=12)
LEFT = timedelta(minutes=30)
"""How long the shift still runs in the exercise of handing over."""
MOST_LEARNERS = 500


@dataclass(frozen=True)
class Run:
    """The newest time that somebody began an exercise."""

    code: str
    case_id: int
    reference: str
    number: str
    begun_at: datetime


async def join(session: AsyncSession, house: House, name: str, now: datetime) -> int:
    """A new learner, on call from now on: their user's id. They need no password here."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"Say what we shall call you, in 1 to {LONGEST_NAME} letters.")
    count = await session.scalar(select(func.count()).select_from(User)) or 0
    if count >= MOST_LEARNERS:
        raise Conflict("There are too many learners here. Ask for it to be started afresh.")
    user_id = await access.add_user(
        session,
        f"learner {secrets.token_hex(4)}",
        Role.WORKER,
        key_of(house),
        secrets.token_urlsafe(24),
        now,
        shown_name=name,
    )
    await rota.add_shift(session, key_of(house), user_id, now - LEFT, now + ON_CALL)
    return user_id


async def learners(session: AsyncSession) -> Sequence[User]:
    """Those who were here before, the newest first."""
    found = await session.scalars(
        select(User)
        .where(col(User.name).startswith("learner "))
        .order_by(col(User.id).desc())
        .limit(50)
    )
    return list(found)


async def find_learner(session: AsyncSession, user_id: int) -> User:
    user = await session.get(User, user_id)
    if user is None or not user.name.startswith("learner "):
        raise NotFound("There is no learner like that here.")
    return user


def key_of(house: House) -> str:
    """The contract that is practised on."""
    assert house.demo is not None
    return house.demo.practice


async def begin(session: AsyncSession, house: House, code: str, by: Actor, now: datetime) -> Run:
    """An invented carer writes, as in real life; what came before of this exercise is over."""
    if code not in rules.EXERCISES:
        raise NotFound("There is no such exercise.")
    contract = house.contracts[key_of(house)]
    number = await _free_number(session)
    if number is None:
        raise Conflict(house.wording.say("practice.full"))
    name = CARERS[int(number[-3:]) % len(CARERS)]
    person = Person(contract=contract.key, name=name, group=GROUP, created_at=now)
    session.add(person)
    await session.flush()
    assert person.id is not None
    index = ring().index("address:sms", number)
    session.add(
        Address(
            person_id=person.id,
            contract=contract.key,
            channel="sms",
            value=number,
            value_index=index,
            from_register=True,
        )
    )
    await session.flush()
    return Run(code, 0, "", number, now)


async def opened(session: AsyncSession, house: House, run: Run, by: Actor, now: datetime) -> str:
    """What the carer wrote has been kept: it becomes a case now. The case's reference."""
    items = select(InboundItem).where(col(InboundItem.external_id) == external_id(run))
    item = await session.scalar(items)
    assert item is not None
    await intake.route(session, intake.ways_of(house), item)
    case = await session.scalar(
        select(Case)
        .join(Conversation, col(Conversation.case_id) == col(Case.id))
        .join(Address, col(Address.id) == col(Conversation.address_id))
        .where(col(Address.value_index).in_(ring().indexes("address:sms", run.number)))
    )
    assert case is not None
    if run.code == "handover":
        await _let_end(session, house, by, now)
    await events.on_case(session, BEGUN, case, now, by, exercise=run.code, number=run.number[-3:])
    return case.reference


def opening(house: House, run: Run) -> Inbound:
    """The carer's first message."""
    ours = house.settings.number_of[key_of(house)]
    text = house.wording.say(f"practice.{run.code}_opens")
    return Inbound("sms", external_id(run), run.number, ours, text)


def external_id(run: Run) -> str:
    return f"practice-{run.number[-3:]}-{run.begun_at:%Y%m%d%H%M%S%f}"


async def runs(session: AsyncSession, user_id: int) -> dict[str, Run]:
    """Exercise → the newest time that this learner began it."""
    rows = await session.execute(
        select(Event, col(Case.reference))
        .join(Case, col(Case.id) == col(Event.case_id))
        .where(col(Event.kind) == BEGUN, col(Event.by_user_id) == user_id)
        .order_by(col(Event.id).desc())
        .limit(200)
    )
    found: dict[str, Run] = {}
    for event, reference in rows:
        code = str(event.detail["exercise"])
        number = f"+447700900{event.detail['number']}"
        found.setdefault(code, Run(code, event.case_id or 0, reference, number, event.at))
    return found


async def done(session: AsyncSession, run: Run, by: Actor) -> rules.Done:
    """What this learner did about the exercise's case since it began."""
    case = await session.get_one(Case, run.case_id)
    mine = (
        await session.scalars(
            select(Contact)
            .where(
                col(Contact.case_id) == run.case_id,
                col(Contact.by_user_id) == by.user_id,
            )
            .order_by(col(Contact.id))
        )
    ).all()
    replies = [
        one for one in mine if one.direction == Direction.OUT and one.kind == ContactKind.MESSAGE
    ]
    calls = [one for one in mine if one.kind == ContactKind.CALL and one.call_result == "spoke"]
    safe = await session.scalar(
        select(SafeContact)
        .where(
            col(SafeContact.person_id) == case.person_id,
            col(SafeContact.by_user_id) == by.user_id,
        )
        .order_by(col(SafeContact.id).desc())
        .limit(1)
    )
    taken = select(func.min(col(Alert.acknowledged_at))).where(
        col(Alert.case_id) == run.case_id, col(Alert.acknowledged_by_id) == by.user_id
    )
    found = rules.Done(
        begun_at=run.begun_at,
        me=by.name,
        reference=run.reference,
        has_read=await _has(session, run, by, "case.read"),
        alert_taken_at=await session.scalar(taken),
        replies=tuple(one.body or "" for one in replies),
        replied_at=replies[0].written_at if replies else None,
        calls=tuple(one.body or "" for one in calls),
        has_safe_hours=safe is not None and safety.read(safe.rules).begins is not None,
        safe_set_at=safe.set_at if safe else None,
        is_mine=case.worker_id == by.user_id,
        has_judged=await _has_judged(session, run, by),
        handover=await _handover(session, run, by),
        is_closed=case.status == CaseStatus.CLOSED and case.closed_by_id == by.user_id,
        closed_at=case.closed_at,
    )
    return await _alleged(session, run.case_id, found)


async def _alleged(session: AsyncSession, case_id: int, found: rules.Done) -> rules.Done:
    """The same with what was done on the allegation pathway."""
    entries = list(
        await session.scalars(select(col(Allegation.id)).where(col(Allegation.case_id) == case_id))
    )
    ticks = await session.scalar(
        select(func.count())
        .select_from(AllegationTick)
        .where(
            col(AllegationTick.allegation_id).in_(entries), col(AllegationTick.undone_at).is_(None)
        )
    )
    told = await session.scalar(
        select(col(Notice.id)).where(
            col(Notice.case_id) == case_id,
            col(Notice.kind) == "safeguarding_lead",
            col(Notice.sent_at).is_not(None),
        )
    )
    return replace(found, was_alleged=bool(entries), steps=ticks or 0, was_told_on=told is not None)


async def _has(session: AsyncSession, run: Run, by: Actor, kind: str) -> bool:
    found = select(col(Event.id)).where(
        col(Event.case_id) == run.case_id,
        col(Event.kind) == kind,
        col(Event.by_user_id) == by.user_id,
    )
    return await session.scalar(found.limit(1)) is not None


async def _has_judged(session: AsyncSession, run: Run, by: Actor) -> bool:
    found = select(col(TriageReading.id)).where(
        col(TriageReading.case_id) == run.case_id, col(TriageReading.judged_by_id) == by.user_id
    )
    return await session.scalar(found.limit(1)) is not None


async def _handover(session: AsyncSession, run: Run, by: Actor) -> str:
    found = select(col(Handover.words)).where(
        col(Handover.from_id) == by.user_id, col(Handover.at) > run.begun_at
    )
    return await session.scalar(found.order_by(col(Handover.id).desc()).limit(1)) or ""


async def _let_end(session: AsyncSession, house: House, by: Actor, now: datetime) -> None:
    """The learner's shift ends soon, and one of the invented colleagues comes after them."""
    key = key_of(house)
    standing = await session.scalars(
        select(Shift).where(
            col(Shift.user_id) == by.user_id,
            col(Shift.ends_at) > now,
            col(Shift.taken_away_at).is_(None),
        )
    )
    for shift in standing:
        shift.ends_at = now
    await session.flush()
    ends = now + LEFT
    await rota.add_shift(session, key, by.user_id, now - timedelta(hours=1), ends)
    next_one = await session.scalar(
        select(User).where(col(User.role) == Role.LEAD).order_by(col(User.id)).limit(1)
    )
    assert next_one is not None and next_one.id is not None
    await rota.add_shift(session, key, next_one.id, ends, ends + timedelta(hours=1))
    await handovers.look(session, house.contracts[key], now)


async def _free_number(session: AsyncSession) -> str | None:
    """A telephone that no carer here has had; None where each has been used."""
    had = set(
        await session.scalars(select(col(Address.value_index)).where(col(Address.channel) == "sms"))
    )
    numbers = [f"+447700900{place:03}" for place in NUMBERS]
    free = [one for one in numbers if ring().index("address:sms", one) not in had]
    return secrets.choice(free) if free else None
