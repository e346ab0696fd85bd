"""Twilio's bot: what its recorded requests become, whose signature is right, and what each answer
of its API means. Sending goes through Twilio's real library to a Twilio on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from bots import _twilio as module
from bots._twilio import CODES, FAULTS
from bots.sms import Sms
from helpline.channels import Inbound, Outbound, Receipt, SendResult, WebRequest
from helpline.clock import Clock, MovableClock
from helpline.errors import InvalidInput
from helpline.vocabulary import Fault, ItemKind, OutState, SendState
from tests.fakes.serving import AnswersWith, Hook
from tests.fakes.twilio import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    FakeTwilio,
    Form,
    inbound_form,
    sign,
    signed,
    status_form,
)

URL = "https://helpline.example/hooks/sms"
PAYLOADS = Path(__file__).parent / "payloads" / "sms"
OURS, THEIRS = "+447700900001", "+447700900123"
HELLO: Form = inbound_form(THEIRS, OURS, "Hello", sid="SM" + "1" * 32)


# --- what a request becomes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        ("text", ItemKind.TEXT, "They say I hit him. What happens now?"),
        ("emoji", ItemKind.TEXT, "I'm scared 😟 & alone – £5+£5=£10, café"),
        ("two_lines", ItemKind.TEXT, "Line one\r\nLine two\n"),
        ("empty_body", ItemKind.TEXT, ""),
        ("opt_out", ItemKind.TEXT, "STOP"),
        ("old_id_only", ItemKind.TEXT, "They say I hit him. What happens now?"),
        ("photo", ItemKind.MEDIA, ""),
    ],
)
def test_a_recorded_message_is_read(bot: Sms, payload: str, kind: ItemKind, text: str) -> None:
    item = bot.parse(recorded(payload))
    assert isinstance(item, Inbound)
    assert (item.channel, item.kind, item.text) == ("sms", kind, text)
    assert (item.sender, item.recipient) == (THEIRS, OURS)
    assert item.external_id == dict(parse_qsl(item.raw))["SmsSid"]


def test_where_the_photos_are_is_kept(bot: Sms) -> None:
    item = bot.parse(recorded("photo"))
    assert isinstance(item, Inbound)
    assert [media.content_type for media in item.media] == ["image/jpeg", "audio/amr"]
    assert [media.key for media in item.media] == [
        item.extra["MediaUrl0"],
        item.extra["MediaUrl1"],
    ]
    assert item.extra["what"] == "media"  # a photo and a voice message


def test_what_the_network_made_of_stop_is_kept(bot: Sms) -> None:
    item = bot.parse(recorded("opt_out"))
    assert isinstance(item, Inbound)
    assert item.extra == {"OptOutType": "STOP"}


def test_another_network_of_twilios_is_kept_as_a_kind_we_cannot_show(bot: Sms) -> None:
    item = bot.parse(posted(inbound_form("messenger:10001", OURS, "Can you ring me?", sid="SM9")))
    assert isinstance(item, Inbound)
    assert (item.kind, item.sender) == (ItemKind.UNSUPPORTED, "messenger:10001")
    assert item.text == "Can you ring me?"


def test_without_an_id_it_is_unreadable_but_says_who_wrote(bot: Sms) -> None:
    item = bot.parse(recorded("no_id"))
    assert isinstance(item, Inbound)
    assert (item.kind, item.sender, item.recipient) == (ItemKind.UNREADABLE, THEIRS, OURS)
    assert item.text == "They say I hit him. What happens now?"
    assert item.external_id.startswith("unreadable:")


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b'{"Body": "hello"}', b"&&&", b"From=%00"])
def test_what_is_no_message_is_kept_as_unreadable(bot: Sms, body: bytes) -> None:
    first, again = bot.parse(request(body)), bot.parse(request(body))
    assert isinstance(first, Inbound)
    assert first.kind is ItemKind.UNREADABLE
    assert first == again  # so the second copy is recognised


def test_without_a_sender_it_is_unreadable(bot: Sms) -> None:
    item = bot.parse(recorded("no_sender"))
    assert isinstance(item, Inbound)
    assert (item.kind, item.sender) == (ItemKind.UNREADABLE, "")


def test_a_true_request_split_anew_is_the_same_message_again(bot: Sms) -> None:
    """Twilio signs names and values without a mark between them."""
    true = [("Body", "hello"), ("From", "whatsapp:" + THEIRS), ("MessageSid", "SM" + "a1" * 16)]
    split = [("Body", "hello"), ("From", true[1][1] + "MessageSid" + true[2][1])]
    assert sign(URL, split) == sign(URL, true)
    for form in (
        split,
        [*true[:2], ("MessageSi", "d" + true[2][1])],
        [*split[:1], ("Fro", "m" + split[1][1])],
    ):
        item = bot.parse(request(urlencode(form).encode()))
        assert isinstance(item, Inbound)
        assert (item.channel, item.external_id) == ("whatsapp", true[2][1])
        assert item.kind is ItemKind.UNREADABLE


def test_what_no_database_could_keep_as_an_address_is_left_out(bot: Sms) -> None:
    item = bot.parse(request(b"From=%2B44%00&To=%0A&MessageSid=SM1&Body=hello"))
    assert isinstance(item, Inbound)
    assert (item.kind, item.sender, item.recipient) == (ItemKind.UNREADABLE, "", "")
    assert item.text == "hello"


def test_the_raw_body_loses_no_byte(bot: Sms) -> None:
    item = bot.parse(request(b"a\xff\xfeb"))
    assert isinstance(item, Inbound)
    assert item.raw == "a\\xff\\xfeb"


def test_bytes_that_are_not_utf8_lose_nothing_around_them(bot: Sms) -> None:
    body = b"From=%2B447700900123&To=%2B447700900001&MessageSid=SM1&Body=caf%E9+now"
    item = bot.parse(request(body))
    assert isinstance(item, Inbound)
    assert (item.kind, item.text) == (ItemKind.TEXT, "caf\ufffd now")
    assert item.raw == body.decode()


@pytest.mark.parametrize(
    ("payload", "state", "code"),
    [
        ("accepted", OutState.SENDING, ""),
        ("queued", OutState.SENDING, ""),
        ("sending", OutState.SENDING, ""),
        ("sent", OutState.SENT, ""),
        ("delivered", OutState.DELIVERED, ""),
        ("read", OutState.READ, ""),
        ("undelivered", OutState.FAILED, "30003"),
        ("failed", OutState.FAILED, "30008"),
        ("canceled", OutState.FAILED, ""),
    ],
)
def test_a_delivery_report_is_read(bot: Sms, payload: str, state: OutState, code: str) -> None:
    expected = Receipt("sms", "SM" + "0d" * 16, state, code, may_retry=bool(code))
    assert bot.parse_receipt(recorded(f"status_{payload}")) == expected
    assert bot.parse(recorded(f"status_{payload}")) == expected  # sent to the wrong hook


@pytest.mark.parametrize("payload", ["status_unknown", "text"])
def test_what_reports_nothing_of_ours_is_no_report(bot: Sms, payload: str) -> None:
    assert bot.parse_receipt(recorded(payload)) is None


@given(body=st.binary(max_size=400))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    assert_total(body)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["From", "To", "Body", "MessageSid", "MessageStatus", "NumMedia", "X"]),
            st.sampled_from(
                ["", "+447700900123", "%ED%A0%80", "%00", "SM1", "sent", "%C3%28", "é"]
            ),
        ),
        max_size=8,
    )
)
def test_no_form_makes_it_raise(pairs: list[tuple[str, str]]) -> None:
    assert_total("&".join(f"{name}={value}" for name, value in pairs).encode())


# --- whose signature is right ---------------------------------------------------------------------


FORMS: dict[str, Form] = {
    "ordinary": HELLO,
    "emoji": inbound_form(THEIRS, OURS, "😟 café", sid="SM2"),
    "ampersands": inbound_form(THEIRS, OURS, "a&b=c+d%20e", sid="SM3"),
    "empty body": inbound_form(THEIRS, OURS, "", sid="SM4"),
    "repeated": [*HELLO, ("MediaUrl0", "b"), ("MediaUrl0", "a"), ("MediaUrl0", "b")],
    "unknown parameter": [*HELLO, ("SomethingNew", "1")],
    "no parameters": [],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_twilios_signature_is_right(bot: Sms, form: Form) -> None:
    assert bot.is_genuine(posted(form))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_the_order_of_parameters_does_not_matter(bot: Sms, form: Form) -> None:
    _, turned_round = signed(URL, form[::-1])
    assert bot.is_genuine(replace(posted(form), body=turned_round))


def test_a_signature_worked_out_by_hand_is_right(bot: Sms) -> None:
    # printf '%s' 'https://helpline.example/hooks/smsBodyHelloFrom+447700900123MessageSidSM1' |
    #   openssl dgst -sha1 -hmac 'a fake token, fit for tests only' -binary | base64
    body = b"MessageSid=SM1&From=%2B447700900123&Body=Hello"
    headers = {"x-twilio-signature": "Cc8BXBsvz/bWBiOw7K7hVXilMjI="}
    assert bot.is_genuine(WebRequest(URL, headers, body))


@pytest.mark.parametrize("signed_url", [URL, "https://helpline.example:443/hooks/sms"])
@pytest.mark.parametrize("seen_url", [URL, "https://helpline.example:443/hooks/sms"])
def test_the_port_may_be_named_or_not(bot: Sms, signed_url: str, seen_url: str) -> None:
    headers, body = signed(signed_url, HELLO)
    assert bot.is_genuine(WebRequest(seen_url, headers, body))


def test_query_parameters_are_part_of_the_url(bot: Sms) -> None:
    headers, body = signed(URL + "?contract=essex", HELLO)
    assert bot.is_genuine(WebRequest(URL + "?contract=essex", headers, body))
    assert not bot.is_genuine(WebRequest(URL, headers, body))


@pytest.mark.parametrize(
    "wrong",
    [
        "another token",
        "another address",
        "a changed body",
        "one more parameter",
        "a parameter taken away",
        "no header",
        "an empty header",
        "not base64",
        "not ASCII",
    ],
)
def test_any_other_signature_is_wrong(bot: Sms, wrong: str) -> None:
    right = posted(HELLO)
    signature = right.headers["x-twilio-signature"]
    forged = {
        "another token": posted(HELLO, token="another token"),
        "another address": replace(right, url="https://elsewhere.example/hooks/sms"),
        "a changed body": replace(right, body=right.body.replace(b"Body=Hello", b"Body=hello")),
        "one more parameter": replace(right, body=right.body + b"&x="),
        "a parameter taken away": replace(right, body=right.body.replace(b"&NumMedia=0", b"")),
        "no header": replace(right, headers={}),
        "an empty header": replace(right, headers={"x-twilio-signature": ""}),
        "not base64": replace(right, headers={"x-twilio-signature": signature + "="}),
        "not ASCII": replace(right, headers={"x-twilio-signature": "é\udcff" + signature}),
    }[wrong]
    assert bot.is_genuine(right)
    assert forged != right
    # "one more parameter" adds name and empty value to the signed text: the name must be noticed
    assert not bot.is_genuine(forged)


@pytest.mark.parametrize(
    "url", ["", "no url", "https://helpline.example:port/", "https://[/", "\ud800"]
)
def test_a_url_that_is_none_fails_closed(bot: Sms, url: str) -> None:
    assert not bot.is_genuine(replace(posted(HELLO), url=url))


@given(
    form=st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=12)), max_size=6),
    url=st.sampled_from([URL, "https://helpline.example:443/a?b=c&d", "http://127.0.0.1:8080/x"]),
)
def test_it_agrees_with_twilios_own_validator(form: Form, url: str) -> None:
    headers, body = signed(url, form)
    repeated: dict[str, list[str]] = {}
    for name, value in form:
        repeated.setdefault(name, []).append(value)
    validator: Any = RequestValidator
    assert validator(AUTH_TOKEN).validate(url, module.Form(repeated), headers["x-twilio-signature"])
    assert Sms(ACCOUNT_SID, AUTH_TOKEN).is_genuine(WebRequest(url, headers, body))


@pytest.mark.parametrize(("sid", "token"), [("", "t"), ("AC1", ""), ("AC1", "  "), ("  ", "t")])
def test_without_credentials_there_is_no_bot(sid: str, token: str) -> None:
    with pytest.raises(InvalidInput, match="auth token"):
        Sms(sid, token)


# --- sending --------------------------------------------------------------------------------------


async def test_a_message_reaches_twilio_whole(twilio: FakeTwilio, sender: Sms) -> None:
    result = await sender.send(OUT)
    assert result == SendResult(SendState.ACCEPTED, twilio.sent[0]["sid"])
    (sent,) = twilio.sent
    assert (sent["to"], sent["from"], sent["body"]) == (THEIRS, OURS, OUT.text)
    assert sent["status_callback"] == "https://helpline.example/hooks/sms/status"


async def test_without_a_status_address_none_is_given(twilio: FakeTwilio) -> None:
    bot = Sms(ACCOUNT_SID, AUTH_TOKEN, twilio.url)
    assert (await bot.send(OUT)).state is SendState.ACCEPTED
    assert twilio.sent[0]["status_callback"] == ""
    await bot.close()


NEVER = [21211, 21408, 21610, 21612, 21614, 21617, 30004, 30005, 30006, 30007]
NEVER += [63003, 63016, 63024, 63032]
LATER = [20003, 20429, 21611, 30001, 30002, 30003, 30008, 63018]


@pytest.mark.parametrize(
    ("code", "state"),
    [(code, SendState.REFUSED) for code in NEVER] + [(code, SendState.RETRY) for code in LATER],
)
async def test_every_error_code_has_its_meaning(
    twilio: FakeTwilio, sender: Sms, code: int, state: SendState
) -> None:
    twilio.fail_with(400, code)
    result = await sender.send(OUT)
    assert (result.state, result.code) == (state, str(code))
    assert result.fault is FAULTS.get(code, Fault.NONE)
    assert twilio.sent == []


@pytest.mark.parametrize(
    ("code", "fault", "may_retry"),
    [
        (30003, Fault.NONE, True),
        (30008, Fault.NONE, True),
        (30005, Fault.BAD_ADDRESS, False),
        (30006, Fault.BAD_ADDRESS, False),
        (21211, Fault.BAD_ADDRESS, False),
        (21614, Fault.BAD_ADDRESS, False),
        (30004, Fault.BLOCKED, False),
        (30007, Fault.NONE, False),
        (21610, Fault.OPTED_OUT, False),
        (63016, Fault.WINDOW_CLOSED, False),
        (99999, Fault.NONE, False),
    ],
)
def test_a_failures_code_is_sorted(bot: Sms, code: int, fault: Fault, may_retry: bool) -> None:
    report = bot.parse_receipt(posted(status_form("SM1", "undelivered", OURS, THEIRS, str(code))))
    assert report == Receipt("sms", "SM1", OutState.FAILED, str(code), fault, may_retry)
    passed = bot.parse_receipt(posted(status_form("SM1", "delivered", OURS, THEIRS, str(code))))
    assert passed == Receipt("sms", "SM1", OutState.DELIVERED, str(code))


def test_no_error_code_is_forgotten_above() -> None:
    assert sorted(CODES) == sorted(NEVER + LATER)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (401, SendState.RETRY),
        (404, SendState.RETRY),
        (408, SendState.RETRY),
        (429, SendState.RETRY),
        (502, SendState.UNSURE),
        (504, SendState.UNSURE),
        (302, SendState.RETRY),
        (400, SendState.REFUSED),
        (403, SendState.REFUSED),
        (500, SendState.UNSURE),
        (503, SendState.RETRY),
    ],
)
async def test_a_status_decides_where_the_code_is_unknown(
    twilio: FakeTwilio, sender: Sms, status: int, state: SendState
) -> None:
    twilio.fail_with(status, 99999)
    assert await sender.send(OUT) == SendResult(state, code="99999")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("90", 90.0), ("0", 0.0), ("", None), ("-1", None), ("Sun, 25 Oct 2026 18:01:00 GMT", None)],
)
async def test_how_long_to_wait_is_passed_on(
    twilio: FakeTwilio, sender: Sms, said: str, seconds: float | None
) -> None:
    twilio.fail_with(429, 20429, times=1, retry_after=said)
    assert (await sender.send(OUT)).retry_after == seconds
    twilio.fail_with(503, 20503)  # its own answer says nothing
    assert (await sender.send(OUT)).retry_after is None


async def test_a_wrong_token_is_worth_another_try(twilio: FakeTwilio) -> None:
    bot = Sms(ACCOUNT_SID, "not this token", twilio.url)
    assert await bot.send(OUT) == SendResult(SendState.RETRY, code="20003")
    await bot.close()


async def test_nobody_listening_is_worth_another_try() -> None:
    bot = Sms(ACCOUNT_SID, AUTH_TOKEN, f"http://127.0.0.1:{closed_port()}")
    assert (await bot.send(OUT)).state is SendState.RETRY
    assert await bot.find_sent(OUT) == SendResult(SendState.UNSURE)
    await bot.close()


async def test_silence_leaves_us_unsure(
    twilio: FakeTwilio, sender: Sms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOTAL_SECONDS", 0.2)
    twilio.hang()
    async with asyncio.timeout(3):
        assert (await sender.send(OUT)).state is SendState.UNSURE


@pytest.mark.parametrize("answer", ["<html>", "[]", '"x"', '{"sid": null}', '{"code": [1]}', ""])
@pytest.mark.parametrize("status", [201, 400])
async def test_an_answer_nobody_can_read_never_raises(answer: str, status: int) -> None:
    async with AnswersWith(answer, status) as odd:
        bot = Sms(ACCOUNT_SID, AUTH_TOKEN, odd.url)
        result = await bot.send(OUT)
        assert result.state is (SendState.UNSURE if status == 201 else SendState.REFUSED)
        assert await bot.find_sent(OUT) == SendResult(SendState.UNSURE)
        await bot.close()


async def test_another_address_may_have_a_path(twilio: FakeTwilio) -> None:
    assert module._moved("https://api.twilio.com/a/b?c=d", "http://proxy:9/twilio/") == (
        "http://proxy:9/twilio/a/b?c=d"
    )


async def test_it_works_again_after_close(twilio: FakeTwilio, sender: Sms) -> None:
    await sender.send(OUT)
    await sender.close()
    assert (await sender.send(OUT)).state is SendState.ACCEPTED


# --- asking what went -----------------------------------------------------------------------------


async def test_a_message_taken_without_an_answer_is_found(twilio: FakeTwilio, sender: Sms) -> None:
    twilio.accept_then_drop()
    assert (await sender.send(OUT)).state is SendState.UNSURE
    assert await sender.find_sent(OUT) == SendResult(SendState.ACCEPTED, twilio.sent[0]["sid"])


async def test_a_message_that_never_came_is_surely_absent(twilio: FakeTwilio, sender: Sms) -> None:
    assert await sender.find_sent(OUT) == SendResult(SendState.RETRY)


@pytest.mark.parametrize(
    "other",
    [
        {"text": "Something else"},
        {"recipient": "+447700900124"},
        {"sender": "+447700900002"},
    ],
)
async def test_somebody_elses_message_is_not_ours(sender: Sms, other: dict[str, Any]) -> None:
    await sender.send(replace(OUT, **other))
    assert await sender.find_sent(OUT) == SendResult(SendState.RETRY)


async def test_the_same_words_of_an_hour_ago_are_not_ours(
    twilio: FakeTwilio, sender: Sms, clock: MovableClock
) -> None:
    await sender.send(OUT)
    clock.forward(timedelta(hours=1))
    assert await sender.find_sent(replace(OUT, since=clock.now())) == SendResult(SendState.RETRY)


async def test_of_two_equal_texts_the_first_is_ours(twilio: FakeTwilio, sender: Sms) -> None:
    await sender.send(OUT)
    await sender.send(OUT)
    assert await sender.find_sent(OUT) == SendResult(SendState.ACCEPTED, twilio.sent[0]["sid"])


async def test_a_trial_accounts_prefix_does_not_hide_it(twilio: FakeTwilio, sender: Sms) -> None:
    await sender.send(OUT)
    twilio.sent[0]["body"] = "Sent from your Twilio trial account - " + OUT.text
    assert (await _state(sender)) is SendState.ACCEPTED


@pytest.mark.parametrize(("code", "state"), [(30003, SendState.RETRY), (30004, SendState.REFUSED)])
async def test_found_but_failed_has_not_gone(
    twilio: FakeTwilio, sender: Sms, code: int, state: SendState
) -> None:
    await sender.send(OUT)
    twilio.sent[0].update(status="undelivered", error_code=code)
    found = await sender.find_sent(OUT)
    assert found is not None
    assert (found.state, found.provider_id) == (state, twilio.sent[0]["sid"])
    assert found.code == str(code)


async def test_a_list_that_cannot_be_read_leaves_us_unsure(twilio: FakeTwilio, sender: Sms) -> None:
    twilio.list_fails = True
    assert await sender.find_sent(OUT) == SendResult(SendState.UNSURE)


async def test_a_list_that_does_not_reach_back_leaves_us_unsure(
    twilio: FakeTwilio, sender: Sms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_BACK", 3)
    for number in range(3):
        await sender.send(replace(OUT, text=f"Another {number}"))
    assert (await _state(sender)) is SendState.UNSURE


# --- the fake itself ------------------------------------------------------------------------------


async def test_the_fake_posts_what_the_bot_believes(twilio: FakeTwilio, sender: Sms) -> None:
    async with Hook() as hook, aiohttp.ClientSession() as session:
        url = hook.url + "/hooks/sms?contract=essex"
        assert await twilio.post_inbound(session, url, THEIRS, OURS, "Hello 😟") == 200
        await sender.send(OUT)
        sid = twilio.sent[0]["sid"]
        assert await twilio.post_status(session, url, sid, "failed", code="30008") == 200
        assert await twilio.post_inbound(session, url, THEIRS, OURS, "x", "a wrong token") == 200
    message, report, forged = hook.seen
    assert sender.is_genuine(message) and sender.is_genuine(report)
    assert not sender.is_genuine(forged)
    item = sender.parse(message)
    assert isinstance(item, Inbound) and item.text == "Hello 😟"
    assert sender.parse(report) == Receipt("sms", sid, OutState.FAILED, "30008", may_retry=True)


async def test_the_fake_fails_as_often_as_it_was_told(twilio: FakeTwilio, sender: Sms) -> None:
    twilio.fail_with(429, 20429, times=2)
    states = [(await sender.send(OUT)).state for _ in range(3)]
    assert states == [SendState.RETRY, SendState.RETRY, SendState.ACCEPTED]
    assert twilio.tries == 3


# --- fixtures and small things --------------------------------------------------------------------

NOW = datetime(2026, 10, 25, 18, 0, tzinfo=UTC)
OUT = Outbound("key-1", OURS, THEIRS, "Dana Reed will ring you at four. 😊", since=NOW)


@pytest.fixture
def bot() -> Sms:
    return Sms(ACCOUNT_SID, AUTH_TOKEN)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
async def twilio(clock: Clock) -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio(clock=clock) as fake:
        yield fake


@pytest.fixture
async def sender(twilio: FakeTwilio) -> AsyncIterator[Sms]:
    bot = Sms(ACCOUNT_SID, AUTH_TOKEN, twilio.url, "https://helpline.example/hooks/sms/status")
    yield bot
    await bot.close()


def request(body: bytes) -> WebRequest:
    return WebRequest(URL, {}, body)


def recorded(payload: str) -> WebRequest:
    return request((PAYLOADS / f"{payload}.form").read_bytes())


def posted(form: Form, token: str = AUTH_TOKEN) -> WebRequest:
    headers, body = signed(URL, form, token)
    return WebRequest(URL, headers, body)


def assert_total(body: bytes) -> None:
    """Whatever the body, the bot gives an answer that can be stored."""
    bot = Sms(ACCOUNT_SID, AUTH_TOKEN)
    assert not bot.is_genuine(replace(request(body), headers={"x-twilio-signature": "x"}))
    bot.parse_receipt(request(body))
    item = bot.parse(request(body))
    if isinstance(item, Inbound):
        assert item.external_id
        f"{item.external_id}{item.sender}{item.recipient}{item.text}{item.raw}".encode()
        assert "\0" not in item.external_id + item.sender + item.recipient


async def _state(bot: Sms) -> SendState | None:
    found = await bot.find_sent(OUT)
    return found.state if found else None


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
