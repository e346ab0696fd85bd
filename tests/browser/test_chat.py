"""The chat and the form in a real browser, at the width of a desk and of a telephone: sound for
axe, nothing wider than the screen, messages that come and go by themselves, a connection that
breaks, the way out, no script at all, and the page of another site around it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import BrowserContext, FilePayload, Page, Route, async_playwright, expect
from sqlalchemy import select
from sqlmodel import col

from helpline.desk import cases
from helpline.models import Address, Case, Conversation, InboundItem
from helpline.web.app import make_app
from tests import databases
from tests.browser.site import DESK, PHONE, Site, picture
from tests.browser.test_pages import axe, too_wide
from tests.find_browser import find
from tests.world import World, opened_world

SIZES = {"desk": DESK, "phone": PHONE}
AWAY = "http://weather.example/"
PHOTO = bytes.fromhex(  # one white point
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415478da63f8ffff3f"
    "0005fe02fe0def46b80000000049454e44ae426082"
)


def file_of(content: bytes) -> FilePayload:
    return FilePayload(name="mark.png", mimeType="image/png", buffer=content)


@pytest_asyncio.fixture
async def place(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Site]:
    """An empty world that lives by itself, served, with a browser."""
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    async with opened_world(url) as world, async_playwright() as playwright:
        with_exit = world.house.settings.model_copy(update={"exit_url": AWAY})
        object.__setattr__(world.house, "settings", with_exit)
        address, end = await served(make_app(world.house))
        browser = await playwright.chromium.launch(
            executable_path=find(), args=["--no-sandbox", "--host-resolver-rules=MAP * 127.0.0.1"]
        )
        living = asyncio.create_task(live(world))
        try:
            yield Site(address, world, browser)
        finally:
            living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await living
            await browser.close()
            await end.cleanup()


async def served(app: web.Application) -> tuple[str, web.AppRunner]:
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}", runner


async def live(world: World) -> None:
    while True:
        await world.settle()
        async with world.house.wakes.pages:
            world.house.wakes.pages.notify_all()
        await asyncio.sleep(0.05)


async def opened(
    site: Site, path: str = "/chat", size: dict[str, int] = DESK, **options: object
) -> tuple[Page, list[str]]:
    """A page in a browser of its own, and what it complained of."""
    context: BrowserContext = await site.browser.new_context(
        viewport=size,  # type: ignore[arg-type]  # playwright's own dictionary
        reduced_motion="reduce",
        **options,  # type: ignore[arg-type]  # what a context takes
    )
    page = await context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(site.address + path)
    return page, faults


async def write(page: Page, text: str) -> None:
    await page.fill("#text", text)
    await page.click("button:text-is('Send')")


async def answer(world: World, text: str) -> None:
    """The worker opens the newest chat's case and replies."""
    async with world.house.db.write() as session:
        case = await session.scalar(
            select(Case)
            .join(Conversation, col(Conversation.case_id) == col(Case.id))
            .join(Address, col(Address.id) == col(Conversation.address_id))
            .where(col(Address.channel) == "webchat")
            .order_by(col(Case.id).desc())
        )
        assert case is not None
        await cases.record_reading(session, case, world.worker, world.now)
        contract = world.house.contracts["essex"]
        await cases.reply(session, contract, case, text, world.worker, world.now)


@pytest.mark.parametrize("width", SIZES)
async def test_a_conversation_on_one_page(place: Site, width: str) -> None:
    page, faults = await opened(place, size=SIZES[width])
    assert await axe(page) == []
    await picture(page, f"chat-empty-{width}")
    await write(page, "They say I hit him.\nI have not slept")
    messages = page.locator("#messages")
    await expect(messages).to_contain_text("Your message has arrived, reference ESX-")
    await expect(messages).to_contain_text("arrived")
    await answer(place.world, "Hello, this is Wasim. When may I ring you?")
    await expect(messages).to_contain_text("Hello, this is Wasim.", timeout=4000)
    await expect(messages).to_contain_text("a worker has read this")
    await expect(page.locator("#text")).to_be_focused()
    assert await messages.locator("li").count() == 3
    assert await axe(page) == []
    assert not await too_wide(page)
    assert faults == []
    await picture(page, f"chat-{width}")


@pytest.mark.parametrize("width", SIZES)
async def test_the_form_is_sound_filled_in_wrongly_and_sent(place: Site, width: str) -> None:
    page, _ = await opened(place, "/contact", SIZES[width])
    assert await axe(page) == []
    assert not await too_wide(page)
    await picture(page, f"contact-{width}")
    await page.fill("#phone", "ring me")
    await page.fill("#safe", "only before noon")
    await page.click("button:text-is('Send')")
    await expect(page.locator("[data-problem]")).to_be_focused()
    await expect(page.locator("#safe")).to_have_value("only before noon")
    assert await axe(page) == []
    await picture(page, f"contact-wrong-{width}")
    await page.fill("#phone", "07700 900456")
    await page.fill("#message", "Please ring me")
    await page.check("#danger-no")
    await page.click("button:text-is('Send')")
    await expect(page.get_by_text("Your message has arrived")).to_be_visible()
    await expect(page.get_by_text("Your reference is ESX-")).to_be_visible()
    assert await axe(page) == []
    await picture(page, f"contact-sent-{width}")


