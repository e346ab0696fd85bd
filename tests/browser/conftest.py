"""One served world and one browser for all page tests of a process; each test has its own page."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests import databases
from tests.browser.site import Site, opened_site


@pytest_asyncio.fixture
async def site(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Site]:
    async with opened_site(databases.new_sqlite_file(tmp_path, sqlite_template)) as opened:
        yield opened


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
