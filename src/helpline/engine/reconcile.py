"""The job that asks the providers what they took in and what became of what we sent: whatever a
webhook never brought is kept with its original time, whatever report was lost is recorded.

It knows no provider: any channel that lists its arrivals, or tells states, is asked. Twilio does
not try a failed SMS webhook again, so without this a restart at the wrong moment loses a message.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

from prometheus_client import Counter
from sqlalchemy import func, select
from sqlmodel import col

from helpline.channels import Inbound, ListsArrivals, TellsStates
from helpline.desk import events, outbox
from helpline.desk.house import House
from helpline.log import log, where
from helpline.models import InboundItem, JobRun

JOB = "reconcile"
OVERLAP = timedelta(minutes=15)
"""How far a look reaches back behind the last good one: a provider's list may lag behind."""
FIRST_LOOK = timedelta(hours=24)
GRACE = timedelta(seconds=60)
"""Younger arrivals are left for the webhook, which may be under way; the next look sees them."""
CHUNK = 500
BY_NUMBER = frozenset(("sms", "whatsapp", "voice"))
"""Channels of an account that other systems may share: only what came to our numbers is ours."""

FOUND = Counter(
    "helpline_items_reconciled", "Messages no webhook brought, found by asking.", ["channel"]
)


async def reconcile(house: House) -> int:
    """One look at every channel. Returns how many messages it found. Raises after having asked all
    of them when one could not be asked: then the next look reaches as far back again."""
    now, found, failed = house.clock.now(), 0, None
    since = await _last_look(house, now) - OVERLAP
    for name, channel in house.channels.items():
        try:
            if hasattr(channel, "arrivals"):
                listed = await cast(ListsArrivals, channel).arrivals(since)
                found += await _keep_missing(house, name, listed, now)
        except Exception as error:  # one provider's trouble must not hide what another took in
            log().warning("reconcile.not_asked", channel=name, where=where(error))
            failed = error
    await _ask_for_reports(house, now)
    if failed is not None:
        raise failed
    return found


async def _last_look(house: House, now: datetime) -> datetime:
    """When a look last went well on any node: after an outage the next one covers all of it."""
    async with house.db.read() as session:
        last = await session.scalar(
            select(func.max(col(JobRun.good_at))).where(col(JobRun.job) == JOB)
        )
    return last or now - FIRST_LOOK


async def _keep_missing(house: House, name: str, listed: Iterable[Inbound], now: datetime) -> int:
    ours = [
        one
        for one in listed
        if (one.sent_at is None or one.sent_at <= now - GRACE)
        and (name not in BY_NUMBER or one.recipient in house.settings.every_number)
    ]
    known = await _known(house, name, [one.external_id for one in ours])
    missing = [one for one in ours if one.external_id not in known]
    in_order = sorted(missing, key=lambda one: one.sent_at or now)
    for start in range(0, len(in_order), CHUNK):  # together, so that many share one commit
        some = in_order[start : start + CHUNK]
        await asyncio.gather(*(house.inbox.keep(one, one.sent_at or now) for one in some))
    if missing:
        FOUND.labels(name).inc(len(missing))
        log().warning("reconcile.found", channel=name, count=len(missing))
        async with house.db.write() as session:
            await events.record(session, "items.reconciled", now, channel=name, count=len(missing))
    return len(missing)


async def _known(house: House, name: str, ids: list[str]) -> set[str]:
    known: set[str] = set()
    async with house.db.read() as session:
        for start in range(0, len(ids), CHUNK):
            query = select(col(InboundItem.external_id)).where(
                col(InboundItem.channel) == name,
                col(InboundItem.external_id).in_(ids[start : start + CHUNK]),
            )
            known.update(await session.scalars(query))
    return known


async def _ask_for_reports(house: House, now: datetime) -> None:
    tellers = {
        name: cast(TellsStates, channel)
        for name, channel in house.channels.items()
        if hasattr(channel, "state_of")
    }
    if not tellers:
        return
    async with house.db.write() as session:
        waiting = await outbox.unreported(session, list(tellers), now)
    for name, provider_id in waiting:
        receipt = await tellers[name].state_of(provider_id)
        if receipt is not None:
            async with house.db.write() as session:
                await outbox.record_receipt(session, receipt, now)
