"""A table of which nothing could be read gives way to its figures for all together, over longer
days too where the report counts them; and nothing is shown that was hidden."""

from dataclasses import replace
from datetime import UTC, datetime

from helpline.contract import Contract
from helpline.reports import codes
from helpline.reports.cells import Cell, places
from helpline.reports.protection import HIDDEN
from helpline.reports.report import Report
from helpline.reports.view import Line
from helpline.reports.view_parts import chart
from helpline.rules.periods import period

NOW = datetime(2027, 1, 2, 12, tzinfo=UTC)
TWIN = "cases_to_date"


def line(essex: Contract, open_areas: int, *, is_twin_open: bool | None = None) -> Line:
    """Cases by area, of which so many areas are shown; with `is_twin_open` the year to date too,
    its areas shown or hidden."""
    cases = essex.measure("cases").model_copy(update={"by": ("quadrant",), "crossed": False})
    twin = cases.model_copy(update={"code": TWIN, "basis": "year_to_date", "name": "So far"})
    asked = essex.report("quarter")
    one = asked.lines[0].model_copy(
        update={"measures": ("cases",), "by": ((), ("quadrant",)), "groups": (), "asks": ""}
    )
    contract = essex.model_copy(update={"own_measures": (cases, twin)})
    for remembered in ("measures", "splits"):
        contract.__dict__.pop(remembered, None)
    areas = places(("quadrant",), codes.printed(contract))
    cells = [Cell("cases", (), 40)]
    cells += [
        Cell("cases", by, 10) if place < open_areas else Cell("cases", by, None, hidden=HIDDEN)
        for place, by in enumerate(areas)
    ]
    if is_twin_open is not None:
        cells.append(Cell(TWIN, (), 90))
        shown = Cell(TWIN, (), 20) if is_twin_open else Cell(TWIN, (), None, hidden=HIDDEN)
        cells += [Cell(TWIN, by, shown.value, hidden=shown.hidden) for by in areas]
    span = period("2026-27-Q2", contract.year_starts_month)
    asked = asked.model_copy(update={"lines": (one,)})
    return Report(contract, asked, span, tuple(cells), (), False, True, NOW).view.lines[0]


def test_a_table_with_something_to_read_stays(essex: Contract) -> None:
    found = line(essex, 1)
    assert [table.by for table in found.tables] == [("quadrant",)]
    assert (found.coarser, found.instead) == ("", None)


def test_where_all_is_hidden_the_whole_stands_alone_and_it_is_said(essex: Contract) -> None:
    found = line(essex, 0)
    assert (found.tables, found.instead) == ([], None)
    assert found.coarser.startswith("Shown for all together, and not by area")
    assert [total.cell.value for total in found.totals] == [40]


def test_longer_days_stand_in_its_place_as_far_as_they_are_shown(essex: Contract) -> None:
    found = line(essex, 0, is_twin_open=True)
    assert found.instead is not None
    assert [cell.value for _, cells in found.instead.rows for cell in cells] == [40, 90]
    assert found.instead.columns[1].startswith("year to date, from 1 August 2026")
    (table,) = found.tables
    assert table.caption.endswith("year to date, from 1 August 2026")
    assert {cell.value for _, cells in table.rows for cell in cells} == {20}
    hidden = line(essex, 0, is_twin_open=False)
    assert hidden.tables == []  # the longer days are as hidden: they are not shown either


def test_a_report_signed_before_a_cut_was_agreed_can_still_be_read(
    essex: Contract,
) -> None:
    asked = essex.report("quarter")
    cells = [Cell("cases", (), 40), Cell("cases", (("quadrant", "north"),), 30)]
    span = period("2026-27-Q2", essex.year_starts_month)
    view = Report(essex, asked, span, tuple(cells), (), False, True, NOW).view
    (table,) = next(one for one in view.lines if one.totals).tables
    assert [cell.value for _, (cell,) in table.rows] == [30, *[None] * (len(table.rows) - 1)]


def test_a_report_signed_before_a_line_was_agreed_says_nothing_of_it(essex: Contract) -> None:
    asked = essex.report("quarter")
    old = asked.lines[1].model_copy(update={"code": "old", "measures": ("cases",)})
    new = old.model_copy(update={"code": "new", "measures": ("contacts",)})
    words = old.model_copy(update={"code": "words", "measures": ()})
    asked = asked.model_copy(update={"lines": (old, new, words)})
    span = period("2026-27-Q2", essex.year_starts_month)
    signed = Report(essex, asked, span, (Cell("cases", (), 40),), (), False, True, NOW)
    shown = {one.line.code: one.is_unwritten for one in signed.view.lines}
    assert shown == {"old": False, "words": True}
    told = replace(signed, said={"line:new": "Counted from spring on."})
    (line,) = (one for one in told.view.lines if one.line.code == "new")
    assert (line.said, line.is_unwritten) == (["Counted from spring on."], False)


def test_a_chart_calls_its_rows_the_largest_only_where_none_is_hidden(essex: Contract) -> None:
    measure = essex.measure("cases")

    def title(shown: int, hidden: int) -> str:
        cells = [Cell("cases", (), 10 + place) for place in range(shown)]
        cells += [Cell("cases", (), None, hidden=HIDDEN)] * hidden
        drawn = chart(measure, [(f"Row {place}", cell) for place, cell in enumerate(cells)])
        assert drawn is not None and len(drawn.bars) == min(
            shown, 10 if shown + hidden > 12 else 12
        )
        return drawn.title.removeprefix(measure.name)

    assert title(12, 0) == ""
    assert title(14, 0) == ", the 10 largest"
    assert title(13, 1) == ", the 10 largest of those shown"
    assert title(9, 5) == ", those that are shown"
