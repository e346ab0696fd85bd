"""The audit trail: whether it is whole, what was unusual, and its lines by day, person and kind.
For leads, safeguarding leads and administrators, who see no line of a case."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.desk import anchoring, chaining, events, trail_lists, verifying, watching
from helpline.desk.chaining_words import FAULTS
from helpline.errors import InvalidInput
from helpline.rules.permissions import may
from helpline.rules.reading import Kind
from helpline.web.asked import actor_of, field, house_of, now_of, number_in_path, row_id
from helpline.web.showing import ZONE, go, show

KINDS = {
    Kind.MANY: "read {count} cases in one hour; {usual} is usual",
    Kind.NIGHT: "read {count} cases at night that are not theirs, while not on call",
    Kind.SEARCHES: "searched {count} times in one hour and opened hardly anything",
}


async def show_trail(request: web.Request) -> web.Response:
    return await _page(request)


async def settle(request: web.Request) -> web.Response:
    """What an unusual reading was, in the words of whoever looked into it."""
    row, why = number_in_path(request, "id"), await field(request, "why")
    try:
        async with house_of(request).db.write() as session:
            await watching.settle(session, row, why, actor_of(request), now_of(request))
    except InvalidInput as error:
        return await _page(request, status=400, problem=str(error), at=row, typed=why)
    return go("/audit?done=settled")


async def _page(
    request: web.Request,
    *,
    status: int = 200,
    problem: str = "",
    at: int | None = None,
    typed: str = "",
) -> web.Response:
    house, actor, now = house_of(request), actor_of(request), now_of(request)
    asked = _asked(request, now)
    async with house.db.read() as session:
        found = await trail_lists.lines(session, actor, asked, ZONE)
        values: dict[str, Any] = {
            "people": await trail_lists.people(session, actor),
            "unusual": await watching.listed(session, actor) if may(actor, "case.read") else [],
            "rounds": await verifying.last_rounds(session, 1),
            "left": await anchoring.lately(session),
            "tied_to": await chaining.tied_to(session),
        }
    async with house.db.write() as session:  # whoever looks at the others is in the trail as well
        await events.record(session, "audit.read", now, by=actor.user_id, of=asked.group or "all")
    return show(
        request,
        "audit.html.j2",
        status,
        lines=found[: trail_lists.MOST],
        older=found[trail_lists.MOST - 1].id if len(found) > trail_lists.MOST else None,
        asked=asked,
        groups={code: name for code, (name, _) in trail_lists.GROUPS.items()},
        said_of={kind.value: words for kind, words in KINDS.items()},
        faults={fault.value: words for fault, words in FAULTS.items()},
        may_settle=may(actor, "reading.settle"),
        sees_cases=may(actor, "case.read"),
        limits=[(one.council, watching.limits_of(one)) for one in house.contracts.values()],
        problem=problem,
        at=at,
        typed=typed,
        done=request.query.get("done", ""),
        **values,
    )


def _asked(request: web.Request, now: datetime) -> trail_lists.Asked:
    """From the address; what makes no sense there is the whole of today."""
    today = now.astimezone(ZoneInfo(ZONE)).date()
    try:
        day = date.fromisoformat(request.query.get("day", ""))
    except ValueError:
        day = today
    group = request.query.get("kind", "")
    return trail_lists.Asked(
        day=min(day, today) if day.year > 2000 else today,
        user_id=row_id(request.query.get("who", "")),
        group=group if group in trail_lists.GROUPS else "",
        before=row_id(request.query.get("before", "")),
    )
