"""A long text in pieces: its beginning and end, where people say why they write, and every sentence
with its neighbours, so that what stands between much chat is not outweighed by it.

Called by judgement.read; a letter of many pages then costs no more than its length and nothing in
it goes unread. It must not judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

WHOLE = 4_000  # characters: up to here a text is judged in one piece, at a cost of about 12 ms
HALF = WHOLE // 2
LONG = 600  # characters: a longer text is also looked through sentence by sentence
FARTHEST = 60_000  # characters: thrice what the desk keeps of the longest letter
SENTENCE = 300  # characters: what has no full stop is cut about here
SHORTEST = 20  # characters: less than this goes with the next sentence
NEIGHBOURS = 150  # characters on either side in which a sentence is understood
OVERLAP = 100  # characters read twice where there is no end of a sentence to cut at
LOOK_BACK = 400

_END = re.compile(r"[.!?…。！？]['\")”’]?\s|\n")


def beginning_and_end(text: str) -> str:
    """What a long text is judged by; a short one whole."""
    if len(text) <= WHOLE:
        return text
    return f"{text[: _cut(text, HALF)]} {text[_start_of_end(text) :]}"


def sentences(text: str) -> Iterator[tuple[str, str]]:
    """Each sentence of a long text with what stands around it; of a short one, none: it is read
    whole. However it is cut, any OVERLAP characters in a row stand together in one of them, unless
    a sentence ends between them."""
    if len(text) <= LONG:
        return
    at, end = 0, min(len(text), FARTHEST)
    for found in _END.finditer(text, 0, end):
        if found.end() - at < SHORTEST:
            continue
        yield from _parts(text, at, found.end())
        at = found.end()
    yield from _parts(text, at, end)


def _parts(text: str, start: int, end: int) -> Iterator[tuple[str, str]]:
    """A sentence, or what has no full stop in pieces that overlap."""
    while start < end:
        stop = min(start + SENTENCE, end)
        yield text[start:stop], text[max(0, start - NEIGHBOURS) : stop + NEIGHBOURS]
        start = stop if stop == end else stop - OVERLAP


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
