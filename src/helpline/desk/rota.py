"""Who is on call. Called by escalation and the console; shifts are entered by the seed and the
command line until the rota has pages of its own."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.models import Shift, User
from helpline.vocabulary import Role, ShiftKind


async def on_call(session: AsyncSession, contract: str, now: datetime) -> Sequence[User]:
    """Whoever has a shift now, the primary first; empty when nobody has."""
    found = await session.scalars(
        select(User)
        .join(Shift, col(Shift.user_id) == col(User.id))
        .where(
            col(Shift.contract) == contract,
            col(Shift.starts_at) <= now,
            col(Shift.ends_at) > now,
            col(User.left_at).is_(None),
        )
        .order_by((col(Shift.kind) == ShiftKind.PRIMARY).desc(), col(User.id))
    )
    return list({user.id: user for user in found}.values())


async def leads(session: AsyncSession, contract: str) -> Sequence[User]:
    """The team leads who work on this contract."""
    found = await session.scalars(
        select(User)
        .where(
            col(User.role) == Role.LEAD,
            col(User.left_at).is_(None),
            or_(col(User.contract).is_(None), col(User.contract) == contract),
        )
        .order_by(col(User.id))
    )
    return list(found)


async def add_shift(
    session: AsyncSession,
    contract: str,
    user_id: int,
    starts_at: datetime,
    ends_at: datetime,
    kind: ShiftKind = ShiftKind.PRIMARY,
) -> None:
    session.add(
        Shift(contract=contract, user_id=user_id, kind=kind, starts_at=starts_at, ends_at=ends_at)
    )
    await session.flush()
