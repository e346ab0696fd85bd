"""What the helpline rests on and somebody must look after in time: the table of bank holidays, the
contact details that carers are given, the papers of our people, what is owed to the council, the
council's list of each month. Called once an hour by engine/housekeeping; it says it to team leads,
in office hours only, because none of it is a reason to wake anybody.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract, doubts
from helpline.desk import (
    climbing,
    escalation,
    events,
    library_care,
    obligations,
    outbox,
    papers,
    register,
    rota,
)
from helpline.desk.climbing import Reach
from helpline.desk.rights import retention
from helpline.models import Alert
from helpline.rules import ladder, monthly
from helpline.templating import Wording
from helpline.vocabulary import AlertKind

CALENDAR, SIGNPOSTS = climbing.CALENDAR, "SIGNPOSTS"
"""What a telephone shows instead of a case."""
LEADS = ("lead",)


async def look(
    session: AsyncSession, contract: Contract, wording: Wording, reach: Reach, now: datetime
) -> int:
    """Raise and end what is due for one contract. Doing it again in the same week changes nothing.
    Returns how many alarms began or ended and lines were sent."""
    moved = await _calendar(session, contract, now)
    moved += await _papers(session, contract, now)
    moved += await _monthly_list(session, contract, now)
    moved += await obligations.look(session, contract, now)
    moved += await _kept_long_enough(session, contract, now)
    if climbing.office_time(contract, now) == now:
        moved += await _signposts(session, contract, wording, reach, now)
        moved += await library_care.remind_owners(session, contract, wording, reach, now)
    return moved


async def _calendar(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """From 90 days before the table's end one alarm, which a longer table ends."""
    last = doubts.calendar_ends_soon(contract, now.astimezone(ZoneInfo(contract.zone)).date())
    key = f"calendar:{contract.key}:{last}" if last else ""
    return await _one_alarm(session, contract, CALENDAR, key, now)


async def _papers(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """While a paper of somebody is over or over soon, one alarm a week; it ends when none is."""
    day = now.astimezone(ZoneInfo(contract.zone)).date()
    week = f"{day.isocalendar().year}-W{day.isocalendar().week:02}"
    is_due = await papers.any_runs_out(session, contract, now)
    return await _one_alarm(
        session, contract, climbing.PAPERS, f"papers:{contract.key}:{week}" if is_due else "", now
    )


async def _monthly_list(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """A list that has not come by its day: one alarm a month, which the list ends."""
    if contract.monthly_list is None:
        return 0
    day = now.astimezone(ZoneInfo(contract.zone)).date()
    newest = await register.newest_as_of(session, contract.key)
    month = monthly.missed(contract.monthly_list.by_day, newest, day)
    key = f"list:{contract.key}:{month:%Y-%m}" if month else ""
    return await _one_alarm(session, contract, climbing.LIST, key, now)


async def left_out(
    session: AsyncSession, contract: Contract, changes: Sequence[int], now: datetime
) -> int:
    """While a change of a setting fits the contract's file no longer, one alarm; it ends when the
    change is taken back, or the file put right."""
    key = f"settings:{contract.key}:{min(changes)}" if changes else ""
    return await _one_alarm(session, contract, climbing.SETTINGS, key, now)


async def _kept_long_enough(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """While a list of what has been kept long enough waits, or a hold is to be looked at again, one
    alarm; nothing is erased by it."""
    await retention.propose(session, contract, now)
    key = await retention.any_waits(session, contract, now)
    return await _one_alarm(session, contract, climbing.KEPT, key, now)


async def _one_alarm(
    session: AsyncSession, contract: Contract, reference: str, key: str, now: datetime
) -> int:
    """One alarm of this reference stands, the one named by `key`; none where `key` is empty. It
    begins in office hours. Returns how many began or ended."""
    ended = await session.execute(
        update(Alert)
        .where(
            col(Alert.contract) == contract.key,
            col(Alert.kind) == AlertKind.UPKEEP,
            col(Alert.reference) == reference,
            col(Alert.ended_at).is_(None),
            col(Alert.key) != key,
        )
        .values(ended_at=now, next_rung_at=None, act_by=None)
        .returning(col(Alert.id))
    )
    moved = len(ended.all())
    if not key or climbing.office_time(contract, now) != now:
        return moved
    if await session.scalar(select(col(Alert.id)).where(col(Alert.key) == key)) is not None:
        return moved
    cause = escalation.Cause(AlertKind.UPKEEP, key, reference, rungs=LEADS)
    await escalation.raise_alert(session, contract, cause, now)
    return moved + 1


async def _signposts(
    session: AsyncSession, contract: Contract, wording: Wording, reach: Reach, now: datetime
) -> int:
    """Once a week one line to each lead when contact details were not looked at for 90 days."""
    day = now.astimezone(ZoneInfo(contract.zone)).date()
    old = doubts.old_signposts(contract, day)
    week = f"{day.isocalendar().year}-W{day.isocalendar().week:02}"
    key = f"signposts:{contract.key}:{week}"
    if not old or await session.scalar(select(col(Alert.id)).where(col(Alert.key) == key)):
        return 0
    cause = escalation.Cause(AlertKind.UPKEEP, key, SIGNPOSTS, rungs=LEADS)
    await escalation.raise_alert(session, contract, cause, now)
    await escalation.end(session, key, now)  # it is a line, and nobody is asked to take it
    sent = 0
    for lead in await rota.leads(session, contract.key):
        known = climbing.working(lead, reach)
        readable = [means for means in ladder.preferred(lead.means) if means in known]
        readable = [means for means in readable if means != "voice"]
        if readable:
            words = wording.say("upkeep_signposts", count=len(old), council=contract.council)
            means = readable[0]
            await outbox.queue(session, contract.key, means, known[means], words, now)
            sent += 1
    await events.record(
        session, "upkeep.signposts", now, contract=contract.key, count=len(old), told=sent
    )
    return sent
