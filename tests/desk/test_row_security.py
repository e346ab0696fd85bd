"""The second wall, on a real PostgreSQL: a query that asks no condition of desk/seeing at all sees
nothing of another contract, and for those who pay nothing of any case."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from helpline.db import Database, as_owner, asked_by
from helpline.engine.routing import route_all
from helpline.migrations import migrate, policies
from helpline.models import Case, Contact, Note, Person, metadata
from helpline.reports import figures
from tests import databases, folders
from tests.world import CARER, OUR_NUMBER, STRANGER, World, opened_world

THEIRS = "+447700900003"
RAW = 'SELECT contract FROM "case"'


@pytest.fixture
async def two(postgres: str, postgres_template: str) -> AsyncIterator[World]:
    """A case of one contract and one of another."""
    url = databases.new_postgres_database(postgres, postgres_template)
    numbers = f"essex={OUR_NUMBER},stoke={THEIRS}"
    async with opened_world(
        url, contracts=folders.only("essex", "stoke"), numbers=numbers
    ) as world:
        await world.sms(CARER, "Please ring me")
        await world.sms(STRANGER, "Please ring me too", to=THEIRS)
        yield world
    databases.drop_postgres_database(url)


async def seen(world: World, contract: str | None, role: str, sql: str = RAW) -> list[str]:
    with asked_by(contract, role):
        async with world.house.db.read() as session:
            return sorted(row[0] for row in await session.execute(text(sql)))


async def test_a_query_that_asks_for_everything_gets_ones_own_contract(two: World) -> None:
    assert await seen(two, "essex", "worker") == ["essex"]
    assert await seen(two, "stoke", "lead") == ["stoke"]
    assert await seen(two, None, "worker") == ["essex", "stoke"]
    assert await seen(two, "elsewhere", "worker") == []


async def test_those_who_pay_see_no_row_of_any_case_or_person(two: World) -> None:
    held = [
        name for name, condition in policies.conditions().items() if "commissioner" in condition
    ]
    assert {"case", "person", "contact", "deadline", "address"} <= set(held)
    for name in held:
        table = metadata.tables[name]
        nobodys = [
            column.is_(None)
            for column in table.columns
            if any(key.column.table.name in policies.ROOTS for key in column.foreign_keys)
        ]
        rows = select(func.count()).select_from(table)
        rows = rows.where(~nobodys[0]) if nobodys else rows
        with asked_by("essex", "commissioner"):
            async with two.house.db.read() as session:
                assert await session.scalar(rows) == 0, name
    assert await seen(two, "essex", "commissioner") == []


async def test_what_hangs_on_a_case_goes_with_it(two: World) -> None:
    async with two.house.db.write() as session:
        for case in (await session.scalars(select(Case))).all():
            now, user = two.now, two.worker.user_id
            note = Note(case_id=case.id or 0, kind="fact", body="x", happened_at=now)
            note.written_at, note.by_user_id = now, user
            session.add(note)
    count = 'SELECT count(*)::text FROM "note"'
    assert await seen(two, "essex", "worker", count) == ["1"]
    assert await seen(two, None, "worker", count) == ["2"]
    assert await seen(two, "essex", "commissioner", count) == ["0"]


async def test_nobody_changes_or_takes_away_what_they_do_not_see(two: World) -> None:
    with asked_by("stoke", "lead"):
        async with two.house.db.write() as session:
            await session.execute(text("UPDATE contact SET body = NULL"))
            await session.execute(text('DELETE FROM "part"'))
    essex = [one for one in await two.all(Contact) if one.contract == "essex"]  # type: ignore[attr-defined]
    assert essex
    assert all(one.body for one in essex)  # type: ignore[attr-defined]


async def test_nobody_moves_a_row_into_their_sight(two: World) -> None:
    with asked_by("stoke", "lead"), pytest.raises(DBAPIError, match="row-level security"):
        async with two.house.db.write() as session:
            await session.execute(text("UPDATE contact SET contract = 'essex'"))


async def test_the_wall_ends_with_the_transaction_and_what_runs_by_itself_has_none(
    two: World,
) -> None:
    assert await seen(two, "essex", "worker") == ["essex"]
    async with two.house.db.read() as session:  # the same connection, asked for by nobody
        assert len((await session.execute(text(RAW))).all()) == 2
    await two.sms(CARER, "again")
    assert await route_all(two.house) == 0


async def test_figures_are_counted_for_those_who_may_not_see_what_is_counted(two: World) -> None:
    contract = two.house.contracts["essex"]
    period = contract.period_of(contract.report("quarter"), "2026-27-Q3")
    counts = []
    for asking in (None, ("essex", "commissioner")):
        with asked_by(*(asking or (None, "lead"))):
            async with two.house.db.read() as session:
                report = await figures.figures(session, contract, period, two.now, True, "quarter")
                counts.append({(one.measure, str(one.by)): one.value for one in report.cells})
                if asking:
                    assert (await session.execute(text(RAW))).all() == []  # behind it again
    assert counts[0] == counts[1]
    assert any(counts[0].values())


async def test_inside_a_count_the_wall_is_down_and_stands_again_after_it(two: World) -> None:
    with asked_by("essex", "commissioner"):
        async with two.house.db.read() as session:
            assert await session.scalar(select(func.count()).select_from(Person)) == 0
            async with as_owner(session), as_owner(session):
                assert await session.scalar(select(func.count()).select_from(Person)) == 2
            assert await session.scalar(select(func.count()).select_from(Person)) == 0


async def test_every_table_that_speaks_of_a_case_or_a_person_is_behind_it() -> None:
    held, left_out = policies.conditions(), set[str]()
    for table in metadata.sorted_tables:
        columns = {"contract", "case_id", "person_id"} & set(table.c.keys())
        if columns and table.name not in held:
            left_out.add(table.name)
    assert left_out == policies.OPEN & left_out


def test_migrating_again_changes_nothing(postgres: str) -> None:
    url = databases.new_postgres_database(postgres)
    try:
        for _ in range(2):
            migrate(url)
        assert policies.stands(policies_url(url))
    finally:
        databases.drop_postgres_database(url)


def policies_url(url: str) -> object:
    return Database(url).url


async def test_where_the_user_may_make_no_role_it_says_so_and_goes_on(
    postgres: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = databases.new_postgres_database(postgres)

    def refused(_: object) -> Iterator[str]:
        yield "SET LOCAL ROLE pg_monitor"  # somebody who may nothing
        yield "CREATE ROLE somebody"

    monkeypatch.setattr(policies, "_role", refused)
    try:
        migrate(url)
        assert not policies.stands(policies_url(url))
        await says_so_and_goes_on(url, capsys)
    finally:
        databases.drop_postgres_database(url)


async def says_so_and_goes_on(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    db = Database(url)
    await db.look_for_wall()
    await db.look_for_wall()
    assert db.has_wall is False
    with asked_by("essex", "worker"):
        assert await db.answers()
    await db.close()
    told = capsys.readouterr()
    assert (told.out + told.err).count("db.no_row_security") == 1
