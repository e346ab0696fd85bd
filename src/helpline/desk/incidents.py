"""The register of incidents: what happened, who is owed word of it and had it, what was learnt
(N04, N11, N12). A line is never taken away; what is added is an entry.

Who is told what by when stands in the contract; each is a notice with its own clock. Called by
pages; the sweep warns of what is due.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Result, Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract, parts
from helpline.desk import events, owed, seeing
from helpline.desk.holding import twin
from helpline.desk.owed import Line
from helpline.desk.references import LETTERS
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Case,
    Deadline,
    Incident,
    IncidentEntry,
    IncidentNotice,
    User,
    metadata,
)
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import ChildView, ClockStart, ClockStop, DeadlineState, EntryKind

LONGEST: Final = 20_000
ADDED: Final = (EntryKind.NOTE, EntryKind.LEARNING, EntryKind.CORRECTION)


@dataclass(frozen=True)
class Told:
    """An incident as it was told: when it happened, when we came to know."""

    kind: str
    what: str
    happened_at: datetime
    known_at: datetime
    done: str = ""
    case: Case | None = None


async def log(
    session: AsyncSession, contract: Contract, told: Told, by: Actor, now: datetime
) -> Incident:
    """Into the register: whoever is owed word of it is written down, and the clocks run from when
    we knew. Sent twice it is one incident."""
    require(by, "incident.log", contract.key)
    kind = _kind(contract, told.kind)
    if not told.what.strip():
        raise InvalidInput("Say what happened.")
    if max(len(told.what), len(told.done)) > LONGEST:
        raise InvalidInput(f"That is too long: {LONGEST:,} characters are enough.")
    if not told.happened_at <= told.known_at <= now:
        raise InvalidInput("It happened before we knew of it, and we know of it by now.")
    found = Incident(
        reference=await _free_reference(session),
        contract=contract.key,
        kind=kind.code,
        happened_at=told.happened_at,
        known_at=told.known_at,
        case_id=told.case.id if told.case else None,
        what=told.what.strip(),
        done=told.done.strip() or None,
        child_view=ChildView.NOT_YET if kind.asks_child else ChildView.NO_CHILD,
        logged_at=now,
        logged_by_id=by.user_id,
    )
    same = ("contract", "kind", "case_id", "what", "done")
    before = await twin(session, found, by, now, who="logged_by_id", at="logged_at", same=same)
    if before is not None:
        return before
    session.add(found)
    await session.flush()
    await add(session, found, EntryKind.LOGGED, now, by, code=kind.code)
    for notify in kind.notify:
        clock = contract.clock(notify.clock)
        due = contract.plan(clock, told.known_at).due_at
        session.add(IncidentNotice(incident_id=found.id or 0, code=notify.code, due_at=due))
    clocks = {notify.clock: contract.clock(notify.clock) for notify in kind.notify}
    reviews = {
        clock.code: clock
        for clock in contract.clocks
        if clock.starts is ClockStart(kind.starts) and clock.stops is ClockStop.WRITE_UP
    }
    await session.flush()
    begun = [*clocks.values(), *reviews.values()]
    await owed.start(session, contract, line_of(found), begun, told.known_at)
    return found


async def find(
    session: AsyncSession, actor: Actor, reference: str, *, lock: bool = False
) -> Incident:
    """The incident, if `actor` may see it; the same NotFound whether it is not there or not
    theirs."""
    query = select(Incident).where(
        col(Incident.reference) == reference.strip().upper(), *seeing.incidents(actor)
    )
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("There is no such incident, or it is not yours to see.")
    return found


async def listed(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], limit: int = 200
) -> Sequence[Row[Any]]:
    """Incidents that `actor` may see: what is due first, then the others, the newest first."""
    incident = metadata.tables["incident"]
    due = (
        select(col(Deadline.due_at))
        .where(
            col(Deadline.incident_id) == incident.c.id, col(Deadline.state) == DeadlineState.OPEN
        )
        .order_by(col(Deadline.due_at))
        .limit(1)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(incident, due.label("due_at"))
        .where(incident.c.contract.in_(contracts), *seeing.incidents(actor, incident))
        .order_by(due.is_(None), due, incident.c.happened_at.desc())
        .limit(limit)
    )
    return rows.all()


async def entries(session: AsyncSession, found: Incident) -> Sequence[Row[Any]]:
    """What was added, in order: the entry and who wrote it."""
    rows: Result[Any] = await session.execute(
        select(IncidentEntry, col(User.shown_name).label("who"))
        .outerjoin(User, col(User.id) == col(IncidentEntry.by_user_id))
        .where(col(IncidentEntry.incident_id) == found.id)
        .order_by(col(IncidentEntry.id))
    )
    return rows.all()


async def notices(session: AsyncSession, found: Incident) -> Sequence[Row[Any]]:
    """Whoever is owed word, the next due first: the notice and who settled it."""
    rows: Result[Any] = await session.execute(
        select(IncidentNotice, col(User.shown_name).label("who"))
        .outerjoin(User, col(User.id) == col(IncidentNotice.by_user_id))
        .where(col(IncidentNotice.incident_id) == found.id)
        .order_by(col(IncidentNotice.due_at), col(IncidentNotice.id))
    )
    return rows.all()


async def tell(
    session: AsyncSession,
    contract: Contract,
    found: Incident,
    notice_id: int,
    *,
    whom: str,
    how: str,
    at: datetime,
    not_needed: str,
    by: Actor,
    now: datetime,
) -> None:
    """Somebody who is owed word had it: whom, how, when; or need not, with the reason."""
    require(by, "incident.work", found.contract)
    notice = await session.get(IncidentNotice, notice_id, with_for_update=True)
    if notice is None or notice.incident_id != found.id:
        raise NotFound("There is no such notice on this incident.")
    if notice.settled_at is not None:
        raise Conflict("That is written down already. A correction can be added.")
    if not not_needed.strip():
        notice.whom = in_a_line(whom, 200, "Say whom you told, or why nobody need be.")
        if how not in [method.code for method in contract.methods]:
            raise InvalidInput("Choose how they were told.")
        if not found.happened_at <= at <= now:
            raise InvalidInput("Say when they were told, after it happened and before now.")
        notice.how, notice.told_at = how, at
    else:
        notice.not_needed = in_a_line(not_needed, 500)
    notice.settled_at, notice.by_user_id = now, by.user_id
    await session.flush()
    await _event(session, "incident.notice_settled", found, by, now, whom=notice.code)
    await _meet_when_all_know(session, contract, found, notice.code, notice.told_at or now, by)


async def _meet_when_all_know(
    session: AsyncSession,
    contract: Contract,
    found: Incident,
    code: str,
    at: datetime,
    by: Actor,
) -> None:
    """A clock that several notices share is met when the last of them is settled."""
    by_code = {notify.code: notify.clock for notify in _kind(contract, found.kind).notify}
    clock = by_code.get(code)
    waiting = await session.scalars(
        select(col(IncidentNotice.code)).where(
            col(IncidentNotice.incident_id) == found.id, col(IncidentNotice.settled_at).is_(None)
        )
    )
    if clock is not None and clock not in [by_code.get(one) for one in waiting]:
        await owed.meet(session, line_of(found), ClockStop.NOTICE, at, by.user_id, clock=clock)


async def write_child_view(
    session: AsyncSession, found: Incident, view: str, words: str, by: Actor, now: datetime
) -> None:
    """How the child sees it, in their words; or why they were not asked (N12)."""
    require(by, "incident.work", found.contract)
    if view not in (ChildView.GIVEN, ChildView.DECLINED, ChildView.NOT_POSSIBLE):
        raise InvalidInput("Choose whether the child said how they see it.")
    if view != ChildView.DECLINED and not words.strip():
        raise InvalidInput("Write what the child said, or why they could not be asked.")
    found.child_view = view
    await add(session, found, EntryKind.CHILD_VIEW, now, by, words=words.strip(), code=view)


async def review(
    session: AsyncSession, found: Incident, words: str, by: Actor, now: datetime
) -> None:
    """Somebody looked at it as a whole. Whoever logged it does not review it alone."""
    require(by, "incident.work", found.contract)
    if by.user_id == found.logged_by_id:
        raise Conflict("You logged it: somebody else reviews it.")
    if not words.strip():
        raise InvalidInput("Write what you looked at and what you found.")
    found.reviewed_at = found.reviewed_at or now
    await add(session, found, EntryKind.REVIEWED, now, by, words=words.strip())
    await owed.meet(session, line_of(found), ClockStop.WRITE_UP, now, by.user_id)


async def write(
    session: AsyncSession, found: Incident, kind: str, words: str, by: Actor, now: datetime
) -> None:
    """A note, what was learnt, a correction: at any time."""
    require(by, "incident.log", found.contract)
    if kind not in ADDED:
        raise InvalidInput("Choose what you add: a note, what was learnt, a correction.")
    if not words.strip():
        raise InvalidInput("Write it down first.")
    if len(words) > LONGEST:
        raise InvalidInput(f"That is too long: {LONGEST:,} characters are enough.")
    await add(session, found, EntryKind(kind), now, by, words=words.strip())


async def close(session: AsyncSession, found: Incident, by: Actor, now: datetime) -> None:
    """Everybody knows who must, the child was asked, it was reviewed."""
    require(by, "incident.work", found.contract)
    if found.closed_at is not None:
        raise Conflict("It is closed already.")
    if any(row[0].settled_at is None for row in await notices(session, found)):
        raise Conflict("Somebody is still owed word of it. Tell them, or say why not.")
    if found.child_view == ChildView.NOT_YET:
        raise Conflict("Ask the child how they see it first, or say why not.")
    if found.reviewed_at is None:
        raise Conflict("Somebody has to review it first.")
    found.closed_at = now
    await add(session, found, EntryKind.CLOSED, now, by)


async def add(
    session: AsyncSession,
    found: Incident,
    kind: EntryKind,
    now: datetime,
    by: Actor,
    *,
    words: str = "",
    code: str = "",
) -> None:
    session.add(
        IncidentEntry(
            incident_id=found.id or 0,
            kind=kind,
            code=code,
            words=words or None,
            at=now,
            written_at=now,
            by_user_id=by.user_id,
        )
    )
    await session.flush()
    await _event(session, f"incident.{kind}", found, by, now)


def line_of(found: Incident) -> Line:
    return Line(found.contract, incident_id=found.id)


def _kind(contract: Contract, code: str) -> parts.IncidentKind:
    for kind in contract.incidents:
        if kind.code == code:
            return kind
    raise InvalidInput("Choose what kind of incident it is.")


async def _event(
    session: AsyncSession, kind: str, found: Incident, by: Actor, now: datetime, **detail: Any
) -> None:
    await events.record(
        session, kind, now, contract=found.contract, by=by.user_id, incident=found.id, **detail
    )


async def _free_reference(session: AsyncSession) -> str:
    while True:
        reference = f"I-{''.join(secrets.choice(LETTERS) for _ in range(6))}"
        taken = select(col(Incident.id)).where(col(Incident.reference) == reference)
        if await session.scalar(taken) is None:
            return reference
