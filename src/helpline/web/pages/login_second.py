"""The second door: a code of the app, a code on paper, or a passkey, after a password fitted. The
browser holds a token of what was begun; without it there is nothing to see here."""

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import (
    access,
    access_codes,
    access_factors,
    access_passkeys,
    access_steps,
    guessing,
)
from helpline.desk.access_steps import Step
from helpline.errors import InvalidInput
from helpline.log import log
from helpline.web import auth
from helpline.web.asked import field, house_of, now_of
from helpline.web.pages.account import reach_of
from helpline.web.pages.login import let_in, name_of
from helpline.web.showing import go, show

WRONG = "That code is not right. Type the one the app shows now, or one from your paper."
SUSPICIOUS = 5
"""Wrong codes after a right password: whoever guesses knows the password."""


async def ask(request: web.Request) -> web.Response:
    step = await _step(request)
    return await _page(request, step) if step else go("/login?stale")


async def prove(request: web.Request) -> web.Response:
    """Counted before it is looked at. What fits ends the step and opens a session."""
    house, now, step = house_of(request), now_of(request), await _step(request)
    if step is None or step.user_id is None:
        return go("/login?stale")
    browser = request.cookies.get(auth.cookie_name(request, auth.BROWSER))
    try:
        async with house.db.write() as session:
            name = await name_of(session, step.user_id)
            tries = await guessing.count_second(session, step.user_id, name, browser, now)
    except guessing.TooSoon as too_soon:
        log().warning("login.slowed", seconds=too_soon.seconds)
        return await _page(request, step, 429, str(too_soon))
    try:
        method = await _fitting(request, step.user_id)
    except InvalidInput as error:
        await _note_wrong(request, step.user_id)
        return await _page(request, step, 400, str(error))
    async with house.db.write() as session:
        await guessing.forget(session, tries)
        token = auth.step_of(request, access_steps.SECOND)
        if await access_steps.finish(session, access_steps.SECOND, token, now) is None:
            return go("/login?stale")
        if method == "paper":
            await tell(request, session, step.user_id, "paper_used")
        how = access.How(method, is_second=True)
        response = await let_in(request, step.user_id, step.detail.get("then", ""), how, session)
    house.wakes.sending.set()
    return response


async def ask_passkey(request: web.Request) -> web.Response:
    """A challenge to the passkeys of whoever's password fitted, for the script."""
    step, site = await _step(request), auth.site_of(request)
    if step is None or site is None:
        raise InvalidInput(access_passkeys.REFUSED)
    async with house_of(request).db.write() as session:
        token, options = await access_passkeys.ask(session, site, now_of(request), step.user_id)
    response = web.Response(text=options, content_type="application/json")
    auth.keep_step(request, response, access_steps.PASSKEY, token)
    return response


async def tell(request: web.Request, session: AsyncSession, user_id: int, what: str) -> bool:
    """Somebody hears that the way they sign in was changed; False where no way to them is known."""
    house = house_of(request)
    told = await access_factors.tell(
        session, house.contracts, house.wording, reach_of(request), user_id, what, now_of(request)
    )
    house.wakes.sending.set()
    return told


async def _fitting(request: web.Request, user_id: int) -> str:
    """By which method what was typed is right; InvalidInput when by none."""
    house, now = house_of(request), now_of(request)
    code, credential = await field(request, "code"), await field(request, "credential")
    if credential:
        site = auth.site_of(request)
        if site is None:
            raise InvalidInput(access_passkeys.REFUSED)
        async with house.db.write() as session:
            token = auth.step_of(request, access_steps.PASSKEY)
            await access_passkeys.prove(session, site, token, credential, now, user_id)
        return "password_passkey"
    async with house.db.write() as session:
        if await access_codes.app_fits(session, user_id, code, now):
            return "app"
        paper = await access_codes.paper_hash(session, user_id, code)
    plain = access_codes.plain_paper(code)
    if plain and await access.fits(paper[1] if paper else None, plain) and paper:
        async with house.db.write() as session:
            if await access_codes.use_paper(session, user_id, paper[0], now):
                return "paper"
    raise InvalidInput(WRONG)


async def _note_wrong(request: web.Request, user_id: int) -> None:
    log().warning("login.second_refused")
    house, now = house_of(request), now_of(request)
    async with house.db.write() as session:
        await access.refused(session, user_id, "second", now)
        if await guessing.wrong_seconds(session, user_id, now) == SUSPICIOUS:
            await tell(request, session, user_id, "guessed")


async def _step(request: web.Request) -> Step | None:
    token = auth.step_of(request, access_steps.SECOND)
    async with house_of(request).db.read() as session:
        return await access_steps.find(session, access_steps.SECOND, token, now_of(request))


async def _page(
    request: web.Request, step: Step, status: int = 200, problem: str = ""
) -> web.Response:
    async with house_of(request).db.read() as session:
        have = await access_codes.standing(session, step.user_id or 0)
    values: dict[str, Any] = {"have": have, "problem": problem}
    values["can_passkey"] = have.passkeys and auth.site_of(request) is not None
    return show(request, "login_second.html.j2", status, **values)
