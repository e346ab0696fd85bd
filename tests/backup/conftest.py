"""A helpline in the middle of its work, to be copied, on each database."""

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from helpline.backup import making
from tests import databases
from tests.keys import RAW_TEST_KEY
from tests.once import once
from tests.test_moving import half_a_day
from tests.world import NIGHT, World, opened_world

BACKUP_KEY = bytes(range(32))
KEYS = [RAW_TEST_KEY]
AT = NIGHT + timedelta(hours=13)


def quiet(table: str, rows: int) -> None:
    assert rows >= 0, table


@pytest.fixture
async def busy(
    tmp_path: Path, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Half a day of work on SQLite, with messages, alerts and promises that wait."""
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    path = Path(url.removeprefix("sqlite:///"))
    with once(tmp_path_factory, "half-a-day.db") as (made, is_made):
        if not is_made:
            await half_a_day(url)
            shutil.move(path, made)
    shutil.copy(made, path)
    async with opened_world(url, AT, is_known=True) as world:
        yield world


@pytest.fixture
def copied(busy: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it, made once in a run."""
    with once(tmp_path_factory, "half-a-day.copy") as (path, is_made):
        if not is_made:
            making.make(busy.house.settings.database_url, path, BACKUP_KEY, KEYS, AT, quiet)
    return path


@pytest.fixture
def empty_postgres(postgres: str) -> Iterator[str]:
    """A database without a table."""
    url = databases.new_postgres_database(postgres)
    yield url
    databases.drop_postgres_database(url)
