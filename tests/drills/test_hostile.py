"""Five thousand random and hostile bodies at each entry: no answer of 500 or more, nothing changed
by what is not signed, nothing half-written by what is, and every genuine message kept.

HELPLINE_TEST_SEED repeats a run; the seed is printed when it fails.
"""

import asyncio
import gzip
import json
import os
import random
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode

import pytest

from helpline.channels import Inbound, WebRequest
from helpline.clock import MovableClock
from helpline.desk import cases, outbox
from helpline.desk.house import House
from helpline.engine.routing import route_all
from helpline.models import Case, Contact, Deadline, Event, InboundItem, OutMessage
from helpline.vocabulary import Direction
from helpline.web import hooks
from helpline.web.hooks import LARGEST
from tests.drills import hostile
from tests.drills.houses import (
    NIGHT,
    OUR_NUMBER,
    PUBLIC_URL,
    SMS_HOOK,
    STATUS_HOOK,
    TELEGRAM_HOOK,
    carer,
    everything,
    opened_house,
    row_counts,
    serving,
)
from tests.drills.posting import Closed, Wire, request_bytes
from tests.fakes import telegram, twilio

SEED = int(os.environ.get("HELPLINE_TEST_SEED") or random.SystemRandom().randrange(10**9))
UNSIGNED, SIGNED = 2000, 500  # at each entry, on each database
CONNECTIONS = 8
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    print(f"HELPLINE_TEST_SEED={SEED}")
    async with opened_house(database_url) as opened:
        yield opened


@pytest.fixture
def chance() -> random.Random:
    return random.Random(SEED)


# --- five thousand bodies ------------------------------------------------------------------------


@pytest.mark.parametrize("hook", [SMS_HOOK, STATUS_HOOK, TELEGRAM_HOOK])
async def test_what_is_not_signed_is_refused_and_changes_nothing(
    house: House, chance: random.Random, hook: str
) -> None:
    before = await row_counts(house)

    async def attack(wire: Wire) -> None:
        sent, headers = attack_on(hook, chance)
        answer = await wire.send(framed(chance, hook, headers | refused_proof(hook, chance), sent))
        assert answer.status == (413 if len(sent) > LARGEST else 403), (answer, sent[:200])

    async with serving(house) as url:
        await many(url, UNSIGNED, attack)
    await route_all(house)
    assert await row_counts(house) == before


async def test_every_signed_sms_is_kept_and_routed_whatever_is_in_it(
    house: House, chance: random.Random
) -> None:
    sent, plain = set[str](), dict[str, str]()

    async def attack(wire: Wire) -> None:
        if chance.random() < 0.05:
            form = twilio.inbound_form(
                carer(chance.randrange(20)), OUR_NUMBER, f"plain {len(plain)}"
            )
            plain[dict(form)["MessageSid"]] = dict(form)["Body"]
            headers, body = twilio.signed(PUBLIC_URL + SMS_HOOK, form)
        else:
            body, headers = attack_on(SMS_HOOK, chance)
            headers |= {"X-Twilio-Signature": signature(SMS_HOOK, body)}
        answer = await wire.send(framed(chance, SMS_HOOK, headers, body))
        assert answer.status == 200, (answer, body[:200])
        parsed = house.channels["sms"].parse(WebRequest(PUBLIC_URL + SMS_HOOK, headers, body))
        if isinstance(parsed, Inbound):
            sent.add(parsed.external_id)

    async with serving(house) as url:
        await many(url, SIGNED, attack)
    await route_to_the_end(house)
    items = {item.external_id: item for item in await everything(house, InboundItem)}
    assert items.keys() == sent
    await nothing_is_half_written(house)
    bodies = {c.id: c.body for c in await everything(house, Contact)}
    for sid, text in plain.items():
        assert bodies[items[sid].contact_id] == text


