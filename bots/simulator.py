"""A telephone network that exists only in this process: it stands for Twilio or Telegram in the
demo and in the stories, and goes through the same intake and outbox as they do. main.py makes it
for the demo alone. It must never run where real people write, so it has to be allowed by name.
"""

import asyncio
import hmac
import json
import mimetypes
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bots import _samples, as_received, is_address, unreadable, whole_text
from helpline.channels import (
    Answer,
    Fetched,
    Inbound,
    Media,
    Outbound,
    Receipt,
    SendResult,
    WebRequest,
)
from helpline.errors import InvalidInput
from helpline.vocabulary import Direction, ItemKind, SendState

SECRET_HEADER = "x-simulator-secret"  # noqa: S105  # the header's name
STANDS_FOR = ("sms", "whatsapp", "telegram")
WHAT = {"image": "photo", "audio": "voice", "video": "video"}  # the first half of a type
MOST_FILES = 50  # kept in memory until the helpline fetches them; the oldest go first


@dataclass(frozen=True, slots=True)
class SimMessage:
    """What one telephone shows. `direction` is the helpline's view: IN was typed on the telephone.
    `at` counts all messages of this network from 1, `other` is the helpline's own address."""

    at: int
    number: str
    other: str
    direction: Direction
    text: str
    provider_id: str
    media: tuple[Media, ...] = ()


class Simulator:
    """One simulated network. Two switches for stories: while `offline`, nothing can be handed to it
    (RETRY); while `deaf`, it takes a message and never says so (UNSURE, and find_sent finds it).
    Raises InvalidInput unless allowed."""

    accepted = Answer("application/json", "{}")

    def __init__(self, stands_for: str, *, allow: bool = False) -> None:
        """`stands_for`: the channel it takes the place of, one of STANDS_FOR."""
        if not allow:
            raise InvalidInput("The simulated phone network runs only in the demo and in tests.")
        if stands_for not in STANDS_FOR:
            raise InvalidInput(f"The simulator stands for {' or '.join(STANDS_FOR)}.")
        self.name = stands_for
        self.secret = secrets.token_urlsafe(32)
        self.offline = False
        self.deaf = False
        self.messages: list[SimMessage] = []
        self._by_key: dict[str, str] = {}
        self._files: dict[str, bytes] = {}
        self._news = asyncio.Event()

    def write(
        self, number: str, to: str, text: str, files: Sequence[tuple[str, bytes]] = ()
    ) -> WebRequest:
        """The telephone's owner presses Send: the message shows on that telephone, and the request
        that would carry it to the helpline's hook is given back. `files`: names and contents, which
        lie with this network until they are fetched."""
        message = self._show(number, to, Direction.IN, text, self._keep(files))
        media = [{"key": m.key, "type": m.content_type, "name": m.name} for m in message.media]
        form = {"id": message.provider_id, "from": number, "to": to, "text": text, "media": media}
        return WebRequest(
            url=f"http://simulator.invalid/hooks/{self.name}",
            headers={SECRET_HEADER: self.secret, "content-type": "application/json"},
            body=json.dumps(form).encode(),
        )

    def on(self, number: str) -> list[SimMessage]:
        """All that this telephone has sent and got, oldest first."""
        return [message for message in self.messages if message.number == number]

    async def follow(self, after: int = 0) -> AsyncIterator[SimMessage]:
        """Every message with `at` above `after`, then each new one as it comes, without end."""
        while True:
            while len(self.messages) > after:
                after += 1
                yield self.messages[after - 1]
            await self._news.wait()

    def is_genuine(self, request: WebRequest) -> bool:
        """The secret made when this network was: nobody outside this process knows it."""
        given = request.headers.get(SECRET_HEADER, "")
        return hmac.compare_digest(given.encode(errors="replace"), self.secret.encode())

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        try:
            form = json.loads(request.body)
            external_id, sender, recipient, text = (
                whole_text(form[name]) for name in ("id", "from", "to", "text")
            )
            media = tuple(
                Media(*(whole_text(one[name]) for name in ("key", "type", "name")))
                for one in form.get("media", ())
            )
        except Exception:  # never raises: JSON can be wrong in every way there is
            return unreadable(self.name, request.body)
        if not (is_address(external_id) and is_address(sender) and is_address(recipient)):
            return unreadable(self.name, request.body, text=text)
        return Inbound(
            channel=self.name,
            external_id=external_id,
            sender=sender,
            recipient=recipient,
            text=text,
            kind=ItemKind.MEDIA if media else ItemKind.TEXT,
            extra={"what": _what(media)} if media else {},
            raw=as_received(request.body),
            media=media,
        )

    async def fetch(self, media: Media, largest: int) -> Fetched:
        """A file that was written with a message, for as long as this network remembers it."""
        content = self._files.get(media.key)
        is_there = content is not None and len(content) <= largest
        return Fetched(content if is_there else None, is_lost=not is_there)

    def sample(self, name: str) -> tuple[str, bytes] | None:
        """Something to send for who has no file at hand: "picture" or "voice"."""
        found = _samples.SAMPLES.get(name)
        return (found[0], found[1]()) if found else None

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        """This network delivers at once and reports nothing."""
        return None

    async def send(self, outbound: Outbound) -> SendResult:
        if self.offline:
            return SendResult(SendState.RETRY, code="offline")
        message = self._show(outbound.recipient, outbound.sender, Direction.OUT, outbound.text)
        self._by_key.setdefault(outbound.key, message.provider_id)
        if self.deaf:
            return SendResult(SendState.UNSURE, code="deaf")
        return SendResult(SendState.ACCEPTED, message.provider_id)

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        if self.offline:
            return SendResult(SendState.UNSURE, code="offline")
        if provider_id := self._by_key.get(outbound.key):
            return SendResult(SendState.ACCEPTED, provider_id)
        return SendResult(SendState.RETRY)

    async def close(self) -> None:
        """It holds no connection."""

    def _keep(self, files: Sequence[tuple[str, bytes]]) -> tuple[Media, ...]:
        media = []
        for name, content in files:
            key = f"file-{secrets.token_hex(12)}"
            self._files[key] = content
            media.append(Media(key, mimetypes.guess_type(name)[0] or "", name))
        while len(self._files) > MOST_FILES:
            del self._files[next(iter(self._files))]
        return tuple(media)

    def _show(
        self,
        number: str,
        other: str,
        direction: Direction,
        text: str,
        media: tuple[Media, ...] = (),
    ) -> SimMessage:
        """Put a message on a telephone and wake everybody who follows. The id is random because
        the database outlives this network."""
        provider_id = f"sim-{secrets.token_hex(12)}"
        at = len(self.messages) + 1
        message = SimMessage(at, number, other, direction, text, provider_id, media)
        self.messages.append(message)
        self._news.set()
        self._news = asyncio.Event()
        return message


def _what(media: tuple[Media, ...]) -> str:
    """What the timeline calls it."""
    kinds = {WHAT.get(one.content_type.partition("/")[0], "document") for one in media}
    return kinds.pop() if len(kinds) == 1 else "media"
