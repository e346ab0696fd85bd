"""What the typefaces of a printed file can show, and what is said instead of the rest. Pure.

A PDF that screen readers can read has no letter without a shape, and somebody's text may hold any
letter there is. So a text becomes lines of pieces: printable text, a picture sign by its name
("worried face"), so many words of a script we have no letters for. Nothing is left out silently.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

LONGEST_RUN: Final = 40
"""Letters without a blank after which a line may be broken."""
BREAK: Final = "\u200b"
PILED: Final = re.compile(r"([\u0300-\u036f]{4})[\u0300-\u036f]+")
"""Accents piled on one letter: four are enough for any language, and thousands take minutes."""
PLAIN: Final = ((0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x17F))
"""Latin letters of Western and Central Europe."""
SHOWN: Final = (
    *((0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x4FF), (0x510, 0x513), (0x51A, 0x51D)),
    *((0x531, 0x5F4), (0x60C, 0x60C), (0x615, 0x615), (0x61B, 0x61B), (0x61F, 0x61F)),
    *((0x621, 0x63A), (0x640, 0x655), (0x660, 0x66D), (0x674, 0x674), (0x679, 0x67B)),
    *((0x67E, 0x680), (0x683, 0x684), (0x686, 0x687), (0x691, 0x691), (0x698, 0x698)),
    *((0x6A4, 0x6A4), (0x6A9, 0x6A9), (0x6AF, 0x6AF), (0x6BE, 0x6BE), (0x6CC, 0x6CC)),
    *((0x6F0, 0x6F9), (0x900, 0x97F), (0x10D0, 0x10FF), (0x1D00, 0x200A), (0x2010, 0x2027)),
    *(
        (0x2030, 0x2040),
        (0x2044, 0x2052),
        (0x2070, 0x211E),
        (0x2124, 0x2124),
        (0x2126, 0x2151),
        (0x2153, 0x215F),
        (0x2190, 0x23FF),
    ),
    *((0x2460, 0x262F), (0x2638, 0x268B), (0x2690, 0x269C), (0x2720, 0x2727)),
    *((0x2729, 0x273D), (0x2C60, 0x2C7F)),
)
"""What Libertinus Serif and DejaVu Sans Mono, which typst brings along, were found to show
(tests/reports/test_casefile.py holds every one of them against the typesetter)."""


def lines(text: str) -> list[dict[str, Any]]:
    """Each line: `rtl` (begins with a letter that is read from the right) and its pieces `of`:
    {"text"}, {"sign", "times"} or {"words", "script"}."""
    return [_line(line, SHOWN) for line in text.split("\n")]


def plain_lines(text: str) -> list[dict[str, Any]]:
    """The same with plain Latin letters only."""
    return [_line(line, PLAIN) for line in text.split("\n")]


def _line(line: str, shown: tuple[tuple[int, int], ...]) -> dict[str, Any]:
    pieces = [*_pieces(line.replace("\t", " "), shown)]
    strong = (unicodedata.bidirectional(char) for char in line)
    first = next((kind for kind in strong if kind in ("L", "R", "AL")), "L")
    return {"rtl": first != "L", "of": pieces}


def _pieces(line: str, shown: tuple[tuple[int, int], ...]) -> Iterator[dict[str, Any]]:
    def strange(word: str) -> str:
        return next((script for char in word if (script := _script(char, shown))), "")

    for script, run in groupby(line.split(" "), strange):
        words = list(run)
        if script:
            yield {"words": len(words), "script": script}
        else:
            yield from _signs(" ".join(map(_breakable, words)), shown)


def _signs(text: str, shown: tuple[tuple[int, int], ...]) -> Iterator[dict[str, Any]]:
    """Text, with the signs that cannot be shown by their names."""

    def sign(char: str) -> str:
        return "" if char == BREAK or _is_shown(char, shown) else _name(char)

    few = PILED.sub(r"\1", "".join(char for char in text if not _is_dropped(char)))
    for name, run in groupby(few, sign):
        chars = "".join(run)
        yield {"sign": name, "times": len(chars)} if name else {"text": chars}


def _script(char: str, shown: tuple[tuple[int, int], ...]) -> str:
    """The script of a letter that cannot be shown; "" for all others."""
    if _is_shown(char, shown) or unicodedata.category(char)[0] != "L":
        return ""
    first = unicodedata.name(char, "UNKNOWN").partition(" ")[0]
    return "Chinese or Japanese" if first == "CJK" else first.capitalize()


@lru_cache(maxsize=4096)
def _is_shown(char: str, shown: tuple[tuple[int, int], ...]) -> bool:
    place = bisect_right(shown, (ord(char), 0x10FFFF)) - 1
    is_within = place >= 0 and shown[place][0] <= ord(char) <= shown[place][1]
    return is_within and unicodedata.category(char) not in ("Cn", "Cf", "Cc", "Co", "Cs")


def _is_dropped(char: str) -> bool:
    """What has no shape of its own: controls, what turns the direction of reading, what chooses
    between shapes of a sign, tones of skin, accents piled on nothing that can be shown."""
    if char == BREAK:
        return False
    is_tone = 0x1F3FB <= ord(char) <= 0x1F3FF
    category = unicodedata.category(char)
    is_shape = category in ("Cc", "Cf", "Cs", "Zl", "Zp") or 0xFE00 <= ord(char) <= 0xFE0F
    return is_tone or is_shape or (category[0] == "M" and not _is_shown(char, SHOWN))


def _name(char: str) -> str:
    return unicodedata.name(char, "").lower() or "unknown sign"


def _breakable(word: str) -> str:
    """A word longer than a line may be broken, so that nothing runs off the paper."""
    if len(word) <= LONGEST_RUN:
        return word
    parts = (word[start : start + LONGEST_RUN] for start in range(0, len(word), LONGEST_RUN))
    return BREAK.join(parts)
