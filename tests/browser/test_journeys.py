"""What people's hands do on the worst night, counted: without a mouse at a desk, with one thumb on
a telephone. Each journey prints what it took; the limits are those that were promised.

The letters of what is written are not counted where they are the work itself; everything else that
is pressed is, the letters of half a name too.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from playwright.async_api import Page, expect
from sqlalchemy import update
from sqlmodel import col

from helpline.desk import releasing, search
from helpline.models import Alert, Case
from helpline.vocabulary import Role
from tests.browser.site import DESK, LONG_NAME, PHONE, Site, picture
from tests.browser.test_allocate import fill_up, unallocated
from tests.browser.test_first_case import done_on, untouched
from tests.browser.test_pages import axe, too_wide
from tests.reports.short import shorten
from tests.world import STRANGER

THUMB = 44
"""The smallest side of what a thumb has to meet, in CSS pixels."""


class Hands:
    """One person at one page, and how often they pressed something."""

    def __init__(self, page: Page) -> None:
        self.page, self.used = page, 0

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.wait_for_load_state()  # keys mean something once the script runs
            await self.page.keyboard.press(key)
            self.used += 1

    async def letters(self, text: str) -> None:
        """Typed to get somewhere."""
        await self.press(*text)

    async def write(self, text: str) -> None:
        """The work itself: it costs nothing."""
        await self.page.keyboard.type(text)

    async def tap(self, what: str) -> None:
        """With a thumb: it has to be large enough, and on the screen without scrolling sideways."""
        place = self.page.locator(what).first
        box = await place.bounding_box()
        assert box and box["height"] >= THUMB - 1, (what, box)
        assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], (what, box)
        await place.click()
        self.used += 1


@asynccontextmanager
async def counted(hands: Hands, journey: str, most: int) -> AsyncIterator[None]:
    began = time.perf_counter()
    yield
    took = time.perf_counter() - began
    print(f"{journey}: {hands.used} of at most {most}, {took:.1f} s")
    assert hands.used <= most, journey


async def at_desk(site: Site, name: str, path: str) -> Hands:
    page = await site.page(name, DESK)
    await page.goto(site.address + path)
    return Hands(page)


async def in_hand(site: Site, name: str, path: str) -> Hands:
    page = await site.page(name, PHONE)
    await page.goto(site.address + path)
    return Hands(page)


async def test_a_worker_at_a_desk_without_a_mouse(site: Site) -> None:
    reference = await untouched(site)
    hands = await at_desk(site, "wasim", "/inbox")
    page = hands.page
    async with counted(hands, "from a text to a recorded answer, by keys", 12):
        await page.locator(f"#row-{reference}").focus()  # where j has led
        await hands.press("Enter")
        await page.wait_for_url(f"**/cases/{reference}")
        await hands.press("r")
        await hands.write("This is Wasim. I am ringing you in five minutes.")
        await hands.press("Control+Enter")
        await expect(page.get_by_text("Your reply is on its way.")).to_be_visible()
        await hands.press("Control+k")
        await hands.letters("be t")
        await hands.press("Enter")
        await expect(page.get_by_text("The support worker is named")).to_be_visible()
        await hands.press("n")
        await hands.write("Interview tomorrow; solicitor to be asked for.")
        await hands.press("Control+Enter")
        await expect(page.get_by_text("The note is on the case.")).to_be_visible()
    assert await done_on(site, reference) == (True, True, True)

    await page.wait_for_load_state()  # until then the note of what was done takes the cursor
    # On a layout with other letters the place of the key counts.
    await page.keyboard.press("Escape")
    await page.evaluate(PRESS, {"key": "л", "code": "KeyK", "ctrlKey": True})
    await expect(page.locator("#palette-asked")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.locator("h1").click()
    await page.evaluate(PRESS, {"key": "к", "code": "KeyR"})
    await expect(page.locator("#text")).to_be_focused()

    long = await last_months(site)
    hands = await at_desk(site, "wasim", "/rota")
    async with counted(hands, "last month's case by half a name, from any page", 12):
        await hands.press("Control+k")
        await hands.letters("feather")
        await hands.press("Enter")
        await expect(hands.page.locator("[role=option]").first).to_contain_text(long)
        await hands.press("Enter")
        await hands.page.wait_for_url(f"**/cases/{long}")


PRESS = """(how) => document.body.dispatchEvent(
  new KeyboardEvent("keydown", { ...how, bubbles: true, cancelable: true })
)"""


async def last_months(site: Site) -> str:
    """The case of the longest name, as if it had come, and been closed, a month ago."""
    found = await site.world.case_of("+447700900124")
    assert LONG_NAME.split()[2].startswith("Feather")
    before = site.world.now - timedelta(days=30)
    async with site.world.house.db.write() as session:
        values = {"opened_at": before, "closed_at": before, "status": "closed"}
        await session.execute(update(Case).where(col(Case.id) == found.id).values(**values))
        while await search.read_on(session, site.world.now):
            pass
    return found.reference


async def test_a_lead_allocates_twenty_and_two_publish_a_report(site: Site) -> None:
    await fill_up(site)
    hands = await at_desk(site, "leonie", "/inbox")
    async with counted(hands, "twenty cases get somebody, from the inbox", 60):
        await hands.press("Control+k")
        await hands.letters("all")
        await hands.press("Enter")
        await hands.page.wait_for_url("**/allocate")
        for number in range(20):
            await hands.press("2" if number % 5 == 4 else "1")
        said = hands.page.locator("[data-board-said]")
        await expect(said).to_contain_text("That was the last.")
    assert await unallocated(site) == 0

    shorten(site.world.house)
    await site.world.hire("Lena", Role.LEAD)
    first, second = await at_desk(site, "leonie", "/inbox"), await at_desk(site, "lena", "/inbox")
    contract = site.world.house.contracts["essex"]
    async with site.world.house.db.write() as session:
        made = await releasing.draw_up(
            *(session, contract, "quarter", "2026-27-Q1", site.world.lead, site.world.now)
        )
    release = f"a[href^='/releases/{made.id}']"

    async def click(hands: Hands, role: str, name: str) -> None:
        await hands.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]
        hands.used += 1

    async with counted(first, "a lead checks a report, clicks", 5):
        await click(first, "link", "Reports")
        await first.page.locator(release).first.click()
        first.used += 1
        await click(first, "button", "The figures are right")
        await expect(first.page.get_by_text("Checked by Leonie")).to_be_visible(timeout=20_000)
    async with counted(second, "another lead signs it, clicks", 5):
        await click(second, "link", "Reports")
        await second.page.locator(release).first.click()
        second.used += 1
        await click(second, "button", "Sign it")
        await expect(second.page.get_by_text("The council can read it now.")).to_be_visible()
    assert first.used + second.used <= 10


async def test_a_duty_worker_with_one_thumb(site: Site) -> None:
    reference = (await site.world.case_of(STRANGER)).reference
    hands = await in_hand(site, "wasim", "/account")
    page = hands.page
    async with counted(hands, "an alert is taken, taps", 2):
        await page.goto(f"{site.address}/")  # what a notification opens
        hands.used += 1
        await hands.tap(f".hl-alert:has-text('{reference}') button")
    await page.wait_for_url(f"**/cases/{reference}")
    taken = await site.world.all(Alert, col(Alert.acknowledged_at).is_not(None))
    assert [one.reference for one in taken] == [reference]  # type: ignore[attr-defined]

    hands = Hands(page)
    async with counted(hands, "read, answer, be the worker, note: taps", 12):
        await hands.tap(".hl-thumb >> text=Reply")
        await hands.write("This is Wasim. I am with you now.")
        await hands.tap("#reply form[action$='/replies'] button")
        await expect(page.get_by_text("Your reply is on its way.")).to_be_visible()
        await hands.tap(".hl-thumb >> text=Worker")
        await hands.tap("#be-the-worker")
        await expect(page.get_by_text("The support worker is named")).to_be_visible()
        await hands.tap(".hl-thumb >> text=Note")
        await hands.write("Took tablets; ambulance is on its way.")
        await hands.tap("#note form button[type=submit]")
        await expect(page.get_by_text("The note is on the case.")).to_be_visible()
    assert await done_on(site, reference) == (True, True, True)

    await hands.tap(".hl-thumb >> text=Call")
    await expect(page.locator("#call-body, #ring-now").first).to_be_focused()
    await hands.tap(".hl-thumb >> text=Menu")
    await expect(page.get_by_role("link", name="Reports")).to_be_in_viewport()
    assert await axe(page) == []
    await picture(page, "menu-phone")
    await hands.tap(".hl-nav >> text=Rota")
    await page.wait_for_url("**/rota")
    await hands.tap(".hl-thumb >> text=Find")
    await expect(page.locator("#palette-asked")).to_be_focused()
    assert await axe(page) == []
    assert not await too_wide(page)
    await picture(page, "palette-phone")


async def test_what_changes_is_said_and_what_is_told_names_nothing(site: Site) -> None:
    world = site.world
    page = (await in_hand(site, "dilys", "/account")).page  # who is on call
    await page.context.grant_permissions(["notifications"], origin=site.address)
    await page.get_by_role("button", name="Tell me here", exact=True).click()
    await expect(page.locator("[data-told-said]")).to_contain_text("from now on")

    await page.goto(f"{site.address}/inbox")
    tree = page.locator("body")
    await expect(page.get_by_text("This page follows what happens.")).to_be_visible()
    await world.sms("+447700900555", "he says he has taken all his tablets")
    await expect(
        page.get_by_role("alert").filter(has_text="A new alert: Emergency")
    ).to_be_attached()
    said = await tree.aria_snapshot()
    assert "alert: " in said and "new in the list." in said

    await page.context.set_offline(True)
    await page.evaluate(AWAY, True)  # a stream that is open stays so: it is made anew
    await page.evaluate(AWAY, False)
    status = page.get_by_role("status")
    await expect(status.filter(has_text="No connection since")).to_be_attached(timeout=15_000)
    await page.context.set_offline(False)
    await expect(status.filter(has_text="Connected again")).to_be_attached(timeout=15_000)

    # Nobody looks: what is shown says that there is something, and no more.
    await page.evaluate(AWAY, True)
    await world.sms("+447700900556", "he says he has taken all his tablets")
    await world.forward(minutes=1)  # it is asked whoever is on call
    assert await page.evaluate(SHOWN, 1) == [["Helpline", "Something needs you."]]
    await page.evaluate(AWAY, False)
    assert await page.evaluate(SHOWN, 0) == []


AWAY = """(is) => {
  Object.defineProperty(document, "hidden", { get: () => is, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOWN = """async (many) => {
  const worker = await navigator.serviceWorker.ready;
  for (let tries = 0; tries < 150; tries += 1) {
    const all = await worker.getNotifications();
    if (all.length === many) return all.map((one) => [one.title, one.body]);
    await new Promise((done) => setTimeout(done, 100));
  }
  return "not so";
}"""


async def test_without_a_connection_there_is_a_page_that_heals_and_nothing_else_is_kept(
    site: Site,
) -> None:
    reference = (await site.world.case_of(STRANGER)).reference
    page = (await in_hand(site, "wasim", f"/cases/{reference}")).page
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    await page.goto(f"{site.address}/inbox")
    await page.context.set_offline(True)
    await page.goto(f"{site.address}/cases/{reference}")
    await expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    assert await axe(page) == []
    await picture(page, "no-connection-phone")
    kept = await page.evaluate(KEPT)
    assert {address.partition("?")[0].partition("/static")[1] for address in kept} == {
        "",
        "/static",
    }
    assert [one for one in kept if "/static/" not in one] == [f"{site.address}/no-connection"]
    await page.context.set_offline(False)
    await expect(page.locator("h1")).to_contain_text(reference, timeout=10_000)


KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    for (const { url } of await (await caches.open(name)).keys()) found.push(url);
  }
  return found;
}"""
