"""The first page of the day: what to do next, what nobody has taken, every open case by what is
due. Asked again in part (`?part=list`) whenever something happens."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import (
    allocation,
    climbing,
    covers,
    drafts,
    escalation,
    lists,
    restored,
    rota,
    safeguarding,
    taking,
    tasks,
    todo,
    trails,
    tray,
)
from helpline.desk.lists import Filter, Scope
from helpline.desk.rota import handovers
from helpline.errors import InvalidInput, NotFound
from helpline.models import User
from helpline.rules.permissions import may
from helpline.rules.todo import Asker
from helpline.vocabulary import Role
from helpline.web import live
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.pages.case import Words
from helpline.web.showing import ZONE, go, show


async def show_inbox(request: web.Request) -> web.Response:
    chosen, after = _filter(request), request.query.get("after")
    async with house_of(request).db.read() as session:
        values = await _inbox(session, request, chosen, after)
        values["waits_since_restore"] = await restored.is_held(session)
    values["may_release"] = may(actor_of(request), restored.ACTION)
    template = "_inbox_list.html.j2" if request.query.get("part") == "list" else "inbox.html.j2"
    return show(request, template, **values)


async def acknowledge(request: web.Request) -> web.Response:
    """Take an alert: the ladder rests, and its case is the next thing on the screen."""
    house, actor = house_of(request), actor_of(request)
    alert_id = number_in_path(request, "id")
    async with house.db.write() as session:
        contract = await lists.contract_of_alert(session, actor, alert_id)
        if contract is None or not may(actor, "alert.acknowledge", contract):
            raise NotFound("There is no such alert, or it is not yours to take.")
        await escalation.must_be_theirs(session, alert_id, actor.role)
        alert = await escalation.acknowledge(session, alert_id, actor.user_id, now_of(request))
        reference, kind, case_id = alert.reference, alert.kind, alert.case_id
        place = climbing.place_of(alert)
        await taking.tell(session, house, [alert], actor.user_id, now_of(request))
    if place == "/tray":
        return go(place)
    if kind in ("rota_gap", "rota_nobody"):
        return go("/rota")
    back = await field(request, "back")
    if place.startswith(("/complaints/", "/incidents/")):
        return go(place)
    return go(f"/cases/{reference}" if case_id is not None and back != "inbox" else "/inbox")


async def _inbox(
    session: AsyncSession, request: web.Request, chosen: Filter, after: str | None
) -> dict[str, Any]:
    now, contracts = now_of(request), contracts_of(request, "case.read")
    keys = [contract.key for contract in contracts]
    actor = actor_of(request)
    held = await covers.of_worker(session, actor.user_id, now)
    scope = Scope(actor, keys, today_ends(now), [one.case_id for one in held])
    alerts = await lists.open_alerts(session, actor, keys)
    on_call = {one.key: await rota.on_call(session, one.key, now) for one in contracts}
    my_tasks = await tasks.mine(session, actor, now, within=None)
    seen = todo.Seen(
        alerts,
        await trails.taken(session, actor, keys),
        await allocation.waiting_for(session, actor.user_id),
        my_tasks,
        await handovers.waiting_for(session, actor.user_id, now),
        await safeguarding.waiting(session, actor, contracts)
        if actor.role is Role.SAFEGUARDING
        else (),
        scope.covered,
    )
    asker = Asker(
        actor.role,
        frozenset(key for key, users in on_call.items() if _is_among(actor.user_id, users)),
        frozenset(key for key, users in on_call.items() if not users),
    )
    return {
        "chosen": chosen,
        "turns": await todo.turns(session, actor, asker, keys, seen, now, scope.today_ends),
        "is_on_call": bool(asker.on_call),
        "asked": seen.asked,
        "held": held,
        "begun": await drafts.begun_anywhere(session, actor),
        "my_tasks": [one for one in my_tasks if one.due_at < now + tasks.SOON],
        "handovers": seen.handovers,
        "held_ids": set(scope.covered),
        "page": await lists.inbox(session, scope, chosen, after, now),
        "counts": await lists.counts(session, scope),
        "cap": lists.CAP,
        "tray_count": await tray.count(session, actor, keys),
        "alerts": alerts,
        "for_safeguarding": seen.notices,
        "taken": seen.taken,
        "trails": await trails.trails(session, [alert.id for alert in alerts]),
        "on_call": on_call,
        "contracts": {contract.key: contract for contract in contracts},
        "names": {contract.key: Words(contract) for contract in contracts},
        "newest": await live.newest(session),
        "after": after,
        "may_take": may(actor, "alert.acknowledge"),
        "is_theirs": escalation.may_take,
        "may_see_system": may(actor, "running.manage"),
    }


def _is_among(user_id: int, users: Sequence[User]) -> bool:
    return any(user.id == user_id for user in users)


def today_ends(now: datetime, zone: str = ZONE) -> datetime:
    """The next local midnight: what is due before it is due today."""
    local = now.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date() + timedelta(days=1), time(), ZoneInfo(zone))


def _filter(request: web.Request) -> Filter:
    given = request.query.get("filter", Filter.ALL)
    if given not in list(Filter):
        raise InvalidInput("There is no such filter. Choose one above the list.")
    return Filter(given)
