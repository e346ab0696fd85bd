"""Somebody who has every published figure of a year and solves for the rest.

They know what everybody can: which figures add up, over codes and over time, that people are
counted once wherever they appear twice, and what the first page says of promises. They are stronger
than anybody real: a shown figure they know exactly, whatever it is rounded to. Of a hidden one they
know that it is not below nought. Their bounds are exact, as far as sums of any numbers go: linear
programming (HiGHS) finds the worlds that fit all that is published and in which a hidden number is
least and most. Written apart from rules/disclosure.py and reports/sums.py, which it tests.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from math import ceil, floor
from typing import Any

import highspy
import numpy as np

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.reports import codes
from helpline.reports.cells import Cell, Key
from helpline.reports.protection import Earlier
from helpline.rules.periods import Period, rolling_year, year_to_date

ENDLESS = 10**6
TINY = 1e-4
APART = 3
"""Values at least so far apart: else a guess in the middle is right to within one."""
OVERLAPS = {"support"}
"""A case may have several of these: the parts are more than the whole."""
Name = tuple[Any, ...]
"""A figure: what is counted, taken, and chosen; its first and last day."""
Span = tuple[date, date]
Row = tuple[dict[Name, int], int, int]
"""Figures by factors: their sum is at least, at most."""


@dataclass
class Attacker:
    """`truth` is what every figure is, which only the one who judges them knows."""

    contract: Contract
    truth: dict[Name, int] = field(default_factory=dict)
    known: set[Name] = field(default_factory=set)
    said: dict[Name, tuple[int, int]] = field(default_factory=dict)
    equal: list[tuple[Name, list[Name]]] = field(default_factory=list)
    most: list[tuple[Name, list[Name]]] = field(default_factory=list)
    """The first is no more than all the others together."""

    # --- What is read -----------------------------------------------------------------------------

    def read(self, releases: Sequence[Earlier]) -> None:
        """All releases, in the order in which they came."""
        self.printed = codes.printed(self.contract)
        for one in releases:
            shown = {cell.key: cell for cell in one.published}
            names = {}
            for cell in one.exact:
                measure = self.contract.measure(cell.measure)
                if measure.names_people and not measure.is_minutes:
                    names[cell.key] = self._take(measure, one.period, cell, shown[cell.key])
            self._add_up(names)
        self._over_time()

    def _take(self, measure: Measure, period: Period, cell: Cell, shown: Cell) -> Name:
        name = named(measure, period, cell)
        self.truth.setdefault(name, int(cell.value or 0))
        if shown.hidden is None:
            self.known.add(name)
        if shown.hidden and shown.note and shown.note.startswith("fewer than "):
            self.said[name] = 0, int(shown.note.removeprefix("fewer than ")) - 1
        if shown.hidden and shown.note and shown.note.endswith(" or more"):
            self.said[name] = int(shown.note.removesuffix(" or more")), ENDLESS
        return name

    def _add_up(self, names: dict[Key, Name]) -> None:
        rows: dict[tuple[Name, str], list[Name]] = defaultdict(list)
        for (code, by), name in names.items():
            for pair in by:
                rest = tuple(one for one in by if one != pair)
                if (code, rest) in names:
                    rows[names[code, rest], pair[0]].append(name)
        for (total, along), parts in rows.items():
            if len(parts) == len(self.printed[along]):
                self._sum(total, parts, along not in OVERLAPS and total[1] == "number")
        for (code, by), name in names.items():
            for split in self.contract.splits:
                parts = [names[part, by] for part in split.parts if (part, by) in names]
                if split.total == code and len(parts) == len(split.parts):
                    self._split(name, parts)
            if name[1] == "people" and (name[0], "number", *name[2:]) in self.truth:
                self.most.append((name, [(name[0], "number", *name[2:])]))
            of = self.contract.measure(code).of
            if len(of) == 1 and (of[0], by) in names:
                self._rest(names[of[0], by], [name])
        self._unite(names.values())

    def _unite(self, names: Iterable[Name]) -> None:
        """A measure of several codes is the sum of those of each."""
        for name in set(names):
            for dimension, chosen in name[2]:
                rest = name[2] - {(dimension, chosen)}
                parts = [
                    (*name[:2], rest | {(dimension, frozenset({code}))}, *name[3:])
                    for code in chosen
                ]
                if len(parts) > 1 and all(one in self.truth for one in parts):
                    self._sum(name, parts, dimension not in OVERLAPS and name[1] == "number")

    def _sum(self, total: Name, parts: list[Name], is_exact: bool) -> None:
        if is_exact:
            self.equal.append((total, parts))
        else:
            self.most.append((total, parts))
            self.most += [(part, [total]) for part in parts]

    def _split(self, total: Name, parts: list[Name]) -> None:
        """What should add up to another. A case that is opened again has two promises: where that
        is so, the attacker is told, so that they reckon with no wrong sum."""
        is_exact = self.truth[total] == sum(self.truth[part] for part in parts)
        self._sum(total, parts, is_exact)

    def _rest(self, whole: Name, parts: list[Name]) -> None:
        """What is left over: printed nowhere, and somebody's all the same."""
        rest = ("rest", whole, tuple(parts))
        self.truth[rest] = self.truth[whole] - sum(self.truth[part] for part in parts)
        self.equal.append((whole, [*parts, rest]))

    def _over_time(self) -> None:
        spans: dict[Name, set[Span]] = defaultdict(set)
        for name in self.truth:
            if name[0] not in ("rest", "open"):
                spans[name[:3]].add(name[3:])
        for what, some in spans.items():
            if len(some) < 2:
                continue
            for whole in some:
                inside = [one for one in some if one != whole and _is_in(one, whole)]
                if what[1] == "number":
                    continue
                self.most += [((*what, *one), [(*what, *whole)]) for one in inside]
                days = sum((one[1] - one[0]).days + 1 for one in inside)
                if days >= (whole[1] - whole[0]).days + 1:
                    self.most.append(((*what, *whole), [(*what, *one) for one in inside]))
            if what[1] == "number":
                self._in_pieces(what, sorted(some))

    def _in_pieces(self, what: Name, spans: list[Span]) -> None:
        """Every span is made of the stretches between all first and last days."""
        day = timedelta(days=1)
        cuts = sorted({span[0] for span in spans} | {span[1] + day for span in spans})
        pieces = [(start, end - day) for start, end in pairwise(cuts)]
        for span in spans:
            made_of = [(*what, *piece) for piece in pieces if _is_in(piece, span)]
            if len(made_of) > 1:
                self.equal.append(((*what, *span), made_of))
        self._true_pieces(what, spans, pieces)

    def _true_pieces(self, what: Name, spans: Sequence[Span], pieces: Sequence[Span]) -> None:
        """What each stretch truly is, wherever it follows from the exact figures."""
        missing = [(*what, *one) for one in pieces if (*what, *one) not in self.truth]
        is_new = True
        while missing and is_new:
            is_new = False
            for span in spans:
                parts = [(*what, *one) for one in pieces if _is_in(one, span)]
                unknown = [one for one in parts if one in missing]
                if len(unknown) == 1:
                    others = sum(self.truth[one] for one in parts if one not in missing)
                    self.truth[unknown[0]] = self.truth[(*what, *span)] - others
                    missing.remove(unknown[0])
                    is_new = True

    # --- What is learned --------------------------------------------------------------------------

    def learned(self, *, any_one: bool = False) -> dict[Name, tuple[int, int]]:
        """The hidden counts of 1 to 7 that are known to within one, or exactly: least and most;
        `any_one`: the first that is found is enough."""
        found: dict[Name, tuple[int, int]] = {}
        for unknown, rows in self._parts():
            found |= _Worlds(self, unknown, rows).learned(any_one=any_one)
            if found and any_one:
                break
        return found

    def _parts(self) -> Iterator[tuple[list[Name], list[Row]]]:
        """Hidden figures that hang together, and what is known of their sums: factors, at least, at
        most. What the true figures contradict was counted on different days and is no sum."""
        rows = []
        for factors, low, high in self._rows():
            known = sum(n * self.truth[name] for name, n in factors.items() if name in self.known)
            unknown = {name: n for name, n in factors.items() if name not in self.known}
            true = sum(n * self.truth[name] for name, n in factors.items())
            if unknown and low <= true <= high:
                rows.append((unknown, low - known, high - known))
        root: dict[Name, Name] = {}

        def top(name: Name) -> Name:
            while root.setdefault(name, name) != name:
                root[name] = name = root[root[name]]
            return name

        for unknown, _, _ in rows:
            first, *others = unknown
            for other in others:
                root[top(other)] = top(first)
        members: dict[Name, list[Name]] = defaultdict(list)
        for name in list(root):
            members[top(name)].append(name)
        of: dict[Name, list[Row]] = defaultdict(list)
        for row in rows:
            of[top(next(iter(row[0])))].append(row)
        yield from ((members[one], of[one]) for one in members)

    def _rows(self) -> Iterator[Row]:
        for total, parts in self.equal:
            if all(part in self.truth for part in parts):
                yield {total: -1} | dict.fromkeys(parts, 1), 0, 0
        for less, more in self.most:
            yield {less: -1} | dict.fromkeys(more, 1), 0, ENDLESS


