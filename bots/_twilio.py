"""What SMS and WhatsApp share, both being Twilio's messages: its words and codes, signature and
form, the carrier of its library's requests, its media. Used by bots/sms.py and bots/whatsapp.py. It
decides nothing and keeps nothing.
"""

import hmac
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus, urljoin, urlparse, urlsplit, urlunsplit

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, add_port, remove_port
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from bots import as_received, is_address, unreadable
from helpline import outgoing
from helpline.channels import Fetched, Inbound, Media, Receipt, SendResult, WebRequest, Wiring
from helpline.errors import InvalidInput
from helpline.vocabulary import Fault, ItemKind, OutState, SendState

# MessageStatus → our word. Twilio's words for its own queue say no more than that it has the
# message; words missing here (receiving, received, partially_delivered) say nothing of ours.
STATUSES: Mapping[str, OutState] = {
    "accepted": OutState.SENDING,
    "scheduled": OutState.SENDING,
    "queued": OutState.SENDING,
    "sending": OutState.SENDING,
    "sent": OutState.SENT,
    "delivered": OutState.DELIVERED,
    "read": OutState.READ,
    "undelivered": OutState.FAILED,
    "failed": OutState.FAILED,
    "canceled": OutState.FAILED,
}

# Twilio's error code → what to do. A code missing here follows its HTTP status (below).
CODES: Mapping[int, SendState] = {
    20003: SendState.RETRY,  # our credentials were refused: somebody will mend them
    20429: SendState.RETRY,  # too many requests
    21211: SendState.REFUSED,  # not a telephone number
    21408: SendState.REFUSED,  # that country is switched off
    21610: SendState.REFUSED,  # the recipient opted out
    21611: SendState.RETRY,  # our number's queue is full
    21612: SendState.REFUSED,  # no way from this number to that one
    21614: SendState.REFUSED,  # not a mobile
    21617: SendState.REFUSED,  # longer than 1,600 characters
    30001: SendState.RETRY,  # queue overflow
    30002: SendState.RETRY,  # account suspended
    30003: SendState.RETRY,  # handset off or without signal
    30004: SendState.REFUSED,  # blocked by the recipient or the carrier
    30005: SendState.REFUSED,  # unknown handset
    30006: SendState.REFUSED,  # landline, or a carrier that cannot be reached
    30007: SendState.REFUSED,  # filtered for its content
    30008: SendState.RETRY,  # unknown
    63003: SendState.REFUSED,  # WhatsApp: nobody there has it
    63016: SendState.REFUSED,  # WhatsApp: outside the 24-hour window
    63018: SendState.RETRY,  # WhatsApp: too many in a short time
    63024: SendState.REFUSED,  # WhatsApp: not a number it knows
    63032: SendState.REFUSED,  # WhatsApp: the person does not take messages from us
}

# Those codes that say something about the way itself, so that nobody walks it again in vain.
FAULTS: Mapping[int, Fault] = {
    21211: Fault.BAD_ADDRESS,
    21614: Fault.BAD_ADDRESS,
    30005: Fault.BAD_ADDRESS,
    30006: Fault.BAD_ADDRESS,
    63003: Fault.BAD_ADDRESS,
    63024: Fault.BAD_ADDRESS,
    21610: Fault.OPTED_OUT,
    30004: Fault.BLOCKED,
    63032: Fault.BLOCKED,
    63016: Fault.WINDOW_CLOSED,
}

# HTTP status → what to do, where the code said nothing. The two gateway answers mean that somebody
# between us and Twilio did not hear its answer: the message may have gone, so ask.
HTTP_STATUSES: Mapping[int, SendState] = {
    401: SendState.RETRY,
    404: SendState.RETRY,  # no such account: like 401, not this message's fault
    408: SendState.RETRY,
    429: SendState.RETRY,
    500: SendState.UNSURE,  # something broke at theirs, perhaps after they had taken it
    502: SendState.UNSURE,
    504: SendState.UNSURE,
}