async def test_the_same_device_finds_its_chat_again(place: Site) -> None:
    page, _ = await opened(place)
    await write(page, "Only for you")
    await expect(page.locator("#messages")).to_contain_text("Your message has arrived")
    again = await page.context.new_page()
    await again.goto(f"{place.address}/chat")
    await expect(again.locator("#messages")).to_contain_text("Only for you")
    await again.click("button:has-text('Take the chat off')")
    await expect(again.locator("#none")).to_be_visible()


async def test_escape_three_times_shows_the_weather_and_nothing_of_the_chat(place: Site) -> None:
    page, _ = await opened(place)
    await weather(page)
    await page.fill("#text", "half a secret")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page.locator("#text")).to_have_value("half a secret")
    await page.keyboard.press("Escape")
    await page.wait_for_url(AWAY)
    assert "Sunny" in await page.content()
    assert await page.evaluate("history.length") <= 2  # about:blank and this: the chat was replaced


async def test_the_button_clears_the_screen_even_when_the_other_page_never_comes(
    place: Site,
) -> None:
    page, _ = await opened(place)
    await page.route("http://weather.example/**", lambda route: route.abort("aborted"))
    await page.fill("#text", "half a secret")
    await page.click("[data-leave]")
    await expect(page.locator("main")).to_be_hidden()
    await expect(page.locator("header")).to_be_hidden()
    assert await page.title() == "Weather"
    assert await page.input_value("#text") == ""


async def weather(page: Page) -> None:
    await page.route("http://weather.example/**", lambda route: route.fulfill(body="Sunny"))


async def test_a_broken_connection_loses_and_doubles_nothing(place: Site) -> None:
    page, _ = await opened(place)
    swallowed = 0

    async def swallow(route: Route) -> None:
        """The first try reaches us and its answer never comes back; the second finds no network."""
        nonlocal swallowed
        if route.request.method != "POST" or swallowed >= 2:
            await route.continue_()
            return
        swallowed += 1
        if swallowed == 1:
            await route.fetch()
        await route.abort()

    await page.route("**/chat", swallow)
    await write(page, "first")
    await write(page, "second")
    await expect(page.locator("#messages")).to_contain_text("first")
    await expect(page.locator("#messages")).to_contain_text("arrived", timeout=10_000)
    await expect(page.locator(".hl-bubble--waiting")).to_have_count(0, timeout=10_000)
    await expect(page.locator("#messages")).to_contain_text("second")
    await page.wait_for_timeout(500)
    items = await place.world.all(InboundItem)
    assert len(items) == 2
    typed = await page.locator(".hl-bubble--typed .hl-bubble__text").all_inner_texts()
    assert typed == ["first", "second"]


async def test_without_the_socket_answers_still_come(place: Site) -> None:
    page, _ = await opened(place, "/login")
    await page.add_init_script("window.WebSocket = class extends EventTarget { close() {} }")
    await page.goto(f"{place.address}/chat")
    await write(page, "Hello")
    await expect(page.locator("#messages")).to_contain_text(
        "Your message has arrived", timeout=15_000
    )
    await answer(place.world, "Hello, this is Wasim.")
    await expect(page.locator("#messages")).to_contain_text("this is Wasim", timeout=15_000)


async def test_too_much_is_said_before_it_is_sent(place: Site) -> None:
    page, _ = await opened(place)
    await page.fill("#text", "x" * 3900)
    await expect(page.locator("#text-count")).to_have_text("100 characters left")
    await page.fill("#text", "x" * 4003)
    await expect(page.locator("#text-count")).to_have_text("3 characters too many")
    await page.click("button:text-is('Send')")
    await expect(page.locator("#text-error")).to_contain_text("3 characters too long")
    assert await axe(page) == []
    assert await place.world.count(InboundItem) == 0


async def test_the_whole_way_works_without_scripts(place: Site) -> None:
    page, _ = await opened(place, size=PHONE, java_script_enabled=False)
    await write(page, "My placement is going badly")
    assert await page.get_by_text("Your message has arrived, reference").is_visible()
    await answer(place.world, "Hello, this is Wasim.")
    await asyncio.sleep(0.3)
    await page.click("noscript a")
    assert await page.get_by_text("Hello, this is Wasim.").is_visible()
    href = await page.get_attribute("[data-leave]", "href")
    assert href == AWAY


