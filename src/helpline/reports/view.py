"""A report arranged for reading: the promises first, then each line of the contract.

Handed to templates/reports/_report.html.j2 by the file and by the console. It chooses and orders
cells and formats numbers; every sentence is in the template or in the contract. It sees only what
the report shows, so it cannot give a hidden number away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from helpline.contract import Clock
from helpline.contract.measuring import Measure
from helpline.contract.parts import ReportLine
from helpline.reports import codes
from helpline.reports.cells import Cell, ordered
from helpline.reports.protection import FEW, MANY
from helpline.reports.view_parts import (
    ALL,
    STATES,
    TIMES,
    VERDICTS,
    Bar,
    Chart,
    Line,
    Promise,
    Table,
    Total,
    chart,
    number,
    span,
    worded,
)
from helpline.rules import targets
from helpline.rules.periods import KIND_OF, MONTHS, rolling_year, year_to_date

if TYPE_CHECKING:
    from helpline.reports.report import Report

MOST_BREACHES: Final = 50
LONGER: Final = ("year_to_date", "rolling_12_months")
"""Bases that are coarser than a period's own days."""

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
        least, drawn = self._in_time(total), self._drawn(rows)
        return Promise(clock, _state(total), times, total, rows, late, shown, more, least, drawn)

    def _drawn(self, rows: Sequence[tuple[str, Mapping[str, Cell]]]) -> Chart | None:
        """Where they were late, as bars; where no late one is shown, where they were in time."""
        for verdict in ("missed", "met"):
            cells = [(name, kept[verdict]) for name, kept in rows]
            if any(cell.value for _, cell in cells):
                return chart(self.contract.measure(cells[0][1].measure), cells)
        return None

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
        shown = [table for table in tables if not table.is_bare]
        bare = [table for table in tables if table.is_bare]
        instead, longer = self._instead(line, bare, measures)
        return Line(line, totals, [*shown, *longer], self._coarser(line, tables), instead)

    def _instead(
        self, line: ReportLine, bare: Sequence[Table], own: Sequence[Measure]
    ) -> tuple[Table | None, list[Table]]:
        """In place of tables of which nothing could be read: their figures for all together, over
        this report's days and over longer ones that it counts too; and the same tables over those
        longer days, where they can be read. Only what is shown in this report anyway."""
        listed = {one.code: one for table in bare for one in table.measures}
        twins = {code: self._longer_days(one) for code, one in listed.items()}
        bases = [basis for basis in LONGER if any(basis in some for some in twins.values())]
        rows = []
        for code, one in listed.items():
            over = [twins[code].get(basis) for basis in bases]
            cells = [self.report.cell(code)]
            cells += [self.report.cell(t.code) if t else Cell(code, (), None) for t in over]
            if any(not cell.hidden and cell.value is not None for cell in cells):
                rows.append((one.name, cells))
        tables = [
            _over(made, twin.basis, self._days(twin.basis))
            for table in bare
            for measure in table.measures
            for twin in twins[measure.code].values()
            if twin not in own
            for made in self._tables(line, table.by, [twin])
            if not made.is_bare
        ]
        if not rows or not bases:
            return None, tables  # the figures for all together stand beside the sentence
        caption = f"{line.title}: for all together, in place of what is hidden"
        days = [self._days(basis) for basis in ("period", *bases)]
        made = Table(f"{line.code}-instead", caption, "Figure", days, rows, (), region=caption)
        return made, tables

    def _longer_days(self, measure: Measure) -> dict[str, Measure]:
        """The same thing counted over more days, in this report: by its basis."""
        if measure.basis != "period" or measure.counts == "supplied":
            return {}
        counted = (self.contract.measure(code) for code in self._counted)
        same = (one for one in counted if _formula(one) == _formula(measure))
        return {one.basis: one for one in same if one.basis in LONGER}

    @cached_property
    def _counted(self) -> list[str]:
        return list(dict.fromkeys(cell.measure for cell in self.report.cells))

    def _days(self, basis: str) -> str:
        """The days over which a figure of such a basis is counted."""
        span = self.report.period
        if basis == "year_to_date":
            return f"year to date, from {self.day(year_to_date(span).start)}"
        if basis == "rolling_12_months":
            return f"twelve months, from {self.day(rolling_year(span).start)}"
        return f"{self.day(span.start)} to {self.day(span.end)}"

    def _coarser(self, line: ReportLine, tables: Sequence[Table]) -> str:
        """The sentence for the tables that are left out because they would show nothing."""
        gone: dict[str, list[str]] = {}
        for table in tables:
            if table.is_bare:
                gone.setdefault(table.cut, []).append(table.of)
        if not gone:
            return ""
        kept = {table.cut for table in tables if not table.is_bare}
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
        drawn = None
        if counted is not None:
            bars = [(words, cells[counted]) for words, cells in rows]
            drawn = chart(measures[counted], bars)
        caption = f"{line.title}: {codes.NAMES[name].lower()}"
        return Table(
            key=f"{line.code}-{name}",
            caption=caption,
            first=codes.NAMES[name],
            columns=[one.name for one in measures],
            rows=rows,
            total=[self.report.cell(one.code) for one in measures],
            chart=drawn if drawn and drawn.longest and drawn.longest.width else None,
            cut=codes.NAMES[name].lower(),
            measures=measures,
            by=(name,),
            region=caption,
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
        cut = f"{codes.NAMES[down].lower()}, {codes.NAMES[across].lower()}"
        return Table(
            key=f"{line.code}-{down}-{across}-{measure.code.replace('.', '-')}",
            caption=f"{measure.name}: {cut}",
            first=codes.NAMES[down],
            columns=[*columns.values(), "All"],
            rows=rows,
            total=[*total, cell()],
            is_crossed=True,
            cut=f"{codes.NAMES[down].lower()} and {codes.NAMES[across].lower()} together",
            of=measure.name,
            measures=[measure],
            by=(down, across),
            region=f"{line.title}: {measure.name}, {cut}",
        )

    def _is_asked(self, line: ReportLine, name: str, code: str) -> bool:
        """A line of some groups has rows for those alone."""
        return name != "carer_type" or not line.groups or code in line.groups


def _formula(measure: Measure) -> tuple[object, ...]:
    """What is counted, whatever the days and the name."""
    where = {name: frozenset(some) for name, some in measure.where.items()}
    return measure.counts, measure.takes, measure.unit, where


def _over(table: Table, basis: str, days: str) -> Table:
    """A table that stands for another, and says over which days."""
    caption, region = f"{table.caption}, {days}", f"{table.region}, {days}"
    return replace(table, key=f"{table.key}-{basis}", caption=caption, region=region)


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
