"""Who may handle a complaint, and what is to be done about it next. Pure; asked by desk and pages.

An independent procedure is handled by somebody who had nothing to do with what is complained about
(K10), and a second look is somebody else's.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helpline.vocabulary import ComplaintKind

MEANT: Final = re.compile(r"\s*COMPLAI(N|NT|NTS)\b", re.IGNORECASE)
MY_WORKER: Final = re.compile(r"\bmy (?:own )?(?:support |helpline |duty )?worker\b", re.IGNORECASE)
COMMON: Final = frozenset(
    """art bill dawn drew faith grace heather hope ivy jack joy may mark pat penny rob rose ruby sue
    summer will""".split()
)
"""First names that are words of their own: taken for a name only with a capital."""


def is_meant(text: str) -> bool:
    """Whether a message begins with the word that makes it a complaint, whatever it comes to."""
    return MEANT.match(text) is not None


def sounds_like_one(text: str, category: str, *, names_colleague: bool) -> bool:
    """Whether a message in the middle of a conversation is a complaint that whoever supports the
    person must not be the one to read. `category`: what triage took it for."""
    if is_meant(text):
        return True
    return category == "complaint" and (names_colleague or MY_WORKER.search(text) is not None)


def named_in(text: str, colleagues: Iterable[tuple[int, str]]) -> list[int]:
    """The colleagues (id, name) whom a text names, by their whole name or their first one."""
    return [user_id for user_id, name in colleagues if name.strip() and _names(text, name)]


def names_person(text: str, name: str) -> bool:
    """Whether a text holds a part of somebody's name: the first as above, any other as a name is
    written. "Young carers may ring" does not name May Young."""
    first, *others = name.title().split() or [""]
    if first and _names(text, first):
        return True
    return any(
        re.search(rf"(?<!\w){re.escape(other)}(?!\w)", text) is not None
        for other in others
        if len(other) > 2
    )


def _names(text: str, name: str) -> bool:
    first = name.split()[0]
    flags = re.NOFLAG if first.lower() in COMMON else re.IGNORECASE
    return re.search(rf"(?<!\w){re.escape(first)}(?!\w)", text, flags) is not None


def why_not_handle(
    user_id: int,
    *,
    about: Collection[int],
    involved: Collection[int],
    earlier: Collection[int] = (),
    themself: Collection[int] = (),
    shut_out: Collection[int] = (),
) -> str:
    """Why this user must not handle a complaint, or nothing. `about`: whom it is about; `involved`:
    who has worked with the person or on the case; `earlier`: who answered an earlier stage;
    `themself`: who made it; `shut_out`: who must not know of it."""
    if user_id in about:
        return "it is about them"
    if user_id in themself:
        return "they made it"
    if user_id in involved:
        return "they have worked with this person"
    if user_id in shut_out:
        return "they must not know of it"
    if user_id in earlier:
        return "they answered the stage before"
    return ""


@dataclass(frozen=True)
class Standing:
    """Where a complaint is, as far as the next step hangs on it."""

    kind: ComplaintKind
    has_handler: bool
    acknowledged_at: datetime | None
    safeguarding_at: datetime | None
    forwarded_at: datetime | None
    answered_at: datetime | None
    explained_at: datetime | None
    has_learning: bool
    closed_at: datetime | None


def next_step(standing: Standing) -> str:
    """The first thing to do now: name, acknowledge, safeguarding (wait for it), forward, answer,
    explain, learn, close; empty once it is closed."""
    if standing.closed_at is not None:
        return ""
    if standing.safeguarding_at is not None:
        return "safeguarding"
    is_council = standing.kind is ComplaintKind.COUNCIL
    steps = (
        ("name", not standing.has_handler),
        ("acknowledge", standing.acknowledged_at is None),
        ("forward", is_council and standing.forwarded_at is None),
        ("answer", not is_council and standing.answered_at is None),
        ("explain", not is_council and standing.explained_at is None),
        ("learn", not is_council and not standing.has_learning),
    )
    return next((name for name, is_due in steps if is_due), "close")
