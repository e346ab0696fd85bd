"""One's own sign-ins and password: where am I signed in, end that, change this."""

from typing import Any

from aiohttp import web
from sqlalchemy import select

from helpline.desk import access, linking
from helpline.errors import InvalidInput
from helpline.models import metadata
from helpline.web.asked import SIGNED_IN, actor_of, fields, house_of, now_of, number_in_path
from helpline.web.showing import go, show

USER = metadata.tables["user"]


async def show_account(request: web.Request) -> web.Response:
    return await _page(request)


async def change_password(request: web.Request) -> web.Response:
    """Needs the old one; every other browser is signed out."""
    house, now, signed = house_of(request), now_of(request), request[SIGNED_IN]
    old = (await fields(request, "old") or [""])[-1]
    new = (await fields(request, "new") or [""])[-1]
    async with house.db.read() as session:
        query = select(USER.c.password_hash).where(USER.c.id == signed.actor.user_id)
        known = (await session.execute(query)).scalar_one()
    try:
        if not await access.fits(known, old):
            raise InvalidInput("The old password is not right.")
        new_hash = await access.hashed(new)
    except InvalidInput as error:
        return await _page(request, 400, str(error))
    async with house.db.write() as session:
        await access.set_password(
            session, signed.actor.user_id, new_hash, signed.actor, now, signed.session_id
        )
    return go("/account?done=password")


async def end_session(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        await access.revoke(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    return go("/account?done=ended")


async def make_code(request: web.Request) -> web.Response:
    """A one-time code for one's own Telegram, shown on this answer and nowhere else."""
    async with house_of(request).db.write() as session:
        code = await linking.make_code_for_user(session, actor_of(request), now_of(request))
    return await _page(request, code=code)


async def _page(
    request: web.Request, status: int = 200, problem: str = "", code: str = ""
) -> web.Response:
    actor = actor_of(request)
    async with house_of(request).db.read() as session:
        sessions = await access.sessions_of(session, actor.user_id, now_of(request))
    done = request.query.get("done")
    values: dict[str, Any] = {"sessions": sessions, "problem": problem, "done": done}
    values |= {"code": code, "has_telegram": "telegram" in house_of(request).channels}
    return show(request, "account.html.j2", status, **values)
