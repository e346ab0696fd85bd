"""Work on a case that no message carries, with words, an owner and a time by which it is due.

Given by people, and by whatever finds that something must be done: `give` is for all of them. A
task with a time is watched like a promise (desk/deadlines.py): a day before, and when it is due,
its owner hears, then the support worker and a lead. Nobody is paged at night for one that was
taken. Commits nothing.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import conflicts, deadlines, events, seeing
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, Deadline, Task, User, metadata
from helpline.rules import clocks
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import (
    CASEWORKERS,
    CaseStatus,
    ClockStart,
    ClockStop,
    DeadlineState,
    TaskKind,
)

LONGEST = 300
FURTHEST = timedelta(days=366)
SOON = timedelta(days=1)
DAY_ENDS = time(17)
"""When on its day a task is due that was given by itself, local time."""
MOST_SHOWN = 20
CASE = metadata.tables["case"]
TASK = metadata.tables["task"]
USER = metadata.tables["user"]


def clock_of(kind: str) -> str:
    """The clock code under which a task's deadline stands: no contract has it."""
    return f"task.{kind}"


async def give(
    session: AsyncSession,
    case: Case,
    kind: str,
    what: str,
    owner_id: int | None,
    due_at: datetime | None,
    by: Actor | None,
    now: datetime,
    *,
    detail: str = "",
) -> Task:
    """Something is to be done on `case` by `due_at` (None: it only stands on the list). `what` in
    words, sealed; empty where the kind says it all. `owner_id` None: the support worker's, whoever
    that is when it is due. `by` None: it arose by itself. Only what a person gives is refused for
    a time that has passed, a closed case, or an owner who must not work on it."""
    said = in_a_line(what, LONGEST, "" if by is None else "Say in a few words what is to be done.")
    if by is not None:
        require(by, "task.give", case.contract)
        await _must_be_possible(session, case, owner_id, due_at, by, now)
    task = Task(
        contract=case.contract,
        case_id=case.id or 0,
        kind=kind,
        detail=detail,
        what=said or None,
        owner_id=owner_id,
        given_by_id=by.user_id if by else None,
        created_at=now,
        due_at=due_at,
    )
    session.add(task)
    await session.flush()
    if due_at is not None:
        await _watch(session, case, task, now)
    await _say(session, "task.given", task, now, by, due_at=due_at.isoformat() if due_at else None)
    return task


async def _must_be_possible(
    session: AsyncSession,
    case: Case,
    owner_id: int | None,
    due_at: datetime | None,
    by: Actor,
    now: datetime,
) -> None:
    if case.status != CaseStatus.OPEN:
        raise InvalidInput("This case is closed. Open it again before you give a task.")
    _must_be_ahead(due_at, now)
    await _must_be_theirs_to_do(session, case, owner_id, by)


def _must_be_ahead(due_at: datetime | None, now: datetime) -> None:
    if due_at is not None and due_at <= now:
        raise InvalidInput("That time has passed: give a time that is still to come.")
    if due_at is not None and due_at > now + FURTHEST:
        raise InvalidInput("That is more than a year away: give an earlier time.")


async def _must_be_theirs_to_do(
    session: AsyncSession, case: Case, owner_id: int | None, by: Actor
) -> None:
    if owner_id is None:
        return
    owner = await session.get(User, owner_id)
    works_here = (
        owner is not None
        and owner.left_at is None
        and owner.role in CASEWORKERS
        and owner.contract in (None, case.contract)
    )
    if owner is None or not works_here:
        raise InvalidInput("Choose somebody who works on this contract.")
    await conflicts.forbid(session, case, owner, by)


