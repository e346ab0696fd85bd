"""A Twilio on loopback: takes messages by its REST API, lists them, and posts signed webhooks the
way the real one does. Its signing is written from Twilio's description and does not use Twilio's
library, so that the two check each other."""

import base64
import hmac
import secrets
from datetime import datetime
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


class FakeTwilio(FakeProvider):
    """One account. Each dict in `sent` has sid, to, from, body, status, error_code,
    status_callback and date_created. Set `status` and `error_code` there to change the list."""

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

    def fail_with(self, status: int, code: int, times: int | None = None) -> None:
        """Refuse messages with this HTTP status and error code, `times` over or until behave()."""
        self._fail(status, _error(status, code), times)

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
        form = inbound_form(from_, to, body, sid)
        return await self._post(session, url, form, token, signed_url)

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
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages.json"
        return [web.post(path, self._create), web.get(path, self._list)]

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request):
            return _refuse(401, 20003)
        return await self.misbehaving(request, self._take)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        for name, code in (("To", 21604), ("From", 21603), ("Body", 21602)):
            if not form.get(name):
                return _refuse(400, code)
        if len(_text(form["Body"])) > 1600:
            return _refuse(400, 21617)
        message = {
            "sid": new_sid(),
            "to": _text(form["To"]),
            "from": _text(form["From"]),
            "body": _text(form["Body"]),
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
        found = [
            message
            for message in reversed(self.sent)
            if asked.get("To") in (None, message["to"])
            and asked.get("From") in (None, message["from"])
            # As in the real list, a message that has not left its queue has no date of sending.
            and not ("DateSent>" in asked and message["status"] in ("accepted", "queued"))
        ]
        return web.json_response(self._page(found, dict(asked)))

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
            "direction": "outbound-api",
            "error_code": message["error_code"],
            "error_message": None,
            "from": message["from"],
            "messaging_service_sid": None,
            "num_media": "0",
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
