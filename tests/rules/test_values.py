"""The numbers that people's days hang on, said once more: whoever changes one changes it here
too, and on purpose."""

from datetime import time, timedelta

import pytest

from helpline.rules import (
    allocation,
    asking,
    calls,
    dialogue,
    disclosure,
    elsewhere,
    ical,
    kept,
    ladder,
    limits,
    obligations,
    passwords,
    periods,
    redaction,
    requests,
    whatsapp,
    wishes,
    words,
)
from helpline.rules.steps import STEPS
from helpline.vocabulary import Urgency


def test_the_numbers() -> None:
    weight = [allocation.WEIGHT[urgency] for urgency in Urgency]
    known = (allocation.KNOWS_PERSON, allocation.KNOWS_HOUSEHOLD, allocation.HAS_SKILL)
    assert (weight, known, allocation.KNOWS_AREA) == ([1, 2, 4, 6], (12, 8, 5), 2)
    assert (allocation.ON_CALL_NOW, allocation.SPEAKS, allocation.LEAVES_SOON) == (1000, 100, -8)
    assert (timedelta(days=2), timedelta(days=3)) == (allocation.SOON, allocation.JUST_BACK)
    assert timedelta(days=14) == asking.LASTS
    assert (calls.MOST_TIMES, dialogue.ANSWERS) == (4, 6)
    assert (disclosure.ROOM, disclosure.NEARLY_ALL) == (3, 2 / 3)
    assert (elsewhere.LONGEST, wishes.LONGEST, ical.WIDTH) == (2000, 140, 75)
    assert (timedelta(minutes=5), timedelta(minutes=1)) == (ladder.QUIET, ladder.QUIET_IN_EMERGENCY)
    assert (time(9), time(16)) == ladder.OFFICE
    assert (limits.WINDOW, limits.OF_A_DEVICE, limits.OF_AN_ADDRESS) == (60, 20, 120)
    assert limits.LONGEST_HOLD == 8
    assert timedelta(days=7) == obligations.LATE_AGAIN
    assert (passwords.FEWEST_SIGNS, passwords.LEFT_OVER, redaction.SHORTEST) == (5, 6, 3)
    assert list(periods.MONTHS.values()) == [1, 3, 6, 12]
    assert (requests.MONTHS, requests.LONGER) == (1, 3)
    assert timedelta(days=366) == requests.LONGEST_WAIT
    assert (timedelta(hours=24), timedelta(minutes=2)) == (whatsapp.WINDOW, whatsapp.MARGIN)
    assert (words.SHORTEST_BEGINNING, words.MOST_WORDS) == (3, 600)


def test_by_what_day_each_step_of_a_case_is_usual() -> None:
    days = {kind.value: [step.days for step in steps] for kind, steps in STEPS.items()}
    assert days == {
        "advice": [1, 1, 7, 14, 21],
        "complaint": [1, 1, 3, 7, 14, 28],
        "data_complaint": [1, 1, 3, 14, 28],
        "referral": [2, 2, 3, 5, 14, 42, 84],
        "consultation": [1, 1, 3, 3],
    }


@pytest.mark.parametrize(
    ("length", "asks"), [(len("what do you keep about me"), True), (300, True), (301, False)]
)
def test_a_question_in_a_long_account_is_none(length: int, asks: bool) -> None:
    assert kept.asks_what_is_kept("what do you keep about me".ljust(length, ".")) is asks


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("FC1001", True),
        ("12", False),
        ("123", True),
        ("my number is FC1001 " + "x" * 59, True),
        ("my number is FC1001 " + "x" * 60, False),
        ("Ann Marie van der Berg", True),
        ("Ann Marie van der Berg Okonjo", False),
    ],
)
def test_how_long_a_name_or_a_number_may_be(text: str, is_one: bool) -> None:
    assert wishes.looks_like_a_name(text) is is_one


@pytest.mark.parametrize(
    ("postcode", "found"),
    [
        ("", set()),
        ("CM1", {"CM1"}),
        ("M1 1A", {"M11A"}),
        ("M1 1AA", {"M11AA", "M1"}),
        ("CM1 2AB", {"CM12AB", "CM1"}),
        ("SW1A 1AA", {"SW1A1AA", "SW1A"}),
        ("SW1A 1AAA", {"SW1A1AAA"}),
    ],
)
def test_a_postcode_is_found_whole_and_by_its_first_half(postcode: str, found: set[str]) -> None:
    assert words.places_of(postcode) == found


def test_a_line_of_a_calendar_is_folded_at_75_octets_and_not_before() -> None:
    assert list(ical.folded("x" * 75)) == ["x" * 75]
    assert list(ical.folded("x" * 76)) == ["x" * 75, " x"]
    assert list(ical.folded("x" * (75 + 74))) == ["x" * 75, " " + "x" * 74]
    assert list(ical.folded("x" * (75 + 75))) == ["x" * 75, " " + "x" * 74, " x"]
    assert list(ical.folded("x" * 74 + "é")) == ["x" * 74, " é"]


def test_a_pace_looks_back_one_window_to_the_second() -> None:
    busy = [limits.WINDOW - 0.01] * limits.OF_A_DEVICE
    assert limits.pace(busy, []).again_in > 0
    assert limits.pace([limits.WINDOW] * limits.OF_A_DEVICE, []) == limits.Pace()
    assert limits.Pace() == limits.Pace(hold=0.0, again_in=0.0)


def test_a_period_has_no_parts_of_its_own_length_or_longer() -> None:
    year = periods.period("2026-27", 8)
    assert [part.label for part in periods.parts(year, periods.HALF_YEAR)] == [
        "2026-27-H1",
        "2026-27-H2",
    ]
    assert periods.parts(year, periods.ANNUAL) == ()
    assert len(periods.parts(periods.period("2026-27-Q1", 8), periods.MONTH)) == 3
