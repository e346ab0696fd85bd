"""One's own sign-ins, password and alerts: where am I signed in and since when, by which ways am I
asked and in which order, and does that arrive. Second factors have a page of their own."""

from typing import Any

from aiohttp import web
from sqlalchemy import select

from helpline.desk import access, access_codes, access_factors, climbing, guessing, linking, ways
from helpline.errors import Conflict, InvalidInput
from helpline.models import metadata
from helpline.rules.permissions import may
from helpline.web import auth
from helpline.web.asked import (
    SIGNED_IN,
    actor_of,
    contracts_of,
    field,
    fields,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.showing import go, show

USER = metadata.tables["user"]
WAY_NAMES = {
    "telegram": "Telegram",
    "sms": "Text message",
    "voice": "Telephone call",
    "email": "E-mail",
}


async def show_account(request: web.Request) -> web.Response:
    return await _page(request)


async def change_password(request: web.Request) -> web.Response:
    """Needs the old one; every other browser is signed out."""
    house, now, signed = house_of(request), now_of(request), request[SIGNED_IN]
    old = (await fields(request, "old") or [""])[-1]
    new = (await fields(request, "new") or [""])[-1]
    user_id = signed.actor.user_id
    async with house.db.read() as session:
        query = select(USER.c.password_hash, USER.c.name).where(USER.c.id == user_id)
        known, name = (await session.execute(query)).one()
    browser = request.cookies.get(auth.cookie_name(request, auth.BROWSER))
    try:
        async with house.db.write() as session:
            tries = await guessing.count_second(session, user_id, name, browser, now)
    except guessing.TooSoon as too_soon:
        return await _page(request, 429, str(too_soon))
    try:
        if not await access.fits(known, old):
            async with house.db.write() as session:
                await access.refused(session, user_id, "old_password", now)
            raise InvalidInput("The old password is not right.")
        async with house.db.write() as session:
            await guessing.forget(session, tries)
        names = (name, signed.actor.name, *auth.words_of_ours(request))
        new_hash = await access.hashed(new, *names)
    except InvalidInput as error:
        return await _page(request, 400, str(error))
    async with house.db.write() as session:
        await access.set_password(session, user_id, new_hash, signed.actor, now, signed.session_id)
        request[auth.NEW_TOKEN] = await access.confirm(session, signed, now)
        await access_factors.tell(
            session, house.contracts, house.wording, reach_of(request), user_id, "password", now
        )
    house.wakes.sending.set()
    return go("/account?done=password")


async def end_session(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        await access.revoke(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    return go("/account?done=ended")


async def end_others(request: web.Request) -> web.Response:
    """Everywhere but here."""
    signed = request[SIGNED_IN]
    async with house_of(request).db.write() as session:
        await access.revoke_all(
            session, signed.actor.user_id, now_of(request), except_id=signed.session_id
        )
    return go("/account?done=others")


async def make_code(request: web.Request) -> web.Response:
    """A one-time code for one's own Telegram, shown on this answer and nowhere else."""
    async with house_of(request).db.write() as session:
        code = await linking.make_code_for_user(session, actor_of(request), now_of(request))
    return await _page(request, code=code)


async def move_way(request: web.Request) -> web.Response:
    """One of one's own ways goes up or down in the order."""
    means, step = await field(request, "means"), await field(request, "step")
    actor = actor_of(request)
    async with house_of(request).db.write() as session:
        user = await ways.find(session, actor.user_id)
        await ways.move(session, user, means, step, actor, now_of(request))
    return go("/account?done=order#ways")


async def try_ways(request: web.Request) -> web.Response:
    """A test to oneself by every way, through the same outbox as an alert."""
    house, actor = house_of(request), actor_of(request)
    contracts = contracts_of(request, "alert.acknowledge")
    try:
        if not contracts:
            raise Conflict("There is no contract here that a test could go out for.")
        async with house.db.write() as session:
            user = await ways.find(session, actor.user_id)
            reach = reach_of(request)
            key = contracts[0].key
            await ways.try_out(session, house.wording, reach, key, user, now_of(request))
    except Conflict as error:
        return await _page(request, 409, str(error), target="ways")
    house.wakes.sending.set()
    return go("/account?done=tested#ways")


def reach_of(request: web.Request) -> climbing.Reach:
    """What this helpline can ask by."""
    house = house_of(request)
    return climbing.Reach(frozenset(house.channels), house.settings.public_url)


async def _page(
    request: web.Request, status: int = 200, problem: str = "", code: str = "", target: str = "old"
) -> web.Response:
    actor = actor_of(request)
    async with house_of(request).db.read() as session:
        sessions = await access.sessions_of(session, actor.user_id, now_of(request))
        have = await access_codes.standing(session, actor.user_id)
        user = await ways.find(session, actor.user_id)
        tried = await ways.tried(session, actor.user_id)
    done = request.query.get("done")
    values: dict[str, Any] = {"sessions": sessions, "problem": problem, "done": done}
    values |= {"have": have, "methods": access.METHODS}
    values |= {"code": code, "has_telegram": "telegram" in house_of(request).channels}
    values |= {"tried": tried, "target": target, "may_be_asked": may(actor, "alert.acknowledge")}
    values |= {"ways": ways.ways_of(user, reach_of(request)), "way_names": WAY_NAMES}
    return show(request, "account.html.j2", status, **values)
