"""The server that both fakes are, and the ways in which a provider lets us down: it refuses, it is
slow, it never answers, it takes the message and drops the line. Called by the fakes; knows nothing
of any provider."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web

from tests.fakes.serving import Served

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeProvider:
    """A server on loopback. `url` once started; `sent` holds one dict for every message taken."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[dict[str, Any]] = []
        self.delay = 0.0  # seconds before every answer
        self.tries = 0  # messages offered, whatever became of them
        self.behave()

    def behave(self) -> None:
        """Back to normal."""
        self._failure: tuple[int, dict[str, Any], dict[str, str]] | None = None
        self._failures_left: int | None = None
        self._hangs = self._drops = self._says_500 = False
        self._held: asyncio.Event | None = None

    def hang(self) -> None:
        """Take no message and never answer."""
        self._hangs = True

    def accept_then_drop(self) -> None:
        """Take and remember the message, then close the connection without a word."""
        self._drops = True

    def accept_then_fail(self) -> None:
        """Take and remember the message, then say that it failed: 500."""
        self._says_500 = True

    def hold(self) -> asyncio.Event:
        """Take a message in and let it wait until the event is set, then go on as usual."""
        self._held = asyncio.Event()
        return self._held

    def _fail(
        self, status: int, answer: dict[str, Any], times: int | None, retry_after: int | str = 0
    ) -> None:
        self._failure = (status, answer, {"Retry-After": str(retry_after)} if retry_after else {})
        self._failures_left = times

    async def misbehaving(self, request: web.Request, act: Act) -> web.StreamResponse:
        """Do `act`, or what a broken provider would do instead."""
        self.tries += 1
        await self.wait(self.delay)
        if self._hangs:
            await self._closing.wait()
            raise web.HTTPServiceUnavailable
        if self._held is not None:
            await self._held.wait()
        if (failure := self._next_failure()) is not None:
            return web.json_response(failure[1], status=failure[0], headers=failure[2])
        answer = await act(request)
        if self._says_500:
            return web.json_response({"code": 20500, "message": "", "status": 500}, status=500)
        if self._drops and request.transport is not None:
            request.transport.abort()
        return answer

    def _next_failure(self) -> tuple[int, dict[str, Any], dict[str, str]] | None:
        if self._failures_left == 0:
            self._failure = None
        elif self._failures_left is not None:
            self._failures_left -= 1
        return self._failure

    async def wait(self, seconds: float) -> None:
        """Pause, but not past the end of the test."""
        if seconds:
            try:
                await asyncio.wait_for(self._closing.wait(), seconds)
            except TimeoutError:
                return

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        self._closing = asyncio.Event()
        self._served = Served(self.routes())
        await self._served.__aenter__()
        self.url = self._served.url
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        await self._served.__aexit__()
