"""A worker's own word, with a time on it: "I'll ring at four". A deadline like any other.

Called by pages and by the acts that keep a promise (a call in which they spoke, a reply). The
contract has no say in when it is due; a quarter of an hour before, whoever gave it is asked first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Result, Row, func, select
from sqlalchemy import case as if_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import deadlines, events
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import Case, Deadline, User
from helpline.rules import clocks
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import CaseStatus, ClockStart, ClockStop, DeadlineState, PromiseKind

FURTHEST = timedelta(days=366)
LONGEST = 200


def clock_of(kind: PromiseKind) -> str:
    return f"promise.{kind}"


async def give(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    kind: str,
    what: str,
    due_at: datetime,
    by: Actor,
    now: datetime,
) -> Deadline:
    """Write down what was promised and by when. InvalidInput for a time that has passed or lies
    more than a year ahead, and for a kind that is none."""
    require(by, "case.reply", case.contract)
    if case.status != CaseStatus.OPEN:
        raise InvalidInput("This case is closed. Open it again before you promise something.")
    if kind not in list(PromiseKind):
        raise InvalidInput("Say what you promised: to ring, to write, or something else.")
    if due_at <= now:
        raise InvalidInput("That time has passed: give a time that is still to come.")
    if due_at > now + FURTHEST:
        raise InvalidInput("That is more than a year away: give an earlier time.")
    missing = "Say in a few words what you promised." if kind == PromiseKind.OTHER else ""
    said = in_a_line(what, LONGEST, missing)
    told = clocks.moments(deadlines.PROMISED, now, due_at)
    deadline = Deadline(
        contract=contract.key,
        case_id=case.id,
        clock=clock_of(PromiseKind(kind)),
        starts=ClockStart.PROMISE,
        stops=ClockStop.KEPT_WORD,
        started_at=now,
        due_at=due_at,
        owner_id=by.user_id,
        what=said or None,
        next_alert_at=told[0].at,
    )
    session.add(deadline)
    await session.flush()
    await deadlines.refresh_next_due(session, case)
    await events.record(
        session,
        "promise.given",
        now,
        contract=contract.key,
        case_id=case.id,
        by=by.user_id,
        promise=deadline.id,
        due_at=due_at.isoformat(),
    )
    return deadline


async def keep(
    session: AsyncSession, case: Case, deadline_id: int, by: Actor, now: datetime
) -> None:
    """It was done. Doing it twice changes nothing."""
    await _settle(session, case, deadline_id, by, now, "promise.kept", is_kept=True)


async def withdraw(
    session: AsyncSession, case: Case, deadline_id: int, by: Actor, now: datetime
) -> None:
    """It need not be done any more: they agreed otherwise. InvalidInput once its time has passed:
    a promise that was missed counts as missed, and is open until it is done."""
    promise = await session.get(Deadline, deadline_id)
    if promise is not None and promise.due_at < now:
        raise InvalidInput("Its time has passed: say when you have done it instead.")
    await _settle(session, case, deadline_id, by, now, "promise.withdrawn", is_kept=False)


async def open_on(session: AsyncSession, case_id: int) -> Sequence[Row[Any]]:
    """The promises still to be kept on a case, the next first: id, clock, what, due_at, who."""
    rows: Result[Any] = await session.execute(
        select(
            col(Deadline.id),
            col(Deadline.clock),
            col(Deadline.what),
            col(Deadline.due_at),
            col(Deadline.owner_id),
            col(User.shown_name).label("who"),
        )
        .join(User, col(User.id) == col(Deadline.owner_id))
        .where(
            col(Deadline.case_id) == case_id,
            col(Deadline.starts) == ClockStart.PROMISE,
            col(Deadline.state) == DeadlineState.OPEN,
        )
        .order_by(col(Deadline.due_at))
    )
    return rows.all()


@dataclass(frozen=True)
class KeptRate:
    """How one worker's promises that came due went; withdrawn ones are no promises any more."""

    who: str
    kept: int
    late: int
    """Done after their time."""
    broken: int
    """Not done."""

    @property
    def due(self) -> int:
        return self.kept + self.late + self.broken


async def kept_rates(
    session: AsyncSession, contract: str, since: datetime, now: datetime
) -> list[KeptRate]:
    """Each worker with promises due between two instants, in order of name."""
    in_time = col(Deadline.met_at) <= col(Deadline.due_at)
    rows = await session.execute(
        select(
            col(User.shown_name),
            func.sum(if_((in_time, 1), else_=0)),
            func.sum(if_((col(Deadline.met_at) > col(Deadline.due_at), 1), else_=0)),
            func.sum(if_((col(Deadline.met_at).is_(None), 1), else_=0)),
        )
        .join(User, col(User.id) == col(Deadline.owner_id))
        .where(
            col(Deadline.contract) == contract,
            col(Deadline.starts) == ClockStart.PROMISE,
            col(Deadline.state) != DeadlineState.CANCELLED,
            col(Deadline.due_at) >= since,
            col(Deadline.due_at) < now,
        )
        .group_by(col(User.id), col(User.shown_name))
        .order_by(col(User.shown_name))
    )
    return [KeptRate(*row) for row in rows]


async def keep_by(
    session: AsyncSession, case: Case, kind: PromiseKind, by_id: int | None, at: datetime
) -> None:
    """What was promised happened by itself: they spoke on the telephone, or were written to."""
    kept = await session.scalars(
        select(col(Deadline.id)).where(
            col(Deadline.case_id) == case.id,
            col(Deadline.clock) == clock_of(kind),
            col(Deadline.state) == DeadlineState.OPEN,
            col(Deadline.started_at) <= at,
        )
    )
    for deadline_id in kept.all():
        await _write(session, case, deadline_id or 0, by_id, at, "promise.kept", is_kept=True)


async def _settle(
    session: AsyncSession,
    case: Case,
    deadline_id: int,
    by: Actor,
    now: datetime,
    event: str,
    *,
    is_kept: bool,
) -> None:
    promise = await session.get(Deadline, deadline_id, with_for_update=True)
    is_there = (
        promise is not None
        and promise.case_id == case.id
        and promise.starts == ClockStart.PROMISE
        and may(by, "case.reply", case.contract)
    )
    if not is_there or promise is None:
        raise NotFound("There is no such promise on this case.")
    if promise.state == DeadlineState.OPEN:
        await _write(session, case, deadline_id, by.user_id, now, event, is_kept=is_kept)


async def _write(
    session: AsyncSession,
    case: Case,
    deadline_id: int,
    by_id: int | None,
    at: datetime,
    event: str,
    *,
    is_kept: bool,
) -> None:
    which = col(Deadline.id) == deadline_id
    await deadlines.end(session, at, which, is_kept=is_kept, by=by_id)
    await events.record(
        session, event, at, contract=case.contract, case_id=case.id, by=by_id, promise=deadline_id
    )
    await deadlines.refresh_next_due(session, case)
