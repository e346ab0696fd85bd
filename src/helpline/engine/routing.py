"""The loop that puts kept items where they belong, in the order of each sender.

Woken at once by keeping, and every few seconds anyway. Many items in one transaction; a batch in
which something fails is rolled back and taken item by item, so that one bad item holds up nobody
else. Keeping goes first: while messages pour in, batches end early and there are pauses between
them. On PostgreSQL several nodes share the work: a sender's turn is an advisory lock.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from helpline.desk import intake
from helpline.desk.house import House
from helpline.log import log, where
from helpline.models import InboundItem, metadata
from helpline.vocabulary import ItemState

ITEM = metadata.tables["inbound_item"]
BATCH, BATCH_IN_A_STORM = 100, 5
PAUSE = 10
"""In a storm routing rests this many times as long as it worked: a tenth of the time is its."""
LOOK = 5
"""Rows read at once for each item wanted, while looking for those that are ready."""
KEPT = (
    select(ITEM.c.id, ITEM.c.sender_index, ITEM.c.next_try_at)
    # Written out: with a value from outside PostgreSQL could not choose the index of the few.
    .where(
        text("state = 'kept'"),
        ITEM.c.id > bindparam("after"),
        ITEM.c.sender_index.not_in(bindparam("left_out", expanding=True)),
    )
    .order_by(ITEM.c.id)
    .limit(bindparam("look"))
)
TURNS = text(
    "SELECT sender FROM unnest(CAST(:senders AS text[])) AS sender"
    " WHERE pg_try_advisory_xact_lock(('x' || left(sender, 15))::bit(60)::bigint)"
)
ways = intake.ways_of
ITEMS = (
    select(InboundItem)
    .where(
        col(InboundItem.id).in_(bindparam("ids", expanding=True)),
        col(InboundItem.state) == ItemState.KEPT,
    )
    .order_by(col(InboundItem.id))
)


async def route_all(house: House) -> int:
    """Route until nothing is left that can be routed now. Returns how many items were handled."""
    handled, began_at = 0, house.clock.seconds()
    while count := await _one_batch(house):
        handled += count
        house.wakes.sending.set()
        await house.inbox.give_way(PAUSE * (house.clock.seconds() - began_at))
        began_at = house.clock.seconds()
    if handled:
        async with house.wakes.pages:
            house.wakes.pages.notify_all()
    return handled


async def _one_batch(house: House) -> int:
    now = house.clock.now()
    async with house.db.read() as session:
        most = BATCH_IN_A_STORM if house.inbox.is_busy else BATCH
        ready = await _ready(session, now, most)
    if not ready:
        return 0
    try:
        async with house.db.write() as session:
            return await _route(session, house, ready)
    except Exception as error:  # any failure at all: find out which item it was
        log().warning("routing.batch_failed", where=where(error), count=len(ready))
    return sum([await _alone(house, item_id, sender, now) for item_id, sender in ready.items()])


async def _ready(session: AsyncSession, now: datetime, most: int) -> dict[int, str]:
    """The oldest items that may be routed, in order, with their senders: not waiting for their next
    try, and not behind an earlier item of the same sender that is. One sender's flood does not
    stand before everybody else's first message: it has no more than half of a batch."""
    ready: dict[int, str] = {}
    counts: Counter[str] = Counter()
    left_out: set[str] = set()
    after, look = 0, LOOK * most
    found = look
    while len(ready) < most and found == look:
        asked = {"after": after, "left_out": sorted(left_out), "look": look}
        rows = (await session.execute(KEPT, asked)).all()
        for item_id, sender, next_try_at in rows:
            if next_try_at is not None and next_try_at > now:
                left_out.add(sender)
            elif sender not in left_out and len(ready) < most:
                ready[item_id] = sender
                counts[sender] += 1
                if counts[sender] * 2 >= most:
                    left_out.add(sender)
        after, found = (rows[-1][0], len(rows)) if rows else (after, 0)
    return ready


async def _route(session: AsyncSession, house: House, ready: Mapping[int, str]) -> int:
    """Route these items in order, at least one and no more than one while somebody waits to be
    kept; leaves out what another node has in hand."""
    ids = await _in_turn(session, house, ready)
    if not ids:
        return 0
    items = (await session.scalars(ITEMS, {"ids": ids})).all()
    handled = 0
    for item in items:
        await intake.route(session, ways(house), item)
        handled += 1
        if house.inbox.is_busy:
            break
    return handled


async def _in_turn(session: AsyncSession, house: House, ready: Mapping[int, str]) -> list[int]:
    """Those whose sender's turn is ours until the end of the transaction. Asked once and before
    the items are read: they are seen as whoever had the turn before left them, and a sender whom
    another node lets go of a moment later is left alone for the whole batch."""
    if house.db.is_sqlite:
        return list(ready)
    ours = set(await session.scalars(TURNS, {"senders": sorted(set(ready.values()))}))
    return [item_id for item_id, sender in ready.items() if sender in ours]


async def _alone(house: House, item_id: int, sender: str, now: datetime) -> int:
    try:
        async with house.db.write() as session:
            return await _route(session, house, {item_id: sender})
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
