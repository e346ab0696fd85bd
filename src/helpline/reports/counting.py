"""Counts facts for measures: each fact is read once for each window, and every cut of every
measure that counts it comes out of that one reading.

`count` is all that reports/figures.py needs. A fact is kept as columns of small numbers, a few
bytes a row; a cell is a number worked out from the columns of its cut, so that to count is to count
equal numbers.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract.measuring import Measure
from helpline.db import as_owner
from helpline.reports import facts
from helpline.reports.apart import APART, there
from helpline.reports.cells import By, Key, by_of
from helpline.reports.facts import Window
from helpline.vocabulary import UNKNOWN

SUPPORT: Final = "support"
MANY: Final = 20_000
"""Contacts of a window from which on it is counted in a process apart, where there is one."""
AT_ONCE: Final = 400
"""Rows fetched at a time: as many as stay near the processor."""
_NONE: Final = -1
"""In a column of numbers: nobody, or not over."""
_MICROS: Final = 60_000_000
SHARES: Final = {"median": 0.5, "p90": 0.9, "slowest": 1.0}
Supports = Mapping[int, int]
"""Case → the number of its set of supports; 0 is none."""
Numbers = NDArray[np.int64]
Cells = NDArray[np.int32]


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


async def count(
    session: AsyncSession,
    contract: str,
    measures: Sequence[Measure],
    window: Window,
    printed: Mapping[str, Sequence[str]],
) -> Counts:
    """Count these measures, all of one window. `printed` are the codes of every dimension: whatever
    is none of them counts as the last, so that totals stay whole. Much is counted apart."""
    async with as_owner(session):
        if APART in session.info and await _are_many(session, contract, window):
            return await there(session, _count, contract, measures, window, printed)
        return await _count(session, contract, measures, window, printed)


async def _count(
    session: AsyncSession,
    contract: str,
    measures: Sequence[Measure],
    window: Window,
    printed: Mapping[str, Sequence[str]],
) -> Counts:
    found = Counts()
    by_fact: dict[str, list[Measure]] = defaultdict(list)
    for measure in measures:
        by_fact[measure.counts].append(measure)
    provided = Provided([(UNKNOWN,)], {})
    if any(SUPPORT in _used(measure) for measure in measures):
        provided = await supports(session, contract, printed)
    for fact, asked in by_fact.items():
        rows = await _read(session, fact, contract, asked, window, provided, printed)
        await asyncio.to_thread(_Spread(rows, provided, printed).into, found, asked)
    return found


async def _are_many(session: AsyncSession, contract: str, window: Window) -> bool:
    """Whether so much came in that to count it would keep others waiting; counted no further."""
    some = facts.query(session, "contacts", contract, window, ()).limit(MANY).subquery()
    found = await session.execute(select(func.count()).select_from(some))
    return found.scalar_one() >= MANY


def percentile(values: Sequence[float] | NDArray[np.float64], share: float) -> float | None:
    """The value that `share` (0 to 1) of the sorted values do not exceed; None of no values.

    Between two values it is interpolated in a straight line, as SQL's percentile_cont does.
    """
    if not len(values):
        return None
    position = share * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return float(values[below] + (values[above] - values[below]) * (position - below))


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


def place_of(name: str, code: str | None, known: Mapping[str, int]) -> int:
    """A part of a reason counts as the reason; whatever the contract does not have, as the last."""
    last = len(known) - 1
    if code is None:
        return last
    return known.get(code.partition(".")[0] if name == "reason" else code, last)


class _Places(dict[str | None, int]):
    """Code → its place among a dimension's, worked out once for each code that occurs."""

    def __init__(self, name: str, codes: Sequence[str]) -> None:
        self._name, self._known = name, {code: place for place, code in enumerate(codes)}

    def __missing__(self, code: str | None) -> int:
        found = self[code] = place_of(self._name, code, self._known)
        return found


@dataclass
class _Rows:
    """One fact as read: for every row its codes' places, its case's set of supports, its person
    and the microseconds it took."""

    codes: Mapping[str, NDArray[np.int16]]
    sets: NDArray[np.int32]
    people: Numbers
    took: Numbers

    def __len__(self) -> int:
        return len(self.sets)


async def _read(
    session: AsyncSession,
    fact: str,
    contract: str,
    measures: Sequence[Measure],
    window: Window,
    provided: Provided,
    printed: Mapping[str, Sequence[str]],
) -> _Rows:
    columns = sorted(set().union(*(_used(one) for one in measures)) - {SUPPORT})
    places = {name: _Places(name, printed[name]) for name in columns}
    codes: dict[str, list[NDArray[np.int16]]] = {name: [] for name in columns}
    sets: list[NDArray[np.int32]] = []
    people: list[Numbers] = []
    took: list[Numbers] = []
    needs_people = any(one.takes == "people" for one in measures)
    needs_times = any(one.is_minutes for one in measures)
    query = facts.query(session, fact, contract, window, columns)
    result = await session.stream(query, execution_options={"yield_per": AT_ONCE})
    async for part in result.partitions():
        cases, persons, micros, *coded = zip(*part, strict=True)  # what stands BEHIND the codes
        some = len(part)
        sets.append(np.fromiter(map(provided.of.get, cases, repeat(0)), np.int32, some))
        if needs_people:
            people.append(_numbers(persons))
        if needs_times:
            took.append(_numbers(micros))
        for name, column in zip(columns, coded, strict=True):
            codes[name].append(np.fromiter(map(places[name].__getitem__, column), np.int16, some))
    return _Rows(
        {name: _joined(chunks, np.int16) for name, chunks in codes.items()},
        _joined(sets, np.int32),
        _joined(people, np.int64),
        _joined(took, np.int64),
    )


