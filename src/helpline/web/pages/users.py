"""Who may sign in: for administrators, who see no case and no report. Team leads see who is reached
by alerts and how, and put that right; they add and end nobody."""

from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlmodel import col

from helpline.desk import access, ways
from helpline.errors import Conflict, InvalidInput
from helpline.models import User
from helpline.rules.permissions import may
from helpline.vocabulary import CASEWORKERS, Role
from helpline.web.asked import actor_of, field, fields, house_of, now_of, number_in_path
from helpline.web.pages.account import WAY_NAMES, reach_of
from helpline.web.showing import go, show


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


async def set_addresses(request: web.Request) -> web.Response:
    """Where alerts reach somebody: their telephone number and their e-mail address."""
    user_id, actor = number_in_path(request, "id"), actor_of(request)
    mobile, email = await field(request, "mobile"), await field(request, "email")
    try:
        async with house_of(request).db.write() as session:
            user = await ways.find(session, user_id)
            await ways.set_addresses(session, user, mobile, email, actor, now_of(request))
    except InvalidInput as error:
        return await _page(request, 400, str(error), target=f"mobile-{user_id}")
    return go(f"/users?done=addresses#user-{user_id}")


async def move_way(request: web.Request) -> web.Response:
    """One of somebody's ways goes up or down in their order."""
    user_id, actor = number_in_path(request, "id"), actor_of(request)
    means, step = await field(request, "means"), await field(request, "step")
    async with house_of(request).db.write() as session:
        user = await ways.find(session, user_id)
        await ways.move(session, user, means, step, actor, now_of(request))
    return go(f"/users?done=order#user-{user_id}")


async def _page(
    request: web.Request,
    status: int = 200,
    problem: str = "",
    typed: dict[str, str] | None = None,
    target: str = "name",
) -> web.Response:
    query = select(User).order_by(col(User.left_at).is_not(None), col(User.name))
    async with house_of(request).db.read() as session:
        users = list(await session.scalars(query.limit(500)))
    reach = reach_of(request)
    asked = [one for one in users if one.role in CASEWORKERS and one.left_at is None]
    values: dict[str, Any] = {
        "users": users,
        "problem": problem,
        "target": target,
        "typed": typed or {},
        "roles": list(Role),
        "may_manage": may(actor_of(request), "user.manage"),
        "ways": {one.id: ways.ways_of(one, reach) for one in asked},
        "few": [one for one in asked if ways.count(one, reach) < ways.ENOUGH],
        "count_of": {one.id: ways.count(one, reach) for one in asked},
        "way_names": WAY_NAMES,
    }
    done = request.query.get("done")
    contracts = house_of(request).contracts
    return show(request, "users.html.j2", status, done=done, contracts=contracts, **values)
