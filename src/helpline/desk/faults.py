"""What a provider's refusal says about the way itself: a number that is none, a network's STOP.

Called by outbox when a message could not be delivered, and by intake when somebody is heard from.
It marks the address or the worker's phone; whom to ask instead is the ladder's and the task's.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import events
from helpline.models import Address, Alert, OutMessage, Page, User
from helpline.sealing import ring
from helpline.vocabulary import OPT_IN_WORDS, OPT_OUT_WORDS, Fault


async def learn(session: AsyncSession, message: OutMessage, fault: Fault, now: datetime) -> None:
    """Mark what `message` could not reach. Learning the same thing twice changes nothing."""
    if message.address_id is not None:
        address = await session.get(Address, message.address_id, with_for_update=True)
        if address is not None:
            await _mark(session, address, message, fault, now)
    elif fault in (Fault.OPTED_OUT, Fault.BAD_ADDRESS):
        worker = await session.scalar(
            select(User).where(
                col(User.mobile_index).in_(ring().indexes("address:sms", message.recipient)),
                col(User.left_at).is_(None),
            )
        )
        if worker is not None and fault is Fault.OPTED_OUT:
            await opt_worker_out(session, worker, message.contract, now)
        elif worker is not None and worker.bad_since is None:
            worker.bad_since = now
            await session.flush()
            await events.record(
                session, "worker.bad_number", now, contract=message.contract, by=worker.id
            )


async def hear_again(session: AsyncSession, address: Address) -> None:
    """Somebody wrote from there: it is no bad number."""
    if address.bad_since is not None:
        address.bad_since = None
        await session.flush()


async def hear_worker(
    session: AsyncSession, worker: User, contract: str, text: str, now: datetime
) -> bool:
    """A worker's STOP or START to the network. Whether it was one: then nothing is answered, for
    after STOP the network lets nothing through. Whatever it is, their number is no bad one."""
    if worker.bad_since is not None:
        worker.bad_since = None
        await session.flush()
    word = text.strip().upper()
    if word in OPT_OUT_WORDS:
        await opt_worker_out(session, worker, contract, now)
    elif word in OPT_IN_WORDS and worker.opted_out_at is not None:
        worker.opted_out_at = None
        await session.flush()
        await events.record(session, "worker.opted_in", now, contract=contract, by=worker.id)
    else:
        return False
    return True


async def opt_worker_out(session: AsyncSession, worker: User, contract: str, now: datetime) -> None:
    """No text reaches this phone any more: whatever it was asked about goes to the next person at
    once."""
    if worker.opted_out_at is None:
        worker.opted_out_at = now
        await session.flush()
        await events.record(session, "worker.opted_out", now, contract=contract, by=worker.id)
    asked = select(col(Page.alert_id)).where(col(Page.user_id) == worker.id)
    await session.execute(
        update(Alert)
        .where(
            col(Alert.id).in_(asked),
            col(Alert.next_rung_at) > now,
            col(Alert.acknowledged_at).is_(None),
        )
        .values(next_rung_at=now)
    )


async def _mark(
    session: AsyncSession, address: Address, message: OutMessage, fault: Fault, now: datetime
) -> None:
    if fault is Fault.OPTED_OUT and address.opted_out_at is None:
        address.opted_out_at, kind = now, "address.opted_out"
    elif fault is Fault.BAD_ADDRESS and address.bad_since is None:
        address.bad_since, kind = now, "address.bad"
    else:
        return
    await session.flush()
    await events.record(
        session,
        kind,
        now,
        contract=message.contract,
        case_id=message.case_id,
        channel=address.channel,
        code=message.code or "",
    )
