"""What somebody said lately on a case, as one text: what a complaint begins with when a person
calls the case one. Called by complaints and complaint_cases; it changes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.models import Case, Contact
from helpline.vocabulary import Direction

LATELY: Final = 20
"""Messages that are looked at for what was said lately."""


@dataclass(frozen=True)
class Said:
    """What somebody said lately on a case: in their words, since when, and how it came."""

    words: str
    since: datetime
    method: str


async def said_lately(session: AsyncSession, case: Case, longest: int) -> Said:
    """The last that they said on the case, with what they said in the day before it; without a
    word of theirs, when the case was opened. At most
    `longest` characters, the latest."""
    rows = await session.scalars(
        select(Contact)
        .where(
            col(Contact.case_id) == case.id,
            col(Contact.direction) == Direction.IN,
            col(Contact.body).is_not(None),
        )
        .order_by(col(Contact.at).desc(), col(Contact.id).desc())
        .limit(LATELY)
    )
    found = rows.all()
    if not found:
        return Said("", case.opened_at, case.method)
    those = [one for one in found if one.at > found[0].at - timedelta(days=1)][::-1]
    words = "\n\n".join((one.body or "").strip() for one in those)
    return Said(words[-longest:], those[0].at, those[0].method)
