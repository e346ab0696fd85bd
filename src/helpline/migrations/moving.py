"""A helpline moves from SQLite into PostgreSQL: every table, every row, compared afterwards.

Called by `helpline move`. The old file is opened for reading only. The new database changes in one
transaction that is committed once every row has been read back and was the same: a move that fails
leaves it as empty as it was. What is sealed stays sealed: no key is needed.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import (
    JSON,
    URL,
    Connection,
    Engine,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    cast,
    create_engine,
    event,
    func,
    literal,
    select,
    text,
    type_coerce,
)
from sqlalchemy.exc import SQLAlchemyError

from helpline.db import POSTGRES, checked_url, limit_on_standing_still, sync_url
from helpline.errors import InvalidInput
from helpline.log import where
from helpline.migrations import is_at_head
from helpline.models import metadata
from helpline.sealing import Sealed

Say = Callable[[str, int, int], None]
"""Told a table's name, its rows moved so far and all of its rows."""
CHUNK = 5_000
PATIENCE = 600.0
"""Seconds for which the new database may wait for the old one."""
RUNS_UNTIL = timedelta(seconds=60)
"""A process says every ten seconds that it lives."""
NODE = metadata.tables["node"]


def move(source: str, target: str, now: datetime, say: Say) -> int:
    """Copy everything from the SQLite at `source` into the empty, migrated PostgreSQL at `target`,
    and compare. Returns how many rows. InvalidInput says in one sentence why not; then nothing has
    changed anywhere."""
    old, new = _urls(source, target)
    reading = _only_reading(old)
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


def _only_reading(url: URL) -> Engine:
    """Nothing through this engine can change the file, not even by tidying it up at the end."""
    path = Path(url.database or "").absolute().as_uri()
    engine = create_engine("sqlite://", creator=lambda: _opened(path))

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _opened(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path}?mode=ro", uri=True, isolation_level=None)


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
    rows = _told(_hashed(_rows(table, from_), digest), table.name, total, say)
    try:
        moved = _copy(table, rows, to)
        again = hashlib.sha256()
        back = sum(1 for _ in _hashed(_rows(table, to), again))
        _set_sequence(table, to)
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


def _rows(table: Table, connection: Connection) -> Iterator[tuple[Any, ...]]:
    query = _query(table, connection)
    with connection.execute(query, execution_options={"yield_per": CHUNK}) as streamed:
        for row in streamed:
            yield tuple(row)


def _query(table: Table, connection: Connection) -> Select[Any]:
    """Every row in an order that both databases keep, as it is stored: sealed bytes as bytes, JSON
    as its text."""
    is_new = connection.dialect.name == "postgresql"

    def stored(column: Any) -> Any:
        if isinstance(column.type, Sealed):
            return type_coerce(column, LargeBinary())
        if isinstance(column.type, JSON):
            return cast(column, Text()) if is_new else type_coerce(column, Text())
        return column

    def ordered(column: Any) -> Any:
        return column.collate("C") if is_new and isinstance(column.type, String) else column

    by = [ordered(column) for column in table.primary_key]
    return select(*(stored(column) for column in table.columns)).order_by(*by)


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


def _copy(table: Table, rows: Iterable[tuple[Any, ...]], to: Connection) -> int:
    driver: psycopg.Connection[Any] = to.connection.driver_connection  # type: ignore[assignment]
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
    count = 0
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _set_sequence(table: Table, to: Connection) -> None:
    """The next row made there continues the numbers."""
    if [column.name for column in table.primary_key] != ["id"]:
        return
    largest = to.execute(select(func.max(table.c.id))).scalar_one()
    if largest is not None:
        to.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :largest)"),
            {"name": f'"{table.name}"', "largest": largest},
        )
