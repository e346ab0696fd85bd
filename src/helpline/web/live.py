"""Pages that follow what happens, without reloading: server-sent events, nothing personal in them.

One loop a process looks for what is new once a second for all open pages together, and ends the
streams of sessions that were revoked. A message only says that something changed; the page then
asks for the part again, and access is checked again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field

from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import access, cases, trails
from helpline.desk.house import House
from helpline.log import log, where
from helpline.models import metadata
from helpline.rules.permissions import may
from helpline.web.asked import HOUSE, SIGNED_IN, actor_of, house_of
from helpline.web.counting import LIVE

SOURCES = (metadata.tables["event"], metadata.tables["contact"])
"""Where something new shows. A further message on an open case makes a contact and no event."""
Place = tuple[int, ...]
"""The newest id of each source: how far somebody has seen."""
LOOK_EVERY = 1.0
"""Seconds between two looks, unless somebody wakes the pages before."""
CHECK_SESSIONS_EVERY = 2.0
"""Seconds: a revoked session's pages end within five."""
STILL_HERE_EVERY = 15.0
MOST_STREAMS = 500
LATE = 200
"""Rows. With several writers a smaller id may be committed after a larger one: look this far."""
QUIET_KINDS = ("case.read", "audit.read", "person.read", "search.made")
"""Events that change no page. If a reading woke pages, they would wake each other for ever."""
OF_USERS = "user.%"
"""Who signs in and by what: a guess at a password must not make every open page ask anew."""


@dataclass(frozen=True)
class News:
    """A row of a source, by its place in SOURCES and its id, and what it is about."""

    source: int
    id: int
    contract: str | None
    case_id: int | None


@dataclass(eq=False)
class Listener:
    """One open page. `case_id` None: the inbox, woken by any news of its contracts. `after`: how
    far the page had seen when it was made."""

    session_id: int
    contracts: frozenset[str]
    case_id: int | None = None
    after: Place = (0,) * len(SOURCES)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """There is something to tell: one of the three below."""
    has_changed: bool = False
    is_typing: bool = False
    """Whoever the case is with is typing (web/writing)."""
    has_ended: bool = False

    def concerns(self, news: News) -> bool:
        if news.id <= self.after[news.source]:
            return False
        if self.case_id is not None:
            return news.case_id == self.case_id
        return news.contract is None or news.contract in self.contracts

    def change(self) -> None:
        self.has_changed = True
        self.news.set()

    def type(self) -> None:
        self.is_typing = True
        self.news.set()

    def end(self) -> None:
        self.has_ended = True
        self.news.set()


class Hub:
    """The open pages of this process and what was new at the last look."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.place: Place = (0,) * len(SOURCES)
        self.is_closing = False
        self.listeners: set[Listener] = set()
        self._recent: frozenset[News] = frozenset()

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
        """Wake the pages that what is new since the last look concerns."""
        found = [await _newest_of(session, source) for source in range(len(SOURCES))]
        self.place = tuple(max((news.id for news in some), default=0) for some in found)
        recent = frozenset(news for some in found for news in some)
        fresh, self._recent = recent - self._recent, recent
        self._tell(self.listeners, fresh)

    def _tell(self, listeners: Iterable[Listener], fresh: Iterable[News]) -> None:
        for listener in listeners:
            if any(listener.concerns(news) for news in fresh):
                listener.change()

    def tell_typing(self, case_id: int) -> None:
        """Whoever this case is with is typing; nothing of it is kept."""
        for listener in self.listeners:
            if listener.case_id == case_id:
                listener.type()

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


async def newest(session: AsyncSession) -> str:
    """How far the page that is being made has seen, to be carried by it: nothing between page and
    stream is missed."""
    asked = [select(func.max(table.c.id)) for table in SOURCES]
    return _as_text([(await session.execute(query)).scalar_one() or 0 for query in asked])


async def _newest_of(session: AsyncSession, source: int) -> list[News]:
    """The last rows of a source, those left out that change no page."""
    table = SOURCES[source]
    query = select(table.c.id, table.c.contract, table.c.case_id)
    if "kind" in table.c:
        query = query.where(table.c.kind.not_in(QUIET_KINDS), table.c.kind.not_like(OF_USERS))
    rows = await session.execute(query.order_by(table.c.id.desc()).limit(LATE))
    return [News(source, *row) for row in rows]


async def follow_inbox(request: web.Request) -> web.StreamResponse:
    return await _stream(request, None)


async def follow_case(request: web.Request) -> web.StreamResponse:
    async with house_of(request).db.read() as session:
        found = await cases.find_case(session, actor_of(request), request.match_info["reference"])
    return await _stream(request, found.id)


async def asked(request: web.Request) -> web.Response:
    """Whether an alert waits for whoever looks, as a number that says nothing of what it is: for
    told.js, while nobody looks at the page. Asking does not keep a sign-in alive."""
    async with house_of(request).db.read() as session:
        return web.json_response(
            {"asked": await trails.asked_last(session, actor_of(request).user_id)}
        )


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
        has_changed, is_typing = listener.has_changed, listener.is_typing
        listener.has_changed = listener.is_typing = False
        if is_typing and not listener.has_ended:
            await response.write(b"event: typing\ndata: 1\n\n")
        if has_changed and not listener.has_ended:
            LIVE.inc()
            await response.write(f"event: changed\nid: {_as_text(hub.place)}\ndata: 1\n\n".encode())
    await response.write(b"event: ended\ndata: 1\n\n")


def _after(request: web.Request) -> Place:
    """From the page, or from the browser when it connects again; nothing seen where it is odd."""
    given = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    numbers = given.split(".")
    if len(numbers) != len(SOURCES):
        return (0,) * len(SOURCES)
    if not all(n.isascii() and n.isdigit() and len(n) <= 18 for n in numbers):
        return (0,) * len(SOURCES)
    return tuple(int(number) for number in numbers)


def _as_text(place: Iterable[int]) -> str:
    return ".".join(str(number) for number in place)
