"""Reviews with the council, and what was agreed there: by whom, by when, and whether it was done
(A74). A lead and the commissioner of the contract see and write the same lines; nothing is removed.

Called by web/pages/portal_actions.py. What is ours to do is a line of our calendar as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, obligations, portal
from helpline.desk.holding import SENT_AGAIN, twin
from helpline.errors import Conflict, InvalidInput
from helpline.models import Review, ReviewAction, ReviewActionEntry, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import ActionState, ActionStep, Side

FURTHEST: Final = timedelta(days=3 * 366)
LONGEST_OWNER: Final = 120
MOST: Final = 200


@dataclass(frozen=True)
class Agreed:
    """What was agreed, as somebody typed it. `review_id`: at which review, or none."""

    what: str
    side: str
    owner: str
    due_on: date | None
    review_id: int | None = None


@dataclass(frozen=True)
class Happened:
    """One thing that happened to an action."""

    kind: str
    day: date | None
    text: str
    who: str
    at: datetime


@dataclass(frozen=True)
class Shown:
    """An action as a page shows it. `days`: until it is due, negative when it is late."""

    id: int
    what: str
    side: str
    owner: str
    due_on: date
    days: int
    state: str
    done_on: date | None
    evidence: str
    held_on: date | None
    happened: Sequence[Happened]

    @property
    def is_overdue(self) -> bool:
        return self.state == ActionState.OPEN and self.days < 0

    @property
    def was_late(self) -> bool:
        return self.done_on is not None and self.done_on > self.due_on


# --- reviews -------------------------------------------------------------------------------------


async def hold(
    session: AsyncSession,
    contract: Contract,
    held_on: date | None,
    present: str,
    said: str,
    by: Actor,
    now: datetime,
) -> Review:
    """Write down that a review was held, who was there and what was looked at."""
    require(by, "review.write", contract.key)
    if held_on is None:
        raise InvalidInput("Give the day on which the review was held.")
    today = portal.today_of(contract, now)
    if not contract.term.start - timedelta(days=366) <= held_on <= today:
        raise InvalidInput("A review is written down once it was held: look at the day again.")
    made = Review(
        contract=contract.key,
        held_on=held_on,
        present=portal.in_one_line(present, "Say who was there: roles will do.") or None,
        said=portal.in_words(said, "Say in a few words what was looked at.") or None,
        written_at=now,
        by_user_id=by.user_id,
    )
    same = ("contract", "held_on", "present", "said")
    before = await twin(session, made, by, now, who="by_user_id", at="written_at", same=same)
    if before is not None:
        return before
    session.add(made)
    await session.flush()
    await _event(session, "review.held", made.contract, by, now, review=made.id)
    return made


async def reviews(session: AsyncSession, contract: Contract) -> Sequence[Review]:
    """The newest first."""
    rows = await session.scalars(
        select(Review)
        .where(col(Review.contract) == contract.key)
        .order_by(col(Review.held_on).desc(), col(Review.id).desc())
        .limit(MOST)
    )
    return rows.all()


# --- what was agreed -----------------------------------------------------------------------------


async def agree(
    session: AsyncSession, contract: Contract, agreed: Agreed, by: Actor, now: datetime
) -> ReviewAction:
    """Write down what was agreed, whose it is and by when."""
    require(by, "review.write", contract.key)
    what = portal.in_one_line(agreed.what, "Write what was agreed.")
    if agreed.side not in list(Side):
        raise InvalidInput("Choose whose it is to do.")
    owner = portal.in_one_line(agreed.owner, "Say who looks after it.", LONGEST_OWNER)
    due_on = _day(contract, agreed.due_on, now)
    await _must_be_here(session, contract, agreed.review_id)
    made = ReviewAction(
        contract=contract.key,
        review_id=agreed.review_id,
        what=what,
        side=agreed.side,
        owner=owner,
        due_on=due_on,
        state=ActionState.OPEN,
        made_at=now,
        made_by_id=by.user_id,
    )
    same = ("contract", "review_id", "what", "side", "owner", "due_on", "state")
    before = await twin(session, made, by, now, who="made_by_id", at="made_at", same=same)
    if before is not None:
        return before
    await _owe(session, contract, made, by, now)
    session.add(made)
    await session.flush()
    await _enter(session, made, _step(made, ActionStep.AGREED, by, now, due_on), by, now)
    return made


async def move(
    session: AsyncSession,
    contract: Contract,
    action_id: int,
    day: date | None,
    why: str,
    by: Actor,
    now: datetime,
) -> None:
    """Another day for it, and why; the day it had stays readable."""
    due_on = _day(contract, day, now)
    said = portal.in_one_line(why, "Say why it has another day.")
    found = await find(session, contract, action_id, by)
    step = _step(found, ActionStep.MOVED, by, now, due_on, said)
    if await _is_sent_again(session, step):
        return
    _must_be_open(found)
    if due_on == found.due_on:
        raise InvalidInput("That is the day it has already.")
    await portal.settle(session, contract, found.obligation_id, "Agreed for another day.", by, now)
    found.due_on = due_on
    await _owe(session, contract, found, by, now)
    await _enter(session, found, step, by, now)


async def finish(
    session: AsyncSession,
    contract: Contract,
    action_id: int,
    done_on: date | None,
    evidence: str,
    by: Actor,
    now: datetime,
) -> None:
    """It was done on that day, and what shows it."""
    if done_on is None:
        raise InvalidInput("Give the day on which it was done.")
    said = portal.in_one_line(evidence, "Say what shows that it was done.")
    found = await find(session, contract, action_id, by)
    step = _step(found, ActionStep.DONE, by, now, done_on, said)
    if await _is_sent_again(session, step):
        return
    _must_be_open(found)
    if not found.made_at.date() - FURTHEST <= done_on <= portal.today_of(contract, now):
        raise InvalidInput("That day has not come, or lies too far back: look at it again.")
    found.state, found.done_on, found.evidence = ActionState.DONE, done_on, said
    await portal.settle(session, contract, found.obligation_id, said, by, now)
    await _enter(session, found, step, by, now)


async def drop(
    session: AsyncSession, contract: Contract, action_id: int, why: str, by: Actor, now: datetime
) -> None:
    """It is no longer wanted: the line stays, with the reason."""
    said = portal.in_one_line(why, "Say why it is no longer wanted, and who said so.")
    found = await find(session, contract, action_id, by)
    step = _step(found, ActionStep.DROPPED, by, now, None, said)
    if await _is_sent_again(session, step):
        return
    _must_be_open(found)
    found.state, found.evidence = ActionState.DROPPED, said
    await portal.settle(session, contract, found.obligation_id, said, by, now)
    await _enter(session, found, step, by, now)


async def reopen(
    session: AsyncSession, contract: Contract, action_id: int, why: str, by: Actor, now: datetime
) -> None:
    """It was not done after all, or is wanted again."""
    said = portal.in_one_line(why, "Say why it is open again.")
    found = await find(session, contract, action_id, by)
    step = _step(found, ActionStep.REOPENED, by, now, found.due_on, said)
    if await _is_sent_again(session, step):
        return
    if found.state == ActionState.OPEN:
        raise Conflict("It is open already. Load the page again.")
    found.state, found.done_on, found.evidence = ActionState.OPEN, None, None
    await _owe(session, contract, found, by, now)
    await _enter(session, found, step, by, now)


async def find(
    session: AsyncSession, contract: Contract, action_id: int, by: Actor
) -> ReviewAction:
    """One action of this contract, held for this transaction."""
    return await portal.found(session, ReviewAction, action_id, contract, by, "review.write")


# --- as a page shows them ------------------------------------------------------------------------


async def listed(
    session: AsyncSession, contract: Contract, now: datetime, limit: int = MOST
) -> list[Shown]:
    """What is overdue first, then what is open by its day, then the rest, the newest first."""
    is_settled = case((col(ReviewAction.state) == ActionState.OPEN, 0), else_=1)
    rows = (
        await session.execute(
            select(ReviewAction, col(Review.held_on))
            .outerjoin(Review, col(Review.id) == col(ReviewAction.review_id))
            .where(col(ReviewAction.contract) == contract.key)
            .order_by(
                is_settled,
                col(ReviewAction.done_on).desc(),
                col(ReviewAction.due_on),
                col(ReviewAction.id),
            )
            .limit(limit)
        )
    ).all()
    trail = await _trail(session, [one.id or 0 for one, _ in rows])
    today = portal.today_of(contract, now)
    return [
        Shown(
            id=one.id or 0,
            what=one.what,
            side=one.side,
            owner=one.owner,
            due_on=one.due_on,
            days=(one.due_on - today).days,
            state=one.state,
            done_on=one.done_on,
            evidence=one.evidence or "",
            held_on=held_on,
            happened=trail.get(one.id or 0, []),
        )
        for one, held_on in rows
    ]


async def _trail(session: AsyncSession, ids: Sequence[int]) -> dict[int, list[Happened]]:
    rows = await session.execute(
        select(ReviewActionEntry, col(User.shown_name))
        .join(User, col(User.id) == col(ReviewActionEntry.by_user_id))
        .where(col(ReviewActionEntry.action_id).in_(ids))
        .order_by(col(ReviewActionEntry.id))
    )
    found: dict[int, list[Happened]] = {}
    for one, who in rows:
        happened = Happened(one.kind, one.day, one.text or "", who, one.at)
        found.setdefault(one.action_id, []).append(happened)
    return found


# --- pieces --------------------------------------------------------------------------------------


def _must_be_open(found: ReviewAction) -> None:
    if found.state != ActionState.OPEN:
        raise Conflict("Somebody has settled this already. Load the page again.")


def _step(
    found: ReviewAction,
    kind: ActionStep,
    by: Actor,
    now: datetime,
    day: date | None = None,
    text: str | None = None,
) -> ReviewActionEntry:
    return ReviewActionEntry(
        action_id=found.id or 0, kind=kind, day=day, text=text, at=now, by_user_id=by.user_id
    )


async def _is_sent_again(session: AsyncSession, step: ReviewActionEntry) -> bool:
    """Whether the last thing that happened to the action, which is held, is this very step."""
    last = await session.scalar(
        select(ReviewActionEntry)
        .where(col(ReviewActionEntry.action_id) == step.action_id)
        .order_by(col(ReviewActionEntry.id).desc())
        .limit(1)
    )
    if last is None or step.at - last.at >= SENT_AGAIN:
        return False
    same = ("kind", "day", "text", "by_user_id")
    return all(getattr(last, one) == getattr(step, one) for one in same)


def _day(contract: Contract, day: date | None, now: datetime) -> date:
    if day is None:
        raise InvalidInput("Give the day by which it is to be done.")
    today = portal.today_of(contract, now)
    if not today - FURTHEST <= day <= today + FURTHEST:
        raise InvalidInput("That day lies too far away: look at it again.")
    return day


async def _must_be_here(session: AsyncSession, contract: Contract, review_id: int | None) -> None:
    if review_id is None:
        return
    found = await session.get(Review, review_id)
    if found is None or found.contract != contract.key:
        raise InvalidInput("Choose a review from the list, or none.")


async def _owe(
    session: AsyncSession, contract: Contract, found: ReviewAction, by: Actor, now: datetime
) -> None:
    """What is ours to do stands in our calendar."""
    if found.side == Side.PROVIDER:
        what = f"Agreed with the council: {found.what}"
        found.obligation_id = await obligations.owe(
            session, contract, what, found.due_on, by.user_id, now
        )


async def _enter(
    session: AsyncSession, found: ReviewAction, step: ReviewActionEntry, by: Actor, now: datetime
) -> None:
    session.add(step)
    await session.flush()
    await _event(session, f"action.{step.kind}", found.contract, by, now, action=found.id)


async def _event(
    session: AsyncSession, kind: str, contract: str, by: Actor, now: datetime, **detail: Any
) -> None:
    await events.record(session, kind, now, contract=contract, by=by.user_id, **detail)
