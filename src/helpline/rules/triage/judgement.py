"""Puts the two readers together: the more worried one wins.

Called through `helpline.rules.triage.read`. It must answer for any text whatever, and must not
call a message an emergency only because it cannot be understood.
"""

from __future__ import annotations

from dataclasses import dataclass

from helpline.rules.triage.features import Seen, seen, world_signs
from helpline.rules.triage.phrases import Row, rows_met
from helpline.rules.triage.smalltalk import is_small_talk
from helpline.rules.triage.weights import CATEGORIES, Weights, kept, scores, telling

VERSION = "2026.11.1"
URGENCIES = ("emergency", "urgent", "standard", "low")

# Where a score begins to count, and where it begins to be worth asking whether anyone is in
# danger. The first keeps false alarms near one calm message in twelve; what it misses is urgent
# and asked at once. Chosen on the cross-validation of tests/triage_eval.py; a miss costs far more
# than a false alarm, so the worried ones lie below zero.
EMERGENCY, ASK, URGENT, LOW = -0.12, -0.5, -0.15, 0.0
WORLD_EMERGENCY = -0.05
SHORT = 14  # words: up to here a plain sentence decides
SHORT_EMERGENCY, SHORT_ASK, SHORT_URGENT = 0.3, 0.1, 0.25
ROW_SAYS = {"emergency": 0.9, "urgent": 0.3}  # what a row of phrases adds to its category

NAMES = {
    "method": "a means of suicide", "gave_away": "things given away or put in order",
    "allegation_word": "an allegation", "legal_word": "legal matters", "money": "money",
    "counselling_word": "distress", "abuse_word": "abuse", "health_word": "health",
    "placement_word": "the placement", "training_word": "training", "thanks": "thanks",
    "publication_word": "publications", "discount_word": "discounts", "network_word": "groups",
    "recruit_word": "becoming a carer", "member_word": "membership", "complain_word": "complaint",
    "doorlock": "a locked door", "selfharm": "self-harm", "not_breathing": "trouble breathing",
    "phone_off": "a telephone not answered", "emergency_services": "emergency services",
    "childvoice": "a child writing", "exploit": "signs of exploitation", "just": "just happened",
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
    return judged(seen(text, channel), kept())


def judged(one: Seen, weights: Weights) -> Reading:
    """The reading of a message already taken apart, by the given weights."""
    if _is_noise(one, weights):
        return Reading("low", "other", _first("other"), False, "The message holds no known words.")
    if not one.kinds and is_small_talk(one.text, one.words):
        return Reading("low", "other", _first("other"), False, "A short courtesy or answer.")
    rows = rows_met(one.found) if one.english else []
    total = scores(weights.signs, one.signs)
    if one.english:
        urgency, ask = _english(one, total, rows)
    else:
        urgency, ask = _foreign(scores(weights.world, world_signs(one)))
    ranked = _subjects(one, total, rows)
    return Reading(urgency, ranked[0], ranked, ask, _why(one, weights, rows, urgency))


def _is_noise(one: Seen, weights: Weights) -> bool:
    """No letters at all, or a few in no known word: a pocket, a toddler, a test of the line."""
    if one.kinds:
        return False
    letters = [w for w in one.words if w[0].isalpha()]
    if not any(len(w) > 1 for w in letters):
        return True
    known = one.found or any(f"w:{w}" in weights.signs for w in letters)
    return one.english and not known and len(letters) <= 3


def _english(one: Seen, total: dict[str, float], rows: list[Row]) -> tuple[str, bool]:
    if len(one.words) <= SHORT:
        return _short(one, total)
    met = {r.urgency for r in rows}
    score = total.get("emergency", 0.0)
    if "emergency" in met or score >= EMERGENCY:
        return "emergency", True
    if "urgent" in met or score >= ASK or total.get("urgent", 0.0) >= URGENT:
        return "urgent", score >= ASK  # who is asked counts as urgent until they answer
    return ("low" if total.get("low", 0.0) >= LOW else "standard"), False


def _short(one: Seen, total: dict[str, float]) -> tuple[str, bool]:
    """A short message is judged first by the plain sentence it holds: there is little else."""
    met = one.kinds[0].urgency if one.kinds else ""
    score, soon = total.get("emergency", 0.0), total.get("urgent", 0.0)
    if met == "emergency" or score >= SHORT_EMERGENCY:
        return "emergency", True
    if met == "urgent" or soon >= SHORT_URGENT or score >= SHORT_ASK:
        return "urgent", score >= SHORT_ASK or bool(met)
    return ("low" if total.get("low", 0.0) >= LOW else "standard"), False


def _foreign(total: dict[str, float]) -> tuple[str, bool]:
    """A language we do not read: never less than urgent, and the question is always asked."""
    return ("emergency" if total.get("emergency", 0.0) >= WORLD_EMERGENCY else "urgent"), True


def _first(category: str) -> tuple[str, ...]:
    return (category, *(c for c in CATEGORIES if c != category))


def _subjects(one: Seen, total: dict[str, float], rows: list[Row]) -> tuple[str, ...]:
    total = {c: total.get(c, 0.0) for c in CATEGORIES}
    for kind in one.kinds[:1]:
        total[kind.category] += ROW_SAYS[kind.urgency]
    for row in rows[:1]:
        total[row.category] += ROW_SAYS[row.urgency]
    return tuple(sorted(CATEGORIES, key=lambda c: (-total[c], c)))


def _why(one: Seen, weights: Weights, rows: list[Row], urgency: str) -> str:
    if one.kinds and urgency == one.kinds[0].urgency:
        return f"{one.kinds[0].says}."
    if rows and urgency == rows[0].urgency:
        return f"Reads like: {', '.join(r.name for r in rows[:3])}."
    if not one.english:
        about = sorted({NAMES.get(f.meaning, f.meaning) for f in one.found})
        return f"Not in English; words found for: {', '.join(about) or 'nothing we know'}."
    answer = urgency if urgency in ("emergency", "urgent", "low") else ""
    told = telling(weights.signs, one.signs, answer) if answer else []
    named = [_named(s) for s in told if s[0] in "mwb"]
    if not named:
        return "No sign of danger was found."
    return f"Words that count as {urgency}: {', '.join(dict.fromkeys(named[:5]))}."


def _named(sign: str) -> str:
    kind, word = sign.split(":", 1)
    return NAMES.get(word, word.replace("_", " ")) if kind == "m" else f"“{word}”"