# What the first letters of a content type make of a message with media.
KINDS: Mapping[str, str] = {"image": "photo", "audio": "voice", "video": "video"}
# WhatsApp's MessageType where it says more than the media does; a word missing here and in READ
# is a kind that cannot be shown, and is kept under its own name.
READ = frozenset(("", "text", "image", "audio", "video", "document", "button", "interactive"))

CONNECT_SECONDS, TOTAL_SECONDS, FETCH_SECONDS = 5.0, 15.0, 60.0
LOOK_BACK = 200  # messages to one person that find_sent reads: more than anybody gets in an outage
CLOCK_SLACK = timedelta(seconds=5)  # Twilio's dates are whole seconds, and its clock is not ours
TRIAL_PREFIX = "Sent from your Twilio trial account - "
KEPT_EXTRAS = re.compile(
    r"OptOutType|Media(Url|ContentType)\d{1,2}|MessageType|OriginalRepliedMessageSid"
)
NOT_IN_CODES = re.compile(r"[^0-9A-Za-z]")
MESSAGE_ID = re.compile(r"(?!(SM|MM|CA)[0-9a-f]{32}.)[A-Za-z0-9]{1,64}")
SIGNED_ID = re.compile(r"(?:MessageSid|SmsSid|CallSid)((?:SM|MM|CA)[0-9a-f]{32})")
WHATSAPP = "whatsapp:"
MOST_MEDIA = 10  # as many as Twilio puts on one message
MOST_REDIRECTS = 3
MEDIA_HOSTS = (".twilio.com", ".twiliocdn.com")
RETRY_AFTER: ContextVar[str] = ContextVar("RETRY_AFTER", default="")
"""How long Twilio's newest answer to this task asks us to wait: the library's errors do not say."""
MEDIA_STORE = ("s3-external-1.amazonaws.com", "/media.twiliocdn.com/")  # host, path's beginning
HOSTS = (*MEDIA_HOSTS, MEDIA_STORE[0])
"""All that is ever asked, but for the address put in place of Twilio's."""


