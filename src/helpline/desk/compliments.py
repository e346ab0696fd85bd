"""The register of compliments: what we are thanked for, counted beside the complaints (A67, A79).

A message that triage reads as one is written down by itself; a call or a letter by whoever took it.
Called by intake and by pages; nothing in it is ever taken away.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, seeing
from helpline.desk.complaints import LONGEST, who
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, Compliment, Contact, Person, User, metadata
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import ComplainantKind, Urgency

REASON: Final = "compliment"
COMPLIMENT = metadata.tables["compliment"]


async def hear(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    contact: Contact,
    category: str,
    urgency: str,
) -> None:
    """A calm message that says thank you is a compliment, once; about whoever supports them."""
    is_calm = Urgency(urgency).rank <= Urgency.STANDARD.rank
    if category != REASON or not is_calm or contract.complaints is None or not contact.body:
        return
    await session.flush()
    if await session.scalar(
        select(col(Compliment.id)).where(col(Compliment.contact_id) == contact.id)
    ):
        return
    person = await session.get(Person, case.person_id)
    session.add(
        Compliment(
            contract=contract.key,
            at=contact.at,
            method=contact.method,
            subject=_subject(contract, has_worker=case.worker_id is not None),
            giver=who(contract, person),
            person_id=case.person_id,
            case_id=case.id,
            contact_id=contact.id,
            about_id=case.worker_id,
            words=contact.body,
            logged_at=contact.at,
        )
    )
    await session.flush()
    await events.record(
        session, "compliment.logged", contact.at, contract=contract.key, case_id=case.id
    )


async def log(
    session: AsyncSession,
    contract: Contract,
    *,
    subject: str,
    giver: str,
    words: str,
    method: str,
    at: datetime,
    about_id: int | None,
    case: Case | None,
    by: Actor,
    now: datetime,
) -> Compliment:
    """Write down what somebody said on the telephone, in a letter or face to face."""
    require(by, "complaint.log", contract.key)
    if contract.complaints is None:
        raise InvalidInput("This contract has no register of compliments in its file.")
    if not words.strip():
        raise InvalidInput("Write down what they said.")
    if len(words) > LONGEST:
        raise InvalidInput(f"That is too long: {LONGEST:,} characters are enough.")
    if subject not in [one.code for one in contract.complaints.compliments]:
        raise InvalidInput("Choose what it was for.")
    if giver not in list(ComplainantKind):
        raise InvalidInput("Choose who said it.")
    if method not in [one.code for one in contract.methods]:
        raise InvalidInput("Choose how it came.")
    if at > now:
        raise InvalidInput("That time has not come yet: say when it came.")
    if about_id is not None and await session.get(User, about_id) is None:
        raise InvalidInput("Choose a colleague from the list.")
    found = Compliment(
        contract=contract.key,
        at=at,
        method=method,
        subject=subject,
        giver=giver,
        person_id=case.person_id if case else None,
        case_id=case.id if case else None,
        about_id=about_id,
        words=words.strip(),
        logged_at=now,
        logged_by_id=by.user_id,
    )
    session.add(found)
    await session.flush()
    await events.record(
        session, "compliment.logged", now, contract=contract.key, by=by.user_id, subject=subject
    )
    return found


async def pass_on(
    session: AsyncSession, actor: Actor, compliment_id: int, now: datetime
) -> Compliment:
    """Whoever it is about was told. Doing it twice changes nothing."""
    found = await session.scalar(
        select(Compliment).where(
            col(Compliment.id) == compliment_id, *seeing.of_somebody(actor, COMPLIMENT)
        )
    )
    if found is None:
        raise NotFound("There is no such compliment, or it is not yours to see.")
    require(actor, "complaint.log", found.contract)
    if found.about_id is None:
        raise Conflict("It is about nobody in particular.")
    if found.passed_on_at is None:
        found.passed_on_at = now
        await session.flush()
        await events.record(
            session, "compliment.passed_on", now, contract=found.contract, by=actor.user_id
        )
    return found


async def listed(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], limit: int = 100
) -> Sequence[Row[Any]]:
    """The newest compliments: the row and whom each is about. Those of a case that somebody is shut
    out of are not there for them."""
    rows = await session.execute(
        select(COMPLIMENT, col(User.shown_name).label("about"))
        .outerjoin(User, col(User.id) == COMPLIMENT.c.about_id)
        .where(COMPLIMENT.c.contract.in_(contracts), *seeing.of_somebody(actor, COMPLIMENT))
        .order_by(COMPLIMENT.c.at.desc(), COMPLIMENT.c.id.desc())
        .limit(limit)
    )
    return rows.all()


def _subject(contract: Contract, *, has_worker: bool) -> str:
    assert contract.complaints is not None
    codes = [one.code for one in contract.complaints.compliments]
    wished = "worker" if has_worker else "other"
    return wished if wished in codes else (codes[-1] if codes else "other")
