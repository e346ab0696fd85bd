"""What the other nodes say: on PostgreSQL a commit that leaves work for a loop, or changes a page,
wakes every node at once. The beats find the same a few seconds later, so nothing hangs on this."""

import asyncio
from collections.abc import Callable

from helpline.desk.house import House
from helpline.log import log, where

AGAIN_AFTER = 1.0
"""Seconds between two tries to get the line back."""


async def hear(house: House, is_back: Callable[[], None]) -> None:
    """Listen until cancelled. `is_back` is called whenever the line stands anew: the database
    answers, and something may have been missed meanwhile."""
    was_cut = False
    while True:
        try:
            async for word in house.db.heard():
                if not word:
                    was_cut = False
                    is_back()
                await wake(house, word)
        except Exception as error:
            if not was_cut:
                log().warning("engine.hears_nothing", where=where(error))
            was_cut = True
        await asyncio.sleep(AGAIN_AFTER)


async def wake(house: House, word: str) -> None:
    """Wake whom the word is for; "" wakes everybody, and one that a newer node knows nobody."""
    if word in ("", "routing"):
        house.wakes.routing.set()
    if word in ("", "sending"):
        house.wakes.sending.set()
    if word in ("", "pages"):
        async with house.wakes.pages:
            house.wakes.pages.notify_all()
