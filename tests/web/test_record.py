"""The tab with the record of a case, half-written forms, and the record as a file."""

import re
from pathlib import Path

import pytest

from helpline.models import Draft
from helpline.vocabulary import ClockStart, ClockStop, DraftForm
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, World


async def at_record(world: World, arrive: Arrive, name: str = "wasim") -> tuple[Visitor, str]:
    await world.sms(CARER, "He says I grabbed him. What do I do")
    guest = await arrive(world, name)
    path = f"/cases/{(await world.case_of(CARER)).reference}"
    assert await guest.get(f"{path}/record") == 200
    return guest, path


async def test_the_four_kinds_are_explained_and_a_decision_wants_its_reason(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await at_record(one_world, arrive)
    assert "What happened, and how you know." in guest.text
    note = {"kind": "decision", "body": "We wait for the strategy meeting", "why": " "}
    assert await guest.post(f"{path}/record/notes", note) == 400
    assert "Say why: a decision is recorded with its reason." in guest.text
    assert "We wait for the strategy meeting</textarea>" in guest.page
    assert await guest.post(f"{path}/record/notes", note | {"why": "The police ask us to"}) == 200
    assert "Why: The police ask us to" in guest.text
    await guest.get(f"{path}/record?show=decision")
    assert "The police ask us to" in guest.text
    await guest.get(f"{path}/record?show=fact")
    assert "The police ask us to" not in guest.text
    assert await guest.get(f"{path}/record?show=gossip") == 400


async def test_what_is_late_is_said_to_be(one_world: World, arrive: Arrive) -> None:
    essex = one_world.house.contracts["essex"]
    clock = essex.clocks[0].model_copy(
        update={"starts": ClockStart.HAPPENING, "stops": ClockStop.WRITE_UP, "limit": 72.0}
    )
    changed = essex.model_copy(update={"clocks": (*essex.clocks, clock)})
    one_world.house.contracts["essex"] = changed  # type: ignore[index]
    guest, path = await at_record(one_world, arrive)
    for day in ("2026-10-30T02:00", "2026-11-01T02:00"):
        note = {"kind": "fact", "body": f"it was {day}", "happened_at": day}
        await guest.post(f"{path}/record/notes", note)
    assert guest.text.count("Late: written 4 days after") == 1
    assert guest.text.count("Late:") == 1


async def test_a_note_is_corrected_and_spoken_to_beside_it(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await at_record(one_world, arrive)
    await guest.post(f"{path}/record/notes", {"kind": "fact", "body": "She moved on the 12th"})
    note_id = re.findall(r"corrects=(\d+)#note", guest.page)[0]
    await guest.get(f"{path}/record?corrects={note_id}")
    assert "You correct the note of" in guest.text
    form = {"kind": "fact", "body": "She moved on the 13th", "corrects": note_id}
    assert await guest.post(f"{path}/record/notes", form) == 200
    assert "She moved on the 12th" in guest.text
    assert "Corrected below" in guest.text
    said = {"kind": "disagreement", "body": "Nobody moved. <b>It", "about": note_id}
    assert await guest.post(f"{path}/record/comments", said) == 200
    assert "Carol Ashby disagrees" in guest.text
    assert "Nobody moved. &lt;b&gt;It" in guest.page
    await guest.get(path)
    assert (
        "Corrected below" in guest.text and "Carol Ashby disagrees with the note of" in guest.text
    )
    for wrong in ("999999", "x" * 40):
        assert await guest.get(f"{path}/record?corrects={wrong}") in (200, 404)
    assert await guest.post(f"{path}/record/comments", said | {"about": "999999"}) == 404


@pytest.mark.parametrize("form", ["note", "reply", "call", "comment"])
async def test_what_was_begun_is_offered_again_and_gone_when_it_is_sent(
    one_world: World, arrive: Arrive, form: str
) -> None:
    guest, path = await at_record(one_world, arrive)
    page = f"{path}/record" if form == "comment" else path
    await guest.get(page)
    key = re.findall(rf'name="draft_key" value="([^"]+-{form})"', guest.page)[0]
    field = "text" if form == "reply" else "body"
    typed = {field: "half a sentence", "kind": "comment" if form == "comment" else "fact"}
    typed |= {"draft_key": key, "result": "spoke", "direction": "out"}
    assert await guest.post(f"{path}/drafts/{form}", typed) == 204
    await guest.get(page)
    assert "What you began" in guest.text and "“half a sentence”" in guest.text
    (draft,) = await one_world.all(Draft)
    assert isinstance(draft, Draft)
    await guest.get(f"{page}?draft={draft.id}")
    assert "half a sentence</textarea>" in guest.page and key in guest.page
    assert "What you began" not in guest.text  # it is the one that is open
    where = {"note": "/notes", "reply": "/replies", "call": "/calls", "comment": "/record/comments"}
    assert await guest.post(path + where[form], typed) == 200
    assert "What you began" not in guest.text
    assert await guest.post(f"{path}/drafts/{form}", typed) == 204  # what the page saved on leaving
    await guest.get(page)
    assert "What you began" not in guest.text


async def test_without_scripts_a_button_keeps_it_and_it_can_be_thrown_away(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await at_record(one_world, arrive)
    typed = {"body": "half", "draft_key": "a-page-note", "later": "1"}
    assert await guest.post(f"{path}/drafts/note", typed) == 200
    assert "Kept, for you alone." in guest.text
    lead = await arrive(one_world, "leonie")
    await lead.get(path)
    assert "What you began" not in lead.text
    (draft,) = await one_world.all(Draft)
    assert isinstance(draft, Draft)
    assert await lead.get(f"{path}?draft={draft.id}") == 404
    await lead.post(f"{path}/drafts/{draft.id}/end")
    for one, is_theirs in ((guest, True), (lead, False)):
        await one.get("/inbox")
        assert ("A note: “half”" in one.text) is is_theirs
    await guest.get(path)
    assert "What you began" in guest.text
    assert await guest.post(f"{path}/drafts/{draft.id}/end") == 200
    assert "What you began" not in guest.text
    assert await guest.get(f"{path}?draft={draft.id}") == 404


async def test_what_is_no_draft_of_ours_is_refused(one_world: World, arrive: Arrive) -> None:
    guest, path = await at_record(one_world, arrive)
    typed = {"body": "half", "draft_key": "k"}
    assert await guest.post(f"{path}/drafts/closure", typed) == 404
    assert await guest.post(f"{path}/drafts/note", {"body": "half"}) == 400
    assert await guest.post(f"{path}/drafts/note", typed | {"body": "x" * 60_000}) == 400
    for number in range(20):
        kept = {"body": "half", "draft_key": f"k{number}"}
        assert await guest.post(f"{path}/drafts/note", kept) == 204
    assert await guest.post(f"{path}/drafts/note", typed) == 409


@pytest.mark.parametrize("name", ["chronology", "file"])
async def test_the_record_as_a_file_is_recorded(
    one_world: World, arrive: Arrive, name: str
) -> None:
    guest, path = await at_record(one_world, arrive)
    assert await guest.get(f"{path}/record/{name}.pdf") == 200
    assert guest.headers["Content-Type"] == "application/pdf"
    assert path.removeprefix("/cases/") in guest.headers["Content-Disposition"]
    assert guest.page.startswith("%PDF")
    assert "record.taken" in await one_world.events(CARER)


def test_every_form_that_is_kept_stands_on_a_page() -> None:
    pages = Path(__file__).parents[2] / "templates/pages"
    written = "".join(page.read_text("utf-8") for page in pages.glob("*.j2"))
    for form in DraftForm:
        assert f'/drafts/{form}"' in written, form
