"""Whom an alert asks next, by which way, and when to leave somebody in peace. Pure; called by
desk/escalation, which knows who is on call and does the asking.

Spec of the seed for a person on call: their own means, then again, then the next rung, round and
round, until somebody takes it; taking it and doing nothing gives it back.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpline.vocabulary import AlertKind

MEANS = ("telegram", "sms", "voice", "email")
"""Every way to somebody on call, in the order of who has said nothing about it."""
QUIET = timedelta(minutes=5)
"""After one message nothing less than an emergency sends another: it joins the next one."""
QUIET_IN_EMERGENCY = timedelta(minutes=1)


OFFICE = (time(9), time(16))
"""Local hours in which what can wait is said."""


def preferred(wish: str) -> tuple[str, ...]:
    """Somebody's own order ("sms,telegram"); what they do not name comes after, so that a wish
    never makes anybody unreachable. Words that are no means are passed over."""
    wished = [word for word in wish.split(",") if word in MEANS]
    return tuple(dict.fromkeys([*wished, *MEANS]))


def ways(
    wish: str, working: Mapping[str, str], asked_before: int, kind: AlertKind
) -> tuple[str, ...]:
    """The means by which to ask now: for what is loud all that work, else one, and at each further
    asking about the same alert the next one. `working`: means → address. Empty: unreachable."""
    usable = [means for means in preferred(wish) if working.get(means)]
    if kind.is_loud or not usable:
        return tuple(usable)
    return (usable[asked_before % len(usable)],)


def quiet_until(
    kind: AlertKind,
    last_message: datetime | None,
    last_emergency: datetime | None,
    between_rungs: timedelta,
) -> datetime | None:
    """Until when somebody just written to is left in peace; None when they may be asked. Never
    longer than the contract's pause between two rungs."""
    if kind.is_loud:
        last, pause = last_emergency, QUIET_IN_EMERGENCY
    else:
        last, pause = last_message, QUIET
    return None if last is None else last + min(pause, between_rungs)


def next_rung(people: Sequence[bool], rung: int) -> int | None:
    """The first rung with somebody to ask, from `rung` on, round and round; None after a whole
    round with nobody. `people`: for each rung of the ladder whether it has anybody."""
    for step in range(len(people)):
        if people[(rung + step) % len(people)]:
            return rung + step
    return None


def office_time(at: datetime, zone: str, is_working: Callable[[date], bool]) -> datetime:
    """`at` itself when it falls into the office hours of a working day; else the next time they
    begin. For what is no reason to wake anybody."""
    local = at.astimezone(ZoneInfo(zone))
    day = local.date()
    if is_working(day) and local.time() < OFFICE[1]:
        if local.time() >= OFFICE[0]:
            return at
    else:
        day += timedelta(days=1)
    while not is_working(day):
        day += timedelta(days=1)
    return datetime.combine(day, OFFICE[0], ZoneInfo(zone)).astimezone(UTC)
