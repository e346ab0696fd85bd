"""The call tree, walked whole: from the first ring, every key, every way a telephone can ring out,
every place to hang up and every hook asked twice. No path may end in silence or be forgotten."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from helpline.rules import calls
from helpline.rules.calls import Line, Turn
from helpline.vocabulary import CallMove, CallResult, CallState, Colour, Direction

KEYS = ("", *"0123456789*#")
ROSTERS: tuple[tuple[int, ...], ...] = ((), (7,), (7, 8), (7, 8, 9))
WORDING = tomllib.loads(
    (Path(__file__).parents[2] / "templates/messages/en/voice.toml").read_text("utf-8")
)
MOST_TURNS = 20
OUT = Line(direction=Direction.OUT)


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


# --- an alert by telephone -----------------------------------------------------------------------

ASKED = tuple(
    calls.Asked(waiting, colour, is_test)
    for waiting in (0, 1, 3)
    for colour in Colour
    for is_test in (False, True)
)


def alert_paths(asked: calls.Asked) -> Iterator[tuple[tuple[str, ...], tuple[Turn, ...]]]:
    """Every way through an alert's call: the keys pressed, and the turns."""
    waiting = [((), (calls.alert(OUT, asked),))]
    while waiting:
        keys, turns = waiting.pop()
        yield keys, turns
        if turns[-1].move is CallMove.ASK:
            for key in KEYS:
                then = calls.take_alert(turns[-1].line, key, len(turns), asked)
                waiting.append(((*keys, key), (*turns, then)))


@pytest.mark.parametrize("asked", ASKED)
def test_only_the_one_takes_an_alert_and_every_path_ends(asked: calls.Asked) -> None:
    for keys, turns in alert_paths(asked):
        last = turns[-1]
        assert last.say
        assert len(turns) <= calls.MOST_TIMES + 1
        assert last.move in (CallMove.ASK, CallMove.HANG_UP)
        has_taken = last.line.state is CallState.CONNECTED
        assert has_taken == (asked.waiting > 0 and keys[-1:] == ("1",))
        if has_taken:
            assert last.say == ("alert_yours",)


@pytest.mark.parametrize("asked", ASKED)
def test_a_machine_that_presses_nothing_is_not_talked_to_for_ever(asked: calls.Asked) -> None:
    silent = [turns for keys, turns in alert_paths(asked) if not any(keys)]
    assert max(len(turns) for turns in silent) <= 3
    ends = [turns[-1] for turns in silent if turns[-1].move is CallMove.HANG_UP]
    assert {turn.say for turn in ends} == {
        ("alert_not_taken",) if asked.waiting else ("alert_gone",)
    }


@pytest.mark.parametrize("asked", ASKED)
def test_an_alert_hook_asked_twice_changes_nothing(asked: calls.Asked) -> None:
    for keys, turns in alert_paths(asked):
        if keys:
            before = turns[-2].line
            again = calls.take_alert(before, keys[-1], len(turns) - 1, asked)
            assert again == turns[-1]
            if again.line.state is CallState.CONNECTED:
                taken = calls.take_alert(again.line, keys[-1], len(turns) - 1, asked)
                assert taken == turns[-1]


def test_two_says_it_again_as_often_as_it_may() -> None:
    one = calls.Asked(1, "purple")
    first = calls.alert(OUT, one)
    for times in range(1, calls.MOST_TIMES):
        assert calls.take_alert(OUT, "2", times, one) == first
    assert calls.take_alert(OUT, "2", calls.MOST_TIMES, one).say == ("alert_not_taken",)


def test_an_alert_says_how_urgent_it_is_and_how_many_and_nothing_else() -> None:
    assert calls.alert(OUT, calls.Asked(1, "black")).say == (
        "alert_one",
        "alert_black",
        "alert_keys",
    )
    assert calls.alert(OUT, calls.Asked(2, "blue")).say[0] == "alert_many"
    for key, text in WORDING.items():
        if key.startswith("alert_"):
            assert set(re.findall(r"{{ (\w+) }}", text)) <= {"count"}


def test_an_alert_that_is_over_says_so() -> None:
    over = Line(direction=Direction.OUT, state=CallState.ENDED)
    for turn in (calls.alert(OUT, calls.Asked(0, "")), calls.alert(over, calls.Asked(1, "red"))):
        assert (turn.move, turn.say) == (CallMove.HANG_UP, ("alert_gone",))
    assert not calls.end(OUT).owes_call_back


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
    for asked in ASKED:
        said |= {key for _, turns in alert_paths(asked) for key in turns[-1].say}
    assert said | {"fault", "fault_end"} == set(WORDING)


def test_what_strangers_may_hear_names_nobody_and_nothing() -> None:
    for key in ("somebody_rings", "line_gone"):
        assert "helpline" not in WORDING[key].lower()
        assert "{{" not in WORDING[key]
    filled = {"greeting", "alert_many", "message_left", "nothing_left"}  # and what is kept
    assert {key for key, text in WORDING.items() if "{{" in text} == filled


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
