"""A telephone exchange that exists only in this process: it stands for Twilio's lines in the demo.
It asks our own hooks what each line does and shows what would be heard, while a visitor of the demo
presses the keys of both telephones. main.py makes it for the demo alone, allowed by name.
"""

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from bots import as_received, is_address, unreadable
from helpline.channels import (
    Answer,
    CallNews,
    CallStep,
    Fetched,
    Inbound,
    Media,
    Outbound,
    Receipt,
    SendResult,
    WebRequest,
)
from helpline.errors import InvalidInput
from helpline.vocabulary import CallMove, ItemKind, SendState

SECRET_HEADER = "x-exchange-secret"  # noqa: S105  # the header's name
SILENCE = (
    b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00"
    b"\x01\x00\x08\x00data\x08\x00\x00\x00" + b"\x80" * 8
)  # what a message sounds like here
Post = Callable[[str, Mapping[str, str]], Awaitable[str]]
"""Asks one of our hooks (path and query) with a form; returns the body of its answer."""


@dataclass
class DemoCall:
    """One call with its two telephones. `first` rang (or, when we ring out, is rung first), `rung`
    is the one that rings now. `heard`: telephone and sentence, in order."""

    sid: str
    first: str
    other: str
    path: str
    ended: str
    heard: list[tuple[str, str]] = field(default_factory=list)
    step: CallStep | None = None
    rung: str = ""
    rung_step: CallStep | None = None
    is_joined: bool = False
    is_over: bool = False
    recording: str = ""

    def can(self, number: str) -> tuple[str, ...]:
        """What the owner of this telephone can do now: answer, ignore, key, speak, hang_up."""
        if self.is_over:
            return ()
        if number == self.rung and number != "":
            if self.is_joined:
                return ("hang_up",)
            return ("key", "hang_up") if self.rung_step else ("answer", "ignore")
        if number != self.first:
            return ()
        if self.step is None:
            return ("answer", "ignore")
        if self.step.move is CallMove.ASK:
            return ("key", "hang_up")
        return ("speak", "hang_up") if self.step.move is CallMove.RECORD else ("hang_up",)

    async def act(self, post: Post, number: str, what: str, key: str = "") -> None:
        """The owner of `number` does `what`. InvalidInput for what they cannot do now."""
        if what not in self.can(number):
            raise InvalidInput("That cannot be done on this telephone now.")
        if number == self.rung:
            await self._rung_does(post, what, key)
        else:
            await self._first_does(post, what, key)

    async def begin(self, post: Post) -> None:
        self._hear(self.first, await self._ask(post, self.path))
        await self._go_on(post)

    async def _first_does(self, post: Post, what: str, key: str) -> None:
        if what in ("hang_up", "ignore"):
            await self._end(post)
        elif what == "answer":
            await self.begin(post)
        elif what == "speak":
            self.recording = "RE" + secrets.token_hex(8)
            await self._next(post, recording=self.recording)
        else:
            await self._next(post, key=key)

    async def _rung_does(self, post: Post, what: str, key: str) -> None:
        assert self.step is not None
        if what == "answer":
            self.rung_step = await self._ask(post, self.step.whisper)
            self._hear_rung()
        elif what == "key" and self.rung_step is not None:
            self.rung_step = await self._ask(post, self.rung_step.next, key=key)
            self._hear_rung()
            if self.rung_step.move is CallMove.JOIN:
                self.is_joined = True
            else:
                await self._next(post, joined="false")
        else:
            await self._next(post, joined="true" if self.is_joined else "false")

    async def _next(self, post: Post, **said: str) -> None:
        assert self.step is not None
        self.rung, self.rung_step, self.is_joined = "", None, False
        self._hear(self.first, await self._ask(post, self.step.next, **said))
        await self._go_on(post)

    async def _go_on(self, post: Post) -> None:
        if self.step is not None and self.step.move is CallMove.RING:
            self.rung = self.step.number
        if self.step is not None and self.step.move is CallMove.HANG_UP:
            await self._end(post)

    async def _end(self, post: Post) -> None:
        self.is_over, self.rung = True, ""
        await self._ask(post, self.ended)

    async def _ask(self, post: Post, path: str, **said: str) -> CallStep:
        ended = {"ended": "yes"} if self.is_over else {}
        form = {"id": self.sid, "from": self.first, "to": self.other, **said, **ended}
        values = json.loads(await post(path, form))
        values |= {"move": CallMove(values["move"]), "says": tuple(values["says"])}
        return CallStep(**values)

    def _hear(self, number: str, step: CallStep) -> None:
        self.step = step
        self.heard.extend((number, sentence) for sentence in step.says)

    def _hear_rung(self) -> None:
        if self.rung_step is not None:
            self.heard.extend((self.rung, sentence) for sentence in self.rung_step.says)


