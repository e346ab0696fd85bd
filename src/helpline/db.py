"""The database: one place that knows which engine is underneath.

`read()` and `write()` are opened by edges only (page, webhook, tick, command); desk functions get
the session and never commit. On SQLite all writes of the process wait in line for one turn, and
begin IMMEDIATE, so that two writers never fail each other.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from helpline.errors import InvalidInput
from helpline.sqlite import connect

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000")
"""WAL lets readers go on while one writes; FULL puts a commit on disk before it returns."""


class Database:
    """Engines and sessions over one URL; `is_sqlite` is asked where the two differ."""

    def __init__(self, url: str) -> None:
        self.url = checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            path = Path(self.url.database or "")
            path.parent.mkdir(parents=True, exist_ok=True)
            self.path = path
            self._reader = _sqlite_engine(self.url, "BEGIN", pool_size=4)
            self._writer = _sqlite_engine(self.url, "BEGIN IMMEDIATE", pool_size=1)
        else:
            self._reader = create_async_engine(
                self.url.set(drivername="postgresql+psycopg"), pool_size=8, pool_pre_ping=True
            )
            self._writer = self._reader
        self.turn: AbstractAsyncContextManager[Any] = (
            asyncio.Lock() if self.is_sqlite else nullcontext()
        )
        """Held while anything of this process writes: SQLite itself would make a second writer look
        again and again, with pauses of up to 100 ms."""
        self._reading = async_sessionmaker(self._reader, expire_on_commit=False)
        self._writing = async_sessionmaker(self._writer, expire_on_commit=False)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that is rolled back at the end: nothing done in it is kept."""
        async with self._reading() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends well, rolled back when it raises."""
        async with self.turn, self._writing() as session, session.begin():
            yield session

    async def answers(self) -> bool:
        """Whether the database can be asked anything at all; for /readyz."""
        async with self.read() as session:
            return bool((await session.execute(text("SELECT 1"))).scalar_one() == 1)

    async def close(self) -> None:
        await self._reader.dispose()
        await self._writer.dispose()


def checked_url(url: str) -> URL:
    """The parsed URL. InvalidInput says what a right one looks like."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        backend = ""
    if backend not in ("sqlite", "postgresql"):
        raise InvalidInput(
            "HELPLINE_DATABASE_URL must look like sqlite:///path/to/file.db or "
            "postgresql://user:password@host/name."
        )
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise InvalidInput("HELPLINE_DATABASE_URL must name a file: sqlite:///var/helpline.db.")
    return parsed


def sync_url(url: URL) -> URL:
    """The same database for the synchronous engine that migrations use."""
    driver = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    return url.set(drivername=driver)


def prepare_sqlite(connection: Any) -> None:
    """Give a fresh SQLite connection (plain or wrapped) the settings all of ours have."""
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_engine(url: URL, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        pool_size=pool_size,
        max_overflow=0 if pool_size == 1 else 4,
        pool_timeout=60,
        async_creator=lambda: connect(str(url.database), on_loop=pool_size == 1),
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        prepare_sqlite(connection)

    @event.listens_for(engine.sync_engine, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