class _Worlds:
    """Worlds that fit what is published, for hidden figures that hang together: at first such in
    which many figures at once are as much, or as little, as they can; who is not freed by that is
    asked about alone, near by and then with everything free, and that is exact."""

    def __init__(self, attacker: Attacker, names: list[Name], rows: list[Row]) -> None:
        self.names, self.truth = names, [attacker.truth[name] for name in names]
        self.least, self.most = list(map(float, self.truth)), list(map(float, self.truth))
        at = {name: place for place, name in enumerate(names)}
        self.bounds = [attacker.said.get(name, (0, ENDLESS)) for name in names]
        self.rows = [({at[n]: f for n, f in row.items()}, low, high) for row, low, high in rows]
        self.of: list[list[int]] = [[] for _ in names]
        for number, (row, _, _) in enumerate(self.rows):
            for place in row:
                self.of[place].append(number)

    def learned(self, *, any_one: bool) -> dict[Name, tuple[int, int]]:
        everything = list(range(len(self.names)))
        if self._narrow():
            self._look_at_many(everything)
        for size in (300, 2_000, len(self.names)):
            for place in self._narrow():
                if self._is_narrow(place):
                    near = self._near(place, size) if size < len(self.names) else everything
                    self._look_at_one(near, place)
                    if any_one and near is everything and self._is_narrow(place):
                        return {self.names[place]: self._span(place)}
        return {self.names[one]: self._span(one) for one in self._narrow()}

    def _span(self, place: int) -> tuple[int, int]:
        return ceil(self.least[place] - TINY), floor(self.most[place] + TINY)

    def _is_narrow(self, place: int) -> bool:
        least, most = self._span(place)
        return 1 <= self.truth[place] <= 7 and most - least < APART

    def _narrow(self) -> list[int]:
        return [place for place in range(len(self.names)) if self._is_narrow(place)]

    def _look_at_many(self, everything: list[int]) -> None:
        solver, left, chance = _Solver(self, everything), 2 * len(self.names), random.Random(1)
        goals: list[tuple[int, ...]] = [(1,), (-1,), (1, 1, -1)]
        while goals or 0 < len(self._narrow()) < 0.9 * left:
            left, signs = len(self._narrow()), goals.pop(0) if goals else (1, -1)
            goal = {place: chance.choice(signs) for place in self._narrow()}
            self._found(everything, solver.best(goal, APART))

    def _look_at_one(self, near: list[int], place: int) -> None:
        solver = _Solver(self, near)
        for sign in (1, -1):
            if self._is_narrow(place):
                self._found(near, solver.best({place: sign}))

    def _near(self, place: int, size: int) -> list[int]:
        found, waiting = {place: None}, deque([place])
        while waiting and len(found) < size:
            one = waiting.popleft()
            for number in sorted(self.of[one], key=lambda number: len(self.rows[number][0])):
                for other in self.rows[number][0]:
                    if other not in found and len(found) < size:
                        found[other] = None
                        waiting.append(other)
        return list(found)

    def _found(self, near: list[int], values: Sequence[float]) -> None:
        for place, value in zip(near, values, strict=True):
            self.least[place] = min(self.least[place], value)
            self.most[place] = max(self.most[place], value)


