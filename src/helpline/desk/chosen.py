"""Whom a piece of news is for: groups, quadrants, teams, needs and languages, and the people of the
register who fit them today. Called by desk/news; whether each of them gets it is asked elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.errors import InvalidInput
from helpline.models import Case, Membership, Need, News, Person
from helpline.vocabulary import UNKNOWN

_CAME = exists().where(col(Case.person_id) == col(Person.id))


@dataclass(frozen=True)
class Choice:
    """Whom it is for: the contract's codes; each empty one means everybody."""

    groups: Sequence[str] = ()
    quadrants: Sequence[str] = ()
    teams: Sequence[str] = ()
    needs: Sequence[str] = ()
    languages: Sequence[str] = ()
    never_came: bool = False
    """Only those of them who have never come to us (A22)."""


def of(news: News) -> Choice:
    """Whom it is for, as it was chosen."""
    return Choice(
        groups=_codes(news.groups),
        quadrants=_codes(news.quadrants),
        teams=_codes(news.teams),
        needs=_codes(news.needs),
        languages=_codes(news.languages),
        never_came=news.never_came,
    )


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code for code in text.split(",") if code)


def check(contract: Contract, choice: Choice) -> None:
    """InvalidInput for a code that the contract does not have."""
    known = (
        (choice.groups, {one.code for one in contract.groups}),
        (choice.quadrants, {one.code for one in contract.quadrants} | {UNKNOWN}),
        (choice.teams, {one.code for one in contract.teams}),
    )
    if any(set(chosen) - codes for chosen, codes in known):
        raise InvalidInput("Choose whom it is for from the lists.")


async def people(
    session: AsyncSession, contract: Contract, choice: Choice, now: datetime
) -> list[int]:
    """The people of the register who fit the choice today. Whoever has left is not among them."""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    holds = and_(
        or_(col(Membership.approved_from).is_(None), col(Membership.approved_from) <= today),
        or_(col(Membership.approved_to).is_(None), col(Membership.approved_to) >= today),
        or_(col(Membership.held_to).is_(None), col(Membership.held_to) >= today),
    )
    any_membership = select(col(Membership.person_id)).where(
        col(Membership.contract) == contract.key
    )
    query = (
        select(col(Person.id))
        .outerjoin(Membership, (col(Membership.person_id) == col(Person.id)) & holds)
        .where(
            col(Person.contract) == contract.key,
            col(Person.group) != UNKNOWN,
            or_(col(Membership.id).is_not(None), col(Person.id).not_in(any_membership)),
        )
        .distinct()
        .order_by(col(Person.id))
    )
    if choice.groups:
        query = query.where(
            func.coalesce(col(Membership.group), col(Person.group)).in_(choice.groups)
        )
    if choice.quadrants:
        query = query.where(col(Membership.quadrant).in_(choice.quadrants))
    if choice.teams:
        query = query.where(col(Membership.team).in_(choice.teams))
    if choice.languages:
        query = query.where(col(Person.language).in_(choice.languages))
    if choice.needs:
        needing = select(col(Need.person_id)).where(
            col(Need.kind).in_(choice.needs), col(Need.ended_at).is_(None)
        )
        query = query.where(col(Person.id).in_(needing))
    if choice.never_came:
        query = query.where(~_CAME)
    return [person_id for person_id in await session.scalars(query) if person_id]


async def reach(session: AsyncSession, contract: Contract, now: datetime) -> tuple[int, int]:
    """How many people are on the register today, and how many of them have ever come to us."""
    listed = await people(session, contract, Choice(), now)
    never = await people(session, contract, Choice(never_came=True), now)
    return len(listed), len(listed) - len(never)
