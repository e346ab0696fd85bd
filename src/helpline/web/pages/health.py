"""What machines ask: does the process live, does the helpline work, how much of what happened.

Carries no personal data and says no more than a word in public.
"""

import asyncio
import contextlib
import shutil
from pathlib import Path

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from helpline.desk import beats
from helpline.desk.gauges import Gauge, gauges
from helpline.desk.house import House
from helpline.web.asked import house_of, now_of


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
    """Prometheus text: this process's counters, what waits in the database, room on the disks."""
    house = house_of(request)
    async with house.db.read() as session:
        found = await gauges(session, house.contracts, house.node, now_of(request))
    found.append(await asyncio.to_thread(_room, house))
    lines = [generate_latest().decode(), *(_printed(one) for one in found)]
    return web.Response(body="".join(lines).encode(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _printed(gauge: Gauge) -> str:
    name = f"helpline_{gauge.name}"
    lines = [f"# HELP {name} {gauge.says}\n# TYPE {name} gauge\n"]
    for labels, value in gauge.samples:
        marks = ",".join(f'{key}="{text}"' for key, text in labels.items())
        lines.append(f"{name}{{{marks}}} {value:g}\n" if marks else f"{name} {value:g}\n")
    return "".join(lines)


def _room(house: House) -> Gauge:
    """Bytes that can still be written beside the database (on PostgreSQL: on this machine) and
    where copies go."""
    folders = {"database": house.db.path.parent if house.db.is_sqlite else Path.cwd()}
    if house.settings.backup_dir:
        folders["backups"] = house.settings.backup_dir
    samples = []
    for place, folder in folders.items():
        with contextlib.suppress(OSError):
            samples.append(({"place": place}, float(shutil.disk_usage(folder).free)))
    return Gauge("disk_free_bytes", "room left", tuple(samples))
