"""What a contract owes again and again, as tables of days."""

from datetime import date, timedelta

import pytest

from helpline.rules import obligations as rules
from helpline.rules.calendar import Calendar, Holidays
from helpline.rules.obligations import Recurring, owed_between, owed_for

CHRISTMAS = frozenset({date(2026, 12, 25), date(2026, 12, 28), date(2027, 1, 1)})
DAYS = Calendar(Holidays(CHRISTMAS, date(2026, 1, 1), date(2027, 12, 31)))
AUGUST = 8


def due(rule: Recurring, first: date, last: date, month: int = AUGUST) -> list[date]:
    return [one.due_on for one in owed_between(rule, DAYS, month, first, last)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # ten working days after a quarter of a year that begins in August
        (Recurring("quarter", amount=10), [date(2026, 11, 13), date(2027, 2, 12)]),
        (Recurring("quarter", amount=-10), [date(2026, 10, 19), date(2027, 1, 18)]),
        (Recurring("quarter", "first_day"), [date(2026, 8, 1), date(2026, 11, 1)]),
        (Recurring("quarter", amount=1, unit="months"), [date(2026, 11, 30), date(2027, 2, 28)]),
        (Recurring("half_year"), [date(2027, 1, 31)]),
        (Recurring("half_year", on=(12, 25), amount=1), [date(2026, 12, 29)]),
        (Recurring("year"), []),
        (Recurring("when_named"), []),
    ],
)
def test_each_rule_lays_out_its_days(rule: Recurring, expected: list[date]) -> None:
    assert due(rule, date(2026, 10, 1), date(2027, 2, 20)) == expected


def test_a_week_is_owed_by_its_last_working_day_or_its_first() -> None:
    """Friday 25 and Monday 28 December and Friday 1 January are bank holidays."""
    first, last = date(2026, 12, 14), date(2027, 1, 10)
    panel = Recurring("week", amount=-1)
    assert due(panel, first, last) == [
        *(date(2026, 12, 18), date(2026, 12, 24), date(2026, 12, 31), date(2027, 1, 8)),
    ]
    after_the_weekend = Recurring("week", "first_day", unit="calendar_days", rolls=True)
    assert due(after_the_weekend, first, last) == [
        *(date(2026, 12, 14), date(2026, 12, 21), date(2026, 12, 29), date(2027, 1, 4)),
    ]
    owed = owed_between(panel, DAYS, AUGUST, first, last)
    assert [one.for_day for one in owed] == [
        date(2026, 12, 20) + timedelta(weeks=weeks) for weeks in range(4)
    ]


def test_a_week_that_ends_outside_is_not_laid_out_and_two_layings_meet() -> None:
    panel = Recurring("week", amount=-1)
    whole = due(panel, date(2026, 10, 1), date(2026, 12, 31))
    parts = due(panel, date(2026, 10, 1), date(2026, 11, 11))
    assert parts + due(panel, date(2026, 11, 12), date(2026, 12, 31)) == whole
    assert len(whole) == 13


def test_what_is_owed_every_week_can_rest_in_the_last_of_a_month() -> None:
    """The last Fridays of October to December 2026 are 30, 27 and, as 25 is one of the bank
    holidays, Thursday 31 December is the last day of its week."""
    panel = Recurring("week", amount=-1, skips_last_of_month=True)
    found = due(panel, date(2026, 10, 19), date(2027, 1, 3))
    assert [f"{day:%d %b}" for day in found] == [
        *("23 Oct", "06 Nov", "13 Nov", "20 Nov", "04 Dec", "11 Dec", "18 Dec", "24 Dec"),
    ]


def test_what_is_owed_every_week_is_said_once_when_it_is_late() -> None:
    day = date(2026, 11, 13)
    assert not rules.is_said_no_more("week", day, day)  # tomorrow it is late, and is said
    assert rules.is_said_no_more("week", day, day + timedelta(days=1))
    assert not rules.is_said_no_more("month", day, day + timedelta(days=30))


def test_a_day_that_rolls_is_a_working_day_or_is_not_certain() -> None:
    rolling = Recurring("month", unit="calendar_days", rolls=True)
    assert due(rolling, date(2026, 10, 1), date(2026, 10, 31)) == [date(2026, 11, 2)]
    named = Recurring("when_named", amount=3, unit="months", rolls=True)
    assert owed_for(named, DAYS, date(2026, 9, 25)).due_on == date(2026, 12, 29)
    beyond = owed_for(named, DAYS, date(2027, 12, 1))
    assert (beyond.due_on, beyond.is_certain) == (date(2028, 3, 1), False)


def test_months_and_two_months_follow_the_contracts_year() -> None:
    months = due(Recurring("month"), date(2026, 11, 1), date(2027, 2, 28))
    assert months == [date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28)]
    pairs = due(Recurring("two_months"), date(2026, 8, 1), date(2027, 2, 28))
    assert pairs == [date(2026, 9, 30), date(2026, 11, 30), date(2027, 1, 31)]


def test_a_pack_is_due_ten_working_days_before_the_meeting_over_christmas() -> None:
    pack = Recurring("when_named", amount=-10)
    assert owed_for(pack, DAYS, date(2027, 1, 6)).due_on == date(2026, 12, 18)


def test_beyond_the_table_the_day_is_the_earliest_and_says_so() -> None:
    (owed,) = owed_between(
        Recurring("year", amount=10), DAYS, 1, date(2027, 12, 31), date(2027, 12, 31)
    )
    assert (owed.due_on, owed.is_certain) == (date(2028, 1, 14), False)


def test_somebody_hears_before_on_the_day_after_it_and_every_week() -> None:
    day, said, after = date(2026, 11, 13), [], date(2026, 10, 20)
    for _ in range(6):
        after = rules.next_day_to_say(day, (14, 5), after)
        said.append((after - day).days)
    assert said == [-14, -5, 0, 1, 8, 15]


@pytest.mark.parametrize("ahead", range(0, 40, 3))
def test_the_next_time_to_say_it_always_lies_ahead(ahead: int) -> None:
    after = date(2026, 11, 1) + timedelta(days=ahead)
    assert rules.next_day_to_say(date(2026, 11, 13), (14, 5), after) > after


def test_a_day_of_the_year_that_no_period_holds_is_its_end() -> None:
    days = due(Recurring("quarter", on=(12, 25)), date(2026, 8, 1), date(2027, 1, 31))
    assert days == [date(2026, 10, 31), date(2026, 12, 25)]
