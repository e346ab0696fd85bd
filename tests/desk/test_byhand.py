"""What a worker writes down: the same case as a message makes, timed from when it happened."""

from datetime import timedelta

import pytest

from helpline.desk.byhand import TakenDown, take_down
from helpline.errors import InvalidInput, NotAllowed
from helpline.models import Case, Contact, Deadline, Person
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.world import CARER, STRANGER, World


async def test_a_visit_is_a_case_whose_clocks_run_from_the_visit(world: World) -> None:
    case = await write_down(world, who="FC1001")

    assert (case.identity, case.quadrant, case.method) == ("known", "mid", "face_to_face")
    clocks = await world.all(Deadline, Deadline.case_id == case.id)
    assert {clock.started_at for clock in clocks} == {world.now - timedelta(hours=5)}
    contact = (await world.all(Contact))[0]
    assert (contact.at, contact.written_at) == (world.now - timedelta(hours=5), world.now)


async def test_being_spoken_with_there_and_then_answers(world: World) -> None:
    case = await write_down(world, answered=True)
    clocks = {d.clock: d.state for d in await world.all(Deadline, Deadline.case_id == case.id)}
    assert clocks == {"first_response": "met", "allocation": "open"}


async def test_a_known_number_finds_its_person(world: World) -> None:
    case = await write_down(world, mobile=CARER, who="")
    assert case.group == "foster_carer"


async def test_whoever_wrote_from_an_unknown_number_is_whom_the_worker_names(world: World) -> None:
    await world.sms(STRANGER, "Can somebody ring me")
    case = await write_down(world, mobile=STRANGER, who="FC1001")
    (carol,) = await world.all(Person, Person.id == case.person_id)
    assert carol.name == "Carol Ashby"  # type: ignore[attr-defined]
    written = await world.case_of(STRANGER)
    assert (written.person_id, written.identity) == (case.person_id, "claimed")


async def test_somebody_new_is_taken_down_by_name(world: World) -> None:
    case = await write_down(world, who="Nobody Knows, CO15 1RJ", mobile="07700 900777")
    assert (case.identity, case.group) == ("claimed", "unknown")
    (person,) = await world.all(Person, Person.id == case.person_id)
    assert person.name == "Nobody Knows"  # type: ignore[attr-defined]
    (contact,) = await world.all(Contact)
    assert "Postcode given: CO15 1RJ" in str(contact.body)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "pigeon"},
        {"text": "  "},
        {"hours_ago": -1.0},
        {"reason": "none such"},
        {"mobile": "not a number"},
    ],
)
async def test_what_cannot_be_used_is_said_and_nothing_is_stored(
    world: World, wrong: dict[str, object]
) -> None:
    with pytest.raises(InvalidInput):
        await write_down(world, **wrong)
    assert await world.count(Case) == 0


async def test_a_commissioner_writes_nothing(world: World) -> None:
    payer = await world.hire("Petra", Role.COMMISSIONER)
    with pytest.raises(NotAllowed):
        await write_down(world, by=payer)


async def write_down(
    world: World,
    *,
    channel: str = "face_to_face",
    who: str = "",
    mobile: str = "",
    text: str = "Met at the coffee morning, asks about respite.",
    reason: str = "placements",
    answered: bool = False,
    hours_ago: float = 5,
    by: Actor | None = None,
) -> Case:
    taken = TakenDown(
        channel, world.now - timedelta(hours=hours_ago), who, mobile, text, reason, answered
    )
    async with world.house.db.write() as session:
        contract = world.house.contracts["essex"]
        return await take_down(session, contract, taken, by or world.worker, world.now)
