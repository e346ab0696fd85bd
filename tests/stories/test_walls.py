"""Two sides of one matter: nobody works on both, and nobody sees across, by any function."""

import pytest

from helpline.desk import attachments, cases, conflicts, lists, merging, parts
from helpline.desk.lists import Filter, Scope
from helpline.errors import Conflict, InvalidInput, NotAllowed, NotFound
from helpline.models import Case, Person
from helpline.rules.permissions import Actor
from helpline.vocabulary import LinkKind, PartRole, Role
from tests.world import CARER, World

QUESTION = "they say I hurt him"


async def two_sides(world: World) -> tuple[str, str]:
    """The references of a carer's case and of their daughter's, with a wall between."""
    contract = world.house.contracts["essex"]
    await world.sms(CARER, QUESTION)
    mine = await world.case_of(CARER)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, mine.reference)
        part = await parts.write_down(
            session, contract, case, "Tess Ashby", "own_child", "own_child", world.lead, world.now
        )
        other = await parts.separate(
            session, contract, case, part.id or 0, "she said it", world.lead, world.now
        )
    return mine.reference, other.reference


async def name(world: World, reference: str, who: Actor) -> None:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, reference)
        await cases.allocate(
            session,
            world.house.contracts["essex"],
            case,
            who.user_id,
            world.lead,
            world.now,
            wording=world.house.wording,
        )


async def sees(world: World, who: Actor, reference: str) -> bool:
    async with world.house.db.read() as session:
        try:
            await cases.find_case(session, who, reference)
        except NotFound:
            return False
    return True


async def inbox(world: World, who: Actor) -> set[str]:
    async with world.house.db.read() as session:
        scope = Scope(who, ["essex"], world.now)
        page = await lists.inbox(session, scope, Filter.ALL, None, world.now)
        assert (await lists.counts(session, scope))[Filter.ALL] == len(page.rows)
    return {row.reference for row in page.rows}


async def test_each_side_has_its_worker_and_neither_sees_the_other(world: World) -> None:
    amara = await world.hire("Amara", Role.WORKER)
    carers, hers = await two_sides(world)
    assert await inbox(world, world.worker) == {carers, hers}  # whoever took no side yet
    await name(world, carers, world.worker)
    await name(world, hers, amara)
    assert await inbox(world, world.worker) == {carers}
    assert await inbox(world, amara) == {hers}
    assert await inbox(world, world.lead) == {carers, hers}
    assert not await sees(world, world.worker, hers)
    assert not await sees(world, amara, carers)

    # nor the people of the other side, nor what they sent, nor that there is an alert
    async with world.house.db.read() as session:
        daughter = (await cases.find_case(session, amara, hers)).person_id
        carer = (await cases.find_case(session, world.worker, carers)).person_id
        for who, person in ((world.worker, daughter), (amara, carer)):
            with pytest.raises(NotFound):
                await merging.find_person(session, who, person)
        assert not await parts.linked(session, 1, world.worker)
        shut = await conflicts.of_cases(session, [1, 2])
    assert shut[1] == {amara.user_id}
    assert shut[2] == {world.worker.user_id}


async def test_who_has_worked_on_one_side_is_never_named_on_the_other(world: World) -> None:
    amara = await world.hire("Amara", Role.WORKER)
    carers, hers = await two_sides(world)
    await name(world, carers, world.worker)
    with pytest.raises(Conflict, match="must not work on this case"):
        await name(world, hers, world.worker)
    await name(world, carers, amara)  # they gave it up: what they know, they know
    with pytest.raises(Conflict, match="must not work on this case"):
        await name(world, hers, world.worker)


async def test_who_answers_for_one_side_has_taken_it(world: World) -> None:
    carers, hers = await two_sides(world)
    await world.reply(CARER, "I am ringing you now", by=world.duty)
    assert await sees(world, world.duty, carers)
    assert not await sees(world, world.duty, hers)


