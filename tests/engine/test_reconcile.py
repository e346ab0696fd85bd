"""What no webhook brought is found by asking, kept once with its original time, and counted; one
provider in trouble hides nothing of another's."""

from datetime import timedelta

import pytest

from helpline.desk import beats
from helpline.engine.jobs import JOBS
from helpline.engine.reconcile import FOUND, JOB, reconcile
from helpline.models import Alert, Attachment, Case, Contact, Deadline, Event, InboundItem
from tests.drills.houses import OUR_NUMBER
from tests.engine.twilio_house import CARER, TwilioHouse
from tests.fakes.twilio import inbound_form


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
async def test_what_no_webhook_brought_becomes_a_case_with_its_own_time(
    at_work: TwilioHouse, channel: str
) -> None:
    written_at = at_work.now
    counted = FOUND.labels(channel)._value.get()
    await at_work.write("they say I hit him", by=channel, webhook=False)
    assert await at_work.all(InboundItem) == []
    at_work.clock.forward(timedelta(minutes=2))
    assert await at_work.look() == 1

    (item,) = await at_work.all(InboundItem)
    assert (item.channel, item.state, item.received_at) == (channel, "routed", written_at)
    (case,) = await at_work.all(Case)
    assert case.opened_at == written_at
    assert {d.due_at for d in await at_work.all(Deadline)} == {written_at + timedelta(hours=24)}
    prefix = "whatsapp:" if channel == "whatsapp" else ""
    assert len(at_work.sent_to(prefix + CARER)) == 1  # answered by the way they came

    (event,) = await at_work.all(Event, Event.kind == "items.reconciled")
    assert event.detail == {"channel": channel, "count": 1}
    assert FOUND.labels(channel)._value.get() == counted + 1
    assert await at_work.look() == 0


async def test_what_came_by_its_webhook_is_left_alone(at_work: TwilioHouse) -> None:
    await at_work.write("they say I hit him")
    at_work.clock.forward(timedelta(minutes=2))
    assert await at_work.look() == 0
    assert len(await at_work.all(InboundItem)) == 1
    assert await at_work.all(Event, Event.kind == "items.reconciled") == []


async def test_a_webhook_under_way_is_given_a_minute(at_work: TwilioHouse) -> None:
    await at_work.write("hello", webhook=False)
    at_work.clock.forward(timedelta(seconds=30))
    assert await at_work.look() == 0
    at_work.clock.forward(timedelta(seconds=31))
    assert await at_work.look() == 1


async def test_a_webhook_that_comes_after_all_changes_nothing(at_work: TwilioHouse) -> None:
    sid = await at_work.write("they say I hit him", webhook=False)
    at_work.clock.forward(timedelta(minutes=2))
    await at_work.look()

    await at_work.post(inbound_form(CARER, OUR_NUMBER, "they say I hit him", sid))
    await at_work.settle()
    assert len(await at_work.all(InboundItem)) == 1
    assert len(await at_work.all(Contact, Contact.direction == "in")) == 1


async def test_what_hung_on_a_lost_message_is_fetched_too(at_work: TwilioHouse) -> None:
    note = at_work.twilio.keep_file("text/plain", b"what he said")
    await at_work.write("see this", by="whatsapp", files=(note,), webhook=False)
    at_work.clock.forward(timedelta(minutes=2))
    await at_work.look()
    (kept,) = await at_work.all(Attachment)
    assert (kept.state, kept.kind) == ("kept", "text/plain")


async def test_an_outage_of_six_hours_loses_nothing(at_work: TwilioHouse) -> None:
    await looked(at_work)
    for hour in range(6):
        await at_work.write(f"message {hour}", webhook=False, settle=False)
        at_work.clock.forward(timedelta(hours=1))
    assert await at_work.look() == 6
    said = [c.body for c in await at_work.all(Contact, Contact.direction == "in")]
    assert said == [f"message {hour}" for hour in range(6)]


async def test_after_a_good_look_it_does_not_read_the_whole_list_again(
    at_work: TwilioHouse,
) -> None:
    await at_work.write("long ago", webhook=False, settle=False)
    at_work.clock.forward(timedelta(hours=3))
    await looked(at_work)  # another node, which kept it in a database of its own, say
    assert await at_work.look() == 0


async def test_a_message_older_than_its_deadline_raises_the_alarm_at_once(
    at_work: TwilioHouse,
) -> None:
    await at_work.write("they say I hit him", webhook=False)
    await looked(at_work)
    at_work.clock.forward(timedelta(hours=25))
    await at_work.look()
    assert "breach" in {alert.kind for alert in await at_work.all(Alert)}


async def test_a_late_find_does_not_make_newer_things_older(at_work: TwilioHouse) -> None:
    await at_work.write("first", webhook=False, settle=False)
    at_work.clock.forward(timedelta(minutes=5))
    await at_work.write("second")
    newest = at_work.now
    await at_work.look()
    (case,) = await at_work.all(Case)
    assert case.last_in_at == newest


async def test_what_came_to_a_number_of_somebody_elses_system_is_not_ours(
    at_work: TwilioHouse,
) -> None:
    at_work.twilio.receive(CARER, "+447700900777", "for another system")
    at_work.clock.forward(timedelta(minutes=2))
    assert await at_work.look() == 0


async def test_a_list_that_fails_fails_the_look_and_the_next_reaches_back(
    at_work: TwilioHouse,
) -> None:
    await at_work.write("they say I hit him", webhook=False)
    at_work.clock.forward(timedelta(minutes=2))
    at_work.twilio.list_fails = True
    with pytest.raises(Exception, match="503"):
        await reconcile(at_work.house)
    at_work.twilio.list_fails = False
    at_work.clock.forward(timedelta(hours=20))
    assert await at_work.look() == 1


async def test_it_is_a_job_of_every_minute() -> None:
    (job,) = [job for job in JOBS if job.name == JOB]
    assert (job.every_seconds, job.run) == (60, reconcile)


async def looked(at_work: TwilioHouse) -> None:
    """As the engine writes down a look that went well."""
    async with at_work.house.db.write() as session:
        await beats.write_down(session, beats.Beat(JOB, "one", at_work.now))
