"""That this node lives, how fast the database answers, and whose clock is right.

On PostgreSQL every node lives by the database's clock, asked here every ten seconds: what is due is
due for all of them at the same instant. How far a machine's own clock is off is shown, and is an
alarm above two seconds: logs and certificates still go by it.
"""

from importlib.metadata import version

from helpline.clock import AgreedClock
from helpline.desk import beats, escalation
from helpline.desk.house import House
from helpline.log import log
from helpline.models import Node
from helpline.sealing import ring
from helpline.vocabulary import AlertKind

VERSION = version("helpline")
MOST_AHEAD = 2.0
"""Seconds that a machine's clock may be off, either way."""
TOO_SLOW_TO_TELL = 1.0
"""Seconds: an answer that took longer says nothing about the time."""
REFERENCE = "SYSTEM"
"""What a telephone shows instead of a case."""


async def take_pulse(house: House, *, is_start: bool = False) -> int:
    """Ask the database, set our clock by it, and say that this node lives. `is_start`: it has just
    begun to, perhaps under the name of one that ended."""
    began = house.clock.seconds()
    shown = await house.db.clock_shows()
    took = house.clock.seconds() - began
    ahead = None
    if isinstance(house.clock, AgreedClock) and shown is not None:
        if took < TOO_SLOW_TO_TELL:
            house.clock.agree(shown, began + took / 2)
        ahead = house.clock.ahead
    now = house.clock.now()
    node = Node(
        name=house.node,
        version=VERSION,
        started_at=now,
        seen_at=now,
        clock_ahead=ahead,
        database_seconds=took,
        keys=",".join(ring().marks),
    )
    async with house.db.write() as session:
        await beats.report(session, node, is_start=is_start)
        if ahead is not None and abs(ahead) > MOST_AHEAD:
            log().error("node.clock_is_wrong", node=house.node, seconds=round(ahead, 1))
            contract = house.contracts[min(house.contracts)]
            machine = house.node.partition(":")[0]
            key = f"clock:{machine}:{now:%Y%m%d}"
            cause = escalation.Cause(AlertKind.UPKEEP, key, REFERENCE, rungs=("lead",))
            await escalation.raise_alert(session, contract, cause, now)
    return 0