class _Solver:
    """The figures of one neighbourhood, free within what is known."""

    def __init__(self, worlds: _Worlds, near: list[int]) -> None:
        self.at = {place: number for number, place in enumerate(near)}
        lp = highspy.HighsLp()
        numbers = list(dict.fromkeys(number for place in near for number in worlds.of[place]))
        starts, index, values, lows, highs = [0], [], [], [], []
        for row, low, high in (worlds.rows[number] for number in numbers):
            rest = sum(f * worlds.truth[one] for one, f in row.items() if one not in self.at)
            inside = [(self.at[one], f) for one, f in row.items() if one in self.at]
            index += [one for one, _ in inside]
            values += [factor for _, factor in inside]
            starts.append(len(index))
            lows.append(low - rest)
            highs.append(high - rest)
        lp.num_col_, lp.num_row_ = len(near), len(numbers)
        lp.col_cost_ = np.zeros(len(near))
        self.low = np.array([worlds.bounds[place][0] for place in near], dtype=float)
        self.high = np.array([worlds.bounds[place][1] for place in near], dtype=float)
        self.true = [worlds.truth[place] for place in near]
        lp.col_lower_, lp.col_upper_ = self.low, self.high
        lp.row_lower_, lp.row_upper_ = np.array(lows, dtype=float), np.array(highs, dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        lp.a_matrix_.index_ = np.array(index, dtype=np.int32)
        lp.a_matrix_.value_ = np.array(values, dtype=float)
        self.solver, self.size = highspy.Highs(), len(near)
        self.solver.setOptionValue("output_flag", False)
        if self.size > 2_000:  # ends in the middle of the best worlds: frees many at once
            self.solver.setOptionValue("solver", "ipm")
            self.solver.setOptionValue("run_crossover", "off")
        self.solver.passModel(lp)

    def best(self, goal: dict[int, int], room: int = 0) -> Sequence[float]:
        """A world in which the goal is most; with `room`, none of it is further than that from what
        it is, which leaves more for the others."""
        cost, low, high = np.zeros(self.size), self.low.copy(), self.high.copy()
        for place, factor in goal.items():
            cost[self.at[place]] = -factor
            if room:
                place = self.at[place]
                low[place] = max(low[place], self.true[place] - room)
                high[place] = min(high[place], self.true[place] + room)
        everyone = np.arange(self.size, dtype=np.int32)
        self.solver.changeColsCost(self.size, everyone, cost)
        self.solver.changeColsBounds(self.size, everyone, low, high)
        self.solver.run()
        assert self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return self.solver.getSolution().col_value


def named(measure: Measure, period: Period, cell: Cell) -> Name:
    """A figure by what it means: the same, under whichever name a report has it."""
    chosen = {name: frozenset(some) for name, some in measure.where.items()}
    for name, code in cell.by:
        chosen[name] = chosen.get(name, frozenset({code})) & {code}
    if measure.basis == "year_to_date":
        period = year_to_date(period)
    elif measure.basis == "rolling_12_months":
        period = rolling_year(period)
    what = (measure.counts, measure.takes, frozenset(chosen.items()))
    is_at_end = measure.counts == "open" or measure.basis == "month_end"
    return (*what, period.end if is_at_end else period.start, period.end)


def _is_in(one: Span, whole: Span) -> bool:
    return whole[0] <= one[0] and one[1] <= whole[1]
