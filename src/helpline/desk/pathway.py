"""How far a matter has come and what the carer was told of it, as we were told ourselves. Called by
the pages of a case. Nothing is written over: the newest row of a stage or a question counts.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.pathway import PathwayTable, Question, Stage
from helpline.desk import allegations, events
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput
from helpline.models import Allegation, AllegationStage, AllegationTelling, Case
from helpline.rules import clocks
from helpline.rules import pathway as rules
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import StageState, ToldState

DAY_TO_COME = "That day is still to come: give the day on which it happened."
LONGEST_WORDS = 1000
LONGEST_NAME = 120


@dataclass(frozen=True)
class StageFace:
    """One stage as it is shown. `place`: reached, here, next, later or skipped. `usual_by`: the day
    by which it usually comes, where that can be said; usual, never promised."""

    stage: Stage
    place: str
    row: AllegationStage | None
    usual_by: date | None


@dataclass(frozen=True)
class QuestionFace:
    """One thing that the carer should be told, and what is known of that."""

    question: Question
    state: str
    row: AllegationTelling | None


def table_of(contract: Contract, group: str) -> PathwayTable:
    """The contract's usual way, in the words for somebody of this group. InvalidInput says what to
    do where it names none."""
    way = contract.way(group)
    if way is None:
        raise InvalidInput("This contract names no pathway. Ask your administrator to name one.")
    return way


async def set_stage(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    allegation_id: int,
    stage: str,
    state: str,
    reached_on: date | None,
    told_by: str,
    by: Actor,
    now: datetime,
) -> AllegationStage:
    """Somebody told us that it has come this far, has not, or does not happen here."""
    require(by, "pathway.write", case.contract)
    found = await allegations.find_open(session, case, allegation_id)
    if stage not in {one.code for one in table_of(contract, case.group).stages_of(found.track)}:
        raise InvalidInput("Choose a stage from the list.")
    if state not in list(StageState):
        raise InvalidInput("Choose whether it has come to this.")
    who = in_a_line(told_by, LONGEST_NAME, "Say who told you: we only write down what others say.")
    is_reached = state == StageState.REACHED
    row = AllegationStage(
        allegation_id=allegation_id,
        stage=stage,
        state=state,
        reached_on=_past(reached_on, contract, now) if is_reached else None,
        told_by=who,
        set_at=now,
        by_user_id=by.user_id,
    )
    session.add(row)
    await session.flush()
    detail = {"allegation": allegation_id, "stage": stage, "state": state}
    await _say(session, "allegation.moved_on", case, now, by, detail)
    return row


async def set_told(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    allegation_id: int,
    item: str,
    state: str,
    told_by: str,
    told_on: date | None,
    words: str,
    by: Actor,
    now: datetime,
) -> AllegationTelling:
    """The carer was told this, was not, or has asked for it; by whom and on which day."""
    require(by, "pathway.write", case.contract)
    await allegations.find_open(session, case, allegation_id)
    if item not in {one.code for one in table_of(contract, case.group).questions}:
        raise InvalidInput("Choose what it is about from the list.")
    if state not in list(ToldState):
        raise InvalidInput("Choose whether they were told, were not, or have asked.")
    missing = "Say who told them." if state == ToldState.TOLD else ""
    row = AllegationTelling(
        allegation_id=allegation_id,
        item=item,
        state=state,
        told_by=in_a_line(told_by, LONGEST_NAME, missing) or None,
        words=in_a_line(words, LONGEST_WORDS) or None,
        told_on=_past(told_on, contract, now),
        set_at=now,
        by_user_id=by.user_id,
    )
    session.add(row)
    await session.flush()
    detail = {"allegation": allegation_id, "item": item, "state": state}
    await _say(session, "allegation.told", case, now, by, detail)
    return row


async def line_of(
    session: AsyncSession, contract: Contract, allegation: Allegation, group: str
) -> list[StageFace]:
    """The whole way of one matter, in its order, with where it stands. `group`: of the case."""
    stages = table_of(contract, group).stages_of(allegation.track)
    rows = {
        row.stage: row
        for row in await session.scalars(
            select(AllegationStage)
            .where(col(AllegationStage.allegation_id) == allegation.id)
            .order_by(col(AllegationStage.id))
        )
    }
    states = {code: row.state for code, row in rows.items()}
    at, ahead = rules.here([stage.code for stage in stages], states)
    faces = []
    for stage in stages:
        row = rows.get(stage.code)
        place = _place(stage.code, states.get(stage.code), at, ahead)
        usual = (
            None if place in ("reached", "skipped", "here") else _usual_by(stage, rows, contract)
        )
        faces.append(StageFace(stage, place, row, usual))
    return faces


async def questions_of(
    session: AsyncSession, contract: Contract, allegation_id: int, group: str
) -> tuple[list[QuestionFace], list[QuestionFace]]:
    """(what they still have to be told, the most pressing first; what they were told)."""
    rows = {
        row.item: row
        for row in await session.scalars(
            select(AllegationTelling)
            .where(col(AllegationTelling.allegation_id) == allegation_id)
            .order_by(col(AllegationTelling.id))
        )
    }
    faces = {
        one.code: QuestionFace(
            one,
            rows[one.code].state if one.code in rows else ToldState.NOT_TOLD,
            rows.get(one.code),
        )
        for one in table_of(contract, group).questions
    }
    states = {code: face.state for code, face in faces.items()}
    to_ask = [faces[code] for code in rules.to_ask(list(faces), states)]
    return to_ask, [face for face in faces.values() if face.state == ToldState.TOLD]


def _place(code: str, state: str | None, at: str | None, ahead: str | None) -> str:
    if code == at:
        return "here"
    if code == ahead:
        return "next"
    return state if state in (StageState.REACHED, StageState.SKIPPED) else "later"


def _usual_by(stage: Stage, rows: dict[str, AllegationStage], contract: Contract) -> date | None:
    """The day by which it usually comes, from the day of the stage it follows."""
    before = rows.get(stage.after or "")
    if stage.limit is None or stage.unit is None or before is None or before.reached_on is None:
        return None
    noon = datetime.combine(before.reached_on, time(12), ZoneInfo(contract.zone))
    terms = clocks.Terms(clocks.Limit(stage.limit, stage.unit))
    return contract.days.day_of(clocks.plan(terms, noon, contract.days).due_at)


def _past(day: date | None, contract: Contract, now: datetime) -> date | None:
    if day is not None and day > contract.days.day_of(now):
        raise InvalidInput(DAY_TO_COME)
    return day


async def _say(
    session: AsyncSession,
    what: str,
    case: Case,
    now: datetime,
    by: Actor,
    detail: dict[str, object],
) -> None:
    await events.record(
        session, what, now, contract=case.contract, case_id=case.id, by=by.user_id, **detail
    )
