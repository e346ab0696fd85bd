"""Puts the readers together: the more worried one wins.

Called through `helpline.rules.triage.read`. It must answer for any text whatever, and must not
call a message an emergency only because it cannot be understood.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from helpline.rules.triage.meanings import Found, meanings
from helpline.rules.triage.phrases import Row, rows_met
from helpline.rules.triage.words import words

VERSION = "2026.11.1"
URGENCIES = ("emergency", "urgent", "standard", "low")
CATEGORIES = (
    "allegation legal finance counselling abuse health placements training publications "
    "discounts networking recruitment membership complaint compliment other"
).split()
SUBJECTS = {
    "allegation_word": "allegation", "legal_word": "legal", "money": "finance",
    "counselling_word": "counselling", "abuse_word": "abuse", "health_word": "health",
    "placement_word": "placements", "training_word": "training",
    "publication_word": "publications", "discount_word": "discounts",
    "network_word": "networking", "recruit_word": "recruitment", "member_word": "membership",
    "complain_word": "complaint", "thanks": "compliment", "noise": "other",
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What triage made of one message; `why` is one plain sentence for the worker."""

    urgency: str
    category: str
    categories: tuple[str, ...]
    ask_safety: bool
    why: str


def read(text: str, *, channel: str = "sms") -> Reading:
    """Urgency and subject of a first message (A23, A28). Any text is read; none raises."""
    found_words = words(text)
    found = meanings(found_words)
    rows = rows_met(found)
    urgency = min((r.urgency for r in rows), key=URGENCIES.index, default="standard")
    if not any(len(w) > 1 for w in found_words):
        urgency = "low"
    ranked = _subjects(found, rows)
    return Reading(urgency, ranked[0], ranked, urgency == "emergency", _why(rows, found_words))


def _subjects(found: list[Found], rows: list[Row]) -> tuple[str, ...]:
    count = Counter(SUBJECTS[f.meaning] for f in found if f.meaning in SUBJECTS)
    for row in rows:
        count[row.category] += 8 if row.urgency == "emergency" else 4
    order = sorted(CATEGORIES, key=lambda c: (-count[c], c != "other"))
    return tuple(order)


def _why(rows: list[Row], found_words: list[str]) -> str:
    if rows:
        return f"Reads like: {', '.join(r.name for r in rows[:3])}."
    return "No sign of danger was found." if found_words else "The message has no words."
