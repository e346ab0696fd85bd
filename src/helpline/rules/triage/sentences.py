"""The plain reader: short sentences that mean danger, or a person today, wherever they stand.

Called by features.seen for every message in English. It must fit whole sentences only, word for
word after the message was made plain, so that a denial or a figure of speech is never taken for
the thing itself. sentences.txt says how it is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from helpline.rules.triage.words import TABLES, plain_words

URGENT_ORDER = {"emergency": 0, "urgent": 1}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of sentence: how urgent, about what, and what the worker is told.

    Two kinds are no urgency but silence others: "unless" and "long ago".
    """

    urgency: str
    category: str
    says: str
    always: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a sentence: the words that may stand there."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    may_miss: bool
    any_word: bool
    at_end: bool
    at_start: bool


Sentence = tuple[Slot, ...]
Table = dict[str, list[tuple[Kind, Sentence]]]


@dataclass(frozen=True)
class Sentences:
    """The sentences by their first word; `loose` begin with a stem or may begin anywhere."""

    by_word: Table
    loose: list[tuple[Kind, Sentence]]


@lru_cache(maxsize=1)
def sentences() -> Sentences:
    """The table of sentences.txt."""
    classes: dict[str, str] = {}
    by_word: Table = {}
    loose: list[tuple[Kind, Sentence]] = []
    kind = Kind("", "", "", False)
    for raw in (TABLES / "sentences.txt").read_text(encoding="utf-8").splitlines():
        if raw.startswith("@") and " = " in raw:
            name, words = raw.split(" = ", 1)
            classes[name] = "|".join(words.split())
        elif raw.startswith("["):
            kind = _kind(raw)
        elif raw and not raw.startswith("#"):
            sentence = tuple(_slot(s, classes) for s in raw.split())
            _file(kind, sentence, by_word, loose)
    return Sentences(by_word, loose)


def _kind(line: str) -> Kind:
    head, _, says = line.partition("|")
    names = head.strip(" []").split()
    if names[0] not in URGENT_ORDER:
        return Kind(" ".join(names), "", "", False)
    return Kind(names[0], names[1].rstrip("!"), says.strip(), names[1].endswith("!"))


def _slot(text: str, classes: dict[str, str]) -> Slot:
    may_miss = text.endswith("?")
    parts: list[str] = []
    for part in text.rstrip("?").split("|"):
        parts += classes[part].split("|") if part.startswith("@") else [part]
    return Slot(
        frozenset(p for p in parts if not p.endswith("*") and p not in ("_", "^", "$")),
        tuple(p[:-1] for p in parts if p.endswith("*")),
        may_miss,
        "_" in parts,
        "$" in parts,
        "^" in parts,
    )


def _file(
    kind: Kind,
    sentence: Sentence,
    by_word: Table,
    loose: list[tuple[Kind, Sentence]],
) -> None:
    firsts: set[str] = set()
    for slot in sentence:  # pragma: no branch - none is made only of what may be missing
        if slot.beginnings or slot.any_word:
            loose.append((kind, sentence))
            return
        firsts |= slot.words
        if not slot.may_miss and not slot.at_start:
            break
    for word in sorted(firsts):
        by_word.setdefault(word, []).append((kind, sentence))


def _fits(words: list[str], at: int, sentence: Sentence, place: int) -> int:
    """Where the sentence ends when it stands at `at`, or -1."""
    if place == len(sentence):
        return at
    slot = sentence[place]
    if slot.at_start:
        return _fits(words, at, sentence, place + 1) if at == 0 else -1
    if at < len(words):
        word = words[at]
        here = word in slot.words or slot.any_word or word.startswith(slot.beginnings or "\0")
        if here:
            end = _fits(words, at + 1, sentence, place + 1)
            if end >= 0:
                return end
    elif slot.at_end:
        return _fits(words, at, sentence, place + 1)
    return _fits(words, at, sentence, place + 1) if slot.may_miss else -1


def kinds_met(words: list[str]) -> list[Kind]:
    """The kinds of plain sentence that stand in a message, the most worried first."""
    table, said = sentences(), plain_words(words)
    met: dict[Kind, int] = {}
    for at, word in enumerate(said):
        for kind, sentence in (*table.by_word.get(word, ()), *table.loose):
            if kind not in met and _fits(said, at, sentence, 0) >= 0:
                met[kind] = at
    quiet = {kind.urgency for kind in met} - URGENT_ORDER.keys()
    found = [k for k in met if k.urgency in URGENT_ORDER]
    if "long ago" in quiet:
        return []
    found = [k for k in found if k.always or not quiet]
    return sorted(found, key=lambda k: (URGENT_ORDER[k.urgency], met[k], k.says))
