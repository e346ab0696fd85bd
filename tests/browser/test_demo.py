"""The demo's page in a real browser: telephones, the web chat beside them, files, both widths."""

import pytest
from playwright.async_api import Page, expect

from helpline.engine.fetching import fetch_all
from helpline.models import Attachment
from tests.browser.site import DESK, PHONE, Site, picture
from tests.browser.test_pages import axe, too_wide

SIZES = {"desk": DESK, "phone": PHONE}


async def opened(site: Site, width: str = "desk") -> tuple[Page, list[str]]:
    page, faults = await site.page(None, SIZES[width]), []
    page.on("console", lambda said: faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(f"{site.address}/demo?channel=whatsapp")
    return page, faults


@pytest.mark.parametrize("width", SIZES)
async def test_the_chat_stands_beside_the_phones(site: Site, width: str) -> None:
    page, faults = await opened(site, width)
    chat = page.frame_locator("iframe.hl-phone__frame")
    await chat.locator("#text").fill("Hello from the demo")
    await chat.locator("button:text-is('Send')").click()
    await expect(chat.locator(".hl-bubble__when")).to_contain_text("arrived")
    await site.world.settle()
    await expect(chat.locator("#messages")).to_contain_text("Your message has arrived")
    await page.click("summary:has-text('Send a picture')")
    assert await axe(page) == []
    assert not await too_wide(page)
    await picture(page, f"demo-chat-{width}")
    assert faults == []


async def test_a_sample_picture_and_a_voice_note_arrive(site: Site) -> None:
    page, faults = await opened(site)
    for sample, said in (("picture", "Picture: house.jpg"), ("voice", "Voice note: voice-note")):
        await page.click("summary:has-text('Send a picture')")
        await page.click(f"button[value={sample}]")
        await expect(page.locator("#screen-carer")).to_contain_text(said)
    await site.world.settle()
    await fetch_all(site.world.house)
    kept = await site.world.all(Attachment)
    assert [(one.channel, one.state, one.kind) for one in kept] == [  # type: ignore[attr-defined]
        ("whatsapp", "kept", "image/jpeg"),
        ("whatsapp", "kept", "audio/wav"),
    ]
    assert faults == []


async def test_a_chosen_file_needs_no_words(site: Site) -> None:
    page, _ = await opened(site)
    await page.click("summary:has-text('Send a picture')")
    file = {"name": "letter.txt", "mimeType": "text/plain", "buffer": b"Dear all"}
    await page.set_input_files("#file-carer", files=[file])  # type: ignore[list-item]
    await page.click("#phone-carer ~ form .hl-phone__send")
    await expect(page.locator("#screen-carer")).to_contain_text("File: letter.txt")
    assert await page.input_value("#file-carer") == ""


async def test_no_other_page_may_show_the_chat_of_a_helpline_that_is_no_demo(site: Site) -> None:
    object.__setattr__(site.world.house, "demo", None)
    page = await site.page(None)
    answer = await page.goto(f"{site.address}/chat?embed=1")
    assert answer is not None
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
