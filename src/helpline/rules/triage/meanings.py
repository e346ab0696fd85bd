"""Finds the meanings of words.txt in a message: which table's phrases stand where.

Called by the two readers of triage with the words of one message. It must not weigh anything:
whether a meaning is dangerous is the readers' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from helpline.rules.triage.words import TABLES


@dataclass(frozen=True, slots=True)
class Found:
    """One meaning at words[start:end]."""

    meaning: str
    start: int
    end: int


Slot = tuple[frozenset[str], tuple[str, ...]]  # exact words; beginnings ("" fits any word)
Phrase = tuple[str, tuple[Slot, ...]]
Index = tuple[dict[str, list[Phrase]], dict[str, list[Phrase]]]


def read_table(name: str) -> list[tuple[str, str]]:
    """(meaning, phrase) for every phrase of a table, in its order."""
    found, meaning = [], ""
    for line in (TABLES / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            meaning = line.strip("[]")
        elif line and not line.startswith("#"):
            found += [(meaning, phrase) for p in line.split(",") if (phrase := p.strip())]
    return found


def _slot(text: str) -> Slot:
    parts = text.split("|")
    beginnings = tuple(p.rstrip("*") for p in parts if p.endswith("*"))
    exact = frozenset(p for p in parts if not p.endswith("*"))
    return (frozenset(), ("",)) if text == "_" else (exact, beginnings)


@lru_cache(maxsize=4)
def index(name: str) -> Index:
    """Phrases by their first word, and by the first three letters where that is a beginning."""
    exact: dict[str, list[Phrase]] = {}
    begin: dict[str, list[Phrase]] = {}
    for meaning, text in read_table(name):
        slots = tuple(_slot(s) for s in text.split())
        for word in slots[0][0]:
            exact.setdefault(word, []).append((meaning, slots))
        for beginning in slots[0][1]:
            begin.setdefault(beginning[:3], []).append((meaning, slots))
    return exact, begin


def _fits(words: list[str], at: int, slots: tuple[Slot, ...]) -> bool:
    if at + len(slots) > len(words):
        return False
    for word, (exact, beginnings) in zip(words[at : at + len(slots)], slots, strict=True):
        if word not in exact and not word.startswith(beginnings or "\0"):
            return False
    return True


def meanings(words: list[str], table: str = "words.txt") -> list[Found]:
    """Every meaning found, longest phrases first; figures of speech silence what they cover."""
    exact, begin = index(table)
    best: dict[tuple[str, int], int] = {}
    for at, word in enumerate(words):
        for meaning, slots in (*exact.get(word, ()), *begin.get(word[:3], ())):
            if len(slots) > best.get((meaning, at), 0) and _fits(words, at, slots):
                best[meaning, at] = len(slots)
    found = [Found(m, at, at + n) for (m, at), n in best.items()]
    figures = [f for f in found if f.meaning == "figure"]
    return sorted((f for f in found if not _covered(f, figures)), key=_place)


def _covered(one: Found, figures: list[Found]) -> bool:
    if one.meaning == "figure":
        return False
    return any(f.start < one.end and one.start < f.end for f in figures)


def _place(one: Found) -> Any:
    return one.start, one.end, one.meaning
