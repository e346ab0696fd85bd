"""What a whole quarter's report costs, over few contacts and very many: seconds and memory of a
process of its own that makes it, beside plain SQL for the same cells, a query for each cut.

A million contacts mean a quarter of a million cases, twice as many promises and forty thousand
people. Codes are drawn by chance, so that nearly every combination of them occurs: the hard case.
"""

import asyncio
import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import insert, text

from helpline.contract import Contract, load_contracts
from helpline.db import Database
from helpline.models import metadata
from tests.bench import servers
from tests.bench.databases import Databases
from tests.bench.figures import Aim, Figure
from tests.bench.keep import post
from tests.bench.sizes import Say, Sizes

START = datetime(2026, 7, 31, 23, tzinfo=UTC)
NOW = datetime(2026, 11, 2, tzinfo=UTC)
SPAN = timedelta(days=91)
CHUNK = 20_000
SECONDS = Aim(most=10.0)
MEGABYTES = Aim(most=300.0)
GROWTH = Aim(most=1.2)
BESIDE = Aim(least=0.95)
AT_ONCE = 32  # connections
HERE = Path(__file__).parents[2]
MAKE = """
import asyncio, json, resource, sys
from time import perf_counter
from helpline.reports.apart import stand_back
from helpline.db import Database
from helpline.reports.figures import figures
from helpline.rules.periods import period
from tests.bench.quarter import NOW, essex
stand_back(0)
print("begun", flush=True)
async def main():
    contract, db = essex(), Database(sys.argv[1])
    async with db.read() as session:
        started = perf_counter()
        made = await figures(session, contract, period("2026-27-Q1", 8), NOW, exact=True)
        took = perf_counter() - started
    await db.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([took, peak, len(made.cells), made.cell("contacts").value]))
asyncio.run(main())
"""


def measure(databases: Databases, sizes: Sizes, say: Say) -> Iterator[Figure]:
    """Seconds and megabytes for each number of contacts; how much faster than linear they grow."""
    for kind in databases.kinds:
        before: tuple[int, float] | None = None
        for count in sizes.contacts:
            url = databases.fresh(kind)
            say(f"quarter {kind}: writing {count:,} contacts")
            asyncio.run(_fill(url, count))
            took, peak, cells, contacts = _made(url)
            say(f"quarter {kind}: {cells:,} cells of {contacts:,} contacts in {took:.1f} s")
            plain = asyncio.run(_plainly(url)) if count <= sizes.plainly else None
            name = f"quarter, {count:,} contacts"
            is_largest = count == 1_000_000 and kind == "sqlite"
            yield Figure(name, kind, took, "s", plain, SECONDS if is_largest else None)
            yield Figure(f"{name}: memory", kind, peak, "MB", aim=MEGABYTES)
            if before is not None:
                growth = (took / before[1]) / (count / before[0])
                yield Figure(f"{name}: growth per contact", kind, growth, "times", aim=GROWTH)
            before = count, took
            if count == max(sizes.contacts):
                yield from _beside(databases, kind, url, sizes, say)


def essex() -> Contract:
    return load_contracts(Path(__file__).parents[2] / "contracts")["essex"]


def _made(url: str) -> tuple[float, float, int, int]:
    """Made in a process of its own, at the back of the queue: intake goes first."""
    done = subprocess.run(
        [sys.executable, "-c", MAKE, url], capture_output=True, text=True, check=True, cwd=HERE
    )
    took, peak, cells, contacts = json.loads(done.stdout.splitlines()[-1])
    return took, peak, cells, contacts


# --- what those lose who take messages in meanwhile ---------------------------------------------


