"""Changing the keys under load: people write, workers answer, look for them and open their cases,
while everything is sealed anew. Nobody meets an error, and afterwards nothing is under the old key.

`make turning` runs it whole on both databases; tests/drills/test_turning.py a small one of each.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields

from sqlalchemy import func, select

from helpline import sealing
from helpline.db import Database
from helpline.desk import cases, keyring, rekeying, search
from helpline.desk.rekeying import Left
from helpline.engine.routing import route_all
from helpline.engine.searching import read_for_search
from helpline.models import Address, Case, Contact, Person
from helpline.sealing import KeyRing, install, ring
from helpline.web.hooks import take_in
from tests import databases
from tests.drills.__main__ import empty_database
from tests.keys import RAW_TEST_KEY
from tests.world import World, opened_world

OLD, NEW = RAW_TEST_KEY, b"another key that the tests use!!"
PAUSE = 0.03
"""Seconds between two acts of one person: busier than any night."""
WORDS = "lantern harbour kettle orchard marble willow copper meadow".split()


@dataclass
class Figures:
    """What the drill counted."""

    people: int = 0
    written_meanwhile: int = 0
    answered_meanwhile: int = 0
    looked_for_meanwhile: int = 0
    made_anew: int = 0
    errors: list[str] = field(default_factory=list)
    not_found: int = 0
    under_the_old_key: int = 0
    twice: int = 0

    @property
    def is_kept(self) -> bool:
        return not (self.errors or self.not_found or self.under_the_old_key or self.twice)


def number_of(who: int) -> str:
    return f"+4477009{who:05}"


async def drill(url: str, people: int, seed: int) -> Figures:
    """So many people have a case; then the keys change while more happens."""
    install(KeyRing([OLD]))
    dice, figures = random.Random(seed), Figures(people=people)
    try:
        async with opened_world(url) as world:
            async with world.house.db.write() as session:
                await keyring.stand(session, world.now)
            for who in range(people):
                await write(world, who, WORDS[who % len(WORDS)])
            await route_all(world.house)
            await read_for_search(world.house)
            install(KeyRing([NEW, OLD]))
            async with world.house.db.write() as session:
                await keyring.stand(session, world.now)
                await rekeying.staff_first(session)
            left = await _under_load(world, url, figures, dice)
            figures.made_anew = left.done
            figures.under_the_old_key = sum(sum(one.values()) for one in left.sealed.values())
            figures.under_the_old_key += sum(left.odd.values())
            install(KeyRing([NEW]))
            await _look_at_all(world, figures)
    finally:
        install(KeyRing([OLD]))
    return figures


async def write(world: World, who: int, word: str) -> None:
    asked = world.sms_network.write(number_of(who), "+447700900000", f"it is about the {word}")
    await take_in(world.house, world.sms_network, asked)


async def _under_load(world: World, url: str, figures: Figures, dice: random.Random) -> Left:
    done = asyncio.Event()
    others = [
        asyncio.create_task(_again_and_again(act, done, figures))
        for act in (
            lambda: _somebody_writes(world, figures, dice),
            lambda: _somebody_answers(world, figures, dice),
            lambda: _somebody_looks(world, figures, dice),
        )
    ]
    mine = Database(url, stands_still=60)  # as the command has: connections of its own
    try:
        return await rekeying.rotate(mine, world.clock)
    finally:
        done.set()
        await asyncio.gather(*others)
        await mine.close()


async def _again_and_again(
    act: Callable[[], Awaitable[None]], done: asyncio.Event, figures: Figures
) -> None:
    while not done.is_set():
        try:
            await act()
        except Exception as error:  # whatever it is: nobody may meet one
            figures.errors.append(f"{type(error).__name__}: {error}"[:200])
        await asyncio.sleep(PAUSE)


async def _somebody_writes(world: World, figures: Figures, dice: random.Random) -> None:
    """Often somebody we know, sometimes for the first time."""
    if dice.random() < 0.2:
        who, figures.people = figures.people, figures.people + 1
    else:
        who = dice.randrange(figures.people)
    await write(world, who, dice.choice(WORDS))
    await route_all(world.house)
    await read_for_search(world.house)
    figures.written_meanwhile += 1


async def _somebody_answers(world: World, figures: Figures, dice: random.Random) -> None:
    async with world.house.db.write() as session:
        found = (await session.scalars(select(Case).order_by(Case.id))).all()
        case = dice.choice(found)
        await cases.record_reading(session, case, world.worker, world.now)
        contract = world.house.contracts[case.contract]
        await cases.reply(session, contract, case, "I will ring you", world.worker, world.now)
    figures.answered_meanwhile += 1


async def _somebody_looks(world: World, figures: Figures, dice: random.Random) -> None:
    """By number, which must find exactly one; by word, which must find some."""
    contracts = list(world.house.contracts.values())
    who = dice.randrange(min(figures.people, 40))
    async with world.house.db.write() as session:
        by_number = await search.find(session, world.lead, contracts, number_of(who), world.now)
        by_word = await search.find(session, world.lead, contracts, WORDS[0], world.now)
    if len(by_number.people) != 1 or not by_word.cases:
        figures.not_found += 1
    figures.looked_for_meanwhile += 1


async def _look_at_all(world: World, figures: Figures) -> None:
    """With the old key gone: everything opens, everybody is found once."""
    async with world.house.db.read() as session:
        counts = await keyring.counted(session)
        first = ring().marks[0]
        figures.under_the_old_key += sum(
            count for one in counts.values() for mark, count in one.items() if mark != first
        )
        figures.not_found += sum((await rekeying.cannot_open(session)).values())
        bodies = (await session.scalars(select(Contact.body))).all()
        assert any("it is about the" in (body or "") for body in bodies)
        for who in range(figures.people):
            index = ring().index("address:sms", number_of(who))
            found = select(func.count()).where(Address.value_index == index)
            count = await session.scalar(found) or 0
            figures.not_found += count == 0
            figures.twice += max(count - 1, 0)
        people = await session.scalar(select(func.count()).select_from(Person)) or 0
        figures.twice += max(people - figures.people - 1, 0)  # Carol is on the register


def main() -> int:
    wanted = argparse.ArgumentParser(prog="turning", description=__doc__)
    wanted.add_argument("--database", choices=(*databases.KINDS, "both"), default="both")
    wanted.add_argument("--people", type=int, default=1_000)
    wanted.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = wanted.parse_args()
    sealing.install(sealing.KeyRing([OLD]))
    kinds = databases.KINDS if asked.database == "both" else (asked.database,)
    is_kept = True
    for kind in kinds:
        with empty_database(kind) as url:
            figures = asyncio.run(drill(url, asked.people, asked.seed))
        print(f"turning: {kind}, seed {asked.seed}")
        for one in fields(figures):
            print(f"  {one.name.replace('_', ' '):24} {getattr(figures, one.name)}")
        sys.stdout.flush()
        is_kept = is_kept and figures.is_kept
    print("turning: every promise kept" if is_kept else "turning: FAILED")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
