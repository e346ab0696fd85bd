"""The files: stable, complete, harmless in a spreadsheet, readable without a server."""

import csv
import io
import json
import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import jinja2
import pytest

from helpline import reports
from helpline.contract import Contract
from helpline.db import Database
from helpline.reports.render import inert, render
from helpline.templating import environment
from tests.reports import past_quarter
from tests.reports.test_figures import counted, log, row, take_in
from tests.reports.test_protection import small_quarter


async def made(
    db: Database, contract: Contract, format: str, now: datetime, exact: bool = True
) -> str:
    async with db.read() as session:
        body = await reports.make(session, contract, "2026-27-Q1", format, now, exact)
    return body.decode()


@pytest.mark.parametrize("exact", [True, False])
async def test_the_same_report_is_the_same_bytes(
    db: Database, essex: Contract, now: datetime, exact: bool
) -> None:
    await small_quarter(db, essex, now, 60)
    first = await counted(db, essex, "2026-27-Q1", now, exact)
    again = await counted(db, essex, "2026-27-Q1", now, exact)
    for format in ("html", "csv", "json"):  # the others: test_formats.py
        assert render(first, format) == render(again, format)


async def test_the_json_says_what_it_is_and_what_it_counts(
    db: Database, essex: Contract, now: datetime
) -> None:
    report = json.loads(await made(db, essex, "json", now, exact=False))
    assert report["contract"] == "essex"
    assert report["period"] == {"label": "2026-27-Q1", "start": "2026-08-01", "end": "2026-10-31"}
    assert (report["exact"], report["protected"]) == (False, True)
    assert set(report["definitions"]) == {cell["measure"] for cell in report["cells"]}
    for cell in report["cells"]:
        assert {"measure", "by", "value", "denominator", "percent", "hidden"} <= set(cell)


async def test_the_table_has_the_cells_of_the_json(
    db: Database, essex: Contract, now: datetime
) -> None:
    await small_quarter(db, essex, now, 60)
    cells = json.loads(await made(db, essex, "json", now))["cells"]
    table = list(csv.DictReader(io.StringIO(await made(db, essex, "csv", now), newline="")))
    assert len(table) == len(cells)
    for line, cell in zip(table, cells, strict=True):
        by = {name: line[name] for name in cell["by"]}
        assert (line["measure"], by) == (cell["measure"], cell["by"])
        assert line["value"] == ("" if cell["value"] is None else str(cell["value"]))


@pytest.mark.parametrize("text", ["=1+1", "+44", "-2", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_cell_that_could_be_a_formula_is_made_inert(text: str) -> None:
    assert inert(text) == f"'{text}"
    assert inert("North Essex") == "North Essex"


async def test_a_contracts_own_words_cannot_become_a_formula(
    db: Database, essex: Contract, now: datetime
) -> None:
    evil = essex.quadrants[0].model_copy(update={"name": '=HYPERLINK("http://example.org")'})
    contract = essex.model_copy(update={"quadrants": (evil, *essex.quadrants[1:])})
    table = await made(db, contract, "csv", now)
    assert "'=HYPERLINK" in table
    assert not re.search(r'(^|,)"?[=+@-]', table, re.MULTILINE)


class Page(HTMLParser):
    """Tags and text of a page, and anything a content policy would refuse."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text, self.tags, self.refused = "", [], []
        self.feed(source)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append(tag)
        self.refused += [name for name, _ in attributes if name == "style" or name[:2] == "on"]

    def handle_data(self, text: str) -> None:
        self.text += text


def words(page: str) -> str:
    return " ".join(Page(page).text.split())


async def test_the_page_needs_no_script_and_no_inline_style(
    db: Database, essex: Contract, now: datetime
) -> None:
    page = Page(await made(db, essex, "html", now))
    assert page.refused == []
    assert "script" not in page.tags
    assert "link" not in page.tags


async def test_the_first_thing_said_is_whether_the_24_hours_were_kept_and_where_not(
    db: Database, essex: Contract, now: datetime
) -> None:
    late, soon = "2026-08-07T10:00:00Z", "2026-08-05T10:40:00Z"
    rows = [row("a", quadrant="mid", first_response_at=late, allocated_at=soon)]
    rows += [row(f"b{n}", first_response_at=soon, allocated_at=soon) for n in range(3)]
    await take_in(db, essex, past_quarter.as_csv(rows), now)
    said = words(await made(db, essex, "html", now))
    assert "No. 1 of 4 was late (25%); 3 were in time (75%). Where: Mid Essex (1)." in said
    assert "Yes, every time. 4 of 4." in said
    assert "Mid Essex: 24 h late" in said
    assert said.index("Were the promises kept?") < said.index("accessing the service")


async def test_a_protected_page_does_not_say_how_few_and_hides_the_case(
    db: Database, essex: Contract, now: datetime
) -> None:
    late, soon = "2026-08-07T10:00:00Z", "2026-08-05T10:40:00Z"
    rows = [row("a", quadrant="mid", first_response_at=late)]
    rows += [row(f"b{n}", first_response_at=soon, person=f"P{n}") for n in range(99)]
    await take_in(db, essex, past_quarter.as_csv(rows), now)
    said = words(await made(db, essex, "html", now, exact=False))
    assert "Fewer than 8 were late, if any. At least 92 in 100 were in time." in said
    assert "24 h late" not in said


async def test_nothing_happened_reads_as_nothing_and_prints_noughts(
    db: Database, essex: Contract, now: datetime
) -> None:
    said = words(await made(db, essex, "html", now))
    assert said.count("Nothing to answer.") == 2
    assert "People who made contact 0" in said
    assert "Not known" in said
    assert "Reported against: ECC Corporate Outcome 4: People in Essex live in safe" in said  # A17


async def test_a_running_period_is_marked_as_not_final(
    db: Database, essex: Contract, now: datetime
) -> None:
    early = now.replace(month=9)
    await take_in(db, essex, log(("a", "2026-08-05T10:00:00Z")), early)
    assert "not final" in words(await made(db, essex, "html", early))
    assert "not final" not in words(await made(db, essex, "html", now))


async def test_charts_have_a_title_and_a_description(
    db: Database, essex: Contract, now: datetime
) -> None:
    await small_quarter(db, essex, now, 60)
    page = await made(db, essex, "html", now)
    assert page.count("<svg") == page.count("<title id=") == page.count("<desc id=") > 10
    assert "The longest is" in page


async def test_no_template_asks_for_what_is_not_there(
    db: Database, essex: Contract, now: datetime
) -> None:
    await small_quarter(db, essex, now, 60)
    strict = environment().overlay(undefined=jinja2.StrictUndefined)
    for exact in (True, False):
        report = await counted(db, essex, "2026-27-Q1", now, exact)
        assert strict.get_template("reports/_report.html.j2").render(report=report)
