"""The telephone's call tree: where a line stands and what happened → what it hears and does next.

Pure; called by desk/calls, which looks up the facts and writes down the outcome. Every way through
it ends with a person, a message left or a call-back owed, and no line is ever dropped in silence:
each turn says something. Repeats of one question (a provider asks again when our answer got lost)
get the same answer.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from helpline.vocabulary import CallMove, CallResult, CallState, Direction

YES_KEY = "1"
"""Somebody is in danger (the caller); I take this call (the worker)."""
AGAIN_KEY = "2"
"""Say it once more."""
MOST_TIMES = 4
"""How often an alert is said on one call: a machine that is talked to presses nothing."""
ROUNDS, ROUNDS_IN_DANGER = 1, 2
"""How often the people on call are rung before the caller may leave a message."""


@dataclass(frozen=True)
class Line:
    """One call. `asked` are the people rung for it so far, in order."""

    direction: Direction = Direction.IN
    state: CallState = CallState.RINGING
    in_danger: bool = False
    asked: tuple[int, ...] = ()
    has_message: bool = False

    @property
    def is_over(self) -> bool:
        return self.state in (CallState.ENDED, CallState.MISSED)


@dataclass(frozen=True)
class Turn:
    """What the line does now (`say` are keys of the wording, in order) and where it then stands.
    `ring`: whom to ring. `is_emergency`: the caller has just said that somebody is in danger."""

    line: Line
    move: CallMove
    say: tuple[str, ...]
    ring: int | None = None
    is_emergency: bool = False


@dataclass(frozen=True)
class Ending:
    """How a call went, once nobody is on the line any more."""

    state: CallState
    result: CallResult
    owes_call_back: bool


# --- somebody rings us ---------------------------------------------------------------------------


def greet(line: Line) -> Turn:
    return Turn(line, CallMove.ASK, ("greeting",))


def choose(line: Line, key: str, roster: Sequence[int]) -> Turn:
    """They have heard the greeting and pressed `key`, or none: whatever it was, a person is
    next."""
    if line.is_over or line.state is CallState.CONNECTED:
        return _goodbye(line)
    if line.state is CallState.VOICEMAIL:
        return _record(line)
    if line.asked:  # asked once more: the same answer again
        return _ring(line, line.asked[-1], _connecting(line))
    is_new = key == YES_KEY and not line.in_danger
    now = replace(line, in_danger=line.in_danger or is_new)
    return replace(_ring_next(now, roster, _connecting(now)), is_emergency=is_new)


def rung(line: Line, turn: int, was_joined: bool | None, roster: Sequence[int]) -> Turn:
    """The `turn`th telephone (from 1) has rung out, was engaged, was not answered with the key, or
    the conversation is over. `was_joined` False: they pressed the key, and the line broke."""
    if line.is_over or (line.state is CallState.CONNECTED and was_joined is not False):
        return _goodbye(line)
    if line.state is CallState.VOICEMAIL:
        return _record(line)
    if 0 < turn < len(line.asked):  # asked once more: the same answer again
        return _ring(line, line.asked[-1], ("still_trying",))
    return _ring_next(replace(line, state=CallState.RINGING), roster, ("still_trying",))


def left(line: Line, has_message: bool) -> Turn:
    """They have stopped speaking to the machine."""
    now = replace(line, has_message=line.has_message or has_message)
    return Turn(now, CallMove.HANG_UP, ("message_left" if now.has_message else "nothing_left",))


# --- the worker who is rung for it ---------------------------------------------------------------


def whisper(line: Line, user: int) -> Turn:
    """A worker has answered: they hear what it is before the caller hears them. A voicemail
    presses no key, so it never gets the caller."""
    if not _is_waiting_for(line, user):
        return Turn(line, CallMove.HANG_UP, ("caller_gone",))
    return Turn(line, CallMove.ASK, ("whisper_danger" if line.in_danger else "whisper",))


def take(line: Line, user: int, key: str) -> Turn:
    """The worker pressed `key`, or none."""
    if not _is_waiting_for(line, user):
        return Turn(line, CallMove.HANG_UP, ("caller_gone",))
    if key != YES_KEY and line.state is not CallState.CONNECTED:
        return Turn(line, CallMove.HANG_UP, ("passed_on",))
    return Turn(replace(line, state=CallState.CONNECTED), CallMove.JOIN, ("joining",))


def next_to_ring(roster: Sequence[int], asked: Sequence[int], rounds: int) -> int | None:
    """The first who was rung less often than this round asks for; None when all were."""
    times = Counter(asked)
    for done in range(rounds):
        for user in roster:
            if times[user] <= done:
                return user
    return None


# --- we ring somebody ----------------------------------------------------------------------------


def confirm(line: Line) -> Turn:
    """The worker who wants to ring has answered their own telephone, which rings first."""
    if line.is_over:
        return Turn(line, CallMove.HANG_UP, ("not_rung",))
    return Turn(line, CallMove.ASK, ("ring_them",))


def ring_them(line: Line, key: str) -> Turn:
    """The worker pressed `key`, or none."""
    if line.is_over or (key != YES_KEY and line.state is not CallState.CONNECTED):
        return Turn(line, CallMove.HANG_UP, ("not_rung",))
    return Turn(line, CallMove.RING, ("ringing_them",))


def ask_them(line: Line) -> Turn:
    """The person's telephone was answered, perhaps by somebody else or by a machine: it hears
    neither who rings nor why."""
    if line.is_over:
        return Turn(line, CallMove.HANG_UP, ("line_gone",))
    return Turn(line, CallMove.ASK, ("somebody_rings",))


def they_take(line: Line, key: str) -> Turn:
    """Any key is a person; a machine presses none."""
    if line.is_over or not (key or line.state is CallState.CONNECTED):
        return Turn(line, CallMove.HANG_UP, ("line_gone",))
    return Turn(replace(line, state=CallState.CONNECTED), CallMove.JOIN, ("joining",))


def they_rang_out(line: Line, was_joined: bool | None) -> Turn:
    """Back with the worker: the conversation is over, or nobody took the call."""
    if line.state is CallState.CONNECTED and was_joined is not False:
        return _goodbye(line)
    if line.is_over:
        return _goodbye(line)
    return Turn(replace(line, state=CallState.RINGING), CallMove.HANG_UP, ("they_did_not_answer",))


# --- an alert by telephone -----------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What an alert's call asks about: how many alerts still wait for somebody, and the colour of
    the worst. A test of one's own telephone is `is_test`. `one_by_one`: the key takes the worst
    alone."""

    waiting: int
    colour: str
    is_test: bool = False
    one_by_one: bool = False


