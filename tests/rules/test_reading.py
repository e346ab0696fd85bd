"""What is unusual reading, to the case: one fewer is not."""

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from helpline.rules.reading import Hour, Kind, Limits, is_night, suspects, unusual, usual

LIMITS = Limits(20, 3, 5, 15, 2, time(22), time(6))
NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
CALM = Hour(cases=0, strange=0, searches=0, is_on_call=False)


def found(hour: Hour, usually: int = 0, now: datetime = NOON) -> list[tuple[Kind, int]]:
    return unusual(hour, usually, LIMITS, now, "Europe/London")


def test_what_is_usual_is_ones_own_middle_day_or_the_busiest_colleagues() -> None:
    assert usual([1, 9, 2], [[4, 4, 40], [3]]) == 4
    assert usual([8, 9, 10], [[4, 4, 40]]) == 9
    assert usual([], []) == 0
    assert usual([], [[]]) == 0


def test_far_more_cases_than_ever() -> None:
    assert found(replace(CALM, cases=20)) == [(Kind.MANY, 20)]
    assert found(replace(CALM, cases=19)) == []
    assert found(replace(CALM, cases=30), usually=10) == []
    assert found(replace(CALM, cases=31), usually=10) == [(Kind.MANY, 31)]
    assert suspects(replace(CALM, cases=20), LIMITS)
    assert not suspects(replace(CALM, cases=19), LIMITS)


def test_cases_of_others_at_night_by_somebody_who_is_not_on_call() -> None:
    hour = replace(CALM, cases=5, strange=5)
    assert found(hour, now=NIGHT) == [(Kind.NIGHT, 5)]
    assert found(hour) == []
    assert found(replace(hour, is_on_call=True), now=NIGHT) == []
    assert found(replace(hour, strange=4), now=NIGHT) == []


def test_looking_for_many_and_opening_none() -> None:
    assert found(replace(CALM, searches=15, cases=1)) == [(Kind.SEARCHES, 15)]
    assert found(replace(CALM, searches=14)) == []
    assert found(replace(CALM, searches=15, cases=2)) == []


@pytest.mark.parametrize(
    ("at", "through_midnight", "early"),
    [
        ("22:00", True, False),
        ("21:59", False, False),
        ("05:59", True, True),
        ("06:00", False, False),
    ],
)
def test_a_night_by_the_contracts_clock(at: str, through_midnight: bool, early: bool) -> None:
    now = datetime.fromisoformat(f"2026-11-03 {at}+00:00")
    assert is_night(now, "Europe/London", LIMITS) is through_midnight
    after_one = replace(LIMITS, night_from=time(1))
    assert is_night(now, "Europe/London", after_one) is early