def _beside(databases: Databases, kind: str, url: str, sizes: Sizes, say: Say) -> Iterator[Figure]:
    """The rate at which messages are kept while a report of `url` is made, as a share of the rate
    without, in turns. They are kept in another database, so that only the processors are shared."""
    fresh, count = databases.fresh(kind), sizes.keep_together
    with servers.twilio() as twilio, servers.helpline(fresh, twilio.address) as helpline:
        post(helpline, AT_ONCE, count // 5)
        shares = []
        for turn in range(sizes.keep_turns):
            alone = post(helpline, AT_ONCE, count).rate
            with _making(url):
                meanwhile = post(helpline, AT_ONCE, count).rate
            shares.append(meanwhile / alone)
            say(f"quarter {kind}: kept beside a report: turn {turn + 1}: {shares[-1]:.0%}")
    yield Figure("quarter, made while messages come", kind, median(shares), "", aim=BESIDE)


@contextlib.contextmanager
def _making(url: str) -> Iterator[None]:
    """A report is being made as long as the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-c", f"while True:\n exec({MAKE!r})", url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


# --- the same cells by plain SQL ------------------------------------------------------------------

CAME_IN = """contact c JOIN "case" k ON k.id = c.case_id WHERE c.contract = 'essex'
 AND c.direction = 'in' AND c.kind <> 'automatic' AND c.what <> 'feedback'
 AND c.at >= '2026-07-31 23:00:00' AND c.at < '2026-11-01 00:00:00'"""
BEGAN = """"case" k WHERE k.contract = 'essex'
 AND k.opened_at >= '2026-07-31 23:00:00' AND k.opened_at < '2026-11-01 00:00:00'"""
MADE = """deadline d JOIN "case" k ON k.id = d.case_id WHERE d.contract = 'essex'
 AND d.started_at >= '2026-07-31 23:00:00' AND d.started_at < '2026-11-01 00:00:00'"""
COLUMNS = {
    "quadrant": "k.quadrant",
    "carer_type": 'k."group"',
    "method": "k.method",
    "reason": "k.reason",
    "support": "(SELECT min(s.support) FROM case_support s WHERE s.case_id = k.id)",
}


async def _plainly(url: str) -> float:
    """Seconds for one query a cut and measure, as somebody would write them by hand; of the support
    only one a case, which is less work than the report does."""
    cuts = essex().measure("cases").cuts
    db = Database(url)
    async with db.read() as session:
        started = perf_counter()
        for cut in cuts:
            for query in _queries(cut):
                (await session.execute(text(query))).all()
        took = perf_counter() - started
    await db.close()
    return took


def _queries(cut: Sequence[str]) -> Iterator[str]:
    by = ", ".join(COLUMNS[name] for name in cut)
    cut_by, and_group = f"{by}, " if by else "", f" GROUP BY {by}" if by else ""
    arrived = cut_by.replace("k.method", "c.method"), and_group.replace("k.method", "c.method")
    yield f"SELECT {arrived[0]}count(DISTINCT c.person_id) FROM {CAME_IN}{arrived[1]}"
    yield f"SELECT {arrived[0]}count(*) FROM {CAME_IN}{arrived[1]}"
    yield f"SELECT {cut_by}count(*) FROM {BEGAN}{and_group}"
    for clock in ("first_response", "allocation"):
        only = f"{MADE} AND d.clock = '{clock}'"
        yield f"SELECT {cut_by}count(*) FROM {only} AND d.met_at <= d.due_at{and_group}"
        yield f"SELECT {cut_by}count(*) FROM {only} AND d.met_at > d.due_at{and_group}"
        yield f"SELECT {cut_by}max(d.met_at), min(d.started_at) FROM {only}{and_group}"


# --- a quarter of life ----------------------------------------------------------------------------


async def _fill(url: str, count: int) -> None:
    contract, chance = essex(), random.Random(3)
    people, cases = max(10, count // 25), max(20, count // 4)
    quadrants = [*(area.code for area in contract.quadrants), "unknown"]
    groups = [group.code for group in contract.groups]
    methods = [one.code for one in contract.methods]
    reasons = [one.code for one in contract.reasons]
    supports = [one.code for one in contract.support]
    whose = [chance.randint(1, people) for _ in range(cases)]

    def opened(number: int) -> datetime:
        return START + SPAN * (number / cases)

    def persons(number: int) -> dict[str, Any]:
        group = groups[number % len(groups)]
        return {"id": number + 1, "contract": "essex", "group": group, "created_at": START}

    def case(number: int) -> dict[str, Any]:
        person = whose[number]
        return {
            "id": number + 1,
            "reference": f"ESX-{number:07}",
            "contract": "essex",
            "person_id": person,
            "reason": chance.choice(reasons),
            "group": groups[person % len(groups)],
            "quadrant": quadrants[person % len(quadrants)],
            "method": chance.choice(methods),
            "opened_at": opened(number),
        }

    def contact(number: int) -> dict[str, Any]:
        of = max(0, min(cases - 1, number * cases // count - chance.randrange(20)))
        return {
            "contract": "essex",
            "case_id": of + 1,
            "person_id": whose[of],
            "direction": "in",
            "kind": "message",
            "channel": "sms",
            "method": chance.choice(methods),
            "at": START + SPAN * (number / count),
            "written_at": START,
        }

    def promise(number: int) -> dict[str, Any]:
        at = opened(number // 2)
        met = at + timedelta(seconds=chance.expovariate(1 / 30_000))
        return {
            "contract": "essex",
            "case_id": number // 2 + 1,
            "clock": ("first_response", "allocation")[number % 2],
            "stops": "human_reply",
            "started_at": at,
            "due_at": at + timedelta(hours=24),
            "state": "met",
            "met_at": met,
        }

    def support(number: int) -> dict[str, Any]:
        code = supports[(number + number // len(supports)) % len(supports)]
        return {"case_id": number + 1, "support": code, "at": START}

    db = Database(url)
    tables = (
        *(("person", persons, people), ("case", case, cases), ("contact", contact, count)),
        *(("deadline", promise, 2 * cases), ("case_support", support, cases)),
    )
    for name, make, number in tables:
        for start in range(0, number, CHUNK):
            rows = [make(one) for one in range(start, min(start + CHUNK, number))]
            async with db.write() as session:
                await session.execute(insert(metadata.tables[name]), rows)
    async with db.write() as session:
        await session.execute(text("ANALYZE"))
    await db.close()
