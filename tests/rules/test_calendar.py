"""Working days, months, closed days and their ends: the vectors of the field, and 200,000 deadlines
of ten years and twenty clock changes, others in each run, against a second calculation that walks
day by day and knows the clock changes by their own rule. HELPLINE_TEST_DEADLINES takes more (a
million: 25 s), HELPLINE_TEST_SEED repeats a run.
"""

import os
import random
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.contract import Contract, load_contracts
from helpline.rules import clocks
from helpline.rules.calendar import Calendar, Holidays, TableEnds
from helpline.rules.clocks import Limit, Plan, Terms
from helpline.vocabulary import Unit

CONTRACTS = Path(__file__).parents[2] / "contracts"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SEED = int(os.environ.get("HELPLINE_TEST_SEED") or random.SystemRandom().randrange(10**9))
DEADLINES = int(os.environ.get("HELPLINE_TEST_DEADLINES") or 200_000)


@pytest.fixture(scope="module")
def essex() -> Contract:
    return load_contracts(CONTRACTS)["essex"]


def at(text: str) -> datetime:
    """An instant of local time written as "2026-12-24 10:00"."""
    local = datetime.fromisoformat(text)
    return local.replace(tzinfo=UTC) - (HOUR if is_summer(local) else timedelta())


def due_day(contract: Contract, start: str, limit: Limit) -> date:
    due = clocks.plan(Terms(limit), at(start), contract.days).due_at
    return contract.days.day_of(due)


# --- the vectors of the field --------------------------------------------------------------------

WORKING = [
    ("2026-12-24 10:00", 1, "2026-12-29"),  # the LADO within one working day, from Christmas Eve
    ("2026-12-26 10:00", 1, "2026-12-29"),
    ("2027-12-24 10:00", 1, "2027-12-29"),
    ("2026-04-02 10:00", 1, "2026-04-07"),
    ("2026-12-21 10:00", 3, "2026-12-24"),
    ("2026-12-21 10:00", 10, "2027-01-07"),
    ("2026-12-21 10:00", 20, "2027-01-21"),
    ("2026-12-21 10:00", 25, "2027-01-28"),
    ("2026-12-21 10:00", 65, "2027-03-25"),
]


@pytest.mark.parametrize(("start", "count", "due"), WORKING)
def test_working_days(essex: Contract, start: str, count: int, due: str) -> None:
    assert due_day(essex, start, Limit(count, Unit.WORKING_DAYS)) == date.fromisoformat(due)
    if count == 1:
        first = Limit(1, Unit.FIRST_WORKING_DAY_AFTER)
        assert due_day(essex, start, first) == date.fromisoformat(due)


MONTHS = [
    ("2026-11-26 10:00", 1, "2026-12-29"),  # a subject access request, and its extension
    ("2026-11-26 10:00", 3, "2027-02-26"),
    ("2027-01-31 10:00", 1, "2027-03-01"),
    ("2027-01-31 10:00", 3, "2027-04-30"),
]


@pytest.mark.parametrize(("start", "count", "due"), MONTHS)
def test_months_that_roll(essex: Contract, start: str, count: int, due: str) -> None:
    limit = Limit(count, Unit.CALENDAR_MONTHS, rolls=True)
    assert due_day(essex, start, limit) == date.fromisoformat(due)


def test_thirty_days_for_a_data_protection_complaint(essex: Contract) -> None:
    limit = Limit(30, Unit.CALENDAR_DAYS, rolls=True)
    assert due_day(essex, "2026-11-27 10:00", limit) == date(2026, 12, 29)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-10-24 18:00", "2026-10-25 17:00"),
        ("2027-03-27 18:00", "2027-03-28 19:00"),
    ],
)
def test_24_hours_over_the_nights_the_clocks_change(essex: Contract, start: str, due: str) -> None:
    assert essex.plan(essex.clock("first_response"), at(start)).due_at == at(due)


def test_a_report_ten_working_days_before_a_meeting_after_easter(essex: Contract) -> None:
    limit = Limit(10, Unit.WORKING_DAYS_BEFORE)
    assert due_day(essex, "2026-04-14 14:00", limit) == date(2026, 3, 27)


