"""What of a text can be searched for: its words, made alike, and the beginnings of names.

Pure. desk/search stores a keyed digest of each and looks for the same, so both sides must pass
through here: what is not made alike is never found.
"""

import re
import unicodedata
from collections.abc import Iterator

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
SHORTEST, LONGEST = 2, 40
SHORTEST_BEGINNING = 3
MOST_WORDS = 600
"""Of one text: a letter of ten pages has fewer different ones."""
COMMON = frozenset(
    "the and for that this with you your have has had was were are but not they them their from "
    "she her his him our out about been will would can could what when who how all any one is it "
    "in of to on at be as we me my he so do an or if by no up am us i a".split()
)
"""Words that nearly every text has: no help in a search, and a gift to whoever counts digests."""
ALIKE = str.maketrans("cqz", "kks")
"""Within a name; its first letter stays as it is."""
_ENDINGS = ("ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s")


def words_of(text: str) -> set[str]:
    """The words of a text, made alike: small letters, no accents, no ending. At most MOST_WORDS."""
    found: set[str] = set()
    for word in _plain(text):
        if word not in COMMON:
            found.add(stem(word))
        if len(found) >= MOST_WORDS:
            break
    return found


def stem(word: str) -> str:
    """A word without its ending, so that "ringing", "rings" and "ring" are one. Numbers and short
    words stay as they are."""
    if not word.isalpha() or len(word) < 5:
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            kept = word[: -len(ending)]
            kept += "y" if ending in ("ies", "ied") else ""
            is_doubled = kept[-1] == kept[-2] and kept[-1] not in "lsz"
            kept = kept[:-1] if is_doubled else kept
            return kept[:-1] if kept.endswith("e") and len(kept) > 4 else kept
    return word[:-1] if word.endswith("e") else word


def beginnings_of(name: str) -> set[str]:
    """What a name is found by: each of its words from the third letter on, and each without its
    vowels, so that a slip of the pen finds it too."""
    found: set[str] = set()
    for word in _plain(name):
        found.update(word[:n] for n in range(min(SHORTEST_BEGINNING, len(word)), len(word) + 1))
        found.add(bones(word))
    return found


def bones(word: str) -> str:
    """A name without vowels and doubled letters, and with one letter for those that sound alike,
    marked so that it meets no word: "~asb" for Ashby, "~brkl" for Brackley and Brakley."""
    alike = word[1:].replace("ph", "f").translate(ALIKE)
    kept = word[0] + re.sub(r"[aeiouyhw]", "", alike)
    return "~" + re.sub(r"(.)\1+", r"\1", kept)


def name_asked(text: str) -> list[str]:
    """The words of a question as names: every one of them must be found."""
    return list(dict.fromkeys(_plain(text)))


def places_of(postcode: str) -> set[str]:
    """A postcode as people ask for it: whole, and its first half."""
    plain = re.sub(r"[^A-Z0-9]", "", postcode.upper())
    if not 5 <= len(plain) <= 7:
        return {plain} if plain else set()
    return {plain, plain[:-3]}


def _plain(text: str) -> Iterator[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    without = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    for match in WORD.finditer(without):
        word = re.sub(r"['’]s$", "", match[0]).replace("'", "").replace("’", "")
        if SHORTEST <= len(word) <= LONGEST:
            yield word
