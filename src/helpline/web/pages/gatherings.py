"""Events: what is to come, who has a place, who waits, who came. Booking is done here by membership
number, or on a case by its own tab."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import gatherings, merging, people
from helpline.desk.gatherings import Plan
from helpline.errors import Conflict, InvalidInput
from helpline.models import Gathering
from helpline.rules.permissions import may
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    fields,
    form_of,
    house_of,
    now_of,
    number_in_path,
    one_of,
)
from helpline.web.pages.case import Words
from helpline.web.pages.case_acts import instant
from helpline.web.pages.partners import wrong_field
from helpline.web.showing import go, show, which_council

_WRONG: Final = {
    "Give it a title": "title",
    "Give when it begins": "starts_at",
    "It would already": "starts_at",
    "Give day and time": "starts_at",
    "Say where it is": "place",
    "Give the link": "link",
    "Give the number of places": "places",
    "Choose for where": "quadrant",
    "Choose whom": "groups",
}
"""How a sentence begins → the field it is about."""


async def show_gatherings(request: web.Request) -> web.Response:
    contracts = {one.key: one for one in contracts_of(request, "gathering.read")}
    async with house_of(request).db.read() as session:
        coming, past = await gatherings.listed(session, list(contracts), now_of(request))
    return show(
        request,
        "gatherings.html.j2",
        coming=coming,
        past=past,
        words={key: Words(one) for key, one in contracts.items()},
        may_manage=may(actor_of(request), "gathering.manage"),
        done=request.query.get("done", ""),
    )


async def ask_new(request: web.Request) -> web.Response:
    return await _form(request)


async def add(request: web.Request) -> web.Response:
    contracts = contracts_of(request, "gathering.manage")
    now = now_of(request)
    try:
        contract = await one_of(request, contracts)
        if contract is None:
            raise InvalidInput("Choose a contract from the list.")
        plan = await _plan(request, contract)
        async with house_of(request).db.write() as session:
            made = await gatherings.write(session, contract, plan, actor_of(request), now)
    except InvalidInput as error:
        return await _form(request, problem=str(error))
    return go(f"/events/{made.id}?done=added")


async def show_gathering(request: web.Request) -> web.Response:
    return await _page(request)


async def ask_change(request: web.Request) -> web.Response:
    return await _form(request, number_in_path(request, "id"))


async def change(request: web.Request) -> web.Response:
    gathering_id, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    house = house_of(request)
    try:
        async with house.db.write() as session:
            found = await gatherings.find(session, actor, gathering_id)
            contract = contract_of(request, found.contract)
            plan = await _plan(request, contract)
            await gatherings.write(session, contract, plan, actor, now, found)
            await gatherings.move_up(session, contract, house.wording, found, now)
    except InvalidInput as error:
        return await _form(request, gathering_id, str(error))
    house.wakes.sending.set()
    return go(f"/events/{gathering_id}?done=changed")


async def call_off(request: web.Request) -> web.Response:
    """It does not take place, and everybody who booked is told."""
    gathering_id, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    house = house_of(request)
    try:
        async with house.db.write() as session:
            found = await gatherings.find(session, actor, gathering_id)
            contract = contract_of(request, found.contract)
            await gatherings.call_off(session, contract, house.wording, found, actor, now)
    except Conflict as error:
        return await _page(request, 409, "called_off", str(error))
    house.wakes.sending.set()
    return go(f"/events/{gathering_id}?done=called_off")


async def book(request: web.Request) -> web.Response:
    """By membership number, or by name and postcode together."""
    actor, now = actor_of(request), now_of(request)
    who, needs = await field(request, "who"), await field(request, "needs")
    try:
        async with house_of(request).db.write() as session:
            found = await gatherings.find(session, actor, number_in_path(request, "id"))
            contract = contract_of(request, found.contract)
            person = await people.find_member(session, contract, who[:200]) if who else None
            if person is None or not await merging.sees(session, actor, [person.id or 0]):
                raise InvalidInput(
                    "Nobody is found: give a membership number, or name and postcode."
                )
            made = await gatherings.book(session, found, person, needs, actor, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, _status(error), "booking", str(error))
    return go(f"/events/{found.id}?done={made.state}")


async def set_state(request: web.Request) -> web.Response:
    """They came, did not come, or cannot come."""
    actor, now, house = actor_of(request), now_of(request), house_of(request)
    state, booking_id = await field(request, "state"), number_in_path(request, "booking")
    try:
        async with house.db.write() as session:
            found = await gatherings.find(session, actor, number_in_path(request, "id"))
            contract = contract_of(request, found.contract)
            await gatherings.set_state(
                session, contract, house.wording, found, booking_id, state, actor, now
            )
    except InvalidInput as error:
        return await _page(request, 400, "guests", str(error))
    house.wakes.sending.set()
    return go(f"/events/{found.id}?done=noted#guests")


async def _page(
    request: web.Request, status: int = 200, form: str = "", problem: str = ""
) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        found = await gatherings.find(session, actor, number_in_path(request, "id"))
        guests, hidden = await gatherings.guests(session, actor, found)
        counted = await gatherings.count(session, found)
    contract = contract_of(request, found.contract)
    typed = await form_of(request) if problem else {}
    return show(
        request,
        "gathering.html.j2",
        status,
        zone=contract.zone,
        one=found,
        count=counted,
        guests=guests,
        hidden=hidden,
        words=Words(contract),
        has_begun=found.starts_at <= now,
        is_over=found.ends_at <= now,
        may_manage=may(actor, "gathering.manage", contract.key),
        done=request.query.get("done", ""),
        form=form,
        problem=problem,
        wrong="needs" if problem.startswith("Say what they need") else "who",
        typed={name: values[-1] for name, values in typed.items()},
    )


async def _form(
    request: web.Request, gathering_id: int | None = None, problem: str = ""
) -> web.Response:
    contracts, found = contracts_of(request, "gathering.manage"), None
    if gathering_id is not None:
        async with house_of(request).db.read() as session:
            found = await gatherings.find(session, actor_of(request), gathering_id)
    only = await one_of(request, contracts)
    contract = contract_of(request, found.contract) if found else only
    if contract is None:
        return which_council(request, "Add an event", "/events/new", "/events", problem)
    typed = await form_of(request) if problem else {}
    return show(
        request,
        "gathering_form.html.j2",
        400 if problem else 200,
        zone=contract.zone,
        one=found,
        had=_had(found, contract),
        contract=contract,
        groups=[(one.code, one.name) for one in contract.groups],
        quadrants=[(one.code, one.name) for one in contract.quadrants],
        form="event" if problem else "",
        problem=problem,
        wrong=wrong_field(_WRONG, problem, "title"),
        typed={name: values[-1] for name, values in typed.items()},
        all_typed=typed,
    )


def _had(found: Gathering | None, contract: Contract) -> dict[str, str]:
    if found is None:
        return {}
    zone = ZoneInfo(contract.zone)
    times = {"starts_at": found.starts_at, "ends_at": found.ends_at}
    return {name: f"{at.astimezone(zone):%Y-%m-%dT%H:%M}" for name, at in times.items()}


async def _plan(request: web.Request, contract: Contract) -> Plan:
    places = await field(request, "places")
    if places and not (places.isascii() and places.isdecimal() and len(places) <= 5):
        raise InvalidInput("Give the number of places, from 1 on, or leave it empty.")
    return Plan(
        title=await field(request, "title"),
        starts_at=await _time(request, "starts_at", contract),
        ends_at=await _time(request, "ends_at", contract),
        place=await field(request, "place"),
        link=await field(request, "link"),
        places=int(places) if places else None,
        body=await field(request, "body"),
        groups=await fields(request, "groups"),
        quadrant=await field(request, "quadrant"),
    )


async def _time(request: web.Request, name: str, contract: Contract) -> datetime | None:
    text = await field(request, name)
    return instant(text, contract.zone, now_of(request), ahead=True) if text else None


def _status(error: Exception) -> int:
    return 409 if isinstance(error, Conflict) else 400
