"""Keeping what comes in, before anybody is told that it arrived.

One writer takes everything that is waiting and stores it in one commit (group commit: on a disk
that needs 2 ms to flush this is 8 times one commit a message). It is the one part of desk that
commits by itself, because the provider's 2xx hangs on that commit. It decides nothing.
"""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

import psycopg

from helpline.channels import Inbound, Media
from helpline.db import POSTGRES, Database, prepare_sqlite
from helpline.sealing import ring
from helpline.vocabulary import ItemKind

SEALED_PLACE = "inbound_item.sealed"
GATHER_SECONDS = 0.002
"""How long a commit waits at most for others to join it."""
CALM_SECONDS = 0.005
"""How long nobody must have come before other work thinks that keeping is idle."""
MOST_ROWS = 256
"""Rows of one statement; SQLite takes 32,766 values in one."""
INTO = (
    "INSERT INTO inbound_item"
    " (channel, external_id, sender_index, kind, received_at, sealed, state, attempts)"
)
ONE_ROW = "(?, ?, ?, ?, ?, ?, 'kept', 0)"
ONCE = "ON CONFLICT (channel, external_id) DO NOTHING"
Row = tuple[str, str, str, str, datetime, bytes]


class CannotKeep(Exception):
    """The database did not take it; the provider must be told so and will try again."""


class Inbox:
    """`keep` returns only when the item is on disk. Start it before use; stop flushes."""

    def __init__(self, db: Database, on_kept: Callable[[], None] = lambda: None) -> None:
        self._writer: _Writer = _SqliteWriter(db) if db.is_sqlite else _PostgresWriter(db)
        self._waiting: list[_Waiting] = []
        self._flushing: asyncio.Task[None] | None = None
        self._on_kept = on_kept
        self._last_came_at = 0.0  # on the loop's own clock

    async def keep(self, inbound: Inbound, received_at: datetime) -> None:
        """Store `inbound` once; a repeat of the same channel and id is accepted and changes
        nothing. Raises CannotKeep when it is not on disk."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(_row(inbound, received_at), loop.create_future())
        self._waiting.append(waiting)
        self._last_came_at = loop.time()
        if not self.is_busy:
            self._flushing = asyncio.create_task(self._flush())
        await waiting.stored

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits right now to hear that their message is on disk."""
        return self._flushing is not None and not self._flushing.done()

    async def give_way(self, most_seconds: float) -> None:
        """Let keeping go first: returns when nobody has come for a moment, and in a storm that
        does not end after `most_seconds`."""
        clock = asyncio.get_running_loop().time
        until = clock() + most_seconds
        while clock() < until and (  # noqa: ASYNC110  # calm is when nothing happens: no event says so
            self.is_busy or clock() - self._last_came_at < CALM_SECONDS
        ):
            await asyncio.sleep(min(CALM_SECONDS, until - clock()))

    async def stop(self) -> None:
        if self._flushing is not None:
            await self._flushing
        await self._writer.close()

    async def _flush(self) -> None:
        while self._waiting:
            await self._gather()
            # Swapped on the loop's own thread: no lock, and all who wait now share one commit.
            batch, self._waiting = self._waiting, []
            try:
                await self._writer.write([waiting.row for waiting in batch])
            except Exception:  # whatever the database says, rows are tried singly before giving up
                await self._singly(batch)
            else:
                for waiting in batch:
                    waiting.settle(None)
            self._on_kept()

    async def _gather(self) -> None:
        """Wait while every turn of the loop brings another item, but not long: one commit for
        thirty costs hardly more than one commit for one."""
        clock, seen = asyncio.get_running_loop().time, 0
        until = clock() + GATHER_SECONDS
        while len(self._waiting) > seen and clock() < until:
            seen = len(self._waiting)
            await asyncio.sleep(0)

    async def _singly(self, batch: list["_Waiting"]) -> None:
        for waiting in batch:
            try:
                await self._writer.write([waiting.row])
            except Exception as error:
                waiting.settle(CannotKeep(type(error).__name__))
            else:
                waiting.settle(None)


