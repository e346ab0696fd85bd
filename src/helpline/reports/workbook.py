"""A report as an Excel workbook: one sheet a section, numbers that are numbers, nothing hidden.

Called by reports/render.py. No text is ever taken for a formula or a link, whoever wrote it; a
figure that is not shown is the contract's sign. The same report always gives the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from helpline.reports.cells import Cell
from helpline.reports.paper import AREA, paper
from helpline.reports.report import Report
from helpline.reports.view import STATES, VERDICTS, Chart, Promise, Table, View

SAFE: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
UNFIT: Final = re.compile(r"[\[\]:*?/\\'\x00-\x1f]")
LONGEST_NAME: Final = 31  # of a sheet
FIRST, OTHERS = 46, 15  # widths in letters
MOST_BARS: Final = 40
FEWEST_ROWS: Final = 8
UNITS: Final = {"percent": "%", "pounds": "£", "minutes": "minutes"}
ACROSS, LETTERS_ACROSS = 8, 140  # columns and letters of a paragraph


def xlsx(report: Report) -> bytes:
    """The workbook: the answers, a sheet for each line of the contract, and what it all means."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, dict(SAFE))
    head = f"{report.view.title}, {report.contract.council}, {report.view.period}"
    made = report.generated_at.astimezone(UTC).replace(tzinfo=None)
    book.set_properties({"title": head, "author": report.contract.provider_name, "created": made})
    writing = _Writing(book, report.view, _formats(book))
    _answers(writing, head, paper(report))
    for line in report.view.lines:
        writing.begin(line.line.title)
        writing.row(line.line.title, style="title")
        writing.row(" ".join(said for said in (line.line.asks, *line.notes) if said))
        for written in line.said:
            writing.paragraph(written)
        writing.top([("Question", "Figure", "Unit", "%", "Share", "Expected", "State")])
        for total in line.totals:
            figure = writing.figure(total.cell)
            unit = "minutes" if total.measure.is_minutes else UNITS.get(total.measure.unit, "")
            said = [total.share, total.expected, STATES[total.state]]
            writing.row(total.name, figure, unit, total.cell.percent, *said)
        for table in (*([line.instead] if line.instead else []), *line.tables):
            _table(writing, table)
    writing.begin("What the figures mean")
    writing.top([("Measure", "What it counts")])
    writing.sheet.set_column(1, 1, 110, writing.formats["wrapped"])
    for code, text in report.view.definitions.items():
        writing.row(report.contract.measure(code).name, text)
    book.close()
    return file.getvalue()


def _formats(book: xlsxwriter.Workbook) -> dict[str, Format]:
    wanted: Mapping[str, Mapping[str, Any]] = {
        "plain": {},
        "wrapped": {"text_wrap": True, "valign": "top"},
        "title": {"bold": True, "font_size": 14, "font_color": "#17475a"},
        "head": {"bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom"},
        "sum": {"bold": True, "top": 1},
    }
    return {name: book.add_format(dict(look)) for name, look in wanted.items()}


