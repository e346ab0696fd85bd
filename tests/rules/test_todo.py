"""What comes first for whom: the order of rules/todo.py, one promise a test."""

from datetime import UTC, datetime, timedelta

import pytest

from helpline.rules.todo import Asker, Kind, Owed, Why, turns
from helpline.vocabulary import Role

NOW = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 4, tzinfo=UTC)
ESSEX = frozenset({"essex"})
WORKER = Asker(Role.WORKER)
ON_CALL = Asker(Role.WORKER, on_call=ESSEX)
LEAD = Asker(Role.LEAD)


def owed(kind: Kind, minutes: float | None = 60, *, mine: bool = False, **more: bool) -> Owed:
    at = None if minutes is None else NOW + timedelta(minutes=minutes)
    return Owed(kind, "essex", at, mine, **more)


def seen(asker: Asker, *some: Owed) -> list[tuple[Kind, Why]]:
    return [(one.owed.kind, one.why) for one in turns(some, asker, NOW, MIDNIGHT)]


def test_a_worker_who_is_not_on_call_sees_what_is_theirs_and_nothing_else() -> None:
    some = (owed(Kind.ANSWER, 5), owed(Kind.ALERT, -5, is_danger=True), owed(Kind.ALLOCATE))
    assert seen(WORKER, *some) == []
    assert seen(WORKER, *some, owed(Kind.TASK, mine=True)) == [(Kind.TASK, Why.MINE)]


def test_whoever_is_on_call_sees_everybody_who_waits() -> None:
    assert seen(ON_CALL, owed(Kind.ANSWER), owed(Kind.CLOCK)) == [(Kind.ANSWER, Why.ON_CALL)]


def test_where_nobody_is_on_call_whoever_is_here_answers() -> None:
    alone = Asker(Role.WORKER, unmanned=ESSEX)
    assert seen(alone, owed(Kind.ANSWER)) == [(Kind.ANSWER, Why.NOBODY_ON_CALL)]


def test_danger_comes_before_ones_own_word_and_that_before_everything_else() -> None:
    found = seen(
        ON_CALL,
        owed(Kind.TASK, -600, mine=True),
        owed(Kind.ANSWER, 2),
        owed(Kind.PROMISE, 20, mine=True),
        owed(Kind.ALERT, -1, is_danger=True),
    )
    assert [kind for kind, _ in found] == [Kind.ALERT, Kind.PROMISE, Kind.ANSWER, Kind.TASK]


def test_a_lead_sees_what_nobody_has_then_what_is_about_to_break_then_what_is_broken() -> None:
    found = seen(
        LEAD,
        owed(Kind.ANSWER, -30),
        owed(Kind.PROMISE, 90),
        owed(Kind.ANSWER, 300),
        owed(Kind.ALLOCATE, 1200),
        owed(Kind.TASK, 10),
    )
    assert found == [
        (Kind.ALLOCATE, Why.NOBODY_HAS_IT),
        (Kind.PROMISE, Why.BREAKING),
        (Kind.ANSWER, Why.BROKEN),
    ]


def test_the_safeguarding_lead_sees_what_asks_them_and_not_each_alert() -> None:
    asker = Asker(Role.SAFEGUARDING)
    asks = owed(Kind.NOTICE, 500, is_safeguarding=True)
    assert seen(asker, owed(Kind.ALERT, -5), asks) == [(Kind.NOTICE, Why.SAFEGUARDING)]


def test_the_complaints_officer_sees_the_stage_that_is_due_next() -> None:
    late, soon = owed(Kind.COMPLAINT, -60), owed(Kind.COMPLAINT, 60)
    found = turns([soon, late], Asker(Role.COMPLAINTS), NOW, MIDNIGHT)
    assert [one.owed for one in found] == [late, soon]
    assert seen(Asker(Role.COMPLAINTS, unmanned=ESSEX), owed(Kind.ANSWER)) == []


@pytest.mark.parametrize(
    ("one", "is_pressing"),
    [
        (owed(Kind.TASK, 60 * 30, mine=True), False),  # tomorrow
        (owed(Kind.TASK, 60 * 20, mine=True), True),  # today
        (owed(Kind.ANSWER, 60 * 30, mine=True), True),  # a person waits
        (owed(Kind.FEEDBACK, None, mine=True), False),
    ],
)
def test_what_can_wait_is_said_to_be_able_to(one: Owed, is_pressing: bool) -> None:
    (turn,) = turns([one], WORKER, NOW, MIDNIGHT)
    assert turn.is_pressing is is_pressing


def test_one_case_is_said_once_but_each_word_given_on_it_apart() -> None:
    def about(kind: Kind, minutes: float) -> Owed:
        at = NOW + timedelta(minutes=minutes)
        return Owed(kind, "essex", at, True, about="ESX-AAAAAA")

    some = [about(Kind.ALERT, -2), about(Kind.ANSWER, 60), about(Kind.PROMISE, 90)]
    assert [kind for kind, _ in seen(WORKER, *some)] == [Kind.ALERT, Kind.PROMISE]
