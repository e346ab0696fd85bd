"""What a worker does with a case: read, answer, allocate, note, call, close.

Each function is one act: it checks who asks, changes rows, meets the deadline the act meets, writes
one event. Called by pages, intake and the seed; commits nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import (
    advice,
    allocation,
    conflicts,
    deadlines,
    eligibility,
    events,
    holding,
    kinds,
    outbox,
    papers,
    plans,
    promises,
    rota,
    seeing,
    silence,
    write_ups,
)
from helpline.desk.duties import notices
from helpline.desk.references import new_reference
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Address,
    Allocation,
    Case,
    CaseSupport,
    Contact,
    Conversation,
    Note,
    OutMessage,
    Person,
    User,
    metadata,
)
from helpline.rules import saying
from helpline.rules.permissions import Actor, require
from helpline.templating import Wording
from helpline.vocabulary import (
    CASEWORKERS,
    CallResult,
    CaseKind,
    CaseStatus,
    ClockStop,
    ContactKind,
    Direction,
    NoteKind,
    OutState,
    PromiseKind,
    Urgency,
)

CASE = metadata.tables["case"]
WITH_REFERENCE = (
    select(CASE.c.id)
    .where(CASE.c.reference == bindparam("reference"))
    .execution_options(autoflush=False)
)
LONGEST_REPLY = 1600
"""Characters: what Twilio accepts in one message."""
LONGEST_NOTE = 20_000
LONGEST_NAME = 120
WRITABLE = ("sms", "whatsapp", "telegram", "webchat", "email")
"""Channels by which somebody can be written to who has not written by them on this case."""


async def find_case(session: AsyncSession, actor: Actor, reference: str) -> Case:
    """The case, if `actor` may read it. The same NotFound whether it is not there or not theirs."""
    case = await session.scalar(
        select(Case).where(col(Case.reference) == reference.strip().upper(), *seeing.cases(actor))
    )
    if case is None:
        raise NotFound("There is no such case, or it is not yours to see.")
    return case


async def open_case(
    session: AsyncSession, contract: Contract, case: Case, *, by: int | None = None
) -> Case:
    """Give `case` its reference, store it and start its clocks from `opened_at` (A50, A51)."""
    case.reference = await _free_reference(session, contract)
    if case.kind == CaseKind.ADVICE:
        case.kind = contract.kind_for(case.reason)
    case.next_due_at = deadlines.first_due(
        contract, case.opened_at, urgency=case.urgency, reason=case.reason, kind=case.kind
    )
    if case.eligibility is None:
        await eligibility.take_down(session, contract, case, case.opened_at)
    session.add(case)
    await session.flush()
    await deadlines.open_for(session, contract, case, case.opened_at)
    await events.record(
        session,
        "case.opened",
        case.opened_at,
        contract=contract.key,
        case_id=case.id,
        by=by,
        urgency=case.urgency,
        reason=case.reason,
        case_kind=case.kind,
        method=case.method,
    )
    return case


async def reopen(
    session: AsyncSession, contract: Contract, case: Case, by: Actor | None, now: datetime
) -> None:
    """A closed case is taken up again: the person is owed an answer anew, and a worker if they
    have none."""
    if case.status != CaseStatus.CLOSED:
        raise Conflict("This case is open already.")
    if by is not None:
        require(by, "case.reopen", case.contract)
    closed_at = case.closed_at
    case.status, case.closed_at, case.closed_by_id, case.outcome = CaseStatus.OPEN, None, None, None
    stops = [ClockStop.HUMAN_REPLY, ClockStop.REFERRAL_ANSWER]
    stops += [] if case.worker_id else [ClockStop.ALLOCATION]
    open_already = await deadlines.open_due_times(session, _id(case))
    await deadlines.open_for(
        session,
        contract,
        case,
        now,
        [stop for stop in stops if stop not in open_already],
        again=True,
    )
    await session.flush()
    await plans.take_up_again(session, contract, case, closed_at, now)
    await deadlines.refresh_next_due(session, case)
    await events.on_case(session, "case.reopened", case, now, by)


async def reply(
    session: AsyncSession, contract: Contract, case: Case, text: str, by: Actor, now: datetime
) -> Contact:
    """Answer through the channel the person last used. This meets the first-response promise in
    the same transaction; a case without an address says how else to reach them."""
    require(by, "case.reply", case.contract)
    body = _text(text, LONGEST_REPLY, "a reply")
    address = await reply_address(session, case)
    if address is None:
        raise InvalidInput(
            "This person has no number or address here: ring them and record the call."
        )
    if address.opted_out_at is not None:
        raise Conflict(
            "They have asked not to be texted here. Ring them or use another way, and record it."
        )
    contact = await send_to_person(
        session, contract, case, address, body, now, kind=ContactKind.MESSAGE, by=by.user_id
    )
    await deadlines.meet(session, case, ClockStop.HUMAN_REPLY, now, by.user_id)
    await promises.keep_by(session, case, PromiseKind.WRITE, by.user_id, now)
    await allocation.accept_by_acting(session, case, by, now)
    await silence.note_try(session, case, by, now)
    await events.on_case(session, "case.replied", case, now, by, channel=address.channel)
    return contact


async def reply_address(session: AsyncSession, case: Case) -> Address | None:
    """Where an answer goes: the address of the case's most recent conversation, else any address
    of the person that can be written to."""
    conversing = await session.scalar(
        select(Address)
        .join(Conversation, col(Conversation.address_id) == col(Address.id))
        .where(
            col(Conversation.case_id) == case.id,
            col(Address.channel) != "webform",  # a form was read once: it leads nowhere back
        )
        .order_by(col(Conversation.last_in_at).desc().nulls_last())
        .limit(1)
    )
    if conversing is not None:
        return conversing
    return await session.scalar(
        select(Address)
        .where(col(Address.person_id) == case.person_id, col(Address.channel).in_(WRITABLE))
        .order_by(col(Address.opted_out_at).is_(None).desc(), col(Address.id))
        .limit(1)
    )


async def send_to_person(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    address: Address,
    body: str,
    now: datetime,
    *,
    kind: ContactKind,
    by: int | None = None,
    choices: str = "",
    shown: str | None = None,
    expires_at: datetime | None = None,
) -> Contact:
    """One message out: the contact on the timeline and the row in the outbox. `shown`: what the
    timeline has instead of the words, where those are for their eyes only; `expires_at`: until when
    it may leave."""
    contact = Contact(
        contract=contract.key,
        case_id=_id(case),
        person_id=case.person_id,
        direction=Direction.OUT,
        kind=kind,
        channel=address.channel,
        method=contract.method_for(address.channel),
        at=now,
        written_at=now,
        body=body if shown is None else shown,
        by_user_id=by,
    )
    session.add(contact)
    await session.flush()
    if kind is ContactKind.AUTOMATIC:
        await deadlines.note_automatic_reply(session, _id(case), now)
    await outbox.queue(
        session,
        contract.key,
        address.channel,
        address.value,
        body,
        now,
        address_id=address.id,
        contact_id=contact.id,
        case_id=case.id,
        choices=choices,
        expires_at=expires_at,
    )
    return contact


async def allocate(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    worker_id: int,
    by: Actor,
    now: datetime,
    *,
    wording: Wording,
    although_away: str = "",
    tell_at: datetime | None = None,
) -> Allocation | None:
    """Name the support worker. The first time meets the allocation promise (A51); a change later
    does not start it again. The person is told the name, at `tell_at` where that is later. Nobody
    in conflict can be named or names anybody; somebody who is away only with a reason, which is
    kept as a decision. None when they have it already."""
    require(
        by, "case.allocate" if worker_id == by.user_id else "case.allocate_others", case.contract
    )
    await holding.hold_as_it_stands(session, case)
    _must_be_open(case)
    worker = await session.get(User, worker_id)
    if worker is None or worker.left_at or not _works_on(worker, contract.key):
        raise InvalidInput("Choose a support worker who works on this contract.")
    await conflicts.forbid(session, case, worker, by)
    await papers.forbid(session, contract, worker, now)
    if case.worker_id == worker_id:
        await allocation.left_as_it_is(session, case, now)
        return None
    if worker_id != by.user_id:
        await _must_be_here(session, contract, case, worker, although_away, by, now)
    before, case.worker_id = case.worker_id, worker_id
    case.allocated_at = case.allocated_at or now
    await session.flush()
    found = await allocation.named(session, case, worker_id, before, by, now)
    await deadlines.meet(session, case, ClockStop.ALLOCATION, now, by.user_id)
    await events.on_case(session, "case.allocated", case, now, by, worker=worker_id, before=before)
    address = await reply_address(session, case)
    if address is not None and address.opted_out_at is None:
        person = await session.get(Person, case.person_id)
        body = wording.of(contract.own_words).say(
            "allocated",
            person.language if person else "en",
            worker=worker.shown_name,
            reference=case.reference,
        )
        told = await send_to_person(
            session, contract, case, address, body, now, kind=ContactKind.AUTOMATIC
        )
        found.told_contact_id = told.id
        await session.flush()
        if tell_at is not None:
            await session.execute(
                update(OutMessage)
                .where(
                    col(OutMessage.contact_id) == told.id, col(OutMessage.state) == OutState.QUEUED
                )
                .values(next_try_at=max(tell_at, now))
            )
    return found


async def _must_be_here(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    worker: User,
    although_away: str,
    by: Actor,
    now: datetime,
) -> None:
    """Somebody who is away is named only by a lead who says why; the reason is a decision."""
    absent = await rota.aways(session, [worker.id or 0], now, now + rota.INSTANT)
    if not absent:
        return
    if not although_away.strip():
        until = saying.when(max(away.ends_at for away in absent), now, contract.zone)
        raise InvalidInput(
            f"{worker.shown_name} is away until {until}. To name them all the same, say why."
        )
    said = f"{worker.shown_name} is named although away."
    await add_decision(session, case, said, although_away, by, now)


async def workers_for(session: AsyncSession, contract: str) -> Sequence[User]:
    """Whoever can be named on a case of this contract, in order of name."""
    found = await session.scalars(
        select(User)
        .where(col(User.role).in_(CASEWORKERS), col(User.left_at).is_(None))
        .order_by(col(User.shown_name))
    )
    return [user for user in found if _works_on(user, contract)]


async def add_note(
    session: AsyncSession,
    case: Case,
    kind: str,
    body: str,
    happened_at: datetime,
    by: Actor,
    now: datetime,
    *,
    why: str = "",
    whose: str = "",
    corrects: int | None = None,
) -> Note:
    """Record a fact, an opinion, somebody's own words or a decision, kept apart (001 §14.1). A
    decision has its reason (`why`), own words have their speaker (`whose`; empty: the person the
    case is for). `corrects`: the note that this one puts right; that one stays as it is."""
    require(by, "note.write", case.contract)
    if kind not in list(NoteKind):
        raise InvalidInput("Say what kind of note this is: fact, opinion, own words or decision.")
    _must_be_past(happened_at, now)
    is_decision, are_words = kind == NoteKind.DECISION, kind == NoteKind.OWN_WORDS
    if is_decision and not why.strip():
        raise InvalidInput("Say why: a decision is recorded with its reason.")
    note = Note(
        case_id=_id(case),
        kind=kind,
        body=_text(body, LONGEST_NOTE, "a note"),
        reason=_text(why, LONGEST_NOTE, "the reason") if is_decision else None,
        whose=in_a_line(whose, LONGEST_NAME) or None if are_words else None,
        corrects_id=await _corrected(session, case, corrects),
        happened_at=happened_at,
        written_at=now,
        by_user_id=by.user_id,
    )
    session.add(note)
    await session.flush()
    await write_ups.written(session, case, by, now)
    await events.on_case(session, "note.written", case, now, by, kind=kind)
    return note


async def add_decision(
    session: AsyncSession, case: Case, body: str, why: str, by: Actor, now: datetime
) -> None:
    """The note that an act leaves of itself, with the reason that was given for it. It is nobody's
    record of what was said with the person, so it ends no reminder to write that."""
    session.add(
        Note(
            case_id=_id(case),
            kind=NoteKind.DECISION,
            body=body,
            reason=_text(why, LONGEST_NOTE, "the reason"),
            happened_at=now,
            written_at=now,
            by_user_id=by.user_id,
        )
    )
    await session.flush()


async def _corrected(session: AsyncSession, case: Case, note_id: int | None) -> int | None:
    """The id, if that note is on this case; NotFound for any other."""
    if note_id is None:
        return None
    note = await session.get(Note, note_id)
    if note is None or note.case_id != case.id:
        raise NotFound("The note you correct is not on this case.")
    return note_id


async def record_call(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    direction: str,
    result: str,
    minutes: int | None,
    body: str,
    happened_at: datetime,
    by: Actor,
    now: datetime,
) -> Contact:
    """A telephone call made or taken. Only one in which they spoke answers the person; it does so
    at the time it happened, never before the message it answers."""
    require(by, "case.call", case.contract)
    if direction not in list(Direction) or result not in list(CallResult):
        raise InvalidInput("Say whether they rang or you did, and how the call went.")
    if minutes is not None and not 0 <= minutes <= 600:
        raise InvalidInput("Give the length of the call in minutes, from 0 to 600.")
    _must_be_past(happened_at, now)
    contact = Contact(
        contract=contract.key,
        case_id=_id(case),
        person_id=case.person_id,
        direction=direction,
        kind=ContactKind.CALL,
        channel="voice",
        method=contract.method_for("voice"),
        at=happened_at,
        written_at=now,
        body=_text(body, LONGEST_NOTE, "what was said") if body.strip() else None,
        what="call",
        by_user_id=by.user_id,
        call_result=result,
        call_minutes=minutes,
    )
    session.add(contact)
    await session.flush()
    if contact.body:
        await write_ups.written(session, case, by, now)
    if CallResult(result).answers:
        answered_at = max(happened_at, case.opened_at)
        await deadlines.meet(session, case, ClockStop.HUMAN_REPLY, answered_at, by.user_id)
        await promises.keep_by(session, case, PromiseKind.CALL, by.user_id, happened_at)
        await allocation.accept_by_acting(session, case, by, now)
    elif direction == Direction.OUT:
        await silence.note_try(session, case, by, now)
    await events.on_case(
        session, "call.recorded", case, now, by, direction=direction, result=result
    )
    return contact


async def close(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    supports: Sequence[str],
    outcome: str,
    by: Actor,
    now: datetime,
    advised: Mapping[str, advice.Typed] = MappingProxyType({}),
) -> None:
    """Close with what was provided and how it ended. Closing answers nobody: open promises stay
    open and go on warning (they are about the person, not the file). A case with a plan closes when
    its exit was agreed, or a lead said why not (004 §2.3). `advised`: of support that only somebody
    qualified may give, who gave it (A28)."""
    require(by, "case.close", case.contract)
    _must_be_open(case)
    if outcome not in {known.code for known in contract.outcomes}:
        raise InvalidInput("Choose how the case ended.")
    unknown = set(supports) - {known.code for known in contract.support}
    if unknown or not supports:
        raise InvalidInput("Choose at least one kind of support that was provided, from the list.")
    await plans.must_have_an_exit(session, case)
    await advice.take_down(session, contract, case, supports, advised, by, now)
    had = set(
        await session.scalars(
            select(col(CaseSupport.support)).where(col(CaseSupport.case_id) == case.id)
        )
    )
    for support in sorted(set(supports) - had):
        session.add(CaseSupport(case_id=_id(case), support=support, at=now, by_user_id=by.user_id))
    case.status, case.closed_at, case.closed_by_id = CaseStatus.CLOSED, now, by.user_id
    case.outcome = outcome
    await session.flush()
    await plans.end(session, case, by, now)
    await silence.end_by_closing(session, case, by, now)
    await events.on_case(
        session, "case.closed", case, now, by, outcome=outcome, supports=sorted(supports)
    )


async def set_reason(
    session: AsyncSession, contract: Contract, case: Case, reason: str, by: Actor, now: datetime
) -> None:
    """A worker's choice of reason; triage and menu answers never change it afterwards."""
    require(by, "case.triage", case.contract)
    if reason not in {known.code for known in contract.reasons}:
        raise InvalidInput("Choose a reason from the list.")
    before, before_from = case.reason, case.reason_from
    case.reason, case.reason_from = reason, "worker"
    await session.flush()
    if contract.has_conditions:
        await deadlines.reconsider(session, contract, case, now)
    was = {"before": before, "before_from": before_from}
    await events.on_case(session, "case.reason_set", case, now, by, reason=reason, **was)
    await kinds.follow_reason(session, contract, case, now)


