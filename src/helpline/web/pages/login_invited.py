"""The page that a one-time link opens: whom it is for, and a password of one's own. Nobody is
signed in here; whoever holds the link is whoever it was made for."""

from typing import Any

from aiohttp import web

from helpline.desk import access, access_invitations
from helpline.errors import Conflict, HelplineError, InvalidInput, NotFound
from helpline.web import auth
from helpline.web.asked import fields, house_of, now_of
from helpline.web.pages import login, login_provider
from helpline.web.pages.login_second import tell
from helpline.web.provider import PROVIDER
from helpline.web.showing import show


async def ask(request: web.Request) -> web.Response:
    return await _page(request)


async def accept(request: web.Request) -> web.Response:
    """The password is hashed before the link is used up: one that may not be leaves it good."""
    house, now, token = house_of(request), now_of(request), request.match_info["token"]
    password = (await fields(request, "password") or [""])[-1]
    async with house.db.read() as session:
        found = await access_invitations.find(session, token, now)
    try:
        names = (found.name, found.shown_name, *auth.words_of_ours(request))
        password_hash = await access.hashed(password, *names)
        async with house.db.write() as session:
            user_id = await access_invitations.accept(session, token, password_hash, now)
            if found.is_renewal:
                await tell(request, session, user_id, "password")
    except (InvalidInput, Conflict) as error:
        return await _page(request, 400, str(error))
    then = "" if found.is_renewal else "/account/second"
    return await login.first_door(request, user_id, then, access.How("invitation"))


async def go_on(request: web.Request) -> web.Response:
    """By the organisation's sign-in instead of a password."""
    token = request.match_info["token"]
    async with house_of(request).db.read() as session:
        found = await access_invitations.find(session, token, now_of(request))
    if found.is_renewal:
        raise NotFound(access_invitations.GONE)
    return await login_provider.going_on(request, login_provider.INVITED, invitation=token)


async def _page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
    house = house_of(request)
    try:
        async with house.db.read() as session:
            found = await access_invitations.find(
                session, request.match_info["token"], now_of(request)
            )
    except HelplineError as error:
        return show(request, "failure.html.j2", 404, title="Not any more", sentence=str(error))
    contract = house.contracts.get(found.contract or "")
    values: dict[str, Any] = {"found": found, "problem": problem, "contract": contract}
    values["has_provider"] = request.app[PROVIDER].provider is not None and not found.is_renewal
    return show(request, "login_invited.html.j2", status, **values)
