"""What the record of a closed case lacks is put there once, and nothing that stands is changed."""

import pytest
from sqlalchemy import delete, update

from helpline.desk import casefile, completing
from helpline.errors import Conflict, InvalidInput
from helpline.models import Case, CaseSupport, Contact
from helpline.reports import figures
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


async def say(world: World, method: str) -> None:
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        found = await session.get(Case, case.id)
        assert found is not None
        contract = world.house.contracts["essex"]
        await completing.say_method(session, contract, found, method, world.lead, world.now)


async def test_how_they_reached_us_is_said_where_nobody_knew_and_counts_then(world: World) -> None:
    """One contact came by text, of the other nobody knows; nor is it known how the case began."""
    await world.sms(CARER, "Please ring me")
    with pytest.raises(Conflict, match="already"):
        await say(world, "letter")
    case = await world.case_of(CARER)
    [text] = await world.all(Contact, Contact.case_id == case.id, Contact.direction == "in")
    assert isinstance(text, Contact)
    async with world.house.db.write() as session:
        await session.execute(update(Case).where(Case.id == case.id).values(method="unknown"))  # type: ignore[arg-type]
        pigeon = {"method": "by pigeon", "at": world.now}
        session.add(Contact(**(text.model_dump(exclude={"id", "external_id"}) | pigeon)))
    before = await by_method(world)
    assert before["contacts"] == {"text": 1, "unknown": 1}
    assert before["cases"] == {"unknown": 1}
    for wrong in ("by pigeon", "unknown", ""):
        with pytest.raises(InvalidInput, match="how they reached us"):
            await say(world, wrong)
    await say(world, "letter")
    after = await by_method(world)
    assert after["contacts"] == {"text": 1, "letter": 1}  # what came by text is what happened
    assert after["cases"] == {"letter": 1}
    assert (await world.events(CARER)).count("case.method_set") == 1
    with pytest.raises(Conflict, match="already"):
        await say(world, "text")


async def by_method(world: World) -> dict[str, dict[str, int]]:
    """Measure → method → number, of those that are more than nought."""
    contract = world.house.contracts["essex"]
    async with world.house.db.read() as session:
        span = contract.period("2026-27-Q2")
        report = await figures.counted(session, contract, span, world.now)
    found: dict[str, dict[str, int]] = {"contacts": {}, "cases": {}}
    for cell in report.cells:
        if cell.measure in found and [name for name, _ in cell.by] == ["method"] and cell.value:
            found[cell.measure][cell.by[0][1]] = int(cell.value)
    return found


async def test_the_other_of_a_past_log_says_nothing_and_may_be_said(world: World) -> None:
    await world.sms(CARER, "Please ring me")
    case = await world.case_of(CARER)
    values = {"method": "other", "import_key": "x"}
    async with world.house.db.write() as session:
        await session.execute(update(Case).where(Case.id == case.id).values(values))  # type: ignore[arg-type]
    await say(world, "telephone")
    assert (await world.case_of(CARER)).method == "telephone"
