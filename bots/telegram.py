"""Telegram: "Bot API", its "Update" object, "setWebhook" (the secret header) and "Making requests"
(errors) in the provider's documentation. main.py makes one and hands it to web (which asks
is_genuine and parse) and engine (which asks send). It decides nothing and keeps nothing.
"""

import hmac
import json
import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bots import as_received, unreadable, whole_text
from helpline.channels import (
    Answer,
    Fetched,
    Inbound,
    Media,
    Outbound,
    Receipt,
    SendResult,
    WebRequest,
    Wiring,
)
from helpline.errors import InvalidInput
from helpline.vocabulary import ItemKind, SendState

if TYPE_CHECKING:
    from telegram import Bot, Message, Update

# What a message can hold besides text → our kind, in this order: an animation is also listed as
# a document, a venue as a location. What is not listed is UNSUPPORTED too.
ATTACHMENTS: Mapping[str, ItemKind] = {
    "animation": ItemKind.MEDIA,
    "photo": ItemKind.MEDIA,
    "voice": ItemKind.MEDIA,
    "video": ItemKind.MEDIA,
    "video_note": ItemKind.MEDIA,
    "audio": ItemKind.MEDIA,
    "document": ItemKind.MEDIA,
    "sticker": ItemKind.UNSUPPORTED,
    "venue": ItemKind.UNSUPPORTED,
    "location": ItemKind.UNSUPPORTED,
    "contact": ItemKind.UNSUPPORTED,
    "poll": ItemKind.UNSUPPORTED,
    "dice": ItemKind.UNSUPPORTED,
}

# The library's error → what to do and Telegram's own code (error_code in its answer).
ERRORS: Mapping[str, tuple[SendState, str]] = {
    "Forbidden": (SendState.REFUSED, "403"),  # the person blocked us or never pressed Start
    "BadRequest": (SendState.REFUSED, "400"),  # no such chat, text too long
    "ChatMigrated": (SendState.REFUSED, "400"),  # a group: we never write to groups
    "InvalidToken": (SendState.RETRY, "401"),  # our token was refused: somebody will mend it
    "Conflict": (SendState.RETRY, "409"),
    "RetryAfter": (SendState.RETRY, "429"),
}
# Causes of the library's NetworkError. First: Telegram did answer, with a status of 500 or more
# (its body was JSON, or was not). Second: nothing was ever written to it.
ANSWERED = frozenset({"NoneType", "TelegramError"})
NEVER_CONNECTED = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 15.0
RECIPIENT = "telegram"  # a bot has one address; its updates do not even name it
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")  # what setWebhook allows
LARGEST_ID = 2**63 - 1


class Telegram:
    """One bot. Raises InvalidInput without a token or a usable secret: an empty secret would make
    anybody's request genuine."""

    name = "telegram"
    accepted = Answer("application/json", "{}")

    def __init__(self, token: str, secret: str, api_url: str = "") -> None:
        """`api_url` puts another address in place of https://api.telegram.org."""
        if not token.strip():
            raise InvalidInput("Telegram needs the bot's token; it is empty.")
        if not SECRET.fullmatch(secret):
            raise InvalidInput(
                "Telegram's secret must be 1 to 256 letters, digits, underscores or hyphens."
            )
        # The library warns of every time span until told to give it as a timedelta.
        os.environ.setdefault("PTB_TIMEDELTA", "true")
        import telegram  # noqa: F401  # a quarter of a second: here, not at the first message

        self._token, self._secret, self._api_url = token, secret.encode(), api_url
        self._bot: Bot | None = None

    def is_genuine(self, request: WebRequest) -> bool:
        """The secret that we gave to setWebhook comes back with every update."""
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        return hmac.compare_digest(given.encode(errors="replace"), self._secret)

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        from telegram import Update

        update_id = ""
        try:
            document = json.loads(request.body)
            update_id = _id(document["update_id"])
            update = Update.de_json(document)
            return _inbound(update, update_id, as_received(request.body))
        except Exception:  # never raises: shapes that nobody foresaw fail in every way there is
            return unreadable(self.name, request.body, external_id=update_id, recipient=RECIPIENT)

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        """Telegram sends no delivery reports."""
        return None

    async def send(self, outbound: Outbound) -> SendResult:
        from telegram import LinkPreviewOptions

        try:
            message = await self._connected().send_message(
                chat_id=outbound.recipient,
                text=outbound.text,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=_buttons(outbound.extra.get("choices", "")),
            )
        except Exception as error:  # never raises: what nobody foresaw may have gone
            return _from_error(error)
        return SendResult(SendState.ACCEPTED, str(message.message_id))

    async def fetch(self, media: Media, largest: int) -> Fetched:
        """An attachment by its file id: Telegram first says where it lies, and how large it is."""
        try:
            file = await self._connected().get_file(media.key)
            if (file.file_size or 0) > largest:
                return Fetched(None, is_lost=True)
            content = bytes(await file.download_as_bytearray())
        except Exception as error:  # never raises: asked again unless Telegram has it no more
            return Fetched(None, is_lost=type(error).__name__ in ("BadRequest", "Forbidden"))
        return Fetched(content) if len(content) <= largest else Fetched(None, is_lost=True)

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        """Telegram cannot be asked what a bot has sent."""
        return None

    async def wiring(self) -> Wiring:
        from telegram.error import InvalidToken

        try:
            found = await self._connected().get_webhook_info()
        except InvalidToken:
            return Wiring(refused="token")
        return Wiring(hooks={RECIPIENT: found.url or ""})

    async def close(self) -> None:
        if self._bot is not None:
            await self._bot.request.shutdown()
        self._bot = None

    def _connected(self) -> "Bot":
        """The library's bot, made at first use because its connections belong to the loop."""
        if self._bot is None:
            from telegram import Bot
            from telegram.request import HTTPXRequest

            request = HTTPXRequest(
                connect_timeout=CONNECT_SECONDS,
                write_timeout=CONNECT_SECONDS,
                read_timeout=ANSWER_SECONDS,
                pool_timeout=CONNECT_SECONDS,
                # A proxy named by the surroundings is for the outer world, not a given address.
                httpx_kwargs={"trust_env": not self._api_url},
            )
            self._bot = Bot(
                self._token,
                base_url=_base_url(self._api_url),
                base_file_url=_base_url(self._api_url).removesuffix("/bot") + "/file/bot",
                request=request,
                get_updates_request=request,  # never used; a second one costs 20 ms and memory
            )
        return self._bot


