"""Which counts of a report must not be shown, so that no small group of people can be recognised.

Called by reports/protection.py with plain counts and the sums a reader could write between them.
Pure: it knows no table, no council and no wording. Sources: D16 and the domain facts on small
numbers (1 to threshold - 1 hidden, 0 printed, complements hidden with them).

It protects one publication. It does not look at what was published before: taking three quarters
from a year is not prevented here, and neither is what a reader knows from elsewhere.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SMALL: Final = "small"  # 1 to threshold - 1
SECONDARY: Final = "secondary"  # would give a hidden one away by taking it from a total
TABLE: Final = "table"  # nearly all of its table is hidden: the rest would only mislead
WITHHELD: Final = "withheld"  # the contract says that this is not given at all

NEARLY_ALL: Final = 0.8  # of a table's counts above zero
_PRIME: Final = (1 << 61) - 1

Key = Hashable


@dataclass(frozen=True)
class Line:
    """A sum a reader can write down: the parts of a row, a column or a split, and their total."""

    total: Key
    parts: tuple[Key, ...]

    @property
    def cells(self) -> tuple[Key, ...]:
        return (*self.parts, self.total)


def hidden_cells(
    counts: Mapping[Key, int],
    lines: Sequence[Line],
    tables: Iterable[Collection[Key]] = (),
    *,
    threshold: int,
    secondary: bool = True,
    withheld: Iterable[Key] = (),
) -> dict[Key, str]:
    """The cells to hide and why: SMALL, SECONDARY, TABLE or WITHHELD; a cell not in it is shown.

    `lines` link the cells; where a line's parts do not add up to its total (a person may be in
    two areas) it still has to hide none or at least two. `tables` are the insides of published
    tables, hidden as a whole when nearly all of them would be. After this no hidden small count
    can be worked out by adding and subtracting what is shown, nor read off a line because only
    one value fits.
    """
    hidden: dict[Key, str] = {key: SMALL for key, n in counts.items() if 1 <= n < threshold}
    hidden |= dict.fromkeys(withheld, WITHHELD)
    if not secondary:
        return hidden
    protection = _Protection(counts, lines, tables, threshold, hidden)
    protection.run()
    return protection.hidden


class _Protection:
    """One run: hides more and more until nothing gives a protected cell away."""

    def __init__(
        self,
        counts: Mapping[Key, int],
        lines: Sequence[Line],
        tables: Iterable[Collection[Key]],
        threshold: int,
        hidden: dict[Key, str],
    ) -> None:
        self.counts, self.lines, self.threshold, self.hidden = counts, lines, threshold, hidden
        self.tables = [tuple(table) for table in tables]
        self.protected = frozenset(hidden)
        self.lines_of: dict[Key, list[Line]] = defaultdict(list)
        for line in lines:
            for key in line.cells:
                self.lines_of[key].append(line)
        self.waiting: deque[Line] = deque(lines)

    def run(self) -> None:
        while True:
            self._settle_lines()
            if self._hide_nearly_hidden_tables():
                continue
            given_away = self._worked_out() & self.protected
            if not given_away:
                return
            for key in sorted(given_away, key=repr):
                self._widen(key)

    def _hide(self, key: Key, why: str) -> None:
        self.hidden[key] = why
        self.waiting.extend(self.lines_of[key])

    def _settle_lines(self) -> None:
        while self.waiting:
            line = self.waiting.popleft()
            while self._gives_away(line):
                more = self._next_to_hide(line)
                if more is None:
                    self._blur(line)
                    break
                self._hide(more, SECONDARY)

    def _gives_away(self, line: Line) -> bool:
        """Whether the line shows a hidden cell: it is the only one, or only one value fits."""
        hidden = [key for key in line.cells if key in self.hidden]
        if len(hidden) < 2:
            return len(hidden) == 1
        return self._adds_up(line) and len(self._fitting(line)) == 1

    def _adds_up(self, line: Line) -> bool:
        return self.counts[line.total] == sum(self.counts[part] for part in line.parts)

    def _fitting(self, line: Line) -> list[int]:
        """The values a reader cannot rule out for a part said to be small; empty where none is.

        A reader knows the reasons given: SMALL is 1 to threshold - 1, SECONDARY 0 or at least
        the threshold, the others anything.
        """
        most = self.threshold - 1
        whys = [self.hidden.get(part) for part in line.parts]
        others = whys.count(SMALL) - 1
        if others < 0:
            return []
        shown = sum(
            self.counts[part] for part, why in zip(line.parts, whys, strict=True) if why is None
        )
        anything = TABLE in whys or WITHHELD in whys
        large = SECONDARY in whys

        def can_be(total: int, value: int) -> bool:
            rest = total - shown - value
            low, high = others, others * most
            if low <= rest <= high or (anything and rest >= low):
                return True
            return large and rest - low >= self.threshold

        why = self.hidden.get(line.total)
        if why is None:
            totals: Iterable[int] = (self.counts[line.total],)
        elif why == SMALL:
            totals = range(1, self.threshold)
        else:
            least = self.threshold if why == SECONDARY else 0
            reach = shown + (others + 1) * most + 2 * self.threshold
            totals = range(least, max(least, reach) + 1)
        totals = list(totals)
        return [v for v in range(1, most + 1) if any(can_be(total, v) for total in totals)]

    def _next_to_hide(self, line: Line) -> Key | None:
        """The smallest shown part above zero, else a zero, else the total."""
        shown = [part for part in line.parts if part not in self.hidden]
        some = [part for part in shown if self.counts[part] > 0]
        if some:
            return min(some, key=lambda part: self.counts[part])
        if shown:
            return shown[0]
        return line.total if line.total not in self.hidden else None

    def _blur(self, line: Line) -> None:
        """Nothing is left to hide, and the reason itself says too much: say it less exactly."""
        for key in line.cells:
            if self.hidden.get(key) in (SMALL, SECONDARY):
                self.hidden[key] = TABLE

    def _hide_nearly_hidden_tables(self) -> bool:
        changed = False
        for table in self.tables:
            counted = [key for key in table if self.counts[key] > 0]
            gone = sum(key in self.hidden for key in counted)
            if not counted or gone < NEARLY_ALL * len(counted):
                continue
            for key in table:
                if self.hidden.get(key) not in (TABLE, WITHHELD):
                    self._hide(key, TABLE)
                    changed = True
        return changed

    def _worked_out(self) -> set[Key]:
        """The hidden cells that follow from all the true sums taken together."""
        sums = (line for line in self.lines if self._adds_up(line))
        return determined(
            [{key: (-1 if key == line.total else 1) for key in line.cells} for line in sums],
            self.hidden.keys(),
        )

    def _widen(self, key: Key) -> None:
        """Hide one more cell beside `key`, or all of its tables where there is none."""
        shown = [
            part
            for line in self.lines_of[key]
            for part in line.parts
            if part not in self.hidden and self.counts[part] > 0
        ]
        if shown:
            self._hide(min(shown, key=lambda part: self.counts[part]), SECONDARY)
            return
        beside = [cell for table in self.tables if key in table for cell in table]
        beside = beside or [cell for line in self.lines_of[key] for cell in line.cells]
        left = [cell for cell in beside if cell not in self.hidden]
        for cell in left or [cell for cell in self.counts if cell not in self.hidden]:
            self._hide(cell, TABLE)


def determined(sums: Iterable[Mapping[Key, int]], unknown: Collection[Key]) -> set[Key]:
    """The unknown cells that have only one value, given sums that are known to be zero.

    Exact linear algebra (modulo a large prime, sparse), so a chain of tables gives nothing away
    that no single line does.
    """
    equations = [
        equation
        for full in sums
        if (equation := {key: factor for key, factor in full.items() if key in unknown})
    ]
    reduced: list[tuple[Key, dict[Key, int]]] = []
    using: dict[Key, set[int]] = defaultdict(set)
    for number, equation in enumerate(equations):
        for key in equation:
            using[key].add(number)
    for number in sorted(range(len(equations)), key=lambda n: len(equations[n])):
        equation = equations[number]  # short ones first: they spread least
        if not equation:
            continue
        pivot = min(equation, key=lambda key: len(using[key]))
        _eliminate(equations, using, number, pivot)
        reduced.append((pivot, equation))
    return {pivot for pivot, equation in reduced if len(equation) == 1}


def _eliminate(
    equations: list[dict[Key, int]], using: dict[Key, set[int]], number: int, pivot: Key
) -> None:
    """Take the equation off all others that use its pivot, the finished ones included."""
    equation = equations[number]
    inverse = pow(equation[pivot], -1, _PRIME)
    for other in using[pivot] - {number}:
        target = equations[other]
        factor = target[pivot] * inverse % _PRIME
        for key, value in equation.items():
            left = (target.get(key, 0) - factor * value) % _PRIME
            if left:
                target[key] = left
                using[key].add(other)
            else:
                target.pop(key, None)
                using[key].discard(other)
