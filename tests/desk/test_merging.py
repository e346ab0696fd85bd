"""One person with several records: proposed with reasons, joined, and taken back exactly."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import merging, safety
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Booking, Case, Contact, Gathering, Merge, Person, metadata
from helpline.rules.safety import SafeRules
from helpline.vocabulary import Role
from tests.world import CARER, STRANGER, World


async def test_a_like_name_alone_proposes_nothing(world: World) -> None:
    first = await world.member("Carol Ashby", "FC2001", postcode="SS7 1TF")
    assert await proposals(world, first) == []


async def test_a_like_name_at_the_same_postcode_is_proposed_with_its_reason(world: World) -> None:
    first = await world.member("Carol Ashbey", "FC2001", postcode="CM1 1QH")
    (proposal,) = await proposals(world, first)
    assert proposal.reasons == ("a like name at the same postcode",)


async def test_a_join_moves_everything_and_its_undoing_moves_exactly_that_back(
    world: World,
) -> None:
    await world.sms(CARER, "about tax")
    await world.sms(STRANGER, "it is me again from my other phone")
    into, other = (await world.case_of(CARER)).person_id, (await world.case_of(STRANGER)).person_id
    merge_id = await join(world, into, other)
    assert {case.person_id for case in await world.all(Case)} == {into}
    await world.sms(STRANGER, "one more thing")  # comes after the join: stays with them

    async with world.house.db.write() as session:
        await part(session, merge_id, world)
    assert (await world.case_of(STRANGER)).person_id == other
    assert (await world.case_of(CARER)).person_id == into
    late = (await world.all(Contact, Contact.direction == "in"))[-1]
    assert late.person_id == into


async def test_how_somebody_may_be_reached_and_a_place_they_booked_follow_a_join(
    world: World,
) -> None:
    await world.sms(CARER, "about tax")
    await world.sms(STRANGER, "not on this phone by voice please")
    into, other = (await world.case_of(CARER)).person_id, (await world.case_of(STRANGER)).person_id
    async with world.house.db.write() as session:
        by = {"contract": "essex", "by_user_id": world.lead.user_id}
        case = await session.merge(await world.case_of(STRANGER))
        rules = SafeRules(neutral_only=True)
        await safety.set_rules(session, case, rules, world.lead, world.now)
        times = {"starts_at": world.now, "ends_at": world.now, "made_at": world.now}
        made = [Gathering(**by, **times, title=title) for title in ("Both come", "One comes")]
        session.add_all(made)
        await session.flush()
        for gathering, person in ((made[0], into), (made[0], other), (made[1], other)):
            times = {"booked_at": world.now, "changed_at": world.now, "state": "booked"}
            session.add(Booking(**by, **times, gathering_id=gathering.id, person_id=person))
    merge_id = await join(world, into, other)
    assert await rules_and_places(world, into) == (True, ["Both come", "One comes"])
    async with world.house.db.write() as session:
        await part(session, merge_id, world)
    assert await rules_and_places(world, into) == (False, ["Both come"])
    assert await rules_and_places(world, other) == (True, ["Both come", "One comes"])


def test_whatever_speaks_of_a_person_follows_a_join_or_says_why_not() -> None:
    speaks = {
        table.name
        for table in metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "person"
    }
    assert speaks == set(merging.MOVED) | set(merging.STAYS)
    assert all("id" in table.c for table in merging.MOVED.values())


async def test_a_join_wants_a_reason_and_two_records(world: World) -> None:
    first = await world.member("Jo Pell", "FC2001")
    second = await world.member("Jo Pell", "FC2002")
    with pytest.raises(InvalidInput):
        await join(world, first, second, reason="  ")
    with pytest.raises(InvalidInput):
        await join(world, first, first)
    assert await world.count(Merge) == 0


async def test_a_join_is_taken_back_once(world: World) -> None:
    first = await world.member("Jo Pell", "FC2001")
    second = await world.member("Jo Pell", "FC2002")
    merge_id = await join(world, first, second)
    async with world.house.db.write() as session:
        await part(session, merge_id, world)
    async with world.house.db.write() as session:
        with pytest.raises(Conflict):
            await part(session, merge_id, world)


async def test_a_commissioner_finds_nobody(world: World) -> None:
    first = await world.member("Jo Pell", "FC2001")
    payer = await world.hire("Petra", Role.COMMISSIONER)
    async with world.house.db.read() as session:
        with pytest.raises(NotFound):
            await merging.find_person(session, payer, first)


async def proposals(world: World, person_id: int) -> list[merging.Likeness]:
    async with world.house.db.read() as session:
        person = await session.get(Person, person_id)
        assert person is not None
        return list(await merging.likenesses(session, person))


async def rules_and_places(world: World, person_id: int) -> tuple[bool, list[str]]:
    async with world.house.db.read() as session:
        rules = await safety.rules_of(session, person_id)
        booked = await session.scalars(
            select(col(Gathering.title))
            .join(Booking, col(Booking.gathering_id) == col(Gathering.id))
            .where(col(Booking.person_id) == person_id)
            .order_by(col(Gathering.id))
        )
        return rules.neutral_only, list(booked)


async def part(session: AsyncSession, merge_id: int, world: World) -> None:
    merged = await session.get(Merge, merge_id)
    person = await session.get(Person, merged.into_id) if merged else None
    assert person is not None
    await merging.unmerge(session, person, merge_id, world.lead, world.now)


async def join(world: World, into: int, other: int, reason: str = "She told me so.") -> int:
    async with world.house.db.write() as session:
        one, two = await session.get(Person, into), await session.get(Person, other)
        assert one is not None
        assert two is not None
        merged = await merging.merge(session, one, two, reason, world.lead, world.now)
        assert merged.id is not None
        return merged.id
