"""The first reader: rows of meanings that, standing near each other, mean an urgency.

Called by read() and, as features, by the second reader. It must stay readable by a support worker:
every row says what it looks for, within how many words, and what takes the worry away.
"""

from __future__ import annotations

from dataclasses import dataclass

from helpline.rules.triage.meanings import Found

CALMING = ("settled", "past", "later", "thanks", "training_word", "publication_word", "laugh")
INFO = ("past", "later", "training_word", "publication_word")


@dataclass(frozen=True, slots=True)
class Row:
    """`needs`, all within `near` words of each other, unless one of `unless` is in the message."""

    name: str
    urgency: str
    category: str
    needs: tuple[str, ...]
    near: int = 12
    unless: tuple[str, ...] = CALMING


ROWS = (
    Row("not breathing properly", "emergency", "health", ("someone", "not_breathing"), 6),
    Row("child not breathing properly", "emergency", "health", ("child", "not_breathing"), 8),
    Row("cannot be woken", "emergency", "health", ("child", "unconscious", "swallow")),
    Row("unconscious and blue", "emergency", "health", ("unconscious", "not_breathing")),
    Row("tablets taken", "emergency", "health", ("swallow", "pills", "overdose")),
    Row("many tablets taken", "emergency", "health", ("swallow", "pills", "amount"), 9, INFO),
    Row("tablets swallowed", "emergency", "health", ("child", "swallow", "pills"), 8, INFO),
    Row("somebody else's tablets", "emergency", "health", ("swallow", "pills", "carer"), 5, INFO),
    Row("drugs taken and hard to wake", "emergency", "health", ("drugs", "unconscious")),
    Row("tablets taken and hard to wake", "emergency", "health", ("pills", "unconscious")),
    Row("tablets and intent", "emergency", "health", ("pills", "suicide"), 25),
    Row("poison swallowed", "emergency", "health", ("swallow", "poison"), 6, INFO),
    Row("overdose by a child", "emergency", "health", ("child", "overdose")),
    Row("suicide and a means", "emergency", "counselling", ("suicide", "method"), 40),
    Row("suicide now", "emergency", "counselling", ("suicide", "now"), 12),
    Row("goodbye and things given away", "emergency", "counselling", ("suicide", "gave_away"), 40),
    Row("something round the neck", "emergency", "health", ("method", "not_breathing"), 20),
    Row("cutting and blood", "emergency", "health", ("selfharm", "blood"), 12),
    Row("cutting behind a locked door", "emergency", "health", ("selfharm", "doorlock"), 20),
    Row("blood behind a locked door", "emergency", "health", ("blood", "doorlock"), 20),
    Row("weapon and violence", "emergency", "placements", ("weapon", "violence"), 10),
    Row("violence and a child, now", "emergency", "placements", ("violence", "child", "now"), 12),
    Row("violence behind a locked door", "emergency", "placements", ("violence", "doorlock"), 15),
    Row("call for help and violence", "emergency", "placements", ("violence", "help"), 20),
    Row("call for help and illness", "emergency", "health", ("medical", "help"), 20),
    Row("call for help, child missing", "emergency", "placements", ("missing", "help"), 20),
    Row("violence now", "emergency", "placements", ("violence", "someone", "now"), 6),
    Row("violence inside", "emergency", "placements", ("violence", "weapon", "someone"), 15),
    Row("he has a weapon", "emergency", "placements", ("someone", "swallow", "weapon"), 3),
    Row("locked in with someone violent", "emergency", "placements", ("violence", "help"), 25),
    Row("on a roof, bridge or ledge", "emergency", "health", ("someone", "method", "now"), 10),
    Row("on a roof or ledge", "emergency", "health", ("someone", "method", "suicide"), 20),
    Row("fire and children", "emergency", "other", ("fire", "child", "now"), 12),
    Row("child missing, telephone off", "emergency", "placements", ("missing", "phone_off"), 25),
    Row("child missing just now", "emergency", "placements", ("child", "missing", "just"), 15),
    Row("child gone to a stranger", "emergency", "abuse", ("exploit", "missing"), 15),
    Row("999, no breath", "emergency", "health", ("emergency_services", "not_breathing"), 30),
    Row("999 and a weapon", "emergency", "placements", ("emergency_services", "weapon"), 30),
    Row("999, child missing", "emergency", "placements", ("emergency_services", "missing"), 30),
    Row("999 and suicide", "emergency", "counselling", ("emergency_services", "suicide"), 40),
    Row("suicide", "urgent", "counselling", ("suicide",)),
    Row("self-harm", "urgent", "health", ("selfharm", "child"), 20),
    Row("weapon", "urgent", "placements", ("weapon", "child"), 20),
    Row("child missing", "urgent", "placements", ("child", "missing", "today"), 15),
    Row("overdose", "urgent", "health", ("overdose",)),
    Row("allegation just made", "urgent", "allegation", ("allegation_word", "just"), 15),
    Row("allegation today", "urgent", "allegation", ("allegation_word", "today"), 15),
    Row("allegation and tomorrow", "urgent", "allegation", ("allegation_word", "tomorrow"), 15),
    Row("allegation and now", "urgent", "allegation", ("allegation_word", "now"), 12),
    Row("court or papers by tomorrow", "urgent", "legal", ("legal_word", "tomorrow"), 12),
    Row("court or papers today", "urgent", "legal", ("legal_word", "today"), 12),
    Row("child moved at once", "urgent", "placements", ("placement_word", "tomorrow"), 12),
    Row("child told of abuse just now", "urgent", "abuse", ("sexual", "just"), 12),
    Row("distress tonight", "urgent", "counselling", ("counselling_word", "today", "neg"), 15),
)

NEGATABLE = frozenset((
    "suicide", "weapon", "violence", "overdose", "selfharm", "missing", "medical", "unconscious",
    "fire", "blood", "exploit",
))  # fmt: skip


def standing(found: list[Found]) -> list[Found]:
    """What is left when a denial ("no knives", "hasn't taken any") directly before silences it."""
    nots = [f for f in found if f.meaning == "neg"]
    return [f for f in found if not (f.meaning in NEGATABLE and _denied(f, nots))]


def _denied(one: Found, nots: list[Found]) -> bool:
    return any(0 < one.start - n.end + 1 <= 2 for n in nots)


def rows_met(found: list[Found]) -> list[Row]:
    """The rows that the message meets, most worried first."""
    found = standing(found)
    there: dict[str, list[Found]] = {}
    for one in found:
        there.setdefault(one.meaning, []).append(one)
    return [r for r in ROWS if _met(r, there)]


def _met(row: Row, there: dict[str, list[Found]]) -> bool:
    if any(m not in there for m in row.needs) or any(m in there for m in row.unless):
        return False
    return any(
        all(any(_apart(anchor, other) <= row.near for other in there[m]) for m in row.needs[1:])
        for anchor in there[row.needs[0]]
    )


def _apart(a: Found, b: Found) -> int:
    return max(b.start - a.end, a.start - b.end, 0)
