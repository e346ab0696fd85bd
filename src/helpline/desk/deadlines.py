"""Promises with a time on them: made at receipt, met by people, watched by the tick.

A deadline is a row and the database the only truth for time. An automatic reply never meets one
(design.md §4.5), closing a case meets none, and a met one is never written again. Every clock
ends in `end`, and one that is late by then stays late.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Clock, Contract
from helpline.desk import escalation, events
from helpline.models import Case, Deadline, metadata
from helpline.rules import clocks
from helpline.vocabulary import (
    UNKNOWN,
    CaseKind,
    ClockStart,
    ClockStop,
    DeadlineState,
    Unit,
    Urgency,
)

PROMISED = clocks.Terms(clocks.Limit(0, Unit.AT_ONCE), warn_before_hours=(0.25,))
"""Of a promise of a worker, and of a clock that its contract no longer has: a quarter of an hour
before, then when it is due."""
TASKS = clocks.Terms(clocks.Limit(0, Unit.AT_ONCE), warn_before_hours=(24,))
"""Of a task and of a plan's review: a day before, then when it is due."""
REPORTS = clocks.Terms(clocks.Limit(0, Unit.AT_ONCE), warn_before_hours=(120, 24))
"""Of a report that is owed: five days and a day before, then when it is due."""
WORK = (ClockStart.TASK, ClockStart.REVIEW, ClockStart.PARTNER_ASKED)
"""Clocks of work that waits, also for a partner: they speak for themselves and climb to the support
worker and a lead, never to whoever is on call."""
DEADLINE = metadata.tables["deadline"]
NEW = insert(DEADLINE).execution_options(autoflush=False)
DUE_TIMES = (
    select(DEADLINE.c.stops, DEADLINE.c.due_at)
    .where(DEADLINE.c.case_id == bindparam("case"), DEADLINE.c.state == DeadlineState.OPEN)
    .order_by(DEADLINE.c.due_at.desc())
    .execution_options(autoflush=False)  # deadlines are never written late, so nothing need be sent
)
ANSWERED = (
    update(DEADLINE)
    .where(
        DEADLINE.c.case_id == bindparam("case"),
        DEADLINE.c.stops == ClockStop.HUMAN_REPLY,
        DEADLINE.c.state == DeadlineState.OPEN,
        DEADLINE.c.answered_automatically_at.is_(None),
    )
    .values(answered_automatically_at=bindparam("now"))
    .execution_options(autoflush=False)
)


async def open_for(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    started_at: datetime,
    stops: Iterable[ClockStop] = tuple(ClockStop),
    start: ClockStart = ClockStart.RECEIPT,
    *,
    again: bool = False,
) -> None:
    """Start the contract's clocks that `start` begins for this case and that end with one of
    `stops`. `started_at`: the instant of receipt, or of whatever began it; for a meeting its own
    time. `again`: the case was closed and is taken up anew, so only the clocks that the contract
    restarts then. The row keeps the instants: a later change of the contract moves none of them."""
    begun = [
        clock
        for clock in contract.clocks_for(start, case.urgency, case.reason, case.kind)
        if clock.stops in stops and not (again and clock.reopening == "keep")
    ]
    started = [
        row_of(contract, clock, started_at) | {"case_id": case.id, "item_id": None}
        for clock in begun
    ]
    if started:
        await session.execute(NEW, started)
        earliest = min(row["due_at"] for row in started)
        case.next_due_at = min(case.next_due_at or earliest, earliest)


def first_due(
    contract: Contract,
    started_at: datetime,
    stops: Iterable[ClockStop] = tuple(ClockStop),
    urgency: str = Urgency.STANDARD,
    reason: str = UNKNOWN,
    kind: str = CaseKind.ADVICE,
) -> datetime | None:
    """When the first of the clocks that receipt begins, and one of `stops` ends, is due."""
    begun = contract.clocks_for(ClockStart.RECEIPT, urgency, reason, kind)
    return min(
        (contract.plan(clock, started_at).due_at for clock in begun if clock.stops in stops),
        default=None,
    )


@dataclass(frozen=True)
class Ended:
    """A clock that ended just now. `case_id` None: the tray's or a register's."""

    id: int | None
    case_id: int | None
    contract: str
    clock: str
    starts: str
    due_at: datetime
    owner_id: int | None
    state: DeadlineState


async def end(
    session: AsyncSession,
    at: datetime,
    *which: ColumnElement[bool],
    is_kept: bool,
    by: int | None = None,
) -> list[Ended]:
    """End those of the open deadlines that fit `which`, and what is asked about them: the one place
    where a clock ends. `is_kept`: what it waits for has happened at `at`, in time or late. If not,
    nobody waits for it any more: it is cancelled, but one that is late by now is broken for ever
    and only asks nobody again. Doing it twice changes nothing."""
    if is_kept:
        ended = await _write_end(session, which, DeadlineState.MET, at, by)
    else:
        late = await _write_end(
            session, (*which, col(Deadline.due_at) < at), DeadlineState.LAPSED, None, None
        )
        ended = late + await _write_end(session, which, DeadlineState.CANCELLED, None, None)
    for one in ended:
        await _ask_no_more(session, one, at)
    return ended


