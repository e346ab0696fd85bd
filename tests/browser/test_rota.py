"""The rota's pages in a real browser, as wide as a desk and as a telephone, and by keyboard."""

from datetime import date, time, timedelta

import pytest
from playwright.async_api import ConsoleMessage, Page, expect

from helpline.desk.rota import plan, swaps
from helpline.engine.rota import keep_rota
from helpline.models import Handover, Shift
from helpline.rules.rota import Weekly
from helpline.vocabulary import AbsenceKind, ShiftKind
from tests.browser.site import Site, picture
from tests.browser.test_pages import SIZES, axe, too_wide
from tests.world import World


async def plan_weeks(world: World) -> None:
    """Days and nights, somebody away, somebody asked, a handover that is due."""
    essex, now = world.house.contracts["essex"], world.now
    lead, duty, worker = (one.user_id for one in (world.lead, world.duty, world.worker))
    async with world.house.db.write() as session:
        for user, kind, begins, ends in (
            (worker, ShiftKind.PRIMARY, time(8), time(20)),
            (duty, ShiftKind.PRIMARY, time(20), time(8)),
            (lead, ShiftKind.BACKUP, time(20), time(8)),
        ):
            weekly = Weekly(frozenset(range(7)), begins, ends, date(2026, 11, 1))
            await plan.add_pattern(session, essex, user, kind, weekly, lead, now)
        await plan.take_away(session, essex, 1, lead, now)
        far = now + timedelta(days=3)
        away = (duty, AbsenceKind.HOLIDAY, far, far + timedelta(days=1))
        await plan.note_absence(session, [essex], *away, lead, now)
    rows = [row for row in await world.all(Shift) if isinstance(row, Shift)]
    day = next(r for r in rows if r.user_id == worker and r.starts_at > now + timedelta(days=5))
    async with world.house.db.write() as session:
        await swaps.ask(
            session, essex, day.id or 0, duty, None, worker, now, wording=world.house.wording
        )
    boundary = now.replace(hour=20, minute=0)
    world.clock.forward(boundary - now - timedelta(minutes=10))  # type: ignore[attr-defined]
    await keep_rota(world.house)


async def pages(world: World) -> dict[str, tuple[str, str]]:
    rows = [row for row in await world.all(Shift) if isinstance(row, Shift)]
    mine = [row for row in rows if row.user_id == world.worker.user_id]
    shift = next(row.id for row in mine if row.starts_at > world.now)
    (handover,) = await world.all(Handover)
    assert isinstance(handover, Handover)
    return {
        "rota-lead": ("leonie", "/rota"),
        "rota-worker": ("dilys", "/rota"),
        "rota-sheet": ("dilys", "/rota/sheet"),
        "rota-new": ("leonie", "/rota/new"),
        "rota-shift-lead": ("leonie", f"/rota/shifts/{shift}"),
        "rota-shift-mine": ("wasim", f"/rota/shifts/{shift}"),
        "rota-patterns": ("leonie", "/rota/patterns"),
        "rota-absences": ("leonie", "/rota/absences"),
        "rota-people": ("leonie", "/rota/people"),
        "rota-calendar": ("dilys", "/rota/calendar"),
        "rota-handover": ("dilys", f"/rota/handovers/{handover.id}"),
    }


@pytest.mark.parametrize("width", SIZES)
async def test_every_page_of_the_rota_is_sound_at_this_width(site: Site, width: str) -> None:
    await plan_weeks(site.world)
    signed: dict[str, Page] = {}
    faults: list[str] = []

    def note(said: ConsoleMessage) -> None:
        faults.append(said.text)

    for name, (who, path) in (await pages(site.world)).items():
        if who not in signed:
            signed[who] = await site.page(who, SIZES[width])
            signed[who].on("console", note)
        page = signed[who]
        answer = await page.goto(site.address + path)
        assert answer is not None
        assert answer.status == 200, path
        faults += [f"{name}: {fault}" for fault in await axe(page)]
        if await too_wide(page):
            faults.append(f"{name}: wider than the screen")
        await picture(page, f"{name}-{width}")
    assert faults == []


async def test_a_gap_is_filled_and_a_swap_agreed_by_keyboard(site: Site) -> None:
    await plan_weeks(site.world)
    page = await site.page("leonie")
    await page.goto(f"{site.address}/rota")
    await page.locator(".hl-rota__gap a").first.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/rota/new?*")
    await page.locator("#user").focus()
    await page.keyboard.type("Leonie")
    for _ in range(4):  # kind, from and until stand as they are
        await page.keyboard.press("Tab")
    await page.locator("main button[type=submit]").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The shift is in the rota.")).to_be_visible()
    mover = page.locator("tr[data-shift]", has_text="Wasim").last.locator(".hl-rota__move")
    await mover.focus()
    for key in ("Enter", "ArrowRight"):
        await page.keyboard.press(key)
    await expect(page.locator("[data-moving]")).to_contain_text("09:00 to 21:00. Enter puts it")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The rota is changed.")).to_be_visible()
    row = page.locator("tr[data-shift]", has_text="Wasim").first
    there = page.locator("tbody[data-day]").nth(2).locator("tr").nth(1)
    await row.locator("td").first.drag_to(
        there.locator("td").first
    )  # where he stands already: the rota says so, and nothing is changed
    await expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    page = await site.page("dilys")
    await page.goto(f"{site.address}/rota")
    await page.get_by_role("button", name="I agree").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Agreed. The rota shows it.")).to_be_visible()


async def test_printed_the_sheet_is_the_sheet_alone(site: Site) -> None:
    await plan_weeks(site.world)
    page = await site.page("dilys")
    await page.goto(f"{site.address}/rota/sheet")
    await page.emulate_media(media="print")
    await expect(page.locator(".hl-header")).to_be_hidden()
    await expect(page.locator(".hl-noprint")).to_be_hidden()
    await expect(page.locator("h1")).to_be_visible()
    await picture(page, "rota-sheet-printed")
