"""Reports in the console: who sees which, as a page and as a file, protected unless allowed."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import update

from helpline.desk import releasing
from helpline.models import Event, User
from helpline.reports import frozen
from helpline.reports.render import rendered
from helpline.vocabulary import Role
from helpline.web.pages import releases
from tests.reports.short import shorten
from tests.web.conftest import Arrive
from tests.world import CARER, World

QUARTER = "/reports/essex/2026-27-Q2"  # it runs
SIGNED = "/reports/essex/2026-27-Q1"  # it is over


async def test_a_commissioner_reads_what_is_signed_and_of_what_runs_the_totals(
    everybody: World, arrive: Arrive
) -> None:
    shorten(everybody.house)
    await everybody.sms(CARER, "Please ring me")
    colin = await arrive(everybody, "colin")
    assert colin.path == "/portal"
    assert await colin.get(QUARTER) == 200
    assert "still running" in colin.text
    assert await colin.get(f"{QUARTER}?format=json") == 404
    assert await colin.get(SIGNED) == 404
    assert "not signed yet" in colin.text
    lead = await arrive(everybody, "leonie")
    assert await lead.get(SIGNED) == 200
    assert "Not signed" in lead.text
    await _signed(everybody)
    assert await colin.get(SIGNED) == 200
    assert "signed by Lena" in colin.text
    assert "Small numbers are protected" in colin.text
    assert "Carol" not in colin.page
    for path in (f"{SIGNED}?format=json", "/releases/1/files/json"):
        assert await colin.get(path) == 200
        report = json.loads(colin.page)
        assert (report["contract"], report["exact"]) == ("essex", False)
        assert colin.headers["Cache-Control"] == "no-store"
    assert await colin.get(f"{SIGNED}?number=2") == 404
    assert await colin.get("/releases/1") == 403


async def test_a_lead_leads_a_report_through_its_page(everybody: World, arrive: Arrive) -> None:
    shorten(everybody.house)
    lead = await arrive(everybody, "leonie")
    made = {"report": "essex/quarter", "period": "2026-27-Q1"}
    assert await lead.post("/releases", made) == 200
    assert "The draft is made" in lead.text
    assert await lead.post("/releases", made) == 409
    assert await lead.post("/releases", made | {"period": "2026-27-Q2"}) == 400
    assert "That period still runs" in lead.text
    assert await lead.post("/releases", made | {"period": "<b>soon"}) == 400
    assert 'value="&lt;b&gt;soon"' in lead.page
    assert lead.page.count("period-essex-error") >= 1
    assert await lead.post("/releases/1/check") == 200
    assert "Checked by Leonie" in lead.text
    number = {"say-line-carers_accessing": "Ring 07700 900123"}
    assert await lead.post("/releases/1/words", number) == 400
    assert "07700 900123" in lead.page
    assert await lead.post("/releases/1/words", {"say-line-carers_accessing": "Nobody was."}) == 200
    assert await lead.post("/releases/1/signature") == 400
    assert "somebody else signs it" in lead.text
    assert await lead.post("/releases/1/check/end") == 200
    assert await lead.post("/releases/1/presentation", {"day": "2026-11-03"}) == 400
    assert await lead.get("/reports") == 200
    assert "On the way to the council" in lead.text


async def test_a_check_that_takes_long_goes_on_by_itself(
    everybody: World, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, to_check = asyncio.Event(), releasing.to_check

    async def slow(*asked: Any) -> Any:
        await may_end.wait()
        return await to_check(*asked)

    shorten(everybody.house)
    monkeypatch.setattr(releasing, "to_check", slow)
    monkeypatch.setattr(releases, "PATIENCE", 0.01)
    lead = await arrive(everybody, "leonie")
    await lead.post("/releases", {"report": "essex/quarter", "period": "2026-27-Q1"})
    for _ in range(2):  # sent twice, it is one check
        assert await lead.post("/releases/1/check") == 200
        assert "being counted and tried" in lead.text
        assert "Checked by" not in lead.text
    may_end.set()
    async with asyncio.timeout(60):
        while "Checked by Leonie" not in lead.text:
            await asyncio.sleep(0.05)
            assert await lead.get("/releases/1") == 200
    assert "being counted" not in lead.text
    assert await lead.post("/releases/1/check") == 400
    assert "checked already" in lead.text


async def _signed(world: World) -> None:
    """The quarter that is over, checked by Leonie and signed by Lena."""
    essex, lena = world.house.contracts["essex"], await world.hire("Lena", Role.LEAD)
    async with world.house.db.write() as session:
        made = await releasing.draw_up(
            session, essex, "quarter", "2026-27-Q1", world.lead, world.now
        )
        counted = await releasing.to_check(session, essex, made, world.now)
        row = made.id or 0
        await releasing.check(session, essex, row, counted, world.lead, world.now)
        ready = await releasing.to_sign(session, essex, made, world.now)
        report = await frozen.load(session, essex, made)
        files = {"json": await rendered(report, "json")}
        await releasing.sign(session, essex, ready, files, lena, world.now)


async def test_exact_figures_are_for_a_lead_and_looking_is_recorded(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me")
    for name in ("colin", "wasim"):
        guest = await arrive(everybody, name)
        for path in (f"{QUARTER}?exact=1", f"{QUARTER}?exact=1&format=csv"):
            assert await guest.get(path) == 403
        await guest.get(QUARTER)
        assert "exact" not in guest.page.lower().partition("<main")[2].partition("<article")[0]
    lead = await arrive(everybody, "leonie")
    assert await lead.get(f"{QUARTER}?exact=1") == 200
    assert "Exact figures" in lead.text
    taken = await everybody.all(Event, Event.kind == "report.taken")
    assert [(e.by_user_id, e.detail["exact"]) for e in taken if isinstance(e, Event)] == [
        (everybody.lead.user_id, True)
    ]


async def test_another_contracts_report_is_as_good_as_none(
    everybody: World, arrive: Arrive
) -> None:
    async with everybody.house.db.write() as session:
        await session.execute(update(User).where(User.name == "colin").values(contract="kent"))
    colin = await arrive(everybody, "colin")
    assert await colin.get(QUARTER) == 404
    theirs = colin.text
    assert await colin.get("/reports/nowhere/2026-27-Q2") == 404
    assert colin.text == theirs
    await colin.get("/reports")
    assert "Essex" not in colin.text


async def test_a_label_or_format_that_is_none_is_explained(
    everybody: World, arrive: Arrive
) -> None:
    guest = await arrive(everybody, "leonie")
    assert await guest.get("/reports/essex/last-quarter") == 400
    assert "2026-27-Q1" in guest.text
    assert await guest.get(f"{QUARTER}?format=exe") == 400
    assert "html, pdf, docx, xlsx, csv, json" in guest.text
