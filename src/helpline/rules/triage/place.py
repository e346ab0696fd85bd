"""A message in its place: what the same person wrote just before, what their case is about, the hour.

Asked by desk/intake, which knows these; `read` alone knows only the text. It must never make a
message less urgent than it reads by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from helpline.rules.triage.judgement import SHORT, URGENCIES, Reading, read
from helpline.rules.triage.words import words

TOGETHER: Final = timedelta(minutes=15)
"""Messages of one person within so long of each other may be pieces of one sentence."""
PIECES: Final = 4
NIGHT_FROM, NIGHT_UNTIL = 22, 6
ANSWERS: Final = frozenset("no nope nah none nobody yes yeah yep ok okay thanks thank".split())
VAGUE: Final = ("other", "")


@dataclass(frozen=True)
class Place:
    """`before`: what they wrote within TOGETHER, oldest first, answers to our own questions left
    out. `reason`: what their open case is about, a code of the contract or nothing. `hour`: of the
    day where they live, 0 to 23; None where it is not known."""

    before: tuple[str, ...] = ()
    reason: str = ""
    hour: int | None = None


def read_in(text: str, place: Place, *, channel: str = "sms") -> Reading:
    """The reading of a message that is not alone (A23, A28).

    Pieces of a sentence are read together as well as one by one, and the more worried reading
    counts. At night whoever is urgent is asked if anybody is in danger: nobody else is awake to
    notice. What says nothing of a subject is about what the case is about.
    """
    reading = read(text, channel=channel)
    pieces = _pieces(text, place.before)
    if len(pieces) > 1:
        reading = _worse(reading, read(" ".join(pieces), channel=channel))
    if place.hour is not None and _is_night(place.hour) and reading.urgency == "urgent":
        reading = replace(reading, ask_safety=True)
    if reading.category in VAGUE and place.reason not in (*VAGUE, "unknown"):
        rest = (one for one in reading.categories if one != place.reason)
        reading = replace(reading, category=place.reason, categories=(place.reason, *rest))
    return reading


def _pieces(text: str, before: tuple[str, ...]) -> list[str]:
    """The newest short messages in a row, this one last. A long message stands for itself, and so
    do an answer and what was an emergency already; what adds no word of its own is left out."""
    said = words(text)
    pieces, known = [text], set(said)
    if not said or len(said) > SHORT or said[0] in ANSWERS:
        return pieces
    for earlier in reversed(before[-PIECES + 1 :]):
        told = words(earlier)
        if len(told) > SHORT or read(earlier).urgency == "emergency":
            break
        if any(word[0].isalpha() and word not in known for word in told):
            pieces.insert(0, earlier)
            known.update(told)
    return pieces


def _worse(alone: Reading, together: Reading) -> Reading:
    if URGENCIES.index(together.urgency) >= URGENCIES.index(alone.urgency):
        return replace(alone, ask_safety=alone.ask_safety or together.ask_safety)
    return replace(together, why=f"Together with what they wrote just before: {together.why}")


def _is_night(hour: int) -> bool:
    return hour >= NIGHT_FROM or hour < NIGHT_UNTIL
