"""The rota as it stands, read: who is on call, who is away, where nobody is.

Every question loads rows and asks rules/rota, so that what a page shows, what an alarm says and
whose telephone rings are one answer. Only `add_shift` writes.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.models import Absence, Shift, User
from helpline.rules.rota import Away, Duty, Span, on_call_at
from helpline.rules.rota import gaps as gaps_of
from helpline.rules.rota import shortages as short_of
from helpline.vocabulary import Role, ShiftKind

INSTANT = timedelta(microseconds=1)
Entry = Row[Shift, str, datetime | None]
"""A shift, the shown name of its person, and when they left if they did."""

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


async def on_call(session: AsyncSession, contract: str, now: datetime) -> Sequence[User]:
    """Whoever stands on call now, the first line before the backups; empty when nobody does."""
    return await _standing(session, contract, now, (ShiftKind.PRIMARY, ShiftKind.BACKUP))


async def first_line(session: AsyncSession, contract: str, now: datetime) -> Sequence[User]:
    """Whoever stands in the first line now."""
    return await _standing(session, contract, now, (ShiftKind.PRIMARY,))


async def backups(session: AsyncSession, contract: str, now: datetime) -> Sequence[User]:
    """Whoever stands behind them now."""
    return await _standing(session, contract, now, (ShiftKind.BACKUP,))


async def managers(session: AsyncSession, contract: str, now: datetime) -> Sequence[User]:
    """Whoever is in charge now, as the rota says; empty when it names nobody."""
    return await _standing(session, contract, now, (ShiftKind.MANAGER,))


async def leads(session: AsyncSession, contract: str) -> Sequence[User]:
    """The team leads who work on this contract."""
    return await _of_role(session, contract, Role.LEAD)


async def safeguarding_leads(session: AsyncSession, contract: str) -> Sequence[User]:
    """The safeguarding leads of this contract; the team leads where it has none."""
    found = await _of_role(session, contract, Role.SAFEGUARDING)
    return found or await leads(session, contract)


async def complaints_officers(session: AsyncSession, contract: str) -> Sequence[User]:
    """Whoever hears complaints of this contract; the team leads where nobody does."""
    found = await _of_role(session, contract, Role.COMPLAINTS)
    return found or await leads(session, contract)


async def _of_role(session: AsyncSession, contract: str, role: Role) -> Sequence[User]:
    found = await session.scalars(
        select(User)
        .where(
            col(User.role) == role,
            col(User.left_at).is_(None),
            or_(col(User.contract).is_(None), col(User.contract) == contract),
        )
        .order_by(col(User.id))
    )
    return list(found)


async def gaps(
    session: AsyncSession, contract: str, since: datetime, until: datetime
) -> list[Span]:
    """The times between two instants in which nobody stands in the first line, in order."""
    found, absent = await whole(session, contract, since, until)
    return gaps_of([duty for duty, _ in found], absent, since, until)


async def shortages(
    session: AsyncSession, contract: Contract, since: datetime, until: datetime
) -> list[Span]:
    """The times in which somebody stands there, and fewer than the contract asks for then."""
    found, absent = await whole(session, contract.key, since, until)
    return short_of([duty for duty, _ in found], absent, (since, until), contract.busy_times)


async def whole(
    session: AsyncSession, contract: str, since: datetime, until: datetime
) -> tuple[list[tuple[Duty, Entry]], list[Away]]:
    """All shifts that touch the time, each with its row, in order of beginning; and when their
    people are away."""
    rows = (
        await session.execute(
            select(Shift, col(User.shown_name), col(User.left_at))
            .join(User, col(User.id) == col(Shift.user_id))
            .where(
                col(Shift.contract) == contract,
                col(Shift.taken_away_at).is_(None),
                col(Shift.ends_at) > since,
                col(Shift.starts_at) < until,
            )
            .order_by(col(Shift.starts_at), col(Shift.kind).desc(), col(Shift.id))
        )
    ).all()
    absent = await aways(session, {row.Shift.user_id for row in rows}, since, until)
    absent += [
        Away(row.Shift.user_id, row.left_at, FOR_EVER) for row in rows if row.left_at is not None
    ]
    return [(as_duty(row.Shift), row) for row in rows], absent


async def aways(
    session: AsyncSession, user_ids: Iterable[int], since: datetime, until: datetime
) -> list[Away]:
    """When these people are away between two instants."""
    found = await session.execute(
        select(col(Absence.user_id), col(Absence.starts_at), col(Absence.ends_at)).where(
            col(Absence.user_id).in_(list(user_ids)),
            col(Absence.taken_back_at).is_(None),
            col(Absence.ends_at) > since,
            col(Absence.starts_at) < until,
        )
    )
    return [Away(user_id, starts_at, ends_at) for user_id, starts_at, ends_at in found]


def as_duty(shift: Shift) -> Duty:
    """The row as the rules see it."""
    assert shift.id is not None
    return Duty(
        shift.id, shift.user_id, shift.kind, shift.starts_at, shift.ends_at, shift.is_override
    )


async def add_shift(
    session: AsyncSession,
    contract: str,
    user_id: int,
    starts_at: datetime,
    ends_at: datetime,
    kind: ShiftKind = ShiftKind.PRIMARY,
) -> None:
    """Store a shift as it is given; desk/rota/plan is where people's wishes are checked."""
    session.add(
        Shift(contract=contract, user_id=user_id, kind=kind, starts_at=starts_at, ends_at=ends_at)
    )
    await session.flush()


async def _standing(
    session: AsyncSession, contract: str, now: datetime, kinds: Sequence[ShiftKind]
) -> Sequence[User]:
    found = (
        await session.execute(
            select(Shift, User)
            .join(User, col(User.id) == col(Shift.user_id))
            .where(
                col(Shift.contract) == contract,
                col(Shift.taken_away_at).is_(None),
                col(Shift.starts_at) <= now,
                col(Shift.ends_at) > now,
                col(User.left_at).is_(None),
                col(Shift.kind).in_(kinds),
            )
        )
    ).all()
    if not found:
        return []
    users = {shift.user_id: user for shift, user in found}
    absent = await aways(session, users, now, now + INSTANT)
    standing = on_call_at([as_duty(shift) for shift, _ in found], absent, now)
    return [users[user_id] for user_id in dict.fromkeys(duty.user_id for duty in standing)]
