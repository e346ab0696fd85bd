"""Who is not answered automatically at the moment, for leads and administrators: look again, lift
it or let it go on. Addresses are masked; what was written stands on the case."""

from datetime import timedelta
from typing import Any

from aiohttp import web

from helpline.desk import blocks
from helpline.errors import Conflict, InvalidInput
from helpline.rules.permissions import may
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.showing import go, show


async def show_blocks(request: web.Request) -> web.Response:
    return await _page(request)


async def lift(request: web.Request) -> web.Response:
    """They are answered again from now on."""
    block_id, reason = number_in_path(request, "id"), await field(request, "reason")
    try:
        async with house_of(request).db.write() as session:
            await blocks.lift(session, block_id, reason, actor_of(request), now_of(request))
    except (InvalidInput, Conflict) as error:
        return await _page(request, _status(error), str(error), block_id)
    return go("/blocks?done=lifted")


async def extend(request: web.Request) -> web.Response:
    """Somebody has looked again, and it goes on."""
    block_id, reason = number_in_path(request, "id"), await field(request, "reason")
    hours = await field(request, "hours")
    try:
        if not (hours.isascii() and hours.isdecimal() and len(hours) <= 4):
            raise InvalidInput("Say for how long it goes on.")
        length = timedelta(hours=int(hours))
        async with house_of(request).db.write() as session:
            await blocks.extend(
                session, block_id, reason, length, actor_of(request), now_of(request)
            )
    except (InvalidInput, Conflict) as error:
        return await _page(request, _status(error), str(error), block_id)
    return go("/blocks?done=extended")


async def _page(
    request: web.Request, status: int = 200, problem: str = "", failed: int | None = None
) -> web.Response:
    contracts = contracts_of(request, "block.manage")
    async with house_of(request).db.read() as session:
        keys = [one.key for one in contracts]
        found = await blocks.listed(session, keys, actor_of(request).user_id, now_of(request))
    values: dict[str, Any] = {
        "again": [one for one in found if one.is_soon_over],
        "others": [one for one in found if not one.is_soon_over],
        "problem": problem,
        "failed": failed,
        "typed": await field(request, "reason") if problem else "",
        "may_read": may(actor_of(request), "case.read"),
        "done": request.query.get("done"),
    }
    return show(request, "blocks.html.j2", status, **values)


def _status(error: Exception) -> int:
    return 409 if isinstance(error, Conflict) else 400
