"""The council's page at a browser: the answer on top, what is between us below, of one contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from helpline.models import FigureQuestion, MeasureProposal, ReviewAction, User
from helpline.vocabulary import Role
from tests import databases
from tests.released import LABEL, released
from tests.web.conftest import Arrive
from tests.world import CARER, World, opened_world

ROOT = Path(__file__).parents[2]
AGREED = {"what": "Ring back within the day", "side": "provider", "owner": "Team lead"}
WORDED = {"name": "Calls back", "question": "How many were rung back?", "why": "Asked for"}


@pytest.fixture
async def councils(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[World]:
    """Every contract there is; Colin pays for Essex, Olive for another."""
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    async with opened_world(url, contracts=ROOT / "contracts") as world:
        await world.hire("Colin", Role.COMMISSIONER)
        await world.hire("Olive", Role.COMMISSIONER)
        async with world.house.db.write() as session:
            there = {"contract": "lancashire"}
            await session.execute(update(User).where(User.name == "olive").values(**there))
        yield world


async def test_the_answer_stands_on_top_and_both_sides_write_below_it(
    councils: World, arrive: Arrive
) -> None:
    await councils.sms(CARER, "Please ring me")
    colin, leonie = await arrive(councils, "colin"), await arrive(councils, "leonie")
    assert colin.path == "/portal"
    assert "No report is signed yet" in colin.text
    await released(councils)
    await colin.get("/portal")
    first = colin.text.partition("Between us")[0]
    assert "Were the promises kept? Quarterly report, 2026-27-Q1" in first
    assert "First response by a person within 24 hours" in first
    assert "10 of 90 were late (11.1%)" in first
    assert "Where: West Essex (10)" in first
    assert "Carol" not in colin.page
    # an action: what was typed is kept beside its error, and overdue stands first
    actions = "/portal/essex/actions"
    assert await colin.post(actions, AGREED | {"due_on": ""}) == 400
    assert "Ring back within the day" in colin.page
    assert "Error:" in colin.page
    assert await colin.post(actions, AGREED | {"due_on": "2026-11-01"}) == 200
    assert await leonie.post(actions, AGREED | {"what": "Meet", "due_on": "2026-12-01"}) == 200
    assert "1 is overdue." in leonie.text
    late, _ = await councils.all(ReviewAction)
    done = {"done_on": "2026-11-02", "evidence": "In the minutes"}
    assert await colin.post(f"{actions}/{late.id}/done", done | {"evidence": ""}) == 400
    assert await colin.post(f"{actions}/{late.id}/done", done) == 200
    assert await colin.post(f"{actions}/{late.id}/done", done) == 200  # sent twice
    assert await leonie.post(f"{actions}/{late.id}/done", done) == 409
    assert await colin.post(f"{actions}/{late.id}/dance", done) == 404
    assert await colin.post("/portal/essex/reviews", {"held_on": "2026-11-02"}) == 400
    # a question, asked from the report's page
    assert await colin.get(f"/reports/essex/{LABEL}") == 200
    assert f"/portal/essex/questions?report=quarter&amp;period={LABEL}" in colin.page
    asked = {"report": f"quarter {LABEL}", "measure": "contacts", "text": "Why so few?"}
    assert (
        await colin.post("/portal/essex/questions", asked | {"text": "Who is ESX-B7CD4F?"}) == 400
    )
    assert "leave it out" in colin.text
    assert await colin.post("/portal/essex/questions", asked) == 200
    (question,) = await councils.all(FigureQuestion)
    at = f"/portal/essex/questions/{question.id}"
    await leonie.get("/reports")
    assert "The council waits for an answer" in leonie.text
    assert await leonie.post(f"{at}/messages", {"text": "The line was new."}) == 200
    await leonie.get("/reports")
    assert "The council waits for an answer" not in leonie.text
    await colin.get(at)
    assert "The line was new." in colin.text
    assert await leonie.post(f"{at}/end") == 403
    assert await colin.post(f"{at}/end") == 200
    assert await colin.post(f"{at}/end") == 409


async def test_a_measure_goes_to_and_fro_and_ends_as_text_for_the_file(
    councils: World, arrive: Arrive
) -> None:
    colin, leonie = await arrive(councils, "colin"), await arrive(councils, "leonie")
    measures = "/portal/essex/measures"
    new = {"kind": "new", **WORDED}
    assert await colin.post(measures, new | {"target_kind": "at_least", "target": "lots"}) == 400
    assert "How many were rung back?" in colin.page
    assert await colin.post(measures, new) == 200
    (made,) = await councils.all(MeasureProposal)
    at, day = f"{measures}/{made.id}", {"from_on": "2027-02-01"}
    assert await colin.post(f"{at}/agreement", day | {"number": "1"}) == 409
    worded = WORDED | {"name": "Rung back", "target_kind": "at_least", "target": "95"}
    assert await leonie.post(f"{at}/versions", worded) == 200
    assert await leonie.post(f"{at}/messages", {"text": "With a target"}) == 200
    assert await colin.post(f"{at}/agreement", day | {"number": "2"}) == 200
    assert "target = { at_least = 95 }" in colin.text
    assert await colin.post(f"{at}/agreement", day | {"number": "2"}) == 200  # sent twice
    assert await leonie.post(f"{at}/agreement", day | {"number": "2"}) == 409
    await colin.get("/reports/essex/measures")
    assert "Agreed from 1 February 2027 Rung back" in colin.text
    end = {"kind": "end", "measure": "contacts", "why": "Never used"}
    assert await leonie.post(measures, end) == 200
    assert await leonie.post(measures, end) == 200  # sent twice
    assert await colin.post(measures, end) == 409
    assert await colin.post(f"{measures}/{made.id + 1}/refusal", {"why": "We use it"}) == 200


async def test_a_council_sees_nothing_of_another(councils: World, arrive: Arrive) -> None:
    await released(councils)
    colin, olive = await arrive(councils, "colin"), await arrive(councils, "olive")
    await colin.post("/portal/essex/actions", AGREED | {"due_on": "2026-12-01"})
    asked = {"report": f"quarter {LABEL}", "text": "Why so few?"}
    await colin.post("/portal/essex/questions", asked)
    await colin.post("/portal/essex/measures", {"kind": "new", **WORDED})
    (action,), (question,) = (
        await councils.all(ReviewAction),
        await councils.all(FigureQuestion),
    )
    for path in ("/portal", "/portal?contract=essex", "/reports"):
        await olive.get(path)
        assert "Essex" not in olive.page
        assert "Why so few?" not in olive.page
        assert "Ring back" not in olive.page
    for key in ("essex", "lancashire"):
        gone = 404
        assert await olive.get(f"/portal/{key}/questions/{question.id}") == gone
        assert await olive.post(f"/portal/{key}/questions/{question.id}/messages", asked) == gone
        assert await olive.post(f"/portal/{key}/actions/{action.id}/dropped", {"why": "x"}) == gone
        assert await olive.get(f"/portal/{key}/measures/1") == gone
        assert await olive.post(f"/portal/{key}/measures/1/withdrawal") == gone
    for page in ("actions", "questions", "measures"):
        assert await olive.get(f"/portal/essex/{page}") == 404
        assert await olive.post(f"/portal/essex/{page}", AGREED) == 404
        await olive.get(f"/portal/lancashire/{page}")
        assert "Ring back" not in olive.page and "Calls back" not in olive.page
    assert not [one for one in await councils.all(ReviewAction) if one.contract != "essex"]
