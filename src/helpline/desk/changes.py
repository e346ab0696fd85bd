"""You said, we did: what people said, what came of it and when, in one page that the council may
read (P25, A70, N11).

A change is ours until somebody shows it; nothing in it says whose words they were. A quotation is
read by the council only while whoever wrote it agrees. Called by web/pages/changes.py.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import complaints, events, seeing
from helpline.desk.holding import twin
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Complaint,
    ComplaintEntry,
    FeedbackAsk,
    GroupIssue,
    Person,
    SaidAndDone,
    User,
    metadata,
)
from helpline.rules import complaints as rules
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import ChangeSource, EntryKind

ASK: Final = metadata.tables["feedback_ask"]
CASE: Final = metadata.tables["case"]
COMPLAINT: Final = metadata.tables["complaint"]
LONGEST: Final = 500
POINTS_TO_SOMEBODY: Final = re.compile(r"[A-Z]{1,4}-[0-9A-Z]{6}\b|\S@\S|\d[\d ]{6,}\d")
"""A reference, an address or a number: nothing of that kind belongs in words for the council."""

SAME: Final = (
    *("contract", "said", "done", "source", "said_on", "done_on"),
    *("complaint_id", "issue_id", "quote_ask_id", "taken_back_at"),
)
"""What is alike in a change that was sent twice."""
NO_POINTERS: Final = (
    "The council reads this: leave out references, telephone numbers and e-mail addresses."
)


@dataclass(frozen=True)
class Typed:
    """A change as somebody typed it. `complaint`: a reference, or none; `issue`, `ask`: the id of
    what a group raised, and of an answer with an agreed quotation; `done_on` None: decided only."""

    said: str
    done: str
    source: str
    said_on: date | None
    done_on: date | None
    complaint: str = ""
    issue: int | None = None
    ask: int | None = None


@dataclass(frozen=True)
class Change:
    """One change as a page shows it. `complaint`: its reference, for whoever may see it; `quote`:
    only while it is agreed."""

    id: int
    said: str
    done: str
    source: str
    said_on: date | None
    done_on: date | None
    quote: str
    complaint: str
    shown_at: datetime | None
    who: str


async def add(
    session: AsyncSession, contract: Contract, typed: Typed, by: Actor, now: datetime
) -> SaidAndDone:
    """Write a change down. It is not shown to the council yet. Sent twice it is one."""
    require(by, "change.work", contract.key)
    said = in_a_line(typed.said, LONGEST, "Write what people said.")
    done = in_a_line(typed.done, LONGEST, "Write what was done about it.")
    if typed.source not in list(ChangeSource):
        raise InvalidInput("Choose where it was said.")
    _days(contract, typed, now)
    complaint = await _complaint(session, contract, typed, by)
    issue = await _issue(session, contract, typed)
    ask = await _ask(session, contract, typed, by)
    await _names_nobody(session, f"{said} {done}", complaint, ask)
    change = SaidAndDone(
        contract=contract.key,
        at=now,
        said=said,
        done=done,
        source=typed.source,
        said_on=typed.said_on,
        done_on=typed.done_on,
        complaint_id=complaint.id if complaint else None,
        issue_id=issue.id if issue else None,
        quote_ask_id=ask.id if ask else None,
        by_user_id=by.user_id,
    )
    before = await twin(session, change, by, now, who="by_user_id", at="at", same=SAME)
    if before is not None:
        return before
    session.add(change)
    await session.flush()
    await events.record(
        session,
        "feedback.said_and_done",
        now,
        contract=contract.key,
        by=by.user_id,
        change=change.id,
        source=typed.source,
    )
    return change


async def show(session: AsyncSession, change_id: int, by: Actor, now: datetime) -> None:
    """The council may read it from now on. Doing it twice changes nothing."""
    change = await _mine(session, change_id, by)
    if POINTS_TO_SOMEBODY.search(f"{change.said} {change.done}"):
        raise Conflict(NO_POINTERS)
    if change.shown_at is None:
        change.shown_at, change.shown_by_id = now, by.user_id
        await _event(session, "change.shown", change, by, now)


async def keep_back(session: AsyncSession, change_id: int, by: Actor, now: datetime) -> None:
    """The council does not read it any more."""
    change = await _mine(session, change_id, by)
    if change.shown_at is not None:
        change.shown_at = change.shown_by_id = None
        await _event(session, "change.kept_back", change, by, now)


async def take_back(session: AsyncSession, change_id: int, by: Actor, now: datetime) -> None:
    """It was wrong: nobody reads it any more; the row and who took it back stay."""
    change = await _mine(session, change_id, by)
    change.taken_back_at, change.taken_back_by_id, change.shown_at = now, by.user_id, None
    await _event(session, "change.taken_back", change, by, now)


async def listed(
    session: AsyncSession, actor: Actor, contract: Contract, *, shown: bool, limit: int = 200
) -> list[Change]:
    """Changes that the council may read, or (`shown` False) those that are ours alone; the newest
    first. Which complaint one came of is said only to whoever may see that complaint."""
    seen = (COMPLAINT.c.id == col(SaidAndDone.complaint_id),)
    rows = await session.execute(
        select(
            SaidAndDone,
            ASK.c.quote,
            ASK.c.quote_agreed_on,
            COMPLAINT.c.reference,
            col(User.shown_name),
        )
        .join(User, col(User.id) == col(SaidAndDone.by_user_id))
        .outerjoin(ASK, ASK.c.id == col(SaidAndDone.quote_ask_id))
        .outerjoin(COMPLAINT, and_(*seen, *seeing.complaints(actor, COMPLAINT)))
        .where(
            col(SaidAndDone.contract) == contract.key,
            col(SaidAndDone.taken_back_at).is_(None),
            col(SaidAndDone.shown_at).is_not(None)
            if shown
            else col(SaidAndDone.shown_at).is_(None),
        )
        .order_by(col(SaidAndDone.done_on).desc().nulls_first(), col(SaidAndDone.id).desc())
        .limit(limit)
    )
    return [
        Change(
            id=row.id or 0,
            said=row.said,
            done=row.done,
            source=row.source or ChangeSource.OTHER,
            said_on=row.said_on,
            done_on=row.done_on,
            quote=(quote or "") if agreed_on else "",
            complaint=reference or "",
            shown_at=row.shown_at,
            who=who,
        )
        for row, quote, agreed_on, reference, who in rows
    ]


async def quotable(
    session: AsyncSession, actor: Actor, contract: Contract, limit: int = 50
) -> list[tuple[int, str]]:
    """Quotations that the council may read because whoever wrote them said so: id and words."""
    rows = await session.execute(
        select(ASK.c.id, ASK.c.quote)
        .outerjoin(CASE, CASE.c.id == ASK.c.case_id)
        .where(*_agreed(actor, contract))
        .order_by(ASK.c.quoted_at.desc())
        .limit(limit)
    )
    return [(row.id, row.quote) for row in rows]


async def learnt_from(session: AsyncSession, complaint: Complaint) -> str:
    """The last words on what was learnt from a complaint; nothing where there are none."""
    return (
        await session.scalar(
            select(col(ComplaintEntry.words))
            .where(
                col(ComplaintEntry.complaint_id) == complaint.id,
                col(ComplaintEntry.kind) == EntryKind.LEARNING,
            )
            .order_by(col(ComplaintEntry.id).desc())
            .limit(1)
        )
        or ""
    )


# --- what is looked at first ---------------------------------------------------------------------


def _days(contract: Contract, typed: Typed, now: datetime) -> None:
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    if typed.said_on is None:
        raise InvalidInput("Give the day on which it was said, as near as you know.")
    if typed.said_on > today:
        raise InvalidInput("It was said on a day that has not come: look at the day again.")
    if typed.done_on is None:
        return
    if typed.done_on > today:
        raise InvalidInput("It was done on a day that has not come: leave it empty until it is.")
    if typed.done_on < typed.said_on:
        raise InvalidInput("It was done before it was said: look at the days again.")


async def _complaint(
    session: AsyncSession, contract: Contract, typed: Typed, by: Actor
) -> Complaint | None:
    if not typed.complaint.strip():
        return None
    try:
        found = await complaints.find(session, by, typed.complaint[:20])
    except NotFound as error:
        raise InvalidInput("There is no such complaint, or it is not yours to see.") from error
    if found.contract != contract.key:
        raise InvalidInput("There is no such complaint under this contract.")
    return found


async def _issue(session: AsyncSession, contract: Contract, typed: Typed) -> GroupIssue | None:
    if typed.issue is None:
        return None
    found = await session.get(GroupIssue, typed.issue)
    if found is None or found.contract != contract.key or found.taken_back_at is not None:
        raise InvalidInput("There is nothing of that kind that a group raised.")
    return found


async def _ask(
    session: AsyncSession, contract: Contract, typed: Typed, by: Actor
) -> FeedbackAsk | None:
    if typed.ask is None:
        return None
    found = await session.scalar(
        select(FeedbackAsk).where(
            col(FeedbackAsk.id).in_(
                select(ASK.c.id)
                .outerjoin(CASE, CASE.c.id == ASK.c.case_id)
                .where(ASK.c.id == typed.ask, *_agreed(by, contract))
            )
        )
    )
    if found is None:
        raise InvalidInput("Choose a quotation from the list: only agreed ones are shown.")
    return found


def _agreed(actor: Actor, contract: Contract) -> tuple[Any, ...]:
    return (
        ASK.c.contract == contract.key,
        ASK.c.quote.is_not(None),
        ASK.c.quote_agreed_on.is_not(None),
        ASK.c.case_id.is_(None) | and_(*seeing.not_shut_out(actor.user_id, CASE)),
    )


async def _names_nobody(
    session: AsyncSession, text: str, complaint: Complaint | None, ask: FeedbackAsk | None
) -> None:
    """InvalidInput for words that point to somebody, or that hold the name of whoever said it."""
    if POINTS_TO_SOMEBODY.search(text):
        raise InvalidInput(NO_POINTERS)
    people = [one.person_id for one in (complaint, ask) if one is not None and one.person_id]
    named = await session.scalars(select(Person).where(col(Person.id).in_(people or [0])))
    names = [*(one.name or "" for one in named), (complaint and complaint.name) or ""]
    if any(rules.names_person(text, name) for name in names):
        raise InvalidInput("The council reads this: leave out the name of whoever said it.")


async def _mine(session: AsyncSession, change_id: int, by: Actor) -> SaidAndDone:
    found = await session.get(SaidAndDone, change_id, with_for_update=True)
    if found is None or found.taken_back_at is not None:
        raise NotFound("There is no such change.")
    if by.contract not in (None, found.contract):
        raise NotFound("There is no such change.")
    require(by, "change.work", found.contract)
    return found


async def _event(
    session: AsyncSession, kind: str, change: SaidAndDone, by: Actor, now: datetime
) -> None:
    await session.flush()
    await events.record(
        session, kind, now, contract=change.contract, by=by.user_id, change=change.id
    )