def test_the_day_ends_where_people_are_in_summer_too(essex: Contract) -> None:
    limit = Limit(1, Unit.WORKING_DAYS, day_ends=time(17))
    due = clocks.plan(Terms(limit), at("2026-07-01 23:30"), essex.days).due_at
    assert due == datetime(2026, 7, 2, 16, 0, tzinfo=UTC)
    late = clocks.plan(Terms(limit), at("2026-07-02 00:30"), essex.days).due_at
    assert late == datetime(2026, 7, 3, 16, 0, tzinfo=UTC)  # it was still the 1st in UTC


# --- targets, the sooner of two, at once ---------------------------------------------------------


def test_the_sooner_of_two_wins(essex: Contract) -> None:
    terms = Terms(Limit(16 * 7, Unit.CALENDAR_DAYS), sooner=Limit(3, Unit.CALENDAR_MONTHS))
    assert essex.days.day_of(clocks.plan(terms, at("2026-06-01 09:00"), essex.days).due_at) == date(
        2026, 9, 1
    )


def test_a_target_warns_and_the_limit_breaks(essex: Contract) -> None:
    """L01: 24 hours wherever possible, and no longer than 48."""
    terms = Terms(
        Limit(48, Unit.ELAPSED_HOURS), target=Limit(24, Unit.ELAPSED_HOURS), warn_before_hours=(4,)
    )
    start = at("2026-06-01 09:00")
    plan = clocks.plan(terms, start, essex.days)
    assert (plan.target_at, plan.due_at) == (start + 24 * HOUR, start + 48 * HOUR)
    told = clocks.moments(terms, start, plan.due_at, plan.target_at)
    assert [(m.at - start) // HOUR for m in told] == [24, 44, 48]
    assert [m.stage for m in told] == [0, 1, 2]


def test_at_once_is_a_number_of_minutes(essex: Contract) -> None:
    start = at("2026-06-01 09:00")
    plan = clocks.plan(Terms(Limit(15, Unit.AT_ONCE)), start, essex.days)
    assert plan == Plan(start, start + timedelta(minutes=15))


# --- closed days (004 §2.3: bank holidays, 25 and 26 December even at weekends) ------------------


def stoke(essex: Contract) -> Calendar:
    return Calendar(
        essex.days.holidays,
        closed_on_holidays=True,
        closed_each_year=frozenset({(12, 25), (12, 26)}),
    )


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-12-24 18:00", "2026-12-27 18:00"),  # closed on the 25th, and the 26th, a Saturday
        ("2026-12-27 18:00", "2026-12-29 18:00"),  # the 28th is Boxing Day's substitute
        ("2026-12-25 12:00", "2026-12-28 00:00"),  # begun on a closed day: the whole of the 27th
        ("2026-06-06 12:00", "2026-06-07 12:00"),  # weekends are open
        ("2026-10-24 18:00", "2026-10-25 17:00"),
    ],
)
def test_open_hours_pause_on_closed_days(essex: Contract, start: str, due: str) -> None:
    limit = Limit(24, Unit.OPEN_HOURS)
    assert clocks.ends_at(at(start), limit, stoke(essex)) == at(due)


# --- beyond the table ----------------------------------------------------------------------------


def test_beyond_the_table_the_answer_is_not_known(essex: Contract) -> None:
    limit = Limit(10, Unit.WORKING_DAYS)
    with pytest.raises(TableEnds):
        clocks.ends_at(at("2028-12-20 09:00"), limit, essex.days)
    with pytest.raises(TableEnds):
        clocks.ends_at(at("2040-05-01 09:00"), limit, essex.days)


