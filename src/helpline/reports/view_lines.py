"""Each line of the contract arranged for reading: its figures, its tables, and what stands in place
of a table of which nothing could be read.

Made for reports/view.py. It chooses among the figures that a report shows, says each once where two
lines ask for the same, and gives no hidden number away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from helpline.contract.measuring import SO_FAR, Measure
from helpline.contract.parts import ReportLine
from helpline.reports import codes
from helpline.reports.cells import Cell, by_of, ordered
from helpline.reports.view_parts import (
    ALL,
    EVERYBODY,
    Line,
    Table,
    Total,
    chart,
    day,
    share_words,
)
from helpline.rules import targets
from helpline.rules.periods import KIND_OF, MONTHS, rolling_year, year_to_date

if TYPE_CHECKING:
    from helpline.reports.report import Report

LONGER: Final = ("year_to_date", "rolling_12_months")
"""Bases that are coarser than a period's own days."""
WHO: Final = "carer_type"
TWO: Final = "two things together"
Cut = tuple[str, ...]


class Lines:
    """The lines of one report. `by_area`: measures whose figures by area stand above them all."""

    def __init__(self, report: Report, by_area: frozenset[str]) -> None:
        self.report, self.contract, self.by_area = report, report.contract, by_area
        self._names = codes.names(report.contract)

    def all(self) -> list[Line]:
        """Every line of the report, in the contract's order, but those whose figures were agreed
        after it was signed: it has none of them."""
        said = dict(self.report.said)
        found = [self._line(line) for line in self.report.asked.lines]
        told = [replace(line, said=_said(line, said)) for line in found]
        return [one for one in told if one.said or self._has_what_it_asks(one.line)]

    def _has_what_it_asks(self, line: ReportLine) -> bool:
        return not line.measures or bool(self._measures(line))

    # --- one line ------------------------------------------------------------------------------

    def _line(self, line: ReportLine) -> Line:
        measures = self._measures(line)
        totals = [total for one in measures for total in self._totals(line, one)]
        cuts = [tuple(cut) for cut in line.by if cut]
        tables = [table for cut in cuts for table in self._tables(line, cut, measures)]
        shown = [table for table in tables if not table.is_bare]
        bare = [table for table in tables if table.is_bare]
        instead, longer = self._instead(line, bare, measures)
        return Line(
            line,
            totals,
            [*shown, *longer],
            self._coarser(line, tables),
            instead,
            elsewhere=self._elsewhere(line, cuts, measures),
            against=self._against(line),
        )

    def _against(self, line: ReportLine) -> list[str]:
        """The outcomes of the council's plan that the line is written against, in its words."""
        plan = {one.code: one.words for one in self.contract.named_outcomes}
        return [plan[code] for code in line.against]

    def _measures(self, line: ReportLine) -> list[Measure]:
        found = [code for code in line.measures if self.report.find(code) is not None]
        return [self.contract.measure(code) for code in found]

    def _totals(self, line: ReportLine, measure: Measure) -> Iterator[Total]:
        """One row; of a line that asks for some groups one for each, as far as it is counted so."""
        groups = {code: self.report.find(measure.code, **{WHO: code}) for code in line.groups}
        for code, cell in groups.items():
            if cell is not None:
                name = f"{measure.name}: {self._names[WHO][code].lower()}"
                yield Total(name, measure, cell, share_words(cell), "", "")
        if not any(groups.values()) and (not line.groups or not self._is_everybodys(measure)):
            cell = self.report.cell(measure.code)
            state = targets.state(
                measure.target, None if measure.of else cell.value, cell.percent, cell.words
            )
            unit = "percent" if measure.is_share else measure.unit
            expected = targets.expected(measure.target, unit)
            name = f"{measure.name}: everybody" if line.groups else measure.name
            yield Total(name, measure, cell, share_words(cell), state, expected)

    def _is_everybodys(self, measure: Measure) -> bool:
        return (measure.code, ()) in self._everybody

    # --- its tables ----------------------------------------------------------------------------

    def _tables(self, line: ReportLine, cut: Cut, measures: Sequence[Measure]) -> Iterator[Table]:
        able = [one for one in measures if self._is_cut(one, cut)]
        able = [one for one in able if not self._is_elsewhere(line, cut, one)]
        if len(cut) == 1:
            for of, some in self._by_promise(able):
                yield self._one_way(line, cut[0], some, of)
        elif len(cut) == 2:
            for measure in able:
                yield self._two_ways(line, cut[0], cut[1], measure)

    def _is_cut(self, measure: Measure, cut: Cut) -> bool:
        """Whether this report has it by that: one that was signed has what was agreed then."""
        return (measure.code, ordered(cut)) in self._cuts

    @cached_property
    def _cuts(self) -> frozenset[tuple[str, Cut]]:
        return frozenset(
            (cell.measure, tuple(name for name, _ in cell.by)) for cell in self.report.cells
        )

    def _cell(self, code: str, **by: str) -> Cell:
        """A figure; a dash in a report that was signed before there was such a row or column."""
        return self.report.find(code, **by) or Cell(code, by_of(by), None)

    def _by_promise(self, measures: Iterable[Measure]) -> list[tuple[str, list[Measure]]]:
        """The measures of each promise stand in a table of their own; the others together. With
        the promise's name, or nothing."""
        promises = {one.code: one.name for one in self.contract.reported_clocks}
        found: dict[str, list[Measure]] = {}
        for measure in measures:
            found.setdefault(promises.get(measure.code.split(".")[0], ""), []).append(measure)
        return list(found.items())

    def _one_way(self, line: ReportLine, name: str, measures: list[Measure], of: str) -> Table:
        rows = [
            (words, [self._cell(one.code, **{name: code}) for one in measures])
            for code, words in self._names[name].items()
            if _is_asked(line, name, code)
        ]
        counted = next((n for n, one in enumerate(measures) if not one.is_minutes), None)
        drawn = None
        if counted is not None:
            drawn = chart(measures[counted], [(words, cells[counted]) for words, cells in rows])
        heading = codes.NAMES[name]
        region = f"{line.title}: {f'{of}, ' if of else ''}{heading.lower()}"
        return Table(
            key="-".join([line.code, name, *([measures[0].code.split(".")[0]] if of else [])]),
            caption=f"{of}: {heading.lower()}" if of else region,
            first=heading,
            columns=[_without(one.name, of) for one in measures],
            rows=rows,
            total=[self.report.cell(one.code) for one in measures],
            total_name=EVERYBODY if name == WHO and line.groups else ALL,
            chart=drawn,
            cut=heading.lower(),
            of=of,
            measures=measures,
            by=(name,),
            region=region,
        )

    def _two_ways(self, line: ReportLine, down: str, across: str, measure: Measure) -> Table:
        columns = {
            code: words
            for code, words in self._names[across].items()
            if _is_asked(line, across, code)
        }

        def cell(**by: str) -> Cell:
            return self._cell(measure.code, **by)

        rows = [
            (words, [*(cell(**{down: one, across: two}) for two in columns), cell(**{down: one})])
            for one, words in self._names[down].items()
            if _is_asked(line, down, one)
        ]
        total = [cell(**{across: two}) for two in columns]
        cut = f"{codes.NAMES[down].lower()}, {codes.NAMES[across].lower()}"
        return Table(
            key=f"{line.code}-{down}-{across}-{measure.code.replace('.', '-')}",
            caption=f"{measure.name}: {cut}",
            first=codes.NAMES[down],
            columns=[*columns.values(), "Everybody" if across == WHO and line.groups else "All"],
            rows=rows,
            total=[*total, cell()],
            total_name=EVERYBODY if down == WHO and line.groups else ALL,
            is_crossed=True,
            cut=f"{codes.NAMES[down].lower()} and {codes.NAMES[across].lower()} together",
            of=measure.name,
            measures=[measure],
            by=(down, across),
            region=f"{line.title}: {measure.name}, {cut}",
        )

    # --- what is said once, though two lines ask for it ------------------------------------------

    def _is_elsewhere(self, line: ReportLine, cut: Cut, measure: Measure) -> bool:
        """Whether a figure stands in the promises' tables, or in a line that is about everybody:
        under the title of some groups it would be taken for theirs."""
        if cut == ("quadrant",) and measure.code in self.by_area:
            return True
        return (
            bool(line.groups) and WHO not in cut and (measure.code, ordered(cut)) in self._everybody
        )

    @cached_property
    def _everybody(self) -> dict[tuple[str, Cut], str]:
        """What is counted and how it is cut by lines that are about everybody → a line's title."""
        return {
            (measure.code, ordered(cut)): line.title
            for line in self.report.asked.lines
            if not line.groups
            for measure in self._measures(line)
            for cut in line.by
            if self._is_cut(measure, tuple(cut))
        }

    def _elsewhere(self, line: ReportLine, cuts: Sequence[Cut], measures: Sequence[Measure]) -> str:
        able = [(cut, one) for cut in cuts for one in measures if self._is_cut(one, cut)]
        said = []
        if any(cut == ("quadrant",) and one.code in self.by_area for cut, one in able):
            said.append("By area: with the promises, at the beginning.")
        if not line.groups:
            return " ".join(said)
        whole = [(cut, one) for cut, one in able if WHO not in cut]
        moved = {self._everybody.get((one.code, ordered(cut))) for cut, one in whole} - {None}
        said += [f"Of everybody: under “{title}”." for title in sorted(filter(None, moved))]
        if any((one.code, ordered(cut)) not in self._everybody for cut, one in whole):
            said.append("Tables that do not say who it was for count everybody.")
        return " ".join(said)

    # --- in place of tables of which nothing could be read ---------------------------------------

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
            if line.groups and self._is_everybodys(one):
                continue  # it stands where everybody's figures are
            over = [twins[code].get(basis) for basis in bases]
            cells = [self.report.cell(code)]
            cells += [self.report.cell(t.code) if t else Cell(code, (), None) for t in over]
            if any(not cell.hidden and cell.value is not None for cell in cells):
                rows.append((one.name, cells))
        tables = [
            _over(made, basis, self._days(basis))
            for table in bare
            for basis in bases
            for made in self._tables(line, tuple(table.by), _besides(table, twins, basis, own))
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
            return f"year to date, from {day(year_to_date(span).start)}"
        if basis == "rolling_12_months":
            return f"twelve months, from {day(rolling_year(span).start)}"
        return f"{day(span.start)} to {day(span.end)}"

    def _coarser(self, line: ReportLine, tables: Sequence[Table]) -> str:
        """The sentence for the tables that are left out because they would show nothing."""
        gone: dict[str, list[str]] = {}
        for table in tables:
            if table.is_bare:
                gone.setdefault(table.cut, []).append(table.of or "the other figures")
        pairs = {table.cut for table in tables if table.is_crossed and table.is_bare}
        if len(pairs) > 1:  # a list of them would be longer than what is shown
            gone = {cut: of for cut, of in gone.items() if cut not in pairs}
            gone[TWO] = []
        if not gone:
            return ""
        kept = {table.cut for table in tables if not table.is_bare}
        cuts = [
            f"{_quoted(cut)} ({', '.join(of)})" if cut in kept else _quoted(cut)
            for cut, of in gone.items()
        ]
        said = f"Shown for all together, and not by {_listed(cuts)}: nearly every number would be "
        said += "hidden."
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


def _is_asked(line: ReportLine, name: str, code: str) -> bool:
    """A line of some groups has rows for those alone."""
    return name != WHO or not line.groups or code in line.groups


def _without(name: str, of: str) -> str:
    """What a column is called in a table that says already of which promise it is."""
    rest = name.removeprefix(f"{of}: ") if of else name
    return rest[:1].upper() + rest[1:]


def _quoted(cut: str) -> str:
    return f"“{cut}”" if " " in cut and cut != TWO else cut


def _listed(some: Sequence[str]) -> str:
    """ "area", "area or kind", "area, kind or state"."""
    return " or ".join(part for part in (", ".join(some[:-1]), some[-1]) if part)


def _formula(measure: Measure) -> tuple[object, ...]:
    """What is counted, whatever the days and the name."""
    where = {name: frozenset(some) for name, some in measure.where.items()}
    return measure.counts, measure.takes, measure.unit, where


def _besides(
    table: Table,
    twins: Mapping[str, Mapping[str, Measure]],
    basis: str,
    own: Sequence[Measure],
) -> list[Measure]:
    """A table's measures over longer days, but those that the line has anyway."""
    found = [twins[one.code].get(basis) for one in table.measures]
    return [one for one in found if one is not None and one not in own]


def _over(table: Table, basis: str, days: str) -> Table:
    """A table that stands for another, and says over which days unless its figures do."""
    is_said = table.is_crossed and all(one.code.endswith(SO_FAR) for one in table.measures)
    caption = table.caption if is_said else f"{table.caption}, {days}"
    region = f"{table.region}, {days}"
    return replace(table, key=f"{table.key}-{basis}", caption=caption, region=region)


def _said(line: Line, said: dict[str, str]) -> list[str]:
    """The paragraphs of a line; each is printed once, so it is taken out of `said`."""
    own = said.pop(f"line:{line.line.code}", "").splitlines()
    moved = [(one.name, said.pop(one.code, "")) for one in line.measures]
    return own + [f"{name}: {text}" for name, text in moved if text]
