"""A provider that takes a message and never says so is asked before anything is sent again: of five
hundred messages by text and by WhatsApp, through every kind of trouble, none goes twice."""

import random
from collections import Counter
from datetime import timedelta

from aiohttp import web

from helpline.clock import MovableClock
from helpline.desk import outbox
from helpline.engine.deliver import deliver_all
from helpline.models import Address, Conversation, OutMessage, Person
from tests.drills.houses import NIGHT, OUR_NUMBER, carer, everything, opened_house
from tests.fakes.misbehaviour import Act
from tests.fakes.twilio import FakeTexts

SEED, MESSAGES, ROUNDS = 500, 500, 12


class Unsteady(FakeTexts):
    """Half of what it takes it never acknowledges, and of some it says that it failed; some it
    refuses for the moment; now and then its list cannot be read either."""

    chance = random.Random(SEED)
    is_steady = False

    async def misbehaving(self, request: web.Request, act: Act) -> web.StreamResponse:
        self.behave()
        fate = 1.0 if self.is_steady else self.chance.random()
        if fate < 0.5:
            self.accept_then_drop()
        elif fate < 0.6:
            self.fail_with(429, 20429)
        elif fate < 0.7:
            self.fail_with(503, 20503)
        elif fate < 0.8:
            self.accept_then_fail()
        self.list_fails = not self.is_steady and self.chance.random() < 0.2
        return await super().misbehaving(request, act)


async def test_of_five_hundred_messages_none_goes_twice(database_url: str) -> None:
    clock = MovableClock(frozen_at=NIGHT)
    async with (
        Unsteady(clock=clock) as twilio,
        opened_house(database_url, twilio_url=twilio.url, clock=clock) as house,
    ):
        async with house.db.write() as session:
            written = {n: await _address(session, carer(n)) for n in range(1, 100, 2)}
            for number in range(MESSAGES):
                address_id = written.get(number % 100)
                channel = "whatsapp" if address_id else "sms"
                to, text = carer(number), f"text {number}"
                await outbox.queue(
                    session, "essex", channel, to, text, NIGHT, address_id=address_id
                )
        for number in written:
            twilio.receive("whatsapp:" + carer(number), "whatsapp:" + OUR_NUMBER, "hello")
        for round_ in range(ROUNDS):
            twilio.is_steady = round_ == ROUNDS - 2
            await deliver_all(house)
            clock.forward(timedelta(hours=1))

        messages = await everything(house, OutMessage)
        assert Counter(m.state for m in messages) == {"sent": MESSAGES}
        assert any(m.attempts > 2 for m in messages)
        assert Counter(m["body"] for m in twilio.sent) == {
            f"text {number}": 1 for number in range(MESSAGES)
        }
        by_whatsapp = sum(m["to"].startswith("whatsapp:") for m in twilio.sent)
        assert by_whatsapp == MESSAGES // 2


async def _address(session, number: str) -> int:  # type: ignore[no-untyped-def]
    """Somebody who has just written by WhatsApp."""
    person = Person(contract="essex", created_at=NIGHT)
    session.add(person)
    await session.flush()
    address = Address(
        person_id=person.id,
        contract="essex",
        channel="whatsapp",
        value=number,
        value_index=number,
    )
    session.add(address)
    await session.flush()
    session.add(Conversation(contract="essex", address_id=address.id, last_in_at=NIGHT))
    await session.flush()
    return int(address.id or 0)
