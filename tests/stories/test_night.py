"""What a carer meets at two in the morning besides an emergency, as stories."""

from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from helpline.clock import MovableClock
from helpline.desk import blocks, cases, waiting
from helpline.desk.intake import HELD
from helpline.errors import NotFound
from helpline.models import Alert, Complaint, ComplaintAbout, Deadline, Event
from helpline.web.hooks import take_in
from tests.world import CARER, DUTY_PHONE, OUR_NUMBER, STRANGER, World


async def test_the_police_at_the_door_wake_the_duty_worker_and_stay_urgent(world: World) -> None:
    await world.sms(STRANGER, "the police arrested me and took my phone")

    assert (await world.case_of(STRANGER)).urgency == "urgent"
    (page,) = world.texts_to(DUTY_PHONE)
    assert "RED" in page
    assert "police" not in page.lower()
    await world.sms(STRANGER, "police are still here")
    assert len(world.texts_to(DUTY_PHONE)) == 1  # one page for one fright


async def test_a_question_later_is_told_with_whom_it_is_by_when_and_whom_to_ring(
    world: World,
) -> None:
    await world.sms(STRANGER, "I need some advice about a meeting")
    await world.sms(STRANGER, "PERSON")
    await world.sms(STRANGER, "should I sign the police statement")

    told = world.texts_to(STRANGER)[-1]
    assert "by 2.15 am tomorrow, Wednesday" in told
    assert "0808 157 0100" in told
    assert "Legal helpline" in told
    sent = len(world.texts_to(STRANGER))
    await world.sms(STRANGER, "should I bring my own notes")
    assert len(world.texts_to(STRANGER)) == sent  # once is enough
    assert (await world.events(STRANGER)).count(HELD) == 1


async def test_who_is_not_answered_was_told_nothing(one_world: World) -> None:
    world = one_world
    await world.sms(STRANGER, "I need some advice about a meeting")
    await world.sms(STRANGER, "PERSON")
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, (await world.case_of(STRANGER)).reference)
        day = timedelta(hours=24)
        await blocks.block(session, case, "adverts", day, world.lead, world.now)
    sent = len(world.texts_to(STRANGER))
    await world.sms(STRANGER, "should I bring my own notes")
    assert len(world.texts_to(STRANGER)) == sent
    assert HELD not in await world.events(STRANGER)


async def test_ring_me_in_plain_words_is_a_call_back_and_may_be_taken_back(world: World) -> None:
    await world.sms(STRANGER, "I need some advice about a meeting")
    await world.sms(STRANGER, "ring me please")
    assert await world.tasks(STRANGER) == ["call_back"]
    assert "BLUE" in world.texts_to(DUTY_PHONE)[0]

    await world.sms(STRANGER, "actually dont ring me")
    assert await world.tasks(STRANGER) == []
    assert "task.dropped" in await world.events(STRANGER)
    assert "We will not ring you" in world.texts_to(STRANGER)[-1]
    asked = len(world.texts_to(DUTY_PHONE))
    await world.forward(hours=2)
    assert len(world.texts_to(DUTY_PHONE)) == asked


async def test_who_asks_not_to_be_written_to_is_not_and_a_worker_finds_another_way(
    world: World,
) -> None:
    await world.sms(STRANGER, "pls dont text me here, my husband reads my phone")
    await world.sms(STRANGER, "STATUS")

    assert world.texts_to(STRANGER) == []
    assert "reach_another_way" in await world.tasks(STRANGER)


async def test_nobody_learns_by_trying_names_who_is_on_the_register(world: World) -> None:
    for number, name in ((STRANGER, "Carol Ashby CM1 1QH"), ("+447700900457", "Robin Vale")):
        await world.sms(number, "need to talk to somebody about a complaint")
        await world.sms(number, name)

    said = [world.texts_to(number)[1].split("\n")[0] for number in (STRANGER, "+447700900457")]
    assert said[0] == said[1]


async def test_a_word_nobody_can_read_after_the_danger_question_reaches_a_person(
    world: World,
) -> None:
    for text in ("hello", "FC1001", "2"):
        await world.sms(STRANGER, text)
    before = len(world.texts_to(DUTY_PHONE))
    await world.sms(STRANGER, "jawoll")

    assert "send YES" in world.texts_to(STRANGER)[-1]
    assert len(world.texts_to(DUTY_PHONE)) == before + 1
    await world.sms(STRANGER, "tak")
    assert (await world.case_of(STRANGER)).urgency == "emergency"


async def test_a_young_person_is_not_asked_for_a_membership_number(world: World) -> None:
    await world.sms(STRANGER, "hello im 13 and my mum fosters, can i ask you something")

    (answer,) = world.texts_to(STRANGER)
    assert "Childline" in answer
    assert "membership number" not in answer


