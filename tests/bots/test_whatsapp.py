"""WhatsApp by Twilio: what comes in by the hook of SMS, what goes out with its prefix, media that
are fetched with care, and the provider's own list. Through Twilio's real library to a fake."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bots.sms import Sms
from bots.whatsapp import WhatsApp
from helpline.channels import Fetched, Inbound, Media, Outbound, Receipt, SendResult, WebRequest
from helpline.clock import MovableClock
from helpline.errors import InvalidInput
from helpline.vocabulary import Fault, ItemKind, OutState, SendState
from tests.fakes.serving import AnswersWith
from tests.fakes.twilio import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    FakeTwilio,
    inbound_form,
    signed,
    status_form,
)

URL = "https://helpline.example/hooks/sms"
OURS, THEIRS = "+447700900001", "+447700900124"
W_OURS, W_THEIRS = "whatsapp:" + OURS, "whatsapp:" + THEIRS
PAYLOADS = Path(__file__).parent / "payloads" / "sms"
TEMPLATE = "HX" + "1" * 32


# --- what comes in --------------------------------------------------------------------------------


def test_a_recorded_message_is_of_whatsapp_and_its_addresses_are_plain(bot: WhatsApp) -> None:
    body = (PAYLOADS / "whatsapp.form").read_bytes()
    for reader in (bot, Sms(ACCOUNT_SID, AUTH_TOKEN)):  # both come to one hook
        item = reader.parse(WebRequest(URL, {}, body))
        assert isinstance(item, Inbound)
        assert (item.channel, item.kind) == ("whatsapp", ItemKind.TEXT)
        assert (item.sender, item.recipient) == (THEIRS, OURS)
        assert item.text == "Can somebody ring me?"


@pytest.mark.parametrize(
    ("more", "kind", "what"),
    [
        ({"NumMedia": "1", "MediaUrl0": "u", "MediaContentType0": "image/jpeg"}, "media", "photo"),
        ({"NumMedia": "1", "MediaUrl0": "u", "MediaContentType0": "audio/ogg"}, "media", "voice"),
        ({"NumMedia": "1", "MediaUrl0": "u", "MediaContentType0": "video/mp4"}, "media", "video"),
        ({"NumMedia": "1", "MediaUrl0": "u", "MediaContentType0": "text/x"}, "media", "document"),
        ({"MessageType": "reaction"}, "unsupported", "reaction"),
        ({"MessageType": "sticker"}, "unsupported", "sticker"),
        ({"MessageType": "something new"}, "unsupported", None),
        ({"MessageType": "button"}, "text", None),
        ({"Latitude": "51.7", "Longitude": "0.4"}, "unsupported", "location"),
    ],
)
def test_every_kind_is_kept_under_its_name(
    bot: WhatsApp, more: dict[str, str], kind: str, what: str | None
) -> None:
    item = bot.parse(posted("👍", **more))
    assert isinstance(item, Inbound)
    assert (item.kind, item.extra.get("what")) == (kind, what)
    assert item.text == "👍"


def test_where_somebody_is_becomes_words(bot: WhatsApp) -> None:
    item = bot.parse(posted("", Latitude="51.73", Longitude="0.47", Label="Bus station"))
    assert isinstance(item, Inbound)
    assert item.text == "Bus station, 51.73, 0.47"


def test_nothing_at_all_is_a_kind_we_cannot_show(bot: WhatsApp) -> None:
    item = bot.parse(posted(""))
    assert isinstance(item, Inbound)
    assert item.kind is ItemKind.UNSUPPORTED


def test_a_report_says_that_it_is_of_whatsapp(bot: WhatsApp) -> None:
    _, body = signed(URL, status_form("SM1", "undelivered", W_OURS, W_THEIRS, "63016"))
    expected = Receipt("whatsapp", "SM1", OutState.FAILED, "63016", Fault.WINDOW_CLOSED)
    assert bot.parse_receipt(WebRequest(URL, {}, body)) == expected


def test_twilios_signature_is_asked_for(bot: WhatsApp) -> None:
    headers, body = signed(URL, inbound_form(W_THEIRS, W_OURS, "x"))
    assert bot.is_genuine(WebRequest(URL, headers, body))
    assert not bot.is_genuine(WebRequest(URL, headers, body + b"&x=1"))
    with pytest.raises(InvalidInput):
        WhatsApp(ACCOUNT_SID, "")


# --- what goes out --------------------------------------------------------------------------------


async def test_it_leaves_with_the_prefix(twilio: FakeTwilio, bot: WhatsApp) -> None:
    twilio.receive(W_THEIRS, W_OURS, "hello")
    result = await bot.send(OUT)
    assert result == SendResult(SendState.ACCEPTED, twilio.sent[0]["sid"])
    sent = twilio.sent[0]
    assert (sent["to"], sent["from"], sent["body"]) == (W_THEIRS, W_OURS, OUT.text)
    assert await bot.find_sent(OUT) == SendResult(SendState.ACCEPTED, sent["sid"])


async def test_after_a_day_only_a_template_passes(
    twilio: FakeTwilio, bot: WhatsApp, clock: MovableClock
) -> None:
    twilio.receive(W_THEIRS, W_OURS, "hello")
    clock.forward(timedelta(hours=24))
    refused = await bot.send(OUT)
    assert (refused.state, refused.code) == (SendState.REFUSED, "63016")
    assert refused.fault is Fault.WINDOW_CLOSED
    twilio.templates[TEMPLATE] = "Your helpline has answered: {{1}} Write back here."
    by_template = replace(OUT, extra={"content_sid": TEMPLATE})
    assert (await bot.send(by_template)).state is SendState.ACCEPTED
    assert twilio.sent[0]["body"] == (
        "Your helpline has answered: Dana Reed will ring you. At four. Write back here."
    )
    found = await bot.find_sent(by_template)
    assert found == SendResult(SendState.ACCEPTED, twilio.sent[0]["sid"])


@pytest.mark.parametrize(("code", "fault"), [(63003, "bad_address"), (63024, "bad_address")])
async def test_a_number_without_whatsapp_is_a_bad_one(
    twilio: FakeTwilio, bot: WhatsApp, code: int, fault: str
) -> None:
    twilio.fail_with(400, code)
    assert (await bot.send(OUT)).fault == fault


async def test_silence_and_refusals_never_raise(twilio: FakeTwilio, bot: WhatsApp) -> None:
    twilio.receive(W_THEIRS, W_OURS, "hello")
    twilio.accept_then_drop()
    assert (await bot.send(OUT)).state is SendState.UNSURE
    twilio.behave()
    twilio.fail_with(429, 20429)
    assert (await bot.send(OUT)).state is SendState.RETRY
    twilio.fail_with(503, 20500)
    assert (await bot.send(OUT)).state is SendState.RETRY
    assert len(twilio.sent) == 1


async def test_what_became_of_a_message_can_be_asked(twilio: FakeTwilio, bot: WhatsApp) -> None:
    twilio.receive(W_THEIRS, W_OURS, "hello")
    sid = (await bot.send(OUT)).provider_id
    twilio.sent[0]["status"] = "read"
    assert await bot.state_of(sid) == Receipt("whatsapp", sid, OutState.READ)
    twilio.sent[0].update(status="undelivered", error_code=63003)
    assert await bot.state_of(sid) == Receipt(
        "whatsapp", sid, OutState.FAILED, "63003", Fault.BAD_ADDRESS
    )
    assert await bot.state_of("SMnobody") is None


# --- the provider's list --------------------------------------------------------------------------


async def test_each_channel_lists_what_came_in_by_it(
    twilio: FakeTwilio, bot: WhatsApp, clock: MovableClock
) -> None:
    text = Sms(ACCOUNT_SID, AUTH_TOKEN, twilio.url)
    twilio.receive(THEIRS, OURS, "long ago")
    clock.forward(timedelta(hours=2))
    since = clock.now()
    photo = twilio.keep_file("image/jpeg", b"x")
    by_whatsapp = twilio.receive(W_THEIRS, W_OURS, "look", media=(photo,))
    by_text = twilio.receive(THEIRS, OURS, "they say I hit him")
    await bot.send(OUT)
    (one,) = await bot.arrivals(since)
    assert (one.channel, one.external_id, one.text) == ("whatsapp", by_whatsapp, "look")
    assert (one.sender, one.recipient, one.sent_at) == (THEIRS, OURS, since)
    assert one.media == (Media(twilio.media_url(by_whatsapp, photo), "image/jpeg"),)
    (other,) = await text.arrivals(since)
    assert (other.channel, other.external_id, other.kind) == ("sms", by_text, ItemKind.TEXT)
    await text.close()


async def test_a_list_that_cannot_be_read_raises(twilio: FakeTwilio, bot: WhatsApp) -> None:
    twilio.list_fails = True
    with pytest.raises(Exception, match="503"):
        await bot.arrivals(NOW)


# --- media ----------------------------------------------------------------------------------------


async def test_media_come_with_credentials_that_no_other_host_sees(
    twilio: FakeTwilio, bot: WhatsApp
) -> None:
    media_id = twilio.keep_file("image/jpeg", b"a picture" * 1000)
    got = await bot.fetch(Media(twilio.media_url("MM1", media_id)), 16_000_000)
    assert got == Fetched(b"a picture" * 1000)
    assert twilio.fetched == [(media_id, True), (f"store:{media_id}", False)]


async def test_media_that_grow_too_large_are_given_up(twilio: FakeTwilio, bot: WhatsApp) -> None:
    media_id = twilio.keep_file("image/jpeg", b"x" * 300_000)
    got = await bot.fetch(Media(twilio.media_url("MM1", media_id)), 200_000)
    assert got == Fetched(None, is_lost=True)


@pytest.mark.parametrize(
    ("status", "is_lost"), [(404, True), (410, True), (500, False), (429, False), (401, False)]
)
async def test_what_is_gone_is_lost_and_what_fails_is_not(
    twilio: FakeTwilio, bot: WhatsApp, status: int, is_lost: bool
) -> None:
    media_id = twilio.keep_file("image/jpeg", b"x")
    twilio.file_status = status
    got = await bot.fetch(Media(twilio.media_url("MM1", media_id)), 1000)
    assert got == Fetched(None, is_lost)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://evil.example/x",
        "https://api.twilio.com.evil.example/x",
        "https://eviltwilio.com/x",
        "http://api.twiliocdn.com/x",  # not over TLS
        "file:///etc/passwd",
        "https://s3-external-1.amazonaws.com/someone-else/x",
        "https://[",
        "",
    ],
)
async def test_nothing_but_twilios_own_hosts_is_asked(bot: WhatsApp, url: str) -> None:
    assert await bot.fetch(Media(url), 1000) == Fetched(None, is_lost=True)


async def test_a_redirect_elsewhere_is_not_followed(clock: MovableClock) -> None:
    async with AnswersWith("secret", 200) as inside, Redirects(inside.url) as twilio:
        bot = WhatsApp(ACCOUNT_SID, AUTH_TOKEN, twilio.url)
        got = await bot.fetch(Media("https://api.twilio.com/2010-04-01/Media/ME1"), 1000)
        assert got == Fetched(None, is_lost=True)
        await bot.close()


# --- fixtures and small things --------------------------------------------------------------------

NOW = datetime(2026, 10, 25, 18, 0, tzinfo=UTC)
OUT = Outbound("key-1", OURS, THEIRS, "Dana Reed will ring you.\nAt four.", since=NOW)


class Redirects(FakeTwilio):
    """Sends every request for media somewhere else."""

    def __init__(self, elsewhere: str) -> None:
        super().__init__()
        self._elsewhere = elsewhere

    def routes(self) -> list:  # type: ignore[type-arg]
        from aiohttp import web

        async def away(_: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(self._elsewhere)

        return [web.get("/{rest:.*}", away)]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(frozen_at=NOW)


@pytest.fixture
async def twilio(clock: MovableClock) -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio(clock=clock) as fake:
        yield fake


@pytest.fixture
async def bot(twilio: FakeTwilio) -> AsyncIterator[WhatsApp]:
    made = WhatsApp(ACCOUNT_SID, AUTH_TOKEN, twilio.url)
    yield made
    await made.close()


def posted(text: str, **more: str) -> WebRequest:
    headers, body = signed(URL, inbound_form(W_THEIRS, W_OURS, text, **more))
    return WebRequest(URL, headers, body)
