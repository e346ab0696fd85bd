"""When a person has been silent for too long, and what comes next then.

Facts + now → what is to be done. It decides about tasks only: no silence ever closes a case (A36).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from helpline.vocabulary import SilenceMove


class Follow(StrEnum):
    """What a silence asks for now."""

    NOTHING = "nothing"
    WORKER = "worker"  # the support worker tries again
    LEAD = "lead"  # and a lead looks at it
    HEARD = "heard"  # they were heard again: it is over


@dataclass(frozen=True)
class Facts:
    """`heard_at`: when they last wrote, rang or were spoken with, at the earliest when the case
    opened or was opened again. `noticed_at`: when this silence was noticed, if it was."""

    heard_at: datetime
    noticed_at: datetime | None = None
    was_noticed_since: datetime | None = None
    """When they had last been heard as it was noticed."""
    is_with_lead: bool = False


def follow(facts: Facts, days: int, lead_after_days: int, now: datetime) -> Follow:
    """`days` without a word: the support worker's. `lead_after_days` after that was noticed: a
    lead's too."""
    if facts.noticed_at is None:
        is_long = now - facts.heard_at >= timedelta(days=days)
        return Follow.WORKER if is_long else Follow.NOTHING
    if facts.was_noticed_since is not None and facts.heard_at > facts.was_noticed_since:
        return Follow.HEARD
    if not facts.is_with_lead and now - facts.noticed_at >= timedelta(days=lead_after_days):
        return Follow.LEAD
    return Follow.NOTHING


def next_move(tried: frozenset[str]) -> SilenceMove:
    """What is tried next: the first that nobody has tried, at last to agree what comes next."""
    return next((move for move in SilenceMove if move not in tried), SilenceMove.AGREED)