async def give_for(
    session: AsyncSession, contract: Contract, case: Case, code: str, by: Actor, now: datetime
) -> list[Task]:
    """Something happened that brings work with it, as the contract says: its tasks, for the support
    worker. Conflict where they were given and are not all done yet."""
    require(by, "task.give", case.contract)
    happening = next((one for one in contract.happenings if one.code == code), None)
    if happening is None:
        raise InvalidInput("Choose what happened from the list.")
    if case.status != CaseStatus.OPEN:
        raise InvalidInput("This case is closed. Open it again before you give a task.")
    if any(one.detail == code for one in await open_of(session, case, TaskKind.GIVEN)):
        raise Conflict("Its tasks were given already and stand below.")
    given = [
        await give(
            session,
            case,
            TaskKind.GIVEN,
            one.what,
            None,
            end_of_working_day(contract, now, one.working_days),
            None,
            now,
            detail=code,
        )
        for one in happening.tasks
    ]
    await events.record(
        session,
        "case.happened",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        what=code,
    )
    return given


def end_of_working_day(contract: Contract, now: datetime, count: int) -> datetime:
    """Five o'clock, local time, of the working day so many after today; with 0 of today, or where
    that has passed or today is none, of the next."""
    day = contract.days.day_of(now)
    days = contract.days.beyond(day)
    zone = ZoneInfo(contract.zone)
    last = days.working_days_after(day, count) if count else days.working_day_from(day)
    due_at = datetime.combine(last, DAY_ENDS, zone)
    if due_at > now:
        return due_at
    return datetime.combine(days.working_days_after(day, 1), DAY_ENDS, zone)


async def finish(session: AsyncSession, task_id: int, by: Actor, now: datetime) -> Task:
    """It is done. Doing it twice changes nothing."""
    task = await find(session, task_id, by)
    if task.done_at is None:
        await settle(session, task, by, now)
    return task


async def drop(session: AsyncSession, task_id: int, by: Actor, now: datetime) -> Task:
    """It need not be done any more. One whose time has passed was late, and stays so."""
    task = await find(session, task_id, by)
    if task.done_at is None:
        task.dropped_at = now
        await settle(session, task, by, now, is_dropped=True)
    return task


async def change(
    session: AsyncSession,
    case: Case,
    task_id: int,
    owner_id: int | None,
    due_at: datetime | None,
    by: Actor,
    now: datetime,
) -> Task:
    """Somebody else's, or by another time. That it was due earlier stays in the audit trail."""
    require(by, "task.give", case.contract)
    task = await find(session, task_id, by)
    if task.case_id != case.id:
        raise NotFound("There is no such task on this case.")
    if task.done_at is not None:
        raise InvalidInput("This task is done already.")
    if due_at != task.due_at:
        _must_be_ahead(due_at, now)
    if owner_id != task.owner_id:
        await _must_be_theirs_to_do(session, case, owner_id, by)
    if (owner_id, due_at) == (task.owner_id, task.due_at):
        return task
    await _unwatch(session, task, by, now, is_kept=False)
    before, task.owner_id, task.due_at, task.deadline_id = task.due_at, owner_id, due_at, None
    await session.flush()
    if due_at is not None:
        await _watch(session, case, task, now)
    else:
        await deadlines.refresh_next_due(session, case)
    before_said = before.isoformat() if before else None
    await _say(session, "task.changed", task, now, by, before=before_said, owner=owner_id)
    return task


async def settle(
    session: AsyncSession, task: Task, by: Actor | None, now: datetime, *, is_dropped: bool = False
) -> None:
    """Write down that an open task is done (`by` None: by itself), and end its clock."""
    task.done_at, task.done_by_id = now, by.user_id if by else None
    await session.flush()
    await _unwatch(session, task, by, now, is_kept=not is_dropped)
    case = await session.get(Case, task.case_id)
    if case is not None and task.deadline_id is not None:
        await deadlines.refresh_next_due(session, case)
    await _say(session, "task.dropped" if is_dropped else "task.done", task, now, by)


async def find(session: AsyncSession, task_id: int, by: Actor) -> Task:
    """The task, locked, if `by` may finish it: whoever may not see its case finds none."""
    task = await session.get(Task, task_id, with_for_update=True)
    if task is None or not may(by, "task.finish", task.contract):
        raise NotFound("There is no such task, or it is not yours to see.")
    return task


