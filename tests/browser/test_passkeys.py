"""Passkeys with a real browser's own authenticator: made on the account's page, used to sign in,
used as the second step, asked for again: script, strict policy and our checks in one."""

from playwright.async_api import CDPSession, Page

from tests.browser.site import PHONE, Site, picture
from tests.world import PASSWORD

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


async def with_device(page: Page) -> CDPSession:
    devices = await page.context.new_cdp_session(page)
    await devices.send("WebAuthn.enable")
    await devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return devices


async def sign_out(page: Page) -> None:
    """On a telephone it is in the menu."""
    await page.click(".hl-thumb >> text=Menu")
    await page.click(".hl-nav >> text=Sign out")


async def test_a_passkey_is_made_and_opens_every_door(site: Site) -> None:
    here = site.address.replace("127.0.0.1", "localhost")  # a number can have no passkeys
    page = await site.page(None, PHONE)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Policy" in said.text else None)
    await with_device(page)
    await page.goto(f"{here}/login")
    await page.fill("#name", "wasim")
    await page.fill("#password", PASSWORD)
    await page.click("main button[type=submit] >> nth=0")
    await page.wait_for_url("**/inbox")
    await page.goto(f"{here}/account/second")
    await picture(page, "second-factor-phone")
    await page.click("text=Add this device")
    await page.wait_for_selector("text=Ten codes for your paper")
    await picture(page, "papers-phone")
    await sign_out(page)
    await page.wait_for_url("**/login")
    await page.click("text=Use a passkey instead")
    await page.wait_for_url("**/inbox")
    await page.goto(f"{here}/account/again?next=/rota")
    await page.click("text=Use a passkey")
    await page.wait_for_url("**/rota")
    await sign_out(page)
    await page.wait_for_url("**/login")
    await page.fill("#name", "wasim")
    await page.fill("#password", PASSWORD)
    await page.click("main button[type=submit] >> nth=0")
    await page.wait_for_url("**/login/second")
    await picture(page, "second-step-phone")
    await page.click("button:has-text('Use your passkey')")
    await page.wait_for_url("**/inbox")
    assert not faults
