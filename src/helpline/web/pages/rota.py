"""The rota as a table: this week and the next, gaps in words, one's own next shift first; the sheet
that is printed for whoever is told who is on duty; and the calendar a telephone fetches.

Reads only. Shifts are changed in rota_shifts, the plan behind them in rota_plan, swaps and
handovers in rota_passing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import climbing, reachable, rota
from helpline.desk.rota import feeds, handovers, plan, swaps
from helpline.errors import NotFound
from helpline.models import Shift, User
from helpline.rules import rota as rules
from helpline.rules.permissions import may
from helpline.vocabulary import ShiftKind
from helpline.web.asked import actor_of, contracts_of, house_of, now_of
from helpline.web.pages.account import reach_of
from helpline.web.pages.case import local_now
from helpline.web.showing import show

WEEKS = 2
SETTLED = timedelta(days=3)
"""So long a swap that is settled is still shown."""
KINDS = {ShiftKind.PRIMARY: "First", ShiftKind.BACKUP: "Backup", ShiftKind.MANAGER: "In charge"}


@dataclass(frozen=True)
class Line:
    """One line of the table: a shift, or a gap (which has no `shift_id`)."""

    starts_at: datetime
    ends_at: datetime
    who: str = ""
    kind: str = ""
    note: str = ""
    shift_id: int | None = None
    is_mine: bool = False
    is_now: bool = False
    unreachable: bool = False
    is_short: bool = False
    """Somebody stands then, and the contract asks for more."""

    @property
    def is_gap(self) -> bool:
        return self.shift_id is None


async def show_rota(request: web.Request) -> web.Response:
    now, actor = now_of(request), actor_of(request)
    contracts = contracts_of(request, "rota.read")
    monday = first_day(request, now, contracts[0].zone if contracts else "UTC")
    me, reach = actor.user_id, reach_of(request)
    async with house_of(request).db.read() as session:
        tables = [
            (
                contract,
                from_now(await table(session, contract, monday, now, me, reach), request),
            )
            for contract in contracts
        ]
        values = await _own(session, request, contracts, now)
        may_write = may(actor, "rota.write")
        values["fees"] = {
            contract.key: await fees(session, contract, monday) if may_write else []
            for contract in contracts
        }
        keys = [contract.key for contract in contracts]
        values["unreachable"] = await reachable.unreachable(session, keys, now, reach_of(request))
    zone = contracts[0].zone if contracts else "UTC"
    upcoming = values["next_shift"]
    asked = request.query.get("contract", upcoming.contract if upcoming else "")
    return show(
        request,
        "rota.html.j2",
        shown=next((key for key in keys if key == asked), next(iter(keys), "")),
        zone=zone,
        clock=partial(_clock, zone=zone),
        local=partial(local_now, zone=zone),
        today=now.astimezone(ZoneInfo(zone)).date(),
        tables=tables,
        monday=monday,
        earlier=monday - timedelta(days=7),
        later=monday + timedelta(days=7),
        may_write=may_write,
        may_own=may(actor, "rota.own"),
        done=request.query.get("done", ""),
        kinds=KINDS,
        **values,
    )


async def show_sheet(request: web.Request) -> web.Response:
    """The duty rota of a contract for whoever it is given to, to be printed."""
    contracts = contracts_of(request, "rota.read")
    contract = chosen(contracts, request.query.get("contract", ""))
    now = now_of(request)
    monday = first_day(request, now, contract.zone)
    async with house_of(request).db.read() as session:
        days = from_now(await parts(session, contract, monday, now), request)
    recipient = contract.signpost(contract.duty_rota.recipient) if contract.duty_rota else None
    return show(
        request,
        "rota_sheet.html.j2",
        zone=contract.zone,
        clock=partial(_clock, zone=contract.zone),
        contract=contract,
        recipient=recipient,
        days=days,
        monday=monday,
        first=days[0][0],
        until=monday + timedelta(days=7 * WEEKS - 1),
        local_now=now.astimezone(ZoneInfo(contract.zone)),
        kinds=KINDS,
    )


async def show_calendar(request: web.Request) -> web.Response:
    """Somebody's shifts for their calendar program; the address is the secret."""
    house, secret = house_of(request), request.match_info["secret"]
    async with house.db.read() as session:
        text = await feeds.of_secret(session, house.contracts, secret, now_of(request))
    headers = {"Cache-Control": "private, max-age=900"}
    return web.Response(text=text, content_type="text/calendar", charset="utf-8", headers=headers)


