"""Who may sign in: for administrators, who see no case and no report. Team leads see who is reached
by alerts and how, and put that right; they add and end nobody, and give whoever lost their second
factor a new start."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import access, access_factors, access_invitations, ways
from helpline.errors import Conflict, InvalidInput
from helpline.models import Invitation, User
from helpline.rules.permissions import may
from helpline.vocabulary import CASEWORKERS, Role
from helpline.web.asked import actor_of, field, house_of, now_of, number_in_path
from helpline.web.pages.account import WAY_NAMES, reach_of
from helpline.web.pages.login_second import tell
from helpline.web.showing import go, show


@dataclass(frozen=True)
class Link:
    """A link that was just made, shown on this answer and nowhere else."""

    address: str
    for_whom: str
    is_renewal: bool
    is_mailed: bool


async def show_users(request: web.Request) -> web.Response:
    return await _page(request)


async def add(request: web.Request) -> web.Response:
    """Invite somebody: they choose their own password, behind a link that is good once."""
    house, now, by = house_of(request), now_of(request), actor_of(request)
    names = ("name", "shown_name", "role", "contract", "email")
    typed = {name: await field(request, name) for name in names}
    contract = typed["contract"]
    try:
        if contract and contract not in house.contracts:
            raise InvalidInput("Choose a contract from the list.")
        async with house.db.write() as session:
            made, token = await access_invitations.invite(
                session,
                typed["name"],
                typed["shown_name"][:80],
                typed["role"],
                contract or None,
                typed["email"],
                by,
                now,
            )
            link = await _handed_over(request, session, made, token)
    except (InvalidInput, Conflict) as error:
        return await _page(request, 400, str(error), typed)
    return await _page(request, link=link)


async def set_password(request: web.Request) -> web.Response:
    """Somebody forgot theirs: a link by which they choose another. Nobody chooses it for them."""
    user_id, by, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    async with house_of(request).db.write() as session:
        made, token = await access_invitations.invite_back(session, user_id, by, now)
        link = await _handed_over(request, session, made, token)
    return await _page(request, link=link)


async def make_anew(request: web.Request) -> web.Response:
    """A new link for an invitation that is lost or has run out; the old one is void."""
    invitation, by, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    async with house_of(request).db.write() as session:
        made, token = await access_invitations.make_anew(session, invitation, by, now)
        link = await _handed_over(request, session, made, token)
    return await _page(request, link=link)


async def take_back(request: web.Request) -> web.Response:
    invitation, by, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    async with house_of(request).db.write() as session:
        await access_invitations.take_back(session, invitation, by, now)
    return go("/users?done=taken_back#invitations")


async def reset_factors(request: web.Request) -> web.Response:
    """Telephone and paper are lost: a new start, with a reason; they are told of it."""
    user_id, by, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    reason = await field(request, "reason")
    try:
        async with house_of(request).db.write() as session:
            user = await ways.find(session, user_id)
            await access_factors.reset(session, user, reason, by, now)
            was_told = await tell(request, session, user_id, "reset")
    except InvalidInput as error:
        return await _page(
            request, 400, str(error), {f"reason-{user_id}": reason}, f"reason-{user_id}"
        )
    done = "reset" if was_told else "reset_untold"
    return go(f"/users?done={done}#user-{user_id}")


async def sign_out(request: web.Request) -> web.Response:
    """Everywhere and at once; they may sign in again."""
    user_id = number_in_path(request, "id")
    async with house_of(request).db.write() as session:
        user = await ways.find(session, user_id)
        await access_factors.sign_out(session, user, actor_of(request), now_of(request))
    return go(f"/users?done=signed_out#user-{user_id}")


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


async def _handed_over(
    request: web.Request, session: AsyncSession, made: Invitation, token: str
) -> Link:
    """The link, and by letter where we have letters and an address."""
    house, now = house_of(request), now_of(request)
    address = f"{house.settings.public_url}/invitation/{token}"
    is_mailed = "email" in house.channels and await access_factors.mail_link(
        session, house.contracts, house.wording, made, address, now
    )
    house.wakes.sending.set()
    return Link(address, made.name, made.is_renewal, is_mailed)


async def _page(
    request: web.Request,
    status: int = 200,
    problem: str = "",
    typed: dict[str, str] | None = None,
    target: str = "name",
    link: Link | None = None,
) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    query = select(User).order_by(col(User.left_at).is_not(None), col(User.name))
    async with house_of(request).db.read() as session:
        users = list(await session.scalars(query.limit(500)))
        invited = (
            await access_invitations.listed(session, actor, now)
            if may(actor, "user.manage")
            else []
        )
    reach = reach_of(request)
    asked = [one for one in users if one.role in CASEWORKERS and one.left_at is None]
    values: dict[str, Any] = {
        "users": users,
        "problem": problem,
        "target": target,
        "typed": typed or {},
        "roles": list(Role),
        "may_manage": may(actor, "user.manage"),
        "may_reset": {one.id for one in users if access_factors.may_reset(actor, one)},
        "invited": invited,
        "link": link,
        "has_mail": "email" in house_of(request).channels,
        "ways": {one.id: ways.ways_of(one, reach) for one in asked},
        "few": [one for one in asked if ways.count(one, reach) < ways.ENOUGH],
        "count_of": {one.id: ways.count(one, reach) for one in asked},
        "way_names": WAY_NAMES,
    }
    done = request.query.get("done")
    contracts = house_of(request).contracts
    return show(request, "users.html.j2", status, done=done, contracts=contracts, **values)
