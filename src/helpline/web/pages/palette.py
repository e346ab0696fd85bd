"""What the palette of commands offers somebody: the pages that are open to them, and the cases they
opened last. Asked by palette.js when it is opened; what can be done on a page it takes from the
page itself.
"""

from typing import Any

from aiohttp import web

from helpline.desk import recents
from helpline.rules.permissions import Actor, may
from helpline.web.asked import actor_of, house_of
from helpline.web.pages.case import Words
from helpline.web.showing import MORE, navigation_of

ALWAYS = (
    # address, what it says, one sentence, the action
    ("/new-case", "Write down a new case", "In person, a letter, another telephone.", "case.reply"),
    ("/account", "Your sign-ins and alerts", "How alerts reach you; your password.", "session.own"),
)


async def offer(request: web.Request) -> web.Response:
    actor = actor_of(request)
    async with house_of(request).db.read() as session:
        opened = await recents.opened(session, actor)
    contracts = house_of(request).contracts
    cases = [
        line(
            f"/cases/{row.reference}",
            f"{row.reference} {row.name or 'Somebody not known yet'}",
            Words(contracts[row.contract])("reason", row.reason),
        )
        for row in opened
        if row.contract in contracts
    ]
    return web.json_response({"pages": pages_for(actor), "cases": cases})


def pages_for(actor: Actor) -> list[dict[str, str]]:
    """Each page once, those in the head first."""
    above = [(at, name, "") for at, name, _ in navigation_of(actor)]
    more = [(at, name, words) for at, name, words, act in (*ALWAYS, *MORE) if may(actor, act)]
    known = {at for at, _, _ in above}
    return [line(*one) for one in (*above, *(one for one in more if one[0] not in known))]


def line(at: str, name: str, words: str = "") -> dict[str, Any]:
    return {"at": at, "name": name, "words": words}
