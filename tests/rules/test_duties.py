"""Small decisions about the duties of an allegation: who is asked at once, whose solicitor is
whose, how often something was alleged, and that a fostered child is a letter."""

from datetime import UTC, date, datetime, timedelta

import pytest

from helpline.rules import duties
from helpline.rules.duties import ClaimState, Earlier, OutcomeWord, SolicitorStep, Wanted

NOW = datetime(2026, 11, 3, 22, 0, tzinfo=UTC)
TODAY = date(2026, 11, 3)


@pytest.mark.parametrize(
    ("hours", "kind", "at_once"),
    [
        (11, "voluntary", True),  # tomorrow at nine: the first warning would be late
        (24, "voluntary", True),
        (25, "voluntary", False),  # it will be said in an hour
        (None, "voluntary", False),  # nobody knows when
        (None, "arrest", True),  # they are there now
        (200, "arrest", True),
        (-1, "arrest", False),  # it is over
    ],
)
def test_who_is_asked_at_once_for_a_solicitor(
    hours: float | None, kind: str, at_once: bool
) -> None:
    at = None if hours is None else NOW + timedelta(hours=hours)
    assert duties.is_too_near(at, NOW, (24, 4, 1), kind) is at_once


def test_the_steps_of_a_solicitor_are_taken_in_their_order() -> None:
    steps = [
        duties.solicitor_step(None, None, None),
        duties.solicitor_step(NOW, None, None),
        duties.solicitor_step(NOW, NOW, None),
        duties.solicitor_step(NOW, NOW, False),
    ]
    assert steps == list(SolicitorStep)


def test_two_people_with_one_solicitor_are_named_once_and_nobody_else() -> None:
    wanted = [Wanted("Carol", "a"), Wanted("Colin", "a"), Wanted("Jo", "b"), Wanted("Sam", "")]
    assert duties.shared_solicitors(wanted) == (("Carol", "Colin"),)
    twice = [Wanted("Carol", "a"), Wanted("Carol", "a"), Wanted("Sam", ""), Wanted("Jo", "")]
    assert duties.shared_solicitors(twice) == ()  # two interviews of one person


@pytest.mark.parametrize(
    ("written", "letter"),
    [
        *(("a", "A"), ("child B", "B"), (" young person c ", "C")),
        *((name, None) for name in ("Al", "", "Child Kylie", "A.", "é", "1")),
    ],
)
def test_a_fostered_child_is_a_letter_and_never_a_name(written: str, letter: str | None) -> None:
    assert duties.child_letter(written) == letter


def test_a_refused_claim_may_still_be_accepted_and_a_closed_one_goes_nowhere() -> None:
    assert ClaimState.ACCEPTED in ClaimState.DECLINED.may_become
    assert ClaimState.CLOSED.may_become == ()
    assert ClaimState.ACCEPTED not in ClaimState.TO_NOTIFY.may_become


def test_word_of_the_end_is_owed_only_when_it_has_ended() -> None:
    open_still = {word for word in OutcomeWord if not word.is_end}
    assert open_still == {OutcomeWord.NOT_YET_KNOWN, OutcomeWord.NOT_TOLD_TO_US}


def days_ago(*days: int, household: int = 0) -> list[Earlier]:
    own = [Earlier(NOW - timedelta(days=one), "allegation") for one in days]
    others = [Earlier(NOW, "standards", is_household=True) for _ in range(household)]
    return own + others


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (days_ago(0), None),
        (days_ago(0, 600, 300), "Third in two years"),
        (days_ago(0, 365), "Second in one year"),  # the same day a year before counts
        (days_ago(0, 366), "Second in two years"),
        (days_ago(0, 4000), "Second known to us"),
        (days_ago(0, 300, 700, 3300), "Third in two years, fourth in ten years"),
        (days_ago(0, 300, 1500), "Second in one year, third in five years"),
        (days_ago(0, 10, 4000, 5000), "Second in one year, fourth known to us"),
        (days_ago(0, 1500, 3000), "Third in ten years"),
        (days_ago(*range(9)), "Number 9 in one year"),
        (days_ago(0, household=1), "One about others in the household"),
        (days_ago(0, 30, household=2), "Second in one year, 2 about others in the household"),
    ],
)
def test_how_often_is_said_as_sharply_as_is_true_and_all_of_it(
    found: list[Earlier], said: str | None
) -> None:
    repeat = duties.repeat_of(found, TODAY)
    assert (duties.said_of(repeat) if repeat else None) == said


def test_which_states_of_the_money_answer_the_question() -> None:
    answers = {state.value for state in duties.MoneyState if state.is_answer}
    assert answers == {"paid", "reduced", "stopped"}
