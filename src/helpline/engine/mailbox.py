"""The job that reads the mailbox: everything in it is kept, and only then marked as read.

It stands where other channels have a hook. A letter that is marked as read by somebody else's mail
program before we saw it is found by the reconciler. Which letter matters, intake decides.
"""

from typing import cast

from helpline.channels import ReadsMailbox
from helpline.desk.house import House
from helpline.log import log


class SomeUnread(Exception):
    """Letters lie in the mailbox that its server would not hand over."""


async def read_mailbox(house: House) -> int:
    """Keep what waits in every mailbox. Returns how many letters; raises when one could not be
    read, after all others are kept: they stay unread and are asked for again."""
    kept, failed = 0, 0
    for channel in house.channels.values():
        if hasattr(channel, "waiting"):
            now_kept, now_failed = await _empty(house, cast(ReadsMailbox, channel))
            kept, failed = kept + now_kept, failed + now_failed
    if failed:
        raise SomeUnread
    return kept


async def _empty(house: House, mailbox: ReadsMailbox) -> tuple[int, int]:
    """Look until nothing new waits. A server that forgets what was marked is not asked for ever."""
    seen: set[str] = set()
    while True:
        found, failed = await mailbox.waiting()
        new = [one for one in found if one.place not in seen]
        if not new:
            return len(seen), failed
        for one in new:
            now = house.clock.now()
            await house.inbox.keep(one.inbound, min(one.inbound.sent_at or now, now))
        await mailbox.mark_read([one.place for one in new])
        seen.update(one.place for one in new)
        log().info("mailbox.read", count=len(new))
