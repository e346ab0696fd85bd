"""What a report is arranged into: promises, lines, tables and charts; and how a number is written.

Made by reports/view.py, read by every rendering. Plain values of what the report shows: nothing
here chooses what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from helpline.contract import Clock
from helpline.contract.measuring import Measure
from helpline.contract.parts import ReportLine
from helpline.reports.cells import Breach, Cell
from helpline.rules.disclosure import NEARLY_ALL

CHART_WIDTH: Final = 560
_LABELS: Final = 250  # of it for the names; the rest is for bars and their numbers
_BAR, _STEP = 18, 28
VERDICTS: Final = ("met", "missed", "open")
VERDICT_COLUMNS: Final = ("Kept", "%", "Late", "%", "Still in time")
TIMES: Final = {
    "median_minutes": "Median",
    "p90_minutes": "9 in 10 within",
    "slowest_minutes": "Slowest",
}
"""How long a promise took → the title of its column; a report may count some of them only."""
STATES: Final = {"good": "met", "near": "nearly", "bad": "not met", "": ""}
ALL: Final = "All, each counted once"
EVERYBODY: Final = "Everybody, others too"
"""The sum below the rows of some groups: it is not theirs alone."""
MOST_BARS, LARGEST = 12, 10
"""A chart of more rows than this shows the largest alone, of those that are not hidden: nobody
reads forty bars."""


@dataclass(frozen=True)
class Promise:
    """One clock. `state`: nothing, kept, so_far, broken, few, many, hidden or unknown; see the
    template. `times`: which of TIMES the report shows. `at_least`: where few were late, of a
    hundred cases how many were in time at the least, by what is shown."""

    clock: Clock
    state: str
    times: Sequence[str]
    total: Mapping[str, Cell]
    rows: Sequence[tuple[str, Mapping[str, Cell]]]
    late_in: Sequence[tuple[str, Cell]]
    breaches: Sequence[Breach]
    more_breaches: int
    at_least: int | None = None
    chart: Chart | None = None
    """Where they were late; or where nobody was, where they were in time."""

    @property
    def columns(self) -> list[str]:
        """Of its table, beside the areas' names."""
        return [*VERDICT_COLUMNS, *(TIMES[name] for name in self.times)]

    @property
    def is_partly_hidden(self) -> bool:
        """Whether some area's late ones are not shown."""
        return any(cells["missed"].hidden for _, cells in self.rows)

    @property
    def is_bare(self) -> bool:
        """Whether no area's number is shown: then its table would say nothing."""
        shown = [cells[name] for _, cells in self.rows for name in (*VERDICTS, *self.times)]
        return any(one.hidden for one in shown) and not any(one.value for one in shown)


@dataclass(frozen=True)
class Bar:
    name: str
    cell: Cell
    y: int
    width: int


@dataclass(frozen=True)
class Chart:
    """Horizontal bars of one measure, in the units of its own view box; `left_out`: how many rows
    of its table it leaves out, because there are more than anybody compares; `which`: what then is
    said of those that it has."""

    measure: Measure
    bars: Sequence[Bar]
    height: int
    longest: Bar | None
    left_out: int = 0
    which: str = ""
    width: int = CHART_WIDTH
    labels: int = _LABELS
    thickness: int = _BAR

    @property
    def title(self) -> str:
        """What it shows: of a long table only the largest of what is shown."""
        return f"{self.measure.name}, {self.which}" if self.which else self.measure.name


@dataclass(frozen=True)
class Total:
    """One figure of a line, with what it is a share of or whose it is, and what was expected of it.
    `name`: what it says; `state`: good, near, bad or nothing."""

    name: str
    measure: Measure
    cell: Cell
    share: str
    state: str
    expected: str


@dataclass(frozen=True)
class Table:
    """One way in which a line's figures are cut: `columns` are measures, or for two dimensions the
    codes of the second; `total` is the row of all, empty where there is none. `measures` are those
    it shows, and `region` what it is called among all tables of the report."""

    key: str
    caption: str
    first: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    total: Sequence[Cell]
    total_name: str = ALL
    chart: Chart | None = None
    is_crossed: bool = False
    cut: str = ""
    of: str = ""  # the measure, or the promise; nothing where it is all of a line's
    measures: Sequence[Measure] = ()
    by: Sequence[str] = ()
    region: str = ""

    @property
    def is_bare(self) -> bool:
        """Whether nearly every number inside is hidden, and none but noughts is left. What stands
        in the last column of two dimensions is shown by the first of them alone."""
        last = -1 if self.is_crossed else None
        inside = [cell for _, cells in self.rows for cell in cells[:last]]
        hidden = sum(cell.hidden is not None for cell in inside)
        is_anything_said = any(not cell.hidden and (cell.value or cell.words) for cell in inside)
        return hidden > NEARLY_ALL * len(inside) and not is_anything_said


