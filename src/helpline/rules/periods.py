"""Reporting periods: which days a label such as 2026-27-Q1 means, and which instants those are.

Called by reports, imports and the command line. Pure: it reads no clock and no zone of the machine,
and knows no contract; the month in which the contract's year starts is an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MONTH: Final = "month"
QUARTER: Final = "quarter"
HALF_YEAR: Final = "half_year"
ANNUAL: Final = "annual"
KIND_OF: Final = {"month": MONTH, "quarter": QUARTER, "half_year": HALF_YEAR, "year": ANNUAL}
"""How often a report is owed → the kind of period it is about."""
EXAMPLES: Final = {
    "month": ("a month", "2026-M11"),
    "quarter": ("a quarter", "2026-27-Q1"),
    "half_year": ("half a year", "2026-27-H1"),
    "year": ("a whole year", "2026-27"),
}
MONTHS: Final = {MONTH: 1, QUARTER: 3, HALF_YEAR: 6, ANNUAL: 12}
"""How long a period of each kind is."""

_LABEL: Final = re.compile(r"(20[0-9]{2})-([0-9]{2})(?:-([QH])([1-4]))?")
_MONTH_LABEL: Final = re.compile(r"(20[0-9]{2})-M(0[1-9]|1[0-2])")
_LABEL_HELP: Final = (
    "A year is written 2026-27, a quarter 2026-27-Q1 (Q1 to Q4), half a year 2026-27-H1 (H1, H2): "
    "the first number is the year in which the contract's year starts, the second the year after "
    "it. A month is written 2026-M11."
)


class BadPeriod(ValueError):
    """The label, the kind or the month names no period; the sentence says what one looks like."""


@dataclass(frozen=True)
class Period:
    """Days from `start` to `end`, the last day included, in the contract's own zone."""

    label: str
    start: date
    end: date
    kind: str  # MONTH, QUARTER, HALF_YEAR or ANNUAL
    year_start: date  # the first day of the contract's year in which it lies

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def words(self) -> str:
        """A month by its name; quarters, half-years and years as they are called everywhere."""
        return f"{self.start:%B %Y}" if self.kind == MONTH else self.label


def period(label: str, year_starts_month: int) -> Period:
    """The period a label names: "2026-27" is a whole year, "2026-27-Q1" its first three months,
    "2026-27-H2" its last six, "2026-M11" one month.

    Both numbers of a year are written even where it starts in January. Raises BadPeriod.
    """
    _check_month(year_starts_month)
    said = label.strip().upper()
    if found := _MONTH_LABEL.fullmatch(said):
        day = date(int(found[1]), int(found[2]), 1)
        return period_containing(day, MONTH, year_starts_month)
    match = _LABEL.fullmatch(said)
    wrong = match is None or (int(match[1]) + 1) % 100 != int(match[2])
    if match is None or wrong or (match[3] == "H" and match[4] > "2"):
        raise BadPeriod(f"“{label[:40]}” is not a period. {_LABEL_HELP}")
    kind = {"Q": QUARTER, "H": HALF_YEAR, None: ANNUAL}[match[3]]
    return _made(kind, int(match[1]), year_starts_month, int(match[4] or 1))


def period_containing(day: date, kind: str, year_starts_month: int) -> Period:
    """The period of a kind ("month", "quarter", "half_year" or "annual") in which a day lies."""
    _check_month(year_starts_month)
    if kind not in MONTHS:
        kinds = "month, quarter, half_year or annual"
        raise BadPeriod(f"“{kind[:40]}” is not a kind of period: it is {kinds}.")
    year = day.year if day.month >= year_starts_month else day.year - 1
    months = (day.year - year) * 12 + day.month - year_starts_month
    return _made(kind, year, year_starts_month, months // MONTHS[kind] + 1)


def in_words(label: str) -> str:
    """What people read for a label: of a month its name."""
    return period(label, 1).words if "-M" in label else label


def previous(current: Period) -> Period:
    """The period of the same kind that ends the day before this one starts."""
    before = current.start - timedelta(days=1)
    return period_containing(before, current.kind, current.year_start.month)


def following(current: Period) -> Period:
    """The period of the same kind that starts the day after this one ends."""
    after = current.end + timedelta(days=1)
    return period_containing(after, current.kind, current.year_start.month)


def quarters(year: Period) -> tuple[Period, ...]:
    """The four quarters of an annual period, in order."""
    if year.kind != ANNUAL:
        raise BadPeriod(f"{year.label} is not a year, so it has no quarters.")
    return parts(year, QUARTER)


def parts(whole: Period, kind: str) -> tuple[Period, ...]:
    """The shorter periods of a kind that make up a period, in order; none of a longer kind."""
    found = []
    day = whole.start
    while MONTHS[kind] < MONTHS[whole.kind] and day <= whole.end:
        found.append(period_containing(day, kind, whole.year_start.month))
        day = found[-1].end + timedelta(days=1)
    return tuple(found)


def year_to_date(period: Period) -> Period:
    """From the first day of the contract's year to the period's last."""
    return replace(period, start=period.year_start)


def rolling_year(period: Period) -> Period:
    """The twelve months that end with the period."""
    after = period.end + timedelta(days=1)
    return replace(period, start=_months_later(after.year, after.month, -12))


def bounds(period: Period, zone: str) -> tuple[datetime, datetime]:
    """The period as UTC instants, first included and last excluded: local midnights of `zone`.

    A quarter that holds a clock change is an hour shorter or longer, and the hour counts.
    """
    return _midnight(period.start, zone), _midnight(period.end + timedelta(days=1), zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _made(kind: str, year: int, month: int, number: int) -> Period:
    """The `number`th period of a kind (from 1) in the contract's year that starts in `year`."""
    length = MONTHS[kind]
    start = _months_later(year, month, length * (number - 1))
    end = _months_later(year, month, length * number) - timedelta(days=1)
    labels = {
        MONTH: f"{start.year}-M{start.month:02d}",
        QUARTER: f"{_year_label(year)}-Q{number}",
        HALF_YEAR: f"{_year_label(year)}-H{number}",
        ANNUAL: _year_label(year),
    }
    return Period(labels[kind], start, end, kind, date(year, month, 1))


def _months_later(year: int, month: int, months: int) -> date:
    years, index = divmod(month - 1 + months, 12)
    return date(year + years, index + 1, 1)


def _year_label(year: int) -> str:
    return f"{year}-{(year + 1) % 100:02d}"


def _check_month(month: int) -> None:
    if not 1 <= month <= 12:
        raise BadPeriod(f"A year cannot start in month {month}: months are 1 to 12.")
