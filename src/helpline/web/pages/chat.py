"""The chat of the helpline's own site: no account, the same device finds its chat again.

Routes under /chat. What is typed takes the way of every channel, into the inbox, and routing does
the rest; the page reads back what its device may see (desk/webchat). Works as a plain form, better
with the script, which also listens on a socket and asks again by itself where there is none.
"""

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web
from sqlalchemy.exc import SQLAlchemyError

from helpline.channels import Inbound, Media
from helpline.contract import Contract
from helpline.desk import cases, uploads, webchat
from helpline.desk.inbox import CannotKeep
from helpline.errors import NotFound
from helpline.log import log
from helpline.rules.permissions import require
from helpline.web import auth
from helpline.web.asked import FORM_BYTES, actor_of, field, house_of, now_of
from helpline.web.handed_in import HandedIn, file_in
from helpline.web.middleware import POLICY
from helpline.web.pacing import PACING
from helpline.web.pages.case import find
from helpline.web.showing import go, rendered, show
from helpline.web.writing import TYPING, carer_types

LONGEST: Final = 4000
"""Characters of one message."""
COOKIE: Final = "helpline-chat"
REMEMBERED: Final = 90 * 24 * 3600
"""Seconds a device is remembered after its last visit."""
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""What of an address is carried on into the next one."""
ANSWERED_WITHIN: Final = 2.0
"""Seconds a form without script waits for the first answer; it comes all the same if later."""
LOOK_EVERY: Final = 2.0
"""Seconds between two looks for an open page, unless somebody wakes it before."""
AT_MOST_EVERY: Final = 0.3
FILE_COUNTS_AS: Final = 4
"""A file weighs as much as so many messages for who writes very fast."""
MOST_FILES_AT_ONCE: Final = 12
"""On their way in, each up to 10 MB of memory; who is asked to wait tries again by itself."""
MOST_SOCKETS: Final = 500
MOST_OF_A_DEVICE: Final = 5


class Sockets:
    """The open pages of this process, so that none holds up its end."""

    def __init__(self) -> None:
        self.open: dict[web.WebSocketResponse, str] = {}

    def has_room(self, device: str) -> bool:
        mine = sum(1 for other in self.open.values() if other == device)
        return len(self.open) < MOST_SOCKETS and mine < MOST_OF_A_DEVICE


SOCKETS = web.AppKey("chat_sockets", Sockets)
FILES_COMING_IN = web.AppKey("chat_files_coming_in", asyncio.Semaphore)


async def end_all(app: web.Application) -> None:
    """The process is to stop: pages then ask again by themselves."""
    for socket in list(app[SOCKETS].open):
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1):
                await socket.close(code=WSCloseCode.GOING_AWAY)


# --- pages ---------------------------------------------------------------------------------------


async def show_chat(request: web.Request) -> web.Response:
    """The page, with whatever this device has written and been answered so far."""
    contract = site_contract(request)
    if contract is None:
        return choose_contract(request, "/chat", "Chat with us")
    return await _page(request, contract, *_token(request))


async def show_messages(request: web.Request) -> web.Response:
    """Only the messages, for the script; 204 when the page has seen all of it (`seen`)."""
    contract = _contract(request)
    token = _known_token(request)
    if token is None:
        return web.Response(status=204)
    device = webchat.device_of(token, contract.key)
    async with house_of(request).db.read() as session:
        stamp = await webchat.stamp(session, contract.key, device)
    if request.query.get("seen") == stamp:
        return web.Response(status=204)
    values = await _chat(request, contract, device)
    return show(request, "chat_messages.html.j2", zone=contract.zone, **values)


async def send(request: web.Request) -> web.Response:
    """One message. The script gets a status and a sentence; a plain form gets the page again."""
    contract = _contract(request)
    token, is_new = _token(request)
    async with _place_for_a_file(request):
        file = await file_in(request, "file", uploads.LARGEST)
        text, message_id = await field(request, "text"), (await field(request, "id"))[:64]
        problem, status = _problem(text, file)
        if not problem:
            device = webchat.device_of(token, contract.key)
            message_id = message_id or secrets.token_hex(16)
            media = await _media(webchat.external_id(device, message_id), file)
            inbound = webchat.packed(device, message_id, text, contract.key, media)
            content = file.content if file else None
            problem, status, again_in = await keep_paced(request, device, inbound, content)
        if problem and file and not _is_script(request):
            problem += " Then choose the file again."
    if _is_script(request):
        response = web.Response(status=status if problem else 204, text=problem or None)
        if problem and status == 429:
            response.headers["Retry-After"] = str(again_in)
        return _remember(request, response, token) if not problem else response
    if problem:
        return await _page(request, contract, token, is_new, status, problem=problem, text=text)
    await _until_answered(request, contract, device)
    return _remember(request, go(_address(request, "/chat") + "#newest"), token)


async def forget(request: web.Request) -> web.Response:
    """This device lets go of its chat; the helpline keeps what was written."""
    return _remember(request, go(_address(request, "/chat")), "")


async def follow(request: web.Request) -> web.StreamResponse:
    """The socket: says "changed" whenever the page would look different, and "typing" while a
    worker types an answer. All that comes in is that somebody types here; no words, either way."""
    contract, token = _contract(request), _known_token(request)
    auth.check_origin(request)
    socket = web.WebSocketResponse(heartbeat=20, max_msg_size=1024, compress=False)
    if not socket.can_prepare(request).ok:
        raise web.HTTPBadRequest(text="This address is for the chat's own socket.")
    if token is None:
        raise web.HTTPForbidden(text="Open the chat page first.")
    device = webchat.device_of(token, contract.key)
    sockets = request.app[SOCKETS]
    if not sockets.has_room(device):
        raise web.HTTPServiceUnavailable(text="Too many pages are open. This one asks by itself.")
    await socket.prepare(request)
    sockets.open[socket] = device
    telling = asyncio.create_task(_tell(request, socket, contract.key, device))
    try:
        async for said in socket:  # until it closes; whatever else it says is not listened to
            if said.type is WSMsgType.TEXT and said.data == "typing":
                await carer_types(request, contract.key, device)
    finally:
        sockets.open.pop(socket, None)
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await telling
    return socket


async def _tell(
    request: web.Request, socket: web.WebSocketResponse, contract: str, device: str
) -> None:
    house, seen = house_of(request), request.query.get("seen", "")
    while not socket.closed:
        async with house.db.read() as session:
            stamp = await webchat.stamp(session, contract, device)
        if stamp != seen:
            seen = stamp
            await socket.send_str("changed")
        await asyncio.sleep(AT_MOST_EVERY)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY), house.wakes.pages:
                await house.wakes.pages.wait()


async def worker_types(request: web.Request) -> web.Response:
    """A worker types into the reply box of a case: the open chat that the answer would go to shows
    it, if there is one."""
    house, actor = house_of(request), actor_of(request)
    async with house.db.read() as session:
        found = await find(session, request)
        require(actor, "case.reply", found.contract)
        address = await cases.reply_address(session, found)
    is_chat = address is not None and address.channel == webchat.CHANNEL
    who = f"{actor.user_id}-{found.id}"
    if address and is_chat and request.app[TYPING].is_news(who, house.clock.seconds()):
        await _tell_device(request.app[SOCKETS], address.value)
    return web.Response(status=204)


async def _tell_device(sockets: Sockets, device: str) -> None:
    for socket, whose in list(sockets.open.items()):
        if whose == device:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(1):
                    await socket.send_str("typing")


# --- shared with the form ------------------------------------------------------------------------


def site_contract(request: web.Request) -> Contract | None:
    """The contract whose site this is: named in the address, or the only one there is."""
    contracts = house_of(request).contracts
    named = _named(request)
    if named is not None:
        if named not in contracts:
            raise NotFound(
                "There is nothing at this address. Check it with whoever gave it to you."
            )
        return contracts[named]
    return next(iter(contracts.values())) if len(contracts) == 1 else None


def _named(request: web.Request) -> str | None:
    """The contract in the address. `for` is short enough for a leaflet."""
    return request.query.get("contract", request.query.get("for"))


def choose_contract(request: web.Request, path: str, title: str) -> web.Response:
    """Several councils, one site: whose service is it?"""
    contracts = sorted(house_of(request).contracts.values(), key=lambda one: one.council_full)
    response = show(
        request,
        "chat_choice.html.j2",
        contracts=contracts,
        target=path,
        title=title,
        is_embedded=_is_embedded(request),
        exit_url=house_of(request).settings.exit_url,
    )
    if path == "/chat" and _is_embedded(request):
        _allow_framing(request, response)
    return response


async def keep_paced(
    request: web.Request, device: str, inbound: Inbound, content: bytes | None = None
) -> tuple[str, int, int]:
    """Keep it, at a pace; `content` is the file that came with it and is kept first. Gives the
    sentence of what went wrong ("" when nothing), the status, and in how many seconds to try
    again."""
    house, pacing = house_of(request), request.app[PACING]
    address = auth.client_address(request)
    pace = pacing.ask(device, address, house.clock.seconds())
    if pace.again_in > 0:
        seconds = max(1, round(pace.again_in))
        return f"You are writing very fast. Wait {seconds} seconds, then send again.", 429, seconds
    await asyncio.sleep(pace.hold)
    try:
        if content is not None:
            async with house.db.write() as session:
                await uploads.keep(session, inbound.external_id, content, now_of(request))
        await house.inbox.keep(inbound, now_of(request))
    except (CannotKeep, SQLAlchemyError) as error:
        why = str(error) if isinstance(error, CannotKeep) else type(error).__name__
        log().error("item.not_kept", channel=inbound.channel, error=why)
        return "We could not take this just now. Nothing was sent. Send it again.", 503, 5
    for _ in range(1 if content is None else FILE_COUNTS_AS):
        pacing.count(device, address, house.clock.seconds())
    return "", 200, 0


def site_values(request: web.Request, contract: Contract) -> dict[str, Any]:
    """What both pages show around their form."""
    return {
        "contract": contract,
        "signposts": [one for one in contract.signposts if one.first_answer],
        "exit_url": house_of(request).settings.exit_url,
        "is_embedded": _is_embedded(request),
        "suffix": _suffix(request),
        "elsewhere": _elsewhere(request),
    }


# --- private -------------------------------------------------------------------------------------


async def _page(
    request: web.Request,
    contract: Contract,
    token: str,
    is_new: bool,
    status: int = 200,
    *,
    problem: str = "",
    text: str = "",
) -> web.Response:
    device = webchat.device_of(token, contract.key)
    values = {} if is_new else await _chat(request, contract, device)
    page = rendered(
        request,
        "chat.html.j2",
        zone=contract.zone,
        problem=problem,
        text=text,
        message_id=secrets.token_hex(16),
        longest=LONGEST,
        largest=uploads.LARGEST,
        **site_values(request, contract),
        **({"chat": webchat.Chat(), "stamp": ""} | values),
    )
    response = web.Response(text=page, status=status, content_type="text/html")
    if _is_embedded(request):
        _allow_framing(request, response)
    return _remember(request, response, token)


async def _chat(request: web.Request, contract: Contract, device: str) -> dict[str, Any]:
    """The device's chat and its stamp. What is shown for the first time counts as delivered."""
    house = house_of(request)
    async with house.db.read() as session:
        stamp = await webchat.stamp(session, contract.key, device)
        chat = await webchat.chat(session, contract.key, device)
    if chat.fresh:
        async with house.db.write() as session:
            await webchat.note_delivered(session, chat.fresh, now_of(request))
    return {"chat": chat, "stamp": stamp}