async def set_urgency(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    urgency: str,
    why: str,
    by: Actor,
    now: datetime,
) -> None:
    """Only a person may lower urgency, and says why. Clocks that run for some urgencies only are
    reconsidered, from receipt: it was as urgent then as it is now."""
    require(by, "case.triage", case.contract)
    if urgency not in list(Urgency):
        raise InvalidInput("Choose emergency, urgent, standard or low.")
    is_lower = Urgency(urgency).rank < Urgency(case.urgency).rank
    if is_lower and not why.strip():
        raise InvalidInput("Say in a few words why it is less urgent than it looked.")
    before, case.urgency = case.urgency, urgency
    if why.strip():
        said = f"Urgency: {urgency} instead of {before}."
        await add_decision(session, case, said, why, by, now)
    await session.flush()
    if contract.has_conditions:
        await deadlines.reconsider(session, contract, case, now)
    await events.on_case(session, "case.urgency_set", case, now, by, urgency=urgency, before=before)


async def record_reading(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """Reading a case is itself recorded (design.md §4.12); a safeguarding lead who reads knows."""
    await events.on_case(session, "case.read", case, now, by)
    await notices.read_by_lead(session, case, by, now)


async def delivery_states(session: AsyncSession, case_id: int) -> Mapping[int, tuple[str, str]]:
    """Contact id → (state, provider's code) of the messages that went out on a case."""
    rows = await session.execute(
        select(col(OutMessage.contact_id), col(OutMessage.state), col(OutMessage.code)).where(
            col(OutMessage.case_id) == case_id,
            col(OutMessage.contact_id).is_not(None),
            col(OutMessage.copy_of_id).is_(None),
        )
    )
    return {contact: (state, code or "") for contact, state, code in rows if contact}


def _works_on(user: User, contract: str) -> bool:
    return user.role in CASEWORKERS and user.contract in (None, contract)


def _must_be_open(case: Case) -> None:
    if case.status != CaseStatus.OPEN:
        raise Conflict("This case is closed. Open it again first.")


def _must_be_past(happened_at: datetime, now: datetime) -> None:
    if happened_at > now:
        raise InvalidInput("That time is still to come: give when it happened.")


def _text(text: str, longest: int, what: str) -> str:
    """The text without outer space. InvalidInput when empty or too long; says by how much."""
    plain = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not plain:
        raise InvalidInput(f"Write something first: {what} cannot be empty.")
    if len(plain) > longest:
        raise InvalidInput(
            f"This is {len(plain) - longest} characters too long: {what} holds {longest}."
        )
    return plain


def _id(case: Case) -> int:
    assert case.id is not None
    return case.id


async def _free_reference(session: AsyncSession, contract: Contract) -> str:
    while True:
        reference = new_reference(contract)
        if await session.scalar(WITH_REFERENCE, {"reference": reference}) is None:
            return reference
