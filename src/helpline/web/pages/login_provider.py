"""In by the organisation's own sign-in: out to it, and what is made of what comes back.

Three ways begin here and end in one address: signing in, linking an account to somebody who is
signed in, and accepting an invitation. web/provider.py proves who it is; here it is decided what
follows from it.
"""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import access, access_accounts, access_invitations, access_steps, guessing
from helpline.desk.access_steps import PROVIDER as STEP
from helpline.desk.access_steps import Step
from helpline.errors import Conflict, HelplineError, InvalidInput, NotFound
from helpline.log import log
from helpline.web import auth, provider
from helpline.web.again import safe_path
from helpline.web.asked import SIGNED_IN, actor_of, house_of, now_of
from helpline.web.pages import login
from helpline.web.pages.login_second import tell
from helpline.web.provider import PROVIDER, Proved, Provider
from helpline.web.showing import go, show

SIGN_IN, LINK, INVITED = "sign_in", "link", "invited"


async def begin(request: web.Request) -> web.Response:
    """Straight on to the provider: nothing of ours is shown on the way."""
    then, again = safe_path(request.query.get("next", "")), "again" in request.query
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return login.form(request, then=then)  # another site's link signs nobody in by itself
    try:
        address, token = await _begun(request, SIGN_IN, then=then, again=again)
    except provider.Refused as refused:
        return _refused(request, refused)
    response = go(address)
    auth.keep_step(request, response, STEP, token)
    return response


async def begin_linking(request: web.Request) -> web.Response:
    """One's own account there is to sign one in here from now on."""
    return await going_on(request, LINK, user_id=actor_of(request).user_id)


async def end_link(request: web.Request) -> web.Response:
    house, there = house_of(request), _provider(request)
    actor = actor_of(request)
    async with house.db.write() as session:
        await access_accounts.end(session, actor, there.issuer, now_of(request))
        await tell(request, session, actor.user_id, "account")
    return go("/account/second?done=unlinked")


async def going_on(
    request: web.Request, purpose: str, *, user_id: int | None = None, invitation: str = ""
) -> web.Response:
    """A page with one link: no form of ours may lead to another site."""
    try:
        address, token = await _begun(request, purpose, user_id=user_id, invitation=invitation)
    except provider.Refused as refused:
        return _refused(request, refused)
    response = show(request, "login_going_on.html.j2", address=address, purpose=purpose)
    auth.keep_step(request, response, STEP, token)
    return response


async def come_back(request: web.Request) -> web.Response:
    """What the provider sent the browser back with. Each is good once, and only in the browser that
    went there."""
    house, now = house_of(request), now_of(request)
    try:
        there = _provider(request)
        async with house.db.write() as session:
            token = auth.step_of(request, STEP)
            step = await access_steps.finish(session, STEP, token, now)
        if step is None:
            raise provider.Refused("nothing_begun")
        proved = await there.prove(request.query, step.detail, now, house.clock.seconds())
        if step.detail["again"] and not proved.is_fresh(now):
            raise provider.Refused("not_anew")
        return await _go_in(request, step, proved)
    except provider.Refused as refused:
        return _refused(request, refused)


async def _go_in(request: web.Request, step: Step, proved: Proved) -> web.Response:
    if step.detail["purpose"] == LINK:
        return await _link(request, step, proved)
    house, now = house_of(request), now_of(request)
    try:
        async with house.db.write() as session:
            if step.detail["purpose"] == INVITED:
                user_id = await _join(session, step, proved, request)
            else:
                user_id = await _known(session, proved, request)
            how = access.How("provider", is_second=proved.is_strong)
            then = step.detail.get("then", "")
            if proved.is_strong:
                return await login.let_in(request, user_id, then, how, session)
    except HelplineError as error:
        async with house.db.write() as session:
            await access.refused(session, None, "provider", now)
        return login.form(request, 400, str(error))
    return await login.first_door(request, user_id, then, how)


async def _known(session: AsyncSession, proved: Proved, request: web.Request) -> int:
    user_id = await access_accounts.whose(session, proved.issuer, proved.subject, now_of(request))
    if user_id is None:
        raise NotFound(access_accounts.UNLINKED)
    return user_id


async def _join(session: AsyncSession, step: Step, proved: Proved, request: web.Request) -> int:
    """The invited comes by their organisation's sign-in and has no password here."""
    now, token = now_of(request), step.detail["invitation"]
    invitation = await access_invitations.find(session, token, now)
    if invitation.is_renewal:
        raise InvalidInput("This link is for a new password: choose one on its page.")
    user_id = await access_invitations.accept(session, token, "", now)
    await access_accounts.link(session, user_id, proved.issuer, proved.subject, now)
    return user_id


async def _link(request: web.Request, step: Step, proved: Proved) -> web.Response:
    """Only for whoever began it, still signed in, in the same browser."""
    signed = await auth.recognise(request)
    if signed is None or signed.actor.user_id != step.user_id:
        raise provider.Refused("signed_out_meanwhile")
    try:
        async with house_of(request).db.write() as session:
            await access_accounts.link(
                session, signed.actor.user_id, proved.issuer, proved.subject, now_of(request)
            )
            await tell(request, session, signed.actor.user_id, "account")
    except Conflict as conflict:
        return login.form(request, 409, str(conflict))
    return go("/account/second?done=linked")


async def _begun(
    request: web.Request,
    purpose: str,
    *,
    then: str = "",
    again: bool = False,
    user_id: int | None = None,
    invitation: str = "",
) -> tuple[str, str]:
    """The provider's address and the browser's token."""
    house = house_of(request)
    there = _provider(request)
    async with house.db.write() as session:  # before anybody is asked for their sake
        await guessing.count_step(session, auth.client_address(request), now_of(request))
    begun = await there.begin(house.clock.seconds(), again=again)
    detail = {"state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier}
    detail |= {"purpose": purpose, "then": then, "invitation": invitation}
    detail |= {"again": "yes" if again else ""}
    async with house.db.write() as session:
        token = await access_steps.open_step(session, STEP, now_of(request), user_id, **detail)
    return begun.address, token


def _provider(request: web.Request) -> Provider:
    there = request.app[PROVIDER].provider
    if there is None:
        raise NotFound("There is nothing at this address.")
    return there


def _refused(request: web.Request, refused: provider.Refused) -> web.Response:
    log().warning("login.provider_refused", kind=refused.check)
    if request.get(SIGNED_IN) is not None:
        raise InvalidInput(str(refused))
    return login.form(request, 400, str(refused))
