"""A list of thousands, taken in while people write: in portions, whole in the end, whatever is
killed in between; and a workbook, which is a list like any other."""

import io
from collections.abc import AsyncIterator

import openpyxl
import pytest
from sqlalchemy import select
from sqlmodel import col

from helpline.db import Database
from helpline.desk import populations, register, taking_in
from helpline.desk.imports import ImportProblems
from helpline.engine.taking_in import take_in_lists
from helpline.errors import InvalidInput
from helpline.models import Address, Event, Membership, Person, RegisterList
from tests.world import World

HEADER = "person,name,kind,team,mobile"
FIRST = [
    HEADER,
    "FC1,Ann Pell,Foster carer,Mid,07700 900301",
    "FC2,Ben Pell,Foster carer,Mid,07700 900302",
    "FC3,Cas Rowe,Foster carer,West,07700 900303",
    "FC4,Dee Rowe,Foster carer,West,",
]
SECOND = [  # two numbers change hands across portions, one comes, one moves, one leaves
    HEADER,
    "FC1,Ann Pell,Foster carer,Mid,07700 900303",
    "FC5,Eve Hale,Foster carer,Mid,07700 900302",
    "FC2,Ben Pell,Foster carer,South,",
    "FC3,Cas Rowe,Foster carer,West,07700 900301",
]


@pytest.fixture(autouse=True)
async def in_small_portions(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(taking_in, "PORTION", 2)
    monkeypatch.setattr(register, "AT_ONCE", 3)
    yield


async def accepted(world: World, lines: list[str]) -> int:
    essex = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        content, day = "\n".join(lines).encode(), world.now.date()
        made = await register.hand_in(
            session, essex, content, day, world.lead, world.now, is_whole=True
        )
        await register.accept(session, essex, made.id or 0, world.lead, world.now)
        return made.id or 0


async def stands(db: Database) -> list[tuple[str | None, list[str], str, bool]]:
    """Everybody's name, numbers, team, and whether they are still approved."""
    async with db.read() as session:
        found = []
        for person in await session.scalars(
            select(Person).where(col(Person.register_index).is_not(None)).order_by(Person.id)
        ):
            held = await session.scalars(
                select(Membership).where(Membership.person_id == person.id).order_by(Membership.id)
            )
            numbers = await session.scalars(
                select(col(Address.value)).where(
                    Address.person_id == person.id, col(Address.from_register)
                )
            )
            newest = list(held)[-1]
            found.append((person.name, sorted(numbers), newest.team, newest.approved_to is None))
        return found[1:]  # Carol, who was there before


async def test_a_long_list_is_taken_in_by_the_engine_and_numbers_change_hands(
    world: World,
) -> None:
    await accepted(world, FIRST)
    assert len(await stands(world.house.db)) == 0
    await take_in_lists(world.house)
    list_id = await accepted(world, SECOND)
    await take_in_lists(world.house)
    assert await stands(world.house.db) == [
        ("Ann Pell", ["+447700900303"], "mid", True),
        ("Ben Pell", [], "south", True),
        ("Cas Rowe", ["+447700900301"], "west", True),
        ("Dee Rowe", [], "west", False),
        ("Eve Hale", ["+447700900302"], "mid", True),
    ]
    async with world.house.db.read() as session:
        row = await session.get(RegisterList, list_id)
        assert row is not None
        assert (row.state, row.content) == ("accepted", None)
        counts = await populations.newest(session, "essex")
        assert sum(one.count for one in counts if one.quadrant is None) == 4
    assert await take_in_lists(world.house) == 0


async def test_whatever_is_killed_it_goes_on_and_is_whole_in_the_end(world: World) -> None:
    await accepted(world, FIRST)
    await take_in_lists(world.house)
    list_id = await accepted(world, SECOND)
    contracts, steps = world.house.contracts, 0
    while (
        True
    ):  # after every portion the process is a new one, and the portion before was lost once
        async with world.house.db.read() as session:
            work = await taking_in.read(session, contracts, list_id, world.now)
        assert work is not None
        with pytest.raises(RuntimeError):
            async with world.house.db.write() as session:
                await taking_in.step(session, work, world.now)
                raise RuntimeError("killed")
        async with world.house.db.write() as session:
            if not await taking_in.step(session, work, world.now):
                break
        steps += 1
    assert steps == 4
    await take_in_lists(world.house)
    assert ("Eve Hale", ["+447700900302"], "mid", True) in await stands(world.house.db)
    before = await stands(world.house.db)
    await accepted(world, SECOND)
    await take_in_lists(world.house)
    assert await stands(world.house.db) == before
    newest = (await world.all(Event, Event.kind == "people.imported"))[-1]
    assert {newest.detail[one] for one in ("added", "changed", "left")} == {0}


async def test_a_list_that_breaks_holds_up_nobody_and_can_be_thrown_away(world: World) -> None:
    broken = await accepted(world, FIRST)
    async with world.house.db.write() as session:
        row = await session.get(RegisterList, broken)
        assert row is not None
        row.contract = "gone"  # its contract's file is not loaded any more
    whole = await accepted(world, SECOND)
    with pytest.raises(ExceptionGroup):
        await take_in_lists(world.house)
    async with world.house.db.write() as session:
        other = await session.get(RegisterList, whole)
        assert other is not None
        assert other.state == "accepted"
        await register.throw_away(session, broken, world.lead, world.now)
    assert await take_in_lists(world.house) == 0


async def test_while_it_is_taken_in_nothing_else_is_handed_in(world: World) -> None:
    list_id = await accepted(world, FIRST)
    assert await accepted_again(world, list_id) == "taking_in"
    with pytest.raises(InvalidInput, match="still being taken in"):
        await accepted(world, SECOND)
    async with world.house.db.write() as session:
        await register.throw_away(session, list_id, world.lead, world.now)
    assert await take_in_lists(world.house) == 0
    assert await stands(world.house.db) == []  # nothing of it was in yet


async def accepted_again(world: World, list_id: int) -> str:
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        return (await register.accept(session, essex, list_id, world.lead, world.now)).state


async def test_a_workbook_is_kept_as_its_text_and_all_its_faults_are_told(
    world: World,
) -> None:
    essex = world.house.contracts["essex"]

    def book(*rows: list[object]) -> bytes:
        made, written = openpyxl.Workbook(), io.BytesIO()
        for row in rows:
            made.active.append(row)
        made.save(written)
        return written.getvalue()

    good = book(HEADER.split(","), ["FC9", "Ivy Dunn", "Foster carer", "Mid"])
    day, lead = world.now.date(), world.lead
    async with world.house.db.write() as session:
        made = await register.hand_in(session, essex, good, day, lead, world.now, is_whole=False)
        assert made.content is not None
        assert made.content.splitlines()[1].startswith("FC9,Ivy Dunn")
        bad = book(
            HEADER.split(","),
            ["FC9", "Ivy", "Foster carer", "Nowhere", 7700900123],
            ["FC9", 17.5, "=A1"],
        )
        with pytest.raises(ImportProblems) as told:
            await register.hand_in(session, essex, bad, day, lead, world.now, is_whole=False)
    assert [(one.line, one.column) for one in told.value.problems] == [
        (2, "mobile"),
        (2, "team"),
        (3, "kind"),
        (3, "person"),
    ]
