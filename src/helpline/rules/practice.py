"""The exercises of the practice helpline: what each asks for, and what has been done of it. Pure:
desk/practice says what happened, the words stand in templates/messages/en/practice.toml.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpline.rules.pathway import gives_away

QUICK = timedelta(minutes=10)
"""How soon somebody on call takes an emergency."""
ENOUGH = 40
"""Letters of a note by which somebody else could go on."""
FIRST_STEPS = 3
"""How many of the first hour's list are done in the exercise."""


@dataclass(frozen=True)
class Done:
    """What somebody did about one exercise's case since it began. Texts as they were written."""

    begun_at: datetime
    me: str = ""
    reference: str = ""
    has_read: bool = False
    alert_taken_at: datetime | None = None
    replies: tuple[str, ...] = ()
    replied_at: datetime | None = None
    calls: tuple[str, ...] = ()
    """What was written of calls in which they spoke."""
    has_safe_hours: bool = False
    safe_set_at: datetime | None = None
    is_mine: bool = False
    has_judged: bool = False
    was_alleged: bool = False
    steps: int = 0
    was_told_on: bool = False
    """The safeguarding lead was told."""
    handover: str = ""
    is_closed: bool = False
    closed_at: datetime | None = None


Check = Callable[[Done], bool]


def _quick(done: Done) -> bool:
    return done.alert_taken_at is not None and done.alert_taken_at - done.begun_at <= QUICK


def _spoke(done: Done) -> bool:
    return bool(done.replies or done.calls)


def _names_999(done: Done) -> bool:
    return any("999" in text for text in (*done.replies, *done.calls))


def _says_who(done: Done) -> bool:
    first = done.me.split()[0].lower() if done.me.strip() else ""
    return bool(first) and any(first in text.lower() for text in (*done.replies, *done.calls))


def _rules_first(done: Done) -> bool:
    return (
        done.safe_set_at is not None
        and done.replied_at is not None
        and done.safe_set_at <= done.replied_at
    )


def _says_nothing_away(done: Done) -> bool:
    return bool(done.replies) and not any(gives_away(text) for text in done.replies)


def _wrote_before_closing(done: Done) -> bool:
    return (
        done.replied_at is not None
        and done.closed_at is not None
        and done.replied_at <= done.closed_at
    )


EXERCISES: Mapping[str, Mapping[str, Check]] = {
    # exercise → what it asks for, in the order in which it is best done
    "alert": {
        "taken": lambda done: done.alert_taken_at is not None,
        "quick": _quick,
        "read": lambda done: done.has_read,
    },
    "emergency": {
        "taken": lambda done: done.alert_taken_at is not None,
        "spoke": _spoke,
        "danger": _names_999,
        "who": _says_who,
    },
    "safe": {
        "hours": lambda done: done.has_safe_hours,
        "first": _rules_first,
        "nothing": _says_nothing_away,
    },
    "worker": {
        "read": lambda done: done.has_read,
        "mine": lambda done: done.is_mine,
        "judged": lambda done: done.has_judged,
    },
    "call": {
        "spoke": lambda done: bool(done.calls),
        "note": lambda done: any(len(text.strip()) >= ENOUGH for text in done.calls),
    },
    "allegation": {
        "alleged": lambda done: done.was_alleged,
        "steps": lambda done: done.steps >= FIRST_STEPS,
        "told": lambda done: done.was_told_on,
        "nothing": _says_nothing_away,
    },
    "handover": {
        "words": lambda done: len(done.handover.strip()) >= ENOUGH,
        "which": lambda done: bool(done.reference) and done.reference in done.handover,
    },
    "close": {
        "wrote": _wrote_before_closing,
        "closed": lambda done: done.is_closed,
    },
}


def checked(code: str, done: Done) -> list[tuple[str, bool]]:
    """Each thing the exercise asks for, and whether it is done."""
    return [(name, check(done)) for name, check in EXERCISES[code].items()]
