"""What people were given of the library: sent with a reply, said or handed over, and whether they
went where they were pointed to. Logged with the very version and the case, counted for the report's
evidence of signposting (A71). Called by the pages of a case and by reports.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import events
from helpline.errors import InvalidInput, NotFound
from helpline.models import Case, Contact, LibraryItem, LibraryUse, LibraryVersion, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import LibraryKind, TakenUp, UseHow

ENOUGH = 0.5
"""The share of an item's words that must stand in a reply for it to have been sent with it."""
WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True)
class Given:
    """One thing somebody was given, as the case shows it."""

    id: int
    kind: str
    title: str
    number: int
    version_id: int
    how: str
    taken_up: str
    at: datetime
    by: str


async def log_sent(
    session: AsyncSession,
    case: Case,
    contact: Contact,
    text: str,
    version_ids: Sequence[int],
    by: Actor,
    now: datetime,
) -> int:
    """Log which of the versions that were put into a reply are still in it. Returns how many."""
    logged = 0
    for version_id in dict.fromkeys(version_ids[:10]):
        found = await _of_contract(session, case.contract, version_id)
        if found is not None and is_in(found[1].body, text):
            await _log(session, case, found, UseHow.SENT, contact.id, by, now)
            logged += 1
    return logged


async def log_given(
    session: AsyncSession, case: Case, version_id: int, how: str, by: Actor, now: datetime
) -> None:
    """They were told it, or handed it on paper."""
    require(by, "case.reply", case.contract)
    if how not in (UseHow.SAID, UseHow.HANDED):
        raise InvalidInput("Say whether you told them or handed it over.")
    found = await _of_contract(session, case.contract, version_id)
    if found is None:
        raise InvalidInput("Choose something of the library.")
    await _log(session, case, found, how, None, by, now)


async def note_taken_up(
    session: AsyncSession, case: Case, use_id: int, answer: str, by: Actor, now: datetime
) -> None:
    """They said whether they went where they were pointed to."""
    require(by, "case.reply", case.contract)
    found = await session.get(LibraryUse, use_id, with_for_update=True)
    if found is None or found.case_id != case.id:
        raise NotFound("There is no such thing on this case.")
    if answer not in list(TakenUp):
        raise InvalidInput("Say yes, no or not asked yet.")
    found.taken_up, found.asked_at = answer, now
    await session.flush()
    await events.record(
        session,
        "library.taken_up",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        item=found.item_id,
        answer=answer,
    )


async def on_case(session: AsyncSession, case_id: int) -> list[Given]:
    """The newest first."""
    rows = await session.execute(
        select(LibraryUse, LibraryItem, LibraryVersion, col(User.shown_name))
        .join(LibraryItem, col(LibraryItem.id) == col(LibraryUse.item_id))
        .join(LibraryVersion, col(LibraryVersion.id) == col(LibraryUse.version_id))
        .join(User, col(User.id) == col(LibraryUse.by_user_id))
        .where(col(LibraryUse.case_id) == case_id)
        .order_by(col(LibraryUse.id).desc())
    )
    return [
        Given(
            id=use.id or 0,
            kind=item.kind,
            title=words.title,
            number=words.number,
            version_id=words.id or 0,
            how=use.how,
            taken_up=use.taken_up,
            at=use.at,
            by=name,
        )
        for use, item, words, name in rows
    ]


async def times_given(session: AsyncSession, item_id: int) -> tuple[int, int]:
    """How often an item was given, and to how many people."""
    row = (
        await session.execute(
            select(func.count(), func.count(func.distinct(col(LibraryUse.person_id)))).where(
                col(LibraryUse.item_id) == item_id
            )
        )
    ).one()
    return row[0], row[1]


async def figures(
    session: AsyncSession, contract: str, start: datetime, end: datetime
) -> dict[str, int]:
    """For a report, from `start` to before `end` (aware UTC): how often something of each kind was
    given ("answer", "signpost", …), "signpost.yes" and "signpost.no" (went there, or not), and
    "people": how many different people were given anything (A44, A45, A71), and
    "people.allegation" those told about support after an allegation (A72)."""
    within = (
        col(LibraryUse.contract) == contract,
        col(LibraryUse.at) >= start,
        col(LibraryUse.at) < end,
    )
    rows = await session.execute(
        select(col(LibraryItem.kind), col(LibraryUse.taken_up), func.count())
        .join(LibraryItem, col(LibraryItem.id) == col(LibraryUse.item_id))
        .where(*within)
        .group_by(col(LibraryItem.kind), col(LibraryUse.taken_up))
    )
    found: dict[str, int] = dict.fromkeys(LibraryKind, 0) | {
        "signpost.yes": 0,
        "signpost.no": 0,
    }
    for kind, taken_up, number in rows:
        found[kind] += number
        if kind == LibraryKind.SIGNPOST and taken_up in (TakenUp.YES, TakenUp.NO):
            found[f"signpost.{taken_up}"] += number
    people = select(func.count(func.distinct(col(LibraryUse.person_id)))).where(*within)
    about = people.join(LibraryItem, col(LibraryItem.id) == col(LibraryUse.item_id)).where(
        col(LibraryItem.topic) == "allegation"
    )
    return found | {
        "people": await session.scalar(people) or 0,
        "people.allegation": await session.scalar(about) or 0,
    }


def is_in(body: str, text: str) -> bool:
    """Whether at least half of the longer words of `body` stand in `text`: it may have been put
    into other words, or taken out again."""
    words = set(WORD.findall(body.lower()))
    there = set(WORD.findall(text.lower()))
    return len(words & there) >= ENOUGH * len(words) if words else body.strip() in text


async def _of_contract(
    session: AsyncSession, contract: str, version_id: int
) -> tuple[LibraryItem, LibraryVersion] | None:
    row = (
        await session.execute(
            select(LibraryItem, LibraryVersion)
            .join(LibraryVersion, col(LibraryVersion.item_id) == col(LibraryItem.id))
            .where(col(LibraryVersion.id) == version_id, col(LibraryItem.contract) == contract)
        )
    ).first()
    return (row[0], row[1]) if row is not None else None


async def _log(
    session: AsyncSession,
    case: Case,
    found: tuple[LibraryItem, LibraryVersion],
    how: str,
    contact_id: int | None,
    by: Actor,
    now: datetime,
) -> None:
    item, words = found
    assert case.id is not None
    session.add(
        LibraryUse(
            contract=case.contract,
            item_id=item.id or 0,
            version_id=words.id or 0,
            case_id=case.id,
            person_id=case.person_id,
            contact_id=contact_id,
            how=how,
            at=now,
            by_user_id=by.user_id,
        )
    )
    await session.flush()
    await events.record(
        session,
        "library.given",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        item=item.id,
        version=words.id,
        how=how,
    )
