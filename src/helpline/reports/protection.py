"""A report's cells with the contract's disclosure rule applied: what leaves the provider (D16).

Called by reports/figures.py unless exact figures were asked for. Which cells are hidden is decided
in rules/disclosure.py; here it is told which cells add up to which, in the report and with the
releases of the same year that are out already, and the percentages, times and denominators that
would give a hidden cell away are taken out with it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from helpline.contract import Contract
from helpline.contract.measuring import POPULATION, Measure, Split
from helpline.reports import codes
from helpline.reports.cells import By, Cell, Key
from helpline.reports.sums import Book, Layout
from helpline.reports.worlds import Worlds
from helpline.rules.disclosure import ENDLESS, IMPLIED, WITHHELD, hidden_cells
from helpline.rules.periods import KIND_OF, MONTHS, Period

TOO_FEW: Final = "too few for a percentage"
FEW: Final = "fewer than {}"
MANY: Final = "{} or more"
"""All that is said of how many were late where the number is hidden."""
SO_FAR: Final = "week"
"""The kind of a period that still runs (reports/weeks.py). Of it nothing is said of hidden numbers:
so little may come after it that even that would be too much."""
HIDDEN: Final = "hidden"
"""The one reason that is published, whether a count is small or would give a small one away: to
tell which would tell how large it is."""


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
    to_come: Sequence[Earlier] = (),
    *,
    proved: bool = True,
) -> tuple[Cell, ...]:
    """The same cells in the same order; a hidden one says so and carries no figure.

    `earlier` are the releases of the contract that share days with this period, of whichever
    report, in the order in which they went out: nobody can take one from the other and be left with
    a small number. A figure that is out already and has moved by fewer than the threshold since is
    shown as it is out, so that a correction names nobody. `to_come` are reckoned with as if they
    were out. `proved`: that nobody who solves for the rest learns a small number, which takes
    seconds to minutes; without it, only for whoever may see everything and looks at a draft.
    """
    by_key = {cell.key: cell for cell in cells}
    return _Protecting(
        contract, period, by_key, tuple(earlier), tuple(to_come), proved=proved
    ).done()


def is_late(measure: Measure) -> bool:
    """Whether a measure counts promises that were not kept. Of their total the first page says even
    where the number is hidden whether it is fewer than the contract's threshold; whoever tries to
    work out the rest is reckoned to know that."""
    return measure.counts == "promises" and tuple(measure.where.get("verdict", ())) == ("missed",)


def share(part: int, whole: int) -> float | None:
    """In percent to one decimal, halves up; None of nothing."""
    return (2000 * part + whole) // (2 * whole) / 10 if whole else None


def rounded(number: float, base: int) -> int:
    """To the nearest multiple of `base`, halves up."""
    return int(number + base / 2) // base * base


@dataclass
class _Protecting:
    """One report on its way out."""

    contract: Contract
    period: Period
    cells: Mapping[Key, Cell]
    earlier: tuple[Earlier, ...] = ()
    to_come: tuple[Earlier, ...] = ()
    proved: bool = True
    expected: frozenset[int] = frozenset()
    said: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def done(self) -> tuple[Cell, ...]:
        return tuple(self._protected(cell) for cell in self.cells.values())

    @cached_property
    def layout(self) -> Layout:
        return self._layout(tuple(self.cells))

    @property
    def measures(self) -> dict[str, Measure]:
        return self.layout.measures

    @cached_property
    def _layouts(self) -> dict[tuple[Key, ...], Layout]:
        return {}

    def _layout(self, keys: tuple[Key, ...]) -> Layout:
        if keys not in self._layouts:
            self._layouts[keys] = Layout(self.contract, codes.printed(self.contract), keys)
        return self._layouts[keys]

    @cached_property
    def book(self) -> tuple[Book, list[int]]:
        """Every number of every release, and those of this one by their places."""
        book = Book(self.contract.disclosure.threshold)
        said: dict[int, tuple[int, int]] = {}
        out: frozenset[int] = frozenset()
        for place, one in enumerate((*self.earlier, *self.to_come)):
            if place == len(self.earlier):
                out = frozenset(book.out)
            exact = {cell.key: cell for cell in one.exact}
            published = {cell.key: cell for cell in one.published}
            layout = self._layout(tuple(exact))
            numbers = book.take(layout, one.period, exact, published)
            said |= self._said(one.period, layout, numbers, book)
        self.expected = frozenset(book.out) - out if self.to_come else frozenset()
        own = book.take(self.layout, self.period, self.cells)
        self.said = said | self._said(self.period, self.layout, own, book)
        book.link_over_time()
        return book, own

    def _said(
        self, period: Period, layout: Layout, numbers: Sequence[int], book: Book
    ) -> dict[int, tuple[int, int]]:
        """What is told of how many were late where the number is not."""
        few = self.contract.disclosure.threshold
        if period.kind == SO_FAR:
            return {}
        return {
            numbers[place]: (0, few - 1) if book.counts[numbers[place]] < few else (few, ENDLESS)
            for place, (code, by) in enumerate(layout.keys[: layout.printed_keys])
            if not by and is_late(layout.counted[code])
        }

    @cached_property
    def hidden(self) -> dict[Key, str]:
        """Which of the cells are hidden, and the reason that is published."""
        rule, layout = self.contract.disclosure, self.layout
        book, own = self.book
        found = hidden_cells(
            dict(enumerate(book.counts)),
            book.lines,
            [[own[place] for place in table] for table in layout.tables],
            threshold=rule.threshold,
            proof=Worlds if self.proved else None,
            secondary=rule.secondary,
            withheld=[own[place] for place in self._withheld()],
            published=dict[Hashable, bool](book.out.items()),
            implied=book.implied,
            said=dict[Hashable, tuple[int, int]](self.said.items()),
            to_come=self.expected,
        )
        return {
            key: WITHHELD if found[own[place]] == WITHHELD else HIDDEN
            for place, key in enumerate(layout.keys)
            if own[place] in found and found[own[place]] != IMPLIED
        }

    def _withheld(self) -> Iterator[int]:
        """Numbers of allegations that the contract lets go out neither for so short a period nor
        cut so: they are few, and named by every crossing."""
        rule = self.contract.disclosure.allegations
        reasons = {reason.code for reason in self.contract.reasons if reason.allegation}
        is_long = MONTHS.get(self.period.kind, 0) >= MONTHS[KIND_OF[rule.every]]
        for place, (code, by) in enumerate(self.layout.keys[: self.layout.printed_keys]):
            counts, cut = self.layout.counted[code].counts, dict(by)
            if not self.cells[code, by].value:
                continue
            if counts == "allegations" or cut.get("reason") in reasons:
                is_crossed = len(by) > 1 and not rule.crossed
                if not is_long or is_crossed or not cut.keys().isdisjoint(rule.never_by):
                    yield place

    # --- one cell ---------------------------------------------------------------------------------

    def _count(self, key: Key) -> int:
        """A count as it stands: as published before where it has hardly moved since."""
        book, own = self.book
        return book.counts[own[self.layout.at[key]]]

    def _protected(self, cell: Cell) -> Cell:
        measure = self.measures[cell.measure]
        if not measure.names_people:
            return cell
        if cell.value is None and not measure.is_minutes:
            return cell  # of a time before us, and nobody gave it to us
        if measure.is_minutes:
            return self._time(cell, measure)
        cell = replace(cell, value=self._count(cell.key))
        if POPULATION in measure.of:
            cell = self._of_population(cell)
        elif cell.denominator is not None:
            cell = self._of_measures(cell, measure)
        why = self.hidden.get(cell.key)
        if why:
            return replace(cell, value=None, percent=None, hidden=why, note=self._said_of(cell))
        return replace(cell, value=rounded(cell.value or 0, self.contract.disclosure.round_to))

    def _said_of(self, cell: Cell) -> str | None:
        if cell.by or self.period.kind == SO_FAR or not is_late(self.measures[cell.measure]):
            return cell.note
        few = self.contract.disclosure.threshold
        return (FEW if self._count(cell.key) < few else MANY).format(few)

    def _of_population(self, cell: Cell) -> Cell:
        """A population is public and stays as it is."""
        if cell.denominator is None:
            return cell
        part = int(cell.value or 0)
        if not self._is_many(part, cell.denominator):
            return replace(cell, percent=None, note=TOO_FEW)
        return replace(cell, percent=self._blunt(share(part, cell.denominator)))

    def _of_measures(self, cell: Cell, measure: Measure) -> Cell:
        """What the share is of, less one end of it, is the other: none is said where one is
        hidden."""
        beside = [(of, cell.by) for of in measure.of]
        if any(key in self.hidden for key in (*beside, cell.key)):
            return replace(cell, denominator=None, percent=None)
        printed = all(key in self.layout.at for key in beside)
        whole = sum(map(self._count, beside)) if printed else cell.denominator or 0
        part, shown = int(cell.value or 0), rounded(whole, self.contract.disclosure.round_to)
        if not self._is_many(part, whole):
            return replace(cell, denominator=shown if printed else None, percent=None, note=TOO_FEW)
        return replace(cell, denominator=shown, percent=self._blunt(share(part, whole)))

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
        if (before := self._published.get(cell.key)) and self._stands(splits, cell.by):
            return before
        needed = max(rule.threshold, rule.percent_needs_denominator if is_long else 0)
        few = 0 < answered < needed
        if few or wholes or (ends and (is_long or not answered)):
            return replace(cell, value=None, hidden=HIDDEN)
        return cell

    @cached_property
    def _published(self) -> dict[Key, Cell]:
        """What is out of this very period."""
        same = [one for one in self.earlier if one.period.label == self.period.label]
        return {cell.key: cell for one in same for cell in one.published}

    def _stands(self, splits: Sequence[Split], by: By) -> bool:
        """Whether all counts behind a time were published before and have hardly moved."""
        book, own = self.book
        keys = [(part, by) for split in splits for part in split.parts]
        places = [self.layout.at[key] for key in keys if key in self.layout.at]
        return all(own[place] in book.out for place in places)
