"""The simulated phone network: what is typed on a telephone reaches the hook, what is sent reaches
the telephone, and it can misbehave as a real network does."""

import asyncio
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bots.simulator import MOST_FILES, SECRET_HEADER, Simulator
from helpline.channels import (
    Channel,
    Fetched,
    Inbound,
    Media,
    Outbound,
    SendResult,
    WebRequest,
)
from helpline.errors import InvalidInput
from helpline.rules.media import kind_of
from helpline.vocabulary import Direction, ItemKind, SendState

PAYLOADS = Path(__file__).parent / "payloads" / "simulator"
OURS, THEIRS = "+447700900001", "+447700900123"
OUT = Outbound("key-1", OURS, THEIRS, "We have it.", since=datetime(2026, 10, 25, 18, tzinfo=UTC))


@pytest.mark.parametrize("allow", [{}, {"allow": False}])
def test_it_cannot_be_switched_on_by_accident(allow: dict[str, bool]) -> None:
    with pytest.raises(InvalidInput, match="only in the demo"):
        Simulator("sms", **allow)


def test_it_stands_for_a_channel_that_exists() -> None:
    with pytest.raises(InvalidInput, match="sms or whatsapp or telegram"):
        Simulator("pigeon", allow=True)


def test_it_takes_the_name_of_what_it_stands_for(network: Channel) -> None:
    assert network.name == "sms"
    assert Simulator("telegram", allow=True).name == "telegram"


def test_what_is_typed_reaches_the_hook(network: Simulator) -> None:
    request = network.write(THEIRS, OURS, "I'm scared 😟")
    assert network.is_genuine(request)
    item = network.parse(request)
    assert isinstance(item, Inbound)
    assert (item.channel, item.sender, item.recipient) == ("sms", THEIRS, OURS)
    assert (item.kind, item.text) == (ItemKind.TEXT, "I'm scared 😟")
    (shown,) = network.on(THEIRS)
    assert (shown.direction, shown.provider_id) == (Direction.IN, item.external_id)


def test_the_same_words_twice_are_two_messages(network: Simulator) -> None:
    first, second = (network.parse(network.write(THEIRS, OURS, "Hello")) for _ in range(2))
    assert isinstance(first, Inbound) and isinstance(second, Inbound)
    assert first.external_id != second.external_id


def test_the_recorded_form_is_read(network: Simulator) -> None:
    item = network.parse(request((PAYLOADS / "text.json").read_bytes()))
    assert isinstance(item, Inbound)
    assert item.external_id == "sim-0d0d0d0d0d0d0d0d0d0d0d0d"


@pytest.mark.parametrize("secret", ["", "wrong", "é\udcff"])
def test_only_its_own_secret_opens(network: Simulator, secret: str) -> None:
    written = network.write(THEIRS, OURS, "Hello")
    assert not network.is_genuine(replace(written, headers={SECRET_HEADER: secret}))
    assert not network.is_genuine(replace(written, headers={}))
    assert not Simulator("sms", allow=True).is_genuine(written)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    item = NETWORK.parse(request(body))
    assert isinstance(item, Inbound) and item.kind is ItemKind.UNREADABLE
    assert NETWORK.parse_receipt(request(body)) is None


@pytest.mark.parametrize(
    "wrong", [b'{"id":1}', b'{"id":"a","from":"","to":"b","text":"x"}', b"[" * 9999]
)
def test_a_wrong_form_is_unreadable(network: Simulator, wrong: bytes) -> None:
    item = network.parse(request(wrong))
    assert isinstance(item, Inbound) and item.kind is ItemKind.UNREADABLE


async def test_what_is_sent_shows_on_that_telephone_only(network: Simulator) -> None:
    result = await network.send(OUT)
    (shown,) = network.on(THEIRS)
    assert result == SendResult(SendState.ACCEPTED, shown.provider_id)
    assert (shown.direction, shown.other, shown.text) == (Direction.OUT, OURS, "We have it.")
    assert network.on("+447700900124") == []


async def test_offline_nothing_goes_and_it_is_worth_another_try(network: Simulator) -> None:
    network.offline = True
    assert (await network.send(OUT)).state is SendState.RETRY
    assert network.messages == []
    assert await network.find_sent(OUT) == SendResult(SendState.UNSURE, code="offline")
    network.offline = False
    assert await network.find_sent(OUT) == SendResult(SendState.RETRY)


