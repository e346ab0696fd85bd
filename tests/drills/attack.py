"""The attack at full size: a made year of one contract, every report of it published one after the
other as it would be, and then somebody who has all of them and solves for the rest.

`python -m tests.drills.attack --contract national --contacts 20000 --cuts quadrant,carer_type`; run
small by tests/drills/test_attack.py. Says what it does as it goes: a year of Essex with every cut
takes an hour.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from helpline import sealing
from helpline.contract import Contract, load_contracts
from helpline.db import Database
from helpline.reports.protection import Earlier, protect
from tests import databases
from tests.keys import RAW_TEST_KEY
from tests.reports.attacker import Attacker
from tests.reports.test_attacker import Exact, every_release, narrow

CONTRACTS = Path(__file__).parents[2] / "contracts"


@dataclass(frozen=True)
class Result:
    """`figures`: of all releases; `hidden`: how many of them; `shown`: that are not nought and can
    be read; `longest`: seconds for the slowest release; `learned`: hidden small ones that the
    attacker knows to within one."""

    releases: int
    figures: int
    hidden: int
    shown: int
    longest: float
    learned: int


def attack(contract: Contract, year: Exact, say: Callable[[str], None]) -> Result:
    """Publish a year, each release protected beside those before it, and solve for the hidden."""
    out: list[Earlier] = []
    longest = 0.0
    for when, exact in year:
        begun = perf_counter()
        out.append(Earlier(when, exact, protect(contract, when, exact, out)))
        took = perf_counter() - begun
        longest = max(longest, took)
        hidden = sum(cell.hidden is not None for cell in out[-1].published)
        say(f"{when.label}: {len(exact):,} figures, {hidden:,} hidden, {took:.1f} s")
    attacker = Attacker(contract)
    attacker.read(out)
    say(f"attack: {len(attacker.truth) - len(attacker.known):,} unknown")
    learned = attacker.learned(any_one=False)
    shown = [cell for one in out for cell in one.published if cell.value]
    hidden = sum(cell.hidden is not None for one in out for cell in one.published)
    figures = sum(len(one.published) for one in out)
    return Result(len(out), figures, hidden, len(shown), longest, len(learned))


async def made(contract: Contract, contacts: int) -> Exact:
    """The exact figures of a year of so many contacts."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        db = Database(databases.new_sqlite_file(place, databases.migrated_sqlite(place)))
        try:
            return await every_release(db, contract, contacts)
        finally:
            await db.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.drills.attack")
    parser.add_argument("--contract", default="national")
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--cuts", default="", help="with commas; all where none is given")
    asked = parser.parse_args()
    contract = load_contracts(CONTRACTS)[asked.contract]
    if asked.cuts:
        contract = narrow(contract, asked.cuts.split(","))
    sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
    found = attack(contract, asyncio.run(made(contract, asked.contacts)), print_now)
    print_now(f"{asked.contract}, {asked.contacts:,} contacts, cuts {asked.cuts or 'all'}: {found}")
    return 1 if found.learned else 0


def print_now(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
