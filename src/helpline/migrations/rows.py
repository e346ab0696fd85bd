"""Whole tables, as they are stored and in an order that both databases keep: for what copies a
database and compares. What is sealed stays sealed. Used by moving.py and by helpline/backup."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
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
    bindparam,
    cast,
    create_engine,
    event,
    func,
    insert,
    select,
    text,
    type_coerce,
)

from helpline.db import POSTGRES, limit_on_standing_still, sync_url
from helpline.sealing import Sealed

CHUNK = 5_000
PATIENCE = 600.0
"""Seconds for which a transaction on PostgreSQL may ask for nothing."""
Row = tuple[Any, ...]


def reading_engine(url: URL) -> Engine:
    """An engine whose transactions see one state of the database and can change nothing in it."""
    if url.get_backend_name() != "sqlite":
        return create_engine(
            sync_url(url),
            isolation_level="REPEATABLE READ",
            connect_args=POSTGRES | limit_on_standing_still(PATIENCE),
        )
    path = Path(url.database or "").absolute().as_uri()
    engine = create_engine("sqlite://", creator=lambda: _opened(path))

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _opened(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path}?mode=ro", uri=True, isolation_level=None)


def stored(
    table: Table, connection: Connection, names: Sequence[str] | None = None
) -> Iterator[Row]:
    """Every row by its primary key; `names`: only these columns, in this order."""
    query = _query(table, connection, names or [column.name for column in table.columns])
    with connection.execute(query, execution_options={"yield_per": CHUNK}) as streamed:
        for row in streamed:
            yield tuple(row)


def _query(table: Table, connection: Connection, names: Sequence[str]) -> Select[Any]:
    """Sealed bytes as bytes, JSON as its text."""
    is_postgres = connection.dialect.name == "postgresql"

    def as_stored(column: Any) -> Any:
        if isinstance(column.type, Sealed):
            return type_coerce(column, LargeBinary())
        if isinstance(column.type, JSON):
            return cast(column, Text()) if is_postgres else type_coerce(column, Text())
        return column

    def ordered(column: Any) -> Any:
        is_text = is_postgres and isinstance(column.type, String)
        return column.collate("C") if is_text else column

    by = [ordered(column) for column in table.primary_key]
    return select(*(as_stored(table.c[name]) for name in names)).order_by(*by)


def put(table: Table, names: Sequence[str], rows: Iterable[Row], to: Connection) -> int:
    """Write such rows into `table`; how many there were."""
    if to.dialect.name == "postgresql":
        return _copied(table, names, rows, to)
    into, count, waiting = _insert(table, names), 0, list[dict[str, Any]]()
    for row in rows:
        waiting.append(dict(zip(names, row, strict=True)))
        count += 1
        if len(waiting) == CHUNK:
            to.execute(into, waiting)
            waiting = []
    if waiting:
        to.execute(into, waiting)
    return count


def _copied(table: Table, names: Sequence[str], rows: Iterable[Row], to: Connection) -> int:
    driver: psycopg.Connection[Any] = to.connection.driver_connection  # type: ignore[assignment]
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in names)
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    count = 0
    with driver.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _insert(table: Table, names: Sequence[str]) -> Any:
    def of(name: str) -> Any:
        kind: Any = table.c[name].type
        if isinstance(kind, Sealed):
            kind = LargeBinary()
        elif isinstance(kind, JSON):
            kind = Text()
        return bindparam(name, type_=kind)

    return insert(table).values({name: of(name) for name in names})


def continue_numbers(table: Table, to: Connection) -> None:
    """On PostgreSQL: the next row made there continues the numbers."""
    if to.dialect.name != "postgresql" or [c.name for c in table.primary_key] != ["id"]:
        return
    largest = to.execute(select(func.max(table.c.id))).scalar_one()
    if isinstance(largest, int):
        to.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :largest)"),
            {"name": f'"{table.name}"', "largest": largest},
        )
