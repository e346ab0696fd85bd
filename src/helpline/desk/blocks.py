"""Senders nobody answers automatically for a while: adverts, jokes, a machine gone wild.

A block has a reason and an end, and never more than a week without somebody looking again. What
they send is still kept and shown, and an emergency is heard through any block.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import events
from helpline.desk.cases import reply_address
from helpline.errors import InvalidInput
from helpline.models import Block, Case
from helpline.rules.permissions import Actor, require

LONGEST = timedelta(days=7)
UNTIL = (
    select(col(Block.until))
    .where(
        col(Block.address_id) == bindparam("address"),
        col(Block.ended_at).is_(None),
        col(Block.until) > bindparam("now"),
    )
    .order_by(col(Block.until).desc())
    .limit(1)
    .execution_options(autoflush=False)  # blocks are written at once
)


async def block(
    session: AsyncSession, case: Case, reason: str, length: timedelta, by: Actor, now: datetime
) -> Block:
    """Stop answering the sender of `case` by ourselves until `length` from now."""
    require(by, "case.triage", case.contract)
    address = await reply_address(session, case)
    if address is None or address.id is None:
        raise InvalidInput("There is no sender on this case who could be blocked.")
    if not reason.strip():
        raise InvalidInput("Say why they are not to be answered.")
    if not timedelta() < length <= LONGEST:
        raise InvalidInput("A block lasts at most a week; then somebody looks again.")
    made = Block(
        contract=case.contract,
        address_id=address.id,
        reason=reason.strip(),
        begun_at=now,
        until=now + length,
        by_user_id=by.user_id,
    )
    session.add(made)
    await session.flush()
    await events.record(
        session,
        "address.blocked",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        until=made.until.isoformat(),
    )
    return made


async def unblock(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """End the sender's blocks at once; with none open nothing happens."""
    require(by, "case.triage", case.contract)
    address = await reply_address(session, case)
    await session.execute(
        update(Block)
        .where(
            col(Block.address_id) == (address.id if address else None),
            col(Block.ended_at).is_(None),
            col(Block.until) > now,
        )
        .values(ended_at=now)
    )
    await events.record(
        session,
        "address.unblocked",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
    )


async def blocked_until(
    session: AsyncSession, address_id: int | None, now: datetime
) -> datetime | None:
    """Until when this sender is not answered automatically; None when they are."""
    if address_id is None:
        return None
    return await session.scalar(UNTIL, {"address": address_id, "now": now})
