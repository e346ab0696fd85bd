"""What waits for the safeguarding lead: what a contract's clock would ask them about, soonest
first, and complaints that were passed to them. Their first page shows it; nothing is changed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import seeing
from helpline.models import metadata
from helpline.rules.permissions import Actor
from helpline.vocabulary import DeadlineState

CASE: Final = metadata.tables["case"]
COMPLAINT: Final = metadata.tables["complaint"]
DEADLINE: Final = metadata.tables["deadline"]
INCIDENT: Final = metadata.tables["incident"]
RUNG: Final = "safeguarding"


@dataclass(frozen=True)
class Waiting:
    """One thing: where it is, the contract's clock, when it is due. A complaint that was passed on
    has no clock and no day: `clock` empty, `due_at` since when."""

    contract: str
    reference: str
    place: str
    clock: str
    due_at: datetime
    is_certain: bool = True


async def waiting(
    session: AsyncSession, actor: Actor, contracts: Sequence[Contract], limit: int = 20
) -> list[Waiting]:
    """Complaints that were passed on first, then what is due, the soonest first."""
    keys = [contract.key for contract in contracts]
    passed = await session.execute(
        select(COMPLAINT.c.contract, COMPLAINT.c.reference, COMPLAINT.c.safeguarding_at)
        .where(
            COMPLAINT.c.contract.in_(keys),
            COMPLAINT.c.safeguarding_at.is_not(None),
            COMPLAINT.c.closed_at.is_(None),
            *seeing.complaints(actor, COMPLAINT),
        )
        .order_by(COMPLAINT.c.safeguarding_at)
        .limit(limit)
    )
    found = [
        Waiting(contract, reference, f"/complaints/{reference}", "", since)
        for contract, reference, since in passed
    ]
    return found + await _due(session, actor, contracts, limit)


async def _due(
    session: AsyncSession, actor: Actor, contracts: Sequence[Contract], limit: int
) -> list[Waiting]:
    clocks = {clock.code for one in contracts for clock in one.clocks if RUNG in clock.rungs}
    rows = await session.execute(
        select(
            DEADLINE.c.contract,
            DEADLINE.c.clock,
            DEADLINE.c.due_at,
            DEADLINE.c.is_certain,
            CASE.c.reference.label("case"),
            INCIDENT.c.reference.label("incident"),
        )
        .outerjoin(CASE, CASE.c.id == DEADLINE.c.case_id)
        .outerjoin(INCIDENT, INCIDENT.c.id == DEADLINE.c.incident_id)
        .where(
            DEADLINE.c.contract.in_([contract.key for contract in contracts]),
            DEADLINE.c.state == DeadlineState.OPEN,
            DEADLINE.c.clock.in_(clocks),
            or_(
                DEADLINE.c.case_id.is_not(None) & and_(*seeing.cases(actor, CASE)),
                DEADLINE.c.incident_id.is_not(None) & and_(*seeing.incidents(actor, INCIDENT)),
            ),
        )
        .order_by(DEADLINE.c.due_at)
        .limit(limit)
    )
    return [
        Waiting(
            row.contract,
            row.case or row.incident,
            f"/cases/{row.case}/duties" if row.case else f"/incidents/{row.incident}",
            row.clock,
            row.due_at,
            row.is_certain,
        )
        for row in rows
    ]
