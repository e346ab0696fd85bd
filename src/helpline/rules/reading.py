"""What is unusual reading: far more cases in an hour than this person and the others ever read,
cases somebody has no part in at night while not on call, and looking for many and opening none.

Pure: counts and a contract's limits in, a decision out. It accuses nobody: a person looks at it.
Called by desk/watching.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from statistics import median
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    """What was unusual."""

    MANY = "many"
    NIGHT = "night"
    SEARCHES = "searches"


@dataclass(frozen=True)
class Limits:
    """A contract's own (contract/parts.Reading)."""

    cases_in_hour: int
    times_usual: int
    at_night: int
    searches_in_hour: int
    opened_at_least: int
    night_from: time
    night_to: time


@dataclass(frozen=True)
class Hour:
    """What one person did in the last hour: cases opened, of these those they have no part in,
    searches made. `is_on_call`: they stood in for whatever came."""

    cases: int
    strange: int
    searches: int
    is_on_call: bool


def usual(own: Sequence[int], others: Sequence[Sequence[int]]) -> int:
    """How many cases somebody opens in their busiest hour of a day, as a rule: their own middle
    day, or that of the busiest colleague's where it is more. Each list is one number a day."""
    return max((round(median(days)) for days in (own, *others) if days), default=0)


def suspects(hour: Hour, limits: Limits) -> bool:
    """Whether it is worth working out what is usual."""
    return hour.cases >= limits.cases_in_hour


def unusual(
    hour: Hour, usually: int, limits: Limits, now: datetime, zone: str
) -> list[tuple[Kind, int]]:
    """Each kind that this hour shows, with the count that shows it."""
    found = []
    if hour.cases >= max(limits.cases_in_hour, limits.times_usual * usually + 1):
        found.append((Kind.MANY, hour.cases))
    if hour.strange >= limits.at_night and not hour.is_on_call and is_night(now, zone, limits):
        found.append((Kind.NIGHT, hour.strange))
    if hour.searches >= limits.searches_in_hour and hour.cases < limits.opened_at_least:
        found.append((Kind.SEARCHES, hour.searches))
    return found


def is_night(now: datetime, zone: str, limits: Limits) -> bool:
    """By the contract's own clock; a night may pass midnight."""
    shown = now.astimezone(ZoneInfo(zone)).time()
    if limits.night_from <= limits.night_to:
        return limits.night_from <= shown < limits.night_to
    return shown >= limits.night_from or shown < limits.night_to
