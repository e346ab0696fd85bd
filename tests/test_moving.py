"""`helpline move`: everything of a SQLite helpline is in PostgreSQL afterwards and a conversation
goes on there; whatever stands in the way is one sentence, and then nothing has changed."""

import hashlib
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, func, insert, select, text

from bots.simulator import Simulator
from helpline.clock import MovableClock
from helpline.db import checked_url, sync_url
from helpline.desk import beats
from helpline.desk.house import Demo
from helpline.errors import InvalidInput
from helpline.main import build
from helpline.migrations import moving
from helpline.migrations.moving import move
from helpline.models import Alert, Deadline, Event, InboundItem, JobRun, Node, metadata
from tests import databases
from tests.once import once
from tests.terminals import Commands
from tests.test_cli import Terminal
from tests.world import CARER, NIGHT, STRANGER, World, opened_world


@dataclass
class Old:
    """A helpline on SQLite in the middle of its work, told to stop."""

    url: str
    path: Path
    world: World


@pytest.fixture
async def old(
    tmp_path: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Old]:
    """A copy of one that is made once in a run: half a day of it takes ten seconds."""
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    path = Path(url.removeprefix("sqlite:///"))
    with once(tmp_path_factory, "half-a-day.db") as (made, is_made):
        if not is_made:
            await half_a_day(url)
            shutil.move(path, made)
    shutil.copy(made, path)
    async with opened_world(url, NIGHT + timedelta(hours=13), is_known=True) as world:
        yield Old(url, path, world)


async def half_a_day(url: str) -> None:
    async with opened_world(url) as world:
        await world.sms(CARER, "They say I hit him. 😟 I'm “so” tired\nof this")
        await world.reply(CARER, "Hello, this is Wasim. I can ring you at ten. Ça va?")
        await world.allocate(CARER, world.worker)
        await world.sms(STRANGER, "he says he has taken all his tablets")
        await world.unreadable()
        await world.forward(hours=13)
        async with world.house.db.write() as session:
            row = {"job": "reconcile", "node": "Ä:1", "started_at": world.now, "failures": 0}
            await session.execute(insert(JobRun), [row | {"seconds": 0.1}])
            await session.execute(insert(JobRun), [row | {"seconds": 1e-9, "node": "a:2"}])
            session.add(Event(kind="odd", at=world.now, detail={"z": [None, 1.5, "é"], "a": {}}))


@pytest.fixture
def new(postgres: str, postgres_template: str) -> Iterator[str]:
    url = databases.new_postgres_database(postgres, postgres_template)
    yield url
    databases.drop_postgres_database(url)


def quiet(table: str, done: int, total: int) -> None:
    assert 0 <= done <= total, table


def rows_in(url: str) -> int:
    engine = create_engine(sync_url(checked_url(url)))
    with engine.connect() as connection:
        count = sum(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        )
    engine.dispose()
    return count


async def test_every_row_is_there_and_the_conversation_goes_on(old: Old, new: str) -> None:
    was = hashlib.sha256(old.path.read_bytes()).digest()
    said: list[tuple[str, int, int]] = []
    moved = move(old.url, new, old.world.now, lambda *told: said.append(told))
    assert moved == rows_in(old.url) == rows_in(new) > 100
    assert hashlib.sha256(old.path.read_bytes()).digest() == was
    assert {name for name, done, total in said if done == total} == set(metadata.tables)

    before, reference = old.world, (await old.world.case_of(CARER)).reference
    clock = MovableClock(frozen_at=old.world.now)
    sms, telegram = Simulator("sms", allow=True), Simulator("telegram", allow=True)
    networks = {"sms": sms, "telegram": telegram}
    settings = before.house.settings.model_copy(update={"database_url": new})
    house = build(settings, clock=clock, channels=networks, demo=Demo(networks, clock))
    world = World(house, sms, telegram)
    world.duty, world.lead, world.worker = before.duty, before.lead, before.worker
    try:
        for table in (Deadline, InboundItem, Event):
            kept = [row.model_dump() for row in await before.all(table)]
            assert [row.model_dump() for row in await world.all(table)] == kept
        await world.sms(CARER, "Yes please, ring me then.")
        assert (await world.case_of(CARER)).reference == reference
        await world.reply(CARER, "I will.")
        assert "I will." in world.texts_to(CARER)[-1]
        await world.sms("+447700900777", "Hello, is anybody there?")
        await world.later(hours=12)
        kinds = [alert.kind for alert in await world.all(Alert)]
        assert "warning" in kinds
    finally:
        await house.inbox.stop()
        await house.db.close()


