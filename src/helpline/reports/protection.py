"""A report's cells with the contract's disclosure rule applied: what leaves the provider (D16).

Called by reports/figures.py unless exact figures were asked for. Which cells are hidden is decided
in rules/disclosure.py; here it is told which cells add up to which, in the report and with the
releases of the same year that are out already, and the percentages, times and denominators that
would give a hidden cell away are taken out with it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations
from typing import Final

from helpline.contract import Contract
from helpline.contract.measuring import POPULATION, Measure
from helpline.reports import codes
from helpline.reports.cells import Cell, Key, by_of, places
from helpline.rules.disclosure import WITHHELD, Line, hidden_cells
from helpline.rules.periods import ANNUAL, MONTHS, Period

TOO_FEW: Final = "too few for a percentage"
HIDDEN: Final = "hidden"
"""The one reason that is published, whether a count is small or would give a small one away: to
tell which would tell how large it is."""
REST: Final = "rest of "
"""Before a measure's code: what is left of the measure it is a part of. Printed nowhere, and known
to everybody who can subtract."""
_AT_AN_INSTANT: Final = frozenset({"open"})
"""Counts that are as they stand on the last day: quarters do not add up to a year."""


@dataclass(frozen=True)
class Earlier:
    """A release that is out: its exact figures as they were counted for it, and as published."""

    period: Period
    exact: Sequence[Cell]
    published: Sequence[Cell]


def protect(
    contract: Contract,
    period: Period,
    cells: Sequence[Cell],
    earlier: Sequence[Earlier] = (),
) -> tuple[Cell, ...]:
    """The same cells in the same order; a hidden one says so and carries no figure.

    `earlier` are the releases of the contract that share days with this period: nobody can take
    one from the other and be left with a small number.
    """
    return _Protecting(contract, period, {cell.key: cell for cell in cells}, tuple(earlier)).done()


def rounded(number: float, base: int) -> int:
    """To the nearest multiple of `base`, halves up."""
    return int(number + base / 2) // base * base


@dataclass
class _Counted:
    """The counts of one release that could say something about somebody, and their sums."""

    contract: Contract
    printed: Mapping[str, tuple[str, ...]]
    period: Period
    cells: Mapping[Key, Cell]

    @cached_property
    def measures(self) -> dict[str, Measure]:
        listed = dict.fromkeys(measure for measure, _ in self.cells)
        return {code: self.contract.measure(code) for code in listed}

    @cached_property
    def counted(self) -> dict[str, Measure]:
        return {
            code: measure
            for code, measure in self.measures.items()
            if measure.names_people and not measure.is_minutes
        }

    @cached_property
    def counts(self) -> dict[Key, int]:
        """Every count, with the rests."""
        found = {
            cell.key: int(cell.value or 0)
            for cell in self.cells.values()
            if cell.measure in self.counted
        }
        for total, (part, rest) in self.rests():
            found[rest] = found[total] - found[part]
        return found

    def rests(self) -> Iterator[tuple[Key, tuple[Key, Key]]]:
        """A measure, one that is a share of it, and what is left: the third is known from two."""
        for code, measure in self.measures.items():
            if len(measure.of) != 1 or measure.of[0] not in self.measures:
                continue
            for cut in measure.cuts:
                for by in places(cut, self.printed):
                    if (measure.of[0], by) in self.cells:
                        yield (measure.of[0], by), ((code, by), (REST + code, by))

    def tables(self) -> Iterator[list[Key]]:
        for code, measure in self.counted.items():
            for cut in measure.cuts:
                if cut:
                    yield [(code, by) for by in places(cut, self.printed)]

    def withheld(self) -> Iterator[Key]:
        """Allegations are few and named by every crossing: yearly and for the whole area only."""
        reasons = {reason.code for reason in self.contract.reasons if reason.allegation}
        for key, n in self.counts.items():
            code, by = key
            measure = self.measures.get(code)
            if not n:
                continue
            if measure is not None and measure.counts == "allegations":
                if self.period.kind != ANNUAL or "quadrant" in dict(by):
                    yield key
            elif dict(by).get("reason") in reasons and (self.period.kind != ANNUAL or len(by) > 1):
                yield key

    def sums(self) -> Iterator[tuple[Key, list[Key]]]:
        """Every sum a reader can write down: along each dimension, the contract's splits, and what
        is left of a whole."""
        for code, measure in self.counted.items():
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
        for whole, ends in self.rests():
            yield whole, list(ends)

    def within(self) -> Iterator[tuple[Key, Key]]:
        """A count, and one that cannot be more: the people among the contacts, some of all."""
        for less, more in permutations(self.counted.values(), 2):
            if not _is_within(less, more):
                continue
            for cut in set(less.cuts) & set(more.cuts):
                for by in places(cut, self.printed):
                    yield (more.code, by), (less.code, by)


def _is_within(less: Measure, more: Measure) -> bool:
    same = (less.counts, less.basis) == (more.counts, more.basis)
    takes = less.takes == more.takes or (less.takes, more.takes) == ("people", "number")
    return (
        same
        and takes
        and all(
            name in less.where and set(less.where[name]) <= set(chosen)
            for name, chosen in more.where.items()
        )
    )


@dataclass
class _Protecting:
    """One report on its way out."""

    contract: Contract
    period: Period
    cells: Mapping[Key, Cell]
    earlier: tuple[Earlier, ...] = ()

    def done(self) -> tuple[Cell, ...]:
        return tuple(self._protected(cell) for cell in self.cells.values())

    @cached_property
    def printed(self) -> dict[str, tuple[str, ...]]:
        return codes.printed(self.contract)

    @cached_property
    def own(self) -> _Counted:
        return _Counted(self.contract, self.printed, self.period, self.cells)

    @property
    def measures(self) -> dict[str, Measure]:
        return self.own.measures

    @cached_property
    def hidden(self) -> dict[Key, str]:
        """Which of the cells are hidden, and the reason that is published."""
        rule, own = self.contract.disclosure, self.own
        releases = [own, *(self._counted(one) for one in self.earlier)]
        number: dict[tuple[int, Key], int] = {}  # numbers hash faster
        for place, release in enumerate(releases):
            for key in release.counts:
                number[place, key] = len(number)
        lines = []
        for place, release in enumerate(releases):
            for total, parts in release.sums():
                lines.append(Line(number[place, total], tuple(number[place, k] for k in parts)))
            for more, less in release.within():
                lines.append(Line(number[place, more], (number[place, less],), only_within=True))
        lines += _over_time(releases, number)
        published: dict[Hashable, bool] = {
            number[place + 1, key]: is_hidden
            for place, one in enumerate(self.earlier)
            for key, is_hidden in _as_published(releases[place + 1], one).items()
        }
        found = hidden_cells(
            {index: releases[place].counts[key] for (place, key), index in number.items()},
            lines,
            [[number[0, key] for key in table] for table in own.tables()],
            threshold=rule.threshold,
            secondary=rule.secondary,
            withheld=[number[0, key] for key in own.withheld()],
            published=published,
        )
        return {
            key: WITHHELD if found[number[0, key]] == WITHHELD else HIDDEN
            for key in own.counts
            if number[0, key] in found
        }

    def _counted(self, one: Earlier) -> _Counted:
        cells = {cell.key: cell for cell in one.exact}
        return _Counted(self.contract, self.printed, one.period, cells)

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
        if not self._is_many(int(cell.value or 0), cell.denominator):
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
        if not self._is_many(int(cell.value or 0), whole):
            return replace(cell, denominator=shown, percent=None, note=TOO_FEW)
        return replace(cell, denominator=shown, percent=self._blunt(cell.percent))

    def _is_many(self, part: int, whole: int) -> bool:
        """Whether a percentage may be said: the base is large, and neither end of it is a few."""
        rule = self.contract.disclosure
        few = any(0 < one < rule.threshold for one in (part, whole - part))
        return whole >= rule.percent_needs_denominator and not few

    def _blunt(self, percent: float | None) -> float | None:
        """Where counts are rounded, a percentage with decimals would undo it."""
        if percent is None or self.contract.disclosure.round_to == 1:
            return percent
        return float(rounded(percent, 1))

    def _time(self, cell: Cell, measure: Measure) -> Cell:
        """A time is hidden where few were answered or the group itself is hidden. The longest ones
        are few people's own and say how many were late: they also need a large base, and kept and
        broken both shown."""
        rule = self.contract.disclosure
        answered, cell = cell.denominator or 0, replace(cell, denominator=None)
        splits = [
            split
            for split in self.contract.splits
            if any(
                self.contract.measure(part).where.get("clock") == measure.where.get("clock")
                for part in split.parts
            )
        ]
        wholes = any((split.total, cell.by) in self.hidden for split in splits)
        ends = any((part, cell.by) in self.hidden for split in splits for part in split.parts)
        is_long = measure.takes != "median"
        needed = max(rule.threshold, rule.percent_needs_denominator if is_long else 0)
        few = 0 < answered < needed
        if few or wholes or (ends and (is_long or not answered)):
            return replace(cell, value=None, hidden=HIDDEN)
        return cell


def _as_published(counted: _Counted, one: Earlier) -> dict[Key, bool]:
    """Every count of an earlier release → whether it was hidden there."""
    hidden = {cell.key for cell in one.published if cell.hidden}
    found = {key: key in hidden for key in counted.counts}
    for total, (part, rest) in counted.rests():
        found[rest] = found[total] or found[part]
    return found


def _over_time(
    releases: Sequence[_Counted], number: Mapping[tuple[int, Key], int]
) -> Iterator[Line]:
    """What holds between periods: months and quarters make up the year; where some are not out,
    they are at least within it."""
    for whole, release in enumerate(releases):
        for kind in {one.period.kind for one in releases}:
            inside = [
                place
                for place, one in enumerate(releases)
                if one.period.kind == kind
                and place != whole
                and one.period.days < release.period.days
                and release.period.start <= one.period.start
                and one.period.end <= release.period.end
            ]
            is_whole = len(inside) * MONTHS[kind] == MONTHS[release.period.kind]
            for key in release.counts if inside else ():
                measure = release.measures.get(key[0])
                if (
                    measure is None
                    or measure.basis != "period"
                    or measure.counts in _AT_AN_INSTANT
                    or any((place, key) not in number for place in inside)
                ):
                    continue
                parts = tuple(number[place, key] for place in inside)
                yield Line(number[whole, key], parts, only_within=not is_whole)
