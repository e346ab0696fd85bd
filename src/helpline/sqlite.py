"""sqlite3 under SQLAlchemy's asyncio side without a change of threads for every small step.

db.py makes its connections here. The usual wrapper asks a thread four times a statement, and each
time the interpreter changes hands twice: that took two thirds of routing a message. It knows no
table; errors are sqlite3's own.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

BREATHE_EVERY = 0.002
"""Seconds of statements on the loop's own thread after which everybody else gets a turn."""
AT_FIRST = 20_000
"""Rows fetched in the step that runs a statement; the rest of a longer answer comes when it is
asked for, so that a report streams a million rows and holds a few."""
WAITS = ("BEGIN", "COMMIT", "ROLLBACK")
"""Statements that wait for another writer or for the disk."""


class Connection:
    """What SQLAlchemy's dialect for aiosqlite asks of a connection. One task at a time uses it.

    With `on_loop`, statements run where they are asked for: right for the writing connection, whose
    statements touch a few rows each. What may wait, and everything of a reading connection, which
    may be asked to go through a whole table, is done on a thread of the connection's own.
    """

    isolation_level = None
    """We say BEGIN ourselves."""

    def __init__(self, path: str, *, on_loop: bool) -> None:
        self._on_loop = on_loop
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        self._connection: sqlite3.Connection | None = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=500
        )
        self._turn_began = 0.0  # on the loop's own clock

    def cursor(self) -> "Cursor":
        return Cursor(self, self._open.cursor())

    async def run(self, act: Callable[[], None], *, waits: bool = False) -> None:
        """Do `act` here or on the thread, and let others have a turn now and then."""
        loop = asyncio.get_running_loop()
        if waits or not self._on_loop:
            doing = loop.run_in_executor(self._thread, act)
            try:
                await asyncio.shield(doing)
            except asyncio.CancelledError:
                await asyncio.wait([doing])  # nobody may use the connection before it is done
                raise
            self._turn_began = loop.time()
            return
        act()
        if loop.time() - self._turn_began > BREATHE_EVERY:
            await asyncio.sleep(0)
            self._turn_began = loop.time()

    async def commit(self) -> None:
        if self._open.in_transaction:
            await self.run(self._open.commit, waits=True)

    async def rollback(self) -> None:
        if self._open.in_transaction:
            await self.run(self._open.rollback, waits=True)

    async def close(self) -> None:
        if self._connection is not None:
            await self.run(self._connection.close, waits=True)
            self.stop()

    def stop(self) -> None:
        """Give up the connection without waiting for it."""
        self._connection = None
        self._thread.shutdown(wait=False)

    async def create_function(self, *args: Any, **named: Any) -> None:
        """The dialect brings SQL functions of its own (REGEXP)."""
        self._open.create_function(*args, **named)

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ValueError("no active connection")
        return self._connection


class Cursor:
    """One statement. Its rows are fetched in the same step that runs it, unless they are many."""

    def __init__(self, connection: Connection, cursor: sqlite3.Cursor) -> None:
        self._connection, self._cursor = connection, cursor
        self._rows: list[Any] = []
        self._has_more = False
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> Self:
        def act() -> None:
            self._cursor.execute(statement, values)
            self._rows = self._cursor.fetchmany(AT_FIRST) if self._cursor.description else []
            self._has_more = len(self._rows) == AT_FIRST

        await self._connection.run(act, waits=statement.startswith(WAITS))
        return self

    async def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> Self:
        def act() -> None:
            self._cursor.executemany(statement, rows)

        await self._connection.run(act)
        return self

    async def fetchall(self) -> list[Any]:
        def act() -> None:
            self._rows += self._cursor.fetchall()
            self._has_more = False

        if self._has_more:
            await self._connection.run(act)
        rows, self._rows = self._rows, []
        return rows

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next `size` rows, in steps of our own size."""
        size = size or self.arraysize

        def act() -> None:
            more = self._cursor.fetchmany(max(size, AT_FIRST))
            self._has_more = len(more) == max(size, AT_FIRST)
            self._rows += more

        if self._has_more and len(self._rows) < size:
            await self._connection.run(act)
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany(1)), None)

    async def close(self) -> None:
        self._cursor.close()


async def connect(path: str, *, on_loop: bool) -> Connection:
    return Connection(path, on_loop=on_loop)
