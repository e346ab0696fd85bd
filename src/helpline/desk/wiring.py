"""What the providers say of us when they are asked: do they know us, and where do they bring what
people send. Called by the page of what is still to be set up and by `helpline ready`, never while
the database is held.
"""

import asyncio
from collections.abc import Mapping
from typing import cast

from helpline.channels import Channel, TellsWiring, Wiring
from helpline.log import log, where

PATIENCE = 6.0
"""Seconds: whoever looks at the page waits for the slowest of them."""

Answers = Mapping[str, Wiring | None]
"""Channel → what was answered, None where nothing was; a channel that cannot be asked is not in."""


async def ask(channels: Mapping[str, Channel]) -> Answers:
    """Every channel that can be asked, all at once."""
    asked = {
        name: cast(TellsWiring, channel)
        for name, channel in channels.items()
        if hasattr(channel, "wiring")
    }
    answers = await asyncio.gather(*(_ask(name, one) for name, one in asked.items()))
    return dict(zip(asked, answers, strict=True))


async def _ask(name: str, channel: TellsWiring) -> Wiring | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await channel.wiring()
    except Exception as error:  # a provider that is down is something to show, no fault of ours
        log().info("wiring.not_answered", channel=name, where=where(error))
        return None
