"""Casework in stories: tasks that warn, a plan and its end, a person who falls silent, a case that
turns out to be another kind."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from helpline.desk import (
    allegations,
    cases,
    conflicts,
    kinds,
    parts,
    plans,
    referred,
    silence,
    tasks,
    transfer,
)
from helpline.desk.duties import approvals, interviews, notices
from helpline.engine.housekeeping import tidy_up
from helpline.errors import Conflict, InvalidInput, NotAllowed
from helpline.models import (
    Address,
    Alert,
    Case,
    CaseLink,
    Deadline,
    KindChange,
    Note,
    Notice,
    Person,
    Silence,
    Task,
)
from helpline.models import Conflict as Refused
from helpline.vocabulary import CaseKind, ClockStart, ClockStop, LinkKind, Role, SilenceMove
from tests.world import CARER, LEAD_PHONE, STRANGER, WORKER_PHONE, World


async def _act(world: World, act: Any, *given: Any, by: Any = None) -> Any:
    """One act of the desk on Carol's case, in a transaction of its own."""
    found = await world.case_of(CARER)
    async with world.house.db.write() as session:
        case = await session.get(Case, found.id)
        assert case is not None
        done = await act(session, case, *given, by or world.worker, world.now)
    await world.settle()
    return done


async def _in_contract(world: World, act: Any, *given: Any, by: Any = None) -> Any:
    contract = world.house.contracts["essex"]

    async def with_contract(session: Any, case: Case, *rest: Any) -> Any:
        return await act(session, contract, case, *rest)

    return await _act(world, with_contract, *given, by=by)


async def _carol_writes(world: World, text: str = "Can you tell me about tax for carers?") -> None:
    await world.forward(hours=6, minutes=45)
    await world.sms(CARER, text)
    await world.allocate(CARER, world.worker)
    await world.reply(CARER, "Yes. I ring you.")


async def _followed_up(world: World) -> list[str]:
    """What is to be done, but for notes that are still to be written."""
    return [kind for kind in await world.tasks(CARER) if kind != "write_up"]


async def test_a_task_warns_its_owner_a_day_before_and_then_a_lead(world: World) -> None:
    await _carol_writes(world)
    due = world.now + timedelta(days=3)
    what = "Ask the council for the handbook."
    given = await _act(world, tasks.give, "given", what, world.worker.user_id, due)
    told = len(world.texts_to(WORKER_PHONE))
    await world.forward(hours=47)
    assert len(world.texts_to(WORKER_PHONE)) == told
    await world.forward(hours=2)
    warned = world.texts_to(WORKER_PHONE)[told:]
    assert len(warned) == 1 and "handbook" not in warned[0]
    (alert,) = [one for one in await world.all(Alert) if one.kind == "task"]
    assert (alert.rungs, alert.deadline_id) == ("worker", given.deadline_id)
    await world.forward(hours=24)
    late = [one for one in await world.all(Alert) if one.kind == "task" and one.ended_at is None]
    assert [one.rungs for one in late] == ["worker,lead"]
    async with world.house.db.read() as session:
        (mine,) = await tasks.mine(session, world.worker, world.now)
        assert (mine.what, mine.owner) == (what, "Wasim")
        assert await tasks.mine(session, world.duty, world.now) == []
    async with world.house.db.write() as session:
        await tasks.finish(session, given.id, world.worker, world.now)
    still = [one for one in await world.all(Alert) if one.kind == "task" and one.ended_at is None]
    (row,) = await world.all(Deadline, Deadline.id == given.deadline_id)
    assert (still, row.state) == ([], "met") and row.met_at > row.due_at
    assert (await world.case_of(CARER)).next_due_at is None


async def test_a_task_changes_hands_and_time_and_may_turn_out_not_to_be_needed(
    world: World,
) -> None:
    await _carol_writes(world)
    due, later = world.now + timedelta(days=2), world.now + timedelta(days=9)
    task = await _act(world, tasks.give, "given", "Send the leaflet", None, due)
    await _act(world, tasks.change, task.id, world.lead.user_id, later)
    rows = await world.all(Deadline, Deadline.clock == "task.given")
    assert [(row.state, row.due_at) for row in rows] == [("cancelled", due), ("open", later)]
    assert (await world.case_of(CARER)).next_due_at == later
    async with world.house.db.write() as session:
        await tasks.drop(session, task.id, world.worker, world.now)
    (done,) = await world.all(Task, Task.id == task.id)
    assert done.dropped_at == world.now and (await world.case_of(CARER)).next_due_at is None
    await world.close(CARER)
    with pytest.raises(InvalidInput, match="closed"):
        await _act(world, tasks.give, "given", "Too late", None, later)
    with pytest.raises(NotAllowed):
        other = await world.hire("Cora", Role.COMMISSIONER)
        await _act(world, tasks.give, "given", "x", None, later, by=other)


