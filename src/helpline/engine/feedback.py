"""People are asked how it was, by their own channel. A job of engine/jobs; what it does is in
desk/feedback."""

from helpline.desk import feedback
from helpline.desk.house import House


async def ask_for_feedback(house: House) -> int:
    """Ask whoever may be asked now, of every contract. Returns how many were."""
    asked = 0
    for contract in house.contracts.values():
        async with house.db.write() as session:
            asked += await feedback.ask_all(session, contract, house.wording, house.clock.now())
    if asked:
        house.wakes.sending.set()
    return asked
