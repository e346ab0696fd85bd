"""One sender's hundred messages: one case, a handful of answers, and nobody else kept waiting."""

from datetime import timedelta

from helpline.channels import Inbound
from helpline.desk import blocks
from helpline.engine import routing
from helpline.models import Case, Contact
from tests.world import CARER, DUTY_PHONE, OUR_NUMBER, STRANGER, World


async def test_a_hundred_messages_make_one_case_and_few_answers(world: World) -> None:
    await flood(world, 100)
    await world.settle()

    assert await world.count(Case) == 1
    assert len(await world.all(Contact, Contact.direction == "in")) == 100
    assert len(world.texts_to(STRANGER)) <= 4


async def test_somebody_elses_first_message_does_not_wait_behind_a_flood(world: World) -> None:
    await flood(world, 100)
    await world.house.inbox.keep(Inbound("sms", "c1", CARER, OUR_NUMBER, "about tax"), world.now)
    await routing._one_batch(world.house)  # the very first batch of the running loop

    assert (await world.case_of(CARER)).status == "open"


async def test_the_order_of_the_flooding_sender_is_kept(world: World) -> None:
    await flood(world, 60)
    await world.settle()
    bodies = [contact.body for contact in await world.all(Contact, Contact.direction == "in")]
    assert bodies == [f"spam number {n}" for n in range(60)]


async def test_a_blocked_sender_is_kept_and_not_answered_until_the_block_ends(
    world: World,
) -> None:
    await world.sms(STRANGER, "buy my watches")
    case = await world.case_of(STRANGER)
    async with world.house.db.write() as session:
        await blocks.block(session, case, "adverts", timedelta(hours=24), world.lead, world.now)
    answered = len(world.texts_to(STRANGER))
    await world.sms(STRANGER, "buy my watches now")
    await world.sms(STRANGER, "STATUS")
    assert len(world.texts_to(STRANGER)) == answered
    assert len(await world.all(Contact, Contact.direction == "in")) == 3

    await world.forward(hours=25)
    await world.sms(STRANGER, "STATUS")
    assert len(world.texts_to(STRANGER)) > answered


async def test_a_block_silences_no_emergency(world: World) -> None:
    await world.sms(STRANGER, "buy my watches")
    case = await world.case_of(STRANGER)
    async with world.house.db.write() as session:
        await blocks.block(session, case, "adverts", timedelta(hours=24), world.lead, world.now)
    await world.sms(STRANGER, "he has taken all his tablets and won't wake up")

    assert any("PURPLE" in text for text in world.texts_to(DUTY_PHONE))
    assert "999" in world.texts_to(STRANGER)[-1]


async def flood(world: World, count: int) -> None:
    for number in range(count):
        item = Inbound("sms", f"f{number}", STRANGER, OUR_NUMBER, f"spam number {number}")
        await world.house.inbox.keep(item, world.now)
