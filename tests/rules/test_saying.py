"""Times as people say them: around midnight, noon, the turn of the year and both clock changes."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules import saying
from helpline.vocabulary import Unit

ZONE = "Europe/London"
LONDON = ZoneInfo(ZONE)
instants = st.integers(1_577_836_800, 2_840_140_800).map(lambda s: datetime.fromtimestamp(s, UTC))


def london(text: str) -> datetime:
    """A wall clock's time in London; "(late)" means the second of an hour that comes twice."""
    plain = text.removesuffix(" (late)")
    return datetime.fromisoformat(plain).replace(tzinfo=LONDON, fold=int(plain != text))


# --- for a text message --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "now", "said"),
    [
        ("2026-11-03 18:40", "2026-11-03 09:00", "6.40 pm today"),
        ("2026-11-04 02:15", "2026-11-03 02:15", "2.15 am tomorrow, Wednesday"),
        ("2026-11-03 09:00", "2026-11-01 09:00", "9 am on Tuesday 3 November"),
        ("2026-11-04 12:00", "2026-11-03 12:00", "12 noon tomorrow, Wednesday"),
        ("2026-11-04 12:01", "2026-11-03 12:01", "12.01 pm tomorrow, Wednesday"),
        ("2026-11-04 00:01", "2026-11-03 00:01", "12.01 am tomorrow, Wednesday"),
        # which day would midnight belong to? Say the minute before: it is on nobody's wrong day
        ("2026-11-04 00:00", "2026-11-03 00:00", "11.59 pm today"),
        ("2026-11-04 00:00", "2026-11-02 23:59", "11.59 pm tomorrow, Tuesday"),
        # the turn of the year
        ("2027-01-01 09:05", "2026-12-31 09:05", "9.05 am tomorrow, Friday"),
        ("2027-01-02 09:05", "2026-12-31 09:05", "9.05 am on Saturday 2 January"),
        ("2027-01-01 00:00", "2026-12-31 00:00", "11.59 pm today"),
    ],
)
def test_by_when(due: str, now: str, said: str) -> None:
    assert saying.by_when(london(due), london(now), ZONE) == said


@pytest.mark.parametrize(
    ("received", "said"),
    [
        # autumn: Sunday 25 October 2026 has 25 hours
        ("2026-10-24 18:00", "5 pm tomorrow, Sunday"),
        ("2026-10-24 01:30", "1.30 am tomorrow, Sunday"),
        ("2026-10-24 02:30", "1.30 am tomorrow, Sunday"),  # the hour that comes twice: said alike
        ("2026-10-24 03:30", "2.30 am tomorrow, Sunday"),
        ("2026-10-25 00:30", "11.30 pm today"),
        ("2026-10-25 01:30", "12.30 am tomorrow, Monday"),  # before the change: 24 h later is GMT
        ("2026-10-25 01:30 (late)", "1.30 am tomorrow, Monday"),
        # spring: Sunday 28 March 2027 has 23 hours
        ("2027-03-27 18:00", "7 pm tomorrow, Sunday"),
        ("2027-03-27 00:30", "12.30 am tomorrow, Sunday"),
        ("2027-03-27 01:30", "2.30 am tomorrow, Sunday"),
        ("2027-03-28 00:30", "1.30 am tomorrow, Monday"),
        ("2027-03-27 23:30", "12.30 am on Monday 29 March"),
    ],
)
def test_24_hours_over_both_clock_changes(received: str, said: str) -> None:
    now = london(received).astimezone(UTC)
    assert saying.by_when(now + timedelta(hours=24), now, ZONE) == said


@given(instants, st.integers(1, 60 * 24 * 10))
def test_what_is_said_can_be_read_back(now: datetime, minutes: int) -> None:
    """A person who reads the words with a calendar in hand arrives at the promised minute."""
    due = (now + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    said = saying.by_when(due, now, ZONE)
    understood = read_back(said, now.astimezone(LONDON))
    local = due.astimezone(LONDON).replace(tzinfo=None)
    assert timedelta() <= local - understood <= timedelta(minutes=1)


@given(instants)
def test_no_time_is_ever_said_as_13_or_0(instant: datetime) -> None:
    said = saying.clock_time(instant.astimezone(LONDON))
    assert re.fullmatch(r"12 noon|12 midnight|(1[0-2]|[1-9])(\.[0-5][0-9])? [ap]m", said)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("00:00", "12 midnight"),
        ("00:01", "12.01 am"),
        ("09:00", "9 am"),
        ("11:59", "11.59 am"),
        ("12:00", "12 noon"),
        ("12:05", "12.05 pm"),
        ("18:40", "6.40 pm"),
        ("23:59", "11.59 pm"),
    ],
)
def test_clock_time(time: str, said: str) -> None:
    assert saying.clock_time(london(f"2026-11-03 {time}")) == said


