"""The page of settings: what holds, comes and was; nothing is stored that nobody looked at; bad
input is a sentence beside its field; of two people who change one thing nobody's words are lost."""

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import World

LADDER = "/settings/essex/things/ladder"
STEPS = {
    "rung_0": "on_call",
    "rung_1": "on_call",
    "rung_2": "lead",
    "minutes_between_rungs": "5",
    "minutes_to_act": "30",
    "hours_to_accept": "4",
}


def text_of(visitor: Visitor, code: str, language: str = "en") -> str:
    return f"/settings/essex/things/texts.{language}.{code}"


async def look(visitor: Visitor, at: str, form: Mapping[str, str]) -> int:
    """Asks what a change makes different."""
    seen = re.search(r'name="seen" value="(\d+)"', visitor.page)
    return await visitor.post(at, {"seen": seen[1] if seen else "0", **form})


async def keep(visitor: Visitor, at: str, form: Mapping[str, str]) -> int:
    """The same, and then keeps it."""
    await visitor.get(at)
    seen = re.search(r'name="seen" value="(\d+)"', visitor.page)
    assert seen, visitor.text
    assert await look(visitor, at, form) == 200, visitor.text
    mark = re.search(r'name="looked" value="(\w+)"', visitor.page)
    assert mark, visitor.text
    return await visitor.post(at, {"seen": seen[1], "looked": mark[1], **form})


async def test_every_setting_can_be_opened(everybody: World, arrive: Arrive) -> None:
    leonie = await arrive(everybody, "leonie")
    assert await leonie.get("/settings") == 200, leonie.text
    listed = sorted(set(re.findall(r'href="(/settings/essex/[^"#]+)"', leonie.page)))
    assert len(listed) > 50
    for at in [*listed[::7], LADDER, "/settings/essex/file"]:
        assert await leonie.get(at) == 200, at
    assert await leonie.get("/settings/essex/things/clocks.first_response") == 404
    assert await leonie.get("/settings/nowhere/things/ladder") == 404


async def test_a_ladder_waits_for_a_second_person(everybody: World, arrive: Arrive) -> None:
    leonie, ada = await arrive(everybody, "leonie"), await arrive(everybody, "ada")
    await leonie.get(LADDER)
    assert await look(leonie, LADDER, {**STEPS, "from": "2026-12-01"}) == 200
    assert "From 1 December 2026 , once a second person agrees" in leonie.text
    assert "After 10 minutes: the team leads instead of after 20 minutes" in leonie.text
    assert await keep(leonie, LADDER, {**STEPS, "from": "2026-12-01"}) == 200
    assert "counts once a second person agrees" in leonie.text
    change = re.search(r"/settings/changes/(\d+)/end", leonie.page)
    assert change
    agreement = f"/settings/changes/{change[1]}/agreement"
    assert await leonie.post(agreement) == 409
    assert "somebody else has to agree" in leonie.text
    await ada.get(LADDER)
    assert await ada.post(agreement) == 200
    assert "Comes on 1 December 2026" in ada.text
    assert await ada.get("/settings/essex") == 200
    assert "agreed by Ada" in ada.text
    assert await ada.post(f"/settings/changes/{change[1]}/end") == 200
    assert "Taken back" in ada.text
    assert await ada.post(f"/settings/changes/{change[1]}/end") == 409


BAD = [
    # thing, fields, what is said, the field it stands beside
    ("ladder", {**STEPS, "minutes_between_rungs": "0"}, "3 to 60", "minutes_between_rungs"),
    ("ladder", {**STEPS, "minutes_to_act": "soon"}, "whole number", "minutes_to_act"),
    ("ladder", {**STEPS, "rung_0": "lead"}, "Begin with somebody on call", "rungs"),
    ("ladder", {**STEPS, "rung_1": "nobody"}, "from the list", "rungs"),
    ("ladder", {**STEPS, "from": "2026-11-02"}, "What is past stays", "from"),
    ("ladder", {**STEPS, "from": "soon"}, "day like 2027-01-31", "from"),
    ("populations.foster_carer", {}, "nothing to be changed", ""),
    ("populations.foster_carers", {"count": "-1", "as_of": "2026-10-01"}, "whole number", "count"),
    ("populations.foster_carers", {"count": "9", "as_of": "2026-11-04"}, "has been", "as_of"),
    (
        "commissioners",
        {"name_head_of_fostering": "", "name_service_manager_fostering": "Service manager"},
        *("take them out of it first", "name_new"),
    ),
    ("reports.quarter", {}, "Somebody must be given", "recipients"),
    ("signposts.fosterline", {"contact": "x", "line": "x" * 161}, "160 letters", "line"),
    ("texts.en.allocated", {"piece_0": "Ask [worker] now."}, "Keep [reference]", "piece_0"),
    ("texts.en.allocated", {"piece_0": ""}, "Leave no part empty", "piece_0"),
    ("calendar", {"day_0": "2027-05-01", "name_0": "Fair"}, "at a weekend", "day_0"),
    ("calendar", {"closed": "31 June"}, "no day of the year", "closed"),
    ("office_hours", {"opens_monday": "17:00", "closes_monday": "09:00"}, "later", "closes_monday"),
]


