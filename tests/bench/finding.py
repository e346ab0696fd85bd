"""How long the search takes over many cases, by what is asked: a rare word, a common one, two, a
name, a place, a reference. The texts are sealed ones of 25 words whose frequencies fall as words'
frequencies do, read by the job itself."""

import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from statistics import median, quantiles
from time import perf_counter

from sqlalchemy import insert, text

from helpline.desk import access, search
from helpline.desk.house import House
from helpline.models import metadata
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.bench import inside
from tests.bench.databases import Databases
from tests.bench.figures import Aim, Figure
from tests.bench.sizes import Say, Sizes

CHUNK = 2_000
WORDS = 20_000
P95_MS = Aim(most=100.0)


def measure(databases: Databases, sizes: Sizes, say: Say) -> Iterator[Figure]:
    """Median and 95th percentile of one question inside the process."""
    for kind in databases.kinds:
        say(f"search {kind}: writing {sizes.cases:,} cases with a message each")
        reading, waits = asyncio.run(_once(databases.fresh(kind), sizes, say))
        yield Figure("search: texts read", kind, sizes.cases / reading, "1/s")
        for asked, some in waits.items():
            p95 = quantiles(some, n=20)[18] * 1000
            say(f"search {kind}: {asked}: median {median(some) * 1000:.1f} ms, p95 {p95:.1f} ms")
            name = f"search {sizes.cases:,} cases, {asked}: p95"
            yield Figure(name, kind, p95, "ms", aim=P95_MS)


def _word(rank: int) -> str:
    """A made-up word for a rank: "bakolu"."""
    letters = ""
    for _ in range(4):
        rank, rest = divmod(rank, 60)
        letters += "bcdfgklmnprt"[rest % 12] + "aeiou"[rest // 12]
    return letters


async def _once(url: str, sizes: Sizes, say: Say) -> tuple[float, dict[str, list[float]]]:
    chance = random.Random(7)
    ranks = range(WORDS)
    weights = [1 / (rank + 10) for rank in ranks]
    async with inside.house(url) as house:
        for start in range(0, sizes.cases, CHUNK):
            numbers = range(start + 1, min(start + CHUNK, sizes.cases) + 1)
            said = chance.choices(ranks, weights, k=25 * len(numbers))
            await _write(house, numbers, [_word(rank) for rank in said])
        async with house.db.write() as session:
            lea = await access.add_user(
                session, "lea", "lead", None, "a b c d e f g", house.clock.now()
            )
        begun = perf_counter()
        while True:
            async with house.db.write() as session:
                if not await search.read_on(session, house.clock.now()):
                    break
        reading = perf_counter() - begun
        async with house.db.write() as session:
            await session.execute(text("ANALYZE"))
        asker = Actor(lea, "lea", Role.LEAD, None)
        rare, common = WORDS * 3 // 4, 0
        questions = {
            "a rare word": lambda: _word(rare + chance.randrange(200)),
            "a common word": lambda: _word(common + chance.randrange(5)),
            "two words": lambda: f"{_word(chance.randrange(20))} {_word(chance.randrange(400))}",
            "a name": lambda: f"Carer {_word(chance.randrange(sizes.cases)).title()}",
            "a place": lambda: f"CM{chance.randrange(1, 9)} 1QH",
            "a reference": lambda: f"ESX-{chance.randrange(sizes.cases):06}",
        }
        waits: dict[str, list[float]] = {}
        for name, question in questions.items():
            some = waits[name] = []
            for _ in range(sizes.pages):
                asked = question()
                started = perf_counter()
                async with house.db.write() as session:
                    await search.find(
                        session, asker, list(house.contracts.values()), asked, house.clock.now()
                    )
                some.append(perf_counter() - started)
        return reading, waits


async def _write(house: House, numbers: range, said: list[str]) -> None:
    now = house.clock.now()
    tables = metadata.tables
    async with house.db.write() as session:
        people = [
            {"id": n, "contract": "essex", "name": f"Carer {_word(n).title()}", "created_at": now}
            for n in numbers
        ]
        await session.execute(insert(tables["person"]), people)
        homes = [
            {
                "person_id": n,
                "contract": "essex",
                "number_index": f"n{n}",
                "group": "foster_carer",
                "postcode": f"CM{n % 8 + 1} 1QH",
            }
            for n in numbers
        ]
        await session.execute(insert(tables["membership"]), homes)
        cases = [
            {
                "id": n,
                "reference": f"ESX-{n:06}",
                "contract": "essex",
                "person_id": n,
                "method": "text",
                "opened_at": now - timedelta(minutes=n),
            }
            for n in numbers
        ]
        await session.execute(insert(tables["case"]), cases)
        contacts = [
            {
                "contract": "essex",
                "case_id": n,
                "person_id": n,
                "direction": "in",
                "kind": "message",
                "channel": "sms",
                "method": "text",
                "at": now,
                "written_at": now,
                "body": " ".join(said[25 * i : 25 * i + 25]),
            }
            for i, n in enumerate(numbers)
        ]
        await session.execute(insert(tables["contact"]), contacts)
