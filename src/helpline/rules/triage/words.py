"""Turns a message into plain words: lower case, no accents, no markup, text-speak spelt out.

Called by everything else in triage, so that the tables are written once and every reader sees the
same words. It must not judge: it drops nothing that a person would read as part of the message.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from helpline.rules.triage.typos import mended

TABLES = Path(__file__).parent
LONGEST = 10_000  # characters read: a long e-mail whole, at a cost of about 50 ms

_TAG = re.compile(r"<[^<>]{0,200}>")
_LINK = re.compile(r"https?://\S+|www\.\S+")
_PHONE = re.compile(r"\+?\b0\d{2,4}[ -]?\d{3}[ -]?\d{3,4}\b")
_CLOCK = re.compile(r"\b\d{1,2}[:.]\d{2}\s*(?:[ap]\.?m\b)?|\b\d{1,2}\s*[ap]\.?m\b")
_AGE = re.compile(r"\b(\d{1,2})\s*-?\s*(?:y/?o|yr?s?|years?)?[\s-]*olds?\b|\b(\d{1,2})\s?y/?o\b")
_DIGITS = re.compile(r"(?<!\d)(\d+)(?=[a-z])")
_WORD = re.compile(r"£|[0-9]+|[^\W\d_]+|[!?]+|[\U0001F300-\U0001FAFF]")
_LONG = re.compile(r"([^\W\d_])\1{2,}")
_APOSTROPHES = str.maketrans("", "", "'’‘ʼ`´\u200b\u200c\u200d\u200e\u200f\ufeff\u00ad")


@lru_cache(maxsize=1)
def spellings() -> dict[str, str]:
    """The table of spellings: as written → plain words."""
    lines = (TABLES / "spellings.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return {pair[0]: pair[1] for pair in pairs}


def plain(text: str) -> str:
    """Lower case without accents (Latin, Greek, Cyrillic), markup, links or odd apostrophes."""
    text = unicodedata.normalize("NFKD", text[:LONGEST]).translate(_APOSTROPHES).lower()
    text = "".join(c for c in text if not unicodedata.combining(c) or c > "\u0600")
    text = unicodedata.normalize("NFC", text)
    text = text.replace("đ", "d").replace("ł", "l").replace("ı", "i").replace("ø", "o")
    return _LONG.sub(r"\1\1", _LINK.sub(" http ", _TAG.sub(" ", text)))


def words(text: str) -> list[str]:
    """The words of a message in order, text-speak spelt out; times and telephones as signs."""
    text = _PHONE.sub(" #phone ", plain(text))
    text = _AGE.sub(lambda m: f" {m.group(1) or m.group(2)} year old ", text)
    text = _CLOCK.sub(" oclock ", text).replace("a&e", "aande").replace("24/7", "allhours")
    table, found = spellings(), []
    for word in _tokens(text):
        found.extend((table.get(word) or mended(word)).split(" "))
    return found


def _tokens(text: str) -> list[str]:
    """Split on spaces and signs; a digit inside a word (2nite) stays where the table knows it."""
    table, found = spellings(), []
    for piece in text.split():
        bare = piece.strip('.,;:!?()[]"“”-…')
        if bare in table or bare == "#phone":
            found.append(bare)
        else:
            found.extend(_WORD.findall(_DIGITS.sub(r"\1 ", piece)))
    return found


_SHORT_FORMS = {
    "im": "i am", "ive": "i have", "ill": "i will", "id": "i would", "iam": "i am",
    "hes": "he is", "shes": "she is", "its": "it is", "theres": "there is", "thats": "that is",
    "theyre": "they are", "theyve": "they have", "theyll": "they will", "weve": "we have",
    "hell": "he will", "shell": "she will", "youre": "you are", "whos": "who is",
    "cant": "can not", "cannot": "can not", "dont": "do not", "doesnt": "does not",
    "didnt": "did not", "wont": "will not", "wouldnt": "would not", "isnt": "is not",
    "aint": "is not", "arent": "are not", "wasnt": "was not", "werent": "were not",
    "hasnt": "has not", "havent": "have not", "hadnt": "had not", "couldnt": "could not",
    "shouldnt": "should not", "someones": "someone is", "daddys": "daddy is", "dads": "dad is",
    "mums": "mum is", "mummys": "mummy is", "sons": "son is", "daughters": "daughter is",
    "husbands": "husband is", "wifes": "wife is", "partners": "partner is", "lads": "lad is",
    "houses": "house is", "heres": "here is", "everythings": "everything is", "b": "be",
}  # fmt: skip
_EMPTY = frozenset(
    """really just so very literally actually honestly basically like always well bit quite proper
    bloody fucking fuckin effing constantly already definitely seriously properly only even big
    little old the a an my our his their your foster birth step these those omg god
    oh hi hello hey hiya sorry both yeah mate some still also too absolutely
    completely totally fucken damn flipping young poor dear""".split()
)
_BEFORE_TO = frozenset("want wants wanting going need needs trying has have like how got".split())
_ENDS_HER = frozenset(
    "and in on at with again because but or when to up down for if so off".split()
)


def plain_words(found: list[str]) -> list[str]:
    """The words of a message made plain: short forms whole, words that change nothing left out."""
    whole = " ".join(_SHORT_FORMS.get(w, w) for w in found if w[0].isalnum()).split(" ")
    whole = ["to" if w == "2" and b in _BEFORE_TO else w for b, w in zip(["", *whole], whole)]  # noqa: B905 - the last has no follower
    kept = []
    for at, word in enumerate(whole):
        follows = whole[at + 1] if at + 1 < len(whole) else ""
        if word == "her" and follows and follows not in _ENDS_HER:
            continue
        if word and word not in _EMPTY:
            kept.append(word)
    return kept
