"""`make drill`: 10,000 signed webhooks and 60 kills, on SQLite and again on PostgreSQL, the figures
and the seed; then the broken twin, which must fail, or the drill proves nothing. Exit status 1 when
a promise is broken. `make drill ARGS='--database postgres --seed 7'` repeats a part of it."""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

from helpline import log, sealing
from helpline.migrations import migrate
from tests import databases
from tests.drills.losing import Figures, Plan, drill
from tests.keys import RAW_TEST_KEY


def main() -> int:
    wanted = argparse.ArgumentParser(prog="drill", description=__doc__)
    wanted.add_argument("--database", choices=(*databases.KINDS, "both"), default="both")
    wanted.add_argument("--messages", type=int, default=10_000)
    wanted.add_argument("--kills", type=int, default=60)
    wanted.add_argument("--pace", type=float, default=100, help="webhooks a second")
    wanted.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = wanted.parse_args()
    log.set_up(logging.ERROR)  # what is found and what is not is told by the figures
    sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
    plan = Plan(asked.messages, asked.kills, asked.seed, asked.pace)
    kinds = databases.KINDS if asked.database == "both" else (asked.database,)
    faults = [fault for kind in kinds if (fault := judged(plan, kind))]
    for fault in faults:
        print(f"drill: FAILED. {fault}")
    if not faults:
        print("drill: every promise kept, and the broken twin was caught")
    return 1 if faults else 0


def judged(plan: Plan, kind: str) -> str:
    """The drill and its broken twin on one kind of database; what went wrong, empty for nothing."""
    if not run(plan, kind, "drill").is_kept:
        return f"Again: make drill ARGS='--database {kind} --seed {plan.seed}'"
    messages, kills = min(1000, plan.messages), min(15, plan.kills)
    twin = replace(plan, messages=messages, kills=kills, is_hasty=True, settles=False)
    broken = run(twin, kind, "twin that answers before it has stored")
    if not broken.acknowledged_but_lost:
        return f"The broken twin passed on {kind}: this drill shows nothing."
    return ""


def run(plan: Plan, kind: str, name: str) -> Figures:
    with empty_database(kind) as url:
        figures = asyncio.run(drill(plan, url))
    print(f"{name}: {kind}, seed {plan.seed}, {plan.pace:g} webhooks a second")
    for one in fields(figures):
        value = getattr(figures, one.name)
        shown = f"{value:.1f}" if isinstance(value, float) else str(value)
        print(f"  {one.name.replace('_', ' '):24} {shown}")
    sys.stdout.flush()
    return figures


@contextmanager
def empty_database(kind: str) -> Iterator[str]:
    """A database of this kind with its tables, for the length of a `with`."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="helpline-drill-") as folder:
            url = databases.new_sqlite_file(Path(folder))
            migrate(url)
            yield url
        return
    with databases.postgres_server() as server:
        url = databases.new_postgres_database(server)
        migrate(url)
        yield url


if __name__ == "__main__":
    sys.exit(main())