async def _until_answered(request: web.Request, contract: Contract, device: str) -> None:
    """Wait a moment for the automatic answer, so that the page that follows shows it."""
    house = house_of(request)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWERED_WITHIN):
            while True:
                async with house.db.read() as session:
                    if not (await webchat.chat(session, contract.key, device)).is_waiting:
                        return
                await asyncio.sleep(0.1)


def _contract(request: web.Request) -> Contract:
    contract = site_contract(request)
    if contract is None:
        raise NotFound("This address does not say which council it is for.")
    return contract


@contextlib.asynccontextmanager
async def _place_for_a_file(request: web.Request) -> AsyncIterator[None]:
    """A form with a file waits for nobody: where too many are on their way in, it comes again."""
    coming_in = request.app[FILES_COMING_IN]
    if request.content_length is not None and request.content_length <= FORM_BYTES:
        yield  # words alone, or a small file: those never wait
        return
    if coming_in.locked():
        sentence = "Many people are sending files just now. Send it again in a minute."
        raise web.HTTPServiceUnavailable(text=sentence)
    async with coming_in:
        yield


async def _media(key: str, file: HandedIn | None) -> Media | None:
    """What the message says of its file; looked at in a thread."""
    if file is None:
        return None
    return await asyncio.to_thread(uploads.media_of, key, file.name, file.content)


