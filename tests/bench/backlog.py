"""How long a backlog of kept messages takes to become answered cases, beside the bare writing of as
many rows in one transaction each."""

import asyncio
from collections.abc import Iterator
from time import perf_counter

from sqlalchemy import text

from helpline.channels import Inbound
from helpline.desk.house import House
from helpline.engine.routing import route_all
from tests.bench import inside
from tests.bench.databases import Databases
from tests.bench.figures import Aim, Figure
from tests.bench.load import OUR_NUMBER, TEXTS, carer
from tests.bench.sizes import FULL, Say, Sizes

AIM = Aim(most=30.0)


def measure(databases: Databases, sizes: Sizes, say: Say) -> Iterator[Figure]:
    """Seconds until nothing of the backlog waits; the aim is for 10,000."""
    for kind in databases.kinds:
        say(f"backlog {kind}: {sizes.backlog:,} messages are kept, then routed")
        seconds, bare = asyncio.run(_once(databases.fresh(kind), sizes))
        say(f"backlog {kind}: {sizes.backlog / seconds:,.0f} messages a second")
        aim = AIM if sizes.backlog == FULL.backlog else None
        yield Figure(f"route {sizes.backlog:,} kept messages", kind, seconds, "s", bare, aim)


async def _once(url: str, sizes: Sizes) -> tuple[float, float]:
    async with inside.house(url) as house:
        now = house.clock.now()
        await asyncio.gather(
            *(
                house.inbox.keep(
                    Inbound("sms", f"b{n}", carer(n), OUR_NUMBER, TEXTS[n % len(TEXTS)]), now
                )
                for n in range(sizes.backlog)
            )
        )
        started = perf_counter()
        await route_all(house)
        routed = perf_counter() - started
        return routed, await _bare_rows(house, sizes.backlog)


async def _bare_rows(house: House, count: int) -> float:
    """One row in one transaction, `count` times over (a tenth measured, the rest reckoned)."""
    sample = max(count // 10, 1)
    async with house.db.write() as session:
        await session.execute(text("CREATE TABLE bare (n integer)"))
    started = perf_counter()
    for number in range(sample):
        async with house.db.write() as session:
            await session.execute(text("INSERT INTO bare VALUES (:n)"), {"n": number})
    return (perf_counter() - started) * count / sample
