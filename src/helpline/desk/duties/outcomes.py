"""How an allegation ended, as it was reported to us: in the words of the LADO's process, and in
those of the yearly return. We determine nothing, and a later word stands beside an earlier one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import allegations, events
from helpline.desk.duties import notices
from helpline.desk.holding import twin
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput
from helpline.models import Case, OutcomeReport
from helpline.rules.duties import ApprovalOutcome, DefinitionSet, OfstedOutcome, OutcomeWord
from helpline.rules.permissions import Actor, require

LONGEST_NAME = 160
LONGEST_WORDS = 2000
MOST_ON_A_CASE = 60
SAME = (
    *("case_id", "allegation_id", "outcome", "definitions", "ofsted", "approval"),
    *("told_by", "told_on", "words"),
)
"""What is alike in a report that was sent twice."""


@dataclass(frozen=True)
class Told:
    """What somebody told us of the end, and on which day."""

    outcome: str
    definitions: str = DefinitionSet.NOT_SAID
    ofsted: str = ""
    approval: str = ""
    told_by: str = ""
    told_on: date | None = None
    words: str = ""
    allegation_id: int | None = None


async def of_case(session: AsyncSession, case_id: int) -> Sequence[OutcomeReport]:
    """The newest first: of each allegation that one counts."""
    rows = await session.scalars(
        select(OutcomeReport)
        .where(col(OutcomeReport.case_id) == case_id)
        .order_by(col(OutcomeReport.id).desc())
    )
    return rows.all()


async def report(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    told: Told,
    by: Actor,
    now: datetime,
) -> OutcomeReport:
    """Write down how it ended, by whom that was said and when. From then on the word of it that is
    owed to others has a time (P01). Sent twice it is one report."""
    require(by, "duty.write", case.contract)
    today = contract.days.day_of(now)
    if told.outcome not in list(OutcomeWord):
        raise InvalidInput("Choose the outcome in the words they used.")
    outcome = OutcomeWord(told.outcome)
    for value, words, name in (
        (told.definitions, DefinitionSet, "whose meaning of the word it was"),
        (told.ofsted, OfstedOutcome, "the outcome for the yearly return from the list"),
        (told.approval, ApprovalOutcome, "what became of the approval from the list"),
    ):
        if value and value not in [str(word) for word in words]:
            raise InvalidInput(f"Choose {name}.")
    if told.told_on is not None and told.told_on > today:
        raise InvalidInput("That day is still to come: give the day on which they said it.")
    missing = "Say who told you so. We never decide this ourselves." if outcome.is_end else ""
    who = in_a_line(told.told_by, LONGEST_NAME, missing)
    allegation_id = await _which(session, case, told.allegation_id)
    if len(await of_case(session, case.id or 0)) >= MOST_ON_A_CASE:
        raise InvalidInput("That is more than a case can hold. Write a note instead.")
    row = OutcomeReport(
        contract=case.contract,
        case_id=case.id or 0,
        allegation_id=allegation_id,
        outcome=outcome,
        definitions=told.definitions or DefinitionSet.NOT_SAID,
        ofsted=told.ofsted or None,
        approval=told.approval or None,
        told_by=who or None,
        told_on=told.told_on or today,
        words=in_a_line(told.words, LONGEST_WORDS) or None,
        recorded_at=now,
        recorded_by_id=by.user_id,
    )
    before = await twin(session, row, by, now, who="recorded_by_id", at="recorded_at", same=SAME)
    if before is not None:
        return before
    session.add(row)
    await session.flush()
    await events.record(
        session,
        "outcome.reported",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        outcome=outcome,
        allegation=allegation_id,
    )
    if outcome.is_end:
        await notices.outcome_known(session, contract, case, allegation_id, now)
    return row


async def _which(session: AsyncSession, case: Case, allegation_id: int | None) -> int | None:
    """The allegation it is about; where the case has but one, that one."""
    if allegation_id is not None:
        return (await allegations.find(session, case, allegation_id)).id
    standing = await allegations.of_case(session, case.id or 0)
    if len(standing) > 1:
        raise InvalidInput("Choose which of the allegations it is the outcome of.")
    return standing[0].id if standing else None
