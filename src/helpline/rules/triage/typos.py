"""Mends hasty typing of the words that matter most: one letter wrong, missing, doubled or swapped.

Called by words.py for words it does not know. It must leave every other real word alone: typos.txt
names the neighbours that may not be touched.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

SHORTEST = 5  # letters: a shorter word has too many real neighbours
_FILE = Path(__file__).parent / "typos.txt"


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, str], frozenset[str]]:
    """Each word with one letter taken out → the word meant; and the words to leave alone."""
    shorter: dict[str, str] = {}
    alone: set[str] = set()
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        word, _, near = line.partition(" - ")
        alone |= {word, *near.split()}
        for piece in (word, *_without_one(word)):
            shorter.setdefault(piece, word)
    return shorter, frozenset(alone)


def _without_one(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(len(word))]


def _near(one: str, other: str) -> bool:
    """Whether one becomes the other by one letter changed, added, left out or two swapped; their
    lengths differ by one at most."""
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    a, b = one[at:], other[at:]
    swapped = a[:2] == b[1::-1] and len(b) > 1 and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped


@lru_cache(maxsize=4096)
def mended(word: str) -> str:
    """The word meant, or the word as it is."""
    shorter, alone = _table()
    if len(word) < SHORTEST or word in alone or not word.isascii():
        return word
    for piece in (word, *_without_one(word)):
        meant = shorter.get(piece)
        if meant is not None and _near(word, meant):
            return meant
    return word
