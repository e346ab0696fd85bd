"""How long the server takes for each page of the console over many cases, and how heavy each is.

Of the cases two in a hundred are open, as after some years of work; each person has written twice
and was answered once. Asked for as a team lead over HTTP, packed as a browser takes it.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, text

from helpline.desk import access
from helpline.desk.house import House
from helpline.models import metadata
from helpline.rules.permissions import ALLOWED
from helpline.vocabulary import Role
from helpline.web.app import ROUTES, make_app
from tests.bench import inside
from tests.bench.databases import Databases
from tests.bench.figures import Aim, Figure
from tests.bench.pages import CHUNK, PASSWORD
from tests.bench.sizes import Say, Sizes

P95_MS, KB = Aim(most=100.0), Aim(most=50.0)
OPEN_OF = 50
"""One case of so many is open."""
LEFT_OUT = (
    ".pdf",
    ".ics",
    ".svg",
    "/live/",
    "/account/second/app",
    "/login",
    "/demo",
    "/rota/calendar",
)
LATEST = "{reference}"


def paths() -> list[str]:
    """Every page without a number in its address that a lead may open, and every tab of a case."""
    return [
        route.path
        for route in ROUTES
        if route.method == "GET"
        and ("{" not in route.path or route.path.startswith("/cases/{reference}"))
        and route.path.count("{") <= 1
        and not any(part in route.path for part in LEFT_OUT)
        and route.allow in ALLOWED
        and Role.LEAD in ALLOWED[route.allow].roles
    ]


def measure(databases: Databases, sizes: Sizes, say: Say) -> Iterator[Figure]:
    """The 95th percentile of each page, the client's time included, and its bytes as sent."""
    for kind in databases.kinds:
        say(f"pages {kind}: writing {sizes.cases:,} cases")
        found = asyncio.run(_once(databases.fresh(kind), sizes))
        worst, heaviest = max(found, key=lambda one: one[1]), max(found, key=lambda one: one[2])
        for path, wait, size in sorted(found, key=lambda one: -one[1]):
            say(f"pages {kind}: {wait:6.0f} ms {size / 1000:6.1f} kB  {path}")
        name = f"pages, {sizes.cases:,} cases"
        middle = median(wait for _, wait, _ in found)
        yield Figure(f"{name}: middle of the p95s", kind, middle, "ms")
        yield Figure(f"{name}: slowest p95 ({worst[0]})", kind, worst[1], "ms", aim=P95_MS)
        yield Figure(f"{name}: heaviest ({heaviest[0]})", kind, heaviest[2] / 1000, "kB", aim=KB)


async def _once(url: str, sizes: Sizes) -> list[tuple[str, float, int]]:
    async with inside.house(url) as house:
        reference = await _fill(house, sizes.cases)
        jar = CookieJar(unsafe=True)
        client = TestClient(TestServer(make_app(house)), cookie_jar=jar, auto_decompress=False)
        await client.start_server()
        try:
            await client.post("/login", data={"name": "lea", "password": PASSWORD})
            times = max(2, sizes.pages // 10)
            return [
                (path, *found)
                for path in paths()
                if (found := await _asked(client, path.replace(LATEST, reference), times))
            ]
        finally:
            await client.close()


async def _asked(client: TestClient[Any, Any], path: str, times: int) -> tuple[float, int] | None:
    """The 95th percentile in milliseconds and the bytes; None for what is no page here."""
    waits, size = [], 0
    for _ in range(times + 1):
        started = perf_counter()
        answer = await client.get(path, headers={"Accept-Encoding": "gzip"}, allow_redirects=False)
        size = len(await answer.read())
        waits.append(perf_counter() - started)
        if answer.status != 200 or answer.content_type != "text/html":
            return None
    return quantiles(waits[1:], n=20, method="inclusive")[18] * 1000, size


async def _fill(house: House, count: int) -> str:
    """Years of cases; the reference of the last one that is open."""
    now = house.clock.now()
    for start in range(1, count + 1, CHUNK):
        numbers = range(start, min(start + CHUNK, count + 1))
        async with house.db.write() as session:
            for name, rows in _rows(numbers, count, now).items():
                if rows:
                    await session.execute(insert(metadata.tables[name]), rows)
    async with house.db.write() as session:
        await access.add_user(session, "lea", "lead", None, PASSWORD, now)
        await session.execute(text("ANALYZE"))
    return f"ESX-{count - count % OPEN_OF or count:06}"


def _rows(numbers: range, count: int, now: datetime) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("person", "membership", "case", "contact", "deadline")
    }
    for number in numbers:
        is_open = number % OPEN_OF == 0
        began = now - (timedelta(hours=number % 20) if is_open else _ago(number, count))
        base = {"contract": "essex", "person_id": number}
        rows["person"].append(
            {"id": number, "contract": "essex", "name": f"Carer {number}", "created_at": began}
        )
        rows["membership"].append(
            base | {"number_index": f"n{number}", "group": "foster_carer", "postcode": "CM1 1QH"}
        )
        rows["case"].append(_case(number, began, is_open=is_open))
        rows["contact"] += [
            base
            | {"case_id": number, "channel": "sms", "method": "text", "body": "Please ring me"}
            | {"direction": way, "kind": "message", "at": at, "written_at": at}
            for way, at in (
                ("in", began),
                ("out", began + timedelta(hours=1)),
                ("in", began + timedelta(hours=2)),
            )
        ]
        rows["deadline"] += [_deadline(number, stop, began, is_open) for stop in STOPS]
    return rows


STOPS = {"human_reply": "first_response", "allocation": "allocation"}


def _ago(number: int, count: int) -> timedelta:
    """Four years of cases, the last one a day and a half ago."""
    return timedelta(days=1.5 + 1_460 * (count - number) / count)


def _case(number: int, began: datetime, *, is_open: bool) -> dict[str, Any]:
    ended = None if is_open else began + timedelta(days=1)
    return {
        "id": number,
        "reference": f"ESX-{number:06}",
        "contract": "essex",
        "person_id": number,
        "method": "text",
        "opened_at": began,
        "status": "open" if is_open else "closed",
        "closed_at": ended,
        "outcome": None if is_open else "resolved",
        "next_due_at": began + timedelta(hours=24) if is_open else None,
    }


def _deadline(number: int, stop: str, began: datetime, is_open: bool) -> dict[str, Any]:
    due = began + timedelta(hours=24)
    return {
        "contract": "essex",
        "case_id": number,
        "clock": STOPS[stop],
        "stops": stop,
        "started_at": began,
        "due_at": due,
        "met_at": None if is_open else began + timedelta(hours=1),
        "next_alert_at": due if is_open else None,
    }
