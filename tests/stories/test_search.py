"""One box: by reference, number, name, place and words, and only what the seeker may see."""

import pytest
from sqlalchemy import func, select, text
from sqlmodel import col

from helpline.desk import cases, complaints, conflicts, elsewhere, incidents, record, search
from helpline.desk.search import Found
from helpline.engine.searching import read_for_search
from helpline.errors import NotAllowed
from helpline.models import Case, Contact, Event, Membership, Person, SearchMark
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.world import CARER, STRANGER, World


async def ask(world: World, question: str, who: Actor | None = None) -> Found:
    await read_for_search(world.house)
    async with world.house.db.write() as session:
        contracts = list(world.house.contracts.values())
        return await search.find(session, who or world.worker, contracts, question, world.now)


def references(found: Found) -> list[str]:
    return [one.row.reference for one in found.cases]


async def test_words_of_messages_and_notes_find_their_case(world: World) -> None:
    await world.sms(CARER, "The police were ringing about the caravan at Clacton")
    await world.sms(STRANGER, "Can I claim for a bicycle?")
    mine = await world.case_of(CARER)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, mine.reference)
        await cases.add_note(
            session, case, "fact", "Solicitor booked for Friday", world.now, world.worker, world.now
        )
        await record.comment(
            session, case, "comment", "", "It was a tent", None, world.now, world.worker, world.now
        )
    asked = ("caravan", "Caravans police", "clacton RINGS", "solicitor", "friday caravan", "tent")
    for question in asked:
        assert references(await ask(world, question)) == [mine.reference], question
    assert references(await ask(world, "caravan bicycle")) == []
    (found,) = (await ask(world, "caravan")).cases
    assert found.piece is not None
    assert found.piece[1] == "caravan"


async def test_people_are_found_by_name_number_and_place(world: World) -> None:
    await world.sms(CARER, "hello")
    async with world.house.db.read() as session:
        carol = await session.get(Person, (await world.case_of(CARER)).person_id)
        homes = await session.scalars(
            Membership.__table__.select().with_only_columns(col(Membership.postcode))  # type: ignore[attr-defined]
        )
        postcode = next(home for home in homes if home)
    assert carol is not None
    assert carol.name
    first, last = carol.name.split()
    for question in (carol.name, first[:3], f"{last} {first}", CARER, "07700 900123", postcode):
        assert carol.id in {one.id for one in (await ask(world, question)).people}, question
    assert (await ask(world, "Zebedee")).is_empty
    reference = (await world.case_of(CARER)).reference
    theirs = (await ask(world, last)).their_cases[carol.id]  # and their cases
    assert [(one.reference, one.is_open) for one in theirs] == [(reference, True)]


async def test_a_reference_or_its_beginning_finds_the_case(world: World) -> None:
    await world.sms(CARER, "hello")
    reference = (await world.case_of(CARER)).reference
    assert references(await ask(world, reference.lower())) == [reference]
    assert references(await ask(world, reference[:6])) == [reference]


async def test_complaints_and_incidents_are_found_by_reference_by_who_may_see_them(
    world: World,
) -> None:
    lena = await world.hire("Lena", Role.LEAD)
    await world.sms(CARER, "The caravan at Clacton")
    case = await world.case_of(CARER)
    essex = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        said = "service", "worker", "carer", "Nobody rang", world.now, "telephone"
        told = complaints.Told(*said, about=(lena.user_id,))
        made = await complaints.log(session, essex, told, world.worker, world.now)
        held = await session.get(Case, case.id)
        assert held is not None
        what = essex.incidents[0].code, "It broke", world.now, world.now
        broke = incidents.Told(*what, case=held)
        found = await incidents.log(session, essex, broke, world.worker, world.now)
        await conflicts.declare(session, held, lena.user_id, "my sister", world.lead, world.now)
    for row in (made, found):
        for question in (row.reference, row.reference.lower(), row.reference.replace("-", "")):
            lines = (await ask(world, question, world.lead)).lines
            assert [one.reference for one in lines] == [row.reference], question
        assert (
            await ask(world, row.reference, lena)
        ).is_empty  # it is about her; it is on his case
    assert (await ask(world, made.reference, world.worker)).is_empty
    assert (await ask(world, "C-", world.lead)).is_empty