async def test_every_update_with_the_secret_is_kept_and_routed_whatever_is_in_it(
    house: House, chance: random.Random
) -> None:
    sent, plain = set[str](), dict[str, str]()

    async def attack(wire: Wire) -> None:
        body, headers = attack_on(TELEGRAM_HOOK, chance)
        if chance.random() < 0.05:
            document = telegram.update(7_000 + chance.randrange(20), f"plain {len(plain)}")
            plain[str(document["update_id"])] = document["message"]["text"]
            body = json.dumps(document).encode()
        headers |= {SECRET_HEADER: telegram.SECRET}
        answer = await wire.send(framed(chance, TELEGRAM_HOOK, headers, body))
        assert answer.status == 200, (answer, body[:200])
        asked = WebRequest(PUBLIC_URL + TELEGRAM_HOOK, headers, body)
        parsed = house.channels["telegram"].parse(asked)
        assert isinstance(parsed, Inbound)
        sent.add(parsed.external_id)

    async with serving(house) as url:
        await many(url, SIGNED, attack)
    await route_to_the_end(house)
    items = {item.external_id: item for item in await everything(house, InboundItem)}
    assert items.keys() == sent
    await nothing_is_half_written(house)
    bodies = {c.id: c.body for c in await everything(house, Contact)}
    for update_id, text in plain.items():
        assert bodies[items[update_id].contact_id] == text


async def test_signed_reports_of_delivery_write_nothing_but_a_state(
    house: House, chance: random.Random
) -> None:
    """Half of them about a message that was really sent."""
    sid = await a_sent_message(house)
    before = await row_counts(house)

    async def attack(wire: Wire) -> None:
        body, headers = attack_on(STATUS_HOOK, chance)
        if chance.random() < 0.5:
            status = chance.choice(("sending", "sent", "delivered", "x", "\0"))
            odd = {
                "ErrorCode": chance.choice(hostile.ODD_TEXTS),
                "x": chance.choice(hostile.ODD_TEXTS),
            }
            form = {"MessageSid": sid, "MessageStatus": status} | odd
            body = urlencode(form, errors="surrogatepass").encode()
        headers |= {"X-Twilio-Signature": signature(STATUS_HOOK, body)}
        answer = await wire.send(framed(chance, STATUS_HOOK, headers, body))
        assert answer.status == 200, (answer, body[:200])

    async with serving(house) as url:
        await many(url, SIGNED, attack)
    assert await row_counts(house) == before
    (message,) = await everything(house, OutMessage)
    assert message.state == "delivered"


