"""What reached us without a machine: face to face, a letter, an event, a referral, a call taken on
another telephone. A worker writes it down with the time it happened; its clocks run from then.

Called by the page for a new case. It makes the same case as intake does, without automatic answer.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import cases, deadlines, eligibility, events, people
from helpline.desk.holding import SENT_AGAIN, hold_hand
from helpline.desk.intake import canonical
from helpline.errors import InvalidInput
from helpline.models import Address, Case, Contact, Person
from helpline.rules import triage
from helpline.rules.permissions import Actor, require
from helpline.sealing import ring
from helpline.vocabulary import UNKNOWN, ClockStop, ContactKind, Direction, Identity

CHANNELS = ("face_to_face", "letter", "event", "referral", "voice", "email")
"""How it can have come; the contract says which reporting method each counts as."""


@dataclass(frozen=True)
class TakenDown:
    """What the worker wrote. `who` is a membership number, or a name with or without a postcode;
    `mobile` may be empty; `answered` says that they were spoken with there and then."""

    channel: str
    happened_at: datetime
    who: str
    mobile: str
    text: str
    reason: str
    answered: bool


async def take_down(
    session: AsyncSession, contract: Contract, taken: TakenDown, by: Actor, now: datetime
) -> Case:
    """The new case. InvalidInput says what is missing; nothing is stored then. Sent twice it is one
    case."""
    require(by, "case.reply", contract.key)
    _check(contract, taken, now)
    before = await _sent_before(session, contract, taken, by, now)
    if before is not None:
        return before
    person, identity = await _person(session, contract, taken, now)
    day = taken.happened_at.astimezone(ZoneInfo(contract.zone)).date()
    known = await people.standing(session, person, day)
    reading = triage.read(taken.text, channel="telephone_note")
    assert person.id is not None
    case = Case(
        reference="",
        contract=contract.key,
        person_id=person.id,
        identity=identity,
        urgency=reading.urgency,
        reason=taken.reason or UNKNOWN,
        reason_from="worker" if taken.reason else "triage",
        why=reading.why,
        group=known.group,
        team=known.team,
        quadrant=known.quadrant,
        method=contract.method_for(taken.channel),
        opened_at=taken.happened_at,
    )
    await cases.open_case(session, contract, case, by=by.user_id)
    assert case.id is not None
    session.add(
        Contact(
            contract=contract.key,
            case_id=case.id,
            person_id=person.id,
            direction=Direction.IN,
            kind=ContactKind.CALL if taken.channel == "voice" else ContactKind.MESSAGE,
            channel=taken.channel,
            method=case.method,
            at=taken.happened_at,
            written_at=now,
            body=_words(taken),
            what=taken.channel,
            by_user_id=by.user_id,
            call_result="spoke" if taken.channel == "voice" and taken.answered else None,
        )
    )
    case.last_in_at = taken.happened_at
    await session.flush()
    await events.record(
        session,
        "contact.taken_down",
        now,
        contract=contract.key,
        case_id=case.id,
        by=by.user_id,
        channel=taken.channel,
    )
    if taken.answered:
        await deadlines.meet(session, case, ClockStop.HUMAN_REPLY, taken.happened_at, by.user_id)
    return case


def _check(contract: Contract, taken: TakenDown, now: datetime) -> None:
    if taken.channel not in CHANNELS:
        raise InvalidInput("Say how they came: face to face, letter, event, referral, call, mail.")
    if taken.happened_at > now:
        raise InvalidInput("That time is still to come: give when it happened.")
    if not taken.text.strip():
        raise InvalidInput("Write what it is about: a line is enough.")
    if len(taken.text) > cases.LONGEST_NOTE:
        raise InvalidInput(f"What you wrote is too long: it may have {cases.LONGEST_NOTE} letters.")
    if taken.reason and taken.reason not in {reason.code for reason in contract.reasons}:
        raise InvalidInput("Choose a reason from the list.")


async def _person(
    session: AsyncSession, contract: Contract, taken: TakenDown, now: datetime
) -> tuple[Person, Identity]:
    """By number of the telephone, then by the register, else somebody new with that name."""
    mobile = _mobile(taken)
    known = await _known(session, contract, taken)
    if mobile and known is not None and known.register_index is None and taken.who.strip():
        known = await _turned_out(session, contract, mobile, taken.who, now) or known
    if known is not None:
        return known, Identity.KNOWN
    person = Person(contract=contract.key, name=_name(taken.who) or None, created_at=now)
    session.add(person)
    await session.flush()
    if mobile:
        assert person.id is not None
        session.add(
            Address(
                person_id=person.id,
                contract=contract.key,
                channel="sms",
                value=mobile,
                value_index=ring().index("address:sms", mobile),
            )
        )
        await session.flush()
    return person, Identity.CLAIMED if taken.who.strip() else Identity.UNKNOWN


def _mobile(taken: TakenDown) -> str:
    mobile = canonical("sms", taken.mobile) if taken.mobile.strip() else ""
    if mobile and not (mobile.startswith("+") and mobile[1:].isdigit()):
        raise InvalidInput("The telephone number cannot be read: write it like 07700 900123.")
    return mobile


async def _turned_out(
    session: AsyncSession, contract: Contract, mobile: str, who: str, now: datetime
) -> Person | None:
    """The worker says who it is that has written from this number, and the register knows them."""
    member = await people.find_member(session, contract, who)
    if member is None:
        return None
    sender = await people.sender(session, contract.key, "sms", mobile, now)
    await people.identify(session, sender.address, sender.case, member, now)
    await eligibility.decide_cases_again(session, contract, member, None, now)
    return member if sender.address.person_id == member.id else None


async def _known(session: AsyncSession, contract: Contract, taken: TakenDown) -> Person | None:
    mobile = _mobile(taken)
    by_number = await _with_number(session, contract, mobile) if mobile else None
    if by_number is not None or not taken.who.strip():
        return by_number
    return await people.find_member(session, contract, taken.who)


async def _sent_before(
    session: AsyncSession, contract: Contract, taken: TakenDown, by: Actor, now: datetime
) -> Case | None:
    """The case that the same form made a moment ago: the same words about the same person. One
    event may bring several people, so the words alone say nothing."""
    await hold_hand(session, by)
    lately = await session.scalars(
        select(Contact)
        .where(
            col(Contact.by_user_id) == by.user_id,
            col(Contact.contract) == contract.key,
            col(Contact.written_at) > now - SENT_AGAIN,
            col(Contact.at).between(taken.happened_at - SENT_AGAIN, taken.happened_at + SENT_AGAIN),
            col(Contact.what) == taken.channel,
        )
        .order_by(col(Contact.id).desc())
    )
    same = [one for one in lately if one.body == _words(taken)]
    known = await _known(session, contract, taken) if same else None
    for one in same:
        person = await session.get(Person, one.person_id)
        name = person.name if person is not None else None
        is_new = known is None and name == (_name(taken.who) or None)
        if is_new or (known is not None and known.id == one.person_id):
            return await session.get(Case, one.case_id)
    return None


def _name(who: str) -> str:
    """The name alone: a postcode beside it is no part of it."""
    return " ".join(people.POSTCODE.sub(" ", who).split()).strip(" ,;.")[:200]


def _words(taken: TakenDown) -> str:
    """What they need, and the postcode they gave: the name does without it."""
    given = people.POSTCODE.search(taken.who)
    text = taken.text.strip()
    return f"{text}\n\nPostcode given: {given[0].upper()}" if given else text


async def _with_number(session: AsyncSession, contract: Contract, mobile: str) -> Person | None:
    return await session.scalar(
        select(Person)
        .join(Address, col(Address.person_id) == col(Person.id))
        .where(
            col(Address.contract) == contract.key,
            col(Address.channel) == "sms",
            col(Address.value_index).in_(ring().indexes("address:sms", mobile)),
        )
        .limit(1)
    )
