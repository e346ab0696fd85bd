"""Which passwords are guessed first: what is long enough and still the first thing anybody tries.

Asked by desk/access.py wherever a password is chosen. Length is what counts; nothing here asks for
digits or signs. Pure.
"""

import re
from typing import Final

FEWEST_SIGNS: Final = 5
ROWS: Final = (
    "qwertyuiopasdfghjklzxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qazwsxedcrfv",
)
EVERYBODYS: Final = (
    *("password", "passwort", "letmein", "welcome", "iloveyou", "administrator", "admin", "login"),
    *("helpline", "fostering", "foster", "carer", "council", "secret", "changeme", "qwerty"),
    *("monkey", "dragon", "sunshine", "princess", "football", "liverpool", "arsenal", "chelsea"),
    *("summer", "winter", "spring", "autumn", "monday", "january", "company", "default"),
)
"""Words that open the lists of what was found in other people's leaks, and our own."""
SWAPPED: Final = str.maketrans("013457$@!", "oleastsai")
LEFT_OVER: Final = 6
"""Letters that must be left when such words, years and repeats are taken away."""


def weakness(password: str, *own: str) -> str:
    """Why it would be guessed, as a sentence; empty where nothing is seen. `own`: the names of
    whoever it belongs to."""
    plain = password.strip().lower()
    if len(set(plain)) < FEWEST_SIGNS:
        return "That password repeats a few signs. Three or four words do."
    if _is_a_walk(plain):
        return "That password runs along the keyboard or the alphabet. Three or four words do."
    names = [part for name in own for part in re.split(r"\W+", name.lower()) if len(part) > 2]
    rest = plain.translate(SWAPPED)
    for word in sorted((*names, *EVERYBODYS), key=len, reverse=True):
        rest = rest.replace(word.translate(SWAPPED), " ")
    if len(re.sub(r"[\W\d_]|(.)\1{2,}", "", rest)) < LEFT_OVER and _shrank(plain, rest):
        return (
            "That password is among the first that are tried. Three or four words of your own do."
        )
    return ""


def _shrank(plain: str, rest: str) -> bool:
    return rest != plain.translate(SWAPPED)


def _is_a_walk(plain: str) -> bool:
    """Whether nearly all steps from sign to sign are steps along one row."""
    rows = [row * 2 for row in ROWS] + [row[::-1] * 2 for row in ROWS]
    steps = [plain[at : at + 2] for at in range(len(plain) - 1)]
    walked = sum(1 for step in steps if any(step in row for row in rows))
    return walked >= 0.8 * len(steps)
