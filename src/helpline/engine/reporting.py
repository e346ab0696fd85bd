"""What reports need by themselves: drafts of periods that are over, their deadlines, and each week
the totals of those that run. A job of engine/jobs; what it does is in desk/releasing_owed."""

from helpline.desk import releasing_owed
from helpline.desk.house import House


async def keep_reports(house: House) -> int:
    """For every contract; nothing is held open while figures are counted. Returns what is new."""
    done = 0
    for contract in house.contracts.values():
        now = house.clock.now()
        async with house.db.write() as session:
            done += await releasing_owed.keep_up(session, contract, now)
        async with house.db.read() as session:
            waiting = await releasing_owed.running_due(session, contract, now)
        for one in waiting:
            async with house.db.read() as session:
                cells = await releasing_owed.count_running(session, contract, one)
            async with house.db.write() as session:
                await releasing_owed.keep_running(session, contract, one, cells, now)
            done += 1
    return done
