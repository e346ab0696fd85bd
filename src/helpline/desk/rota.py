"""Who is on call. Called by escalation and the console; shifts are entered by the seed and the
command line until the rota has pages of its own."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.models import Shift, User
from helpline.vocabulary import Role, ShiftKind


async def on_call(session: AsyncSession, contract: str, now: datetime) -> Sequence[User]:
    """Whoever has a shift now, the primary first; empty when nobody has."""
    found = await session.scalars(
        select(User)
        .join(Shift, Shift.user_id == User.id)
        .where(
            Shift.contract == contract,
            Shift.starts_at <= now,
            Shift.ends_at > now,
            User.left_at.is_(None),
        )
        .order_by((Shift.kind == ShiftKind.PRIMARY).desc(), User.id)
    )
    return list({user.id: user for user in found}.values())


async def leads(session: AsyncSession, contract: str) -> Sequence[User]:
    """The team leads who work on this contract."""
    found = await session.scalars(
        select(User)
        .where(
            User.role == Role.LEAD,
            User.left_at.is_(None),
            or_(User.contract.is_(None), User.contract == contract),
        )
        .order_by(User.id)
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
