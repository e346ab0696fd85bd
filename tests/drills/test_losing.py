"""The drill of `make drill`, small enough for every run: what was acknowledged is never lost, what
was not is found by asking, nothing is there twice; and the twin that is broken on purpose fails."""

import pytest

from tests.drills.losing import Figures, Plan, drill


async def test_killed_again_and_again_it_loses_nothing(database_url: str) -> None:
    figures = await drill(Plan(messages=300, kills=4, seed=7, pace=150), database_url)
    assert figures.kills == 4
    assert 0 < figures.acknowledged < figures.sent  # the kills did bite
    assert figures.missing_before > 0
    assert figures.found == [figures.missing_before, 0]
    assert figures.is_kept, figures


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # it tries the drill
async def test_the_twin_that_answers_too_early_is_caught(database_url: str) -> None:
    plan = Plan(messages=400, kills=8, seed=7, pace=200, is_hasty=True, settles=False)
    figures = await drill(plan, database_url)
    assert figures.acknowledged_but_lost > 0
    assert not figures.is_kept


@pytest.mark.parametrize(
    "promise",
    ["acknowledged_but_lost", "never_stored", "stored_twice", "heard_twice", "answered_twice"],
)
def test_each_promise_counts(promise: str) -> None:
    assert Figures().is_kept
    assert not Figures(**{promise: 1}).is_kept
