"""The telephone's hooks from outside: who may ask them, what hostile callers get, what is said when
something of ours is broken, and the button that rings somebody."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from sqlalchemy import text

from helpline.models import Call, Case, Contact, InboundItem
from helpline.vocabulary import Role
from tests.fakes.telephone import HANGS_UP, Exchange, Owner, switched_on
from tests.fakes.twilio import signed
from tests.web.conftest import Arrive
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, OUR_NUMBER, STRANGER, WORKER_PHONE, World

EVIL = '"><Say>evil</Say><Dial>+447700900666</Dial><!--'
HOSTILE = (
    EVIL,
    "evil</Say></Response>",
    "<?xml version='1.0'?><!DOCTYPE evil [<!ENTITY x SYSTEM 'file:///evil'>]>",
    "{{ evil }}",
    "\x00\ud800evil".encode("utf-8", "replace").decode() + "\x07",
    "https://evil.example/twiml",
    "evil" * 5000,
)
FIELDS = ("From", "To", "Caller", "CallerName", "FromCity", "Digits", "SpeechResult", "CallStatus")
VERBS = {"Response", "Gather", "Say", "Redirect", "Dial", "Number", "Record", "Hangup"}


@pytest.fixture
async def exchange(one_world: World) -> AsyncIterator[Exchange]:
    async with switched_on(one_world) as exchange:
        yield exchange


async def begun(world: World, exchange: Exchange) -> tuple[str, int]:
    """A call that is ringing at Dilys': its id there and here."""
    exchange.loses_status = True
    log = await exchange.ring(STRANGER, OUR_NUMBER, gives_up=DUTY_PHONE)
    (call,) = await world.all(Call)
    assert isinstance(call, Call)
    assert call.id is not None
    return log.sid, call.id


def paths(world: World, call: int) -> list[str]:
    """Every hook of a call, with the address it has while the call is on."""
    query = f"call={call}"
    user = f"{query}&user={world.duty.user_id}"
    return [
        "/hooks/voice",
        "/hooks/voice/menu",
        f"/hooks/voice/whisper?{user}",
        f"/hooks/voice/accept?{user}",
        f"/hooks/voice/rung?{query}&turn=1",
        "/hooks/voice/left",
        "/hooks/voice/status",
        f"/hooks/voice/outward?{query}",
        f"/hooks/voice/outward/ring?{query}",
        f"/hooks/voice/outward/them?{query}",
        f"/hooks/voice/outward/taken?{query}",
        f"/hooks/voice/outward/rung?{query}",
        f"/hooks/voice/outward/status?{query}",
    ]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
async def test_nothing_a_caller_sends_gets_into_what_a_line_does(
    one_world: World, exchange: Exchange, hostile: str
) -> None:
    exchange.owners[DUTY_PHONE] = Owner()
    sid, call = await begun(one_world, exchange)
    ours = {OUR_NUMBER, DUTY_PHONE, LEAD_PHONE, STRANGER}
    for path in paths(one_world, call):
        for name in FIELDS:
            form = {"CallSid": sid, "From": STRANGER, "To": OUR_NUMBER} | {name: hostile}
            status, said = await exchange.post(path, list(form.items()))
            assert status == 200, (path, name)
            assert "evil" not in said, (path, name)
            document = ElementTree.fromstring(said)
            assert {verb.tag for verb in document.iter()} <= VERBS
            assert {verb.text for verb in document.iter("Number")} <= ours
            for verb in document.iter():
                for word in ("action", "url", "recordingStatusCallback"):
                    hook = verb.get(word, exchange.public_url + "/hooks/voice")
                    assert hook.startswith(exchange.public_url + "/hooks/voice")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?call=",
        "?call=x",
        "?call=-1",
        "?call=99999",
        f"?call={'9' * 40}",
        "?call=1&user=%3Cevil%3E&turn=x",
    ],
)
async def test_a_hook_of_a_call_that_is_not_there_says_so_politely(
    one_world: World, exchange: Exchange, query: str
) -> None:
    for path in paths(one_world, 1):
        if path != "/hooks/voice":
            bare = path.partition("?")[0]
            status, said = await exchange.post(bare + query, [("CallSid", "")])
            assert status == 200
            assert "9 9 9" in said
            assert "evil" not in said


async def test_without_the_signature_nothing_happens(one_world: World, exchange: Exchange) -> None:
    sid, call = await begun(one_world, exchange)
    form = [("CallSid", sid), ("From", STRANGER), ("To", OUR_NUMBER), ("Digits", "1")]
    for path in paths(one_world, call):
        headers, body = signed(exchange.public_url + path, form, "another token")
        for given in (headers, {**headers, "x-twilio-signature": ""}):
            async with exchange.client.post(path, data=body, headers=given) as answer:
                assert answer.status == 403, path
    assert await one_world.count(InboundItem) == 1


