"""A report arranged for reading: the promises first, then each line of the contract.

Handed to templates/reports/_report.html.j2 by the file and by the console. It chooses and orders
cells (reports/view_promises.py, reports/view_lines.py) and formats numbers; every sentence is in
the template or in the contract. It sees only what the report shows, so it gives nothing away.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from helpline.contract.measuring import SO_FAR, Measure
from helpline.reports import codes, view_parts, view_promises
from helpline.reports.cells import Cell
from helpline.reports.view_lines import Lines
from helpline.reports.view_parts import (
    ALL,
    STATES,
    VERDICTS,
    Bar,
    Chart,
    Line,
    Promise,
    Table,
    Total,
    number,
    span,
    worded,
)

if TYPE_CHECKING:
    from helpline.reports.report import Report

MOST_NAMES: Final = 4
"""Of figures that nothing is said of but one question: so many are named behind it."""
THE_YEAR_SO_FAR: Final = (
    "The year so far",
    "Counted again from the first day of the contract's year to the period's last, and not added"
    " up from the periods before.",
)

__all__ = [
    "ALL",
    "STATES",
    "VERDICTS",
    "Bar",
    "Chart",
    "Line",
    "Promise",
    "Table",
    "Total",
    "View",
    "number",
    "span",
    "worded",
]


class View:
    """What the template asks of a report."""

    state_words = STATES

    def __init__(self, report: Report) -> None:
        self.report, self.contract = report, report.contract
        self._names = codes.names(report.contract)

    # --- the head ------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return self.report.asked.title

    @property
    def period(self) -> str:
        return self.report.period.words

    @property
    def opens(self) -> str:
        """The sentence that the contract wants it to begin with, or nothing."""
        return self.report.asked.opens

    @property
    def recipients(self) -> list[str]:
        named = {one.code: one.name for one in self.contract.commissioners}
        return [named[code] for code in self.report.asked.recipients]

    @property
    def generated(self) -> str:
        local = self.report.generated_at.astimezone(ZoneInfo(self.contract.zone))
        return f"{self.day(local.date())}, {local:%H:%M}"

    @property
    def most_hidden(self) -> int:
        """The largest count that is hidden for being small."""
        return view_promises.most_hidden(self.report)

    # --- the sections --------------------------------------------------------------------------

    @cached_property
    def promises(self) -> list[Promise]:
        """The promises that this report counts."""
        return view_promises.promises(self.report)

    @cached_property
    def lines(self) -> list[Line]:
        """Every line of the contract's report."""
        return Lines(self.report, view_promises.said_by_area(self.promises)).all()

    @property
    def restates(self) -> str:
        """What a later number of a report puts right; empty of the first."""
        report = self.report
        if report.number < 2:
            return ""
        return f"Number {report.number}. It puts right number {report.number - 1}: {report.why}"

    @cached_property
    def definitions(self) -> dict[str, str]:
        """What each measure of the report counts, in its own words."""
        return {one.code: one.means or one.question for one in self._measures}

    @property
    def _measures(self) -> list[Measure]:
        listed = dict.fromkeys(cell.measure for cell in self.report.cells)
        return [self.contract.measure(code) for code in listed]

    @property
    def meanings(self) -> list[tuple[str, str]]:
        """The same for people who read: those of one promise together, and last the figures of
        which nothing is known but the question that they answer."""
        promises = {one.code: one.name for one in self.contract.reported_clocks}
        found: dict[str, list[str]] = {}
        asked: dict[str, list[str]] = {}
        for measure in self._measures:
            if measure.code.endswith(SO_FAR):
                continue  # one sentence for them all
            promise = promises.get(measure.code.split(".")[0])
            if not measure.means:
                asked.setdefault(measure.question, []).append(measure.name)
            elif promise and measure.means.startswith(f"{promise}: "):
                name = measure.name.removeprefix(f"{promise}: ").capitalize()
                text = measure.means.removeprefix(f"{promise}: ")
                found.setdefault(promise, []).append(f"{name}: {text}")
            else:
                found.setdefault(measure.name, []).append(measure.means)
        alike: dict[str, list[str]] = {}
        for name, texts in found.items():
            alike.setdefault(" ".join(texts), []).append(name)
        told = [("; ".join(names), text) for text, names in alike.items()]
        if any(measure.code.endswith(SO_FAR) for measure in self._measures):
            told.append(THE_YEAR_SO_FAR)
        return told + [(f"“{question}”", _some(names)) for question, names in asked.items()]

    # --- what a page adds, and a file never has --------------------------------------------------

    def link(self, cell: Cell) -> str:
        """Where a figure opens onto what it counts; empty where it does not."""
        return ""

    def notes(self, table: Table) -> Sequence[str]:
        """What is said below a table besides."""
        return ()

    # --- how a figure is written ---------------------------------------------------------------

    def number(self, value: float) -> str:
        return number(value)

    def share(self, cell: Cell) -> str:
        return view_parts.share(cell)

    def shown(self, cell: Cell) -> str:
        """A cell in a few letters: the contract's sign where it is hidden, a dash where there is
        nothing to measure."""
        if cell.words:
            return cell.words
        if cell.hidden:
            return self.contract.disclosure.symbol
        if cell.value is None:
            return "–"
        return worded(self.contract.measure(cell.measure), cell.value)

    def share_in_table(self, cell: Cell) -> str:
        """A share in a few letters, for a cell of a table: "25%", "25% of 312"."""
        if cell.percent is None:
            return ""
        whole = f" of {self.number(cell.denominator or 0)}" if cell.denominator_as_of else ""
        return f"{self.share(cell)}{whole}"

    def day(self, day: date) -> str:
        return view_parts.day(day)

    def span(self, minutes: float) -> str:
        return span(minutes)

    def quadrant(self, code: str) -> str:
        return self._names["quadrant"][code]


def _some(names: Sequence[str]) -> str:
    """The names, or where there are many the first of them and how many more."""
    if len(names) <= MOST_NAMES + 1:
        return "; ".join(names)
    return f"{'; '.join(names[:MOST_NAMES])}; and {len(names) - MOST_NAMES} more"
