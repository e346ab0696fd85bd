"""What kind of case it is, its steps, and how it came to be what it is.

The contract's reasons say which kind they open; a person may take the case for another kind and
says why. Called by intake (through cases), the pathway and the tab of steps. Commits nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import deadlines, events, referred, safety
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, KindChange, StepTick, metadata
from helpline.rules import steps
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import CaseKind, CaseStatus, ClockStart

LONGEST_WHY = 500
TURNS = (
    *("case.opened", "case.imported", "case.kind_set", "case.urgency_set", "case.urgency_raised"),
    *("case.reason_set", "case.allocated", "case.closed", "case.reopened", "case.transferred"),
    *("act.undone", "allocation.undone"),
)
"""Events that changed what a case is, in the history that a person reads."""
NOTHING_AGREED = (
    "Write down first, under Safe contact, what was agreed with them; or say that the step is not "
    "needed because any way will do."
)
EVENT = metadata.tables["event"]
TICK = metadata.tables["step_tick"]
USER = metadata.tables["user"]


async def change(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    kind: str,
    why: str,
    by: Actor | None,
    now: datetime,
) -> None:
    """The case is taken for another kind from now on: its clocks are reconsidered, and the history
    keeps who said so and why. `by` None: it follows from something else that a person did."""
    if by is not None:
        require(by, "case.triage", case.contract)
    if kind not in list(CaseKind):
        raise InvalidInput("Choose what kind of case it is from the list.")
    if case.status != CaseStatus.OPEN:
        raise Conflict("This case is closed. Open it again first.")
    if kind == case.kind:
        raise Conflict("It is that kind of case already.")
    said = in_a_line(why, LONGEST_WHY, "Say in a few words why it is another kind of case.")
    before, case.kind = case.kind, str(kind)
    session.add(
        KindChange(
            contract=case.contract,
            case_id=case.id or 0,
            before=before,
            after=case.kind,
            why=said,
            at=now,
            by_user_id=by.user_id if by else None,
        )
    )
    await session.flush()
    if contract.has_conditions:
        await deadlines.reconsider(session, contract, case, now)
    if before == CaseKind.REFERRAL:
        await deadlines.cancel_begun_by(session, case, ClockStart.REFERRAL, now)
    if case.kind == CaseKind.REFERRAL:
        await deadlines.open_for(session, contract, case, case.opened_at, start=ClockStart.REFERRAL)
        await deadlines.refresh_next_due(session, case)
        await referred.chase(session, contract, case, by, now)
    await events.on_case(
        session, "case.kind_set", case, now, by, case_kind=case.kind, before=before
    )


async def follow_reason(
    session: AsyncSession, contract: Contract, case: Case, now: datetime
) -> None:
    """The case's reason was chosen anew: the kind follows, unless a person said what kind it is.
    Nothing takes a case off the pathway but a person."""
    kind = contract.kind_for(case.reason)
    if kind == case.kind or CaseKind(case.kind).is_pathway or case.status != CaseStatus.OPEN:
        return
    said = await session.scalar(
        select(col(KindChange.id))
        .where(col(KindChange.case_id) == case.id, col(KindChange.by_user_id).is_not(None))
        .limit(1)
    )
    if said is None:
        await change(session, contract, case, kind, "The reason says so.", None, now)


async def history(session: AsyncSession, case_id: int) -> list[Row[Any]]:
    """Every turn the case took, the oldest first: kind, at, detail, who, the worker named."""
    worker = USER.alias("worker")
    query = (
        select(
            EVENT.c.kind,
            EVENT.c.at,
            EVENT.c.detail,
            USER.c.shown_name.label("who"),
            worker.c.shown_name.label("worker"),
        )
        .outerjoin(USER, USER.c.id == EVENT.c.by_user_id)
        .outerjoin(worker, worker.c.id == EVENT.c.detail["worker"].as_integer())
        .where(EVENT.c.case_id == case_id, EVENT.c.kind.in_(TURNS))
        .order_by(EVENT.c.at, EVENT.c.id)
    )
    return list(await session.execute(query))


async def reasons_of_changes(session: AsyncSession, case_id: int) -> Sequence[KindChange]:
    """Why the kind was changed each time, the oldest first."""
    found = await session.scalars(
        select(KindChange).where(col(KindChange.case_id) == case_id).order_by(col(KindChange.id))
    )
    return found.all()


# --- steps ---------------------------------------------------------------------------------------


async def ticks(session: AsyncSession, case_id: int) -> list[Row[Any]]:
    """The ticks that stand: id, step, is_needed, why_not, done_at, who."""
    query = (
        select(TICK, USER.c.shown_name.label("who"))
        .outerjoin(USER, USER.c.id == TICK.c.by_user_id)
        .where(TICK.c.case_id == case_id, TICK.c.taken_back_at.is_(None))
        .order_by(TICK.c.id)
    )
    return list(await session.execute(query))


async def lines(session: AsyncSession, case: Case, now: datetime) -> tuple[steps.Line, ...]:
    """The steps of the case's kind as they stand."""
    standing = [
        steps.Tick(row.step, row.done_at, row.is_needed)
        for row in await ticks(session, case.id or 0)
    ]
    is_open = case.status == CaseStatus.OPEN
    return steps.lines(case.kind, case.opened_at, standing, now, is_open=is_open)


