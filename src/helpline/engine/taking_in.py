"""Long lists that were accepted are taken in, a portion in each transaction. A job of engine/jobs;
what it does is in desk/taking_in. One council's list that breaks holds up nobody else's."""

from helpline.db import AWAY
from helpline.desk import taking_in
from helpline.desk.house import House
from helpline.log import log, where

PORTION = 400
"""Of those who left: one statement."""


async def take_in_lists(house: House) -> int:
    """All that wait; one that a kill cut off goes on where it was. Returns how many. A list that
    breaks is tried again the next time, after the others, and the job says that it failed."""
    async with house.db.read() as session:
        waiting = await taking_in.waiting(session)
    broken: list[Exception] = []
    for list_id in waiting:
        try:
            await _take_in(house, list_id)
        except AWAY:
            raise  # the database does not answer, which is no list's fault
        except Exception as error:
            log().error("taking_in.list_failed", item=list_id, where=where(error))
            broken.append(error)
    if broken:
        raise ExceptionGroup("a list could not be taken in", broken)
    return len(waiting)


async def _take_in(house: House, list_id: int) -> None:
    async with house.db.read() as session:
        work = await taking_in.read(session, house.contracts, list_id, house.clock.now())
    if work is None:
        return
    is_more = True
    while is_more:
        async with house.db.write() as session:
            is_more = await taking_in.step(session, work, house.clock.now())
    async with house.db.read() as session:
        left = await taking_in.missing(session, work)
    for start in range(0, len(left), PORTION):
        async with house.db.write() as session:
            portion = left[start : start + PORTION]
            await taking_in.end(session, work, portion, house.clock.now())
    async with house.db.write() as session:
        await taking_in.finish(session, work, house.clock.now())
