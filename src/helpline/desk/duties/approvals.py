"""The twenty-eight days: after a written notice that an approval is to end or change, and after a
resignation (domain.md §1.2). And the dates on which somebody asks how they are once it is over.

One way of appeal, never both. A resignation cannot be taken back: that is said before it is sent,
and where one is written down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import deadlines, events
from helpline.desk.duties import dates
from helpline.desk.holding import hold
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import ApprovalStep, Case, Deadline
from helpline.rules.duties import AppealChoice, ApprovalKind
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import ClockStart, ClockStop, DeadlineState

LONGEST_NAME = 160
MOST_ON_A_CASE = 20
BEGINS = {
    ApprovalKind.DETERMINATION: ClockStart.DETERMINATION,
    ApprovalKind.RESIGNATION: ClockStart.RESIGNATION,
}


@dataclass(frozen=True)
class Shown:
    row: ApprovalStep
    deadline: Deadline | None


async def of_case(session: AsyncSession, case_id: int) -> list[Shown]:
    """The newest first, each with its date."""
    rows = (
        await session.scalars(
            select(ApprovalStep)
            .where(col(ApprovalStep.case_id) == case_id)
            .order_by(col(ApprovalStep.id).desc())
        )
    ).all()
    known = await dates.of(session, [row.deadline_id for row in rows])
    return [Shown(row, known.get(row.deadline_id or 0)) for row in rows]


async def record(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    kind: str,
    who: str,
    noticed_on: date,
    by: Actor,
    now: datetime,
    *,
    warned: bool = False,
) -> ApprovalStep:
    """A written notice, of that day: twenty-eight days run from it. For a resignation somebody says
    that they told them it cannot be taken back."""
    require(by, "duty.write", case.contract)
    if kind not in list(ApprovalKind):
        raise InvalidInput("Choose what the notice was.")
    today = contract.days.day_of(now)
    if noticed_on > today:
        raise InvalidInput("That day is still to come: give the day of the written notice.")
    if (today - noticed_on).days > 366:
        raise InvalidInput("That is more than a year ago: look at the day again.")
    what = ApprovalKind(kind)
    if what is ApprovalKind.RESIGNATION and not warned:
        raise InvalidInput(
            "Tick that they know it cannot be taken back, or that it was sent before you spoke."
        )
    await hold(session, case)
    standing = await of_case(session, case.id or 0)
    if any(one.row.kind == what and one.row.noticed_on == noticed_on for one in standing):
        raise Conflict("This notice is written down already.")
    if len(standing) >= MOST_ON_A_CASE:
        raise InvalidInput("That is more notices than a case can hold.")
    row = ApprovalStep(
        contract=contract.key,
        case_id=case.id or 0,
        kind=what,
        who=in_a_line(who, LONGEST_NAME) or None,
        noticed_on=noticed_on,
        warned=warned,
        recorded_at=now,
        recorded_by_id=by.user_id,
    )
    clock = next((one for one in contract.clocks if one.starts is BEGINS[what]), None)
    if clock is not None:
        began = dates.noon_of(contract, noticed_on)
        row.deadline_id = (await dates.start_clock(session, contract, case, clock, began)).id
    session.add(row)
    await session.flush()
    await events.on_case(session, "approval.noticed", case, now, by, step=row.id, of=what)
    return row


async def choose(
    session: AsyncSession, case: Case, step_id: int, choice: str, by: Actor, now: datetime
) -> ApprovalStep:
    """What they have sent: representations to the service, or an application to the independent
    review; or they let it stand. One only, and it ends the wait."""
    require(by, "duty.write", case.contract)
    row = await _find(session, case, step_id)
    if row.kind != ApprovalKind.DETERMINATION:
        raise Conflict("A resignation is not appealed against.")
    if choice not in list(AppealChoice):
        raise InvalidInput("Choose which of the two they have sent, or neither.")
    if row.choice is not None:
        raise Conflict("It is written down already which way they went: it is one or the other.")
    row.choice, row.chosen_at, row.chosen_by_id = choice, now, by.user_id
    await session.flush()
    await dates.settle(session, case, row.deadline_id, now, by)
    await events.on_case(session, "appeal.chosen", case, now, by, step=row.id, choice=choice)
    return row


async def in_force(
    session: AsyncSession, case: Case, step_id: int, by: Actor, now: datetime
) -> ApprovalStep:
    """The twenty-eight days of a resignation are over, and they know that they are."""
    require(by, "duty.write", case.contract)
    row = await _find(session, case, step_id)
    deadline = await session.get(Deadline, row.deadline_id) if row.deadline_id else None
    if row.kind != ApprovalKind.RESIGNATION:
        raise Conflict("This is no resignation.")
    if deadline is not None and now < deadline.due_at:
        raise InvalidInput("It does not take effect before then.")
    await dates.settle(session, case, row.deadline_id, now, by)
    await events.on_case(session, "resignation.in_force", case, now, by, step=row.id)
    return row


async def begin_aftercare(
    session: AsyncSession, contract: Contract, case: Case, over_on: date, by: Actor, now: datetime
) -> int:
    """The matter is over: somebody asks how they are, on the contract's dates, whether or not the
    case is closed by then. Returns how many dates there are."""
    require(by, "duty.write", case.contract)
    began = dates.noon_of(contract, over_on)
    if over_on > contract.days.day_of(now):
        raise InvalidInput("That day is still to come: give the day on which it was over.")
    await hold(session, case)
    if any(one.state == DeadlineState.OPEN for one in await aftercare(session, case.id or 0)):
        raise Conflict("Dates for afterwards stand already.")
    clocks = contract.clocks_for(ClockStart.MATTER_OVER, case.urgency, case.reason)
    await deadlines.open_for(session, contract, case, began, start=ClockStart.MATTER_OVER)
    await session.flush()
    await deadlines.refresh_next_due(session, case)
    await events.on_case(session, "aftercare.begun", case, now, by, dates=len(clocks))
    return len(clocks)


async def aftercare(session: AsyncSession, case_id: int) -> Sequence[Deadline]:
    """The dates afterwards, the next first."""
    rows = await session.scalars(
        select(Deadline)
        .where(col(Deadline.case_id) == case_id, col(Deadline.stops) == ClockStop.AFTERCARE)
        .order_by(col(Deadline.due_at))
    )
    return rows.all()


async def aftercare_given(
    session: AsyncSession, case: Case, deadline_id: int, by: Actor, now: datetime
) -> None:
    """Somebody asked how they are. What they said is a note like any other."""
    require(by, "duty.write", case.contract)
    listed = await aftercare(session, case.id or 0)
    if deadline_id not in [one.id for one in listed]:
        raise NotFound("There is no such date on this case.")
    await dates.settle(session, case, deadline_id, now, by)
    await events.on_case(session, "aftercare.given", case, now, by, deadline=deadline_id)


async def _find(session: AsyncSession, case: Case, step_id: int) -> ApprovalStep:
    row = await session.get(ApprovalStep, step_id, with_for_update=True)
    if row is None or row.case_id != case.id:
        raise NotFound("There is no such notice on this case.")
    return row