@given(
    st.dates(date(2028, 10, 1), date(2030, 12, 1)),
    st.integers(1, 65),
    st.frozensets(st.dates(date(2029, 1, 1), date(2031, 12, 31)), max_size=25),
)
def test_what_is_not_certain_is_never_promised_too_late(
    day: date, count: int, proclaimed: frozenset[date]
) -> None:
    """Whatever the government will proclaim: due then, or later."""
    contract = load_contracts(CONTRACTS)["essex"]
    known = contract.days.holidays
    true = Calendar(Holidays(known.days | proclaimed, known.first, date(2033, 12, 31)))
    start = datetime.combine(day, time(12), UTC)
    terms = Terms(Limit(count, Unit.WORKING_DAYS))
    said = clocks.plan(terms, start, contract.days)
    truth = clocks.plan(terms, start, true)
    assert truth.is_certain
    assert said.due_at <= truth.due_at
    assert said.is_certain == (contract.days.day_of(truth.due_at) <= known.last) or not proclaimed


# --- very many, a second time ---------------------------------------------------------------------

FIRST, LAST = date(2026, 1, 1), date(2035, 12, 31)
HELD = 400  # days beyond, so that every deadline that begins within ten years ends in the table


def is_summer(local: datetime) -> bool:
    """From 01:00 UTC on the last Sunday of March to 01:00 UTC on that of October."""
    return at_last_sunday(local.year, 3) <= local - HOUR < at_last_sunday(local.year, 10)


def at_last_sunday(year: int, month: int) -> datetime:
    day = datetime(year, month, 31, 1)  # noqa: DTZ001  # an hour of UTC without saying so
    while day.isoweekday() != 7:
        day -= DAY
    return day


def invented(chance: random.Random) -> frozenset[date]:
    """Eight weekdays a year, anywhere: what is counted must not depend on which."""
    days = [FIRST + DAY * n for n in range((LAST - FIRST).days + HELD)]
    weekdays = [day for day in days if day.isoweekday() < 6]
    return frozenset(chance.sample(weekdays, 8 * 11))


class Walked:
    """The second calculation: from each day forward and back, one day at a time, counted once."""

    def __init__(self, off: frozenset[date]) -> None:
        self.off = off
        self.after: dict[date, list[date]] = {}
        self.before: dict[date, list[date]] = {}
        for n in range((LAST - FIRST).days + 1):
            start = FIRST + DAY * n
            self.after[start] = self._walk(start, DAY)
            self.before[start] = self._walk(start, -DAY)

    def counts(self, day: date) -> bool:
        return day.isoweekday() not in (6, 7) and day not in self.off

    def _walk(self, start: date, step: timedelta) -> list[date]:
        found, day = [start], start
        while len(found) <= 66:
            day += step
            if self.counts(day):
                found.append(day)
        return found

    def rolled(self, day: date) -> date:
        while not self.counts(day):
            day += DAY
        return day

    @staticmethod
    def months(day: date, count: int) -> date:
        year, month = day.year, day.month
        for _ in range(count):
            month += 1
            if month == 13:
                year, month = year + 1, 1
        for number in range(day.day, 0, -1):
            try:
                return date(year, month, number)
            except ValueError:
                continue
        raise AssertionError

    @staticmethod
    def ended(day: date, ends: time) -> datetime:
        local = datetime.combine(day, ends)
        return (local - (HOUR if is_summer(local) else timedelta())).replace(tzinfo=UTC)


