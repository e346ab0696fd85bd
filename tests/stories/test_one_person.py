"""One person is one person: whoever turns out to be somebody we know takes along what keeps them
safe and what was written down about them."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import allegations, merging, parts, register, safety
from helpline.desk.duties import cover
from helpline.errors import InvalidInput, NotFound
from helpline.models import Allegation, Case, Person
from helpline.rules.permissions import Actor
from helpline.rules.safety import SafeRules
from helpline.vocabulary import LinkKind, Role
from tests.world import CARER, STRANGER, World

NEUTRAL = SafeRules(neutral_only=True, code_name="Book club")
LIST = """person,name,kind,team,postcode,approved_from,household,mobile
FC1001,Carol Ashby,Foster carer,Mid,CM1 1QH,2020-01-01,,07700 900123
FC2,Sam Sands,Foster carer,Mid,CM1 1QH,2020-01-01,,07700 900456
"""
HOUSEHOLD = """person,name,kind,team,postcode,approved_from,household,mobile
FC1001,Carol Ashby,Foster carer,Mid,CM1 1QH,2020-01-01,H1,07700 900123
OC7,Tess Ashby,Own child,,,,H1,07700 900456
"""


async def test_whoever_says_who_they_are_is_written_to_no_less_safely(world: World) -> None:
    await somebody_unknown(world)
    stood_in = (await world.case_of(STRANGER)).person_id
    await world.sms(STRANGER, "NO")
    await world.sms(STRANGER, "FC1001")
    case = await world.case_of(STRANGER)
    assert (await person_of(world, case)).name == "Carol Ashby"
    assert await written_to(world) == "Book club"
    [said] = await world.all(Allegation)
    assert isinstance(said, Allegation)
    assert said.person_id == case.person_id
    async with world.house.db.read() as session:
        assert case.person_id in await allegations.may_be_about(session, case)
        assert await session.get(Person, stood_in) is None


async def test_whoever_asked_for_something_under_both_names_keeps_both(world: World) -> None:
    await world.sms(CARER, "Please only by text")
    await keep_safe(world, CARER, SafeRules(not_by=("voice",), also_by=("email",)))
    await somebody_unknown(world)
    await world.sms(STRANGER, "NO")
    await world.sms(STRANGER, "FC1001")
    async with world.house.db.read() as session:
        rules = await safety.rules_of(session, (await world.case_of(CARER)).person_id)
    assert rules == SafeRules(neutral_only=True, code_name="Book club", not_by=("voice",))


async def test_a_join_holds_to_the_stricter_rules_of_both(world: World) -> None:
    await world.sms(STRANGER, "It is me from the other telephone")
    await keep_safe(world, STRANGER, NEUTRAL)
    await world.sms(CARER, "Please only by text")
    await keep_safe(world, CARER, SafeRules(not_by=("voice",)))  # the newer of the two
    other, into = await world.case_of(STRANGER), await world.case_of(CARER)
    async with world.house.db.write() as session:
        one = await session.get(Person, into.person_id)
        two = await session.get(Person, other.person_id)
        assert one is not None
        assert two is not None
        await merging.merge(session, one, two, "She told me so", world.lead, world.now)
        rules = await safety.rules_of(session, into.person_id)
    assert rules == SafeRules(neutral_only=True, code_name="Book club", not_by=("voice",))


async def test_a_sister_who_names_somebody_else_takes_only_her_own_case_along(
    world: World,
) -> None:
    """A record with another name is another person, whoever writes from that telephone."""
    await somebody_unknown(world)
    first = await world.case_of(STRANGER)
    async with world.house.db.write() as session:
        person = await session.get(Person, first.person_id)
        assert person is not None
        person.name = "Moira Quill"
        other = Case(
            reference="ESX-AAAAAA",
            contract="essex",
            person_id=first.person_id,
            method="letter",
            opened_at=world.now,
        )
        session.add(other)
        await session.flush()
        other_id = other.id
    await world.sms(STRANGER, "NO")
    await world.sms(STRANGER, "FC1001")
    case = await world.case_of(STRANGER)
    assert (await person_of(world, case)).name == "Carol Ashby"
    assert await written_to(world) == "Book club"
    [left] = await world.all(Case, Case.id == other_id)
    assert isinstance(left, Case)
    assert left.person_id == first.person_id


async def test_the_councils_list_says_who_had_been_writing(world: World) -> None:
    await somebody_unknown(world)
    await take_in(world, LIST)
    case = await world.case_of(STRANGER)
    assert (await person_of(world, case)).name == "Sam Sands"
    assert (case.identity, case.eligibility, case.quadrant) == ("known", "in", "mid")
    assert await written_to(world) == "Book club"
    [said] = await world.all(Allegation)
    assert isinstance(said, Allegation)
    assert said.person_id == case.person_id
    await world.sms(STRANGER, "thank you")
    assert (await world.case_of(STRANGER)).person_id == case.person_id


async def test_counselling_is_proposed_to_the_household_that_the_register_knows(
    world: World,
) -> None:
    await take_in(world, HOUSEHOLD)
    await world.sms(CARER, "There is an allegation against me")
    amara = await world.hire("Amara", Role.WORKER)
    assert await household(world, amara) == [("Carol Ashby", False), ("Tess Ashby", True)]
    async with world.house.db.write() as session:
        case = await session.merge(await world.case_of(CARER))
        essex, by, now = world.house.contracts["essex"], amara, world.now
        with pytest.raises(InvalidInput, match="on the register as one of this household"):
            await parts.write_down(
                session, essex, case, "tess  ashby", "own_child", "own_child", by, now
            )
        tess = (await household_ids(session, world, case, amara))[-1]
        offered = (essex, case, tess, "referred")
        with pytest.raises(InvalidInput, match="Ask the investigating team first"):
            await cover.offer(session, *offered, "", by, now)
        await cover.offer(session, *offered, "DC Reed said it may go on", by, now)
        await parts.give_to_known(session, case, tess, "own_child", by, now)
    assert await household(world, amara) == [("Carol Ashby", False), ("Tess Ashby", True)]


async def test_nobody_across_a_wall_is_proposed_as_one_of_the_household(world: World) -> None:
    await take_in(world, HOUSEHOLD)
    await world.sms(CARER, "There is an allegation against me")
    await world.sms(STRANGER, "can i talk to someone")
    async with world.house.db.write() as session:
        one = await session.merge(await world.case_of(CARER))
        other = await session.merge(await world.case_of(STRANGER))
        await parts.link(session, one, other, LinkKind.SIDES, "Apart", world.lead, world.now)
    await world.allocate(CARER, world.worker)
    assert await household(world, world.worker) == [("Carol Ashby", False)]
    with pytest.raises(NotFound):
        async with world.house.db.write() as session:
            case = await session.merge(await world.case_of(CARER))
            theirs, by = (await world.case_of(STRANGER)).person_id, world.worker
            await parts.give_to_known(session, case, theirs, "own_child", by, world.now)


async def test_nobody_becomes_the_other_side_of_a_wall_by_saying_so(world: World) -> None:
    await world.sms(CARER, "There is an allegation against me")
    await somebody_unknown(world)
    async with world.house.db.write() as session:
        one = await session.merge(await world.case_of(CARER))
        other = await session.merge(await world.case_of(STRANGER))
        await parts.link(session, one, other, LinkKind.SIDES, "Apart", world.lead, world.now)
        stood_in = other.person_id
    await world.sms(STRANGER, "NO")
    await world.sms(STRANGER, "FC1001")
    case = await world.case_of(STRANGER)
    assert (case.person_id, case.identity) == (stood_in, "unknown")
    assert await written_to(world) == "Book club"


# --- how it is told ------------------------------------------------------------------------------


async def somebody_unknown(world: World) -> None:
    """Writes from an unknown telephone of an allegation, and is not safe to write to in full."""
    await world.sms(STRANGER, "need to talk, they say I hit a child")
    await keep_safe(world, STRANGER, NEUTRAL)
    async with world.house.db.write() as session:
        case = await session.merge(await world.case_of(STRANGER))
        told = allegations.Told(
            person_id=case.person_id,
            told_at=world.now,
            made_by="fostered_child",
            track="allegation",
            told_by="The carer",
        )
        essex = world.house.contracts["essex"]
        await allegations.record(session, essex, case, told, world.worker, world.now)


async def take_in(world: World, rows: str) -> None:
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        made = await register.hand_in(
            session, essex, rows.encode(), world.now.date(), world.lead, world.now, is_whole=True
        )
        await register.accept(session, essex, made.id or 0, world.lead, world.now)


async def household(world: World, by: Actor) -> list[tuple[str, bool]]:
    """Who is offered counselling on Carol's case, and whether it is a child."""
    async with world.house.db.read() as session:
        case = await world.case_of(CARER)
        essex = world.house.contracts["essex"]
        return [(m.who, m.is_child) for m in await cover.household(session, essex, case, by)]


async def household_ids(
    session: AsyncSession, world: World, case: Case, by: Actor
) -> list[int | None]:
    essex = world.house.contracts["essex"]
    return [m.person_id for m in await cover.household(session, essex, case, by)]


async def keep_safe(world: World, number: str, rules: SafeRules) -> None:
    async with world.house.db.write() as session:
        case = await session.merge(await world.case_of(number))
        await safety.set_rules(session, case, rules, world.worker, world.now)


async def written_to(world: World) -> str:
    """How the next text to the stranger begins."""
    await world.reply(STRANGER, "The meeting about the allegation is tomorrow.")
    return world.texts_to(STRANGER)[-1].split(":")[0]


async def person_of(world: World, case: Case) -> Person:
    async with world.house.db.read() as session:
        person = await session.get(Person, case.person_id)
        assert person is not None
        return person
