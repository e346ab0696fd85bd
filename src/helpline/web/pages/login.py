"""Signing in and out. Says the same, and takes as long, whether or not the name exists."""

from aiohttp import web

from helpline.desk import access, guessing
from helpline.log import log
from helpline.rules.permissions import may
from helpline.web import auth
from helpline.web.asked import SIGNED_IN, field, fields, house_of, now_of
from helpline.web.showing import go, navigation_of, show


async def start(request: web.Request) -> web.Response:
    """The address without a path: to the first page of one's role, or to sign in."""
    signed = await auth.recognise(request)
    return go(_first_page(signed) if signed else "/login")


async def ask(request: web.Request) -> web.Response:
    signed = await auth.recognise(request)
    if signed:
        return go(_first_page(signed))
    return _form(request, then=request.query.get("next", ""))


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
        return _form(request, 429, str(too_soon), name, then)
    async with house.db.read() as session:
        known = await access.known_password(session, name)
    if not await access.fits(known[1] if known else None, password) or known is None:
        log().warning("login.refused")
        return _form(request, 400, access.REFUSED, name, then)
    old = request.cookies.get(auth.cookie_name(request, auth.SESSION))
    async with house.db.write() as session:
        await guessing.forget(session, tries)
        new = await access.sign_in(session, known[0], old, now)
    response = go(_safe(then) or "/")
    auth.sign_in(request, response, new)
    return response


async def sign_out(request: web.Request) -> web.Response:
    signed = request[SIGNED_IN]
    async with house_of(request).db.write() as session:
        await access.revoke(session, signed.session_id, signed.actor, now_of(request))
    response = go("/login")
    auth.sign_out(request, response)
    return response


def _form(
    request: web.Request, status: int = 200, problem: str = "", name: str = "", then: str = ""
) -> web.Response:
    values = {"problem": problem, "name": name[:200], "then": _safe(then)}
    return show(request, "login.html.j2", status, **values)


async def _password(request: web.Request) -> str:
    """As typed: blanks at its ends belong to a password."""
    given = await fields(request, "password")
    return given[-1] if given else ""


def _safe(then: str) -> str:
    """Only a plain path of ours: an address of another site would be a trap for the careful."""
    is_path = then.startswith("/") and not then.startswith(("//", "/\\"))
    return then if is_path and then.isprintable() and len(then) < 200 else ""


def _first_page(signed: access.SignedIn) -> str:
    pages = (address for address, _, _ in navigation_of(signed.actor))
    return "/users" if may(signed.actor, "user.manage") else next(pages, "/account")
