"""The one HTTP client: reaches the hosts it was made for, nothing inside our own network, and what
a setting names wherever that is. Nobody else in the program makes a client of their own."""

import ast
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from bots import _twilio
from helpline import outgoing
from helpline.channels import Media

ROOT = Path(__file__).parents[1]
SOON = aiohttp.ClientTimeout(total=5)
INSIDE = """
127.0.0.1 127.8.8.8 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 192.0.2.1
224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: fe80::1 fc00::1 fd12::1 ff02::1 ::ffff:127.0.0.1
::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2001:db8::1 fe80::1%eth0
""".split()
OUTSIDE = "8.8.8.8 54.244.51.1 2a00:1450:4009::1 ::ffff:8.8.8.8 64:ff9b::808:808".split()


@pytest.mark.parametrize("address", INSIDE)
def test_inside(address: str) -> None:
    assert not outgoing.is_outside(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_outside(address: str) -> None:
    assert outgoing.is_outside(address)


@pytest.fixture
async def asked() -> AsyncIterator[tuple[str, int, list[str]]]:
    """A server on loopback, and what it was asked."""
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(f"{request.host}{request.path}")
        if request.path == "/away":
            raise web.HTTPFound(f"http://127.0.0.1:{port}/inside")
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}", port, heard
    await runner.cleanup()


async def test_what_a_setting_names_may_be_on_loopback_and_nothing_else_there(
    asked: tuple[str, int, list[str]],
) -> None:
    url, port, heard = asked
    async with outgoing.client((), [url], timeout=SOON) as client:
        assert await (await client.get(f"{url}/x", allow_redirects=False)).text() == "here"
    named = f"http://localhost:{port}"
    async with outgoing.client((), [named], timeout=SOON) as client:
        assert await (await client.get(f"{named}/y", allow_redirects=False)).text() == "here"
    async with outgoing.client(["localhost", "127.0.0.1"], [], timeout=SOON) as client:
        for inside in (url, named, f"http://[::ffff:127.0.0.1]:{port}", f"http://0.0.0.0:{port}"):
            with pytest.raises(aiohttp.ClientError):
                await client.get(inside)
    async with outgoing.client((), [f"http://127.0.0.1:{port + 1}"], timeout=SOON) as client:
        with pytest.raises(aiohttp.ClientError):
            await client.get(url)  # another port of the same machine
    assert len(heard) == 2


async def test_a_name_of_the_list_that_points_inside_is_not_called(
    asked: tuple[str, int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it pointed outside a moment ago: the address is looked at, not the name."""
    _, port, heard = asked
    monkeypatch.setattr(ThreadedResolver, "resolve", _to("127.0.0.1"))
    async with outgoing.client([".example.org", "example.com"], [], timeout=SOON) as client:
        for name in ("files.example.org", "example.com"):
            with pytest.raises(aiohttp.ClientError):
                await client.get(f"http://{name}:{port}/")
    assert heard == []


async def test_a_host_that_is_not_listed_is_not_even_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []

    async def note(_: Any, host: str, *__: Any) -> list[ResolveResult]:
        looked.append(host)
        return []

    monkeypatch.setattr(ThreadedResolver, "resolve", note)
    async with outgoing.client([".example.org"], [], timeout=SOON) as client:
        for host in ("example.org.evil.example", "evilexample.org", "example.org", "8.8.8.8"):
            with pytest.raises(aiohttp.ClientError):
                await client.get(f"http://{host}/")
    assert looked == []


async def test_a_redirect_inside_is_not_followed(
    asked: tuple[str, int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even by somebody who forgot to say that redirects are not to be followed."""
    _, port, heard = asked
    given = f"http://files.example.org:{port}"
    monkeypatch.setattr(ThreadedResolver, "resolve", _to("127.0.0.1"))
    async with outgoing.client((), [given], timeout=SOON) as client:
        with pytest.raises(aiohttp.ClientError):
            async with client.get(f"{given.replace('files', 'www')}/away"):
                pass
    assert heard == []


async def test_an_attachment_of_twilio_s_is_not_fetched_from_inside(
    asked: tuple[str, int, list[str]],
) -> None:
    url, _, heard = asked
    account = _twilio.Account("AC0", "token")
    try:
        for address in (url, "http://169.254.169.254/latest/meta-data/", f"{url}@api.twilio.com/"):
            fetched = await account.fetch(Media(address, "image/png"), 1000)
            assert fetched.content is None
    finally:
        await account.close()
    assert heard == []


def test_nobody_else_makes_a_client() -> None:
    makers = {
        str(path.relative_to(ROOT))
        for folder in ("src", "bots")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ClientSession")
    }
    assert makers == {
        "src/helpline/outgoing.py",
        "src/helpline/web/pages/demo_calls.py",  # the demo's telephone asks the demo itself
    }


def _to(address: str) -> Any:
    async def resolve(_: Any, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    return resolve
