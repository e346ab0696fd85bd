"""The demo's phones: write as a carer, see what the duty worker's phone shows, move the clock.

Every function answers 404 unless the house is a demo. What is written here takes the same way as
a real message: through a simulated network's own request into the inbox.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import access, rota
from helpline.desk.house import Demo
from helpline.errors import InvalidInput, NotFound
from helpline.models import metadata
from helpline.vocabulary import Role
from helpline.web import auth, live
from helpline.web.asked import field, house_of, now_of, row_id
from helpline.web.handed_in import HandedIn, file_in
from helpline.web.hooks import take_in
from helpline.web.middleware import POLICY
from helpline.web.pages import demo_calls
from helpline.web.showing import ZONE, go, show

ADDRESS = metadata.tables["address"]
PERSON = metadata.tables["person"]
USER = metadata.tables["user"]

UNKNOWN_NUMBERS = ("+447700900961", "+447700900962")
BY_NUMBER = ("sms", "whatsapp")  # where a telephone is its number
CHOSEN = ("carer", "channel", "duty", "to")
HOURS = (1, 6, 12)
LONGEST = 1000
LARGEST = 10 * 1024 * 1024  # bytes of a file
FRAMING = POLICY + "; frame-src 'self'"  # the chat's own page stands beside the phones
LOOK_EVERY = 0.3  # seconds


@dataclass(frozen=True)
class Phone:
    """Somebody's telephone: whose it is, its number, what it shows."""

    owner: str
    number: str
    channel: str
    messages: list[Any]


async def show_demo(request: web.Request) -> web.Response:
    response = show(request, "demo.html.j2", **await _values(request))
    response.headers["Content-Security-Policy"] = FRAMING
    return response


async def show_phones(request: web.Request) -> web.Response:
    """The live part of the page."""
    return show(request, "_demo_phones.html.j2", **await _values(request))


async def send_message(request: web.Request) -> web.Response:
    """The owner of a phone presses Send."""
    demo, house = _demo(request), house_of(request)
    file = await file_in(request, "file", LARGEST)
    channel, number = await field(request, "channel"), await field(request, "number")
    text, network = await field(request, "text"), demo.phones.get(channel)
    if network is None or not number or len(number) > 40 or not number.isprintable():
        raise InvalidInput("Choose a phone and a way to write from the lists.")
    files = _files(file, network.sample(await field(request, "sample")))
    if not (text or files) or len(text) > LONGEST:
        raise InvalidInput(f"Write a message of 1 to {LONGEST} letters.")
    ours = await demo_calls.our_number(request, number) if channel in BY_NUMBER else channel
    await take_in(house, network, network.write(number, ours, text, files))
    house.wakes.routing.set()
    return _back(await _choice(request))


async def move_clock(request: web.Request) -> web.Response:
    """Some hours pass at once; whoever is signed in stays so."""
    demo, house = _demo(request), house_of(request)
    hours = await field(request, "hours")
    if hours not in [str(known) for known in HOURS]:
        raise InvalidInput("The clock moves by 1, 6 or 12 hours.")
    before = now_of(request)
    after = demo.clock.forward(timedelta(hours=int(hours)))
    async with house.db.write() as session:
        await access.carry_over(session, before, after)
    house.wakes.sending.set()
    house.wakes.routing.set()
    return _back(await _choice(request))


async def visit(request: web.Request) -> web.Response:
    """Into the console as one of the demo's people, without a password: they are all invented."""
    _demo(request)
    user = row_id(await field(request, "user"))
    if user is None:
        raise InvalidInput("Choose one of the people in the list.")
    async with house_of(request).db.write() as session:
        known = select(USER.c.id).where(USER.c.id == user, USER.c.left_at.is_(None))
        if (await session.execute(known)).first() is None:
            raise NotFound("There is nobody like that in the demo.")
        old = request.cookies.get(auth.cookie_name(request, auth.SESSION))
        how = access.How("demo", auth.browser_of(request))
        new = await access.sign_in(session, user, old, now_of(request), how)
    response = go("/")
    auth.sign_in(request, response, new)
    return response


async def follow(request: web.Request) -> web.StreamResponse:
    """Says that something changed on any of the phones."""
    demo, hub = _demo(request), request.app[live.HUB]
    if request.method == "HEAD":
        return web.Response(content_type="text/event-stream")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    shown = _ordinal(demo)
    with contextlib.suppress(ConnectionResetError):
        await response.write(b"retry: 2000\n\n")
        while not hub.is_closing:
            await asyncio.sleep(LOOK_EVERY)
            if _ordinal(demo) != shown:
                shown = _ordinal(demo)
                await response.write(b"event: changed\ndata: 1\n\n")
    return response


