"""Whom an alert asks next and how: their own wish first, nobody unreachable by it, round and
round, and nobody woken for what can wait."""

from datetime import UTC, date, datetime, timedelta

import pytest

from helpline.rules import ladder
from helpline.rules.ladder import MEANS, QUIET, QUIET_IN_EMERGENCY
from helpline.vocabulary import AlertKind

ALL = {"telegram": "1", "sms": "2", "voice": "3", "email": "4"}
AT = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
LOUD, PLAIN = AlertKind.EMERGENCY, AlertKind.WARNING


@pytest.mark.parametrize(
    ("wish", "order"),
    [
        ("", MEANS),
        ("sms,telegram", ("sms", "telegram", "voice", "email")),
        ("email,pigeon,email", ("email", "telegram", "sms", "voice")),
        ("pigeon", MEANS),
    ],
)
def test_a_wish_goes_first_and_makes_nobody_unreachable(wish: str, order: tuple) -> None:
    assert ladder.preferred(wish) == order


def test_one_way_after_another_and_all_at_once_when_it_is_loud() -> None:
    asked = [ladder.ways("sms", ALL, before, PLAIN) for before in range(5)]
    assert asked == [("sms",), ("telegram",), ("voice",), ("email",), ("sms",)]
    assert ladder.ways("sms", ALL, 3, LOUD) == ("sms", "telegram", "voice", "email")


def test_only_what_works_is_tried() -> None:
    broken = ALL | {"sms": ""}
    assert ladder.ways("sms", broken, 0, PLAIN) == ("telegram",)
    assert ladder.ways("sms", {"voice": "3"}, 7, PLAIN) == ("voice",)
    assert ladder.ways("sms", {}, 0, PLAIN) == ()
    assert ladder.ways("sms", {}, 0, LOUD) == ()


def test_how_long_somebody_is_left_in_peace() -> None:
    rungs = timedelta(minutes=15)
    earlier = AT - timedelta(minutes=3)
    assert ladder.quiet_until(PLAIN, AT, earlier, rungs) == AT + QUIET
    assert ladder.quiet_until(LOUD, AT, earlier, rungs) == earlier + QUIET_IN_EMERGENCY
    assert ladder.quiet_until(PLAIN, None, AT, rungs) is None
    assert ladder.quiet_until(LOUD, AT, None, rungs) is None
    short = timedelta(seconds=30)  # never longer than the contract waits between two rungs
    assert ladder.quiet_until(PLAIN, AT, None, short) == AT + short
    assert ladder.quiet_until(LOUD, None, AT, short) == AT + short


@pytest.mark.parametrize(
    ("people", "rung", "following"),
    [
        ([True, True], 0, 0),
        ([False, True, True], 0, 1),
        ([True, False], 1, 2),  # round again: the first of the next round
        ([True, False, False], 4, 6),
        ([False, False], 0, None),
        ([], 0, None),
    ],
)
def test_the_next_rung_with_anybody(people: list[bool], rung: int, following: int | None) -> None:
    assert ladder.next_rung(people, rung) == following


def weekday(day: date) -> bool:
    return day.weekday() < 5


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-03 02:15", "2026-11-03 09:00"),  # a Tuesday night
        ("2026-11-03 09:00", "2026-11-03 09:00"),
        ("2026-11-03 15:59", "2026-11-03 15:59"),
        ("2026-11-03 16:00", "2026-11-04 09:00"),
        ("2026-11-06 18:00", "2026-11-09 09:00"),  # a Friday evening: Monday
        ("2026-11-07 10:00", "2026-11-09 09:00"),
        ("2026-07-07 10:00", "2026-07-07 10:00"),  # eleven o'clock in London
        ("2026-07-07 07:59", "2026-07-07 08:00"),  # nine o'clock in London
    ],
)
def test_what_can_wait_is_said_in_office_hours(at: str, said: str) -> None:
    begins, ends = (datetime.fromisoformat(f"{text}+00:00") for text in (at, said))
    assert ladder.office_time(begins, "Europe/London", weekday) == ends
