"""Counts facts for measures: each fact is read once for each window, and every cut of every
measure that counts it comes out of that one reading.

`count` is all that reports/figures.py needs. What must be fast is fast by what is kept: one number
for each combination of codes that occurs, one integer for each person and combination, and for
times one number a promise. Cells are made from those at the end, a few thousand at most.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract.measuring import Measure
from helpline.reports import facts
from helpline.reports.cells import By, Key, by_of
from helpline.reports.facts import BEHIND, Window
from helpline.vocabulary import UNKNOWN

SUPPORT: Final = "support"
AT_ONCE: Final = 10_000
"""Rows fetched at a time."""
_SETS: Final = 1 << 16  # different sets of support that a run may meet
_BASES: Final = 1 << 24  # different combinations of the other codes
_MICROS: Final = 60_000_000
SHARES: Final = {"median": 0.5, "p90": 0.9, "slowest": 1.0}
_Cut = tuple[int, tuple[tuple[int, int], ...]]
"""Where a cut's cells begin, and for each of its columns how far apart two codes are."""
Supports = Mapping[int, int]
"""Case → the number of its set of supports; 0 is none."""


@dataclass(frozen=True)
class Times:
    """What is known of how long it took: how many, and the value asked for, in minutes."""

    number: int
    value: float | None


@dataclass
class Counts:
    """What was counted: a number for each cell that has any; times for those that measure time."""

    numbers: Counter[Key] = field(default_factory=Counter)
    times: dict[Key, Times] = field(default_factory=dict)


@dataclass
class Provided:
    """Every set of supports that occurs, by its number; read once for all facts of a run."""

    sets: list[tuple[str, ...]]
    of: Supports


@dataclass
class _Read:
    """One fact as read: `bases` are the combinations of codes that occur, each by its number."""

    columns: tuple[str, ...]
    bases: dict[tuple[Any, ...], int] = field(default_factory=dict)
    numbers: Counter[int] = field(default_factory=Counter)
    """base * _SETS + set → rows."""
    people: array[int] = field(default_factory=lambda: array("Q"))
    """(person * _BASES + base) * _SETS + set, a row each; a person has at most 24 bits."""
    took: list[tuple[int, int]] = field(default_factory=list)
    """Microseconds, and base * _SETS + set."""


