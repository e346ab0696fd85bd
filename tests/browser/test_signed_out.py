"""Whoever is signed out leaves nothing of a case on the screen, and loses nothing typed."""

from playwright.async_api import expect
from sqlalchemy import update

from helpline.desk.access import SESSION
from tests.browser.site import Site


async def test_a_page_covers_itself_when_its_session_ends(site: Site) -> None:
    await site.world.sms("+447700900131", "They say I have to go to the police station tomorrow")
    reference = (await site.world.case_of("+447700900131")).reference
    page = await site.page("wasim")
    await page.goto(f"{site.address}/cases/{reference}")
    await expect(page.get_by_text("police station").first).to_be_visible()
    answer = page.locator("textarea").first
    await answer.fill("I will ring you at")
    async with site.world.house.db.write() as session:
        await session.execute(update(SESSION).values(revoked_at=site.world.now))
    await expect(
        page.get_by_text("You were signed out, so what stood here is hidden.")
    ).to_be_visible(timeout=60_000)
    assert "police station" not in await page.content()
    assert await page.locator("textarea").first.input_value() == "I will ring you at"
    await page.get_by_role("link", name="Sign in").click()
    await page.wait_for_url(f"{site.address}/login?next=%2Fcases%2F{reference}")
