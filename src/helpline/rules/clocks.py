"""When a promise is due, when to warn, and whether it was kept. Pure; called by desk/deadlines.

24 hours are elapsed hours in UTC (A50: "including weekends and bank holidays"): nothing here knows
a weekend, and clock changes move only what people are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from helpline.vocabulary import AlertKind


@dataclass(frozen=True, order=True)
class Moment:
    """An instant at which somebody must hear about a promise; `stage` counts warnings from 0."""

    at: datetime
    kind: AlertKind
    stage: int


def due_at(started_at: datetime, limit_hours: float) -> datetime:
    """`limit_hours` elapsed hours after an aware instant, in UTC: adding hours to a time in a zone
    would move its wall clock and not count the hour that a clock change gives or takes."""
    return started_at.astimezone(UTC) + timedelta(hours=limit_hours)


def moments(
    started_at: datetime, warn_after_hours: Sequence[float], limit_hours: float
) -> tuple[Moment, ...]:
    """The warnings in order, then the breach."""
    warnings = (
        Moment(due_at(started_at, hours), AlertKind.WARNING, stage)
        for stage, hours in enumerate(warn_after_hours)
    )
    breach = Moment(due_at(started_at, limit_hours), AlertKind.BREACH, len(warn_after_hours))
    return (*warnings, breach)


def passed(all_moments: Sequence[Moment], now: datetime) -> Moment | None:
    """The latest moment that has come: after an outage only the worst is worth saying."""
    return max((moment for moment in all_moments if moment.at <= now), default=None)


def next_after(all_moments: Sequence[Moment], now: datetime) -> datetime | None:
    """When to look again; None when nothing is left to say."""
    return min((moment.at for moment in all_moments if moment.at > now), default=None)


def verdict(due: datetime, met_at: datetime | None, now: datetime) -> str:
    """`met`, `missed` or `open`. Meeting it exactly on time is meeting it; a promise neither met
    nor due is open."""
    if met_at is not None:
        return "met" if met_at <= due else "missed"
    return "open" if now <= due else "missed"
