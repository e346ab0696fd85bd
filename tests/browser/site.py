"""A served helpline and a real browser on it: for the tests that look at pages as people do.

`opened_site` fills a world with cases of every kind, serves it on loopback and starts Chromium.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from helpline.web.app import make_app
from tests.find_browser import find
from tests.world import CARER, PASSWORD, STRANGER, World, opened_world

PICTURES = Path(__file__).parents[2] / "var" / "pictures"
DESK, PHONE = {"width": 1366, "height": 900}, {"width": 390, "height": 844}
LONG_NAME = "Wilhelmina Aurelia Featherstonehaugh-Cholmondeley-Montgomery of Saffron Walden"


@dataclass
class Site:
    """`address` of the served helpline, its world, and a browser that is running."""

    address: str
    world: World
    browser: Browser

    async def page(self, name: str | None, size: dict[str, int] = DESK) -> Page:
        """A page in a browser of its own; signed in as `name` unless None."""
        context = await self.browser.new_context(viewport=size, reduced_motion="reduce")
        page = await context.new_page()
        if name:
            await page.goto(f"{self.address}/login")
            await page.fill("#name", name)
            await page.fill("#password", PASSWORD)
            await page.click("text=Sign in >> nth=-1")
            await page.wait_for_url(lambda url: "/login" not in url)
        return page


async def picture(page: Page, name: str) -> None:
    """For eyes: only when HELPLINE_PICTURES is set, as it takes longer than to test the page."""
    if not os.environ.get("HELPLINE_PICTURES"):
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@asynccontextmanager
async def opened_site(database_url: str) -> AsyncIterator[Site]:
    now = await copied(database_url)
    async with (
        opened_world(database_url, now, is_known=True) as world,
        async_playwright() as playwright,
    ):
        runner = web.AppRunner(make_app(world.house), shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        browser = await playwright.chromium.launch(
            executable_path=find(), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        try:
            yield Site(f"http://127.0.0.1:{runner.addresses[0][1]}", world, browser)
        finally:
            await browser.close()
            await runner.cleanup()


_filled: list[tuple[Path, datetime]] = []


async def copied(database_url: str) -> datetime:
    """Put the filled world into this database, and say what time it is there. It is filled once in
    a process: that takes four seconds, and a copy a hundredth of one."""
    path = Path(database_url.removeprefix("sqlite:///"))
    if not _filled:
        model = Path(tempfile.mkdtemp(prefix="helpline-site-")) / "filled.db"
        shutil.copy(path, model)
        async with opened_world(f"sqlite:///{model}") as world:
            await fill(world)
            now = world.now
        _filled.append((model, now))
    for beside in _filled[0][0].parent.glob("filled.db*"):
        shutil.copy(beside, path.with_name(path.name + beside.name.removeprefix("filled.db")))
    return _filled[0][1]


async def fill(world: World) -> None:
    """Cases of every kind: answered, late, an emergency, a stranger, long names, an empty body."""
    await world.hire("Ada", Role.ADMIN)
    await world.hire("Colin", Role.COMMISSIONER)
    await world.member(LONG_NAME, "FC1002", "+447700900124", "CM1 2AB")
    await world.member("Jo Li", "FC1003", "+447700900125", "CO1 1AA", "colchester", "north")
    await world.member("Samir Okonjo-Walsh", "FC1004", "+447700900126")
    await world.sms("+447700900126", "Is the training in March still on? Kind regards")
    await world.forward(hours=22)
    await world.sms("+447700900125", "They have moved her without telling us and nobody rings back")
    await world.sms("+447700900124", "My allowance was not paid again 😟\nThat is the third month.")
    await world.forward(hours=4)
    await world.sms(CARER, "He says I grabbed him. They are coming on Monday. What do I do")
    await world.sms(CARER, "PERSON")
    await world.reply(
        CARER, "Hello, this is Wasim. I can ring you at ten today. Is that all right?"
    )
    await world.allocate(CARER, world.worker)
    await world.forward(hours=2)
    await world.sms(CARER, "Yes please, ring me then. I have not slept.")
    await world.sms(STRANGER, "he says he has taken all his tablets")
    await world.unreadable()


def signed(world: World) -> Actor:
    return world.worker
