"""What looking through the audit trail showed, in a sentence: for the command and for the page."""

from datetime import UTC
from typing import Final

from helpline.desk.verifying import Found
from helpline.rules.chain import Fault

FAULTS: Final = {
    Fault.EDITED: "is not what was written: somebody changed it",
    Fault.REMOVED: "is gone: somebody took it away",
    Fault.TORN: "does not follow from the line before it: a line was changed, taken away or moved",
    Fault.ADDED: "stands beside the trail and was not written by the helpline: somebody put it in, "
    "or changed it at once",
    Fault.UNPROVED: "has no proof: somebody put it in, or an older version of the program wrote it "
    "(`helpline audit accept`)",
    Fault.NO_KEY: "was made under a key that nobody knows: somebody changed it, or that key was "
    "lost",
    Fault.SHORT: "is the last that is whole: the end was taken away or changed",
    Fault.OTHER: "is not the one that left this machine: this is another trail",
}


def said(found: Found) -> str:
    """That it is whole, how many lines and up to when; or the first line that is wrong, when it
    happened, and what is the matter with it."""
    up_to = f", up to {found.up_to.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if found.up_to else ""
    if found.fault is None:
        waiting = f"; {found.waiting:,} more wait to be tied on" if found.waiting else ""
        return f"Whole: {found.lines:,} lines{up_to}{waiting}."
    which = f"line {found.seq:,}" if found.seq is not None else "an event"
    event = f" (event {found.event_id})" if found.event_id is not None else ""
    at = f" of {found.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if found.at else ""
    return f"Not whole: {which}{event}{at} {FAULTS[found.fault]}. {found.lines:,} lines are whole."
