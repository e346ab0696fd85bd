"""Pages that follow what happens, without reloading: server-sent events, nothing personal in them.

One loop a process looks for new events once a second for all open pages together, and ends the
streams of sessions that were revoked. A message only says that something changed; the page then
asks for the part again, and access is checked again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import access, cases
from helpline.desk.house import House
from helpline.log import log, where
from helpline.models import metadata
from helpline.rules.permissions import may
from helpline.web.asked import HOUSE, SIGNED_IN, actor_of, house_of
from helpline.web.counting import LIVE

EVENT = metadata.tables["event"]
LOOK_EVERY = 1.0
"""Seconds between two looks, unless somebody wakes the pages before."""
CHECK_SESSIONS_EVERY = 3.0
"""Seconds: a revoked session's pages end within five."""
STILL_HERE_EVERY = 15.0
MOST_STREAMS = 500
LATE = 200
"""With several writers a smaller id may be committed after a larger one: look back this far."""
QUIET_KINDS = ("case.read", "user.signed_in")
"""Events that change no page. If a reading woke pages, they would wake each other for ever."""


@dataclass(eq=False)
class Listener:
    """One open page. `case_id` None: the inbox, woken by any event of its contracts. `after`: the
    newest event when the page was made."""

    session_id: int
    contracts: frozenset[str]
    case_id: int | None = None
    after: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    has_ended: bool = False

    def concerns(self, event: Row[Any]) -> bool:
        if event.kind in QUIET_KINDS or event.id <= self.after:
            return False
        if self.case_id is not None:
            return bool(event.case_id == self.case_id)
        return event.contract is None or event.contract in self.contracts

    def end(self) -> None:
        self.has_ended = True
        self.news.set()


class Hub:
    """The open pages of this process and how far the events have been read."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.last_id = 0
        self.is_closing = False
        self.listeners: set[Listener] = set()
        self._recent: Sequence[Row[Any]] = ()

    @contextlib.contextmanager
    def joined(self, listener: Listener) -> Iterator[None]:
        """Listening from here on; what was seen since the page was made is told at once."""
        self.listeners.add(listener)
        self._tell([listener], self._recent)
        try:
            yield
        finally:
            self.listeners.discard(listener)

    async def run(self) -> None:
        """Until cancelled. A fault is logged and the next look comes a second later."""
        clock = self.house.clock
        checked = clock.seconds()
        while True:
            await self._pause()
            if not self.listeners:
                continue
            try:
                async with self.house.db.read() as session:
                    await self.look(session)
                    if clock.seconds() - checked >= CHECK_SESSIONS_EVERY:
                        checked = clock.seconds()
                        await self.end_revoked(session)
            except Exception as error:
                log().error("live.failed", where=where(error))

    async def look(self, session: AsyncSession) -> None:
        """Wake the pages that the events since the last look concern."""
        floor = self.last_id - LATE
        query: Select[Any] = select(EVENT.c.id, EVENT.c.contract, EVENT.c.case_id, EVENT.c.kind)
        query = query.where(EVENT.c.id > floor).order_by(EVENT.c.id.desc()).limit(5 * LATE)
        rows = list(await session.execute(query))
        seen = {row.id for row in self._recent}
        self._recent = rows
        self.last_id = max(self.last_id, rows[0].id if rows else 0)
        self._tell(self.listeners, [row for row in rows if row.id not in seen])

    def _tell(self, listeners: Iterable[Listener], news: Sequence[Row[Any]]) -> None:
        for listener in listeners:
            if any(listener.concerns(event) for event in news):
                listener.news.set()

    async def end_revoked(self, session: AsyncSession) -> None:
        ids = {listener.session_id for listener in self.listeners}
        alive = await access.alive(session, ids, self.house.clock.now())
        for listener in self.listeners:
            if listener.session_id not in alive:
                listener.end()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY), self.house.wakes.pages:
                await self.house.wakes.pages.wait()


HUB = web.AppKey("hub", Hub)


async def listening(app: web.Application) -> AsyncIterator[None]:
    """Runs the loop as long as the app."""
    hub = app[HUB] = Hub(app[HOUSE])
    loop = asyncio.create_task(hub.run())
    yield
    loop.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loop


async def end_all(app: web.Application) -> None:
    """The process is to stop: open streams would hold it up."""
    app[HUB].is_closing = True
    for listener in app[HUB].listeners:
        listener.end()


async def newest(session: AsyncSession) -> int:
    """The id of the newest event: a page carries it, so that nothing between page and stream is
    missed."""
    return int((await session.execute(select(func.max(EVENT.c.id)))).scalar_one() or 0)


async def follow_inbox(request: web.Request) -> web.StreamResponse:
    return await _stream(request, None)


async def follow_case(request: web.Request) -> web.StreamResponse:
    async with house_of(request).db.read() as session:
        found = await cases.find_case(session, actor_of(request), request.match_info["reference"])
    return await _stream(request, found.id)


async def _stream(request: web.Request, case_id: int | None) -> web.StreamResponse:
    hub, signed = request.app[HUB], request[SIGNED_IN]
    if request.method == "HEAD":
        return web.Response(content_type="text/event-stream")
    if len(hub.listeners) >= MOST_STREAMS:
        raise web.HTTPServiceUnavailable(text="Too many pages are open. This one does not follow.")
    keys = (key for key in hub.house.contracts if may(signed.actor, "case.read", key))
    listener = Listener(signed.session_id, frozenset(keys), case_id, _after(request))
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    with hub.joined(listener), contextlib.suppress(ConnectionResetError):
        await response.write(b"retry: 3000\n\n")
        await _tell(hub, listener, response)
    return response


async def _tell(hub: Hub, listener: Listener, response: web.StreamResponse) -> None:
    while not listener.has_ended:
        try:
            await asyncio.wait_for(listener.news.wait(), STILL_HERE_EVERY)
        except TimeoutError:
            await response.write(b": still here\n\n")
            continue
        listener.news.clear()
        if not listener.has_ended:
            LIVE.inc()
            await response.write(f"event: changed\nid: {hub.last_id}\ndata: 1\n\n".encode())
    await response.write(b"event: ended\ndata: 1\n\n")


def _after(request: web.Request) -> int:
    given = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 18 else 0