# --- for the console -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instant", "now", "said"),
    [
        ("2026-11-03 14:05", "2026-11-03 09:00", "today 14:05"),
        ("2026-11-03 00:00", "2026-11-03 23:59", "today 00:00"),
        ("2026-11-04 09:10", "2026-11-03 23:59", "tomorrow 09:10"),
        ("2026-11-02 23:59", "2026-11-03 00:00", "yesterday 23:59"),
        ("2026-11-09 17:00", "2026-11-03 09:00", "Monday 9 Nov 17:00"),
        ("2026-11-10 17:00", "2026-11-03 09:00", "10 Nov 17:00"),
        ("2026-10-28 17:00", "2026-11-03 09:00", "Wednesday 28 Oct 17:00"),
        ("2026-10-27 17:00", "2026-11-03 09:00", "27 Oct 17:00"),
        ("2027-01-01 00:30", "2026-12-31 23:30", "tomorrow 00:30"),
        ("2026-12-20 09:00", "2027-01-03 09:00", "20 Dec 2026 09:00"),
        ("2026-10-25 01:30 (late)", "2026-10-24 18:00", "tomorrow 01:30"),
    ],
)
def test_when(instant: str, now: str, said: str) -> None:
    assert saying.when(london(instant), london(now), ZONE) == said


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(hours=3), "due in 3 h, today 12:00"),
        (timedelta(), "due in 0 min, today 09:00"),
        (-timedelta(minutes=130), "overdue by 2 h 10 min, since today 06:50"),
    ],
)
def test_due(left: timedelta, said: str) -> None:
    now = london("2026-11-03 09:00")
    assert saying.due(now.astimezone(UTC) + left, now, ZONE) == said


def test_what_is_due_over_the_autumn_night_counts_the_hour_that_comes_twice() -> None:
    now = london("2026-10-24 18:00").astimezone(UTC)
    assert saying.due(now + timedelta(hours=24), now, ZONE) == "due in 24 h, tomorrow 17:00"


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_ago(passed: timedelta, said: str) -> None:
    now = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    assert saying.ago(now - passed, now) == said


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 min"),
        (59, "59 min"),
        (60, "1 h"),
        (61, "1 h 1 min"),
        (179, "2 h 59 min"),
        (180, "3 h"),
        (239, "3 h"),
        (24 * 60, "24 h"),
        (47 * 60 + 59, "47 h"),
        (48 * 60, "2 days"),
        (72 * 60 - 1, "2 days"),
    ],
)
def test_span(minutes: int, said: str) -> None:
    assert saying.span(timedelta(minutes=minutes)) == said


# --- reading back --------------------------------------------------------------------------------


def read_back(said: str, now: datetime) -> datetime:
    """The wall clock's time that these words mean to somebody who reads them at `now`."""
    time, day = re.split(r" (?=today|tomorrow|on )", said, maxsplit=1)
    hour, minute = _hour_and_minute(time)
    if day == "today":
        meant = now.date()
    elif day.startswith("tomorrow, "):
        meant = now.date() + timedelta(days=1)
        assert f"{meant:%A}" == day.removeprefix("tomorrow, ")
    else:
        following = (now.date() + timedelta(days=days) for days in range(2, 20))
        meant = next(d for d in following if f"on {d:%A} {d.day} {d:%B}" == day)
    return datetime.combine(meant, datetime.min.time()).replace(hour=hour, minute=minute)


def _hour_and_minute(time: str) -> tuple[int, int]:
    if time == "12 noon":
        return 12, 0
    digits, half = time.split(" ")
    hour, _, minute = digits.partition(".")
    return int(hour) % 12 + (12 if half == "pm" else 0), int(minute or 0)


def test_in_another_language_figures_and_never_midnight() -> None:
    assert saying.in_figures(datetime(2026, 11, 24, 18, 40, tzinfo=UTC), ZONE) == "24/11/2026 18:40"
    assert saying.in_figures(datetime(2026, 7, 1, 23, 0, tzinfo=UTC), ZONE) == "01/07/2026 23:59"


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [
        (0, Unit.AT_ONCE, "at once"),
        (30, Unit.AT_ONCE, "at once, within 30 min"),
        (1, Unit.FIRST_WORKING_DAY_AFTER, "by the end of the first working day after"),
        (1, Unit.WORKING_DAYS_BEFORE, "1 working day before"),
        (10, Unit.WORKING_DAYS_BEFORE, "10 working days before"),
        (0, Unit.CALENDAR_DAYS, "on the same day"),
        (30, Unit.CALENDAR_DAYS, "within 30 days"),
        (1, Unit.OPEN_HOURS, "within 1 hour, closed days not counted"),
        (48, Unit.OPEN_HOURS, "within 48 hours, closed days not counted"),
        (24, Unit.ELAPSED_HOURS, "within 24 hours"),
        (1, Unit.CALENDAR_MONTHS, "within 1 month"),
        (2.5, Unit.ELAPSED_HOURS, "within 2.5 hours"),
    ],
)
def test_a_limit_in_words(amount: float, unit: Unit, said: str) -> None:
    assert saying.within(amount, unit) == said
