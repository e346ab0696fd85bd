"""What could not be delivered is never left at that: a person is asked, and where the carer allows
it, the next way is tried meanwhile. Told with Twilio's real library against a fake one."""

from collections.abc import AsyncIterator
from datetime import time

import pytest

from helpline.desk import means, merging, safety
from helpline.models import (
    Address,
    Case,
    Contact,
    Conversation,
    Event,
    Membership,
    OutMessage,
    Person,
    Task,
)
from helpline.rules.permissions import Actor
from helpline.rules.safety import SafeRules
from helpline.sealing import ring
from tests.engine.twilio_house import CARER, TwilioHouse, opened_twilio_house
from tests.world import STRANGER

WHATSAPP = "whatsapp:" + CARER
BAD_NUMBER, BLOCKED_BY_CARRIER = 30005, 30007
WORDS = "Wasim here. The meeting is on Monday."


class Night:
    """A house in which Carol is on the council's list, and Wasim answers her."""

    def __init__(self, house: TwilioHouse, wasim: Actor) -> None:
        self.house, self.wasim = house, wasim

    async def carol_texts(self) -> None:
        """She writes from the number on the list, so that it is certain who she is."""
        async with self.house.house.db.write() as session:
            person = Person(contract="essex", name="Carol Ashby", created_at=self.house.now)
            session.add(person)
            await session.flush()
            assert person.id is not None
            session.add(
                Membership(person_id=person.id, contract="essex", number_index="x", group="unknown")
            )
            session.add(_address(person.id, "sms", CARER, from_register=True))
        await self.house.write("can I claim council tax reduction")

    async def she_has_used_whatsapp(self) -> None:
        """From the same number; a worker has joined the two records. Weeks ago, and settled."""
        await self.house.write("hello", by="whatsapp")
        carol = await self._carol()
        async with self.house.house.db.write() as session:
            (talk,) = [t for t in await self.house.all(Conversation) if t.step != "done"][-1:]
            case = await session.get(Case, talk.case_id)
            assert case is not None
            case.status, case.closed_at = "closed", self.house.now
            other = await session.get(Person, case.person_id)
            into = await session.get(Person, carol)
            assert into is not None and other is not None
            await merging.merge(session, into, other, "same number", self.wasim, self.house.now)

    async def she_gave(self, channel: str, value: str, *, is_hers: bool = True) -> None:
        carol = await self._carol()
        async with self.house.house.db.write() as session:
            session.add(_address(carol, channel, value, from_register=is_hers))

    async def she_asks(self, rules: SafeRules) -> None:
        async with self.house.house.db.write() as session:
            case = (await session.get(Case, (await self.case()).id)) or pytest.fail("no case")
            await safety.set_rules(session, case, rules, self.wasim, self.house.now)

    async def wasim_answers(self, text: str = WORDS) -> None:
        from helpline.desk import cases

        async with self.house.house.db.write() as session:
            case = await session.get(Case, (await self.case()).id)
            assert case is not None
            contract = self.house.house.contracts["essex"]
            await cases.reply(session, contract, case, text, self.wasim, self.house.now)
        await self.house.settle()

    async def fails(self, to: str, code: int = BAD_NUMBER) -> None:
        await self.house.report(self.house.sent_to(to)[-1], "undelivered", code)
        await self.house.settle()

    async def arrives(self, to: str) -> None:
        await self.house.report(self.house.sent_to(to)[-1], "delivered")

    async def case(self) -> Case:
        (first, *_) = await self.house.all(Case)
        assert isinstance(first, Case)
        return first

    async def events(self) -> list[str]:
        """What the timeline says of it, in order."""
        case = await self.case()
        kinds = [e.kind for e in await self.house.all(Event, Event.case_id == case.id)]
        return [kind for kind in kinds if kind.startswith(("message.", "task."))]

    async def open_tasks(self) -> list[str]:
        return [task.kind for task in await self.house.all(Task, Task.done_at.is_(None))]

    async def tried(self) -> list[tuple[str, str]]:
        case = await self.case()
        async with self.house.house.db.read() as session:
            return [(t.channel, t.state) for t in await means.tried(session, case.id or 0)]

    def to_whatsapp(self) -> list[str]:
        return [m["body"] for m in self.house.sent_to(WHATSAPP)]

    async def _carol(self) -> int:
        (known,) = await self.house.all(Person, Person.name.is_not(None))
        assert isinstance(known.id, int)
        return known.id


