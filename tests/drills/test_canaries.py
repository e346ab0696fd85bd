"""The drill of canaries, small: what people are called, where they live and what they said is found
where it belongs and nowhere else; and a leak would be found."""

import logging
import random
from types import SimpleNamespace
from typing import Any

import pytest

from helpline import log
from tests.drills.canaries import (
    Canary,
    Figures,
    Nose,
    _faults,
    drill,
    flock,
    hearing,
    look_into_rows,
)
from tests.drills.doors import Seen
from tests.world import opened_world

CANARY = Canary("name", "Vexley Marrowbyxq")
pytestmark = pytest.mark.timeout(600)  # a browser on a busy machine
PAGE = {"Content-Type": "text/html", "Cache-Control": "no-store"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # `make trust` runs it on both
async def test_no_canary_is_where_it_does_not_belong(database_url: str) -> None:
    figures = await drill(27, 2, 2, 7, database_url, browse=True)
    assert figures.wrong == []
    assert figures.is_kept


def test_each_canary_is_unlike_every_other() -> None:
    made = flock(200, random.Random(3))
    assert len({one.text for one in made}) == 200
    assert len({one.kind for one in made}) == 5


@pytest.mark.parametrize(
    ("headers", "page"),
    [
        ({"Cache-Control": "max-age=60"}, "<p>Vexley Marrowbyxq</p>"),
        ({}, "<title>Not found</title>Vexley Marrowbyxq"),
        ({}, "<a href='/search?q=Vexley%20Marrowbyxq'>x</a>"),
        ({"Location": "/people?who=Vexley+Marrowbyxq"}, ""),
        ({}, "Vexley Marrowbyxq <form method=get><input name=q></form>"),
    ],
)
def test_a_leak_of_a_page_is_noticed(headers: dict[str, str], page: str) -> None:
    seen = Seen("x", "GET", "/x", 200, PAGE | headers, page.encode())
    assert list(_faults(seen, Nose([CANARY])))
    proper = Seen("x", "GET", "/x", 200, PAGE, b"<p>Vexley Marrowbyxq</p>")
    assert not list(_faults(proper, Nose([CANARY])))


def test_what_is_printed_and_logged_is_heard_and_everything_is_as_before() -> None:
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    with hearing() as said:
        print("printed")
        logging.getLogger("httpx").debug(CANARY.text)
        log.log().info("item.kept", channel="sms", sender=CANARY.text)
    assert said.getvalue().splitlines()[0] == "printed"
    assert "DEBUG httpx" in said.getvalue()
    assert '"event": "item.kept"' in said.getvalue()
    assert not Nose([CANARY])(said.getvalue())
    assert root.handlers == before


def test_a_drill_that_saw_nothing_has_shown_nothing() -> None:
    assert Figures(put_in=1, pages=1, log_lines=1).is_kept
    assert not Figures(put_in=1, pages=1).is_kept
    assert not Figures(put_in=1, pages=1, log_lines=1, wrong=["x"]).is_kept


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_not_sealed_is_found_in_the_rows(database_url: str) -> None:
    async with opened_world(database_url) as world:
        doors: Any = SimpleNamespace(world=world)  # all that is asked of it here
        wasim = Nose([Canary("name", "Wasim")])  # who works here is not sealed
        found = [*await look_into_rows(doors, wasim, database_url)]
        assert any("shown_name holds wasim unsealed" in one for one in found), found
        assert not [
            *await look_into_rows(doors, Nose([Canary("name", "Carol Ashby")]), database_url)
        ]
