"""The heartbeat of each loop on each node: written by engine/jobs, read by /readyz."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.models import JobRun

SILENT_AFTER = timedelta(seconds=60)
WATCHED = ("routing", "sending", "watch")
"""The loops that beat every few seconds; the others are too slow to be asked how they are."""


async def write_down(
    session: AsyncSession, job: str, node: str, started_at: datetime, failure: str | None
) -> None:
    """Record a beat of `job` on `node`; `failure` is a class and place, or None."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    first = {"job": job, "node": node, "started_at": started_at, "failure": failure}
    first |= {"good_at": None if failure else started_at, "failures": 1 if failure else 0}
    news = {"started_at": started_at, "failure": failure}
    if failure:
        news["failures"] = col(JobRun.failures) + 1  # type: ignore[assignment]  # a column expression
    else:
        news |= {"good_at": started_at, "failures": 0}  # type: ignore[dict-item]  # mixed values
    await session.execute(
        dialect.insert(JobRun)
        .values(first)
        .on_conflict_do_update(index_elements=["job", "node"], set_=news)
    )


async def unwell(session: AsyncSession, node: str, now: datetime) -> list[str]:
    """The watched loops of this node whose last good beat is too old, by name."""
    rows = await session.execute(
        select(col(JobRun.job), col(JobRun.good_at)).where(
            col(JobRun.node) == node, col(JobRun.job).in_(WATCHED)
        )
    )
    return sorted(job for job, good in rows if good is None or now - good > SILENT_AFTER)