class Exchange:
    """All calls of the demo, the newest last. Raises InvalidInput unless allowed."""

    name = "voice"
    accepted = Answer("application/json", "{}")

    def __init__(self, *, allow: bool = False) -> None:
        if not allow:
            raise InvalidInput("The simulated telephone exchange runs only in the demo.")
        self.secret = secrets.token_urlsafe(32)
        self.calls: list[DemoCall] = []

    def call(self, number: str, to: str) -> DemoCall:
        """Somebody takes up the receiver and rings us; `begin` it to be greeted."""
        return self._add(number, to, "/hooks/voice", "/hooks/voice/status")

    def latest(self, number: str) -> DemoCall | None:
        """The newest call that this telephone has or had a part in."""
        for call in reversed(self.calls):
            if number in (call.first, call.rung) or any(who == number for who, _ in call.heard):
                return call
        return None

    def is_genuine(self, request: WebRequest) -> bool:
        given = request.headers.get(SECRET_HEADER, "")
        return hmac.compare_digest(given.encode(errors="replace"), self.secret.encode())

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        form = _form(request.body)
        sid, caller = form.get("id", ""), form.get("from", "")
        if not is_address(sid) or not is_address(caller):
            return unreadable(self.name, request.body)
        return Inbound(
            channel=self.name,
            external_id=sid,
            sender=caller,
            recipient=form.get("to", ""),
            text="",
            kind=ItemKind.CALL,
            extra={"what": "call"},
            raw=as_received(request.body),
        )

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        return None

    def parse_call(self, request: WebRequest) -> CallNews:
        form = _form(request.body)
        return CallNews(
            call_id=form.get("id", ""),
            key=form.get("key", "")[:1],
            has_ended=form.get("ended") == "yes",
            was_joined={"true": True, "false": False}.get(form.get("joined", "")),
            recording=form.get("recording", ""),
        )

    def spoken(self, step: CallStep) -> Answer:
        return Answer("application/json", json.dumps(asdict(step)))

    async def ring(self, number: str, shown: str, next: str, ended: str) -> SendResult:
        for before in self.calls:  # it has rung out by now: nobody picked it up
            if before.first == number and before.step is None:
                before.is_over = True
        call = self._add(number, shown, next, ended)
        return SendResult(SendState.ACCEPTED, call.sid)

    async def find_call(self, call_id: str) -> CallNews | None:
        for call in self.calls:
            if call.sid == call_id:
                return CallNews(call_id, has_ended=call.is_over, recording=call.recording)
        return None

    def recorded(self, recording: str) -> Media:
        return Media(recording, "audio/wav", "voicemail.wav")

    async def fetch(self, media: Media, largest: int) -> Fetched:
        return Fetched(SILENCE)

    async def forget(self, recording: str) -> bool:
        return True

    async def arrivals(self, since: datetime) -> list[Inbound]:
        return []  # its calls cannot miss us: they are made here

    async def send(self, outbound: Outbound) -> SendResult:
        if not outbound.extra.get("next"):
            return SendResult(SendState.REFUSED, code="voice")
        return await self.ring(
            outbound.recipient, outbound.sender, outbound.extra["next"], outbound.extra["ended"]
        )

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        return None

    async def close(self) -> None:
        """It holds no connection."""

    def _add(self, first: str, other: str, path: str, ended: str) -> DemoCall:
        call = DemoCall(f"demo-{secrets.token_hex(12)}", first, other, path, ended)
        self.calls.append(call)
        return call


def _form(body: bytes) -> dict[str, str]:
    """The texts in a JSON body; nothing for what is none."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {str(name): value for name, value in values.items() if isinstance(value, str)}
