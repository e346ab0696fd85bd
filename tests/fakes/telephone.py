"""A telephone exchange on loopback: Twilio's lines as they behave towards our hooks. It does what
the TwiML says (says, waits for keys, rings, joins, records, goes on), posts signed forms, and
answers the REST calls that place a call, list it, and fetch or delete a recording. `owners` says
who picks up which telephone and what they press."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bots.voice import Voice
from helpline.clock import MovableClock
from helpline.web.app import make_app
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio, Form, signed
from tests.world import World

HANGS_UP = "hangs up"
SOUND = b"\xff\xe3\x18\xc4" + b"\0" * 400  # an MPEG frame at 8 kHz, as telephones have


@dataclass
class Owner:
    """Who has a telephone: whether they pick up, which keys they press at each question (none once
    these are used up), and how long they talk when joined."""

    picks_up: bool = True
    keys: tuple[str, ...] = ("1",)
    minutes: float = 5


@dataclass
class CallLog:
    """What one call was like from the caller's chair."""

    sid: str
    heard: list[str] = field(default_factory=list)
    rang: list[str] = field(default_factory=list)
    whispered: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    recorded: bool = False
    documents: list[str] = field(default_factory=list)


class _Over(Exception):
    """The line is no more."""


class Exchange(FakeTwilio):
    """`client` reaches our side, which takes itself to be at `public_url`."""

    client: TestClient

    def __init__(self, public_url: str, clock: MovableClock) -> None:
        super().__init__(clock=clock)
        self.public_url, self.moving = public_url, clock
        self.owners: dict[str, Owner] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self.recordings: dict[str, str] = {}  # recording → call
        self.deleted: list[str] = []
        self.loses_status = False  # nobody is told that a call is over
        self.loses_recording = False  # nobody is told of a recording
        self.bridges = True  # False: whoever presses the key finds a dead line
        self.twice = False  # every hook is asked once more, and the second answer counts
        self.while_recording: Callable[[], None] = lambda: None

    async def ring(
        self, caller: str, to: str, *keys: str, says: bytes = b"", gives_up: str = ""
    ) -> CallLog:
        """Somebody rings us, presses these keys, and speaks to the machine if `says`. `gives_up`:
        the number during whose ringing they put down the receiver."""
        sid = "CA" + secrets.token_hex(16)
        self._begin(sid, caller, to, "inbound")
        return await self._lead(
            sid, "/hooks/voice", iter(keys), says, gives_up, "/hooks/voice/status"
        )

    async def answer(self, call: dict[str, Any], *keys: str) -> CallLog:
        """The worker picks up the telephone that we rang first."""
        path = self._hook(call["url"])
        return await self._lead(
            call["sid"], path, iter(keys), b"", "", self._hook(call["callback"])
        )

    async def lose(self, caller: str, to: str) -> str:
        """Somebody rings while we are down: no hook is ever asked. Returns the call's id."""
        sid = "CA" + secrets.token_hex(16)
        self._begin(sid, caller, to, "inbound")
        self._end(sid)
        return sid

    async def post(self, path: str, form: Form) -> tuple[int, str]:
        """One signed form to one hook."""
        headers, body = signed(self.public_url + path, form, self.auth_token)
        async with self.client.post(path, data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    # --- a line ----------------------------------------------------------------------------------

    async def _lead(
        self, sid: str, path: str, keys: Iterator[str], says: bytes, gives_up: str, status: str
    ) -> CallLog:
        log = CallLog(sid)
        with suppress(_Over):
            await self._follow(log, path, {}, keys, says, gives_up)
        self._end(sid)
        if not self.loses_status:
            await self.post(status, self._form(sid, CallDuration=str(self._length(sid))))
        return log

    async def _follow(
        self,
        log: CallLog,
        path: str,
        more: dict[str, str],
        keys: Iterator[str],
        says: bytes,
        gives_up: str,
    ) -> None:
        document = await self._ask(log, path, self._form(log.sid, **more))
        for verb in document:
            going: tuple[str, dict[str, str]] | None = None
            if verb.tag == "Say":
                log.heard.append(verb.text or "")
            elif verb.tag == "Gather":
                going = self._gather(log, verb, next(keys, ""))
            elif verb.tag == "Dial":
                going = await self._dial(log, verb, gives_up)
            elif verb.tag == "Record" and says:
                going = await self._record(log, verb)
            elif verb.tag == "Redirect":
                going = self._hook(verb.text or ""), {}
            elif verb.tag == "Hangup":
                raise _Over
            if going is not None:
                return await self._follow(log, going[0], going[1], keys, says, gives_up)
        return None

    def _gather(
        self, log: CallLog, verb: ElementTree.Element, key: str
    ) -> tuple[str, dict[str, str]] | None:
        log.heard.extend(say.text or "" for say in verb)
        if key == HANGS_UP:
            raise _Over
        if not key and verb.get("actionOnEmptyResult") != "true":
            return None
        if key == verb.get("finishOnKey", "#"):
            key = ""
        return self._hook(verb.attrib["action"]), {"Digits": key}

    async def _dial(
        self, log: CallLog, verb: ElementTree.Element, gives_up: str
    ) -> tuple[str, dict[str, str]]:
        (number,) = verb
        to = number.text or ""
        log.rang.append(to)
        log.shown.add(verb.attrib["callerId"])
        owner = self.owners.get(to, Owner(picks_up=False))
        action = self._hook(verb.attrib["action"])
        if to == gives_up:
            await self.post(action, self._form(log.sid, DialCallStatus="no-answer"))
            raise _Over
        if not owner.picks_up:
            return action, {"DialCallStatus": "no-answer"}
        child = "CA" + secrets.token_hex(16)
        if not await self._is_taken(log, child, self._hook(number.attrib["url"]), iter(owner.keys)):
            return action, {"DialCallStatus": "completed", "DialBridged": "false"}
        if not self.bridges:
            return action, {"DialCallStatus": "no-answer", "DialBridged": "false"}
        log.joined.append(to)
        self.moving.forward(timedelta(minutes=owner.minutes))
        seconds = str(int(owner.minutes * 60))
        return action, {
            "DialCallStatus": "completed",
            "DialBridged": "true",
            "DialCallSid": child,
            "DialCallDuration": seconds,
        }

    async def _is_taken(self, log: CallLog, child: str, path: str, keys: Iterator[str]) -> bool:
        """The telephone that was rung: whether its TwiML runs out without putting it down, which
        is when the two lines are joined."""
        form = {"CallSid": child, "ParentCallSid": log.sid}
        while True:
            document = await self._ask(
                log, path, list(({"AccountSid": ACCOUNT_SID} | form).items())
            )
            for verb in document:
                if verb.tag == "Say":
                    log.whispered.append(verb.text or "")
                elif verb.tag == "Gather":
                    log.whispered.extend(say.text or "" for say in verb)
                    key = next(keys, "")
                    if key == HANGS_UP:
                        return False
                    path, form["Digits"] = self._hook(verb.attrib["action"]), key
                    break
                elif verb.tag == "Hangup":
                    return False
            else:
                return True

    async def _record(
        self, log: CallLog, verb: ElementTree.Element
    ) -> tuple[str, dict[str, str]] | None:
        self.while_recording()
        recording = "RE" + secrets.token_hex(16)
        self.recordings[recording], log.recorded = log.sid, True
        news = {"RecordingSid": recording, "RecordingUrl": f"https://elsewhere.invalid/{recording}"}
        if self.loses_recording:
            raise _Over
        callback = self._hook(verb.attrib["recordingStatusCallback"])
        await self.post(callback, self._form(log.sid, **news, RecordingStatus="completed"))
        return self._hook(verb.attrib["action"]), {**news, "Digits": "hangup"}

    async def _ask(self, log: CallLog, path: str, form: Form) -> ElementTree.Element:
        for _ in range(2 if self.twice else 1):
            status, text = await self.post(path, form)
            assert status == 200, (path, status, text)
        log.documents.append(text)
        document = ElementTree.fromstring(text)
        assert document.tag == "Response"
        return document

    # --- bookkeeping -----------------------------------------------------------------------------

    def _begin(self, sid: str, from_: str, to: str, direction: str) -> None:
        self.calls[sid] = {
            "sid": sid,
            "from": from_,
            "to": to,
            "direction": direction,
            "status": "in-progress",
            "begun": self.moving.now(),
            "ended": None,
        }

    def _end(self, sid: str) -> None:
        self.calls[sid] |= {"status": "completed", "ended": self.moving.now()}

    def _length(self, sid: str) -> int:
        call = self.calls[sid]
        return int(((call["ended"] or self.moving.now()) - call["begun"]).total_seconds())

    def _form(self, sid: str, **more: str) -> Form:
        call = self.calls[sid]
        form = {
            "AccountSid": ACCOUNT_SID,
            "ApiVersion": "2010-04-01",
            "CallSid": sid,
            "CallStatus": call["status"],
            "Called": call["to"],
            "Caller": call["from"],
            "Direction": call["direction"],
            "From": call["from"],
            "To": call["to"],
            "CallerName": "",
        }
        return list((form | more).items())

    def _hook(self, url: str) -> str:
        assert url.startswith(self.public_url + "/hooks/voice"), url
        parts = urlsplit(url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    # --- the REST side ---------------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        base = f"/2010-04-01/Accounts/{self.account_sid}"
        return [
            *super().routes(),
            web.post(f"{base}/Calls.json", self._place),
            web.get(f"{base}/Calls.json", self._calls),
            web.get(base + "/Calls/{sid:CA[0-9a-f]+}.json", self._call),
            web.get(base + "/Calls/{sid:CA[0-9a-f]+}/Recordings.json", self._recordings_of),
            web.get(base + "/Recordings/{sid:RE[0-9a-f]+}.mp3", self._sound),
            web.delete(base + "/Recordings/{sid:RE[0-9a-f]+}.json", self._delete),
        ]

    async def _place(self, request: web.Request) -> web.StreamResponse:
        return await self.misbehaving(request, self._placed)

    async def _placed(self, request: web.Request) -> web.StreamResponse:
        form, sid = await request.post(), "CA" + secrets.token_hex(16)
        self._begin(sid, str(form["From"]), str(form["To"]), "outbound-api")
        call = self.calls[sid]
        call |= {"url": str(form["Url"]), "callback": str(form["StatusCallback"])}
        self.sent.append(call)
        return web.json_response(self._call_resource(call), status=201)

    async def _calls(self, request: web.Request) -> web.StreamResponse:
        found = [self._call_resource(call) for call in self.calls.values()]
        return web.json_response(
            {"calls": found, "next_page_uri": None, "page": 0, "page_size": 1000}
        )

    async def _call(self, request: web.Request) -> web.StreamResponse:
        call = self.calls.get(request.match_info["sid"])
        if call is None:
            return web.json_response({"code": 20404, "status": 404, "message": ""}, status=404)
        return web.json_response(self._call_resource(call))

    async def _recordings_of(self, request: web.Request) -> web.StreamResponse:
        sid = request.match_info["sid"]
        found = [
            {"sid": one, "call_sid": sid} for one, call in self.recordings.items() if call == sid
        ]
        return web.json_response(
            {"recordings": found, "next_page_uri": None, "page": 0, "page_size": 50}
        )

    async def _sound(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            raise web.HTTPUnauthorized
        if request.match_info["sid"] not in self.recordings:
            raise web.HTTPNotFound
        return web.Response(body=SOUND, content_type="audio/mpeg")

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        sid = request.match_info["sid"]
        if not self._may(request) or self.recordings.pop(sid, None) is None:
            return web.json_response({"code": 20404, "status": 404, "message": ""}, status=404)
        self.deleted.append(sid)
        return web.Response(status=204)

    def _call_resource(self, call: dict[str, Any]) -> dict[str, Any]:
        return {
            "account_sid": self.account_sid,
            "sid": call["sid"],
            "from": call["from"],
            "to": call["to"],
            "direction": call["direction"],
            "status": call["status"],
            "start_time": _rfc(call["begun"]),
            "end_time": _rfc(call["ended"]),
            "date_created": _rfc(call["begun"]),
            "duration": str(self._length(call["sid"])) if call["ended"] else None,
            "subresource_uris": {},
        }


@asynccontextmanager
async def switched_on(world: World) -> AsyncIterator[Exchange]:
    """The world with a telephone line, by the real library to an exchange of its own."""
    public_url = world.house.settings.public_url
    async with Exchange(public_url, world.clock) as exchange:
        voice = Voice(ACCOUNT_SID, AUTH_TOKEN, public_url, exchange.url)
        world.house = replace(world.house, channels={**world.house.channels, "voice": voice})
        async with TestClient(TestServer(make_app(world.house))) as exchange.client:
            yield exchange
        await voice.close()


def _rfc(instant: datetime | None) -> str | None:
    return format_datetime(instant) if instant else None