def _problem(text: str, file: HandedIn | None) -> tuple[str, int]:
    """The sentence of what is wrong ("" when nothing), and the status."""
    over = len(text) - LONGEST
    if file and not file.is_whole:
        most = uploads.LARGEST // 1024**2
        return (
            f"This file is too large: {most} MB at most. Send a smaller one or a photo of it.",
            413,
        )
    if file and not file.content:
        return "This file is empty. Choose another one.", 400
    if not text and not file:
        return "Write your message first.", 400
    if over > 0:
        return (
            f"Your message is {over:,} characters too long. A message holds {LONGEST:,}: "
            "shorten it, or send it in two parts."
        ), 400
    return "", 200


def _is_script(request: web.Request) -> bool:
    return request.headers.get("X-Requested-With") == "chat"


def _is_embedded(request: web.Request) -> bool:
    return request.query.get("embed") == "1" and bool(_framed_by(request))


def _framed_by(request: web.Request) -> str:
    house = house_of(request)
    own = " 'self'" if house.demo is not None else ""
    return (house.settings.embed_origins.replace(",", " ") + own).strip()


def _suffix(request: web.Request) -> str:
    """The part of the address that every link and form of these pages keeps."""
    kept = {"contract": _named(request), "embed": request.query.get("embed")}
    pairs = [f"{name}={value}" for name, value in kept.items() if value and KEY.fullmatch(value)]
    return "?" + "&".join(pairs) if pairs else ""