async def count(
    session: AsyncSession,
    contract: str,
    measures: Sequence[Measure],
    window: Window,
    printed: Mapping[str, Sequence[str]],
) -> Counts:
    """Count these measures, all of one window. `printed` are the codes of every dimension: whatever
    is none of them counts as the last, so that totals stay whole."""
    found = Counts()
    by_fact: dict[str, list[Measure]] = defaultdict(list)
    for measure in measures:
        by_fact[measure.counts].append(measure)
    provided = Provided([(UNKNOWN,)], {})
    if any(SUPPORT in _used(measure) for measure in measures):
        provided = await supports(session, contract, printed)
    for fact, asked in by_fact.items():
        read = await _read(session, fact, contract, asked, window, provided)
        _Spread(read, provided, printed).into(found, asked)
    return found


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` (0 to 1) of the sorted values do not exceed; None of no values.

    Between two values it is interpolated in a straight line, as SQL's percentile_cont does.
    """
    if not values:
        return None
    position = share * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def _used(measure: Measure) -> set[str]:
    return {*measure.by, *measure.where}


# --- reading --------------------------------------------------------------------------------------


async def supports(
    session: AsyncSession, contract: str, printed: Mapping[str, Sequence[str]]
) -> Provided:
    """What each case was given, as the number of a set: there are few sets and many cases."""
    known = {code: place for place, code in enumerate(printed[SUPPORT])}
    last = len(known) - 1
    masks: dict[int, int] = defaultdict(int)
    result = await session.stream(
        facts.supports(contract), execution_options={"yield_per": AT_ONCE}
    )
    async for part in result.partitions():
        for case_id, support in part:
            masks[case_id] |= 1 << known.get(support, last)
    numbers: dict[int, int] = {}
    sets: list[tuple[str, ...]] = [(printed[SUPPORT][last],)]
    for case_id, mask in masks.items():
        if mask not in numbers:
            numbers[mask] = len(sets)
            sets.append(tuple(code for code, place in known.items() if mask >> place & 1))
        masks[case_id] = numbers[mask]
    return Provided(sets, masks)


async def _read(
    session: AsyncSession,
    fact: str,
    contract: str,
    measures: Sequence[Measure],
    window: Window,
    provided: Provided,
) -> _Read:
    columns = sorted(set().union(*(_used(one) for one in measures)) - {SUPPORT})
    read = _Read(tuple(columns))
    needs_people = any(one.takes == "people" for one in measures)
    needs_times = any(one.is_minutes for one in measures)
    bases, numbers, people, took = read.bases, read.numbers, read.people, read.took
    given = provided.of
    query = facts.query(session, fact, contract, window, columns)
    result = await session.stream(query, execution_options={"yield_per": AT_ONCE})
    async for part in result.partitions():
        for row in part:
            codes = row[BEHIND:]
            base = bases.get(codes)
            if base is None:
                base = bases[codes] = len(bases)
            place = base * _SETS + given.get(row[0], 0)
            numbers[place] += 1
            if needs_people and row[1] is not None:
                people.append(row[1] * (_BASES * _SETS) + place)
            if needs_times and row[2] is not None:
                took.append((row[2], place))
    return read


# --- from what was read to cells ------------------------------------------------------------------


class _Spread:
    """From combinations of codes to every cell that they count in."""

    def __init__(
        self, read: _Read, provided: Provided, printed: Mapping[str, Sequence[str]]
    ) -> None:
        self._read, self._printed = read, printed
        known = {name: {code: n for n, code in enumerate(some)} for name, some in printed.items()}
        self._sets = [tuple(known[SUPPORT][code] for code in some) for some in provided.sets]
        self._bases = [
            tuple(
                place_of(name, code, known[name])
                for name, code in zip(read.columns, codes, strict=True)
            )
            for codes in read.bases
        ]
        self._by_base: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for place, number in read.numbers.items():
            base, provided_set = divmod(place, _SETS)
            self._by_base[base].append((provided_set, number))

    def into(self, found: Counts, measures: Sequence[Measure]) -> None:
        alike: dict[tuple[Any, ...], list[Measure]] = defaultdict(list)
        for measure in measures:
            where = tuple(sorted(measure.where.items()))
            alike[measure.is_minutes, where, measure.cuts].append(measure)
        for (is_minutes, where, cuts), some in alike.items():
            grid = _Grid(cuts, self._read.columns, self._bases, self._sets, self._printed)
            chosen = _Chosen(where, self._read.columns, self._bases, self._sets, self._printed)
            if is_minutes:
                self._times(found, some, grid, chosen)
                continue
            for measure in some:
                spread = self._people if measure.takes == "people" else self._numbers
                for cell, number in enumerate(spread(grid, chosen)):
                    if number:
                        found.numbers[measure.code, grid.name(cell)] = number

    def _numbers(self, grid: _Grid, chosen: _Chosen) -> list[int]:
        numbers = [0] * grid.size
        for base, some in self._by_base.items():
            if base not in chosen.bases:
                continue
            whole, provided = 0, Counter[int]()
            for provided_set, number in some:
                if provided_set in chosen.sets:
                    whole += number
                    for support in self._sets[provided_set]:
                        provided[support] += number
            for cell in grid.plain(base):
                numbers[cell] += whole
            for cell in grid.given(base):
                for support, number in provided.items():
                    numbers[cell + support] += number
        return numbers

    def _people(self, grid: _Grid, chosen: _Chosen) -> list[int]:
        """Each person once wherever they count: their places stand side by side when sorted."""
        numbers: Counter[int] = Counter()
        person, before, mine = -1, -1, set[int]()
        for packed in sorted(self._read.people):
            if packed == before:
                continue
            before = packed
            rest, provided_set = divmod(packed, _SETS)
            this, base = divmod(rest, _BASES)
            if this != person:
                numbers.update(mine)
                person, mine = this, set()
            if base in chosen.bases and provided_set in chosen.sets:
                mine.update(grid.of(base, provided_set))
        numbers.update(mine)
        return [numbers[cell] for cell in range(grid.size)]

    def _times(
        self, found: Counts, measures: Sequence[Measure], grid: _Grid, chosen: _Chosen
    ) -> None:
        """In the order of the time they took, so that each cell's list is sorted as it grows."""
        minutes: list[array[float]] = [array("d") for _ in range(grid.size)]
        for micros, place in sorted(self._read.took):
            base, provided_set = divmod(place, _SETS)
            if base in chosen.bases and provided_set in chosen.sets:
                value = micros / _MICROS
                for cell in grid.of(base, provided_set):
                    minutes[cell].append(value)
        for measure in measures:
            share = SHARES[measure.takes]
            for cell, values in enumerate(minutes):
                if values:
                    times = Times(len(values), percentile(values, share))
                    found.times[measure.code, grid.name(cell)] = times


class _Chosen:
    """Which combinations of codes and which sets of supports a measure counts."""

    def __init__(
        self,
        where: Sequence[tuple[str, Sequence[str]]],
        columns: Sequence[str],
        bases: Sequence[tuple[int, ...]],
        sets: Sequence[tuple[int, ...]],
        printed: Mapping[str, Sequence[str]],
    ) -> None:
        wanted = {
            name: {place for place, code in enumerate(printed[name]) if code in codes}
            for name, codes in where
        }
        supports = wanted.pop(SUPPORT, None)
        at = [(columns.index(name), places) for name, places in wanted.items()]
        self.bases = {
            number
            for number, base in enumerate(bases)
            if all(base[column] in places for column, places in at)
        }
        self.sets = {
            number
            for number, some in enumerate(sets)
            if supports is None or not supports.isdisjoint(some)
        }


class _Grid:
    """The cells of some cuts, each by a number: a cut's first, and from there row by row. In a cut
    with supports these come last, so that a support is added to where its row begins."""

    def __init__(
        self,
        cuts: Sequence[tuple[str, ...]],
        columns: Sequence[str],
        bases: Sequence[tuple[int, ...]],
        sets: Sequence[tuple[int, ...]],
        printed: Mapping[str, Sequence[str]],
    ) -> None:
        self._bases, self._sets, self._printed = bases, sets, printed
        self._cuts = [tuple(sorted(cut, key=lambda name: name == SUPPORT)) for cut in cuts]
        self._firsts: list[int] = []
        self.size = 0
        plain: list[_Cut] = []
        given: list[_Cut] = []
        for cut in self._cuts:
            first, self.size = self.size, self.size + prod(len(printed[name]) for name in cut)
            self._firsts.append(first)
            steps, step = [], 1
            for name in reversed(cut):
                if name != SUPPORT:
                    steps.append((columns.index(name), step))
                step *= len(printed[name])
            (given if SUPPORT in cut else plain).append((first, tuple(steps)))
        self._plain, self._given = plain, given
        self._known_plain: dict[int, tuple[int, ...]] = {}
        self._known_given: dict[int, tuple[int, ...]] = {}

    def plain(self, base: int) -> tuple[int, ...]:
        """The cells that do not depend on what was provided."""
        known = self._known_plain.get(base)
        if known is None:
            known = self._known_plain[base] = self._cells(base, self._plain)
        return known

    def given(self, base: int) -> tuple[int, ...]:
        """Where the cells by support begin."""
        known = self._known_given.get(base)
        if known is None:
            known = self._known_given[base] = self._cells(base, self._given)
        return known

    def of(self, base: int, provided_set: int) -> tuple[int, ...]:
        """Every cell of a row: a case counts in each kind of support it had."""
        cells, given = self.plain(base), self.given(base)
        if not given:
            return cells
        for support in self._sets[provided_set]:
            cells += tuple([cell + support for cell in given])
        return cells

    def name(self, cell: int) -> By:
        place = bisect_right(self._firsts, cell) - 1
        left, pairs = cell - self._firsts[place], {}
        for name in reversed(self._cuts[place]):
            left, code = divmod(left, len(self._printed[name]))
            pairs[name] = self._printed[name][code]
        return by_of(pairs)

    def _cells(self, base: int, cuts: Sequence[_Cut]) -> tuple[int, ...]:
        codes = self._bases[base]
        return tuple(
            [first + sum([codes[column] * step for column, step in steps]) for first, steps in cuts]
        )


def place_of(name: str, code: str | None, known: Mapping[str, int]) -> int:
    """A part of a reason counts as the reason; whatever the contract does not have, as the last."""
    last = len(known) - 1
    if code is None:
        return last
    return known.get(code.partition(".")[0] if name == "reason" else code, last)
