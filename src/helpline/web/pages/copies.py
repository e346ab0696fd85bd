"""Copies of the database, for leads and administrators: when the last good one was made and, after
a restore, what waits until somebody lets it go. Messages are shown one by one to whoever may see
their cases; to everybody else as numbers."""

from typing import Any

from aiohttp import web

from helpline.desk import backups, restored
from helpline.errors import Conflict, InvalidInput
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.showing import go, show


async def show_copies(request: web.Request) -> web.Response:
    return await _page(request)


async def release(request: web.Request) -> web.Response:
    """Everything that is held of the asker's contracts goes on; the form says what becomes of the
    messages."""
    keys = [one.key for one in contracts_of(request, restored.ACTION)]
    choice = await field(request, "messages")
    try:
        async with house_of(request).db.write() as session:
            await restored.release(session, keys, choice, actor_of(request), now_of(request))
    except InvalidInput as error:
        return await _page(request, 400, str(error))
    except Conflict as error:
        return await _page(request, 409, str(error))
    house_of(request).wakes.sending.set()
    return go("/copies?done=released")


async def settle_one(request: web.Request) -> web.Response:
    """One message is sent or thrown away."""
    choice = await field(request, "choice")
    if choice not in ("send", "throw_away"):
        return await _page(request, 400, "Send the message, or throw it away.")
    try:
        async with house_of(request).db.write() as session:
            await restored.settle_one(
                session,
                number_in_path(request, "id"),
                actor_of(request),
                now_of(request),
                is_sent=choice == "send",
            )
    except Conflict as error:
        return await _page(request, 409, str(error))
    house_of(request).wakes.sending.set()
    return go(f"/copies?done={choice}")


async def _page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
    house, now = house_of(request), now_of(request)
    keys = [one.key for one in contracts_of(request, restored.ACTION)]
    async with house.db.read() as session:
        waiting = await restored.waiting(session, keys)
        values: dict[str, Any] = {
            "waiting": waiting,
            "messages": await restored.messages(session, actor_of(request)) if waiting else [],
            "runs": await backups.newest(session),
            "is_too_old": await backups.is_too_old(session, now),
        }
    return show(
        request,
        "copies.html.j2",
        status,
        is_made=house.settings.backup_dir is not None,
        problem=problem,
        done=request.query.get("done"),
        **values,
    )
