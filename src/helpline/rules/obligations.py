"""What a contract owes again and again: a rule and a calendar → the days on which it is due, and
the days on which somebody hears of it.

Called by desk/obligations. Pure: a rule is data of the contract, days are arguments. Beyond the
table of bank holidays a day is the earliest it can be, and says that it is not certain.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from helpline.rules import periods
from helpline.rules.calendar import Calendar, TableEnds
from helpline.rules.clocks import months_after

Every = Literal["week", "month", "two_months", "quarter", "half_year", "year", "when_named"]
"""How often. A week is Monday to Sunday; all but it and the month follow the contract's own year;
"when_named": a person gives each day, because nothing says it before (the day of a meeting)."""
Anchor = Literal["first_day", "last_day"]
OffsetUnit = Literal["working_days", "calendar_days", "months"]

MONTHS: Final[dict[str, int]] = {
    "month": 1,
    "two_months": 2,
    "quarter": 3,
    "half_year": 6,
    "year": 12,
}
WEEK: Final = timedelta(days=7)
LATE_AGAIN: Final = timedelta(days=7)
"""What is late is said the day after, then every week."""


@dataclass(frozen=True)
class Recurring:
    """When something is owed. `anchor`: the first or the last day of each period, or `on` (month,
    day) in it; then `amount` of `unit` later, or earlier where it is negative. `rolls`: a day that
    is no working day becomes the next one. `skips_last_of_month`, of what is owed every week: not
    in the week that is the last of its month by the day on which it is due."""

    every: Every
    anchor: Anchor = "last_day"
    on: tuple[int, int] | None = None
    amount: int = 0
    unit: OffsetUnit = "working_days"
    rolls: bool = False
    skips_last_of_month: bool = False


@dataclass(frozen=True)
class Owed:
    """One thing owed. `for_day` names it for ever: the last day of its period, or the named day."""

    for_day: date
    due_on: date
    is_certain: bool = True


def owed_between(
    rule: Recurring, calendar: Calendar, year_starts_month: int, first: date, last: date
) -> list[Owed]:
    """Everything of which the period ends between two days, both included, in order. A rule that
    waits for a named day owes nothing by itself."""
    if rule.every == "when_named":
        return []
    found = list[Owed]()
    for start, end in _periods(rule.every, year_starts_month, first, last):
        owed = _owed(rule, calendar, start, end)
        if not (rule.skips_last_of_month and (owed.due_on + WEEK).month != owed.due_on.month):
            found.append(owed)
    return found


def owed_for(rule: Recurring, calendar: Calendar, named: date) -> Owed:
    """What a named day owes: the day of a meeting, of a change, of another obligation."""
    due, is_certain = moved(named, rule, calendar)
    return Owed(named, due, is_certain)


def moved(day: date, rule: Recurring, calendar: Calendar) -> tuple[date, bool]:
    """`day` and the rule's amount of days, and whether every bank holiday between is known."""
    if rule.unit != "working_days" and not rule.rolls:
        return _amount_after(day, rule, calendar), True
    try:
        return _amount_after(day, rule, calendar), True
    except TableEnds:
        return _amount_after(day, rule, calendar.beyond(day)), False


def days_to_say(due_on: date, warn_days: Collection[int], owed_since: date) -> list[date]:
    """The days on which its owner hears before it is late: the warnings that come after it was
    written down, and the day itself."""
    days = {due_on - timedelta(days=ahead) for ahead in warn_days} | {due_on}
    return sorted(day for day in days if day >= owed_since or day == due_on)


def is_said_no_more(every: Every, due_on: date, after: date) -> bool:
    """Whether nobody is told of it again after that day: what is owed every week is said once when
    it is late, because by then the next is due; it goes on standing in the calendar."""
    return every == "week" and after > due_on


def next_day_to_say(due_on: date, warn_days: Collection[int], after: date) -> date:
    """When somebody hears next, after `after`: a warning, the day itself, the day after, and then
    every week until it is done."""
    ahead = [day for day in days_to_say(due_on, warn_days, after) if day > after]
    if ahead:
        return ahead[0]
    late = due_on + timedelta(days=1)
    while late <= after:
        late += LATE_AGAIN
    return late


def _owed(rule: Recurring, calendar: Calendar, start: date, end: date) -> Owed:
    if rule.on is not None:
        anchor = _within(rule.on, start, end)
    else:
        anchor = start if rule.anchor == "first_day" else end
    due, is_certain = moved(anchor, rule, calendar)
    return Owed(end, due, is_certain)


def _amount_after(day: date, rule: Recurring, calendar: Calendar) -> date:
    if rule.unit == "months":
        found = months_after(day, rule.amount)
    elif rule.unit == "calendar_days":
        found = day + timedelta(days=rule.amount)
    else:
        found = _working(day, rule.amount, calendar)
    return calendar.working_day_from(found) if rule.rolls else found


def _periods(
    every: Every, year_starts_month: int, first: date, last: date
) -> Iterator[tuple[date, date]]:
    """The first and the last day of every period that ends between two days, both included."""
    is_week = every == "week"
    length = 0 if is_week else MONTHS[every]
    start = _monday(first) if is_week else _period_start(first, length, year_starts_month)
    while start <= last:
        following = start + WEEK if is_week else months_after(start, length)
        end = following - timedelta(days=1)
        if first <= end <= last:
            yield start, end
        start = following


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _within(on: tuple[int, int], start: date, end: date) -> date:
    """The day of the year that lies in a period; the period's end where none does."""
    for year in (start.year, end.year):
        found = date(year, on[0], 1) + timedelta(days=on[1] - 1)  # 29 February may be 1 March
        if start <= found <= end:
            return found
    return end


def _period_start(day: date, length: int, year_starts_month: int) -> date:
    """The first day of the period of so many months in which `day` lies."""
    year = periods.period_containing(day, periods.ANNUAL, year_starts_month).start
    months = (day.year - year.year) * 12 + day.month - year.month
    return months_after(year, months // length * length)


def _working(day: date, amount: int, calendar: Calendar) -> date:
    if amount < 0:
        return calendar.working_days_before(day, -amount)
    return calendar.working_days_after(day, amount)
