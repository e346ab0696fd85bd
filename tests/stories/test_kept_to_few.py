"""A case that is kept to a few people, and one that somebody opens in an emergency all the same."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col

from helpline.desk import (
    breaking,
    cases,
    conflicts,
    escalation,
    lists,
    merging,
    readers,
    restricting,
)
from helpline.desk.lists import Filter, Scope
from helpline.engine.searching import read_for_search
from helpline.errors import Conflict, InvalidInput, NotAllowed, NotFound
from helpline.models import Alert, BrokenGlass, Event, Page, Person
from helpline.rules.permissions import Actor, as_for
from helpline.vocabulary import AlertKind, Role
from tests.stories.test_walls import QUESTION, name, two_sides
from tests.world import CARER, LEAD_PHONE, STRANGER, WORKER_PHONE, World

SEFA_PHONE = "+447700900905"
WHY = "she rang and says he is at the door with a knife"


async def kept(world: World, number: str, *who: Actor, by: Actor | None = None) -> str:
    """The reference of this number's case, which only these see from now on."""
    case = await world.case_of(number)
    async with world.house.db.write() as session:
        case = await session.merge(case)
        ids = [one.user_id for one in who]
        await restricting.keep_to(session, case, ids, "a councillor", by or world.lead, world.now)
    await world.settle()
    return case.reference


async def sees(world: World, who: Actor, reference: str) -> bool:
    async with world.house.db.read() as session:
        try:
            await cases.find_case(session, who, reference)
        except NotFound:
            return False
        return True


async def in_inbox(world: World, who: Actor) -> list[str]:
    async with world.house.db.read() as session:
        scope = Scope(who, ["essex"], world.now)
        return [
            row.reference
            for row in (await lists.inbox(session, scope, Filter.ALL, None, world.now)).rows
        ]


async def broken(
    world: World, who: Actor, asked: str, why: str = WHY, number: str | None = None
) -> Actor:
    """They open it in an emergency; who they are from then on."""
    async with world.house.db.write() as session:
        contracts = list(world.house.contracts.values())
        await breaking.open_in_emergency(session, contracts, asked, number, why, who, world.now)
    await world.settle()
    return await as_now(world, who)


async def as_now(world: World, who: Actor) -> Actor:
    async with world.house.db.read() as session:
        opened = await breaking.open_for(session, who.user_id, world.now)
    return replace(who, opened=opened)


# --- kept to a few --------------------------------------------------------------------------------


async def test_a_case_kept_to_a_few_is_there_for_them_alone(world: World) -> None:
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await world.sms(STRANGER, QUESTION)
    reference = await kept(world, STRANGER, world.worker, sefa)
    assert [await sees(world, who, reference) for who in (world.worker, sefa)] == [True, True]
    assert [await sees(world, who, reference) for who in (world.lead, world.duty)] == [False] * 2
    assert reference in await in_inbox(world, world.worker)
    assert await in_inbox(world, world.duty) == []
    await read_for_search(world.house)
    case = await world.case_of(STRANGER)
    for who in (world.worker, world.duty):
        async with world.house.db.read() as session:
            alerts = await lists.open_alerts(session, who, ["essex"], case.id)
            assert bool(alerts) == (who is world.worker)
            found = await session.get(Person, case.person_id)
            assert found is not None
            try:
                await merging.find_person(session, who, case.person_id)
                seen = True
            except NotFound:
                seen = False
        assert seen == (who is world.worker)  # nobody knows her but by this case


async def test_who_is_on_the_register_stays_there_though_the_case_is_not(one_world: World) -> None:
    world = one_world
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await world.sms(CARER, QUESTION)
    await kept(world, CARER, sefa)
    case = await world.case_of(CARER)
    async with world.house.db.read() as session:
        assert await merging.find_person(session, world.duty, case.person_id)
    assert await in_inbox(world, world.duty) == []


async def test_what_is_due_on_it_is_asked_of_those_who_know_of_it(one_world: World) -> None:
    world = one_world
    sefa = await world.hire("Sefa", Role.SAFEGUARDING, SEFA_PHONE)
    await world.sms(CARER, "Please ring me")
    await kept(world, CARER, world.worker, sefa)
    before = len(world.texts_to(WORKER_PHONE))
    asked_duty = len(world.texts_to("+447700900901"))
    await world.forward(hours=26)
    assert len(world.texts_to(WORKER_PHONE)) > before
    assert len(world.texts_to("+447700900901")) == asked_duty  # who is on call may not know


