"""The tick: deadlines that came due, and alerts whose next rung is due. Called every few seconds
and after anything that may have raised an alert."""

from helpline.desk import deadlines, escalation
from helpline.desk.house import House

BATCH = 200


async def watch(house: House) -> int:
    """Raise what is due and climb the ladders, in small transactions, until nothing is left for
    this instant. Returns how many deadlines and alerts moved."""
    now, moved = house.clock.now(), 0
    while True:
        async with house.db.read() as session:
            is_due = await deadlines.any_due(session, now) or await escalation.any_due(session, now)
        if not is_due:
            break
        async with house.db.write() as session:
            raised = await deadlines.sweep(session, house.contracts, now, BATCH)
        async with house.db.write() as session:
            asked = await escalation.climb(session, house.contracts, house.wording, now)
        moved += raised + asked
        if not raised + asked:
            break  # another node has them in hand
    if moved:
        house.wakes.sending.set()
    return moved