async def tick(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    step: str,
    done_on: date | None,
    by: Actor,
    now: datetime,
) -> StepTick:
    """This step is done, on `done_on` (None: now). InvalidInput for a day ahead or before the case
    opened, and for safe contact while nothing about it is written down."""
    done_at = now
    if step == steps.SAFE and (await safety.rules_of(session, case.person_id)).is_empty:
        raise InvalidInput(NOTHING_AGREED)
    if done_on is not None:
        zone = ZoneInfo(contract.zone)
        if done_on > now.astimezone(zone).date():
            raise InvalidInput("That day is still to come: give the day on which it was done.")
        if done_on < case.opened_at.astimezone(zone).date():
            raise InvalidInput("That is before the case was opened: give a later day.")
        if done_on != now.astimezone(zone).date():
            noon = datetime(done_on.year, done_on.month, done_on.day, 12, tzinfo=zone)
            done_at = max(noon, case.opened_at)
    return await _tick(session, case, step, by, now, done_at, None)


async def skip(
    session: AsyncSession, case: Case, step: str, why_not: str, by: Actor, now: datetime
) -> StepTick:
    """This step is not needed here, and why."""
    said = in_a_line(why_not, LONGEST_WHY, "Say in a few words why it is not needed.")
    return await _tick(session, case, step, by, now, now, said)


async def untick(session: AsyncSession, case: Case, tick_id: int, by: Actor, now: datetime) -> None:
    """It was ticked by mistake; that it was stays on record."""
    require(by, "case.triage", case.contract)
    found = await session.get(StepTick, tick_id, with_for_update=True)
    if found is None or found.case_id != case.id:
        raise NotFound("There is no such step on this case.")
    if found.taken_back_at is None:
        found.taken_back_at, found.taken_back_by_id = now, by.user_id
        await session.flush()
        await events.on_case(session, "step.unticked", case, now, by, step=found.step)


async def note_done(
    session: AsyncSession, case_id: int, step: str, by_id: int | None, now: datetime
) -> None:
    """A step was done elsewhere, as by writing a complaint into its register: ticked by itself,
    once. No event: whoever did it has taken no side on the case."""
    case = await session.get(Case, case_id)
    if case is None or step not in {one.code for one in steps.steps_of(case.kind)}:
        return
    if any(row.step == step for row in await ticks(session, case_id)):
        return
    session.add(
        StepTick(
            contract=case.contract,
            case_id=case_id,
            step=step,
            done_at=now,
            ticked_at=now,
            by_user_id=by_id,
        )
    )
    await session.flush()


async def _tick(
    session: AsyncSession,
    case: Case,
    step: str,
    by: Actor,
    now: datetime,
    done_at: datetime,
    why_not: str | None,
) -> StepTick:
    require(by, "case.triage", case.contract)
    if case.status != CaseStatus.OPEN:
        raise Conflict("This case is closed. Open it again first.")
    if step not in {one.code for one in steps.steps_of(case.kind)}:
        raise InvalidInput("This kind of case has no such step. Look at the page again.")
    for row in await ticks(session, case.id or 0):
        if row.step == step:
            raise Conflict("Somebody has ticked this step already.")
    found = StepTick(
        contract=case.contract,
        case_id=case.id or 0,
        step=step,
        is_needed=why_not is None,
        why_not=why_not,
        done_at=done_at,
        ticked_at=now,
        by_user_id=by.user_id,
    )
    session.add(found)
    await session.flush()
    event = "step.done" if why_not is None else "step.not_needed"
    await events.on_case(session, event, case, now, by, step=step)
    return found
