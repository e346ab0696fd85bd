"""Reports in the console: who sees which, as a page and as a file, protected unless allowed."""

import json

from sqlalchemy import update

from helpline.models import Event, User
from tests.web.conftest import Arrive
from tests.world import CARER, World

QUARTER = "/reports/essex/2026-27-Q2"


async def test_a_commissioner_reads_the_last_quarter_and_takes_the_file(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me")
    colin = await arrive(everybody, "colin")
    assert colin.path == "/portal"
    assert "Read the report for 2026-27-Q1" in colin.text
    assert await colin.get(QUARTER) == 200
    assert "Small numbers are protected" in colin.text
    assert "Carol" not in colin.page
    assert await colin.get(f"{QUARTER}?format=json") == 200
    report = json.loads(colin.page)
    assert report["contract"] == "essex"
    assert not report["exact"]
    assert colin.headers["Content-Disposition"] == 'attachment; filename="essex-2026-27-Q2.json"'
    assert colin.headers["Cache-Control"] == "no-store"
    answer = await colin.client.get(f"{QUARTER}?format=xlsx")
    assert answer.content_type.endswith("spreadsheetml.sheet")
    assert answer.charset is None
    assert (await answer.read()).startswith(b"PK")


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
