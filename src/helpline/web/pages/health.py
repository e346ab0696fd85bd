"""What machines ask: does the process live, does the helpline work, how much of what happened.

Carries no personal data and says no more than a word in public.
"""

from collections.abc import Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import beats
from helpline.models import metadata
from helpline.vocabulary import ItemState, OutState
from helpline.web.asked import house_of, now_of

ITEM = metadata.tables["inbound_item"]
OUT = metadata.tables["out_message"]
ALERT = metadata.tables["alert"]


async def lives(request: web.Request) -> web.Response:
    """The process answers: nothing else is asked, so that a slow database does not restart it."""
    return web.Response(text="alive\n")


async def works(request: web.Request) -> web.Response:
    """503 with a word while the database or a loop of this node does not answer."""
    house = house_of(request)
    try:
        async with house.db.read() as session:
            late = await beats.unwell(session, house.node, now_of(request))
    except Exception:  # whatever the driver says, the answer is the same
        return web.Response(status=503, text="the database does not answer\n")
    if late:
        return web.Response(status=503, text="waiting for: " + ", ".join(late) + "\n")
    return web.Response(text="ready\n")


async def counters(request: web.Request) -> web.Response:
    """Prometheus text: this process's counters, then what waits in the database."""
    async with house_of(request).db.read() as session:
        waiting = await _waiting(session)
    lines = [generate_latest().decode()]
    for name, number in waiting.items():
        lines.append(f"# TYPE helpline_{name} gauge\nhelpline_{name} {number}\n")
    return web.Response(body="".join(lines).encode(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _waiting(session: AsyncSession) -> Mapping[str, int]:
    unsent = (OutState.QUEUED, OutState.UNSURE, OutState.SENDING)
    questions = {
        "items_waiting": select(func.count()).where(ITEM.c.state == ItemState.KEPT),
        "items_set_aside": select(func.count()).where(ITEM.c.state == ItemState.SET_ASIDE),
        "messages_waiting": select(func.count()).where(OUT.c.state.in_(unsent)),
        "alerts_open": select(func.count()).where(ALERT.c.next_rung_at.is_not(None)),
    }
    return {
        name: int((await session.execute(query)).scalar_one()) for name, query in questions.items()
    }
