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
from helpline.rules.triage.words import plain_words, words

# How much each kind of sign may count: words, beginnings of words, pairs of plain words, meanings,
# plain sentences, topics, length, channel. The tables were written by people who had read most of
# the messages learned from, so what they say there is truer than it will be elsewhere: quieter.
STRENGTH = {
    "w": 1.0,
    "c": 1.0,
    "p": 1.0,
    "m": 0.4,
    "s": 0.3,
    "t": 0.15,
    "l": 0.4,
    "h": 0.4,
    "f": 0.4,
}
WRITTEN = (("asks", frozenset("?؟？")), ("calls", frozenset("!！")), ("lines", frozenset("\n")))
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
    signs |= {f"s:{k.urgency} {k.category}": 1.0 for k in kinds} | {f"h:{channel}": 1.0}
    if english:
        signs |= {f"t:{f.meaning}": 1.0 for f in meanings(found_words, "topics.txt")}
        signs |= _word_signs(found_words)
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
    signs |= {f"c:{w[:n]}": 1.0 for w in found for n in (3, 4, 5)}
    said = ["^", *plain_words(found), "$"]
    return signs | {f"p:{a} {b}": 1.0 for a, b in pairwise(said)}


def world_signs(one: Seen) -> dict[str, float]:
    """Meanings, and how it is written, for messages in other languages; also learned from English
    ones: who writes a letter of several lines, or asks a question, is seldom in danger."""
    names = {f"m:{f.meaning}" for f in one.found if not one.english or f.meaning not in COMMON}
    size = math.sqrt(max(3, len(names)))
    length = min(1.0, sum(map(len, one.words)) / 250)
    signs = dict.fromkeys(sorted(names), 1 / size) | {"length": length, "always": 0.5}
    signs |= {name: value for name, value in one.signs.items() if name.startswith("h:")}
    return signs | {f"f:{name}": 0.4 for name, marks in WRITTEN if marks & set(one.text.strip())}


def _unit(signs: dict[str, float]) -> dict[str, float]:
    square: dict[str, float] = {}
    for name, value in signs.items():
        square[name[0]] = square.get(name[0], 0.0) + value * value
    return {n: STRENGTH[n[0]] * v / math.sqrt(square[n[0]]) for n, v in signs.items()} | {
        "always": 0.5
    }
