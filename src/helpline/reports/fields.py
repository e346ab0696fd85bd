"""The fields that a council's Word template may use, each with what it holds: shown on the page
where templates are handed in, and held by a test against what is really filled in.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Field(NamedTuple):
    """How it is written in the template, and what stands there then."""

    written: str
    holds: str


FIELDS: Final = (
    Field("{{ title }}", "the report's title"),
    Field("{{ opens }}", "the sentence that the contract wants it to begin with, or nothing"),
    Field("{{ restates }}", "that it takes the place of an earlier one and why, or nothing"),
    Field("{{ council }}", "the council's short name"),
    Field("{{ council_in_full }}", "the council's whole name"),
    Field("{{ contract }}", "the contract's name"),
    Field("{{ provider }}", "who provides the service"),
    Field("{{ recipients }}", "for whom it is"),
    Field("{{ period }}", "the period's label, such as 2026-27-Q1"),
    Field("{{ start }}", "the period's first day"),
    Field("{{ end }}", "the period's last day"),
    Field("{{ counted }}", "when it was counted"),
    Field("{% if is_provisional %}", "whether the period was still running"),
    Field("{{ note }}", "how small numbers are protected"),
    Field("{%p for promise in promises %} … {%p endfor %}", "each promise of the contract"),
    Field("{{ promise.name }}", "what was promised"),
    Field("{{ promise.state }}", "kept, so_far, broken, few, many, hidden, nothing or unknown"),
    Field("{{ promise.answer }}", "whether it was kept, in a word or two"),
    Field("{{ promise.more }}", "how many in time, how many late"),
    Field("{{ promise.where }}", "in which areas it was late"),
    Field("{{ promise.times }}", "how long it took"),
    Field("{%p for late in promise.late %} … {%p endfor %}", "each late one; exact reports only"),
    Field("{{ promise.more_late }}", "how many more there are than are listed"),
    Field("{{ promise.table.caption }}", "its table by area; further as a table of a line"),
    Field("{%p for line in lines %} … {%p endfor %}", "each part of the report"),
    Field("{{ line.title }}", "its title"),
    Field("{{ line.asks }}", "what is to be written there"),
    Field("{%p for said in line.said %} … {%p endfor %}", "what was written there"),
    Field("{% if line.has_share %}", "whether any of its figures has a share or a source"),
    Field("{% if line.has_expected %}", "whether anything was agreed for any of them"),
    Field("{% if line.has_crossed %}", "whether any of its tables is by two things at once"),
    Field("{%tr for total in line.totals %} … {%tr endfor %}", "a row for each of its figures"),
    Field("{{ total.name }}", "what the figure says"),
    Field("{{ total.figure }}", "the figure"),
    Field("{{ total.share }}", "its percentage and what that is of, or its source"),
    Field("{{ total.expected }}", "what was agreed"),
    Field("{{ total.state }}", "met, nearly, not met, or nothing"),
    Field("{%p for table in line.tables %} … {%p endfor %}", "each table of the part"),
    Field("{{ table.caption }}", "its title"),
    Field("{{ table.first }}", "the title of the column of names"),
    Field("{%tc for name in table.columns %} … {%tc endfor %}", "a column for each of its titles"),
    Field("{%tr for row in table.rows %} … {%tr endfor %}", "a row for each of its names"),
    Field("{{ row.name }}", "the name of the row"),
    Field("{%tc for cell in row.cells %} … {%tc endfor %}", "each figure of the row"),
    Field("{{ table.total_name }}", "the name of the row of all"),
    Field("{%tc for cell in table.total %} … {%tc endfor %}", "each figure of the row of all"),
    Field("{% if table.chart %}{{ table.chart.picture }}{% endif %}", "its chart, as a picture"),
    Field("{{ table.chart.title }}", "the chart's title"),
    Field("{{ table.chart.alt }}", "the chart in words"),
    Field("{%p for one in definitions %} … {%p endfor %}", "each measure of the report"),
    Field("{{ one.name }}", "its name"),
    Field("{{ one.means }}", "what it counts"),
)
