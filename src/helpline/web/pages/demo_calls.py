"""The demo's telephone calls: ring the helpline, press keys on both telephones, leave a message.

Every act makes the simulated exchange ask our own hooks over HTTP, as Twilio would. 404 outside a
demo, like all of it; works without script.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from sqlalchemy import select

from helpline.desk.house import Demo
from helpline.errors import InvalidInput, NotFound
from helpline.models import metadata
from helpline.sealing import ring
from helpline.web.asked import field, house_of
from helpline.web.showing import go

ADDRESS = metadata.tables["address"]
OUR_NUMBER = "+447700900000"
KEYS = ("", *"1234567890*#")
SECRET_HEADER = "x-exchange-secret"  # noqa: S105  # the header's name


@dataclass(frozen=True)
class Calling:
    """What one telephone shows of its newest call: what was heard on it, what can be done."""

    number: str
    heard: list[str]
    can: tuple[str, ...]
    is_ringing: bool
    is_joined: bool


def demo_of(request: web.Request) -> Demo:
    """The demo; NotFound where this is none."""
    demo = house_of(request).demo
    if demo is None:
        raise NotFound("There is nothing at this address.")
    return demo


def shown(demo: Demo, number: str) -> Calling | None:
    """The telephone of this number; None where the demo has no exchange."""
    if demo.exchange is None:
        return None
    call = demo.exchange.latest(number)
    if call is None:
        return Calling(number, [], (), False, False)
    can = call.can(number)
    heard = [sentence for who, sentence in call.heard if who == number]
    is_on = number in (call.first, call.rung)
    return Calling(number, heard, can, "answer" in can, call.is_joined and is_on)


async def act(request: web.Request) -> web.Response:
    """The owner of a telephone rings us, answers, presses a key, speaks or hangs up."""
    demo = demo_of(request)
    what, number = await field(request, "what"), await field(request, "number")
    key = await field(request, "key")
    if demo.exchange is None or not number or len(number) > 40 or not number.isprintable():
        raise InvalidInput("Choose a telephone from the list.")
    if key not in KEYS:
        raise InvalidInput("Press one key: a digit, the star or hash.")
    async with aiohttp.ClientSession() as client:
        post = _hooks(request, client, demo)
        if what == "ring":
            ours = await our_number(request, number)
            await demo.exchange.call(number, ours).begin(post)
        else:
            call = demo.exchange.latest(number)
            if call is None:
                raise InvalidInput("That cannot be done on this telephone now.")
            await call.act(post, number, what, key)
    names = ("carer", "channel", "duty", "to")
    choice = {name: (await field(request, name))[:40] for name in names}
    return go("/demo?" + urlencode({k: v for k, v in choice.items() if v}) + "#calls")


async def contract_written_to(request: web.Request, number: str, chosen: str) -> str:
    """Whose number somebody writes to: that of their own contract; of somebody unknown, the one
    that was chosen."""
    house = house_of(request)
    query = (
        select(ADDRESS.c.contract)
        .where(
            ADDRESS.c.channel == "sms",
            ADDRESS.c.from_register,
            ADDRESS.c.value_index.in_(ring().indexes("address:sms", number)),
        )
        .limit(1)
    )
    async with house.db.read() as session:
        own: str | None = await session.scalar(query)
    listed = (own, chosen, *house.settings.numbers.values(), *house.contracts)
    return next(key for key in listed if key and key in house.contracts)


async def our_number(request: web.Request, number: str) -> str:
    """The number of ours that somebody writes to or rings."""
    key = await contract_written_to(request, number, await field(request, "to"))
    return house_of(request).settings.number_of.get(key, OUR_NUMBER)


def _hooks(request: web.Request, client: aiohttp.ClientSession, demo: Demo) -> Any:
    """How the exchange reaches the very server that is answering now."""
    assert request.transport is not None
    host, port = request.transport.get_extra_info("sockname")[:2]
    here = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def post(path: str, form: Mapping[str, str]) -> str:
        headers = {SECRET_HEADER: demo.exchange.secret}
        async with client.post(here + path, json=dict(form), headers=headers) as answer:
            return await answer.text()

    return post
