"""What somebody has to do next, why it is theirs, and what after that. Pure: what is owed by
anybody, who asks and the time become one list, the first thing first. Asked by desk/todo.py for the
first page of each role; it knows no words and no database.

Danger comes first. Then one's own word that is due in a moment, then whatever one's role is there
for (a lead: what nobody has), people who wait, and the rest by its time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from helpline.vocabulary import Role

IN_A_MOMENT: Final = timedelta(minutes=30)
SOON: Final = timedelta(hours=4)
"""A promise of anybody that is due within this is about to break: its lead is shown it."""


class Kind(StrEnum):
    """What is owed; templates/pages/_todo.html.j2 has the words."""

    ALERT = "alert"  # nobody has taken it; `at`: since when
    TAKEN = "taken"  # one took it and has not acted; `at`: when the ladder goes on
    ANSWER = "answer"  # a person waits for the first answer
    WROTE_AGAIN = "wrote_again"  # `at`: since when
    TRAY = "tray"  # what came could not be read; `at`: since when
    ALLOCATE = "allocate"  # a case has no support worker
    ACCEPT = "accept"  # one was named and has not said yes or no; `at`: since when
    PROMISE = "promise"  # somebody gave their word
    HANDOVER = "handover"
    TASK = "task"
    CLOCK = "clock"  # any other clock of a case
    NOTICE = "notice"  # what a clock asks the safeguarding lead about, or was passed to them
    COMPLAINT = "complaint"  # the stage of one that is due next
    FEEDBACK = "feedback"  # a lead's word about one's work is to be read


class Why(StrEnum):
    """Why it is theirs."""

    PROMISED = "promised"
    MINE = "mine"
    ON_CALL = "on_call"
    NOBODY_ON_CALL = "nobody_on_call"
    NOBODY_HAS_IT = "nobody_has_it"
    BREAKING = "breaking"
    BROKEN = "broken"
    SAFEGUARDING = "safeguarding"
    COMPLAINTS = "complaints"


@dataclass(frozen=True)
class Owed:
    """One thing that somebody owes. `about`: whose case or line it is, so that one case is not said
    twice; `what`: whatever the page needs to say it."""

    kind: Kind
    contract: str
    at: datetime | None = None
    is_mine: bool = False
    is_danger: bool = False
    is_safeguarding: bool = False
    """Whether it asks the safeguarding lead."""
    about: str = ""
    what: Any = None


@dataclass(frozen=True)
class Asker:
    """Who asks. `unmanned`: the contracts for which nobody at all is on call."""

    role: Role
    on_call: frozenset[str] = frozenset()
    unmanned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Turn:
    """Something this person has to do. `is_pressing`: now or today; what is not can wait."""

    owed: Owed
    why: Why
    is_pressing: bool


FOR_WHOEVER_IS_ON_CALL: Final = (Kind.ALERT, Kind.ANSWER, Kind.WROTE_AGAIN, Kind.TRAY)
NOBODYS: Final = (Kind.ALERT, Kind.TRAY, Kind.ALLOCATE)
THEIR_WORD: Final = (Kind.PROMISE, Kind.HANDOVER)
SOMEBODY_WAITS: Final = (*FOR_WHOEVER_IS_ON_CALL, Kind.TAKEN, Kind.ACCEPT)
"""What is pressing however long its clock still runs: a person, or a colleague, waits."""
ROLES_OWN: Final = (Why.NOBODY_HAS_IT, Why.SAFEGUARDING, Why.COMPLAINTS)
SAID_APART: Final = (Kind.PROMISE, Kind.TASK, Kind.NOTICE, Kind.HANDOVER, Kind.FEEDBACK)
"""Several of these on one case are several things to do."""


def turns(owed: Iterable[Owed], asker: Asker, now: datetime, today_ends: datetime) -> list[Turn]:
    """What of all this is `asker`'s to do, the first thing first; what is said by another line of
    the same case is left out."""
    theirs = [
        Turn(one, why, _is_pressing(one, why, now, today_ends))
        for one in owed
        if (why := _why(one, asker, now)) is not None
    ]
    theirs.sort(key=lambda turn: _order(turn, now))
    found, said = [], set()
    for turn in theirs:
        one = turn.owed
        if one.about and one.kind not in SAID_APART:
            if one.about in said:
                continue
            said.add(one.about)
        found.append(turn)
    return found


def _why(one: Owed, asker: Asker, now: datetime) -> Why | None:
    """Why it is theirs; None where it is somebody else's."""
    if one.is_mine:
        return Why.PROMISED if one.kind in THEIR_WORD else Why.MINE
    if one.kind in FOR_WHOEVER_IS_ON_CALL:
        if one.contract in asker.on_call:
            return Why.ON_CALL
        if one.contract in asker.unmanned and asker.role is not Role.COMPLAINTS:
            return Why.NOBODY_ON_CALL
    match asker.role:
        case Role.LEAD if one.kind in NOBODYS:
            return Why.NOBODY_HAS_IT
        case Role.LEAD if one.kind not in SAID_APART or one.kind is Kind.PROMISE:
            return _breaking(one, now)
        case Role.SAFEGUARDING if one.is_safeguarding:
            return Why.SAFEGUARDING
        case Role.COMPLAINTS if one.kind in (Kind.COMPLAINT, Kind.ALERT):
            return Why.COMPLAINTS
    return None


def _breaking(one: Owed, now: datetime) -> Why | None:
    if one.at is None or one.at >= now + SOON or one.kind in (Kind.WROTE_AGAIN, Kind.ACCEPT):
        return None
    return Why.BREAKING if one.at >= now else Why.BROKEN


def _is_pressing(one: Owed, why: Why, now: datetime, today_ends: datetime) -> bool:
    if one.is_danger or one.kind in SOMEBODY_WAITS or why is Why.NOBODY_HAS_IT:
        return True
    return one.at is not None and one.at < max(today_ends, now + SOON)


def _order(turn: Turn, now: datetime) -> tuple[bool, int, float]:
    one, why = turn.owed, turn.why
    when = one.at.timestamp() if one.at else float("inf")
    if one.is_danger:
        rank = 0
    elif why is Why.PROMISED and one.at is not None and one.at <= now + IN_A_MOMENT:
        rank = 1
    elif why in (Why.BREAKING, Why.BROKEN):  # what can still be kept comes first
        rank = 3 if why is Why.BREAKING else 4
    else:
        rank = 2 if why in ROLES_OWN or one.kind in SOMEBODY_WAITS else 3
    return not turn.is_pressing, rank, when
