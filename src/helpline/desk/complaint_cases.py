"""Cases that are complaints, and the register of complaints: which nobody has written down yet,
what the form is filled with, and what belongs to a case.

A case becomes one when a person says so, by its reason or its kind. Nothing is logged by that
alone: whom it is about must be said. Called by the pages of cases and of complaints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import complaints, heard, seeing
from helpline.errors import NotFound
from helpline.models import Case, Complaint, Person, User, metadata
from helpline.rules.permissions import Actor, may
from helpline.vocabulary import CaseKind, ComplaintKind

CASE: Final = metadata.tables["case"]
COMPLAINT: Final = metadata.tables["complaint"]
EVENT: Final = metadata.tables["event"]
KINDS: Final = (CaseKind.COMPLAINT, CaseKind.DATA_COMPLAINT)
SAID_SO: Final = ("case.reason_set", "case.kind_set")
DATA_SUBJECT: Final = "data_protection"


@dataclass(frozen=True)
class OnCase:
    """What a case's page says of complaints. `is_unlogged`: it is one and not in the register;
    `is_logged`: it is one and is; `linked`: those that the reader may open."""

    is_unlogged: bool
    is_logged: bool
    linked: Sequence[Complaint]


def is_one(case: Case) -> bool:
    """Whether somebody, or the carer themself, said that this case is a complaint about us."""
    return case.reason == complaints.REASON or case.kind in KINDS


async def unlogged(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], limit: int = 50
) -> Sequence[Row[Any]]:
    """Cases that are complaints and stand nowhere in the register, the oldest first: reference,
    when it came, since when it is called a complaint, who supports the person. A log from before
    our time is not asked about."""
    since = (
        select(func.max(EVENT.c.at))
        .where(EVENT.c.case_id == CASE.c.id, EVENT.c.kind.in_(SAID_SO))
        .scalar_subquery()
    )
    logged = exists().where(_is_of(CASE.c.id))
    is_past = exists().where(EVENT.c.case_id == CASE.c.id, EVENT.c.kind == "case.imported")
    rows = await session.execute(
        select(
            CASE.c.reference,
            CASE.c.kind,
            CASE.c.opened_at,
            func.coalesce(since, CASE.c.opened_at).label("since"),
            col(User.shown_name).label("worker"),
        )
        .outerjoin(User, col(User.id) == CASE.c.worker_id)
        .where(
            or_(CASE.c.reason == complaints.REASON, CASE.c.kind.in_(KINDS)),
            CASE.c.contract.in_(contracts),
            ~logged,
            ~is_past,
            *seeing.cases(actor, CASE, action="complaint.read"),
        )
        .order_by(CASE.c.opened_at)
        .limit(limit)
    )
    return rows.all()


async def find(session: AsyncSession, actor: Actor, reference: str) -> Case:
    """The case that a complaint is logged from: any that the asker may read, and for whoever reads
    complaints but no cases one that is a complaint. NotFound for all others."""
    case = await session.scalar(
        select(Case).where(
            col(Case.reference) == reference.strip().upper()[:20],
            *seeing.cases(actor, CASE, action="complaint.log"),
        )
    )
    reads = case is not None and may(actor, "case.read", case.contract)
    if case is None or not (reads or is_one(case)):
        raise NotFound("There is no such case, or it is not yours to see.")
    return case


async def filled(session: AsyncSession, contract: Contract, case: Case) -> complaints.Told:
    """What the form begins with when a case is logged: what they said last, and who they are. Whom
    it is about and what they want is left to be asked."""
    person = await session.get(Person, case.person_id)
    said = await heard.said_lately(session, case, complaints.LONGEST)
    is_data = case.kind == CaseKind.DATA_COMPLAINT
    known = {one.code for one in contract.complaints.subjects} if contract.complaints else set()
    return complaints.Told(
        kind=ComplaintKind.DATA if is_data else ComplaintKind.SERVICE,
        subject=DATA_SUBJECT if is_data and DATA_SUBJECT in known else "",
        complainant=complaints.who(contract, person),
        words=said.words,
        received_at=said.since,
        method=said.method,
        name=(person.name or "") if person else "",
        person_id=case.person_id,
    )


async def on_case(session: AsyncSession, actor: Actor, contract: Contract, case: Case) -> OnCase:
    """What the case's page says. A complaint that arose on a case is shown only to whoever reads
    complaints: its support worker, whom it may be about, learns nothing from their own case."""
    rows = await session.scalars(
        select(Complaint)
        .where(_is_of(case.id), *seeing.complaints(actor, COMPLAINT))
        .order_by(col(Complaint.id))
    )
    linked = rows.all()
    is_logged = await complaints.of_case(session, case.id or 0) is not None
    if is_one(case) and not is_logged:  # it stands there, as what it arose on
        some = select(COMPLAINT.c.id).where(_is_of(case.id)).limit(1)
        is_logged = await session.scalar(some) is not None
    has_register = contract.complaints is not None and may(actor, "complaint.log", case.contract)
    is_unlogged = has_register and is_one(case) and not is_logged
    return OnCase(is_unlogged, is_logged, linked)


def _is_of(case_id: Any) -> ColumnElement[bool]:
    """That a complaint stands in the register for this case: it is the complaint, or the complaint
    arose on it."""
    return or_(COMPLAINT.c.case_id == case_id, COMPLAINT.c.about_case_id == case_id)


async def cases_of(
    session: AsyncSession, actor: Actor, complaint: Complaint
) -> list[tuple[str, bool, bool]]:
    """The cases a complaint belongs to, but for those that the reader is shut out of: reference,
    whether the case is the complaint, whether the reader may open it."""
    rows = await session.execute(
        select(CASE.c.id, CASE.c.reference, CASE.c.contract).where(
            CASE.c.id.in_((complaint.case_id, complaint.about_case_id)),
            *seeing.cases(actor, CASE, action="complaint.log"),
        )
    )
    return [
        (row.reference, row.id == complaint.case_id, may(actor, "case.read", row.contract))
        for row in rows
    ]
