"""Signing in and out. Says the same, and takes as long, whether or not the name exists. A password
opens only the first of two doors for whoever has a second factor: see login_second.py."""

from typing import Any, Final

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import (
    access,
    access_codes,
    access_passkeys,
    access_steps,
    guessing,
    readiness,
)
from helpline.errors import InvalidInput, NotFound
from helpline.log import log
from helpline.models import metadata
from helpline.rules.permissions import may
from helpline.web import auth
from helpline.web.again import safe_path
from helpline.web.asked import SIGNED_IN, field, fields, house_of, now_of
from helpline.web.provider import PROVIDER
from helpline.web.showing import go, navigation_of, show

USER = metadata.tables["user"]
STALE: Final = "That took too long, or was done already. Sign in again."


async def start(request: web.Request) -> web.Response:
    """The address without a path: to the first page of one's role, or to sign in."""
    signed = await auth.recognise(request)
    return go(_first_page(signed) if signed else "/login")


async def ask(request: web.Request) -> web.Response:
    signed = await auth.recognise(request)
    if signed:
        return go(_first_page(signed))
    problem = STALE if "stale" in request.query else ""
    async with house_of(request).db.read() as session:
        is_empty = await readiness.is_empty(session)
    return form(request, problem=problem, then=request.query.get("next", ""), is_empty=is_empty)


async def sign_in(request: web.Request) -> web.Response:
    """The try is counted before the password is looked at, and no connection is held meanwhile."""
    house, now = house_of(request), now_of(request)
    name, password = await field(request, "name"), await _password(request)
    then = await field(request, "next")
    browser = request.cookies.get(auth.cookie_name(request, auth.BROWSER))
    try:
        async with house.db.write() as session:
            tries = await guessing.count_try(
                session, name[:200], auth.client_address(request), browser, now
            )
    except guessing.TooSoon as too_soon:
        log().warning("login.slowed", seconds=too_soon.seconds)
        return form(request, 429, str(too_soon), name, then)
    async with house.db.read() as session:
        known = await access.known_password(session, name)
    is_right = await access.fits(known[1] if known else None, password)
    if not is_right or known is None:
        log().warning("login.refused")
        async with house.db.write() as session:
            await access.refused(session, known[0] if known else None, "password", now)
        return form(request, 400, access.REFUSED, name, then)
    async with house.db.write() as session:
        await guessing.forget(session, tries)
    return await first_door(request, known[0], then, access.How("password"))


async def first_door(
    request: web.Request, user_id: int, then: str, how: access.How
) -> web.Response:
    """One factor fitted: to the second, where somebody has one; else in. Where a second factor is
    required of everybody, the middleware lets a session of one factor only set up another."""
    house, now = house_of(request), now_of(request)
    async with house.db.write() as session:
        have = await access_codes.standing(session, user_id)
        if not have.is_any:
            return await let_in(request, user_id, then, how, session)
        token = await access_steps.open_step(
            session, access_steps.SECOND, now, user_id, then=safe_path(then), method=how.method
        )
    response = go("/login/second")
    auth.keep_step(request, response, access_steps.SECOND, token)
    return response


async def let_in(
    request: web.Request,
    user_id: int,
    then: str,
    how: access.How,
    session: AsyncSession,
) -> web.Response:
    """A session for this browser, and on to the page that was asked for."""
    how = access.How(how.method, auth.browser_of(request), how.is_second)
    old = request.cookies.get(auth.cookie_name(request, auth.SESSION))
    new = await access.sign_in(session, user_id, old, now_of(request), how)
    response = go(safe_path(then) or "/")
    auth.sign_in(request, response, new)
    return response


async def ask_passkey(request: web.Request) -> web.Response:
    """A challenge to any passkey, for the script. It says nothing of any name."""
    site = auth.site_of(request)
    if site is None:
        raise NotFound("Passkeys need an address with a name. Sign in with your password.")
    async with house_of(request).db.write() as session:
        await guessing.count_step(session, auth.client_address(request), now_of(request))
        token, options = await access_passkeys.ask(session, site, now_of(request))
    response = web.Response(text=options, content_type="application/json")
    auth.keep_step(request, response, access_steps.PASSKEY, token)
    return response


async def sign_in_by_passkey(request: web.Request) -> web.Response:
    """Both factors at once: what somebody has, opened by what they are or know."""
    house, now, site = house_of(request), now_of(request), auth.site_of(request)
    credential, then = await field(request, "credential"), await field(request, "next")
    try:
        if site is None:
            raise InvalidInput(access_passkeys.REFUSED)
        async with house.db.write() as session:
            token = auth.step_of(request, access_steps.PASSKEY)
            user_id = await access_passkeys.prove(session, site, token, credential, now)
            how = access.How("passkey", is_second=True)
            return await let_in(request, user_id, then, how, session)
    except InvalidInput as error:
        async with house.db.write() as session:
            await access.refused(session, None, "passkey", now)
        return form(request, 400, str(error), then=then)


async def sign_out(request: web.Request) -> web.Response:
    signed = request[SIGNED_IN]
    async with house_of(request).db.write() as session:
        await access.revoke(session, signed.session_id, signed.actor, now_of(request))
    response = go("/login")
    auth.sign_out(request, response)
    return response


def form(
    request: web.Request,
    status: int = 200,
    problem: str = "",
    name: str = "",
    then: str = "",
    is_empty: bool = False,
) -> web.Response:
    """`is_empty`: a fresh helpline, which nobody can sign in to."""
    values: dict[str, Any] = {"problem": problem, "name": name[:200], "then": safe_path(then)}
    values |= {"can_passkey": auth.site_of(request) is not None}
    values |= {"is_empty": is_empty}
    values |= {"has_provider": request.app[PROVIDER].provider is not None}
    return show(request, "login.html.j2", status, **values)


async def name_of(session: AsyncSession, user_id: int) -> str:
    """What somebody signs in with."""
    found = await session.execute(select(USER.c.name).where(USER.c.id == user_id))
    return str(found.scalar_one())


async def _password(request: web.Request) -> str:
    """As typed: blanks at its ends belong to a password."""
    given = await fields(request, "password")
    return given[-1] if given else ""


def _first_page(signed: access.SignedIn) -> str:
    pages = (address for address, _, _ in navigation_of(signed.actor))
    return "/users" if may(signed.actor, "user.manage") else next(pages, "/account")
