"""A report arranged for reading: the promises first, then each line of the contract.

Handed to templates/reports/_report.html.j2 by the file and by the console. It chooses and orders
cells and formats numbers; every sentence is in the template or in the contract. It sees only what
the report shows, so it cannot give a hidden number away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from helpline.contract import Clock
from helpline.contract.measuring import Measure
from helpline.contract.parts import ReportLine
from helpline.reports import codes
from helpline.reports.cells import Breach, Cell, ordered
from helpline.rules import targets

if TYPE_CHECKING:
    from helpline.reports.report import Report

CHART_WIDTH: Final = 560
_LABELS: Final = 250  # of it for the names; the rest is for bars and their numbers
_BAR, _STEP = 18, 28
MOST_BREACHES: Final = 50
PROMISE_COLUMNS: Final = (
    *("Met", "%", "Missed", "%", "Open", "Median", "9 in 10 within", "Slowest"),
)
VERDICTS: Final = ("met", "missed", "open")
TIMES: Final = ("median_minutes", "p90_minutes", "slowest_minutes")


@dataclass(frozen=True)
class Promise:
    """One clock. `state`: nothing, kept, so_far, broken or hidden; see the template."""

    clock: Clock
    state: str
    total: Mapping[str, Cell]
    rows: Sequence[tuple[str, Mapping[str, Cell]]]
    late_in: Sequence[tuple[str, Cell]]
    breaches: Sequence[Breach]
    more_breaches: int

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
    """One figure of a line, with what was expected of it. `state`: good, near, bad or nothing."""

    measure: Measure
    cell: Cell
    state: str
    expected: str


@dataclass(frozen=True)
class Table:
    """One way in which a line's figures are cut: `columns` are measures, or for two dimensions the
    codes of the second; `total` is the row of all, where there is one."""

    key: str
    caption: str
    first: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    total: Sequence[Cell]
    chart: Chart | None = None
    is_crossed: bool = False


@dataclass(frozen=True)
class Line:
    """One line of the report: what it asks, its figures, and what is to be written there."""

    line: ReportLine
    totals: Sequence[Total]
    tables: Sequence[Table]

    @property
    def measures(self) -> list[Measure]:
        return [total.measure for total in self.totals]


class View:
    """What the template asks of a report."""

    promise_columns = PROMISE_COLUMNS

    def __init__(self, report: Report) -> None:
        self.report, self.contract = report, report.contract
        self._names = codes.names(report.contract)

    # --- the head ------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return self.report.asked.title

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
        return self.contract.disclosure.threshold - 1

    # --- the sections --------------------------------------------------------------------------

    @cached_property
    def promises(self) -> list[Promise]:
        """The promises that this report counts."""
        counted = {cell.measure for cell in self.report.cells}
        return [
            self._promise(clock)
            for clock in self.contract.reported_clocks
            if f"{clock.code}.met" in counted
        ]

    @cached_property
    def lines(self) -> list[Line]:
        """Every line but those whose figures are all in the answers above."""
        return [self._line(line) for line in self.report.asked.lines]

    @cached_property
    def definitions(self) -> dict[str, str]:
        """What each measure of the report counts, in its own words."""
        listed = dict.fromkeys(cell.measure for cell in self.report.cells)
        known = (self.contract.measure(code) for code in listed)
        return {one.code: one.means or one.question for one in known}

    # --- how a figure is written ---------------------------------------------------------------

    def number(self, value: float) -> str:
        return f"{value:,.1f}".removesuffix(".0")

    def share(self, cell: Cell) -> str:
        return "" if cell.percent is None else f"{self.number(cell.percent)}%"

    def shown(self, cell: Cell) -> str:
        """A cell in a few letters: the contract's sign where it is hidden, a dash where there is
        nothing to measure."""
        if cell.words:
            return cell.words
        if cell.hidden:
            return self.contract.disclosure.symbol
        if cell.value is None:
            return "–"
        is_minutes = self.contract.measure(cell.measure).is_minutes
        return self.span(cell.value) if is_minutes else self.number(cell.value)

    def day(self, day: date) -> str:
        return f"{day.day} {day:%B %Y}"

    def span(self, minutes: float) -> str:
        """Minutes in words: "under 1 min", "43 min", "31 h 5 min"."""
        whole = int(minutes)
        hours, left = divmod(whole, 60)
        if not hours:
            return f"{left} min" if left else "under 1 min" if minutes else "0 min"
        return f"{hours} h {left} min" if left else f"{hours} h"

    def quadrant(self, code: str) -> str:
        return self._names["quadrant"][code]

    # --- made once -----------------------------------------------------------------------------

    def _promise(self, clock: Clock) -> Promise:
        total = self._kept(clock)
        rows = [
            (self._names["quadrant"][code], self._kept(clock, quadrant=code))
            for code in self._names["quadrant"]
        ]
        late = [(name, cells["missed"]) for name, cells in rows]
        late = [(name, cell) for name, cell in late if cell.value]
        late.sort(key=lambda pair: -(pair[1].value or 0))
        breaches = [breach for breach in self.report.breaches if breach.clock == clock.code]
        more = max(0, len(breaches) - MOST_BREACHES)
        state = _state(total)
        return Promise(clock, state, total, rows, late, breaches[:MOST_BREACHES], more)

    def _kept(self, clock: Clock, **by: str) -> dict[str, Cell]:
        """The figures of a promise, and of the cases it was made to, where they are counted."""
        wanted = {name: f"{clock.code}.{name}" for name in (*VERDICTS, *TIMES)}
        return {
            name: self.report.find(code, **by) or Cell(code, (), None)
            for name, code in {**wanted, "cases": "cases"}.items()
        }

    def _line(self, line: ReportLine) -> Line:
        measures = [
            self.contract.measure(code)
            for code in line.measures
            if self.report.find(code) is not None
        ]
        totals = [self._total(one) for one in measures]
        tables = [table for cut in line.by if cut for table in self._tables(line, cut, measures)]
        return Line(line, totals, tables)

    def _total(self, measure: Measure) -> Total:
        cell = self.report.cell(measure.code)
        return Total(
            measure,
            cell,
            targets.state(measure.target, cell.value, cell.percent, cell.words),
            targets.expected(measure.target, measure.unit),
        )

    def _tables(
        self, line: ReportLine, cut: Sequence[str], measures: Sequence[Measure]
    ) -> Iterator[Table]:
        wanted = ordered(cut)
        able = [one for one in measures if wanted in {ordered(each) for each in one.cuts}]
        if len(cut) == 1 and able:
            yield self._one_way(line, cut[0], able)
        elif len(cut) == 2:
            for measure in able:
                yield self._two_ways(line, cut[0], cut[1], measure)

    def _one_way(self, line: ReportLine, name: str, measures: Sequence[Measure]) -> Table:
        rows = [
            (words, [self.report.cell(one.code, **{name: code}) for one in measures])
            for code, words in self._names[name].items()
            if self._is_asked(line, name, code)
        ]
        counted = next((n for n, one in enumerate(measures) if not one.is_minutes), None)
        chart = None
        if counted is not None:
            bars = [(words, cells[counted]) for words, cells in rows]
            chart = _chart(measures[counted], bars)
        return Table(
            key=f"{line.code}-{name}",
            caption=f"{line.title}: {codes.NAMES[name].lower()}",
            first=codes.NAMES[name],
            columns=[one.name for one in measures],
            rows=rows,
            total=[self.report.cell(one.code) for one in measures],
            chart=chart,
        )

    def _two_ways(self, line: ReportLine, down: str, across: str, measure: Measure) -> Table:
        columns = {
            code: words
            for code, words in self._names[across].items()
            if self._is_asked(line, across, code)
        }

        def cell(**by: str) -> Cell:
            return self.report.cell(measure.code, **by)

        rows = [
            (words, [*(cell(**{down: one, across: two}) for two in columns), cell(**{down: one})])
            for one, words in self._names[down].items()
            if self._is_asked(line, down, one)
        ]
        total = [cell(**{across: two}) for two in columns]
        return Table(
            key=f"{line.code}-{down}-{across}-{measure.code.replace('.', '-')}",
            caption=f"{measure.name}: {codes.NAMES[down].lower()}, {codes.NAMES[across].lower()}",
            first=codes.NAMES[down],
            columns=[*columns.values(), "All"],
            rows=rows,
            total=[*total, cell()],
            is_crossed=True,
        )

    def _is_asked(self, line: ReportLine, name: str, code: str) -> bool:
        """A line of some groups has rows for those alone."""
        return name != "carer_type" or not line.groups or code in line.groups


def _state(total: Mapping[str, Cell]) -> str:
    """What the first page may say about a promise, from what is shown of it."""
    met, missed, still_open = (total[name] for name in VERDICTS)
    if missed.hidden:
        return "hidden"
    if missed.value:
        return "broken"
    if still_open.value or still_open.hidden:
        return "so_far"
    return "kept" if met.value or met.hidden else "nothing"


def _chart(measure: Measure, rows: Sequence[tuple[str, Cell]]) -> Chart:
    most = max((cell.value or 0 for _, cell in rows), default=0)
    room = CHART_WIDTH - _LABELS - 70  # the last for the number behind the bar
    bars = [
        Bar(name, cell, index * _STEP, round(room * (cell.value or 0) / most) if most else 0)
        for index, (name, cell) in enumerate(rows)
    ]
    longest = max(bars, key=lambda bar: bar.width) if most else None
    return Chart(measure, bars, len(rows) * _STEP, longest)
