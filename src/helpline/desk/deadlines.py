"""Promises with a time on them: made at receipt, met by people, watched by the tick.

A deadline is a row and the database the only truth for time. An automatic reply never meets one
(design.md §4.5), closing a case meets none, and a met one is never written again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Clock, Contract
from helpline.desk import escalation, events
from helpline.models import Case, Complaint, Deadline, Incident, metadata
from helpline.rules import clocks
from helpline.vocabulary import (
    UNKNOWN,
    AlertKind,
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


LOOK_NEXT = (
    update(DEADLINE)
    .where(DEADLINE.c.id == bindparam("deadline"))
    .values(next_alert_at=bindparam("next_look"))
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


async def meet(
    session: AsyncSession, case: Case, stop: ClockStop, at: datetime, by: int | None
) -> int:
    """What `stop` waits for has happened at `at`: settle the open deadlines it ends, say whether in
    time, and end their alerts. Returns how many there were; doing it twice changes nothing."""
    met = (
        await session.execute(
            update(Deadline)
            .where(
                col(Deadline.case_id) == case.id,
                col(Deadline.stops) == stop,
                col(Deadline.state) == DeadlineState.OPEN,
            )
            .values(state=DeadlineState.MET, met_at=at, met_by_id=by, next_alert_at=None)
            .returning(col(Deadline.id), col(Deadline.clock), col(Deadline.due_at))
        )
    ).all()
    for deadline_id, clock, due in met:
        assert deadline_id is not None
        await _settle_alerts(session, case, deadline_id, due, at)
        await events.record(
            session,
            "deadline.met",
            at,
            contract=case.contract,
            case_id=case.id,
            by=by,
            clock=clock,
            in_time=at <= due,
        )
    if met:
        await refresh_next_due(session, case)
    return len(met)


async def _settle_alerts(
    session: AsyncSession, case: Case, deadline_id: int, due: datetime, at: datetime
) -> None:
    """A met deadline asks nobody any more, unless its alert speaks for another one too (_about):
    then that one goes on asking."""
    other = await session.scalar(
        select(col(Deadline.id))
        .where(
            col(Deadline.case_id) == case.id,
            col(Deadline.due_at) == due,
            col(Deadline.state) == DeadlineState.OPEN,
            col(Deadline.starts).not_in(WORK),
        )
        .limit(1)
    )
    if other is not None:
        await escalation.hand_over(session, deadline_id, other)
    else:
        await escalation.end_for_deadline(session, deadline_id, at)


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
            await _cancel(session, case, row, now)
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
    """What began these clocks was not so: the open ones are cancelled, and stay to be read."""
    found = await session.scalars(
        select(Deadline)
        .where(
            col(Deadline.case_id) == case.id,
            col(Deadline.starts) == start,
            col(Deadline.state) == DeadlineState.OPEN,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for row in found.all():
        await _cancel(session, case, row, now)
    await refresh_next_due(session, case)


async def _cancel(session: AsyncSession, case: Case, row: Deadline, now: datetime) -> None:
    assert row.id is not None
    row.state, row.next_alert_at = DeadlineState.CANCELLED, None
    await session.flush()
    await escalation.end_for_deadline(session, row.id, now)
    await events.record(
        session,
        "deadline.cancelled",
        now,
        contract=row.contract,
        case_id=case.id,
        clock=row.clock,
        due_at=row.due_at.isoformat(),
    )


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
    met = await session.scalars(
        update(Deadline)
        .where(col(Deadline.item_id) == item_id, col(Deadline.state) == DeadlineState.OPEN)
        .values(state=DeadlineState.MET, met_at=at, met_by_id=by, next_alert_at=None)
        .returning(col(Deadline.id))
    )
    for deadline_id in met.all():
        if deadline_id is not None:
            await escalation.end_for_deadline(session, deadline_id, at)


async def note_automatic_reply(session: AsyncSession, case_id: int, at: datetime) -> None:
    """Both instants are kept, the human one counts (D1)."""
    await session.execute(ANSWERED, {"case": case_id, "now": at})


async def open_due_times(session: AsyncSession, case_id: int) -> dict[str, datetime]:
    """What stops it → when it is due, for the open deadlines of a case."""
    rows = await session.execute(DUE_TIMES, {"case": case_id})
    return dict(rows.all())


async def any_due(session: AsyncSession, now: datetime) -> bool:
    """Whether a warning or breach is due: one look at a partial index, however many are open."""
    due = select(col(Deadline.id)).where(col(Deadline.next_alert_at) <= now).limit(1)
    return await session.scalar(due) is not None


async def sweep(
    session: AsyncSession, contracts: Mapping[str, Contract], now: datetime, limit: int = 200
) -> int:
    """Raise what has come due, the longest waiting first, and set when each is looked at next.
    Returns how many were handled; the caller repeats while it equals `limit`."""
    due = (await session.execute(_due(now, limit))).mappings().all()
    looks, said, ended = [], [], []
    causes: list[tuple[Contract, escalation.Cause]] = []
    for row in due:
        contract = contracts[row["contract"]]
        clock = contract.find_clock(row["clock"])
        terms = TASKS if row["starts"] in WORK else clock.terms if clock else PROMISED
        moments = clocks.moments(terms, row["started_at"], row["due_at"], row["target_at"])
        looks.append({"deadline": row["id"], "next_look": clocks.next_after(moments, now)})
        moment = clocks.passed(moments, now)
        if moment is None:
            continue
        if moment.kind is AlertKind.BREACH:
            said.append(_missed(row, now))
        ended.append(row["id"])  # the worse one takes its place
        causes.append((contract, _cause(row, moment, clock)))
    if looks:
        await session.execute(LOOK_NEXT, looks)
    await events.record_all(session, said)
    await escalation.end_for_deadlines(session, ended, now)
    await escalation.raise_alerts(session, causes, now)
    return len(due)


def _due(now: datetime, limit: int) -> Any:
    return (
        select(
            col(Deadline.id),
            col(Deadline.contract),
            col(Deadline.clock),
            col(Deadline.starts),
            col(Deadline.case_id),
            col(Deadline.started_at),
            col(Deadline.due_at),
            col(Deadline.target_at),
            col(Deadline.owner_id),
            col(Deadline.complaint_id),
            col(Deadline.incident_id),
            func.coalesce(
                col(Case.reference), col(Complaint.reference), col(Incident.reference)
            ).label("reference"),
        )
        .outerjoin(Case, col(Case.id) == col(Deadline.case_id))
        .outerjoin(Complaint, col(Complaint.id) == col(Deadline.complaint_id))
        .outerjoin(Incident, col(Incident.id) == col(Deadline.incident_id))
        .where(col(Deadline.next_alert_at) <= now)
        .order_by(col(Deadline.next_alert_at))
        .limit(limit)
        .with_for_update(of=Deadline, skip_locked=True)
    )


def _about(row: Any, moment: clocks.Moment) -> str:
    """Clocks of one case that come due together warn together: one page, not one for each."""
    is_own = row["owner_id"] is not None or row["case_id"] is None or row["starts"] in WORK
    what = f"deadline:{row['id']}" if is_own else f"case:{row['case_id']}"
    return f"{what}:{moment.kind}:{moment.at:%Y%m%dT%H%M%S}"


def _missed(row: Any, now: datetime) -> dict[str, Any]:
    return events.line(
        "deadline.missed",
        now,
        contract=row["contract"],
        case_id=row["case_id"],
        clock=row["clock"],
        due_at=row["due_at"].isoformat(),
    )


def _cause(row: Any, moment: clocks.Moment, clock: Clock | None) -> escalation.Cause:
    is_late = moment.kind is AlertKind.BREACH
    is_word = row["owner_id"] is not None and not is_late
    kind, rungs = AlertKind.PROMISE if is_word else moment.kind, clock.rungs if clock else ()
    if row["starts"] in WORK:
        kind, rungs = AlertKind.TASK, ("worker", "lead") if is_late else ("worker",)
    return escalation.Cause(
        kind=kind,
        stage=moment.stage,
        key=_about(row, moment),
        reference=row["reference"] or "TRAY",
        case_id=row["case_id"],
        deadline_id=row["id"],
        complaint_id=row["complaint_id"],
        incident_id=row["incident_id"],
        owner_id=row["owner_id"],
        rungs=rungs,
    )