async def test_what_somebody_may_not_see_is_not_found(world: World) -> None:
    await world.sms(CARER, "The caravan at Clacton")
    reference = (await world.case_of(CARER)).reference
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, reference)
        await conflicts.declare(
            session, case, world.worker.user_id, "my sister", world.worker, world.now
        )
    for question in ("caravan", reference, "Carol", CARER):
        assert (await ask(world, question)).is_empty, question
    assert references(await ask(world, "caravan", world.lead)) == [reference]
    elsewhere = Actor(world.lead.user_id, "Leonie", Role.LEAD, "another")
    assert (await ask(world, "caravan", elsewhere)).is_empty
    with pytest.raises(NotAllowed):
        await ask(world, "caravan", Actor(9, "Petra", Role.COMMISSIONER, "essex"))


async def test_neither_words_nor_questions_are_left_lying(world: World) -> None:
    await world.sms(CARER, "The caravan at Clacton")
    await ask(world, "caravan")
    async with world.house.db.read() as session:
        kept = (await session.execute(text("SELECT word FROM case_word"))).scalars().all()
        (event,) = await world.all(Event, col(Event.kind) == "search.made")
    assert kept
    assert not {"caravan", "clacton"} & set(kept)
    assert "caravan" not in str(event.detail)


async def test_what_has_moved_to_another_case_is_not_shown_where_it_was(world: World) -> None:
    await world.sms(CARER, "The caravan at Clacton")
    await read_for_search(world.house)
    async with world.house.db.write() as session:
        await session.execute(text("UPDATE contact SET body = NULL"))
    assert references(await ask(world, "caravan")) == []


async def test_a_message_that_moves_takes_with_it_when_they_wrote_last(one_world: World) -> None:
    world = one_world
    await world.sms(CARER, "The caravan at Clacton")
    await world.sms(STRANGER, "I am her husband")
    mine, his, first = await world.case_of(CARER), await world.case_of(STRANGER), world.now
    await world.forward(hours=2)
    await world.sms(CARER, "This is Colin, on her telephone, about the bicycle")
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, mine.reference)
        to = await cases.find_case(session, world.worker, his.reference)
        newest = select(func.max(Contact.id)).where(Contact.direction == "in")
        moved = await session.scalar(newest) or 0
        await elsewhere.move_message(session, case, moved, to, world.worker, world.now)
    assert (await world.case_of(CARER)).last_in_at == first
    assert (await world.case_of(STRANGER)).last_in_at == world.now
    assert references(await ask(world, "bicycle")) == [his.reference]


async def test_few_cases_are_read_in_one_transaction(one_world: World) -> None:
    """A log of cases from before our time is read, and nobody waits for it."""
    world = one_world
    await read_for_search(world.house)
    await world.sms(CARER, "hello")
    carol = (await world.case_of(CARER)).person_id
    async with world.house.db.write() as session:
        for number in range(60):
            case = Case(
                reference=f"ESX-{number:06}",
                contract="essex",
                person_id=carol,
                method="telephone",
                opened_at=world.now,
            )
            session.add(case)
            await session.flush()
            for kind in ("case.opened", "plan.made"):
                session.add(Event(kind=kind, at=world.now, contract="essex", case_id=case.id))
        await session.flush()
        newest = await session.scalar(select(func.max(Event.id))) or 0
    marks = []
    for _ in range(4):
        async with world.house.db.write() as session:
            await search.read_on(session, world.now)
            mark = await session.get(SearchMark, "event")
            assert mark is not None
            marks.append((newest - mark.last_id + 1) // 2)
    assert marks[0] > marks[1] > marks[2] == marks[3] == 0
    assert marks[0] - marks[1] == search.CASES_AT_ONCE


async def test_a_name_that_was_put_right_is_found_by_the_new_one(world: World) -> None:
    await world.sms(CARER, "hello")
    await read_for_search(world.house)
    async with world.house.db.write() as session:
        carol = await session.get(Person, (await world.case_of(CARER)).person_id)
        assert carol is not None
        carol.name = "Caroline Zebedee"
        await session.flush()
        assert await search.read_people_again(session, 0) is not None
    assert len((await ask(world, "Zebedee")).people) == 1
    assert (await ask(world, "Ashby")).people == []
