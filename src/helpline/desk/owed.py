"""What a line of a register owes somebody, by when: its clocks as deadlines of no case.

Called by the registers of complaints and incidents. The sweep (desk/deadlines.py) warns of these
rows like of all others; the reference that a telephone shows is the register's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Clock, Contract
from helpline.desk import deadlines
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
    await _settle(session, line, stop, at, by, clock, is_kept=True)


async def cancel(session: AsyncSession, line: Line, stop: ClockStop, at: datetime) -> None:
    """It need not happen any more. What is late by now stays late."""
    await _settle(session, line, stop, at, None, is_kept=False)


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
    clock: str | None = None,
    *,
    is_kept: bool,
) -> None:
    which = [line.here, col(Deadline.stops) == stop]
    if clock is not None:
        which.append(col(Deadline.clock) == clock)
    ended = await deadlines.end(session, at, *which, is_kept=is_kept, by=by)
    await deadlines.note_ended(session, ended, at, by)
