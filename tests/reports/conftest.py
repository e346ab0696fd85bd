"""What the report tests share: the contract, a database with a past quarter, and a moment."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpline.contract import Contract, load_contracts
from helpline.db import Database


@pytest.fixture(scope="session")
def essex() -> Contract:
    return load_contracts(Path(__file__).parents[2] / "contracts")["essex"]


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def now() -> datetime:
    """Five hours after the first quarter of 2026-27 ended: some promises are still open."""
    return datetime(2026, 11, 1, 5, tzinfo=UTC)
