"""Items of the library that wait for their owner: past their review, or with a number nobody
checked for 90 days. Once a week each owner is told by a line, leads for what is nobody's; called by
desk/upkeep in office hours, because none of it is a reason to wake anybody.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import climbing, escalation, events, library, outbox, rota
from helpline.desk.climbing import Reach
from helpline.models import Alert, User
from helpline.rules import ladder
from helpline.templating import Wording
from helpline.vocabulary import AlertKind

REFERENCE = "LIBRARY"
"""What stands in the trail instead of a case."""


async def remind_owners(
    session: AsyncSession, contract: Contract, wording: Wording, reach: Reach, now: datetime
) -> int:
    """One line a week to each; how many lines were sent."""
    due = await library.due_for_care(session, contract, now)
    year, week, _ = now.astimezone(ZoneInfo(contract.zone)).isocalendar()
    key = f"library:{contract.key}:{year}-W{week:02}"
    if not due or await session.scalar(select(col(Alert.id)).where(col(Alert.key) == key)):
        return 0
    cause = escalation.Cause(AlertKind.UPKEEP, key, REFERENCE, rungs=("lead",))
    await escalation.raise_alert(session, contract, cause, now)
    await escalation.end(session, key, now)  # it is a line, and nobody is asked to take it
    leads = {lead.id: lead for lead in await rota.leads(session, contract.key)}
    owners: dict[int | None, User] = {}
    for owner_id in due:
        owner = await session.get(User, owner_id) if owner_id is not None else None
        if owner is not None and owner.left_at is None:
            owners[owner.id] = owner
    counts: dict[int | None, int] = {}
    for owner_id, number in due.items():
        for told in [owner_id] if owner_id in owners else list(leads):
            counts[told] = counts.get(told, 0) + number
    sent = 0
    for told, number in counts.items():
        sent += await _tell(session, contract, wording, (owners | leads)[told], number, reach, now)
    await events.record(
        session, "library.owners_told", now, contract=contract.key, count=len(due), told=sent
    )
    return sent


async def _tell(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    user: User,
    number: int,
    reach: Reach,
    now: datetime,
) -> int:
    known = climbing.working(user, reach)
    readable = [means for means in ladder.preferred(user.means) if means in known]
    readable = [means for means in readable if means != "voice"]
    if not readable:
        return 0
    words = wording.say("membership.upkeep", count=number)
    await outbox.queue(session, contract.key, readable[0], known[readable[0]], words, now)
    return 1
