"""Tampering with the audit trail: single edits, deletions, insertions, swaps and cut ends by
somebody who has the database and not the keys, each of which must be found, and named.

Each one is made in a transaction that is taken back afterwards, so that ten thousand of them need
one database. Run whole with `make tamper`; tests/desk/test_chaining.py runs some on each database.
"""

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

from helpline import sealing
from helpline.db import Database
from helpline.desk import chaining, events, verifying
from tests import databases
from tests.drills.__main__ import empty_database
from tests.keys import RAW_TEST_KEY

BEGAN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
KINDS = ("case.read", "search.made", "user.signed_in", "note.written", "report.taken")
EDITED = ("kind", "at", "contract", "case_id", "by_user_id", "detail", "proof", "id")
Tamper = Callable[[Connection, random.Random, int, bool], None]


async def write_trail(db: Database, lines: int, seed: int) -> None:
    """A trail of so many lines, some of them alike, tied on."""
    dice = random.Random(seed)
    for first in range(0, lines, 500):
        async with db.write() as session:
            await events.record_all(
                session,
                [
                    events.line(
                        dice.choice(KINDS),
                        BEGAN + timedelta(seconds=number),
                        contract=dice.choice(("north", "south", None)),
                        people=dice.randrange(3),
                    )
                    for number in range(first, min(first + 500, lines))
                ],
            )
    await tie_all(db)


async def tie_all(db: Database) -> None:
    now = BEGAN + timedelta(days=1)
    while True:
        async with db.write() as session:
            if not await chaining.tie_on(session, now):
                return


# --- what somebody might do ----------------------------------------------------------------------


def edit(to: Connection, dice: random.Random, lines: int, is_sqlite: bool) -> None:
    """Another value in one column of one event."""
    column, row = dice.choice(EDITED), dice.randint(1, lines)
    held = to.execute(
        text(f"SELECT {column} FROM event WHERE id = :id"),
        {"id": row},
    ).scalar()
    value: Any = held
    while str(value) == str(held):
        value = {
            "kind": lambda: dice.choice((*KINDS, "case.closed")),
            "at": lambda: _instant(BEGAN + timedelta(seconds=dice.random() * 1e6), is_sqlite),
            "contract": lambda: dice.choice(("north", "south", "east", None)),
            "case_id": lambda: dice.choice((1, 2, 3)),
            "by_user_id": lambda: dice.choice((1, 2, 3)),
            "detail": lambda: json.dumps({"people": dice.randrange(9), "x": dice.random()}),
            "proof": lambda: dice.choice((dice.randbytes(48), None)),
            "id": lambda: lines + dice.randint(1, 10**6),
        }[column]()
    cast = "CAST(:value AS JSON)" if column == "detail" and not is_sqlite else ":value"
    put = text(f"UPDATE event SET {column} = {cast} WHERE id = :id")
    to.execute(put, {"value": value, "id": row})


def edit_chain(to: Connection, dice: random.Random, lines: int, is_sqlite: bool) -> None:
    """Another value in one column of one line of the chain, or of its end."""
    row = dice.randint(1, lines)
    put, value = dice.choice(
        (
            ("UPDATE audit_link SET digest = :v WHERE seq = :row", dice.randbytes(36)),
            ("UPDATE audit_link SET proof = :v WHERE seq = :row", dice.randbytes(48)),
            ("UPDATE audit_link SET event_id = :v WHERE seq = :row", lines + row),
            ("UPDATE audit_link SET seq = :v WHERE seq = :row", lines + row),
            ("UPDATE audit_head SET seq = :v WHERE id < :row + 1", lines - row),
            ("UPDATE audit_head SET digest = :v WHERE id < :row + 1", dice.randbytes(36)),
            ("UPDATE audit_head SET unproved_to = :v WHERE id < :row + 1", row),
            ("UPDATE audit_head SET proof = :v WHERE id < :row + 1", dice.randbytes(36)),
        )
    )
    to.execute(text(put), {"v": value, "row": row})


def delete(to: Connection, dice: random.Random, lines: int, is_sqlite: bool) -> None:
    """An event goes; in half of the cases its line of the chain with it."""
    row = dice.randint(1, lines)
    to.execute(text("DELETE FROM event WHERE id = :row"), {"row": row})
    if dice.random() < 0.5:
        to.execute(text("DELETE FROM audit_link WHERE event_id = :row"), {"row": row})


