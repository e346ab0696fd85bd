"""A server on loopback for the length of a `with`: what every fake stands on, and enough by itself
where a test needs one odd answer or a hook that listens."""

from collections.abc import Iterable
from typing import Self

from aiohttp import web

from helpline.channels import WebRequest


class Served:
    """These routes at `url`, on a free port."""

    def __init__(self, routes: Iterable[web.RouteDef]) -> None:
        self._routes = list(routes)
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(self._routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


class AnswersWith(Served):
    """A provider that says the same to everything."""

    def __init__(self, text: str, status: int) -> None:
        async def say(_: web.Request) -> web.Response:
            return web.Response(text=text, status=status)

        super().__init__([web.route("*", "/{rest:.*}", say)])


class Hook(Served):
    """Our side of a webhook at its plainest: `seen` is what was posted, as a bot would get it."""

    def __init__(self) -> None:
        self.seen: list[WebRequest] = []

        async def keep(request: web.Request) -> web.Response:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.seen.append(WebRequest(str(request.url), headers, await request.read()))
            return web.Response()

        super().__init__([web.post("/{rest:.*}", keep)])
