"""Who must not work on a case: its subject, or somebody who knows the people in it.

Declared by the worker themself or by a lead; read by escalation, which never asks them, and by
allocation, which never names them. A worker who writes to us from their own telephone is the
subject of that case by it.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Result, Row, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline import errors
from helpline.desk import events, seeing
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import (
    Address,
    Case,
    Complaint,
    ComplaintAbout,
    Conflict,
    DataRequest,
    Incident,
    Part,
    User,
)
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import ConflictKind

LONGEST = 500


async def of_cases(
    session: AsyncSession,
    case_ids: Collection[int],
    *declared_as: ColumnElement[bool],
    is_kept: bool = True,
) -> dict[int, frozenset[int]]:
    """Case id → the ids of everybody who must not be asked about it. `declared_as`: which of the
    conflicts written down count; all, where nothing is said. `is_kept`: also those from whom the
    case is kept (desk/restricting.py)."""
    if not case_ids:
        return {}
    found: dict[int, set[int]] = {}
    declared = await session.execute(
        select(col(Conflict.case_id), col(Conflict.user_id)).where(
            col(Conflict.case_id).in_(case_ids), col(Conflict.ended_at).is_(None), *declared_as
        )
    )
    own = await session.execute(
        select(col(Case.id), col(User.id))
        .outerjoin(Part, col(Part.case_id) == col(Case.id))
        .join(
            Address,
            or_(
                col(Address.person_id) == col(Case.person_id),
                col(Address.person_id) == col(Part.person_id),
            ),
        )
        .join(
            User,
            or_(
                col(User.mobile_index) == col(Address.value_index),
                col(User.telegram_index) == col(Address.value_index),
                col(User.email_index) == col(Address.value_index),
            ),
        )
        .where(col(Case.id).in_(case_ids))
    )
    across = await seeing.across(session, case_ids)
    kept = await seeing.kept_from(session, case_ids) if is_kept else set()
    for case_id, user_id in [*declared, *own, *across, *kept]:
        found.setdefault(case_id, set()).add(user_id)
    return {case_id: frozenset(users) for case_id, users in found.items()}


async def of_complaints(
    session: AsyncSession, complaint_ids: Collection[int]
) -> dict[int, frozenset[int]]:
    """Complaint id → everybody who must not be asked about it, nor handle it: whom it is about, and
    who is shut out of the case that it is, of the one it arose on, or of whoever complains."""
    if not complaint_ids:
        return {}
    found: dict[int, set[int]] = {one: set() for one in complaint_ids}
    about = await session.execute(
        select(col(ComplaintAbout.complaint_id), col(ComplaintAbout.user_id)).where(
            col(ComplaintAbout.complaint_id).in_(complaint_ids),
            col(ComplaintAbout.ended_at).is_(None),
        )
    )
    for complaint_id, user_id in about:
        found[complaint_id].add(user_id)
    on_its_own = await _shut_out_with(
        session,
        col(Case.id).in_((col(Complaint.case_id), col(Complaint.about_case_id))),
        complaint_ids,
    )
    by_person = await _shut_out_with(
        session,
        col(Case.person_id) == col(Complaint.person_id),
        complaint_ids,
        # That a complaint is about them shuts them out of that one only.
        col(Conflict.kind) != ConflictKind.COMPLAINT,
    )
    for complaint_id, users in [*on_its_own, *by_person]:
        found[complaint_id] |= users
    return {complaint_id: frozenset(users) for complaint_id, users in found.items()}


async def _shut_out_with(
    session: AsyncSession,
    joined: ColumnElement[bool],
    complaint_ids: Collection[int],
    *declared: ColumnElement[bool],
) -> list[tuple[int, frozenset[int]]]:
    """(complaint, who is shut out of a case that is `joined` to it)."""
    query: Any = (
        select(col(Complaint.id), col(Case.id))
        .join(Case, joined)
        .where(col(Complaint.id).in_(complaint_ids))
    )
    pairs = [(row[0], row[1]) for row in await session.execute(query)]
    shut_out = await of_cases(session, {case_id for _, case_id in pairs}, *declared)
    return [(one, shut_out.get(case_id, frozenset())) for one, case_id in pairs]


async def of_requests(
    session: AsyncSession, request_ids: Collection[int]
) -> dict[int, frozenset[int]]:
    """Request id → everybody who must not be asked about it: who is shut out of a case of whoever
    asks."""
    if not request_ids:
        return {}
    query: Any = (
        select(col(DataRequest.id), col(Case.id))
        .join(Case, col(Case.person_id) == col(DataRequest.person_id))
        .where(col(DataRequest.id).in_(request_ids))
    )
    pairs = [(row[0], row[1]) for row in await session.execute(query)]
    shut_out = await of_cases(session, {case_id for _, case_id in pairs})
    found: dict[int, frozenset[int]] = {}
    for one, case_id in pairs:
        found[one] = found.get(one, frozenset()) | shut_out.get(case_id, frozenset())
    return found


async def of_incidents(
    session: AsyncSession, incident_ids: Collection[int]
) -> dict[int, frozenset[int]]:
    """Incident id → everybody who must not be asked about it: who is shut out of its case."""
    if not incident_ids:
        return {}
    query: Any = select(col(Incident.id), col(Incident.case_id)).where(
        col(Incident.id).in_(incident_ids), col(Incident.case_id).is_not(None)
    )
    of: dict[int, int] = {row.id: row.case_id for row in await session.execute(query)}
    shut_out = await of_cases(session, set(of.values()))
    return {one: shut_out.get(case_id, frozenset()) for one, case_id in of.items()}


async def on_case(session: AsyncSession, case_id: int) -> Sequence[Row[Any]]:
    """The conflicts that hold on a case, with the names: id, user_id, who, why, since."""
    rows: Result[Any] = await session.execute(
        select(
            col(Conflict.id),
            col(Conflict.user_id),
            col(User.shown_name).label("who"),
            col(Conflict.why),
            col(Conflict.since),
        )
        .join(User, col(User.id) == col(Conflict.user_id))
        .where(col(Conflict.case_id) == case_id, col(Conflict.ended_at).is_(None))
        .order_by(col(Conflict.id))
    )
    return rows.all()


async def declare(
    session: AsyncSession, case: Case, user_id: int, why: str, by: Actor, now: datetime
) -> None:
    """`user_id` must not work on this case. One's own needs nobody's leave; a lead may say it of
    others. Whoever is the support worker stays it until a lead names somebody else."""
    require(by, "case.read" if user_id == by.user_id else "case.allocate_others", case.contract)
    missing = "Say in a few words why, for example: they are a neighbour of mine."
    said = in_a_line(why, LONGEST, missing)
    user = await session.get(User, user_id)
    if user is None or user.left_at is not None:
        raise InvalidInput("Choose a colleague from the list.")
    held = {row.user_id for row in await on_case(session, case.id or 0)}
    if user_id in held:
        return
    session.add(
        Conflict(case_id=case.id or 0, user_id=user_id, why=said, since=now, by_user_id=by.user_id)
    )
    await session.flush()
    await events.record(
        session,
        "conflict.declared",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        user=user_id,
    )


async def end(
    session: AsyncSession, case: Case, conflict_id: int, by: Actor, now: datetime
) -> None:
    """It no longer holds; only a lead says so."""
    require(by, "case.allocate_others", case.contract)
    conflict = await session.get(Conflict, conflict_id, with_for_update=True)
    if conflict is None or conflict.case_id != case.id:
        raise NotFound("There is no such conflict on this case.")
    if conflict.ended_at is None:
        conflict.ended_at, conflict.ended_by_id = now, by.user_id
        await session.flush()
        await events.record(
            session,
            "conflict.ended",
            now,
            contract=case.contract,
            case_id=case.id,
            by=by.user_id,
            user=conflict.user_id,
        )


async def forbid(session: AsyncSession, case: Case, worker: User, by: Actor) -> None:
    """Raises Conflict when `worker` must not work on the case, or when `by`, who names them, must
    not: whoever a case is about has no say in whose it is. Why is not said."""
    shut_out = (await of_cases(session, [case.id or 0])).get(case.id or 0, frozenset())
    if by.user_id in shut_out:
        raise errors.Conflict(
            "You must not work on this case, so somebody else has to say whose it is."
        )
    if worker.id in shut_out:
        raise errors.Conflict(
            f"{worker.shown_name} must not work on this case: it is about them, or they know the "
            "people in it. Choose somebody else."
        )


@asynccontextmanager
async def leaving_workers(session: AsyncSession) -> AsyncIterator[None]:
    """Whatever a person does in here about walls shuts no support worker out of a case of theirs:
    Conflict, saying who must be named anew first."""
    before = await seeing.workers_across(session)
    yield
    await session.flush()
    for case_id, worker_id in sorted((await seeing.workers_across(session)).items()):
        if case_id not in before:
            case, worker = await session.get(Case, case_id), await session.get(User, worker_id)
            raise errors.Conflict(
                f"{worker.shown_name if worker else 'Somebody'} supports "
                f"{case.reference if case else 'a case'} and has worked for the other side. Name "
                "somebody else on it first: nobody may work on both sides."
            )
