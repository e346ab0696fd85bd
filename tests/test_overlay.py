"""Contract + changes + day → contract: what is laid over the file, by the file's own checks."""

import copy
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from helpline.contract import Contract, changing, load_contracts, overlay
from helpline.contract.overlay import Change, overlaid
from helpline.rules import wordings
from helpline.templating import Wording

FOLDER = Path(__file__).parents[1] / "contracts"
SOURCES = Wording().sources
DECEMBER = date(2026, 12, 1)
LADDER = {
    "rungs": ["on_call", "lead"],
    "minutes_between_rungs": 5,
    "minutes_to_act": 20,
    "hours_to_accept": 2,
}
COUNT = {
    "code": "foster_carers",
    "label": "Essex foster carers",
    "count": 840,
    "as_of": "2026-10-01",
    "unit": "people",
    "group": "foster_carer",
    "quadrant": None,
    "source": "The council's letter",
}


@pytest.fixture(scope="module")
def essex() -> Contract:
    return load_contracts(FOLDER)["essex"]


def changed(number: int, what: str, value: Any, valid_from: date = DECEMBER) -> Change:
    return Change(number, what, value, valid_from)


def test_nothing_changed_is_the_file(essex: Contract) -> None:
    assert overlaid(essex, [], DECEMBER, SOURCES).contract is essex


def test_a_change_counts_from_its_day_on_and_the_file_stays_as_it_is(essex: Contract) -> None:
    before = copy.deepcopy(dict(essex.document))
    change = changed(1, "ladder", LADDER)
    assert overlaid(essex, [change], date(2026, 11, 30), SOURCES).contract is essex
    found = overlaid(essex, [change], DECEMBER, SOURCES).contract
    assert found.ladder.rungs == ("on_call", "lead")
    assert (found.ladder.minutes_between_rungs, found.ladder.hours_to_accept) == (5, 2)
    assert essex.ladder.minutes_between_rungs == 10
    assert essex.document == before
    assert found.days.is_working(date(2026, 12, 1))  # what stood beside the file is there


def test_the_later_change_holds_and_what_is_taken_back_uncovers_the_earlier(
    essex: Contract,
) -> None:
    first = changed(1, "ladder", {**LADDER, "minutes_between_rungs": 7})
    second = changed(2, "ladder", LADDER, date(2027, 1, 1))
    on = date(2027, 2, 1)
    assert overlaid(essex, [second, first], on, SOURCES).contract.ladder.minutes_between_rungs == 5
    assert overlaid(essex, [first], on, SOURCES).contract.ladder.minutes_between_rungs == 7


def test_counts_stand_side_by_side_and_each_period_takes_its_own(essex: Contract) -> None:
    more = {**COUNT, "count": 861, "as_of": "2027-01-15"}
    north = {**COUNT, "count": 120, "quadrant": "north"}
    changes = [
        changed(number, "populations.foster_carers", one)
        for number, one in enumerate((COUNT, more, north))
    ]
    found = overlaid(essex, changes, date(2027, 2, 1), SOURCES).contract
    counts = [
        getattr(found.population("foster_carer", place, on), "count", None)
        for place, on in (
            (None, date(2026, 9, 30)),
            (None, date(2026, 10, 31)),
            (None, date(2027, 1, 31)),
            ("north", date(2026, 10, 31)),
        )
    ]
    assert counts == [822, 840, 861, 120]


def test_every_kind_of_change_reaches_its_place(essex: Contract) -> None:
    said = {"pieces": ["[worker] supports you, reference [reference]."]}
    days = {"added": [{"day": "2027-05-04", "name": "A day"}], "closed_each_year": ["12-25"]}
    hours = {
        "days": [{"day": "monday", "opens": "10:00:00", "closes": "16:00:00"}],
        "open_on_bank_holidays": False,
    }
    changes = [
        changed(1, "texts.en.allocated", said),
        changed(2, "calendar", days),
        changed(3, "office_hours", hours),
        changed(4, "commissioners", [*roles(essex), {"code": "board", "name": "The board"}]),
        changed(5, "reports.quarter", {"recipients": ["board"]}),
        changed(6, "signposts.fosterline", {"last_verified": "2026-11-30"}),
    ]
    found = overlaid(essex, changes, DECEMBER, SOURCES)
    assert found.left_out == ()
    now = found.contract
    spoken = Wording().of(now.own_words).say("allocated", worker="Wasim", reference="ESX-1")
    assert spoken == "Wasim supports you, reference ESX-1."
    assert not now.days.is_working(date(2027, 5, 4))
    assert essex.days.is_working(date(2027, 5, 4))
    assert now.days.is_closed(date(2027, 12, 25))
    assert now.office_hours.days[0].opens == time(10)
    assert now.report("quarter").recipients == ("board",)
    assert now.signpost("fosterline").last_verified == date(2026, 11, 30)
    assert now.signpost("fosterline").line == essex.signpost("fosterline").line


def roles(contract: Contract) -> list[dict[str, str]]:
    return [{"code": one.code, "name": one.name} for one in contract.commissioners]


