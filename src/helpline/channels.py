"""The contract that every bot keeps with the rest of the house.

A bot turns a provider's request into plain values and plain values into a provider's call. It
knows no database, no web framework and no rule; main.py hands `{name: channel}` to web and engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from helpline.vocabulary import Fault, ItemKind, OutState, SendState


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


class TellsStates(Protocol):
    """A channel whose provider can be asked what became of a message, should its report be lost."""

    async def state_of(self, provider_id: str) -> Receipt | None:
        """What the provider says now; None if it knows nothing, or could not be asked."""


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