@pytest.fixture
async def night(database_url: str) -> AsyncIterator[Night]:
    async with opened_twilio_house(database_url) as house:
        yield Night(house, await house.hire("Wasim", "+447700900903"))


async def test_what_fails_by_text_is_carried_by_whatsapp_and_the_task_ends_by_itself(
    night: Night,
) -> None:
    await night.carol_texts()
    await night.she_has_used_whatsapp()
    await night.wasim_answers()
    await night.fails(CARER)

    assert await night.open_tasks() == ["reach_another_way"]
    assert night.to_whatsapp()[-1] == WORDS
    assert await night.tried() == [("whatsapp", "sent")]
    await night.arrives(WHATSAPP)
    assert await night.open_tasks() == []
    assert (await night.events())[-4:] == [
        "message.not_delivered",
        "message.sent_another_way",
        "message.arrived_another_way",
        "task.done",
    ]
    assert len([c for c in await night.house.all(Contact) if c.body == WORDS]) == 1


async def test_her_answer_by_the_other_way_lands_on_the_same_case(night: Night) -> None:
    await night.carol_texts()
    await night.she_has_used_whatsapp()
    await night.wasim_answers()
    await night.fails(CARER)
    await night.house.write("Monday is fine, thank you", by="whatsapp")

    (heard,) = [c for c in await night.house.all(Contact) if (c.body or "").startswith("Monday")]
    assert heard.case_id == (await night.case()).id


async def test_where_she_has_used_nothing_else_there_is_only_the_task(night: Night) -> None:
    await night.carol_texts()
    await night.she_gave("whatsapp", CARER)  # known to be hers, and never used nor allowed
    await night.wasim_answers()
    await night.fails(CARER)

    assert await night.open_tasks() == ["reach_another_way"]
    assert night.to_whatsapp() == []
    assert await night.tried() == []


async def test_what_she_has_allowed_is_tried_though_she_never_wrote_from_there(
    night: Night,
) -> None:
    await night.carol_texts()
    await night.she_gave("telegram", "700100")
    await night.she_asks(SafeRules(also_by=("telegram",)))
    await night.wasim_answers()
    await night.fails(CARER)

    assert [m.channel for m in await night.house.all(OutMessage, OutMessage.copy_of_id > 0)] == [
        "telegram"
    ]


async def test_an_address_that_is_only_claimed_to_be_hers_gets_nothing(night: Night) -> None:
    """Somebody else says on WhatsApp that they are Carol; nobody has confirmed it."""
    await night.carol_texts()
    await night.she_gave("whatsapp", STRANGER, is_hers=False)
    await night.she_asks(SafeRules(also_by=("whatsapp",)))
    await night.wasim_answers()
    await night.fails(CARER)

    assert night.house.sent_to("whatsapp:" + STRANGER) == []
    assert await night.open_tasks() == ["reach_another_way"]


async def test_nothing_said_to_somebody_who_claims_to_be_carol_reaches_carol(night: Night) -> None:
    await night.carol_texts()
    await night.she_has_used_whatsapp()
    async with night.house.house.db.write() as session:
        case = await session.get(Case, (await night.case()).id)
        assert case is not None
        case.identity = "claimed"
    await night.wasim_answers()
    await night.fails(CARER)

    assert WORDS not in night.to_whatsapp()
    assert await night.open_tasks() == ["reach_another_way"]


