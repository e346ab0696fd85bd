"""The bench itself: every measurement runs, the table and the JSON hold every row. No time is
asserted anywhere."""

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import MEASUREMENTS, run
from tests.bench.figures import Aim, Figure, table, write_json
from tests.bench.sizes import TINY


@pytest.mark.timeout(600)  # it measures a busy machine
def test_every_measurement_gives_its_rows(tmp_path: Path) -> None:
    said: list[str] = []
    figures = run(TINY, list(MEASUREMENTS), ("sqlite",), said.append)
    path = tmp_path / "bench.json"
    write_json(path, figures, 1.0, True)

    rows = [figure["row"] for figure in json.loads(path.read_text())["figures"]]
    for begins in (
        "start",
        "keep, 4 ",
        "route 20",
        "inbox page",
        "pages, 60 cases: slowest",
        "sweep, 50 ",
        "search 60 ",
        "quarter, 100 ",
    ):
        assert any(row.startswith(begins) for row in rows), begins
    assert all(figure.value > 0 for figure in figures)
    assert said


def test_a_figure_is_held_against_its_aim() -> None:
    figures = [
        Figure("good", "sqlite", 0.5, "", aim=Aim(least=0.45)),
        Figure("bad", "sqlite", 31.0, "s", 10.0, Aim(most=30)),
    ]
    assert [figure.is_met for figure in figures] == [True, False]
    lines = table(figures).splitlines()
    assert lines[1].split()[-1] == "yes"
    assert lines[2].split()[-1] == "NO"
    assert figures[1].ratio == 3.1
