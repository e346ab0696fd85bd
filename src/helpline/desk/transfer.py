"""A case goes over to another contract: a new case there, and the old one closed as transferred.

What is handed over is chosen by a person, with the reason: nothing of the old case goes along by
itself but the way to reach the person safely. Whoever they are is a claim there until somebody
confirms it, and the other contract's clocks start. Called by the tab of steps and plan. Commits
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import (
    cases,
    deadlines,
    events,
    parts,
    plans,
    safety,
    silence,
    tasks,
)
from helpline.desk.duties import interviews
from helpline.desk.holding import hold
from helpline.desk.said import in_a_line
from helpline.errors import Conflict as Refused
from helpline.errors import InvalidInput
from helpline.models import (
    Address,
    Case,
    Conflict,
    Deadline,
    Note,
    Notice,
    Person,
    Task,
    Transfer,
    User,
)
from helpline.rules.duties import NoticeState
from helpline.rules.permissions import Actor, require
from helpline.sealing import ring
from helpline.vocabulary import (
    UNKNOWN,
    CaseStatus,
    ClockStop,
    Identity,
    LinkKind,
    NoteKind,
    TaskKind,
)

TRANSFERRED: Final = "transferred"
"""The outcome of the old case."""
LONGEST_WHY = 500
MOST_NOTES = 40
"""Notes that can be chosen: more are told in the summary."""
LONGEST_SUMMARY = 20_000
GOES_OVER: Final = (
    *(ClockStop.HUMAN_REPLY, ClockStop.REFERRAL_ANSWER, ClockStop.ALLOCATION),
    ClockStop.KEPT_WORD,
    *(ClockStop.PARTNER_SEEN, ClockStop.TASK_DONE, ClockStop.REVIEWED),
)
"""What is waited for on the new case instead, or by nobody."""


@dataclass(frozen=True)
class Handed:
    """What somebody chose to hand over. `summary`: what the other side must know, in words;
    `note_ids`: notes that go along as they are."""

    why: str
    summary: str
    note_ids: Sequence[int] = ()
    with_addresses: bool = True
    with_tasks: bool = False


async def hand_over(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    to: Contract,
    handed: Handed,
    by: Actor,
    now: datetime,
) -> Case:
    """The new case under `to`. Conflict while the person waits for the first answer, others for
    word of the allegation, or an interview lies ahead: that was promised under this contract.
    InvalidInput without a reason or a summary."""
    require(by, "case.transfer", contract.key)
    require(by, "case.transfer", to.key)
    await _must_be_possible(session, contract, case, to, now)
    why = in_a_line(handed.why, LONGEST_WHY, "Say why it goes over, and who agreed to it.")
    summary = handed.summary.replace("\0", "").strip()
    if not summary:
        raise InvalidInput("Write what the other side must know.")
    if len(summary) > LONGEST_SUMMARY:
        raise InvalidInput(f"Write it shorter: {LONGEST_SUMMARY} characters are enough.")
    notes = await _chosen(session, case, handed.note_ids)
    person, addresses = await _person_there(
        session, case, to, handed.with_addresses, by.user_id, now
    )
    other = await cases.open_case(session, to, _case_there(case, to, person, now), by=by.user_id)
    await _tell(session, contract, case, other, why, summary, notes, by, now)
    if handed.with_tasks:
        await _tasks_there(session, case, other, now)
    due = await deadlines.open_due_times(session, other.id or 0)
    what = f"Tell them that {to.name} goes on with it, and what you were handed."
    due_at = due.get(ClockStop.HUMAN_REPLY) or due.get(ClockStop.REFERRAL_ANSWER)
    await tasks.give(session, other, TaskKind.GIVEN, what, None, due_at, None, now)
    await _keep_apart(session, case, other, by, now)
    await parts.link(session, other, case, LinkKind.FOLLOWS, why, by, now)
    session.add(
        Transfer(
            from_case_id=case.id or 0,
            to_case_id=other.id or 0,
            from_contract=contract.key,
            to_contract=to.key,
            why=why,
            summary=summary,
            notes_handed=len(notes),
            addresses_handed=addresses,
            at=now,
            by_user_id=by.user_id,
        )
    )
    await session.flush()
    await _close(session, case, to, by, now)
    return other


async def of_case(session: AsyncSession, case_id: int) -> Transfer | None:
    """How this case came from, or went to, another contract."""
    return await session.scalar(
        select(Transfer).where(
            (col(Transfer.from_case_id) == case_id) | (col(Transfer.to_case_id) == case_id)
        )
    )


async def notes_to_choose(session: AsyncSession, case_id: int) -> Sequence[Note]:
    """The latest notes of a case, oldest first: what may go along."""
    found = await session.scalars(
        select(Note)
        .where(col(Note.case_id) == case_id)
        .order_by(col(Note.id).desc())
        .limit(MOST_NOTES)
    )
    return list(found.all())[::-1]


async def _must_be_possible(
    session: AsyncSession, contract: Contract, case: Case, to: Contract, now: datetime
) -> None:
    if to.key == contract.key:
        raise InvalidInput("Choose another contract.")
    if case.status != CaseStatus.OPEN:
        raise Refused("This case is closed. Open it again first.")
    if to.term.after_end == "refuse" and to.term.last_day < to.days.day_of(now):
        raise InvalidInput(f"{to.name} has ended and takes no new cases.")
    await hold(session, case)
    if await session.scalar(select(col(Transfer.id)).where(col(Transfer.from_case_id) == case.id)):
        raise Refused("This case went over to another contract before.")
    due = await deadlines.open_due_times(session, case.id or 0)
    if ClockStop.HUMAN_REPLY in due or ClockStop.REFERRAL_ANSWER in due:
        raise Refused("They still wait for an answer. Answer them first, and say what you plan.")
    await _nobody_else_waits(session, case)


async def _nobody_else_waits(session: AsyncSession, case: Case) -> None:
    """What an allegation made us owe to others was promised under this contract, and nobody over
    there could find it."""
    unsent = select(col(Notice.id)).where(
        col(Notice.case_id) == case.id,
        col(Notice.state) == NoticeState.OWED,
        col(Notice.deadline_id).is_not(None),
    )
    if await session.scalar(unsent.limit(1)) is not None:
        raise Refused(
            "Others are still owed word because of the allegation. Tell them, or have it signed "
            "that it is not sent, on the page Duties."
        )
    if any(one.has_attended is None for one in await interviews.of_case(session, case.id or 0)):
        raise Refused(
            "An interview with the police is written down here. On the page Duties say how it "
            "went, or that there is none, before the case goes over."
        )


async def _chosen(session: AsyncSession, case: Case, note_ids: Sequence[int]) -> Sequence[Note]:
    """The notes with these ids; one of another case is none of them."""
    if not note_ids:
        return []
    found = await session.scalars(
        select(Note)
        .where(col(Note.case_id) == case.id, col(Note.id).in_(note_ids))
        .order_by(col(Note.id))
    )
    return found.all()


async def _person_there(
    session: AsyncSession,
    case: Case,
    to: Contract,
    with_addresses: bool,
    by_id: int,
    now: datetime,
) -> tuple[Person, int]:
    """Somebody there with one of their addresses is taken for them; otherwise they are written
    down anew, by name and with what keeps them safe."""
    here = await session.get(Person, case.person_id)
    assert here is not None
    addresses = (
        await session.scalars(select(Address).where(col(Address.person_id) == here.id))
    ).all()
    known, new = None, []
    for address in addresses if with_addresses else ():
        there = await session.scalar(
            select(Address).where(
                col(Address.contract) == to.key,
                col(Address.channel) == address.channel,
                col(Address.value_index).in_(
                    ring().indexes(f"address:{address.channel}", address.value)
                ),
            )
        )
        known = known or there
        if there is None:
            new.append(address)
    person = await session.get(Person, known.person_id) if known is not None else None
    if person is None:
        person = Person(
            contract=to.key,
            name=here.name,
            group=here.group if here.group in {one.code for one in to.groups} else UNKNOWN,
            language=here.language,
            created_at=now,
        )
        session.add(person)
        await session.flush()
    for address in new:
        _copy_address(session, address, person, to)
    await session.flush()
    rules = await safety.stricter_of(session, person.id or 0, here.id or 0)
    await safety.hold_to(session, person.id or 0, rules, by_id, now)  # whatever was chosen
    return person, len(new)


def _copy_address(session: AsyncSession, address: Address, person: Person, to: Contract) -> None:
    session.add(
        Address(
            person_id=person.id or 0,
            contract=to.key,
            channel=address.channel,
            value=address.value,
            value_index=ring().index(f"address:{address.channel}", address.value),
            opted_out_at=address.opted_out_at,  # a no to the network holds whoever asks
            bad_since=address.bad_since,
        )
    )


async def _keep_apart(
    session: AsyncSession, case: Case, other: Case, by: Actor, now: datetime
) -> None:
    """Who is shut out of the old case is shut out of the new one; its walls stand there too."""
    held = select(Conflict).where(
        col(Conflict.case_id) == case.id, col(Conflict.ended_at).is_(None)
    )
    for row in (await session.scalars(held)).all():
        session.add(
            Conflict(
                case_id=other.id or 0,
                user_id=row.user_id,
                kind=row.kind,
                why=row.why,
                since=row.since,
                by_user_id=by.user_id,
            )
        )
    for link in await parts.linked(session, case.id or 0):
        across = await session.get(Case, link.there) if link.kind == LinkKind.SIDES else None
        if across is not None:
            await parts.link(session, other, across, LinkKind.SIDES, link.why or "", by, now)


def _case_there(case: Case, to: Contract, person: Person, now: datetime) -> Case:
    methods = {one.code for one in to.methods}
    return Case(
        reference="",
        contract=to.key,
        person_id=person.id or 0,
        kind=case.kind,
        identity=Identity.CLAIMED,
        urgency=case.urgency,
        reason=case.reason if case.reason in {one.code for one in to.reasons} else UNKNOWN,
        reason_from="worker",
        group=person.group,
        method=case.method if case.method in methods else to.method_for("handed over"),
        opened_at=now,
    )


async def _tell(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    other: Case,
    why: str,
    summary: str,
    notes: Sequence[Note],
    by: Actor,
    now: datetime,
) -> None:
    """What the new case is told, as notes: the summary, the decision, and what was chosen."""
    decision = f"Taken over from {contract.name}, {case.reference}."
    for kind, body, reason in (
        (NoteKind.FACT, summary, None),
        (NoteKind.DECISION, decision, why),
    ):
        session.add(
            Note(
                case_id=other.id or 0,
                kind=kind,
                body=body,
                reason=reason,
                happened_at=now,
                written_at=now,
                by_user_id=by.user_id,
            )
        )
    for note in notes:
        session.add(
            Note(
                case_id=other.id or 0,
                kind=note.kind,
                body=note.body,
                reason=note.reason,
                whose=note.whose,
                happened_at=note.happened_at,
                written_at=note.written_at,
                by_user_id=note.by_user_id,
            )
        )
    await session.flush()


async def _tasks_there(session: AsyncSession, case: Case, other: Case, now: datetime) -> None:
    """What is still to be done, given again; an owner who does not work there is none."""
    open_tasks = await session.scalars(
        select(Task).where(
            col(Task.case_id) == case.id,
            col(Task.done_at).is_(None),
            col(Task.what).is_not(None),
        )
    )
    for task in open_tasks.all():
        owner = await session.get(User, task.owner_id) if task.owner_id else None
        stays = owner is not None and owner.contract in (None, other.contract)
        owner_id = owner.id if owner is not None and stays else None
        due_at = task.due_at if task.due_at and task.due_at > now else None
        await tasks.give(session, other, task.kind, task.what or "", owner_id, due_at, None, now)


async def _close(session: AsyncSession, case: Case, to: Contract, by: Actor, now: datetime) -> None:
    """The old case ends without an exit: support goes on."""
    for task in (
        await session.scalars(
            select(Task).where(col(Task.case_id) == case.id, col(Task.done_at).is_(None))
        )
    ).all():
        task.dropped_at = now
        await tasks.settle(session, task, by, now, is_dropped=True)
    await plans.end(session, case, by, now)
    await silence.end_by_closing(session, case, by, now)
    await _end_clocks(session, case, now)
    case.status, case.closed_at, case.closed_by_id = CaseStatus.CLOSED, now, by.user_id
    case.outcome = TRANSFERRED
    await session.flush()
    for event, detail in (
        ("case.transferred", {"to": to.key}),
        ("case.closed", {"outcome": TRANSFERRED, "supports": []}),
    ):
        line = events.line(
            event, now, contract=case.contract, case_id=case.id, by=by.user_id, **detail
        )
        await events.record_all(session, [line])


async def _end_clocks(session: AsyncSession, case: Case, now: datetime) -> None:
    """What the other contract promises anew ends here; what is owed to others, and the dates that
    somebody set us, run on as they do when a case is closed."""
    which = (col(Deadline.case_id) == case.id, col(Deadline.stops).in_(GOES_OVER))
    await deadlines.end(session, now, *which, is_kept=False)
    await deadlines.refresh_next_due(session, case)
