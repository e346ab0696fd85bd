"""One's own second factors: an app, passkeys, ten codes on paper, the organisation's account. For
whoever must have one and has none it is the only page there is."""

from typing import Any
from urllib.parse import quote

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import access, access_accounts, access_codes, access_passkeys, access_steps
from helpline.errors import Conflict, InvalidInput
from helpline.web import auth
from helpline.web.asked import (
    SIGNED_IN,
    actor_of,
    field,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.pages.login import name_of
from helpline.web.pages.login_second import tell
from helpline.web.provider import PROVIDER
from helpline.web.showing import go, show


async def show_factors(request: web.Request) -> web.Response:
    return await _page(request)


# --- the app -------------------------------------------------------------------------------------


async def begin_app(request: web.Request) -> web.Response:
    try:
        async with house_of(request).db.write() as session:
            await access_codes.begin_app(session, actor_of(request), now_of(request))
    except Conflict as error:
        return await _page(request, 409, str(error))
    return go("/account/second/app")


async def show_app(request: web.Request) -> web.Response:
    return await _app_page(request)


async def picture(request: web.Request) -> web.Response:
    """The square to scan, for the person who sets it up and only until the first code fits."""
    async with house_of(request).db.read() as session:
        secret = await access_codes.pending_secret(session, actor_of(request))
        name = await name_of(session, actor_of(request).user_id)
    drawn = access_codes.picture(access_codes.address_of(secret, quote(name)))
    return web.Response(body=drawn, content_type="image/svg+xml")


async def confirm_app(request: web.Request) -> web.Response:
    """The first code shows that the app works; with the first factor come ten codes on paper."""
    actor, now = actor_of(request), now_of(request)
    try:
        async with house_of(request).db.write() as session:
            await access_codes.confirm_app(session, actor, await field(request, "code"), now)
    except InvalidInput as error:
        return await _app_page(request, 400, str(error))
    return await _added(request)


async def end_app(request: web.Request) -> web.Response:
    house = house_of(request)
    try:
        async with house.db.write() as session:
            await access_codes.end_app(session, actor_of(request), now_of(request), _must(request))
            await _after_an_end(request, session)
    except Conflict as error:
        return await _page(request, 409, str(error))
    return go("/account/second?done=ended")


# --- passkeys ------------------------------------------------------------------------------------


async def ask_passkey(request: web.Request) -> web.Response:
    """What the device is asked to make, for the script."""
    site = auth.site_of(request)
    if site is None:
        raise InvalidInput(access_passkeys.NOT_MADE)
    async with house_of(request).db.write() as session:
        token, options = await access_passkeys.begin_adding(
            session, site, actor_of(request), now_of(request)
        )
    response = web.Response(text=options, content_type="application/json")
    auth.keep_step(request, response, access_steps.ADDING, token)
    return response


async def add_passkey(request: web.Request) -> web.Response:
    actor, now, site = actor_of(request), now_of(request), auth.site_of(request)
    credential, name = await field(request, "credential"), await field(request, "name")
    try:
        if site is None:
            raise InvalidInput(access_passkeys.NOT_MADE)
        async with house_of(request).db.write() as session:
            token = auth.step_of(request, access_steps.ADDING)
            await access_passkeys.add(session, site, token, credential, name, actor, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, 400, str(error), target="passkey-name")
    return await _added(request)


async def end_passkey(request: web.Request) -> web.Response:
    actor, now, key_id = actor_of(request), now_of(request), number_in_path(request, "id")
    try:
        async with house_of(request).db.write() as session:
            await access_passkeys.end(session, key_id, actor, now, _must(request))
            await _after_an_end(request, session)
    except Conflict as error:
        return await _page(request, 409, str(error))
    return go("/account/second?done=ended")


# --- on paper ------------------------------------------------------------------------------------


async def make_papers(request: web.Request) -> web.Response:
    """Ten new ones, on this answer and nowhere else."""
    actor, now = actor_of(request), now_of(request)
    codes = access_codes.fresh_papers()
    hashes = await access_codes.paper_hashes(codes)
    async with house_of(request).db.write() as session:
        await access_codes.keep_papers(session, actor, hashes, now)
        await tell(request, session, actor.user_id, "papers")
    return await _papers_page(request, codes)


# --- private -------------------------------------------------------------------------------------


async def _added(request: web.Request) -> web.Response:
    """A factor was added: this session is whole, every other one ends, and whoever has no codes on
    paper yet gets them now."""
    house, now, signed = house_of(request), now_of(request), request[SIGNED_IN]
    user_id = signed.actor.user_id
    async with house.db.write() as session:
        have = await access_codes.standing(session, user_id)
        await access.revoke_all(session, user_id, now, except_id=signed.session_id)
        request[auth.NEW_TOKEN] = await access.confirm(session, signed, now, is_second=True)
        await tell(request, session, user_id, "factor_added")
    if have.papers:
        return go("/account/second?done=added")
    codes = access_codes.fresh_papers()
    hashes = await access_codes.paper_hashes(codes)
    async with house.db.write() as session:
        await access_codes.keep_papers(session, actor_of(request), hashes, now)
    return await _papers_page(request, codes, is_first=True)


async def _after_an_end(request: web.Request, session: AsyncSession) -> None:
    signed = request[SIGNED_IN]
    await access.revoke_all(
        session, signed.actor.user_id, now_of(request), except_id=signed.session_id
    )
    await tell(request, session, signed.actor.user_id, "factor_ended")


def _must(request: web.Request) -> bool:
    return house_of(request).settings.second_factor_required


async def _papers_page(
    request: web.Request, codes: list[str], *, is_first: bool = False
) -> web.Response:
    shown = [access_codes.as_printed(code) for code in codes]
    return show(request, "account_papers.html.j2", codes=shown, is_first=is_first)


async def _app_page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
    async with house_of(request).db.read() as session:
        secret = await access_codes.pending_secret(session, actor_of(request))
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    return show(request, "account_app.html.j2", status, groups=groups, problem=problem)


async def _page(
    request: web.Request, status: int = 200, problem: str = "", target: str = ""
) -> web.Response:
    signed, there = request[SIGNED_IN], request.app[PROVIDER].provider
    user_id = signed.actor.user_id
    async with house_of(request).db.read() as session:
        have = await access_codes.standing(session, user_id)
        keys = await access_passkeys.own(session, user_id)
        is_linked = there is not None and await access_accounts.is_linked(
            session, user_id, there.issuer
        )
    values: dict[str, Any] = {"have": have, "keys": keys, "problem": problem, "target": target}
    values |= {"must": _must(request) and not signed.is_second, "few": access_codes.FEW}
    values |= {"can_passkey": auth.site_of(request) is not None, "is_linked": is_linked}
    values |= {"has_provider": there is not None, "done": request.query.get("done")}
    return show(request, "account_second.html.j2", status, **values)
