"""What a line of a register owes somebody, by when: its clocks as deadlines of no case.

Called by the registers of complaints and incidents. The sweep (desk/deadlines.py) warns of these
rows like of all others; the reference that a telephone shows is the register's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Clock, Contract
from helpline.desk import deadlines, escalation, events
from helpline.models import Deadline
from helpline.vocabulary import ClockStop, DeadlineState


@dataclass(frozen=True)
class Line:
    """Which line of which register: one of the two ids."""

    contract: str
    complaint_id: int | None = None
    incident_id: int | None = None

    @property
    def here(self) -> ColumnElement[bool]:
        if self.complaint_id is not None:
            return col(Deadline.complaint_id) == self.complaint_id
        return col(Deadline.incident_id) == self.incident_id


async def start(
    session: AsyncSession,
    contract: Contract,
    line: Line,
    clocks: Collection[Clock],
    started_at: datetime,
) -> dict[str, datetime]:
    """Begin these clocks at `started_at`. Returns clock → when it is due."""
    rows = [deadlines.row_of(contract, clock, started_at) for clock in clocks]
    ids = {"complaint_id": line.complaint_id, "incident_id": line.incident_id}
    if rows:
        await session.execute(deadlines.NEW, [row | ids for row in rows])
    return {row["clock"]: row["due_at"] for row in rows}


async def meet(
    session: AsyncSession,
    line: Line,
    stop: ClockStop,
    at: datetime,
    by: int | None,
    *,
    clock: str | None = None,
) -> None:
    """What `stop` waits for has happened; of one clock alone where it is named."""
    await _settle(session, line, stop, at, by, DeadlineState.MET, clock)


async def cancel(session: AsyncSession, line: Line, stop: ClockStop, at: datetime) -> None:
    """It need not happen any more."""
    await _settle(session, line, stop, at, None, DeadlineState.CANCELLED, None)


async def open_on(session: AsyncSession, line: Line) -> list[Deadline]:
    """What is still owed, the next first."""
    rows = await session.scalars(
        select(Deadline)
        .where(line.here, col(Deadline.state) == DeadlineState.OPEN)
        .order_by(col(Deadline.due_at), col(Deadline.id))
    )
    return list(rows)


async def _settle(
    session: AsyncSession,
    line: Line,
    stop: ClockStop,
    at: datetime,
    by: int | None,
    state: DeadlineState,
    clock: str | None,
) -> None:
    is_met = state is DeadlineState.MET
    found = (
        await session.execute(
            update(Deadline)
            .where(
                line.here,
                col(Deadline.stops) == stop,
                col(Deadline.state) == DeadlineState.OPEN,
                *(() if clock is None else (col(Deadline.clock) == clock,)),
            )
            .values(
                state=state,
                met_at=at if is_met else None,
                met_by_id=by if is_met else None,
                next_alert_at=None,
            )
            .returning(col(Deadline.id), col(Deadline.clock), col(Deadline.due_at))
        )
    ).all()
    for deadline_id, code, due_at in found:
        await escalation.end_for_deadline(session, deadline_id or 0, at)
        await events.record(
            session,
            f"deadline.{state}",
            at,
            contract=line.contract,
            by=by,
            clock=code,
            in_time=at <= due_at,
        )
