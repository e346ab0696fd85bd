"""The chat and the form of the provider's own site, as stories: whoever writes there is answered
like anybody else, and sees nothing that was not sent to them."""

import secrets

from sqlalchemy import update

from helpline.desk import cases, tasks, webchat, webform
from helpline.desk.webform import Form
from helpline.engine.housekeeping import tidy_up
from helpline.models import (
    Address,
    Alert,
    Case,
    Contact,
    Conversation,
    Deadline,
    InboundItem,
    OutMessage,
    Person,
    Task,
)
from helpline.rules.permissions import Actor
from tests.world import CARER, STRANGER, World


class Device:
    """A browser that remembers its token."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = webchat.device_of(secrets.token_urlsafe(32), "essex")

    async def write(self, text: str, message_id: str | None = None, copies: int = 1) -> None:
        inbound = webchat.packed(self.name, message_id or secrets.token_hex(16), text, "essex")
        for _ in range(copies):
            await self.world.house.inbox.keep(inbound, self.world.now)
        await self.world.settle()

    async def chat(self) -> webchat.Chat:
        async with self.world.house.db.read() as session:
            return await webchat.chat(session, "essex", self.name)

    async def stamp(self) -> str:
        async with self.world.house.db.read() as session:
            return await webchat.stamp(session, "essex", self.name)

    async def case(self) -> Case:
        reference = (await self.chat()).reference
        (case,) = await self.world.all(Case, Case.reference == reference)
        assert isinstance(case, Case)
        return case


async def answer(world: World, case: Case, text: str, by: Actor | None = None) -> None:
    async with world.house.db.write() as session:
        found = await session.get(Case, case.id)
        assert found is not None
        contract = world.house.contracts["essex"]
        await cases.reply(session, contract, found, text, by or world.worker, world.now)
    await world.settle()


async def look_at(world: World, case: Case) -> None:
    async with world.house.db.write() as session:
        found = await session.get(Case, case.id)
        assert found is not None
        await cases.record_reading(session, found, world.worker, world.now)


async def submit(world: World, form: Form, submission: str | None = None) -> Case:
    inbound = webform.pack(form, submission or secrets.token_hex(16), "essex")
    await world.house.inbox.keep(inbound, world.now)
    await world.settle()
    rows = await world.all(Contact, Contact.channel == "webform", Contact.direction == "in")
    (case,) = await world.all(Case, Case.id == rows[-1].case_id)  # type: ignore[attr-defined]
    assert isinstance(case, Case)
    return case


async def test_somebody_in_the_chat_is_answered_at_once_on_the_page(world: World) -> None:
    device = Device(world)
    await device.write("They say I hit him and I do not know whom to ask")

    theirs, ours = (await device.chat()).lines
    assert theirs.is_theirs
    assert theirs.state == "arrived"
    assert ours.is_automatic
    assert "by 2.15 am tomorrow" in ours.text
    assert "999" in ours.text
    case = await device.case()
    assert case.reference in ours.text
    assert case.method == "website"


async def test_ten_copies_of_a_message_are_one(world: World) -> None:
    device = Device(world)
    await device.write("Is anybody there?", "0" * 32, copies=10)
    await device.write("Is anybody there?", "0" * 32)

    assert await world.count(InboundItem) == 1
    assert await world.count(Case) == 1
    assert len((await device.chat()).lines) == 2


async def test_the_same_words_written_twice_are_two_messages(world: World) -> None:
    device = Device(world)
    await device.write("Hello?")
    await device.write("Hello?")

    assert len([line for line in (await device.chat()).lines if line.is_theirs]) == 2
    assert await world.count(Case) == 1


async def test_a_workers_answer_is_on_the_page_with_a_name_and_meets_the_promise(
    world: World,
) -> None:
    device = Device(world)
    await device.write("My placement is going badly")
    before = await device.stamp()
    await world.forward(minutes=5)
    await answer(world, await device.case(), "Hello, this is Wasim. When may I ring?")

    last = (await device.chat()).lines[-1]
    assert last.text == "Hello, this is Wasim. When may I ring?"
    assert last.who == "Wasim"
    assert not last.is_automatic
    assert await device.stamp() != before
    (deadline,) = [row for row in await deadlines_of(world, device) if row.stops == "human_reply"]
    assert deadline.state == "met"


async def deadlines_of(world: World, device: Device) -> list:  # type: ignore[type-arg]
    return list(await world.all(Deadline, Deadline.case_id == (await device.case()).id))


async def test_it_shows_when_a_worker_has_read_a_message_and_not_before(world: World) -> None:
    device = Device(world)
    await device.write("Please ring me")
    before = await device.stamp()
    await world.forward(minutes=1)
    await look_at(world, await device.case())
    await world.forward(minutes=1)
    after = await device.stamp()
    await device.write("Are you there?")

    mine = [line for line in (await device.chat()).lines if line.is_theirs]
    assert [line.state for line in mine] == ["read", "arrived"]
    assert before != after


async def test_the_worker_sees_that_an_answer_reached_the_page(world: World) -> None:
    device = Device(world)
    await device.write("Please ring me")
    fresh = (await device.chat()).fresh
    assert len(fresh) == 1
    async with world.house.db.write() as session:
        await webchat.note_delivered(session, fresh, world.now)
    (message,) = await world.all(OutMessage, OutMessage.channel == "webchat")
    assert message.state == "delivered"  # type: ignore[attr-defined]
    assert (await device.chat()).fresh == ()
    assert len((await device.chat()).lines) == 2


async def test_another_device_sees_nothing_even_when_it_claims_to_be_the_same_person(
    world: World,
) -> None:
    mine, other = Device(world), Device(world)
    await mine.write("A secret of mine")
    await mine.write("FC1001")
    await other.write("Hello")
    await other.write("FC1001")
    assert (await mine.case()).person_id == (await other.case()).person_id

    assert "secret" not in str(await other.chat())
    assert "secret" in str(await mine.chat())


async def test_a_device_stays_shut_out_when_a_worker_puts_its_message_on_anothers_case(
    world: World,
) -> None:
    mine, other = Device(world), Device(world)
    await mine.write("A secret of mine")
    await other.write("Hello")
    case_id = (await mine.case()).id
    async with world.house.db.write() as session:
        theirs = (await other.case()).id
        await session.execute(
            update(Contact).where(Contact.case_id == theirs).values(case_id=case_id)
        )
        await session.execute(
            update(Conversation).where(Conversation.case_id == theirs).values(case_id=case_id)
        )

    chat = await other.chat()
    assert "secret" not in str(chat)
    assert [line.text for line in chat.lines if line.is_theirs] == ["Hello"]
    assert len(chat.lines) == 2


async def test_stop_in_the_chat_is_a_word_like_any_other(world: World) -> None:
    device = Device(world)
    await device.write("Stop")
    await world.forward(minutes=1)
    await device.write("STOP")
    (address,) = await world.all(Address, Address.channel == "webchat")
    assert address.opted_out_at is None  # type: ignore[attr-defined]
    assert "Your message has arrived" in (await device.chat()).lines[1].text


async def test_asking_to_be_rung_in_the_chat_asks_for_a_number(world: World) -> None:
    device = Device(world)
    await device.write("Hello")
    await device.write("CALL")
    assert "which number to ring" in (await device.chat()).lines[-1].text
    tasks = await world.all(Task, Task.kind == "call_back")
    assert len(tasks) == 1


async def test_danger_in_the_chat_rings_the_duty_phone(world: World) -> None:
    device = Device(world)
    await device.write("he says he has taken all his tablets")
    assert "999" in (await device.chat()).lines[-1].text
    assert await world.count(Alert) == 1


async def test_a_form_becomes_a_case_with_all_that_was_said_and_no_question(world: World) -> None:
    form = Form(
        message="I would like some advice about money",
        name="Carol Ashby",
        membership="FC1001",
        phone=STRANGER,
        safe="only before noon",
        reason="finance",
        reason_name="Personal finance",
        danger=False,
    )
    case = await submit(world, form)

    assert case.identity == "claimed"
    assert case.group == "foster_carer"
    assert case.reason == "finance"
    assert case.method == "website"
    contacts = await world.all(Contact, Contact.case_id == case.id)
    assert "only before noon" in contacts[0].body  # type: ignore[attr-defined]
    assert "?" not in contacts[1].body  # type: ignore[attr-defined]
    assert await world.all(Task, Task.case_id == case.id) == []


async def test_the_answer_to_a_form_goes_to_the_number_it_gave(world: World) -> None:
    form = Form(message="Please write back", membership="FC1001", phone=STRANGER)
    case = await submit(world, form)
    await answer(world, case, "Hello, this is Wasim.")

    assert world.texts_to(STRANGER) == ["Hello, this is Wasim."]
    assert world.texts_to(CARER) == []
    await world.sms(STRANGER, "Thank you")
    assert (await world.case_of(STRANGER)).id == case.id


async def test_a_forms_number_that_is_somebody_elses_is_not_taken_from_them(world: World) -> None:
    await world.sms(STRANGER, "Hello, I am somebody else")
    before = await world.all(Address, Address.channel == "sms")
    form = Form(message="Please write back", membership="FC1001", phone=STRANGER)
    case = await submit(world, form)
    after = await world.all(Address, Address.channel == "sms")

    owners = [[(row.id, row.person_id) for row in rows] for rows in (before, after)]  # type: ignore[attr-defined]
    assert owners[0] == owners[1]
    assert (await world.case_of(STRANGER)).id != case.id


async def test_a_form_that_says_danger_alerts_whoever_is_on_call(world: World) -> None:
    case = await submit(world, Form(message="Please come", danger=True))
    assert case.urgency == "emergency"
    assert await world.count(Alert) == 1


async def test_a_form_sent_twice_is_one_and_two_forms_of_one_computer_are_two(
    world: World,
) -> None:
    form = Form(message="Hello")
    await submit(world, form, "a" * 32)
    await submit(world, form, "a" * 32)
    assert await world.count(Case) == 1
    await submit(world, form, "b" * 32)
    assert await world.count(Case) == 2
    people = await world.all(Person)
    assert len(people) == 3  # Carol of the register and the two


async def test_an_answer_nobody_comes_back_for_is_brought_another_way(world: World) -> None:
    device = Device(world)
    await device.write("Please ring me")
    case = await device.case()
    await answer(world, case, "Hello, this is Wasim.")
    await world.forward(hours=3)
    await tidy_up(world.house)
    assert await world.all(Task, Task.case_id == case.id) == []
    await world.forward(hours=2)
    await tidy_up(world.house)
    (task,) = await world.all(Task, Task.case_id == case.id)
    assert task.kind == "reach_another_way"  # type: ignore[attr-defined]
    async with world.house.db.write() as session:
        await tasks.finish(session, task.id, world.worker, world.now)  # type: ignore[attr-defined]
    await tidy_up(world.house)
    assert len(await world.all(Task, Task.case_id == case.id)) == 1


async def test_an_answer_that_reached_the_page_is_no_task(world: World) -> None:
    device = Device(world)
    await device.write("Please ring me")
    await answer(world, await device.case(), "Hello, this is Wasim.")
    fresh = (await device.chat()).fresh
    async with world.house.db.write() as session:
        await webchat.note_delivered(session, fresh, world.now)
    await world.forward(hours=5)
    await tidy_up(world.house)
    assert await world.all(Task) == []


async def test_a_form_with_only_an_email_address_is_answered_there(world: World) -> None:
    case = await submit(world, Form(message="Please write back", email="Jo@Example.com"))
    async with world.house.db.read() as session:
        found = await session.get(Case, case.id)
        assert found is not None
        address = await cases.reply_address(session, found)
    assert address is not None
    assert (address.channel, address.value) == ("email", "jo@example.com")
