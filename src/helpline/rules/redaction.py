"""Which names stand in a text that somebody is to be given, and the text without them. Pure.

Called by desk/rights/passages.py. It only proposes: a person decides about each passage, because
no rule knows what may hurt whom.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from helpline.vocabulary import PassageChoice, PassageReason

BLACK: Final = "\u2588" * 5
"""Always as long: the length of a name says something too."""
SHORTEST: Final = 3
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "dr", "the", "and"})


@dataclass(frozen=True)
class Suggestion:
    """What a passage seems to want. `names`: those of others that stand in it."""

    choice: PassageChoice
    reason: PassageReason | None = None
    names: tuple[str, ...] = ()


def parts_of(name: str) -> list[str]:
    """The whole name, then each part of it that is long enough to be known by."""
    words = [one for one in _WORD.findall(name) if len(one) >= SHORTEST]
    known = [one for one in words if one.casefold() not in TITLES]
    whole = " ".join(name.split())
    return [whole, *known] if len(known) > 1 else known


def names_in(text: str, others: Iterable[str], own: str = "") -> tuple[str, ...]:
    """The parts of others' names that stand in a text, the longest first. What is part of their
    `own` name too (a family's) is no name of another."""
    theirs = {one.casefold() for one in parts_of(own)}
    wanted = {part for name in others for part in parts_of(name)}
    found = [
        part for part in wanted if part.casefold() not in theirs and _pattern([part]).search(text)
    ]
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


def without(text: str, names: Collection[str]) -> str:
    """The text with each of these names blacked out wherever it stands."""
    return _pattern(names).sub(BLACK, text) if names else text


def suggest(
    text: str, others: Iterable[str], own: str, *, is_of_another: bool = False
) -> Suggestion:
    """`is_of_another`: somebody else wrote or said it."""
    names = names_in(text, others, own)
    if is_of_another:
        return Suggestion(PassageChoice.LEAVE_OUT, PassageReason.THIRD_PARTY, names)
    if names:
        return Suggestion(PassageChoice.WITHOUT_NAMES, PassageReason.THIRD_PARTY, names)
    return Suggestion(PassageChoice.SHOW)


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    words = (r"\s+".join(re.escape(word) for word in name.split()) for name in longest_first)
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)
