"""What is done with a complaint: acknowledged, given more time, passed on, answered, taken to the
next stage, explained, learnt from, closed. Each is one act, one entry, and the deadline it meets.

Called by web/pages/complaints.py. Answers are given only by whoever handles it, and that is never
somebody who had anything to do with it (K10): looked at again at the moment of each act.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import cases, complaints, deadlines, escalation, independence, owed
from helpline.desk.complaints import add, line_of
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput
from helpline.models import Case, Complaint
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import (
    AlertKind,
    ClockStop,
    ComplaintKind,
    ComplaintOutcome,
    ContactKind,
    EntryKind,
)

OURS = (
    *(ComplaintOutcome.UPHELD, ComplaintOutcome.PARTLY),
    *(ComplaintOutcome.NOT_UPHELD, ComplaintOutcome.WITHDRAWN),
)
ADDED = (EntryKind.NOTE, EntryKind.REMEDY, EntryKind.LEARNING, EntryKind.CORRECTION)
"""What may be added in words at any time, closed or not."""


async def name_about(
    session: AsyncSession, complaint: Complaint, user_id: int, by: Actor, now: datetime
) -> None:
    """It is about this colleague."""
    require(by, "complaint.work", complaint.contract)
    await complaints.note_about(session, complaint, user_id, by, now)


async def name_not_about(
    session: AsyncSession, complaint: Complaint, user_id: int, by: Actor, now: datetime
) -> None:
    """It is not about this colleague. Never said by themself: they do not see it."""
    require(by, "complaint.work", complaint.contract)
    if user_id == by.user_id:
        raise Conflict("Somebody else has to say that it is not about you.")
    await complaints.note_not_about(session, complaint, user_id, by, now)


async def name_handler(
    session: AsyncSession, complaint: Complaint, user_id: int, by: Actor, now: datetime
) -> None:
    """Who handles it from now on. Conflict for whoever had anything to do with it."""
    _must_be_open(complaint, by, while_safeguarding=True)
    offered = await independence.handlers(session, complaint.contract, complaint)
    chosen = next((one for one in offered if one[0].id == user_id), None)
    if chosen is None:
        raise InvalidInput("Choose somebody from the list.")
    if chosen[1]:
        raise Conflict(
            f"{chosen[0].shown_name} must not handle this: {chosen[1]}. Choose somebody else."
        )
    if complaint.handler_id == user_id:
        return
    complaint.handler_id = user_id
    await add(session, complaint, EntryKind.NAMED, now, by, user_id=user_id)


async def acknowledge(
    session: AsyncSession,
    contract: Contract,
    complaint: Complaint,
    words: str,
    how: str,
    by: Actor,
    now: datetime,
) -> None:
    """They were told that it came, and what happens next. `how`: "send" sends the words where they
    wrote from; any method of the contract says how they were told."""
    _must_be_open(complaint, by, while_safeguarding=True)
    if complaint.acknowledged_at is not None:
        raise Conflict("It is acknowledged already.")
    code = await _tell(session, contract, complaint, words, how, by, now)
    complaint.acknowledged_at = now
    await add(session, complaint, EntryKind.ACKNOWLEDGED, now, by, words=words.strip(), code=code)
    await owed.meet(session, line_of(complaint), ClockStop.ACKNOWLEDGEMENT, now, by.user_id)


async def extend(
    session: AsyncSession,
    contract: Contract,
    complaint: Complaint,
    why: str,
    by: Actor,
    now: datetime,
) -> datetime:
    """Take the longer time of this stage, once and before it is over, with a reason that they are
    told. Returns when it is due now."""
    await _must_handle(session, complaint, by)
    assert contract.complaints is not None
    stages = contract.complaints.stages_of(complaint.kind)
    longer = stages[complaint.stage - 1].extended if complaint.stage <= len(stages) else None
    if longer is None or complaint.extended_at is not None:
        raise Conflict("This stage can be given no more time.")
    said = in_a_line(why, 1000, "Say why more time is needed: they are told the reason.")
    if complaint.answered_at is not None:
        raise Conflict("It is answered already.")
    line = line_of(complaint)
    waits = [one for one in await owed.open_on(session, line) if one.stops == ClockStop.FULL_ANSWER]
    if any(one.due_at < now for one in waits):
        raise Conflict(
            "Its time is over, so it can be given no more: it counts as late. Answer it now, or "
            "write to them when they will hear."
        )
    await owed.cancel(session, line, ClockStop.FULL_ANSWER, now)
    due = await owed.start(session, contract, line, [contract.clock(longer)], complaint.stage_since)
    complaint.extended_at = now
    await add(session, complaint, EntryKind.EXTENDED, now, by, words=said)
    return min(due.values())


async def pass_to_safeguarding(
    session: AsyncSession,
    contract: Contract,
    complaint: Complaint,
    why: str,
    by: Actor,
    now: datetime,
) -> None:
    """It holds a safeguarding matter: the answer's clock stands still, and the safeguarding lead is
    asked today (domain.md §3.2). Whoever logs it may say so."""
    require(by, "complaint.log", complaint.contract)
    if complaint.safeguarding_at is not None:
        raise Conflict("It is with the safeguarding lead already.")
    said = in_a_line(why, 1000, "Say in a few words what worries you.")
    complaint.safeguarding_at = now
    await add(session, complaint, EntryKind.SAFEGUARDING, now, by, words=said)
    await owed.cancel(session, line_of(complaint), ClockStop.FULL_ANSWER, now)
    cause = escalation.Cause(
        kind=AlertKind.CONCERN,
        key=f"complaint:{complaint.id}:{now:%Y%m%dT%H%M%S}",
        reference=complaint.reference,
        complaint_id=complaint.id,
        rungs=("safeguarding", "lead"),
    )
    await escalation.raise_alert(session, contract, cause, now)


async def resume(
    session: AsyncSession,
    contract: Contract,
    complaint: Complaint,
    words: str,
    by: Actor,
    now: datetime,
) -> None:
    """Safeguarding have done what they must: the procedure goes on, and its time begins anew."""
    _must_be_open(complaint, by, while_safeguarding=True)
    if complaint.safeguarding_at is None:
        raise Conflict("It is not with the safeguarding lead.")
    said = in_a_line(words, 1000, "Say what was decided, and by whom.")
    complaint.safeguarding_at, complaint.stage_since = None, now
    await add(session, complaint, EntryKind.RESUMED, now, by, words=said)
    if complaint.answered_at is None:
        await complaints.start_stage(session, contract, complaint, now)


async def forward(
    session: AsyncSession, complaint: Complaint, to: str, by: Actor, now: datetime
) -> None:
    """A complaint about the council is the council's to answer (Children Act 1989): passed on,
    to whom is written down, and they are told so."""
    await _must_handle(session, complaint, by)
    if complaint.kind != ComplaintKind.COUNCIL:
        raise InvalidInput(
            "Only a complaint about the council is passed on. Change its kind first."
        )
    if complaint.forwarded_at is not None:
        raise Conflict("It is passed on already.")
    said = in_a_line(to, 500, "Say to whom it was passed on, and how.")
    complaint.forwarded_at, complaint.outcome = now, ComplaintOutcome.FORWARDED
    complaint.action = complaint.action or "passed_on"
    await add(session, complaint, EntryKind.FORWARDED, now, by, words=said)
    await owed.meet(session, line_of(complaint), ClockStop.FULL_ANSWER, now, by.user_id)


async def answer(
    session: AsyncSession,
    contract: Contract,
    complaint: Complaint,
    *,
    outcome: str,
    action: str,
    words: str,
    how: str,
    by: Actor,
    now: datetime,
) -> None:
    """The answer of this stage, in the words that they got, with what was found and done."""
    await _must_handle(session, complaint, by)
    assert contract.complaints is not None
    if complaint.kind == ComplaintKind.COUNCIL:
        raise InvalidInput("The council answers this one. Pass it on to them.")
    if complaint.answered_at is not None:
        raise Conflict("This stage is answered. If they are not content, go to the next stage.")
    if outcome not in OURS:
        raise InvalidInput("Choose what was found: upheld, partly upheld, not upheld or withdrawn.")
    if action not in [one.code for one in contract.complaints.actions]:
        raise InvalidInput("Choose what was done about it.")
    code = await _tell(session, contract, complaint, words, how, by, now)
    complaint.answered_at, complaint.outcome, complaint.action = now, outcome, action
    await add(session, complaint, EntryKind.ANSWERED, now, by, words=words.strip(), code=outcome)
    line = line_of(complaint)
    await owed.meet(session, line, ClockStop.FULL_ANSWER, now, by.user_id)
    if complaint.acknowledged_at is None:  # the answer says as well that it came
        complaint.acknowledged_at = now
        await add(session, complaint, EntryKind.ACKNOWLEDGED, now, by, code=code)
        await owed.meet(session, line, ClockStop.ACKNOWLEDGEMENT, now, by.user_id)


async def escalate(
    session: AsyncSession,
    contract: Contract,
    complaint: Complaint,
    why: str,
    by: Actor,
    now: datetime,
) -> None:
    """They are not content with the answer: the next stage begins, and somebody else handles it."""
    require(by, "complaint.work", complaint.contract)
    assert contract.complaints is not None
    if complaint.stage >= len(contract.complaints.stages_of(complaint.kind)):
        raise Conflict("There is no further stage of ours. They may go to the council.")
    if complaint.answered_at is None:
        raise Conflict("Answer this stage before the next begins.")
    said = in_a_line(why, 1000, "Say what they are not content with.")
    complaint.stage, complaint.stage_since = complaint.stage + 1, now
    complaint.handler_id = complaint.answered_at = complaint.extended_at = None
    complaint.explained_at = complaint.explained_how = complaint.closed_at = None
    await add(session, complaint, EntryKind.ESCALATED, now, by, words=said)
    await complaints.start_stage(session, contract, complaint, now)


async def explain(
    session: AsyncSession,
    contract: Contract,
    complaint: Complaint,
    how: str,
    words: str,
    at: datetime,
    by: Actor,
    now: datetime,
) -> None:
    """The outcome was explained to them, in a way that they understand: when and how (L14, N08)."""
    _must_be_open(complaint, by)
    if how not in [method.code for method in contract.methods]:
        raise InvalidInput("Choose how it was explained to them.")
    if complaint.answered_at is None:
        raise Conflict("There is no answer yet to explain.")
    if not complaint.answered_at <= at <= now:
        raise InvalidInput("Say when, between the answer and now.")
    complaint.explained_at, complaint.explained_how = at, how
    said = in_a_line(words, 1000)
    await add(session, complaint, EntryKind.EXPLAINED, now, by, words=said, code=how, at=at)


async def write(
    session: AsyncSession, complaint: Complaint, kind: str, words: str, by: Actor, now: datetime
) -> None:
    """Something is added: a note, what was put right, what was learnt, a correction."""
    require(by, "complaint.work", complaint.contract)
    if kind not in ADDED:
        raise InvalidInput("Choose what you add: a note, a remedy, what was learnt, a correction.")
    if not words.strip():
        raise InvalidInput("Write it down first.")
    if len(words) > complaints.LONGEST:
        raise InvalidInput(f"That is too long: {complaints.LONGEST:,} characters are enough.")
    await add(session, complaint, EntryKind(kind), now, by, words=words.strip())


async def classify(
    session: AsyncSession,
    contract: Contract,
    complaint: Complaint,
    kind: str,
    subject: str,
    by: Actor,
    now: datetime,
) -> None:
    """It is another kind of complaint, or about something else: the clocks of the new kind run from
    when it came, and what was written before stays."""
    _must_be_open(complaint, by)
    assert contract.complaints is not None
    if kind not in list(ComplaintKind) or not contract.complaints.stages_of(kind):
        raise InvalidInput("Say whose complaint it is to answer: ours, or the council's.")
    if subject not in [one.code for one in contract.complaints.subjects]:
        raise InvalidInput("Choose what it is about.")
    is_other = kind != complaint.kind
    if is_other and complaint.answered_at is not None:
        raise Conflict("It is answered: its kind stays as it was.")
    complaint.subject = subject
    line = line_of(complaint)
    if is_other:
        complaint.kind, complaint.stage, complaint.stage_since = kind, 1, complaint.received_at
        await owed.cancel(session, line, ClockStop.FULL_ANSWER, now)
        await complaints.start_stage(session, contract, complaint, complaint.received_at)
        if complaint.acknowledged_at is None:
            await owed.cancel(session, line, ClockStop.ACKNOWLEDGEMENT, now)
            await complaints.start_acknowledgement(session, contract, complaint)
    await add(session, complaint, EntryKind.CORRECTION, now, by, code=f"{kind}.{subject}")


async def close(session: AsyncSession, complaint: Complaint, by: Actor, now: datetime) -> None:
    """Nothing more is to be done. It stays in the register for ever; a note may still be added."""
    _must_be_open(complaint, by)
    if complaint.answered_at is None and complaint.forwarded_at is None:
        raise Conflict("Answer it, or pass it on to the council, before you close it.")
    complaint.closed_at = now
    await add(session, complaint, EntryKind.CLOSED, now, by)
    await owed.cancel(session, line_of(complaint), ClockStop.ACKNOWLEDGEMENT, now)


# --- what every act looks at first -------------------------------------------------------------


def _must_be_open(complaint: Complaint, by: Actor, *, while_safeguarding: bool = False) -> None:
    require(by, "complaint.work", complaint.contract)
    if complaint.closed_at is not None:
        raise Conflict("This complaint is closed. You can still add a note to it.")
    if complaint.safeguarding_at is not None and not while_safeguarding:
        raise Conflict("The safeguarding lead has this now. Wait until they pass it back.")


async def _must_handle(session: AsyncSession, complaint: Complaint, by: Actor) -> None:
    _must_be_open(complaint, by)
    if complaint.handler_id != by.user_id:
        raise Conflict("Only whoever handles this complaint does that. Name yourself first.")
    offered = await independence.handlers(session, complaint.contract, complaint)
    why = next((why for user, why in offered if user.id == by.user_id), "")
    if why:
        raise Conflict(f"You must not handle this any more: {why}. Name somebody else.")


async def _tell(
    session: AsyncSession,
    contract: Contract,
    complaint: Complaint,
    words: str,
    how: str,
    by: Actor,
    now: datetime,
) -> str:
    """They get the words: sent where they wrote from, or given by the way that is named. The code
    of that way."""
    if not words.strip():
        raise InvalidInput("Write what they are told, in plain words.")
    if how != "send":
        if how not in [method.code for method in contract.methods]:
            raise InvalidInput("Choose how they were told.")
        return how
    if len(words.strip()) > cases.LONGEST_REPLY:
        raise InvalidInput(f"That is too long to send: {cases.LONGEST_REPLY:,} characters at most.")
    case = await session.get(Case, complaint.case_id) if complaint.case_id else None
    address = await cases.reply_address(session, case) if case else None
    if case is None or address is None or address.opted_out_at is not None:
        raise InvalidInput(
            "There is nowhere to send it from here: give it to them another way, and say which."
        )
    await cases.send_to_person(
        session,
        contract,
        case,
        address,
        words.strip(),
        now,
        kind=ContactKind.MESSAGE,
        by=by.user_id,
    )
    await deadlines.meet(session, case, ClockStop.HUMAN_REPLY, now, by.user_id)
    return address.channel
