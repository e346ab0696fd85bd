"""A half-written form survives whatever happens to its page: only a browser can show that."""

from playwright.async_api import Dialog, expect

from tests.browser.site import Site
from tests.world import CARER


async def test_what_was_typed_survives_a_dead_battery_and_a_hasty_click(site: Site) -> None:
    reference = (await site.world.case_of(CARER)).reference
    address = f"{site.address}/cases/{reference}"
    page = await site.page("wasim")
    await page.goto(f"{address}/record#note")
    await page.fill("#note-body", "She told me that the school")
    await expect(page.get_by_text("Kept at")).to_be_visible(timeout=8000)
    await page.close(run_before_unload=False)  # the battery

    page = await site.page("wasim")
    page.on("dialog", lambda dialog: leave(dialog))
    await page.goto(address)
    await page.fill("#text", "I can ring you at")
    await page.goto(f"{site.address}/inbox")  # within the two seconds
    await page.goto(f"{address}/record")
    began = page.locator("#begun li")
    await expect(began).to_have_count(2)
    await began.filter(has_text="A note").get_by_role("link", name="Go on").click()
    await expect(page.locator("#note-body")).to_have_value("She told me that the school")
    await page.click("text=Save the note")
    await expect(page.get_by_text("The note is on the record.")).to_be_visible()
    await expect(began).to_have_count(1)
    await began.get_by_role("link", name="Go on").click()
    await expect(page.locator("#text")).to_have_value("I can ring you at")
    assert not page.url.endswith("/record")


async def leave(dialog: Dialog) -> None:
    await dialog.accept()
