"""Holds: why nothing of a case, or of a person at all, is erased for now, and when somebody looks
at that again. It holds until somebody ends it. Called by the pages of rights.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import events, seeing
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, LegalHold, Person, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import HoldKind


async def begin(
    session: AsyncSession,
    case: Case,
    kind: str,
    reason: str,
    review_on: date,
    whole_person: bool,
    by: Actor,
    now: datetime,
) -> LegalHold:
    """Nothing of this case (or of its person at all) is erased until somebody ends it."""
    require(by, "retention.work", case.contract)
    if kind not in list(HoldKind):
        raise InvalidInput("Choose why it must be kept.")
    said = in_a_line(reason, 1000, "Say why it must be kept, and who asked for it.")
    if review_on <= now.date():
        raise InvalidInput("Give a day still to come on which somebody looks again.")
    made = LegalHold(
        contract=case.contract,
        person_id=case.person_id,
        case_id=None if whole_person else case.id,
        kind=kind,
        reason=said,
        review_on=review_on,
        since=now,
        by_user_id=by.user_id,
    )
    session.add(made)
    await session.flush()
    await _event(session, "hold.begun", made, by, now)
    return made


async def end(session: AsyncSession, hold_id: int, why: str, by: Actor, now: datetime) -> LegalHold:
    """It need not be kept any longer, and why. The next list may have it."""
    require(by, "retention.work")
    found = await session.get(LegalHold, hold_id, with_for_update=True)
    seen = found is not None and await session.scalar(
        select(col(Person.id)).where(col(Person.id) == found.person_id, *seeing.people(by))
    )
    if found is None or not seen:
        raise NotFound("There is no such hold, or it is not yours to see.")
    require(by, "retention.work", found.contract)
    if found.ended_at is not None:
        raise Conflict("It has ended already.")
    found.ended_why = in_a_line(why, 1000, "Say why it need not be kept any longer.")
    found.ended_at, found.ended_by_id = now, by.user_id
    await session.flush()
    await _event(session, "hold.ended", found, by, now)
    return found


async def standing(
    session: AsyncSession,
    actor: Actor,
    contracts: Sequence[str],
    *,
    person_id: int | None = None,
) -> Sequence[Row[Any]]:
    """(hold, name, case reference, by) of what stands: what is to be looked at again first."""
    query: Any = (
        select(
            LegalHold,
            col(Person.name).label("name"),
            col(Case.reference).label("reference"),
            col(User.shown_name).label("who"),
        )
        .join(Person, col(Person.id) == col(LegalHold.person_id))
        .join(User, col(User.id) == col(LegalHold.by_user_id))
        .outerjoin(Case, col(Case.id) == col(LegalHold.case_id))
        .where(
            col(LegalHold.ended_at).is_(None),
            col(LegalHold.contract).in_(contracts),
            *seeing.people(actor),
        )
        .order_by(col(LegalHold.review_on))
    )
    if person_id is not None:
        query = query.where(col(LegalHold.person_id) == person_id)
    return (await session.execute(query)).all()


async def _event(
    session: AsyncSession, kind: str, found: LegalHold, by: Actor, now: datetime
) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=found.contract,
        by=by.user_id,
        hold=found.id,
        why=found.kind,
    )
