"""Whoever spoke or wrote with somebody and wrote no note is reminded, before the contract's hours
for recording run out: one task of their own on the case, gone when the note is there.

`look` is run by the engine (housekeeping) for each contract; `written` is called by a note. It
climbs no ladder and wakes nobody: what is late stands beside the note (desk/record.py). Commits
nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Clock, Contract
from helpline.desk import events, tasks
from helpline.desk.holding import hold
from helpline.models import Case, Task, metadata
from helpline.rules.permissions import Actor
from helpline.vocabulary import (
    CallResult,
    ClockStart,
    ClockStop,
    ContactKind,
    Direction,
    TaskKind,
    Unit,
)

AT_ONCE: Final = 200
QUIET_PART: Final = 6
"""Of the hours for recording, the first sixth passes before anybody is reminded: twelve of 72."""
LONGEST: Final = timedelta(days=31)
"""How far back is looked where the contract counts its time in days."""
CONTACT = metadata.tables["contact"]
EVENT = metadata.tables["event"]
TASK = metadata.tables["task"]
USER = metadata.tables["user"]


def clock_of(contract: Contract) -> Clock | None:
    """The contract's clock from whatever happened to its write-up (001 §14.1: 72 hours)."""
    asked = (ClockStart.HAPPENING, ClockStop.WRITE_UP)
    return next((one for one in contract.clocks if (one.starts, one.stops) == asked), None)


async def look(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """Remind whoever has something to write up whose time is not over. What is over already is not
    asked for. Returns how many were reminded; nothing where the contract names no time."""
    clock = clock_of(contract)
    if clock is None:
        return 0
    made = 0
    for row in await _unwritten(session, contract, clock, now):
        due_at = contract.plan(clock, row.first_at).due_at
        if row.first_at + (due_at - row.first_at) / QUIET_PART <= now < due_at:
            made += await _remind(session, row, due_at, now)
    return made


async def written(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """They wrote a note, or what was said in a call: nothing is left to remind them of."""
    for task in await tasks.open_of(session, case, TaskKind.WRITE_UP):
        if task.owner_id == by.user_id:
            await tasks.settle(session, task, by, now)


async def _unwritten(
    session: AsyncSession, contract: Contract, clock: Clock, now: datetime
) -> Sequence[Row[Any]]:
    """case_id, user_id and when they first spoke or wrote with the person since they last wrote
    anything up there, or were last reminded."""
    hours = timedelta(hours=clock.limit) if clock.unit is Unit.ELAPSED_HOURS else LONGEST
    by = CONTACT.c.by_user_id
    query = (
        select(CONTACT.c.case_id, by.label("user_id"), func.min(CONTACT.c.at).label("first_at"))
        .join(USER, USER.c.id == by)
        .where(
            CONTACT.c.contract == contract.key,
            CONTACT.c.at > now - hours,
            USER.c.left_at.is_(None),
            _was_handled(),
            ~_is_written(),
        )
        .group_by(CONTACT.c.case_id, by)
        .order_by(func.min(CONTACT.c.at))
        .limit(AT_ONCE)
    )
    return list(await session.execute(query))


def _was_handled() -> ColumnElement[bool]:
    """A message of theirs, or a call in which they spoke and of which nothing stands written."""
    wrote = (CONTACT.c.kind == ContactKind.MESSAGE) & (CONTACT.c.direction == Direction.OUT)
    results = [result for result in CallResult if result.answers]
    spoke = (
        (CONTACT.c.kind == ContactKind.CALL)
        & CONTACT.c.call_result.in_(results)
        & CONTACT.c.body.is_(None)
    )
    return or_(wrote, spoke)


def _is_written() -> ColumnElement[bool]:
    """They wrote a note or what was said in a call since, or were reminded of it already."""
    call, by = CONTACT.alias("call"), CONTACT.c.by_user_id
    return or_(
        exists().where(
            EVENT.c.case_id == CONTACT.c.case_id,
            EVENT.c.kind == "note.written",
            EVENT.c.by_user_id == by,
            EVENT.c.at >= CONTACT.c.at,
        ),
        exists().where(
            call.c.case_id == CONTACT.c.case_id,
            call.c.kind == ContactKind.CALL,
            call.c.by_user_id == by,
            call.c.body.is_not(None),
            call.c.written_at >= CONTACT.c.at,
        ),
        exists().where(
            TASK.c.case_id == CONTACT.c.case_id,
            TASK.c.kind == TaskKind.WRITE_UP,
            TASK.c.owner_id == by,
            or_(TASK.c.done_at.is_(None), TASK.c.created_at >= CONTACT.c.at),
        ),
    )


async def _remind(session: AsyncSession, row: Row[Any], due_at: datetime, now: datetime) -> int:
    """The row on their list. The case is held, so that two nodes remind once."""
    case = await session.get(Case, row.case_id)
    if case is not None:
        await hold(session, case)
    if case is None or any(
        one.owner_id == row.user_id for one in await tasks.open_of(session, case, TaskKind.WRITE_UP)
    ):
        return 0
    task = Task(
        contract=case.contract,
        case_id=row.case_id,
        kind=TaskKind.WRITE_UP,
        owner_id=row.user_id,
        created_at=now,
        due_at=due_at,  # and no deadline row: it is shown, and nobody is alerted
    )
    session.add(task)
    await session.flush()
    await events.on_case(
        session, "task.given", case, now, None, task=task.id, kind=task.kind, owner=row.user_id
    )
    return 1