async def on_case(session: AsyncSession, case_id: int) -> list[Row[Any]]:
    """The open tasks of a case with their owners' names: what is due first stands first, and what
    has no time last."""
    query = _with_owner().where(TASK.c.case_id == case_id, TASK.c.done_at.is_(None))
    return list(await session.execute(_next_first(query)))


async def done_on(session: AsyncSession, case_id: int, limit: int = MOST_SHOWN) -> list[Row[Any]]:
    """The latest that are done or dropped, with who did them as `doer`."""
    doer = USER.alias("doer")
    query = (
        _with_owner()
        .add_columns(doer.c.shown_name.label("doer"))
        .outerjoin(doer, doer.c.id == TASK.c.done_by_id)
        .where(TASK.c.case_id == case_id, TASK.c.done_at.is_not(None))
        .order_by(TASK.c.done_at.desc(), TASK.c.id.desc())
        .limit(limit)
    )
    return list(await session.execute(query))


async def mine(
    session: AsyncSession,
    actor: Actor,
    now: datetime,
    limit: int = MOST_SHOWN,
    within: timedelta | None = SOON,
) -> list[Row[Any]]:
    """What `actor` has to do `within` a day (None: whenever it is due), over all cases they see,
    the overdue first: tasks of their own, and those without an owner on cases that are theirs. With
    `reference`."""
    is_theirs = (TASK.c.owner_id == actor.user_id) | (
        TASK.c.owner_id.is_(None) & (CASE.c.worker_id == actor.user_id)
    )
    query = (
        _with_owner()
        .add_columns(CASE.c.reference)
        .join(CASE, CASE.c.id == TASK.c.case_id)
        .where(
            TASK.c.done_at.is_(None),
            TASK.c.due_at.is_not(None) if within is None else TASK.c.due_at < now + within,
            is_theirs,
            *seeing.cases(actor),
        )
        .limit(limit)
    )
    return list(await session.execute(_next_first(query)))


def _with_owner() -> Select[Any]:
    return select(TASK, USER.c.shown_name.label("owner")).outerjoin(
        USER, USER.c.id == TASK.c.owner_id
    )


def _next_first(query: Select[Any]) -> Select[Any]:
    return query.order_by(TASK.c.due_at.is_(None), TASK.c.due_at, TASK.c.created_at, TASK.c.id)


async def open_of(session: AsyncSession, case: Case, kind: TaskKind) -> Sequence[Task]:
    """The open tasks of one kind on a case, for whatever gave them."""
    found = await session.scalars(
        select(Task).where(
            col(Task.case_id) == case.id, col(Task.kind) == kind, col(Task.done_at).is_(None)
        )
    )
    return found.all()


async def _watch(session: AsyncSession, case: Case, task: Task, now: datetime) -> None:
    """The row that warns of it."""
    assert task.due_at is not None
    told = clocks.moments(deadlines.TASKS, now, task.due_at)
    row = await session.execute(
        insert(Deadline)
        .values(
            contract=case.contract,
            case_id=case.id,
            clock=clock_of(task.kind),
            starts=ClockStart.TASK,
            stops=ClockStop.TASK_DONE,
            started_at=now,
            due_at=task.due_at,
            is_certain=True,
            state=DeadlineState.OPEN,
            owner_id=task.owner_id,
            next_alert_at=told[0].at,
        )
        .returning(col(Deadline.id))
    )
    task.deadline_id = row.scalar_one()
    await session.flush()
    await deadlines.refresh_next_due(session, case)


async def _unwatch(
    session: AsyncSession, task: Task, by: Actor | None, now: datetime, *, is_kept: bool
) -> None:
    if task.deadline_id is None:
        return
    which = col(Deadline.id) == task.deadline_id
    await deadlines.end(session, now, which, is_kept=is_kept, by=by.user_id if by else None)


async def _say(
    session: AsyncSession, event: str, task: Task, now: datetime, by: Actor | None, **detail: Any
) -> None:
    await events.record(
        session,
        event,
        now,
        contract=task.contract,
        case_id=task.case_id,
        by=by.user_id if by else None,
        task=task.id,
        kind=task.kind,
        **detail,
    )
