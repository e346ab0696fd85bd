"""An answer of the library goes into a reply by keyboard alone; the pages about what members are
given are sound on a telephone."""

from playwright.async_api import expect

from helpline.desk import library
from helpline.desk.library import Draft
from helpline.models import LibraryUse
from tests.browser.site import PHONE, Site
from tests.browser.test_pages import axe, too_wide, unfold
from tests.world import CARER

BODY = "Many councils lower council tax for carers. Ask yours for its form."


async def test_an_answer_is_put_in_by_keyboard_and_the_pages_are_sound(site: Site) -> None:
    world = site.world
    async with world.house.db.write() as session:
        draft = Draft("answer", "Council tax", BODY)
        await library.add(session, world.house.contracts["essex"], draft, world.lead, world.now)
    reference = (await world.case_of(CARER)).reference
    page = await site.page("wasim")
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text))
    await page.goto(f"{site.address}/cases/{reference}")
    await page.focus("#library-asked")
    await page.keyboard.type("council")
    await expect(page.locator("[data-put]")).to_have_count(1)
    faults += await axe(page)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#text")).to_have_value(BODY)
    await expect(page.locator("#text")).to_be_focused()
    await expect(page.locator("#segments")).to_contain_text("1 text message")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Your reply is on its way.")).to_be_visible()
    (use,) = await world.all(LibraryUse)
    assert isinstance(use, LibraryUse) and use.contact_id is not None
    await page.set_viewport_size(PHONE)
    for path in (f"/cases/{reference}/given", "/library", "/events", "/news/new"):
        await page.goto(site.address + path)
        await unfold(page)
        faults += await axe(page)
        assert not await too_wide(page), path
    assert faults == []
