"""The promises to a carer, each as a story. Times are local unless they say otherwise."""

from datetime import UTC, datetime

from helpline.models import Case, Contact, Event, InboundItem, Person
from helpline.vocabulary import Role
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, STRANGER, World


async def test_a_first_message_at_night_is_answered_within_seconds(world: World) -> None:
    await world.sms(CARER, "they say I hit him")

    (answer,) = world.texts_to(CARER)
    case = await world.case_of(CARER)
    assert case.reference in answer
    assert "by 2.15 am tomorrow, Wednesday" in answer
    assert "999" in answer
    assert "You don't need to tell me what happened." in answer
    assert case.identity == "known"
    assert case.group == "foster_carer"
    assert case.quadrant == "mid"
    assert case.method == "text"


async def test_the_first_answer_asks_one_question_and_never_uses_a_network_word(
    world: World,
) -> None:
    await world.sms(CARER, "need some advice about tax")

    (answer,) = world.texts_to(CARER)
    assert answer.count("?") == 1
    words = set(answer.upper().replace(".", " ").replace(",", " ").split())
    assert not words & {"STOP", "END", "CANCEL", "QUIT", "HELP", "INFO"}


async def test_ten_copies_of_one_message_make_one_case_and_one_answer(world: World) -> None:
    await world.sms(CARER, "they say I hit him", copies=10)

    assert await world.count(InboundItem) == 1
    assert await world.count(Case) == 1
    assert await world.count(Contact) == 2  # theirs and our acknowledgement
    assert len(world.texts_to(CARER)) == 1


async def test_two_messages_of_one_person_make_one_case(world: World) -> None:
    await world.sms(STRANGER, "hello is anyone there")
    await world.sms(STRANGER, "my social worker will not ring me back")

    assert await world.count(Case) == 1