async def test_the_signature_covers_which_worker_takes_the_call(
    one_world: World, exchange: Exchange
) -> None:
    _, call = await begun(one_world, exchange)
    path = f"/hooks/voice/accept?call={call}&user={one_world.duty.user_id}"
    form = [("Digits", "1")]
    headers, _ = signed(exchange.public_url + path, form)
    other = path.replace(f"user={one_world.duty.user_id}", f"user={one_world.lead.user_id}")
    async with exchange.client.post(other, data=urlencode(form), headers=headers) as answer:
        assert answer.status == 403


async def test_a_broken_table_still_greets_and_records(
    one_world: World, exchange: Exchange
) -> None:
    async with one_world.house.db.write() as session:
        await session.execute(text("DROP TABLE call"))
    log = await exchange.ring(STRANGER, OUR_NUMBER, says=b"please ring me")
    assert "carers' helpline" in log.heard[0]
    assert any("leave a message" in said for said in log.heard)
    assert log.recorded
    assert "ring 9 9 9" in log.heard[-1]
    assert await one_world.count(InboundItem) == 1  # and the call itself is not lost


async def test_a_call_that_cannot_be_kept_is_greeted_and_led_all_the_same(
    one_world: World, exchange: Exchange
) -> None:
    async with one_world.house.db.write() as session:
        await session.execute(text("ALTER TABLE inbound_item RENAME TO elsewhere"))
    exchange.owners[DUTY_PHONE] = Owner()
    log = await exchange.ring(STRANGER, OUR_NUMBER)
    assert log.joined == [DUTY_PHONE]
    assert await one_world.count(Call) == 1


async def test_the_entry_takes_a_call_whose_form_makes_no_sense(
    one_world: World, exchange: Exchange
) -> None:
    status, said = await exchange.post("/hooks/voice", [("Nonsense", "yes")])
    assert status == 200
    assert "<Record" in said
    await one_world.settle()
    assert (await one_world.all(InboundItem))[0].state == "set_aside"  # type: ignore[attr-defined]


async def test_without_a_telephone_there_is_no_way_in_and_no_button(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "please ring me")
    guest = await arrive(one_world, "wasim")
    path = f"/cases/{(await one_world.case_of(CARER)).reference}"
    await guest.get(path)
    assert "Ring them now" not in guest.page
    assert await guest.post(f"{path}/telephone") == 409
    assert "not switched on" in guest.text
    async with guest.client.post("/hooks/voice", data=b"") as answer:
        assert answer.status == 404


async def test_the_button_rings_the_workers_own_telephone_first(
    one_world: World, exchange: Exchange, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "please ring me")
    exchange.owners[CARER] = Owner(minutes=3)
    guest = await arrive(one_world, "wasim")
    path = f"/cases/{(await one_world.case_of(CARER)).reference}"
    await guest.get(path)
    assert "07700 900123" in guest.text
    assert await guest.post(f"{path}/telephone") == 200
    assert "Your own telephone rings now." in guest.text
    (placed,) = exchange.sent
    assert (placed["to"], placed["from"]) == (WORKER_PHONE, OUR_NUMBER)
    assert await guest.post(f"{path}/telephone") == 409
    assert len(exchange.sent) == 1

    log = await exchange.answer(placed, "1")
    assert log.joined == [CARER]
    await guest.get(path)
    assert re.search(r"We rang\s*, spoke, 3 min, Wasim", guest.text)


@pytest.mark.parametrize(
    ("status", "code"), [(400, 21215), (400, 21216), (401, 20003), (429, 20429), (500, 20500)]
)
async def test_a_call_the_provider_does_not_place_is_said_and_leaves_no_trace_of_ringing(
    one_world: World, exchange: Exchange, arrive: Arrive, status: int, code: int
) -> None:
    await one_world.sms(CARER, "please ring me")
    guest = await arrive(one_world, "wasim")
    path = f"/cases/{(await one_world.case_of(CARER)).reference}"
    await guest.get(path)
    exchange.fail_with(status, code)
    assert await guest.post(f"{path}/telephone") == 409
    assert "could not be placed" in guest.text
    assert await one_world.all(Contact, Contact.kind == "call") == []
    exchange.behave()
    assert await guest.post(f"{path}/telephone") == 200


async def test_a_missed_call_stands_on_the_case_with_what_to_do(
    one_world: World, exchange: Exchange, arrive: Arrive
) -> None:
    await exchange.ring("+266696687", OUR_NUMBER, HANGS_UP)
    await one_world.settle()
    (case,) = await one_world.all(Case)
    assert isinstance(case, Case)
    guest = await arrive(one_world, "wasim")
    await guest.get(f"/cases/{case.reference}")
    assert re.search(r"They rang\s*, no answer", guest.text)
    assert "Ring them back" in guest.text
    assert "number withheld" in guest.text
    assert "withheld:CA" not in guest.page
    assert "Ring them now" not in guest.page


async def test_somebody_of_another_contract_rings_nobody(
    one_world: World, exchange: Exchange, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "please ring me")
    await one_world.hire("Colin", Role.COMMISSIONER)
    guest = await arrive(one_world, "colin")
    path = f"/cases/{(await one_world.case_of(CARER)).reference}/telephone"
    assert await guest.post(path) == 403
    assert exchange.sent == []