@dataclass(frozen=True)
class Line:
    """One line of the report: what it asks, its figures, and what is to be written there."""

    line: ReportLine
    totals: Sequence[Total]
    tables: Sequence[Table]
    coarser: str = ""
    """What is shown for all together only, because nearly every number of it would be hidden."""
    instead: Table | None = None
    """In its place: the figures for all together, over these days and over longer ones."""
    said: Sequence[str] = ()
    """What was written of it, a paragraph each: the line's own, then of each figure that moved."""
    elsewhere: str = ""
    """Where else in the report stands what is asked here, and who is counted in what is here."""
    against: Sequence[str] = ()
    """The outcomes of the council's plan that it is written against."""

    @property
    def measures(self) -> list[Measure]:
        return list({total.measure.code: total.measure for total in self.totals}.values())

    @property
    def notes(self) -> list[str]:
        """What is said of the figures: who is counted, what stands elsewhere, what is not shown."""
        against = "; ".join(one.rstrip(".") for one in self.against)
        against = f"Reported against: {against}." if against else ""
        expected = f"Expected of each: {self.expected}." if self.expected else ""
        return [said for said in (against, self.elsewhere, self.coarser, expected) if said]

    @property
    def is_unwritten(self) -> bool:
        """Whether it is there for words alone, and has none."""
        return not (self.line.measures or self.said)

    @property
    def has_share(self) -> bool:
        return any(total.share for total in self.totals)

    @property
    def has_expected(self) -> bool:
        """Whether its figures need a column for what was expected of them."""
        return not self.expected and any(total.expected for total in self.totals)

    @property
    def expected(self) -> str:
        """What is said of every one of them alike ("not agreed yet"): once is enough."""
        said = {total.expected for total in self.totals}
        is_judged = any(total.state for total in self.totals)
        return said.pop() if len(said) == 1 and len(self.totals) > 1 and not is_judged else ""


def number(value: float) -> str:
    """With commas, and one decimal where there is one."""
    return f"{value:,.1f}".removesuffix(".0")


def span(minutes: float) -> str:
    """Minutes in words: "under 1 min", "43 min", "31 h 5 min"."""
    whole = int(minutes)
    hours, left = divmod(whole, 60)
    if not hours:
        return f"{left} min" if left else "under 1 min" if minutes else "0 min"
    return f"{hours} h {left} min" if left else f"{hours} h"


def worded(measure: Measure, value: float) -> str:
    """A figure in the unit of its measure: "1,204", "96.5%", "43 min", "£1,200.50"."""
    if measure.is_minutes or measure.unit == "minutes":
        return span(value)
    if measure.unit == "pounds":
        return f"£{value:,.2f}".removesuffix(".00")
    return f"{number(value)}%" if measure.unit == "percent" else number(value)


def day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def share(cell: Cell) -> str:
    return "" if cell.percent is None else f"{number(cell.percent)}%"


def share_words(cell: Cell) -> str:
    """What a share is of and who supplied a figure, or why there is no share."""
    as_of = day(cell.denominator_as_of) if cell.denominator_as_of else ""
    source = ", ".join(part for part in (cell.source, as_of) if part) if cell.source else ""
    if cell.percent is None:
        return source or cell.note or ""
    said = f"{share(cell)} of {number(cell.denominator or 0)}{f' ({as_of})' if as_of else ''}"
    return f"{said}; {source}" if source else said


def chart(measure: Measure, rows: Sequence[tuple[str, Cell]]) -> Chart | None:
    """Bars as long as their numbers; one that is not shown has none, and of many rows only the
    largest have one. None where there are not two bars to compare."""
    every, which = rows, ""
    if len(every) > MOST_BARS:
        shown = [row for row in rows if row[1].value]
        rows = sorted(shown, key=lambda row: -(row[1].value or 0))[:LARGEST]
        which = _which(every, len(rows))
    if sum(bool(cell.value) for _, cell in rows) < 2:
        return None
    most = max((cell.value or 0 for _, cell in rows), default=0)
    room = CHART_WIDTH - _LABELS - 70  # the last for the number behind the bar
    bars = [
        Bar(name, cell, index * _STEP, round(room * (cell.value or 0) / most) if most else 0)
        for index, (name, cell) in enumerate(rows)
    ]
    longest = max(bars, key=lambda bar: bar.width) if most else None
    return Chart(measure, bars, len(rows) * _STEP, longest, len(every) - len(rows), which)


def _which(rows: Sequence[tuple[str, Cell]], drawn: int) -> str:
    """What the bars of so many of these rows are: a hidden number may be larger than any."""
    hidden = sum(cell.hidden is not None for _, cell in rows)
    if not hidden:
        return f"the {drawn} largest"
    if drawn + hidden < len(rows):
        return f"the {drawn} largest of those shown"
    return "those that are shown"
