"""Which figures of a contract's reports are one and the same number, and which of them add up to
which: all that a reader can write down who has every release.

Called by reports/protection.py. A figure is what is counted, chosen and cut how, over which days;
under whichever name a report prints it. What is left when one is taken from another is a figure
too, printed nowhere (implied).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import permutations
from typing import Any, Final

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.reports.cells import By, Cell, Key
from helpline.rules.disclosure import Line
from helpline.rules.periods import Period, rolling_year, year_to_date
from helpline.rules.spans import Span, Tiling, tilings

REST: Final = "rest of "
"""Before a measure's code: what is left of the measure it is a part of. Printed nowhere, and known
to everybody who can subtract."""
_AT_AN_INSTANT: Final = frozenset({"open"})
"""Counts that are as they stand on the last day: quarters do not add up to a year."""
Series = tuple[Any, ...]
"""What is counted and how it is chosen, over no days yet."""


def series(measure: Measure, by: By) -> Series:
    """What a cell counts, however it is named: cases of foster carers are the same whether they are
    a measure of their own or a row of a table."""
    chosen = {name: frozenset(codes) for name, codes in measure.where.items()}
    for name, code in by:
        chosen[name] = chosen[name] & {code} if name in chosen else frozenset((code,))
    return measure.counts, measure.takes, frozenset(chosen.items())


class Layout:
    """The counts of a report that could say something about somebody, by their places in a list,
    the rests last; and how they add up. Every release of the same report has the same."""

    def __init__(
        self, contract: Contract, printed: Mapping[str, Sequence[str]], keys: Sequence[Key]
    ) -> None:
        self.printed, self.splits = printed, contract.splits
        listed = dict.fromkeys(measure for measure, _ in keys)
        self.measures = {code: contract.measure(code) for code in listed}
        self.counted = {
            code: one
            for code, one in self.measures.items()
            if one.names_people and not one.is_minutes
        }
        self.keys = [key for key in keys if key[0] in self.counted]
        self.at = {key: place for place, key in enumerate(self.keys)}
        self.printed_keys = len(self.keys)
        self.rests = list(self._rests())

    def _rests(self) -> Iterator[tuple[int, int, int]]:
        """The places of a measure, of one that is a share of it, and of what is left."""
        for code, by in self.keys[: self.printed_keys]:
            of = self.measures[code].of
            if len(of) != 1 or (of[0], by) not in self.at:
                continue
            rest = self.at[REST + code, by] = len(self.keys)
            self.keys.append((REST + code, by))
            yield self.at[of[0], by], self.at[code, by], rest

    @cached_property
    def series(self) -> list[Series]:
        """What each place counts."""
        found = [series(self.counted[code], by) for code, by in self.keys[: self.printed_keys]]
        found += [(REST, found[total], found[part]) for total, part, _ in self.rests]
        return found

    @cached_property
    def bases(self) -> list[str]:
        """Over which days each place is counted."""
        found = [self._basis(code) for code, _ in self.keys[: self.printed_keys]]
        return found + [found[total] for total, _, _ in self.rests]

    def _basis(self, code: str) -> str:
        measure = self.counted[code]
        return "month_end" if measure.counts in _AT_AN_INSTANT else measure.basis

    @cached_property
    def tables(self) -> list[list[int]]:
        """The insides of each printed table."""
        found: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
        for place, (code, by) in enumerate(self.keys[: self.printed_keys]):
            if by:
                found[code, tuple(name for name, _ in by)].append(place)
        return list(found.values())

    @cached_property
    def sums(self) -> list[tuple[int, tuple[int, ...]]]:
        """Every total and its parts: along each dimension, the contract's splits, and several codes
        of one measure."""
        return [*self._along(), *self._split(), *self._chosen()]

    def _along(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        found: dict[tuple[int, str], list[int]] = defaultdict(list)
        for place, (code, by) in enumerate(self.keys[: self.printed_keys]):
            for number, (name, _) in enumerate(by):
                total = self.at.get((code, by[:number] + by[number + 1 :]))
                if total is not None:
                    found[total, name].append(place)
        for (total, name), parts in found.items():
            if len(parts) == len(self.printed[name]):
                yield total, tuple(parts)

    def _split(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        for split in self.splits:
            for code, by in self.keys[: self.printed_keys]:
                parts = [(part, by) for part in split.parts]
                if code == split.total and all(part in self.at for part in parts):
                    yield self.at[code, by], tuple(self.at[part] for part in parts)

    def _chosen(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """A measure of several codes is the sum of those of each."""
        known = {one: place for place, one in enumerate(self.series)}
        for place, (code, _) in enumerate(self.keys[: self.printed_keys]):
            if all(len(codes) < 2 for codes in self.counted[code].where.values()):
                continue
            counts, takes, chosen = self.series[place]
            for name, codes in chosen:
                rest = chosen - {(name, codes)}
                each = [(counts, takes, rest | {(name, frozenset((one,)))}) for one in codes]
                if len(each) > 1 and all(one in known for one in each):
                    yield place, tuple(known[one] for one in each)

    @cached_property
    def within(self) -> list[tuple[int, int]]:
        """A count, and one that cannot be more: the people among the contacts, some of all."""
        pairs = permutations(self.counted.values(), 2)
        under = {(less.code, more.code) for less, more in pairs if _is_within(less, more)}
        below: dict[str, list[str]] = defaultdict(list)
        for less, more in under:
            below[more].append(less)
        return [
            (place, self.at[less, by])
            for place, (more, by) in enumerate(self.keys[: self.printed_keys])
            for less in below.get(more, ())
            if (less, by) in self.at
        ]


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
class Book:
    """Every number of every release, each once, in the order of publication.

    `counts` by number; `out`: of those that were published, whether hidden; `implied`: of no
    release. A figure that was published before and has moved by fewer than `stands` since, because
    a record was put right, keeps its number and what was said of it.
    """

    stands: int
    counts: list[int] = field(default_factory=list)
    out: dict[int, bool] = field(default_factory=dict)
    implied: set[int] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)
    _of: dict[tuple[int, date, date], int] = field(default_factory=dict)
    _series: dict[Series, int] = field(default_factory=dict)
    _adds: list[bool | None] = field(default_factory=list)

    def take(
        self,
        layout: Layout,
        period: Period,
        cells: Mapping[Key, Cell],
        published: Mapping[Key, Cell] | None = None,
    ) -> list[int]:
        """The number of each place of a release: of one that is out with what it published."""
        spans = {basis: _span(period, basis) for basis in set(layout.bases)}
        numbers: list[int] = []
        for place, key in enumerate(layout.keys[: layout.printed_keys]):
            figure = (self._known(layout.series[place]), *spans[layout.bases[place]])
            numbers.append(self._number(figure, int(cells[key].value or 0)))
        for place, (total, part, _) in enumerate(layout.rests, layout.printed_keys):
            figure = (self._known(layout.series[place]), *spans[layout.bases[place]])
            left = self.counts[numbers[total]] - self.counts[numbers[part]]
            numbers.append(self._number(figure, left, is_implied=True))
        for place, key in enumerate(layout.keys[: layout.printed_keys] if published else ()):
            hidden = published is not None and bool(published[key].hidden)
            self.out[numbers[place]] = hidden and self.out.get(numbers[place], True)
        self._link(layout, numbers)
        return numbers

    def _known(self, one: Series) -> int:
        if one not in self._series:
            self._series[one] = len(self._adds)
            takes = None if one[0] in (REST, *_AT_AN_INSTANT) else one[1] == "number"
            self._adds.append(takes)
        return self._series[one]

    def _number(self, figure: tuple[int, date, date], count: int, is_implied: bool = False) -> int:
        number = self._of.get(figure)
        if number is not None and abs(self.counts[number] - count) < self.stands:
            return number
        number = self._of[figure] = len(self.counts)
        self.counts.append(count)
        if is_implied:
            self.implied.add(number)
        return number

    def _link(self, layout: Layout, numbers: Sequence[int]) -> None:
        for total, parts in layout.sums:
            self._line(numbers[total], tuple([numbers[part] for part in parts]))
        for total, part, rest in layout.rests:
            self._line(numbers[total], (numbers[part], numbers[rest]), known=1)
        for more, less in layout.within:
            self._line(numbers[more], (numbers[less],), only_within=True)

    def _line(
        self, total: int, parts: tuple[int, ...], only_within: bool = False, known: int = 0
    ) -> None:
        """What is out and shown on all sides says nothing of what is not; nor do the last `known`
        parts, which stand in no other line."""
        out = self.out
        told = parts[: len(parts) - known]
        if out.get(total, True) or any(out.get(one, True) for one in told):
            self.lines.append(Line(total, parts, only_within))

    def link_over_time(self) -> None:
        """Add how periods make up longer ones, when every release has been taken."""
        spans: dict[int, list[Span]] = defaultdict(list)
        for one, start, end in self._of:
            if self._adds[one] is not None:
                spans[one].append((start, end))
        laid: dict[tuple[Span, ...], tuple[Tiling, ...]] = {}
        for one, some in spans.items():
            if len(some) > 1:
                key = tuple(some)
                if key not in laid:
                    laid[key] = tilings(key)
                for tiling in laid[key]:
                    self._over(one, tiling)

    def _over(self, one: int, tiling: Tiling) -> None:
        whole = self._of[one, *tiling.whole]
        tiles = tuple(self._of[one, *tile] for tile in tiling.tiles)
        if not tiling.gaps:
            self._line(whole, tiles)
        elif not self._adds[one]:
            self._line(whole, tiles, only_within=True)
        else:
            left = self.counts[whole] - sum(self.counts[tile] for tile in tiles)
            if left >= 0:
                self._line(whole, (*tiles, self._gap(one, tiling.gaps, left)))

    def _gap(self, one: int, gaps: Iterable[Span], left: int) -> int:
        """What lies in the days between; of several stretches only what they are together."""
        (start, end), *more = gaps
        if more:
            one = self._known((REST, one, start, end, *more))
        known = self._of.get((one, start, end))
        return self._number((one, start, end), left, is_implied=True) if known is None else known


def _span(period: Period, basis: str) -> Span:
    if basis == "year_to_date":
        period = year_to_date(period)
    elif basis == "rolling_12_months":
        period = rolling_year(period)
    return (period.end if basis == "month_end" else period.start), period.end
