"""A lead says what was good in a case that the lot drew; the worker reads it and says so."""

import re

from helpline.models import WorkFeedback
from tests.web.conftest import Arrive
from tests.world import CARER, World


async def test_a_sample_is_drawn_said_and_read(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "Is the training in March still on?")
    await world.allocate(CARER, world.worker)
    await world.reply(CARER, "Yes, on the 12th")
    await world.close(CARER)
    case = await world.case_of(CARER)
    lead, wasim = await arrive(world, "leonie"), await arrive(world, "wasim")
    await lead.get("/samples?month=2026-11")
    assert f"Wasim: {case.reference}" in lead.text
    form = {"case": str(case.id), "month": "2026-11", "good": "", "to_try": "Ring before you write"}
    assert await lead.post("/samples", form) == 400
    assert "Say what was good: begin with that." in lead.text
    assert "Ring before you write" in lead.page
    assert await lead.post("/samples", form | {"good": "Answered within the hour"}) == 200
    assert "Not read yet." in lead.text
    assert await lead.post("/samples", form | {"good": "Again"}) == 409
    assert await lead.post("/samples", form | {"good": "x", "case": "987"}) == 404
    assert await lead.get("/samples?month=November") == 400

    await wasim.get("/inbox")
    assert "When there is time: Read what your lead says" in wasim.text
    await wasim.get("/samples")
    assert "What was good: Answered within the hour" in wasim.text
    assert "Cases to look at" not in wasim.text
    (row,) = await world.all(WorkFeedback)
    assert isinstance(row, WorkFeedback)
    dilys = await arrive(world, "dilys")
    await dilys.get("/samples")
    assert "Answered within" not in dilys.text
    assert await dilys.post(f"/samples/{row.id}/reading") == 404
    assert await wasim.post(f"/samples/{row.id}/reading") == 200
    await lead.get("/samples?month=2026-11")
    assert re.search("Read today", lead.text)
    await wasim.get("/inbox")
    assert "Read what your lead says" not in wasim.text
