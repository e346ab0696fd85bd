"""A person with a browser, for the tests of pages: signs in, reads, sends forms as a page would."""

import html
import re
from collections.abc import Mapping, Sequence

from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer

from helpline.web.app import make_app
from tests.world import PASSWORD, World


class Visitor:
    """One browser. `page` is the text of the last answer, `status` its status."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.page, self.status, self.path = "", 0, ""
        self.headers: Mapping[str, str] = {}

    async def get(self, path: str, *, follow: bool = True, headers: Mapping[str, str] = {}) -> int:
        answer = await self.client.get(path, allow_redirects=follow, headers=headers)
        return await self._read(answer)

    async def post(
        self,
        path: str,
        form: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        *,
        token: str | None = None,
        follow: bool = True,
        headers: Mapping[str, str] = {},
    ) -> int:
        """Sends a form with the token of the last page that had one, unless another is given."""
        fields = list(form.items() if isinstance(form, Mapping) else form)
        given = self.csrf if token is None else token
        if given:
            fields.append(("csrf", given))
        answer = await self.client.post(path, data=fields, allow_redirects=follow, headers=headers)
        return await self._read(answer)

    async def sign_in(self, name: str, password: str = PASSWORD, then: str = "") -> int:
        self.csrf = ""
        return await self.post("/login", {"name": name, "password": password, "next": then})

    @property
    def text(self) -> str:
        """What somebody reads: without tags, with single blanks."""
        without = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", self.page, flags=re.S)
        return re.sub(r"\s+", " ", html.unescape(without)).strip()

    csrf = ""

    async def _read(self, answer: ClientResponse) -> int:
        self.page = (await answer.read()).decode("utf-8", "replace")
        self.status, self.path, self.headers = answer.status, answer.url.path_qs, answer.headers
        found = re.search(r'name="csrf" value="([^"]+)"', self.page)
        if found:
            self.csrf = found[1]
        return self.status


async def visitor(world: World) -> Visitor:
    """A browser of its own, nobody signed in. Each has a server; the house is the same."""
    client = TestClient(TestServer(make_app(world.house)), cookie_jar=CookieJar(unsafe=True))
    await client.start_server()
    return Visitor(client)
