"""The pages in a real browser, at the width of a desk and of a telephone: no violation that axe
finds, nothing wider than the screen, nothing the content policy had to stop, and the things that
only a browser can show. Pictures land in var/pictures, to be looked at."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Request, expect

from helpline.desk import allegations, cases, pathway
from tests.browser.site import DESK, LONG_NAME, PHONE, Site, picture
from tests.world import CARER, PASSWORD, STRANGER

SIZES = {"desk": DESK, "phone": PHONE}


async def paths(site: Site) -> dict[str, tuple[str | None, str]]:
    """Name of the picture → who looks, and where."""
    case = (await site.world.case_of(CARER)).reference
    emergency = (await site.world.case_of(STRANGER)).reference
    long = (await site.world.case_of("+447700900124")).reference
    await something_alleged(site, long)
    return {
        "login": (None, "/login"),
        "inbox": ("leonie", "/inbox"),
        "inbox-empty": ("leonie", "/inbox?filter=mine"),
        "case": ("leonie", f"/cases/{case}"),
        "case-emergency": ("wasim", f"/cases/{emergency}"),
        "case-long-name": ("wasim", f"/cases/{long}"),
        "case-record": ("wasim", f"/cases/{long}/record"),
        "case-plan": ("wasim", f"/cases/{case}/plan"),
        "case-pathway": ("wasim", f"/cases/{long}/pathway"),
        "case-pathway-empty": ("wasim", f"/cases/{emergency}/pathway"),
        "case-partners": ("wasim", f"/cases/{case}/partners"),
        "owed": ("leonie", "/obligations"),
        "tray": ("wasim", "/tray"),
        "people": ("wasim", "/people"),
        "rota": ("wasim", "/rota"),
        "blocks": ("leonie", "/blocks"),
        "account": ("wasim", "/account"),
        "missing": ("wasim", "/cases/ESX-NONE99"),
        "readings": ("leonie", "/triage"),
        "reports": ("leonie", "/reports"),
        "report": ("colin", "/reports/essex/2026-27-Q2"),
        "portal": ("colin", "/portal"),
        "users": ("ada", "/users"),
        "settings": ("leonie", "/settings/essex"),
        "setting": ("leonie", "/settings/essex/things/texts.en.first_answer"),
        "running": ("ada", "/running"),
        "start": ("ada", "/start"),
        "demo": (None, "/demo"),
    }


async def something_alleged(site: Site, reference: str) -> None:
    """On the case of the longest name, with a stage reached and one usual day that is over."""
    world, contract = site.world, site.world.house.contracts["essex"]
    day = contract.days.day_of(world.now) - timedelta(days=3)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, reference)
        told = allegations.Told(case.person_id, world.now, words="W" * 400, told_by=LONG_NAME)
        made = await allegations.record(session, contract, case, told, world.lead, world.now)
        await pathway.set_stage(
            *(session, contract, case, made.id or 0, "reported", "reached", day, LONG_NAME),
            *(world.lead, world.now),
        )


@pytest.mark.parametrize("width", SIZES)
async def test_every_page_is_sound_at_this_width(site: Site, width: str) -> None:
    signed: dict[str | None, Page] = {}
    faults: list[str] = []

    async def page_of(who: str | None) -> Page:
        page = await site.page(who, SIZES[width])
        page.on("console", lambda said: faults.append(said.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    for name, (who, path) in (await paths(site)).items():
        if who not in signed:
            signed[who] = await page_of(who)
        page = signed[who]
        await page.goto(site.address + path)
        if name.startswith(("case-", "settings")):
            await unfold(page)
        faults += [f"{name}: {fault}" for fault in await axe(page)]
        if await too_wide(page):
            faults.append(f"{name}: wider than the screen")
        await picture(page, f"{name}-{width}")
    # The browser itself notes the status of the page that is meant to be missing.
    assert [fault for fault in faults if "404" not in fault] == []


async def axe(page: Page) -> list[str]:
    found = await Axe().run(page)
    return [
        f"{violation['id']}: {violation['nodes'][0]['html'][:160]}"
        for violation in found.response["violations"]
    ]


async def too_wide(page: Page) -> bool:
    root = "document.documentElement"
    return bool(await page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"))


async def unfold(page: Page) -> None:
    await page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")


@pytest.mark.parametrize("width", SIZES)
async def test_errors_are_sound_pages_too(site: Site, width: str) -> None:
    page = await site.page(None, SIZES[width])
    await page.goto(f"{site.address}/login")
    await page.fill("#name", "wasim")
    await page.fill("#password", "not the password")
    await page.click("main button:has-text('Sign in')")
    await expect(page.locator(".govuk-error-summary")).to_be_focused()
    assert await axe(page) == []
    await picture(page, f"login-wrong-{width}")
    page = await site.page("wasim", SIZES[width])
    reference = (await site.world.case_of(CARER)).reference
    await page.goto(f"{site.address}/cases/{reference}#note")
    await page.fill("#note-body", "typed for a while")
    await page.evaluate("document.querySelector('[name=kind][value=fact]').value = 'gossip'")
    await page.click("text=Save the note")
    await expect(page.locator("#note-body")).to_have_value("typed for a while")
    await expect(page.locator("#note-body")).to_be_visible()
    assert await axe(page) == []
    assert not await too_wide(page)
    await picture(page, f"case-wrong-{width}")


async def test_a_new_message_appears_without_reloading(site: Site) -> None:
    page = await site.page("wasim")
    await page.goto(f"{site.address}/inbox")
    await expect(page.get_by_text("This page follows what happens.")).to_be_visible()
    await site.world.sms("+447700900777", "Can somebody ring me tonight?")
    new = (await site.world.case_of("+447700900777")).reference
    await expect(page.locator(f"#row-{new}")).to_be_visible(timeout=5000)


async def test_the_case_follows_too_and_what_is_being_typed_stays(site: Site) -> None:
    page = await site.page("wasim")
    reference = (await site.world.case_of(CARER)).reference
    await page.goto(f"{site.address}/cases/{reference}")
    await expect(page.get_by_text("This page follows what happens.")).to_be_visible()
    await page.fill("#text", "I am just writing")
    await site.world.sms(CARER, "Are you still there?")
    await expect(page.locator("#timeline")).to_contain_text("Are you still there?", timeout=5000)
    await expect(page.locator("#case-top")).to_contain_text("Are you still there?")
    await expect(page.locator("#text")).to_have_value("I am just writing")


async def test_everything_can_be_done_by_keyboard(site: Site) -> None:
    page = await site.page("wasim")
    await page.goto(f"{site.address}/inbox")
    await page.keyboard.press("?")
    await expect(page.get_by_text("what is due first on top")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("what is due first on top")).to_be_hidden()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    rows = page.locator("[data-row]")
    await expect(rows.nth(0)).to_be_focused()
    assert await page.evaluate("getComputedStyle(document.activeElement).backgroundColor") == (
        "rgb(255, 216, 77)"
    )
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/cases/"))
    await page.keyboard.press("r")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type("Hello, just ring me")  # r, j and n are letters while typing
    await expect(page.locator("#text")).to_have_value("Hello, just ring me")
    await expect(page.locator("#segments")).to_have_text("19 letters, 1 text message.")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Your reply is on its way.")).to_be_visible()
    await expect(page.locator("[data-keys]")).to_be_visible()  # shown by what makes them work
    await page.wait_for_load_state()  # until then the note of what was done takes the cursor
    await page.keyboard.press("n")
    await expect(page.locator("#note-body")).to_be_focused()


async def test_shortcuts_can_be_switched_off(site: Site) -> None:
    page = await site.page("wasim")
    await page.goto(f"{site.address}/inbox")
    await page.click("text=Keyboard shortcuts")
    await page.click("text=Use these shortcuts in this browser")
    await page.goto(f"{site.address}/inbox")
    await page.keyboard.press("j")
    await expect(page.locator("[data-row]").nth(0)).not_to_be_focused()


async def test_texts_are_counted_as_the_network_counts_them(site: Site) -> None:
    page = await site.page("wasim")
    reference = (await site.world.case_of(CARER)).reference
    await page.goto(f"{site.address}/cases/{reference}")
    for text, said in [
        ("x" * 160, "160 letters, 1 text message."),
        ("x" * 161, "161 letters, 2 text messages."),
        ("€" * 80, "160 letters, 1 text message."),
        ("x" * 306, "306 letters, 2 text messages."),
        ("x" * 307, "307 letters, 3 text messages."),
        ("’" + "x" * 69, "70 letters, 1 text message. “’” makes each text shorter."),
        ("’" + "x" * 70, "71 letters, 2 text messages. “’” makes each text shorter."),
        ("😟" * 35, "70 letters, 1 text message. “😟” makes each text shorter."),
    ]:
        await page.fill("#text", text)
        await expect(page.locator("#segments")).to_have_text(said)


async def test_the_whole_way_works_without_scripts(site: Site) -> None:
    context = await site.browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site.address}/login")
    await page.fill("#name", "wasim")
    await page.fill("#password", PASSWORD)
    await page.click("main button:has-text('Sign in')")
    await page.click("text=Somebody not known yet >> nth=-1")
    await page.fill("#text", "I am ringing you now")
    await page.click("main button:has-text('Send')")
    assert await page.get_by_text("Your reply is on its way.").is_visible()
    await page.click("text=I am the support worker")
    assert await page.get_by_text("Support worker: you").is_visible()
    await page.click("summary:has-text('Close the case')")
    await page.check("text=Signposting")
    await page.fill("#although", "Their social worker takes it from here.")  # an alert still waits
    await page.select_option("#outcome", "safeguarding_escalated")
    await page.click("main button:has-text('Close the case')")
    assert await page.get_by_text("Closed: Passed on as a safeguarding matter.").is_visible()


async def test_typed_text_is_not_thrown_away_without_asking(site: Site) -> None:
    page = await site.page("wasim")
    reference = (await site.world.case_of(CARER)).reference
    await page.goto(f"{site.address}/cases/{reference}")
    await page.click("#text")
    await page.keyboard.type("half an answer")
    asked: list[str] = []

    async def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]  # playwright's Dialog
        await dialog.dismiss()  # type: ignore[attr-defined]  # playwright's Dialog

    page.on("dialog", stay)
    await page.evaluate("location.assign('/inbox')")
    await page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    await expect(page.locator("#text")).to_have_value("half an answer")


async def test_the_demos_phones_answer_as_one_watches(site: Site) -> None:
    page = await site.page(None)
    await page.goto(f"{site.address}/demo")
    await page.fill("#text-carer", "STATUS")
    await page.keyboard.press("Enter")
    await expect(page.locator("#screen-carer")).to_contain_text("STATUS")
    await site.world.settle()
    await expect(page.locator("#screen-carer")).to_contain_text("Your support worker is Wasim")
    await page.select_option("#user", label="Leonie, team lead")
    await page.click("text=Open the console")
    await page.wait_for_url(re.compile("/inbox"))
    assert LONG_NAME in await page.inner_text("main")


async def test_after_signing_out_back_shows_no_case(site: Site) -> None:
    page = await site.page("wasim")
    reference = (await site.world.case_of(CARER)).reference
    await page.goto(f"{site.address}/cases/{reference}")
    await page.click(".hl-header__person >> text=Sign out")
    await page.wait_for_url(re.compile("/login"))
    await page.go_back()
    await page.wait_for_url(re.compile("/login"))
    assert "Carol" not in await page.content()


async def test_a_page_is_light_the_first_time_and_lighter_after(site: Site) -> None:
    """Bytes as they go over the line, heads included: on a telephone in the country they count."""
    page = await site.page(None, PHONE)
    weights: list[int] = []

    async def weigh(request: Request) -> None:
        sizes = await request.sizes()
        weights[-1] += sizes["responseBodySize"] + sizes["responseHeadersSize"]

    page.on("requestfinished", weigh)
    reference = (await site.world.case_of(CARER)).reference
    weights.append(0)
    await page.goto(f"{site.address}/login", wait_until="networkidle")
    await page.fill("#name", "wasim")
    await page.fill("#password", PASSWORD)
    for path in ("/inbox", f"/cases/{reference}"):
        weights.append(0)
        if path == "/inbox":
            await page.click("main button:has-text('Sign in')")
        else:
            await page.goto(site.address + path)
        await page.wait_for_load_state("load")
        await page.wait_for_timeout(300)
    print("bytes of a first visit and of two more pages:", *weights)
    assert 0 < weights[0] < 200_000
    assert max(weights[1:]) < 50_000
