"""The database: one place that knows which engine is underneath.

`read()` and `write()` are opened by edges only (page, webhook, tick, command); desk functions get
the session and never commit. On SQLite all writes of the process wait in line for one turn, and
begin IMMEDIATE, so that two writers never fail each other. On PostgreSQL a transaction that wrote
something another node must look at says so with NOTIFY, which is heard when it commits. There, what
is asked for somebody who is signed in (`asked_by`) is asked behind row security
(migrations/policies.py).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Insert, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session

from helpline.errors import InvalidInput
from helpline.log import log
from helpline.sqlite import connect

AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""What is raised while the database does not answer, is full, or has cut a connection."""
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000")
"""WAL lets readers go on while one writes; FULL puts a commit on disk before it returns."""

CHANNEL = "helpline"
WAKES = {
    "inbound_item": "routing",
    "out_message": "sending",
    "event": "pages",
    "contact": "pages",
}
"""Whom a new row of these tables is for: one of the names in house.Wakes."""
TELL = text("SELECT pg_notify('helpline', word) FROM unnest(CAST(:words AS text[])) AS word")
STILL_THERE_EVERY = 10.0
"""Seconds of silence after which the listening line is asked whether it still stands."""
POSTGRES: dict[str, Any] = {
    "connect_timeout": 5,
    # A server that vanished without a word is noticed within half a minute, not in two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
STANDS_STILL = 6.0
"""Seconds after which PostgreSQL ends a transaction that asks for nothing: a node that was frozen
in the middle of one must not hold its rows. Who writes waits for nothing else meanwhile."""
READER_STANDS_STILL = 600.0
"""Readers hold nobody up, and a report may think between two questions."""


WALLED = "helpline_signed_in"
"""The PostgreSQL role behind row security; migrations/policies.py makes it."""
WALL_STANDS = (
    "SELECT EXISTS (SELECT 1 FROM pg_roles"  # noqa: S608  # our own name
    f" WHERE rolname = '{WALLED}' AND pg_has_role(current_user, oid, 'SET'))"
    f" AND EXISTS (SELECT 1 FROM pg_policies WHERE tablename = 'case' AND '{WALLED}' = ANY(roles))"
)
BEHIND_IT = text(
    f"SELECT set_config('role', '{WALLED}', true),"
    " set_config('helpline.contract', :contract, true), set_config('helpline.role', :role, true)"
)
BEFORE_IT = text("SELECT set_config('role', 'none', true)")
_asking: ContextVar[tuple[str, str] | None] = ContextVar("asking", default=None)
"""Contract ("*": all of them) and role of whoever is signed in and asks."""


@contextmanager
def asked_by(contract: str | None, role: str) -> Iterator[None]:
    """Every transaction begun in here is theirs: row security shows them what is of their contract
    (None: of all)."""
    before = _asking.set((contract or "*", role))
    try:
        yield
    finally:
        _asking.reset(before)


@asynccontextmanager
async def as_owner(session: AsyncSession) -> AsyncIterator[None]:
    """In here the owner of the tables asks, whoever is signed in: figures count what those who
    read them may not see. Only for what gives numbers back."""
    if not session.info.get(WALLED):
        yield
        return
    await session.execute(BEFORE_IT)
    session.info[WALLED] = False
    try:
        yield
    finally:
        if session.in_transaction() and (asking := _asking.get()) is not None:
            await session.execute(BEHIND_IT, {"contract": asking[0], "role": asking[1]})
            session.info[WALLED] = True


class Database:
    """Engines and sessions over one URL; `is_sqlite` is asked where the two differ."""

    def __init__(self, url: str, stands_still: float = STANDS_STILL) -> None:
        self.url = checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            path = Path(self.url.database or "")
            path.parent.mkdir(parents=True, exist_ok=True)
            self.path = path
            self._reader = _sqlite_engine(self.url, "BEGIN", pool_size=4)
            self._writer = _sqlite_engine(self.url, "BEGIN IMMEDIATE", pool_size=1)
        else:
            self._reader = _postgres_engine(self.url, READER_STANDS_STILL)
            self._writer = _postgres_engine(self.url, stands_still)
        self.turn: AbstractAsyncContextManager[Any] = (
            asyncio.Lock() if self.is_sqlite else nullcontext()
        )
        """Held while anything of this process writes: SQLite itself would make a second writer look
        again and again, with pauses of up to 100 ms."""
        self.info: dict[str, Any] = {}
        """What every session that reads carries along (`session.info`)."""
        kind = type("OurSession", (Session,), {})  # of this database alone: it is listened to
        self._reading = async_sessionmaker(
            self._reader, expire_on_commit=False, info=self.info, sync_session_class=kind
        )
        self._writing = async_sessionmaker(
            self._writer, expire_on_commit=False, sync_session_class=kind
        )
        self.has_wall: bool | None = False if self.is_sqlite else None
        """Whether row security stands; None until somebody who is signed in first asks."""
        if not self.is_sqlite:
            event.listen(kind, "after_begin", self._behind_the_wall)

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
            if not self.is_sqlite:
                await _tell_nodes(session)

    async def look_for_wall(self) -> None:
        """Whether row security stands, and a line in the log where it does not; at the start."""
        with asked_by(None, ""):
            await self.answers()

    def _behind_the_wall(self, session: Session, _: Any, connection: Connection) -> None:
        asking = _asking.get()
        if asking is None:
            return
        if self.has_wall is None:
            self.has_wall = bool(connection.execute(text(WALL_STANDS)).scalar_one())
            if not self.has_wall:
                log().warning("db.no_row_security")
        if self.has_wall:
            connection.execute(BEHIND_IT, {"contract": asking[0], "role": asking[1]})
            session.info[WALLED] = True

    async def answers(self) -> bool:
        """Whether the database can be asked anything at all; for /readyz."""
        async with self.read() as session:
            return bool((await session.execute(text("SELECT 1"))).scalar_one() == 1)

    async def clock_shows(self) -> datetime | None:
        """What the database's own clock shows; None where it is this machine's."""
        if self.is_sqlite:
            return None
        async with self.read() as session:
            shown: datetime = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return shown.astimezone(UTC)

    async def heard(self) -> AsyncIterator[str]:
        """What any node told by committing: names of WAKES, and first of all "", from when on
        nothing is missed. Raises when the line breaks; whoever listens comes again. PostgreSQL
        only."""
        url = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        line = await psycopg.AsyncConnection.connect(url, autocommit=True, **POSTGRES)
        async with line:
            await line.execute(f"LISTEN {CHANNEL}")
            yield ""
            while True:
                async for told in line.notifies(timeout=STILL_THERE_EVERY):
                    yield told.payload
                await line.execute("SELECT 1")

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


def insert_for(session: AsyncSession, table: Any) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of this session's own database, for what both say alike and SQL does not:
    `on_conflict_do_nothing` and `on_conflict_do_update`."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.Insert(table) if is_sqlite else postgresql.Insert(table)


def limit_on_standing_still(seconds: float) -> dict[str, str]:
    return {"options": f"-c idle_in_transaction_session_timeout={round(seconds * 1000)}"}


def prepare_sqlite(connection: Any) -> None:
    """Give a fresh SQLite connection (plain or wrapped) the settings all of ours have."""
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _postgres_engine(url: URL, stands_still: float) -> AsyncEngine:
    engine = create_async_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=8,
        max_overflow=4,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args=POSTGRES | limit_on_standing_still(stands_still),
    )

    @event.listens_for(engine.sync_engine, "before_execute")
    def _noted(connection: Any, clause: Any, *_: Any) -> None:
        if isinstance(clause, Insert) and (word := WAKES.get(clause.table.name)):
            connection.info.setdefault("told", set()).add(word)

    @event.listens_for(engine.sync_engine, "begin")
    def _begun(connection: Any) -> None:
        connection.info.pop("told", None)

    return engine


async def _tell_nodes(session: AsyncSession) -> None:
    """As the last thing of a transaction: NOTIFY is heard when, and only when, it commits."""
    await session.flush()
    connection = await session.connection()
    assert connection.sync_connection is not None
    if words := connection.sync_connection.info.pop("told", None):
        await session.execute(TELL, {"words": sorted(words)})


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