class Account:
    """One Twilio account: its credentials and connections. Raises InvalidInput without credentials:
    an empty token would make anybody's signature right."""

    def __init__(self, account_sid: str, auth_token: str, api_url: str = "") -> None:
        """`api_url` puts another address in place of Twilio's."""
        if not account_sid.strip() or not auth_token.strip():
            raise InvalidInput("SMS needs Twilio's account SID and its auth token; one is empty.")
        self._account_sid, self._auth_token, self._api_url = account_sid, auth_token, api_url
        self._validator = RequestValidator(auth_token)
        self._http: _Http | None = None

    def is_genuine(self, request: WebRequest) -> bool:
        """Twilio's signature over the exact public URL and every form parameter."""
        signature = request.headers.get("x-twilio-signature", "").encode(errors="replace")
        if not signature:
            return False
        try:
            form = read_form(request.body)
            return any(
                hmac.compare_digest(
                    self._validator.compute_signature(url, form).encode(), signature
                )
                for url in _spellings(request.url)
            )
        except ValueError:  # a URL that is none, or text that UTF-8 cannot carry
            return False

    def client(self) -> Client:
        """The library's client; connections are made at first use, because they belong to the
        running loop."""
        return Client(self._account_sid, self._auth_token, http_client=self._carrier())

    async def state_of(self, channel: str, provider_id: str) -> Receipt | None:
        """What Twilio says of a message it took; None where it says nothing of ours."""
        try:
            message = await self.client().messages(provider_id).fetch_async()
        except Exception:  # never raises: the next look asks again
            return None
        state = STATUSES.get(str(message.status))
        return report(channel, provider_id, state, number(message.error_code)) if state else None

    async def wiring(self, kind: str) -> Wiring:
        """The account's numbers and what each calls for a `kind` ("sms" or "voice")."""
        try:
            found = await self.client().incoming_phone_numbers.list_async(page_size=1000)
        except TwilioException as error:  # of a list it says the status in the answer it carries
            answer = error.args[1] if len(error.args) > 1 else None
            if getattr(answer, "status_code", 0) in (401, 403, 404):
                return Wiring(refused="account")
            raise
        return Wiring(hooks={str(one.phone_number): _called(one, kind) for one in found})

    async def arrivals(self, channel: str, since: datetime) -> list[Inbound]:
        """Every message that came in by this channel since then; raises on failure."""
        found = await self.client().messages.list_async(
            date_sent_after=since - CLOCK_SLACK, page_size=1000
        )
        return [
            listed(message, channel, await self._media_of(message))
            for message in found
            if str(message.direction) == "inbound"
            and address_in(str(message.from_ or ""))[0] == channel
        ]

    async def _media_of(self, message: MessageInstance) -> tuple[Media, ...]:
        """What hangs on a listed message."""
        if str(message.num_media or "0") == "0":
            return ()
        hanging = await self.client().messages(message.sid).media.list_async(limit=MOST_MEDIA)
        return tuple(
            Media(
                key="https://api.twilio.com" + str(one.uri).removesuffix(".json"),
                content_type=str(one.content_type or ""),
            )
            for one in hanging
        )

    async def fetch(self, media: Media, largest: int) -> Fetched:
        """An attachment by its URL. Only Twilio's own hosts are asked, and only the first of them
        is shown our credentials."""
        try:
            return await self._fetch(media.key, largest)
        except (aiohttp.ClientError, TimeoutError):
            return Fetched(None)
        except ValueError:  # a URL that is none
            return Fetched(None, is_lost=True)

    async def _fetch(self, url: str, largest: int) -> Fetched:
        with_credentials = urlsplit(url).hostname == "api.twilio.com" or self._is_ours(url)
        url = _moved(url, self._api_url) if urlsplit(url).hostname == "api.twilio.com" else url
        for _ in range(MOST_REDIRECTS + 1):
            if not self._may_ask(url):
                return Fetched(None, is_lost=True)
            async with self._carrier().get(
                url, (self._account_sid, self._auth_token) if with_credentials else None
            ) as answer:
                if answer.status in (301, 302, 303, 307, 308):
                    url = urljoin(url, answer.headers.get("Location", ""))
                    with_credentials = False
                    continue
                if answer.status in (404, 410):
                    return Fetched(None, is_lost=True)
                if answer.status != 200:
                    return Fetched(None)
                return await _read(answer, largest)
        return Fetched(None, is_lost=True)

    def _may_ask(self, url: str) -> bool:
        there = urlsplit(url)
        host = there.hostname or ""
        if self._is_ours(url):
            return True
        in_store = host == MEDIA_STORE[0] and there.path.startswith(MEDIA_STORE[1])
        return there.scheme == "https" and (host.endswith(MEDIA_HOSTS) or in_store)

    def _is_ours(self, url: str) -> bool:
        """Whether this is the address that was put in place of Twilio's."""
        mine, there = urlsplit(self._api_url), urlsplit(url)
        return bool(mine.netloc) and (mine.scheme, mine.netloc) == (there.scheme, there.netloc)

    def _carrier(self) -> "_Http":
        self._http = self._http or _Http(self._api_url)
        return self._http

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
        self._http = None


def _called(number: Any, kind: str) -> str:
    """The hook of one number, its method in front where that is not POST."""
    url = str(getattr(number, f"{kind}_url") or "")
    method = str(getattr(number, f"{kind}_method") or "POST").upper()
    return url if method == "POST" or not url else f"{method} {url}"