async def _write_end(
    session: AsyncSession,
    which: Sequence[ColumnElement[bool]],
    state: DeadlineState,
    met_at: datetime | None,
    by: int | None,
) -> list[Ended]:
    rows = await session.execute(
        update(Deadline)
        .where(*which, col(Deadline.state) == DeadlineState.OPEN)
        .values(state=state, met_at=met_at, met_by_id=by, next_alert_at=None)
        .returning(
            col(Deadline.id),
            col(Deadline.case_id),
            col(Deadline.contract),
            col(Deadline.clock),
            col(Deadline.starts),
            col(Deadline.due_at),
            col(Deadline.owner_id),
        )
    )
    return [Ended(*row, state=state) for row in rows]


async def _ask_no_more(session: AsyncSession, ended: Ended, at: datetime) -> None:
    """A deadline that ended asks nobody any more, unless its alert speaks for another one too
    (due.about): then that one goes on asking."""
    other = None
    if ended.case_id is not None and ended.owner_id is None and ended.starts not in WORK:
        other = await session.scalar(
            select(col(Deadline.id))
            .where(
                col(Deadline.case_id) == ended.case_id,
                col(Deadline.due_at) == ended.due_at,
                col(Deadline.state) == DeadlineState.OPEN,
                col(Deadline.owner_id).is_(None),
                col(Deadline.starts).not_in(WORK),
            )
            .limit(1)
        )
    if other is not None:
        await escalation.hand_over(session, ended.id or 0, other)
    else:
        await escalation.end_for_deadline(session, ended.id or 0, at)


async def was_broken_before(session: AsyncSession, deadline_id: int) -> bool:
    """Whether another promise of the same wait (the same act on the same case, from the same
    instant) was due before this one and not kept."""
    this, other = DEADLINE, DEADLINE.alias("other")
    is_earlier = (other.c.due_at < this.c.due_at) | (
        (other.c.due_at == this.c.due_at) & (other.c.id < this.c.id)
    )
    query = (
        select(other.c.id)
        .join(this, this.c.case_id == other.c.case_id)
        .where(
            this.c.id == deadline_id,
            other.c.stops == this.c.stops,
            other.c.started_at == this.c.started_at,
            other.c.state.in_((DeadlineState.OPEN, DeadlineState.LAPSED)),
            is_earlier,
        )
    )
    return await session.scalar(query.limit(1)) is not None


async def note_ended(
    session: AsyncSession, ended: Sequence[Ended], at: datetime, by: int | None
) -> None:
    """Say of each how it ended: met, and whether in time; cancelled; or lapsed."""
    for one in ended:
        is_met = one.state is DeadlineState.MET
        await events.record(
            session,
            f"deadline.{one.state}",
            at,
            contract=one.contract,
            case_id=one.case_id,
            by=by,
            clock=one.clock,
            **({"in_time": at <= one.due_at} if is_met else {"due_at": one.due_at.isoformat()}),
        )


async def meet(
    session: AsyncSession, case: Case, stop: ClockStop, at: datetime, by: int | None
) -> int:
    """What `stop` waits for has happened at `at`: settle the open deadlines it ends, say whether in
    time, and end their alerts. Returns how many there were; doing it twice changes nothing."""
    which = (col(Deadline.case_id) == case.id, col(Deadline.stops) == stop)
    met = await end(session, at, *which, is_kept=True, by=by)
    await note_ended(session, met, at, by)
    if met:
        await refresh_next_due(session, case)
    return len(met)


async def refresh_next_due(session: AsyncSession, case: Case) -> None:
    """Keep the case's earliest open deadline: the inbox is ordered by it."""
    case.next_due_at = await session.scalar(
        select(func.min(col(Deadline.due_at))).where(
            col(Deadline.case_id) == case.id, col(Deadline.state) == DeadlineState.OPEN
        )
    )
    await session.flush()


async def open_for_tray(
    session: AsyncSession, contract: Contract, item_id: int, started_at: datetime
) -> None:
    """What could not be read is owed an answer just the same: its clock runs from receipt."""
    started = [
        row_of(contract, clock, started_at) | {"case_id": None, "item_id": item_id}
        for clock in contract.clocks_for(ClockStart.RECEIPT, Urgency.STANDARD, UNKNOWN)
        if clock.stops is ClockStop.HUMAN_REPLY
    ]
    if started:
        await session.execute(NEW, started)