async def test_bad_input_changes_nothing_and_says_what_to_do(
    everybody: World, arrive: Arrive
) -> None:
    leonie = await arrive(everybody, "leonie")
    for what, form, said, field in BAD:
        at = f"/settings/essex/things/{what}"
        await leonie.get(at)
        status = await look(leonie, at, {"from": "2026-12-01", **form})
        assert status == (400 if field else 404), (what, form, leonie.text)
        assert said in leonie.text, (what, form, leonie.text)
        if field:
            assert f'id="change-{field}-error"' in leonie.page, (what, form)
            for name, typed in form.items():
                assert not typed or name[:4] == "rung" or typed in leonie.page, (what, name)
    await leonie.get("/settings/essex")
    assert "No change is planned." in leonie.text
    assert "Who changed what" not in leonie.text


async def test_what_was_not_looked_at_is_not_kept(everybody: World, arrive: Arrive) -> None:
    leonie, at = await arrive(everybody, "leonie"), "/settings/essex/things/texts.en.allocated"
    await leonie.get(at)
    words = {"piece_0": "[worker] supports you now, reference [reference].", "from": "2026-11-03"}
    assert await leonie.post(at, {"seen": "0", "looked": "made up", **words}) == 200
    assert "What it makes different" in leonie.text
    assert "Leonie supports you now, reference ESX-7K3M9Q." in leonie.text  # as a carer gets it
    assert everybody.house.contracts["essex"].own_words == {}
    assert await keep(leonie, at, words) == 200
    assert "en.allocated" in everybody.house.contracts["essex"].own_words


async def test_of_two_who_change_the_same_nobodys_words_are_lost(
    everybody: World, arrive: Arrive
) -> None:
    leonie, ada = await arrive(everybody, "leonie"), await arrive(everybody, "ada")
    at = "/settings/essex/things/texts.en.feedback_thanks"
    first = {"piece_0": "Thank you. A person reads that.", "from": "2026-11-03"}
    second = {"piece_0": "Thank you, we read every word.", "from": "2026-11-03"}
    await ada.get(at)
    assert await look(ada, at, second) == 200
    mark = re.search(r'name="looked" value="(\w+)"', ada.page)
    assert mark
    assert await keep(leonie, at, first) == 200
    assert await ada.post(at, {"seen": "0", "looked": mark[1], **second}) == 409
    assert "Somebody else changed this a moment ago" in ada.text
    assert first["piece_0"] in ada.text  # what holds now
    assert f">{second['piece_0']}</textarea>" in ada.page  # what was typed
    seen = re.search(r'name="seen" value="(\d+)"', ada.page)
    assert seen
    assert await ada.post(at, {"seen": seen[1], **second}) == 200  # knowingly now
    mark = re.search(r'name="looked" value="(\w+)"', ada.page)
    assert mark
    assert await ada.post(at, {"seen": seen[1], "looked": mark[1], **second}) == 200
    await ada.get(at)
    assert "Held before" in ada.text
    assert "Holds now" in ada.text


async def test_a_signpost_is_looked_at_with_one_press(everybody: World, arrive: Arrive) -> None:
    everybody.clock.forward(timedelta(days=40))  # type: ignore[attr-defined]
    leonie, at = await arrive(everybody, "leonie"), "/settings/essex/things/signposts.fosterline"
    await leonie.get(at)
    assert await leonie.post(at, {"seen": "0", "act": "looked"}) == 200
    assert "It is changed from its day on." in leonie.text
    assert "Looked at on 13 December 2026" in leonie.text
    assert await leonie.post(at, {"seen": "1", "act": "looked"}) == 400
    assert "That is how it is already" in leonie.text


@pytest.mark.parametrize("who", ["wasim", "colin", "quinn"])
async def test_only_leads_and_administrators(everybody: World, come: Arrive, who: str) -> None:
    somebody = await come(everybody, who)
    assert await somebody.get("/settings/essex") == 403