class _Http(AsyncHttpClient):  # type: ignore[misc]  # twilio comes without types
    """Carries the library's requests: its own extension point, used for three reasons. Another
    address can be put in; there are time limits (the library's own carrier passes None to aiohttp,
    which then waits for ever); and it needs no BasicAuth object, which aiohttp is giving up."""

    def __init__(self, api_url: str) -> None:
        self.is_async = True  # all that the library reads of it besides `request`
        self._api_url = api_url
        limits = aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS)
        self._session = outgoing.client(HOSTS, [api_url], timeout=limits)

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the library's signature; ours are fixed
        allow_redirects: bool = False,
    ) -> Response:
        async with self._session.request(
            method,
            _moved(uri, self._api_url),
            params=params,
            data=data,
            headers={**(headers or {}), **_credentials(auth)},
            allow_redirects=allow_redirects,
        ) as answer:
            RETRY_AFTER.set(answer.headers.get("Retry-After", ""))
            return Response(answer.status, await answer.text(), answer.headers)

    @asynccontextmanager
    async def get(
        self, url: str, auth: tuple[str, str] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One GET whose answer is read piece by piece; redirects are the caller's to judge."""
        limits = aiohttp.ClientTimeout(total=FETCH_SECONDS, connect=CONNECT_SECONDS)
        async with self._session.get(
            url, headers=_credentials(auth), allow_redirects=False, timeout=limits
        ) as answer:
            yield answer

    async def close(self) -> None:
        await self._session.close()


class Form(dict[str, list[str]]):
    """Form parameters, repeated ones included. `getall` is what the validator asks of a form: on a
    plain dict it finds out by two exceptions a parameter, which costs more than the HMAC."""

    def getall(self, name: str) -> list[str]:
        return self[name]

    def first(self, *names: str) -> str:
        """The first value of the first of these names that has one, else empty."""
        for name in names:
            if name in self:
                return self[name][0]
        return ""


@lru_cache(maxsize=1)  # is_genuine and parse follow each other on the same body
def read_form(body: bytes) -> Form:
    text = as_received(body)
    try:
        return _form_of(text, "strict")
    except UnicodeDecodeError:
        return _form_of(text, "replace")


def _form_of(text: str, errors: str) -> Form:
    """As urllib's parse_qsl reads it with blank values kept, in half the time: most of a webhook's
    names and values have nothing to decode."""
    form = Form()
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            if "%" in name or "+" in name:
                name = unquote_plus(name, errors=errors)
            if "%" in value or "+" in value:
                value = unquote_plus(value, errors=errors)
            form.setdefault(name, []).append(value)
    return form


# --- what comes in --------------------------------------------------------------------------------


def message_in(body: bytes) -> Inbound | Receipt | None:
    """The message, or the delivery report sent to the wrong hook, in a form of Twilio's."""
    form = read_form(body)
    if "MessageStatus" in form and "Body" not in form:
        return report_in(body)
    channel, sender = address_in(form.first("From"))
    _, recipient = address_in(form.first("To"))
    text = form.first("Body")
    message_id = form.first("MessageSid", "SmsSid", "SmsMessageSid")
    if not sender or not MESSAGE_ID.fullmatch(message_id):
        channel, known = signed_as(form, channel)
        return unreadable(
            channel, body, external_id=known, sender=sender, recipient=recipient, text=text
        )
    media = _media(form)
    kind, what = _kind(form, channel, sender, media)
    extra = {name: values[0] for name, values in form.items() if KEPT_EXTRAS.fullmatch(name)}
    return Inbound(
        channel=channel,
        external_id=message_id,
        sender=sender,
        recipient=recipient,
        text=text or _place(form),
        kind=kind,
        extra=extra | ({"what": what} if what else {}),
        raw=as_received(body),
        media=media,
    )


def signed_as(form: Form, channel: str) -> tuple[str, str]:
    """The channel and id of what could not be read, from the text that Twilio signed: it sets no
    mark between names and values, so whoever has read one request can split it anew under the same
    signature. Found by its id it is the same message again, and changes nothing."""
    text = "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
    found = SIGNED_ID.findall(text)
    return "whatsapp" if f"From{WHATSAPP}" in text else channel, found[-1] if found else ""


def report_in(body: bytes) -> Receipt | None:
    """The delivery report in a form of Twilio's, if it is one; its addresses say of which channel
    the message was."""
    form = read_form(body)
    state = STATUSES.get(form.first("MessageStatus"))
    message_id = form.first("MessageSid", "SmsSid")
    if state is None or not MESSAGE_ID.fullmatch(message_id):
        return None
    channel, _ = address_in(form.first("From", "To"))
    code = NOT_IN_CODES.sub("", form.first("ErrorCode"))[:16]
    return report(channel, message_id, state, int(code) if code.isdecimal() else 0, code)


def report(channel: str, message_id: str, state: OutState, code: int, said: str = "") -> Receipt:
    """A report with what its code means; only a failure has a fault."""
    has_failed = state is OutState.FAILED
    return Receipt(
        channel,
        message_id,
        state,
        said or str(code or ""),
        fault=FAULTS.get(code, Fault.NONE) if has_failed else Fault.NONE,
        may_retry=has_failed and CODES.get(code) is SendState.RETRY,
    )


def listed(message: MessageInstance, channel: str, media: tuple[Media, ...]) -> Inbound:
    """A message of Twilio's list as the webhook that never came would have brought it."""
    _, sender = address_in(str(message.from_ or ""))
    _, recipient = address_in(str(message.to or ""))
    return Inbound(
        channel=channel,
        external_id=str(message.sid),
        sender=sender,
        recipient=recipient,
        text=message.body or "",
        kind=ItemKind.MEDIA if media else ItemKind.TEXT,
        sent_at=message.date_sent or message.date_created,
        extra={"what": _what(media)} if media else {},
        media=media,
    )


def address_in(value: str) -> tuple[str, str]:
    """Channel and address of a From or To: a WhatsApp one carries a prefix, a text's is bare. What
    nobody could write to or keep becomes empty."""
    channel = "whatsapp" if value.startswith(WHATSAPP) else "sms"
    address = value.removeprefix(WHATSAPP)
    return channel, address if is_address(address) else ""


def _media(form: Form) -> tuple[Media, ...]:
    if form.first("NumMedia") in ("", "0") and "MediaUrl0" not in form:
        return ()
    return tuple(
        Media(form.first(f"MediaUrl{i}"), form.first(f"MediaContentType{i}"))
        for i in range(MOST_MEDIA)
        if form.first(f"MediaUrl{i}")
    )


def _kind(form: Form, channel: str, sender: str, media: tuple[Media, ...]) -> tuple[ItemKind, str]:
    """What kind of thing it is, and the word for it where that is more than text."""
    said = form.first("MessageType").lower()
    if ":" in sender:  # messenger:, rcs:, …: kept, and read by nobody of ours
        return ItemKind.UNSUPPORTED, ""
    if form.first("Latitude") and form.first("Longitude"):
        return ItemKind.UNSUPPORTED, "location"
    if said not in READ:
        return ItemKind.UNSUPPORTED, said if said.isidentifier() and len(said) <= 30 else ""
    if media:
        return ItemKind.MEDIA, _what(media)
    if form.first("NumMedia") not in ("", "0"):
        return ItemKind.MEDIA, ""
    if channel == "whatsapp" and not form.first("Body"):
        return ItemKind.UNSUPPORTED, ""
    return ItemKind.TEXT, ""


def _what(media: tuple[Media, ...]) -> str:
    kinds = {KINDS.get(one.content_type.partition("/")[0], "document") for one in media}
    return kinds.pop() if len(kinds) == 1 else "media"


def _place(form: Form) -> str:
    """Where somebody says they are, in words: it may be what the worker needs most."""
    if not (form.first("Latitude") and form.first("Longitude")):
        return ""
    named = (form.first("Label"), form.first("Address"))
    spot = f"{form.first('Latitude')}, {form.first('Longitude')}"
    return ", ".join(part for part in (*named, spot) if part)


# --- what goes out --------------------------------------------------------------------------------


def from_message(message: MessageInstance) -> SendResult:
    """Twilio has it; but a message that has failed meanwhile has not gone, and the report of that
    may have come before anybody knew its id."""
    if not message.sid:
        return SendResult(SendState.UNSURE)
    if STATUSES.get(str(message.status)) is OutState.FAILED:
        return _refused(number(message.error_code), SendState.REFUSED, message.sid)
    return SendResult(SendState.ACCEPTED, message.sid)


def from_error(error: Exception) -> SendResult:
    never_connected = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
    if isinstance(error, (*never_connected, aiohttp.InvalidURL)):
        return SendResult(SendState.RETRY, code=type(error).__name__)
    if not isinstance(error, (TwilioRestException, TwilioServiceException)):
        return SendResult(SendState.UNSURE, code=type(error).__name__)  # no answer we can read
    status, code = number(error.status), number(error.code)
    by_status = SendState.REFUSED if 400 <= status < 500 else SendState.RETRY
    by_status = HTTP_STATUSES.get(status, by_status)
    return replace(_refused(code, by_status, said=str(code or status)), retry_after=_wait())


async def find_sent(
    account: Account, to: str, from_: str, text: str, since: datetime, *, within: bool = False
) -> SendResult:
    """UNSURE where Twilio's list cannot be read or does not reach back to `since`. `within`: the
    text may stand inside a template's.

    Ask a minute after the try, not at once: the list may lag behind. Two equal texts to one
    person after `since` cannot be told apart; a caller that already knows the returned id has
    found the other one.
    """
    try:
        # Without a date filter: it goes by the sending date, which queued messages lack.
        found = await account.client().messages.list_async(to=to, from_=from_, limit=LOOK_BACK)
        recent = [message for message in found if _is_since(message, since)]
        for message in reversed(recent):  # newest first in the list; the oldest try wins
            if _is_same_text(message.body, text, within):
                return from_message(message)
    except Exception:  # never raises: as unsure as before
        return SendResult(SendState.UNSURE)
    reaches_back = len(found) < LOOK_BACK or len(recent) < len(found)
    return SendResult(SendState.RETRY if reaches_back else SendState.UNSURE)


def number(value: object) -> int:
    """The number in an answer, 0 where a proxy or a fault put something else there."""
    return value if isinstance(value, int) else 0


def one_line(text: str) -> str:
    """A text without line breaks or rows of spaces: what a template's variable may hold, and how
    two texts are compared."""
    return " ".join(text.split())


def _refused(code: int, otherwise: SendState, message_id: str = "", said: str = "") -> SendResult:
    state = CODES.get(code, otherwise)
    return SendResult(
        state, message_id, said or str(code or ""), fault=FAULTS.get(code, Fault.NONE)
    )


def _wait() -> float | None:
    """Seconds; None where there was no such header, or a date instead of a number."""
    said = RETRY_AFTER.get()
    return float(said) if said.isascii() and said.isdigit() and len(said) < 7 else None


def _is_since(message: MessageInstance, since: datetime) -> bool:
    return message.date_created is None or message.date_created >= since - CLOCK_SLACK


def _is_same_text(theirs: str | None, ours: str, within: bool) -> bool:
    said, wanted = one_line((theirs or "").removeprefix(TRIAL_PREFIX)), one_line(ours)
    return wanted in said if within else said == wanted


# --- small things ---------------------------------------------------------------------------------


async def _read(answer: aiohttp.ClientResponse, largest: int) -> Fetched:
    """The body, given up as soon as it is too large: the length may be a lie."""
    if (answer.content_length or 0) > largest:
        return Fetched(None, is_lost=True)
    content = bytearray()
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) > largest:
            return Fetched(None, is_lost=True)
    return Fetched(bytes(content))


def _credentials(auth: tuple[str, str] | None) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}


def _spellings(url: str) -> Iterator[str]:
    """The URL as it is, then with or without its port: Twilio's own signing is not consistent
    there. The validator's `validate` computes both every time; made one after the other, a genuine
    request costs one HMAC, and exactly the same signatures pass."""
    yield url
    parsed = urlparse(url)
    yield remove_port(parsed) if parsed.port else add_port(parsed)


def _moved(uri: str, api_url: str) -> str:
    """The same path and query at another address, below that address's own path if it has one."""
    if not api_url:
        return uri
    there, asked = urlsplit(api_url), urlsplit(uri)
    path = there.path.rstrip("/") + asked.path
    return urlunsplit((there.scheme, there.netloc, path, asked.query, ""))