async def test_a_worker_who_replies_at_hour_23_keeps_the_promise(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.forward(hours=23)
    await world.reply(CARER, "Hello Carol, yes. I will ring you at four.")

    answered = (await world.deadlines(CARER))["first_response"]
    assert answered.state == "met"
    assert answered.met_at is not None
    assert answered.met_at <= answered.due_at
    assert world.texts_to(CARER)[-1] == "Hello Carol, yes. I will ring you at four."


async def test_the_automatic_answer_stops_no_clock(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")

    first = (await world.deadlines(CARER))["first_response"]
    assert first.state == "open"
    assert first.answered_automatically_at == world.now


async def test_when_nobody_replies_the_duty_worker_then_the_lead_are_told(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.forward(hours=11, minutes=59)
    assert world.texts_to(DUTY_PHONE) == []

    await world.forward(minutes=2)
    first_page = world.texts_to(DUTY_PHONE)[0]
    case = await world.case_of(CARER)
    assert first_page.startswith(f"Helpline {case.reference} YELLOW.")

    await world.forward(minutes=30)
    assert world.texts_to(LEAD_PHONE)
    await world.forward(hours=12)
    assert any("BLACK" in text for text in world.texts_to(DUTY_PHONE))
    assert "deadline.missed" in await world.events(CARER)


async def test_a_page_shows_a_reference_and_a_colour_and_nothing_else(world: World) -> None:
    await world.sms(CARER, "he says he will kill himself tonight")
    case = await world.case_of(CARER)

    (page,) = world.texts_to(DUTY_PHONE)
    assert page.startswith(f"Helpline {case.reference} PURPLE EMERGENCY. Reply ")
    assert "Carol" not in page
    assert "kill" not in page


async def test_replying_the_code_takes_the_alert_and_the_ladder_rests(world: World) -> None:
    await world.sms(CARER, "he says he will kill himself tonight")
    code = world.texts_to(DUTY_PHONE)[0].split("Reply ")[1][:4]
    await world.sms(DUTY_PHONE, code)
    await world.reply(CARER, "I am ringing you now.", by=world.duty)
    before = len(world.texts_to(DUTY_PHONE))
    await world.forward(hours=2)

    assert "You have" in world.texts_to(DUTY_PHONE)[before - 1]
    assert world.texts_to(LEAD_PHONE) == []
    assert len(world.texts_to(DUTY_PHONE)) == before


async def test_an_emergency_alerts_at_once_and_the_answer_says_999_first(world: World) -> None:
    await world.sms(CARER, "he has taken all his tablets and won't wake up")

    case = await world.case_of(CARER)
    assert case.urgency == "emergency"
    assert len(world.texts_to(DUTY_PHONE)) == 1
    assert world.texts_to(CARER)[0].startswith("If anyone is in danger now, ring 999.")


async def test_yes_to_danger_alerts_whatever_the_first_message_said(world: World) -> None:
    await world.sms(CARER, "hello, about training dates")
    await world.sms(CARER, "training")
    await world.sms(CARER, "yes")

    assert (await world.case_of(CARER)).urgency == "emergency"
    assert len(world.texts_to(DUTY_PHONE)) == 1
    assert "Ring 999 now" in world.texts_to(CARER)[-1]


async def test_allocation_at_hour_25_is_late_and_tells_the_carer_the_name(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.later(hours=25)
    await world.allocate(CARER, world.worker)

    allocation = (await world.deadlines(CARER))["allocation"]
    assert allocation.state == "met"
    assert allocation.met_at is not None
    assert allocation.met_at > allocation.due_at
    assert "Your support worker is Wasim" in world.texts_to(CARER)[-1]


async def test_allocating_again_does_not_start_the_clock_again(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.allocate(CARER, world.worker)
    met_at = (await world.deadlines(CARER))["allocation"].met_at
    await world.forward(hours=3)
    await world.allocate(CARER, world.duty)

    allocation = (await world.deadlines(CARER))["allocation"]
    assert allocation.met_at == met_at
    assert "Dilys" in world.texts_to(CARER)[-1]


async def test_closing_answers_nobody(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.close(CARER)

    states = {clock: row.state for clock, row in (await world.deadlines(CARER)).items()}
    assert states == {"first_response": "open", "allocation": "open"}


async def test_a_closed_case_that_gets_a_message_opens_again_with_a_new_clock(
    world: World,
) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.reply(CARER, "Yes you can.")
    await world.allocate(CARER, world.worker)
    await world.close(CARER)
    await world.later(hours=50)
    await world.sms(CARER, "they turned me down")

    case = await world.case_of(CARER)
    assert case.status == "open"
    assert await world.count(Case) == 1
    again = (await world.deadlines(CARER))["first_response"]
    assert again.state == "open"
    assert again.started_at == world.now
    assert "reference " + case.reference in world.texts_to(CARER)[-1]


async def test_a_stranger_is_helped_and_found_by_name_and_postcode(world: World) -> None:
    await world.sms(STRANGER, "need to talk to somebody about a complaint")
    assert "membership number" in world.texts_to(STRANGER)[0]
    await world.sms(STRANGER, "Carol Ashby CM1 1QH")

    case = await world.case_of(STRANGER)
    assert case.identity == "claimed"
    assert case.quadrant == "mid"
    assert "a person will answer you" in world.texts_to(STRANGER)[1]
    people = await world.all(Person)
    assert len(people) == 1  # the nameless stand-in is gone


async def test_a_stranger_who_ignores_the_questions_loses_nothing(world: World) -> None:
    await world.sms(STRANGER, "need to talk to somebody")
    await world.sms(STRANGER, "I have been fostering for nine years and nobody ever told me this")
    await world.sms(STRANGER, "PERSON")
    sent = len(world.texts_to(STRANGER))
    await world.sms(STRANGER, "it is about the allowance")

    assert len(world.texts_to(STRANGER)) == sent  # no more questions
    contacts = await world.all(Contact, Contact.direction == "in")
    assert len(contacts) == 4
    assert (await world.deadlines(STRANGER))["first_response"].state == "open"


async def test_status_tells_the_next_step_and_its_time(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.sms(CARER, "Status")
    assert "a person will answer you by 2.15 am tomorrow, Wednesday" in world.texts_to(CARER)[-1]

    await world.reply(CARER, "Hello")
    await world.allocate(CARER, world.worker)
    await world.sms(CARER, "STATUS")
    assert "a person has answered you. Your support worker is Wasim." in world.texts_to(CARER)[-1]


async def test_call_asks_a_worker_to_ring_back(world: World) -> None:
    await world.sms(CARER, "CALL")

    assert await world.tasks(CARER) == ["call_back"]
    assert "BLUE" in world.texts_to(DUTY_PHONE)[0]


async def test_an_opt_out_is_never_silence(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    sent = len(world.texts_to(CARER))
    await world.sms(CARER, "STOP")

    assert len(world.texts_to(CARER)) == sent  # the network says goodbye, we say nothing more
    assert await world.tasks(CARER) == ["reach_another_way"]
    await world.allocate(CARER, world.worker)
    assert len(world.texts_to(CARER)) == sent


async def test_what_nobody_can_read_is_in_the_tray_and_its_clock_runs(world: World) -> None:
    await world.unreadable()

    (item,) = await world.all(InboundItem)
    assert item.state == "set_aside"
    assert "TRAY BLUE" in world.texts_to(DUTY_PHONE)[0]
    code = world.texts_to(DUTY_PHONE)[0].split("Reply ")[1][:4]
    await world.sms(DUTY_PHONE, code)
    await world.later(hours=25)
    assert any("TRAY BLACK" in text for text in world.texts_to(DUTY_PHONE))


async def test_with_nobody_on_call_the_lead_is_asked_at_once(world: World) -> None:
    async with world.house.db.write() as session:
        from sqlalchemy import delete

        from helpline.models import Shift

        await session.execute(delete(Shift))
    await world.sms(CARER, "he has taken all his tablets and won't wake up")

    assert len(world.texts_to(LEAD_PHONE)) == 1


async def test_a_duty_phone_that_is_dead_does_not_hold_up_the_ladder(world: World) -> None:
    world.sms_network.offline = True
    await world.sms(CARER, "he has taken all his tablets and won't wake up")
    await world.forward(minutes=25)
    world.sms_network.offline = False
    await world.forward(minutes=10)

    assert world.texts_to(LEAD_PHONE)


async def test_a_message_whose_answer_was_lost_is_not_sent_twice(world: World) -> None:
    world.sms_network.deaf = True
    await world.sms(CARER, "can I claim council tax reduction")
    world.sms_network.deaf = False
    await world.forward(minutes=10)

    assert len(world.texts_to(CARER)) == 1


async def test_every_reading_of_the_case_and_every_act_is_in_the_trail(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.reply(CARER, "Yes")

    assert await world.events(CARER) == ["case.opened", "deadline.met", "case.replied"]
    assert all("Carol" not in str(event.detail) for event in await world.all(Event))


async def test_a_commissioner_finds_no_case(world: World) -> None:
    import pytest

    from helpline.desk.cases import find_case
    from helpline.errors import NotFound

    await world.sms(CARER, "can I claim council tax reduction")
    payer = await world.hire("Petra", Role.COMMISSIONER)
    reference = (await world.case_of(CARER)).reference
    async with world.house.db.read() as session:
        with pytest.raises(NotFound):
            await find_case(session, payer, reference)


async def test_the_night_the_clocks_go_back(world_at_autumn: World) -> None:
    """24 hours from Saturday 24 October 2026 18:00 BST end on Sunday at 17:00 GMT."""
    await world_at_autumn.sms(CARER, "can I claim council tax reduction")

    due = (await world_at_autumn.deadlines(CARER))["first_response"].due_at
    assert due == datetime(2026, 10, 25, 17, 0, tzinfo=UTC)
    assert "by 5 pm tomorrow, Sunday" in world_at_autumn.texts_to(CARER)[0]


async def test_the_night_the_clocks_go_forward(world_at_spring: World) -> None:
    """24 hours from Saturday 27 March 2027 18:00 GMT end on Sunday at 19:00 BST."""
    await world_at_spring.sms(CARER, "can I claim council tax reduction")

    due = (await world_at_spring.deadlines(CARER))["first_response"].due_at
    assert due == datetime(2027, 3, 28, 18, 0, tzinfo=UTC)
    assert "by 7 pm tomorrow, Sunday" in world_at_spring.texts_to(CARER)[0]


async def test_asking_where_things_stand_opens_nothing_again(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.reply(CARER, "Yes you can.")
    await world.allocate(CARER, world.worker)
    await world.close(CARER)
    await world.sms(CARER, "STATUS")
    await world.sms(CARER, "STOP")

    assert (await world.case_of(CARER)).status == "closed"
    assert "this is closed. Write here and it opens again." in world.texts_to(CARER)[-1]


async def test_a_first_message_that_happens_to_be_a_network_word_is_answered(
    world: World,
) -> None:
    await world.sms(STRANGER, "START")
    await world.sms(CARER, "help")

    assert "Your message has arrived" in world.texts_to(STRANGER)[0]
    assert "Your message has arrived" in world.texts_to(CARER)[0]


async def test_ten_frightened_messages_make_one_page_and_a_new_fright_another(
    world: World,
) -> None:
    for _ in range(10):
        await world.sms(CARER, "he has taken all his tablets and won't wake up")
    assert len(world.texts_to(DUTY_PHONE)) == 1
    code = world.texts_to(DUTY_PHONE)[0].split("Reply ")[1][:4]
    await world.sms(DUTY_PHONE, code)
    await world.forward(minutes=40)
    await world.sms(CARER, "he has taken all his tablets and won't wake up")

    assert "PURPLE" in world.texts_to(DUTY_PHONE)[-1]


async def test_two_clocks_that_began_together_page_once(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    await world.forward(hours=12, minutes=1)

    assert len(world.texts_to(DUTY_PHONE)) == 1


async def test_a_name_and_a_postcode_wake_nobody(world: World) -> None:
    await world.sms(STRANGER, "when is the next training evening")
    await world.sms(STRANGER, "Zbigniew Wójcik CO15 9ZZ")

    assert (await world.case_of(STRANGER)).urgency in ("standard", "low")
    assert world.texts_to(DUTY_PHONE) == []
