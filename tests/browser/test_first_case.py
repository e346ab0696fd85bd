"""A worker who knows nothing but the reference in a text opens the right case, answers, says that
they are the support worker, and records: in at most twelve clicks and keys."""

from playwright.async_api import Page, expect
from sqlmodel import col

from helpline.models import Case, Contact, Note
from tests.browser.site import PHONE, Site

MOST = 12


class Hands:
    """Counts clicks and keys. The letters of what is written are not counted: they are the work."""

    def __init__(self, page: Page) -> None:
        self.page, self.used = page, 0

    async def press(self, key: str) -> None:
        await self.page.wait_for_load_state()  # keys mean something once the page's script runs
        await self.page.keyboard.press(key)
        self.used += 1

    async def click(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).first.click()
        self.used += 1

    async def write(self, text: str) -> None:
        await self.page.keyboard.type(text)


async def done_on(site: Site, reference: str) -> tuple[bool, bool, bool]:
    """Answered, allocated, recorded."""
    cases = await site.world.all(Case, col(Case.reference) == reference)
    case = next(one for one in cases if isinstance(one, Case))
    said = await site.world.all(Contact, col(Contact.case_id) == case.id)
    notes = await site.world.all(Note, col(Note.case_id) == case.id)
    answered = any(one.kind == "message" and one.direction == "out" for one in said)  # type: ignore[attr-defined]
    return answered, case.worker_id is not None, bool(notes)


async def untouched(site: Site) -> str:
    await site.world.sms("+447700900131", "They say I have to go to the police station tomorrow")
    return (await site.world.case_of("+447700900131")).reference


async def test_from_a_text_to_an_answered_allocated_recorded_case_by_keys(site: Site) -> None:
    reference = await untouched(site)
    page = await site.page("wasim")
    hands = Hands(page)
    await hands.press("/")
    await hands.write(reference)
    await hands.press("Enter")
    await page.wait_for_url(f"**/cases/{reference}")
    await hands.press("r")
    await hands.write("This is Wasim. I am ringing you in five minutes.")
    await hands.press("Control+Enter")
    await expect(page.get_by_text("Your reply is on its way.")).to_be_visible()
    await hands.press("w")
    await hands.press("Enter")
    await expect(page.get_by_text("The support worker is named")).to_be_visible()
    await hands.press("n")
    await hands.write("Interview tomorrow; solicitor to be asked for.")
    await hands.press("Control+Enter")
    await expect(page.get_by_text("The note is on the case.")).to_be_visible()
    assert await done_on(site, reference) == (True, True, True)
    assert hands.used <= MOST
    assert hands.used == 8


async def test_the_same_on_a_phone_by_taps(site: Site) -> None:
    reference = await untouched(site)
    page = await site.page("wasim", PHONE)
    hands = Hands(page)
    await page.locator("#search-box").click()
    hands.used += 1
    await hands.write(reference)
    await hands.press("Enter")
    await page.wait_for_url(f"**/cases/{reference}")
    for link in ("Reply", "Worker", "Note"):
        await page.locator(".hl-thumb__link", has_text=link).click()
        hands.used += 1
        if link == "Worker":
            await hands.click("I am the support worker")
            await expect(page.get_by_text("The support worker is named")).to_be_visible()
            continue
        field = page.locator("#text" if link == "Reply" else "#note-body")
        await hands.write("Now a solicitor is to be asked for.")  # no tap on the field before
        await expect(field).to_have_value("Now a solicitor is to be asked for.")
        await field.locator("xpath=ancestor::form").locator("button[type=submit]").first.click()
        hands.used += 1
        done = "Your reply is on its way." if link == "Reply" else "The note is on the case."
        await expect(page.get_by_text(done)).to_be_visible()
    assert await done_on(site, reference) == (True, True, True)
    assert hands.used <= MOST


async def test_words_typed_at_once_land_where_the_link_leads_and_half_a_time_is_not_lost(
    site: Site,
) -> None:
    reference = await untouched(site)
    page = await site.page("wasim")
    await page.goto(f"{site.address}/cases/{reference}")
    await page.keyboard.type("Tunde, no shortcut is meant here")  # no field has the cursor
    await expect(page.locator("#note")).not_to_have_attribute("open", "")
    await page.get_by_role("link", name="Answer them").click()
    await page.keyboard.type("Tunde, now this is Wasim")
    await expect(page.locator("#text")).to_have_value("Tunde, now this is Wasim")
    await page.get_by_text("Write a note", exact=True).click()
    await expect(page.locator("#note-body")).to_be_focused()
    await page.keyboard.type("They rang.")
    await page.locator("#note-when").focus()
    await page.keyboard.type("02312026")  # the thirty-first of February
    await page.get_by_role("button", name="Save the note").click()
    await expect(page.get_by_text("Give a day that there is")).to_be_visible()
    await expect(page.locator("#note-body")).to_have_value("They rang.")
    assert (await done_on(site, reference))[2] is False


async def test_one_key_says_how_the_message_should_have_been_read(site: Site) -> None:
    await site.world.sms("+447700900132", "Who pays the mileage for contact visits?")
    reference = (await site.world.case_of("+447700900132")).reference
    page = await site.page("wasim")
    await page.goto(f"{site.address}/cases/{reference}")
    await expect(page.get_by_text("Was that right?")).to_be_visible()
    await Hands(page).press("2")
    await expect(page.get_by_text("Thank you: noted.")).to_be_visible()
    await expect(page.get_by_text("Was that right?")).to_have_count(0)
    assert (await site.world.case_of("+447700900132")).urgency == "urgent"
