"""When a promise is due, when to warn, and whether it was kept. Pure; called by desk/deadlines.

Hours are elapsed hours in UTC (A50: "including weekends and bank holidays"): nothing about them
knows a weekend, and clock changes move only what people are shown. Days, working days and months
are days where people are, and end at a time of day; the day of receipt is day 0 (domain.md §4).
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from helpline.rules.calendar import Calendar, TableEnds
from helpline.vocabulary import AlertKind, Unit

DAY_ENDS = time(23, 59, 59)


@dataclass(frozen=True)
class Limit:
    """`amount` of `unit`; `rolls`: a last day that is no working day becomes the next one."""

    amount: float
    unit: Unit
    day_ends: time = DAY_ENDS
    rolls: bool = False


@dataclass(frozen=True)
class Terms:
    """What is promised: the limit, or the sooner of two; a target before it; when to warn."""

    limit: Limit
    sooner: Limit | None = None
    target: Limit | None = None
    warn_after_hours: tuple[float, ...] = ()
    """Elapsed hours after the start."""
    warn_before_hours: tuple[float, ...] = ()
    """Elapsed hours before it is due."""


@dataclass(frozen=True)
class Plan:
    """A promise with its instants, in UTC."""

    started_at: datetime
    due_at: datetime
    target_at: datetime | None = None
    is_certain: bool = True
    """False beyond the table of bank holidays: due then or later, never sooner."""


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


def plan(terms: Terms, started_at: datetime, calendar: Calendar) -> Plan:
    """When what began at an aware instant is due. Beyond the table of bank holidays the answer is
    the earliest it can be, and says that it is not certain."""
    try:
        return _plan(terms, started_at, calendar, is_certain=True)
    except TableEnds:
        wider = calendar.beyond(calendar.day_of(started_at))
        return _plan(terms, started_at, wider, is_certain=False)


def _plan(terms: Terms, started_at: datetime, calendar: Calendar, *, is_certain: bool) -> Plan:
    ends = [
        ends_at(started_at, limit, calendar)
        for limit in (terms.limit, terms.sooner)
        if limit is not None
    ]
    target = ends_at(started_at, terms.target, calendar) if terms.target else None
    due = min(ends)
    return Plan(started_at.astimezone(UTC), due, min(target, due) if target else None, is_certain)


def ends_at(started_at: datetime, limit: Limit, calendar: Calendar) -> datetime:
    """The instant, in UTC, at which one limit is reached. Raises TableEnds where it takes a bank
    holiday that nobody knows yet."""
    if limit.unit is Unit.ELAPSED_HOURS:
        return due_at(started_at, limit.amount)
    if limit.unit is Unit.AT_ONCE:
        return started_at.astimezone(UTC) + timedelta(minutes=limit.amount)
    if limit.unit is Unit.OPEN_HOURS:
        return calendar.after_open(started_at, timedelta(hours=limit.amount))
    last = _last_day(calendar.day_of(started_at), limit, calendar)
    return calendar.end_of(last, limit.day_ends)


def _last_day(day: date, limit: Limit, calendar: Calendar) -> date:
    count = int(limit.amount)
    match limit.unit:
        case Unit.WORKING_DAYS:
            return calendar.working_days_after(day, count)
        case Unit.FIRST_WORKING_DAY_AFTER:
            return calendar.working_days_after(day, 1)
        case Unit.WORKING_DAYS_BEFORE:
            return calendar.working_days_before(day, count)
        case Unit.CALENDAR_MONTHS:
            last = months_after(day, count)
        case _:
            last = day + timedelta(days=count)
    return calendar.working_day_from(last) if limit.rolls else last


def months_after(day: date, count: int) -> date:
    """The same day of a later month, or that month's last day (domain.md §7, a subject access
    request: received 31 January, due 28 February)."""
    months = day.year * 12 + day.month - 1 + count
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def moments(
    terms: Terms, started_at: datetime, due: datetime, target: datetime | None = None
) -> tuple[Moment, ...]:
    """The warnings in order, then the breach. From the instants a deadline was given when it
    started, so that a later change of the contract moves no promise already made. A passed target
    warns like any other warning; what would come with the breach or before the start does not."""
    ats = {due_at(started_at, hours) for hours in terms.warn_after_hours}
    ats |= {due_at(due, -hours) for hours in terms.warn_before_hours}
    if target is not None:
        ats.add(target)
    warnings = sorted(at for at in ats if started_at < at < due)
    return (
        *(Moment(at, AlertKind.WARNING, stage) for stage, at in enumerate(warnings)),
        Moment(due, AlertKind.BREACH, len(warnings)),
    )


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
