"""What stands behind the shifts: weekly patterns, absences, what people can do, calendars."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.desk.rota import feeds, plan
from helpline.errors import InvalidInput, NotFound
from helpline.models import Absence
from helpline.rules.permissions import may
from helpline.rules.rota import Weekly, instant
from helpline.vocabulary import AbsenceKind, ShiftKind
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    fields,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.rota import KINDS, chosen, names
from helpline.web.showing import go, show

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PATTERN = ("contract", "user", "kind", "begins", "ends", "first_day", "last_day", "every_weeks")
ABSENCE = ("user", "kind", "first_day", "first_time", "last_day", "last_time")


# --- weekly patterns -----------------------------------------------------------------------------


async def show_patterns(request: web.Request) -> web.Response:
    return await _patterns(request)


async def add_pattern(request: web.Request) -> web.Response:
    typed: dict[str, Any] = {name: await field(request, name) for name in PATTERN}
    typed["days"] = await fields(request, "days")
    contract = chosen(contracts_of(request, "rota.write"), typed["contract"])
    try:
        weekly = Weekly(
            frozenset(int(day) for day in typed["days"] if day in "0123456" and len(day) == 1),
            _time(typed["begins"], "when it begins"),
            _time(typed["ends"], "when it ends"),
            _day(typed["first_day"], "the first day"),
            _day(typed["last_day"], "the last day") if typed["last_day"] else None,
            row_id(typed["every_weeks"] or "1") or 0,
        )
        if typed["kind"] not in list(ShiftKind):
            raise InvalidInput("Choose what they are on call as.")
        async with house_of(request).db.write() as session:
            await plan.add_pattern(
                session,
                contract,
                row_id(typed["user"]) or 0,
                ShiftKind(typed["kind"]),
                weekly,
                actor_of(request).user_id,
                now_of(request),
            )
    except InvalidInput as error:
        return await _patterns(request, typed, str(error))
    return go("/rota/patterns?done=yes")


async def end_pattern(request: web.Request) -> web.Response:
    """Its last day; what was changed by hand stays."""
    pattern_id, now = number_in_path(request, "id"), now_of(request)
    try:
        last_day = _day(await field(request, "last_day"), "the last day")
    except InvalidInput as error:
        return await _patterns(request, None, str(error))
    async with house_of(request).db.write() as session:
        for contract in contracts_of(request, "rota.write"):
            today = now.astimezone(ZoneInfo(contract.zone)).date()
            standing = await plan.patterns(session, contract.key, today)
            if pattern_id in {pattern.id for pattern in standing}:
                actor = actor_of(request)
                await plan.end_pattern(session, contract, pattern_id, last_day, actor.user_id, now)
                return go("/rota/patterns?done=ended")
    raise NotFound("There is no such pattern.")


async def _patterns(
    request: web.Request, typed: dict[str, Any] | None = None, problem: str = ""
) -> web.Response:
    contracts, now = contracts_of(request, "rota.write"), now_of(request)
    contract = chosen(contracts, (typed or {}).get("contract", ""))
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    async with house_of(request).db.read() as session:
        standing = {one.key: await plan.patterns(session, one.key, today) for one in contracts}
        staff, known = await plan.staff(session, contract.key), await names(session)
    return show(
        request,
        "rota_patterns.html.j2",
        400 if problem else 200,
        zone=contract.zone,
        contracts=contracts,
        contract=contract,
        patterns=standing,
        staff=staff,
        names=known,
        kinds=KINDS,
        weekdays=WEEKDAYS,
        today=today,
        typed=typed or {"days": [], "every_weeks": "1", "first_day": today.isoformat()},
        done=request.query.get("done", ""),
        problem=problem,
    )


# --- absences ------------------------------------------------------------------------------------


async def show_absences(request: web.Request) -> web.Response:
    return await _absences(request)


async def note_absence(request: web.Request) -> web.Response:
    """One's own, or anybody's for a lead. Whole days unless a time is given."""
    typed = {name: await field(request, name) for name in ABSENCE}
    actor, now = actor_of(request), now_of(request)
    contracts = contracts_of(request, "rota.own")
    try:
        starts_at, ends_at = _span(typed, contracts[0].zone)
        if typed["kind"] not in list(AbsenceKind):
            raise InvalidInput("Choose what it is.")
        user_id = actor.user_id
        if may(actor, "rota.write") and typed["user"]:
            user_id = row_id(typed["user"]) or 0
        async with house_of(request).db.write() as session:
            if user_id not in await _people(session, request):
                raise InvalidInput("Choose somebody who works here.")
            await plan.note_absence(
                session,
                list(house_of(request).contracts.values()),
                user_id,
                AbsenceKind(typed["kind"]),
                starts_at,
                ends_at,
                actor.user_id,
                now,
            )
    except InvalidInput as error:
        return await _absences(request, typed, str(error))
    return go("/rota/absences?done=noted")


async def end_absence(request: web.Request) -> web.Response:
    house, now, actor = house_of(request), now_of(request), actor_of(request)
    absence_id = number_in_path(request, "id")
    async with house.db.write() as session:
        absence = await session.get(Absence, absence_id, with_for_update=True)
        people = await _people(session, request)
        is_theirs = absence is not None and absence.user_id in people
        if absence is None or not is_theirs:
            raise NotFound("There is no such absence.")
        everywhere = list(house.contracts.values())
        await plan.end_absence(session, everywhere, absence, actor.user_id, now)
    return go("/rota/absences?done=ended")


async def _people(session: Any, request: web.Request) -> dict[int, str]:
    """Whose absences the asker may see and note: their own; of all staff, a lead."""
    actor = actor_of(request)
    if not may(actor, "rota.write"):
        return {actor.user_id: actor.name}
    found: dict[int, str] = {}
    for contract in contracts_of(request, "rota.write"):
        found |= {
            user.id: user.shown_name
            for user in await plan.staff(session, contract.key)
            if user.id is not None
        }
    return found


async def _absences(
    request: web.Request, typed: dict[str, str] | None = None, problem: str = ""
) -> web.Response:
    now = now_of(request)
    async with house_of(request).db.read() as session:
        people = await _people(session, request)
        found = await plan.absences(session, list(people), now)
    zone = contracts_of(request, "rota.own")[0].zone
    today = now.astimezone(ZoneInfo(zone)).date().isoformat()
    return show(
        request,
        "rota_absences.html.j2",
        400 if problem else 200,
        zone=zone,
        absences=found,
        people=people,
        may_write=may(actor_of(request), "rota.write"),
        typed=typed or {"first_day": today},
        done=request.query.get("done", ""),
        problem=problem,
    )


def _span(typed: dict[str, str], zone: str) -> tuple[datetime, datetime]:
    first = _day(typed["first_day"], "the first day")
    last = _day(typed["last_day"] or typed["first_day"], "the last day")
    begins = _time(typed["first_time"] or "00:00", "the time they go")
    starts_at = instant(datetime.combine(first, begins), zone)
    if typed["last_time"]:
        back = _time(typed["last_time"], "the time they are back")
        return starts_at, instant(datetime.combine(last, back), zone)
    return starts_at, plan.local_midnight(last + timedelta(days=1), zone)


# --- what people can do --------------------------------------------------------------------------


async def show_people(request: web.Request) -> web.Response:
    return await _abilities(request)


async def set_skills(request: web.Request) -> web.Response:
    user_id = number_in_path(request, "id")
    skills, languages = await field(request, "skills"), await field(request, "languages")
    try:
        async with house_of(request).db.write() as session:
            if user_id not in await _people(session, request):
                raise NotFound("Nobody of that number works here.")
            await plan.set_skills(
                session,
                user_id,
                skills.split(","),
                languages.split(","),
                actor_of(request).user_id,
                now_of(request),
            )
    except InvalidInput as error:
        return await _abilities(request, str(error))
    return go("/rota/people?done=yes")


async def _abilities(request: web.Request, problem: str = "") -> web.Response:
    async with house_of(request).db.read() as session:
        people = await _people(session, request)
        skills = await plan.skills_of(session, list(people))
    return show(
        request,
        "rota_people.html.j2",
        400 if problem else 200,
        people=people,
        skills=skills,
        done=request.query.get("done", ""),
        problem=problem,
    )


# --- one's own calendar --------------------------------------------------------------------------


async def show_feed(request: web.Request) -> web.Response:
    return await _feed(request)


async def make_feed(request: web.Request) -> web.Response:
    """A new address, shown this once; the one before stops working."""
    house = house_of(request)
    async with house.db.write() as session:
        secret = await feeds.make(session, actor_of(request).user_id, now_of(request))
    return await _feed(request, f"{house.settings.public_url}/rota/{secret}.ics")


async def end_feed(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        await feeds.revoke(session, actor_of(request).user_id, now_of(request))
    return go("/rota/calendar?done=ended")


async def _feed(request: web.Request, address: str = "") -> web.Response:
    async with house_of(request).db.read() as session:
        made_at = await feeds.made_at(session, actor_of(request).user_id)
    done = request.query.get("done", "")
    return show(request, "rota_calendar.html.j2", made_at=made_at, address=address, done=done)


# --- what was typed ------------------------------------------------------------------------------


def _day(text: str, what: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"Give {what} like 2026-11-03.") from None
    if not 2000 <= day.year <= 2100:
        raise InvalidInput(f"Give {what} like 2026-11-03.")
    return day


def _time(text: str, what: str) -> time:
    try:
        found = time.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"Give {what} like 20:00.") from None
    if found.tzinfo is not None:
        raise InvalidInput(f"Give {what} like 20:00.")
    return found.replace(second=0, microsecond=0)
