"""What a report is arranged into: promises, lines, tables and charts; and how a number is written.

Made by reports/view.py, read by every rendering. Plain values of what the report shows: nothing
here chooses what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
VERDICT_COLUMNS: Final = ("Met", "%", "Missed", "%", "Open")
TIMES: Final = {
    "median_minutes": "Median",
    "p90_minutes": "9 in 10 within",
    "slowest_minutes": "Slowest",
}
"""How long a promise took → the title of its column; a report may count some of them only."""
STATES: Final = {"good": "met", "near": "nearly", "bad": "not met", "": ""}
ALL: Final = "All, each counted once"


@dataclass(frozen=True)
class Promise:
    """One clock. `state`: nothing, kept, so_far, broken, few, many, hidden or unknown; see the
    template. `times`: which of TIMES the report counts. `at_least`: where few were late, of a
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


@dataclass(frozen=True)
class Bar:
    name: str
    cell: Cell
    y: int
    width: int


@dataclass(frozen=True)
class Chart:
    """Horizontal bars of one measure, in the units of its own view box."""

    measure: Measure
    bars: Sequence[Bar]
    height: int
    longest: Bar | None
    width: int = CHART_WIDTH
    labels: int = _LABELS
    thickness: int = _BAR


@dataclass(frozen=True)
class Total:
    """One figure of a line, with what it is a share of or whose it is, and what was expected of it.
    `state`: good, near, bad or nothing."""

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
    chart: Chart | None = None
    is_crossed: bool = False
    cut: str = ""
    of: str = ""  # for two dimensions, the measure
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

    @property
    def measures(self) -> list[Measure]:
        return [total.measure for total in self.totals]

    @property
    def has_share(self) -> bool:
        return any(total.share for total in self.totals)


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


def chart(measure: Measure, rows: Sequence[tuple[str, Cell]]) -> Chart:
    """Bars as long as their numbers; one that is not shown has none."""
    most = max((cell.value or 0 for _, cell in rows), default=0)
    room = CHART_WIDTH - _LABELS - 70  # the last for the number behind the bar
    bars = [
        Bar(name, cell, index * _STEP, round(room * (cell.value or 0) / most) if most else 0)
        for index, (name, cell) in enumerate(rows)
    ]
    longest = max(bars, key=lambda bar: bar.width) if most else None
    return Chart(measure, bars, len(rows) * _STEP, longest)
