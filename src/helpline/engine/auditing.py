"""The job that looks after the audit trail: ties what was written to the chain, looks through the
chain once a day, sends its end out of this machine, and notices unusual reading.

Each is due by what stands in the database, so that several nodes do it once between them. That the
chain is broken is an alert to leads: a person has to look, tonight or tomorrow.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from helpline.desk import anchoring, chaining, escalation, verifying, watching
from helpline.desk.house import House
from helpline.log import log, where
from helpline.vocabulary import AlertKind

REFERENCE: Final = "TRAIL"
"""What a telephone shows instead of a case."""
EACH: Final = timedelta(hours=24)
"""How often all of the chain is looked through."""


async def keep_trail(house: House) -> int:
    """Returns how many lines were tied on."""
    tied = 0
    async with house.db.read() as session:
        is_due = await chaining.is_due(session)
    while is_due:
        async with house.db.write() as session:
            added = await chaining.tie_on(session, house.clock.now())
        tied += added
        is_due = added == chaining.AT_ONCE
    await _daily(house)
    await _notice(house)
    return tied


async def _daily(house: House) -> None:
    """Once a day: everything is looked at once more, and the end of the chain leaves."""
    now = house.clock.now()
    async with house.db.read() as session:
        if await anchoring.is_made(session, now):
            return
    async with house.db.write() as session:
        await chaining.look_again_from_the_start(session)
    await look_through(house, now)
    async with house.db.write() as session:
        line = await anchoring.make(
            session, house.settings.audit_addresses, house.contracts, house.wording, now
        )
    if line and house.settings.audit_file:
        try:
            _append(house.settings.audit_file, line)
        except OSError as error:  # the letter is the other way; and the log says it
            log().error("audit.not_written", where=where(error))
        else:
            async with house.db.write() as session:
                await anchoring.written(session, now)
    house.wakes.sending.set()


async def look_through(house: House, now: datetime) -> verifying.Found:
    """The whole chain, and an alert to the leads when it is not whole."""
    began = house.clock.seconds()
    async with house.db.read() as session:
        found = await verifying.look_through(session)
    async with house.db.write() as session:
        await verifying.note(session, found, house.clock.seconds() - began, now)
        if found.fault is not None:
            log().error("audit.broken", kind=found.fault.value, count=found.seq or 0)
            contract = house.contracts[min(house.contracts)]
            key = f"trail:{found.fault}:{found.seq}:{found.event_id}"
            cause = escalation.Cause(AlertKind.UPKEEP, key, REFERENCE, rungs=("lead",))
            await escalation.raise_alert(session, contract, cause, now)
    return found


async def _notice(house: House) -> None:
    now = house.clock.now()
    async with house.db.read() as session:
        if not await watching.is_due(session, now):
            return
    async with house.db.write() as session:
        await watching.look(session, house.contracts, now)


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