@pytest.mark.parametrize("code", ["\0", "3\0", "\ud800", "\ufffe", "x" * 5000, "é", "30005"])
async def test_an_odd_error_code_on_a_known_message_is_recorded(house: House, code: str) -> None:
    sid = await a_sent_message(house)
    form = {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": code}
    body = urlencode(form, errors="surrogatepass").encode()
    headers = {"X-Twilio-Signature": signature(STATUS_HOOK, body)}
    async with serving(house) as url, Wire(url) as wire:
        assert (await wire.post(STATUS_HOOK, headers, body)).status == 200
    (message,) = await everything(house, OutMessage)
    assert message.state == "failed"


# --- broken HTTP ---------------------------------------------------------------------------------


def genuine_sms() -> tuple[dict[str, str], bytes]:
    return twilio.signed(PUBLIC_URL + SMS_HOOK, twilio.inbound_form(carer(1), OUR_NUMBER, "hello"))


def with_length(length: str, body: bytes) -> bytes:
    return request_bytes(SMS_HOOK, genuine_sms()[0] | {"Content-Length": length}, body)


def chunked(body: bytes, size: int = 1000) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def encoded(encoding: str, body: bytes) -> bytes:
    headers = genuine_sms()[0] | {"Content-Encoding": encoding, "Content-Length": str(len(body))}
    return request_bytes(SMS_HOOK, headers, body)


def in_chunks(raw: bytes) -> bytes:
    return request_bytes(SMS_HOOK, genuine_sms()[0] | {"Transfer-Encoding": "chunked"}, raw)


def by_method(method: bytes) -> bytes:
    headers, body = genuine_sms()
    raw = request_bytes(SMS_HOOK, headers | {"Content-Length": str(len(body))}, body)
    return raw.replace(b"POST", method, 1)


def at_path(path: str) -> bytes:
    headers, body = genuine_sms()
    return request_bytes(path, headers | {"Content-Length": str(len(body))}, body)


def with_header(name: str, value: str) -> bytes:
    headers, body = genuine_sms()
    headers = {key: kept for key, kept in headers.items() if key != "x-twilio-signature"}
    return request_bytes(SMS_HOOK, {**headers, name: value, "Content-Length": str(len(body))}, body)


BODY = genuine_sms()[1]
BROKEN = {
    "a length that promises too much": (with_length(str(LARGEST + 1), b""), 413),
    "a length of ten gigabytes": (with_length("10000000000", b""), 413),
    "a length that is too short": (with_length("10", BODY), 400),
    "a length that is no number": (with_length("many", BODY), 400),
    "a negative length": (with_length("-1", BODY), 400),
    "two lengths": (with_length("10\r\nContent-Length: 20", BODY), 400),
    "a length and chunks": (
        with_length("10\r\nTransfer-Encoding: chunked", chunked(BODY)),
        400,
    ),
    "a chunk of no size": (in_chunks(b"zz\r\nabc\r\n0\r\n\r\n"), 400),
    "a chunk longer than it says": (in_chunks(b"3\r\nabcdef\r\n0\r\n\r\n"), 400),
    "a negative chunk": (in_chunks(b"-3\r\nabc\r\n0\r\n\r\n"), 400),
    "a chunk of absurd size": (in_chunks(b"f" * 40 + b"\r\nabc"), 400),
    "gzip that is none": (encoded("gzip", BODY), 400),
    "gzip cut off": (encoded("gzip", gzip.compress(BODY)[:-9]), 403),
    "deflate that is none": (encoded("deflate", b"\x00\x01\x02"), 400),
    "a gzip bomb": (encoded("gzip", gzip.compress(bytes(30_000_000))), 413),
    "a deflate bomb": (encoded("deflate", zlib.compress(bytes(30_000_000))), 413),
    "brotli that is none": (encoded("br", BODY), 400),
    "an encoding nobody knows": (encoded("rot13", BODY), 403),
    "another method": (by_method(b"PUT"), 405),
    "a method nobody knows": (by_method(b"SPEAK"), 400),
    "no method": (by_method(b""), 400),
    "a path with a query": (at_path(SMS_HOOK + "?a=%00&b=\xff"), 400),
    "a path with NUL": (at_path(SMS_HOOK + "?a=%00"), 403),
    "a path with dots": (at_path("/hooks/../hooks/sms"), 404),
    "a slash too many": (at_path(SMS_HOOK + "/"), 404),
    "another host's path": (at_path("http://elsewhere.example" + SMS_HOOK), 403),
    "a header with NUL": (with_header("X-Odd", "a\0b"), 400),
    "a header too long": (with_header("X-Odd", "a" * 20_000), 400),
    "a signature of odd letters": (with_header("X-Twilio-Signature", "\xe9\xff"), 403),
    "two wrong signatures": (with_header("X-Twilio-Signature: a\r\nX-Twilio-Signature", "b"), 403),
    "no request at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", 400),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_broken_http_is_the_clients_fault_and_changes_nothing(
    house: House, case: str
) -> None:
    raw, status = BROKEN[case]
    before = await row_counts(house)
    async with serving(house) as url, Wire(url) as wire:
        answer = await wire.send(raw)
        assert answer.status == status, answer
    assert await row_counts(house) == before


async def test_a_body_in_chunks_without_a_length_is_kept(house: House) -> None:
    headers, body = genuine_sms()
    headers |= {"Transfer-Encoding": "chunked"}
    async with serving(house) as url, Wire(url) as wire:
        for size in (1, 7, 100_000):
            raw = request_bytes(SMS_HOOK, headers, chunked(body, size))
            assert (await wire.send(raw)).status == 200
    assert len(await everything(house, InboundItem)) == 1


@pytest.mark.parametrize("rest", [b"zz\r\nabc\r\n", b"5\r\nabcdefgh", b"-1\r\n", b"\0" * 100])
async def test_chunks_that_break_after_a_while_are_the_clients_fault(
    house: House, rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "LONGEST_SECONDS", 0.2)
    async with serving(house) as url, Wire(url) as wire:
        await wire.write(in_chunks(chunked(BODY)[:-5]))
        await asyncio.sleep(0.05)  # by now the hook waits for more
        assert (await wire.send(rest)).status in (400, 408)
    assert not await everything(house, InboundItem)


async def test_a_body_that_stops_half_way_is_not_kept(house: House) -> None:
    async with serving(house) as url:
        for part in (0, 1, len(BODY) - 1):
            async with Wire(url) as wire:
                await wire.write(with_length(str(len(BODY)), BODY[:part]))
        async with Wire(url) as wire:
            await wire.write(in_chunks(chunked(BODY)[:-5]))
        headers, body = genuine_sms()
        async with Wire(url) as wire:  # and it goes on working
            assert (await wire.post(SMS_HOOK, headers, body)).status == 200
    assert len(await everything(house, InboundItem)) == 1


async def test_a_body_without_end_is_given_up_before_it_is_in_memory(house: House) -> None:
    """How much a client can push before it is told 413: little more than what may be sent."""
    async with serving(house) as url, Wire(url) as wire:
        await wire.write(in_chunks(b""))
        answer = asyncio.create_task(wire.answer())
        pushed, part = 0, b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
        with suppress(ConnectionError):  # the server may hang up
            while not answer.done() and pushed < 64 * LARGEST:
                await wire.write(part)
                pushed += 0x10000
                await asyncio.sleep(0)
        with suppress(Closed):
            assert (await answer).status == 413
    assert pushed < 32 * LARGEST
    assert not await everything(house, InboundItem)


async def test_a_body_that_never_ends_holds_nothing_up_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "LONGEST_SECONDS", 0.2)
    async with serving(house) as url, Wire(url) as wire:
        answer = await wire.send(with_length(str(len(BODY)), BODY[:-1]))
        assert answer.status == 408
    assert not await everything(house, InboundItem)