def _numbers(column: Sequence[int | None]) -> Numbers:
    return np.array([_NONE if one is None else one for one in column], np.int64)


def _joined(chunks: Sequence[NDArray[Any]], kind: type[np.integer[Any]]) -> NDArray[Any]:
    return np.concatenate(chunks) if chunks else np.empty(0, kind)


# --- from what was read to cells ------------------------------------------------------------------


class _Spread:
    """From rows to every cell that they count in. In a cut with supports a row stands once for
    each that its case was given."""

    def __init__(
        self, rows: _Rows, provided: Provided, printed: Mapping[str, Sequence[str]]
    ) -> None:
        self._rows, self._printed = rows, printed
        known = {code: place for place, code in enumerate(printed[SUPPORT])}
        self._sets = [[known[code] for code in some] for some in provided.sets]

    def into(self, found: Counts, measures: Sequence[Measure]) -> None:
        """Measures that choose the same rows share the work for each cut that they share."""
        alike: dict[tuple[Any, ...], list[Measure]] = defaultdict(list)
        for measure in measures:
            alike[tuple(sorted(measure.where.items()))].append(measure)
        for where, some in alike.items():
            chosen = self._chosen(dict(where))
            cuts: dict[tuple[str, ...], list[Measure]] = defaultdict(list)
            for measure in some:
                for cut in measure.cuts:
                    cuts[tuple(sorted(cut, key=SUPPORT.__eq__))].append(measure)
            for cut, asking in cuts.items():
                self._cut(found, cut, asking, *self._cells(cut, chosen))

    def _cut(
        self,
        found: Counts,
        cut: tuple[str, ...],
        asking: Sequence[Measure],
        rows: Numbers,
        cells: Cells,
    ) -> None:
        size = prod(len(self._printed[name]) for name in cut)
        times = [measure for measure in asking if measure.is_minutes]
        if times:
            self._times(found, cut, times, _by_cell(cells, self._rows.took[rows]))
        for measure in asking:
            if measure in times:
                continue
            is_of_people = measure.takes == "people"
            counted = (
                _once_a_person(cells, self._rows.people[rows], size) if is_of_people else cells
            )
            numbers = np.bincount(counted, minlength=size)
            for cell in np.flatnonzero(numbers).tolist():
                found.numbers[measure.code, self._name(cut, cell)] = int(numbers[cell])

    def _times(
        self,
        found: Counts,
        cut: tuple[str, ...],
        measures: Sequence[Measure],
        by_cell: Sequence[tuple[int, Numbers]],
    ) -> None:
        for cell, micros in by_cell:
            by, minutes = self._name(cut, cell), micros / _MICROS
            for measure in measures:
                value = percentile(minutes, SHARES[measure.takes])
                found.times[measure.code, by] = Times(len(micros), value)

    def _chosen(self, where: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
        """Which rows have one of these codes."""
        chosen = np.ones(len(self._rows), np.bool_)
        for name, codes in where.items():
            wanted = {place for place, code in enumerate(self._printed[name]) if code in codes}
            if name == SUPPORT:
                fit = np.array([not wanted.isdisjoint(some) for some in self._sets])
                chosen &= fit[self._rows.sets]
            else:
                chosen &= np.isin(self._rows.codes[name], list(wanted))
        return chosen

    def _cells(self, cut: Sequence[str], chosen: NDArray[np.bool_]) -> tuple[Numbers, Cells]:
        """Rows, and the number of the cell that each counts in."""
        cells = np.zeros(len(self._rows), np.int32)
        for name in cut:
            if name != SUPPORT:
                cells *= len(self._printed[name])
                cells += self._rows.codes[name]
        if SUPPORT not in cut:
            rows = np.flatnonzero(chosen)
            return rows, cells[rows]
        rows, given = self._given
        fit = chosen[rows]
        rows = rows[fit]
        return rows, cells[rows] * len(self._printed[SUPPORT]) + given[fit]

    @cached_property
    def _given(self) -> tuple[Numbers, Cells]:
        """Rows, each once for each support of its case, and which support that is."""
        lengths = np.array([len(some) for some in self._sets])
        first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        every = np.array([support for some in self._sets for support in some], np.int32)
        many = lengths[self._rows.sets]
        rows = np.repeat(np.arange(len(self._rows)), many)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(many) - many, many)
        return rows, every[first[self._rows.sets[rows]] + within]

    def _name(self, cut: Sequence[str], cell: int) -> By:
        pairs = {}
        for name in reversed(cut):
            cell, code = divmod(cell, len(self._printed[name]))
            pairs[name] = self._printed[name][code]
        return by_of(pairs)


def _once_a_person(cells: Cells, people: Numbers, size: int) -> Numbers:
    """The cells, each once for everybody who counts in it."""
    known = people != _NONE
    pairs: Numbers = people[known] * size + cells[known]
    pairs.sort()
    is_new = np.ones(len(pairs), np.bool_)
    np.not_equal(pairs[1:], pairs[:-1], out=is_new[1:])
    once: Numbers = pairs[is_new] % size
    return once


def _by_cell(cells: Cells, took: Numbers) -> list[tuple[int, Numbers]]:
    """Each cell with its sorted times, of what is over."""
    over = np.flatnonzero(took != _NONE)
    order = over[np.argsort(took[over], kind="stable")]
    order = order[np.argsort(cells[order], kind="stable")]
    found, first = np.unique(cells[order], return_index=True)
    parts = np.split(took[order], first[1:]) if len(found) else []
    return list(zip(found.tolist(), parts, strict=True))
