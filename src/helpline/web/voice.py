"""The way in for telephone calls: every hook below /hooks/voice. Verify, keep, ask the switchboard,
answer in the provider's words. Whatever goes wrong here, the line is told what to do: a call is
never dropped in silence, and no hook of a genuine call answers with an error.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.channels import (
    CallNews,
    CallStep,
    Channel,
    Inbound,
    TakesCalls,
    WebRequest,
    telephone_in,
)
from helpline.desk import calls, switchboard
from helpline.desk.house import House
from helpline.desk.inbox import CannotKeep
from helpline.desk.intake import Ways
from helpline.desk.switchboard import Line
from helpline.errors import NotFound
from helpline.log import log, where
from helpline.vocabulary import ItemKind
from helpline.web.asked import house_of, row_id
from helpline.web.hooks import genuine

Decide = Callable[[Line, CallNews], Awaitable[CallStep]]


async def answer(request: web.Request) -> web.Response:
    """A call begins. It is on disk before the greeting is spoken; the greeting itself needs
    nothing but words, and is spoken even when nothing could be kept."""
    house = house_of(request)
    channel, voice, asked = await _asked(request)
    ways, inbound = ways_of(house), channel.parse(asked)
    assert isinstance(inbound, Inbound)  # calls have no receipts
    contract = ways.contract_for(inbound)
    try:
        await house.inbox.keep(inbound, house.clock.now())
    except CannotKeep as error:
        log().error("item.not_kept", channel=channel.name, error=str(error))
    if contract is None or inbound.kind is ItemKind.UNREADABLE:
        return _say(voice, switchboard.fault(ways, may_record=True))
    return _say(voice, switchboard.greeting(ways, contract))


async def menu(request: web.Request) -> web.Response:
    return await _on(request, lambda line, news: switchboard.choose(line, news.key))


async def rung(request: web.Request) -> web.Response:
    turn = _number(request, "turn")
    return await _on(request, lambda line, news: switchboard.rung(line, turn, news.was_joined))


async def left(request: web.Request) -> web.Response:
    """Asked when somebody has spoken to the machine, and told when the recording is ready."""
    voice = _lines(house_of(request))

    async def decide(line: Line, news: CallNews) -> CallStep:
        media = voice.recorded(news.recording) if news.recording else None
        return await switchboard.left(line, news.recording, media)

    return await _on(request, decide, may_record=False)


async def status(request: web.Request) -> web.Response:
    """A call that was made to us is over, perhaps before anything else was asked."""
    return await _on(request, switchboard.over, may_record=False)


async def whisper(request: web.Request) -> web.Response:
    user = _number(request, "user")
    return await _on(request, lambda line, _: switchboard.whisper(line, user), may_record=False)


async def accept(request: web.Request) -> web.Response:
    user = _number(request, "user")
    return await _on(
        request, lambda line, news: switchboard.take(line, user, news.key), may_record=False
    )


async def outward(request: web.Request) -> web.Response:
    return await _on(request, lambda line, _: switchboard.confirm(line), may_record=False)


async def outward_ring(request: web.Request) -> web.Response:
    return await _on(
        request, lambda line, news: switchboard.ring_them(line, news.key), may_record=False
    )


async def outward_them(request: web.Request) -> web.Response:
    return await _on(request, lambda line, _: switchboard.ask_them(line), may_record=False)


async def outward_taken(request: web.Request) -> web.Response:
    return await _on(
        request, lambda line, news: switchboard.they_take(line, news.key), may_record=False
    )


async def outward_rung(request: web.Request) -> web.Response:
    return await _on(
        request,
        lambda line, news: switchboard.they_rang_out(line, news.was_joined),
        may_record=False,
    )


async def outward_status(request: web.Request) -> web.Response:
    return await _on(request, switchboard.over, may_record=False)


async def alert(request: web.Request) -> web.Response:
    """A worker who is asked by telephone has picked up."""
    return await _on(request, lambda line, _: switchboard.alert_answered(line), may_record=False)


async def alert_key(request: web.Request) -> web.Response:
    times = _number(request, "times")
    return await _on(
        request, lambda line, news: switchboard.alert_key(line, news.key, times), may_record=False
    )


async def alert_status(request: web.Request) -> web.Response:
    return await _on(request, switchboard.over, may_record=False)


def ways_of(house: House) -> Ways:
    return Ways(house.contracts, house.settings.numbers, house.wording)


async def _on(request: web.Request, decide: Decide, *, may_record: bool = True) -> web.Response:
    """One transaction: the call found and locked, the decision, the step. `may_record`: whether
    a fault may be followed by a message to the machine (on the caller's own line)."""
    house = house_of(request)
    channel, voice, asked = await _asked(request)
    ways = ways_of(house)
    try:
        async with house.db.write() as session:
            line, news = await _line(request, session, house, channel, voice, asked)
            step = await decide(line, news)
        said = _say(voice, step)
    except Exception as error:  # whatever it is, the line must hear something
        log().error("call.hook_failed", path=request.path, where=where(error))
        said = _say(voice, switchboard.fault(ways, may_record=may_record))
    house.wakes.sending.set()
    async with house.wakes.pages:
        house.wakes.pages.notify_all()
    return said


async def _line(
    request: web.Request,
    session: AsyncSession,
    house: House,
    channel: Channel,
    voice: TakesCalls,
    asked: WebRequest,
) -> tuple[Line, CallNews]:
    """The call this hook is about: the one its address names, else the one whose line it is. A
    call whose beginning was never heard of begins now."""
    news, now, ways = voice.parse_call(asked), house.clock.now(), ways_of(house)
    number = _number(request, "call")
    call = await calls.get(session, number) if number else None
    if call is None and not number:
        inbound = channel.parse(asked)
        contract = ways.contract_for(inbound) if isinstance(inbound, Inbound) else None
        if contract is None or not isinstance(inbound, Inbound) or not news.call_id:
            raise NotFound("There is no such call.")
        call = await calls.find(session, news.call_id)
        call = call or await calls.arrive(session, contract, inbound, now)
    if call is None:
        raise NotFound("There is no such call.")
    return Line(session, ways, ways.contracts[call.contract], call, now), news


async def _asked(request: web.Request) -> tuple[Channel, TakesCalls, WebRequest]:
    house = house_of(request)
    channel, asked = await genuine(request, house, "voice")
    return channel, _lines(house), asked


def _lines(house: House) -> TakesCalls:
    voice = telephone_in(house.channels)
    if voice is None:
        raise web.HTTPNotFound(text="This way in is not switched on.")
    return voice


def _number(request: web.Request, name: str) -> int:
    """A number in the hook's own address, 0 where there is none."""
    return row_id(request.query.get(name, "")) or 0


def _say(voice: TakesCalls, step: CallStep) -> web.Response:
    said = voice.spoken(step)
    return web.Response(text=said.body, content_type=said.content_type)