def _files(file: HandedIn | None, sample: tuple[str, bytes] | None) -> list[tuple[str, bytes]]:
    """What goes with the message: the file that was chosen, or something made for the demo."""
    if file and not (file.is_whole and file.content):
        raise InvalidInput(f"Choose a file of at most {LARGEST // 1024**2} MB that is not empty.")
    if sample:
        return [sample]
    return [(file.name, file.content)] if file else []


def _demo(request: web.Request) -> Demo:
    return demo_calls.demo_of(request)


async def _values(request: web.Request) -> dict[str, Any]:
    demo, house, now = _demo(request), house_of(request), now_of(request)
    choice = await _choice(request)
    async with house.db.read() as session:
        carers = await _carers(session, list(house.contracts))
        staff = await _staff(session)
        on_call = [
            user.mobile
            for key in sorted(house.contracts)
            for user in await rota.on_call(session, key, now)
        ]
    carer = choice["carer"] or (carers[0][0] if carers else UNKNOWN_NUMBERS[0])
    channel = choice["channel"] if choice["channel"] in demo.phones else "sms"
    to = await demo_calls.contract_written_to(request, carer, choice["to"])
    with_phone = [user for user in staff if user.mobile]
    duty = choice["duty"] or next((n for n in on_call if n), None)
    duty = duty or (with_phone[0].mobile if with_phone else UNKNOWN_NUMBERS[1])
    shown = carer if channel in BY_NUMBER else carer.lstrip("+")
    owners = {user.mobile: user.shown_name for user in with_phone}
    names = {number: name for number, name, _ in carers}
    return {
        "carers": carers,
        "unknown_numbers": UNKNOWN_NUMBERS,
        "staff": staff,
        "with_phone": with_phone,
        "on_call": on_call,
        "channels": sorted(demo.phones),
        "carer_phone": Phone(
            names.get(carer, "Somebody unknown"), shown, channel, demo.phones[channel].on(shown)
        ),
        "duty_phone": Phone(owners.get(duty, "Nobody"), duty, "sms", demo.phones["sms"].on(duty)),
        "carer": carer,
        "duty": duty,
        "calling": [demo_calls.shown(demo, number) for number in (carer, duty)],
        "hours": HOURS,
        "clock_words": f"{now.astimezone(ZoneInfo(ZONE)):%A %-d %B, %H:%M}",
        "contracts": house.contracts,
        "to": to,
        "is_known": carer in names,
        "longest": LONGEST,
    }


async def _carers(session: AsyncSession, keys: list[str]) -> list[tuple[str, str, str]]:
    """Numbers, names and contracts of the first people on each register."""
    query = (
        select(ADDRESS.c.value, PERSON.c.name, PERSON.c.contract)
        .join(PERSON, PERSON.c.id == ADDRESS.c.person_id)
        .where(ADDRESS.c.channel == "sms", ADDRESS.c.from_register)
        .order_by(ADDRESS.c.id)
    )
    found: list[tuple[str, str, str]] = []
    for place, key in enumerate(keys):
        some = query.where(ADDRESS.c.contract == key).limit(4 if place else 12)
        rows = await session.execute(some)
        found += [(row.value, row.name or "No name", row.contract) for row in rows]
    return found


async def _staff(session: AsyncSession) -> list[Any]:
    query = (
        select(USER.c.id, USER.c.shown_name, USER.c.role, USER.c.mobile)
        .where(USER.c.left_at.is_(None))
        .order_by(USER.c.role != Role.WORKER, USER.c.role, USER.c.shown_name)
        .limit(20)
    )
    return list(await session.execute(query))


async def _choice(request: web.Request) -> dict[str, str]:
    """Which phones are shown, from the address or from the form that was sent."""
    if request.method == "POST":
        return {name: (await field(request, name))[:40] for name in CHOSEN}
    given = {name: request.query.get(name, "")[:40] for name in CHOSEN}
    return {name: "".join(filter(str.isprintable, value)) for name, value in given.items()}


def _back(choice: dict[str, str]) -> web.Response:
    return go("/demo?" + urlencode({k: v for k, v in choice.items() if v}))


def _ordinal(demo: Demo) -> int:
    """Grows with every message on any simulated network and every telephone that rings."""
    rung = len(demo.exchange.calls) if demo.exchange is not None else 0
    return rung + sum(len(network.messages) for network in demo.phones.values())
