"""A report arranged for reading: the promises first, then each line of the contract.

Handed to templates/reports/_report.html.j2 by the file and by the console. It chooses and orders
cells and formats numbers; every sentence is in the template or in the contract. It sees only what
the report shows, so it cannot give a hidden number away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from helpline.contract import Clock
from helpline.contract.measuring import Measure
from helpline.contract.parts import ReportLine
from helpline.reports import codes
from helpline.reports.cells import Breach, Cell, ordered
from helpline.reports.protection import FEW, MANY
from helpline.rules import targets
from helpline.rules.periods import KIND_OF, MONTHS

if TYPE_CHECKING:
    from helpline.reports.report import Report

CHART_WIDTH: Final = 560
_LABELS: Final = 250  # of it for the names; the rest is for bars and their numbers
_BAR, _STEP = 18, 28
MOST_BREACHES: Final = 50
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
    codes of the second; `total` is the row of all, where there is one."""

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

    @property
    def is_all_hidden(self) -> bool:
        """Whether there is nothing to be read inside."""
        return all(cell.hidden for _, cells in self.rows for cell in cells)


@dataclass(frozen=True)
class Line:
    """One line of the report: what it asks, its figures, and what is to be written there."""

    line: ReportLine
    totals: Sequence[Total]
    tables: Sequence[Table]
    coarser: str = ""
    """What is shown for all together only, because nearly every number of it would be hidden."""
    said: Sequence[str] = ()
    """What was written of it, a paragraph each: the line's own, then of each figure that moved."""

    @property
    def measures(self) -> list[Measure]:
        return [total.measure for total in self.totals]

    @property
    def has_share(self) -> bool:
        return any(total.share for total in self.totals)


