"""The job that fetches what people attached: claim, commit, fetch, check, settle. No connection is
held while a provider is called, and no file is looked at on the loop's own thread."""

import asyncio
from typing import cast

from helpline.channels import FetchesMedia
from helpline.desk import attachments, mailing, uploads, webchat
from helpline.desk.attachments import LARGEST, Claimed
from helpline.desk.house import House
from helpline.log import log, where


async def fetch_all(house: House) -> int:
    """Fetch whatever is due until nothing is. Returns how many were tried."""
    tried = 0
    while True:
        # One at a time: each may be 16 MB, more while it is checked, and slow within its lease.
        async with house.db.write() as session:
            batch = await attachments.claim(session, house.clock.now(), limit=1)
        if not batch:
            break
        await _fetch(house, batch[0])
        tried += 1
        async with house.wakes.pages:
            house.wakes.pages.notify_all()
    return tried


async def _fetch(house: House, claimed: Claimed) -> None:
    channel = house.channels.get(claimed.channel)
    content, is_lost = None, False
    if claimed.channel == mailing.CHANNEL:  # it came with its letter, and that is kept
        async with house.db.read() as session:
            letter = await mailing.kept(session, claimed.media)
        content = await asyncio.to_thread(mailing.part, letter, claimed.media) if letter else None
        content = content if content and len(content) <= LARGEST else None
        is_lost = content is None
    elif claimed.channel == webchat.CHANNEL:  # handed in on our own page, and kept there
        async with house.db.read() as session:
            content = await uploads.content_of(session, claimed.media.key)
        is_lost = content is None
    elif channel is not None and hasattr(channel, "fetch"):
        try:
            fetched = await cast(FetchesMedia, channel).fetch(claimed.media, LARGEST)
            content, is_lost = fetched.content, fetched.is_lost
        except Exception as error:  # a bot never raises; if one does, its media is not lost
            log().error("attachment.bot_failed", channel=claimed.channel, where=where(error))
    if content is None:
        async with house.db.write() as session:
            await attachments.put_off(session, claimed, is_lost, house.clock.now())
        return
    found = await asyncio.to_thread(attachments.checked, content)
    async with house.db.write() as session:
        is_kept = await attachments.keep(session, claimed, found, house.clock.now())
        if is_kept and claimed.channel == webchat.CHANNEL:
            await uploads.forget(session, claimed.media.key)
