"""Who must have nothing to do with a complaint: whom it is about, and who delivers the service to
whoever made it (K10). Asked by the register of complaints; rules/complaints.py decides."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import conflicts, seeing
from helpline.models import (
    Allocation,
    Case,
    Complaint,
    ComplaintAbout,
    ComplaintEntry,
    Conflict,
    Cover,
    Event,
    User,
)
from helpline.rules import complaints as rules
from helpline.rules.permissions import Actor
from helpline.vocabulary import CaseStatus, ConflictKind, EntryKind, Role

HANDLERS: Final = (Role.COMPLAINTS, Role.LEAD, Role.SAFEGUARDING)


async def about(session: AsyncSession, complaint: Complaint) -> dict[int, str]:
    """User id → name, of whom it is about."""
    rows = await session.execute(
        select(col(User.id), col(User.shown_name))
        .join(ComplaintAbout, col(ComplaintAbout.user_id) == col(User.id))
        .where(
            col(ComplaintAbout.complaint_id) == complaint.id, col(ComplaintAbout.ended_at).is_(None)
        )
        .order_by(col(User.shown_name))
    )
    return {user_id: name for user_id, name in rows if user_id is not None}


async def colleagues(session: AsyncSession, contract: str) -> list[tuple[int, str]]:
    """Whom of us a complaint of this contract can be about, by name: id and name."""
    rows = await session.execute(
        select(col(User.id), col(User.shown_name))
        .where(
            col(User.role).in_((*HANDLERS, Role.WORKER)),
            col(User.left_at).is_(None),
            col(User.contract).is_(None) | (col(User.contract) == contract),
        )
        .order_by(col(User.shown_name))
    )
    return [(user_id or 0, name) for user_id, name in rows]


async def involved(session: AsyncSession, complaint: Complaint) -> frozenset[int]:
    """Everybody who has worked with whoever complains, or on the case it arose on."""
    those = [case for case in (complaint.about_case_id, complaint.case_id) if case is not None]
    of_person = select(col(Case.id)).where(col(Case.person_id) == complaint.person_id)
    in_them = [col(Case.id).in_(those)]
    if complaint.person_id is not None:
        in_them.append(col(Case.id).in_(of_person))
    cases = select(col(Case.id)).where(in_them[0] if len(in_them) == 1 else in_them[0] | in_them[1])
    named = select(col(Allocation.worker_id)).where(
        col(Allocation.case_id).in_(cases), col(Allocation.declined_at).is_(None)
    )
    stood_in = select(col(Cover.worker_id)).where(col(Cover.case_id).in_(cases))
    did = select(col(Event.by_user_id)).where(
        col(Event.case_id).in_(cases), col(Event.kind).not_in(seeing.TAKES_NO_SIDE)
    )
    found = await session.scalars(union(named, stood_in, did))
    return frozenset(user_id for user_id in found if user_id is not None)


async def handlers(
    session: AsyncSession, contract: str, complaint: Complaint
) -> list[tuple[User, str]]:
    """Whoever could handle complaints of this contract, the complaints officers first, each with
    why they may not handle this one (empty: they may)."""
    users = await session.scalars(
        select(User)
        .where(
            col(User.role).in_(HANDLERS),
            col(User.left_at).is_(None),
            col(User.contract).is_(None) | (col(User.contract) == contract),
        )
        .order_by((col(User.role) == Role.COMPLAINTS).desc(), col(User.shown_name))
    )
    accused = await about(session, complaint)
    worked = await involved(session, complaint)
    complaint_id = complaint.id or 0
    shut_out = (await conflicts.of_complaints(session, [complaint_id]))[complaint_id]
    earlier = await session.scalars(
        select(col(ComplaintEntry.by_user_id)).where(
            col(ComplaintEntry.complaint_id) == complaint.id,
            col(ComplaintEntry.kind) == EntryKind.ANSWERED,
            col(ComplaintEntry.stage) < complaint.stage,
        )
    )
    before = [user_id for user_id in earlier if user_id is not None]
    return [
        (
            user,
            rules.why_not_handle(
                user.id or 0, about=accused, involved=worked, earlier=before, shut_out=shut_out
            ),
        )
        for user in users
    ]


async def shut_out(
    session: AsyncSession, case: Case, user_id: int, why: str, by: Actor | None, now: datetime
) -> None:
    """This user does not see the case any more, because it is a complaint about them. What a lead
    has lifted is not put up again by itself (`by` None)."""
    held = await session.scalar(
        select(col(Conflict.id)).where(
            col(Conflict.case_id) == case.id,
            col(Conflict.user_id) == user_id,
            *(() if by is None else (col(Conflict.ended_at).is_(None),)),
        )
    )
    if held is not None:
        return
    session.add(
        Conflict(
            case_id=case.id or 0,
            user_id=user_id,
            kind=ConflictKind.COMPLAINT,
            why=why,
            since=now,
            by_user_id=by.user_id if by else None,
        )
    )
    await session.flush()


async def let_in(
    session: AsyncSession,
    person_or_case: ColumnElement[bool],
    user_id: int,
    reasons: Collection[str],
    by: Actor,
    now: datetime,
) -> None:
    """What shut them out of such cases for one of these reasons, and nothing else, ends."""
    held = await session.scalars(
        select(Conflict)
        .join(Case, col(Case.id) == col(Conflict.case_id))
        .where(
            person_or_case,
            col(Conflict.user_id) == user_id,
            col(Conflict.kind) == ConflictKind.COMPLAINT,
            col(Conflict.ended_at).is_(None),
        )
    )
    for one in held:
        if one.why in reasons:  # sealed, so no database could look for it
            one.ended_at, one.ended_by_id = now, by.user_id
    await session.flush()


async def supporting(session: AsyncSession, case: Case) -> list[int]:
    """Whoever is named on another case of this person, the open ones and the latest closed one."""
    rows = await session.execute(
        select(col(Case.worker_id), col(Case.status))
        .where(
            col(Case.person_id) == case.person_id,
            col(Case.id) != case.id,
            col(Case.worker_id).is_not(None),
        )
        .order_by(col(Case.id).desc())
    )
    found = [(worker, status) for worker, status in rows if worker is not None]
    return list(
        dict.fromkeys(
            worker
            for place, (worker, status) in enumerate(found)
            if status == CaseStatus.OPEN or place == 0
        )
    )
