"""Worlds that begin at a certain instant."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.web.conftest import arrive as arrive  # stories that somebody walks through the pages
from tests.web.conftest import one_world as one_world  # what has nothing to do with the database
from tests.world import World, opened_world


@pytest.fixture
async def world_at_autumn(database_url: str) -> AsyncIterator[World]:
    async with opened_world(database_url, datetime(2026, 10, 24, 17, 0, tzinfo=UTC)) as world:
        yield world


@pytest.fixture
async def world_at_spring(database_url: str) -> AsyncIterator[World]:
    async with opened_world(database_url, datetime(2027, 3, 27, 18, 0, tzinfo=UTC)) as world:
        yield world
