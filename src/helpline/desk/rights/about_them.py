"""What is kept about a person besides their cases, as facts in words: who they are to us, what they
agreed to and were told, what they said of us, whom else we told; and the names of others that may
stand in their record. Read only; called by desk/rights/passages.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import safety
from helpline.models import (
    Address,
    Complaint,
    Compliment,
    DataRequest,
    Disclosure,
    FeedbackAsk,
    Membership,
    Need,
    NewsConsent,
    Part,
    Person,
    PersonEntitlement,
    PolicyProof,
    PrivacyTold,
)
from helpline.vocabulary import UNKNOWN


@dataclass(frozen=True)
class Fact:
    """One thing that is kept: when, what it is, and what it says."""

    at: datetime | date | None
    head: str
    text: str
    by: str = ""


async def facts(session: AsyncSession, contract: Contract, person: Person) -> list[Fact]:
    """Name, group, ways to reach them, memberships, what they need and are covered for."""
    groups = {one.code: one.name for one in contract.groups}
    covers = {one.code: one.name for one in contract.entitlements}
    found = [
        Fact(person.created_at, "Name", person.name or "not known"),
        Fact(None, "Who you are", groups.get(person.group, _plain(person.group))),
        Fact(None, "Language", person.language),
    ]
    for head, text in (
        ("Number on the council's list", person.register_id),
        ("Household", person.household),
        ("Birthday of the young person you cared for", person.young_person_born),
        ("Approved by somebody else", person.approved_by),
    ):
        if text:
            found.append(Fact(None, head, text))
    for one in await _of(session, Address, person):
        stopped = ", not to be written to" if one.opted_out_at else ""
        found.append(Fact(None, "Way to reach you", f"{_plain(one.channel)}: {one.value}{stopped}"))
    rules = await safety.rules_of(session, person.id or 0)
    asked = [f"{_plain(name)}: {value}" for name, value in vars(rules).items() if value]
    if asked:
        found.append(Fact(None, "How you may safely be reached", "\n".join(asked)))
    for one in await _of(session, Membership, person):
        spans = f"approved {day_words(one.approved_from)} to {day_words(one.approved_to) or 'now'}"
        home = f", home {one.postcode}" if one.postcode else ""
        places = [_plain(code) for code in (one.team, one.quadrant) if code != UNKNOWN]
        text = ", ".join([groups.get(one.group, _plain(one.group)), *places, spans + home])
        found.append(Fact(one.held_from, "Membership", text))
    for one in await _of(session, Need, person):
        ended = f", until {day_words(one.ended_at)}" if one.ended_at else ""
        said = f"{_plain(one.kind)}: {one.detail or ''}{ended}"
        found.append(Fact(one.since, "What you need", said))
    for one in await _of(session, PersonEntitlement, person):
        name = covers.get(one.code, one.code)
        spans = f"from {day_words(one.valid_from)} to {day_words(one.valid_to) or 'further notice'}"
        found.append(Fact(one.valid_from, "Covered for", f"{name}, {spans} {one.policy or ''}"))
    return found


async def agreed(session: AsyncSession, person: Person) -> list[Fact]:
    """Consents and proofs, oldest first."""
    found = [
        Fact(
            one.at,
            "News",
            f"{'agreed to' if one.is_given else 'refused'} by {_plain(one.channel)}",
        )
        for one in await _of(session, NewsConsent, person)
    ]
    for one in await _of(session, PrivacyTold, person):
        text = f"What is kept, by {_plain(one.channel)}, in the words of version {one.version}"
        found.append(Fact(one.at, "You were told", text))
    for one in await _of(session, PolicyProof, person):
        text = f"{_plain(one.document)}, by {_plain(one.how)}"
        found.append(Fact(one.at, "You were given", text))
    return found


async def said_of_us(session: AsyncSession, contract: Contract, person: Person) -> list[Fact]:
    """Complaints they made, thanks, what they answered when asked, what else they requested."""
    found = []
    for one in await _of(session, Complaint, person):
        wish = f"\nYou wished: {one.wish}" if one.wish else ""
        ended = f"\nOutcome: {_plain(one.outcome)}" if one.outcome else ""
        found.append(
            Fact(one.received_at, f"Complaint {one.reference}", f"{one.words}{wish}{ended}")
        )
    thanks = await _of(session, Compliment, person)
    found += [Fact(one.at, "Thanks", one.words) for one in thanks]
    for one in await _of(session, FeedbackAsk, person):
        if one.score is not None or one.comment:
            text = f"{one.score or 'no'} of 5. {one.comment or ''}".strip()
            found.append(Fact(one.answered_at, "How it was", text))
    for one in await _of(session, DataRequest, person):
        text = f"{_plain(one.kind)}: {one.words}"
        found.append(Fact(one.received_at, f"Request {one.reference}", text))
    return found


async def told_others(session: AsyncSession, contract: Contract, person: Person) -> list[Fact]:
    """Whom outside we told what, and on which legal basis."""
    bases = {one.code: one.name for one in contract.sharing_bases}
    return [
        Fact(
            one.told_at,
            f"Told to {one.whom}",
            f"{one.what}\nBecause: {bases.get(one.basis, _plain(one.basis))}",
        )
        for one in await _of(session, Disclosure, person)
    ]


async def names_of_others(
    session: AsyncSession, person: Person, case_ids: Sequence[int]
) -> set[str]:
    """Of the household, of whoever has a part in their cases. Our own people stand in a record by
    their work and are shown."""
    in_parts = select(col(Part.person_id)).where(col(Part.case_id).in_(case_ids))
    lives_there = (
        col(Person.household_index) == person.household_index
        if person.household_index
        else col(Person.id).in_([])
    )
    names = await session.scalars(
        select(col(Person.name)).where(
            col(Person.contract) == person.contract,
            col(Person.id) != person.id,
            col(Person.id).in_(in_parts) | lives_there,
        )
    )
    return {name for name in names if name}


async def _of(session: AsyncSession, table: Any, person: Person) -> Sequence[Any]:
    rows = await session.scalars(
        select(table).where(table.person_id == person.id).order_by(table.id)
    )
    return rows.all()


def day_words(at: datetime | date | None) -> str:
    """ "3 November 2026"; empty for none."""
    return f"{at.day} {at:%B %Y}" if at else ""


def _plain(code: str) -> str:
    return code.replace("_", " ")
