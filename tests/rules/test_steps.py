"""Where a case stands in the steps of its kind, and when a silence is long enough."""

from datetime import UTC, datetime, timedelta

import pytest

from helpline.rules import silence, steps
from helpline.rules.silence import Follow
from helpline.rules.steps import StepState, Tick
from helpline.vocabulary import CaseKind, SilenceMove

OPENED = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_each_kind_has_steps_or_the_pathway(kind: CaseKind) -> None:
    found = steps.steps_of(kind)
    assert bool(found) is not kind.is_pathway
    assert len({one.code for one in found}) == len(found)
    assert [one.days for one in found] == sorted(one.days for one in found)


def test_next_is_the_first_that_nobody_ticked() -> None:
    ticks = [Tick("understood", OPENED), Tick("helped", OPENED + DAY)]
    found = steps.lines("advice", OPENED, ticks, OPENED + 2 * DAY)
    assert [line.state for line in found] == ["done", "next", "done", "later", "later"]
    ahead = steps.next_step(found)
    assert ahead is not None and ahead.step.code == "safe" and ahead.is_behind
    assert not found[3].is_behind


def test_what_is_not_needed_is_not_next_and_a_closed_case_has_no_next() -> None:
    ticks = [Tick("understood", OPENED, is_needed=False)]
    found = steps.lines("advice", OPENED, ticks, OPENED + 90 * DAY)
    assert (found[0].state, found[1].state) == (StepState.NOT_NEEDED, StepState.NEXT)
    closed = steps.lines("advice", OPENED, ticks, OPENED + 90 * DAY, is_open=False)
    assert steps.next_step(closed) is None and not any(line.is_behind for line in closed)


@pytest.mark.parametrize(
    ("facts", "days_later", "expected"),
    [
        (silence.Facts(OPENED), 13.9, Follow.NOTHING),
        (silence.Facts(OPENED), 14, Follow.WORKER),
        (silence.Facts(OPENED, OPENED + 14 * DAY, OPENED), 20.9, Follow.NOTHING),
        (silence.Facts(OPENED, OPENED + 14 * DAY, OPENED), 21, Follow.LEAD),
        (silence.Facts(OPENED, OPENED + 14 * DAY, OPENED, True), 60, Follow.NOTHING),
        (silence.Facts(OPENED + 15 * DAY, OPENED + 14 * DAY, OPENED), 21, Follow.HEARD),
    ],
)
def test_a_silence_is_the_workers_and_then_a_leads(
    facts: silence.Facts, days_later: float, expected: Follow
) -> None:
    assert silence.follow(facts, 14, 7, OPENED + days_later * DAY) is expected


def test_what_is_tried_next_comes_in_its_order() -> None:
    assert silence.next_move(frozenset()) is SilenceMove.AGAIN
    assert silence.next_move(frozenset(["again", "referrer_told"])) is SilenceMove.ANOTHER_WAY
    assert silence.next_move(frozenset(SilenceMove)) is SilenceMove.AGREED
