"""The tick: deadlines that came due, and alerts whose next rung is due. Called every few seconds
and after anything that may have raised an alert.

Rows are moved many at a time. When a batch breaks, its rows are taken one by one: the one that
breaks is set aside and the others go on.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.db import AWAY
from helpline.desk import climbing, due, setting_aside
from helpline.desk.house import House
from helpline.log import log, where
from helpline.models import SetAside

BATCH = 500
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Earlier than anything is due."""
SINGLY = 50
"""Rows taken one by one when a batch breaks, before a batch is tried again."""
RAISING_SECONDS = 3.0
"""Of raising what is due, before those who are due to be asked are asked."""
MOST_SECONDS = 20.0
"""Of one beat: then it says that it lives, and goes on with the next."""


@dataclass(frozen=True)
class Kind:
    """What moves by itself (a kind of desk/setting_aside), and what moves at most so many of it."""

    name: str
    move: Callable[[AsyncSession, House, datetime, int], Awaitable[int]]


async def _sweep(session: AsyncSession, house: House, now: datetime, limit: int) -> int:
    return await due.sweep(session, house.contracts, now, limit, house.wording)


async def _climb(session: AsyncSession, house: House, now: datetime, limit: int) -> int:
    reach = climbing.Reach(frozenset(house.channels), house.settings.public_url)
    return await climbing.climb(session, house.contracts, house.wording, now, limit, reach)


DEADLINES, ALERTS = Kind("deadline", _sweep), Kind("alert", _climb)


async def watch(house: House) -> int:
    """Raise what is due and climb the ladders, in small transactions, until nothing is left.
    Everything due is raised before anybody is asked about it, so that after an outage they hear of
    it at once and of the worst first; after some seconds of raising the ladders have their turn.
    Each round looks at the clock anew: what comes due while many are asked does not wait for them
    all. Returns how many deadlines and alerts moved."""
    moved, until = 0, house.clock.seconds() + MOST_SECONDS
    while house.clock.seconds() < until:
        now = house.clock.now()
        async with house.db.read() as session:
            has_alerts = await climbing.any_due(session, now)
            has_deadlines = await due.any_due(session, now)
        if not has_alerts and not has_deadlines:
            break
        count, pause = 0, house.clock.seconds() + RAISING_SECONDS
        while has_deadlines and (some := await _move(house, DEADLINES, house.clock.now())):
            count, has_alerts = count + some, True
            if house.clock.seconds() > pause:
                break
        count += await _move(house, ALERTS, house.clock.now()) if has_alerts else 0
        moved += count
        if not count:
            break  # another node has them in hand
    if moved:
        await _forget_moved(house, house.clock.now())
        house.wakes.sending.set()
    return moved


async def _forget_moved(house: House, now: datetime) -> None:
    async with house.db.read() as session:
        if await session.scalar(select(col(SetAside.id)).limit(1)) is None:
            return
    async with house.db.write() as session:
        await setting_aside.forget_moved(session, now)


async def _move(house: House, kind: Kind, now: datetime) -> int:
    """One batch; how many rows moved, set aside or put off."""
    try:
        async with house.db.write() as session:
            return await kind.move(session, house, now, BATCH)
    except AWAY:
        raise  # the database does not answer, which is no row's fault: the job is tried again
    except Exception as error:
        log().warning("watch.batch_failed", kind=kind.name, where=where(error))
    table, due = setting_aside.TABLES[kind.name], setting_aside.DUE[kind.name]
    async with house.db.read() as session:
        waiting = select(table.c.id).where(due <= now).order_by(due).limit(SINGLY)
        ids = (await session.scalars(waiting)).all()
    return sum([await _alone(house, kind, row_id, now) for row_id in ids])


async def _alone(house: House, kind: Kind, row_id: int, now: datetime) -> int:
    """Move this one row, or set it aside."""
    table, due = setting_aside.TABLES[kind.name], setting_aside.DUE[kind.name]
    this = table.c.id == row_id
    async with house.db.write() as session:
        mine = select(due).where(this, due <= now).with_for_update(skip_locked=True)
        was_due = await session.scalar(mine)
        if was_due is None:
            return 0
        try:
            async with session.begin_nested():
                # Whoever moves one row takes the one that has waited longest.
                await session.execute(update(table).where(this).values({due.name: LONG_AGO}))
                return await kind.move(session, house, now, 1)
        except AWAY:
            raise
        except Exception as error:
            failure = where(error)
            log().error("watch.row_failed", kind=kind.name, where=failure)
        await setting_aside.put_off(
            session, house.contracts, kind.name, row_id, was_due, failure, now
        )
    return 1
