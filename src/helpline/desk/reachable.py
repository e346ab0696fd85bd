"""Workers whom an alert would not reach: they wrote STOP, their number is a bad one, or there is
none. Read only; asked by the rota's page, so that nobody counts on a shift that rings no phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.models import Shift, User
from helpline.vocabulary import Role


class Why(StrEnum):
    OPTED_OUT = "opted_out"
    BAD_NUMBER = "bad_number"
    NO_NUMBER = "no_number"


@dataclass(frozen=True)
class Unreachable:
    """One worker. `by_telegram`: alerts still go there. `shift`: theirs now or next, (from, to)."""

    name: str
    why: Why
    since: datetime | None
    by_telegram: bool
    shift: tuple[datetime, datetime] | None


async def unreachable(
    session: AsyncSession, contracts: Sequence[str], now: datetime
) -> Sequence[Unreachable]:
    """Those who work on one of these contracts; whoever has a shift soonest comes first. Without a
    number only who has a shift: not everybody is ever on call."""
    users = await session.scalars(
        select(User)
        .where(
            col(User.role).in_([Role.WORKER, Role.LEAD]),
            col(User.left_at).is_(None),
            or_(col(User.contract).is_(None), col(User.contract).in_(contracts)),
            or_(
                col(User.mobile).is_(None),
                col(User.opted_out_at).is_not(None),
                col(User.bad_since).is_not(None),
            ),
        )
        .order_by(col(User.shown_name), col(User.id))
        .limit(200)
    )
    found = []
    for user in users.all():
        shift = await _next_shift(session, user, contracts, now)
        if user.mobile is None and (shift is None or user.telegram is not None):
            continue
        found.append(_found(user, shift))
    return sorted(found, key=lambda one: (one.shift is None, one.shift or (now, now)))


def _found(user: User, shift: tuple[datetime, datetime] | None) -> Unreachable:
    why, since = Why.NO_NUMBER, None
    if user.opted_out_at is not None:
        why, since = Why.OPTED_OUT, user.opted_out_at
    elif user.bad_since is not None:
        why, since = Why.BAD_NUMBER, user.bad_since
    return Unreachable(user.shown_name, why, since, user.telegram is not None, shift)


async def _next_shift(
    session: AsyncSession, user: User, contracts: Sequence[str], now: datetime
) -> tuple[datetime, datetime] | None:
    found = await session.execute(
        select(col(Shift.starts_at), col(Shift.ends_at))
        .where(
            col(Shift.user_id) == user.id,
            col(Shift.contract).in_(contracts),
            col(Shift.taken_away_at).is_(None),
            col(Shift.ends_at) > now,
        )
        .order_by(col(Shift.starts_at))
        .limit(1)
    )
    row = found.first()
    return (row[0], row[1]) if row is not None else None