async def test_a_case_with_a_plan_closes_when_its_end_is_agreed(world: World) -> None:
    await _carol_writes(world)
    goals = ["I want to sleep again", "Know what I may claim"]
    made = (goals, "Carol and her husband", date(2026, 11, 3), date(2026, 12, 1), date(2027, 2, 1))
    await _in_contract(world, plans.make, *made)
    with pytest.raises(Conflict, match="plan already"):
        await _in_contract(world, plans.make, *made)
    due = await world.deadlines(CARER)
    assert due["plan.review"].due_at == datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    told = len(world.texts_to(WORKER_PHONE))
    await world.later(hours=24 * 27 + 10)
    assert len(world.texts_to(WORKER_PHONE)) > told
    with pytest.raises(InvalidInput, match="looking at it again"):
        await _in_contract(world, plans.review, "Carol", "Better", date(2026, 11, 30), None)
    await _in_contract(world, plans.review, "Carol", "She sleeps", date(2027, 1, 12), None)
    due = await world.deadlines(CARER)
    assert (due["plan.review"].state, due["plan.review"].due_at.day) == ("open", 12)
    with pytest.raises(InvalidInput, match="has a plan"):
        await world.close(CARER)
    with pytest.raises(NotAllowed):
        await _act(world, plans.let_close, "No time")
    exit_words = ("Two calls more, then by herself", "Carol, her social worker", "Rings us")
    await _act(world, plans.agree_exit, *exit_words)
    await world.close(CARER)
    case = await world.case_of(CARER)
    async with world.house.db.read() as session:
        assert await plans.standing(session, case.id or 0) is None
        assert await plans.exit_of(session, case.id or 0) is not None
    assert (await world.deadlines(CARER))["plan.review"].state == "cancelled"
    assert case.next_due_at is None
    await _in_contract(world, cases.reopen)
    async with world.house.db.read() as session:
        assert await plans.exit_of(session, case.id or 0) is None
        plan = await plans.standing(session, case.id or 0)
    assert plan is not None and plan.next_review_on == date(2027, 1, 12)  # it goes on
    assert (await world.deadlines(CARER))["plan.review"].state == "open"


async def test_who_falls_silent_is_followed_up_and_the_case_stays_open(world: World) -> None:
    await _carol_writes(world)
    await world.later(hours=24 * 13)
    await world.reply(CARER, "How are you?")  # what we write is not hearing from them
    await tidy_up(world.house)
    assert await world.count(Silence) == 0
    await world.forward(hours=25)
    await tidy_up(world.house)
    await tidy_up(world.house)
    assert await _followed_up(world) == ["silent"]
    (task,) = await world.all(Task, Task.kind == "silent")
    assert task.due_at == datetime(2026, 11, 19, 17, 0, tzinfo=UTC)  # two working days
    await world.reply(CARER, "Are you all right?")  # to write is to try again
    assert await _followed_up(world) == []
    told = len(world.texts_to(LEAD_PHONE))
    await world.later(hours=24 * 7)
    await tidy_up(world.house)
    await world.settle()
    assert await _followed_up(world) == ["still_silent"]
    assert len(world.texts_to(LEAD_PHONE)) == told + 1
    with pytest.raises(InvalidInput, match="come next"):
        await _act(world, silence.try_again, SilenceMove.AGREED, " ")
    await _act(world, silence.try_again, SilenceMove.AGREED, "Her own worker visits on Friday")
    assert await _followed_up(world) == [] and (await world.case_of(CARER)).status == "open"
    await tidy_up(world.house)
    assert [one.ended_at is not None for one in await world.all(Silence)] == [True]