def _inbound(update: "Update", update_id: str, raw: str) -> Inbound:
    """Raises whatever the library's objects raise; parse turns it into UNREADABLE."""
    message = update.message or update.edited_message
    kind, extra = _content(update, message)
    place = update.effective_chat.type if update.effective_chat else "private"
    if place != "private":
        kind, extra = ItemKind.UNSUPPORTED, {**extra, "where": whole_text(place)}
    return Inbound(
        channel=Telegram.name,
        external_id=update_id,
        sender=_sender(update, is_private=place == "private"),
        recipient=RECIPIENT,
        text=whole_text((message and (message.text or message.caption)) or ""),
        kind=kind,
        sent_at=_plausible(message.date) if message else None,
        extra=extra,
        raw=raw,
        media=_media(extra),
    )


def _content(update: "Update", message: "Message | None") -> tuple[ItemKind, dict[str, str]]:
    """The kind of thing, and in `what` Telegram's own word for it unless it is simply a text."""
    if message is None:
        return ItemKind.UNSUPPORTED, _beside_messages(update)
    if message.text is not None:
        return ItemKind.TEXT, {"what": "edited_message"} if update.edited_message else {}
    for what, kind in ATTACHMENTS.items():
        if attachment := getattr(message, what):
            edited = {"edited": "yes"} if update.edited_message else {}
            return kind, {"what": what, **_file(attachment), **edited}
    return ItemKind.UNSUPPORTED, {"what": "message"}


def _beside_messages(update: "Update") -> dict[str, str]:
    """Updates that are no message from a person to us: blocking the bot, reactions, channels, …"""
    what = next((whole_text(name) for name in update.ALL_TYPES if getattr(update, name)), "unknown")
    if update.my_chat_member:  # "kicked": they blocked us; "member": they are back
        return {"what": what, "status": whole_text(update.my_chat_member.new_chat_member.status)}
    return {"what": what}


def _file(attachment: Any) -> dict[str, str]:
    """Where the file can be fetched from later; of a photo the largest of its sizes."""
    largest = attachment[-1] if isinstance(attachment, tuple) else attachment
    names = ("file_id", "mime_type", "file_name")
    found = {name: getattr(largest, name, None) for name in names}
    return {name: whole_text(value) for name, value in found.items() if value}


def _media(extra: Mapping[str, str]) -> tuple[Media, ...]:
    if "file_id" not in extra:
        return ()
    return (Media(extra["file_id"], extra.get("mime_type", ""), extra.get("file_name", "")),)


def _buttons(choices: str) -> Any:
    """A keyboard whose keys send their own words, gone after one press; None without choices."""
    if not choices:
        return None
    from telegram import ReplyKeyboardMarkup

    words = choices.split("|")
    width = 2 if max(len(word) for word in words) <= 12 else 1
    rows = [words[start : start + width] for start in range(0, len(words), width)]
    return ReplyKeyboardMarkup(rows, one_time_keyboard=True, resize_keyboard=True)


def _sender(update: "Update", *, is_private: bool) -> str:
    """The chat to answer in. Outside a private chat the person who wrote, so that no answer of
    ours can land in a group; nobody (empty) where a channel speaks."""
    if is_private and update.effective_chat:
        return _id(update.effective_chat.id)
    return _id(update.effective_user.id) if update.effective_user else ""


def _id(value: object) -> str:
    """A whole number of at most 63 bits as text; the library checks no types. Raises ValueError."""
    if type(value) is not int or abs(value) > LARGEST_ID:
        raise ValueError("not an id")
    return str(value)


def _plausible(instant: datetime) -> datetime | None:
    """A sending time no database or calendar stumbles over: Telegram exists since 2013."""
    return instant if 2013 <= instant.year < 2100 else None


def _base_url(api_url: str) -> str:
    there = (api_url or "https://api.telegram.org").rstrip("/")
    return there.removesuffix("/bot") + "/bot"


def _from_error(error: Exception) -> SendResult:
    word, cause = type(error).__name__, type(error.__cause__).__name__
    if word in ERRORS:
        state, code = ERRORS[word]
        return SendResult(state, code=code, retry_after=_seconds(error))
    if word == "NetworkError" and cause in ANSWERED:
        # A second copy of a message does less harm than none, and Telegram cannot be asked.
        return SendResult(SendState.RETRY, code="5xx")
    if word in ("NetworkError", "TimedOut"):
        state = SendState.RETRY if cause in NEVER_CONNECTED else SendState.UNSURE
        return SendResult(state, code=cause)
    return SendResult(SendState.UNSURE, code=word)  # an answer that cannot be read


def _seconds(error: Exception) -> float | None:
    wait = getattr(error, "retry_after", None)
    return wait.total_seconds() if isinstance(wait, timedelta) else wait
