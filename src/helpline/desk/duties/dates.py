"""One deadline at a time: several notices of one case run by the same clock, so each duty holds its
own row. Called by the modules beside it; what a whole case shares is in desk/deadlines.py.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Clock, Contract
from helpline.desk import deadlines
from helpline.models import Case, Deadline
from helpline.rules import clocks
from helpline.rules.permissions import Actor
from helpline.vocabulary import ClockStop


async def start_clock(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    clock: Clock,
    started_at: datetime,
    *,
    due_at: datetime | None = None,
) -> Deadline:
    """Start `clock` for one duty. `due_at`: where the time is not the clock's own, as that of an
    interview; its warnings are those of the clock all the same."""
    plan = contract.plan(clock, started_at)
    due, certain = (due_at, True) if due_at is not None else (plan.due_at, plan.is_certain)
    moments = clocks.moments(clock.terms, started_at, due, None if due_at else plan.target_at)
    deadline = Deadline(
        contract=contract.key,
        case_id=case.id,
        clock=clock.code,
        starts=clock.starts,
        stops=clock.stops,
        started_at=started_at,
        due_at=due,
        target_at=None if due_at else plan.target_at,
        is_certain=certain,
        next_alert_at=moments[0].at,
    )
    session.add(deadline)
    await session.flush()
    await deadlines.refresh_next_due(session, case)
    return deadline


async def settle(
    session: AsyncSession,
    case: Case,
    deadline_id: int | None,
    at: datetime,
    by: Actor | None,
    *,
    is_kept: bool = True,
) -> None:
    """What it waited for has happened, or will not: nobody is asked about it any more. An alert
    that speaks for another duty of the same time too goes on for that one. Twice changes nothing.
    """
    if deadline_id is None:
        return
    ended = await deadlines.end(
        session, at, col(Deadline.id) == deadline_id, is_kept=is_kept, by=by.user_id if by else None
    )
    await deadlines.note_ended(session, ended, at, by.user_id if by else None)
    if ended:
        await deadlines.refresh_next_due(session, case)


async def of(session: AsyncSession, deadline_ids: list[int | None]) -> dict[int, Deadline]:
    """The rows behind some duties, by id."""
    wanted = [one for one in deadline_ids if one]
    if not wanted:
        return {}
    rows = await session.scalars(select(Deadline).where(col(Deadline.id).in_(wanted)))
    return {row.id or 0: row for row in rows}


OWED = (
    *(ClockStop.NOTICE, ClockStop.LADO_NOTICE, ClockStop.OUTCOME_NOTICE, ClockStop.NOTICE_ANSWER),
    *(ClockStop.SOLICITOR, ClockStop.INTERVIEW_TIME),
    *(ClockStop.APPEAL, ClockStop.RESIGNATION_IN_FORCE, ClockStop.AFTERCARE),
)
"""What the page /duties is about."""


def noon_of(contract: Contract, day: date) -> datetime:
    """An instant, in UTC, that lies on a local day whatever the season: for clocks that count
    days."""
    return datetime.combine(day, time(12), ZoneInfo(contract.zone)).astimezone(UTC)