async def test_the_safeguarding_lead_looks_at_both_and_a_lead_who_answers_does_not(
    world: World,
) -> None:
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    carers, hers = await two_sides(world)
    for who in (sefa, world.lead):
        async with world.house.db.write() as session:
            case = await cases.find_case(session, who, carers)
            await cases.add_note(
                session,
                case,
                "decision",
                "Two workers.",
                world.now,
                who,
                world.now,
                why="Their interests clash.",
            )
    assert await sees(world, sefa, hers)
    assert not await sees(world, world.lead, hers)


async def test_a_wall_is_not_put_up_over_a_worker_who_has_both(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await world.sms("+447700900777", "my foster mum is in trouble")
    one, other = await world.case_of(CARER), await world.case_of("+447700900777")
    for case in (one, other):
        await name(world, case.reference, world.worker)
    async with world.house.db.write() as session:
        here = await cases.find_case(session, world.lead, one.reference)
        there = await cases.find_case(session, world.lead, other.reference)
        with pytest.raises(Conflict, match="Wasim is the support worker of both"):
            await parts.link(
                session, here, there, LinkKind.SIDES, "they clash", world.lead, world.now
            )
        with pytest.raises(NotAllowed):
            await parts.link(session, here, there, LinkKind.SIDES, "x", world.worker, world.now)
        with pytest.raises(InvalidInput, match="with itself"):
            await parts.link(session, here, here, LinkKind.RELATED, "x", world.lead, world.now)
        made = await parts.link(
            session, here, there, LinkKind.RELATED, "x", world.worker, world.now
        )
        with pytest.raises(Conflict, match="already"):
            await parts.link(session, here, there, LinkKind.RELATED, "x", world.lead, world.now)
        await parts.end_link(session, there, made.id or 0, world.worker, world.now)
        assert not await parts.linked(session, here.id or 0)


async def test_a_wall_that_comes_down_lets_them_see_again(world: World) -> None:
    carers, hers = await two_sides(world)
    await name(world, carers, world.worker)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, carers)
        (link,) = await parts.linked(session, case.id or 0)
        with pytest.raises(NotAllowed):
            await parts.end_link(session, case, link.id, world.worker, world.now)
        await parts.end_link(session, case, link.id, world.lead, world.now)
    assert await sees(world, world.worker, hers)


async def test_who_declares_a_conflict_does_not_see_the_case_any_more(world: World) -> None:
    await world.sms(CARER, QUESTION)
    reference = (await world.case_of(CARER)).reference
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, reference)
        await conflicts.declare(
            session, case, world.worker.user_id, "my sister", world.worker, world.now
        )
    assert not await sees(world, world.worker, reference)
    assert await inbox(world, world.worker) == set()
    with pytest.raises(NotFound):
        async with world.house.db.read() as session:
            await attachments.handed_out(session, 1, world.worker, world.now)


async def test_nobody_sees_a_case_in_which_they_have_a_part(world: World) -> None:
    """A worker who is a carer's partner, reached at the same number."""
    await world.sms(CARER, QUESTION)
    await world.sms("+447700900555", "hello")
    partner = await world.case_of("+447700900555")
    nina = await world.hire("Nina", Role.WORKER, "+447700900555")  # hired later
    reference = (await world.case_of(CARER)).reference
    assert await inbox(world, nina) == {reference}
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, reference)
        person = await session.get(Person, partner.person_id)
        assert person is not None
        first = await parts.give_part(
            session, case, person, PartRole.PARTNER, world.lead, world.now
        )
        again = await parts.give_part(
            session, case, person, PartRole.PARTNER, world.lead, world.now
        )
        assert first.id == again.id
    assert await inbox(world, nina) == set()
    async with world.house.db.read() as session:
        found = await session.get(Case, partner.id)
        assert found is not None
        assert nina.user_id in (await conflicts.of_cases(session, [case.id or 0]))[case.id or 0]
