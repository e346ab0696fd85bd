"""Tells English from other languages, and finds the meanings of world.txt in the latter.

Called by the readers of triage. It must not guess which other language it is: what matters here is
only whether the English tables can be trusted.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from helpline.rules.triage.meanings import Found, index, read_table
from helpline.rules.triage.words import TABLES, plain

World = tuple[dict[str, list[tuple[list[str], str]]], list[tuple[str, str]]]


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    lines = (TABLES / "english.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(" ".join(x for x in lines if not x.startswith("#")).split())


def is_english(words: list[str]) -> bool:
    """Whether a message reads as English; one too short to tell counts as English."""
    letters = [w for w in words if w[0].isalpha()]
    if any(not _latin(w) for w in letters):
        strange = sum(len(w) for w in letters if not _latin(w))
        return strange * 3 < sum(len(w) for w in letters)
    ours = index("words.txt")[0]
    known = sum(1.0 if w in _english() else 0.5 if w in ours else 0.0 for w in letters)
    return (len(letters) < 4 and not _foreign(letters)) or known / len(letters) >= 0.2


def _foreign(letters: list[str]) -> bool:
    """Whether a message of one to three words is made of words of world.txt that English lacks."""
    ours = index("words.txt")[0]
    return any(w not in ours and world_meanings("", [w]) for w in letters)


def _latin(word: str) -> bool:
    return word.isascii() or unicodedata.name(word[0], "").startswith("LATIN")


@lru_cache(maxsize=1)
def _world() -> World:
    latin: dict[str, list[tuple[list[str], str]]] = {}
    other: list[tuple[str, str]] = []
    for meaning, phrase in read_table("world.txt"):
        parts = plain(phrase).split()
        if not parts:
            continue
        if _latin(parts[0]):
            latin.setdefault(parts[0][:3], []).append((parts, meaning))
        else:
            other.append((" ".join(parts), meaning))
    return latin, other


def world_meanings(text: str, words: list[str]) -> list[Found]:
    """The meanings found in a message that is not English, in no particular length order."""
    latin, other = _world()
    found = {
        Found(meaning, at, at + len(parts))
        for at, word in enumerate(words)
        for key in {word[:3], word}
        for parts, meaning in latin.get(key, ())
        if _begins(words, at, parts)
    }
    whole = plain(text)
    if not whole.isascii():
        found |= _elsewhere(whole, other)
    return sorted(found, key=lambda f: (f.start, f.meaning))


def _begins(words: list[str], at: int, parts: list[str]) -> bool:
    if at + len(parts) > len(words):
        return False
    return all(
        w.startswith(p) if len(p) > 3 else w == p
        for w, p in zip(words[at : at + len(parts)], parts, strict=True)
    )


def _elsewhere(whole: str, phrases: list[tuple[str, str]]) -> set[Found]:
    """Phrases in scripts other than Latin; a very short one must begin a word where words part."""
    spaced = " " in whole
    found = set()
    for phrase, meaning in phrases:
        at = whole.find(phrase)
        if at >= 0 and spaced and len(phrase) < 3 and phrase[0] < "\u2e80":
            at = whole.find(" " + phrase) if at else 0
        if at >= 0:
            start = whole.count(" ", 0, at) if spaced else at // 2
            found.add(Found(meaning, start, start + 1))
    return found