async def test_a_helpline_that_still_runs_is_not_moved(old: Old, new: str) -> None:
    node = Node(name="x:1", version="1", started_at=NIGHT, seen_at=old.world.now)
    async with old.world.house.db.write() as session:
        await beats.report(session, node)
    with pytest.raises(InvalidInput, match="still runs on the old database"):
        move(old.url, new, old.world.now + timedelta(seconds=59), quiet)
    async with old.world.house.db.write() as session:
        await beats.leave(session, "x:1", old.world.now)
    assert move(old.url, new, old.world.now + timedelta(seconds=1), quiet)


async def test_what_is_written_meanwhile_is_noticed_and_nothing_moves(old: Old, new: str) -> None:
    def write(table: str, done: int, total: int) -> None:
        if (table, done) == ("person", total):
            with sqlite3.connect(old.path) as other:
                other.execute("INSERT INTO login_attempt (subject, at) VALUES ('x', '2026-01-01')")

    with pytest.raises(InvalidInput, match="Something was written to the old database meanwhile"):
        move(old.url, new, old.world.now, write)
    assert rows_in(new) == 0


async def test_a_row_that_arrives_changed_stops_everything(
    old: Old, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = moving._copy

    def careless(table: object, rows: object, to: object) -> int:
        moved = copy(table, rows, to)  # type: ignore[arg-type]
        if table.name == "contact":  # type: ignore[attr-defined]
            to.execute(text("UPDATE contact SET channel = 'smss' WHERE id = 2"))  # type: ignore[attr-defined]
        return moved

    monkeypatch.setattr(moving, "_copy", careless)
    with pytest.raises(InvalidInput, match="“contact” reads differently in the new database"):
        move(old.url, new, old.world.now, quiet)
    assert rows_in(new) == 0


async def test_a_row_that_postgresql_refuses_stops_everything(old: Old, new: str) -> None:
    async with old.world.house.db.write() as session:
        await session.execute(text("UPDATE contact SET channel = 's' || char(0) WHERE id = 2"))
    with pytest.raises(InvalidInput, match="“contact” could not be written"):
        move(old.url, new, old.world.now, quiet)
    assert rows_in(new) == 0


async def test_a_new_database_that_is_not_empty_or_not_ready_is_refused(
    old: Old, new: str, postgres: str
) -> None:
    with psycopg.connect(new) as connection:
        connection.execute("INSERT INTO login_attempt (subject, at) VALUES ('x', now())")
    with pytest.raises(InvalidInput, match="not empty: there are rows in “login_attempt”"):
        move(old.url, new, old.world.now, quiet)
    bare = databases.new_postgres_database(postgres)
    with pytest.raises(InvalidInput, match="run `helpline migrate` with HELPLINE_DATABASE_URL"):
        move(old.url, bare, old.world.now, quiet)
    databases.drop_postgres_database(bare)


def test_wrong_addresses_are_one_sentence_each(tmp_path: Path, new: str) -> None:
    def refused(source: str, target: str) -> str:
        with pytest.raises(InvalidInput) as found:
            move(source, target, NIGHT, quiet)
        return str(found.value)

    here = f"sqlite:///{databases.migrated_sqlite(tmp_path)}"
    assert "no such file" in refused(f"sqlite:///{tmp_path}/none.db", new)
    assert "SQLite file that is to be moved" in refused(new, new)
    assert refused(here, "mysql://x/y").startswith("--to must look like postgresql://")
    assert refused(here, here).startswith("--to must look like postgresql://")
    nobody = "postgresql://helpline:secret-word@127.0.0.1:9/helpline"
    assert refused(here, nobody).startswith("The new database does not answer")
    assert "secret-word" not in refused(here, nobody)
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).close()
    assert "old database is not up to date" in refused(f"sqlite:///{empty}", new)


def test_the_numbers_go_on_where_they_were(old: Old, new: str) -> None:
    move(old.url, new, old.world.now, quiet)
    with psycopg.connect(new) as connection:
        last = connection.execute("SELECT max(id) FROM contact").fetchone()
        following = connection.execute(
            "SELECT nextval(pg_get_serial_sequence('contact', 'id'))"
        ).fetchone()
        empty = connection.execute(
            "SELECT nextval(pg_get_serial_sequence('note', 'id'))"
        ).fetchone()
    assert last is not None
    assert following == (last[0] + 1,)
    assert empty == (1,)


def test_the_command_says_what_it_moved(
    tmp_path: Path, old: Old, new: str, commands: Commands
) -> None:
    terminal = Terminal(tmp_path, old.url, commands)
    said = terminal.succeeds("move", "--to", new)
    assert f"Moved {rows_in(old.url):,} rows, each read back and the same." in said
    assert "  contact: " in said
    assert "is not empty" in terminal.fails("move", "--to", new)
