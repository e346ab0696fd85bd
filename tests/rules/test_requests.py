"""By when somebody is answered who asks for what we keep about them: held against a count by hand,
day by day, and against what the law never allows."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from helpline.rules import clocks, requests
from helpline.rules.calendar import Calendar, Holidays
from helpline.rules.requests import LONGER, MONTHS, Pause

CHRISTMAS = frozenset(
    {date(2026, 12, 25), date(2026, 12, 28), date(2027, 1, 1), date(2027, 3, 26), date(2027, 3, 29)}
)
DAYS = Calendar(Holidays(CHRISTMAS, date(2026, 1, 1), date(2028, 12, 31)))
A_DAY = st.dates(date(2026, 1, 5), date(2028, 3, 1))
PAUSES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 90)), max_size=3)


def due_day(received: date, months: int = MONTHS, *pauses: Pause) -> date:
    found = requests.due(received, months, pauses, DAYS)
    assert found is not None
    return DAYS.day_of(found.at)


def test_the_same_date_next_month_or_its_last_day_or_the_next_working_day() -> None:
    assert due_day(date(2026, 11, 3)) == date(2026, 12, 3)
    assert due_day(date(2028, 1, 31)) == date(2028, 2, 29)  # a leap year's last day, a Tuesday
    assert due_day(date(2027, 1, 31)) == date(2027, 3, 1)  # the 28th is a Sunday
    assert due_day(date(2026, 11, 25)) == date(2026, 12, 29)  # Christmas, a weekend, a bank holiday
    assert due_day(date(2026, 11, 3), LONGER) == date(2027, 2, 3)


def test_days_waited_are_added_and_each_only_once() -> None:
    week = Pause(date(2026, 11, 5), date(2026, 11, 12))
    also = Pause(date(2026, 11, 10), date(2026, 11, 14))
    assert due_day(date(2026, 11, 3), MONTHS, week) == date(2026, 12, 10)
    assert requests.days_waited([week, also]) == 9
    assert requests.due(date(2026, 11, 3), MONTHS, [Pause(date(2026, 11, 5))], DAYS) is None


def test_it_ends_with_the_day_where_people_are() -> None:
    found = requests.due(date(2027, 5, 4), MONTHS, [], DAYS)
    assert found is not None
    assert found.at == datetime(2027, 6, 4, 22, 59, 59, tzinfo=UTC)  # summer time


def test_beyond_the_known_bank_holidays_it_is_the_earliest_it_can_be() -> None:
    short = Calendar(Holidays(CHRISTMAS, date(2026, 1, 1), date(2026, 12, 31)))
    found = requests.due(date(2026, 12, 10), MONTHS, [], short)
    assert found is not None
    assert not found.is_certain
    assert short.day_of(found.at) == date(2027, 1, 11)


def test_more_time_is_taken_only_in_the_first_month_while_the_clock_runs() -> None:
    received = date(2026, 11, 3)
    assert requests.may_be_extended(received, [], date(2026, 12, 3), DAYS)
    assert not requests.may_be_extended(received, [], date(2026, 12, 4), DAYS)
    waiting = [Pause(date(2026, 11, 5))]
    assert not requests.may_be_extended(received, waiting, date(2026, 11, 6), DAYS)


@given(A_DAY, PAUSES, st.sampled_from([MONTHS, LONGER]))
def test_whatever_was_waited_for(received: date, spans: list[tuple[int, int]], months: int) -> None:
    pauses = [
        Pause(received + timedelta(days=after), received + timedelta(days=after + long))
        for after, long in spans
    ]
    last = requests.last_day(received, months, pauses)
    assert last is not None
    plain = clocks.months_after(received, months)
    by_hand = {
        received + timedelta(days=number)
        for number in range(200)
        if any(
            one.asked <= received + timedelta(days=number) < (one.answered or date.max)
            for one in pauses
        )
    }
    assert plain <= last <= plain + timedelta(days=len(by_hand))
    if pauses:  # never longer than the whole time from the last thing that came
        latest = max(one.answered for one in pauses if one.answered)
        assert last <= clocks.months_after(latest, months)
    rolled = due_day(received, months, *pauses)
    assert rolled >= last
    assert DAYS.is_working(rolled)
    assert not any(
        DAYS.is_working(last + timedelta(days=number)) for number in range((rolled - last).days)
    )


def test_what_is_still_waited_for_counts_no_days() -> None:
    assert requests.days_waited([Pause(date(2026, 11, 5))]) == 0
