"""Word that is owed to others because of an allegation: sent, or left unsent with a signed reason
(P01, P02, N02). The wait for its answer is in answers beside this.

Which notices a contract owes, by when and who may sign that one is not sent, is data. Called by
desk/allegations when an allegation begins, by desk/duties/outcomes and by the page /duties.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.parts import Notice
from helpline.desk import deadlines, events
from helpline.desk.duties import answers, dates
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotAllowed
from helpline.models import Allegation, Case, Deadline, NoticeStep, User
from helpline.models import Notice as Row
from helpline.rules.duties import OUR_LEAD, NoticeState, SentHow
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import ClockStart, Role

LONGEST_NAME = 160
LONGEST_WHY = 1000
MOST_ON_A_CASE = 100
PASSED_ON = "passed_on"
"""The kind of a word that no contract owes."""
SIGNERS = {
    "worker": (Role.WORKER, Role.LEAD, Role.SAFEGUARDING),
    "lead": (Role.LEAD, Role.SAFEGUARDING),
    "safeguarding": (Role.SAFEGUARDING,),
}


@dataclass(frozen=True)
class Sent:
    """One telling: by whom of us or of others, to whom, how, when, and the copy that is kept."""

    how: str
    to: str
    words: str
    at: datetime
    recipient: str = ""
    """Which authority, where that differs."""
    said: tuple[str, ...] = ()
    """What was said on each point that the contract wants in it, in its order (P01)."""


@dataclass(frozen=True)
class Shown:
    """A notice with its date and the tries to get an answer, for the page."""

    row: Row
    terms: Notice | None
    deadline: Deadline | None
    steps: Sequence[tuple[NoticeStep, Deadline | None]]
    by: str | None
    """Who sent it or signed that it is not."""

    @property
    def due_at(self) -> datetime | None:
        """When the next thing about it is due; None where nothing is."""
        if self.row.state == NoticeState.OWED:
            return self.deadline.due_at if self.deadline else None
        waiting = self.waiting
        return waiting[1].due_at if waiting and waiting[1] else None

    @property
    def waiting(self) -> tuple[NoticeStep, Deadline | None] | None:
        """The step that waits for an answer."""
        if self.row.answered_at is not None:
            return None
        return next((one for one in self.steps if one[0].done_at is None), None)


async def owe(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    allegation: Allegation,
    since: datetime,
) -> None:
    """What is owed because of `allegation` runs from `since`: every clock that an allegation
    begins, and a notice for each that the contract owes. Some are owed only where a certain kind
    of person made it (D19)."""
    owed = [
        one
        for one in contract.notices
        if not one.only_alleged_by or allegation.made_by in one.only_alleged_by
    ]
    named = {one.clock for one in contract.notices}
    for clock in contract.clocks_for(ClockStart.ALLEGATION, case.urgency, case.reason):
        for terms in (one for one in owed if one.clock == clock.code):
            deadline = await dates.start_clock(session, contract, case, clock, since)
            session.add(_new(contract, case, allegation, terms, since, deadline.id))
        if clock.code not in named:
            await dates.start_clock(session, contract, case, clock, since)
    await session.flush()
    await deadlines.refresh_next_due(session, case)


def _new(
    contract: Contract,
    case: Case,
    allegation: Allegation,
    terms: Notice,
    since: datetime,
    deadline_id: int | None,
) -> Row:
    return Row(
        contract=contract.key,
        case_id=case.id or 0,
        allegation_id=allegation.id,
        kind=terms.code,
        begun_at=since,
        deadline_id=deadline_id,
    )


async def of_case(session: AsyncSession, contract: Contract, case_id: int) -> list[Shown]:
    """Every notice of a case, what is due next first; what is settled last."""
    rows = list(
        await session.execute(
            select(Row, User.shown_name)  # type: ignore[call-overload]
            .outerjoin(
                User,
                (col(User.id) == col(Row.sent_by_id)) | (col(User.id) == col(Row.settled_by_id)),
            )
            .where(col(Row.case_id) == case_id)
            .order_by(col(Row.id))
        )
    )
    steps = await answers.steps_of(session, [row.id or 0 for row, _ in rows])
    known = await dates.of(
        session,
        [row.deadline_id for row, _ in rows]
        + [step.deadline_id for listed in steps.values() for step in listed],
    )
    terms = {one.code: one for one in contract.notices}
    shown = [
        Shown(
            row,
            terms.get(row.kind),
            known.get(row.deadline_id or 0),
            [(step, known.get(step.deadline_id or 0)) for step in steps.get(row.id or 0, [])],
            by,
        )
        for row, by in rows
    ]
    return sorted(shown, key=_order)


def _order(one: Shown) -> tuple[int, float, int]:
    due = one.due_at
    if one.row.state == NoticeState.OWED:
        return (0 if due else 2, due.timestamp() if due else 0, one.row.id or 0)
    return (1 if due else 3, due.timestamp() if due else 0, one.row.id or 0)


async def send(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    notice_id: int,
    sent: Sent,
    by: Actor,
    now: datetime,
) -> Row:
    """They were told: the deadline is met at that time, the copy is kept, and where an answer is
    waited for its time begins. The second word, of how it ended, is owed from now on (P01)."""
    require(by, "duty.write", case.contract)
    row = await answers.find(session, case, notice_id)
    terms = _terms(contract, row)
    if row.state == NoticeState.SENT:
        raise Conflict("It is written down already that they were told.")
    if sent.how not in list(SentHow):
        raise InvalidInput("Choose how they were told.")
    if sent.at > now:
        raise InvalidInput("That time is still to come: give when they were told.")
    knew = await _aware_at(session, row) - timedelta(minutes=1)  # the field has whole minutes
    if sent.at < knew and sent.how != SentHow.BY_OTHERS and not row.is_outcome:
        raise InvalidInput("That time is before we knew of it: give when they were told.")
    row.sent_to = in_a_line(sent.to, LONGEST_NAME, "Say who was told: a name or a post there.")
    row.words = answers.kept_copy(_points(terms, row, sent))
    row.recipient = in_a_line(sent.recipient, LONGEST_NAME) or row.recipient
    if terms is not None and terms.asks_authority and not row.recipient:
        raise InvalidInput("Say which authority was told.")
    row.state, row.sent_at, row.sent_how = NoticeState.SENT, sent.at, sent.how
    row.sent_by_id, row.settled_by_id, row.why_not = by.user_id, None, None
    await session.flush()
    await dates.settle(session, case, row.deadline_id, max(sent.at, row.begun_at), by)
    await events.on_case(
        session, "notice.sent", case, now, by, notice=row.id, of=row.kind, how=sent.how
    )
    if terms is not None and not row.is_outcome:
        await _follow(session, contract, case, row, terms, sent.at, now)
    return row


async def _aware_at(session: AsyncSession, row: Row) -> datetime:
    """When we knew of what they are told: long before its time began to run, where it was called an
    allegation only later."""
    about = await session.get(Allegation, row.allegation_id) if row.allegation_id else None
    return min(row.begun_at, about.aware_at) if about is not None else row.begun_at


def _points(terms: Notice | None, row: Row, sent: Sent) -> str:
    """The copy, each point under its name. What others have sent is kept as they told us of it."""
    if terms is None or row.is_outcome or sent.how == SentHow.BY_OTHERS:
        return sent.words
    said = [text.strip() for text in sent.said] + [""] * len(terms.must_say)
    for point, text in zip(terms.must_say, said, strict=False):
        if not text:
            raise InvalidInput(f"Write also: {point}.")
    points = [f"{point}: {text}" for point, text in zip(terms.must_say, said, strict=False)]
    return "\n\n".join([*points, *([sent.words] if sent.words.strip() else [])])


async def pass_on(
    session: AsyncSession, case: Case, sent: Sent, why: str, by: Actor, now: datetime
) -> Row:
    """Somebody whom no notice names was told, because of danger or a crime: to whom, why, when and
    what stay on record (K14). Nothing follows from it."""
    require(by, "duty.write", case.contract)
    if sent.how not in list(SentHow):
        raise InvalidInput("Choose how they were told.")
    if sent.at > now:
        raise InvalidInput("That time is still to come: give when they were told.")
    if len(await _kinds(session, case)) >= MOST_ON_A_CASE:
        raise InvalidInput("That is more than a case can hold. Write a note instead.")
    reason = in_a_line(
        why, LONGEST_WHY, "Say why it was passed on without waiting for their leave."
    )
    row = Row(
        contract=case.contract,
        case_id=case.id or 0,
        kind=PASSED_ON,
        state=NoticeState.SENT,
        begun_at=sent.at,
        sent_at=sent.at,
        sent_by_id=by.user_id,
        sent_how=sent.how,
        sent_to=in_a_line(sent.to, LONGEST_NAME, "Say who was told: a name or a post there."),
        words=f"Why: {reason}\n\n{answers.kept_copy(sent.words)}",
    )
    session.add(row)
    await session.flush()
    await events.on_case(
        session, "notice.sent", case, now, by, notice=row.id, of=row.kind, how=sent.how
    )
    return row


async def _kinds(session: AsyncSession, case: Case) -> Sequence[str]:
    rows = await session.scalars(select(col(Row.kind)).where(col(Row.case_id) == case.id))
    return rows.all()


async def _follow(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    row: Row,
    terms: Notice,
    at: datetime,
    now: datetime,
) -> None:
    """What a sent notice begins: the wait for its answer, and the word of how it ends."""
    if terms.answer_clock:
        await answers.wait_for(session, contract, case, row, terms, 1, at)
    if terms.outcome_clock:
        await _owe_outcome(session, case, row, now)


async def _owe_outcome(session: AsyncSession, case: Case, row: Row, now: datetime) -> None:
    held = await session.scalar(select(col(Row.id)).where(col(Row.follows_id) == row.id))
    if held is None:
        session.add(
            Row(
                contract=row.contract,
                case_id=case.id or 0,
                allegation_id=row.allegation_id,
                kind=row.kind,
                is_outcome=True,
                follows_id=row.id,
                recipient=row.recipient,
                begun_at=now,
            )
        )
        await session.flush()


async def read_by_lead(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """Our safeguarding lead has opened the case, and so knows: nobody is asked to tell them."""
    if by.role is not Role.SAFEGUARDING:
        return
    rows = await session.scalars(
        select(Row).where(
            col(Row.case_id) == case.id,
            col(Row.kind) == OUR_LEAD,
            col(Row.state) == NoticeState.OWED,
        )
    )
    for row in list(rows):
        row.state, row.sent_at, row.sent_how = NoticeState.SENT, now, SentHow.READ_HERE
        row.sent_by_id, row.sent_to = by.user_id, by.name
        await session.flush()
        await dates.settle(session, case, row.deadline_id, now, by)
        how = SentHow.READ_HERE
        await events.on_case(
            session, "notice.sent", case, now, by, notice=row.id, of=row.kind, how=how
        )


async def withhold(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    notice_id: int,
    why: str,
    by: Actor,
    now: datetime,
) -> Row:
    """It is not sent, and whoever may decide that signs the reason: for the LADO the safeguarding
    lead alone (P02). NotAllowed says who may."""
    require(by, "duty.write", case.contract)
    row = await answers.find(session, case, notice_id)
    terms = _terms(contract, row)
    signers = SIGNERS[terms.not_sent_signed_by if terms else "lead"]
    if by.role not in signers:
        who = "the safeguarding lead" if Role.LEAD not in signers else "a team lead"
        raise NotAllowed(f"Only {who} may sign that this is not sent. Ask them, or send it.")
    if row.state != NoticeState.OWED:
        raise Conflict("It is settled already: sent, or signed that it is not.")
    row.why_not = in_a_line(why, LONGEST_WHY, "Say why it is not sent. Your name stands under it.")
    row.state, row.settled_at, row.settled_by_id = NoticeState.NOT_SENT, now, by.user_id
    await session.flush()
    await dates.settle(session, case, row.deadline_id, now, by)
    await events.on_case(session, "notice.withheld", case, now, by, notice=row.id, of=row.kind)
    return row


async def outcome_known(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    allegation_id: int | None,
    at: datetime,
) -> None:
    """Somebody told us how it ended: the word of it, where one is owed, has a time from now."""
    rows = await session.scalars(
        select(Row).where(
            col(Row.case_id) == case.id,
            col(Row.is_outcome),
            col(Row.state) == NoticeState.OWED,
            col(Row.deadline_id).is_(None),
            col(Row.allegation_id) == allegation_id,
        )
    )
    for row in list(rows):
        terms = _terms(contract, row)
        clock = contract.find_clock(terms.outcome_clock or "") if terms else None
        if clock is not None:
            row.deadline_id = (await dates.start_clock(session, contract, case, clock, at)).id
            row.begun_at = at
    await session.flush()


def _terms(contract: Contract, row: Row) -> Notice | None:
    return next((one for one in contract.notices if one.code == row.kind), None)
