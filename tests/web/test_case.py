"""The way of one case through its page: read, answer, allocate, note, call, close."""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from helpline.models import Case, CaseSupport, Contact, Event, Note, Task, User
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, STRANGER, World


async def at_case(
    world: World, arrive: Arrive, name: str = "wasim", text: str = "Please ring me"
) -> tuple[Visitor, str]:
    await world.sms(CARER, text)
    path = f"/cases/{(await world.case_of(CARER)).reference}"
    guest = await arrive(world, name)
    assert await guest.get(path) == 200
    return guest, path


async def test_a_reply_leaves_for_the_carers_phone_and_keeps_the_promise(
    world: World, arrive: Arrive
) -> None:
    guest, path = await at_case(world, arrive)
    assert "Answer: due in 24 h, tomorrow 02:15" in guest.text
    assert "To 07700 900123 by text message" in guest.text
    assert await guest.post(f"{path}/replies", {"text": "Hello Carol, I can ring at ten."}) == 200
    assert guest.path == f"{path}?done=reply"
    assert "Your reply is on its way." in guest.text
    assert "Answer: done today 02:15" in guest.text
    assert world.house.wakes.sending.is_set()
    await world.settle()
    assert world.texts_to(CARER)[-1] == "Hello Carol, I can ring at ten."
    await guest.get(path)
    assert "Wasim by text message today 02:15 sent" in guest.text


async def test_pressing_send_twice_sends_one_text(world: World, arrive: Arrive) -> None:
    guest, path = await at_case(world, arrive)
    for _ in range(2):
        assert await guest.post(f"{path}/replies", {"text": "I can ring at ten."}) == 200
    await world.settle()
    assert world.texts_to(CARER).count("I can ring at ten.") == 1
    await world.forward(minutes=3)
    await guest.post(f"{path}/replies", {"text": "I can ring at ten."})
    await world.settle()
    assert world.texts_to(CARER).count("I can ring at ten.") == 2


async def test_what_was_typed_survives_a_refusal(one_world: World, arrive: Arrive) -> None:
    guest, path = await at_case(one_world, arrive)
    long = "A careful answer. " * 100
    assert await guest.post(f"{path}/replies", {"text": long}) == 400
    assert long.strip() in guest.page
    assert "That did not work" in guest.text
    note = {"kind": "gossip", "body": "Something I typed for a while", "happened_at": ""}
    assert await guest.post(f"{path}/notes", note) == 400
    assert "Something I typed for a while" in guest.page
    assert '<details class="hl-act" id="note" data-focus="note-body" open>' in guest.page
    call = {"direction": "out", "result": "spoke", "minutes": "ten", "body": "We spoke about it"}
    assert await guest.post(f"{path}/calls", call) == 400
    assert "We spoke about it" in guest.page
    assert 'value="ten"' in guest.page
    urgency = {"urgency": "low", "why": ""}
    await guest.post(f"{path}/urgency", {"urgency": "urgent", "why": "since yesterday"})
    assert await guest.post(f"{path}/urgency", urgency) == 400
    closure = [("support", "information"), ("support", "advocacy"), ("outcome", "")]
    assert await guest.post(f"{path}/closure", closure) == 400
    assert guest.page.count("checked") >= 2
    assert (await one_world.case_of(CARER)).status == "open"
    advised = [("support", "legal_advice"), ("outcome", "information_given")]
    advised += [("adviser_legal_advice", "else"), ("adviser_name_legal_advice", "Ms Finch")]
    assert await guest.post(f"{path}/closure", advised) == 400
    assert "Legal advice: say by what qualification they gave it." in guest.text
    assert 'href="#adviser_legal_advice"' in guest.page
    assert 'value="Ms Finch"' in guest.page
    advised.append(("qualification_legal_advice", "solicitor"))
    advised.append(("although", "They were helped elsewhere."))
    assert await guest.post(f"{path}/closure", advised) == 200
    assert (await one_world.case_of(CARER)).status == "closed"


