"""An alert by telephone, as promises: what is said, what a key takes, and that whatever else comes
of the call, the ladder goes on. Real hooks, the real library, a fake exchange."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from helpline.desk import escalation
from helpline.engine.deliver import deliver_all
from helpline.engine.lines import look_after_calls
from helpline.engine.watch import watch
from helpline.models import Alert, Call, OutMessage, Page, Task
from tests.fakes.telephone import HANGS_UP, Exchange, switched_on
from tests.stories.test_ladder import EMERGENCY, QUESTION, change, code_in
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, OUR_NUMBER, STRANGER, World


@pytest.fixture
async def exchange(world: World) -> AsyncIterator[Exchange]:
    async with switched_on(world) as exchange:
        yield exchange


@pytest.fixture
async def rung(world: World, exchange: Exchange) -> Exchange:
    """Dilys wants to be rung first."""
    await change(world, world.duty, means="voice,sms")
    return exchange


def calls_to(exchange: Exchange, number: str) -> list[dict[str, Any]]:
    return [call for call in exchange.sent if call.get("url") and call["to"] == number]


async def only(world: World, table: type) -> Any:
    (row,) = await world.all(table)
    return row


async def breach(world: World, number: str = CARER) -> None:
    await world.sms(number, QUESTION)
    await world.forward(hours=12, minutes=1)


async def test_the_telephone_rings_says_how_urgent_it_is_and_one_takes_it(
    world: World, rung: Exchange
) -> None:
    await breach(world)
    (call,) = calls_to(rung, DUTY_PHONE)
    assert call["from"] == OUR_NUMBER
    assert world.texts_to(DUTY_PHONE) == []
    log = await rung.answer(call, "1")
    assert log.heard[:2] == [
        "This is the helpline. One alert is waiting for you.",
        "There is still some time.",
    ]
    alert = await only(world, Alert)
    assert alert.acknowledged_by_id == world.duty.user_id
    assert alert.next_rung_at is None
    await world.forward(minutes=29)
    assert calls_to(rung, LEAD_PHONE) == world.texts_to(LEAD_PHONE) == []


async def test_nothing_of_the_case_is_said_or_stands_in_the_document(
    world: World, rung: Exchange
) -> None:
    await breach(world)
    log = await rung.answer(calls_to(rung, DUTY_PHONE)[0], "2", "1")
    case = await world.case_of(CARER)
    spoken = " ".join([*log.heard, *log.documents])
    for word in (case.reference, case.reference[4:], "Carol", "council tax", CARER, DUTY_PHONE):
        assert word not in spoken
    assert log.heard.count("This is the helpline. One alert is waiting for you.") == 2


@pytest.mark.parametrize("keys", [(), ("3",), ("", ""), (HANGS_UP,), ("2", "2", "2", "2", "2")])
async def test_anything_but_one_takes_nothing_and_the_ladder_goes_on(
    world: World, rung: Exchange, keys: tuple[str, ...]
) -> None:
    await breach(world)
    await rung.answer(calls_to(rung, DUTY_PHONE)[0], *keys)
    assert (await only(world, Alert)).acknowledged_at is None
    await world.forward(minutes=10)
    assert len(world.texts_to(DUTY_PHONE)) == 1  # on the ladder's second rung, by the next means
    await world.forward(minutes=10)
    assert len(world.texts_to(LEAD_PHONE)) == 1


async def test_a_hook_asked_twice_changes_nothing(world: World, rung: Exchange) -> None:
    rung.twice = True
    await breach(world)
    log = await rung.answer(calls_to(rung, DUTY_PHONE)[0], "1")
    assert "That is noted" in log.heard[-1]
    taken = [e for e in await world.events(CARER) if e == "alert.acknowledged"]
    assert len(taken) == 1


async def test_taken_by_somebody_else_meanwhile_it_says_so(
    world: World, exchange: Exchange
) -> None:
    await world.sms(CARER, EMERGENCY)
    (call,) = calls_to(exchange, DUTY_PHONE)
    await world.sms(DUTY_PHONE, code_in(world.texts_to(DUTY_PHONE)[0]))
    log = await exchange.answer(call, "1")
    assert log.heard == ["Nothing is waiting for you any more. Thank you. Goodbye."]


async def test_ended_while_it_is_being_said_the_key_takes_nothing(
    world: World, rung: Exchange
) -> None:
    await breach(world)
    call = await only(world, Call)
    query = f"call={call.id}"
    placed = calls_to(rung, DUTY_PHONE)[0]
    await rung.post(f"/hooks/voice/alert?{query}", rung._form(placed["sid"]))
    await world.reply(CARER, "Yes, you can.")
    await world.allocate(CARER, world.worker)
    _, said = await rung.post(
        f"/hooks/voice/alert/key?{query}&times=1", rung._form(placed["sid"], Digits="1")
    )
    assert "Nothing is waiting" in said and "Hangup" in said
    assert "alert.acknowledged" not in await world.events(CARER)


async def test_what_one_call_asks_about_one_key_takes(world: World, rung: Exchange) -> None:
    for number in (CARER, STRANGER, "+447700900457"):
        await world.sms(number, QUESTION)
    await world.forward(hours=12, minutes=1)
    (call,) = calls_to(rung, DUTY_PHONE)
    log = await rung.answer(call, "1")
    assert "3 alerts are waiting" in log.heard[0]
    alerts = await world.all(Alert)
    assert {a.acknowledged_by_id for a in alerts} == {world.duty.user_id}  # type: ignore[attr-defined]


async def test_in_an_emergency_the_telephone_rings_beside_the_text(
    world: World, exchange: Exchange
) -> None:
    await world.sms(CARER, EMERGENCY)
    assert len(calls_to(exchange, DUTY_PHONE)) == len(world.texts_to(DUTY_PHONE)) == 1
    log = await exchange.answer(calls_to(exchange, DUTY_PHONE)[0], "1")
    assert "It may be an emergency." in log.heard
    assert (await only(world, Alert)).acknowledged_by_id == world.duty.user_id


@pytest.mark.parametrize(("status", "code"), [(400, 21217), (500, 20500), (429, 20429)])
async def test_a_call_that_cannot_be_placed_asks_the_next_at_once(
    world: World, rung: Exchange, status: int, code: int
) -> None:
    await world.sms(CARER, QUESTION)
    rung.fail_with(status, code)
    await world.forward(hours=12)
    assert calls_to(rung, DUTY_PHONE) == []
    assert (await only(world, Call)).state == "ended"
    (message,) = await world.all(OutMessage, OutMessage.channel == "voice")
    assert isinstance(message, OutMessage) and message.state == "failed"
    assert len(world.texts_to(DUTY_PHONE)) == 1  # the next means, and nobody waited ten minutes
    assert [page.at for page in await world.all(Page)] == [world.now] * 2  # type: ignore[attr-defined]


async def test_in_an_emergency_a_failing_call_does_not_hurry_past_a_text_that_went(
    world: World, exchange: Exchange
) -> None:
    exchange.fail_with(400, 21217)
    await world.sms(CARER, EMERGENCY)
    assert len(world.texts_to(DUTY_PHONE)) == 1
    assert world.texts_to(LEAD_PHONE) == []
    await world.forward(minutes=20)
    assert len(world.texts_to(LEAD_PHONE)) == 1


async def test_an_answer_that_never_came_rings_nobody_twice(world: World, rung: Exchange) -> None:
    rung.accept_then_drop()
    await breach(world)
    await world.forward(minutes=3)
    assert len(calls_to(rung, DUTY_PHONE)) == 1
    placed = calls_to(rung, DUTY_PHONE)[0]
    assert (await only(world, Call)).provider_id == placed["sid"]


async def test_the_call_stands_in_the_log_and_owes_nobody_a_call_back(
    world: World, rung: Exchange
) -> None:
    await breach(world)
    rung.loses_status = True
    await rung.answer(calls_to(rung, DUTY_PHONE)[0])
    await world.forward(minutes=2)
    assert await look_after_calls(world.house) >= 1
    call = await only(world, Call)
    assert (call.state, call.direction, call.user_id) == ("ended", "out", world.duty.user_id)
    assert call.case_id is None and await world.all(Task) == []
    (message,) = await world.all(OutMessage, OutMessage.channel == "voice")
    assert isinstance(message, OutMessage) and message.state == "delivered"  # something picked up


async def test_a_call_that_waited_too_long_is_not_placed_any_more(
    world: World, rung: Exchange
) -> None:
    await world.sms(CARER, QUESTION)
    world.clock.forward(timedelta(hours=12, minutes=1))  # type: ignore[attr-defined]
    await watch(world.house)  # queued, and not sent yet
    alert = await only(world, Alert)
    async with world.house.db.write() as session:
        await escalation.acknowledge(session, alert.id, world.lead.user_id, world.now)
    await deliver_all(world.house)
    assert calls_to(rung, DUTY_PHONE) == []
    assert (await only(world, Call)).state == "ended"


async def test_while_somebody_in_danger_is_on_the_line_their_call_finds_no_telephone_engaged(
    world: World, exchange: Exchange
) -> None:
    sid = "CA" + "5" * 32
    exchange._begin(sid, STRANGER, OUR_NUMBER, "inbound")
    await exchange.post("/hooks/voice", exchange._form(sid))
    await exchange.post("/hooks/voice/menu", exchange._form(sid, Digits="1"))
    await world.settle()
    assert len(world.texts_to(DUTY_PHONE)) == 1  # the emergency is told
    assert calls_to(exchange, DUTY_PHONE) == []  # and their own telephone rings for the caller
    exchange._end(sid)
    await exchange.post("/hooks/voice/status", exchange._form(sid, CallDuration="9"))
    await world.forward(minutes=1)
    assert len(calls_to(exchange, DUTY_PHONE)) == 1


async def test_who_stopped_texts_is_rung_all_the_same(world: World, exchange: Exchange) -> None:
    await world.sms(DUTY_PHONE, "STOP")
    await breach(world)
    assert world.texts_to(DUTY_PHONE) == []
    assert len(calls_to(exchange, DUTY_PHONE)) == 1