async def test_the_largest_body_that_may_be_sent_is_kept(house: House) -> None:
    form = twilio.inbound_form(carer(1), OUR_NUMBER, "")
    room = LARGEST - len(urlencode(form))
    form = [(name, "a" * room if name == "Body" else value) for name, value in form]
    headers, body = twilio.signed(PUBLIC_URL + SMS_HOOK, form)
    assert len(body) == LARGEST
    async with serving(house) as url, Wire(url) as wire:
        assert (await wire.post(SMS_HOOK, headers, body)).status == 200
        assert (await wire.post(SMS_HOOK, headers, body + b"a")).status == 413
    await route_to_the_end(house)
    (item,) = await everything(house, InboundItem)
    (contact, *_) = await everything(house, Contact, Contact.id == item.contact_id)
    assert contact.body == "a" * room


# --- what is sent --------------------------------------------------------------------------------

SMS_NAMES = [name for name, _ in twilio.inbound_form("", "", "")] + ["MediaUrl0", "OptOutType"]
STATUS_NAMES = [name for name, _ in twilio.status_form("", "", "", "", "1")]


def attack_on(hook: str, chance: random.Random) -> tuple[bytes, dict[str, str]]:
    """A body and its content type; now and then it is as long as may be, or longer."""
    sender = carer(chance.randrange(20))
    if hook == TELEGRAM_HOOK:
        genuine = json.dumps(telegram.update(7_000 + chance.randrange(20), "hello")).encode()
        names: Sequence[str] = ("update_id", "message", "from", "chat", "text")
    elif hook == STATUS_HOOK:
        genuine = urlencode(twilio.status_form("SM1", "delivered", OUR_NUMBER, sender)).encode()
        names = STATUS_NAMES
    else:
        genuine = urlencode(twilio.inbound_form(sender, OUR_NUMBER, "hello")).encode()
        names = SMS_NAMES
    return hostile.body(chance, genuine, names), hostile.headers(chance)