async def test_deaf_it_goes_unheard_and_can_be_found(network: Simulator) -> None:
    network.deaf = True
    assert (await network.send(OUT)).state is SendState.UNSURE
    (shown,) = network.on(THEIRS)
    assert await network.find_sent(OUT) == SendResult(SendState.ACCEPTED, shown.provider_id)


async def test_a_second_try_would_show_twice(network: Simulator) -> None:
    await network.send(OUT)
    await network.send(OUT)
    assert len(network.on(THEIRS)) == 2  # as on a real network: not sending twice is our duty


async def test_a_page_can_follow(network: Simulator) -> None:
    network.write(THEIRS, OURS, "one")
    seen: list[tuple[int, str]] = []

    async def page() -> None:
        async for message in network.follow():
            seen.append((message.at, message.text))  # noqa: PERF401  # it never ends

    watching = asyncio.create_task(page())
    await asyncio.sleep(0)
    await network.send(OUT)
    network.write(THEIRS, OURS, "three")
    await asyncio.sleep(0.01)
    assert seen == [(1, "one"), (2, "We have it."), (3, "three")]
    watching.cancel()


async def test_a_page_that_comes_back_misses_nothing(network: Simulator) -> None:
    for word in ("one", "two", "three"):
        network.write(THEIRS, OURS, word)
    following = network.follow(after=1)
    assert [(await anext(following)).text, (await anext(following)).text] == ["two", "three"]
    await following.aclose()  # type: ignore[attr-defined]  # an async generator behind its face
    await network.close()


NETWORK = Simulator("sms", allow=True)


@pytest.fixture
def network() -> Simulator:
    return Simulator("sms", allow=True)


def request(body: bytes) -> WebRequest:
    return WebRequest("http://simulator.invalid/hooks/sms", {}, body)


# --- files ---------------------------------------------------------------------------------------


async def test_a_file_lies_with_the_network_until_it_is_fetched() -> None:
    network = Simulator("whatsapp", allow=True)
    name, content = network.sample("picture") or ("", b"")
    inbound = network.parse(network.write(THEIRS, OURS, "look", [(name, content)]))
    assert isinstance(inbound, Inbound)
    assert (inbound.kind, inbound.extra["what"], inbound.text) == ("media", "photo", "look")
    (media,) = inbound.media
    assert (media.name, media.content_type) == ("house.jpg", "image/jpeg")
    assert await network.fetch(media, len(content)) == Fetched(content)
    assert await network.fetch(media, len(content) - 1) == Fetched(None, is_lost=True)
    assert await network.fetch(Media("file-unknown"), 10**6) == Fetched(None, is_lost=True)
    assert network.messages[-1].media == inbound.media
    plain = network.parse(network.write(THEIRS, OURS, "and this"))
    assert isinstance(plain, Inbound) and (plain.kind, plain.media) == ("text", ())


async def test_the_network_forgets_the_oldest_files_first() -> None:
    network = Simulator("sms", allow=True)
    requests = [network.write(THEIRS, OURS, "", [("a.txt", b"x")]) for _ in range(MOST_FILES + 1)]
    first, second = (network.parse(asked) for asked in requests[:2])
    assert isinstance(first, Inbound) and isinstance(second, Inbound)
    assert (await network.fetch(first.media[0], 10)).is_lost
    assert (await network.fetch(second.media[0], 10)).content == b"x"


@pytest.mark.parametrize("media", [3, [3], ["key"], [{"key": "a"}], [{"key": 1, "type": 2}]])
def test_odd_lists_of_files_are_kept_as_unreadable(media: object) -> None:
    network = Simulator("sms", allow=True)
    asked = network.write(THEIRS, OURS, "hello")
    body = json.dumps(json.loads(asked.body) | {"media": media}).encode()
    inbound = network.parse(replace(asked, body=body))
    assert isinstance(inbound, Inbound) and inbound.kind == "unreadable"


def test_the_samples_are_what_they_say_and_the_picture_says_where() -> None:
    network = Simulator("sms", allow=True)
    picture, voice = network.sample("picture"), network.sample("voice")
    assert picture and voice and network.sample("film") is None
    assert kind_of(picture[1]) == "image/jpeg"
    assert kind_of(voice[1]) == "audio/wav"
    assert Image.open(io.BytesIO(picture[1])).getexif().get_ifd(0x8825)[1] == "N"
    assert len(picture[1]) + len(voice[1]) < 60_000
