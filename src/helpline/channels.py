"""The contract that every bot keeps with the rest of the house.

A bot turns a provider's request into plain values and plain values into a provider's call. It
knows no database, no web framework and no rule; main.py hands `{name: channel}` to web and engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from helpline.vocabulary import CallMove, Fault, ItemKind, OutState, SendState


@dataclass(frozen=True, slots=True)
class WebRequest:
    """One HTTP request as the provider made it: the exact public URL (scheme, host, path, query
    as signed), headers with lower-case names, the untouched body."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Media:
    """Something attached. `key` is what the provider wants to hear to hand it over (a URL, a file
    id); `content_type` is what the sender's side called it, which proves nothing."""

    key: str
    content_type: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Something a person sent. `external_id` is the provider's signed id, unique in the channel;
    `sender` and `recipient` are canonical addresses (E.164 for telephones, chat id for Telegram).
    `raw` is the body as received, kept sealed so that nothing a parser missed is lost."""

    channel: str
    external_id: str
    sender: str
    recipient: str
    text: str
    kind: ItemKind = ItemKind.TEXT
    sent_at: datetime | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    raw: str = ""
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says became of a message we sent. `code` is the provider's own."""

    channel: str
    provider_id: str
    state: OutState
    code: str = ""
    fault: Fault = Fault.NONE
    may_retry: bool = False
    """Whether a failure may be a passing one: a handset that is off, a carrier's hiccup."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to send. `key` names this message for ever, so that a bot whose provider can be
    asked (`find_sent`) can tell whether an earlier try went. `since` is when it was first tried."""

    key: str
    sender: str
    recipient: str
    text: str
    since: datetime
    extra: Mapping[str, str] = field(default_factory=dict)
    """What only this channel understands: a subject, a template's id, choices for buttons."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome of one try. `code` is the provider's own; `retry_after` in seconds if it said."""

    state: SendState
    provider_id: str = ""
    code: str = ""
    retry_after: float | None = None
    fault: Fault = Fault.NONE


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider wants to hear when we have kept its item: content type and body, with 200."""

    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of asking for an attachment: its bytes, or None and whether to ask again."""

    content: bytes | None
    is_lost: bool = False


class FetchesMedia(Protocol):
    """A channel whose attachments lie with the provider until fetched."""

    async def fetch(self, media: Media, largest: int) -> Fetched:
        """The attachment, given up as soon as it grows past `largest` bytes (then lost)."""


class ListsArrivals(Protocol):
    """A channel whose provider can be asked what it took in, for the reconciler."""

    async def arrivals(self, since: datetime) -> list[Inbound]:
        """Everything the provider received for us since then, in any order; raises on failure."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that lies in a mailbox. `place` names it there; `inbound.sent_at` is the time at
    which its server took it in."""

    place: str
    inbound: Inbound


class ReadsMailbox(Protocol):
    """A channel that brings nothing by itself: its mailbox is looked into again and again."""

    async def waiting(self) -> tuple[list[Found], int]:
        """What has not been marked as read, oldest first and no more than memory bears, and how
        many more there are that could not be had. Raises on failure. Marks nothing."""

    async def mark_read(self, places: Sequence[str]) -> None:
        """They are kept: not shown again. Raises on failure."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a provider says of us when asked. `refused`: what of ours it did not accept, empty where
    all is well. `hooks`: our address → the URL it calls for it, with the method in front where that
    is not POST, empty where it calls none; an address that is not there is not this account's."""

    refused: str = ""
    hooks: Mapping[str, str] = field(default_factory=dict)


class TellsWiring(Protocol):
    """A channel whose provider can be asked whether it knows us and where it brings what comes."""

    async def wiring(self) -> Wiring:
        """Asks now, changes nothing; raises when there is no answer."""


class TellsStates(Protocol):
    """A channel whose provider can be asked what became of a message, should its report be lost."""

    async def state_of(self, provider_id: str) -> Receipt | None:
        """What the provider says now; None if it knows nothing, or could not be asked."""


@dataclass(frozen=True, slots=True)
class CallStep:
    """What one telephone line hears and does next. Everything here is ours: wording, numbers from
    the register, addresses of our own hooks; never a word that a person wrote.

    `next` is the hook (path and query) that is asked what follows; for RING, `number` is rung in
    E.164, sees `shown`, and the hook `whisper` says what it hears before the two are joined.
    `seconds`: how long to wait for a key, to ring, or to record.
    """

    move: CallMove
    says: tuple[str, ...] = ()
    next: str = ""
    number: str = ""
    shown: str = ""
    whisper: str = ""
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class CallNews:
    """What a provider tells of one call, in a hook or when asked. `key`: the key pressed, empty for
    none. `was_joined`: of a telephone that was rung, whether the two could speak, where known.
    `recording`: the provider's id of a message left, empty for none. `ended_at` where known."""

    call_id: str
    key: str = ""
    has_ended: bool = False
    was_joined: bool | None = None
    seconds: int | None = None
    ended_at: datetime | None = None
    recording: str = ""


@runtime_checkable
class TakesCalls(Protocol):
    """A channel of telephone lines: a call is asked about, spoken to, placed and forgotten."""

    def parse_call(self, request: WebRequest) -> CallNews:
        """What a genuine request to one of the call hooks says. Never raises; an empty `call_id`
        means that nothing could be read."""

    def spoken(self, step: CallStep) -> Answer:
        """The step in the provider's own words."""

    async def ring(self, number: str, shown: str, next: str, ended: str) -> SendResult:
        """Ring `number`, which sees `shown`; `next` is the hook to ask once it is answered, `ended`
        the one to tell when it is over. Never raises."""

    async def find_call(self, call_id: str) -> CallNews | None:
        """Where a call stands; None where the provider knows no such call. Raises on failure."""

    def recorded(self, recording: str) -> Media:
        """A recording as something to fetch."""

    async def forget(self, recording: str) -> bool:
        """Delete a recording at the provider. True when it is gone there."""


def telephone_in(channels: Mapping[str, object]) -> TakesCalls | None:
    """The channel of telephone lines, if one is switched on."""
    voice = channels.get("voice")
    return voice if isinstance(voice, TakesCalls) else None


class Channel(Protocol):
    """One way in and out. Implemented by every file in bots/."""

    name: str
    accepted: Answer

    def is_genuine(self, request: WebRequest) -> bool:
        """Whether the request carries the provider's own signature or secret. Fails closed."""

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        """The one thing in a genuine request. Never raises: what it cannot read becomes an Inbound
        of kind UNREADABLE with an id made from the body. None: nothing to keep (a ping)."""

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        """The delivery report in a genuine request to the status hook, if it is one."""

    async def send(self, outbound: Outbound) -> SendResult:
        """Hand one message to the provider. Never raises; a refusal is a result."""

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        """After an unsure try: ACCEPTED with its id if the provider has it, RETRY if it surely has
        not, None if this provider cannot be asked."""

    async def close(self) -> None:
        """Let go of connections."""
