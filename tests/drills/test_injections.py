"""The drill of injections, small: texts by every door, nothing obeyed at any sink; and each sink
would notice."""

from random import Random

import pytest

from tests.drills.canaries import Canary, Nose
from tests.drills.injections import Figures, Plan, Seen, _active, _faults, drill, log_faults
from tests.drills.payloads import FAMILIES, payloads

SMALL = Plan(payloads=60, forms=3, most=3, cases=2, printed=1, kinds=("csv", "xlsx"), searches=4)
pytestmark = pytest.mark.timeout(600)  # a browser on a busy machine


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a page has nothing of it
async def test_what_wants_to_be_obeyed_is_only_read(database_url: str) -> None:
    figures = await drill(SMALL, 7, database_url)
    assert figures.wrong == []
    assert figures.executed == 0
    assert figures.is_kept
    assert figures.browsed > 5
    assert figures.letters
    assert figures.spoken


def test_every_family_is_tried_before_any_is_tried_again() -> None:
    every = sum(map(len, FAMILIES.values()))
    assert len(set(payloads(every, Random(1)))) >= every - 3
    assert payloads(300, Random(7)) == payloads(300, Random(7))


@pytest.mark.parametrize(
    "page",
    [
        "<script>x()</script>",
        "<img src=x onerror=x()>",
        "<a href='javascript:x()'>x</a>",
        "<a href=' http://evil.example'>x</a>",
        "<p style='x'>x</p>",
        "<base href=/x>",
    ],
)
def test_a_page_that_would_obey_is_noticed(page: str) -> None:
    said = {"Content-Type": "text/html"}
    assert list(_faults(Seen("x", "GET", "/", 200, said, page.encode())))
    assert not list(_faults(Seen("x", "GET", "/", 200, said, b"<p>plain</p>")))


def test_lines_cells_and_headers_that_would_obey_are_noticed() -> None:
    assert list(log_faults(['{"event": "a"} ERROR', "\x1b[2J", "Traceback:"])) != []
    assert list(log_faults(['{"event": "a"}', "ERROR aiohttp.server ValueError at a.py:7"])) == []
    assert list(_active("csv", b"a,=1+1\n", b"")) == ["a cell '=1+1'"]
    assert list(_faults(Seen("x", "GET", "/", 500, {}, b"")))
    assert list(_faults(Seen("x", "GET", "/", 303, {"Location": "http://evil.example"}, b"")))
    assert not Figures(payloads=1).is_kept


def test_a_nose_finds_a_canary_however_it_is_written() -> None:
    smells = Nose([Canary("number", "+447700900417"), Canary("name", "Vexley O'Brindle")])
    assert smells("ring 07700 900 417 now")
    assert smells("?q=Vexley+O%27Brindle")
    assert smells("Vexley O&#39;Brindle")
    assert not smells("ring 07700 900 4171 now, Vexley")
