"""What usually happens after an allegation, and what to do meanwhile, as one country's dated data.

A contract names its file in the folder pathway; contract/loading.py reads it. Nothing here is a
promise with a time on it: those are a contract's clocks. Shapes only, and what must hold inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from helpline.contract.parts import Amount, Code, Fact, Positive, Table, Text
from helpline.rules import pathway as rules
from helpline.vocabulary import Track, Unit

Place = Literal["words", "track", "stages", "told", "list", "sending", "couple"]


class TrackWords(Fact):
    """One of the procedures: how it is told from the others, who leads it, how it ends."""

    code: Track
    name: Text
    test: Text
    led_by: Text
    ends: Text


class Stage(Fact):
    """A step on the way; `usual` in words, and as a limit after another stage where that is known.
    A day that follows from it is usual and never promised."""

    code: Code
    name: Text
    plain: Text
    usual: Text
    after: Code | None = None
    limit: Positive | None = None
    unit: Unit | None = None
    tracks: Annotated[tuple[Track, ...], Field(min_length=1)]


class Question(Table):
    """Something a carer should be told, and how a worker asks for it."""

    code: Code
    name: Text
    ask: Text


class ToDo(Table):
    """One line of a worker's list; `tracks`: only where it is handled as one of these."""

    code: Code
    text: Text
    tracks: tuple[Track, ...] = ()


class Phase(Table):
    """Some of the hours after we knew: what a worker does and what helps a carer."""

    code: Code
    name: Text
    from_hours: Amount
    to_hours: Amount
    worker: Annotated[tuple[ToDo, ...], Field(min_length=1)]
    carer: Annotated[tuple[Text, ...], Field(min_length=1)]


class MustNot(Table):
    """Something we do not do, and the forms beside which that is said."""

    code: Code
    text: Text
    at: Annotated[tuple[Place, ...], Field(min_length=1)]


class PathwayTable(Fact):
    """A file of the folder pathway."""

    key: Code
    name: Text
    tracks: tuple[TrackWords, ...]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    must_nots: tuple[MustNot, ...]

    def track(self, code: str) -> TrackWords:
        return next(one for one in self.tracks if one.code == code)

    def stages_of(self, track: str) -> tuple[Stage, ...]:
        """The stages of a track in their order; while it is not known, those of an allegation."""
        as_if = Track.ALLEGATION if track == Track.UNKNOWN else track
        return tuple(stage for stage in self.stages if as_if in stage.tracks)

    def must_not(self, at: Place) -> tuple[str, ...]:
        """What stands beside one form."""
        return tuple(one.text for one in self.must_nots if at in one.at)

    def to_dos(self, track: str | None = None) -> tuple[rules.ToDo, ...]:
        """The worker's list with its hours, for rules/pathway.py; None: the whole of it."""
        as_if = Track.ALLEGATION if track == Track.UNKNOWN else track
        return tuple(
            rules.ToDo(one.code, one.text, phase.name, phase.from_hours, phase.to_hours)
            for phase in self.phases
            for one in phase.worker
            if as_if is None or not one.tracks or as_if in one.tracks
        )


def wrong(table: PathwayTable) -> Iterator[tuple[str, str]]:
    """(key, reason) of everything that does not fit together inside the file."""
    lists = {
        "tracks": [str(one.code) for one in table.tracks],
        "stages": [one.code for one in table.stages],
        "questions": [one.code for one in table.questions],
        "phases": [one.code for one in table.phases],
        "must_nots": [one.code for one in table.must_nots],
        "phases.worker": [one.code for one in table.to_dos()],
    }
    for key, codes in lists.items():
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            yield key, f"“{code}” stands here twice."
    for missing in sorted(set(Track) - set(lists["tracks"])):
        yield "tracks", f"“{missing}” is missing: each of them needs its words."
    known: set[str] = set()
    for place, stage in enumerate(table.stages):
        key = f"stages[{place}]"
        if stage.after is not None and stage.after not in known:
            yield f"{key}.after", f"“{stage.after}” is no stage that comes before this one."
        if (stage.limit is None) != (stage.unit is None):
            yield f"{key}.limit", "a limit and its unit belong together."
        elif stage.limit is not None and stage.after is None:
            yield f"{key}.after", "it must say after which stage the limit runs."
        known.add(stage.code)
    before = 0.0
    for place, phase in enumerate(table.phases):
        if not before <= phase.from_hours < phase.to_hours:
            yield f"phases[{place}].to_hours", "the hours must ascend."
        before = phase.to_hours
