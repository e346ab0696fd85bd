"""A helpline moves from SQLite into PostgreSQL: every table, every row, compared afterwards.

Called by `helpline move`. The old file is opened for reading only. The new database changes in one
transaction that is committed once every row has been read back and was the same: a move that fails
leaves it as empty as it was. What is sealed stays sealed: no key is needed.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, Table, create_engine, func, literal, select
from sqlalchemy.exc import SQLAlchemyError

from helpline.db import POSTGRES, checked_url, limit_on_standing_still, sync_url
from helpline.errors import InvalidInput
from helpline.log import where
from helpline.migrations import is_at_head
from helpline.migrations.rows import CHUNK, PATIENCE, continue_numbers, put, reading_engine, stored
from helpline.models import metadata

Say = Callable[[str, int, int], None]
"""Told a table's name, its rows moved so far and all of its rows."""
RUNS_UNTIL = timedelta(seconds=60)
"""A process says every ten seconds that it lives."""
NODE = metadata.tables["node"]


def move(source: str, target: str, now: datetime, say: Say) -> int:
    """Copy everything from the SQLite at `source` into the empty, migrated PostgreSQL at `target`,
    and compare. Returns how many rows. InvalidInput says in one sentence why not; then nothing has
    changed anywhere."""
    old, new = _urls(source, target)
    reading = reading_engine(old)
    patient = POSTGRES | limit_on_standing_still(PATIENCE)
    writing = create_engine(sync_url(new), connect_args=patient)
    try:
        with reading.connect() as from_, _connected(writing) as to:
            _check(source, target, from_, to, now)
            before = _version(from_)
            moved = sum(_move_table(table, from_, to, say) for table in metadata.sorted_tables)
            from_.rollback()  # the end of what was read as one state
            if _version(from_) != before:
                raise InvalidInput(
                    "Something was written to the old database meanwhile: stop the helpline, then "
                    "move. Nothing was moved."
                )
            to.commit()
            return moved
    finally:
        reading.dispose()
        writing.dispose()


def _urls(source: str, target: str) -> tuple[URL, URL]:
    old = checked_url(source)
    if old.get_backend_name() != "sqlite" or not Path(old.database or "").is_file():
        raise InvalidInput(
            "HELPLINE_DATABASE_URL must name the SQLite file that is to be moved; it is not one, "
            "or there is no such file."
        )
    try:
        new = checked_url(target)
    except InvalidInput:
        new = old
    if new.get_backend_name() != "postgresql":
        raise InvalidInput("--to must look like postgresql://user:password@host/name.")
    return old, new


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except SQLAlchemyError as error:
        raise InvalidInput(
            f"The new database does not answer: is --to right, and may this machine reach it? "
            f"({where(error)})"
        ) from None


def _check(source: str, target: str, from_: Connection, to: Connection, now: datetime) -> None:
    if not is_at_head(source):
        raise InvalidInput("The old database is not up to date: run `helpline migrate` first.")
    if not is_at_head(target):
        raise InvalidInput(
            "The new database has no tables, or those of another version: run `helpline migrate` "
            "with HELPLINE_DATABASE_URL set to it first."
        )
    for table in metadata.sorted_tables:
        if to.execute(select(literal(1)).select_from(table).limit(1)).first():
            raise InvalidInput(
                f"The new database is not empty: there are rows in “{table.name}”. A helpline "
                "moves into an empty one only."
            )
    alive = select(func.max(NODE.c.seen_at)).where(NODE.c.stopped_at.is_(None))
    seen = from_.execute(alive).scalar_one()
    if seen is not None and now - seen < RUNS_UNTIL:
        raise InvalidInput(
            "A helpline still runs on the old database, or ended less than a minute ago without "
            "saying so: stop it, wait a minute, then move."
        )


def _version(connection: Connection) -> int:
    """Changes when another connection has written to the file."""
    version: int = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
    connection.rollback()
    return version


def _move_table(table: Table, from_: Connection, to: Connection, say: Say) -> int:
    total = from_.execute(select(func.count()).select_from(table)).scalar_one()
    digest = hashlib.sha256()
    rows = _told(_hashed(stored(table, from_), digest), table.name, total, say)
    try:
        moved = _copy(table, rows, to)
        again = hashlib.sha256()
        back = sum(1 for _ in _hashed(stored(table, to), again))
        continue_numbers(table, to)
    except (psycopg.Error, SQLAlchemyError) as error:
        raise InvalidInput(
            f"“{table.name}” could not be written to the new database ({where(error)}). Nothing "
            "was moved."
        ) from None
    if (back, again.digest()) != (moved, digest.digest()) or moved != total:
        raise InvalidInput(
            f"“{table.name}” reads differently in the new database than in the old one. Nothing "
            "was moved."
        )
    return moved


def _copy(table: Table, rows: Iterable[tuple[Any, ...]], to: Connection) -> int:
    return put(table, [column.name for column in table.columns], rows, to)


def _hashed(rows: Iterable[tuple[Any, ...]], digest: Any) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        digest.update(repr(row).encode())
        yield row


def _told(
    rows: Iterable[tuple[Any, ...]], name: str, total: int, say: Say
) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(rows):
        if number % CHUNK == 0:
            say(name, number, total)
        yield row
    say(name, total, total)