async def test_whoever_supports_them_and_somebody_who_leads_stay(one_world: World) -> None:
    world = one_world
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await world.sms(CARER, QUESTION)
    await world.allocate(CARER, world.worker)
    with pytest.raises(InvalidInput, match="Wasim supports them"):
        await kept(world, CARER, sefa)
    with pytest.raises(InvalidInput, match="tick one of Sefa"):
        await kept(world, CARER, world.worker)
    with pytest.raises(InvalidInput, match="Tick who"):
        await kept(world, CARER)
    with pytest.raises(NotAllowed):
        await kept(world, CARER, world.worker, sefa, by=world.worker)
    await kept(world, CARER, world.worker, sefa)
    with pytest.raises(Conflict):
        await world.allocate(CARER, world.duty, by=sefa)  # not one of the few


async def test_it_can_be_changed_and_lifted(one_world: World) -> None:
    world = one_world
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await world.sms(CARER, QUESTION)
    reference = await kept(world, CARER, sefa)
    await kept(world, CARER, sefa, world.duty, by=sefa)
    assert await sees(world, world.duty, reference)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, sefa, reference)
        await restricting.lift(session, case, sefa, world.now)
        with pytest.raises(NotFound):
            await restricting.lift(session, case, sefa, world.now)
    assert await sees(world, world.worker, reference)
    told = [kind for kind in await world.events(CARER) if "restrict" in kind]
    assert told == ["case.restricted", "case.restricted", "case.unrestricted"]


# --- in an emergency ------------------------------------------------------------------------------


async def test_a_case_behind_a_wall_is_opened_for_an_hour_and_the_leads_hear_of_it(
    world: World,
) -> None:
    await world.hire("Sefa", Role.SAFEGUARDING, SEFA_PHONE)
    carers, daughters = await two_sides(world)
    amara = await world.hire("Amara", Role.WORKER)
    await name(world, carers, world.worker)
    await name(world, daughters, amara)
    assert not await sees(world, amara, carers)
    now = await broken(world, amara, carers)
    assert await sees(world, now, carers)
    assert any(carers in text for text in world.texts_to(SEFA_PHONE))
    assert any(carers in text for text in world.texts_to(LEAD_PHONE))
    assert "glass.broken" in await world.events(CARER)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, now, carers)
        await cases.add_note(session, case, "fact", "police are there", world.now, now, world.now)
    await world.forward(minutes=61)
    assert not await sees(world, await as_now(world, amara), carers)
    assert await sees(world, amara, daughters)  # helping in an emergency took no side


async def test_it_opens_reading_and_helping_and_nothing_else(one_world: World) -> None:
    world = one_world
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await world.sms(CARER, QUESTION)
    reference = await kept(world, CARER, sefa)
    now = await broken(world, world.duty, reference)
    for action, is_open in [("case.read", True), ("case.reply", True), ("case.close", False)]:
        async with world.house.db.read() as session:
            query_as = as_for(now, action)
            try:
                await cases.find_case(session, query_as, reference)
                found = True
            except NotFound:
                found = False
        assert found == is_open, action


async def test_the_number_somebody_rings_from_opens_their_case_too(one_world: World) -> None:
    world = one_world
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await world.sms(STRANGER, QUESTION)
    reference = await kept(world, STRANGER, sefa)
    now = await broken(world, world.duty, "07700 900456", number=STRANGER)
    assert await sees(world, now, reference)


