"""By when a request about somebody's data is answered: one calendar month, three when that was told
in the first, later by the days on which we waited for them (domain.md §7). Pure.

The day a request comes is day 0; the same day of the next month, or that month's last, is the last
one, and one that is no working day becomes the next that is. Called by desk/rights/requests.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from helpline.rules.calendar import Calendar, TableEnds
from helpline.rules.clocks import DAY_ENDS, months_after

MONTHS: Final = 1
LONGER: Final = 3
"""With the two months more that are allowed where it is complex, or one of many."""
LONGEST_WAIT: Final = timedelta(days=366)


@dataclass(frozen=True)
class Pause:
    """From the day on which they were asked for something to the day on which it came."""

    asked: date
    answered: date | None = None


@dataclass(frozen=True)
class Due:
    """When the answer is owed at the latest, in UTC; `is_certain` False beyond the table of bank
    holidays: then or later."""

    at: datetime
    is_certain: bool = True


def last_day(received: date, months: int, pauses: Sequence[Pause] = ()) -> date | None:
    """The last day before weekends are looked at; None while the clock stands still. Days waited
    are added; but nobody has longer than the whole time from the day on which the last thing came
    (DPA 2018 as amended in 2025: the time begins when it is here)."""
    if any(one.answered is None for one in pauses):
        return None
    first = months_after(received, months)
    answers = [one.answered for one in pauses if one.answered is not None]
    if not answers:
        return first
    return min(first + timedelta(days=days_waited(pauses)), months_after(max(answers), months))


def days_waited(pauses: Iterable[Pause]) -> int:
    """The days on which the clock stood still, each once however many things we waited for."""
    days: set[date] = set()
    for one in pauses:
        if one.answered is not None:
            span = range((one.answered - one.asked).days)
            days |= {one.asked + timedelta(days=number) for number in span}
    return len(days)


def due(received: date, months: int, pauses: Sequence[Pause], calendar: Calendar) -> Due | None:
    """The instant by which they are answered; None while the clock stands still."""
    last = last_day(received, months, pauses)
    if last is None:
        return None
    try:
        return Due(calendar.end_of(calendar.working_day_from(last), DAY_ENDS))
    except TableEnds:
        wider = calendar.beyond(last)
        return Due(wider.end_of(wider.working_day_from(last), DAY_ENDS), is_certain=False)


def may_be_extended(
    received: date, pauses: Sequence[Pause], today: date, calendar: Calendar
) -> bool:
    """Whether two months more can still be taken: they hear of it within the first."""
    first = due(received, MONTHS, pauses, calendar)
    return first is not None and today <= calendar.day_of(first.at)
