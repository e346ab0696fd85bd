"""A report's cells with the contract's disclosure rule applied: what leaves the provider (D16).

Called by reports/figures.py unless exact figures were asked for. Which cells are hidden is decided
in rules/disclosure.py; here it is told which cells add up to which, and the percentages, times and
denominators that would give a hidden cell away are taken out with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from helpline.contract import Contract
from helpline.contract.measuring import POPULATION, Measure
from helpline.reports import codes
from helpline.reports.cells import Cell, Key, by_of, places
from helpline.rules.disclosure import SECONDARY, SMALL, Line, hidden_cells
from helpline.rules.periods import ANNUAL, Period

TOO_FEW: Final = "too few for a percentage"
REST: Final = "rest of "
"""Before a measure's code: what is left of the measure it is a part of. Printed nowhere, and known
to everybody who can subtract."""


def protect(contract: Contract, period: Period, cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The same cells in the same order; a hidden one says why and carries no figure."""
    return _Protecting(contract, period, {cell.key: cell for cell in cells}).done()


def rounded(number: float, base: int) -> int:
    """To the nearest multiple of `base`, halves up."""
    return int(number + base / 2) // base * base


@dataclass
class _Protecting:
    """One report on its way out."""

    contract: Contract
    period: Period
    cells: Mapping[Key, Cell]

    def done(self) -> tuple[Cell, ...]:
        return tuple(self._protected(cell) for cell in self.cells.values())

    @cached_property
    def measures(self) -> dict[str, Measure]:
        listed = dict.fromkeys(measure for measure, _ in self.cells)
        return {code: self.contract.measure(code) for code in listed}

    @cached_property
    def printed(self) -> dict[str, tuple[str, ...]]:
        return codes.printed(self.contract)

    @cached_property
    def counts(self) -> dict[Key, int]:
        """Every count that could say something about somebody, with the rests."""
        found = {
            cell.key: int(cell.value or 0)
            for cell in self.cells.values()
            if self._is_count(self.measures[cell.measure])
        }
        for total, (part, rest) in self._rests():
            found[rest] = found[total] - found[part]
        return found

    def _is_count(self, measure: Measure) -> bool:
        return measure.names_people and not measure.is_minutes

    def _rests(self) -> Iterator[tuple[Key, tuple[Key, Key]]]:
        """A measure, one that is a share of it, and what is left: the third is known from two."""
        for code, measure in self.measures.items():
            if len(measure.of) != 1 or measure.of[0] not in self.measures:
                continue
            for cut in measure.cuts:
                for by in places(cut, self.printed):
                    if (measure.of[0], by) in self.cells:
                        yield (measure.of[0], by), ((code, by), (REST + code, by))

    @cached_property
    def hidden(self) -> dict[Key, str]:
        rule = self.contract.disclosure
        number = {key: index for index, key in enumerate(self.counts)}  # numbers hash faster
        keys = list(self.counts)
        lines = [
            Line(number[total], tuple(number[part] for part in parts))
            for total, parts in self._sums()
        ]
        tables = [
            [number[code, by] for by in places(cut, self.printed)]
            for code, measure in self.measures.items()
            if self._is_count(measure)
            for cut in measure.cuts
            if cut
        ]
        found = hidden_cells(
            dict(enumerate(self.counts.values())),
            lines,
            tables,
            threshold=rule.threshold,
            secondary=rule.secondary,
            withheld=[
                number[key] for key, n in self.counts.items() if n and self._is_withheld(key)
            ],
        )
        return {keys[index]: why for index, why in found.items() if isinstance(index, int)}

    def _is_withheld(self, key: Key) -> bool:
        """Allegations are few and named by every crossing: yearly and for the whole area only."""
        code, by = key
        measure = self.measures.get(code)
        reasons = {reason.code for reason in self.contract.reasons if reason.allegation}
        if measure is not None and measure.counts == "allegations":
            return self.period.kind != ANNUAL or "quadrant" in dict(by)
        if dict(by).get("reason") not in reasons:
            return False
        return self.period.kind != ANNUAL or len(by) > 1

    def _sums(self) -> Iterator[tuple[Key, list[Key]]]:
        """Every sum a reader can write down: along each dimension, the contract's splits, and what
        is left of a whole."""
        for code, measure in self.measures.items():
            if not self._is_count(measure):
                continue
            for cut in measure.cuts:
                for along in cut:
                    rest = [one for one in cut if one != along]
                    for by in places(rest, self.printed):
                        parts = [by_of({**dict(by), along: one}) for one in self.printed[along]]
                        yield (code, by), [(code, part) for part in parts]
        for split in self.contract.splits:
            if not {split.total, *split.parts} <= self.measures.keys():
                continue
            shared = set.intersection(
                *(set(self.measures[one].cuts) for one in (split.total, *split.parts))
            )
            for cut in sorted(shared):
                for by in places(cut, self.printed):
                    yield (split.total, by), [(part, by) for part in split.parts]
        for whole, ends in self._rests():
            yield whole, list(ends)

    # --- one cell ---------------------------------------------------------------------------------

    def _protected(self, cell: Cell) -> Cell:
        measure = self.measures[cell.measure]
        if not measure.names_people:
            return cell
        if measure.is_minutes:
            return self._time(cell, measure)
        if POPULATION in measure.of:
            cell = self._of_population(cell)
        elif cell.denominator is not None:
            cell = self._of_measures(cell, measure)
        why = self.hidden.get(cell.key)
        if why:
            return replace(cell, value=None, percent=None, hidden=why)
        return replace(cell, value=rounded(cell.value or 0, self.contract.disclosure.round_to))

    def _of_population(self, cell: Cell) -> Cell:
        """A population is public and stays as it is."""
        if cell.denominator is None:
            return cell
        if cell.denominator < self.contract.disclosure.percent_needs_denominator:
            return replace(cell, percent=None, note=TOO_FEW)
        return replace(cell, percent=self._blunt(cell.percent))

    def _of_measures(self, cell: Cell, measure: Measure) -> Cell:
        """What the share is of, less one end of it, is the other: none is said where one is
        hidden."""
        whole, rule = cell.denominator or 0, self.contract.disclosure
        beside = [(of, cell.by) for of in measure.of] + [cell.key, (REST + measure.code, cell.by)]
        if any(key in self.hidden for key in beside):
            return replace(cell, denominator=None, percent=None)
        shown = rounded(whole, rule.round_to)
        if whole < rule.percent_needs_denominator:
            return replace(cell, denominator=shown, percent=None, note=TOO_FEW)
        return replace(cell, denominator=shown, percent=self._blunt(cell.percent))

    def _blunt(self, percent: float | None) -> float | None:
        """Where counts are rounded, a percentage with decimals would undo it."""
        if percent is None or self.contract.disclosure.round_to == 1:
            return percent
        return float(rounded(percent, 1))

    def _time(self, cell: Cell, measure: Measure) -> Cell:
        """A time is hidden where few were answered or the group itself is hidden; the slowest is
        one person's own, so it also goes where kept and broken are not both shown."""
        answered, cell = cell.denominator or 0, replace(cell, denominator=None)
        splits = [
            split
            for split in self.contract.splits
            if any(
                self.contract.measure(part).where.get("clock") == measure.where.get("clock")
                for part in split.parts
            )
        ]
        wholes = [(split.total, cell.by) for split in splits]
        ends = [(part, cell.by) for split in splits for part in split.parts]
        why: str | None = None
        if 0 < answered < self.contract.disclosure.threshold:
            why = SMALL
        elif any(key in self.hidden for key in wholes) or (
            measure.takes == "slowest" and any(key in self.hidden for key in ends)
        ):
            why = SECONDARY
        return replace(cell, value=None, hidden=why) if why else cell
