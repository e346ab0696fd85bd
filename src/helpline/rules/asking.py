"""When somebody may be asked how it was: continuously, yet never in a crisis (A73). Pure.

Asked by desk/feedback for every case whose occasion has come. What is not asked today may be asked
tomorrow, as long as its occasion lasts; nobody is asked twice in a short time, and nobody who said
that they do not want it.
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from helpline.vocabulary import AskedWhy, Urgency

LASTS: Final = timedelta(days=14)
"""How long an occasion lasts: later than that, nobody remembers what is meant."""
DIGIT: Final = re.compile(r"\s*([0-5])\s*[.!]?\s*")
CALM: Final = ("compliment", "other")
"""What triage may read in a comment that needs nothing but to be read."""
ASKS: Final = re.compile(
    r"[?]|\b(ring|call|phone|text|please|need|can you|could you|urgent|complain\w*|worried|afraid"
    r"|scared|struggling|not coping|again)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Terms:
    """The contract's choices; days are calendar days, `opens` and `closes` local times."""

    not_again: timedelta
    later: timedelta
    ongoing: timedelta
    crisis: timedelta
    pathway: timedelta
    opens: time
    closes: time


@dataclass(frozen=True)
class Facts:
    """What is known of one case and its person. `worst`: the worst urgency of any open case of
    theirs; `frightened_at`: when one of their cases was last an emergency or urgent; `accused_at`:
    when the youngest allegation that is open began; `is_busy`: a question of ours waits for its
    answer; `has_way`: there is a safe way, by which words about the helpline may go."""

    opened_at: datetime
    closed_at: datetime | None
    last_asked_at: datetime | None
    asked: frozenset[AskedWhy]
    said_no: bool
    worst: Urgency
    frightened_at: datetime | None
    accused_at: datetime | None
    is_busy: bool
    has_way: bool


def occasion(facts: Facts, terms: Terms, now: datetime) -> AskedWhy | None:
    """The occasion that has come and was not used yet: a day after closing, weeks after it, or half
    a year of a case that goes on."""
    if facts.closed_at is None:
        due = facts.opened_at + terms.ongoing
        return AskedWhy.ONGOING if now >= due and AskedWhy.ONGOING not in facts.asked else None
    for why, due in (
        (AskedWhy.CLOSING, facts.closed_at + timedelta(days=1)),
        (AskedWhy.LATER, facts.closed_at + terms.later),
    ):
        if why not in facts.asked and due <= now < due + LASTS:
            return why
    return None


def why_not(facts: Facts, terms: Terms, now: datetime, zone: str) -> str:
    """Why this person is not asked now, as one word; empty: ask."""
    local = now.astimezone(ZoneInfo(zone)).time()
    if facts.said_no:
        return "said_no"
    if facts.worst.rank >= Urgency.URGENT.rank or _within(facts.frightened_at, terms.crisis, now):
        return "crisis"
    if _within(facts.accused_at, terms.pathway, now):
        return "allegation"
    if _within(facts.last_asked_at, terms.not_again, now):
        return "asked_lately"
    if facts.is_busy:
        return "busy"
    if not facts.has_way:
        return "no_way"
    return "" if terms.opens <= local < terms.closes else "hours"


def _within(at: datetime | None, span: timedelta, now: datetime) -> bool:
    return at is not None and now - at < span


def score_in(text: str) -> int | None:
    """The answer to the question, 1 to 5, or 0 for "do not ask me again"; None for anything that is
    more than one digit: those words are somebody's own and are heard like any others. A key of the
    question, which sends its words too, is such a digit."""
    found = DIGIT.fullmatch(text.partition(" ")[0] if is_key(text) else text)
    return int(found[1]) if found else None


def is_key(text: str) -> bool:
    """Whether this is what pressing a key of the question sends."""
    return " ".join(text.split()).casefold() in {key.casefold() for key in (*KEYS, *CHILD_KEYS)}


KEYS: Final = ("1 very poor", "2 poor", "3 all right", "4 good", "5 very good", "0 do not ask me")
CHILD_KEYS: Final = (
    *("1 really bad", "2 bad", "3 ok", "4 good", "5 really good"),
    "0 do not ask me",
)


def is_only_a_comment(text: str, *, urgency: Urgency, category: str, asks_safety: bool) -> bool:
    """Whether words after an answer need nothing but to be read. Whatever asks for something, or
    reads like trouble, is a message like any other."""
    return (
        urgency.rank <= Urgency.STANDARD.rank
        and category in CALM
        and not asks_safety
        and ASKS.search(text) is None
    )