def _elsewhere(request: web.Request) -> str:
    """Where to choose another council; empty where there is only one."""
    if len(house_of(request).contracts) == 1:
        return ""
    return request.path + ("?embed=1" if _is_embedded(request) else "")


def _address(request: web.Request, path: str) -> str:
    return path + _suffix(request)


def _allow_framing(request: web.Request, response: web.StreamResponse) -> None:
    """Only the origins of the settings may show this page in theirs; in the demo, its own page."""
    origins = _framed_by(request)
    response.headers["Content-Security-Policy"] = POLICY.replace(
        "frame-ancestors 'none'", f"frame-ancestors {origins}"
    )


def _token(request: web.Request) -> tuple[str, bool]:
    """This device's token, and whether it is a new one."""
    known = _known_token(request)
    return (known, False) if known else (secrets.token_urlsafe(32), True)


def _known_token(request: web.Request) -> str | None:
    given = request.cookies.get(_cookie_name(request), "")
    return given if TOKEN.fullmatch(given) else None


def _cookie_name(request: web.Request) -> str:
    return auth.cookie_name(request, COOKIE)


def _remember(request: web.Request, response: web.Response, token: str) -> web.Response:
    """Written by hand: before Python 3.14 the library knows no partitioned cookies. Inside another
    site's page a browser keeps only such a one, and for that site alone."""
    seconds = REMEMBERED if token else 0
    flags = f"Path=/; Max-Age={seconds}; HttpOnly"
    is_secure = house_of(request).settings.public_url.startswith("https://")
    if is_secure and _is_embedded(request):
        flags += "; Secure; SameSite=None; Partitioned"
    else:
        flags += ("; Secure" if is_secure else "") + "; SameSite=Lax"
    response.headers.add("Set-Cookie", f"{_cookie_name(request)}={token}; {flags}")
    return response
