"""The board of allocations in a real browser: twenty cases by keyboard, undo, all at once, an error
under the fingers; sound at both widths, empty and full. Pictures land in var/pictures."""

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from helpline.desk import conflicts
from helpline.desk.rota import plan
from helpline.models import Case
from helpline.vocabulary import AbsenceKind, Role
from tests.browser.site import DESK, LONG_NAME, PHONE, Site, picture
from tests.browser.test_pages import axe, too_wide

SIZES = {"desk": DESK, "phone": PHONE}
QUESTIONS = (
    "can I claim council tax reduction",
    "there is an allegation and I do not know what to do",
    "who pays for the school coat",
    "they have moved her without telling us",
)


async def fill_up(site: Site, cases: int = 20) -> None:
    """As many unallocated cases as that, and a team of five with a long name among them."""
    world = site.world
    for name in ("Amara Linton", "Bartholomew " + LONG_NAME.split()[2], "Ngozi Adeyemi-Walsh"):
        await world.hire(name, Role.WORKER)
    waiting = len([c for c in await world.all(Case) if isinstance(c, Case) and not c.worker_id])
    for number in range(cases - waiting):
        await world.sms(f"+4477009003{number:02}", QUESTIONS[number % len(QUESTIONS)])


async def unallocated(site: Site) -> int:
    found = await site.world.all(Case)
    return len([case for case in found if isinstance(case, Case) and case.worker_id is None])


class Keys:
    """Counts what is pressed."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    async def press(self, key: str) -> None:
        await self.page.wait_for_load_state()  # keys mean something once the page's script runs
        await self.page.keyboard.press(key)
        self.pressed += 1


async def test_all_at_once_are_two_keys(site: Site) -> None:
    await fill_up(site)
    page = await site.page("leonie")
    await page.goto(f"{site.address}/allocate")
    keys = Keys(page)
    await keys.press("a")
    await page.wait_for_url("**/allocate/all")
    await expect(page.locator("main button")).to_be_focused()
    await keys.press("Enter")
    await expect(page.get_by_text("20 cases have somebody now.")).to_be_visible()
    assert (await unallocated(site), keys.pressed) == (0, 2)


async def test_moving_enter_and_undo(site: Site) -> None:
    await fill_up(site, 6)
    page = await site.page("leonie")
    await page.goto(f"{site.address}/allocate")
    rows = page.locator("[data-case]")
    await expect(rows.nth(0).locator("[data-row]")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await expect(rows.nth(1).locator("[data-row]")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(rows.nth(1)).to_contain_text("is named")
    await expect(rows.nth(2).locator("[data-row]")).to_be_focused()
    assert await unallocated(site) == 5
    await page.keyboard.press("u")
    await expect(page.locator("[data-board-said]")).to_contain_text("waits again")
    await expect(rows.nth(1).locator("[data-row]")).to_be_focused()
    assert await unallocated(site) == 6
    await page.keyboard.press("1")
    await expect(rows.nth(1)).to_contain_text("is named")


async def test_what_cannot_be_done_is_said_at_its_row_and_the_others_go_on(site: Site) -> None:
    await fill_up(site, 6)
    page = await site.page("leonie")
    await page.goto(f"{site.address}/allocate")
    first = page.locator("[data-case]").nth(0)
    worker = int(await first.locator(".hl-choice").nth(0).get_attribute("value") or 0)
    reference = await first.get_attribute("data-case")
    async with site.world.house.db.write() as session:
        from sqlalchemy import select

        case = await session.scalar(select(Case).where(Case.reference == reference))
        assert case is not None
        by = site.world.lead
        await conflicts.declare(session, case, worker, "a neighbour", by, site.world.now)
    await page.keyboard.press("1")
    await page.keyboard.press("1")
    await expect(first.locator("[data-problem]")).to_contain_text("must not work on this case")
    await expect(page.locator("[data-case]").nth(1)).to_contain_text("is named")
    assert await unallocated(site) == 5
    assert await axe(page) == []
    await picture(page, "allocate-wrong-desk")


@pytest.mark.parametrize("width", SIZES)
async def test_the_board_is_sound_at_this_width(site: Site, width: str) -> None:
    world, faults = site.world, list[str]()
    await fill_up(site)
    page = await site.page("leonie", SIZES[width])
    page.on("console", lambda said: faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))

    async def look(path: str, name: str) -> None:
        await page.goto(site.address + path)
        faults.extend(f"{name}: {fault}" for fault in await axe(page))
        if await too_wide(page):
            faults.append(f"{name}: wider than the screen")
        await picture(page, f"{name}-{width}")

    everywhere = list(world.house.contracts.values())
    async with world.house.db.write() as session:
        await plan.note_absence(
            session,
            everywhere,
            world.worker.user_id,
            AbsenceKind.HOLIDAY,
            world.now,
            world.now + timedelta(days=7),
            world.lead.user_id,
            world.now,
        )
    await look("/allocate", "allocate-full")
    await look("/allocate/all", "allocate-all")
    await page.click("main form button")
    await look("/allocate", "allocate-empty")
    amara = await site.page("amara linton", SIZES[width])
    await amara.goto(f"{site.address}/inbox")
    await picture(amara, f"inbox-asked-{width}")
    assert await axe(amara) == []
    assert not await too_wide(amara)
    await amara.get_by_role("link", name="Decline").nth(0).click()
    await amara.click("text=Who must not work on this")
    await picture(amara, f"case-asked-{width}")
    assert await axe(amara) == []
    assert not await too_wide(amara)
    assert faults == []


async def test_the_board_works_without_scripts(site: Site) -> None:
    await fill_up(site, 6)
    signed = await site.page("leonie")
    state = await signed.context.storage_state()
    context = await site.browser.new_context(
        viewport=PHONE, java_script_enabled=False, storage_state=state
    )
    page = await context.new_page()
    await page.goto(f"{site.address}/allocate")
    await page.locator(".hl-choice").nth(0).click()
    assert await page.get_by_text("is named").is_visible()
    assert await unallocated(site) == 5
    await page.get_by_role("button", name="Undo").click()
    assert await page.get_by_text("Undone: it waits again.").is_visible()
    assert await unallocated(site) == 6
