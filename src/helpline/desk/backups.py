"""The daily copies as the database remembers them: whose turn it is, how they went, how old the
newest good one is. Called by engine/backups, the metrics and the page of what runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.db import insert_for
from helpline.models import BackupRun

EVERY: Final = timedelta(hours=24)
TOO_OLD: Final = timedelta(hours=26)
"""A newest good copy that is older is an alarm."""
TAKES_AT_MOST: Final = timedelta(hours=3)
"""After that a run that never ended was cut off."""
AGAIN: Final = timedelta(hours=1)
"""After one that failed."""


@dataclass(frozen=True)
class Ended:
    """How one went: either a name, or a failure."""

    name: str = ""
    row_count: int = 0
    size: int = 0
    failure: str | None = None


async def begin(session: AsyncSession, node: str, now: datetime) -> int | None:
    """The id of a run that is this node's to make; None where none is due or another makes it."""
    last = await session.scalar(
        select(BackupRun).order_by(col(BackupRun.started_at).desc()).limit(1)
    )
    if last is not None:
        pause = EVERY if last.is_good else AGAIN if last.ended_at else TAKES_AT_MOST
        if now < last.started_at + pause:
            return None
    day = f"{now:%Y-%m-%d}"
    tries = select(func.count()).where(col(BackupRun.slot).startswith(f"{day}/"))
    number = (await session.execute(tries)).scalar_one() + 1
    begun = await session.execute(
        insert_for(session, BackupRun)
        .values(
            slot=f"{day}/{number}",
            node=node,
            started_at=now,
            is_good=False,
            name="",
            row_count=0,
            size=0,
        )
        .on_conflict_do_nothing(index_elements=["slot"])
        .returning(col(BackupRun.id))
    )
    run_id: int | None = begun.scalar_one_or_none()
    return run_id


async def end(session: AsyncSession, run_id: int, ended: Ended, now: datetime) -> None:
    """Write down how it went."""
    run = await session.get_one(BackupRun, run_id)
    run.ended_at, run.failure, run.is_good = now, ended.failure, ended.failure is None
    run.name, run.row_count, run.size = ended.name, ended.row_count, ended.size


async def newest_good(session: AsyncSession) -> BackupRun | None:
    """The copy that would be restored tonight."""
    return await session.scalar(
        select(BackupRun)
        .where(col(BackupRun.is_good))
        .order_by(col(BackupRun.started_at).desc())
        .limit(1)
    )


async def is_too_old(session: AsyncSession, now: datetime) -> bool:
    """Whether copies are made and there was no good one for too long."""
    good = await newest_good(session)
    first = await session.scalar(select(func.min(col(BackupRun.started_at))))
    since = good.started_at if good else first
    return since is not None and now - since > TOO_OLD


async def newest(session: AsyncSession, limit: int = 10) -> Sequence[BackupRun]:
    """The last tries, the newest first."""
    return (
        await session.scalars(
            select(BackupRun).order_by(col(BackupRun.started_at).desc()).limit(limit)
        )
    ).all()
