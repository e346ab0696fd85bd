"""The way in for providers: verify, parse, keep, answer. Nothing else stands in this way.

Routes /hooks/sms, /hooks/sms/status and /hooks/telegram. Decides nothing about what was said;
desk/intake does that afterwards, from what was kept.
"""

import asyncio

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from helpline.channels import Channel, Inbound, WebRequest
from helpline.desk import outbox
from helpline.desk.house import House
from helpline.desk.inbox import CannotKeep
from helpline.log import log, where

HOUSE = web.AppKey("house", House)
LARGEST = 256 * 1024
"""Bytes. Twilio's forms stay under 20 kB and Telegram's updates under 100 kB."""
LONGEST_SECONDS = 15.0
"""For a body to arrive: Twilio itself gives up after 15 s."""


async def receive_sms(request: web.Request) -> web.Response:
    return await _receive(request, "sms")


async def receive_telegram(request: web.Request) -> web.Response:
    return await _receive(request, "telegram")


async def receive_sms_status(request: web.Request) -> web.Response:
    """A delivery report: recorded on the message out, in any order, any number of times."""
    house = request.app[HOUSE]
    channel, asked = await genuine(request, house, "sms")
    receipt = channel.parse_receipt(asked)
    if receipt is not None:
        try:
            async with house.db.write() as session:
                await outbox.record_receipt(session, receipt, house.clock.now())
        except SQLAlchemyError as error:
            log().error("receipt.not_kept", where=where(error))
            raise web.HTTPServiceUnavailable(text="Try again.") from None
    return _answer(channel)


async def take_in(house: House, channel: Channel, asked: WebRequest) -> None:
    """Keep what a genuine request carries; it is on disk when this returns, and routing is told.
    Raises CannotKeep when it is not."""
    parsed = channel.parse(asked)
    if isinstance(parsed, Inbound):
        await house.inbox.keep(parsed, house.clock.now())


async def _receive(request: web.Request, name: str) -> web.Response:
    house = request.app[HOUSE]
    channel, asked = await genuine(request, house, name)
    try:
        await take_in(house, channel, asked)
    except CannotKeep as error:
        log().error("item.not_kept", channel=name, error=str(error))
        raise web.HTTPServiceUnavailable(text="Try again.") from None
    return _answer(channel)


async def genuine(request: web.Request, house: House, name: str) -> tuple[Channel, WebRequest]:
    """The channel and what it was sent, with the provider's own signature; else 403, 404, 413."""
    channel = house.channels.get(name)
    if channel is None:
        raise web.HTTPNotFound(text="This way in is not switched on.")
    asked = WebRequest(
        url=house.settings.public_url + request.raw_path,
        headers=request.headers,  # as they are: this mapping does not mind upper or lower case
        body=await whole_body(request, LARGEST),
    )
    if not channel.is_genuine(asked):
        log().warning("hook.not_genuine", channel=name)
        raise web.HTTPForbidden(text="The signature does not fit.")
    return channel, asked


async def whole_body(request: web.Request, largest: int) -> bytes:
    """The body. 413 as soon as it says or shows that it is larger than `largest` bytes (a sender
    may lie about the length), 408 when it does not come to its end."""
    if (request.content_length or 0) > largest:
        raise web.HTTPRequestEntityTooLarge(largest, request.content_length or 0)
    body = bytearray()
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > largest:
                    raise web.HTTPRequestEntityTooLarge(largest, len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The rest never came.") from None
    return bytes(body)


def _answer(channel: Channel) -> web.Response:
    return web.Response(text=channel.accepted.body, content_type=channel.accepted.content_type)