async def test_after_stop_only_what_she_expressly_allowed_is_tried(night: Night) -> None:
    await night.carol_texts()
    await night.she_has_used_whatsapp()
    night.house.twilio.fail_with(400, 21610)  # the network has heard her STOP
    await night.wasim_answers()
    night.house.twilio.behave()

    assert WORDS not in night.to_whatsapp()
    assert await night.open_tasks() == ["reach_another_way"]


async def test_what_her_safe_contact_forbids_is_not_tried(night: Night) -> None:
    await night.carol_texts()
    await night.she_has_used_whatsapp()
    await night.she_asks(SafeRules(not_by=("whatsapp",)))
    await night.wasim_answers()
    await night.fails(CARER)

    assert WORDS not in night.to_whatsapp()
    assert await night.open_tasks() == ["reach_another_way"]


async def test_the_other_way_keeps_to_her_hours_and_to_neutral_words(night: Night) -> None:
    await night.carol_texts()
    await night.she_has_used_whatsapp()
    await night.wasim_answers()
    rules = SafeRules(begins=time(9), ends=time(15), neutral_only=True, code_name="Aunt May")
    await night.she_asks(rules)
    said = len(night.to_whatsapp())
    await night.fails(CARER)  # in the night

    assert len(night.to_whatsapp()) == said
    await night.house.forward(hours=7)
    assert night.to_whatsapp()[-1].startswith("Aunt May: you have a message waiting.")
    assert all(WORDS not in body for body in night.to_whatsapp())


async def test_two_failures_in_a_row_end_with_the_task(night: Night) -> None:
    await night.carol_texts()
    await night.she_has_used_whatsapp()
    await night.wasim_answers()
    await night.fails(CARER)
    tries = night.house.twilio.tries
    await night.fails(WHATSAPP, 63024)
    await night.house.forward(hours=3)

    assert night.house.twilio.tries == tries  # it never goes round
    assert await night.open_tasks() == ["reach_another_way"]
    assert await night.tried() == [("whatsapp", "failed")]


async def test_a_text_that_arrives_after_all_is_not_sent_once_more(night: Night) -> None:
    await night.carol_texts()
    await night.she_has_used_whatsapp()
    await night.wasim_answers()
    await night.she_asks(SafeRules(begins=time(9), ends=time(15)))
    said = len(night.to_whatsapp())
    await night.fails(CARER, BLOCKED_BY_CARRIER)
    await night.arrives(CARER)  # the carrier was wrong; the copy waits for nine o'clock

    assert await night.open_tasks() == []
    await night.house.forward(hours=7)
    assert len(night.to_whatsapp()) == said
    assert await night.open_tasks() == []


async def test_the_task_stays_while_another_message_has_not_got_through(night: Night) -> None:
    await night.carol_texts()
    await night.she_has_used_whatsapp()
    await night.wasim_answers("The first of two.")
    await night.wasim_answers("The second of two.")
    first, second = night.house.sent_to(CARER)[-2:]
    for message in (first, second):
        await night.house.report(message, "undelivered", BLOCKED_BY_CARRIER)
    await night.house.settle()
    ours = night.house.sent_to(WHATSAPP)[-2:]
    await night.house.report(ours[0], "delivered")
    assert await night.open_tasks() == ["reach_another_way"]
    await night.house.report(ours[1], "read")
    assert await night.open_tasks() == []


async def test_no_telephone_is_ever_dialled_for_it(night: Night) -> None:
    await night.carol_texts()
    await night.she_gave("voice", CARER)
    await night.she_asks(SafeRules(also_by=("voice",)))
    await night.wasim_answers()
    await night.fails(CARER)

    assert await night.house.all(OutMessage, OutMessage.copy_of_id > 0) == []


def _address(person: int, channel: str, value: str, *, from_register: bool) -> Address:
    return Address(
        person_id=person,
        contract="essex",
        channel=channel,
        value=value,
        value_index=ring().index(f"address:{channel}", value),
        from_register=from_register,
    )