async def test_in_an_emergency_999_is_said_once_with_somebody_to_talk_to(world: World) -> None:
    await world.sms(STRANGER, "I want to die")

    (answer,) = world.texts_to(STRANGER)
    assert answer.count("999") == 1
    assert "A duty worker is being told now." in answer
    assert "Samaritans" in answer
    assert "0808 157 0100" in answer


async def test_an_allegation_chosen_from_the_menu_is_urgent(world: World) -> None:
    await world.sms(STRANGER, "hello")
    await world.sms(STRANGER, "FC1001")
    await world.sms(STRANGER, "1")

    case = await world.case_of(STRANGER)
    assert (case.reason, case.urgency) == ("allegation", "urgent")


async def test_a_complaint_is_hidden_from_whom_it_names(world: World) -> None:
    await world.sms(STRANGER, "I want to make a complaint about Dilys, she told my sister")

    (complaint,) = await world.all(Complaint)
    (about,) = await world.all(ComplaintAbout)
    assert isinstance(complaint, Complaint) and isinstance(about, ComplaintAbout)
    assert (about.user_id, about.by_user_id) == (world.duty.user_id, None)
    async with world.house.db.read() as session:
        with pytest.raises(NotFound):
            await cases.find_case(session, world.duty, (await world.case_of(STRANGER)).reference)
        board = await waiting.board(session, world.house.contracts, world.lead, world.now)
    assert world.duty.user_id not in {one.worker_id for one in board.rows[0].proposals}
    assert "We have also written this down as a complaint" in world.texts_to(STRANGER)[0]


async def test_a_complaint_in_a_conversation_is_logged_and_told(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.sms(CARER, "PERSON")
    await world.sms(CARER, "my worker Dilys never rings me back and she is rude")

    assert await world.count(Complaint) == 1
    assert "Your complaint has arrived" in world.texts_to(CARER)[-1]
    async with world.house.db.read() as session:
        board = await waiting.board(session, world.house.contracts, world.lead, world.now)
    for row in board.rows:
        assert world.duty.user_id not in {one.worker_id for one in row.proposals}


async def test_emergencies_are_taken_one_by_one_and_each_person_hears_who_has_theirs(
    world: World,
) -> None:
    people = [STRANGER, "+447700900457", "+447700900458"]
    for number in people:  # all in the same second
        written = world.sms_network.write(number, OUR_NUMBER, "he has a knife and is at the door")
        await take_in(world.house, world.sms_network, written)
    await world.settle()
    (asked,) = world.texts_to(DUTY_PHONE)
    assert "3 alerts" in asked
    assert "PURPLE EMERGENCY. Reply" in asked
    assert asked.count("take that one") == 1
    code = asked.split("Reply ")[1][:4]

    for left in (2, 1, 0):
        await world.sms(DUTY_PHONE, code)
        answer = world.texts_to(DUTY_PHONE)[-1]
        assert (f"{left} more wait. The next is ESX-" in answer) is bool(left)
        told = [n for n in people if "Dilys from the helpline" in world.texts_to(n)[-1]]
        assert len(told) == 3 - left


async def test_a_late_answer_is_owned_up_to_once(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    sent = len(world.texts_to(CARER))
    await world.forward(hours=30)

    (sorry,) = world.texts_to(CARER)[sent:]
    assert "by 2.15 am today, and nobody has. We are sorry." in sorry
    assert "0808 157 0100" in sorry


async def test_two_promises_of_one_wait_are_owned_up_to_once(one_world: World) -> None:
    world = one_world
    await world.sms(CARER, "can I claim council tax reduction")
    sent = len(world.texts_to(CARER))
    first = (await world.deadlines(CARER))["first_response"]
    async with world.house.db.write() as session:
        facts = first.model_dump(exclude={"id"})
        later = first.due_at + timedelta(hours=3)
        session.add(Deadline(**facts | {"due_at": later, "next_alert_at": later}))
    assert isinstance(world.clock, MovableClock)
    for hours in (25, 3):
        world.clock.forward(timedelta(hours=hours))
        await world.settle()

    assert len(world.texts_to(CARER)[sent:]) == 1
    assert len(await world.all(Event, Event.kind == "deadline.missed")) >= 2


async def test_an_alert_is_not_lost_where_nobody_can_be_told_that_we_are_late(
    one_world: World,
) -> None:
    world = one_world
    await world.sms(CARER, "can I claim council tax reduction")
    sent = len(world.texts_to(CARER))
    async with world.house.db.write() as session:
        await session.execute(sql("UPDATE address SET value = 'sealed by a key that is gone'"))
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(timedelta(hours=25))
    await world.settle()

    assert len(world.texts_to(CARER)) == sent
    asked = await world.all(Alert, Alert.kind == "breach")
    first = (await world.deadlines(CARER))["first_response"]
    assert first.id in {one.deadline_id for one in asked if isinstance(one, Alert)}


async def test_who_was_answered_in_time_hears_of_no_delay(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.reply(CARER, "Yes you can.")
    sent = len(world.texts_to(CARER))
    await world.forward(hours=30)

    assert len(world.texts_to(CARER)) == sent
