"""Who stands in on a case while its support worker is away.

Called by the board of allocations, the inbox and escalation. A cover holds exactly as long as the
absence it was made for: when they are back, early or late, the case is theirs again by itself and
nobody has to remember it. The case keeps its support worker all the while, and no clock moves.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Result, Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import conflicts, events, papers
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Absence, Case, Cover, Person, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import CaseStatus


@dataclass(frozen=True)
class StandIn:
    """Who stands in on a case, for whom and until when."""

    id: int
    worker_id: int
    who: str
    for_id: int
    until: datetime


async def begin(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    worker_id: int,
    by: Actor,
    now: datetime,
) -> Cover:
    """Hand the case over for the time of the absence. Conflict when its support worker is here, or
    when `worker_id` is away as well or must not work on it; InvalidInput when their papers have
    run out."""
    require(by, "case.allocate_others", case.contract)
    if case.status != CaseStatus.OPEN:
        raise Conflict("This case is closed. Open it again first.")
    absence = await _absence_of(session, case.worker_id, now)
    if absence is None or absence.id is None or case.worker_id is None:
        raise Conflict("Its support worker is not away: nobody needs to stand in.")
    worker = await session.get(User, worker_id)
    if worker is None or worker.left_at or worker.contract not in (None, case.contract):
        raise InvalidInput("Choose somebody who works on this contract.")
    if await _absence_of(session, worker_id, now) is not None:
        raise Conflict(f"{worker.shown_name} is away too. Choose somebody else.")
    await conflicts.forbid(session, case, worker, by)
    await papers.forbid(session, contract, worker, now)
    await session.execute(
        update(Cover)
        .where(col(Cover.case_id) == case.id, col(Cover.ended_at).is_(None))
        .values(ended_at=now)
    )
    cover = Cover(
        contract=case.contract,
        case_id=case.id or 0,
        worker_id=worker_id,
        for_id=case.worker_id,
        absence_id=absence.id,
        begun_at=now,
        begun_by_id=by.user_id,
    )
    session.add(cover)
    await session.flush()
    await _event(session, "cover.begun", cover, by, now)
    return cover


async def end(session: AsyncSession, case: Case, cover_id: int, by: Actor, now: datetime) -> None:
    """They stand in no longer; the case waits for somebody else as long as its worker is away."""
    require(by, "case.allocate_others", case.contract)
    cover = await session.get(Cover, cover_id, with_for_update=True)
    if cover is None or cover.case_id != case.id:
        raise NotFound("Nobody stands in on this case.")
    if cover.ended_at is None:
        cover.ended_at = now
        await session.flush()
        await _event(session, "cover.ended", cover, by, now)


async def of_cases(
    session: AsyncSession, case_ids: Collection[int], now: datetime
) -> dict[int, StandIn]:
    """Case id → who stands in on it now."""
    if not case_ids:
        return {}
    rows = await session.execute(
        select(
            col(Cover.case_id),
            col(Cover.id),
            col(Cover.worker_id),
            col(User.shown_name),
            col(Cover.for_id),
            col(Absence.ends_at),
        )
        .join(Absence, col(Absence.id) == col(Cover.absence_id))
        .join(Case, col(Case.id) == col(Cover.case_id))
        .join(User, col(User.id) == col(Cover.worker_id))
        .where(col(Cover.case_id).in_(case_ids), *in_force(now))
        .order_by(col(Cover.id))
    )
    return {
        case_id: StandIn(cover_id or 0, worker_id, who, for_id, until)
        for case_id, cover_id, worker_id, who, for_id, until in rows
    }


async def of_worker(session: AsyncSession, user_id: int, now: datetime) -> Sequence[Row[Any]]:
    """The open cases somebody stands in on now: case_id, reference, name, for_name, until."""
    away = User.__table__.alias("away")  # type: ignore[attr-defined]  # SQLModel does not say so
    rows: Result[Any] = await session.execute(
        select(
            col(Case.id).label("case_id"),
            col(Case.reference),
            col(Person.name),
            away.c.shown_name.label("for_name"),
            col(Absence.ends_at).label("until"),
        )
        .select_from(Cover)
        .join(Absence, col(Absence.id) == col(Cover.absence_id))
        .join(Case, col(Case.id) == col(Cover.case_id))
        .join(Person, col(Person.id) == col(Case.person_id))
        .join(away, away.c.id == col(Cover.for_id))
        .where(col(Cover.worker_id) == user_id, col(Case.status) == CaseStatus.OPEN, *in_force(now))
        .order_by(col(Cover.id))
    )
    return rows.all()


async def who_acts(session: AsyncSession, case: Case, now: datetime) -> int | None:
    """Whoever is to be asked as the case's worker now: who stands in, else who was named."""
    found = (await of_cases(session, [case.id or 0], now)).get(case.id or 0)
    return found.worker_id if found else case.worker_id


def in_force(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Of Cover joined with its Absence and its Case: what holds at this instant."""
    return (
        col(Cover.ended_at).is_(None),
        col(Cover.for_id) == col(Case.worker_id),
        col(Absence.taken_back_at).is_(None),
        col(Absence.starts_at) <= now,
        col(Absence.ends_at) > now,
    )


async def _absence_of(session: AsyncSession, user_id: int | None, now: datetime) -> Absence | None:
    """The absence somebody is in now; of several the one that lasts longest."""
    found: Absence | None = await session.scalar(
        select(Absence)
        .where(
            col(Absence.user_id) == user_id,
            col(Absence.taken_back_at).is_(None),
            col(Absence.starts_at) <= now,
            col(Absence.ends_at) > now,
        )
        .order_by(col(Absence.ends_at).desc(), col(Absence.id))
        .limit(1)
    )
    return found


async def _event(session: AsyncSession, kind: str, cover: Cover, by: Actor, now: datetime) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=cover.contract,
        case_id=cover.case_id,
        by=by.user_id,
        worker=cover.worker_id,
        instead_of=cover.for_id,
    )
