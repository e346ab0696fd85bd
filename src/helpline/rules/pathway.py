"""Where a matter stands on its usual way, and what of the first days' list comes first. Pure:
plain values in, plain values out; it decides nothing about anybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpline.vocabulary import StageState, ToldState

GIVES_AWAY = (
    *("allegation", "alleged", "allege", "accus", "abuse", "assault", "police", "lado"),
    *("safeguarding", "foster child", "fostered child", "child a"),
)
"""Words that must not stand on a locked screen (design.md §4.8)."""


@dataclass(frozen=True)
class ToDo:
    """One line of a worker's list, with the hours after we knew in which it is done."""

    code: str
    text: str
    phase: str
    from_hours: float
    to_hours: float


@dataclass(frozen=True)
class Line:
    """The same on one case: `place` is overdue, now, later or done."""

    to_do: ToDo
    place: str
    due_at: datetime
    done_at: datetime | None = None


_FIRST = ("overdue", "now", "later", "done")


def first_days(
    to_dos: Sequence[ToDo], done: Mapping[str, datetime], aware_at: datetime, now: datetime
) -> list[Line]:
    """The list in the order in which it is done: what is overdue, what belongs to these hours, what
    comes later, and what is done. `done`: code → when."""
    lines = [_line(one, done.get(one.code), aware_at, now) for one in to_dos]
    return sorted(lines, key=lambda line: (_FIRST.index(line.place), line.due_at))


def _line(to_do: ToDo, done_at: datetime | None, aware_at: datetime, now: datetime) -> Line:
    due = aware_at + timedelta(hours=to_do.to_hours)
    if done_at is not None:
        place = "done"
    elif now > due:
        place = "overdue"
    elif now >= aware_at + timedelta(hours=to_do.from_hours):
        place = "now"
    else:
        place = "later"
    return Line(to_do, place, due, done_at)


def here(stages: Sequence[str], states: Mapping[str, str]) -> tuple[str | None, str | None]:
    """(the furthest stage that was reached, the next that is still to come), of the stages in their
    order and what is known of each."""
    reached = [place for place, code in enumerate(stages) if _is(states, code, StageState.REACHED)]
    at = reached[-1] if reached else -1
    ahead = [code for code in stages[at + 1 :] if not _is(states, code, StageState.SKIPPED)]
    return (stages[at] if reached else None), (ahead[0] if ahead else None)


def _is(states: Mapping[str, str], code: str, state: StageState) -> bool:
    return states.get(code, StageState.NOT_REACHED) == state


def to_ask(questions: Sequence[str], states: Mapping[str, str]) -> list[str]:
    """What the carer still has to be told, in order: what nobody has asked for yet first."""
    open_ones = [code for code in questions if states.get(code) != ToldState.TOLD]
    return sorted(open_ones, key=lambda code: states.get(code) == ToldState.ASKED)


def gives_away(text: str) -> str | None:
    """The first word of a message that would say on a locked screen what it is about."""
    plain = " ".join(text.lower().split())
    found = [(plain.find(word), word) for word in GIVES_AWAY if word in plain]
    return min(found)[1] if found else None
