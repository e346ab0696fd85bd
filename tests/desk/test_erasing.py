"""What goes when a case has been kept long enough: every text, address and digest that the tables
have, and no row, code or total. A sealed column that is added later makes these red."""

from datetime import date, timedelta

from sqlalchemy import func, select, text, update
from sqlmodel import col

from helpline.desk.rights import erasing
from helpline.engine.searching import read_for_search
from helpline.models import (
    Address,
    Case,
    CaseWord,
    Event,
    LegalHold,
    Membership,
    Person,
    PersonWord,
    metadata,
)
from helpline.reports import figures
from tests.desk.filled import fill, hanging, is_sealed
from tests.world import CARER, STRANGER, World

LATER = date(2040, 1, 1)
OF_OTHERS = {"user", "partner", "gathering", "library_item", "library_version", "absence"}
"""What a filled case points to: ours, a partner's, everybody's."""


def test_every_sealed_column_of_a_case_or_a_person_goes_or_is_kept_for_a_reason() -> None:
    goes = set(erasing.erased_columns())
    speaks = {
        table.name
        for table in metadata.tables.values()
        if any(key.column.table.name in ("person", "case") for key in table.foreign_keys)
    }
    sealed = {
        f"{name}.{column.name}"
        for name in {*hanging(), *speaks, "person", "case"}
        for column in metadata.tables[name].columns
        if is_sealed(column)
    }
    assert sealed - goes - set(erasing.KEPT) == set(), "say whether it goes"
    assert not goes & set(erasing.KEPT)
    assert set(erasing.KEPT) - sealed == set(), "there is no such column"
    assert all(len(why) > 30 for why in erasing.KEPT.values())


async def test_no_word_of_it_is_left_and_no_total_changes(world: World) -> None:
    await world.sms(CARER, "wolverine said he hit him")
    await world.sms(STRANGER, "a zebrafish of my own")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        await fill(session, case.id or 0, case.person_id, world.worker.user_id)
        await session.execute(
            update(Case).where(col(Case.id) == case.id).values(status="closed", closed_at=world.now)
        )
        await session.execute(update(Membership).values(approved_to=date(2030, 1, 1)))
        assert not (await erasing.preview(session, [case.id or 0], LATER)).people  # it is held
        await session.execute(update(LegalHold).values(ended_at=world.now))
    await read_for_search(world.house)
    before, rows = await totals(world), await how_many(world)
    assert await opened(world)
    async with world.house.db.write() as session:
        goes = await erasing.preview(session, [case.id or 0], LATER)
        assert (goes.people, goes.files) == (1, 1)
        people = await erasing.erase(session, [case.id or 0], LATER, world.now)
        assert people == {case.person_id}
        assert await erasing.erase(session, [case.id or 0], LATER, world.now) == set()
    left = await opened(world)
    assert {place for place, _ in left} <= set(erasing.KEPT)
    assert await totals(world) == before
    after = await how_many(world)
    gone = {name for name in rows if after[name] < rows[name]}
    assert gone <= {"case_word", "person_word", "draft", "link_code", "request_file"}
    async with world.house.db.read() as session:
        assert not await session.scalar(
            select(func.count()).select_from(CaseWord).where(col(CaseWord.case_id) == case.id)
        )
        words = select(func.count()).select_from(PersonWord)
        assert not await session.scalar(words.where(col(PersonWord.person_id) == case.person_id))
        person = await session.get(Person, case.person_id)
        assert person is not None
        assert (person.name, person.register_index) == (None, None)
        assert person.erased_at
    await world.sms(CARER, "It is me again")  # whoever writes again is somebody new
    assert (await world.case_of(CARER)).person_id != case.person_id
    other = await world.case_of(STRANGER)
    async with world.house.db.read() as session:
        assert "zebrafish" in str((await session.execute(texts_of(other.id or 0))).all())
    await read_for_search(world.house)  # and the search reads nothing back
    async with world.house.db.read() as session:
        assert not await session.scalar(
            select(func.count()).select_from(CaseWord).where(col(CaseWord.case_id) == case.id)
        )


def texts_of(case_id: int):  # type: ignore[no-untyped-def]
    contact = metadata.tables["contact"]
    return select(contact.c.body).where(contact.c.case_id == case_id)


async def opened(world: World) -> set[tuple[str, str]]:
    """Every word of the filled case, and of Carol, that any sealed column still has: its place."""
    found = set()
    canaries = ("wolverine", CARER, CARER[1:], "Carol", "Ashby", "FC1001", "CM1 1QH")
    async with world.house.db.read() as session:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if not is_sealed(column) or table.name in OF_OTHERS:
                    continue
                place = f"{table.name}.{column.name}"
                word = place.replace("_", "").replace(".", "")
                for value in await session.scalars(select(column)):
                    if value and (word in value or any(one in value for one in canaries)):
                        found.add((place, value))
    return found


async def totals(world: World) -> object:
    """What every report of Essex counts of the year, exactly."""
    contract = world.house.contracts["essex"]
    from helpline.rules import periods

    span = periods.period_containing(world.now.date(), "quarter", contract.year_starts_month)
    async with world.house.db.read() as session:
        report = await figures.counted(
            session, contract, span, world.now + timedelta(days=200), "quarter"
        )
    return [(cell.measure, cell.by, cell.value, cell.denominator) for cell in report.cells]


async def how_many(world: World) -> dict[str, int]:
    async with world.house.db.read() as session:
        return {
            name: await session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in metadata.tables.items()
        }


async def test_whoever_is_still_a_member_or_has_another_case_stays(world: World) -> None:
    await world.sms(CARER, "wolverine")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        await session.execute(update(Case).values(status="closed", closed_at=world.now))
        assert await erasing.erase(session, [case.id or 0], LATER, world.now) == set()
        person = await session.get(Person, case.person_id)
        assert person is not None
        assert person.name == "Carol Ashby"
        address = await session.scalar(select(Address))
        assert address is not None
        assert address.value == CARER
    async with world.house.db.read() as session:
        assert await session.scalar(select(func.count()).select_from(Event))
        await session.execute(text("SELECT 1"))
