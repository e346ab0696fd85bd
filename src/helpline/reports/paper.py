"""A report as words and numbers in the order of a printed page: what the PDF and the Word document
are filled with.

Made from reports/view.py, so it holds what the page shows and nothing else. Plain lists, dicts and
strings, because one template is in another language and the other is a council's own; the sentences
are the page's (templates/reports/_parts.html.j2) with their marks taken off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from helpline.reports.cells import Cell
from helpline.reports.codes import NAMES
from helpline.reports.report import Report
from helpline.reports.view import STATES, VERDICTS, Chart, Line, Promise, Table, Total, View
from helpline.templating import environment

AREA: Final = NAMES["quadrant"]
FOR_EARS: Final = re.compile(r'<span class="govuk-visually-hidden">.*?</span>', re.DOTALL)
"""What only a screen reader is told; paper explains its sign once, at the top."""
UNWRITTEN: Final = "Nothing was written here."


def paper(report: Report) -> dict[str, Any]:
    """Everything that is printed, by the names a template uses (docs: reports/word.py)."""
    view = report.view
    return {
        "title": view.title,
        "opens": view.opens,
        "council": report.contract.council,
        "period": view.period,
        "start": view.day(report.period.start),
        "end": view.day(report.period.end),
        "contract": report.contract.name,
        "provider": report.contract.provider_name,
        "council_in_full": report.contract.council_full,
        "recipients": ", ".join(view.recipients),
        "counted": view.generated,
        "is_provisional": report.is_provisional,
        "restates": view.restates,
        "note": plain(_parts().protection(view)),
        "promises": [_promise(view, one) for one in view.promises],
        "lines": [
            {
                "title": one.line.title,
                "asks": " ".join(_told(one)),
                "said": list(one.said),
                "totals": [_total(view, total) for total in one.totals],
                "has_share": one.has_share,
                "has_expected": one.has_expected,
                "has_crossed": any(table.is_crossed for table in one.tables),
                "tables": [
                    table_of(view, table)
                    for table in (*([one.instead] if one.instead else []), *one.tables)
                ],
            }
            for one in view.lines
        ],
        "definitions": [{"name": name, "means": text} for name, text in view.meanings],
    }


def _told(line: Line) -> list[str]:
    """What stands below its title: what is asked, who is counted, what is not shown or written."""
    said = [line.line.asks, *line.notes, UNWRITTEN if line.is_unwritten else ""]
    return [one for one in said if one]


def plain(marked: str) -> str:
    """The words of a piece of a page."""
    return Markup(FOR_EARS.sub("", marked)).striptags()  # noqa: S704  # the marks are taken off


def parts(table: Mapping[str, Any], most: int) -> Iterator[dict[str, Any]]:
    """A table in pieces of so many columns, each with the rows' names: paper has an edge."""
    columns = table["columns"]
    pieces = -(-len(columns) // most)
    size = -(-len(columns) // pieces) if pieces else 1
    for number, start in enumerate(range(0, len(columns), size), 1):
        cut = slice(start, start + size)
        part = {"part": number, "of": pieces} if pieces > 1 else {"part": 0, "of": 0}
        rows = [{"name": row["name"], "cells": row["cells"][cut]} for row in table["rows"]]
        yield {**table, **part, "columns": columns[cut], "rows": rows, "total": table["total"][cut]}


def written(view: View, cell: Cell) -> str:
    """A cell of a table, with its share: "312 (25%)"."""
    share = view.share_in_table(cell)
    return f"{view.shown(cell)} ({share})" if share else view.shown(cell)


def table_of(view: View, table: Table) -> dict[str, Any]:
    """One cut: names of rows and columns, and each cell in words."""
    return {
        "caption": table.caption,
        "first": table.first,
        "columns": list(table.columns),
        "rows": [
            {"name": name, "cells": [written(view, cell) for cell in cells]}
            for name, cells in table.rows
        ],
        "total_name": table.total_name,
        "total": [view.shown(cell) for cell in table.total],
        "is_crossed": table.is_crossed,
        "chart": _chart(view, table.chart, table.first),
    }


def promise_table(view: View, promise: Promise) -> dict[str, Any]:
    """How one promise was kept in each area; without rows where none of it is shown."""
    rows = [] if promise.is_bare else promise.rows
    return {
        "caption": plain(_parts().promise_caption(promise)),
        "first": AREA,
        "columns": promise.columns,
        "rows": [{"name": name, "cells": _kept(view, promise, cells)} for name, cells in rows],
        "total_name": "All",
        "total": _kept(view, promise, promise.total),
        "is_crossed": False,
        "chart": _chart(view, promise.chart, AREA),
    }


def _parts() -> Any:
    return environment().get_template("reports/_parts.html.j2").module


def _promise(view: View, promise: Promise) -> dict[str, Any]:
    said = plain(_parts().answer_said(view, promise))
    short, _, rest = said.partition(".")
    return {
        "name": f"{promise.clock.name} {promise.clock.within}",
        "state": promise.state,
        "answer": f"{short}.",
        "more": rest.strip(),
        "where": plain(_parts().answer_where(view, promise)),
        "times": plain(_parts().answer_times(view, promise)),
        "table": promise_table(view, promise),
        "late": [
            f"{view.quadrant(one.quadrant)}: {view.span(one.minutes_late)} late"
            + ("" if one.is_answered else ", and still waiting")
            for one in promise.breaches
        ],
        "more_late": promise.more_breaches,
    }


def _kept(view: View, promise: Promise, cells: Mapping[str, Cell]) -> list[str]:
    met, missed, still_open = (cells[name] for name in VERDICTS)
    counts = [view.shown(met), view.share(met), view.shown(missed), view.share(missed)]
    return [*counts, view.shown(still_open), *(view.shown(cells[name]) for name in promise.times)]


def _total(view: View, total: Total) -> dict[str, str]:
    return {
        "name": total.name,
        "figure": view.shown(total.cell),
        "share": total.share,
        "expected": total.expected,
        "state": STATES[total.state],
    }


def _chart(view: View, chart: Chart | None, first: str) -> dict[str, Any] | None:
    """Bars as shares of the longest, and what is said of them to those who cannot see them."""
    if chart is None:
        return None
    longest: Sequence[Any] = [bar for bar in (chart.longest,) if bar]
    most = max((bar.cell.value or 0 for bar in longest), default=0)
    said = [f"{bar.name} {view.shown(bar.cell)}" for bar in chart.bars]
    return {
        "title": f"{chart.title}: {first.lower()}",
        "alt": f"Bar chart. {chart.measure.name}: {'; '.join(said)}.",
        "bars": [
            {
                "name": bar.name,
                "figure": view.shown(bar.cell),
                "share": (bar.cell.value or 0) / most if most else 0,
            }
            for bar in chart.bars
        ],
    }
