"""Clearing away what nobody needs, and telling an outside watch that all is well.

Both are jobs of engine/jobs. The outside watch is a dead man's handle: it raises the alarm when we
fall silent, so it is called only while every loop is: none late, none failing for long.
"""

from datetime import timedelta

import aiohttp
from sqlalchemy import delete
from sqlmodel import col

from helpline import outgoing
from helpline.desk import (
    beats,
    climbing,
    deadlines,
    drafts,
    keeping,
    page_links,
    search,
    silence,
    upkeep,
    uploads,
    webchat,
    write_ups,
)
from helpline.desk.house import House
from helpline.desk.rights import retention
from helpline.models import LoginAttempt, Session

KEPT = timedelta(days=30)


async def tidy_up(house: House) -> int:
    """Delete sessions and failed sign-ins older than 30 days; see which answers in the chat nobody
    came back for; let go of files whose message never came, and of the sound of calls that has been
    kept as long as the contract allows. Say what needs upkeep, remind whoever has something to
    write up, and plan again what reached beyond the known bank holidays."""
    before = house.clock.now() - KEPT
    async with house.db.write() as session:
        await session.execute(delete(Session).where(col(Session.expires_at) < before))
        await session.execute(delete(LoginAttempt).where(col(LoginAttempt.at) < before))
        await webchat.ask_about_unread(session, house.clock.now())
        await uploads.tidy(session, house.clock.now())
        await page_links.tidy(session, house.clock.now())
        await drafts.forget_old(session, house.clock.now())
        await beats.forget_gone(session, house.clock.now())
    after: int | None = 0
    while after is not None:  # names are put right and people move
        async with house.db.write() as session:
            after = await search.read_people_again(session, after)
    reach = climbing.Reach(frozenset(house.channels), house.settings.public_url)
    for contract in list(house.contracts.values()):
        async with house.db.write() as session:
            now = house.clock.now()
            await upkeep.look(session, contract, house.wording, reach, now)
            unfit = [one.id for one, _ in house.in_force.left_out.get(contract.key, ())]
            await upkeep.left_out(session, contract, unfit, now)
            await deadlines.plan_again(session, contract, now)
            await write_ups.look(session, contract, now)
        erased = 1
        while erased:  # what two people agreed to, a portion at a time
            async with house.db.write() as session:
                erased = await retention.erase_next(session, contract, house.clock.now())
        followed = silence.BATCH
        while followed >= silence.BATCH:
            async with house.db.write() as session:
                followed = await silence.look(session, contract, house.clock.now())
        house.wakes.sending.set()
        deleted = keeping.AT_ONCE
        while deleted == keeping.AT_ONCE:
            async with house.db.write() as session:
                deleted = await keeping.delete_recordings(session, contract, house.clock.now())
    return 0


async def beat_heart(house: House) -> int:
    """Call HELPLINE_HEARTBEAT_URL, if there is one and every loop here is well."""
    if not house.settings.heartbeat_url:
        return 0
    async with house.db.read() as session:
        now = house.clock.now()
        if await beats.unwell(session, house.node, now):
            return 0
        if await beats.failing(session, house.node, now):
            return 0
    timeout = aiohttp.ClientTimeout(total=10)
    async with (
        outgoing.client((), [house.settings.heartbeat_url], timeout=timeout) as client,
        client.get(house.settings.heartbeat_url, allow_redirects=False) as answer,
    ):
        answer.raise_for_status()
    return 1
