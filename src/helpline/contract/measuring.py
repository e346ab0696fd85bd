"""What a contract's reports count, as data: measures, their targets, and what can be counted.

A contract has its own measures and those of the shared files it names (folder measures);
contract/loading.py reads both. Shapes, and what must hold inside one measure; nothing here counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from helpline.contract.parts import Amount, Clock, Code, Day, DayOrNone, Fact, Table, Text, Yes
from helpline.vocabulary import Unit

CASE: Final = ("quadrant", "carer_type", "method", "reason", "support", "kind")
"""What is known of every case, as it was when the case began."""
COUNTED: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": CASE,
    "cases": (*CASE, "state", "ended"),
    "closed": (*CASE, "outcome"),
    "open": (*CASE, "allocated"),
    "promises": (*CASE, "clock", "verdict"),
    "apart": ("excluded",),
    "complaints": ("quadrant", "carer_type", "subject", "finding", "action"),
    "compliments": ("quadrant", "carer_type", "praised"),
    "feedback": ("quadrant", "carer_type", "answered", "score"),
    "evidence": ("shown",),
    "allegations": ("quadrant", "carer_type", "track", "made_by", "repeated"),
    "incidents": ("incident",),
    "supplied": (),
}
"""What can be counted → by what it can be cut and chosen. All of it happens at an instant and is
counted in the period of that instant, except `open`, which is so at the period's end, and
`supplied`, which somebody enters."""
HAVE_PEOPLE: Final = frozenset({"contacts", "cases", "closed", "open", "feedback", "allegations"})
HAVE_MINUTES: Final = frozenset({"promises"})
NOBODY: Final = frozenset({"evidence", "supplied"})
"""Counts that are about nobody: what we did, and what was counted elsewhere."""
MINUTES: Final = ("median", "p90", "slowest")
MeasureCode = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]*|CLOCK)(\.[a-z0-9_]+)*$")]
Counted = Literal[
    "contacts",
    "cases",
    "closed",
    "open",
    "promises",
    "apart",
    "complaints",
    "compliments",
    "feedback",
    "evidence",
    "allegations",
    "incidents",
    "supplied",
]
Basis = Literal["period", "year_to_date", "month_end", "rolling_12_months"]
POPULATION: Final = "population"
SO_FAR: Final = ".so_far"
"""Behind a measure's code: the same over the year so far."""


class Target(Table):
    """What the council expects of a measure. A number, in percent where the measure has a
    percentage; or a grade on a scale, the worst first; or only words, where none was agreed: then
    nothing is said to be good or bad (002 L09 "TBC")."""

    at_least: Amount | None = None
    at_most: Amount | None = None
    amber: Amount | None = None  # not met, but no worse than this
    scale: tuple[Text, ...] = ()
    grade: Text | None = None  # one of the scale: this or better
    words: str = ""


class Measure(Fact):
    """One figure of a report: a question in words, and the formula that answers it.

    `where`: only what has one of these codes. `by`: each of these is a breakdown, `crossed`: every
    two of them too. `of`: what the percentage is of, measures that are added up, or "population":
    the council's own count of that kind of carer.
    """

    code: MeasureCode
    name: Text
    question: Text
    means: str = ""
    counts: Counted
    takes: Literal["number", "people", "median", "p90", "slowest"] = "number"
    where: Mapping[Text, tuple[Text, ...]] = {}
    by: tuple[Text, ...] = ()
    crossed: Yes = False
    of: tuple[MeasureCode, ...] = ()
    basis: Basis = "period"
    unit: Literal["number", "percent", "minutes", "grade", "pounds"] = "number"
    better: Literal["more", "less", "neither"] = "neither"
    target: Target | None = None
    owner: str = ""
    moved: Amount = 20.0  # percent against the period before: from here on it asks for a sentence
    since: DayOrNone = None  # agreed from this day
    until: DayOrNone = None
    for_each: Literal["", "reported_clock"] = ""
    so_far: Yes = False  # CODE.so_far counts the same from the first day of the contract's year

    @property
    def cuts(self) -> tuple[tuple[str, ...], ...]:
        """Every way in which the measure is cut; () is the total."""
        crossed = combinations(self.by, 2) if self.crossed else ()
        return ((), *((one,) for one in self.by), *crossed)

    @property
    def is_minutes(self) -> bool:
        return self.takes in MINUTES

    @property
    def is_share(self) -> bool:
        """Whether its target is a percentage: of what it is of, or supplied as one."""
        return bool(self.of) or self.unit == "percent"

    @property
    def names_people(self) -> bool:
        """Whether a small count could tell something about somebody."""
        return self.counts not in NOBODY

    def holds_on(self, day: Day) -> bool:
        """Whether the measure was agreed for a period that ends on this day."""
        return (self.since or day) <= day <= (self.until or day)


