"""What a team lead looks at first: how it stands, how the week goes, who carries what, when people
write, how long they wait, and what is different from the quarter before (desk/overview.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import overview
from helpline.errors import NotFound
from helpline.web.asked import actor_of, contracts_of, house_of, now_of
from helpline.web.showing import show

WEEK: Final = timedelta(days=7)
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHADES: Final = 5
"""Steps of the picture of hours, beside nothing at all."""
WAIT_WORDS: Final[Mapping[int | None, str]] = {
    15: "Within 15 minutes",
    60: "15 minutes to 1 hour",
    240: "1 to 4 hours",
    480: "4 to 8 hours",
    1440: "8 to 24 hours",
    None: "Longer than 24 hours",
}
KINDS: Final = {"primary": "first line", "backup": "backup", "manager": "in charge"}


@dataclass(frozen=True)
class Hours:
    """The picture of hours: for each day, 24 numbers and their shades (0 is nothing)."""

    rows: Sequence[tuple[str, Sequence[tuple[int, int]]]]
    busiest: tuple[str, int, int] | None
    """Day, hour and number of the hour in which most came; None when nothing came."""
    number: int


async def show_overview(request: web.Request) -> web.Response:
    """One contract's; `?contract=` for another."""
    known = contracts_of(request, "overview.read")
    contract = _contract(request, known)
    by, now = actor_of(request), now_of(request)
    monday = _monday(now, contract)
    async with house_of(request).db.read() as session:
        asked = (session, contract, by)
        stands = await overview.now_of(*asked, now)
        week = await overview.week_of(*asked, monday, now)
        last = await overview.week_of(*asked, monday - WEEK, now - WEEK)
        carried = await overview.loads(*asked, now)
        hours = await overview.hours(*asked, now)
        waits = await overview.waits(*asked, now)
        changes = await overview.changes(*asked, now)
        requests = await overview.requests(*asked, now)
    return show(
        request,
        "overview.html.j2",
        zone=contract.zone,
        contract=contract,
        contracts=known,
        stands=stands,
        week=week,
        last=last,
        monday=monday,
        loads=carried,
        most=max((one.open for one in carried), default=0),
        hours=_picture(hours),
        waits=waits,
        longest=max((one.number for one in waits.steps), default=0),
        changes=changes,
        requests=requests,
        wait_words=WAIT_WORDS,
        kinds=KINDS,
        weeks=overview.WEEKS,
        is_shared=by.contract is None and len(house_of(request).contracts) > 1,
    )


def _picture(found: Mapping[tuple[int, int], int]) -> Hours:
    most = max(found.values(), default=0)
    rows = [
        (
            name,
            [(number, -(-number * SHADES // most) if number else 0) for number in numbers],
        )
        for name, numbers in (
            (name, [found.get((day, hour), 0) for hour in range(24)])
            for day, name in enumerate(DAYS)
        )
    ]
    busiest = None
    if most:
        day, hour = min(place for place, number in found.items() if number == most)
        busiest = (DAYS[day], hour, most)
    return Hours(rows, busiest, sum(found.values()))


def _monday(now: datetime, contract: Contract) -> datetime:
    """When this week began where the contract is."""
    here = now.astimezone(ZoneInfo(contract.zone))
    day = here.date() - timedelta(days=here.weekday())
    return datetime.combine(day, time(), here.tzinfo).astimezone(now.tzinfo)


def _contract(request: web.Request, known: list[Contract]) -> Contract:
    wanted = request.query.get("contract", "")
    found = next((one for one in known if one.key == wanted), None if wanted else known[0])
    if found is None:
        raise NotFound("There is no such contract, or its figures are not yours to see.")
    return found