# --- the table -----------------------------------------------------------------------------------


async def table(
    session: AsyncSession,
    contract: Contract,
    monday: date,
    now: datetime,
    user_id: int,
    reach: climbing.Reach,
) -> list[tuple[date, list[Line]]]:
    """Each local day of the weeks with its lines, in order; a night stands on its first day."""
    until_day = monday + timedelta(days=7 * WEEKS)
    since = plan.local_midnight(monday, contract.zone)
    until = plan.local_midnight(until_day, contract.zone)
    found, absent = await rota.whole(session, contract.key, since, until)
    duties = [duty for duty, _ in found]
    silent = await _unreachable(session, {duty.user_id for duty in duties}, reach)
    names = {row.Shift.id: row.shown_name for _, row in found}
    lines = [
        Line(
            duty.starts_at,
            duty.ends_at,
            names[duty.id],
            duty.kind,
            _note(duty, parts, duties),
            duty.id,
            duty.user_id == user_id,
            any(begin <= now < end for begin, end in parts),
            duty.user_id in silent and duty.ends_at > now,
        )
        for duty, parts in rules.standing(duties, absent)
    ]
    left = (max(since, now), until)
    lines += [
        Line(begin, end, is_now=begin <= now) for begin, end in rules.gaps(duties, absent, *left)
    ]
    lines += [
        Line(begin, end, is_now=begin <= now, is_short=True)
        for begin, end in rules.shortages(duties, absent, left, contract.busy_times)
    ]
    return _by_day(lines, monday, until_day, contract.zone)


async def parts(
    session: AsyncSession, contract: Contract, monday: date, now: datetime
) -> list[tuple[date, list[Line]]]:
    """The same for somebody outside: who really stands when, and not who is away or why."""
    until_day = monday + timedelta(days=7 * WEEKS)
    since = plan.local_midnight(monday, contract.zone)
    until = plan.local_midnight(until_day, contract.zone)
    found, absent = await rota.whole(session, contract.key, since, until)
    duties = [duty for duty, _ in found]
    names = {row.Shift.id: row.shown_name for _, row in found}
    lines = [
        Line(begin, end, names[duty.id], duty.kind, shift_id=duty.id)
        for duty, spans in rules.standing(duties, absent)
        for begin, end in spans
    ]
    lines += [Line(begin, end) for begin, end in rules.gaps(duties, absent, max(since, now), until)]
    return _by_day(lines, monday, until_day, contract.zone)


async def fees(
    session: AsyncSession, contract: Contract, monday: date
) -> list[tuple[str, float, float]]:
    """Who stood or will stand in the first line in the weeks shown: name, hours, and the fee in
    pounds; empty where the contract pays none."""
    terms = contract.duty_rota
    if terms is None or terms.fee_pounds is None:
        return []
    since = plan.local_midnight(monday, contract.zone)
    until = plan.local_midnight(monday + timedelta(days=7 * WEEKS), contract.zone)
    found, absent = await rota.whole(session, contract.key, since, until)
    names = {duty.user_id: row.shown_name for duty, row in found}
    hours = rules.hours_on_duty([duty for duty, _ in found], absent, since, until)
    each = terms.fee_pounds / terms.fee_hours
    listed = [(names[user], worked, worked * each) for user, worked in hours.items()]
    return sorted(listed)


def from_now(days: list[tuple[date, list[Line]]], request: web.Request) -> list[Any]:
    """Without the days of this week that are over, unless a week was asked for. Yesterday stays as
    long as its night runs."""
    now = now_of(request)
    if "week" in request.query:
        return days
    kept = [(day, lines) for day, lines in days if any(line.ends_at > now for line in lines)]
    later = [day for day, _ in days if day >= now.date()]
    first = min([day for day, _ in kept[:1]] + later[:1], default=days[-1][0])
    return [(day, lines) for day, lines in days if day >= first]


def _note(duty: rules.Duty, parts: Sequence[rules.Span], duties: Sequence[rules.Duty]) -> str:
    if list(parts) == [duty.span]:
        return "instead of the usual" if duty.is_override else ""
    instead = [one.span for one in duties if one.is_override and one.kind == duty.kind]
    is_replaced = not duty.is_override and rules.without(duty.span, instead) != [duty.span]
    said = "somebody stands in" if is_replaced else "away"
    return said if not parts else f"{said} for part of it"


