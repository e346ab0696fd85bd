"""What happens at the same instant, or is sent twice, happens once.

Whoever looks whether something is there already, and writes it if not, holds the case (or, where
there is none yet, the hand that writes) meanwhile: two who do it in the same instant do it one
after the other, and the second finds the first's. On SQLite there is one writer anyway. A form that
is sent again within two minutes with the same words by the same person is the same form.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from helpline.models import Case, metadata
from helpline.rules.permissions import Actor

Row = TypeVar("Row", bound=SQLModel)
SENT_AGAIN: Final = timedelta(minutes=2)
CASE: Final = metadata.tables["case"]
USER: Final = metadata.tables["user"]


async def hold(session: AsyncSession, case: Case) -> None:
    """Until the transaction ends. Ask what is there only after it. Whoever only adds something to
    the case need not wait."""
    held = select(CASE.c.id).where(CASE.c.id == case.id)
    await session.execute(held.with_for_update(key_share=True))


async def hold_as_it_stands(session: AsyncSession, case: Case) -> None:
    """The same, and `case` is as whoever held it before has left it."""
    await session.flush()
    await hold(session, case)
    await session.refresh(case)


async def twin(
    session: AsyncSession,
    row: Row,
    by: Actor,
    now: datetime,
    *,
    who: str,
    at: str,
    same: Sequence[str],
) -> Row | None:
    """What the same hand wrote a moment ago with all these columns the same as in `row`, which is
    not stored yet: then it was sent twice. `who` and `at` name the columns of its writer and of
    when it was written."""
    return next(iter(await twins(session, row, by, now, who=who, at=at, same=same)), None)


async def twins(
    session: AsyncSession,
    row: Row,
    by: Actor,
    now: datetime,
    *,
    who: str,
    at: str,
    same: Sequence[str],
) -> list[Row]:
    """Every such row, the newest first: for whoever has to look at more than its columns."""
    await hold_hand(session, by)
    kind = type(row)
    columns = kind.__table__.c  # type: ignore[attr-defined]  # every model here is a table
    lately = await session.scalars(
        select(kind)
        .where(columns[who] == by.user_id, columns[at] > now - SENT_AGAIN)
        .order_by(columns.id.desc())
    )
    return [one for one in lately if all(getattr(one, n) == getattr(row, n) for n in same)]


async def hold_hand(session: AsyncSession, by: Actor) -> None:
    """What one person writes, they write one after the other, until the transaction ends."""
    held = select(USER.c.id).where(USER.c.id == by.user_id)
    await session.execute(held.with_for_update(key_share=True))
