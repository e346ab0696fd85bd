"""What was agreed with the person: goals in their words, when it is looked at again, when support
is meant to end, and how it ends.

A plan's review is a deadline like a task's. A case with a plan closes when its exit was agreed, or
a lead says why without (004 §2.3). Called by the tab of steps and plan, and by cases. Commits
nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import deadlines, events
from helpline.desk.holding import hold
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, CaseExit, Deadline, PlanGoal, PlanReview, SupportPlan, metadata
from helpline.rules import clocks
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import CaseStatus, ClockStart, ClockStop, DeadlineState, GoalState

LONGEST = 500
LONGEST_WITH = 200
MOST_GOALS = 12
MOST_YEARS = 5
DAY_ENDS = time(17)
"""When on its day a review is due, local time."""
CLOCK: Final = "plan.review"
GOAL = metadata.tables["plan_goal"]
REVIEW = metadata.tables["plan_review"]
USER = metadata.tables["user"]
NO_EXIT = (
    "This case has a plan. First write down, under Steps and plan, how its end was agreed and with "
    "whom; a lead may let it close without and says why."
)


async def make(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    goals: Sequence[str],
    agreed_with: str,
    agreed_on: date,
    review_on: date,
    envisaged_end: date,
    by: Actor,
    now: datetime,
) -> SupportPlan:
    """A plan was agreed. Dates are days in the contract's zone: agreed not ahead, the review ahead
    and not after the envisaged end."""
    require(by, "plan.write", case.contract)
    _must_be_open(case)
    await hold(session, case)
    if await standing(session, case.id or 0) is not None:
        raise Conflict("This case has a plan already: look at it again, or add to its goals.")
    today = _today(contract, now)
    said = [in_a_line(goal, LONGEST) for goal in goals if goal.strip()]
    if not said:
        raise InvalidInput("Write at least one thing that they want, in their own words.")
    if len(said) > MOST_GOALS:
        raise InvalidInput(f"A plan holds {MOST_GOALS} goals at most.")
    with_whom = in_a_line(agreed_with, LONGEST_WITH, "Say with whom it was agreed.")
    if agreed_on > today:
        raise InvalidInput("The day on which it was agreed is still to come.")
    _must_follow(today, review_on, envisaged_end)
    plan = SupportPlan(
        contract=case.contract,
        case_id=case.id or 0,
        agreed_with=with_whom,
        agreed_on=agreed_on,
        envisaged_end=envisaged_end,
        made_at=now,
        by_user_id=by.user_id,
    )
    session.add(plan)
    await session.flush()
    for words in said:
        session.add(PlanGoal(plan_id=plan.id or 0, words=words, set_at=now, by_user_id=by.user_id))
    await _look_again(session, contract, case, plan, review_on, now)
    await events.on_case(session, "plan.made", case, now, by, plan=plan.id, goals=len(said))
    return plan


async def add_goal(
    session: AsyncSession, case: Case, words: str, by: Actor, now: datetime
) -> PlanGoal:
    """Something else that they want."""
    require(by, "plan.write", case.contract)
    plan = await _standing(session, case)
    said = in_a_line(words, LONGEST, "Write what they want, in their own words.")
    if len(await goals_of(session, plan.id or 0)) >= MOST_GOALS:
        raise InvalidInput(f"A plan holds {MOST_GOALS} goals at most.")
    goal = PlanGoal(plan_id=plan.id or 0, words=said, set_at=now, by_user_id=by.user_id)
    session.add(goal)
    await session.flush()
    await events.on_case(session, "plan.goal_added", case, now, by, plan=plan.id, goal=goal.id)
    return goal


async def settle_goal(
    session: AsyncSession, case: Case, goal_id: int, state: str, by: Actor, now: datetime
) -> None:
    """What became of a goal; open again where that was too soon."""
    require(by, "plan.write", case.contract)
    plan = await _standing(session, case)
    goal = await session.get(PlanGoal, goal_id, with_for_update=True)
    if goal is None or goal.plan_id != plan.id:
        raise NotFound("There is no such goal in this plan.")
    if state not in list(GoalState):
        raise InvalidInput("Choose what became of it.")
    if goal.state == state:
        return
    is_open = state == GoalState.OPEN
    goal.state = state
    goal.settled_at, goal.settled_by_id = (None, None) if is_open else (now, by.user_id)
    await session.flush()
    await events.on_case(session, "plan.goal_settled", case, now, by, goal=goal_id, state=state)


async def review(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    with_whom: str,
    said: str,
    next_on: date | None,
    envisaged_end: date | None,
    by: Actor,
    now: datetime,
) -> PlanReview:
    """The plan was looked at again today: that meets the review's clock. `next_on` None: it was the
    last one; then the envisaged end must lie no further than the plan says."""
    require(by, "plan.write", case.contract)
    plan = await _standing(session, case)
    _must_be_open(case)
    who = in_a_line(with_whom, LONGEST_WITH, "Say with whom you looked at it.")
    words = in_a_line(said, LONGEST, "Say in a few words how it goes.")
    end = envisaged_end or plan.envisaged_end
    today = _today(contract, now)
    if next_on is not None:
        _must_follow(today, next_on, end)
    held = PlanReview(
        plan_id=plan.id or 0,
        due_on=plan.next_review_on,
        held_on=today,
        with_whom=who,
        said=words,
        written_at=now,
        by_user_id=by.user_id,
    )
    session.add(held)
    plan.envisaged_end = end
    await _settle_review(session, plan, by, now, is_kept=True)
    plan.next_review_on = None
    await session.flush()
    if next_on is not None:
        await _look_again(session, contract, case, plan, next_on, now)
    else:
        await deadlines.refresh_next_due(session, case)
    await events.on_case(session, "plan.reviewed", case, now, by, plan=plan.id, review=held.id)
    return held


async def agree_exit(
    session: AsyncSession,
    case: Case,
    agreed: str,
    agreed_with: str,
    if_it_returns: str,
    by: Actor,
    now: datetime,
) -> CaseExit:
    """How support ends was agreed with the person and with everybody who works with them, and what
    they do if it comes back."""
    require(by, "plan.write", case.contract)
    _must_be_open(case)
    found = _exit(case, by, now)
    found.agreed = in_a_line(agreed, LONGEST, "Say what was agreed about the end.")
    found.agreed_with = in_a_line(agreed_with, LONGEST_WITH, "Say with whom it was agreed.")
    missing = "Say what they will do if it comes back, and whom they ring."
    found.if_it_returns = in_a_line(if_it_returns, LONGEST, missing)
    return await _write_exit(session, case, found, "plan.exit_agreed", by, now)


async def let_close(
    session: AsyncSession, case: Case, why: str, by: Actor, now: datetime
) -> CaseExit:
    """A lead lets a case with a plan close though its end was not agreed, and says why."""
    require(by, "case.allocate_others", case.contract)
    _must_be_open(case)
    found = _exit(case, by, now)
    found.why_without = in_a_line(why, LONGEST, "Say why it may close without an agreed end.")
    return await _write_exit(session, case, found, "plan.exit_waived", by, now)


def _exit(case: Case, by: Actor, now: datetime) -> CaseExit:
    return CaseExit(contract=case.contract, case_id=case.id or 0, at=now, by_user_id=by.user_id)


async def _write_exit(
    session: AsyncSession, case: Case, found: CaseExit, event: str, by: Actor, now: datetime
) -> CaseExit:
    await _void_exits(session, case, now)
    session.add(found)
    await session.flush()
    await events.on_case(session, event, case, now, by, exit=found.id)
    return found


async def must_have_an_exit(session: AsyncSession, case: Case) -> None:
    """Raises InvalidInput for a case with a plan and no exit. One without a plan may close."""
    plan = await standing(session, case.id or 0)
    if plan is not None and await exit_of(session, case.id or 0) is None:
        raise InvalidInput(NO_EXIT)


async def end(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """The case is closed: its plan ends, and nobody is asked to look at it again."""
    plan = await standing(session, case.id or 0)
    if plan is None:
        return
    plan.ended_at, plan.ended_by_id = now, by.user_id
    await _settle_review(session, plan, by, now, is_kept=False)
    await session.flush()
    await deadlines.refresh_next_due(session, case)
    await events.on_case(session, "plan.ended", case, now, by, plan=plan.id)


async def take_up_again(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    closed_at: datetime | None,
    now: datetime,
) -> None:
    """The case is open again: the next end has to be agreed anew, and the plan that ended with the
    case stands again, to be looked at on its day or, where that has passed, tomorrow."""
    await _void_exits(session, case, now)
    before = await ended(session, case.id or 0)
    if not before or before[0].ended_at != closed_at:
        return
    plan = before[0]
    plan.ended_at, plan.ended_by_id = None, None
    if plan.next_review_on is not None:
        day = max(plan.next_review_on, _today(contract, now) + timedelta(days=1))
        await _look_again(session, contract, case, plan, day, now)


async def standing(session: AsyncSession, case_id: int) -> SupportPlan | None:
    return await session.scalar(
        select(SupportPlan).where(
            col(SupportPlan.case_id) == case_id, col(SupportPlan.ended_at).is_(None)
        )
    )


async def ended(session: AsyncSession, case_id: int) -> Sequence[SupportPlan]:
    """Plans of a case that have ended, the latest first."""
    found = await session.scalars(
        select(SupportPlan)
        .where(col(SupportPlan.case_id) == case_id, col(SupportPlan.ended_at).is_not(None))
        .order_by(col(SupportPlan.id).desc())
    )
    return found.all()


async def goals_of(session: AsyncSession, plan_id: int) -> Sequence[PlanGoal]:
    """In the order in which they were said, the open ones first."""
    found = await session.scalars(
        select(PlanGoal)
        .where(col(PlanGoal.plan_id) == plan_id)
        .order_by((col(PlanGoal.state) != GoalState.OPEN), col(PlanGoal.id))
    )
    return found.all()


async def reviews_of(session: AsyncSession, plan_id: int) -> list[Row[Any]]:
    """The latest first, with who held them."""
    query = (
        select(REVIEW, USER.c.shown_name.label("who"))
        .join(USER, USER.c.id == REVIEW.c.by_user_id)
        .where(REVIEW.c.plan_id == plan_id)
        .order_by(REVIEW.c.id.desc())
    )
    return list(await session.execute(query))


async def exit_of(session: AsyncSession, case_id: int) -> CaseExit | None:
    """What stands about the end, agreed or waived by a lead."""
    return await session.scalar(
        select(CaseExit)
        .where(col(CaseExit.case_id) == case_id, col(CaseExit.void_at).is_(None))
        .order_by(col(CaseExit.id).desc())
        .limit(1)
    )


def may_waive(by: Actor, contract: str) -> bool:
    """Whether `by` may let a case close without an agreed end."""
    return may(by, "case.allocate_others", contract)


async def _void_exits(session: AsyncSession, case: Case, now: datetime) -> None:
    await session.execute(
        update(CaseExit)
        .where(col(CaseExit.case_id) == case.id, col(CaseExit.void_at).is_(None))
        .values(void_at=now)
    )


async def _standing(session: AsyncSession, case: Case) -> SupportPlan:
    plan = await standing(session, case.id or 0)
    if plan is None:
        raise NotFound("This case has no plan.")
    return plan


async def _look_again(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    plan: SupportPlan,
    on: date,
    now: datetime,
) -> None:
    due_at = datetime.combine(on, DAY_ENDS, ZoneInfo(contract.zone))
    told = clocks.moments(deadlines.TASKS, now, due_at)
    row = await session.execute(
        insert(Deadline)
        .values(
            contract=case.contract,
            case_id=case.id,
            clock=CLOCK,
            starts=ClockStart.REVIEW,
            stops=ClockStop.REVIEWED,
            started_at=now,
            due_at=due_at,
            is_certain=True,
            state=DeadlineState.OPEN,
            next_alert_at=told[0].at,
        )
        .returning(col(Deadline.id))
    )
    plan.next_review_on, plan.review_deadline_id = on, row.scalar_one()
    await session.flush()
    await deadlines.refresh_next_due(session, case)


async def _settle_review(
    session: AsyncSession, plan: SupportPlan, by: Actor, now: datetime, *, is_kept: bool
) -> None:
    if plan.review_deadline_id is None:
        return
    which = col(Deadline.id) == plan.review_deadline_id
    await deadlines.end(session, now, which, is_kept=is_kept, by=by.user_id)
    plan.review_deadline_id = None


def _must_follow(today: date, review_on: date, envisaged_end: date) -> None:
    if review_on <= today:
        raise InvalidInput("Give a day still to come for looking at it again.")
    if envisaged_end < review_on:
        raise InvalidInput("The envisaged end lies before the day of the review.")
    if envisaged_end.year > today.year + MOST_YEARS:
        raise InvalidInput(f"The envisaged end is more than {MOST_YEARS} years away.")


def _must_be_open(case: Case) -> None:
    if case.status != CaseStatus.OPEN:
        raise Conflict("This case is closed. Open it again first.")


def _today(contract: Contract, now: datetime) -> date:
    return now.astimezone(ZoneInfo(contract.zone)).date()