class Split(Table):
    """Measures that add up to another one: who knows two ends knows the third."""

    total: MeasureCode
    parts: Annotated[tuple[MeasureCode, ...], Field(min_length=1)]
    for_each: Literal["", "reported_clock"] = ""


class MeasureTable(Table):
    """A file of the folder measures."""

    key: Code
    name: Text
    measures: Annotated[tuple[Measure, ...], Field(min_length=1)]
    splits: tuple[Split, ...] = ()


def expanded(measures: Iterable[Measure], clocks: Iterable[Clock]) -> Iterator[Measure]:
    """The measures, each that is meant for every reported clock once for each of them: {clock} is
    the clock's code, {name} and {within} its words, {counted} whether closed days count. Behind
    each the one of the year so far, where it has one."""
    for measure in _for_each(measures, tuple(clocks)):
        yield measure
        if measure.so_far:
            yield _of_the_year(measure)


def _of_the_year(measure: Measure) -> Measure:
    """The coarser cells that stand where those of a short time would nearly all be hidden."""
    return measure.model_copy(
        update={
            "code": f"{measure.code}{SO_FAR}",
            "name": f"{measure.name}, the year so far",
            "means": f"The same from the first day of the contract's year to the period's last: "
            f"{measure.name.lower()}. Not added up from the periods before, but counted again.",
            "basis": "year_to_date",
            "of": tuple(one if one == POPULATION else f"{one}{SO_FAR}" for one in measure.of),
            "target": None,
            "so_far": False,
        }
    )


def _for_each(measures: Iterable[Measure], clocks: tuple[Clock, ...]) -> Iterator[Measure]:
    for measure in measures:
        if not measure.for_each:
            yield measure
            continue
        for clock in clocks:
            elapsed = clock.unit is Unit.ELAPSED_HOURS
            words = {
                "clock": clock.code,
                "name": clock.name,
                "within": clock.within,
                "counted": ", weekends and bank holidays included" if elapsed else "",
            }
            yield measure.model_copy(
                update={
                    "code": measure.code.replace("CLOCK", clock.code),
                    "name": measure.name.format(**words),
                    "question": measure.question.format(**words),
                    "means": measure.means.format(**words),
                    "where": {**measure.where, "clock": (clock.code,)},
                    "of": tuple(one.replace("CLOCK", clock.code) for one in measure.of),
                    "for_each": "",
                }
            )


def expanded_splits(splits: Iterable[Split], clocks: Iterable[Clock]) -> Iterator[Split]:
    """The same for what adds up."""
    clocks = tuple(clocks)
    for split in splits:
        for code in [clock.code for clock in clocks] if split.for_each else [""]:
            parts = tuple(part.replace("CLOCK", code) for part in split.parts)
            yield Split(total=split.total.replace("CLOCK", code), parts=parts)


def wrong(measure: Measure, known: frozenset[str]) -> Iterator[str]:
    """What does not fit together inside one measure; `known`: the codes of all measures."""
    columns = COUNTED[measure.counts]
    for name in (*measure.by, *measure.where):
        if name not in columns:
            listed = ", ".join(columns) or "nothing"
            yield f"{measure.counts} cannot be cut or chosen by “{name}”, only by {listed}."
    if measure.takes == "people" and measure.counts not in HAVE_PEOPLE:
        yield f"{measure.counts} are not known by person."
    if measure.is_minutes and measure.counts not in HAVE_MINUTES:
        yield f"{measure.counts} take no time."
    if "score" in (*measure.by, *measure.where) and measure.where.get("answered") != ("yes",):
        yield 'by “score” choose what was answered: where = { answered = ["yes"] }.'
    if measure.basis == "month_end" and measure.counts not in ("open", "supplied"):
        yield "only “open” and “supplied” can be as at month end."
    for code in measure.of:
        if code != POPULATION and code not in known:
            yield f"“{code}” is no measure of this contract."
    target = measure.target
    if target and target.grade and target.grade not in target.scale:
        yield f"“{target.grade}” is not on the target's scale."
    if measure.unit == "grade" and measure.counts != "supplied":
        yield "a grade can only be supplied."


__all__ = [
    "CASE",
    "COUNTED",
    "POPULATION",
    "Measure",
    "MeasureTable",
    "Split",
    "Target",
    "expanded",
    "expanded_splits",
    "wrong",
]
