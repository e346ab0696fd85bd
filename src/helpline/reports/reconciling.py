"""Whether the totals of a report agree with their parts: by how many they do not, and why.

Pure over the exact cells of one report. Called before a report is checked, and by the page of what
to put right. A reason comes from what a measure is (somebody counted in two places, several kinds
of support on a case); what no reason explains is a fault of ours, and nobody signs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Final

from helpline.contract.measuring import Measure, Split
from helpline.reports import codes
from helpline.reports.cells import By, Cell, Key, by_of, ordered, places
from helpline.reports.report import Report

SUPPORT: Final = "support"
WHY: Final[Mapping[str, str]] = {
    "places": "Somebody who stands in two of them is counted in each, and once in the total.",
    "supports": "A case counts in each kind of support it had, and once in the total.",
    "supplied": "Some of these figures were supplied to us, not counted here: they stand as given.",
    "called_off": "A promise that was called off before its time (nobody waited for it any more) "
    "is in none of them.",
    "again": "Where a promise began a second time on the same case it is counted twice.",
    "groups": "This part of the report prints only some kinds of people; the total has everybody.",
}
"""Every reason for which parts and total may differ, in words."""


@dataclass(frozen=True)
class Difference:
    """Parts that do not add up to their total. `by`: the place whose total it is, () the whole;
    `along`: the dimension it is cut along, or empty where other measures are the parts (`of`).
    Both figures are counts; of a measure of time, how many times it knows. `why` is a key of WHY,
    or empty: a fault."""

    measure: str
    by: By
    along: str
    total: float
    parts: float
    why: str
    of: tuple[str, ...] = ()
    line: str = ""

    @property
    def by_how_many(self) -> float:
        """More (or less, below nought) in the parts than in the total."""
        return self.parts - self.total

    @property
    def is_fault(self) -> bool:
        return not self.why


@dataclass(frozen=True)
class Told:
    """All differences of one kind in one table, for reading: `most` is the one of the whole, or
    else the largest."""

    most: Difference
    number: int


def differences(report: Report) -> Sequence[Difference]:
    """Every difference in the report, in its own order; ValueError of a protected report, whose
    figures cannot be added up."""
    if report.is_protected:
        raise ValueError("Only exact figures can be added up.")
    return tuple(_Adding(report).all())


def faults(found: Sequence[Difference]) -> Sequence[Difference]:
    """Those that nothing explains: a report with one cannot be checked."""
    return [one for one in found if one.is_fault]


def told(found: Sequence[Difference]) -> Sequence[Told]:
    """The differences table by table; within a crossed table one line says how many there are."""
    listed = []
    for _, some in groupby(found, key=_table):
        alike = list(some)
        alike.sort(key=lambda one: (bool(one.by), -abs(one.by_how_many)))
        listed.append(Told(alike[0], len(alike)))
    return listed


def _table(one: Difference) -> tuple[object, ...]:
    cut = ordered({*(name for name, _ in one.by), *([one.along] if one.along else [])})
    return one.measure, cut, one.along, one.of, one.line, one.why


class _Adding:
    """One report whose figures are added up."""

    def __init__(self, report: Report) -> None:
        self._report, self._contract = report, report.contract
        self._cells = {cell.key: cell for cell in report.cells}
        self._printed = codes.printed(report.contract)

    def all(self) -> Iterator[Difference]:
        for measure in self._measures.values():
            for cut in measure.cuts:
                for along in cut:
                    yield from self._cut(measure, cut, along)
        for split in self._contract.splits:
            if {split.total, *split.parts} <= self._measures.keys():
                yield from self._split(split)
        for less, more in self._within:
            yield from self._part(less, more)
        yield from self._lines()

    @cached_property
    def _measures(self) -> dict[str, Measure]:
        listed = dict.fromkeys(cell.measure for cell in self._report.cells)
        return {code: self._contract.measure(code) for code in listed}

    # --- along a dimension ------------------------------------------------------------------------

    def _cut(self, measure: Measure, cut: Sequence[str], along: str) -> Iterator[Difference]:
        if measure.unit in ("percent", "grade"):
            return  # a share of each is no share of all
        rest = [one for one in cut if one != along]
        for by in places(rest, self._printed):
            keys = [
                (measure.code, by_of({**dict(by), along: code})) for code in self._printed[along]
            ]
            total, parts = self._cells.get((measure.code, by)), self._some(keys)
            if total is None or parts is None:
                continue
            yield from self._sum(measure, along, total, parts)

    def _sum(
        self, measure: Measure, along: str, total: Cell, parts: Sequence[Cell]
    ) -> Iterator[Difference]:
        numbers = [_number(measure, part) for part in parts]
        whole, known = _number(measure, total), [one for one in numbers if one is not None]
        if whole is None or len(known) < len(numbers):
            return
        together = sum(known)
        most = max(known, default=0)
        why = self._reason(measure, along, [total, *parts], whole, together, most)
        if together != whole or most > whole:
            yield Difference(measure.code, total.by, along, whole, together, why)
        elif measure.takes == "slowest" and not _is_slowest(total, parts):
            slowest = max((part.value or 0 for part in parts), default=0)
            yield Difference(measure.code, total.by, along, total.value or 0, slowest, "")

    def _reason(
        self,
        measure: Measure,
        along: str,
        cells: Sequence[Cell],
        whole: float,
        together: float,
        most: float,
    ) -> str:
        if any(cell.source for cell in cells) or measure.counts == "supplied":
            return "supplied"
        if not most <= whole <= together:
            return ""
        if measure.takes == "people":
            return "places"
        return "supports" if along == SUPPORT else ""

    # --- between measures -------------------------------------------------------------------------

    def _split(self, split: Split) -> Iterator[Difference]:
        total, parts = (
            self._measures[split.total],
            [self._measures[one] for one in split.parts],
        )
        for cut in total.cuts:
            if not all(cut in part.cuts for part in parts):
                continue
            for by in places(cut, self._printed):
                cells = self._some([(code, by) for code in (split.total, *split.parts)])
                if cells is None or any(cell.value is None for cell in cells):
                    continue
                whole, *some = (cell.value or 0 for cell in cells)
                if sum(some) != whole:
                    why = self._split_reason(total, parts, cells, sum(some) - whole)
                    yield Difference(total.code, by, "", whole, sum(some), why, split.parts)

    def _split_reason(
        self, total: Measure, parts: Sequence[Measure], cells: Sequence[Cell], more: float
    ) -> str:
        if any(cell.source for cell in cells):
            return "supplied"
        if total.takes == "people" and more > 0:
            return "places"
        if all(part.counts == total.counts for part in parts):
            return "supports" if any(SUPPORT in one.where for one in parts) and more > 0 else ""
        if any(part.counts == "promises" for part in parts):
            return "again" if more > 0 else "called_off"
        return ""

    @cached_property
    def _within(self) -> list[tuple[Measure, Measure]]:
        """Measures of which the first counts some of what the second counts."""
        counted = [one for one in self._measures.values() if not one.is_minutes]
        return [
            (less, more)
            for less in counted
            for more in counted
            if less is not more and _is_within(less, more)
        ]

    def _part(self, less: Measure, more: Measure) -> Iterator[Difference]:
        """Some of a number are no more than the number: where they are, it is our fault."""
        for cut in less.cuts:
            if cut not in more.cuts:
                continue
            for by in places(cut, self._printed):
                cells = self._some([(more.code, by), (less.code, by)])
                if cells is None or any(cell.source for cell in cells):
                    continue
                whole, part = (cell.value or 0 for cell in cells)
                if part > whole:
                    yield Difference(more.code, by, "", whole, part, "", (less.code,))

    # --- as printed -------------------------------------------------------------------------------

    def _lines(self) -> Iterator[Difference]:
        """Lines of the report that print only some groups under a total of all."""
        for line in self._report.asked.lines:
            if not line.groups or ("carer_type",) not in line.by:
                continue
            for code in line.measures:
                keys = [(code, by_of({"carer_type": group})) for group in line.groups]
                total, parts = self._cells.get((code, ())), self._some(keys)
                measure = self._measures.get(code)
                if total is None or parts is None or measure is None or measure.is_minutes:
                    continue
                whole, printed = total.value or 0, sum(part.value or 0 for part in parts)
                if printed != whole:
                    yield Difference(
                        code, (), "carer_type", whole, printed, "groups", line=line.code
                    )

    def _some(self, keys: Sequence[Key]) -> list[Cell] | None:
        """The cells of these keys; None where the report lacks one."""
        found = [self._cells[key] for key in keys if key in self._cells]
        return found if len(found) == len(keys) else None


def _number(measure: Measure, cell: Cell) -> float | None:
    """What is added up: the count, or how many times are known."""
    return cell.denominator if measure.is_minutes else cell.value


def _is_slowest(total: Cell, parts: Sequence[Cell]) -> bool:
    known = [part.value for part in parts if part.value is not None]
    return total.value == max(known, default=None)


def _is_within(less: Measure, more: Measure) -> bool:
    same = (less.counts, less.basis) == (more.counts, more.basis) and less.counts != "supplied"
    takes = less.takes == more.takes or (less.takes, more.takes) == ("people", "number")
    return (
        same
        and takes
        and all(
            name in less.where and set(less.where[name]) <= set(chosen)
            for name, chosen in more.where.items()
        )
    )


__all__ = ["WHY", "Difference", "Told", "differences", "faults", "told"]
