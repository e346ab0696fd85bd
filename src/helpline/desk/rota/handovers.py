"""What one shift tells the next: open emergencies, promises due soon, cases that fell silent.

The job `rota` makes a handover whenever the first line passes from one person to another; who comes
acknowledges it on its page, and one that nobody acknowledged is shown to the lead. Lists hold case
references, never what a case is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.db import insert_for
from helpline.desk import events, seeing
from helpline.desk.rota.duty import whole
from helpline.errors import Conflict, InvalidInput, NotAllowed, NotFound
from helpline.models import (
    Case,
    Complaint,
    Contact,
    Deadline,
    Handover,
    Incident,
    User,
    metadata,
)
from helpline.rules.permissions import Actor, may
from helpline.rules.rota import changes
from helpline.vocabulary import CaseStatus, ContactKind, DeadlineState, Urgency

BEFORE = timedelta(minutes=30)
"""So long before the change the sheet can be read and written on."""
LATE = timedelta(minutes=30)
"""So long after it, an unacknowledged one is shown to the lead."""
BACK = timedelta(hours=2)
"""So late a handover is still made, if nothing ran meanwhile; later it would tell nothing."""
SOON = timedelta(hours=12)
SILENT = timedelta(days=7)
SHOWN = timedelta(days=7)
MOST = 50
LONGEST = 2000


@dataclass(frozen=True)
class Sheet:
    """What the next person must know, as it is now. Each list is cut at MOST."""

    emergencies: Sequence[Row[Any]]
    promises: Sequence[Row[Any]]
    silent: Sequence[Row[Any]]

    @property
    def references(self) -> dict[str, list[str]]:
        return {
            name: [row.reference for row in getattr(self, name) if row.reference]
            for name in ("emergencies", "promises", "silent")
        }


async def look(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """Make the handovers that the rota asks for by now; void those it no longer asks for. Returns
    how many are new."""
    since, until = now - BACK, now + BEFORE
    rows, absent = await whole(session, contract.key, since - BACK, until + BACK)
    wanted = {
        (at, to_id): min(goes)
        for at, goes, comes in changes([duty for duty, _ in rows], absent, since, until)
        for to_id in comes
    }
    made = 0
    for (at, to_id), from_id in sorted(wanted.items()):
        made += await _make(session, contract.key, at, from_id, to_id)
    ahead = await session.scalars(
        select(Handover).where(
            col(Handover.contract) == contract.key,
            col(Handover.at) > now,
            col(Handover.acknowledged_at).is_(None),
            col(Handover.void_at).is_(None),
        )
    )
    for handover in ahead:
        if (handover.at, handover.to_id) not in wanted:
            handover.void_at = now
    await session.flush()
    return made


async def sheet(session: AsyncSession, contract: str, reader: Actor, now: datetime) -> Sheet:
    """The three lists of a contract, the most pressing first, without what its reader must not
    know of."""
    seen = seeing.not_shut_out(reader.user_id)
    is_open = (col(Case.contract) == contract, col(Case.status) == CaseStatus.OPEN, *seen)
    shown: tuple[Any, ...] = (
        col(Case.reference),
        col(Case.urgency),
        col(Case.next_due_at),
        col(Case.last_in_at),
        col(User.shown_name).label("worker"),
    )
    cases = select(*shown).outerjoin(User, col(User.id) == col(Case.worker_id)).where(*is_open)
    since = now - SILENT
    spoke = exists().where(
        col(Contact.case_id) == col(Case.id),
        col(Contact.at) > since,
        col(Contact.kind) != ContactKind.AUTOMATIC,
    )
    promises: Any = (
        select(
            col(Case.reference),
            col(Deadline.clock),
            col(Deadline.due_at),
            col(User.shown_name).label("worker"),
            col(Complaint.reference).label("complaint"),
            col(Incident.reference).label("incident"),
        )
        .select_from(Deadline)
        .outerjoin(Case, col(Case.id) == col(Deadline.case_id))
        .outerjoin(Complaint, col(Complaint.id) == col(Deadline.complaint_id))
        .outerjoin(Incident, col(Incident.id) == col(Deadline.incident_id))
        .outerjoin(User, col(User.id) == col(Case.worker_id))
        .where(
            col(Deadline.contract) == contract,
            col(Deadline.state) == DeadlineState.OPEN,
            col(Deadline.due_at) < now + SOON,
            or_(
                and_(col(Case.id).is_(None), seeing.owed(reader, metadata.tables["deadline"])),
                and_(col(Case.status) == CaseStatus.OPEN, *seen),
            ),
        )
        .order_by(col(Deadline.due_at), col(Deadline.id))
    )
    order = (col(Case.opened_at), col(Case.id))
    return Sheet(
        await _rows(session, cases.where(col(Case.urgency) == Urgency.EMERGENCY).order_by(*order)),
        await _rows(session, promises),
        await _rows(session, cases.where(col(Case.opened_at) < since, ~spoke).order_by(*order)),
    )


async def find(
    session: AsyncSession, contracts: Sequence[str], reader: Actor, handover_id: int
) -> Handover:
    """A handover of one of these contracts, for the two between whom it passes and for whoever
    makes the rota; NotFound. What the one wrote is for the other alone (`is_between`)."""
    found = await session.get(Handover, handover_id)
    if (
        found is None
        or found.contract not in contracts
        or found.void_at is not None
        or not (is_between(found, reader.user_id) or may(reader, "rota.write", found.contract))
    ):
        raise NotFound("There is no such handover. The rota may have changed.")
    return found


def is_between(handover: Handover, user_id: int) -> bool:
    return user_id in (handover.from_id, handover.to_id)


async def write(session: AsyncSession, handover: Handover, text: str, by: int) -> None:
    """What the one who goes wants the other to know; replaced until it is acknowledged."""
    if by != handover.from_id:
        raise NotAllowed("Only the person whose shift ends writes here.")
    if handover.acknowledged_at is not None:
        raise Conflict("It was read and acknowledged already. Ring them instead.")
    if len(text) > LONGEST:
        raise InvalidInput(f"Keep it under {LONGEST:,} letters; the cases themselves say the rest.")
    handover.words = text or None
    session.add(handover)
    await session.flush()


async def acknowledge(session: AsyncSession, handover: Handover, by: Actor, now: datetime) -> None:
    """Who takes over has read the sheet; it is kept which cases stood on it."""
    if by.user_id != handover.to_id:
        raise NotAllowed("Only the person who takes over can acknowledge this.")
    if handover.acknowledged_at is not None:
        return
    seen = (await sheet(session, handover.contract, by, now)).references
    handover.seen, handover.acknowledged_at = dict(seen), now
    session.add(handover)
    await session.flush()
    await events.record(
        session,
        "handover.acknowledged",
        now,
        contract=handover.contract,
        by=by.user_id,
        handover=handover.id,
        **{name: len(references) for name, references in seen.items()},
    )


async def waiting_for(session: AsyncSession, user_id: int, now: datetime) -> Sequence[Handover]:
    """What this person must acknowledge, or may still write on; the oldest first."""
    mine = or_(col(Handover.to_id) == user_id, col(Handover.from_id) == user_id)
    return await _waiting(session, now, mine)


async def late(
    session: AsyncSession, contracts: Sequence[str], now: datetime
) -> Sequence[Handover]:
    """What should have been acknowledged half an hour ago: for the lead."""
    return await _waiting(
        session, now, col(Handover.contract).in_(contracts), col(Handover.at) <= now - LATE
    )


async def _waiting(session: AsyncSession, now: datetime, *where: Any) -> Sequence[Handover]:
    query = select(Handover).where(
        *where,
        col(Handover.acknowledged_at).is_(None),
        col(Handover.void_at).is_(None),
        col(Handover.at) <= now + BEFORE,
        col(Handover.at) > now - SHOWN,
    )
    return list(await session.scalars(query.order_by(col(Handover.at)).limit(20)))


async def _make(
    session: AsyncSession, contract: str, at: datetime, from_id: int, to_id: int
) -> int:
    key = ["contract", "at", "to_id"]
    known = await session.scalar(
        select(col(Handover.id)).where(
            col(Handover.contract) == contract,
            col(Handover.at) == at,
            col(Handover.to_id) == to_id,
            col(Handover.from_id) == from_id,
            col(Handover.void_at).is_(None),
        )
    )
    if known is not None:
        return 0
    await session.execute(
        insert_for(session, Handover)
        .values(contract=contract, at=at, from_id=from_id, to_id=to_id)
        .on_conflict_do_update(index_elements=key, set_={"void_at": None, "from_id": from_id})
    )
    return 1


async def _rows(session: AsyncSession, query: Any) -> Sequence[Row[Any]]:
    return (await session.execute(query.limit(MOST))).all()
