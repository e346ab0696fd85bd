"""What the acts of the council's page share: whose side somebody is on, words that both may read,
one row of a contract, the threads, and the line in our calendar for what the council waits for.

Called by review_actions, figure_threads and measure_proposals. Whatever is written there is read by
the council and by us: nothing in it may point to a person.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import obligations
from helpline.desk.holding import Row, twin
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import ObligationDue, PortalMessage, User
from helpline.rules.permissions import Actor, may
from helpline.vocabulary import Role, Side

LONGEST: Final = 2_000
LONGEST_LINE: Final = 300
POINTS_TO_SOMEBODY: Final = re.compile(
    r"\b[A-Z]{1,4}-[0-9A-Z]{6}\b"  # a reference of ours
    r"|\b[A-Za-z]{1,4}-(?=[0-9A-Za-z]{0,5}\d)[0-9A-Za-z]{6}\b"  # the same, in small letters
    r"|\S@\S"
    r"|(?:\d[\s().-]{0,2}){8}\d"  # as many digits as a telephone number has
)
NO_POINTERS: Final = (
    "This looks like a case reference, a telephone number or an e-mail address. Nothing about a "
    "person may be asked for or given here: leave it out."
)


@dataclass(frozen=True)
class Message:
    """One message of a thread."""

    side: str
    who: str
    text: str
    at: datetime


def side_of(by: Actor) -> Side:
    return Side.COUNCIL if by.role is Role.COMMISSIONER else Side.PROVIDER


def other(side: str) -> Side:
    return Side.PROVIDER if side == Side.COUNCIL else Side.COUNCIL


def in_words(text: str, missing: str = "", longest: int = LONGEST) -> str:
    """What both sides may read; its paragraphs each a line. InvalidInput where it points to
    somebody, is too long, or is missing."""
    lines = (" ".join(line.split()) for line in text.replace("\0", "").splitlines())
    said = "\n".join(line for line in lines if line)
    in_a_line(said, longest, missing)
    if POINTS_TO_SOMEBODY.search(said):
        raise InvalidInput(NO_POINTERS)
    return said


def in_one_line(text: str, missing: str = "", longest: int = LONGEST_LINE) -> str:
    """The same without paragraphs."""
    return " ".join(in_words(text, missing, longest).split())


def today_of(contract: Contract, now: datetime) -> date:
    return now.astimezone(ZoneInfo(contract.zone)).date()


async def found(
    session: AsyncSession,
    kind: type[Row],
    row_id: int,
    contract: Contract,
    by: Actor,
    action: str,
    *,
    hold: bool = True,
) -> Row:
    """One row of this contract, held for this transaction; NotFound for what is another's, and for
    whoever may not do `action`."""
    row = await session.get(kind, row_id, with_for_update=hold, populate_existing=hold)
    is_here = row is not None and getattr(row, "contract", None) == contract.key
    if row is None or not is_here or not may(by, action, contract.key):
        raise NotFound("There is nothing at this address, or it is not yours to see.")
    return row


# --- threads -------------------------------------------------------------------------------------


async def write(
    session: AsyncSession,
    text: str,
    by: Actor,
    now: datetime,
    *,
    question: int | None = None,
    proposal: int | None = None,
) -> bool:
    """One more message in the thread of a question or a proposal; False where it is there already
    because it was sent twice."""
    made = PortalMessage(
        question_id=question,
        proposal_id=proposal,
        side=side_of(by),
        text=text,
        at=now,
        by_user_id=by.user_id,
    )
    same = ("question_id", "proposal_id", "text")
    if await twin(session, made, by, now, who="by_user_id", at="at", same=same):
        return False
    session.add(made)
    await session.flush()
    return True


async def thread(
    session: AsyncSession, *, question: int | None = None, proposal: int | None = None
) -> list[Message]:
    """The messages of one question or one proposal, the first first."""
    rows = await session.execute(
        select(PortalMessage, col(User.shown_name))
        .join(User, col(User.id) == col(PortalMessage.by_user_id))
        .where(
            col(PortalMessage.question_id) == question
            if question is not None
            else col(PortalMessage.proposal_id) == proposal
        )
        .order_by(col(PortalMessage.id))
    )
    return [Message(one.side, who, one.text, one.at) for one, who in rows]


# --- the line in our calendar --------------------------------------------------------------------


async def settle(
    session: AsyncSession,
    contract: Contract,
    obligation_id: int | None,
    proof: str,
    by: Actor,
    now: datetime,
) -> None:
    """What the council waited for was done: its line in our calendar is, too."""
    found = await session.get(ObligationDue, obligation_id or 0, with_for_update=True)
    if found is None or found.done_at is not None or found.dropped_at is not None:
        return
    found.proof, found.done_on, found.done_at = proof, today_of(contract, now), now
    found.done_by_id, found.next_alert_at = by.user_id, None
    await session.flush()
    await obligations.hush(session, found, now)
