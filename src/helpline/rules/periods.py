"""Reporting periods: which days a label such as 2026-27-Q1 means, and which instants those are.

Called by reports, imports and the command line. Pure: it reads no clock and no zone of the machine,
and knows no contract; the month in which the contract's year starts is an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

QUARTER: Final = "quarter"
ANNUAL: Final = "annual"

_LABEL: Final = re.compile(r"(20[0-9]{2})-([0-9]{2})(?:-Q([1-4]))?")
_LABEL_HELP: Final = (
    "A year is written 2026-27 and a quarter 2026-27-Q1 (Q1 to Q4): the first number is the year "
    "in which the contract's year starts, the second the year after it."
)


class BadPeriod(ValueError):
    """The label, the kind or the month names no period; the sentence says what one looks like."""


@dataclass(frozen=True)
class Period:
    """Days from `start` to `end`, the last day included, in the contract's own zone."""

    label: str
    start: date
    end: date
    kind: str  # QUARTER or ANNUAL

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def period(label: str, year_starts_month: int) -> Period:
    """The period a label names: "2026-27" is a whole year, "2026-27-Q1" its first three months.

    Both numbers are written even where the year starts in January. Raises BadPeriod.
    """
    _check_month(year_starts_month)
    match = _LABEL.fullmatch(label.strip().upper())
    if match is None or (int(match[1]) + 1) % 100 != int(match[2]):
        raise BadPeriod(f"“{label[:40]}” is not a period. {_LABEL_HELP}")
    year = int(match[1])
    if match[3] is None:
        return _year(year, year_starts_month)
    return _quarter(year, year_starts_month, int(match[3]))


def period_containing(day: date, kind: str, year_starts_month: int) -> Period:
    """The quarter or the year (`kind`: "quarter" or "annual") in which a day lies."""
    _check_month(year_starts_month)
    year = day.year if day.month >= year_starts_month else day.year - 1
    if kind == ANNUAL:
        return _year(year, year_starts_month)
    if kind == QUARTER:
        return _quarter(year, year_starts_month, (day.month - year_starts_month) % 12 // 3 + 1)
    raise BadPeriod(f"“{kind[:40]}” is not a kind of period: it is either quarter or annual.")


def previous(current: Period) -> Period:
    """The period of the same kind that ends the day before this one starts."""
    return period_containing(current.start - timedelta(days=1), current.kind, _start_month(current))


def following(current: Period) -> Period:
    """The period of the same kind that starts the day after this one ends."""
    return period_containing(current.end + timedelta(days=1), current.kind, _start_month(current))


def quarters(year: Period) -> tuple[Period, ...]:
    """The four quarters of an annual period, in order."""
    if year.kind != ANNUAL:
        raise BadPeriod(f"{year.label} is not a year, so it has no quarters.")
    return tuple(_quarter(year.start.year, year.start.month, number) for number in (1, 2, 3, 4))


def bounds(period: Period, zone: str) -> tuple[datetime, datetime]:
    """The period as UTC instants, first included and last excluded: local midnights of `zone`.

    A quarter that holds a clock change is an hour shorter or longer, and the hour counts.
    """
    return _midnight(period.start, zone), _midnight(period.end + timedelta(days=1), zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _year(year: int, month: int) -> Period:
    end = date(year + 1, month, 1) - timedelta(days=1)
    return Period(_year_label(year), date(year, month, 1), end, ANNUAL)


def _quarter(year: int, month: int, number: int) -> Period:
    start = _months_later(year, month, 3 * (number - 1))
    end = _months_later(year, month, 3 * number) - timedelta(days=1)
    return Period(f"{_year_label(year)}-Q{number}", start, end, QUARTER)


def _months_later(year: int, month: int, months: int) -> date:
    years, index = divmod(month - 1 + months, 12)
    return date(year + years, index + 1, 1)


def _year_label(year: int) -> str:
    return f"{year}-{(year + 1) % 100:02d}"


def _start_month(current: Period) -> int:
    """The month the year starts in, read back from a period's own label and first day."""
    if current.kind == ANNUAL:
        return current.start.month
    return (current.start.month - 1 - 3 * (int(current.label[-1]) - 1)) % 12 + 1


def _check_month(month: int) -> None:
    if not 1 <= month <= 12:
        raise BadPeriod(f"A year cannot start in month {month}: months are 1 to 12.")
