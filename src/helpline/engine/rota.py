"""The rota by itself: patterns become shifts, swaps grow old, handovers fall due, a gap in the
coming week is an alarm, and so is a naming that nobody answers. A job of engine/jobs; what it does
is in desk/rota and desk/allocation."""

from helpline.desk import allocation
from helpline.desk.house import House
from helpline.desk.rota import alarms, handovers, plan, swaps


async def keep_rota(house: House) -> int:
    """Look at the rota of every contract, each in a transaction of its own. Returns how much was
    made, raised or ended."""
    now, moved = house.clock.now(), 0
    for contract in house.contracts.values():
        async with house.db.write() as session:
            await alarms.take_turn(session, contract.key, now)
            moved += await plan.extend(session, contract, now)
            moved += await swaps.expire(session, contract.key, now)
            moved += await handovers.look(session, contract, now)
            moved += await alarms.look(session, contract, now)
            moved += await allocation.chase(session, contract, now)
    if moved:
        house.wakes.sending.set()
    return moved