def test_what_does_not_fit_any_more_is_left_out_and_the_rest_holds(essex: Contract) -> None:
    gone = changed(1, "signposts.nobody", {"line": "x"})
    broken = changed(2, "ladder", {"rungs": "on_call"})
    role = changed(3, "reports.quarter", {"recipients": ["nobody"]})
    text = changed(4, "texts.en.allocated", {"pieces": ["One.", "Two."]})
    good = changed(5, "populations.foster_carers", COUNT)
    found = overlaid(essex, [gone, broken, role, text, good], DECEMBER, SOURCES)
    assert [one.id for one, _ in found.left_out] == [1, 2, 3, 4]
    assert all(why.endswith(".") for _, why in found.left_out)
    assert found.laid == (good,)
    assert found.contract.population("foster_carer", None, DECEMBER).count == 840  # type: ignore[union-attr]


def test_whatever_is_stored_the_overlay_never_raises(essex: Contract) -> None:
    for thing in changing.things(essex, SOURCES):
        for value in (None, [], {}, "x", 7, [7], {"pieces": 7}, {"added": [7]}, {"as_of": "x"}):
            found = overlaid(essex, [changed(1, thing.what, value)], DECEMBER, SOURCES)
            assert found.contract.key == "essex"


def test_what_stands_now_laid_over_itself_changes_nothing(essex: Contract) -> None:
    """Each value that a form begins with is one that may be kept."""
    for thing in changing.things(essex, SOURCES):
        value = changing.value_of(essex, SOURCES, thing.what)
        if thing.group == "populations" and value["count"] is None:
            continue
        found = overlaid(essex, [changed(1, thing.what, value)], DECEMBER, SOURCES)
        assert found.left_out == (), thing.what
        assert changing.value_of(found.contract, SOURCES, thing.what) == value


@pytest.mark.parametrize(
    ("what", "value", "needed"),
    [
        ("ladder", LADDER, True),
        ("texts.en.first_answer", {"pieces": []}, True),
        ("texts.pl.danger_yes", {"pieces": []}, True),
        ("texts.en.neutral", {"pieces": []}, True),
        ("texts.en.allocated", {"pieces": []}, False),
        ("signposts.emergency", {"line": "x"}, True),
        ("signposts.emergency", {"last_verified": "2026-11-30"}, False),
        ("signposts.fosterline", {"line": "x"}, False),
        ("populations.foster_carers", COUNT, False),
    ],
)
def test_what_matters_most_takes_two(essex: Contract, what: str, value: Any, needed: bool) -> None:
    if what.startswith("signposts.emergency"):
        first = next(one for one in essex.signposts if one.first_answer)
        what = f"signposts.{first.code}"
    assert changing.needs_second(essex, SOURCES, what, value) is needed


@pytest.mark.parametrize("key", [key for key in SOURCES if key.split(".")[1] in wordings.ADAPTABLE])
def test_every_text_put_together_again_is_itself(key: str) -> None:
    language, code = key.split(".")
    said = [one.words for one in wordings.pieces(SOURCES[key])]
    assert wordings.put_otherwise(SOURCES[key], said) == SOURCES[key]
    for words in said:
        assert not [*wordings.faults_of(code, words, words, is_english=language == "en")]


WRONG = [
    # the text, its piece, what somebody writes, a part of what they are told
    ("first_answer", 0, "If anyone is in danger, ring us.", "Keep 999"),
    ("first_answer", 2, "This is the [us]. Reference [reference].", "automatic"),
    ("first_answer", 4, "We answer by [by when].[ring us][signposts][lines]", "what happened"),
    (
        "first_answer",
        4,
        "Answer by [by when]. You don't need to tell me what happened",
        "signposts",
    ),
    ("ask_danger", 0, "Is anyone in danger? Send Y or N.", "YES"),
    ("ask_danger", 0, "Is anyone in danger? Send YES or NO. Why?", "nothing more"),
    ("left_it", 0, "That is all right. Send STOP to end this.", "telephone network"),
    ("left_it", 0, "That is all right … write at any time.", "plain letters"),
    ("left_it", 0, "We know of the allegation.", "locked screen"),
    ("left_it", 0, "{{ secret }}", "curly brackets"),
    ("left_it", 0, "Write to [worker].", "cannot be filled in"),
    ("left_it", 0, "x" * 400, "several messages"),
    ("neutral", 2, "have a message of the helpline waiting.", "who we are"),
    ("feedback_ask", 0, "The [us] asks: send 1 to 5.", "Keep 2"),
]


@pytest.mark.parametrize(("code", "place", "words", "told"), WRONG)
def test_the_obligatory_parts_of_a_text_stay(code: str, place: int, words: str, told: str) -> None:
    ours = wordings.pieces(SOURCES[f"en.{code}"])[place].words
    assert any(told in why for why in wordings.faults_of(code, ours, words, is_english=True))


def test_faults_name_their_key(essex: Contract) -> None:
    bad = changed(
        9, "calendar", {"added": [{"day": "2027-05-01", "name": "x"}], "closed_each_year": []}
    )
    [(key, why)] = overlay.faults(essex, [], bad, SOURCES)
    assert key == "calendar.added[0].day"
    assert "weekend" in why
