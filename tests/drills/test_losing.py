"""The drill of `make drill`, small enough for every run: what was acknowledged is never lost, what
was not is found by asking, nothing is there twice; and the twin that is broken on purpose fails."""

from pathlib import Path

import pytest

from tests.drills.losing import Figures, Plan, drill


async def test_killed_again_and_again_it_loses_nothing(tmp_path: Path) -> None:
    figures = await drill(Plan(messages=400, kills=5, seed=7), tmp_path)
    assert figures.kills == 5
    assert 0 < figures.acknowledged < figures.sent  # the kills did bite
    assert figures.missing_before > 0
    assert figures.found == [figures.missing_before, 0]
    assert figures.is_kept, figures


async def test_the_twin_that_answers_too_early_is_caught(tmp_path: Path) -> None:
    plan = Plan(messages=600, kills=12, seed=7, pace=200, is_hasty=True, settles=False)
    figures = await drill(plan, tmp_path)
    assert figures.acknowledged_but_lost > 0
    assert not figures.is_kept


@pytest.mark.parametrize(
    "promise",
    ["acknowledged_but_lost", "never_stored", "stored_twice", "heard_twice", "answered_twice"],
)
def test_each_promise_counts(promise: str) -> None:
    assert Figures().is_kept
    assert not Figures(**{promise: 1}).is_kept
