"""Words typed at once land where they belong, and one key says how a message should have been read.
How many keys and taps a first case takes is counted in test_journeys.py."""

from playwright.async_api import expect
from sqlmodel import col

from helpline.models import Case, Contact, Note
from tests.browser.site import Site


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
    await page.wait_for_load_state()  # keys mean something once the page's script runs
    await page.keyboard.press("2")
    await expect(page.get_by_text("Thank you: noted.")).to_be_visible()
    await expect(page.get_by_text("Was that right?")).to_have_count(0)
    assert (await site.world.case_of("+447700900132")).urgency == "urgent"
