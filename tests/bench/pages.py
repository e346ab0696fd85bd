"""How long the inbox page takes at many open cases, beside one plain query for as many rows."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median, quantiles
from time import perf_counter

from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, text

from helpline.desk import access
from helpline.desk.house import House
from helpline.models import metadata
from helpline.web.app import make_app
from tests.bench import inside
from tests.bench.databases import Databases
from tests.bench.figures import Aim, Figure
from tests.bench.sizes import Say, Sizes

PASSWORD = "three words and more"
CHUNK = 2_000
P95_MS = Aim(most=100.0)


def measure(databases: Databases, sizes: Sizes, say: Say) -> Iterator[Figure]:
    """Median and 95th percentile of GET /inbox, the client's time included."""
    for kind in databases.kinds:
        say(f"inbox {kind}: writing {sizes.cases:,} open cases")
        waits, bare = asyncio.run(_once(databases.fresh(kind), sizes))
        name = f"inbox page, {sizes.cases:,} open cases"
        p95 = quantiles(waits, n=20)[18] * 1000
        say(f"inbox {kind}: median {median(waits) * 1000:.0f} ms, p95 {p95:.0f} ms")
        yield Figure(f"{name}: median", kind, median(waits) * 1000, "ms", bare * 1000)
        yield Figure(f"{name}: p95", kind, p95, "ms", aim=P95_MS)


async def _once(url: str, sizes: Sizes) -> tuple[list[float], float]:
    async with inside.house(url) as house:
        await _fill(house, sizes.cases)
        client = TestClient(TestServer(make_app(house)), cookie_jar=CookieJar(unsafe=True))
        await client.start_server()
        try:
            await client.post("/login", data={"name": "lea", "password": PASSWORD})
            waits = []
            for _ in range(sizes.pages):
                started = perf_counter()
                answer = await client.get("/inbox", allow_redirects=False)
                await answer.read()
                waits.append(perf_counter() - started)
                if answer.status != 200:
                    raise RuntimeError(f"The inbox answered {answer.status}.")
        finally:
            await client.close()
        return waits, await _plain_query(house, sizes.pages)


async def _fill(house: House, count: int) -> None:
    """`count` open cases of as many people, each with two open deadlines a minute apart."""
    now = house.clock.now()
    for start in range(0, count, CHUNK):
        numbers = range(start + 1, min(start + CHUNK, count) + 1)
        async with house.db.write() as session:
            await session.execute(
                insert(metadata.tables["person"]), [_person(n, now) for n in numbers]
            )
            await session.execute(insert(metadata.tables["case"]), [_case(n, now) for n in numbers])
            rows = [
                _deadline(n, stop, now) for n in numbers for stop in ("human_reply", "allocation")
            ]
            await session.execute(insert(metadata.tables["deadline"]), rows)
    async with house.db.write() as session:
        await access.add_user(session, "lea", "lead", None, PASSWORD, now)
    async with house.db.write() as session:
        await session.execute(text("ANALYZE"))


def _person(number: int, now: datetime) -> dict[str, object]:
    return {"id": number, "contract": "essex", "name": f"Carer {number}", "created_at": now}


def _due(number: int, now: datetime) -> datetime:
    return now + timedelta(hours=1, minutes=number % 1_380, microseconds=number)


def _case(number: int, now: datetime) -> dict[str, object]:
    due = _due(number, now)
    return {
        "id": number,
        "reference": f"ESX-{number:06}",
        "contract": "essex",
        "person_id": number,
        "method": "text",
        "opened_at": due - timedelta(hours=24),
        "next_due_at": due,
    }


def _deadline(number: int, stop: str, now: datetime) -> dict[str, object]:
    due = _due(number, now)
    return {
        "contract": "essex",
        "case_id": number,
        "clock": "first_response" if stop == "human_reply" else "allocation",
        "stops": stop,
        "started_at": due - timedelta(hours=24),
        "due_at": due,
        "next_alert_at": due,
    }


async def _plain_query(house: House, times: int) -> float:
    """The median of asking for fifty open cases by their next due time, as plain SQL."""
    query = text(
        "SELECT id, reference FROM \"case\" WHERE status = 'open' AND contract = 'essex'"
        " ORDER BY next_due_at, id LIMIT 50"
    )
    waits = []
    for _ in range(times):
        started = perf_counter()
        async with house.db.read() as session:
            (await session.execute(query)).all()
        waits.append(perf_counter() - started)
    return median(waits)