async def test_a_silence_ends_when_they_write_and_is_shorter_on_the_pathway(world: World) -> None:
    await _carol_writes(world, "There is an allegation against me")
    assert (await world.case_of(CARER)).kind == "allegation"
    await world.later(hours=24 * 7 + 1)
    await tidy_up(world.house)
    assert await world.tasks(CARER) == ["silent"]
    await world.sms(CARER, "Sorry, I was away")
    await tidy_up(world.house)
    (found,) = await world.all(Silence)
    assert (found.heard_again, await world.tasks(CARER)) == (True, [])


async def test_a_case_turns_out_to_be_another_kind(world: World) -> None:
    await _carol_writes(world)
    assert (await world.case_of(CARER)).kind == "advice"
    await _in_contract(world, cases.set_reason, "complaint")
    assert (await world.case_of(CARER)).kind == "complaint"
    with pytest.raises(InvalidInput, match="few words"):
        await _in_contract(world, kinds.change, "standards", " ")
    await _in_contract(world, kinds.change, "standards", "The council calls it that")
    await _in_contract(world, cases.set_reason, "finance")  # the kind is a person's word now
    case = await world.case_of(CARER)
    assert case.kind == "standards"
    changes = await world.all(KindChange)
    assert [(one.before, one.after) for one in changes] == [
        ("advice", "complaint"),
        ("complaint", "standards"),
    ]
    async with world.house.db.read() as session:
        turns = [row.kind for row in await kinds.history(session, case.id or 0)]
    assert turns[0] == "case.opened" and turns.count("case.kind_set") == 2


async def test_a_referral_is_kept_incomplete_and_chased_until_it_is_whole(world: World) -> None:
    await _carol_writes(world)
    await _in_contract(world, kinds.change, "referral", "Her social worker sent her")
    assert await world.tasks(CARER) == ["referral_gaps"]
    form = await _in_contract(world, referred.fill, {"referrer": "Sue Wren,\n fostering team"})
    assert form.missing == 8 and referred.said_in(form)["referrer"] == "Sue Wren, fostering team"
    contract = world.house.contracts["essex"]
    whole = {one.code: "x" for one in referred.fields_of(contract, "unknown") if one.required}
    form = await _in_contract(world, referred.fill, whole | {"nonsense": "never kept"})
    assert form.complete_at is not None and "nonsense" not in referred.said_in(form)
    assert await world.tasks(CARER) == []
    await _in_contract(world, referred.fill, {"risks": " "})
    assert await world.tasks(CARER) == ["referral_gaps"]


async def test_a_case_goes_over_to_another_contract(world: World) -> None:
    essex = world.house.contracts["essex"]
    other = essex.model_copy(update={"key": "wessex", "name": "Wessex", "reference_prefix": "WX"})
    await world.forward(hours=6, minutes=45)
    await world.sms(CARER, "We move to Wessex and they say I hit him")
    case = await world.case_of(CARER)
    gone = (other, transfer.Handed("They moved house; Carol agreed", "An allegation, day 3."))
    with pytest.raises(NotAllowed):
        await _in_contract(world, transfer.hand_over, *gone)
    with pytest.raises(Conflict, match="Answer them first"):
        await _in_contract(world, transfer.hand_over, *gone, by=world.lead)
    await world.reply(CARER, "I pass it on to Wessex.")
    async with world.house.db.write() as session:
        kept = await cases.add_note(
            session, case, "fact", "Two children at home", world.now, world.worker, world.now
        )
    chosen = transfer.Handed("They moved house", "An allegation, day 3.", [kept.id or 0])
    await world.sms(STRANGER, "I told on her")
    across = await world.case_of(STRANGER)
    await _act(world, parts.link, across, LinkKind.SIDES, "They clash", by=world.lead)
    await _act(world, conflicts.declare, world.duty.user_id, "A neighbour", by=world.lead)
    new = await _in_contract(world, transfer.hand_over, other, chosen, by=world.lead)
    old = await world.case_of(CARER)
    assert (old.status, old.outcome, old.next_due_at) == ("closed", "transferred", None)
    assert (new.contract, new.kind, new.identity) == ("wessex", "allegation", "claimed")
    assert new.reference.startswith("WX-") and new.worker_id is None
    (person,) = await world.all(Person, Person.contract == "wessex")
    assert (person.name, person.register_index) == ("Carol Ashby", None)
    (address,) = await world.all(Address, Address.contract == "wessex")
    assert (address.value, address.from_register) == (CARER, False)
    begun = await world.all(Deadline, Deadline.contract == "wessex", Deadline.starts == "receipt")
    assert {row.started_at for row in begun} == {world.now} and len(begun) >= 2
    bodies = [note.body for note in await world.all(Note, Note.case_id == new.id)]
    assert "Two children at home" in bodies and "An allegation, day 3." in bodies
    links = {(one.case_id, one.other_id, one.kind) for one in await world.all(CaseLink)}
    assert {(new.id, old.id, "follows"), (new.id, across.id, "sides")} < links
    (shut,) = await world.all(Refused, Refused.case_id == new.id)
    assert (shut.user_id, shut.why) == (world.duty.user_id, "A neighbour")


