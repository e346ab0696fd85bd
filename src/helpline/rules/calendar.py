"""Which days count: England's working days from a dated table, and a contract's closed days.

Called by rules/clocks.py. Pure: the table is an argument, so a proclamation is a line of data
(contracts/calendars/). Beyond the table the answer is not guessed: `TableEnds` says so, and
`beyond` gives the calendar that makes every promise fall no later than the truth.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


class TableEnds(ValueError):
    """A day was asked about that the table of bank holidays does not know."""

    def __init__(self, day: date, first: date, last: date) -> None:
        super().__init__(f"bank holidays are known from {first} to {last}, not on {day}")


@dataclass(frozen=True)
class Holidays:
    """The bank holidays between two days, both included; of other days nothing is known."""

    days: frozenset[date]
    first: date
    last: date

    @cached_property
    def working(self) -> list[int]:
        """The ordinals of all working days of the table, in order: Monday to Friday, no holiday."""
        span = range(self.first.toordinal(), self.last.toordinal() + 1)
        off = {day.toordinal() for day in self.days}
        return [day for day in span if day % 7 not in (6, 0) and day not in off]

    def know(self, day: date) -> None:
        """TableEnds when `day` is not in the table."""
        if not self.first <= day <= self.last:
            raise TableEnds(day, self.first, self.last)


@dataclass(frozen=True)
class Calendar:
    """A contract's days. `closed_each_year`: (month, day) on which it is closed whatever the
    weekday (004 "excluding bank holidays and Christmas Day and Boxing Day", D13)."""

    holidays: Holidays
    closed_on_holidays: bool = False
    closed_each_year: frozenset[tuple[int, int]] = frozenset()
    zone: str = "Europe/London"

    def day_of(self, instant: datetime) -> date:
        """The day it is where people are."""
        return instant.astimezone(ZoneInfo(self.zone)).date()

    def end_of(self, day: date, at: time) -> datetime:
        """The instant, in UTC, at which `day` ends for a promise."""
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)

    def is_working(self, day: date) -> bool:
        self.holidays.know(day)
        return day.weekday() < 5 and day not in self.holidays.days

    def working_days_after(self, day: date, count: int) -> date:
        """The `count`th working day after `day`, which is day 0 whatever it is (domain.md §4).
        Counting none gives the day itself."""
        self.holidays.know(day)
        working = self.holidays.working
        place = bisect_right(working, day.toordinal()) + count - 1
        if count == 0:
            return day
        if place >= len(working):
            raise TableEnds(self.holidays.last + DAY, self.holidays.first, self.holidays.last)
        return date.fromordinal(working[place])

    def working_days_before(self, day: date, count: int) -> date:
        """The mirror: the `count`th working day before `day`, which is day 0."""
        self.holidays.know(day)
        place = bisect_left(self.holidays.working, day.toordinal()) - count
        if count == 0:
            return day
        if place < 0:
            raise TableEnds(self.holidays.first - DAY, self.holidays.first, self.holidays.last)
        return date.fromordinal(self.holidays.working[place])

    def working_day_from(self, day: date) -> date:
        """`day` itself, or the first working day after it."""
        return day if self.is_working(day) else self.working_days_after(day, 1)

    def is_closed(self, day: date) -> bool:
        if (day.month, day.day) in self.closed_each_year:
            return True
        if not self.closed_on_holidays:
            return False
        self.holidays.know(day)
        return day in self.holidays.days

    def after_open(self, start: datetime, span: timedelta) -> datetime:
        """The instant, in UTC, by which `span` has passed since `start`, not counting closed days.
        Days are as long as they are: 23 and 25 hours on the nights the clocks change."""
        at, left = start.astimezone(UTC), span
        for day in _days_from(self.day_of(start)):
            midnight = self.end_of(day + DAY, time.min)
            if self.is_closed(day):
                at = midnight
            elif left <= midnight - at:
                return at + left
            else:
                left -= midnight - at
                at = midnight
        raise AssertionError("there is always another day")

    def beyond(self, day: date) -> "Calendar":
        """As if no further holiday were proclaimed, for three years around `day` as well: what is
        counted with it is due on the true day or before."""
        years = timedelta(days=1100)
        known = self.holidays
        first, last = min(known.first, day - years), max(known.last, day + years)
        return replace(self, holidays=Holidays(known.days, first, last))


def _days_from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += DAY
