"""SMS by Twilio: "Messaging webhooks", "Message resource", "Message status callbacks", "Webhook
security" and "Error dictionary" in its documentation. main.py makes one and hands it to web (which
asks is_genuine and parse) and engine (which asks send). It decides nothing and keeps nothing.
"""

import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlparse, urlsplit, urlunsplit

import aiohttp
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, add_port, remove_port
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from bots import as_received, is_address, unreadable
from helpline.channels import Answer, Inbound, Outbound, Receipt, SendResult, WebRequest
from helpline.errors import InvalidInput
from helpline.vocabulary import ItemKind, OutState, SendState

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
    63016: SendState.REFUSED,  # WhatsApp: outside the 24-hour window
}

# HTTP status → what to do, where the code said nothing. The two gateway answers mean that somebody
# between us and Twilio did not hear its answer: the message may have gone, so ask.
HTTP_STATUSES: Mapping[int, SendState] = {
    401: SendState.RETRY,
    404: SendState.RETRY,  # no such account: like 401, not this message's fault
    408: SendState.RETRY,
    429: SendState.RETRY,
    502: SendState.UNSURE,
    504: SendState.UNSURE,
}

CONNECT_SECONDS, TOTAL_SECONDS = 5.0, 15.0
LOOK_BACK = 200  # messages to one person that find_sent reads: more than anybody gets in an outage
CLOCK_SLACK = timedelta(seconds=5)  # Twilio's dates are whole seconds, and its clock is not ours
TRIAL_PREFIX = "Sent from your Twilio trial account - "
KEPT_EXTRAS = re.compile(r"OptOutType|Media(Url|ContentType)\d{1,2}")
MESSAGE_ID = re.compile(r"[A-Za-z0-9]{1,64}")


class Sms:
    """One Twilio account. Raises InvalidInput without credentials: an empty token would make
    anybody's signature right."""

    name = "sms"
    accepted = Answer("text/xml", "<Response/>")

    def __init__(
        self, account_sid: str, auth_token: str, api_url: str = "", status_url: str = ""
    ) -> None:
        """`api_url` puts another address in place of Twilio's; `status_url` is where Twilio
        reports deliveries, nothing if empty."""
        if not account_sid.strip() or not auth_token.strip():
            raise InvalidInput("SMS needs Twilio's account SID and its auth token; one is empty.")
        self._account_sid, self._auth_token = account_sid, auth_token
        self._api_url, self._status_url = api_url, status_url
        self._validator = RequestValidator(auth_token)
        self._http: _Http | None = None

    def is_genuine(self, request: WebRequest) -> bool:
        """Twilio's signature over the exact public URL and every form parameter."""
        signature = request.headers.get("x-twilio-signature", "").encode(errors="replace")
        if not signature:
            return False
        try:
            form = _form(request.body)
            return any(
                hmac.compare_digest(
                    self._validator.compute_signature(url, form).encode(), signature
                )
                for url in _spellings(request.url)
            )
        except ValueError:  # a URL that is none, or text that UTF-8 cannot carry
            return False

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        form = _form(request.body)
        if "MessageStatus" in form and "Body" not in form:
            return self.parse_receipt(request)
        sender, recipient = form.first("From"), form.first("To")
        sender = sender if is_address(sender) else ""
        recipient = recipient if is_address(recipient) else ""
        text = form.first("Body")
        message_id = form.first("MessageSid", "SmsSid", "SmsMessageSid")
        if not sender or not MESSAGE_ID.fullmatch(message_id):
            return unreadable(
                self.name, request.body, sender=sender, recipient=recipient, text=text
            )
        return Inbound(
            channel=self.name,
            external_id=message_id,
            sender=sender,
            recipient=recipient,
            text=text,
            kind=_kind(form),
            extra={name: values[0] for name, values in form.items() if KEPT_EXTRAS.fullmatch(name)},
            raw=as_received(request.body),
        )

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        form = _form(request.body)
        state = STATUSES.get(form.first("MessageStatus"))
        message_id = form.first("MessageSid", "SmsSid")
        if state is None or not MESSAGE_ID.fullmatch(message_id):
            return None
        return Receipt(self.name, message_id, state, form.first("ErrorCode")[:16])

    async def send(self, outbound: Outbound) -> SendResult:
        try:
            message = await self._twilio().messages.create_async(
                to=outbound.recipient,
                from_=outbound.sender,
                body=outbound.text,
                **({"status_callback": self._status_url} if self._status_url else {}),
            )
            return _from_message(message)
        except Exception as error:  # never raises: what nobody foresaw may have gone
            return _from_error(error)

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        """UNSURE where Twilio's list cannot be read or does not reach back to `since`.

        Ask a minute after the try, not at once: the list may lag behind. Two equal texts to one
        person after `since` cannot be told apart; a caller that already knows the returned id has
        found the other one.
        """
        try:
            # Without a date filter: it goes by the sending date, which queued messages lack.
            listed = await self._twilio().messages.list_async(
                to=outbound.recipient, from_=outbound.sender, limit=LOOK_BACK
            )
            recent = [message for message in listed if _is_since(message, outbound.since)]
            for message in reversed(recent):  # newest first in the list; the oldest try wins
                if _is_same_text(message.body, outbound.text):
                    return _from_message(message)
        except Exception:  # never raises: as unsure as before
            return SendResult(SendState.UNSURE)
        reaches_back = len(listed) < LOOK_BACK or len(recent) < len(listed)
        return SendResult(SendState.RETRY if reaches_back else SendState.UNSURE)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
        self._http = None

    def _twilio(self) -> Client:
        """The library's client; connections are made at first use, because they belong to the
        running loop."""
        self._http = self._http or _Http(self._api_url)
        return Client(self._account_sid, self._auth_token, http_client=self._http)


