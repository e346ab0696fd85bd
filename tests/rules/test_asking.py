"""When somebody may be asked how it was, and what counts as an answer."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from helpline.rules.asking import (
    CHILD_KEYS,
    KEYS,
    Facts,
    Terms,
    is_only_a_comment,
    occasion,
    score_in,
    why_not,
)
from helpline.vocabulary import NETWORK_HELP_WORDS, OPT_OUT_WORDS, AskedWhy, Urgency

NOW = datetime(2026, 11, 10, 14, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = Terms(30 * DAY, 42 * DAY, 182 * DAY, 14 * DAY, 42 * DAY, time(10), time(19))
CALM = Facts(
    opened_at=NOW - 20 * DAY,
    closed_at=NOW - 2 * DAY,
    last_asked_at=None,
    asked=frozenset(),
    said_no=False,
    worst=Urgency.LOW,
    frightened_at=None,
    accused_at=None,
    is_busy=False,
    has_way=True,
)


def test_a_calm_person_is_asked_after_closing_and_weeks_later() -> None:
    assert occasion(CALM, TERMS, NOW) is AskedWhy.CLOSING
    assert why_not(CALM, TERMS, NOW, "Europe/London") == ""
    asked = replace(CALM, asked=frozenset([AskedWhy.CLOSING]))
    assert occasion(asked, TERMS, NOW) is None
    assert occasion(asked, TERMS, NOW + 41 * DAY) is AskedWhy.LATER
    assert occasion(asked, TERMS, NOW + 60 * DAY) is None  # nobody remembers what is meant
    assert occasion(replace(CALM, closed_at=NOW - timedelta(hours=3)), TERMS, NOW) is None


def test_a_long_case_is_asked_about_while_it_goes_on() -> None:
    going = replace(CALM, closed_at=None)
    assert occasion(going, TERMS, NOW) is None
    assert occasion(replace(going, opened_at=NOW - 183 * DAY), TERMS, NOW) is AskedWhy.ONGOING


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"said_no": True}, "said_no"),
        ({"worst": Urgency.URGENT}, "crisis"),
        ({"worst": Urgency.EMERGENCY}, "crisis"),
        ({"frightened_at": NOW - 13 * DAY}, "crisis"),
        ({"accused_at": NOW - 41 * DAY}, "allegation"),
        ({"last_asked_at": NOW - 29 * DAY}, "asked_lately"),
        ({"is_busy": True}, "busy"),
        ({"has_way": False}, "no_way"),
    ],
)
def test_never_in_a_crisis_nor_too_often(changed: dict[str, object], why: str) -> None:
    assert why_not(replace(CALM, **changed), TERMS, NOW, "Europe/London") == why  # type: ignore[arg-type]


def test_only_by_day() -> None:
    at_night = NOW.replace(hour=22)
    assert why_not(CALM, TERMS, at_night, "Europe/London") == "hours"
    summer = datetime(2026, 7, 10, 9, 30, tzinfo=UTC)  # half past ten there
    assert why_not(CALM, TERMS, summer, "Europe/London") == ""


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("5", 5),
        (" 4. ", 4),
        ("0", 0),
        ("5 Very good", 5),
        ("1 Really bad", 1),
        ("0 Do not ask me", 0),
        ("6", None),
        ("55", None),
        ("3 children are missing", None),
        ("5 thank you", None),
        ("good", None),
        ("", None),
    ],
)
def test_one_digit_answers_and_nothing_else_does(text: str, score: int | None) -> None:
    assert score_in(text) == score


def test_no_key_says_one_of_the_networks_words() -> None:
    words = {word.upper() for key in (*KEYS, *CHILD_KEYS) for word in key.split()}
    assert not words & (OPT_OUT_WORDS | NETWORK_HELP_WORDS)


@pytest.mark.parametrize(
    ("text", "category", "urgency", "only"),
    [
        ("Wasim was brilliant", "compliment", Urgency.LOW, True),
        ("It took a bit long", "other", Urgency.STANDARD, True),
        ("Can somebody ring me", "other", Urgency.LOW, False),
        ("when is my panel?", "other", Urgency.LOW, False),
        ("they say I hit him", "allegation", Urgency.STANDARD, False),
        ("fine", "other", Urgency.URGENT, False),
    ],
)
def test_a_comment_that_asks_for_something_is_a_message(
    text: str, category: str, urgency: Urgency, only: bool
) -> None:
    assert is_only_a_comment(text, urgency=urgency, category=category, asks_safety=False) is only