async def test_a_worker_asks_a_lead_for_a_case_of_their_own_for_somebody_else(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await at_case(one_world, arrive)
    child = {"name": "Ada", "role": "own_child", "group": "own_child"}
    assert await guest.post(f"{path}/people/parts", child) == 200
    assert "Their own case, their own worker" in guest.text
    asked = {
        name: re.findall(rf'name="{name}" value="([^"]+)"', guest.page)[-1]
        for name in ("what", "due")
    }
    asked["owner"] = str(one_world.lead.user_id)
    assert await guest.post(f"{path}/plan/tasks", asked) == 200
    lead = await arrive(one_world, "leonie")
    await lead.get(f"{path}/plan")
    assert "Open a case of their own, with another support worker, for Ada" in lead.text


async def test_a_closed_case_in_the_meantime_is_a_conflict_and_the_page_says_so(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await at_case(one_world, arrive)
    await one_world.close(CARER)
    form = [("support", "information"), ("outcome", "information_given")]
    assert await guest.post(f"{path}/closure", form) == 409
    assert "This case is closed" in guest.text


async def test_a_worker_takes_the_case_and_the_carer_is_told(world: World, arrive: Arrive) -> None:
    guest, path = await at_case(world, arrive)
    form = {"worker": str(world.worker.user_id)}
    assert await guest.post(f"{path}/allocation", form) == 200
    assert "Support worker: you" in guest.text
    assert "Worker: done today 02:15" in guest.text
    await world.forward(minutes=1)  # until then naming somebody is undone without a word
    assert "Your support worker is Wasim" in world.texts_to(CARER)[-1]


async def test_only_a_lead_names_somebody_else(one_world: World, arrive: Arrive) -> None:
    guest, path = await at_case(one_world, arrive)
    form = {"worker": str(one_world.duty.user_id)}
    assert await guest.post(f"{path}/allocation", form) == 403
    assert "Your sign-in does not allow this" in guest.text
    lead = await arrive(one_world, "leonie")
    await lead.get(path)
    assert "Name a support worker" in lead.text
    assert await lead.post(f"{path}/allocation", form) == 200
    assert "Support worker: Dilys" in lead.text


async def test_a_note_keeps_its_kind_and_when_it_happened(world: World, arrive: Arrive) -> None:
    guest, path = await at_case(world, arrive)
    note = {"kind": "own_words", "body": "“I am so tired.”", "happened_at": "2026-11-02T21:30"}
    assert await guest.post(f"{path}/notes", note) == 200
    assert "In their own words , noted by Wasim yesterday 21:30" in guest.text
    assert "written down today 02:15" in guest.text
    (row,) = await world.all(Note)
    assert isinstance(row, Note)
    assert row.happened_at == datetime(2026, 11, 2, 21, 30, tzinfo=UTC)


async def test_what_is_written_down_within_a_minute_stands_in_its_order(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await at_case(one_world, arrive)
    await one_world.forward(minutes=0.5)
    assert await guest.post(f"{path}/replies", {"text": "I can ring at ten."}) == 200
    await one_world.forward(minutes=0.2)
    note = {"kind": "fact", "body": "They sounded tired.", "happened_at": "2026-11-03T02:15"}
    assert await guest.post(f"{path}/notes", note) == 200
    what_happened = guest.text[guest.text.index("What happened") :]
    assert what_happened.index("I can ring at ten.") < what_happened.index("They sounded tired.")


async def test_local_time_is_meant_in_summer_too(one_world: World, arrive: Arrive) -> None:
    guest, path = await at_case(one_world, arrive)
    note = {"kind": "fact", "body": "Seen in summer", "happened_at": "2026-07-01T12:00"}
    assert await guest.post(f"{path}/notes", note) == 200
    (row,) = await one_world.all(Note)
    assert isinstance(row, Note)
    assert row.happened_at == datetime(2026, 7, 1, 11, 0, tzinfo=UTC)


async def test_nothing_happened_in_the_future(one_world: World, arrive: Arrive) -> None:
    guest, path = await at_case(one_world, arrive)
    note = {"kind": "fact", "body": "Tomorrow", "happened_at": "2026-11-04T09:00"}
    assert await guest.post(f"{path}/notes", note) == 400
    assert await one_world.count(Note) == 0


async def test_a_conversation_on_the_telephone_answers_and_voicemail_does_not(
    world: World, arrive: Arrive
) -> None:
    guest, path = await at_case(world, arrive)
    call = {"direction": "out", "result": "voicemail", "minutes": "", "body": ""}
    assert await guest.post(f"{path}/calls", call) == 200
    assert "We rang , reached voicemail, Wasim" in guest.text
    assert "Answer: due in 24 h" in guest.text
    call = {"direction": "out", "result": "spoke", "minutes": "12", "body": "She feels better."}
    assert await guest.post(f"{path}/calls", call) == 200
    assert "We rang , spoke, 12 min, Wasim" in guest.text
    assert "Answer: done today 02:15" in guest.text


async def test_reason_and_urgency_are_a_workers_word(world: World, arrive: Arrive) -> None:
    guest, path = await at_case(world, arrive)
    assert await guest.post(f"{path}/reason", {"reason": "finance"}) == 200
    form = {"urgency": "emergency", "why": ""}
    assert await guest.post(f"{path}/urgency", form) == 200
    case = await world.case_of(CARER)
    assert (case.reason, case.reason_from, case.urgency) == ("finance", "worker", "emergency")
    assert "Reason changed to Personal finance, by Wasim" in guest.text


async def test_closing_takes_support_and_outcome_and_opening_again_works(
    world: World, arrive: Arrive
) -> None:
    guest, path = await at_case(world, arrive)
    assert "Nobody has answered this person yet." in guest.text
    form = [("support", "information"), ("support", "advocacy"), ("outcome", "support_completed")]
    assert await guest.post(f"{path}/closure", form) == 400  # nobody waits in vain without a word
    assert "Nobody has answered this person yet. Answer them, or say why" in guest.text
    assert (await world.case_of(CARER)).status == "open"
    form.append(("although", "They rang to say it was a wrong number."))
    assert await guest.post(f"{path}/closure", form) == 200
    assert "Closed: Support completed." in guest.text
    assert "Still owed, closed or not: Answer them , due in" in guest.text
    assert "Why: They rang to say it was a wrong number." in guest.text
    assert await world.count(CaseSupport) == 2
    assert await guest.post(f"{path}/reopening") == 200
    assert "The case is open again." in guest.text
    assert (await world.case_of(CARER)).status == "open"


async def test_a_task_is_shown_first_and_can_be_finished(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "Please")
    guest, path = await at_case(world, arrive, text="CALL")
    assert "Ring them back" in guest.text
    (task,) = await world.all(Task)
    assert isinstance(task, Task)
    assert await guest.post(f"{path}/tasks/{task.id}/end") == 200
    assert "Ring them back" not in guest.text
    await world.sms(STRANGER, "Hello")
    other = (await world.case_of(STRANGER)).reference
    assert await guest.post(f"/cases/{other}/tasks/{task.id}/end") == 404


async def test_somebody_who_asked_not_to_be_texted_cannot_be(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "Please ring me")
    guest, path = await at_case(world, arrive, text="STOP")
    assert "They asked today 02:15 not to be written to by text message" in guest.text
    assert f'action="{path}/replies"' not in guest.page
    assert await guest.post(f"{path}/replies", {"text": "Hello"}) == 409
    sent = await world.all(Contact, Contact.kind == "message", Contact.direction == "out")
    assert not sent


async def test_opening_a_case_is_recorded_and_its_live_part_is_not(
    world: World, arrive: Arrive
) -> None:
    guest, path = await at_case(world, arrive)
    assert await guest.get(f"{path}?part=live") == 200
    assert "<html" not in guest.page
    readings = [e for e in await world.events(CARER) if e == "case.read"]
    assert len(readings) == 1
    await guest.get(path)
    assert "Wasim: 2 times, last today 02:15" in guest.text


async def test_a_case_of_another_contract_is_as_good_as_none(world: World, arrive: Arrive) -> None:
    guest, path = await at_case(world, arrive)
    async with world.house.db.write() as session:
        await session.execute(update(Case).values(contract="elsewhere"))
        await session.execute(update(User).where(User.name == "wasim").values(contract="essex"))
    assert await guest.get(path) == 404
    theirs = guest.text
    await guest.get("/cases/ESX-NONE99")
    assert guest.text == theirs
    assert await guest.post(f"{path}/replies", {"text": "Hello"}) == 404
    assert not await world.all(Event, Event.kind == "case.replied")
    await guest.get("/inbox")
    assert "There is no open case." in guest.text


async def test_two_workers_one_case_both_see_what_the_other_did(
    world: World, arrive: Arrive
) -> None:
    guest, path = await at_case(world, arrive)
    lead = await arrive(world, "leonie")
    await lead.get(path)
    await guest.post(f"{path}/replies", {"text": "I can ring at ten."})
    await lead.get(f"{path}?part=live")
    assert "I can ring at ten." in lead.text


async def test_a_stranger_is_shown_as_one_and_a_worker_without_phone_reaches_them(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(STRANGER, "I need some help")
    guest = await arrive(one_world, "wasim")
    await guest.get(f"/cases/{(await one_world.case_of(STRANGER)).reference}")
    assert "Somebody not known yet" in guest.text
    assert "not from the register" in guest.text
    assert "To 07700 900456 by text message" in guest.text


async def test_a_long_story_is_cut_and_can_be_read_from_its_beginning(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await at_case(one_world, arrive, text="This was the very first word")
    case = await one_world.case_of(CARER)
    async with one_world.house.db.write() as session:
        for number in range(230):
            session.add(
                Note(
                    case_id=case.id,
                    kind="fact",
                    body=f"note number {number}",
                    happened_at=one_world.now + timedelta(seconds=number),
                    written_at=one_world.now + timedelta(seconds=number),
                    by_user_id=one_world.worker.user_id,
                )
            )
    await guest.get(path)
    assert "note number 229" in guest.text
    assert "note number 20 " not in guest.text
    assert "Show everything from the beginning" in guest.text
    await guest.get(f"{path}?all=1")
    assert "note number 20 " in guest.text
    assert guest.text.count("This was the very first word") == 2  # on the timeline, and as next


async def test_a_commissioner_sees_no_case_even_with_its_address(
    everybody: World, arrive: Arrive
) -> None:
    _, path = await at_case(everybody, arrive)
    colin = await arrive(everybody, "colin")
    for address in [path, f"{path}?part=live", path.replace("/cases", "/live/cases")]:
        assert await colin.get(address) == 403
        assert "Carol" not in colin.page