class View:
    """What the template asks of a report."""

    all_once, state_words = ALL, STATES

    def __init__(self, report: Report) -> None:
        self.report, self.contract = report, report.contract
        self._names = codes.names(report.contract)

    # --- the head ------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return self.report.asked.title

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
        said = dict(self.report.said)
        found = [self._line(line) for line in self.report.asked.lines]
        return [replace(line, said=_said(line, said)) for line in found]

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
        listed = dict.fromkeys(cell.measure for cell in self.report.cells)
        known = (self.contract.measure(code) for code in listed)
        return {one.code: one.means or one.question for one in known}

    # --- what a page adds, and a file never has --------------------------------------------------

    def link(self, cell: Cell) -> str:
        """Where a figure opens onto what it counts; empty where it does not."""
        return ""

    def notes(self, table: Table) -> Sequence[str]:
        """What is said below a table besides."""
        return ()

    @property
    def meanings(self) -> list[tuple[str, str]]:
        """The same for people who read: figures of which nothing is known but the question that
        they answer stand together behind it."""
        asked: dict[str, list[str]] = {}
        found = []
        for code in self.definitions:
            measure = self.contract.measure(code)
            if measure.means:
                found.append((measure.name, measure.means))
            else:
                asked.setdefault(measure.question, []).append(measure.name)
        return found + [(f"“{question}”", "; ".join(names)) for question, names in asked.items()]

    # --- how a figure is written ---------------------------------------------------------------

    def number(self, value: float) -> str:
        return number(value)

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
        return worded(self.contract.measure(cell.measure), cell.value)

    def share_words(self, cell: Cell) -> str:
        """What a share is of and who supplied a figure, or why there is no share."""
        as_of = self.day(cell.denominator_as_of) if cell.denominator_as_of else ""
        source = ", ".join(part for part in (cell.source, as_of) if part) if cell.source else ""
        if cell.percent is None:
            return source or cell.note or ""
        day = f" ({as_of})" if as_of else ""
        share = f"{self.share(cell)} of {self.number(cell.denominator or 0)}{day}"
        return f"{share}; {source}" if source else share

    def share_in_table(self, cell: Cell) -> str:
        """The same in a few letters, for a cell of a table: "25%", "25% of 312"."""
        if cell.percent is None:
            return ""
        whole = f" of {self.number(cell.denominator or 0)}" if cell.denominator_as_of else ""
        return f"{self.share(cell)}{whole}"

    def day(self, day: date) -> str:
        return f"{day.day} {day:%B %Y}"

    def span(self, minutes: float) -> str:
        return span(minutes)

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
        times = [name for name in TIMES if self.report.find(f"{clock.code}.{name}") is not None]
        shown = breaches[:MOST_BREACHES]
        least = self._in_time(total)
        return Promise(clock, _state(total), times, total, rows, late, shown, more, least)

    def _in_time(self, total: Mapping[str, Cell]) -> int | None:
        """Worked out from shown figures alone, each taken as low as rounding allows."""
        most, base = self.most_hidden, self.contract.disclosure.round_to
        met, cases, still_open = (total[name] for name in ("met", "cases", "open"))
        if met.value:
            least = int(met.value) - base // 2
            return 100 * least // (least + most)
        if cases.value and still_open.value == 0:
            least = int(cases.value) - base // 2
            return max(0, 100 * (least - most) // least)
        return None

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
        shown = [table for table in tables if not table.is_all_hidden]
        return Line(line, totals, shown, self._coarser(line, tables))

    def _coarser(self, line: ReportLine, tables: Sequence[Table]) -> str:
        """The sentence for the tables that are left out because they would show nothing."""
        gone: dict[str, list[str]] = {}
        for table in tables:
            if table.is_all_hidden:
                gone.setdefault(table.cut, []).append(table.of)
        if not gone:
            return ""
        kept = {table.cut for table in tables if not table.is_all_hidden}
        cuts = [f"{cut} ({', '.join(of)})" if cut in kept else cut for cut, of in gone.items()]
        said = (
            f"Shown for all together, and not by {'; by '.join(cuts)}, where nearly every number "
        )
        said += "would be hidden."
        longer = self._longer(line)
        return f"{said} The {longer} shows what the longer time allows." if longer else said

    def _longer(self, line: ReportLine) -> str:
        """The contract's report of a longer time that has the same figures."""
        months = MONTHS[self.report.period.kind]
        return next(
            (
                one.title.lower()
                for one in self.contract.reports
                if MONTHS[KIND_OF[one.every]] > months
                and any(each.code == line.code for each in one.lines)
            ),
            "",
        )

    def _total(self, measure: Measure) -> Total:
        cell = self.report.cell(measure.code)
        return Total(
            measure,
            cell,
            self.share_words(cell),
            targets.state(
                measure.target, None if measure.of else cell.value, cell.percent, cell.words
            ),
            targets.expected(measure.target, "percent" if measure.is_share else measure.unit),
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
            cut=codes.NAMES[name].lower(),
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
            cut=f"{codes.NAMES[down].lower()} and {codes.NAMES[across].lower()} together",
            of=measure.name,
        )

    def _is_asked(self, line: ReportLine, name: str, code: str) -> bool:
        """A line of some groups has rows for those alone."""
        return name != "carer_type" or not line.groups or code in line.groups


def _said(line: Line, said: dict[str, str]) -> list[str]:
    """The paragraphs of a line; each is printed once, so it is taken out of `said`."""
    own = said.pop(f"line:{line.line.code}", "").splitlines()
    moved = [(one.name, said.pop(one.code, "")) for one in line.measures]
    return own + [f"{name}: {text}" for name, text in moved if text]


def _state(total: Mapping[str, Cell]) -> str:
    """What the first page may say about a promise, from what is shown of it."""
    met, missed, still_open = (total[name] for name in VERDICTS)
    if missed.hidden:
        few = missed.note and missed.note.startswith(FEW.format(""))
        many = missed.note and missed.note.endswith(MANY.format(""))
        return "few" if few else "many" if many else "hidden"
    if missed.value:
        return "broken"
    if still_open.value or still_open.hidden:
        return "so_far"
    if missed.value is None:
        return "unknown"
    return "kept" if met.value or met.hidden else "nothing"


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


def _chart(measure: Measure, rows: Sequence[tuple[str, Cell]]) -> Chart:
    most = max((cell.value or 0 for _, cell in rows), default=0)
    room = CHART_WIDTH - _LABELS - 70  # the last for the number behind the bar
    bars = [
        Bar(name, cell, index * _STEP, round(room * (cell.value or 0) / most) if most else 0)
        for index, (name, cell) in enumerate(rows)
    ]
    longest = max(bars, key=lambda bar: bar.width) if most else None
    return Chart(measure, bars, len(rows) * _STEP, longest)
