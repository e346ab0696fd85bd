"""The drill of the clocks, small enough for every run: killed, frozen and without its database, no
alert is missed, none comes twice, none late; and the twin that sends without a claim is caught."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.drills.nodes import LATEST, Figures, Outages, Plan, a_database, drill

SMALL = Plan(
    "postgres", seed=7, deadlines=80, seconds=8, stops=1, kills=2, freezes=2, freeze=(1, 2)
)


@pytest.mark.timeout(150)
async def test_three_nodes_and_a_database_that_stops_miss_nothing_and_double_nothing() -> None:
    with a_database("postgres") as (url, postgres):
        figures = await drill(SMALL, url, postgres)
    assert (figures.database_stops, figures.kills, figures.freezes) == (1, 2, 2)
    assert (figures.deadlines, figures.alerts) == (80, 80)
    assert figures.texts > 60  # they did go out
    assert figures.is_kept, figures


@pytest.mark.timeout(150)
async def test_one_process_on_sqlite_that_is_killed_and_frozen() -> None:
    plan = replace(SMALL, kind="sqlite", stops=0, kills=2, freezes=1)
    with a_database("sqlite") as (url, _):
        figures = await drill(plan, url)
    assert (figures.kills, figures.freezes) == (2, 1)
    assert figures.alerts == 80
    assert figures.is_kept, figures


@pytest.mark.timeout(150)
async def test_the_twin_that_sends_without_a_claim_is_caught() -> None:
    twin = replace(SMALL, seconds=6, stops=0, kills=1, freezes=0, is_naive=True)
    with a_database("postgres") as (url, _):
        figures = await drill(twin, url)
    assert figures.doubled_texts > 0
    assert not figures.is_kept


@pytest.mark.parametrize(
    "promise",
    [
        "missed",
        "doubled_alerts",
        "doubled_pages",
        "doubled_texts",
        "unsent_texts",
        "left_behind",
    ],
)
def test_each_promise_counts(promise: str) -> None:
    assert Figures(latest_after_recovery=LATEST).is_kept
    assert not Figures(**{promise: 1}).is_kept
    assert not Figures(latest_after_recovery=LATEST + 0.1).is_kept


def test_only_time_in_which_nobody_could_have_done_it_is_no_lateness() -> None:
    outages = Outages(nodes=2)
    outages.goes("node 0")
    assert outages.spans == []
    outages.goes("database")
    outages.comes("database")
    outages.goes("node 1")
    outages.comes("node 0")
    assert len(outages.spans) == 2
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    outages.spans = [(noon, noon + timedelta(seconds=8))]
    before, within = noon - timedelta(seconds=1), noon + timedelta(seconds=3)
    after = noon + timedelta(seconds=9)
    assert outages.could_be_raised(before, after) == noon + timedelta(seconds=8)
    assert outages.could_be_raised(within, after) == noon + timedelta(seconds=8)
    assert outages.could_be_raised(before, within) == before
    assert outages.could_be_raised(after, noon + timedelta(seconds=30)) == after
