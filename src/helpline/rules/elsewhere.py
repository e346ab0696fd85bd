"""Whether somebody says in their own words that another council or an agency approved them
("I foster for Southend"). Pure; called by desk/intake.

It suggests and decides nothing: the carer is answered all the same, and a person looks. Where they
live, whose child it is and what they once did is no answer; and whoever names our own council as
well is left to a person.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

LONGEST: Final = 2000
"""Letters: who says it says it at the beginning."""
_CARER: Final = (
    r"(?:foster(?:ing)? |supported lodgings |approved |registered )*(?:carers?|hosts?|parents?)"
)
_ADVERB: Final = (
    r"(?:also |now |currently |both |just |only |still |actually |already |do |have been |been )*"
)
_FILL: Final = (
    r"(?: (?:approved|registered|full[- ]time|part[- ]time|children|kids|teens|respite|now|again|"
    r"directly|as|a|carers?|for \d+ years?|\d+ years?))*"
)
_FOR: Final = r"(?:for|with|by|through|under|via)"
_OTHERS: Final = re.compile(
    r"\b(?:he|she|they|his|her|their|sister|brother|friend|neighbou?r|mum|dad|mother|father|cousin"
    r"|daughter|son|aunt|uncle|colleague|someone|somebody|people|anyone|others?)\b"
)
_NOT_SO: Final = (
    r"(?:can|could|should|may|might|if|would|before|until|unless|when|do|did|does|not|never|to)"
)
_HINDERS: Final = re.compile(rf"\b{_NOT_SO}$")
_TAKES_BACK: Final = re.compile(rf"\b{_NOT_SO}\b|\bno\b|n't\b")
_ENDS: Final = re.compile(r"[.,;:!?\n]")


def approved_elsewhere(
    text: str, named: Mapping[str, Sequence[str]], own: Sequence[str]
) -> str | None:
    """The code of whoever they say approved them; None where they do not say it, or say that it
    was us. `named`: code → what it is called; `own`: what our own council is called."""
    said = _plain(text[:LONGEST])
    if _says(said, own, sure=False):
        return None
    return next((code for code, names in named.items() if _says(said, names)), None)


def _says(said: str, names: Iterable[str], *, sure: bool = True) -> bool:
    theirs, alone = _patterns(tuple(sorted(map(_plain, names), key=len, reverse=True)))
    if not sure:  # our own council, however it is said: then nothing is suggested
        return bool(theirs.search(said) or alone.search(said))
    if any(not _HINDERS.search(said[: found.start()].rstrip()) for found in theirs.finditer(said)):
        return True
    return any(_is_about_them(said[: found.start()]) for found in alone.finditer(said))


def _is_about_them(before: str) -> bool:
    """Whether what stands before, back to the last comma or full stop, leaves it with the writer
    and takes nothing of it back."""
    clause = _ENDS.split(before)[-1].strip()
    return not (_OTHERS.search(clause) or _TAKES_BACK.search(clause))


@lru_cache(maxsize=64)
def _patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Said of themselves ("I foster for …"), and said without who ("Approved by …")."""
    place = rf"(?:the |an? )?(?:{'|'.join(map(re.escape, names))})\b"
    whom = r"\b(?:i|we)(?: am| are| was| were| have|'m|'re|'ve| m| re| ve)? "
    whose = r"\b(?:my|our) (?:council|local authority|la|authority|agency|fostering (?:team|service|agency|council)|ifa)"
    theirs = "|".join(
        (
            rf"{whom}{_ADVERB}(?:an? )?(?:foster|fostering|{_CARER}|approved|registered){_FILL} {_FOR} {place}",
            rf"{whom}{_ADVERB}{place}(?: council)?(?:'s| s)? (?:approved |registered )?{_CARER}",
            rf"{whom}{_ADVERB}(?:come |work )?(?:with|under|for) {place}(?: council| fostering)?(?= *(?:[.,;!?\n]|$|and\b))",
            rf"{whose} (?:is|are|is called) {place}",
            rf"{place}(?: \w+)? (?:is|are) (?:my|our) (?:council|local authority|la|authority|agency|fostering \w+)\b",
        )
    )
    alone = rf"\b(?:foster|fostering|approved|registered|{_CARER}){_FILL} {_FOR} {place}"
    return re.compile(theirs), re.compile(alone)


def _plain(text: str) -> str:
    """Small letters, straight apostrophes, single spaces; lines stay apart."""
    text = text.casefold().replace("\u2019", "'").replace("-", " ")
    return "\n".join(" ".join(line.split()) for line in text.splitlines()).strip()
