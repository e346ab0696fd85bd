"""A person who is not safe to write to at any hour."""

from datetime import time

from helpline.desk import safety
from helpline.models import Event
from helpline.rules.safety import SafeRules
from tests.world import CARER, World


async def test_a_reply_at_night_waits_until_it_is_safe(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await set_rules(world, SafeRules(begins=time(9), ends=time(15)))
    sent = len(world.texts_to(CARER))
    await world.reply(CARER, "Yes you can.")

    assert len(world.texts_to(CARER)) == sent
    assert "message.held_back" in await world.events(CARER)
    assert (await world.deadlines(CARER))["first_response"].state == "met"
    await world.forward(hours=7)
    assert world.texts_to(CARER)[-1] == "Yes you can."


async def test_neutral_words_go_instead_of_the_real_ones(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await set_rules(world, SafeRules(neutral_only=True, code_name="Aunt May"))
    await world.reply(CARER, "The allegation meeting is on Monday.")

    assert world.texts_to(CARER)[-1].startswith("Aunt May: you have a message waiting.")


async def test_not_by_text_becomes_a_task_for_a_person(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await set_rules(world, SafeRules(not_by=("sms",)))
    sent = len(world.texts_to(CARER))
    await world.reply(CARER, "Yes you can.")

    assert len(world.texts_to(CARER)) == sent
    assert await world.tasks(CARER) == ["reach_another_way"]


async def test_that_stricter_rules_came_with_a_join_is_in_the_trail(one_world: World) -> None:
    world = one_world
    await world.sms(CARER, "can I claim council tax reduction")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        for _ in range(2):
            held = SafeRules(no_voicemail=True)
            await safety.hold_to(session, case.person_id, held, world.worker.user_id, world.now)
    (event,) = await world.all(Event, Event.kind == "person.safe_contact_set")
    assert isinstance(event, Event)
    assert (event.contract, event.by_user_id) == ("essex", world.worker.user_id)
    assert event.detail["no_voicemail"] is True


async def set_rules(world: World, rules: SafeRules) -> None:
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        await safety.set_rules(session, case, rules, world.worker, world.now)