async def test_a_case_does_not_go_over_while_others_wait_because_of_an_allegation(
    world: World,
) -> None:
    essex = world.house.contracts["essex"]
    other = essex.model_copy(update={"key": "wessex", "name": "Wessex", "reference_prefix": "WX"})
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await _carol_writes(world, "they say I hit him")
    carol = (await world.case_of(CARER)).person_id
    told = allegations.Told(person_id=carol, told_at=world.now, track="allegation", told_by="Her")
    await _in_contract(world, allegations.record, told)
    asked = interviews.Asked("Carol", "voluntary", world.now + timedelta(hours=20))
    interview = await _in_contract(world, interviews.record, asked)
    noticed = world.now.date() - timedelta(days=3)
    await _in_contract(world, approvals.record, "determination", "The council", noticed)
    gone = (other, transfer.Handed("They moved house", "An allegation, day 1."))
    with pytest.raises(Conflict, match="Others are still owed word"):
        await _in_contract(world, transfer.hand_over, *gone, by=world.lead)
    for row in await world.all(Notice, Notice.state == "owed"):
        await _in_contract(world, notices.withhold, row.id, "Told by the council", by=sefa)
    with pytest.raises(Conflict, match="An interview with the police"):
        await _in_contract(world, transfer.hand_over, *gone, by=world.lead)
    await _act(world, interviews.call_off, interview.id)
    await _in_contract(world, transfer.hand_over, *gone, by=world.lead)
    stands = {row.stops: row.state for row in await world.all(Deadline) if row.starts != "receipt"}
    assert stands["appeal"] == "open"  # the days that the council's notice gave run on
    assert (await world.case_of(CARER)).status == "closed"


async def test_what_happens_brings_its_tasks_once(world: World) -> None:
    await _carol_writes(world)
    given = await _in_contract(world, tasks.give_for, "unplanned_ending")
    today = world.now.replace(hour=17, minute=0)
    assert given[0].due_at == today and given[3].due_at == today + timedelta(days=14)
    assert (await world.case_of(CARER)).next_due_at == today
    with pytest.raises(Conflict, match="given already"):
        await _in_contract(world, tasks.give_for, "unplanned_ending")
    with pytest.raises(InvalidInput, match="from the list"):
        await _in_contract(world, tasks.give_for, "earthquake")


async def test_clocks_for_one_kind_begin_and_end_with_it(world: World) -> None:
    essex = world.house.contracts["essex"]
    first = essex.clock("first_response")
    told = {"starts": ClockStart.REFERRAL, "stops": ClockStop.FULL_ANSWER}
    reply = first.model_copy(update={"code": "referral_reply"} | told)
    visit = {"code": "visit", "stops": ClockStop.NOTICE, "only_kinds": (CaseKind.CONSULTATION,)}
    clocks = (*essex.clocks, reply, first.model_copy(update=visit))
    changed = essex.model_copy(update={"clocks": clocks})
    changed.__dict__.pop("has_conditions", None)  # it was worked out for the clocks there were
    world.house = replace(world.house, contracts={"essex": changed})
    await _carol_writes(world)
    assert not {"referral_reply", "visit"} & set(await world.deadlines(CARER))
    await _in_contract(world, kinds.change, "referral", "Sent by Sue")
    opened = (await world.case_of(CARER)).opened_at
    begun = (await world.deadlines(CARER))["referral_reply"]
    assert (begun.state, begun.started_at) == ("open", opened)
    await _in_contract(world, kinds.change, "consultation", "Sue asks for herself")
    rows = await world.deadlines(CARER)
    assert (rows["referral_reply"].state, rows["visit"].state) == ("cancelled", "open")
