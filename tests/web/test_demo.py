"""The demo's phones: the same way in as a real message, and nothing of it outside a demo."""

import io

import pytest
from aiohttp import FormData

from helpline.engine.fetching import fetch_all
from helpline.models import Attachment
from helpline.web.pages import demo
from tests.web.conftest import Arrive
from tests.world import CARER, DUTY_PHONE, World

PATHS = [
    ("GET", "/demo"),
    ("GET", "/demo/phones"),
    ("GET", "/demo/live"),
    ("POST", "/demo/messages"),
    ("POST", "/demo/calls"),
    ("POST", "/demo/clock"),
    ("POST", "/demo/visits"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_outside_a_demo_there_is_nothing_here(
    one_world: World, arrive: Arrive, method: str, path: str
) -> None:
    object.__setattr__(one_world.house, "demo", None)
    guest = await arrive(one_world, None)
    form = {"user": "1", "hours": "1", "channel": "sms", "number": CARER, "text": "x"}
    status = await (guest.get(path) if method == "GET" else guest.post(path, form))
    assert status == 404
    assert "Demo" not in guest.page
    await guest.get("/login")
    assert "demo" not in guest.page.lower()


async def test_a_carer_writes_and_both_phones_show_it(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, None)
    await guest.get("/demo")
    assert "Carol Ashby" in guest.text
    form = {"channel": "sms", "number": CARER, "text": "he says he has taken all his tablets"}
    assert await guest.post("/demo/messages", form | {"carer": CARER}) == 200
    await world.settle()
    await guest.get(f"/demo/phones?carer=%2B{CARER[1:]}")
    assert "Your message has arrived" in guest.text
    assert "PURPLE EMERGENCY. Reply" in guest.text
    code = guest.text.rpartition("PURPLE EMERGENCY. Reply ")[2][:4]
    await guest.post("/demo/messages", {"channel": "sms", "number": DUTY_PHONE, "text": code})
    await world.settle()
    assert "You have ESX-" in world.texts_to(DUTY_PHONE)[-1]


async def test_the_other_network_is_there_too(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    form = {"channel": "telegram", "number": CARER[1:], "text": "Hello, is anybody there?"}
    await guest.post("/demo/messages", form | {"carer": CARER})
    await one_world.settle()
    await guest.get(f"/demo?carer=%2B{CARER[1:]}&channel=telegram")
    assert "Hello, is anybody there?" in guest.text
    assert "Your message has arrived" in guest.text


async def test_the_clock_moves_and_whoever_is_signed_in_stays_so(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    before = one_world.now
    for _ in range(3):
        assert await guest.post("/demo/clock", {"hours": "12"}) == 200
    assert (one_world.now - before).total_seconds() == 36 * 3600
    assert await guest.get("/inbox", follow=False) == 200
    assert await guest.post("/demo/clock", {"hours": "-12"}) == 400


async def test_one_click_opens_the_console_as_somebody(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    assert await guest.post("/demo/visits", {"user": str(one_world.lead.user_id)}) == 200
    assert guest.path == "/inbox"
    assert "Leonie" in guest.text
    assert await guest.post("/demo/visits", {"user": "9999"}) == 404


async def test_another_site_cannot_use_the_phones(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    form = {"user": str(one_world.lead.user_id)}
    headers = {"Origin": "https://evil.example"}
    assert await guest.post("/demo/visits", form, headers=headers) == 403


async def test_a_picture_without_words_is_shown_and_kept(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    form = {"channel": "whatsapp", "number": CARER, "text": "", "sample": "picture"}
    assert await guest.post("/demo/messages", form | {"carer": CARER}) == 200
    assert "Picture: house.jpg" in guest.text
    await one_world.settle()
    await fetch_all(one_world.house)
    (kept,) = await one_world.all(Attachment)
    assert (kept.channel, kept.state, kept.kind) == ("whatsapp", "kept", "image/jpeg")  # type: ignore[attr-defined]


async def test_a_file_that_is_empty_or_too_large_is_said(
    one_world: World, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "LARGEST", 1024**2)
    guest = await arrive(one_world, None)
    for content in (b"", b"x" * (1024**2 + 1)):
        form = FormData({"channel": "sms", "number": CARER, "text": "see"})
        form.add_field("file", io.BytesIO(content), filename="a.txt")
        answer = await guest.client.post("/demo/messages", data=form)
        assert answer.status == 400
        assert "at most 1 MB" in await answer.text()


async def test_the_chat_may_stand_in_the_demos_own_page_and_no_other(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/demo")
    assert "frame-src 'self'" in guest.headers["Content-Security-Policy"]
    assert guest.headers["X-Frame-Options"] == "DENY"
    await guest.get("/chat?embed=1")
    assert "frame-ancestors 'self'" in guest.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in guest.headers
    await guest.get("/chat")
    assert "frame-ancestors 'none'" in guest.headers["Content-Security-Policy"]
    assert guest.headers["X-Frame-Options"] == "DENY"
