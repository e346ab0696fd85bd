"""That somebody is typing just now, told to the other side: no words, nothing stored, at most every
two seconds.

Called by web/pages/chat for both directions. Known in this process alone: with several processes,
who is served by another one simply sees nothing of it, and the chat works all the same.
"""

from typing import Final

from aiohttp import web

from helpline.desk import webchat
from helpline.web import live
from helpline.web.asked import house_of

EVERY: Final = 2.0
"""Seconds between two tellings of one who types; whatever comes between is not listened to."""
MOST_REMEMBERED: Final = 5_000


class Typing:
    """When each who types was last told of, in seconds of the house's steady clock."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def is_news(self, who: str, now: float) -> bool:
        """Whether to tell of it now, which then counts as told."""
        if now - self._told.get(who, now - EVERY) < EVERY:
            return False
        self._told.pop(who, None)
        self._told[who] = now  # last in the order: the longest silent go first
        while len(self._told) > MOST_REMEMBERED:
            del self._told[next(iter(self._told))]
        return True


TYPING = web.AppKey("typing", Typing)


async def carer_types(request: web.Request, contract: str, device: str) -> None:
    """The open pages of the case that this device's chat is about show it."""
    hub, house = request.app[live.HUB], house_of(request)
    is_looked_at = any(listener.case_id is not None for listener in hub.listeners)
    if not is_looked_at or not request.app[TYPING].is_news(device, house.clock.seconds()):
        return
    async with house.db.read() as session:
        case_id = await webchat.case_of(session, contract, device)
    if case_id is not None:
        hub.tell_typing(case_id)
