"""Who may sign in: for administrators, who see no case and no report."""

from typing import Any

from aiohttp import web
from sqlalchemy import select

from helpline.desk import access
from helpline.errors import Conflict, InvalidInput
from helpline.models import metadata
from helpline.vocabulary import Role
from helpline.web.asked import actor_of, field, fields, house_of, now_of, number_in_path
from helpline.web.showing import go, show

USER = metadata.tables["user"]


async def show_users(request: web.Request) -> web.Response:
    return await _page(request)


async def add(request: web.Request) -> web.Response:
    house, now, by = house_of(request), now_of(request), actor_of(request)
    typed = {n: await field(request, n) for n in ("name", "shown_name", "role", "contract")}
    contract = typed["contract"]
    password = (await fields(request, "password") or [""])[-1]
    try:
        if contract and contract not in house.contracts:
            raise InvalidInput("Choose a contract from the list.")
        async with house.db.write() as session:
            await access.add_user(
                session,
                typed["name"],
                typed["role"],
                contract or None,
                password,
                now,
                shown_name=typed["shown_name"][:80] or None,
                by=by.user_id,
            )
    except (InvalidInput, Conflict) as error:
        return await _page(request, 400, str(error), typed)
    return go("/users?done=added")


async def set_password(request: web.Request) -> web.Response:
    """Somebody forgot theirs: a new first password, and every browser of theirs is signed out."""
    user_id = number_in_path(request, "id")
    try:
        new_hash = await access.hashed((await fields(request, "password") or [""])[-1])
    except InvalidInput as error:
        return await _page(request, 400, str(error))
    async with house_of(request).db.write() as session:
        await access.set_password(session, user_id, new_hash, actor_of(request), now_of(request))
    return go("/users?done=password")


async def end_access(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        await access.end_access(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    return go("/users?done=ended")


async def _page(
    request: web.Request,
    status: int = 200,
    problem: str = "",
    typed: dict[str, str] | None = None,
) -> web.Response:
    query = select(
        USER.c.id,
        USER.c.name,
        USER.c.shown_name,
        USER.c.role,
        USER.c.contract,
        USER.c.created_at,
        USER.c.left_at,
        USER.c.opted_out_at,
    ).order_by(USER.c.left_at.is_not(None), USER.c.name)
    async with house_of(request).db.read() as session:
        users = (await session.execute(query.limit(500))).all()
    values: dict[str, Any] = {
        "users": users,
        "problem": problem,
        "typed": typed or {},
        "roles": list(Role),
    }
    done = request.query.get("done")
    contracts = house_of(request).contracts
    return show(request, "users.html.j2", status, done=done, contracts=contracts, **values)
