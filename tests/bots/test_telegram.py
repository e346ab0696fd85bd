"""Telegram's bot: what its recorded updates become, whose secret is right, and what each answer of
its API means. Sending goes through the real library to a Telegram on loopback."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import telegram as module
from bots.telegram import Telegram
from helpline.channels import Fetched, Inbound, Media, Outbound, SendResult, WebRequest
from helpline.errors import InvalidInput
from helpline.vocabulary import ItemKind, SendState
from tests.fakes.serving import AnswersWith, Hook
from tests.fakes.telegram import SECRET, TOKEN, FakeTelegram, delivered, update

PAYLOADS = Path(__file__).parent / "payloads" / "telegram"
THEIRS = "700900123"


# --- what an update becomes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "kind", "text", "extra"),
    [
        ("text", ItemKind.TEXT, "They say I hit him. What happens now?", {}),
        ("start", ItemKind.TEXT, "/start", {}),
        ("emoji", ItemKind.TEXT, "I'm scared 😟 & alone", {}),
        ("edited", ItemKind.TEXT, "They say I hit him on Friday.", {"what": "edited_message"}),
        (
            "photo",
            ItemKind.MEDIA,
            "The letter that came today",
            {"what": "photo", "file_id": "FILE-2"},
        ),
        (
            "voice",
            ItemKind.MEDIA,
            "",
            {"what": "voice", "file_id": "FILE-3", "mime_type": "audio/ogg"},
        ),
        ("video", ItemKind.MEDIA, "", {"what": "video", "file_id": "FILE-4"}),
        (
            "document",
            ItemKind.MEDIA,
            "",
            {
                "what": "document",
                "file_id": "FILE-5",
                "mime_type": "application/pdf",
                "file_name": "letter.pdf",
            },
        ),
        ("animation", ItemKind.MEDIA, "", {"what": "animation", "file_id": "FILE-6"}),
        ("sticker", ItemKind.UNSUPPORTED, "", {"what": "sticker", "file_id": "FILE-7"}),
        ("location", ItemKind.UNSUPPORTED, "", {"what": "location"}),
        ("venue", ItemKind.UNSUPPORTED, "", {"what": "venue"}),
        ("contact", ItemKind.UNSUPPORTED, "", {"what": "contact"}),
        ("poll_message", ItemKind.UNSUPPORTED, "", {"what": "poll"}),
        ("dice", ItemKind.UNSUPPORTED, "", {"what": "dice"}),
        ("something_new", ItemKind.UNSUPPORTED, "", {"what": "message"}),
    ],
)
def test_a_recorded_message_is_read(
    bot: Telegram, payload: str, kind: ItemKind, text: str, extra: dict[str, str]
) -> None:
    item = read(bot, payload)
    assert (item.channel, item.sender, item.recipient) == ("telegram", THEIRS, "telegram")
    assert (item.kind, item.text, dict(item.extra)) == (kind, text, extra)
    assert item.external_id == str(document(payload)["update_id"])
    assert item.sent_at == datetime(2026, 10, 25, 18, 0, tzinfo=UTC)
    assert json.loads(item.raw) == document(payload)


@pytest.mark.parametrize(
    ("payload", "sender", "extra"),
    [
        ("blocked", THEIRS, {"what": "my_chat_member", "status": "kicked"}),
        ("callback_query", THEIRS, {"what": "callback_query"}),
        ("new_kind_of_update", "", {"what": "unknown"}),
        ("channel_post", "", {"what": "channel_post", "where": "channel"}),
    ],
)
def test_what_is_no_message_to_us_is_kept(
    bot: Telegram, payload: str, sender: str, extra: dict[str, str]
) -> None:
    item = read(bot, payload)
    assert (item.kind, item.sender, dict(item.extra)) == (ItemKind.UNSUPPORTED, sender, extra)


def test_an_answer_to_a_group_goes_to_the_person_alone(bot: Telegram) -> None:
    item = read(bot, "group")
    assert (item.kind, item.text) == (ItemKind.UNSUPPORTED, "Hello all")
    assert item.sender == THEIRS  # the person, not the group
    assert item.extra["where"] == "supergroup"


def test_an_unreadable_update_keeps_its_number(bot: Telegram) -> None:
    item = read(bot, "no_message_id")
    assert (item.kind, item.recipient) == (ItemKind.UNREADABLE, "telegram")
    assert item.external_id == str(document("no_message_id")["update_id"])
    assert "half of one" in item.raw


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"update_id": "1"}',
        b'{"update_id": true}',
        b'{"update_id": 1e400}',
        b'{"update_id": ' + b"9" * 4000 + b"}",
    ],
)
def test_what_is_no_update_is_kept_as_unreadable(bot: Telegram, body: bytes) -> None:
    first, again = bot.parse(request(body)), bot.parse(request(body))
    assert isinstance(first, Inbound)
    assert first.kind is ItemKind.UNREADABLE
    assert first.external_id.startswith("unreadable:")
    assert first == again


@pytest.mark.parametrize(
    "change",
    [
        {"text": {"a": 1}},
        {"text": 7},
        {"chat": {"id": "1", "type": "private"}},
        {"chat": {"id": 10**30, "type": "private"}},
        {"chat": {}},
        {"date": "today"},
        {"date": 10**18},
        {"from": []},
        {"photo": "x"},
    ],
)
def test_wrong_types_are_kept_as_unreadable(bot: Telegram, change: dict[str, Any]) -> None:
    wrong = update(700900123, **change)
    item = bot.parse(request(json.dumps(wrong).encode()))
    assert isinstance(item, Inbound)
    assert (item.kind, item.external_id) == (ItemKind.UNREADABLE, str(wrong["update_id"]))


def test_half_a_surrogate_pair_does_not_spoil_the_text(bot: Telegram) -> None:
    body = json.dumps(update(700900123, "before \ud83d after")).encode()
    item = bot.parse(request(body))
    assert isinstance(item, Inbound)
    assert (item.kind, item.text) == (ItemKind.TEXT, "before ? after")


def test_an_impossible_date_is_left_out(bot: Telegram) -> None:
    item = bot.parse(request(json.dumps(update(700900123, "Hello", date=-62135596800)).encode()))
    assert isinstance(item, Inbound)
    assert (item.kind, item.sent_at) == (ItemKind.TEXT, None)


def test_there_are_no_delivery_reports(bot: Telegram) -> None:
    assert bot.parse_receipt(request(b"{}")) is None


@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    assert_total(body)


FIELDS = st.sampled_from(
    ["message_id", "from", "chat", "id", "type", "date", "text", "photo", "file_id", "update_id"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.fixed_dictionaries({"update_id": st.integers() | JSON}, optional={"message": JSON}))
def test_no_json_makes_it_raise(wrong: dict[str, Any]) -> None:
    assert_total(json.dumps(wrong).encode())


@given(
    st.fixed_dictionaries(
        {"message_id": st.integers(), "date": st.integers(0, 2**40)},
        optional={
            "chat": st.fixed_dictionaries({"id": JSON, "type": JSON}),
            "from": JSON,
            "text": JSON,
            "caption": JSON,
            "voice": JSON,
            "sticker": JSON,
        },
    )
)
def test_no_message_makes_it_raise(message: dict[str, Any]) -> None:
    assert_total(json.dumps(update(1, **message)).encode())


# --- whose secret is right ------------------------------------------------------------------------


def test_the_secret_comes_back(bot: Telegram) -> None:
    headers, body = delivered(update(700900123, "Hello"))
    assert bot.is_genuine(WebRequest("https://helpline.example/hooks/telegram", headers, body))


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", SECRET[:-1], "é\udcff"])
def test_any_other_secret_is_wrong(bot: Telegram, secret: str) -> None:
    headers = {"x-telegram-bot-api-secret-token": secret}
    assert not bot.is_genuine(replace(request(b"{}"), headers=headers))


def test_without_the_header_it_is_not_genuine(bot: Telegram) -> None:
    assert not bot.is_genuine(request(b"{}"))


@pytest.mark.parametrize(
    ("token", "secret"),
    [("", SECRET), (" ", SECRET), (TOKEN, ""), (TOKEN, "with space"), (TOKEN, "é")],
)
def test_without_token_and_secret_there_is_no_bot(token: str, secret: str) -> None:
    with pytest.raises(InvalidInput):
        Telegram(token, secret)


# --- sending --------------------------------------------------------------------------------------


async def test_a_message_reaches_telegram_whole(telegram: FakeTelegram, sender: Telegram) -> None:
    assert await sender.send(OUT) == SendResult(SendState.ACCEPTED, "1")
    (sent,) = telegram.sent
    assert (sent["chat_id"], sent["text"]) == (THEIRS, OUT.text)
    assert "parse_mode" not in sent  # what a worker writes is never markup


async def test_choices_become_keys_that_send_their_own_words(
    telegram: FakeTelegram, sender: Telegram
) -> None:
    await sender.send(replace(OUT, extra={"choices": "YES|NO"}))
    keyboard = json.loads(telegram.sent[0]["reply_markup"])
    assert [[key["text"] for key in row] for row in keyboard["keyboard"]] == [["YES", "NO"]]
    assert keyboard["one_time_keyboard"] is True


async def test_a_file_is_fetched_by_its_id(telegram: FakeTelegram, sender: Telegram) -> None:
    telegram.files["FILE-3"] = b"the sound"
    assert await sender.fetch(Media("FILE-3"), 100) == Fetched(b"the sound")
    assert await sender.fetch(Media("FILE-3"), 5) == Fetched(None, is_lost=True)
    assert await sender.fetch(Media("gone"), 100) == Fetched(None, is_lost=True)


async def test_a_file_with_nobody_to_ask_is_asked_for_again() -> None:
    bot = Telegram(TOKEN, SECRET, "http://127.0.0.1:9")
    assert await bot.fetch(Media("FILE-3"), 100) == Fetched(None)
    await bot.close()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (403, SendResult(SendState.REFUSED, code="403")),  # blocked by the person
        (400, SendResult(SendState.REFUSED, code="400")),
        (401, SendResult(SendState.RETRY, code="401")),
        (409, SendResult(SendState.RETRY, code="409")),
        (500, SendResult(SendState.RETRY, code="5xx")),
        (502, SendResult(SendState.RETRY, code="5xx")),
        (503, SendResult(SendState.RETRY, code="5xx")),
    ],
)
async def test_every_refusal_has_its_meaning(
    telegram: FakeTelegram, sender: Telegram, status: int, expected: SendResult
) -> None:
    telegram.fail_with(status)
    assert await sender.send(OUT) == expected
    assert telegram.sent == []


async def test_how_long_to_wait_is_passed_on(telegram: FakeTelegram, sender: Telegram) -> None:
    telegram.fail_with(429, "Too Many Requests: retry after 17", retry_after=17)
    assert await sender.send(OUT) == SendResult(SendState.RETRY, code="429", retry_after=17.0)


async def test_a_chat_nobody_has_is_refused(telegram: FakeTelegram, sender: Telegram) -> None:
    result = await sender.send(replace(OUT, recipient="nobody"))
    assert result == SendResult(SendState.REFUSED, code="400")


async def test_a_text_too_long_is_refused(telegram: FakeTelegram, sender: Telegram) -> None:
    assert (await sender.send(replace(OUT, text="x" * 4097))).state is SendState.REFUSED


async def test_nobody_listening_is_worth_another_try() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bot = Telegram(TOKEN, SECRET, f"http://127.0.0.1:{port}")
    assert await bot.send(OUT) == SendResult(SendState.RETRY, code="ConnectError")
    await bot.close()


async def test_silence_leaves_us_unsure(
    telegram: FakeTelegram, sender: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)
    telegram.hang()
    async with asyncio.timeout(3):
        assert await sender.send(OUT) == SendResult(SendState.UNSURE, code="ReadTimeout")


async def test_a_dropped_line_leaves_us_unsure(telegram: FakeTelegram, sender: Telegram) -> None:
    telegram.accept_then_drop()
    assert (await sender.send(OUT)).state is SendState.UNSURE
    assert len(telegram.sent) == 1
    assert await sender.find_sent(OUT) is None  # and Telegram cannot be asked


@pytest.mark.parametrize(
    ("answer", "status", "state"),
    [
        ("<html>", 200, SendState.UNSURE),
        ("[]", 200, SendState.UNSURE),
        ('{"ok": true, "result": 7}', 200, SendState.UNSURE),
        ("<html>", 502, SendState.RETRY),
        ("[]", 502, SendState.UNSURE),
        ("<html>", 400, SendState.REFUSED),
    ],
)
async def test_an_answer_nobody_can_read_never_raises(
    answer: str, status: int, state: SendState
) -> None:
    async with AnswersWith(answer, status) as odd:
        bot = Telegram(TOKEN, SECRET, odd.url)
        assert (await bot.send(OUT)).state is state
        await bot.close()


async def test_it_works_again_after_close(telegram: FakeTelegram, sender: Telegram) -> None:
    await sender.send(OUT)
    await sender.close()
    await sender.close()
    assert (await sender.send(OUT)).state is SendState.ACCEPTED


@pytest.mark.parametrize(
    ("api_url", "expected"),
    [
        ("", "https://api.telegram.org/bot"),
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/bot"),
        ("http://127.0.0.1:9/bot", "http://127.0.0.1:9/bot"),
    ],
)
def test_another_address_takes_the_place_of_telegrams(api_url: str, expected: str) -> None:
    assert module._base_url(api_url) == expected


# --- the fake itself ------------------------------------------------------------------------------


async def test_the_fake_posts_what_the_bot_believes(
    telegram: FakeTelegram, sender: Telegram
) -> None:
    async with Hook() as hook, aiohttp.ClientSession() as session:
        assert await telegram.post_update(session, hook.url, update(700900123, "Hello 😟")) == 200
        assert await telegram.post_update(session, hook.url, update(1, "x"), "wrong") == 200
    real, forged = hook.seen
    assert sender.is_genuine(real) and not sender.is_genuine(forged)
    item = sender.parse(real)
    assert isinstance(item, Inbound) and item.text == "Hello 😟"


async def test_the_fake_knows_its_bot_and_its_token(telegram: FakeTelegram) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{telegram.url}/bot{TOKEN}/getMe") as answer:
            assert (await answer.json())["result"]["is_bot"] is True
        async with session.get(f"{telegram.url}/botwrong/getMe") as answer:
            assert answer.status == 401


# --- fixtures and small things --------------------------------------------------------------------

OUT = Outbound(
    "key-1",
    "telegram",
    THEIRS,
    "Dana Reed will ring you at four. 😊 <b>",
    since=datetime(2026, 10, 25, 18, 0, tzinfo=UTC),
)
BOT = Telegram(TOKEN, SECRET)


@pytest.fixture
def bot() -> Telegram:
    return BOT


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


@pytest.fixture
async def sender(telegram: FakeTelegram) -> AsyncIterator[Telegram]:
    bot = Telegram(TOKEN, SECRET, telegram.url)
    yield bot
    await bot.close()


def request(body: bytes) -> WebRequest:
    return WebRequest("https://helpline.example/hooks/telegram", {}, body)


def document(payload: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((PAYLOADS / f"{payload}.json").read_text("utf-8"))
    return parsed


def read(bot: Telegram, payload: str) -> Inbound:
    item = bot.parse(request((PAYLOADS / f"{payload}.json").read_bytes()))
    assert isinstance(item, Inbound)
    return item


def assert_total(body: bytes) -> None:
    """Whatever the body, the bot gives something that can be stored."""
    item = BOT.parse(request(body))
    assert isinstance(item, Inbound)
    assert 0 < len(item.external_id) <= 80 and len(item.sender) <= 20
    assert isinstance(item.text, str) and isinstance(item.kind, ItemKind)
    f"{item.sender}{item.text}{item.raw}{''.join(item.extra.values())}".encode()