def insert(to: Connection, dice: random.Random, lines: int, is_sqlite: bool) -> None:
    """An event nobody wrote: with no proof, an invented one, or that of another."""
    proof: bytes | None = dice.choice((None, dice.randbytes(48)))
    values = {"id": lines + dice.randint(1, 10**6), "kind": dice.choice(KINDS)}
    if dice.random() < 0.5:  # a copy in every column but its number
        put = (
            "INSERT INTO event (id, kind, at, contract, detail, proof) SELECT :id, kind, at,"
            " contract, detail, proof FROM event WHERE id = :of"
        )
        to.execute(text(put), {"id": values["id"], "of": dice.randint(1, lines)})
        return
    cast = "'{}'" if is_sqlite else "CAST('{}' AS JSON)"
    put = (
        f"INSERT INTO event (id, kind, at, detail, proof) VALUES (:id, :kind, :at, {cast}, :proof)"
    )
    to.execute(text(put), values | {"at": _instant(BEGAN, is_sqlite), "proof": proof})


def swap(to: Connection, dice: random.Random, lines: int, is_sqlite: bool) -> None:
    """Two events, or two lines of the chain, change places."""
    one, other = dice.sample(range(1, lines + 1), 2)
    table, key = dice.choice((("event", "id"), ("audit_link", "seq")))
    for was, is_now in ((one, -1), (other, one), (-1, other)):
        put = text(f"UPDATE {table} SET {key} = :now WHERE {key} = :was")
        to.execute(put, {"was": was, "now": is_now})


def cut(to: Connection, dice: random.Random, lines: int, is_sqlite: bool) -> None:
    """The end goes, events and lines, and the chain is said to end there."""
    last = dice.randint(0, lines - 1)
    to.execute(text("DELETE FROM audit_link WHERE seq > :last"), {"last": last})
    to.execute(text("DELETE FROM event WHERE id > :last"), {"last": last})
    if last:
        digest = "SELECT digest FROM audit_link WHERE seq = :last"
        end = f"UPDATE audit_head SET seq = :last, digest = ({digest})"
        to.execute(text(end), {"last": last})


WAYS: dict[str, Tamper] = {
    one.__name__: one for one in (edit, edit_chain, delete, insert, swap, cut)
}


def _instant(at: datetime, is_sqlite: bool) -> Any:
    return at.replace(tzinfo=None).isoformat(" ", "microseconds") if is_sqlite else at


# --- looking for it ------------------------------------------------------------------------------


async def tamper(db: Database, times: int, lines: int, seed: int) -> tuple[Counter[str], list[str]]:
    """So many acts, each found or not: by way and by fault how often, and those not found."""
    dice, found, missed = random.Random(seed), Counter[str](), list[str]()
    for number in range(times):
        way = dice.choice(list(WAYS))
        state = dice.getrandbits(64)
        fault = await _one(db, WAYS[way], random.Random(state), lines)
        found[f"{way}: {fault or 'NOT FOUND'}"] += 1
        if not fault:
            missed.append(f"{way}, number {number}, state {state}")
    return found, missed


async def _one(db: Database, way: Tamper, dice: random.Random, lines: int) -> str | None:
    """Done, looked for and taken back, in one transaction."""
    async with db._writing() as session:
        connection = await session.connection()
        # Whoever edits by hand minds no foreign keys.
        apart = "PRAGMA defer_foreign_keys = ON"
        apart = apart if db.is_sqlite else "SET LOCAL session_replication_role = replica"
        await session.execute(text(apart))
        await connection.run_sync(lambda sync: way(sync, dice, lines, db.is_sqlite))
        fault = (await _looked(session)).fault
        await session.rollback()
    return fault


async def _looked(session: AsyncSession) -> verifying.Found:
    return await verifying.look_through(session, is_fresh=False)


async def drill(kind: str, times: int, lines: int, seed: int) -> list[str]:
    with empty_database(kind) as url:
        db = Database(url, stands_still=600)
        try:
            await write_trail(db, lines, seed)
            async with db.read() as session:
                whole = await verifying.look_through(session)
            assert whole.fault is None, whole
            assert whole.lines == lines, whole
            found, missed = await tamper(db, times, lines, seed)
        finally:
            await db.close()
    print(f"tamper: {kind}, seed {seed}, {lines} lines, {times} acts, {len(missed)} not found")
    for what, count in sorted(found.items()):
        print(f"  {what:28} {count}")
    sys.stdout.flush()
    return [f"{kind}: {one}" for one in missed]


def main() -> int:
    wanted = argparse.ArgumentParser(prog="tamper", description=__doc__)
    wanted.add_argument("--database", choices=(*databases.KINDS, "both"), default="both")
    wanted.add_argument("--times", type=int, default=5_000, help="acts on each database")
    wanted.add_argument("--lines", type=int, default=300)
    wanted.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = wanted.parse_args()
    sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
    kinds = databases.KINDS if asked.database == "both" else (asked.database,)
    missed = []
    for kind in kinds:
        missed += asyncio.run(drill(kind, asked.times, asked.lines, asked.seed))
    for one in missed:
        print(f"tamper: NOT FOUND. {one}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
