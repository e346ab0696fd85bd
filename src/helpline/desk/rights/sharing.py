"""Whom outside we told what about somebody, on which legal basis, and what we have agreed with
others about telling each other. Called by the case's page of rights and by /rights.

A line is never taken away: what was told was told. The list of legal bases is the contract's data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, seeing
from helpline.desk.holding import twin
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, Disclosure, SharingAgreement, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import KnowsOfIt, RecipientKind

CONSENT: Final = "consent"
"""The basis that asks for the person's own word."""


@dataclass(frozen=True)
class Told:
    """What was told, as the form has it. `agreement_id` None: on none."""

    recipient: str
    whom: str
    what: str
    basis: str
    person_knows: str
    told_at: datetime
    agreement_id: int | None = None


async def disclose(
    session: AsyncSession, contract: Contract, case: Case, told: Told, by: Actor, now: datetime
) -> Disclosure:
    """Write down that somebody outside was told something. Sent twice it is one line."""
    require(by, "disclosure.write", case.contract)
    if told.recipient not in list(RecipientKind):
        raise InvalidInput("Choose who was told.")
    if told.basis not in [one.code for one in contract.sharing_bases]:
        raise InvalidInput("Choose on which legal basis.")
    if told.person_knows not in list(KnowsOfIt):
        raise InvalidInput("Choose whether the person knows of it.")
    if told.basis == CONSENT and told.person_knows != KnowsOfIt.AGREED:
        raise InvalidInput("Choose another basis, unless they agreed to it.")
    if told.told_at > now:
        raise InvalidInput("That time has not come yet: say when they were told.")
    await _must_stand(session, contract, told)
    made = Disclosure(
        contract=case.contract,
        case_id=case.id or 0,
        person_id=case.person_id,
        recipient=told.recipient,
        whom=in_a_line(told.whom, 200, "Say whom you told: name and office."),
        what=in_a_line(told.what, 2000, "Say in a line what they were told."),
        basis=told.basis,
        agreement_id=told.agreement_id,
        person_knows=told.person_knows,
        told_at=told.told_at,
        written_at=now,
        by_user_id=by.user_id,
    )
    same = ("case_id", "recipient", "whom", "what", "basis")
    before = await twin(session, made, by, now, who="by_user_id", at="written_at", same=same)
    if before is not None:
        return before
    session.add(made)
    await session.flush()
    await events.record(
        session,
        "disclosure.written",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        recipient=told.recipient,
        basis=told.basis,
    )
    return made


async def _must_stand(session: AsyncSession, contract: Contract, told: Told) -> None:
    """The agreement is one of this contract's, and held on that day."""
    if told.agreement_id is None:
        return
    agreement = await session.get(SharingAgreement, told.agreement_id)
    day = contract.days.day_of(told.told_at)
    if agreement is None or agreement.contract != contract.key:
        raise InvalidInput("Choose an agreement of this contract, or none.")
    if not agreement.from_day <= day <= (agreement.ended_on or day):
        raise InvalidInput("That agreement did not hold on that day. Choose another, or none.")


async def disclosures(
    session: AsyncSession,
    actor: Actor,
    contracts: Sequence[str],
    *,
    case_id: int | None = None,
    limit: int = 200,
) -> Sequence[Row[Any]]:
    """(disclosure, case reference, by, agreement), the newest first, of cases that are theirs to
    see."""
    query: Any = (
        select(
            Disclosure,
            col(Case.reference).label("reference"),
            col(User.shown_name).label("who"),
            col(SharingAgreement.title).label("agreement"),
        )
        .join(Case, col(Case.id) == col(Disclosure.case_id))
        .join(User, col(User.id) == col(Disclosure.by_user_id))
        .outerjoin(SharingAgreement, col(SharingAgreement.id) == col(Disclosure.agreement_id))
        .where(col(Disclosure.contract).in_(contracts), *seeing.cases(actor))
        .order_by(col(Disclosure.told_at).desc(), col(Disclosure.id).desc())
        .limit(limit)
    )
    if case_id is not None:
        query = query.where(col(Disclosure.case_id) == case_id)
    return (await session.execute(query)).all()


# --- agreements -----------------------------------------------------------------------------------


async def agree(
    session: AsyncSession,
    contract: Contract,
    title: str,
    party: str,
    basis: str,
    covers: str,
    from_day: date,
    review_on: date,
    by: Actor,
    now: datetime,
) -> SharingAgreement:
    """An agreement with an organisation, and when it is looked at again."""
    require(by, "agreement.write", contract.key)
    if basis not in [one.code for one in contract.sharing_bases]:
        raise InvalidInput("Choose on which legal basis.")
    if review_on <= from_day:
        raise InvalidInput("Give a day for looking at it again that is after the first.")
    made = SharingAgreement(
        contract=contract.key,
        title=in_a_line(title, 200, "Give the agreement a name."),
        party=in_a_line(party, 200, "Say with whom: an organisation, not a person."),
        basis=basis,
        covers=in_a_line(covers, 1000, "Say what may be told, and what for."),
        from_day=from_day,
        review_on=review_on,
        made_at=now,
        by_user_id=by.user_id,
    )
    same = ("contract", "title", "party", "from_day")
    before = await twin(session, made, by, now, who="by_user_id", at="made_at", same=same)
    if before is not None:
        return before
    session.add(made)
    await session.flush()
    await _event(session, "agreement.made", made, by, now)
    return made


async def look_again(
    session: AsyncSession,
    agreement_id: int,
    review_on: date | None,
    by: Actor,
    now: datetime,
    today: date,
) -> SharingAgreement:
    """Somebody looked at it again: it holds until another day, or (None) it ends today."""
    found = await session.get(SharingAgreement, agreement_id, with_for_update=True)
    if found is None or (by.contract is not None and by.contract != found.contract):
        raise NotFound("There is no such agreement, or it is not yours to see.")
    require(by, "agreement.write", found.contract)
    if found.ended_on is not None:
        raise Conflict("It has ended. Write down the new one.")
    if review_on is None:
        found.ended_on = today
    elif review_on <= today:
        raise InvalidInput("Give a day still to come on which it is looked at again.")
    else:
        found.review_on = review_on
    await session.flush()
    kind = "agreement.ended" if review_on is None else "agreement.looked_at"
    await _event(session, kind, found, by, now)
    return found


async def agreements(
    session: AsyncSession, contracts: Sequence[str], *, only_open: bool = False
) -> Sequence[SharingAgreement]:
    """What is to be looked at again first; those that ended last."""
    query = (
        select(SharingAgreement)
        .where(col(SharingAgreement.contract).in_(contracts))
        .order_by(col(SharingAgreement.ended_on).is_not(None), col(SharingAgreement.review_on))
    )
    if only_open:
        query = query.where(col(SharingAgreement.ended_on).is_(None))
    return (await session.scalars(query)).all()


async def _event(
    session: AsyncSession, kind: str, found: SharingAgreement, by: Actor, now: datetime
) -> None:
    await events.record(
        session, kind, now, contract=found.contract, by=by.user_id, agreement=found.id
    )
