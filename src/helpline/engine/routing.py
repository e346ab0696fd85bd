"""The loop that puts kept items where they belong, in the order of each sender.

Woken at once by keeping, and every few seconds anyway. Small batches in one transaction each; a
batch in which something fails is rolled back and taken item by item, so that one bad item holds up
nobody else. On PostgreSQL several nodes share the work: a sender's turn is an advisory lock.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from helpline.desk import intake
from helpline.desk.house import House
from helpline.log import log, where
from helpline.models import InboundItem
from helpline.vocabulary import ItemState

BATCH = 20


def ways(house: House) -> intake.Ways:
    return intake.Ways(
        house.contracts, house.settings.numbers | house.settings.mailbox_contracts, house.wording
    )


async def route_all(house: House) -> int:
    """Route until nothing is left that can be routed now. Returns how many items were handled."""
    handled = 0
    while count := await _one_batch(house):
        handled += count
        house.wakes.sending.set()
    if handled:
        async with house.wakes.pages:
            house.wakes.pages.notify_all()
    return handled


async def _one_batch(house: House) -> int:
    now = house.clock.now()
    async with house.db.read() as session:
        ids = await _next(session, now)
    if not ids:
        return 0
    try:
        async with house.db.write() as session:
            return await _route(session, house, ids)
    except Exception as error:  # any failure at all: find out which item it was
        log().warning("routing.batch_failed", where=where(error), count=len(ids))
    return sum([await _alone(house, item_id, now) for item_id in ids])


async def _next(session: AsyncSession, now: datetime) -> list[int]:
    """The oldest items, in order. One sender's flood does not stand before everybody else's first
    message: where half a batch is one sender's, the others' oldest go first, and some of theirs."""
    oldest = list(await session.execute(_ready(now)))
    counts = Counter(sender for _, sender in oldest)
    floods = [sender for sender, count in counts.items() if count > BATCH // 2]
    if not floods or len(oldest) < BATCH:
        return [item_id for item_id, _ in oldest if item_id is not None]
    others = await session.execute(_ready(now).where(col(InboundItem.sender_index) != floods[0]))
    theirs = [item for item in oldest if item[1] == floods[0]][: BATCH // 2]
    return [item_id for item_id, _ in (*others, *theirs) if item_id is not None]


def _ready(now: datetime) -> Select[int | None, str]:
    """The oldest items that may be routed and their senders: not waiting for their next try, and
    not behind an earlier item of the same sender that is."""
    waiting = select(col(InboundItem.sender_index)).where(
        col(InboundItem.state) == ItemState.KEPT, col(InboundItem.next_try_at) > now
    )
    return (
        select(col(InboundItem.id), col(InboundItem.sender_index))
        .where(
            col(InboundItem.state) == ItemState.KEPT,
            or_(col(InboundItem.next_try_at).is_(None), col(InboundItem.next_try_at) <= now),
            col(InboundItem.sender_index).not_in(waiting),
        )
        .order_by(col(InboundItem.id))
        .limit(BATCH)
    )


async def _route(session: AsyncSession, house: House, ids: Sequence[int]) -> int:
    """Route these items in order; skips what another node has in hand. A sender that was skipped
    once is left alone for the whole batch: the other node may let go of it meanwhile without having
    routed all that came before."""
    items = (
        await session.scalars(
            select(InboundItem)
            .where(col(InboundItem.id).in_(ids), col(InboundItem.state) == ItemState.KEPT)
            .order_by(col(InboundItem.id))
        )
    ).all()
    handled, elsewhere = 0, set[str]()
    for item in items:
        if not house.db.is_sqlite:
            if item.sender_index in elsewhere or not await _has_turn(session, item.sender_index):
                elsewhere.add(item.sender_index)
                continue
            await session.refresh(item, ["state"])
        await intake.route(session, ways(house), item)
        handled += 1
    return handled


async def _has_turn(session: AsyncSession, sender_index: str) -> bool:
    """This sender's turn until the end of the transaction, unless another node has it."""
    key = int(sender_index[:15], 16)
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(text(str(key))))))


async def _alone(house: House, item_id: int, now: datetime) -> int:
    try:
        async with house.db.write() as session:
            return await _route(session, house, [item_id])
    except Exception as error:
        failure = where(error)
        log().error("routing.item_failed", item=item_id, where=failure)
    try:
        async with house.db.write() as session:
            # Without its content: perhaps that is what cannot be opened.
            unread = [defer(InboundItem.sealed)]  # type: ignore[arg-type]  # a column
            item = await session.get(InboundItem, item_id, options=unread, with_for_update=True)
            if item is not None and item.state == ItemState.KEPT:
                await intake.put_off(session, ways(house), item, failure, now)
    except Exception as error:  # it stays kept, and must not hold up the others
        log().error("routing.not_put_off", item=item_id, where=where(error))
        return 0
    return 1
