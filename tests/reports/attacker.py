"""Somebody who has every published figure of a year and solves for the rest.

They know what everybody can: which figures add up, that people are counted once wherever they
appear twice, how counts were rounded and from which number on they are shown. Of a hidden figure
they know that it is not below nought. Written apart from rules/disclosure.py, which it tests.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from math import ceil

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.reports.cells import Cell
from helpline.rules.periods import Period

ENDLESS = 10**9
Name = tuple[str, str, frozenset]
"""A figure: the label of its period, its measure and its cut."""


class Attacker:
    """`low` and `high`: what is known of each count. Sums are (total, parts, is it exact)."""

    def __init__(self, contract: Contract, releases: Sequence[tuple[Period, Sequence[Cell]]]):
        self.contract, self.rule = contract, contract.disclosure
        self.low: dict[Name, int] = {}
        self.high: dict[Name, int] = {}
        self.sums: list[tuple[Name, list[Name], bool]] = []
        self.most: list[tuple[Name, Name]] = []  # the first is no more than the second
        self.measures = {
            cell.measure: contract.measure(cell.measure) for _, cells in releases for cell in cells
        }
        for period, cells in releases:
            self._read(period.label, cells)
        self._add_up(releases)

    # --- What is known at once --------------------------------------------------------------------

    def _read(self, label: str, cells: Sequence[Cell]) -> None:
        for cell in cells:
            measure = self.measures[cell.measure]
            if measure.names_people and not measure.is_minutes:
                name = (label, cell.measure, frozenset(cell.by))
                self.low[name], self.high[name] = self._span(cell)
        for cell in cells:
            if self.measures[cell.measure].is_minutes:
                self._time(label, cell)

    def _span(self, cell: Cell) -> tuple[int, int]:
        if cell.value is None:
            return 0, ENDLESS
        value, base = int(cell.value), self.rule.round_to
        if value == 0:
            return 0, 0
        low, high = ceil(value - base / 2), ceil(value + base / 2) - 1
        low = max(low, self.rule.threshold)
        if cell.denominator_as_of and cell.percent is not None and cell.denominator:
            half = 0.55 if base > 1 else 0.05  # rounded twice
            low = max(low, ceil((cell.percent - half) / 100 * cell.denominator))
            high = min(high, int((cell.percent + half) / 100 * cell.denominator))
        return low, high

    def _time(self, label: str, cell: Cell) -> None:
        """No time and nothing hidden: nobody was answered. A time: some were."""
        if cell.hidden is not None:
            return
        met = (label, cell.measure.rpartition(".")[0] + ".met", frozenset(cell.by))
        if cell.value is None and met in self.high:
            self.high[met] = 0

    # --- What adds up -----------------------------------------------------------------------------

    def _add_up(self, releases: Sequence[tuple[Period, Sequence[Cell]]]) -> None:
        rows: dict[tuple, list[Name]] = defaultdict(list)
        for name in self.low:
            label, code, by = name
            for pair in by:
                rows[(label, code, by - {pair}), pair[0]].append(name)
        for (total, along), parts in rows.items():
            exact = along != "support" and self.measures[total[1]].takes != "people"
            self._sum(total, parts, exact)
        for label, code, by in list(self.low):
            for split in self.contract.splits:
                if split.total == code:
                    self._sum((label, code, by), [(label, part, by) for part in split.parts], True)
            for other in self.measures.values():
                if _is_no_more(other, self.measures[code]) and (label, other.code, by) in self.low:
                    self.most.append(((label, other.code, by), (label, code, by)))
        for whole, _ in releases:
            for length in (1, 3, 6):
                self._over_time(whole, length, [period for period, _ in releases])

    def _over_time(self, whole: Period, months: int, periods: Sequence[Period]) -> None:
        parts = [
            one
            for one in periods
            if one.days < whole.days
            and whole.start <= one.start
            and one.end <= whole.end
            and _months(one) == months
        ]
        if not parts:
            return
        covered = sum(one.days for one in parts) == whole.days
        for label, code, by in list(self.low):
            measure = self.measures[code]
            if label != whole.label or measure.counts == "open" or measure.basis != "period":
                continue
            names = [(one.label, code, by) for one in parts]
            if covered:
                self._sum((label, code, by), names, measure.takes != "people")
            self.most += [(name, (label, code, by)) for name in names if name in self.low]

    def _sum(self, total: Name, parts: list[Name], exact: bool) -> None:
        if total in self.low and all(part in self.low for part in parts):
            self.sums.append((total, parts, exact))

    # --- Solving ----------------------------------------------------------------------------------

    def solve(self) -> None:
        """Draw bounds from every sum until none says more."""
        relations: list[tuple[Name, list[Name], bool, bool]] = [
            *((total, parts, exact, True) for total, parts, exact in self.sums),
            *((more, [less], False, False) for less, more in self.most),
        ]
        of: dict[Name, list[int]] = defaultdict(list)
        for number, (total, parts, _, _) in enumerate(relations):
            for name in (total, *parts):
                of[name].append(number)
        waiting, is_waiting = deque(range(len(relations))), [True] * len(relations)
        while waiting:
            number = waiting.popleft()
            is_waiting[number] = False
            for name in self._draw(*relations[number]):
                for other in of[name]:
                    if not is_waiting[other]:
                        is_waiting[other] = True
                        waiting.append(other)

    def _draw(self, total: Name, parts: list[Name], exact: bool, covers: bool) -> Iterator[Name]:
        low, high = self.low, self.high
        least, most = sum(low[one] for one in parts), sum(high[one] for one in parts)
        floor = least if exact else max(low[one] for one in parts)
        yield from self._narrow(total, floor, most if covers else ENDLESS)
        for one in parts:
            top = high[total]
            if exact and top < ENDLESS:
                top -= least - low[one]
            bottom = low[total] - (most - high[one]) if covers else 0
            least, most = least - low[one], most - high[one]
            yield from self._narrow(one, bottom, top)
            least, most = least + low[one], most + high[one]

    def _narrow(self, name: Name, low: int, high: int) -> Iterator[Name]:
        changed = False
        if low > self.low[name]:
            self.low[name], changed = low, True
        if high < self.high[name]:
            self.high[name], changed = high, True
        if changed:
            yield name

    def learned(self, truth: dict[Name, int]) -> list[Name]:
        """The cells of 1 to 4 known exactly, and those of 1 to 7 known to within one."""
        return [
            name
            for name, n in truth.items()
            if name in self.low
            and 1 <= n <= 7
            and (
                self.high[name] - self.low[name] <= 2
                or (n <= 4 and self.high[name] == self.low[name])
            )
        ]


def truth_of(period: Period, cells: Sequence[Cell]) -> dict[Name, int]:
    """The exact counts, by the attacker's names."""
    return {
        (period.label, cell.measure, frozenset(cell.by)): int(cell.value or 0) for cell in cells
    }


def _is_no_more(less: Measure, more: Measure) -> bool:
    """People among contacts: the same things counted, each person once."""
    return (
        (less.counts, less.basis, dict(less.where)) == (more.counts, more.basis, dict(more.where))
        and less.takes == "people"
        and more.takes == "number"
    )


def _months(period: Period) -> int:
    return round(period.days / 30.4)