class _Http(AsyncHttpClient):  # type: ignore[misc]  # twilio comes without types
    """Carries the library's requests: its own extension point, used for three reasons. Another
    address can be put in; there are time limits (the library's own carrier passes None to aiohttp,
    which then waits for ever); and it needs no BasicAuth object, which aiohttp is giving up."""

    def __init__(self, api_url: str) -> None:
        self.is_async = True  # all that the library reads of it besides `request`
        self._api_url = api_url
        limits = aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=limits)

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
        own = {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}
        async with self._session.request(
            method,
            _moved(uri, self._api_url),
            params=params,
            data=data,
            headers={**(headers or {}), **own},
            allow_redirects=allow_redirects,
        ) as answer:
            return Response(answer.status, await answer.text(), answer.headers)

    async def close(self) -> None:
        await self._session.close()


class _Form(dict[str, list[str]]):
    """Form parameters, repeated ones included. `getall` is what the validator asks of a form: on a
    plain dict it finds out by two exceptions a parameter, which costs more than the HMAC."""

    def getall(self, name: str) -> list[str]:
        return self[name]

    def first(self, *names: str) -> str:
        """The first value of the first of these names that has one, else empty."""
        return next((self[name][0] for name in names if name in self), "")


@lru_cache(maxsize=1)  # is_genuine and parse follow each other on the same body
def _form(body: bytes) -> _Form:
    text = as_received(body)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
    form = _Form()
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def _spellings(url: str) -> Iterator[str]:
    """The URL as it is, then with or without its port: Twilio's own signing is not consistent
    there. The validator's `validate` computes both every time; made one after the other, a genuine
    request costs one HMAC, and exactly the same signatures pass."""
    yield url
    parsed = urlparse(url)
    yield remove_port(parsed) if parsed.port else add_port(parsed)


def _kind(form: _Form) -> ItemKind:
    if ":" in form.first("From"):  # whatsapp:+44…, messenger:…: read by bots of their own
        return ItemKind.UNSUPPORTED
    return ItemKind.TEXT if form.first("NumMedia") in ("", "0") else ItemKind.MEDIA


def _from_message(message: "MessageInstance") -> SendResult:
    """Twilio has it; but a message that has failed meanwhile has not gone, and the report of that
    may have come before anybody knew its id."""
    if not message.sid:
        return SendResult(SendState.UNSURE)
    if STATUSES.get(str(message.status)) is OutState.FAILED:
        code = _number(message.error_code)
        return SendResult(CODES.get(code, SendState.REFUSED), message.sid, str(code or ""))
    return SendResult(SendState.ACCEPTED, message.sid)


def _from_error(error: Exception) -> SendResult:
    never_connected = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
    if isinstance(error, (*never_connected, aiohttp.InvalidURL)):
        return SendResult(SendState.RETRY, code=type(error).__name__)
    if not isinstance(error, (TwilioRestException, TwilioServiceException)):
        return SendResult(SendState.UNSURE, code=type(error).__name__)  # no answer we can read
    status, code = _number(error.status), _number(error.code)
    by_status = SendState.REFUSED if 400 <= status < 500 else SendState.RETRY
    by_status = HTTP_STATUSES.get(status, by_status)
    return SendResult(CODES.get(code, by_status), code=str(code or status))


def _number(value: object) -> int:
    """The number in an answer, 0 where a proxy or a fault put something else there."""
    return value if isinstance(value, int) else 0


def _is_since(message: "MessageInstance", since: datetime) -> bool:
    return message.date_created is None or message.date_created >= since - CLOCK_SLACK


def _is_same_text(theirs: str | None, ours: str) -> bool:
    return " ".join((theirs or "").removeprefix(TRIAL_PREFIX).split()) == " ".join(ours.split())


def _moved(uri: str, api_url: str) -> str:
    """The same path and query at another address, below that address's own path if it has one."""
    if not api_url:
        return uri
    there, asked = urlsplit(api_url), urlsplit(uri)
    path = there.path.rstrip("/") + asked.path
    return urlunsplit((there.scheme, there.netloc, path, asked.query, ""))
