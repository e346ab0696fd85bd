"""A connection that is lost is said where one looks, heals by itself, and costs nothing typed."""

from aiohttp import web
from playwright.async_api import expect

from helpline.web.app import make_app
from tests.browser.site import Site


async def test_a_lost_connection_is_shown_and_healed(site: Site) -> None:
    await site.world.sms("+447700900133", "Who can help with a school place?")
    case = await site.world.case_of("+447700900133")
    server = web.AppRunner(make_app(site.world.house), shutdown_timeout=0.1)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    port = server.addresses[0][1]
    page = await site.page("wasim")
    await page.goto(f"http://127.0.0.1:{port}/cases/{case.reference}")
    answer = page.locator("#text")
    await answer.fill("I will ring the school")
    await expect(page.get_by_text("This page follows what happens.")).to_be_visible()
    await server.cleanup()
    said = page.locator(".hl-connection")
    await expect(said).to_contain_text("No connection since", timeout=15_000)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(said).to_contain_text("Nothing was sent")
    assert await answer.input_value() == "I will ring the school"
    again = web.AppRunner(make_app(site.world.house), shutdown_timeout=0.1)
    await again.setup()
    await web.TCPSite(again, "127.0.0.1", port, reuse_address=True).start()
    try:
        await expect(said).to_contain_text("Connected again", timeout=30_000)
        assert await answer.input_value() == "I will ring the school"
        await page.wait_for_timeout(1100)  # the button takes no second press within a second
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_text("Your reply is on its way.")).to_be_visible()
    finally:
        await again.cleanup()
