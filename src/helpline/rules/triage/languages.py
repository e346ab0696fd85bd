"""Tells English from other languages, and finds the meanings of world.txt in the latter.

Called by the readers of triage. It must not guess which other language it is: what matters here is
only whether the English tables can be trusted.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from helpline.rules.triage.meanings import Found, index, read_table
from helpline.rules.triage.words import TABLES, plain

UNKNOWN = 0.2  # below this share four words are enough to tell
KNOWN, KNOWN_SHORT = 0.45, 0.55  # the share of words that must be English ones

World = tuple[dict[str, list[tuple[list[str], str]]], list[tuple[str, str]]]


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """The words that show a message to be English; none of them says what it is about."""
    lines = (TABLES / "english.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(" ".join(x for x in lines if not x.startswith("#")).split())


@lru_cache(maxsize=1)
def english_words() -> frozenset[str]:
    """Every word of the English texts learned from, and of the English tables."""
    lines = (TABLES / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    ours = " ".join(x for x in lines if not x.startswith("#")).split()
    plain_ones = (TABLES / "sentences.txt").read_text(encoding="utf-8")
    ours += [w for w in re.split(r"[^a-z]+", plain_ones) if w]
    return common_words().union(ours, index("words.txt")[0])


def is_english(words: list[str]) -> bool:
    """Whether a message reads as English; one of words unknown to every table counts as English
    only while it is too short to tell."""
    letters = [w for w in words if w[0].isalpha()]
    strange = sum(len(w) for w in letters if not _latin(w))
    if strange:
        return strange * 3 < sum(len(w) for w in letters)
    if not letters:
        return True
    accents = sum(not w.isascii() for w in letters)
    share = (sum(w in english_words() for w in letters) - accents) / len(letters)
    if len(letters) > 7:
        return share >= KNOWN
    if len(letters) > 3 and share < UNKNOWN:
        return False
    return share >= KNOWN_SHORT or not (accents or world_meanings("", letters))


def _latin(word: str) -> bool:
    return word.isascii() or unicodedata.name(word[0], "").startswith("LATIN")


@lru_cache(maxsize=1)
def _world() -> World:
    latin: dict[str, list[tuple[list[str], str]]] = {}
    other: list[tuple[str, str]] = []
    for meaning, phrase in read_table("world.txt"):
        parts = plain(phrase).split()
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
    kind = {at for f in found if f.meaning == "thanks" for at in range(f.start, f.end)}
    found = {f for f in found if f.meaning == "thanks" or f.start not in kind}
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
