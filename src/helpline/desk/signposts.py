"""Whom else to ring, as the automatic answers say it: the contract's own lines, and the number that
a person answers.

Called by desk/intake and whatever else writes to people by itself. What a message is about brings
lines of its own: the legal line when the police are there, somebody to talk to, one for the young.
"""

from typing import Any

from helpline.contract import Contract
from helpline.rules.wishes import cues_of

MOST = 2
"""Lines that one cue brings."""
EMERGENCY = "999"
ALWAYS = "24 hours a day, every day"
"""How a contract says of its line that it is answered at every hour of every day."""


def words(contract: Contract, text: str, is_alarming: bool = False) -> dict[str, Any]:
    """The values of the texts that name somebody to ring, for a message of these words. Where the
    first line says 999 already, it is not said twice."""
    first = [one for one in contract.signposts if one.first_answer]
    others = [one for one in first if one.contact != EMERGENCY]
    cues = cues_of(text)
    is_young = "young_person" in cues
    audience = ("everyone", "children") if is_young else ("everyone", "carers")
    more: list[str] = []
    for cue in sorted(cues):
        fitting = [
            one.line
            for one in contract.signposts
            if cue in one.topics and one.audience in audience and not one.first_answer
        ]
        more += [line for line in fitting[:MOST] if line not in more]
    number = contract.freephone.number if contract.freephone else ""
    hours = contract.freephone.hours if contract.freephone else ""
    never_closes = hours.startswith(ALWAYS)
    ring_us = f" To speak to a person now, ring {number}, free, day or night."
    if not never_closes:
        ring_us = f" To speak to a person, ring {number}, free: {hours}."
    return {
        "signposts": " ".join(one.line for one in (others if is_alarming else first)),
        "signposts_but_999": " ".join(one.line for one in others),
        "lines": "".join(f" {line}" for line in more),
        "young": is_young,
        "helpline": number,
        "always_open": number if never_closes else "",
        "helpline_hours": "day or night" if never_closes else hours,
        "ring_us": ring_us if number else "",
    }
