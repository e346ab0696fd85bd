"""Proposals of a support worker: who never stands on the list, what moves whom, and the words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.allocation import (
    WEIGHT,
    Matter,
    Proposal,
    Tie,
    Worker,
    plan,
    proposals,
    waiting_order,
)
from helpline.vocabulary import Urgency

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)  # a Tuesday
ZONE = "Europe/London"
SOMETIME = st.none() | st.integers(-900, 900).map(lambda hours: NOW + timedelta(hours=hours))
LATER = st.none() | st.integers(1, 900).map(lambda hours: NOW + timedelta(hours=hours))
WORDS = st.frozensets(st.sampled_from(["pl", "polish", "legal", "north", "welsh"]))
URGENCIES = st.sampled_from(list(Urgency))
IDS = st.frozensets(st.integers(1, 8))

WORKERS = st.lists(
    st.builds(
        Worker,
        id=st.integers(1, 8),
        load=st.integers(0, 60),
        open_cases=st.integers(0, 30),
        words=WORDS,
        is_on_call=st.booleans(),
        away_until=LATER,
        leaves_at=LATER,
        back_since=SOMETIME,
    ),
    unique_by=lambda worker: worker.id,
    max_size=8,
)
MATTERS = st.builds(
    Matter,
    id=st.integers(1, 100),
    urgency=URGENCIES,
    language=st.sampled_from(["en", "pl", "cy"]),
    topics=WORDS,
    places=WORDS,
    shut_out=IDS,
    turned_down=IDS,
)
TIES = st.dictionaries(
    st.integers(1, 8),
    st.builds(
        Tie,
        spoke_at=st.none() | st.integers(0, 9000).map(lambda hours: NOW - timedelta(hours=hours)),
        was_theirs=st.booleans(),
        knows_household=st.booleans(),
    ),
)


def ranked(matter: Matter, workers: list[Worker], ties: dict[int, Tie]) -> list[int]:
    return [one.worker_id for one in proposals(matter, workers, ties, NOW, ZONE)]


@given(MATTERS, WORKERS, TIES)
def test_nobody_in_conflict_away_or_unwilling_is_ever_proposed_and_everybody_else_is(
    matter: Matter, workers: list[Worker], ties: dict[int, Tie]
) -> None:
    expected = {
        worker.id
        for worker in workers
        if worker.away_until is None and worker.id not in matter.shut_out | matter.turned_down
    }
    found = ranked(matter, workers, ties)
    assert set(found) == expected
    assert len(found) == len(expected)


@given(MATTERS, WORKERS, TIES, st.randoms())
def test_the_order_in_which_workers_are_given_changes_nothing(
    matter: Matter, workers: list[Worker], ties: dict[int, Tie], dice: object
) -> None:
    mixed = list(workers)
    dice.shuffle(mixed)  # type: ignore[attr-defined]  # random.Random
    assert proposals(matter, mixed, ties, NOW, ZONE) == proposals(matter, workers, ties, NOW, ZONE)


@given(MATTERS, WORKERS, TIES, st.integers(1, 8), URGENCIES)
def test_another_case_never_raises_anybody(
    matter: Matter, workers: list[Worker], ties: dict[int, Tie], who: int, urgency: Urgency
) -> None:
    before = ranked(matter, workers, ties)
    busier = [w.with_one_more(urgency) if w.id == who else w for w in workers]
    after = ranked(matter, busier, ties)
    if who in before:
        assert after.index(who) >= before.index(who)
        others = [one for one in before if one != who]
        assert [one for one in after if one != who] == others


@given(MATTERS, WORKERS, TIES, st.integers(1, 8))
def test_knowing_the_person_never_lowers_anybody(
    matter: Matter, workers: list[Worker], ties: dict[int, Tie], who: int
) -> None:
    before = ranked(matter, workers, ties)
    known = ties | {who: replace(ties.get(who, Tie()), spoke_at=NOW - timedelta(days=30))}
    if who in before:
        assert ranked(matter, workers, known).index(who) <= before.index(who)


@given(WORKERS, TIES)
def test_in_an_emergency_whoever_is_on_call_stands_first(
    workers: list[Worker], ties: dict[int, Tie]
) -> None:
    found = ranked(Matter(1, Urgency.EMERGENCY, language="pl"), workers, ties)
    on_call = {worker.id for worker in workers if worker.is_on_call}
    standing = [worker_id in on_call for worker_id in found]
    assert standing == sorted(standing, reverse=True)


@given(st.lists(MATTERS, unique_by=lambda m: m.id, max_size=6), WORKERS)
def test_a_plan_counts_what_it_has_given_out_already(
    matters: list[Matter], workers: list[Worker]
) -> None:
    found = plan(matters, workers, {}, NOW, ZONE)
    assert list(found) == [matter.id for matter in matters]
    standing = {worker.id: worker for worker in workers}
    for matter in matters:
        assert found[matter.id] == proposals(matter, standing.values(), {}, NOW, ZONE)
        if found[matter.id]:
            first = found[matter.id][0].worker_id
            standing[first] = standing[first].with_one_more(matter.urgency)


def test_twenty_like_cases_are_spread_evenly_over_four_workers() -> None:
    matters = [Matter(n, Urgency.STANDARD) for n in range(20)]
    workers = [Worker(n) for n in range(1, 5)]
    given_to = [found[0].worker_id for found in plan(matters, workers, {}, NOW, ZONE).values()]
    assert {who: given_to.count(who) for who in given_to} == {1: 5, 2: 5, 3: 5, 4: 5}


def only(matter: Matter, worker: Worker, tie: Tie | None = None) -> Proposal:
    (found,) = proposals(matter, [worker], {worker.id: tie} if tie else {}, NOW, ZONE)
    return found


def test_the_reasons_are_words_a_lead_can_repeat() -> None:
    matter = Matter(1, Urgency.STANDARD, language="pl", topics=frozenset({"legal"}), topic="Legal")
    worker = Worker(3, 8, 4, frozenset({"polish", "legal"}), back_since=NOW - timedelta(hours=30))
    tie = Tie(spoke_at=datetime(2026, 5, 9, tzinfo=UTC))
    assert only(matter, worker, tie).why == (
        "speaks Polish; spoke with them in May; skilled in Legal; 4 open cases; "
        "back from leave since yesterday"
    )


@pytest.mark.parametrize(
    ("tie", "said"),
    [
        (Tie(spoke_at=NOW), "spoke with them today"),
        (Tie(spoke_at=NOW - timedelta(days=1)), "spoke with them yesterday"),
        (Tie(spoke_at=NOW - timedelta(days=4)), "spoke with them on Friday"),
        (Tie(spoke_at=datetime(2025, 11, 20, tzinfo=UTC)), "spoke with them in November 2025"),
        (Tie(was_theirs=True), "was their support worker"),
        (Tie(knows_household=True), "knows their household"),
    ],
)
def test_how_they_know_each_other_is_said(tie: Tie, said: str) -> None:
    assert only(Matter(1, Urgency.LOW), Worker(1), tie).reasons[0] == said


def test_whoever_leaves_tomorrow_stands_behind_and_it_is_said() -> None:
    leaving = Worker(1, leaves_at=NOW + timedelta(days=1))
    found = proposals(Matter(1, Urgency.LOW), [leaving, Worker(2, 4, 2)], {}, NOW, ZONE)
    assert [one.worker_id for one in found] == [2, 1]
    assert found[1].why == "no open case; away from tomorrow"


def test_a_language_is_found_by_its_code_and_by_its_name() -> None:
    matter = Matter(1, Urgency.LOW, language="pl")
    for words in ({"pl"}, {"polish"}):
        assert "speaks Polish" in only(matter, Worker(1, words=frozenset(words))).reasons
    assert only(matter, Worker(1, words=frozenset({"welsh"}))).why == "no open case"


def test_the_waiting_list_goes_by_urgency_then_by_what_is_due() -> None:
    hour = timedelta(hours=1)
    expected = [
        (Urgency.EMERGENCY, NOW + 9 * hour, 7),
        (Urgency.URGENT, NOW, 6),
        (Urgency.STANDARD, NOW - hour, 5),
        (Urgency.STANDARD, NOW, 3),
        (Urgency.STANDARD, NOW, 4),
        (Urgency.STANDARD, None, 1),
        (Urgency.LOW, NOW - 9 * hour, 2),
    ]
    mixed = [expected[place] for place in (3, 6, 0, 5, 2, 4, 1)]
    assert sorted(mixed, key=lambda one: waiting_order(*one)) == expected


def test_every_urgency_weighs_something_and_a_worse_one_more() -> None:
    weights = [WEIGHT[urgency] for urgency in Urgency]
    assert weights == sorted(set(weights)) and weights[0] > 0
