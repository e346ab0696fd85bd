"""What the record of a closed case lacks is put there once, and nothing that stands is changed."""

import pytest
from sqlalchemy import delete, update

from helpline.desk import casefile, completing
from helpline.errors import Conflict, InvalidInput
from helpline.models import Case, CaseSupport
from tests.world import CARER, World


async def complete(world: World, supports: list[str], outcome: str) -> None:
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        found = await session.get(Case, case.id)
        assert found is not None
        contract = world.house.contracts["essex"]
        said = (supports, outcome, world.lead, world.now)
        await completing.complete(session, contract, found, *said)


async def closed(world: World) -> None:
    """A case that is closed and whose record says neither what they got nor how it ended."""
    await world.sms(CARER, "Please ring me")
    await world.reply(CARER, "I am here")
    await world.close(CARER)
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        await session.execute(delete(CaseSupport).where(CaseSupport.case_id == case.id))  # type: ignore[arg-type]
        await session.execute(update(Case).where(Case.id == case.id).values(outcome=None))  # type: ignore[arg-type]


async def test_what_is_missing_is_added_and_the_case_stays_closed(world: World) -> None:
    await closed(world)
    contract = world.house.contracts["essex"]
    plain = next(one.code for one in contract.support if one.needs not in ("legal", "medical"))
    outcome = contract.outcomes[0].code
    before = await world.deadlines(CARER)
    with pytest.raises(InvalidInput, match="Choose what they got"):
        await complete(world, [], "")
    with pytest.raises(InvalidInput, match="from the list"):
        await complete(world, ["luck"], "")
    with pytest.raises(InvalidInput, match="how the case ended"):
        await complete(world, [], "unknown")
    await complete(world, [plain], "")
    await complete(world, [contract.support[0].code], outcome)
    case = await world.case_of(CARER)
    assert (case.status, case.outcome) == ("closed", outcome)
    async with world.house.db.read() as session:
        assert await casefile.supports_of(session, case) == [plain]  # what stands is not changed
    assert set(await world.deadlines(CARER)) == set(before)
    assert (await world.events(CARER)).count("case.completed") == 2
    with pytest.raises(Conflict, match="already"):
        await complete(world, [plain], outcome)


async def test_advice_that_needs_a_name_is_not_added_without_one(world: World) -> None:
    await closed(world)
    contract = world.house.contracts["essex"]
    legal = next(one.code for one in contract.support if one.needs == "legal")
    with pytest.raises(InvalidInput, match="who gave it"):
        await complete(world, [legal], "")


async def test_an_open_case_is_completed_by_closing_it(world: World) -> None:
    await world.sms(CARER, "Please ring me")
    with pytest.raises(Conflict, match="open"):
        await complete(world, [], world.house.contracts["essex"].outcomes[0].code)
