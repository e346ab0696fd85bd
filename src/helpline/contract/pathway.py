"""What usually happens after an allegation, and what to do meanwhile, as one country's dated data.

A contract names its file in the folder pathway; contract/loading.py reads it. Nothing here is a
promise with a time on it: those are a contract's clocks. Shapes, what must hold inside, and the
table as it is said to somebody of one group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from helpline.contract.parts import Amount, Called, Code, Fact, Group, Positive, Table, Text
from helpline.rules import pathway as rules
from helpline.vocabulary import Track, Unit

Place = Literal["words", "track", "stages", "told", "list", "sending", "couple"]
_GAP: Final = re.compile(r"\{(\w*)\}")
_GAPS: Final = ("carer", "service", "link")


@dataclass(frozen=True)
class Nouns:
    """What people are called in the texts of an allegation: whom it is about, who of the council
    looks into it, their own worker there; and whether the fostering regulations are theirs."""

    carer: str
    service: str
    link: str
    fostering_law: bool = True

    @property
    def service_first(self) -> str:
        """The service at the beginning of a sentence or a list."""
        return self.service[:1].upper() + self.service[1:]


def nouns(called: Called, group: Group | None) -> Nouns:
    """The words for somebody of this group; the contract's where the group has none."""
    return Nouns(
        (group.called if group else None) or called.subject,
        (group.service if group else None) or called.service,
        (group.link if group else None) or called.link,
        group.fostering_law if group else True,
    )


class TrackWords(Fact):
    """One of the procedures: how it is told from the others, who leads it, how it ends."""

    code: Track
    name: Text
    test: Text
    led_by: Text
    ends: Text


class Stage(Fact):
    """A step on the way; `usual` in words, and as a limit after another stage where that is known.
    A day that follows from it is usual and never promised. `of`: only of people to whom the
    fostering regulations apply, or only of the others."""

    code: Code
    name: Text
    plain: Text
    usual: Text
    after: Code | None = None
    limit: Positive | None = None
    unit: Unit | None = None
    tracks: Annotated[tuple[Track, ...], Field(min_length=1)]
    of: Literal["everybody", "fostering_law", "other_rules"] = "everybody"


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
    """Some of the hours after we knew: what a worker does and what helps a carer. `fostering_law`:
    what is besides true for those to whom the fostering regulations apply."""

    code: Code
    name: Text
    from_hours: Amount
    to_hours: Amount
    worker: Annotated[tuple[ToDo, ...], Field(min_length=1)]
    carer: Annotated[tuple[Text, ...], Field(min_length=1)]
    fostering_law: tuple[Text, ...] = ()


class MustNot(Table):
    """Something we do not do, and the forms beside which that is said."""

    code: Code
    text: Text
    at: Annotated[tuple[Place, ...], Field(min_length=1)]


class PathwayTable(Fact):
    """A file of the folder pathway. Its texts have gaps for what people are called ({carer},
    {service}, {link}): `said_of` fills them, and nobody is shown a table that was not filled."""

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

    def said_of(self, words: Nouns) -> PathwayTable:
        """The table for somebody who is called so, with what applies to them."""
        other = "other_rules" if words.fostering_law else "fostering_law"
        gone = {one.code for one in self.stages if one.of == other}
        told = self.model_dump()
        told["stages"] = [
            one | {"after": None if one["after"] in gone else one["after"]}
            for one in told["stages"]
            if one["code"] not in gone
        ]
        for phase in told["phases"]:
            more = phase.pop("fostering_law") if words.fostering_law else ()
            phase["carer"] = (*phase["carer"], *more)
        return PathwayTable.model_validate(_filled(told, vars(words)))

    def to_dos(self, track: str | None = None) -> tuple[rules.ToDo, ...]:
        """The worker's list with its hours, for rules/pathway.py; None: the whole of it."""
        as_if = Track.ALLEGATION if track == Track.UNKNOWN else track
        return tuple(
            rules.ToDo(one.code, one.text, phase.name, phase.from_hours, phase.to_hours)
            for phase in self.phases
            for one in phase.worker
            if as_if is None or not one.tracks or as_if in one.tracks
        )


def _filled(value: Any, words: dict[str, Any]) -> Any:
    if isinstance(value, str) and not isinstance(value, (Track, Unit)):
        return _GAP.sub(lambda gap: str(words[gap[1]]), value)
    if isinstance(value, dict):
        return {key: _filled(one, words) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_filled(one, words) for one in value)
    return value


def _gaps(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _GAP.findall(value)
    elif isinstance(value, (dict, list, tuple)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _gaps(one)


def wrong(table: PathwayTable) -> Iterator[tuple[str, str]]:
    """(key, reason) of everything that does not fit together inside the file."""
    for gap in sorted(set(_gaps(table.model_dump())) - set(_GAPS)):
        there = ", ".join(f"{{{one}}}" for one in _GAPS)
        yield "texts", f"“{{{gap}}}” is no gap that can be filled; there are {there}."
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
