"""A calendar address for each person: secret, revocable, and only their own shifts in it.

Called by the console (which shows an address once) and by the calendar programs that fetch it.
Only the hash of the secret is stored; there is nothing of any case in a feed.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.desk.access import token_hash
from helpline.errors import NotFound
from helpline.models import CalendarFeed, Shift, User
from helpline.rules.ical import Entry, calendar
from helpline.vocabulary import ShiftKind

BACK = timedelta(days=31)
WORDS = {
    ShiftKind.PRIMARY: "On call, first",
    ShiftKind.BACKUP: "On call, backup",
    ShiftKind.MANAGER: "On call, in charge",
}


async def make(session: AsyncSession, user_id: int, now: datetime) -> str:
    """A new secret for this person's calendar; the one before stops working."""
    await revoke(session, user_id, now)
    secret = secrets.token_urlsafe(32)
    session.add(CalendarFeed(user_id=user_id, token_hash=token_hash(secret), made_at=now))
    await session.flush()
    await events.record(session, "calendar.made", now, by=user_id)
    return secret


async def revoke(session: AsyncSession, user_id: int, now: datetime) -> None:
    """From now on the address answers nobody."""
    await session.execute(
        update(CalendarFeed)
        .where(col(CalendarFeed.user_id) == user_id, col(CalendarFeed.revoked_at).is_(None))
        .values(revoked_at=now)
    )
    await events.record(session, "calendar.revoked", now, by=user_id)


async def made_at(session: AsyncSession, user_id: int) -> datetime | None:
    """Since when this person has an address; None when they have none."""
    found: datetime | None = await session.scalar(
        select(col(CalendarFeed.made_at)).where(
            col(CalendarFeed.user_id) == user_id, col(CalendarFeed.revoked_at).is_(None)
        )
    )
    return found


async def of_secret(
    session: AsyncSession, contracts: Mapping[str, Contract], secret: str, now: datetime
) -> str:
    """The calendar behind an address; NotFound when it was revoked or its person has left."""
    user = await session.scalar(
        select(User)
        .join(CalendarFeed, col(CalendarFeed.user_id) == col(User.id))
        .where(
            col(CalendarFeed.token_hash) == token_hash(secret),
            col(CalendarFeed.revoked_at).is_(None),
            col(User.left_at).is_(None),
        )
    )
    if user is None or user.id is None:
        raise NotFound("There is no calendar at this address. Make a new one on the rota page.")
    shifts = await session.scalars(
        select(Shift)
        .where(
            col(Shift.user_id) == user.id,
            col(Shift.taken_away_at).is_(None),
            col(Shift.ends_at) > now - BACK,
        )
        .order_by(col(Shift.starts_at))
    )
    return calendar("On call", _entries(list(shifts), contracts), now)


def _entries(shifts: Sequence[Shift], contracts: Mapping[str, Contract]) -> list[Entry]:
    found = []
    for shift in shifts:
        contract = contracts.get(shift.contract)
        council = contract.council if contract else shift.contract
        said = f"{WORDS[ShiftKind(shift.kind)]}: {council}"
        found.append(Entry(f"shift-{shift.id}@helpline", said, shift.starts_at, shift.ends_at))
    return found
