"""WhatsApp's 24 hours, from the carer's side: inside them an answer goes as it is, outside them
only inside the contract's approved template, and without one a person finds another way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helpline.desk.house import House
from helpline.models import Contact, Conversation, OutMessage, Task
from helpline.rules.permissions import Actor
from tests.drills.houses import OUR_NUMBER
from tests.engine.twilio_house import CARER, TwilioHouse
from tests.fakes.twilio import inbound_form

THEM = "whatsapp:" + CARER


async def test_a_carer_on_whatsapp_is_answered_there(at_work: TwilioHouse, wasim: Actor) -> None:
    await at_work.write("they say I hit him", by="whatsapp")
    (first,) = at_work.sent_to(THEM)
    assert "Your message has arrived" in first["body"]
    assert first["from"] == "whatsapp:" + OUR_NUMBER
    assert first["status_callback"].endswith("/hooks/sms/status")
    await at_work.reply("Wasim here. I will ring you.", wasim)
    assert at_work.sent_to(THEM)[-1]["body"] == "Wasim here. I will ring you."
    assert {c.channel for c in await at_work.all(Contact)} == {"whatsapp"}
    await at_work.report(first, "read")
    assert (await at_work.all(OutMessage))[0].state == "read"


async def test_the_same_number_by_text_and_by_whatsapp_are_two_addresses(
    at_work: TwilioHouse,
) -> None:
    await at_work.write("by text")
    await at_work.write("by whatsapp", by="whatsapp")
    assert len(at_work.sent_to(CARER)) == len(at_work.sent_to(THEM)) == 1


async def test_an_answer_in_time_is_free_and_one_after_a_day_goes_inside_the_template(
    at_work: TwilioHouse, wasim: Actor
) -> None:
    template = at_work.house.contracts["essex"].whatsapp
    assert template is not None
    at_work.twilio.templates[template.content_sid] = template.words
    await at_work.write("they say I hit him", by="whatsapp")
    at_work.clock.forward(timedelta(hours=23, minutes=57))
    await at_work.reply("In time.", wasim)
    assert at_work.sent_to(THEM)[-1]["template"] == ""
    at_work.clock.forward(timedelta(minutes=2))
    await at_work.reply("Too late\nfor that.", wasim)
    last = at_work.sent_to(THEM)[-1]
    assert last["template"] == template.content_sid
    assert "Too late for that." in last["body"]
    await at_work.write("thank you", by="whatsapp")  # which opens it again
    await at_work.reply("You are welcome.", wasim)
    assert at_work.sent_to(THEM)[-1]["template"] == ""


async def test_a_template_taken_without_an_answer_is_not_sent_twice(
    at_work: TwilioHouse, wasim: Actor
) -> None:
    template = at_work.house.contracts["essex"].whatsapp
    assert template is not None
    at_work.twilio.templates[template.content_sid] = template.words
    await at_work.write("they say I hit him", by="whatsapp")
    at_work.clock.forward(timedelta(hours=30))
    at_work.twilio.accept_then_drop()
    await at_work.reply("Too late\nfor that.", wasim)
    at_work.twilio.behave()
    await at_work.forward(minutes=5)
    assert len([m for m in at_work.sent_to(THEM) if "Too late" in m["body"]]) == 1
    assert [m.state for m in await at_work.all(OutMessage)] == ["sent", "sent"]


async def test_without_a_template_a_person_reaches_them_another_way(
    at_work: TwilioHouse, wasim: Actor
) -> None:
    without_template(at_work.house)
    await at_work.write("they say I hit him", by="whatsapp")
    at_work.clock.forward(timedelta(hours=24))
    tried = at_work.twilio.tries
    await at_work.reply("Too late.", wasim)
    assert at_work.twilio.tries == tried  # the provider would only have said the same
    *_, message = await at_work.all(OutMessage)
    assert (message.state, message.code) == ("failed", "63016")
    assert [task.kind for task in await at_work.all(Task)] == ["reach_another_way"]


async def test_a_message_that_waited_is_judged_when_it_leaves(
    at_work: TwilioHouse, wasim: Actor
) -> None:
    """Twilio was in trouble while the window closed."""
    without_template(at_work.house)
    await at_work.write("they say I hit him", by="whatsapp")
    at_work.clock.forward(timedelta(hours=23, minutes=55))
    at_work.twilio.fail_with(503, 20500)
    await at_work.reply("Nearly in time.", wasim)
    at_work.twilio.behave()
    await at_work.forward(minutes=10)
    *_, message = await at_work.all(OutMessage)
    assert (message.state, message.code) == ("failed", "63016")


async def test_kinds_nobody_can_show_are_kept_and_start_the_clock(at_work: TwilioHouse) -> None:

    form = inbound_form(THEM, "whatsapp:" + OUR_NUMBER, "", MessageType="reaction")
    await at_work.post(form)
    await at_work.settle()
    (heard,) = await at_work.all(Contact, Contact.direction == "in")
    assert heard.what == "reaction"
    (talk,) = await at_work.all(Conversation)
    assert talk.case_id is not None


async def test_with_a_sender_of_its_own_whatsapp_comes_and_goes_by_it(
    at_work: TwilioHouse, wasim: Actor
) -> None:
    sender = "+447700900009"
    numbers = {"twilio_whatsapp_numbers": f"essex={sender}"}
    settings = at_work.house.settings.model_copy(update=numbers)
    at_work.house = replace(at_work.house, settings=settings)
    sid = at_work.twilio.receive(THEM, "whatsapp:" + sender, "they say I hit him")
    await at_work.post(inbound_form(THEM, "whatsapp:" + sender, "they say I hit him", sid))
    await at_work.settle()
    await at_work.reply("Wasim here.", wasim)
    assert {m["from"] for m in at_work.sent_to(THEM)} == {"whatsapp:" + sender}
    assert len(at_work.sent_to(THEM)) == 2


def without_template(house: House) -> None:
    essex = house.contracts["essex"]
    house.contracts["essex"] = essex.model_copy(update={"whatsapp": None})  # type: ignore[index]


@pytest.fixture
async def wasim(at_work: TwilioHouse) -> Actor:
    return await at_work.hire("Wasim", "+447700900903")
