"""Whether somebody who has every published figure, and solves for the rest, learns a small number.

Called by rules/disclosure.py, through reports/protection.py. A hidden figure is safe when there are
worlds that fit all that is published and in which it is so much more, or so much less, that no
guess is right to within one. Such worlds are looked for with linear programming (HiGHS): the truth,
with the figures near by moved against one another. A world that is found is a proof; where none is
found, more is hidden.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import ceil, floor
from typing import Final

import highspy
import numpy as np

from helpline.rules.disclosure import ENDLESS, ROOM, Key, Line

NEAR: Final = 2_000
"""So many hidden figures around one are moved; the others stay as they are. With more the solver is
stopped in the middle of the best worlds, where many figures at once are far from what they are."""
FEW: Final = 20
"""So many are tried with everything free before more is hidden: each takes seconds."""
_TINY: Final = 1e-4
Row = tuple[dict[Key, int], int, int, Line]
"""Hidden figures by factors, what their sum is at least and at most, and the line that says so."""


class Worlds:
    """All that is published of hidden figures, and what each was in the worlds found so far."""

    def __init__(
        self,
        counts: Mapping[Key, int],
        lines: Sequence[Line],
        said: Mapping[Key, tuple[int, int]],
    ) -> None:
        self.counts, self.lines, self.said = counts, lines, said
        self.least: dict[Key, float] = {}
        self.most: dict[Key, float] = {}
        self.rows: list[Row] = []
        self.rows_of: dict[Key, list[int]] = {}

    def given_away(
        self, hidden: Collection[Key], protected: Collection[Key]
    ) -> dict[Key, list[Line]]:
        """The figures for which no worlds far enough apart were found, and the lines that hold them
        where they are. What was a world stays one when more is hidden."""
        self._read(hidden)
        narrow = [key for key in protected if self.is_narrow(key)]
        for together in self._parts(narrow):
            self._move_many(together, [key for key in narrow if key in together])
        found = self._held(narrow, NEAR)
        return self._held(found, len(self.counts)) if len(found) <= FEW else found

    def _held(self, keys: Iterable[Key], size: int) -> dict[Key, list[Line]]:
        found: dict[Key, list[Line]] = {}
        for key in keys:
            lines = self._move(key, size) if self.is_narrow(key) else None
            if lines is not None:
                found[key] = lines
        return found

    def _read(self, hidden: Collection[Key]) -> None:
        self.rows = [row for line in self.lines for row in _rows(self.counts, line, hidden)]
        self.rows_of = defaultdict(list)
        for number, (row, *_) in enumerate(self.rows):
            for key in row:
                self.rows_of[key].append(number)

    def _parts(self, asked: Iterable[Key]) -> Iterator[dict[Key, None]]:
        """The hidden figures that hang together with those asked about."""
        seen: set[Key] = set()
        for key in asked:
            if key not in seen:
                near = self._near(key, len(self.counts))
                seen.update(near)
                yield near

    def _move_many(self, near: Mapping[Key, None], narrow: Sequence[Key]) -> None:
        """Ask for worlds in which as many as possible are more, or less, while each frees a good
        part of those that are left."""
        solver, chance = _Solver(self, list(near)), random.Random(1)  # noqa: S311  # the same each time
        signs, before = [1, -1], len(narrow) * 2
        while narrow and (signs or len(narrow) < 0.9 * before):
            before, sign = len(narrow), signs.pop(0) if signs else 0
            goal = {key: sign or chance.choice((1, 1, 1, -1)) for key in narrow}
            self._found(near, solver.best(goal, ROOM + 1)[0])
            narrow = [key for key in narrow if self.is_narrow(key)]

    def _move(self, key: Key, size: int) -> list[Line] | None:
        """The lines that hold one figure where it is; None where they do not."""
        near, told = self._near(key, size), []
        solver = _Solver(self, list(near))
        for sign in (1, -1):
            values, lines = solver.best({key: sign}, ROOM + 1)  # no end to it were no answer
            self._found(near, values)
            told += lines
            if not self.is_narrow(key):
                return None
        return told

    def is_narrow(self, key: Key) -> bool:
        true = self.counts[key]
        least, most = self.least.get(key, true), self.most.get(key, true)
        return floor(most + _TINY) - ceil(least - _TINY) < ROOM

    def _found(self, near: Iterable[Key], values: Sequence[float]) -> None:
        for key, value in zip(near, values, strict=True):
            true = self.counts[key]
            if value < self.least.get(key, true):
                self.least[key] = value
            elif value > self.most.get(key, true):
                self.most[key] = value

    def _near(self, key: Key, size: int) -> dict[Key, None]:
        """The nearest, by the shortest lines first."""
        found: dict[Key, None] = {key: None}
        waiting = deque([key])
        while waiting and len(found) < size:
            one = waiting.popleft()
            for number in sorted(self.rows_of[one], key=lambda number: len(self.rows[number][0])):
                for other in self.rows[number][0]:
                    if other not in found and len(found) < size:
                        found[other] = None
                        waiting.append(other)
        return found


def _rows(counts: Mapping[Key, int], line: Line, hidden: Collection[Key]) -> Iterable[Row]:
    total, parts = counts[line.total], [part for part in line.parts if part in hidden]
    is_hidden = line.total in hidden
    if not (parts or is_hidden):
        return
    everything = sum(counts[part] for part in line.parts)
    shown = everything - sum(counts[part] for part in parts)
    all_of_it = dict.fromkeys(parts, 1) | ({line.total: -1} if is_hidden else {})
    rest = (0 if is_hidden else total) - shown
    if not line.only_within and total == everything:
        yield all_of_it, rest, rest, line
        return
    if not line.only_within and total < everything:
        yield all_of_it, rest, ENDLESS, line
    if is_hidden:
        shown_parts = [counts[part] for part in line.parts if part not in hidden]
        most = max((one for one in shown_parts if one <= total), default=0)
        if most:
            yield {line.total: 1}, most, ENDLESS, line
    for part in parts:
        if counts[part] <= total:
            if is_hidden:
                yield {line.total: 1, part: -1}, 0, ENDLESS, line
            else:
                yield {part: 1}, -ENDLESS, total, line


def _open(bound: int) -> float:
    return highspy.kHighsInf * (1 if bound > 0 else -1) if abs(bound) >= ENDLESS else float(bound)


class _Solver:
    """The figures of one neighbourhood, free within what is known; all others as they truly are."""

    def __init__(self, worlds: Worlds, near: Sequence[Key]) -> None:
        at = {key: place for place, key in enumerate(near)}
        self.at, self.true = at, np.array([worlds.counts[key] for key in near], dtype=float)
        numbers = list(dict.fromkeys(number for key in near for number in worlds.rows_of[key]))
        starts, index, values, lows, highs = [0], [], [], [], []
        self.lines = []
        low_of = np.zeros(len(near))
        high_of = np.full(len(near), highspy.kHighsInf)
        for key, (least, most) in worlds.said.items():
            if key in at:
                low_of[at[key]], high_of[at[key]] = least, _open(most)
        for number in numbers:
            row, low, high, line = worlds.rows[number]
            rest, inside = 0, 0
            for key, factor in row.items():
                place = at.get(key)
                if place is None:
                    rest += factor * worlds.counts[key]
                else:
                    index.append(place)
                    values.append(factor)
                    inside += 1
            starts.append(len(index))
            lows.append(_open(low) - rest)
            highs.append(_open(high) - rest)
            self.lines.append(line)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(near), len(numbers)
        lp.col_cost_ = np.zeros(len(near))
        lp.col_lower_, lp.col_upper_ = low_of, high_of
        lp.row_lower_, lp.row_upper_ = np.array(lows, dtype=float), np.array(highs, dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        lp.a_matrix_.index_ = np.array(index, dtype=np.int32)
        lp.a_matrix_.value_ = np.array(values, dtype=float)
        self.low, self.high, self.size = low_of, high_of, len(near)
        self.everyone = np.arange(self.size, dtype=np.int32)
        self.solver = highspy.Highs()  # type: ignore[no-untyped-call]
        self.solver.setOptionValue("output_flag", False)
        self.solver.setOptionValue("threads", 1)
        if self.size > NEAR:
            self.solver.setOptionValue("solver", "ipm")
            self.solver.setOptionValue("run_crossover", "off")
        self.solver.passModel(lp)

    def best(self, goal: Mapping[Key, int], room: int = 0) -> tuple[Sequence[float], list[Line]]:
        """A world in which the goals are most, none further than `room` from what it is, and the
        lines that hold them back."""
        cost, low, high = np.zeros(self.size), self.low.copy(), self.high.copy()
        for key, factor in goal.items():
            place = self.at[key]
            cost[place] = -factor
            if room:
                low[place] = max(low[place], self.true[place] - room)
                high[place] = min(high[place], self.true[place] + room)
        self.solver.changeColsCost(self.size, self.everyone, cost)
        self.solver.changeColsBounds(self.size, self.everyone, low, high)
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return list(self.true), []
        solution = self.solver.getSolution()
        told = [
            line
            for line, dual in zip(self.lines, solution.row_dual, strict=True)
            if abs(dual) > _TINY
        ]
        return solution.col_value, told
