"""What the second reader sees of a message: named signs, each with a strength.

Called when the weights are learned and when a message is read, so that both see the same. It must
give the same signs for the same text on every machine, in the same order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from helpline.rules.triage.languages import is_english, world_meanings
from helpline.rules.triage.meanings import Found, meanings
from helpline.rules.triage.sentences import Kind, kinds_met
from helpline.rules.triage.words import words

# How much each kind of sign may count: words, pairs of words, beginnings of words, meanings,
# plain sentences, topics.
STRENGTH = {
    "w": 1.0,
    "b": 0.7,
    "c": 1.0,
    "m": 1.0,
    "l": 0.6,
    "h": 0.6,
    "f": 1.0,
    "s": 1.0,
    "t": 1.0,
}
COMMON = frozenset(("neg", "someone", "self", "amount"))


@dataclass(frozen=True)
class Seen:
    """A message taken apart once, for both readers."""

    text: str
    words: list[str]
    english: bool
    found: list[Found]
    kinds: list[Kind]
    signs: dict[str, float]


def seen(text: str, channel: str = "sms") -> Seen:
    """Words, language, meanings and signs of a message; signs of each kind have unit length."""
    found_words = words(text)
    english = is_english(found_words)
    found = meanings(found_words) if english else world_meanings(text, found_words)
    signs = meaning_signs(found)
    kinds = kinds_met(found_words) if english else []
    signs |= {f"s:{k.urgency} {k.category}": 1.0 for k in kinds}
    if english:
        signs |= {f"t:{f.meaning}": 1.0 for f in meanings(found_words, "topics.txt")}
        signs |= _word_signs(found_words) | {f"h:{channel}": 1.0}
        signs[f"l:{min(8, len(found_words) // 8)}"] = 1.0
    else:
        signs["f:foreign"] = 1.0
    return Seen(text, found_words, english, found, kinds, _unit(signs))


def meaning_signs(found: list[Found]) -> dict[str, float]:
    """m:<meaning> for each meaning, stronger where it stands twice."""
    signs: dict[str, float] = {}
    for one in found:
        name = f"m:{one.meaning}"
        signs[name] = min(2.0, signs.get(name, 0.0) + 1.0)
    return signs


def _word_signs(found: list[str]) -> dict[str, float]:
    signs = {f"w:{w}": 1.0 for w in found}
    signs |= {f"b:{a} {b}": 1.0 for a, b in pairwise(found)}
    signs |= {f"c:{w[:n]}": 1.0 for w in found for n in (3, 4, 5)}
    return signs


def world_signs(one: Seen) -> dict[str, float]:
    """Meanings alone, for messages in other languages; also learned from English ones."""
    names = {f"m:{f.meaning}" for f in one.found if not one.english or f.meaning not in COMMON}
    size = math.sqrt(max(3, len(names)))
    length = min(1.0, sum(map(len, one.words)) / 250)
    return dict.fromkeys(sorted(names), 1 / size) | {"length": length, "always": 0.5}


def _unit(signs: dict[str, float]) -> dict[str, float]:
    square: dict[str, float] = {}
    for name, value in signs.items():
        square[name[0]] = square.get(name[0], 0.0) + value * value
    return {n: STRENGTH[n[0]] * v / math.sqrt(square[n[0]]) for n, v in signs.items()} | {
        "always": 0.5
    }
