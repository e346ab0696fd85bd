"""How fast somebody may write on our own pages before being slowed down. Pure; asked by web/pacing.

A person in distress writes many short messages and is never locked out: what is too fast is asked
to come again in some seconds (the page does that by itself), and the first message of a device is
always taken, at worst after a pause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 60.0
"""Seconds that are looked back."""
OF_A_DEVICE: Final = 20
"""Messages a minute; faster than anybody types by hand for long."""
OF_AN_ADDRESS: Final = 120
"""Messages a minute from one network address: offices, refuges and mobile networks share one."""
LONGEST_HOLD: Final = 8.0
"""Seconds a first message may be made to wait inside; browsers give up after 15."""


@dataclass(frozen=True)
class Pace:
    """`hold`: seconds to wait before taking it. `again_in`: if above 0 it is not taken now; ask for
    it again after so many seconds."""

    hold: float = 0.0
    again_in: float = 0.0


def pace(by_device: Sequence[float], by_address: Sequence[float]) -> Pace:
    """What to do with the next message. Each sequence holds how many seconds ago a message was
    taken, in any order; what is older than WINDOW does not count."""
    device = sorted(age for age in by_device if age < WINDOW)
    address = sorted(age for age in by_address if age < WINDOW)
    over = len(address) - OF_AN_ADDRESS
    if not device:
        return Pace(hold=min(max(0, over + 1) * 0.25, LONGEST_HOLD))
    wait = max(_until_free(device, OF_A_DEVICE), _until_free(address, OF_AN_ADDRESS))
    return Pace(again_in=wait)


def _until_free(ages: Sequence[float], most: int) -> float:
    """Seconds until fewer than `most` of these lie within the window; 0 when they do now."""
    return WINDOW - ages[most - 1] if len(ages) >= most else 0.0
