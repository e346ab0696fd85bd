"""The call tree, walked whole: from the first ring, every key, every way a telephone can ring out,
every place to hang up and every hook asked twice. No path may end in silence or be forgotten."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from helpline.rules import calls
from helpline.rules.calls import Line, Turn
from helpline.vocabulary import CallMove, CallResult, CallState, Direction

KEYS = ("", *"0123456789*#")
ROSTERS: tuple[tuple[int, ...], ...] = ((), (7,), (7, 8), (7, 8, 9))
WORDING = tomllib.loads(
    (Path(__file__).parents[2] / "templates/messages/en/voice.toml").read_text("utf-8")
)
MOST_TURNS = 20


def after(line: Line, turn: Turn, roster: tuple[int, ...]) -> Iterator[Turn]:
    """Everything that can come of a turn on the caller's own line, short of hanging up."""
    if turn.move is CallMove.ASK:
        for key in KEYS:
            yield calls.choose(line, key, roster)
    elif turn.move is CallMove.RING:
        assert turn.ring is not None
        times = len(line.asked)
        for joined in (None, False):  # engaged, rung out, switched off, put down
            yield calls.rung(line, times, joined, roster)
        for key in KEYS:  # somebody, or a machine, answers and presses this
            whispered = calls.whisper(line, turn.ring)
            assert whispered.move is CallMove.ASK
            taken = calls.take(whispered.line, turn.ring, key)
            assert taken.move is (CallMove.JOIN if key == "1" else CallMove.HANG_UP)
            for joined in (True, None, False):
                yield calls.rung(taken.line, times, joined, roster)
    elif turn.move is CallMove.RECORD:
        yield calls.left(line, has_message=True)
        yield calls.left(line, has_message=False)


def walk(roster: tuple[int, ...]) -> Iterator[tuple[Turn, ...]]:
    """Every path from the greeting to the end of the line, as its turns."""
    waiting: list[tuple[Turn, ...]] = [(calls.greet(Line()),)]
    seen: set[tuple[Turn, int]] = set()
    while waiting:
        path = waiting.pop()
        yield path
        turn = path[-1]
        if (turn, len(path)) in seen:  # the rest of this path has been walked
            continue
        seen.add((turn, len(path)))
        waiting.extend((*path, then) for then in after(turn.line, turn, roster))


@pytest.mark.parametrize("roster", ROSTERS)
def test_every_path_ends_with_a_person_a_message_or_a_call_back(roster: tuple[int, ...]) -> None:
    ends: Counter[str] = Counter()
    for path in walk(roster):
        ending = calls.end(path[-1].line)  # they may hang up after any turn
        if ending.result is CallResult.SPOKE:
            assert path[-1].line.state is CallState.CONNECTED
            assert not ending.owes_call_back
        else:
            assert ending.owes_call_back
            assert ending.state is CallState.MISSED
        ends[ending.result] += 1
    assert ends[CallResult.VOICEMAIL]
    assert ends[CallResult.NO_ANSWER]
    assert bool(ends[CallResult.SPOKE]) == bool(roster)


@pytest.mark.parametrize("roster", ROSTERS)
def test_no_path_is_silent_endless_or_hangs_up_on_somebody_nobody_spoke_with(
    roster: tuple[int, ...],
) -> None:
    for path in walk(roster):
        assert len(path) <= MOST_TURNS
        for before, turn in pairwise(path):
            assert turn.say
            if turn.move is CallMove.HANG_UP:
                spoke = turn.line.state is CallState.CONNECTED
                assert spoke or before.move is CallMove.RECORD


@pytest.mark.parametrize("roster", ROSTERS)
def test_everybody_on_call_is_rung_before_the_machine_and_twice_in_danger(
    roster: tuple[int, ...],
) -> None:
    for path in walk(roster):
        if path[-1].move is CallMove.RECORD:
            line = path[-1].line
            assert line.asked == roster * (2 if line.in_danger else 1)


@pytest.mark.parametrize("roster", ROSTERS)
def test_danger_is_said_once_and_never_forgotten(roster: tuple[int, ...]) -> None:
    for path in walk(roster):
        said = [turn.is_emergency for turn in path]
        assert said.count(True) <= 1
        if True in said:
            assert all(turn.line.in_danger for turn in path[said.index(True) :])
        else:
            assert not path[-1].line.in_danger