def refused_proof(hook: str, chance: random.Random) -> dict[str, str]:
    """Every proof but the right one."""
    name = SECRET_HEADER if hook == TELEGRAM_HOOK else "X-Twilio-Signature"
    proof = chance.choice((None, "", "wrong", "\xff\xfe", "A" * 28, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="))
    return {} if proof is None else {name: proof}


def signature(hook: str, body: bytes) -> str:
    """What Twilio would sign if it sent this."""
    text = body.decode("utf-8", "backslashreplace")
    pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
    return twilio.sign(PUBLIC_URL + hook, pairs)


def framed(chance: random.Random, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """With a length, or in chunks without one."""
    if chance.random() < 0.8:
        return request_bytes(path, {**headers, "Content-Length": str(len(body))}, body)
    raw = chunked(body, chance.choice((1 + len(body) // 7, 1000)))
    return request_bytes(path, {**headers, "Transfer-Encoding": "chunked"}, raw)


async def many(url: str, count: int, attack: Callable[[Wire], Awaitable[None]]) -> None:
    """So many attacks over some connections at once."""

    async def some(number: int) -> None:
        async with Wire(url) as wire:
            for _ in range(number):
                await attack(wire)

    await asyncio.gather(*(some(count // CONNECTIONS) for _ in range(CONNECTIONS)))


async def a_sent_message(house: House) -> str:
    async with house.db.write() as session:
        message = await outbox.queue(session, "essex", "sms", carer(1), "hello", NIGHT)
        message.state, message.provider_id = "sent", "SM" + "5" * 32
    return "SM" + "5" * 32


# --- what must be true afterwards ----------------------------------------------------------------


async def route_to_the_end(house: House) -> None:
    assert isinstance(house.clock, MovableClock)
    await route_all(house)
    waiting = await everything(house, InboundItem, InboundItem.state == "kept")
    assert not waiting, Counter(item.failure for item in waiting)


async def nothing_is_half_written(house: House) -> None:
    """Every item is on a case or in the tray with its clock; every case has all that a case has."""
    items = await everything(house, InboundItem)
    assert {item.state for item in items} <= {"routed", "set_aside"}
    assert {item.attempts for item in items} == {0}
    clocks = await everything(house, Deadline)
    in_tray = {item.id for item in items if item.state == "set_aside"}
    assert {d.item_id for d in clocks if d.item_id} == in_tray
    all_cases = await everything(house, Case)
    assert Counter(d.case_id for d in clocks if d.case_id) == {case.id: 2 for case in all_cases}
    contacts = await everything(house, Contact)
    heard = Counter(c.case_id for c in contacts if c.direction == Direction.IN)
    assert heard.keys() == {case.id for case in all_cases}
    routed = [item.contact_id for item in items if item.contact_id]
    assert sorted(routed) == [c.id for c in contacts if c.direction == Direction.IN]
    opened = Counter(e.case_id for e in await everything(house, Event) if e.kind == "case.opened")
    assert opened == {case.id: 1 for case in all_cases}
    assert all(len(case.reference) <= 20 for case in all_cases)
    said = await everything(house, OutMessage)
    assert all(0 < len(message.body) <= cases.LONGEST_REPLY for message in said)
