"""Personal information that was lost or seen by the wrong person: how great the risk is to whom,
and who must hear of it by when (UK GDPR articles 33 and 34).

A breach is an incident of that kind (desk/incidents.py): its notices and clocks run from when we
knew. What is added here is the judgement, from which follows who must be told. Called by pages.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Result, Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, incidents, seeing
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput
from helpline.models import BreachAssessment, Deadline, Incident, IncidentNotice, User, metadata
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import BreachRisk, DeadlineState, EntryKind

PEOPLE: Final = "people"
"""The notice to those whom it concerns, where the risk to them is high."""
REGULATOR: Final = "regulator"
MOST_PEOPLE: Final = 1_000_000


def kinds(contract: Contract) -> list[str]:
    """The contract's codes of incidents that are breaches."""
    return [one.code for one in contract.incidents if one.starts == "data_breach"]


def is_breach(contract: Contract, incident: Incident) -> bool:
    return incident.kind in kinds(contract)


async def assess(
    session: AsyncSession,
    contract: Contract,
    incident: Incident,
    risk: str,
    people: int | None,
    words: str,
    by: Actor,
    now: datetime,
) -> BreachAssessment:
    """How great the risk is, to how many, and why. Where it is high, those people are owed word
    without delay; where it is unlikely, not telling the regulator still needs its reason
    (incidents.tell). A later judgement stands beside the first."""
    require(by, "incident.work", incident.contract)
    if not is_breach(contract, incident):
        raise Conflict("Only a breach of personal information is judged like this.")
    if risk not in list(BreachRisk):
        raise InvalidInput("Choose how great the risk is.")
    if people is None or not 0 <= people <= MOST_PEOPLE:
        raise InvalidInput("Say how many people it concerns, as far as is known: a number.")
    said = in_a_line(words, 2000, "Say what was lost or seen, and what may come of it.")
    made = BreachAssessment(
        incident_id=incident.id or 0,
        risk=risk,
        people=people,
        words=said,
        at=now,
        by_user_id=by.user_id,
    )
    session.add(made)
    await session.flush()
    await incidents.add(session, incident, EntryKind.ASSESSED, now, by, words=said, code=risk)
    if risk == BreachRisk.HIGH:
        await _people_are_owed_word(session, contract, incident, now)
    return made


async def _people_are_owed_word(
    session: AsyncSession, contract: Contract, incident: Incident, now: datetime
) -> None:
    """One notice more, by the time of the regulator's: the law says without undue delay."""
    rows = await session.scalars(
        select(IncidentNotice).where(col(IncidentNotice.incident_id) == incident.id)
    )
    notices = {one.code: one for one in rows}
    if PEOPLE in notices:
        return
    regulator = notices.get(REGULATOR)
    due_at = regulator.due_at if regulator else now
    session.add(IncidentNotice(incident_id=incident.id or 0, code=PEOPLE, due_at=due_at))
    await session.flush()
    await events.record(
        session,
        "breach.people_owed",
        now,
        contract=incident.contract,
        incident=incident.id,
    )


async def newest(session: AsyncSession, incident: Incident) -> Row[Any] | None:
    """(assessment, who judged): the one that counts."""
    rows: Result[Any] = await session.execute(
        select(BreachAssessment, col(User.shown_name).label("who"))
        .join(User, col(User.id) == col(BreachAssessment.by_user_id))
        .where(col(BreachAssessment.incident_id) == incident.id)
        .order_by(col(BreachAssessment.id).desc())
        .limit(1)
    )
    return rows.first()


async def listed(
    session: AsyncSession, actor: Actor, contracts: Sequence[Contract], limit: int = 100
) -> Sequence[Row[Any]]:
    """(incident, due_at, risk of the newest judgement): what is due first, then the newest."""
    incident = metadata.tables["incident"]
    of = {one.key: kinds(one) for one in contracts}
    wanted = [
        (incident.c.contract == key) & incident.c.kind.in_(codes) for key, codes in of.items()
    ]
    if not wanted:
        return []
    due = (
        select(col(Deadline.due_at))
        .where(
            col(Deadline.incident_id) == incident.c.id, col(Deadline.state) == DeadlineState.OPEN
        )
        .order_by(col(Deadline.due_at))
        .limit(1)
        .scalar_subquery()
    )
    risk = (
        select(col(BreachAssessment.risk))
        .where(col(BreachAssessment.incident_id) == incident.c.id)
        .order_by(col(BreachAssessment.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    which = wanted[0]
    for one in wanted[1:]:
        which |= one
    rows = await session.execute(
        select(incident, due.label("due_at"), risk.label("risk"))
        .where(which, *seeing.incidents(actor, incident))
        .order_by(due.is_(None), due, incident.c.known_at.desc())
        .limit(limit)
    )
    return rows.all()