def test_very_many_deadlines_have_none_wrong() -> None:
    print(f"HELPLINE_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    off = invented(chance)
    table = Holidays(off, FIRST - HELD * DAY, LAST + HELD * DAY)
    calendar, walked = Calendar(table), Walked(off)
    second: dict[Unit, Callable[[date, int], date]] = {
        Unit.WORKING_DAYS: lambda day, n: walked.after[day][n],
        Unit.FIRST_WORKING_DAY_AFTER: lambda day, _: walked.after[day][1],
        Unit.WORKING_DAYS_BEFORE: lambda day, n: walked.before[day][n],
        Unit.CALENDAR_DAYS: lambda day, n: walked.rolled(day + n * DAY),
        Unit.CALENDAR_MONTHS: lambda day, n: walked.rolled(walked.months(day, n)),
    }
    units = [*second, Unit.ELAPSED_HOURS]
    minutes = ((LAST - FIRST).days + 1) * 1440
    summers = {y: (at_last_sunday(y, 3), at_last_sunday(y, 10)) for y in range(2025, 2038)}
    begin = datetime.combine(FIRST, time(), UTC)
    ends = (clocks.DAY_ENDS, time(17), time(9, 30))
    wrong, checked = [], 0
    for _ in range(DEADLINES):
        unit = units[int(chance.random() * 6)]
        minute = int(chance.random() * minutes)
        count = 1 + int(chance.random() * 65)
        start = begin + timedelta(minutes=minute)
        if unit is Unit.ELAPSED_HOURS:
            due = clocks.ends_at(start, Limit(count, unit), calendar)
            true = begin + timedelta(minutes=minute + count * 60)
        else:
            end = ends[count % 3]
            if unit is Unit.CALENDAR_MONTHS:
                count = count % 4
            limit = Limit(count, unit, end, rolls=unit.value.startswith("calendar"))
            due = clocks.ends_at(start, limit, calendar)
            plain = start.replace(tzinfo=None)
            spring, autumn = summers[plain.year]
            local = plain + HOUR if spring <= plain < autumn else plain
            day = local.date()
            if day > LAST:
                continue
            true = walked.ended(second[unit](day, count), end)
        checked += 1
        if due != true:
            wrong.append((unit, start, count, due, true))
    assert checked > 0.99 * DEADLINES
    assert wrong == []


def test_open_hours_counted_by_the_quarter() -> None:
    """Every quarter of an hour of ten years is open or not; the deadline is the one at which as
    many open quarters have passed as were promised."""
    chance = random.Random(11)
    off = invented(chance)
    calendar = Calendar(
        Holidays(off, FIRST - HELD * DAY, LAST + HELD * DAY),
        closed_on_holidays=True,
        closed_each_year=frozenset({(12, 25), (12, 26)}),
    )
    begin = datetime.combine(FIRST, time(), UTC)
    passed, quarters = [0], ((LAST - FIRST).days + 1) * 96
    for n in range(quarters):
        plain = (begin + timedelta(minutes=15 * n)).replace(tzinfo=None)
        local = plain
        if 3 <= plain.month <= 10 and is_summer(plain + HOUR):
            local = plain + HOUR
        closed = local.date() in off or (local.month, local.day) in ((12, 25), (12, 26))
        passed.append(passed[-1] + (not closed))
    for _ in range(50_000):
        place, hours = chance.randrange(quarters - 4000), chance.choice((1, 24, 48, 72))
        due = calendar.after_open(begin + timedelta(minutes=15 * place), timedelta(hours=hours))
        true = bisect_left(passed, passed[place] + 4 * hours)
        assert due == begin + timedelta(minutes=15 * true), (place, hours)


def test_no_working_day_at_all_is_the_day_itself_and_the_table_has_two_ends() -> None:
    days = Calendar(Holidays(frozenset(), date(2026, 1, 5), date(2026, 1, 16)))
    sunday = date(2026, 1, 11)
    assert days.working_days_before(sunday, 0) == sunday
    assert days.working_days_before(sunday, 5) == date(2026, 1, 5)
    with pytest.raises(TableEnds):
        days.working_days_before(sunday, 6)
    assert days.working_days_after(sunday, 5) == date(2026, 1, 16)
    with pytest.raises(TableEnds):
        days.working_days_after(sunday, 6)
    assert not days.is_closed(sunday)


def test_what_closes_a_day() -> None:
    christmas, table = date(2026, 12, 25), (date(2026, 1, 1), date(2026, 12, 31))
    holidays = Holidays(frozenset({christmas}), *table)
    assert not Calendar(holidays).is_closed(christmas)
    assert Calendar(holidays, closed_on_holidays=True).is_closed(christmas)
    assert not Calendar(holidays, closed_on_holidays=True).is_closed(date(2026, 12, 24))
    each_year = Calendar(holidays, closed_each_year=frozenset({(12, 24)}))
    assert each_year.is_closed(date(2026, 12, 24))
