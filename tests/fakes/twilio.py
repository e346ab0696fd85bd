"""A Twilio on loopback: takes messages by its REST API, lists them in both directions, hands out
media, keeps WhatsApp's 24-hour rule, and posts signed webhooks the way the real one does. Its
signing is written from Twilio's description and does not use Twilio's library, so that the two
check each other."""

import base64
import hmac
import json
import secrets
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession, encode_basic_auth, web

from helpline.clock import Clock
from tests.fakes.misbehaviour import FakeProvider

ACCOUNT_SID = "AC" + "5f" * 16
AUTH_TOKEN = "a fake token, fit for tests only"
Form = list[tuple[str, str]]


def sign(url: str, form: Form, token: str = AUTH_TOKEN) -> str:
    """X-Twilio-Signature: base64 of HMAC-SHA1 over the URL followed by every parameter's name and
    value, ordered by name, then value, with exact repeats once."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


def signed(url: str, form: Form, token: str = AUTH_TOKEN) -> tuple[dict[str, str], bytes]:
    """The headers (lower-case names) and the body of a webhook to this exact public URL."""
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        "x-twilio-signature": sign(url, form, token),
        "user-agent": "TwilioProxy/1.1",
    }
    return headers, urlencode(form).encode()


def inbound_form(from_: str, to: str, body: str, sid: str = "", **more: str) -> Form:
    """The parameters of an incoming message, in Twilio's order and with its empty ones."""
    sid = sid or new_sid()
    form = {
        "ToCountry": "GB",
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": body,
        "FromCountry": "GB",
        "To": to,
        "ToZip": "",
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": ACCOUNT_SID,
        "From": from_,
        "ApiVersion": "2010-04-01",
    }
    return list((form | more).items())


def status_form(sid: str, status: str, from_: str, to: str, code: str = "") -> Form:
    """The parameters of a delivery report; ErrorCode only where there is one."""
    form = {
        "SmsSid": sid,
        "SmsStatus": status,
        "MessageStatus": status,
        "To": to,
        "MessageSid": sid,
        "AccountSid": ACCOUNT_SID,
        "From": from_,
        "ApiVersion": "2010-04-01",
    }
    return list((form | ({"ErrorCode": code} if code else {})).items())


def new_sid() -> str:
    return "SM" + secrets.token_hex(16)


WINDOW = timedelta(hours=24)  # how long after a person's WhatsApp message one may write freely


