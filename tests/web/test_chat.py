"""The chat and the form as browsers and scripts ask for them: what is kept, what is answered, what
another site, a second device or a broken client gets."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError
from sqlalchemy import text as sql

from helpline.models import Address, Case, Contact, InboundItem
from helpline.rules.limits import OF_A_DEVICE
from helpline.web.pages import chat, contact
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import STRANGER, World

SCRIPT = {"X-Requested-With": "chat"}
HELLO = {"text": "My placement is going badly", "id": "0123456789abcdef" * 2}


@contextlib.asynccontextmanager
async def living(world: World) -> AsyncIterator[None]:
    """Everything happens by itself, as in the running helpline."""

    async def live() -> None:
        while True:
            await world.settle()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(live())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def say(guest: Visitor, text: str, message_id: str = "") -> int:
    """As the script sends it."""
    form = {"text": text, "id": message_id}
    return await guest.post("/chat", form, headers=SCRIPT, follow=False)


# --- the chat ------------------------------------------------------------------------------------


async def test_without_script_a_message_is_answered_on_the_page_that_follows(
    world: World, arrive: Arrive
) -> None:
    guest = await arrive(world, None)
    assert await guest.get("/chat") == 200
    assert guest.page.index("tel:999") < guest.page.index("<h1")
    assert "0808 157 0100" in guest.text
    async with living(world):
        assert await guest.post("/chat", HELLO) == 200
    assert guest.path == "/chat"
    assert "My placement is going badly" in guest.text
    assert "Your message has arrived, reference ESX-" in guest.text
    assert "Your reference is ESX-" in guest.text


async def test_a_form_sent_again_changes_nothing(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    shown = re.search(r'name="id" value="([0-9a-f]{32})"', guest.page)
    assert shown
    for _ in range(3):
        assert await say(guest, "Hello", shown[1]) == 204
    assert await one_world.count(InboundItem) == 1


async def test_the_device_finds_its_chat_again_and_another_finds_nothing(
    one_world: World, arrive: Arrive
) -> None:
    guest, other = await arrive(one_world, None), await arrive(one_world, None)
    await guest.get("/chat")
    await say(guest, "Only for you")
    await one_world.settle()
    await guest.get("/chat")
    assert "Only for you" in guest.text
    await other.get("/chat")
    assert "Only for you" not in other.text
    await other.get("/chat/messages")
    assert "Only for you" not in other.text


async def test_the_token_is_nowhere_in_the_database(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    answer = await guest.client.get("/chat")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    assert len(token) == 43
    await say(guest, "Hello")
    await one_world.settle()
    (address,) = await one_world.all(Address, Address.channel == "webchat")
    (item,) = await one_world.all(InboundItem)
    assert token not in address.value + address.value_index  # type: ignore[attr-defined]
    assert token not in item.sealed + item.external_id  # type: ignore[attr-defined]


async def test_what_is_too_long_or_empty_is_said_and_still_there(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    long = "x" * chat.LONGEST + "12345"
    assert await guest.post("/chat", {"text": long, "id": ""}) == 400
    assert "5 characters too long" in guest.text
    assert long in guest.page
    assert await guest.post("/chat", {"text": "  \n "}) == 400
    assert "Write your message first" in guest.text
    assert await say(guest, long) == 400
    assert guest.page.startswith("Your message is 5 characters too long")
    assert await one_world.count(InboundItem) == 0


async def test_four_thousand_of_the_widest_letters_are_taken(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    assert await say(guest, "😟" * chat.LONGEST) == 204


async def test_who_floods_is_slowed_and_nobody_else(one_world: World, arrive: Arrive) -> None:
    guest, other = await arrive(one_world, None), await arrive(one_world, None)
    await guest.get("/chat")
    statuses = [await say(guest, f"message {n}") for n in range(OF_A_DEVICE + 2)]
    assert statuses == [204] * OF_A_DEVICE + [429] * 2
    assert 0 < int(guest.headers["Retry-After"]) <= 60
    assert await guest.post("/chat", {"text": "typed for a while"}) == 429
    assert "typed for a while" in guest.page
    assert "Wait" in guest.text
    await other.get("/chat")
    assert await say(other, "A first message") == 204
    assert await one_world.count(InboundItem) == OF_A_DEVICE + 1


async def test_when_it_cannot_be_kept_the_page_says_so_and_holds_the_words(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    async with one_world.house.db.write() as session:
        await session.execute(sql("ALTER TABLE inbound_item RENAME TO away"))
    form = {"text": "typed for a while", "id": ""}
    assert await say(guest, "typed for a while") == 503
    async with one_world.house.db.write() as session:
        await session.execute(sql("ALTER TABLE away RENAME TO inbound_item"))
    assert await guest.post("/chat", form, follow=False) in (200, 303)


async def test_the_script_asks_only_for_what_it_has_not_seen(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    assert await guest.get("/chat/messages") == 204
    await guest.get("/chat")
    await say(guest, "Hello")
    await one_world.settle()
    assert await guest.get("/chat/messages?seen=") == 200
    shown = re.search(r'data-stamp="([^"]+)"', guest.page)
    assert shown
    first = shown[1]
    await guest.get(f"/chat/messages?seen={first}")
    shown = re.search(r'data-stamp="([^"]+)"', guest.page)
    assert guest.status == 204 or (shown and shown[1] != first)
    assert "<html" not in guest.page


async def test_taking_the_chat_off_the_device_keeps_it_with_us(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    await say(guest, "Only for you")
    await one_world.settle()
    assert await guest.post("/chat/forgetting") == 200
    assert "Only for you" not in guest.text
    assert await one_world.count(Case) == 1
    await guest.get("/chat")
    assert "Only for you" not in guest.text


# --- the socket ----------------------------------------------------------------------------------


async def test_the_socket_says_when_to_look(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, None)
    await guest.get("/chat")
    await say(guest, "Hello")
    await world.settle()
    async with guest.client.ws_connect("/chat/socket") as socket:
        assert (await socket.receive(5)).data == "changed"  # it had seen nothing yet
        await guest.get("/chat/messages")
        with contextlib.suppress(TimeoutError):
            while True:
                await socket.receive(0.8)  # delivered: nothing more is new
        await say(guest, "Are you there?")
        assert (await socket.receive(5)).data == "changed"
        await socket.send_str("x" * 5000)  # nothing comes in this way
        assert (await socket.receive(5)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_another_site_cannot_listen(
    one_world: World, arrive: Arrive, headers: dict[str, str]
) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    with pytest.raises(WSServerHandshakeError, match="403"):
        await guest.client.ws_connect("/chat/socket", headers=headers)


async def test_a_socket_needs_a_device_and_is_no_page(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    with pytest.raises(WSServerHandshakeError, match="403"):
        await guest.client.ws_connect("/chat/socket")
    assert await guest.get("/chat/socket") == 400


async def test_one_device_opens_only_so_many_sockets(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    opened = [await guest.client.ws_connect("/chat/socket") for _ in range(chat.MOST_OF_A_DEVICE)]
    with pytest.raises(WSServerHandshakeError, match="503"):
        await guest.client.ws_connect("/chat/socket")
    for socket in opened:
        await socket.close()


async def test_open_sockets_do_not_hold_up_the_end(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    await guest.client.ws_connect("/chat/socket")
    async with asyncio.timeout(5):
        await guest.client.close()


# --- other sites ---------------------------------------------------------------------------------


async def test_nobody_may_show_the_chat_in_their_page_unless_set(
    one_world: World, arrive: Arrive
) -> None:
    object.__setattr__(one_world.house, "demo", None)  # a demo shows it in its own page
    guest = await arrive(one_world, None)
    for path in ("/chat", "/chat?embed=1", "/contact"):
        await guest.get(path)
        assert "frame-ancestors 'none'" in guest.headers["Content-Security-Policy"]
        assert guest.headers["X-Frame-Options"] == "DENY"


async def test_the_sites_of_the_settings_may(one_world: World, arrive: Arrive) -> None:
    house = one_world.house
    update = {
        "embed_origins": "https://www.harbour.example,https://harbour.example",
        "public_url": "https://chat.harbour.example",
    }
    object.__setattr__(house, "settings", house.settings.model_copy(update=update))
    guest = await arrive(one_world, None)
    await guest.get("/chat?embed=1&contract=essex")
    policy = guest.headers["Content-Security-Policy"]
    assert "frame-ancestors https://www.harbour.example https://harbour.example" in policy
    assert "script-src 'self'" in policy
    assert "X-Frame-Options" not in guest.headers
    assert "SameSite=None; Partitioned" in guest.headers["Set-Cookie"]
    assert guest.headers["Set-Cookie"].startswith("__Host-")
    assert 'action="/chat?contract=essex&amp;embed=1"' in guest.page
    for path in ("/chat", "/contact?embed=1", "/login?embed=1"):
        await guest.get(path)
        assert guest.headers["X-Frame-Options"] == "DENY", path


async def test_another_site_cannot_write_in_somebodys_name(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    for path in ("/chat", "/contact", "/chat/forgetting"):
        headers = {"Origin": "https://evil.example"}
        assert await guest.post(path, {"text": "x", "message": "x"}, headers=headers) == 403
    assert await one_world.count(InboundItem) == 0


async def test_only_the_script_for_other_sites_may_be_loaded_by_them(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    assert await guest.get("/static/built/embed.js") == 200
    assert guest.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    await guest.get("/static/chat.js")
    assert guest.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/chat", "/contact"])
async def test_the_pages_need_nothing_that_the_policy_forbids(
    one_world: World, arrive: Arrive, path: str
) -> None:
    guest = await arrive(one_world, None)
    await guest.get(path)
    assert "default-src 'none'" in guest.headers["Content-Security-Policy"]
    for forbidden in ("<style", " style=", " onclick=", "<script>"):
        assert forbidden not in guest.page
    assert guest.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/chat", "/contact", "/chat/messages"])
async def test_a_contract_nobody_has_is_a_page_that_says_so(
    one_world: World, arrive: Arrive, path: str
) -> None:
    guest = await arrive(one_world, None)
    assert await guest.get(f"{path}?contract=atlantis") == 404
    assert await guest.get(f"{path}?contract=%00'--") == 404


async def test_what_is_written_is_shown_and_never_obeyed(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}"
    await say(guest, attack, '"><script>' + "y" * 500)
    await one_world.settle()
    for path in ("/chat", "/chat/messages"):
        await guest.get(path)
        assert "<script>alert" not in guest.page
        assert "<img" not in guest.page
    await guest.get("/chat")
    assert attack in guest.text.replace("  ", " ")


@pytest.mark.parametrize("cookie", ["short", "x" * 5000, "a b", "%00", "é" * 43])
async def test_a_broken_cookie_is_a_new_device(
    one_world: World, arrive: Arrive, cookie: str
) -> None:
    guest = await arrive(one_world, None)
    headers = {"Cookie": f"helpline-chat={cookie}"}
    assert await guest.get("/chat", headers=headers) == 200
    assert "No messages yet" in guest.text
    assert await guest.post("/chat", HELLO, headers=headers | SCRIPT) == 204


# --- the form ------------------------------------------------------------------------------------

FORM = {
    "message": "I would like some advice about money",
    "danger": "no",
    "reason": "finance",
    "phone": "07700 900456",
    "email": "jo@example.com",
    "safe": "only before noon",
    "name": "Jo Bloggs",
    "membership": "",
}


async def test_a_form_is_answered_with_reference_time_and_whom_to_ring(
    world: World, arrive: Arrive
) -> None:
    guest = await arrive(world, None)
    await guest.get("/contact")
    assert guest.page.index("tel:999") < guest.page.index("<h1")
    async with living(world):
        assert await guest.post("/contact", FORM | {"id": "ab" * 16}) == 200
        assert re.search(r"Your reference is ESX-[A-Z0-9]{6} ?\.", guest.text)
        assert "by 2.15 am tomorrow, Wednesday" in guest.text
        assert "ring 999" in guest.text
        assert await guest.post("/contact", FORM | {"id": "ab" * 16}) == 200  # reloaded
    assert await world.count(Case) == 1
    channels = {row.channel for row in await world.all(Address)}  # type: ignore[attr-defined]
    assert {"webform", "sms", "email"} <= channels
    (case,) = await world.all(Case)
    assert case.reason == "finance"  # type: ignore[attr-defined]


async def test_without_routing_the_form_still_says_by_when(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    assert await guest.post("/contact", {"message": "Hello", "danger": "yes"}) == 200
    assert "by 2.15 am tomorrow, Wednesday" in guest.text
    assert "Ring 999 now" in guest.text
    assert "You gave no telephone number" in guest.text
    assert await one_world.count(InboundItem) == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"message": "  "}, "Write a few words"),
        ({"message": "x" * (contact.LONGEST + 7)}, "7 characters too long"),
        ({"phone": "ring me"}, "a telephone number like 07700 900123"),
        ({"phone": "12"}, "a telephone number like 07700 900123"),
        ({"email": "jo at example"}, "an e-mail address like"),
        ({"reason": "gossip"}, "from the list"),
        ({"danger": "maybe"}, "Choose yes or no"),
        ({"name": "x" * 121}, "shorten it to 120"),
        ({"safe": "x" * 501}, "shorten it to 500"),
    ],
)
async def test_what_cannot_be_used_is_named_and_all_that_was_typed_is_there(
    one_world: World, arrive: Arrive, wrong: dict[str, str], sentence: str
) -> None:
    guest = await arrive(one_world, None)
    typed = FORM | wrong
    assert await guest.post("/contact", typed) == 400
    assert sentence in guest.text
    for name in ("message", "phone", "email", "safe", "name"):
        assert typed[name].strip() in guest.page, name
    assert 'id="danger-no" name="danger" type="radio" value="no" checked' in guest.page or (
        "danger" in wrong
    )
    assert await one_world.count(InboundItem) == 0


async def test_nothing_a_client_sends_is_a_fault_of_ours(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    odd = ["\0", "\ud800".encode("utf-8", "replace").decode(), "'" * 300, "{{7*7}}", "\u202e"]
    async with living(one_world):
        for name in ("message", "name", "membership", "phone", "email", "safe", "id", "reason"):
            for value in odd:
                status = await guest.post("/contact", FORM | {name: value})
                assert status < 500, (name, value, guest.text)
    headers = {"Content-Type": "application/json"}
    answer = await guest.client.post("/chat", data=json.dumps({}), headers=headers)
    assert answer.status == 415


async def test_the_form_reaches_the_worker_with_its_words(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.post("/contact", FORM)
    await one_world.settle()
    rows = await one_world.all(Contact, Contact.direction == "in")
    body = rows[0].body  # type: ignore[attr-defined]
    for part in ("advice about money", STRANGER, "jo@example.com", "only before noon", "Jo Bloggs"):
        assert part in body