def alert(line: Line, asked: Asked) -> Turn:
    """A worker has answered: they hear how urgent it is and how many wait, and never about whom,
    because a machine may be listening."""
    if line.state is CallState.CONNECTED:
        return Turn(line, CallMove.HANG_UP, ("alert_yours",))
    if line.is_over or not asked.waiting:
        return Turn(line, CallMove.HANG_UP, ("alert_gone",))
    if asked.is_test:
        return Turn(line, CallMove.ASK, ("alert_test",))
    many = asked.waiting > 1
    keys = "alert_keys" if asked.one_by_one else "alert_keys_many"
    about = ("alert_many", f"alert_{asked.colour}", keys)
    return Turn(
        line,
        CallMove.ASK,
        about if many else ("alert_one", f"alert_{asked.colour}", "alert_keys"),
    )


def take_alert(line: Line, key: str, times: int, asked: Asked) -> Turn:
    """They have heard it `times` times and pressed `key`, or none. CONNECTED: it is theirs. Asked
    once more after that, the answer is the same."""
    if line.state is CallState.CONNECTED or line.is_over or not asked.waiting:
        return alert(line, asked)
    if key == YES_KEY:
        return alert(replace(line, state=CallState.CONNECTED), asked)
    if times < MOST_TIMES and (key == AGAIN_KEY or (not key and times < 2)):
        return alert(line, asked)
    return Turn(line, CallMove.HANG_UP, ("alert_not_taken",))


# --- the end -------------------------------------------------------------------------------------


def end(line: Line) -> Ending:
    """Nobody is on the line any more. Whoever rang us and spoke with nobody is owed a call."""
    if line.state is CallState.CONNECTED:
        return Ending(CallState.ENDED, CallResult.SPOKE, owes_call_back=False)
    if line.direction is Direction.OUT:
        return Ending(CallState.ENDED, CallResult.NO_ANSWER, owes_call_back=False)
    result = CallResult.VOICEMAIL if line.has_message else CallResult.NO_ANSWER
    return Ending(CallState.MISSED, result, owes_call_back=True)


def digit_by_digit(sentence: str) -> str:
    """Telephone numbers are read out one digit at a time: "999" is no nine hundred."""
    words = []
    for word in sentence.split(" "):
        bare = word.rstrip(".,;:")
        is_number = len(bare) >= 3 and bare.isascii() and bare.isdigit()
        words.append(" ".join(bare) + word[len(bare) :] if is_number else word)
    return " ".join(words)


def _is_waiting_for(line: Line, user: int) -> bool:
    return not line.is_over and line.state is not CallState.VOICEMAIL and line.asked[-1:] == (user,)


def _connecting(line: Line) -> tuple[str, ...]:
    return ("connecting_danger" if line.in_danger else "connecting",)


def _ring_next(line: Line, roster: Sequence[int], say: tuple[str, ...]) -> Turn:
    rounds = ROUNDS_IN_DANGER if line.in_danger else ROUNDS
    user = next_to_ring(roster, line.asked, rounds)
    if user is None:
        return _record(replace(line, state=CallState.VOICEMAIL))
    return _ring(replace(line, asked=(*line.asked, user)), user, say)


def _ring(line: Line, user: int, say: tuple[str, ...]) -> Turn:
    return Turn(line, CallMove.RING, say, ring=user)


def _record(line: Line) -> Turn:
    key = "voicemail_danger" if line.in_danger else "voicemail"
    return Turn(line, CallMove.RECORD, (key,))


def _goodbye(line: Line) -> Turn:
    return Turn(line, CallMove.HANG_UP, ("goodbye",))
