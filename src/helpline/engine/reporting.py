"""What reports need by themselves: drafts of periods that are over, their deadlines, and each week
the totals of those that run. A job of engine/jobs; what it does is in desk/releasing_owed. A
contract whose reports break holds up nobody else's."""

from helpline.contract import Contract
from helpline.db import AWAY
from helpline.desk import releasing_owed
from helpline.desk.house import House
from helpline.log import log, where


async def keep_reports(house: House) -> int:
    """For every contract. Returns what is new; one that breaks is tried again the next time, after
    the others, and the job says that it failed."""
    done, broken = 0, list[Exception]()
    for contract in list(house.contracts.values()):
        try:
            done += await _keep_reports(house, contract)
        except AWAY:
            raise  # the database does not answer, which is no contract's fault
        except Exception as error:
            log().error("reporting.contract_failed", contract=contract.key, where=where(error))
            broken.append(error)
    if broken:
        raise ExceptionGroup("the reports of a contract could not be kept up", broken)
    return done


async def _keep_reports(house: House, contract: Contract) -> int:
    """Nothing is held open while figures are counted."""
    now = house.clock.now()
    async with house.db.write() as session:
        done = await releasing_owed.keep_up(session, contract, now)
    async with house.db.read() as session:
        waiting = await releasing_owed.running_due(session, contract, now)
    for one in waiting:
        async with house.db.read() as session:
            cells = await releasing_owed.count_running(session, contract, one)
        async with house.db.write() as session:
            await releasing_owed.keep_running(session, contract, one, cells, now)
        done += 1
    return done
