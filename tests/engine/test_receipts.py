"""Delivery reports in any order, what their codes mean, and whom a refusal leads to: the number is
marked, an opt-out is in the ledger, a worker's own STOP sends the alert on at once."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpline.channels import Receipt
from helpline.desk import outbox
from helpline.models import Address, Alert, Event, OutMessage, Page, Task, User
from helpline.vocabulary import OutState, Role, ShiftKind
from tests.engine.twilio_house import (
    BACKUP_PHONE,
    CARER,
    DUTY_PHONE,
    LEAD_PHONE,
    TwilioHouse,
)

REPORTS = ("queued", "sending", "sent", "undelivered", "delivered", "read")


@pytest.mark.parametrize("order", list(itertools.permutations(("sent", "delivered", "failed"))))
async def test_a_report_never_takes_back_another(
    at_work: TwilioHouse, order: tuple[str, ...]
) -> None:
    await at_work.write("they say I hit him")
    for status in order:
        for _ in range(2):  # each comes twice
            code = 30007 if status == "failed" else 0
            await at_work.report(at_work.twilio.sent[0], status, code)
    assert (await at_work.all(OutMessage))[0].state == "delivered"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.lists(st.sampled_from(REPORTS), max_size=8))
async def test_whatever_order_the_furthest_counts(at_work: TwilioHouse, order: list[str]) -> None:
    provider_id = f"SM{abs(hash(tuple(order))):x}{len(order)}"
    async with at_work.house.db.write() as session:
        message = await outbox.queue(session, "essex", "sms", CARER, "x", at_work.now)
        message.state, message.provider_id = OutState.SENT, provider_id
    words = {"queued": OutState.SENDING, "undelivered": OutState.FAILED}
    ranks = [OutState.SENT.rank]
    for status in order:
        state = words.get(status) or OutState(status)
        ranks.append(state.rank)
        async with at_work.house.db.write() as session:
            await outbox.record_receipt(session, Receipt("sms", provider_id, state), at_work.now)
    (kept,) = await at_work.all(OutMessage, OutMessage.provider_id == provider_id)
    assert OutState(kept.state).rank == max(ranks)


async def test_a_handset_that_is_off_is_tried_again_and_then_a_person_takes_over(
    at_work: TwilioHouse,
) -> None:
    await at_work.write("they say I hit him")
    for minutes in (11, 61):
        await at_work.report(at_work.sent_to(CARER)[-1], "undelivered", 30003)
        await at_work.report(at_work.sent_to(CARER)[-1], "undelivered", 30003)  # told twice
        await at_work.report(at_work.sent_to(CARER)[-1], "sent")  # and late
        assert (await at_work.all(OutMessage))[0].state == "queued"
        assert await at_work.all(Task) == []
        await at_work.forward(minutes=minutes)
    assert len(at_work.sent_to(CARER)) == 3
    await at_work.report(at_work.sent_to(CARER)[-1], "undelivered", 30003)
    (message, *_) = await at_work.all(OutMessage)
    assert (message.state, message.code) == ("failed", "30003")
    assert [task.kind for task in await at_work.all(Task)] == ["reach_another_way"]


async def test_delivered_after_all_is_not_sent_again(at_work: TwilioHouse) -> None:
    await at_work.write("they say I hit him")
    await at_work.report(at_work.twilio.sent[0], "undelivered", 30003)
    await at_work.report(at_work.twilio.sent[0], "delivered")
    await at_work.forward(hours=2)
    assert len(at_work.sent_to(CARER)) == 1
    assert (await at_work.all(OutMessage))[0].state == "delivered"


async def test_a_late_report_of_the_first_try_does_not_settle_the_second(
    at_work: TwilioHouse,
) -> None:
    await at_work.write("they say I hit him")
    first = at_work.twilio.sent[0]
    await at_work.report(first, "undelivered", 30003)
    await at_work.forward(minutes=11)
    await at_work.report(first, "undelivered", 30007)
    assert (await at_work.all(OutMessage))[0].state == "sent"


@pytest.mark.parametrize("code", [30005, 30006, 21614])
async def test_a_bad_number_is_marked_until_it_writes_again(
    at_work: TwilioHouse, code: int
) -> None:
    await at_work.write("they say I hit him")
    await at_work.report(at_work.twilio.sent[0], "undelivered", code)
    (address,) = await at_work.all(Address)
    assert address.bad_since == at_work.now
    assert [task.kind for task in await at_work.all(Task)] == ["reach_another_way"]
    (event,) = await at_work.all(Event, Event.kind == "address.bad")
    assert event.detail == {"channel": "sms", "code": str(code)}
    await at_work.write("are you there?")
    (address,) = await at_work.all(Address)
    assert address.bad_since is None


async def test_the_networks_stop_is_in_the_ledger_and_stops_the_next_message(
    at_work: TwilioHouse,
) -> None:
    worker = await at_work.hire("Wasim", "+447700900903")
    await at_work.write("they say I hit him")
    at_work.twilio.fail_with(400, 21610)
    await at_work.reply("Wasim here.", worker)
    (address,) = await at_work.all(Address)
    assert address.opted_out_at == at_work.now
    assert len(await at_work.all(Event, Event.kind == "address.opted_out")) == 1
    assert [task.kind for task in await at_work.all(Task)] == ["reach_another_way"]
    at_work.twilio.behave()
    await at_work.write("START")
    (address,) = await at_work.all(Address)
    assert address.opted_out_at is None


async def test_blocked_by_the_carrier_marks_nothing_but_asks_a_person(
    at_work: TwilioHouse,
) -> None:
    await at_work.write("they say I hit him")
    await at_work.report(at_work.twilio.sent[0], "undelivered", 30004)
    (address,) = await at_work.all(Address)
    assert address.bad_since is None and address.opted_out_at is None
    assert [task.kind for task in await at_work.all(Task)] == ["reach_another_way"]


# --- a worker's own phone -------------------------------------------------------------------------


async def test_a_worker_whose_phone_refuses_is_passed_over_at_once(at_work: TwilioHouse) -> None:
    duty = await at_work.hire("Dilys", DUTY_PHONE, shift=ShiftKind.PRIMARY)
    await at_work.hire("Leonie", LEAD_PHONE, Role.LEAD)
    at_work.twilio.fail_with(400, 21610, times=1)  # the first that leaves is Dilys's page
    await a_page_to(at_work, duty.user_id)
    (opted_out,) = await at_work.all(User, User.opted_out_at.is_not(None))
    assert opted_out.id == duty.user_id
    # the rungs of this contract: on call, on call again, lead. Dilys is asked no more.
    assert await minutes_until_rung(at_work, LEAD_PHONE) <= 10
    assert at_work.sent_to(DUTY_PHONE) == []
    (event,) = await at_work.all(Event, Event.kind == "worker.opted_out")
    assert event.by_user_id == duty.user_id


async def test_stop_from_a_worker_moves_the_alert_and_start_brings_them_back(
    at_work: TwilioHouse,
) -> None:
    await at_work.hire("Dilys", DUTY_PHONE, shift=ShiftKind.PRIMARY)
    await at_work.hire("Bea", BACKUP_PHONE, shift=ShiftKind.BACKUP)
    await at_work.hire("Leonie", LEAD_PHONE, Role.LEAD)
    await at_work.write("he has a knife please help")
    asked = len(at_work.sent_to(DUTY_PHONE))
    assert asked == 1
    others = len(at_work.twilio.sent)
    await at_work.write("stop", sender=DUTY_PHONE)
    assert len(at_work.sent_to(DUTY_PHONE)) == asked  # nothing is answered: it could not arrive
    assert len(at_work.twilio.sent) > others  # somebody else was asked within the same moment
    await at_work.write("START", sender=DUTY_PHONE)
    (dilys,) = await at_work.all(User, User.name == "dilys")
    assert dilys.opted_out_at is None
    kinds = [event.kind for event in await at_work.all(Event) if event.kind.startswith("worker")]
    assert kinds == ["worker.opted_out", "worker.opted_in"]


async def a_page_to(at_work: TwilioHouse, user_id: int) -> None:
    async with at_work.house.db.write() as session:
        session.add(
            Alert(
                key="x:1",
                contract="essex",
                kind="emergency",
                colour="purple",
                reference="TRAY",
                raised_at=at_work.now,
                code="1234",
                next_rung_at=at_work.now,
            )
        )
    await at_work.settle()
    assert {page.user_id for page in await at_work.all(Page)} >= {user_id}


async def minutes_until_rung(at_work: TwilioHouse, phone: str) -> int:
    for minute in range(60):
        if at_work.sent_to(phone):
            return minute
        await at_work.forward(minutes=1)
    raise AssertionError("never asked")


# --- what was never reported ----------------------------------------------------------------------


async def test_a_report_that_was_lost_is_asked_for(at_work: TwilioHouse) -> None:
    await at_work.write("they say I hit him")
    at_work.twilio.sent[0]["status"] = "delivered"
    await at_work.look()
    assert (await at_work.all(OutMessage))[0].state == "sent"  # the report may still come
    await at_work.forward(minutes=11)
    await at_work.look()
    assert (await at_work.all(OutMessage))[0].state == "delivered"


async def test_a_failure_nobody_reported_reaches_a_person(at_work: TwilioHouse) -> None:
    await at_work.write("they say I hit him")
    at_work.twilio.sent[0].update(status="undelivered", error_code=30006)
    await at_work.forward(minutes=11)
    await at_work.look()
    assert [task.kind for task in await at_work.all(Task)] == ["reach_another_way"]
    (address,) = await at_work.all(Address)
    assert address.bad_since is not None


async def test_a_carrier_that_never_reports_is_asked_ever_less(at_work: TwilioHouse) -> None:
    await at_work.write("they say I hit him")
    at_work.twilio.sent[0]["status"] = "sent"
    asked = 0
    for _ in range(7 * 24):
        at_work.clock.forward(timedelta(hours=1))
        async with at_work.house.db.write() as session:
            asked += len(await outbox.unreported(session, ["sms"], at_work.now))
    assert 3 <= asked <= 9
