"""One figure of a report and how it is cut; what every other module of reports speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any, Final

from helpline.reports.codes import NAMES

DIMENSIONS: Final = tuple(NAMES)
ORDER: Final = {dimension: place for place, dimension in enumerate(DIMENSIONS)}

By = tuple[tuple[str, str], ...]
"""How a cell is cut: pairs of dimension and code in the order of DIMENSIONS; () is the total."""
Key = tuple[str, By]
"""A cell's measure and its cut."""


@dataclass(frozen=True)
class Cell:
    """One figure. `value` is None where it is hidden, or where there is nothing to measure.

    Counts are whole numbers, times are minutes (one decimal), `percent` is 0 to 100 (one decimal).
    `denominator` is what the percentage is of, `denominator_as_of` the day it was counted on;
    `note` says why there is no percentage where one could be expected; `words` is what was supplied
    instead of a number; `source` says who supplied it.
    """

    measure: str
    by: By
    value: float | None
    denominator: int | None = None
    percent: float | None = None
    hidden: str | None = None
    denominator_as_of: date | None = None
    note: str | None = None
    words: str | None = None
    source: str | None = None

    @property
    def key(self) -> Key:
        return self.measure, self.by

    def __reduce__(self) -> tuple[type[Cell], tuple[Any, ...]]:
        """Copied from another process in small steps: thirty thousand in one would keep everybody
        in this one waiting for a quarter of a second."""
        return Cell, tuple(vars(self).values())


@dataclass(frozen=True)
class Breach:
    """One promise that was not kept: nothing in it says whose case it was."""

    clock: str
    quadrant: str
    minutes_late: float
    is_answered: bool  # False: still waiting, and late by this much when the report was made


def ordered(cut: Iterable[str]) -> tuple[str, ...]:
    """The dimensions of a cut in the order in which every cell has them."""
    return tuple(sorted(cut, key=ORDER.__getitem__))


def by_of(pairs: Mapping[str, str]) -> By:
    """{"reason": "finance", "quadrant": "west"} as a cell has it."""
    return tuple((name, pairs[name]) for name in ordered(pairs))


def places(cut: Sequence[str], printed: Mapping[str, Sequence[str]]) -> tuple[By, ...]:
    """Every combination of codes of a cut, in printing order."""
    cut = ordered(cut)
    return tuple(
        tuple(zip(cut, chosen, strict=True)) for chosen in product(*(printed[one] for one in cut))
    )
