"""A Telegram on loopback: takes messages by its Bot API and builds and posts updates the way the
real one does."""

import itertools
import json
from typing import Any

from aiohttp import ClientSession, web

from helpline.clock import Clock
from tests.fakes.misbehaviour import FakeProvider

TOKEN = "700900123:a-fake-token-fit-for-tests-only"
SECRET = "a-fake-secret_fit-for-tests-only"
BOT = {"id": 700900123, "is_bot": True, "first_name": "Helpline", "username": "helpline_test_bot"}
SENT_AT = 1792951200  # Sunday 25 October 2026, 18:00 UTC
_numbers = itertools.count(810_000_001)


def update(
    chat_id: int, text: str | None = None, update_id: int = 0, **message: Any
) -> dict[str, Any]:
    """An update with one private message. `message` adds or replaces fields of it, for example
    photo=[…]; leave `text` out then."""
    number = next(_numbers)
    person = {"id": chat_id, "first_name": "Robin", "language_code": "en"}
    content: dict[str, Any] = {
        "message_id": number % 100_000,
        "from": {**person, "is_bot": False},
        "chat": {"id": chat_id, "first_name": "Robin", "type": "private"},
        "date": SENT_AT,
    }
    if text is not None:
        content["text"] = text
    return {"update_id": update_id or number, "message": content | message}


def delivered(document: dict[str, Any], secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    """The headers (lower-case names) and the body of a webhook."""
    headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": secret}
    return headers, json.dumps(document).encode()


class FakeTelegram(FakeProvider):
    """One bot. Each dict in `sent` has chat_id, text, message_id and whatever else was posted."""

    def __init__(
        self, token: str = TOKEN, secret: str = SECRET, clock: Clock | None = None
    ) -> None:
        super().__init__()
        self.token, self.secret = token, secret
        self._clock = clock or Clock()
        self.webhook: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}

    def fail_with(
        self, status: int, description: str = "", times: int | None = None, retry_after: int = 0
    ) -> None:
        """Refuse messages with this HTTP status, `times` over or until behave()."""
        self._fail(status, _error(status, description, retry_after), times)

    async def post_update(
        self, session: ClientSession, url: str, document: dict[str, Any], secret: str = ""
    ) -> int:
        """Post an update to a hook and return the HTTP status of its answer."""
        headers, body = delivered(document, secret or self.secret)
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/file/bot{token}/{name}", self._hand_over),
            web.route("*", "/bot{token}/{method}", self._call),
        ]

    async def _hand_over(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["name"]])

    async def _place(self, request: web.Request) -> web.Response:
        file_id = str((await request.post())["file_id"])
        if file_id not in self.files:
            return web.json_response(_error(400, "Bad Request: invalid file_id"), status=400)
        size = len(self.files[file_id])
        place = {"file_id": file_id, "file_unique_id": file_id, "file_path": file_id}
        return _result(place | {"file_size": size})

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return web.json_response(_error(401, "Unauthorized"), status=401)
        match request.match_info["method"]:
            case "sendMessage":
                return await self.misbehaving(request, self._take)
            case "getFile":
                return await self._place(request)
            case "getMe":
                return _result(BOT)
            case "getWebhookInfo":
                url = self.webhook.get("url", "")
                waiting = {"has_custom_certificate": False, "pending_update_count": 0}
                return _result({"url": url} | waiting)
            case "setWebhook":
                self.webhook = await _parameters(request)
                return _result(True)
        return web.json_response(_error(404, "Not Found"), status=404)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        asked = await _parameters(request)
        if not str(asked.get("chat_id", "")).lstrip("-").isdigit():
            return web.json_response(_error(400, "Bad Request: chat not found"), status=400)
        if not 0 < len(asked.get("text", "")) <= 4096:
            return web.json_response(_error(400, "Bad Request: message is too long"), status=400)
        message = {**asked, "message_id": len(self.sent) + 1}
        self.sent.append(message)
        return _result(
            {
                "message_id": message["message_id"],
                "from": BOT,
                "chat": {"id": int(message["chat_id"]), "first_name": "Robin", "type": "private"},
                "date": int(self._clock.now().timestamp()),
                "text": message["text"],
            }
        )


async def _parameters(request: web.Request) -> dict[str, Any]:
    """Telegram takes them in the query, in a form or as JSON."""
    if request.content_type == "application/json":
        return dict(await request.json())
    return {**request.query, **await request.post()}


def _result(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _error(status: int, description: str, retry_after: int = 0) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "ok": False,
        "error_code": status,
        "description": description or f"The fake refuses with {status}",
    }
    return answer | ({"parameters": {"retry_after": retry_after}} if retry_after else {})
