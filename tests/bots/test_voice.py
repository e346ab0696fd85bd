"""The telephone's bot by itself: what it reads, what it says, and what becomes of a call it places,
against a fake exchange reached by the real library."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.voice import CODES, ENDED, WITHHELD, Voice
from helpline.channels import (
    CallNews,
    CallStep,
    FetchesMedia,
    Inbound,
    ListsArrivals,
    Outbound,
    SendResult,
    TakesCalls,
    WebRequest,
)
from helpline.clock import MovableClock
from helpline.errors import InvalidInput
from helpline.vocabulary import CallMove, ItemKind, SendState
from tests.fakes.telephone import SOUND, Exchange
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, Form, signed

PAYLOADS = Path(__file__).parent / "payloads" / "voice"
PUBLIC = "https://helpline.example"
OURS, CALLER, WORKER = "+447700900000", "+447700900123", "+447700900901"
NOW = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
SID = "CA" + "0a" * 16
BEGUN: Form = [
    ("AccountSid", ACCOUNT_SID),
    ("ApiVersion", "2010-04-01"),
    ("CallSid", SID),
    ("CallStatus", "ringing"),
    ("Called", OURS),
    ("Caller", CALLER),
    ("Direction", "inbound"),
    ("From", CALLER),
    ("To", OURS),
    ("StirVerstat", "TN-Validation-Passed-A"),
]


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    async with Exchange(PUBLIC, MovableClock(frozen_at=NOW)) as exchange:
        yield exchange


@pytest.fixture
async def voice(exchange: Exchange) -> AsyncIterator[Voice]:
    voice = Voice(ACCOUNT_SID, AUTH_TOKEN, PUBLIC, exchange.url)
    yield voice
    await voice.close()


def request(form: Form, path: str = "/hooks/voice") -> WebRequest:
    headers, body = signed(PUBLIC + path, form)
    return WebRequest(PUBLIC + path, headers, body)


def test_it_keeps_every_contract_it_should(voice: Voice) -> None:
    assert isinstance(voice, TakesCalls)
    fetches: FetchesMedia = voice
    lists: ListsArrivals = voice
    assert fetches is lists


@pytest.mark.parametrize(("sid", "token"), [("", "x"), ("AC1", ""), (" ", " ")])
def test_without_credentials_it_does_not_start(sid: str, token: str) -> None:
    with pytest.raises(InvalidInput):
        Voice(sid, token, PUBLIC)


def test_the_signature_covers_url_query_and_form(voice: Voice) -> None:
    good = request([("Digits", "1")], "/hooks/voice/accept?call=1&user=2")
    assert voice.is_genuine(good)
    other_query = WebRequest(good.url.replace("user=2", "user=3"), good.headers, good.body)
    other_key = WebRequest(good.url, good.headers, b"Digits=2")
    assert not voice.is_genuine(other_query)
    assert not voice.is_genuine(other_key)


def test_somebody_rings(voice: Voice) -> None:
    inbound = voice.parse(request(BEGUN))
    assert isinstance(inbound, Inbound)
    assert (inbound.channel, inbound.kind, inbound.external_id) == ("voice", ItemKind.CALL, SID)
    assert (inbound.sender, inbound.recipient, inbound.text) == (CALLER, OURS, "")
    assert "StirVerstat" in inbound.raw


@pytest.mark.parametrize("caller", [*sorted(WITHHELD), "anonymous", "", "client:x", "sip:a@b", "0"])
def test_a_withheld_number_is_a_sender_of_its_own(voice: Voice, caller: str) -> None:
    inbound = voice.parse(request(list((dict(BEGUN) | {"From": caller}).items())))
    assert isinstance(inbound, Inbound)
    assert (inbound.kind, inbound.sender) == (ItemKind.CALL, f"withheld:{SID}")


def test_what_makes_no_sense_is_kept_unreadable(voice: Voice) -> None:
    inbound = voice.parse(request([("Nonsense", "yes")]))
    assert isinstance(inbound, Inbound)
    assert inbound.kind is ItemKind.UNREADABLE
    assert voice.parse_call(request([("Nonsense", "yes")])).call_id == ""


@given(st.binary(max_size=300))
def test_no_body_makes_it_raise(body: bytes) -> None:
    voice, asked = Voice("AC1", "x", PUBLIC), WebRequest(PUBLIC, {}, body)
    assert isinstance(voice.parse(asked), Inbound)
    assert voice.parse_call(asked).key in {"", *"0123456789*#"}
    assert voice.parse_receipt(asked) is None


@pytest.mark.parametrize(
    ("form", "key", "ended", "joined", "seconds", "recording"),
    [
        ({"Digits": "1"}, "1", False, None, None, ""),
        ({"Digits": "11"}, "", False, None, None, ""),
        ({"Digits": "hangup"}, "", False, None, None, ""),
        ({"DialCallStatus": "completed", "DialBridged": "true"}, "", False, True, None, ""),
        ({"DialCallStatus": "completed", "DialBridged": "false"}, "", False, False, None, ""),
        ({"DialCallStatus": "no-answer"}, "", False, None, None, ""),
        ({"CallStatus": "completed", "CallDuration": "61"}, "", True, None, 61, ""),
        ({"CallStatus": "canceled", "CallDuration": "-1"}, "", True, None, None, ""),
        ({"RecordingSid": "RE1", "RecordingStatus": "completed"}, "", False, None, None, "RE1"),
        ({"RecordingSid": "RE1", "RecordingStatus": "absent"}, "", False, None, None, ""),
        ({"RecordingSid": "../../x"}, "", False, None, None, ""),
    ],
)
def test_what_a_hook_says(
    voice: Voice,
    form: dict[str, str],
    key: str,
    ended: bool,
    joined: bool | None,
    seconds: int | None,
    recording: str,
) -> None:
    news = voice.parse_call(request([("CallSid", SID), *form.items()]))
    said = (news.key, news.has_ended, news.was_joined, news.seconds, news.recording)
    assert said == (key, ended, joined, seconds, recording)


def payload(name: str) -> WebRequest:
    return WebRequest(PUBLIC, {}, (PAYLOADS / f"{name}.form").read_bytes())


@pytest.mark.parametrize(
    ("name", "news"),
    [
        ("key", {"key": "1"}),
        ("no_key", {}),
        ("dial_spoke", {"was_joined": True}),
        ("dial_not_joined", {"was_joined": False}),
        ("dial_no_answer", {"was_joined": False}),
        ("message_left", {"recording": "RE0a1b2c3d4e5f60718293a4b5c6d7e8f9"}),
        ("recording_ready", {"recording": "RE0a1b2c3d4e5f60718293a4b5c6d7e8f9"}),
        ("status_completed", {"has_ended": True, "seconds": 341}),
    ],
)
def test_whole_forms_as_the_provider_posts_them(
    voice: Voice, name: str, news: dict[str, object]
) -> None:
    sid = "CA5f0c9d1e7a3b48c2a6d4e8f091b2c3d4"
    assert voice.parse_call(payload(name)) == replace(CallNews(sid), **news)


def test_whole_forms_of_an_incoming_call(voice: Voice) -> None:
    known, withheld = voice.parse(payload("incoming")), voice.parse(payload("withheld"))
    assert isinstance(known, Inbound)
    assert isinstance(withheld, Inbound)
    assert (known.sender, known.recipient) == (CALLER, OURS)
    assert withheld.sender == f"withheld:{withheld.external_id}"
    assert voice.parse_call(payload("whisper")).call_id.startswith("CA91")


@pytest.mark.parametrize("status", sorted(ENDED))
def test_every_status_of_a_call_is_known(voice: Voice, status: str) -> None:
    news = voice.parse_call(request([("CallSid", SID), ("CallStatus", status)]))
    assert news.has_ended is (status in ("completed", "busy", "no-answer", "canceled", "failed"))


RING = CallStep(
    CallMove.RING,
    ("Wait.",),
    next="/hooks/voice/rung?call=1&turn=1",
    number=WORKER,
    shown=OURS,
    whisper="/hooks/voice/whisper?call=1&user=2",
    seconds=20,
)


def said(voice: Voice, step: CallStep) -> ElementTree.Element:
    answer = voice.spoken(step)
    assert answer.content_type == "text/xml"
    return ElementTree.fromstring(answer.body)


def test_ringing_names_who_is_rung_what_they_see_and_hear(voice: Voice) -> None:
    say, dial = said(voice, RING)
    (number,) = dial
    assert (say.text, say.get("language")) == ("Wait.", "en-GB")
    assert dial.attrib == {
        "action": f"{PUBLIC}/hooks/voice/rung?call=1&turn=1",
        "method": "POST",
        "callerId": OURS,
        "timeout": "20",
    }
    assert number.text == WORKER
    assert number.get("url") == f"{PUBLIC}/hooks/voice/whisper?call=1&user=2"


def test_a_question_goes_on_with_any_key_and_with_none(voice: Voice) -> None:
    gather, redirect = said(voice, CallStep(CallMove.ASK, ("One?",), "/hooks/voice/menu"))
    assert gather.get("actionOnEmptyResult") == "true"
    assert gather.get("finishOnKey") == ""
    assert gather.get("numDigits") == "1"
    assert redirect.text == gather.get("action") == f"{PUBLIC}/hooks/voice/menu"


def test_a_recording_goes_on_when_nobody_speaks(voice: Voice) -> None:
    step = CallStep(CallMove.RECORD, ("After the tone.",), "/hooks/voice/left", seconds=180)
    _, record, redirect = said(voice, step)
    assert record.get("maxLength") == "180"
    assert record.get("recordingStatusCallback") == f"{PUBLIC}/hooks/voice/left"
    assert redirect.text == f"{PUBLIC}/hooks/voice/left"


def test_joining_lets_the_line_go_on_and_hanging_up_ends_it(voice: Voice) -> None:
    assert [verb.tag for verb in said(voice, CallStep(CallMove.JOIN, ("Thank you.",)))] == ["Say"]
    over = said(voice, CallStep(CallMove.HANG_UP, ("Goodbye.",)))
    assert [verb.tag for verb in over] == ["Say", "Hangup"]


@given(st.text(max_size=40), st.sampled_from(["number", "shown", "next", "whisper"]))
def test_what_cannot_be_ours_is_never_put_into_twiml(hostile: str, where: str) -> None:
    voice, step = Voice("AC1", "x", PUBLIC), replace(RING, **{where: hostile})
    if hostile in (getattr(RING, where), "/hooks/voice"):
        return
    with pytest.raises(ValueError, match="not"):
        voice.spoken(step)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60))
def test_words_stay_words(words: str) -> None:
    document = said(Voice("AC1", "x", PUBLIC), CallStep(CallMove.HANG_UP, (words,)))
    assert [verb.tag for verb in document] == ["Say", "Hangup"]
    assert len(document[0]) == 0


async def ring(voice: Voice, number: str = WORKER) -> SendState:
    hooks = "/hooks/voice/outward?call=1", "/hooks/voice/outward/status?call=1"
    return (await voice.ring(number, OURS, *hooks)).state


async def test_placing_a_call(voice: Voice, exchange: Exchange) -> None:
    assert await ring(voice) is SendState.ACCEPTED
    (call,) = exchange.sent
    assert (call["to"], call["from"]) == (WORKER, OURS)
    assert call["url"] == f"{PUBLIC}/hooks/voice/outward?call=1"
    assert call["callback"] == f"{PUBLIC}/hooks/voice/outward/status?call=1"


@pytest.mark.parametrize(("code", "state"), sorted(CODES.items()))
async def test_the_providers_codes(
    voice: Voice, exchange: Exchange, code: int, state: SendState
) -> None:
    exchange.fail_with(400, code)
    assert await ring(voice) is state
    assert exchange.sent == []


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (401, 20003, SendState.RETRY),
        (429, 20429, SendState.RETRY),
        (500, 20500, SendState.RETRY),
        (502, 0, SendState.UNSURE),
        (504, 0, SendState.UNSURE),
        (400, 99999, SendState.REFUSED),
    ],
)
async def test_the_providers_failures(
    voice: Voice, exchange: Exchange, status: int, code: int, state: SendState
) -> None:
    exchange.fail_with(status, code)
    assert await ring(voice) is state


async def test_a_call_that_was_taken_without_a_word_is_unsure(
    voice: Voice, exchange: Exchange
) -> None:
    exchange.accept_then_drop()
    assert await ring(voice) is SendState.UNSURE


@pytest.mark.parametrize("number", ["", "999", "07700900901", "+44 7700 900901", "+44;evil"])
async def test_what_is_no_number_is_not_rung(voice: Voice, exchange: Exchange, number: str) -> None:
    assert await ring(voice, number) is SendState.REFUSED
    assert exchange.tries == 0


async def test_a_text_is_refused(voice: Voice) -> None:
    outbound = Outbound("1", OURS, CALLER, "hello", NOW)
    assert (await voice.send(outbound)).state is SendState.REFUSED


ALERT = {"next": "/hooks/voice/alert?call=3", "ended": "/hooks/voice/alert/status?call=3"}


async def test_an_alert_is_a_call_that_our_hooks_lead(voice: Voice, exchange: Exchange) -> None:
    result = await voice.send(Outbound("1", OURS, WORKER, "never said", NOW, ALERT))
    (call,) = exchange.sent
    assert (result.state, result.provider_id) == (SendState.ACCEPTED, call["sid"])
    assert (call["from"], call["to"]) == (OURS, WORKER)
    assert call["url"] == f"{PUBLIC}/hooks/voice/alert?call=3"
    assert call["callback"] == f"{PUBLIC}/hooks/voice/alert/status?call=3"
    assert "never said" not in str(call)


async def test_without_a_number_of_ours_nobody_is_rung_and_no_number_is_bad(
    voice: Voice, exchange: Exchange
) -> None:
    result = await voice.send(Outbound("1", "", WORKER, "", NOW, ALERT))
    assert (result.state, result.fault, exchange.sent) == (SendState.REFUSED, "", [])


async def test_whether_an_alerts_call_went_can_be_asked(voice: Voice, exchange: Exchange) -> None:
    outbound = Outbound("1", OURS, WORKER, "", NOW, ALERT)
    assert await voice.find_sent(outbound) == SendResult(SendState.RETRY)
    await exchange.lose(WORKER, OURS)  # somebody rang us from there
    assert await voice.find_sent(outbound) == SendResult(SendState.RETRY)
    sent = await voice.send(outbound)
    assert await voice.find_sent(outbound) == sent
    later = replace(outbound, since=NOW + timedelta(hours=1))
    assert await voice.find_sent(later) == SendResult(SendState.RETRY)


async def test_the_calls_that_were_made_to_us_are_listed(voice: Voice, exchange: Exchange) -> None:
    sid = await exchange.lose(CALLER, OURS)
    await ring(voice)
    (arrival,) = await voice.arrivals(NOW - timedelta(hours=1))
    assert (arrival.external_id, arrival.sender, arrival.recipient) == (sid, CALLER, OURS)
    assert (arrival.kind, arrival.sent_at) == (ItemKind.CALL, NOW)


async def test_a_call_is_asked_about(voice: Voice, exchange: Exchange) -> None:
    assert await voice.find_call("CA" + "ff" * 16) is None
    sid = await exchange.lose(CALLER, OURS)
    exchange.recordings["RE" + "1" * 32] = sid
    news = await voice.find_call(sid)
    assert news is not None
    assert (news.has_ended, news.seconds, news.ended_at) == (True, 0, NOW)
    assert news.recording == "RE" + "1" * 32


async def test_a_provider_that_cannot_be_asked_is_an_error_not_an_answer() -> None:
    voice = Voice(ACCOUNT_SID, AUTH_TOKEN, PUBLIC, "http://127.0.0.1:9")
    with pytest.raises(aiohttp.ClientError):
        await voice.find_call(SID)
    assert not await voice.forget("RE1")
    assert (await voice.fetch(voice.recorded("RE1"), 1000)).content is None
    await voice.close()


async def test_a_recording_is_fetched_with_credentials_then_forgotten(
    voice: Voice, exchange: Exchange
) -> None:
    recording = "RE" + "1" * 32
    early = await voice.fetch(voice.recorded(recording), 10_000)
    assert (early.content, early.is_lost) == (None, False)  # it may not be ready yet
    exchange.recordings[recording] = SID
    assert (await voice.fetch(voice.recorded(recording), 10_000)).content == SOUND
    assert (await voice.fetch(voice.recorded(recording), 10)).content is None
    assert await voice.forget(recording)
    assert exchange.deleted == [recording]
    assert await voice.forget(recording)  # gone already is gone
