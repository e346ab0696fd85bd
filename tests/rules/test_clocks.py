"""24 hours are elapsed hours (A50): over every clock change of ten years, against a second
calculation that shares nothing with the first; and the exact edges of warning, breach and verdict.
"""

import calendar
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules import clocks
from helpline.vocabulary import AlertKind, Unit

LONDON = ZoneInfo("Europe/London")
STARTED = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
WARN = (12, 20, 23)
TICK = timedelta(microseconds=1)
YEARS = range(2026, 2036)

instants = st.integers(1_577_836_800, 2_840_140_800).map(lambda s: datetime.fromtimestamp(s, UTC))
hours = st.floats(min_value=0.01, max_value=24 * 40)


def promised(started: datetime, warn: Sequence[float], limit: float) -> tuple[clocks.Moment, ...]:
    terms = clocks.Terms(clocks.Limit(limit, Unit.ELAPSED_HOURS), warn_after_hours=tuple(warn))
    return clocks.moments(terms, started, clocks.due_at(started, limit))


# --- elapsed hours across clock changes ----------------------------------------------------------


@pytest.mark.parametrize("year", YEARS)
def test_24_hours_are_elapsed_hours_around_both_clock_changes(year: int) -> None:
    """Every half hour from two days before each change to two days after it."""
    for started in around_the_changes(year):
        due = clocks.due_at(started, 24)
        assert due.astimezone(LONDON).replace(tzinfo=None) == by_hand(started, 24), started


@pytest.mark.parametrize("year", YEARS)
def test_it_does_not_matter_in_which_zone_the_receipt_is_written(year: int) -> None:
    elsewhere = timezone(timedelta(hours=5, minutes=45))
    for started in around_the_changes(year):
        due = clocks.due_at(started, 24)
        assert clocks.due_at(started.astimezone(LONDON), 24) == due
        assert clocks.due_at(started.astimezone(elsewhere), 24) == due


def test_the_two_nights_everybody_asks_about() -> None:
    autumn = datetime(2026, 10, 24, 18, 0, tzinfo=LONDON)
    spring = datetime(2027, 3, 27, 18, 0, tzinfo=LONDON)
    assert clocks.due_at(autumn, 24).astimezone(LONDON).isoformat() == "2026-10-25T17:00:00+00:00"
    assert clocks.due_at(spring, 24).astimezone(LONDON).isoformat() == "2027-03-28T19:00:00+01:00"


def test_weekends_and_bank_holidays_do_not_pause_it() -> None:
    christmas_eve = datetime(2026, 12, 24, 17, 0, tzinfo=UTC)  # a Thursday, before four free days
    assert clocks.due_at(christmas_eve, 24) == datetime(2026, 12, 25, 17, 0, tzinfo=UTC)


@given(instants, hours)
def test_what_elapses_is_what_was_promised(started: datetime, limit: float) -> None:
    assert clocks.due_at(started, limit) - started == timedelta(hours=limit)


# --- when to warn --------------------------------------------------------------------------------


def test_three_warnings_then_the_breach() -> None:
    moments = promised(STARTED, WARN, 24)
    assert [(m.at - STARTED, m.kind, m.stage) for m in moments] == [
        (timedelta(hours=12), AlertKind.WARNING, 0),
        (timedelta(hours=20), AlertKind.WARNING, 1),
        (timedelta(hours=23), AlertKind.WARNING, 2),
        (timedelta(hours=24), AlertKind.BREACH, 3),
    ]


def test_a_clock_without_warnings_still_has_its_breach() -> None:
    (only,) = promised(STARTED, (), 24)
    assert (only.kind, only.stage) == (AlertKind.BREACH, 0)


def test_moments_do_not_move_with_the_zone_of_the_receipt() -> None:
    autumn = datetime(2026, 10, 24, 18, 0, tzinfo=LONDON)
    in_utc = promised(autumn.astimezone(UTC), WARN, 24)
    assert [m.at for m in promised(autumn, WARN, 24)] == [m.at for m in in_utc]


@pytest.mark.parametrize(
    ("waited", "stage"),
    [
        (timedelta(hours=12) - TICK, None),
        (timedelta(hours=12), 0),
        (timedelta(hours=20) - TICK, 0),
        (timedelta(hours=20), 1),
        (timedelta(hours=23), 2),
        (timedelta(hours=24) - TICK, 2),
        (timedelta(hours=24), 3),
        (timedelta(days=30), 3),
    ],
)
def test_of_what_has_passed_only_the_worst_is_said(waited: timedelta, stage: int | None) -> None:
    moments = promised(STARTED, WARN, 24)
    said = clocks.passed(moments, STARTED + waited)
    assert (said.stage if said else None) == stage


