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
