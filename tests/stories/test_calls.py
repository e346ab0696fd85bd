"""The promises to somebody who rings, each as a story: real hooks, the real library, and a fake
exchange that does what it is told. Times are local unless they say otherwise."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from helpline.desk import switchboard
from helpline.engine.fetching import fetch_all
from helpline.engine.lines import look_after_calls
from helpline.engine.reconcile import reconcile
from helpline.engine.routing import route_all
from helpline.errors import Conflict, InvalidInput
from helpline.models import (
    Address,
    Alert,
    Attachment,
    Call,
    Case,
    Contact,
    Deadline,
    Event,
    InboundItem,
    Person,
    SafeContact,
    Task,
)
from helpline.rules.safety import SafeRules, written
from helpline.vocabulary import Role
from helpline.web.voice import ways_of
from tests.fakes.telephone import HANGS_UP, SOUND, Exchange, Owner, switched_on
from tests.world import (
    CARER,
    DUTY_PHONE,
    LEAD_PHONE,
    OUR_NUMBER,
    STRANGER,
    WORKER_PHONE,
    World,
)


@pytest.fixture
async def exchange(world: World) -> AsyncIterator[Exchange]:
    """The world with a telephone line: Dilys is on call, Leonie leads."""
    async with switched_on(world) as exchange:
        yield exchange


async def rows(world: World, table: type, *where: Any) -> list[Any]:
    return list(await world.all(table, *where))


async def only(world: World, table: type, *where: Any) -> Any:
    (row,) = await rows(world, table, *where)
    return row


async def first_response(world: World) -> Deadline:
    return (await rows(world, Deadline, Deadline.clock == "first_response"))[-1]


# --- somebody takes the call -------------------------------------------------------------------


async def test_a_call_is_greeted_with_signposts_and_taken_by_whoever_is_on_call(
    world: World, exchange: Exchange
) -> None:
    exchange.owners[DUTY_PHONE] = Owner(minutes=12)
    begun = world.now
    log = await exchange.ring(CARER, OUR_NUMBER)
    await world.settle()

    greeting = log.heard[0]
    assert "ring 9 9 9" in greeting
    assert "0 3 4 5 6 0 6 1 2 1 2" in greeting
    assert "You don't need to tell me what happened." in greeting
    assert log.rang == log.joined == [DUTY_PHONE]
    assert log.shown == {OUR_NUMBER}
    assert any("Press 1" in said for said in log.whispered)
    case, call, contact = (
        await only(world, Case),
        await only(world, Call),
        await only(world, Contact),
    )
    assert (case.identity, case.method, case.quadrant) == ("known", "telephone", "mid")
    assert (call.state, call.user_id, call.begun_at) == ("ended", world.duty.user_id, begun)
    assert call.seconds == 12 * 60
    assert (contact.kind, contact.direction) == ("call", "in")
    assert (contact.call_result, contact.call_minutes) == ("spoke", 12)
    assert contact.by_user_id == world.duty.user_id
    assert await rows(world, Task) == []
    assert await rows(world, Alert) == []


async def test_an_answered_call_keeps_the_promise_at_the_moment_of_connection(
    world: World, exchange: Exchange
) -> None:
    exchange.owners[DUTY_PHONE] = Owner(minutes=40)
    begun = world.now
    await exchange.ring(STRANGER, OUR_NUMBER)

    answered = await first_response(world)
    assert (answered.state, answered.met_at) == ("met", begun)
    assert answered.met_by_id == world.duty.user_id
    allocation = await only(world, Deadline, Deadline.clock == "allocation")
    assert allocation.state == "open"


async def test_whoever_does_not_press_the_key_does_not_get_the_call(
    world: World, exchange: Exchange
) -> None:
    exchange.owners[DUTY_PHONE] = Owner(keys=())  # a machine answered
    exchange.owners[LEAD_PHONE] = Owner()
    log = await exchange.ring(CARER, OUR_NUMBER)

    assert log.rang == [DUTY_PHONE, LEAD_PHONE]
    assert log.joined == [LEAD_PHONE]
    assert (await only(world, Call)).user_id == world.lead.user_id


async def test_a_known_number_goes_to_the_open_case(world: World, exchange: Exchange) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    exchange.owners[DUTY_PHONE] = Owner()
    await exchange.ring(CARER, OUR_NUMBER)

    case = await world.case_of(CARER)
    assert (await only(world, Call)).case_id == case.id
    assert await world.count(Person) == 1
    assert (await world.deadlines(CARER))["first_response"].state == "met"
    assert "call.connected" in await world.events(CARER)


async def test_two_calls_from_one_stranger_make_one_person_and_one_case(
    world: World, exchange: Exchange
) -> None:
    await exchange.ring(STRANGER, OUR_NUMBER, HANGS_UP)
    await exchange.ring(STRANGER, OUR_NUMBER, HANGS_UP)
    await world.settle()

    assert await world.count(Case) == 1
    assert await world.count(Call) == await world.count(Contact) == 2
    assert len(await rows(world, Task)) == 1
    assert len(await rows(world, Alert)) == 1


async def test_withheld_numbers_are_nobody_in_particular(world: World, exchange: Exchange) -> None:
    await exchange.ring("+266696687", OUR_NUMBER, HANGS_UP)
    await exchange.ring("anonymous", OUR_NUMBER, HANGS_UP)
    await world.settle()

    assert await world.count(Case) == 2
    assert {
        a.value.partition(":")[0] for a in await rows(world, Address, Address.channel == "voice")
    } == {"withheld"}
    case = (await rows(world, Case))[0]
    async with world.house.db.read() as session:
        assert await switchboard.number_to_ring(session, case) is None


# --- nobody takes it ---------------------------------------------------------------------------


async def test_a_caller_who_gives_up_is_owed_a_call_back_from_the_beginning_of_the_call(
    world: World, exchange: Exchange
) -> None:
    begun = world.now
    log = await exchange.ring(STRANGER, OUR_NUMBER, HANGS_UP)
    await world.settle()

    assert log.rang == []
    call, case = await only(world, Call), await only(world, Case)
    assert call.state == "missed"
    assert case.opened_at == begun
    assert (await first_response(world)).due_at == begun + timedelta(hours=24)
    assert (await only(world, Task)).kind == "call_back"
    assert (await only(world, Alert)).kind == "call_back"
    (page,) = world.texts_to(DUTY_PHONE)
    assert page.startswith(f"Helpline {case.reference} BLUE.")


async def test_a_caller_who_gives_up_while_it_rings_is_owed_a_call_back(
    world: World, exchange: Exchange
) -> None:
    exchange.owners[DUTY_PHONE] = Owner()
    await exchange.ring(STRANGER, OUR_NUMBER, gives_up=DUTY_PHONE)

    assert (await only(world, Call)).state == "missed"
    assert (await only(world, Task)).kind == "call_back"
    assert (await first_response(world)).state == "open"


async def test_nobody_there_and_the_message_is_kept_sealed_then_deleted_at_the_provider(
    world: World, exchange: Exchange
) -> None:
    log = await exchange.ring(STRANGER, OUR_NUMBER, says=b"please ring me")
    await world.settle()

    assert log.rang == [DUTY_PHONE, LEAD_PHONE]
    assert log.recorded
    assert "Your message is with us" in log.heard[-1]
    contact = await only(world, Contact)
    assert contact.call_result == "voicemail"
    assert (await only(world, Task)).kind == "call_back"
    waiting = await only(world, Attachment)
    assert (waiting.channel, waiting.state, waiting.contact_id) == ("voice", "waiting", contact.id)
    await look_after_calls(world.house)
    assert exchange.deleted == []  # not before it is kept here

    await world.forward(minutes=1)
    await fetch_all(world.house)
    kept = await only(world, Attachment)
    assert (kept.state, kept.kind) == ("kept", "audio/mpeg")
    assert kept.size == len(SOUND)
    await look_after_calls(world.house)
    assert len(exchange.deleted) == 1
    await look_after_calls(world.house)
    assert len(exchange.deleted) == 1
    assert len(await rows(world, Event, Event.kind == "call.recording_deleted_there")) == 1


async def test_silence_after_the_tone_is_a_call_back_all_the_same(
    world: World, exchange: Exchange
) -> None:
    log = await exchange.ring(STRANGER, OUR_NUMBER)

    assert "Your call is noted" in log.heard[-1]
    assert (await only(world, Task)).kind == "call_back"
    assert await rows(world, Attachment) == []


async def test_ringing_again_and_being_answered_settles_the_call_back(
    world: World, exchange: Exchange
) -> None:
    await exchange.ring(STRANGER, OUR_NUMBER, HANGS_UP)
    await world.settle()
    exchange.owners[DUTY_PHONE] = Owner()
    await exchange.ring(STRANGER, OUR_NUMBER)
    asked = len(world.texts_to(DUTY_PHONE))
    await world.forward(hours=2)

    task, alert = await only(world, Task), await only(world, Alert)
    assert task.done_by_id == alert.acknowledged_by_id == world.duty.user_id
    assert len(world.texts_to(DUTY_PHONE)) == asked


async def test_a_missed_call_on_a_case_that_was_answered_starts_a_new_promise(
    world: World, exchange: Exchange
) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.reply(CARER, "Yes you can.")
    await world.forward(hours=30)
    begun = world.now
    await exchange.ring(CARER, OUR_NUMBER, HANGS_UP)

    again = await first_response(world)
    assert (again.state, again.started_at) == ("open", begun)
    assert again.due_at == begun + timedelta(hours=24)
    assert (await world.case_of(CARER)).next_due_at == min(
        d.due_at for d in await rows(world, Deadline, Deadline.state == "open")
    )


async def test_a_call_about_a_case_just_closed_opens_it_again(
    world: World, exchange: Exchange
) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.reply(CARER, "Yes you can.")
    await world.close(CARER)
    await exchange.ring(CARER, OUR_NUMBER, HANGS_UP)

    assert (await world.case_of(CARER)).status == "open"
    assert await world.count(Case) == 1


# --- somebody is in danger ---------------------------------------------------------------------


async def test_pressing_1_alerts_at_once_and_connects_first(
    world: World, exchange: Exchange
) -> None:
    exchange.owners[DUTY_PHONE] = Owner()
    log = await exchange.ring(STRANGER, OUR_NUMBER, "1")
    await world.settle()

    assert log.joined == [DUTY_PHONE]
    assert any("danger" in said for said in log.whispered)
    assert any("hang up and ring 9 9 9 first" in said for said in log.heard)
    alert, case = await only(world, Alert), await only(world, Case)
    assert (alert.kind, alert.colour) == ("emergency", "purple")
    assert alert.raised_at < world.now
    assert alert.acknowledged_by_id == world.duty.user_id
    assert case.urgency == "emergency"


async def test_in_danger_everybody_is_rung_twice_and_the_alert_goes_on(
    world: World, exchange: Exchange
) -> None:
    log = await exchange.ring(STRANGER, OUR_NUMBER, "1", HANGS_UP)
    await world.settle()

    assert log.rang == [DUTY_PHONE, LEAD_PHONE, DUTY_PHONE, LEAD_PHONE]
    assert {alert.kind for alert in await rows(world, Alert)} == {"emergency", "call_back"}
    await world.forward(hours=1)
    pages = [text for text in world.texts_to(LEAD_PHONE) if "PURPLE" in text]
    assert pages


# --- what goes wrong ---------------------------------------------------------------------------


async def test_a_call_whose_end_nobody_told_is_asked_about(
    world: World, exchange: Exchange
) -> None:
    exchange.loses_status = True
    begun = world.now
    await exchange.ring(STRANGER, OUR_NUMBER, HANGS_UP)
    await world.settle()
    assert (await only(world, Call)).state == "ringing"
    assert await rows(world, Task) == []

    await world.forward(minutes=2)
    assert await look_after_calls(world.house) == 1
    call = await only(world, Call)
    assert (call.state, call.ended_at) == ("missed", begun)
    assert (await only(world, Task)).kind == "call_back"
    assert await look_after_calls(world.house) == 0


async def test_a_message_whose_news_was_lost_is_found_by_asking(
    world: World, exchange: Exchange
) -> None:
    exchange.loses_status = exchange.loses_recording = True
    await exchange.ring(STRANGER, OUR_NUMBER, says=b"please ring me")
    await world.forward(minutes=2)
    await look_after_calls(world.house)

    assert (await only(world, Contact)).call_result == "voicemail"
    assert (await only(world, Attachment)).state == "waiting"


async def test_a_call_that_never_reached_us_becomes_a_call_back_from_when_they_rang(
    world: World, exchange: Exchange
) -> None:
    begun = world.now.replace(microsecond=0)
    await exchange.lose(STRANGER, OUR_NUMBER)
    await world.forward(minutes=20)
    await reconcile(world.house)
    await world.settle()
    await look_after_calls(world.house)

    case, call = await only(world, Case), await only(world, Call)
    assert case.opened_at == call.begun_at == begun
    assert call.state == "missed"
    assert (await first_response(world)).due_at == begun + timedelta(hours=24)
    assert (await only(world, Task)).kind == "call_back"


async def test_a_call_found_late_owes_nothing_when_they_were_spoken_with_since(
    world: World, exchange: Exchange
) -> None:
    await exchange.lose(STRANGER, OUR_NUMBER)
    await world.forward(minutes=3)
    exchange.owners[DUTY_PHONE] = Owner()
    await exchange.ring(STRANGER, OUR_NUMBER)
    await world.forward(minutes=20)
    await reconcile(world.house)
    await world.settle()
    await look_after_calls(world.house)

    assert await world.count(Call) == 2
    assert await rows(world, Task) == []


async def test_every_hook_asked_twice_changes_nothing(world: World, exchange: Exchange) -> None:
    exchange.twice = True
    exchange.owners[LEAD_PHONE] = Owner(minutes=3)
    log = await exchange.ring(STRANGER, OUR_NUMBER, "1")
    await world.settle()

    assert log.rang == [DUTY_PHONE, LEAD_PHONE]
    assert log.joined == [LEAD_PHONE]
    assert len(await rows(world, Alert)) == 1
    assert await world.count(Contact) == 1
    assert len(await rows(world, Event, Event.kind == "call.connected")) == 1


async def test_a_line_that_breaks_after_the_key_kept_no_promise(
    world: World, exchange: Exchange
) -> None:
    exchange.bridges = False
    exchange.owners[DUTY_PHONE] = Owner()
    begun = world.now
    log = await exchange.ring(STRANGER, OUR_NUMBER)
    await world.settle()

    assert log.rang == [DUTY_PHONE, LEAD_PHONE]
    assert (await only(world, Contact)).call_result == "no_answer"
    again = await first_response(world)
    assert (again.state, again.met_at, again.due_at) == ("open", None, begun + timedelta(hours=24))
    assert (await only(world, Task)).done_at is None
    assert (await only(world, Case)).next_due_at is not None


# --- we ring them ------------------------------------------------------------------------------


async def place(world: World, exchange: Exchange) -> dict[str, Any]:
    """Wasim presses "Ring them" on the newest case; the call that was placed."""
    house = world.house
    async with house.db.write() as session:
        case = await session.get(Case, (await rows(world, Case))[-1].id)
        assert case is not None
        contract = house.contracts[case.contract]
        placing = await switchboard.begin(
            session, ways_of(house), contract, case, world.worker, world.now
        )
    voice: Any = house.channels["voice"]
    result = await voice.ring(placing.number, placing.shown, placing.next, placing.ended)
    async with house.db.write() as session:
        await switchboard.placed(session, placing.call_id, result.provider_id, world.now)
    return exchange.sent[-1]


async def test_a_worker_rings_out_and_speaks_with_the_person(
    world: World, exchange: Exchange
) -> None:
    await world.sms(CARER, "please ring me, it is about council tax")
    exchange.owners[CARER] = Owner(keys=("5",), minutes=7)
    call = await place(world, exchange)
    assert (call["to"], call["from"]) == (WORKER_PHONE, OUR_NUMBER)
    answered_at = world.now
    log = await exchange.answer(call, "1")

    assert log.joined == [CARER]
    assert log.shown == {OUR_NUMBER}
    assert not any("helpline" in said.lower() for said in log.whispered)  # others may be listening
    contact = await only(world, Contact, Contact.kind == "call")
    assert (contact.direction, contact.call_result, contact.call_minutes) == ("out", "spoke", 7)
    assert contact.by_user_id == world.worker.user_id
    deadline = (await world.deadlines(CARER))["first_response"]
    assert (deadline.state, deadline.met_at) == ("met", answered_at)
    row = await only(world, Call)
    assert (row.state, row.provider_id, row.direction) == ("ended", call["sid"], "out")


async def test_their_machine_is_no_conversation_and_hears_nothing(
    world: World, exchange: Exchange
) -> None:
    await world.sms(CARER, "please ring me, it is about council tax")
    exchange.owners[CARER] = Owner(keys=())
    log = await exchange.answer(await place(world, exchange), "1")

    assert log.joined == []
    assert "They did not take the call" in log.heard[-1]
    assert (await only(world, Contact, Contact.kind == "call")).call_result == "no_answer"
    assert (await world.deadlines(CARER))["first_response"].state == "open"


async def test_a_worker_who_does_not_press_the_key_rings_nobody(
    world: World, exchange: Exchange
) -> None:
    await world.sms(CARER, "please ring me, it is about council tax")
    log = await exchange.answer(await place(world, exchange))

    assert log.rang == []
    assert await rows(world, Contact, Contact.kind == "call") == []
    assert (await only(world, Call)).state == "ended"


async def test_what_stands_in_the_way_of_ringing_is_said(world: World, exchange: Exchange) -> None:
    await world.sms(CARER, "please ring me, it is about council tax")
    await place(world, exchange)
    with pytest.raises(Conflict, match="being rung already"):
        await place(world, exchange)
    await world.forward(minutes=5)
    world.worker = await world.hire("Petra", Role.WORKER)
    with pytest.raises(InvalidInput, match="no number of yours"):
        await place(world, exchange)
    world.worker = world.duty
    person = await only(world, Person)
    async with world.house.db.write() as session:
        rules = written(SafeRules(not_by=("voice",)))
        session.add(SafeContact(person_id=person.id, rules=rules, set_at=world.now))
    with pytest.raises(Conflict, match="not to be rung"):
        await place(world, exchange)


async def test_hook_and_routing_hearing_of_one_call_at_once_make_one_case(
    world: World, exchange: Exchange
) -> None:
    form = [("CallSid", "CA" + "7" * 32), ("From", STRANGER), ("To", OUR_NUMBER)]
    await exchange.post("/hooks/voice", form)
    await asyncio.gather(
        route_all(world.house),
        *(exchange.post("/hooks/voice/menu", form) for _ in range(4)),
        exchange.post("/hooks/voice/status", [*form, ("CallStatus", "completed")]),
        route_all(world.house),
    )
    await world.settle()

    assert await world.count(Call) == await world.count(Case) == 1
    assert await world.count(Person) == 2  # Carol of the register, and they
    assert await world.count(Contact) == len(await rows(world, Task)) == 1
    assert {item.state for item in await rows(world, InboundItem)} == {"routed"}
