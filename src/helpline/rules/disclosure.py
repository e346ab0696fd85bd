"""Which counts of a report must not be shown, so that no small group of people can be recognised.

Called by reports/protection.py with plain counts and the sums a reader could write between them,
over every release of a year. Pure: it knows no table, no council and no wording. Sources: D16 and
the domain facts on small numbers (1 to threshold - 1 hidden, 0 printed, complements hidden with
them, nothing learnt from one quarter to the next).

The reader it protects against is stronger than any real one: every shown figure is taken as known
exactly, whatever it is rounded to, and a hidden one only as not below nought, because the reason
that is published is one and the same for all. So rounding, percentages and denominators of shown
figures tell nothing that is not reckoned with here.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

SMALL: Final = "small"  # 1 to threshold - 1
SECONDARY: Final = "secondary"  # would give a hidden one away by taking it from a total
TABLE: Final = "table"  # nearly all of its table is hidden: the rest would only mislead
WITHHELD: Final = "withheld"  # the contract says that this is not given at all
EARLIER: Final = "earlier"  # hidden in a release that is out already

IMPLIED: Final = "implied"  # printed nowhere: what is left when one figure is taken from another

NEARLY_ALL: Final = 2 / 3  # of a table's counts above zero: above this it is shown coarser
ROOM: Final = 3
"""A reader is left with values at least this far apart; else a guess is right to within one."""
ENDLESS: Final = 1 << 40

Key = Hashable


@dataclass(frozen=True)
class Line:
    """A sum a reader can write down: the parts of a row, a column or a split, and their total.

    Where the numbers do not add up (a person may be in two areas) a reader still knows that the
    total is no less than any part and no more than all of them. `only_within`: that it is no less
    than any part, and nothing else.
    """

    total: Key
    parts: tuple[Key, ...]
    only_within: bool = False

    @cached_property
    def cells(self) -> tuple[Key, ...]:
        return (*self.parts, self.total)


class Proof(Protocol):
    """Finds out what all the sums give away together (reports/worlds.py)."""

    def __init__(
        self,
        counts: Mapping[Key, int],
        lines: Sequence[Line],
        said: Mapping[Key, tuple[int, int]],
    ) -> None: ...

    def given_away(
        self, hidden: Collection[Key], protected: Collection[Key]
    ) -> dict[Key, list[Line]]:
        """The protected cells of which it is not certain that a reader is left with values at least
        ROOM apart, and the lines that tell most of them. Asked again, more is hidden."""
        ...


def hidden_cells(
    counts: Mapping[Key, int],
    lines: Sequence[Line],
    tables: Iterable[Collection[Key]] = (),
    *,
    threshold: int,
    proof: type[Proof] | None,
    secondary: bool = True,
    withheld: Iterable[Key] = (),
    published: Mapping[Key, bool] | None = None,
    implied: Collection[Key] = (),
    said: Mapping[Key, tuple[int, int]] | None = None,
    to_come: Collection[Key] = (),
) -> dict[Key, str]:
    """The cells to hide and why: SMALL, SECONDARY, TABLE, WITHHELD, EARLIER or IMPLIED; a cell not
    in it is shown. None of the reasons but WITHHELD may be published: they would tell how large it
    is.

    `lines` link the cells. `tables` are the insides of published tables, hidden as a whole when
    nearly all of them would be. `published` are cells of earlier releases, True where hidden: what
    is out stays out, so only the others make room. `implied` are printed nowhere. `said`: of a
    cell that is hidden, what is told of it all the same: at least, at most. `to_come`: not
    published yet, and reckoned with as if they were. After this no hidden
    small count follows from the sums, and bounds drawn from them leave each at least ROOM wide.
    """
    out = published or {}
    small = {key for key, n in counts.items() if 1 <= n < threshold}
    hidden: dict[Key, str] = {key: EARLIER for key, is_hidden in out.items() if is_hidden}
    hidden |= dict.fromkeys(implied, IMPLIED)
    hidden |= {key: SMALL for key in small if key not in out and key not in hidden}
    hidden |= {key: WITHHELD for key in withheld if key not in out}
    if not secondary:
        return hidden
    protected = (small | {key for key, why in hidden.items() if why == WITHHELD}) & hidden.keys()
    protection = _Protection(
        counts, lines, tables, threshold, hidden, protected, out, said or {}, proof
    )
    protection.leave_what_is_out(out.keys() - set(to_come) | set(implied))
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
        protected: Collection[Key],
        published: Mapping[Key, bool],
        said: Mapping[Key, tuple[int, int]],
        proof: type[Proof] | None,
    ) -> None:
        self.proof = proof
        self.counts, self.threshold, self.hidden = counts, threshold, hidden
        self.all_lines = lines
        self.lines = [line for line in lines if self._holds(line)]
        self.tables = [tuple(table) for table in tables]
        self.protected, self.published, self.said = set(protected), published, said
        self.free = {key for key, why in hidden.items() if why == IMPLIED} - self.protected
        self.lines_of: dict[Key, list[Line]] = defaultdict(list)
        for line in self.lines:
            for key in line.cells:
                self.lines_of[key].append(line)
        self.waiting: deque[Line] = deque(self.lines)

    def run(self) -> None:
        """First whatever a single line, or bounds drawn from line after line, gives away: quick,
        and nearly all. Then what all of them give away together, until each is proved safe.
        Whoever hides more leaves more room, so what was found wide enough stays so."""
        self._widen_by_lines()
        if self.proof is None:
            return
        proof, more = self.proof(self.counts, self.all_lines, self.said), 1
        while given_away := proof.given_away(self.hidden, self.protected):
            more *= 2  # it takes long to find: more room each time
            before = len(self.hidden)
            for key in sorted(given_away, key=repr):
                for _ in range(more):
                    self._widen(key, given_away)
            self._settle()
            if len(self.hidden) == before:
                return  # all of it is hidden that is not out already

    def _widen_by_lines(self) -> None:
        self._settle()
        narrow, before = self.protected, -1
        while len(self.hidden) > before:
            before = len(self.hidden)
            bounds = Bounds(self.counts, self.lines, self.hidden, self.said)
            narrow = {key for key in narrow if bounds.width(key) < ROOM}
            for key in sorted(narrow, key=repr):
                self._widen(key, bounds.told_by)
            self._settle()

    def _settle(self) -> None:
        self._settle_lines()
        while self._hide_nearly_hidden_tables():
            self._settle_lines()

    def leave_what_is_out(self, out: Collection[Key]) -> None:
        """What earlier releases give away by themselves cannot be helped by hiding anything now."""
        if not self.published:
            return
        fixed = frozenset(out)
        lines = [line for line in self.lines if fixed.issuperset(line.cells)]
        hidden = [key for key, why in self.hidden.items() if why in (EARLIER, IMPLIED)]
        bounds = Bounds(self.counts, lines, hidden, self.said)
        self.protected -= {key for key in hidden if bounds.width(key) < ROOM}

    def _holds(self, line: Line) -> bool:
        """Numbers counted on different days may fit no rule; then there is no rule to use."""
        total, parts = self.counts[line.total], [self.counts[part] for part in line.parts]
        return total >= max(parts, default=0) and (line.only_within or total <= sum(parts))

    def _adds_up(self, line: Line) -> bool:
        counts = self.counts
        return not line.only_within and counts[line.total] == sum(
            counts[part] for part in line.parts
        )

    def _hide(self, key: Key, why: str) -> None:
        self.hidden[key] = why
        self.waiting.extend(self.lines_of[key])

    def _can_hide(self, key: Key) -> bool:
        return key not in self.hidden and key not in self.published

    def _settle_lines(self) -> None:
        while self.waiting:
            line = self.waiting.popleft()
            while self._gives_away(line):
                more = self._next_to_hide(line)
                if more is None:
                    break
                self._hide(more, SECONDARY)

    def _gives_away(self, line: Line) -> bool:
        """Whether the line alone shows a hidden cell: it is the only one, or together they are so
        few that each is nearly known."""
        if line.only_within:
            return False
        hidden = [part for part in line.parts if part in self.hidden]
        if line.total in self.hidden:
            return not hidden and line.total not in self.free
        if all(part in self.free for part in hidden):
            return False
        few = sum(self.counts[part] for part in hidden) < self.threshold
        return len(hidden) == 1 or (few and self._adds_up(line))

    def _next_to_hide(self, line: Line) -> Key | None:
        """The smallest part that may be hidden and is above zero. Where none is left, a nought
        beside many, whose total can stay; else the total."""
        shown = [part for part in line.parts if self._can_hide(part)]
        some = [part for part in shown if self.counts[part] > 0]
        if some:
            return min(some, key=lambda part: self.counts[part])
        many = sum(self.counts[part] for part in line.parts if part in self.hidden)
        if self._can_hide(line.total) and not (shown and many >= self.threshold):
            return line.total
        return shown[0] if shown else None

    def _hide_nearly_hidden_tables(self) -> bool:
        changed = False
        for table in self.tables:
            counted = [key for key in table if self.counts[key] > 0]
            gone = sum(key in self.hidden for key in counted)
            if gone <= NEARLY_ALL * len(counted):
                continue
            for key in table:
                if self._can_hide(key):
                    self._hide(key, TABLE)
                    changed = True
        return changed

    def _widen(self, key: Key, told: Mapping[Key, Sequence[Line]]) -> None:
        """Hide one more cell in the line that tells most of `key`; where nothing is left to hide
        there, in the lines that tell most of the cells beside it, and so on outwards."""
        asked, seen = deque([key]), {key}
        while asked:
            one = asked.popleft()
            lines = told.get(one) or self.lines_of[one]
            for line in lines:
                more = self._next_to_hide(line)
                if more is not None:
                    self._hide(more, SECONDARY)
                    return
            for line in lines:
                beside = [cell for cell in line.cells if cell in self.hidden and cell not in seen]
                seen.update(beside)
                asked.extend(beside)


class Bounds:
    """What a reader can say of every hidden cell: at least, at most.

    Drawn from line after line until no line says more. Shown cells are known as they are.
    """

    def __init__(
        self,
        counts: Mapping[Key, int],
        lines: Iterable[Line],
        hidden: Collection[Key],
        said: Mapping[Key, tuple[int, int]] | None = None,
    ) -> None:
        self.low: dict[Key, int] = dict.fromkeys(hidden, 0)
        self.high: dict[Key, int] = dict.fromkeys(hidden, ENDLESS)
        for key, (least, most) in (said or {}).items():
            if key in self.low:
                self.low[key], self.high[key] = least, most
        self.told_by: dict[Key, list[Line]] = defaultdict(list)
        """The lines that last raised what a cell is at least, and last lowered what it is at
        most."""
        self._lines_of: dict[Key, list[int]] = defaultdict(list)
        self._read: list[tuple[Line, list[Key], bool, int, bool]] = []
        unknown = self.low.keys()
        for line in lines:
            if unknown.isdisjoint(line.cells):
                continue
            parts = [part for part in line.parts if part in self.low]
            is_hidden = line.total in self.low
            values = [counts[part] for part in line.parts]
            adds = not line.only_within and counts[line.total] == sum(values)
            shown = [counts[part] for part in line.parts if part not in self.low]
            most = max(shown, default=0)
            known = sum(shown)
            for key in (*parts, line.total) if is_hidden else parts:
                self._lines_of[key].append(len(self._read))
            self._read.append((line, parts, adds, known, is_hidden))
            if is_hidden and not adds:
                self.low[line.total] = max(self.low[line.total], most)
        self._totals = {
            line.total: counts[line.total] for line, *_, is_hidden in self._read if not is_hidden
        }
        self._last: dict[tuple[Key, bool], Line] = {}
        self._draw()
        for (key, _), line in self._last.items():
            self.told_by[key].append(line)

    def width(self, key: Key) -> int:
        return self.high[key] - self.low[key]

    def _draw(self) -> None:
        waiting, is_waiting = deque(range(len(self._read))), [True] * len(self._read)
        while waiting:
            number = waiting.popleft()
            is_waiting[number] = False
            for key in self._told(number):
                for other in self._lines_of[key]:
                    if not is_waiting[other]:
                        is_waiting[other] = True
                        waiting.append(other)

    def _told(self, number: int) -> list[Key]:
        """Read one line; the cells of which it says more than was known."""
        line, parts, adds, known, is_hidden = self._read[number]
        low, high, changed = self.low, self.high, []
        least = known + sum([low[part] for part in parts])
        most = known + sum([high[part] for part in parts])
        if is_hidden:
            floor = least if adds else max([low[part] for part in parts], default=0)
            if self._at_least(line.total, floor, line):
                changed.append(line.total)
            if not line.only_within and self._at_most(line.total, most, line):
                changed.append(line.total)
            total_low, total_high = low[line.total], high[line.total]
        else:
            total_low = total_high = self._totals[line.total]
        for part in parts:
            was_low, was_high = low[part], high[part]
            ceiling = total_high - (least - was_low) if adds else total_high
            if total_high < ENDLESS and self._at_most(part, ceiling, line):
                changed.append(part)
            floor = total_low - (most - was_high)
            if floor > was_low and not line.only_within and self._at_least(part, floor, line):
                changed.append(part)
        return changed

    def _at_least(self, key: Key, value: int, line: Line) -> bool:
        if value <= self.low[key]:
            return False
        self.low[key] = value
        self._last[key, False] = line
        return True

    def _at_most(self, key: Key, value: int, line: Line) -> bool:
        if value >= self.high[key]:
            return False
        self.high[key] = value
        self._last[key, True] = line
        return True
