"""The ladder as promises: whom an alert asks, by which way, when not, and what taking it means."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from helpline.desk import cases, conflicts, promises, trails
from helpline.engine.deliver import deliver_all
from helpline.engine.watch import watch
from helpline.errors import InvalidInput, NotFound
from helpline.models import Alert, Conflict, Deadline, Event, Page, User
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role, ShiftKind, Urgency
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, STRANGER, WORKER_PHONE, World

EMERGENCY = "he says he will kill himself tonight"
QUESTION = "can I claim council tax reduction"


def code_in(text: str) -> str:
    return text.split("Reply ")[1][:4]


async def stand_by(world: World, who: Actor, kind: ShiftKind) -> None:
    from helpline.desk import rota

    async with world.house.db.write() as session:
        ends = world.now + timedelta(days=30)
        await rota.add_shift(session, "essex", who.user_id, world.now, ends, kind)


async def change(world: World, who: Actor, **values: object) -> None:
    async with world.house.db.write() as session:
        user = await session.get(User, who.user_id)
        assert user is not None
        for name, value in values.items():
            setattr(user, name, value)


def essex(world: World, **ladder: object) -> None:
    """The same contract with another ladder."""
    contract = world.house.contracts["essex"]
    changed = contract.ladder.model_copy(update=ladder)
    world.house.contracts["essex"] = contract.model_copy(update={"ladder": changed})  # type: ignore[index]


# --- taking it -----------------------------------------------------------------------------------


async def test_taken_and_forgotten_it_goes_on_up_the_ladder_after_half_an_hour(
    world: World,
) -> None:
    await world.sms(CARER, EMERGENCY)
    await world.sms(DUTY_PHONE, code_in(world.texts_to(DUTY_PHONE)[0]))
    await world.forward(minutes=29)
    assert world.texts_to(LEAD_PHONE) == []
    assert len(world.texts_to(DUTY_PHONE)) == 2  # the alert, and "You have"

    await world.forward(minutes=2)
    assert len(world.texts_to(DUTY_PHONE)) == 3
    await world.forward(minutes=10)
    assert len(world.texts_to(LEAD_PHONE)) == 1
    assert "alert.given_back" in await world.events(CARER)
    (alert,) = await world.all(Alert)
    assert isinstance(alert, Alert) and alert.acknowledged_by_id is None


async def test_taken_and_acted_on_it_rests(world: World) -> None:
    await world.sms(CARER, EMERGENCY)
    await world.sms(DUTY_PHONE, code_in(world.texts_to(DUTY_PHONE)[0]))
    await world.forward(minutes=20)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.duty, (await world.case_of(CARER)).reference)
        await cases.add_note(
            session, case, "fact", "I rang 999 with her.", world.now, world.duty, world.now
        )
    await world.forward(hours=3)
    assert world.texts_to(LEAD_PHONE) == []
    assert "alert.given_back" not in await world.events(CARER)


async def test_whoever_answers_first_and_takes_it_afterwards_has_acted(world: World) -> None:
    await world.sms(CARER, EMERGENCY)
    await world.forward(minutes=1)
    told = len(world.texts_to(CARER))
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.duty, (await world.case_of(CARER)).reference)
        essex = world.house.contracts["essex"]
        await cases.reply(session, essex, case, "I am ringing you now.", world.duty, world.now)
    await world.forward(minutes=1)
    await world.sms(DUTY_PHONE, code_in(world.texts_to(DUTY_PHONE)[0]))
    await world.forward(hours=2)
    assert "alert.given_back" not in await world.events(CARER)
    said = world.texts_to(CARER)[told:]
    assert any("I am ringing you now." in one for one in said)
    assert not any("looking at it now" in one for one in said)  # their own words were enough
    async with world.house.db.read() as session:
        assert await trails.taken(session, world.duty, ["essex"]) == []


async def test_reading_the_case_is_not_doing_something(world: World) -> None:
    await world.sms(CARER, EMERGENCY)
    await world.sms(DUTY_PHONE, code_in(world.texts_to(DUTY_PHONE)[0]))
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.duty, (await world.case_of(CARER)).reference)
        await cases.record_reading(session, case, world.duty, world.now)
    await world.forward(minutes=31)
    assert "alert.given_back" in await world.events(CARER)


async def test_given_back_it_can_be_taken_by_somebody_else(world: World) -> None:
    await world.sms(CARER, EMERGENCY)
    await world.sms(DUTY_PHONE, code_in(world.texts_to(DUTY_PHONE)[0]))
    await world.forward(minutes=45)
    await world.sms(LEAD_PHONE, code_in(world.texts_to(LEAD_PHONE)[0]))
    (alert,) = await world.all(Alert)
    assert isinstance(alert, Alert) and alert.acknowledged_by_id == world.lead.user_id


async def test_an_old_code_of_somebody_elses_message_takes_nothing(world: World) -> None:
    await world.sms(CARER, EMERGENCY)
    code = code_in(world.texts_to(DUTY_PHONE)[0])
    await world.sms(LEAD_PHONE, code)
    assert "fits no open alert" in world.texts_to(LEAD_PHONE)[-1]
    (alert,) = await world.all(Alert)
    assert isinstance(alert, Alert) and alert.acknowledged_at is None


async def test_round_and_round_until_somebody_takes_it(world: World) -> None:
    await world.sms(CARER, EMERGENCY)
    await world.forward(hours=3)
    duty, lead = world.texts_to(DUTY_PHONE), world.texts_to(LEAD_PHONE)
    assert len(duty) + len(lead) == 19  # at once, then every ten minutes
    assert len(lead) == 6


# --- each person's own means ---------------------------------------------------------------------


async def test_own_means_in_ones_own_order_one_after_the_other(world: World) -> None:
    await change(world, world.duty, telegram="5551", means="telegram,sms")
    await world.sms(CARER, QUESTION)
    await world.forward(hours=12, minutes=1)
    assert len(world.telegram_network.on("5551")) == 1
    assert world.texts_to(DUTY_PHONE) == []
    await world.forward(minutes=10)
    assert len(world.texts_to(DUTY_PHONE)) == 1


async def test_an_emergency_uses_every_way_at_once(world: World) -> None:
    await change(world, world.duty, telegram="5551", means="telegram,sms")
    await world.sms(CARER, EMERGENCY)
    assert len(world.telegram_network.on("5551")) == len(world.texts_to(DUTY_PHONE)) == 1
    same = {code_in(world.telegram_network.on("5551")[0].text)}
    assert same == {code_in(world.texts_to(DUTY_PHONE)[0])}


async def test_backup_and_manager_are_rungs_of_their_own(world: World) -> None:
    essex(world, rungs=("on_call", "backup", "manager"))
    manager = await world.hire("Mina", Role.LEAD, "+447700900905")
    await stand_by(world, world.worker, ShiftKind.BACKUP)
    await stand_by(world, manager, ShiftKind.MANAGER)
    await world.sms(CARER, EMERGENCY)
    assert world.texts_to(WORKER_PHONE) == []
    await world.forward(minutes=11)
    assert len(world.texts_to(WORKER_PHONE)) == 1 and world.texts_to("+447700900905") == []
    await world.forward(minutes=10)
    assert len(world.texts_to("+447700900905")) == 1
    assert world.texts_to(LEAD_PHONE) == []  # Leonie stands on no rung of this ladder


async def test_whoever_wrote_stop_is_rung_and_the_next_is_asked_in_the_same_moment(
    world: World,
) -> None:
    await stand_by(world, world.worker, ShiftKind.BACKUP)
    await world.sms(CARER, EMERGENCY)
    assert world.texts_to(WORKER_PHONE) == []
    await world.sms(DUTY_PHONE, "STOP")
    assert len(world.texts_to(WORKER_PHONE)) == 1
    asked = len(world.texts_to(DUTY_PHONE))
    await world.forward(hours=1)
    assert len(world.texts_to(DUTY_PHONE)) == asked
    assert world.texts_to(LEAD_PHONE)


# --- who is never asked --------------------------------------------------------------------------


async def declared(world: World, number: str, who: Actor, by: Actor) -> None:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, by, (await world.case_of(number)).reference)
        why = "they are a neighbour of mine"
        await conflicts.declare(session, case, who.user_id, why, by, world.now)


async def test_whoever_is_in_conflict_is_never_asked(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await declared(world, CARER, world.duty, world.duty)
    await world.forward(hours=30)
    assert world.texts_to(DUTY_PHONE) == []
    assert len(world.texts_to(LEAD_PHONE)) > 5
    (kept,) = await world.all(Conflict)
    assert isinstance(kept, Conflict) and kept.why == "they are a neighbour of mine"


async def test_a_conflict_in_one_case_silences_no_other(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await declared(world, CARER, world.duty, world.lead)
    await world.sms(STRANGER, EMERGENCY)
    reference = (await world.case_of(STRANGER)).reference
    assert [reference in text for text in world.texts_to(DUTY_PHONE)] == [True]


async def test_only_a_lead_says_it_of_others_and_ends_it(world: World) -> None:
    from helpline.errors import NotAllowed

    await world.sms(CARER, QUESTION)
    with pytest.raises(NotAllowed):
        await declared(world, CARER, world.duty, world.worker)
    await declared(world, CARER, world.duty, world.lead)
    (kept,) = await world.all(Conflict)
    assert isinstance(kept, Conflict)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, (await world.case_of(CARER)).reference)
        with pytest.raises(NotAllowed):
            await conflicts.end(session, case, kept.id or 0, world.duty, world.now)
        await conflicts.end(session, case, kept.id or 0, world.lead, world.now)
    await world.forward(hours=12, minutes=1)
    assert len(world.texts_to(DUTY_PHONE)) == 1


async def test_a_case_of_somebody_of_ours_is_not_theirs_to_be_asked_about(world: World) -> None:
    """Dilys fosters herself: her case never rings her own telephone."""
    await world.member("Dilys Moor", "FC2002", DUTY_PHONE)
    await world.sms(STRANGER, EMERGENCY)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, (await world.case_of(STRANGER)).reference)
        from sqlalchemy import select
        from sqlmodel import col

        from helpline.models import Person

        dilys = await session.scalar(
            select(Person)
            .where(col(Person.register_id).is_not(None), col(Person.id) != case.person_id)
            .order_by(col(Person.id).desc())
        )
        assert dilys is not None and dilys.name == "Dilys Moor"
        case.person_id = dilys.id or 0
    before = len(world.texts_to(DUTY_PHONE))
    await world.forward(hours=2)
    assert len(world.texts_to(DUTY_PHONE)) == before
    assert len(world.texts_to(LEAD_PHONE)) > 5


@pytest.mark.parametrize("seed", range(2))
async def test_whoever_it_is_about_is_not_asked_whatever_the_rota(world: World, seed: int) -> None:
    """Generated: staff, shifts, ladders, conflicts declared before and during the climb."""
    chance = random.Random(seed)
    staff = [world.duty, world.lead, world.worker]
    for n in range(5):
        role = chance.choice((Role.WORKER, Role.WORKER, Role.LEAD))
        staff.append(await world.hire(f"Staff {n}", role, f"+4477009007{n:02}"))
    for who in staff[3:]:
        for kind in chance.sample(list(ShiftKind), chance.randint(0, 2)):
            await stand_by(world, who, kind)
    rungs = chance.choices(("on_call", "backup", "lead", "manager", "worker"), k=4)
    essex(world, rungs=("on_call", *rungs))
    carers = [f"+44770090060{n}" for n in range(3)]
    for number in carers:
        await world.sms(number, EMERGENCY)
    shut_out: dict[tuple[int, int], datetime] = {}
    for _ in range(6):
        number, who = chance.choice(carers), chance.choice(staff)
        case = await world.case_of(number)
        if chance.random() < 0.7:
            await declared(world, number, who, world.lead)
            shut_out.setdefault((case.id or 0, who.user_id), world.now)
        await world.forward(hours=chance.choice((0.1, 0.5, 1, 2)))

    alerts = {a.id: a.case_id for a in await world.all(Alert) if isinstance(a, Alert)}
    pages = [page for page in await world.all(Page) if isinstance(page, Page)]
    assert pages and shut_out
    for page in pages:
        since = shut_out.get((alerts[page.alert_id] or 0, page.user_id))
        assert since is None or page.at <= since, (seed, page)


# --- a flood, and an outage ----------------------------------------------------------------------


async def test_six_hours_down_with_two_hundred_breaches(world: World) -> None:
    many = 200 if world.house.db.is_sqlite else 60  # the same there, and four times as long
    numbers = [f"+4477009{number:05}" for number in range(200, 200 + many)]
    for number in numbers:
        asked = world.sms_network.write(number, "+447700900000", QUESTION)
        from helpline.web.hooks import take_in

        await take_in(world.house, world.sms_network, asked)
    await world.settle()
    await world.forward(hours=11)
    for number in (DUTY_PHONE, LEAD_PHONE):
        assert world.texts_to(number) == []
    was = world.now
    world.clock.forward(timedelta(hours=19))  # type: ignore[attr-defined]  # nothing ran meanwhile
    await world.settle()
    await world.forward(hours=1)

    missed = await world.all(Event, Event.kind == "deadline.missed")
    due = {
        deadline.due_at.isoformat()
        for deadline in await world.all(Deadline)
        if isinstance(deadline, Deadline)
    }
    assert len(missed) == 2 * many
    assert {event.detail["due_at"] for event in missed if isinstance(event, Event)} == due
    assert all(was < datetime.fromisoformat(at) for at in due)
    assert (
        len([a for a in await world.all(Alert) if isinstance(a, Alert) and not a.ended_at]) == many
    )
    for number in (DUTY_PHONE, LEAD_PHONE):
        texts = world.texts_to(number)
        assert 0 < len(texts) <= 10
        assert f"{many} alerts" in texts[0]
    await world.sms(DUTY_PHONE, code_in(world.texts_to(DUTY_PHONE)[-1]))
    assert f"You have {many} alerts" in world.texts_to(DUTY_PHONE)[-1]
    before = len(world.texts_to(DUTY_PHONE))
    await world.forward(minutes=29)
    assert len(world.texts_to(DUTY_PHONE)) == before


async def test_an_emergency_waits_for_no_quiet_time(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await world.forward(hours=12)
    assert len(world.texts_to(DUTY_PHONE)) == 1  # the first warning
    await world.sms(STRANGER, EMERGENCY)
    assert "PURPLE" in world.texts_to(DUTY_PHONE)[1]


async def test_what_comes_within_five_minutes_comes_as_one(world: World) -> None:
    for n in range(6):
        await world.sms(f"+44770090040{n}", QUESTION)
        await world.forward(minutes=1)
    await world.forward(hours=12)
    texts = world.texts_to(DUTY_PHONE)
    assert "YELLOW" in texts[0] and "alerts" not in texts[0]
    assert "alerts" in texts[1]
    assert len(texts) <= 3


async def test_emergencies_one_after_another_come_at_most_each_minute(world: World) -> None:
    for n in range(30):
        await world.sms(f"+4477009004{n:02}", EMERGENCY)
    assert len(world.texts_to(DUTY_PHONE)) == 1
    await world.forward(minutes=1)
    assert len(world.texts_to(DUTY_PHONE)) == 2
    assert "29 alerts" in world.texts_to(DUTY_PHONE)[1]


# --- a worker's word -----------------------------------------------------------------------------


async def promised(world: World, kind: str, hours: float, by: Actor) -> int:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, by, (await world.case_of(CARER)).reference)
        contract = world.house.contracts["essex"]
        due = world.now + timedelta(hours=hours)
        what = "" if kind != "other" else "send the form"
        given = await promises.give(session, contract, case, kind, what, due, by, world.now)
        return given.id or 0


async def test_whoever_gave_their_word_is_asked_first(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await world.reply(CARER, "I'll ring you at four.")
    await world.allocate(CARER, world.worker)
    await promised(world, "call", 2, world.worker)
    await world.forward(hours=1, minutes=44)
    assert world.texts_to(WORKER_PHONE) == []
    await world.forward(minutes=2)
    assert "AMBER" in world.texts_to(WORKER_PHONE)[0]
    assert world.texts_to(DUTY_PHONE) == []
    await world.forward(minutes=10)
    assert "AMBER" in world.texts_to(DUTY_PHONE)[0]
    await world.forward(minutes=10)
    assert any("BLACK" in text for text in world.texts_to(WORKER_PHONE))


async def test_a_conversation_keeps_the_word(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await world.allocate(CARER, world.worker)
    kept = await promised(world, "call", 2, world.worker)
    other = await promised(world, "other", 3, world.worker)
    await world.forward(minutes=30)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(CARER)).reference)
        contract = world.house.contracts["essex"]
        await cases.record_call(
            session, contract, case, "out", "spoke", 5, "", world.now, world.worker, world.now
        )
    rows = {row.id: row for row in await world.all(Deadline) if isinstance(row, Deadline)}
    assert (rows[kept].state, rows[kept].met_at) == ("met", world.now)
    assert rows[other].state == "open"
    await world.forward(hours=2)
    assert world.texts_to(WORKER_PHONE) == []


async def test_a_lead_sees_how_promises_went(world: World) -> None:
    await world.sms(CARER, QUESTION)
    ids = [await promised(world, "other", hours, world.worker) for hours in (1, 2, 3, 4, 50)]
    for hours, deadline_id in ((0.5, ids[0]), (2.5, ids[1])):
        await world.forward(hours=hours)
        async with world.house.db.write() as session:
            case = await cases.find_case(
                session, world.worker, (await world.case_of(CARER)).reference
            )
            await promises.keep(session, case, deadline_id, world.worker, world.now)
    async with world.house.db.write() as session:
        await promises.withdraw(session, case, ids[3], world.worker, world.now)
    await world.forward(hours=2)
    async with world.house.db.read() as session:
        (rate,) = await promises.kept_rates(
            session, "essex", world.now - timedelta(days=90), world.now
        )
    assert (rate.who, rate.due) == ("Wasim", 3)
    assert (rate.kept, rate.late, rate.broken) == (1, 1, 1)


async def test_a_promise_can_be_withdrawn_until_its_time_has_passed(world: World) -> None:
    await world.sms(CARER, QUESTION)
    first = await promised(world, "write", 2, world.worker)
    late = await promised(world, "other", 1, world.worker)

    async def act(what: object, deadline_id: int, number: str = CARER) -> None:
        async with world.house.db.write() as session:
            case = await cases.find_case(
                session, world.worker, (await world.case_of(number)).reference
            )
            await what(session, case, deadline_id, world.worker, world.now)  # type: ignore[operator]

    await act(promises.withdraw, first)
    await world.forward(hours=1, minutes=1)
    with pytest.raises(InvalidInput, match="has passed"):
        await act(promises.withdraw, late)
    await act(promises.keep, late)
    await world.sms(STRANGER, QUESTION)
    with pytest.raises(NotFound):
        await act(promises.keep, first, STRANGER)
    states = {row.id: row.state for row in await world.all(Deadline) if isinstance(row, Deadline)}
    assert (states[first], states[late]) == ("cancelled", "met")


@pytest.mark.parametrize(
    ("kind", "what", "hours", "said"),
    [
        ("call", "", -1, "has passed"),
        ("call", "", 24 * 400, "more than a year"),
        ("sing", "", 1, "to ring, to write"),
        ("other", "  ", 1, "few words"),
        ("other", "x" * 201, 1, "shorter"),
    ],
)
async def test_a_promise_that_makes_no_sense_is_refused(
    world: World, kind: str, what: str, hours: float, said: str
) -> None:
    await world.sms(CARER, QUESTION)
    before = await world.count(Deadline)
    with pytest.raises(InvalidInput, match=said):
        async with world.house.db.write() as session:
            case = await cases.find_case(
                session, world.worker, (await world.case_of(CARER)).reference
            )
            due = world.now + timedelta(hours=hours)
            contract = world.house.contracts["essex"]
            await promises.give(session, contract, case, kind, what, due, world.worker, world.now)
    assert await world.count(Deadline) == before


# --- clocks that depend on what it is about ------------------------------------------------------


def with_emergency_clock(world: World) -> None:
    """L02: an emergency is answered within an hour."""
    contract = world.house.contracts["essex"]
    hour = contract.clocks[0].model_copy(
        update={
            "code": "emergency_response",
            "limit": 1,
            "warn_after_hours": (),
            "only_urgency": (Urgency.EMERGENCY,),
        }
    )
    changed = contract.model_copy(update={"clocks": (*contract.clocks, hour)})
    world.house.contracts["essex"] = changed  # type: ignore[index]


async def test_a_message_that_raises_urgency_starts_its_own_clock(world: World) -> None:
    with_emergency_clock(world)
    await world.sms(CARER, QUESTION)
    assert "emergency_response" not in await world.deadlines(CARER)
    await world.forward(hours=5)
    await world.sms(CARER, EMERGENCY)
    found = await world.deadlines(CARER)
    assert found["emergency_response"].due_at == world.now + timedelta(hours=1)
    assert found["first_response"].due_at == world.now + timedelta(hours=19)
    await world.reply(CARER, "I am here.")
    met = {clock: row.state for clock, row in (await world.deadlines(CARER)).items()}
    assert met["emergency_response"] == met["first_response"] == "met"


async def set_urgency(world: World, urgency: str) -> None:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(CARER)).reference)
        contract = world.house.contracts["essex"]
        await cases.set_urgency(
            session, contract, case, urgency, "I spoke to her", world.worker, world.now
        )


async def test_lowered_before_its_time_the_clock_is_cancelled_and_kept_to_be_read(
    world: World,
) -> None:
    with_emergency_clock(world)
    await world.sms(CARER, EMERGENCY)
    await world.forward(minutes=30)
    await set_urgency(world, "standard")
    hour = (await world.deadlines(CARER))["emergency_response"]
    assert (hour.state, hour.next_alert_at) == ("cancelled", None)
    assert "deadline.cancelled" in await world.events(CARER)
    await set_urgency(world, "emergency")
    again = (await world.deadlines(CARER))["emergency_response"]
    assert again.id != hour.id and again.state == "open"
    assert again.due_at == hour.due_at  # as urgent when it came as it is now


async def test_what_was_missed_stays_missed_and_what_was_met_stays_met(world: World) -> None:
    with_emergency_clock(world)
    await world.sms(CARER, EMERGENCY)
    await world.forward(hours=2)
    await set_urgency(world, "low")
    hour = (await world.deadlines(CARER))["emergency_response"]
    assert hour.state == "open" and hour.due_at < world.now
    await world.reply(CARER, "I am here now.")
    assert (await world.deadlines(CARER))["emergency_response"].met_at == world.now
    await set_urgency(world, "emergency")
    assert len(await world.all(Deadline, Deadline.clock == "emergency_response")) == 1


async def test_a_clock_that_the_contract_does_not_restart_stays_as_it_was(world: World) -> None:
    contract = world.house.contracts["essex"]
    first = contract.clocks[0].model_copy(update={"reopening": "keep"})
    changed = contract.model_copy(update={"clocks": (first, *contract.clocks[1:])})
    world.house.contracts["essex"] = changed  # type: ignore[index]
    await world.sms(CARER, QUESTION)
    await world.reply(CARER, "Yes, you can.")
    await world.close(CARER)
    await world.forward(hours=2)
    await world.sms(CARER, "and another thing")
    rows = await world.all(Deadline, Deadline.clock == "first_response")
    assert len(rows) == 1
    assert (await world.case_of(CARER)).status == "open"


async def test_the_stages_that_were_asked_are_all_on_record(world: World) -> None:
    await world.sms(CARER, EMERGENCY)
    await world.forward(minutes=45)
    kinds = [kind for kind in await world.events(CARER) if kind.startswith("alert.")]
    assert kinds[:2] == ["alert.raised", "alert.asked"]
    assert kinds.count("alert.asked") == 5
    pages = [page for page in await world.all(Page) if isinstance(page, Page)]
    assert all(page.message_id is not None for page in pages)
    assert [page.at.astimezone(UTC).minute for page in pages] == [15, 25, 35, 45, 55]


async def test_two_nodes_that_climb_at_once_ask_once(world: World) -> None:
    import asyncio

    await world.sms(CARER, QUESTION)
    world.clock.forward(timedelta(hours=12, seconds=1))  # type: ignore[attr-defined]
    await asyncio.gather(*(watch(world.house) for _ in range(4)))
    await deliver_all(world.house)
    assert len(world.texts_to(DUTY_PHONE)) == 1
