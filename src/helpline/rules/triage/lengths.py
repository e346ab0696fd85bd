"""A long text in pieces: its beginning and end, where people say why they write, and the rest.

Called by judgement.read, so that a letter of many pages costs no more than its length and nothing
in it goes unread. It must not judge, and cuts between sentences where there are any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

WHOLE = 4_000  # characters: up to here a text is read in one piece, at a cost of about 12 ms
HALF = WHOLE // 2
FARTHEST = 60_000  # characters: thrice what the desk keeps of the longest letter
OVERLAP = 200  # characters read twice where there is no end of a sentence to cut at
LOOK_BACK = 400

_END = re.compile(r"[.!?…。！？]['\")”’]?\s|\n")


def beginning_and_end(text: str) -> str:
    """What a long text is judged by; a short one whole."""
    if len(text) <= WHOLE:
        return text
    return f"{text[: _cut(text, HALF)]} {text[_start_of_end(text) :]}"


def rest(text: str) -> Iterator[str]:
    """The pieces between them, none longer than HALF, so that reading them takes time in proportion
    to the length; each sentence stands whole in one of them, however it is cut."""
    if len(text) <= WHOLE:
        return
    at, end = _cut(text, HALF), min(_start_of_end(text), FARTHEST)
    at = max(0, at - OVERLAP)  # what the first cut may have torn
    while at < end:
        cut = min(_cut(text, at + HALF), end)
        yield text[at : min(cut + OVERLAP, end + OVERLAP)]
        at = cut


def _start_of_end(text: str) -> int:
    """Where the end begins: after the end of a sentence, if one is near."""
    at = len(text) - HALF
    found = _END.search(text, at, at + LOOK_BACK)
    return found.end() if found else at


def _cut(text: str, at: int) -> int:
    """The last end of a sentence a little before `at`, else the last blank, else `at` itself."""
    ends = [found.end() for found in _END.finditer(text, at - LOOK_BACK, at)]
    if ends:
        return ends[-1]
    blank = text.rfind(" ", at - LOOK_BACK, at)
    return blank + 1 if blank > 0 else at
