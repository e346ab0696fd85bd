"""What the tick costs: nothing due among few and among very many open deadlines, and a hundred due
at once. The few are the baseline of the many: a sweep must not grow with what is not due."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median
from time import perf_counter

from sqlalchemy import insert, text, update
from sqlmodel import col

from helpline.desk import due
from helpline.desk.house import House
from helpline.models import Deadline, metadata
from tests.bench import inside
from tests.bench.databases import Databases
from tests.bench.figures import Aim, Figure
from tests.bench.sizes import Say, Sizes

CHUNK = 10_000
GROWTH = Aim(most=3.0)


def measure(databases: Databases, sizes: Sizes, say: Say) -> Iterator[Figure]:
    """Milliseconds of one sweep with nothing due, its growth, and of one with many due."""
    for kind in databases.kinds:
        baseline: float | None = None
        for count in sizes.deadlines:
            say(f"sweep {kind}: writing {count:,} open deadlines")
            idle, due = asyncio.run(_once(databases.fresh(kind), count, sizes))
            say(f"sweep {kind}: {idle * 1000:.2f} ms with none of {count:,} due")
            name = f"sweep, {count:,} open deadlines"
            yield Figure(f"{name}, none due", kind, idle * 1000, "ms", baseline)
            if baseline is not None:
                yield Figure(f"{name}: growth", kind, idle * 1000 / baseline, "times", aim=GROWTH)
            yield Figure(f"{name}, {sizes.due} due", kind, due * 1000, "ms")
            baseline = baseline or idle * 1000


async def _once(url: str, count: int, sizes: Sizes) -> tuple[float, float]:
    async with inside.house(url) as house:
        now = house.clock.now()
        await _fill(house, count, now)
        idle = []
        for _ in range(sizes.sweeps):
            started = perf_counter()
            async with house.db.read() as session:
                await due.any_due(session, now)
            idle.append(perf_counter() - started)
        async with house.db.write() as session:
            await session.execute(
                update(Deadline)
                .where(col(Deadline.id) <= sizes.due)
                .values(next_alert_at=now - timedelta(seconds=1))
            )
        started = perf_counter()
        async with house.db.write() as session:
            raised = await due.sweep(session, house.contracts, now, sizes.due)
        if raised != min(sizes.due, count):
            raise RuntimeError(f"{raised} deadlines were raised.")
        return median(idle), perf_counter() - started


async def _fill(house: House, count: int, now: datetime) -> None:
    table = metadata.tables["deadline"]
    for start in range(0, count, CHUNK):
        async with house.db.write() as session:
            rows = [_row(n, now) for n in range(start, min(start + CHUNK, count))]
            await session.execute(insert(table), rows)
    async with house.db.write() as session:
        await session.execute(text("ANALYZE"))


def _row(number: int, now: datetime) -> dict[str, object]:
    started = now - timedelta(seconds=number % 3_600)
    return {
        "contract": "essex",
        "clock": "first_response",
        "stops": "human_reply",
        "started_at": started,
        "due_at": started + timedelta(hours=24),
        "next_alert_at": started + timedelta(hours=12),
    }
