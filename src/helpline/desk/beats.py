"""The heartbeat of each loop on each node: written by engine/jobs, read by /readyz.

A beat is written at most every ten seconds while all is well, so that an idle helpline leaves the
disk alone; a failure is written at once.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk.house import House
from helpline.models import JobRun

EVERY = timedelta(seconds=10)
_last: dict[tuple[int, str], datetime] = {}


async def write_down(house: House, job: str, started_at: datetime, failure: str | None) -> None:
    """Record a beat of `job` on this node; `failure` is a class and place, or None."""
    now = house.clock.now()
    seen = _last.get((id(house), job))
    if failure is None and seen is not None and now - seen < EVERY:
        return
    dialect = sqlite if house.db.is_sqlite else postgresql
    statement = dialect.insert(JobRun).values(
        job=job,
        node=house.node,
        started_at=started_at,
        good_at=None if failure else now,
        failures=1 if failure else 0,
        failure=failure,
    )
    news = {"started_at": started_at, "failure": failure}
    if failure:
        news["failures"] = JobRun.failures + 1  # type: ignore[assignment]  # a column expression
    else:
        news |= {"good_at": now, "failures": 0}  # type: ignore[dict-item]  # values of many types
    async with house.db.write() as session:
        await session.execute(
            statement.on_conflict_do_update(index_elements=["job", "node"], set_=news)
        )
    if failure is None:
        _last[id(house), job] = now


async def unwell(session: AsyncSession, node: str, now: datetime, after: timedelta) -> list[str]:
    """The loops of this node whose last good beat is older than `after`, by name."""
    rows = (
        await session.execute(select(JobRun.job, JobRun.good_at).where(JobRun.node == node))
    ).tuples()
    return sorted(job for job, good_at in rows if good_at is None or now - good_at > after)
