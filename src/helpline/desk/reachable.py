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

from helpline.desk.climbing import Reach, working
from helpline.models import Shift, User
from helpline.vocabulary import CASEWORKERS

TEXTS = Reach(frozenset(["sms", "telegram"]))


class Why(StrEnum):
    OPTED_OUT = "opted_out"
    BAD_NUMBER = "bad_number"
    NO_NUMBER = "no_number"


@dataclass(frozen=True)
class Unreachable:
    """One worker. `still`: the means by which alerts reach them all the same. `shift`: theirs now
    or next, (from, to)."""

    name: str
    why: Why
    since: datetime | None
    still: tuple[str, ...]
    shift: tuple[datetime, datetime] | None


async def unreachable(
    session: AsyncSession, contracts: Sequence[str], now: datetime, reach: Reach = TEXTS
) -> Sequence[Unreachable]:
    """Those who work on one of these contracts; whoever has a shift soonest comes first. Without a
    number only who has a shift: not everybody is ever on call."""
    users = await session.scalars(
        select(User)
        .where(
            col(User.role).in_(CASEWORKERS),
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
        still = tuple(means for means in working(user, reach) if means != "sms")
        if user.mobile is None and (shift is None or still):
            continue
        found.append(_found(user, still, shift))
    return sorted(found, key=lambda one: (one.shift is None, one.shift or (now, now)))


def _found(
    user: User, still: tuple[str, ...], shift: tuple[datetime, datetime] | None
) -> Unreachable:
    why, since = Why.NO_NUMBER, None
    if user.opted_out_at is not None:
        why, since = Why.OPTED_OUT, user.opted_out_at
    elif user.bad_since is not None:
        why, since = Why.BAD_NUMBER, user.bad_since
    return Unreachable(user.shown_name, why, since, still, shift)


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