async def test_ones_own_case_and_a_conflict_open_to_nobody(one_world: World) -> None:
    world = one_world
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await world.sms(STRANGER, QUESTION)
    olive = await world.hire("Olive", Role.WORKER, STRANGER)  # a carer works here too
    own = (await world.case_of(STRANGER)).reference
    await world.sms(CARER, QUESTION)
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        case = await session.merge(case)
        await conflicts.declare(
            session, case, world.duty.user_id, "a neighbour", world.lead, world.now
        )
    colin = await world.hire("Colin", Role.COMMISSIONER)
    quinn = await world.hire("Quinn", Role.COMPLAINTS)
    elsewhere = replace(sefa, contract="elsewhere")
    for who, asked in [(olive, own), (world.duty, case.reference), (elsewhere, own)]:
        with pytest.raises(NotFound, match="no such case, or it cannot be opened"):
            await broken(world, who, asked)
    with pytest.raises(NotFound, match="no such case, or it cannot be opened"):
        await broken(world, world.duty, "ESX-000000")
    for who in (colin, quinn):
        with pytest.raises(NotAllowed):
            await broken(world, who, case.reference)
    assert await world.count(BrokenGlass) == 0


async def test_a_reason_is_typed_and_pressing_twice_is_once(one_world: World) -> None:
    world = one_world
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await world.sms(CARER, QUESTION)
    reference = await kept(world, CARER, sefa)
    with pytest.raises(InvalidInput, match="Say in a sentence"):
        await broken(world, world.duty, reference, why="999")
    await broken(world, world.duty, reference)
    await broken(world, world.duty, reference)
    await broken(world, sefa, reference)  # hers to see anyhow: nothing is broken
    assert await world.count(BrokenGlass) == 1
    assert len(await glass_alerts(world)) == 2


async def test_somebody_else_looks_at_whether_it_was_right(world: World) -> None:
    sefa = await world.hire("Sefa", Role.SAFEGUARDING, SEFA_PHONE)
    await world.sms(CARER, QUESTION)
    reference = await kept(world, CARER, sefa)
    lead = await broken(world, world.lead, reference)
    ((first, *_),) = [await glass_alerts(world)]
    asked = await world.all(Page, Page.alert_id == first.id)
    assert {page.user_id for page in asked} == {sefa.user_id}
    async with world.house.db.write() as session:
        with pytest.raises(Conflict, match="somebody else"):
            await escalation.acknowledge(session, first.id or 0, lead.user_id, world.now)
    async with world.house.db.write() as session:
        assert await breaking.to_review(session, ["essex"], lead) == []
        (row,) = await breaking.to_review(session, ["essex"], sefa)
        assert row.why == WHY
        with pytest.raises((Conflict, NotFound)):
            await breaking.review(session, row.id, "yes", "", lead, world.now)
        with pytest.raises(InvalidInput):
            await breaking.review(session, row.id, "no", "", sefa, world.now)
        await breaking.review(session, row.id, "no", "no danger", sefa, world.now)
        with pytest.raises(Conflict):
            await breaking.review(session, row.id, "yes", "", sefa, world.now)
    assert all(alert.ended_at for alert in await glass_alerts(world))
    assert "glass.reviewed" in await world.events(CARER)


async def glass_alerts(world: World) -> list[Any]:
    return list(await world.all(Alert, Alert.kind == AlertKind.GLASS))


# --- who read mine --------------------------------------------------------------------------------


async def test_whoever_asks_is_shown_who_read_their_cases(world: World) -> None:
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    await world.sms(CARER, QUESTION)
    reference = await kept(world, CARER, sefa)
    duty = await broken(world, world.duty, reference)
    for who in (sefa, duty, duty):
        async with world.house.db.write() as session:
            case = await cases.find_case(session, who, reference)
            await cases.record_reading(session, case, who, world.now)
    async with world.house.db.write() as session:
        person = await session.get(Person, case.person_id)
        assert person is not None
        assert await readers.readings_of(session, person, world.worker) == []  # kept from him
        shown = await readers.readings_of(session, person, sefa)
        await readers.note_shown(session, person, "telephone", world.worker, world.now)
        with pytest.raises(InvalidInput):
            await readers.note_shown(session, person, "", world.worker, world.now)
    told = [(one.who, one.role, one.reference, one.was_emergency, one.times) for one in shown]
    assert sorted(told) == [
        ("Dilys", "worker", reference, True, 2),
        ("Sefa", "safeguarding", reference, False, 1),
    ]
    (event,) = await world.all(Event, col(Event.kind) == "readers.shown")
    assert isinstance(event, Event)
    assert event.detail == {"person": case.person_id, "how": "telephone"}
