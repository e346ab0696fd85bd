"""Changing the keys while the helpline runs: everything still opens and is found during it, nothing
is under the old key after it, and what cannot be opened is said before a helpline starts."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

import helpline
from helpline.desk import index_sources, keyring, linking, rekeying, search
from helpline.engine.pulse import take_pulse
from helpline.engine.searching import read_for_search
from helpline.errors import Conflict, InvalidInput
from helpline.models import Address, CaseWord, Person, RingKey, User, metadata
from helpline.sealing import KeyRing, install, ring
from tests.keys import RAW_TEST_KEY
from tests.world import CARER, LEAD_PHONE, World

NEW = b"another key that the tests use!!"
OTHER = b"a key that has never sealed here"


@pytest.fixture(autouse=True)
def _own_ring_again() -> Iterator[None]:
    yield
    install(KeyRing([RAW_TEST_KEY]))


def turn_to(*keys: bytes) -> None:
    install(KeyRing(list(keys)))


async def found_by(world: World, question: str) -> int:
    async with world.house.db.write() as session:
        contracts = list(world.house.contracts.values())
        found = await search.find(session, world.lead, contracts, question, world.now)
    return len(found.people) + len(found.cases)


async def everything(world: World, table: type) -> list[Any]:
    async with world.house.db.read() as session:
        return list(await session.scalars(select(table)))


async def lived_in(world: World) -> None:
    async with world.house.db.write() as session:
        await keyring.stand(session, world.now)
    await world.sms(CARER, "the greenhouse was locked all evening")
    await world.reply(CARER, "I will ring you about the greenhouse")
    await read_for_search(world.house)


async def test_everything_opens_and_is_found_during_and_after(world: World) -> None:
    await lived_in(world)
    questions = ("greenhouse", "FC1001", CARER, "Ashby", "CM1 1QH")
    before = [await found_by(world, one) for one in questions]
    assert all(before)
    turn_to(NEW, RAW_TEST_KEY)
    assert [await found_by(world, one) for one in questions] == before
    await world.sms(CARER, "and again this morning")  # the same case, by the old index
    left = await rekeying.rotate(world.house.db, world.clock)
    assert left.is_nothing
    assert left.odd == {}
    assert left.done > 20
    assert [await found_by(world, one) for one in questions] == before
    turn_to(NEW)  # the old key is gone
    assert [await found_by(world, one) for one in questions] == before
    await world.sms(CARER, "are you there?")
    assert len(await world.all(Person)) == 1
    async with world.house.db.read() as session:
        counts = await keyring.counted(session)
        assert {mark for one in counts.values() for mark in one} == {ring().marks[0]}
        assert await rekeying.cannot_open(session) == {}
    old = KeyRing([RAW_TEST_KEY])
    words = {row.word for row in await everything(world, CaseWord)}
    assert words
    assert old.index("word:essex", "greenhouse") not in words
    assert await rekeying.rotate(world.house.db, world.clock)  # again: nothing more to do


async def test_who_is_one_of_ours_is_known_from_the_first_moment(world: World) -> None:
    """They are found by comparing what two tables hold; both change in the same moment."""
    await lived_in(world)
    await world.member("Leonie at home", "FC2002", LEAD_PHONE)  # she fosters as well
    turn_to(NEW, RAW_TEST_KEY)
    async with world.house.db.write() as session:
        assert await keyring.stand(session, world.now)
        await rekeying.staff_first(session)
    async with world.house.db.read() as session:
        index = await session.scalar(select(User.mobile_index).where(User.name == "leonie"))
        of_address = select(Address.id).where(Address.value_index == index)
        assert index == ring().index("address:sms", LEAD_PHONE)
        assert await session.scalar(of_address) is not None


async def test_a_change_of_keys_that_was_stopped_goes_on(world: World) -> None:
    await lived_in(world)
    turn_to(NEW, RAW_TEST_KEY)

    def stop(what: str, done: int) -> None:
        if what == "contact":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rekeying.rotate(world.house.db, world.clock, stop)
    async with world.house.db.read() as session:
        assert not (await rekeying.left(session, world.now)).is_nothing
    assert (await rekeying.rotate(world.house.db, world.clock)).is_nothing


async def test_it_waits_for_every_process_to_seal_under_the_new_key(world: World) -> None:
    await take_pulse(world.house, is_start=True)  # under the old one
    turn_to(NEW, RAW_TEST_KEY)
    with pytest.raises(Conflict, match="does not seal under the key"):
        await rekeying.rotate(world.house.db, world.clock)
    await take_pulse(world.house, is_start=True)
    assert (await rekeying.rotate(world.house.db, world.clock)).is_nothing


async def test_a_code_that_was_read_out_is_still_good_and_keeps_the_old_key(world: World) -> None:
    async with world.house.db.write() as session:
        await keyring.stand(session, world.now)
        await linking.make_code_for_user(session, world.worker, world.now)
    await world.forward(minutes=1)
    turn_to(NEW, RAW_TEST_KEY)
    left = await rekeying.rotate(world.house.db, world.clock)
    assert left.codes_until is not None
    assert not left.is_nothing
    await world.forward(minutes=40)
    assert (await rekeying.rotate(world.house.db, world.clock)).is_nothing


async def test_a_helpline_whose_key_is_lost_does_not_start(world: World) -> None:
    await lived_in(world)
    turn_to(OTHER)
    for ask in (keyring.must_open, lambda session: keyring.stand(session, world.now)):
        async with world.house.db.read() as session:
            with pytest.raises(InvalidInput, match=KeyRing([RAW_TEST_KEY]).marks[0]):
                await ask(session)
    turn_to(OTHER, RAW_TEST_KEY)
    async with world.house.db.write() as session:
        await keyring.stand(session, world.now)


async def test_of_a_database_from_before_keys_were_noted_it_looks_what_sealed_it(
    world: World,
) -> None:
    await world.sms(CARER, "hello")
    turn_to(OTHER)
    async with world.house.db.read() as session:
        with pytest.raises(InvalidInput, match="RUNBOOK"):
            await keyring.stand(session, world.now)
    turn_to(NEW, RAW_TEST_KEY)
    async with world.house.db.write() as session:
        await keyring.stand(session, world.now)
    assert {row.mark for row in await everything(world, RingKey)} == set(ring().marks)


async def test_what_was_altered_does_not_open_and_is_counted(world: World) -> None:
    await world.sms(CARER, "hello")
    async with world.house.db.write() as session:
        await session.execute(update(Address).values(value="x"))
        one = metadata.tables["contact"]
        raw = (
            await session.execute(select(rekeying.type_coerce(one.c.body, rekeying.RAW)))
        ).first()
        assert raw is not None
        put = update(one).values({one.c.body: rekeying.bindparam("its", type_=rekeying.RAW)})
        await session.execute(put, {"its": bytes(raw[0][:-1])})
    async with world.house.db.read() as session:
        assert "contact.body" in await rekeying.cannot_open(session)


# --- the lists are whole -------------------------------------------------------------------------


def test_every_index_is_made_anew_or_ends_by_itself() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("_index")
    }
    made = {f"{one.table}.{one.column}" for one in index_sources.MADE}
    said = made | set(index_sources.PASSES)
    assert columns - said == set(), "say in desk/index_sources.py what it is made of"
    for place in said:
        table, _, column = place.partition(".")
        assert column in metadata.tables[table].c, place
    assert all(name in metadata.tables for name in index_sources.WORDS)


def test_every_module_that_uses_the_ring_says_what_a_change_of_keys_does() -> None:
    package = Path(helpline.__file__).parent
    using = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if "migrations/versions" not in str(path) and _asks_for_the_ring(path)
    }
    assert using - set(index_sources.USES) == set(), "say it in desk/index_sources.py"
    assert set(index_sources.USES) - using - {"sealing.py"} == set()


def _asks_for_the_ring(path: Path) -> bool:
    return "ring()" in path.read_text("utf-8") and any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ring"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


def test_every_sealed_table_has_one_key_by_which_it_is_gone_through() -> None:
    for table, _ in keyring.sealed_columns():
        assert len(table.primary_key.columns) == 1, table.name