def opened(sealed: str) -> Inbound:
    """The Inbound that was kept, from its (already unsealed) JSON. Never raises: what another
    version wrote in a way that this one does not know is UNREADABLE, and all of it is in `raw`."""
    try:
        values = json.loads(sealed)
        sent_at = values.pop("sent_at")
        kind = ItemKind(values.pop("kind"))
        media = tuple(Media(**one) for one in values.pop("media", ()))
        sent = datetime.fromisoformat(sent_at) if sent_at else None
        return Inbound(**values, kind=kind, media=media, sent_at=sent)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Inbound("", "", "", "", "", ItemKind.UNREADABLE, raw=sealed)


def tidy(text: str) -> str:
    """Text that every database, page and provider takes: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


@dataclass(slots=True)
class _Waiting:
    row: Row
    stored: asyncio.Future[None]

    def settle(self, error: Exception | None) -> None:
        if self.stored.done():  # the request was dropped meanwhile; the row is kept all the same
            return
        if error is None:
            self.stored.set_result(None)
        else:
            self.stored.set_exception(error)


def _row(inbound: Inbound, received_at: datetime) -> Row:
    external_id, sender = inbound.external_id, tidy(inbound.sender)
    if len(external_id) > 200 or not external_id.isprintable():
        external_id = "odd:" + hashlib.sha256(external_id.encode("utf-8", "replace")).hexdigest()
    values = {  # written out: dataclasses.asdict copies deeply and takes as long as the sealing
        "channel": inbound.channel,
        "external_id": external_id,
        "sender": sender,
        "recipient": tidy(inbound.recipient),
        "text": tidy(inbound.text),
        "kind": inbound.kind.value,
        "sent_at": inbound.sent_at.isoformat() if inbound.sent_at else None,
        "extra": {tidy(key): tidy(value) for key, value in inbound.extra.items()},
        "raw": tidy(inbound.raw),
        "media": [{k: tidy(v) for k, v in asdict(one).items()} for one in inbound.media],
    }
    keys = ring()
    index = keys.index("sender:" + inbound.channel, sender)
    sealed = keys.seal(SEALED_PLACE, json.dumps(values))
    return inbound.channel, external_id, index, inbound.kind.value, received_at, sealed


class _Writer(Protocol):
    async def write(self, rows: list[Row]) -> None: ...

    async def close(self) -> None: ...


class _SqliteWriter:
    """Plain sqlite3 on a thread of its own, in turn with the other writers of this process."""

    def __init__(self, db: Database) -> None:
        self._path, self._turn = db.path, db.turn
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox")
        self._connection: sqlite3.Connection | None = None

    async def write(self, rows: list[Row]) -> None:
        async with self._turn:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._insert, rows)

    def _insert(self, rows: list[Row]) -> None:
        if self._connection is None:
            self._connection = sqlite3.connect(
                self._path, isolation_level=None, cached_statements=MOST_ROWS
            )
            prepare_sqlite(self._connection)
        for first in range(0, len(rows), MOST_ROWS):
            some = rows[first : first + MOST_ROWS]
            values = [value for row in some for value in (*row[:4], _stored(row[4]), row[5])]
            self._connection.execute(_insertion(len(some)), values)

    async def close(self) -> None:
        def shut() -> None:
            if self._connection is not None:
                self._connection.close()

        await asyncio.get_running_loop().run_in_executor(self._thread, shut)
        self._thread.shutdown()


@cache
def _insertion(rows: int) -> str:
    """One statement, which is one transaction: sqlite3 lets go of the interpreter for every
    statement, and to get it back from a busy loop takes longer than the insert."""
    return f"{INTO} VALUES {', '.join([ONE_ROW] * rows)} {ONCE}"


class _PostgresWriter:
    """One connection that inserts a whole batch in one statement; opened anew when it breaks."""

    def __init__(self, db: Database) -> None:
        self._url = db.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def write(self, rows: list[Row]) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, **POSTGRES
            )
        columns = [list(column) for column in zip(*rows, strict=True)]
        await self._connection.execute(
            # The other nodes hear of it when it is on disk: this one may die before it routes.
            "WITH kept AS (INSERT INTO inbound_item (channel, external_id, sender_index, kind,"
            " received_at, sealed, state, attempts)"
            " SELECT *, 'kept', 0 FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[],"
            " %s::timestamptz[], %s::bytea[]) ON CONFLICT (channel, external_id) DO NOTHING"
            " RETURNING id) SELECT pg_notify('helpline', 'routing') FROM kept LIMIT 1",
            columns,
        )

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()


def _stored(instant: datetime) -> str:
    """As the tables' datetime type writes it on SQLite: UTC without an offset."""
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(" ", "microseconds")