@pytest.mark.parametrize("roster", ROSTERS)
def test_a_question_asked_twice_gets_the_same_answer(roster: tuple[int, ...]) -> None:
    for path in walk(roster):
        turn = path[-1]
        if turn.move is CallMove.ASK:
            for key in KEYS:
                first = calls.choose(turn.line, key, roster)
                again = calls.choose(first.line, key, roster)
                assert (again.move, again.say, again.ring) == (first.move, first.say, first.ring)
                assert again.line == first.line
                assert not again.is_emergency
        if turn.move is CallMove.RING and turn.line.state is CallState.RINGING:
            times = len(turn.line.asked)
            first = calls.rung(turn.line, times, None, roster)
            again = calls.rung(first.line, times, None, roster)
            assert (again.move, again.say, again.ring, again.line) == (
                first.move,
                first.say,
                first.ring,
                first.line,
            )


@pytest.mark.parametrize("state", [CallState.ENDED, CallState.MISSED])
def test_a_call_that_is_over_stays_over(state: CallState) -> None:
    line = Line(state=state, asked=(7,))
    turns = [
        calls.choose(line, "1", (7, 8)),
        calls.rung(line, 1, None, (7, 8)),
        calls.whisper(line, 7),
        calls.take(line, 7, "1"),
        calls.confirm(line),
        calls.ring_them(line, "1"),
        calls.ask_them(line),
        calls.they_take(line, "1"),
        calls.they_rang_out(line, None),
    ]
    assert {turn.move for turn in turns} == {CallMove.HANG_UP}
    assert all(turn.say and turn.line == line for turn in turns)


def test_only_whoever_is_being_rung_can_take_the_call() -> None:
    line = Line(asked=(7, 8))
    assert calls.take(line, 7, "1").move is CallMove.HANG_UP
    assert calls.take(line, 9, "1").move is CallMove.HANG_UP
    assert calls.take(line, 8, "1").move is CallMove.JOIN
    assert calls.take(Line(state=CallState.VOICEMAIL, asked=(7, 8)), 8, "1").say == ("caller_gone",)


def test_ringing_out_reaches_the_person_only_when_both_press_a_key() -> None:
    out = Line(direction=Direction.OUT)
    assert calls.confirm(out).move is CallMove.ASK
    for key in KEYS:
        rings = calls.ring_them(out, key)
        assert rings.move is (CallMove.RING if key == "1" else CallMove.HANG_UP)
        assert rings.say
    for key in KEYS:
        taken = calls.they_take(out, key)
        assert taken.move is (CallMove.JOIN if key else CallMove.HANG_UP)
        assert calls.end(taken.line).result is (CallResult.SPOKE if key else CallResult.NO_ANSWER)
        for joined in (True, False, None):
            assert calls.they_rang_out(taken.line, joined).move is CallMove.HANG_UP
    assert not calls.end(out).owes_call_back


def test_everything_the_tree_says_has_words_and_no_other_words_stand_there() -> None:
    said = {key for roster in ROSTERS for path in walk(roster) for key in path[-1].say}
    out, ours = Line(direction=Direction.OUT), Line(asked=(7,))
    for turn in (
        calls.whisper(ours, 7),
        calls.whisper(Line(asked=(7,), in_danger=True), 7),
        calls.whisper(ours, 8),
        calls.take(ours, 7, "1"),
        calls.take(ours, 7, ""),
        calls.confirm(out),
        calls.ring_them(out, "1"),
        calls.ring_them(out, ""),
        calls.ask_them(out),
        calls.they_take(out, ""),
        calls.they_rang_out(out, None),
    ):
        said |= set(turn.say)
    assert said | {"fault", "fault_end"} == set(WORDING)


def test_what_strangers_may_hear_names_nobody_and_nothing() -> None:
    for key in ("somebody_rings", "line_gone"):
        assert "helpline" not in WORDING[key].lower()
        assert "{{" not in WORDING[key]
    assert {key for key, text in WORDING.items() if "{{" in text} == {"greeting"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ring 999.", "ring 9 9 9."),
        ("Duty Service, 0345 606 1212.", "Duty Service, 0 3 4 5 6 0 6 1 2 1 2."),
        ("press 1, then 24 hours", "press 1, then 24 hours"),
        ("", ""),
    ],
)
def test_numbers_are_read_out_digit_by_digit(text: str, said: str) -> None:
    assert calls.digit_by_digit(text) == said
