"""Whether a fostered child stays or moves while it is looked into: who decided it, on what, and who
disagreed (001 §14.2, P04). The decision is the authority's; a disagreement is taken up with them.
The child is a letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.desk.holding import twin
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, MoveDecision
from helpline.rules.duties import MoveKind, child_letter
from helpline.rules.permissions import Actor, require

LONGEST_NAME = 160
LONGEST_WORDS = 2000
MOST_ON_A_CASE = 40


@dataclass(frozen=True)
class Decision:
    """A decision as we were told it. The three factors may be empty: then they stand as questions
    to ask."""

    child: str
    decision: str
    decided_by: str
    decided_on: date
    nature: str = ""
    about_child: str = ""
    wishes: str = ""
    risk_actions: str = ""
    lado_view: str = ""
    dissent: str = ""


FACTORS = {
    "nature": "what was alleged, and who made it",
    "about_child": "the child's age and circumstances",
    "wishes": "the child's wishes and feelings",
    "risk_actions": "what is done to reduce the risk meanwhile",
    "lado_view": "the LADO's view",
}


def missing(row: MoveDecision) -> list[str]:
    """What the decision should have looked at and nobody has told us: questions to ask."""
    return [words for name, words in FACTORS.items() if not getattr(row, name)]


async def of_case(session: AsyncSession, case_id: int) -> Sequence[MoveDecision]:
    """The newest first."""
    rows = await session.scalars(
        select(MoveDecision)
        .where(col(MoveDecision.case_id) == case_id)
        .order_by(col(MoveDecision.id).desc())
    )
    return rows.all()


async def record(
    session: AsyncSession, contract: Contract, case: Case, told: Decision, by: Actor, now: datetime
) -> MoveDecision:
    """InvalidInput for anything but a letter as the child: a fostered child is never named. Sent
    twice it is one decision."""
    require(by, "duty.write", case.contract)
    child = child_letter(told.child)
    if child is None:
        raise InvalidInput("Write the child as a letter, for example A. Never a name.")
    if told.decision not in list(MoveKind):
        raise InvalidInput("Choose what was decided.")
    if told.decided_on > contract.days.day_of(now):
        raise InvalidInput("That day is still to come: give the day of the decision.")
    if len(await of_case(session, case.id or 0)) >= MOST_ON_A_CASE:
        raise InvalidInput("That is more decisions than a case can hold.")
    row = MoveDecision(
        contract=case.contract,
        case_id=case.id or 0,
        child=child,
        decision=told.decision,
        decided_by=in_a_line(told.decided_by, LONGEST_NAME, "Say who decided: a post is enough."),
        decided_on=told.decided_on,
        nature=_words(told.nature),
        about_child=_words(told.about_child),
        wishes=_words(told.wishes),
        risk_actions=_words(told.risk_actions),
        lado_view=_words(told.lado_view),
        dissent=_words(told.dissent),
        recorded_at=now,
        recorded_by_id=by.user_id,
    )
    same = ("case_id", "child", "decision", "decided_by", "decided_on", "dissent", *FACTORS)
    before = await twin(session, row, by, now, who="recorded_by_id", at="recorded_at", same=same)
    if before is not None:
        return before
    session.add(row)
    await session.flush()
    detail = {"move": row.id, "decision": row.decision, "disputed": bool(row.dissent)}
    await events.on_case(session, "move.recorded", case, now, by, **detail)
    return row


async def escalate(
    session: AsyncSession, case: Case, move_id: int, words: str, by: Actor, now: datetime
) -> MoveDecision:
    """A disagreement was taken to somebody above who decided: to whom, and what they said."""
    require(by, "duty.write", case.contract)
    row = await session.get(MoveDecision, move_id, with_for_update=True)
    if row is None or row.case_id != case.id:
        raise NotFound("There is no such decision on this case.")
    if not row.dissent:
        raise Conflict("Nobody's disagreement is written down here, so there is none to take up.")
    if row.escalated_at is not None:
        raise Conflict("It was taken up already. Write what came of it as a note.")
    row.escalation = in_a_line(
        words, LONGEST_WORDS, "Say to whom it was taken, and what they said."
    )
    row.escalated_at = now
    await session.flush()
    await events.on_case(session, "move.escalated", case, now, by, move=row.id)
    return row


def _words(text: str) -> str | None:
    return in_a_line(text, LONGEST_WORDS) or None
