"""A carer's own page in a real browser, on a telephone: sound for axe in English and from right to
left, nothing wider than the screen, the way out by one press and by key, and all of it without a
script."""

import asyncio
import re
from datetime import timedelta

from playwright.async_api import Page, expect

from helpline.desk import allegations, cases, promises
from tests.browser.site import DESK, PHONE, Site, picture
from tests.browser.test_pages import axe, too_wide
from tests.stories.test_own_page import LINK
from tests.world import CARER

PAGES = ("", "/diary", "/panel", "/readers", "/contact")
AWAY = re.compile("bbc.co.uk")


async def opened(site: Site, page: Page) -> None:
    """By the link in the newest text, with the button that only a person presses."""
    await site.world.sms(CARER, "page")
    found = LINK.search(site.world.texts_to(CARER)[-1])
    assert found
    await page.goto(f"{site.address}{found[1]}")
    assert await axe(page) == []
    await picture(page, "own-open")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(page.locator(".own-leave")).to_be_focused()  # the way out comes first
    await page.click(".own-button")
    await page.wait_for_url("**/page")


async def much_happened(site: Site) -> None:
    world = site.world
    async with world.house.db.write() as session:
        reference = (await world.case_of(CARER)).reference
        case = await cases.find_case(session, world.worker, reference)
        contract, now = world.house.contracts["essex"], world.now
        told = allegations.Told(case.person_id, now, told_by="Carol Ashby", words="Grabbed him")
        await allegations.record(session, contract, case, told, world.worker, now)
        due, what = now + timedelta(hours=3), "the meeting on Monday, and who comes with you"
        await promises.give(session, contract, case, "call", what, due, world.worker, now)


async def test_each_of_its_pages_is_sound_on_a_telephone(site: Site) -> None:
    await much_happened(site)
    page = await site.page(None, PHONE)
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    await opened(site, page)
    for language, direction, paths in (("en", "ltr", PAGES), ("ur", "rtl", ("", "/contact"))):
        await page.goto(f"{site.address}/page")
        await page.select_option("#language", language)
        async with page.expect_navigation():
            await page.click(".own-language button")
        await expect(page.locator("html")).to_have_attribute("dir", direction)
        for path in paths:
            await page.goto(f"{site.address}/page{path}")
            assert await axe(page) == [], path
            assert not await too_wide(page), path
            await picture(page, f"own{path.replace('/', '-')}-{language}")
    await page.check("#neutral_only")
    await page.fill("#begins", "09:00")
    await page.click(".own-form .own-button")
    await expect(page.locator("#problem")).to_be_visible()
    await expect(page.locator("#neutral_only")).to_be_checked()  # what was chosen is kept
    assert await axe(page) == []
    await page.set_viewport_size(DESK)
    await page.goto(f"{site.address}/page")
    await picture(page, "own-desk")
    assert [fault for fault in faults if "400" not in fault] == []


async def test_leaving_by_key_and_without_a_script(site: Site) -> None:
    page = await site.page(None, PHONE)
    await page.route(AWAY, lambda route: route.fulfill(body="sun"))
    await opened(site, page)
    for _ in range(3):
        await page.keyboard.press("Escape")
    await page.wait_for_url(AWAY)
    await asyncio.sleep(0.2)
    await page.goto(f"{site.address}/page")
    await expect(page.locator("main")).to_contain_text("send us the word PAGE")

    plain = await site.browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]  # playwright's own dictionary
    other = await plain.new_page()
    await other.route(AWAY, lambda route: route.fulfill(body="sun"))
    await site.world.sms(CARER, "page")
    found = LINK.search(site.world.texts_to(CARER)[-1])
    assert found
    await other.goto(f"{site.address}{found[1]}")
    await other.click(".own-button")
    await other.wait_for_url("**/page")
    await other.click(".own-leave")
    await other.wait_for_url(AWAY)
    await other.goto(f"{site.address}/page")
    await expect(other.locator("main")).to_contain_text("send us the word PAGE")
