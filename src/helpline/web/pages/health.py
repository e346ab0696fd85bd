"""What machines ask: does the process live, does the helpline work, how much of what happened.

Carries no personal data and says no more than a word in public.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

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
RUN = metadata.tables["job_run"]
NODE = metadata.tables["node"]
ASIDE = metadata.tables["set_aside"]


async def lives(request: web.Request) -> web.Response:
    """The process answers: nothing else is asked, so that a slow database does not restart it."""
    return web.Response(text="alive\n")


async def works(request: web.Request) -> web.Response:
    """503 with a word while the database does not answer or a loop of this node is late: each beat
    carries the time by which the next must come."""
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
    house = house_of(request)
    async with house.db.read() as session:
        waiting = await _waiting(session)
        jobs = await _jobs(session, house.node, now_of(request))
    lines = [generate_latest().decode()]
    for name, number in waiting.items():
        lines.append(f"# TYPE helpline_{name} gauge\nhelpline_{name} {number:g}\n")
    for name, numbers in jobs.items():
        lines.append(f"# TYPE helpline_{name} gauge\n")
        lines += [f'helpline_{name}{{job="{job}"}} {number:g}\n' for job, number in numbers]
    return web.Response(body="".join(lines).encode(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _waiting(session: AsyncSession) -> Mapping[str, float]:
    unsent = (OutState.QUEUED, OutState.UNSURE, OutState.SENDING)
    alive = NODE.c.stopped_at.is_(None)
    questions = {
        "items_waiting": select(func.count()).where(ITEM.c.state == ItemState.KEPT),
        "items_set_aside": select(func.count()).where(ITEM.c.state == ItemState.SET_ASIDE),
        "rows_set_aside": select(func.count()).select_from(ASIDE),
        "messages_waiting": select(func.count()).where(OUT.c.state.in_(unsent)),
        "alerts_open": select(func.count()).where(ALERT.c.next_rung_at.is_not(None)),
        "nodes": select(func.count()).select_from(NODE).where(alive),
        "database_seconds": select(func.max(NODE.c.database_seconds)).where(alive),
        "clock_ahead_seconds": select(func.max(func.abs(NODE.c.clock_ahead))).where(alive),
    }
    return {
        name: float((await session.execute(query)).scalar_one() or 0)
        for name, query in questions.items()
    }


async def _jobs(
    session: AsyncSession, node: str, now: datetime
) -> Mapping[str, Sequence[tuple[str, float]]]:
    """Of this node's loops: failures in a row, and how long ago the last good beat was."""
    runs = (await session.execute(select(RUN).where(RUN.c.node == node).order_by(RUN.c.job))).all()
    return {
        "job_failures": [(run.job, run.failures) for run in runs],
        "job_good_seconds_ago": [
            (run.job, (now - run.good_at).total_seconds()) for run in runs if run.good_at
        ],
    }