class FakeTwilio(FakeProvider):
    """One account. Each dict in `sent` has sid, to, from, body, status, error_code,
    status_callback and date_created. Set `status` and `error_code` there to change the list.
    `received` holds what came in, whether or not a webhook told anybody of it."""

    def __init__(
        self,
        account_sid: str = ACCOUNT_SID,
        auth_token: str = AUTH_TOKEN,
        clock: Clock | None = None,
    ) -> None:
        super().__init__()
        self.account_sid, self.auth_token = account_sid, auth_token
        self._clock = clock or Clock()
        self.list_fails = False  # answer every listing with 503
        self.received: list[dict[str, Any]] = []
        self.templates: dict[str, str] = {}  # ContentSid → its text, {{1}} the variable
        self.files: dict[str, tuple[str, bytes]] = {}  # media id → content type and bytes
        self.file_status = 200  # what a request for media is answered with
        self.numbers: list[dict[str, str]] = []  # phone_number, sms_url, voice_url, their methods
        self.fetched: list[tuple[str, bool]] = []  # media asked for: id, whether with credentials

    def fail_with(
        self, status: int, code: int, times: int | None = None, retry_after: int | str = 0
    ) -> None:
        """Refuse messages with this HTTP status and error code, `times` over or until behave().
        `retry_after`: the seconds that its header asks us to wait."""
        self._fail(status, _error(status, code), times, retry_after)

    async def post_inbound(
        self,
        session: ClientSession,
        url: str,
        from_: str,
        to: str,
        body: str,
        token: str = "",
        *,
        sid: str = "",
        signed_url: str = "",
    ) -> int:
        """Post an incoming message to a hook and return the HTTP status of its answer.
        `signed_url` is the public address where a proxy stands between."""
        form = inbound_form(from_, to, body, self.receive(from_, to, body, sid))
        return await self._post(session, url, form, token, signed_url)

    def receive(
        self, from_: str, to: str, body: str, sid: str = "", media: tuple[str, ...] = ()
    ) -> str:
        """Take a message in and tell nobody: it stands in the list, and its id is returned. `media`
        are ids of `files`."""
        sid = sid or new_sid()
        if all(message["sid"] != sid for message in self.received):
            self.received.append(
                {
                    "sid": sid,
                    "to": to,
                    "from": from_,
                    "body": body,
                    "status": "received",
                    "error_code": None,
                    "date_created": self._clock.now(),
                    "media": media,
                }
            )
        return sid

    def keep_file(self, content_type: str, content: bytes) -> str:
        """Media somebody sent: its id; `media_url` says where it lies."""
        media_id = "ME" + secrets.token_hex(16)
        self.files[media_id] = (content_type, content)
        return media_id

    def media_url(self, message_id: str, media_id: str) -> str:
        """As Twilio writes it in a webhook: always its own host."""
        return f"https://api.twilio.com{self._path}/Messages/{message_id}/Media/{media_id}"

    async def post_status(
        self,
        session: ClientSession,
        url: str,
        sid: str,
        status: str,
        token: str = "",
        *,
        code: str = "",
        signed_url: str = "",
    ) -> int:
        """Report to a hook what became of a message sent here; returns its HTTP status."""
        message = next(message for message in self.sent if message["sid"] == sid)
        message["status"], message["error_code"] = status, int(code) if code else None
        form = status_form(sid, status, message["from"], message["to"], code)
        return await self._post(session, url, form, token, signed_url)

    async def _post(
        self, session: ClientSession, url: str, form: Form, token: str, signed_url: str
    ) -> int:
        headers, body = signed(signed_url or url, form, token or self.auth_token)
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    def routes(self) -> list[web.RouteDef]:
        path = f"{self._path}/Messages"
        return [
            web.post(f"{path}.json", self._create),
            web.get(f"{path}.json", self._list),
            web.get(path + "/{sid}.json", self._show),
            web.get(path + "/{sid}/Media.json", self._list_media),
            web.get(path + "/{sid}/Media/{media}", self._redirect),
            web.get("/store/{media}", self._hand_out),
            web.get(f"{self._path}/IncomingPhoneNumbers.json", self._list_numbers),
        ]

    @property
    def _path(self) -> str:
        return f"/2010-04-01/Accounts/{self.account_sid}"

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            return _refuse(401, 20003)
        return await self.misbehaving(request, self._take)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        has_template = bool(form.get("ContentSid"))
        for name, code in (("To", 21604), ("From", 21603), ("Body", 21602)):
            if not form.get(name) and not (name == "Body" and has_template):
                return _refuse(400, code)
        body = self._rendered(form) if has_template else _text(form["Body"])
        if len(body) > 1600:
            return _refuse(400, 21617)
        to = _text(form["To"])
        if to.startswith("whatsapp:") and not has_template and not self._may_write(to):
            return _refuse(400, 63016)
        message = {
            "sid": new_sid(),
            "to": to,
            "from": _text(form["From"]),
            "body": body,
            "template": _text(form.get("ContentSid", "")),
            "status": "queued",
            "error_code": None,
            "status_callback": _text(form.get("StatusCallback", "")),
            "date_created": self._clock.now(),
        }
        self.sent.append(message)
        return web.json_response(self._resource(message), status=201)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            return _refuse(401, 20003)
        if self.list_fails:
            return _refuse(503, 20503)
        asked = request.query
        since = datetime.fromisoformat(asked["DateSent>"]) if "DateSent>" in asked else None
        everything = sorted(
            [*self.sent, *self.received], key=lambda m: m["date_created"], reverse=True
        )
        if not self.received:
            everything = self.sent[::-1]
        found = [
            message
            for message in everything
            if asked.get("To") in (None, message["to"])
            and asked.get("From") in (None, message["from"])
            # As in the real list, a message that has not left its queue has no date of sending.
            and not (since and message["status"] in ("accepted", "queued"))
            and not (since and message["date_created"] < since)
        ]
        return web.json_response(self._page(found, dict(asked)))

    async def _show(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            return _refuse(401, 20003)
        sid = request.match_info["sid"]
        found = next((m for m in [*self.sent, *self.received] if m["sid"] == sid), None)
        return web.json_response(self._resource(found)) if found else _refuse(404, 20404)

    async def _list_numbers(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            return _refuse(401, 20003)
        methods = {"sms_method": "POST", "voice_method": "POST"}
        listed = [methods | one for one in self.numbers]
        pages = {"next_page_uri": None, "page": 0, "page_size": 1000, "uri": request.path}
        return web.json_response({"incoming_phone_numbers": listed, **pages})

    async def _list_media(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            return _refuse(401, 20003)
        sid = request.match_info["sid"]
        message = next(m for m in self.received if m["sid"] == sid)
        path = f"{self._path}/Messages/{sid}/Media"
        listed = [
            {
                "sid": media,
                "parent_sid": sid,
                "account_sid": self.account_sid,
                "content_type": self.files[media][0],
                "uri": f"{path}/{media}.json",
            }
            for media in message["media"]
        ]
        pages = {"next_page_uri": None, "page": 0, "page_size": 50, "uri": f"{path}.json"}
        return web.json_response({"media_list": listed, **pages})

    async def _redirect(self, request: web.Request) -> web.StreamResponse:
        """The API does not hand media out itself: it says where they lie."""
        media = request.match_info["media"]
        with_credentials = self._may(request)
        self.fetched.append((media, with_credentials))
        if not with_credentials:
            return _refuse(401, 20003)
        if self.file_status != 200:
            return web.Response(status=self.file_status)
        raise web.HTTPTemporaryRedirect(f"{self.url}/store/{media}")

    async def _hand_out(self, request: web.Request) -> web.StreamResponse:
        media = request.match_info["media"]
        self.fetched.append((f"store:{media}", "Authorization" in request.headers))
        content_type, content = self.files[media]
        answer = web.StreamResponse(headers={"Content-Type": content_type})
        await answer.prepare(request)  # in pieces and without a length, as a hostile sender would
        for start in range(0, len(content), 65536):
            await answer.write(content[start : start + 65536])
        await answer.write_eof()
        return answer

    def _rendered(self, form: Any) -> str:
        text = self.templates.get(_text(form["ContentSid"]), "")
        for name, value in json.loads(_text(form.get("ContentVariables", "{}"))).items():
            text = text.replace("{{" + name + "}}", value)
        return text

    def _may_write(self, to: str) -> bool:
        """WhatsApp's rule: freely only within 24 hours of the person's own last message."""
        heard = [m["date_created"] for m in self.received if m["from"] == to]
        return bool(heard) and self._clock.now() - max(heard) < WINDOW

    def _page(self, found: list[dict[str, Any]], asked: dict[str, str]) -> dict[str, Any]:
        number, size = int(asked.get("Page", 0)), min(int(asked.get("PageSize", 50)), 1000)
        start, end = number * size, (number + 1) * size
        here = found[start:end]

        def uri(page: int) -> str:
            query = urlencode({**asked, "PageSize": size, "Page": page})
            return f"/2010-04-01/Accounts/{self.account_sid}/Messages.json?{query}"

        return {
            "messages": [self._resource(message) for message in here],
            "first_page_uri": uri(0),
            "next_page_uri": uri(number + 1) if len(found) > end else None,
            "previous_page_uri": uri(number - 1) if number else None,
            "uri": uri(number),
            "page": number,
            "page_size": size,
            "start": start,
            "end": start + len(here) - 1,
        }

    def _resource(self, message: dict[str, Any]) -> dict[str, Any]:
        queued = message["status"] in ("accepted", "queued")
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{message['sid']}"
        return {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": message["body"],
            "date_created": _date(message["date_created"]),
            "date_sent": None if queued else _date(message["date_created"]),
            "date_updated": _date(message["date_created"]),
            "direction": "inbound" if "media" in message else "outbound-api",
            "error_code": message["error_code"],
            "error_message": None,
            "from": message["from"],
            "messaging_service_sid": None,
            "num_media": str(len(message.get("media", ()))),
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": message["sid"],
            "status": message["status"],
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": message["to"],
            "uri": f"{path}.json",
        }

    def _may(self, request: web.Request) -> bool:
        expected = encode_basic_auth(self.account_sid, self.auth_token)
        return request.headers.get("Authorization") == expected


class FakeTexts(FakeTwilio):
    """An account on whose number nobody ever rings: its list of calls is empty."""

    def routes(self) -> list[web.RouteDef]:
        async def none(_: web.Request) -> web.StreamResponse:
            return web.json_response({"calls": [], "next_page_uri": None, "page_size": 1000})

        return [*super().routes(), web.get(f"{self._path}/Calls.json", none)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _date(instant: datetime) -> str:
    """RFC 2822 in GMT, whole seconds, as in every date of Twilio's."""
    return format_datetime(instant)


def _error(status: int, code: int) -> dict[str, Any]:
    return {
        "code": code,
        "message": f"The fake refuses with {code}",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }


def _refuse(status: int, code: int) -> web.Response:
    return web.json_response(_error(status, code), status=status)
