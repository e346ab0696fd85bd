"""Whoever is signed in proves once more that it is them: before the way of signing in is changed,
before anybody is let in, before a record leaves the house.

Called by the middleware for routes that say `again`, and served as a page of its own. A form that
was sent is shown again with one more question, so that nothing typed is lost.
"""

from typing import Any, Final
from urllib.parse import quote

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import access, access_accounts, access_codes, access_passkeys, guessing
from helpline.desk.access import SignedIn
from helpline.errors import InvalidInput
from helpline.models import metadata
from helpline.web import auth
from helpline.web.asked import SIGNED_IN, fields, form_of, house_of, now_of
from helpline.web.provider import PROVIDER
from helpline.web.showing import go, show

USER = metadata.tables["user"]
PASSWORD, CODE, KEY = "again_password", "again_code", "again_passkey"
ANSWERS: Final = (PASSWORD, CODE, KEY)
NEVER_SHOWN: Final = frozenset({*ANSWERS, "csrf", "password", "old", "new", "code", "credential"})
"""Fields that are not written back into a page."""
WRONG: Final = "That was not right. Type your password again."


async def ask_first(request: web.Request, signed: SignedIn) -> web.Response | None:
    """The page that asks, or None where it need not be asked, or was just answered."""
    if auth.is_confirmed(request, signed):
        return None
    if request.method in ("GET", "HEAD"):
        return go(f"/account/again?next={quote(request.path)}")
    problem, status = "", 403
    if any([await _answer(request, name) for name in ANSWERS]):
        problem, status = await _checked(request, signed)
        if not problem:
            return None
    kept = [
        (name, value)
        for name, values in (await form_of(request)).items()
        if name not in NEVER_SHOWN
        for value in values
    ]
    return await _page(request, signed, request.path, kept, problem, status)


async def show_page(request: web.Request) -> web.Response:
    """For what is asked for by an address."""
    then = safe_path(request.query.get("next", ""))
    return await _page(request, request[SIGNED_IN], "/account/again", [("next", then)])


async def confirm(request: web.Request) -> web.Response:
    signed = request[SIGNED_IN]
    then = safe_path((await fields(request, "next") or [""])[-1])
    problem, status = await _checked(request, signed)
    if problem:
        return await _page(request, signed, "/account/again", [("next", then)], problem, status)
    return go(then or "/account")


async def ask_passkey(request: web.Request) -> web.Response:
    """The challenge to one's own passkeys, for the script."""
    site, signed = auth.site_of(request), request[SIGNED_IN]
    if site is None:
        raise InvalidInput(access_passkeys.REFUSED)
    async with house_of(request).db.write() as session:
        token, options = await access_passkeys.ask(
            session, site, now_of(request), signed.actor.user_id
        )
    response = web.Response(text=options, content_type="application/json")
    auth.keep_step(request, response, "passkey", token)
    return response


# --- private -------------------------------------------------------------------------------------


async def _checked(request: web.Request, signed: SignedIn) -> tuple[str, int]:
    """What is wrong with the answer ("" for nothing: the session is confirmed) and the status."""
    house, now, user_id = house_of(request), now_of(request), signed.actor.user_id
    browser = request.cookies.get(auth.cookie_name(request, auth.BROWSER))
    async with house.db.read() as session:
        name, known = await _name_and_hash(session, user_id)
    try:
        async with house.db.write() as session:
            tries = await guessing.count_second(session, user_id, name, browser, now)
    except guessing.TooSoon as too_soon:
        return str(too_soon), 429
    if not await _is_right(request, signed, known):
        async with house.db.write() as session:
            await access.refused(session, user_id, "again", now)
        return WRONG, 400
    async with house.db.write() as session:
        await guessing.forget(session, tries)
        request[auth.NEW_TOKEN] = await access.confirm(session, signed, now)
    return "", 200


async def _is_right(request: web.Request, signed: SignedIn, known: str) -> bool:
    house, now, user_id = house_of(request), now_of(request), signed.actor.user_id
    if key := await _answer(request, KEY):
        site = auth.site_of(request)
        if site is None:
            return False
        try:
            async with house.db.write() as session:
                token = auth.step_of(request, "passkey")
                await access_passkeys.prove(session, site, token, key, now, user_id)
        except InvalidInput:
            return False
        return True
    if code := await _answer(request, CODE):
        async with house.db.write() as session:
            return await access_codes.app_fits(session, user_id, code, now)
    return await access.fits(known or None, await _answer(request, PASSWORD))


async def _name_and_hash(session: AsyncSession, user_id: int) -> tuple[str, str]:
    query = select(USER.c.name, USER.c.password_hash).where(USER.c.id == user_id)
    row = (await session.execute(query)).one()
    return row.name, row.password_hash


async def _answer(request: web.Request, name: str) -> str:
    return (await fields(request, name) or [""])[-1]


async def _page(
    request: web.Request,
    signed: SignedIn,
    action: str,
    kept: list[tuple[str, str]],
    problem: str = "",
    status: int = 200,
) -> web.Response:
    user_id, provider = signed.actor.user_id, request.app[PROVIDER].provider
    async with house_of(request).db.read() as session:
        have = await access_codes.standing(session, user_id)
        _, known = await _name_and_hash(session, user_id)
        is_linked = provider is not None and await access_accounts.is_linked(
            session, user_id, provider.issuer
        )
    values: dict[str, Any] = {"action": action, "kept": kept, "problem": problem}
    values |= {"have": have, "has_password": bool(known), "is_linked": is_linked}
    values |= {"can_passkey": have.passkeys and auth.site_of(request) is not None}
    return show(request, "again.html.j2", status, **values)


def safe_path(then: str) -> str:
    """Only a plain path of ours: an address of another site would be a trap for the careful."""
    is_path = then.startswith("/") and not then.startswith(("//", "/\\"))
    return then if is_path and then.isprintable() and len(then) < 200 else ""