def _by_day(
    lines: list[Line], monday: date, until_day: date, zone: str
) -> list[tuple[date, list[Line]]]:
    place = ZoneInfo(zone)
    days: dict[date, list[Line]] = {}
    for number in range((until_day - monday).days):
        days[monday + timedelta(days=number)] = []
    order = list(ShiftKind)
    for line in sorted(
        lines,
        key=lambda one: (
            one.starts_at,
            -1 if one.is_gap else order.index(ShiftKind(one.kind)),
            one.shift_id or 0,
        ),
    ):
        days[max(line.starts_at.astimezone(place).date(), monday)].append(line)
    return list(days.items())


async def _unreachable(
    session: AsyncSession, user_ids: set[int], reach: climbing.Reach
) -> set[int]:
    """Those whom no alert would reach: no address on record, or they wrote STOP to the only one."""
    users = await session.scalars(select(User).where(col(User.id).in_(user_ids)))
    return {user.id for user in users if user.id is not None and not climbing.working(user, reach)}


def _clock(instant: datetime, after: datetime | None = None, *, zone: str) -> str:
    """ "20:00"; with its day where that is neither `after`'s nor the morning that follows."""
    local = instant.astimezone(ZoneInfo(zone))
    if after is None:
        return f"{local:%H:%M}"
    days = (local.date() - after.astimezone(ZoneInfo(zone)).date()).days
    is_near = days == 0 or (days == 1 and local.hour < 12)
    return f"{local:%H:%M}" if is_near else f"{local:%a} {local.day} {local:%b} {local:%H:%M}"


# --- what concerns the asker ---------------------------------------------------------------------


async def _own(
    session: AsyncSession, request: web.Request, contracts: Sequence[Contract], now: datetime
) -> dict[str, Any]:
    actor, keys = actor_of(request), [contract.key for contract in contracts]
    is_lead = may(actor, "rota.write")
    shown = await swaps.of_contracts(
        session, keys, None if is_lead else actor.user_id, now - SETTLED
    )
    late = await handovers.late(session, keys, now) if is_lead else []
    mine = await handovers.waiting_for(session, actor.user_id, now)
    return {
        "next_shift": await next_shift(session, actor.user_id, now),
        "swaps": [swap for swap in shown if swap.state == "asked" or swap.closed_at or is_lead],
        "shifts": await shifts_of_swaps(session, shown),
        "handovers": mine,
        "late": [one for one in late if one.id not in {other.id for other in mine}],
        "names": await names(session),
        "councils": {contract.key: contract.council for contract in contracts},
    }


async def next_shift(session: AsyncSession, user_id: int, now: datetime) -> Shift | None:
    """The shift somebody has now or next, wherever it is, and is not away from."""
    found = await session.scalars(
        select(Shift)
        .where(
            col(Shift.user_id) == user_id,
            col(Shift.taken_away_at).is_(None),
            col(Shift.ends_at) > now,
        )
        .order_by(col(Shift.starts_at), col(Shift.id))
        .limit(100)
    )
    for shift in found:
        away = await rota.aways(session, [user_id], shift.starts_at, shift.ends_at)
        if rules.without((max(shift.starts_at, now), shift.ends_at), [one.span for one in away]):
            return shift
    return None


async def shifts_of_swaps(session: AsyncSession, shown: Sequence[Any]) -> Mapping[int, Shift]:
    ids = {one for swap in shown for one in (swap.shift_id, swap.for_shift_id) if one}
    found = await session.scalars(select(Shift).where(col(Shift.id).in_(ids)))
    return {shift.id: shift for shift in found if shift.id is not None}


async def names(session: AsyncSession) -> dict[int, str]:
    """Everybody's shown name, also of those who have left: they stand in past shifts."""
    found = await session.execute(select(col(User.id), col(User.shown_name)))
    return {user_id: name for user_id, name in found if user_id is not None}


# --- what is asked for ---------------------------------------------------------------------------


def first_day(request: web.Request, now: datetime, zone: str) -> date:
    """The Monday of the week that is asked for; of this week when none is, or none that is one."""
    today = now.astimezone(ZoneInfo(zone)).date()
    try:
        day = date.fromisoformat(request.query.get("week", ""))
    except ValueError:
        day = today
    if not date(2000, 1, 10) <= day <= date(2100, 1, 1):
        day = today
    return day - timedelta(days=day.weekday())


def chosen(contracts: Sequence[Contract], key: str) -> Contract:
    """The contract of that key, or the only one; NotFound for one the asker does not work on."""
    if not key and contracts:
        return contracts[0]
    for contract in contracts:
        if contract.key == key:
            return contract
    raise NotFound("There is no such rota.")