@dataclass
class _Writing:
    """Where in the workbook the next row goes."""

    book: xlsxwriter.Workbook
    view: View
    formats: Mapping[str, Format]
    names: set[str] = field(default_factory=set)
    at: int = 0

    sheet: Worksheet = field(init=False)

    def begin(self, title: str) -> None:
        """A new sheet, named like its section as far as Excel lets a name be."""
        name = UNFIT.sub(" ", title).strip()[:LONGEST_NAME].strip() or "Sheet"
        number = 1
        while name.lower() in self.names or name.lower() == "history":
            number += 1
            name = f"{name[: LONGEST_NAME - 4].strip()} ({number})"
        self.names.add(name.lower())
        self.sheet, self.at = self.book.add_worksheet(name), 0
        self.sheet.set_column(0, 0, FIRST)
        self.sheet.set_column(1, 24, OTHERS)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)

    def row(self, *cells: object, style: str = "plain") -> None:
        """One row; an empty text is an empty cell, a text stays a text whatever it begins with."""
        for column, cell in enumerate(cells):
            if isinstance(cell, (int, float)):
                self.sheet.write_number(self.at, column, cell, self.formats[style])
            elif cell not in (None, ""):
                self.sheet.write_string(self.at, column, str(cell), self.formats[style])
        self.at += 1

    def paragraph(self, text: str) -> None:
        """A text over the width of the page, as high as it needs."""
        self.sheet.merge_range(self.at, 0, self.at, ACROSS, text, self.formats["wrapped"])
        self.sheet.set_row(self.at, 15 * (1 + len(text) // LETTERS_ACROSS))
        self.at += 1

    def top(self, rows: Sequence[Sequence[str]]) -> None:
        """The rows of names that stay in sight, with all that stands above them."""
        for row in rows:
            self.row(*row, style="head")
        self.sheet.freeze_panes(self.at, 1)

    def figure(self, cell: Cell) -> float | str:
        """A number where there is one (times in minutes), else the words or the sign."""
        if cell.words or cell.hidden or cell.value is None:
            return self.view.shown(cell)
        return cell.value


def _answers(writing: _Writing, head: str, printed: Mapping[str, Any]) -> None:
    """The first sheet: what this is, whether the promises were kept, and where not."""
    writing.begin("Promises")
    writing.row(head, style="title")
    if printed["opens"]:
        writing.row(printed["opens"])
    writing.row(f"{printed['start']} to {printed['end']}. Counted on {printed['counted']}.")
    if printed["restates"]:
        writing.paragraph(printed["restates"])
    if printed["is_provisional"]:
        writing.row("While the period was still running: these figures are not final.")
    writing.row(f"{printed['contract']}, provided by {printed['provider']}.")
    writing.row(f"For: {printed['recipients']}.")
    writing.paragraph(printed["note"])
    for one in printed["promises"]:
        writing.row()
        writing.row(one["name"], style="title")
        said = (one["answer"], one["more"], one["where"], one["times"])
        writing.paragraph(" ".join(part for part in said if part))
    for promise in writing.view.promises:
        _promise(writing, promise)
    for one in printed["promises"]:
        if one["late"]:
            writing.row()
            writing.row(f"Each that was late: {one['name'].lower()}", style="title")
        for late in one["late"]:
            writing.row(late)
        if one["more_late"]:
            writing.row(f"and {one['more_late']} more, less late")


def _promise(writing: _Writing, promise: Promise) -> None:
    writing.row()
    writing.row(f"{promise.clock.name}: times in minutes", style="title")
    top = writing.at
    writing.row(AREA, *promise.columns, style="head")
    for name, cells in promise.rows:
        writing.row(name, *_kept(writing, promise, cells))
    writing.row("All", *_kept(writing, promise, promise.total), style="sum")
    if promise.chart is not None:
        column = 3 if promise.chart.measure.code.endswith(".missed") else 1
        _bars(writing, promise.chart, AREA, top, column, len(promise.columns))
        for _ in range(FEWEST_ROWS - len(promise.rows)):
            writing.row()  # the next table stands below the bars


def _kept(writing: _Writing, promise: Promise, cells: Mapping[str, Cell]) -> Iterator[object]:
    met, missed, still_open = (cells[name] for name in VERDICTS)
    yield from (writing.figure(met), met.percent, writing.figure(missed), missed.percent)
    yield writing.figure(still_open)
    yield from (writing.figure(cells[name]) for name in promise.times)


def _table(writing: _Writing, table: Table) -> None:
    """Counts, then the shares beside them in columns of their own, then a chart."""
    shares = [
        place
        for place in range(len(table.columns))
        if any(cells[place].percent is not None for _, cells in table.rows)
    ]
    writing.row()
    writing.row(table.caption, style="title")
    titles = [f"{table.columns[place]}: %" for place in shares]
    top = writing.at
    writing.row(table.first, *table.columns, *titles, style="head")
    for name, cells in table.rows:
        figures = [writing.figure(cell) for cell in cells]
        writing.row(name, *figures, *(cells[place].percent for place in shares))
    if table.total:
        writing.row(table.total_name, *map(writing.figure, table.total), style="sum")
    if table.chart is not None and len(table.rows) <= MOST_BARS:
        column = 1 + list(table.measures).index(table.chart.measure)
        _bars(writing, table.chart, table.first, top, column, len(table.columns) + len(shares))


def _bars(writing: _Writing, drawn: Chart, first: str, top: int, column: int, columns: int) -> None:
    """To the right of its table: the bars of the column that the page draws."""
    rows = len(drawn.bars) + drawn.left_out  # here all of them: who reads it can sort
    name, last = writing.sheet.get_name(), top + rows
    chart = writing.book.add_chart({"type": "bar"})
    series = {
        "categories": [name, top + 1, 0, last, 0],
        "values": [name, top + 1, column, last, column],
        "fill": {"color": "#17475a"},
    }
    chart.add_series(series)
    title = f"{drawn.measure.name}: {first.lower()}"
    chart.set_title({"name": title, "name_font": {"size": 11}})
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True})
    chart.set_size({"width": 560, "height": 80 + 20 * rows})
    said = f"Bar chart of the table beside it: {title}."
    writing.sheet.insert_chart(top, columns + 2, chart, {"description": said, "object_position": 1})