@given(instants, st.lists(hours, max_size=5), hours, hours)
def test_every_moment_is_either_behind_or_ahead(
    started: datetime, warn: list[float], limit: float, waited: float
) -> None:
    now = started + timedelta(hours=waited)
    moments = promised(started, sorted(warn), limit)
    said, upcoming = clocks.passed(moments, now), clocks.next_after(moments, now)
    assert said is None or said.at <= now
    assert upcoming is None or upcoming > now
    behind = [m for m in moments if m.at <= now]
    assert (said is None) == (not behind)
    assert (upcoming is None) == (len(behind) == len(moments))


@given(instants, st.lists(hours, max_size=5, unique=True), hours)
def test_walking_from_moment_to_moment_meets_each_once(
    started: datetime, warn: list[float], limit: float
) -> None:
    """What the tick does: look, say, set the next look. It ends, and leaves nothing out."""
    moments = promised(started, sorted(warn), limit)
    seen, look = set(), started
    while (upcoming := clocks.next_after(moments, look)) is not None:
        assert upcoming > look
        look = upcoming
        seen.add(look)
    assert seen == {m.at for m in moments}


# --- kept or not ---------------------------------------------------------------------------------


DUE = STARTED + timedelta(hours=24)


@pytest.mark.parametrize(
    ("met_at", "now", "verdict"),
    [
        (DUE, DUE, "met"),  # exactly in time is in time
        (DUE - TICK, DUE + timedelta(days=9), "met"),
        (DUE + TICK, DUE + timedelta(days=9), "missed"),
        (None, DUE - TICK, "open"),
        (None, DUE, "open"),  # there is still this instant
        (None, DUE + TICK, "missed"),
    ],
)
def test_the_edges_of_the_verdict(met_at: datetime | None, now: datetime, verdict: str) -> None:
    assert clocks.verdict(DUE, met_at, now) == verdict


@given(instants, hours, st.none() | hours, hours)
def test_a_verdict_once_settled_never_changes(
    started: datetime, limit: float, met_after: float | None, later: float
) -> None:
    due = clocks.due_at(started, limit)
    met_at = None if met_after is None else started + timedelta(hours=met_after)
    now = max(due, met_at or due)
    first = clocks.verdict(due, met_at, now + TICK)
    assert first == clocks.verdict(due, met_at, now + TICK + timedelta(hours=later))
    assert (first == "met") == (met_at is not None and met_at <= due)


# --- the second calculation: local wall clocks and the law's own rule, no zone database ----------


def around_the_changes(year: int) -> Iterator[datetime]:
    for change in changes(year):
        for half_hours in range(-96, 97):
            yield change + timedelta(minutes=30 * half_hours)


@cache
def changes(year: int) -> tuple[datetime, datetime]:
    """The last Sundays of March and October at 01:00 UTC (Summer Time Order 2002)."""
    return tuple(  # type: ignore[return-value]  # exactly two
        datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
        for day in (last_sunday(year, 3), last_sunday(year, 10))
    )


def last_sunday(year: int, month: int) -> date:
    weeks = calendar.monthcalendar(year, month)
    return date(year, month, max(week[calendar.SUNDAY] for week in weeks))


def hours_ahead(instant: datetime) -> int:
    """How many hours London's clocks are ahead of UTC at an aware instant."""
    spring, autumn = changes(instant.year)
    return 1 if spring <= instant < autumn else 0


def wall_clock(instant: datetime) -> datetime:
    """What a clock on a wall in London shows."""
    return instant.astimezone(UTC).replace(tzinfo=None) + timedelta(hours=hours_ahead(instant))


def by_hand(instant: datetime, elapsed_hours: int) -> datetime:
    """Watch a wall clock, quarter hour by quarter hour, and turn it when the law says so."""
    shown, passed = wall_clock(instant), instant
    for _ in range(elapsed_hours * 4):
        before = hours_ahead(passed)
        passed += timedelta(minutes=15)
        shown += timedelta(minutes=15) + timedelta(hours=hours_ahead(passed) - before)
    return shown
