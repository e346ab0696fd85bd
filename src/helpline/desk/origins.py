"""Who sent somebody, and how deep our support on a case goes: advice, support, involvement, in
the contract's own words (A14, A29).

Called by the case's tab of membership. What is said later stands beside what was said before: the
newest word of each counts, and the events keep them all. Commits nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.errors import InvalidInput
from helpline.models import Case, Event
from helpline.rules.permissions import Actor, require

SAID = "case.origin_said"


@dataclass(frozen=True)
class Origin:
    """The contract's codes; empty where nobody has said."""

    source: str = ""
    level: str = ""


async def say(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    source: str,
    level: str,
    by: Actor,
    now: datetime,
) -> None:
    """Somebody of ours says one or both; an empty one changes nothing."""
    require(by, "case.triage", case.contract)
    if source and source not in {one.code for one in contract.referral_sources}:
        raise InvalidInput("Choose from the list who sent them.")
    if level and level not in {one.code for one in contract.levels}:
        raise InvalidInput("Choose from the list how deep our support goes.")
    if not (source or level):
        raise InvalidInput("Choose who sent them, or how deep our support goes.")
    await events.on_case(session, SAID, case, now, by, source=source, level=level)


async def of_case(session: AsyncSession, case_id: int) -> Origin:
    """The newest word of each."""
    query = select(col(Event.detail)).where(col(Event.case_id) == case_id, col(Event.kind) == SAID)
    found = Origin()
    for detail in await session.scalars(query.order_by(col(Event.id))):
        found = Origin(detail.get("source") or found.source, detail.get("level") or found.level)
    return found