async def test_in_the_page_of_the_providers_own_site(place: Site) -> None:
    """The other site is another origin (localhost, not 127.0.0.1) with a policy of its own."""
    own = place.address.replace("127.0.0.1", "localhost")

    async def home(request: web.Request) -> web.Response:
        script = f'<script src="{own}/static/embed.js" data-contract="essex" async></script>'
        text = f'<html lang="en"><title>Harbour</title><main><h1>Harbour</h1></main>{script}'
        return web.Response(text=text, content_type="text/html")

    other = web.Application()
    other.router.add_get("/", home)
    address, end = await served(other)
    site = address.replace("127.0.0.1", "localhost")
    house = place.world.house
    update = {"embed_origins": site, "public_url": own}
    object.__setattr__(house, "settings", house.settings.model_copy(update=update))
    try:
        page, faults = await opened(Site(site, place.world, place.browser), "/")
        await page.click("text=Chat with the helpline")
        chat = page.frame_locator("iframe")
        await chat.locator("#text").fill("Hello from the other site")
        await chat.locator("button:has-text('Send')").first.click()
        await expect(chat.locator("#messages")).to_contain_text("Your message has arrived")
        await picture(page, "chat-embedded-desk")
        assert [fault for fault in faults if "404" not in fault] == []  # its own missing icon
        await weather(page)
        await chat.locator("[data-leave]").click()
        await page.wait_for_url(AWAY)
        object.__setattr__(
            house, "settings", house.settings.model_copy(update={"embed_origins": ""})
        )
        page, faults = await opened(Site(site, place.world, place.browser), "/")
        await page.click("text=Chat with the helpline")
        await page.wait_for_timeout(500)
        assert any("frame-ancestors" in fault for fault in faults)
    finally:
        await end.cleanup()


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", SIZES)
async def test_a_file_goes_with_a_message(place: Site, width: str) -> None:
    page, faults = await opened(place, size=SIZES[width])
    await page.set_input_files("#file", files=[file_of(PHOTO)])
    await expect(page.locator("[data-unchoose]")).to_be_visible()
    assert await axe(page) == []
    await write(page, "This is the mark")
    await expect(page.locator("#messages")).to_contain_text("Your message has arrived")
    await expect(page.locator(".hl-bubble__file")).to_have_text("File: mark.png")
    await expect(page.locator("[data-unchoose]")).to_be_hidden()
    assert await page.input_value("#file") == ""
    assert await axe(page) == []
    assert not await too_wide(page)
    await picture(page, f"chat-file-{width}")
    (item,) = await place.world.all(InboundItem)
    assert item.kind == "media"  # type: ignore[attr-defined]
    assert faults == []


async def test_a_file_can_be_taken_off_and_one_too_large_is_not_sent(place: Site) -> None:
    page, _ = await opened(place)
    await page.set_input_files("#file", files=[file_of(PHOTO)])
    await page.click("[data-unchoose]")
    assert await page.input_value("#file") == ""
    await page.set_input_files("#file", files=[file_of(b"x" * (10 * 1024**2 + 1))])
    await page.click("button:text-is('Send')")
    await expect(page.locator("#text-error")).to_contain_text("too large: 10 MB at most")
    assert await place.world.count(InboundItem) == 0


async def test_a_file_survives_a_broken_connection(place: Site) -> None:
    page, _ = await opened(place)
    await page.route("**/chat", lambda route: route.abort())
    await page.set_input_files("#file", files=[file_of(PHOTO)])
    await page.click("button:text-is('Send')")
    await expect(page.locator("#state")).to_contain_text("No connection")
    await page.unroute("**/chat")
    await expect(page.locator("#messages")).to_contain_text("arrived", timeout=10_000)
    (item,) = await place.world.all(InboundItem)
    assert item.kind == "media"  # type: ignore[attr-defined]


async def test_each_side_sees_that_the_other_types(place: Site) -> None:
    page, faults = await opened(place)
    await write(page, "Are you there?")
    await expect(page.locator("#messages")).to_contain_text("Your message has arrived")
    (case,) = await place.world.all(Case)
    worker = await place.page("wasim")
    await worker.goto(f"{place.address}/cases/{case.reference}")  # type: ignore[attr-defined]
    await expect(worker.get_by_text("This page follows what happens.")).to_be_visible()
    # Longer than the two seconds between two words of it: the first may come before the stream.
    await page.type("#text", "I want to say something", delay=200)
    await expect(worker.locator("[data-typing-state]")).to_have_text("They are typing…")
    await picture(worker, "case-they-type")
    await worker.type("#text", "Yes, I am here for you", delay=200)
    await expect(page.locator("#typing")).to_have_text("A support worker is typing…")
    await picture(page, "chat-worker-types")
    assert await axe(page) == []
    await worker.click("main button:has-text('Send')")
    await expect(page.locator("#messages")).to_contain_text("Yes, I am")
    await expect(page.locator("#typing")).to_have_text("")
    await expect(worker.locator("[data-typing-state]")).to_have_text("", timeout=9000)
    assert faults == []
