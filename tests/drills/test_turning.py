"""A small change of keys under load on each database; `make turning` is the whole one."""

import pytest

from tests.drills import turning

pytestmark = pytest.mark.timeout(300)


async def test_keys_change_while_people_write_and_nobody_meets_an_error(database_url: str) -> None:
    figures = await turning.drill(database_url, people=4, seed=5)
    assert figures.errors == []
    assert figures.is_kept, figures
    assert figures.written_meanwhile > 0
    assert figures.looked_for_meanwhile > 0
    assert figures.made_anew > 30
