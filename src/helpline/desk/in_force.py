"""Keeps a house's contracts what they are now: their files, and the changes that count laid over.

Called at the start, by the job `settings` every few seconds, at once by whoever made a change, and
by the command line. It reads and never writes; a change that does not fit its file any more is left
out and named, and nothing stops.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract, changing, overlay
from helpline.contract.overlay import Overlaid
from helpline.desk import agreed
from helpline.desk.house import House
from helpline.log import log


async def keep(house: House, only: str = "") -> int:
    """Look whether other contracts hold by now; returns how many changed. `only`: one of them, for
    a page, whose database may show it no more than that (migrations/policies.py)."""
    async with house.db.read() as session:
        found = await agreed.all_counting(session)
    moved, now = 0, house.clock.now()
    for key, filed in house.in_force.filed.items():
        if only not in ("", key):
            continue
        day, changes = agreed.local_day(filed, now), found.get(key, ())
        due = frozenset((one.id, one.valid_from) for one in changes if one.valid_from <= day)
        if due == house.in_force.laid.get(key, frozenset()):
            continue
        held = overlay.overlaid(filed, changes, day, house.wording.sources)
        house.in_force.contracts[key] = held.contract
        house.in_force.laid[key], house.in_force.left_out[key] = due, held.left_out
        moved += 1
        for change, _ in held.left_out:
            log().error("settings.left_out", contract=key, item=change.id)
    return moved


async def overlaid(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    sources: changing.Sources,
    now: datetime,
) -> dict[str, Overlaid]:
    """What holds now, for a command that has no house."""
    found = await agreed.all_counting(session)
    return {
        key: overlay.overlaid(filed, found.get(key, ()), agreed.local_day(filed, now), sources)
        for key, filed in contracts.items()
    }