async def reconsider(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    now: datetime,
    *,
    since: datetime | None = None,
) -> None:
    """The case's reason, urgency or contract has changed: of the clocks that receipt began, those
    that no longer run are cancelled, those whose time is another now are replaced, and those that
    run now begin, at `since` (the message that changed it) or with the case's other clocks. What
    was met or missed stays as it is, and what was cancelled stays to be read."""
    running = {
        clock.code: clock
        for clock in contract.clocks_for(ClockStart.RECEIPT, case.urgency, case.reason, case.kind)
    }
    rows = await _receipt_rows(session, case)
    settled, began, cancelled = set(), dict[str, datetime](), dict[str, datetime]()
    awaited = dict[str, bool]()
    for row in rows:
        began[row.stops], awaited[row.stops] = row.started_at, row.state != DeadlineState.MET
        if (
            row.state == DeadlineState.MET
            or now > row.due_at
            or _still(contract, running.get(row.clock), row)
        ):
            settled.add(row.clock)
        else:
            cancelled[row.clock] = row.started_at
            over = await end(session, now, col(Deadline.id) == row.id, is_kept=False)
            await note_ended(session, over, now, None)
    started = []
    for code, clock in running.items():
        if code not in settled and awaited.get(clock.stops, True):
            start = cancelled.get(code) or since or began.get(clock.stops, case.opened_at)
            ids = {"case_id": case.id, "item_id": None}
            started.append(row_of(contract, clock, start) | ids)
    if started:
        await session.execute(NEW, started)
        for new in started:
            await events.record(
                session,
                "deadline.started",
                now,
                contract=contract.key,
                case_id=case.id,
                clock=new["clock"],
                due_at=new["due_at"].isoformat(),
            )
    await refresh_next_due(session, case)


async def _receipt_rows(session: AsyncSession, case: Case) -> Sequence[Deadline]:
    """The case's deadlines that a receipt began and nothing cancelled, the oldest first."""
    found = await session.scalars(
        select(Deadline)
        .where(
            col(Deadline.case_id) == case.id,
            col(Deadline.starts) == ClockStart.RECEIPT,
            col(Deadline.state) != DeadlineState.CANCELLED,
        )
        .order_by(col(Deadline.started_at), col(Deadline.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


def _still(contract: Contract, clock: Clock | None, row: Deadline) -> bool:
    """Whether an open deadline is what its clock says today."""
    return (
        clock is not None
        and row.contract == contract.key
        and contract.plan(clock, row.started_at).due_at == row.due_at
    )


async def cancel_begun_by(
    session: AsyncSession, case: Case, start: ClockStart, now: datetime
) -> None:
    """What began these clocks was not so: the open ones end, and stay to be read."""
    which = (col(Deadline.case_id) == case.id, col(Deadline.starts) == start)
    over = await end(session, now, *which, is_kept=False)
    await note_ended(session, over, now, None)
    await refresh_next_due(session, case)


def row_of(contract: Contract, clock: Clock, started_at: datetime) -> dict[str, Any]:
    """The row of a clock that began to run at `started_at`, but for what it is about."""
    plan = contract.plan(clock, started_at)
    moments = clocks.moments(clock.terms, started_at, plan.due_at, plan.target_at)
    return {
        "contract": contract.key,
        "clock": clock.code,
        "starts": clock.starts,
        "stops": clock.stops,
        "started_at": started_at,
        "due_at": plan.due_at,
        "target_at": plan.target_at,
        "is_certain": plan.is_certain,
        "state": DeadlineState.OPEN,
        "next_alert_at": moments[0].at,
    }


async def plan_again(
    session: AsyncSession, contract: Contract, now: datetime, limit: int = 500
) -> int:
    """The table of bank holidays has grown: open deadlines that reached beyond it, and are not due
    yet, get their true time. Returns how many became certain."""
    rows = await session.scalars(
        select(Deadline)
        .where(
            col(Deadline.contract) == contract.key,
            # The index of these few rows is found by its very words.
            col(Deadline.state) == literal(DeadlineState.OPEN.value, literal_execute=True),
            ~col(Deadline.is_certain),
            col(Deadline.due_at) > now,
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    done = 0
    for row in rows.all():
        clock = contract.find_clock(row.clock)
        plan = contract.plan(clock, row.started_at) if clock is not None else None
        if clock is None or plan is None or not plan.is_certain:
            continue
        moments = clocks.moments(clock.terms, row.started_at, plan.due_at, plan.target_at)
        row.due_at, row.target_at, row.is_certain = plan.due_at, plan.target_at, True
        row.next_alert_at = clocks.next_after(moments, now)
        await session.flush()
        case = await session.get(Case, row.case_id) if row.case_id else None
        if case is not None:
            await refresh_next_due(session, case)
        await events.record(
            session,
            "deadline.planned_again",
            now,
            contract=contract.key,
            case_id=row.case_id,
            clock=row.clock,
            due_at=row.due_at.isoformat(),
        )
        done += 1
    return done


async def meet_for_tray(session: AsyncSession, item_id: int, at: datetime, by: int | None) -> None:
    """A person has dealt with the tray entry, or it was routed after all."""
    await end(session, at, col(Deadline.item_id) == item_id, is_kept=True, by=by)


async def note_automatic_reply(session: AsyncSession, case_id: int, at: datetime) -> None:
    """Both instants are kept, the human one counts (D1)."""
    await session.execute(ANSWERED, {"case": case_id, "now": at})


async def open_due_times(session: AsyncSession, case_id: int) -> dict[str, datetime]:
    """What stops it → when it is due, for the open deadlines of a case."""
    rows = await session.execute(DUE_TIMES, {"case": case_id})
    return dict(rows.all())
