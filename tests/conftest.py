"""Fixtures every test may ask for. `database_url` and `empty_database_url` run each test that asks
for them twice: on SQLite and on a real PostgreSQL."""

import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from helpline import sealing
from helpline.migrations import migrate
from tests import databases, quick, terminals
from tests.keys import RAW_TEST_KEY

if TYPE_CHECKING:
    from tests.world import World

# A busy machine is no fault of the code: how long one example takes is not what is tested.
hypothesis.settings.register_profile(
    "ours", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("ours")
sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
quick.share_compiled_statements()
gc.set_threshold(100_000, 20, 50)  # a test makes much and soon ends: look less often

MEMORY, ENOUGH = Path("/dev/shm"), 2 << 30  # bytes; what has passed is cleared away at once
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
    # SQLite waits for the disk at every commit, half of a story's time. Only drills need that:
    # tests/drills/conftest.py. PYTEST_DEBUG_TEMPROOT=/tmp has it everywhere.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with databases.postgres_server(hurried=True) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    url = databases.new_postgres_database(postgres)
    migrate(url)
    return url.partition("?")[0].rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def postgres_again(postgres: str, postgres_template: str) -> str:
    """One database that every test finds empty: making one for each takes five times as long."""
    return databases.new_postgres_database(postgres, postgres_template)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.migrated_sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(params=databases.KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield databases.new_sqlite_file(tmp_path)
        return
    url = databases.new_postgres_database(request.getfixturevalue("postgres"))
    yield url
    databases.drop_postgres_database(url)


@pytest.fixture(params=databases.KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of its own for this test."""
    if request.param == "sqlite":
        yield databases.new_sqlite_file(tmp_path, request.getfixturevalue("sqlite_template"))
        return
    url = request.getfixturevalue("postgres_again")
    yield url
    databases.empty_postgres_database(url)


@pytest.fixture(scope="session")
def commands() -> Iterator[terminals.Commands]:
    """What makes processes of the `helpline` command quickly."""
    with terminals.commands() as ready:
        yield ready


@pytest.fixture
async def world(database_url: str) -> AsyncIterator["World"]:
    """A whole helpline, once on each database, at a quarter past two on a Tuesday night."""
    from tests.world import (
        opened_world,
    )  # imports the whole application: only where it is asked for

    async with opened_world(database_url) as opened:
        yield opened
