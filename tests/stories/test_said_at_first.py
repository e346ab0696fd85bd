"""What a carer is told without asking: that others may help them better, and never that they are
turned away; and what is kept about them, once."""

import pytest

from helpline.desk import eligibility
from helpline.errors import NotAllowed
from helpline.models import Person
from helpline.vocabulary import Role
from tests.world import CARER, STRANGER, World

ELSEWHERE = "You are not turned away"
KEPT = "harbour.example/privacy"


async def test_whoever_fosters_for_another_council_is_answered_kindly_and_a_person_decides(
    world: World,
) -> None:
    await world.sms(STRANGER, "I foster for Southend and they say I hit him")
    (first,) = world.texts_to(STRANGER)
    assert ELSEWHERE in first
    assert "Fosterline" in first
    assert "Checked 22 November 2026" in first
    case = await world.case_of(STRANGER)
    assert (case.eligibility, case.said_exclusion) == ("unknown", "southend")
    assert await world.deadlines(STRANGER)  # promised an answer like everybody
    await world.sms(STRANGER, "As I said I foster for Southend")
    assert sum(ELSEWHERE in text for text in world.texts_to(STRANGER)) == 1

    essex, payer = world.house.contracts["essex"], await world.hire("Petra", Role.COMMISSIONER)
    async with world.house.db.write() as session:
        found = await session.merge(case)
        with pytest.raises(NotAllowed):
            await eligibility.settle_suggestion(session, essex, found, True, payer, world.now)
        await eligibility.settle_suggestion(session, essex, found, True, world.worker, world.now)
    case = await world.case_of(STRANGER)
    assert (case.eligibility, case.eligibility_reason) == ("out", "southend")
    assert case.said_exclusion is None
    assert "case.may_be_out_settled" in await world.events(STRANGER)


async def test_a_worker_who_says_no_leaves_the_case_as_it_was(world: World) -> None:
    await world.sms(STRANGER, "we foster with an agency")
    essex = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        found = await session.merge(await world.case_of(STRANGER))
        await eligibility.settle_suggestion(session, essex, found, False, world.worker, world.now)
    case = await world.case_of(STRANGER)
    assert (case.eligibility, case.said_exclusion) == ("unknown", None)


async def test_an_emergency_is_told_of_nothing_else(world: World) -> None:
    await world.sms(STRANGER, "I foster for Southend, he has a knife and is in the room with me")
    (first,) = world.texts_to(STRANGER)
    assert first.startswith("If anyone is in danger now, ring 999.")
    assert ELSEWHERE not in first
    assert KEPT not in first
    assert (await world.case_of(STRANGER)).said_exclusion == "southend"
    await world.sms(STRANGER, "NO")
    assert KEPT in world.texts_to(STRANGER)[-1]  # later, when nobody is in danger


async def test_whom_the_council_has_on_its_list_is_not_taken_for_anybody_elses(
    world: World,
) -> None:
    await world.sms(CARER, "I foster for Southend too now, who pays?")
    assert (await world.case_of(CARER)).said_exclusion is None
    assert ELSEWHERE not in world.texts_to(CARER)[-1]


async def test_what_is_kept_is_said_once_and_again_to_who_asks(world: World) -> None:
    await world.sms(CARER, "I have a question about training")
    await world.sms(CARER, "3")
    await world.sms(CARER, "What do you keep about me?")
    first, second, asked = world.texts_to(CARER)
    assert KEPT in first
    assert KEPT not in second
    assert "You may ask for a copy" in asked
    assert "A person will answer you" in asked
    (person,) = await world.all(Person, Person.id == (await world.case_of(CARER)).person_id)
    assert isinstance(person, Person)
    assert person.privacy_told_at is not None
