"""The audit trail as a chain: whoever writes, the lines hang together; whatever somebody changes by
hand afterwards is found and named. tests/drills/tamper.py does it ten thousand times."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text, update

from helpline.clock import Clock
from helpline.db import Database
from helpline.desk import anchoring, beats, chaining, events, verifying
from helpline.desk.chaining_words import FAULTS, said
from helpline.errors import InvalidInput
from helpline.models import AuditHead, Event, Node, metadata
from helpline.rules import chain
from helpline.rules.chain import Fault
from helpline.sealing import KeyRing, install
from helpline.templating import Wording
from tests.drills import tamper
from tests.keys import RAW_TEST_KEY

LINES, ACTS = 60, 100
NOW = tamper.BEGAN + timedelta(days=1)
EVENT = metadata.tables["event"]


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, stands_still=60)
    yield opened
    await opened.close()


async def looked(db: Database, left: str | None = None) -> verifying.Found:
    async with db.read() as session:
        return await verifying.look_through(session, left)


async def test_whatever_is_done_to_the_trail_by_hand_is_found(db: Database) -> None:
    await tamper.write_trail(db, LINES, seed=8)
    whole = await looked(db)
    assert (whole.fault, whole.lines, whole.waiting) == (None, LINES, 0)
    assert said(whole) == f"Whole: {LINES} lines, up to 2026-09-01 08:00:59 UTC."
    found, missed = await tamper.tamper(db, ACTS, LINES, seed=88)
    assert missed == []
    assert {what.partition(":")[0] for what in found} == set(tamper.WAYS)
    assert (await looked(db)).fault is None  # each was taken back


async def test_the_first_broken_line_is_named(db: Database) -> None:
    await tamper.write_trail(db, LINES, seed=1)
    async with db.write() as session:
        await session.execute(update(EVENT).where(EVENT.c.id.in_((17, 40))).values(kind="x.y"))
    found = await looked(db)
    assert (found.fault, found.seq, found.event_id) == (Fault.EDITED, 17, 17)
    assert found.at == tamper.BEGAN + timedelta(seconds=16)
    assert said(found) == (
        "Not whole: line 17 (event 17) of 2026-09-01 08:00:16 UTC is not what was written: "
        "somebody changed it. 16 lines are whole."
    )
    assert set(FAULTS) == set(Fault)


async def test_a_cut_end_that_is_made_to_look_whole_is_found_by_what_left(db: Database) -> None:
    """Somebody has an old copy of the end as well; only a line elsewhere knows better."""
    await tamper.write_trail(db, 20, seed=1)
    async with db.read() as session:
        before = (await session.execute(select(metadata.tables["audit_head"]))).one()._mapping
    async with db.write() as session:
        await events.record(session, "case.read", NOW)
    await tamper.tie_all(db)
    async with db.write() as session:
        line = await anchoring.make(session, [], {}, Wording(), NOW)
    assert line is not None
    assert (await looked(db, line)).fault is None
    async with db.write() as session:
        await session.execute(text("DELETE FROM audit_link WHERE seq > 20"))
        await session.execute(text("DELETE FROM event WHERE id > 20"))
        await session.execute(update(AuditHead).values(**before))
    assert (await looked(db)).fault is None
    assert (await looked(db, line)).fault is Fault.SHORT
    other = f"20:{'ab' * 36}"
    assert (await looked(db, other)).fault is Fault.OTHER
    with pytest.raises(InvalidInput, match="4711:9f3c"):
        await looked(db, "yesterday's")


async def test_many_writers_at_once_make_one_whole_chain(db: Database) -> None:
    """Late commits are neither skipped nor tied on twice, whoever ties on meanwhile."""

    async def write(number: int) -> None:
        for turn in range(5):
            async with db.write() as session:
                await events.record(session, "case.read", NOW, people=number)
                await asyncio.sleep(0.001 * ((number * 7 + turn) % 4))
                await events.record(session, "note.written", NOW, people=number)

    async def tie() -> None:
        for _ in range(8):
            async with db.write() as session:
                await chaining.tie_on(session, NOW)
            await asyncio.sleep(0.002)

    await asyncio.gather(*(write(number) for number in range(6)), tie(), tie())
    await tamper.tie_all(db)
    found = await looked(db)
    assert (found.fault, found.lines, found.waiting) == (None, 60, 0)


async def test_a_copied_or_invented_line_is_never_tied_on(db: Database) -> None:
    await tamper.write_trail(db, 5, seed=1)
    async with db.write() as session:
        row = (await session.execute(select(EVENT).where(EVENT.c.id == 2))).one()._mapping
        await session.execute(insert(EVENT).values({**row, "id": 1000}))
        await session.execute(insert(EVENT).values({**row, "id": 1001, "proof": b"x" * 48}))
        await events.record(session, "case.read", NOW)
    await tamper.tie_all(db)
    found = await looked(db)
    assert (found.fault, found.lines) == (Fault.ADDED, 6)
    assert found.event_id in (1000, 1001)


async def test_the_chain_takes_in_what_was_written_before_it_began(db: Database) -> None:
    """By a version that proved nothing; the next such line is one that nobody may add."""
    old = {"kind": "case.opened", "at": NOW, "detail": {"a": 1}, "proof": None}
    async with db.write() as session:
        await session.execute(insert(EVENT).values(old))
        await events.record(session, "case.read", NOW)
    await tamper.tie_all(db)
    assert (await looked(db)).lines == 2
    async with db.write() as session:
        await session.execute(insert(EVENT).values(old))  # a rollback, or somebody by hand
    await tamper.tie_all(db)
    assert ((await looked(db)).fault, (await looked(db)).event_id) == (Fault.UNPROVED, 3)
    async with db.write() as session:
        assert await chaining.accept(session, 3, NOW) == 1
    await tamper.tie_all(db)
    found = await looked(db)
    assert (found.fault, found.lines) == (None, 4)  # and that it was accepted
    async with db.write() as session:
        await session.execute(update(EVENT).where(EVENT.c.id == 1).values(detail={"a": 2}))
    assert (await looked(db)).fault is Fault.EDITED


async def test_while_a_process_runs_that_proves_nothing_the_chain_waits(db: Database) -> None:
    node = Node(name="old:1", version="0.1", started_at=NOW, seen_at=NOW)
    async with db.write() as session:
        await beats.report(session, node, is_start=True)
        await beats.expect(session, "old:1", {"watch": NOW}, NOW)
        await events.record(session, "case.read", NOW)
        assert await chaining.tie_on(session, NOW) == 0
    async with db.write() as session:
        await beats.leave(session, "old:1", NOW)
        assert await chaining.tie_on(session, NOW) == 1


async def test_lines_of_a_key_that_is_gone_are_still_proved(db: Database) -> None:
    new = b"another key that the tests use!!"
    await tamper.write_trail(db, 5, seed=1)
    try:
        install(KeyRing([new, RAW_TEST_KEY]))
        from helpline.desk import rekeying

        assert (await rekeying.rotate(db, Clock())).is_nothing
        install(KeyRing([new]))
        await tamper.tie_all(db)
        found = await looked(db)
        assert (found.fault, found.lines) == (None, 6)  # and that keys were changed
        async with db.write() as session:
            await session.execute(update(EVENT).where(EVENT.c.id == 3).values(kind="x.y"))
        assert (await looked(db)).fault is Fault.EDITED
    finally:
        install(KeyRing([RAW_TEST_KEY]))


async def test_an_event_added_through_its_model_is_proved_too(db: Database) -> None:
    async with db.write() as session:
        session.add(Event(kind="case.read", at=NOW, detail={"of": [1, None, 2.5], "é": True}))
        await session.flush()
        await chaining.tie_on(session, NOW)
    assert (await looked(db)).lines == 1


def test_what_is_proved_is_the_same_whatever_stands_in_the_detail() -> None:
    one = chain.content("a.b", NOW, None, None, 1, {"x": (1, 2), "y": Fault.SHORT, 3: None})
    other = chain.content("a.b", NOW, None, None, 1, {"3": None, "y": "short", "x": [1, 2]})
    assert one == other
    assert chain.anchored("2026-11-23T00:00:05+00:00 12:" + "0f" * 36) == (12, "0f" * 36)
    assert chain.anchored("12:0f") is None
