"""The same figures whichever way a report is taken; and a council's Word template, which is
somebody else's file."""

import copy
import io
import json
import random
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import docx
import openpyxl
import pypdf
import pytest

from helpline.contract import Contract
from helpline.errors import InvalidInput
from helpline.reports import codes, fill, word, word_check
from helpline.reports.cells import Cell, ordered, places
from helpline.reports.fields import FIELDS
from helpline.reports.figures import measures_of
from helpline.reports.protection import HIDDEN
from helpline.reports.render import render, rendered
from helpline.reports.report import Report
from helpline.reports.view import Table
from helpline.reports.word_template import built_in
from helpline.rules.disclosure import WITHHELD
from helpline.rules.periods import period
from helpline.settings import TEMPLATES

NOW = datetime(2026, 11, 1, 5, tzinfo=UTC)
Row = list[str]


@pytest.fixture(scope="module")
def report(essex: Contract) -> Report:
    return made_up(essex)


def made_up(contract: Contract) -> Report:
    """A protected report whose every cell is different if chance wills; counted from nothing. The
    longest line is left out: the others have tables of every kind."""
    chance = random.Random(5)
    whole, quarter = contract.report("quarter"), period("2026-27-Q1", contract.year_starts_month)
    asked = whole.model_copy(update={"lines": whole.lines[1:]})
    cuts = {ordered(cut) for line in asked.lines for cut in line.by} | {()}
    printed = codes.printed(contract)
    cells = [
        made_up_cell(chance, measure.code, by, is_share=bool(measure.of))
        for measure in measures_of(contract, "quarter", quarter)
        for cut in sorted(cuts & {ordered(one) for one in measure.cuts})
        for by in places(cut, printed)
    ]
    return Report(contract, asked, quarter, tuple(cells), (), False, True, NOW)


def made_up_cell(chance: random.Random, code: str, by: Any, is_share: bool) -> Cell:
    kind = chance.random()
    if kind < 0.15:
        return Cell(code, by, None, hidden=HIDDEN)
    if kind < 0.2:
        return Cell(code, by, None)
    value = float(chance.randint(0, 4_000)) if "minutes" in code else chance.randint(0, 4_000)
    if is_share and kind > 0.6:
        return Cell(code, by, value, denominator=5_000, percent=chance.randint(0, 1000) / 10)
    return Cell(code, by, value)


class Told:
    """What the JSON says, and how each cell of it reads."""

    def __init__(self, report: Report) -> None:
        told = json.loads(render(report, "json"))
        self.cells = {(one["measure"], *one["by"].items()): one for one in told["cells"]}
        self.symbol = report.contract.disclosure.symbol

    def cell(self, cell: Cell) -> dict[str, Any]:
        return self.cells[cell.measure, *cell.by]

    def read(self, cell: Cell, with_share: bool = True) -> str:
        one = self.cell(cell)
        if one["hidden"]:
            return self.symbol
        if one["value"] is None:
            return "–"
        value = f"{one['value']:,.1f}".removesuffix(".0")
        if "minutes" in cell.measure:
            hours, left = divmod(int(one["value"]), 60)
            said = [f"{hours} h" if hours else "", f"{left} min" if left or not hours else ""]
            value = " ".join(part for part in said if part)
        if one["percent"] is None or not with_share:
            return value
        return f"{value} ({one['percent']:.1f}".removesuffix(".0") + "%)"

    def rows(self, table: Table) -> Iterator[Row]:
        for name, cells in table.rows:
            yield [name, *map(self.read, cells)]
        yield [table.total_name, *(self.read(cell, False) for cell in table.total)]


def tables(report: Report) -> list[Table]:
    return [table for line in report.view.lines for table in line.tables]


def in_parts(rows: Sequence[Row], most: int) -> Iterator[Row]:
    size = -(-(len(rows[0]) - 1) // -(-(len(rows[0]) - 1) // most))
    for number, part in ((n, part) for n in range(0, len(rows[0]) - 1, size) for part in rows):
        yield [part[0], *part[1 + number : 1 + number + size]]


class Rows(HTMLParser):
    """The rows of a page's tables, as they are seen."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.hidden = self.is_in = False
        self.feed(source)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.is_in = True
        self.hidden = "visually-hidden" in (dict(attributes).get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        self.is_in = self.is_in and tag not in ("td", "th")
        self.hidden = False

    def handle_data(self, text: str) -> None:
        if self.is_in and not self.hidden:
            self.rows[-1][-1] += text


def test_every_format_shows_the_cells_of_the_json(report: Report) -> None:
    told = Told(report)
    wanted = [[*told.rows(table)] for table in tables(report)]
    assert sum(map(len, wanted)) > 150
    page = Rows(render(report, "html").decode()).rows
    assert not missing(wanted, [[" ".join(one.split()) for one in row] for row in page])
    paper = docx.Document(io.BytesIO(render(report, "docx")))
    written = [
        ["".join(node.text or "" for node in cell.iter(f"{W}t")) for cell in row.iter(f"{W}tc")]
        for row in paper.element.body.iter(f"{W}tr")
    ]
    assert not missing([[*in_parts(rows, 6)] for rows in wanted], written)


W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def missing(wanted: Sequence[Sequence[Row]], found: Sequence[Row]) -> Counter[str]:
    """Rows that should be there, and are not as often as they should."""
    due = Counter("|".join(row) for rows in wanted for row in rows)
    return due - Counter("|".join(row) for row in found)


def test_a_word_document_has_the_charts_and_says_what_they_show(report: Report) -> None:
    asked = [promise.chart for promise in report.view.promises]
    charts = [one for one in (*asked, *(table.chart for table in tables(report))) if one]
    paper = docx.Document(io.BytesIO(render(report, "docx")))
    shown = [shape._inline.docPr.get("descr") for shape in paper.inline_shapes]
    assert len(shown) == len(charts) > 10
    for chart, said in zip(charts, shown, strict=True):
        assert said.startswith(f"Bar chart. {chart.measure.name}: {chart.bars[0].name} ")
    assert {shape.width.cm for shape in paper.inline_shapes} == {16.5}


def test_a_template_cannot_reach_behind_a_picture(report: Report) -> None:
    reached = "{% for l in lines %}{% for t in l.tables %}{% if t.chart %}{{ t.chart.picture.X }}"
    reached += "{% endif %}{% endfor %}{% endfor %}"
    filled = word.values(report)
    word.draw(filled)
    for name in ("_page", "tpl", "save", "__class__", "__html__"):
        with pytest.raises(fill.Unfit):
            fill.filled(template(reached.replace("X", name)), copy.deepcopy(filled), NOW)


def test_every_field_that_is_listed_is_filled_and_every_other_is_not_known(report: Report) -> None:
    held = word.values(report)
    table = next(one for line in held["lines"] for one in line["tables"] if one["chart"])
    places = {"": held, "promise": held["promises"][0], "one": held["definitions"][0]}
    places |= {"line": held["lines"][0], "total": held["lines"][0]["totals"][0]}
    places |= {"table": table, "row": table["rows"][0], "table.chart": table["chart"]}
    listed = {
        found
        for one in FIELDS
        for found in re.findall(r"(?:\{\{|\bif|\bin) ([a-z_.]+)", one.written)
    }
    listed.discard("promise.table.caption")
    named = {(name.rpartition(".")[0], name.rpartition(".")[2]) for name in listed}
    unsaid = {("table", name) for name in ("part", "of", "is_crossed")}
    unsaid |= {("promise", "table"), ("table.chart", "bars")}
    assert named | unsaid == {(place, name) for place, keys in places.items() for name in keys}


def test_the_pdf_shows_them_too_and_can_be_read_aloud(report: Report) -> None:
    told, made = Told(report), render(report, "pdf")
    pages = pypdf.PdfReader(io.BytesIO(made))
    text = "".join("".join(page.extract_text() for page in pages.pages).split())
    for table in tables(report):
        most = 14 if table.is_crossed else 6
        for row in in_parts([*told.rows(table)], most):
            assert "".join("".join(row).split()) in text, row
    assert b"pdfuaid:part" in made
    alts = [one for one in all_of(pages) if one.get("/S") == "/Figure"]
    assert len(alts) > 10
    assert all("Bar chart." in one["/Alt"] for one in alts)


def all_of(pages: pypdf.PdfReader) -> Iterator[Any]:
    """Every element of the document's tree."""
    waiting = [pages.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        one = waiting.pop()
        yield one
        below = one.get("/K", [])
        kids = below if isinstance(below, list) else [below]
        found = [kid.get_object() for kid in kids]
        waiting += [kid for kid in found if isinstance(kid, dict) and "/S" in kid]


def test_the_workbook_holds_them_as_numbers_and_hides_nothing(report: Report) -> None:
    told = Told(report)
    book = openpyxl.load_workbook(io.BytesIO(render(report, "xlsx")))
    assert {sheet.sheet_state for sheet in book} == {"visible"}
    for line, sheet in zip(report.view.lines, book.worksheets[1:-1], strict=True):
        rows = [[*row] for row in sheet.values]
        assert sheet.freeze_panes == f"B{4 + len(line.said)}"
        for table in line.tables:
            start = next(at for at, row in enumerate(rows) if row[0] == table.caption) + 2
            for (name, cells), row in zip(table.rows, rows[start:], strict=False):
                figures = [told.cell(cell)["value"] for cell in cells]
                signs = [told.symbol if told.cell(cell)["hidden"] else "–" for cell in cells]
                wanted = [s if f is None else f for f, s in zip(figures, signs, strict=True)]
                assert row[: len(cells) + 1] == [name, *wanted]


@pytest.mark.parametrize("format", ["xlsx", "docx", "pdf"])
def test_what_somebody_supplied_is_never_a_formula_or_a_field(essex: Contract, format: str) -> None:
    evil = '=HYPERLINK("http://example.org") {{ title }} <w:p> #panic() \x07 我很好'
    area = essex.quadrants[0].model_copy(update={"name": evil})
    contract = essex.model_copy(update={"quadrants": (area, *essex.quadrants[1:])})
    made = render(made_up(contract), format)
    if format == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(made))
        cells = [cell for sheet in book for row in sheet for cell in row if cell.value]
        assert {cell.data_type for cell in cells} <= {"s", "n"}
        assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    if format == "docx":
        paper = docx.Document(io.BytesIO(made))
        assert any("{{ title }} <w:p>" in cell.text for cell in paper.tables[0].columns[0].cells)


def test_the_same_report_is_the_same_bytes(report: Report) -> None:
    for format in ("pdf", "docx", "xlsx"):  # the others: test_render.py
        assert render(report, format) == render(report, format), format


def test_the_json_is_as_its_published_schema_says(report: Report) -> None:
    schema = json.loads((TEMPLATES / "reports" / "report.schema.json").read_text("utf-8"))
    told = json.loads(render(report, "json"))
    assert schema["$defs"]["cell"]["properties"]["hidden"]["enum"] == [HIDDEN, WITHHELD, None]
    assert [*faults(told, schema, schema)] == []
    told["cells"][7]["hidden"] = "because"
    told["cells"][8]["name"] = "Carol"
    assert [*faults(told, schema, schema)] == ["/cells/7/hidden", "/cells/8/name"]


TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "integer": int,
}


def faults(value: Any, rule: dict[str, Any], root: dict[str, Any], at: str = "") -> Iterator[str]:
    """Where a value is not as its schema says: as much of JSON Schema as ours uses."""
    if "$ref" in rule:
        rule = root["$defs"][rule["$ref"].rpartition("/")[2]]
    kinds = rule.get("type", [*TYPES])
    allowed = [TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    is_fit = any(isinstance(value, kind) for kind in allowed)
    is_listed = "enum" not in rule or value in rule["enum"]
    pattern = rule.get("pattern")
    is_written = not isinstance(value, str) or not pattern or re.search(pattern, value)
    if not (is_fit and is_listed and is_written):
        yield at
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from faults(one, rule.get("items", {}), root, f"{at}/{number}")
    elif isinstance(value, dict):
        known, more = rule.get("properties", {}), rule.get("additionalProperties", {})
        yield from (f"{at}/{name}" for name in rule.get("required", ()) if name not in value)
        for name, one in value.items():
            if name in known or more is not False:
                yield from faults(one, known.get(name, more), root, f"{at}/{name}")
            else:
                yield f"{at}/{name}"


# --- a council's own template --------------------------------------------------------------------


def template(*paragraphs: str) -> bytes:
    paper, file = docx.Document(), io.BytesIO()
    for text in paragraphs:
        paper.add_paragraph(text)
    paper.save(file)
    return file.getvalue()


def packed(change: Callable[[dict[str, bytes]], None]) -> bytes:
    """A template whose parts were changed by hand."""
    with zipfile.ZipFile(io.BytesIO(template("{{ title }}"))) as old:
        held = {name: old.read(name) for name in old.namelist()}
    change(held)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in held.items():
            new.writestr(name, content)
    return file.getvalue()


def text_of(document: bytes) -> str:
    return "\n".join(one.text for one in docx.Document(io.BytesIO(document)).paragraphs)


def test_a_councils_own_template_is_filled(report: Report) -> None:
    own = template(
        "To the panel: {{ council }}, {{ period }}",
        "{% for p in promises %}{{ p.answer }}{% endfor %}",
    )
    said = text_of(word.word(report, own))
    assert "To the panel: Essex, 2026-27-Q1" in said


async def test_only_word_is_made_from_a_template(report: Report) -> None:
    own = template("Only {{ council }}")
    assert text_of(await rendered(report, "docx", own)) == "Only Essex"
    with pytest.raises(InvalidInput, match="choose docx"):
        await rendered(report, "pdf", own)


HOSTILE = {
    "unknown": (
        "{{ carer_names }} {{ title }}",
        "“carer_names”, which no report has. It has: title",
    ),
    "unknown below": ("{% for p in promises %}{{ p.names }}{% endfor %}", "“names”"),
    "out of the sandbox": ("{{ title.__class__.__mro__ }}", "may not do"),
    "by format": ("{{ '{0.__class__}'.format(title) }}", "may not do"),
    "without an end": ("{% for p in promises %}", "not written as one"),
    "for ever": ("{% for n in range(1000000000) %}x{% endfor %}", "“range”"),
    "another file": ("{% include '/etc/passwd' %}", "cannot be filled"),
}


@pytest.mark.parametrize(("text", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_template_that_asks_for_what_it_may_not_have(
    report: Report, text: str, said: str
) -> None:
    with pytest.raises(fill.Unfit, match=re.escape(said)):
        fill.filled(template(text), word.values(report), NOW)


def bomb(held: dict[str, bytes]) -> None:
    held["word/media/a.png"] = bytes(word_check.LARGEST_OPEN + 1)


def macros(held: dict[str, bytes]) -> None:
    held["word/vbaProject.bin"] = b"x"


def macro_type(held: dict[str, bytes]) -> None:
    old = held["[Content_Types].xml"]
    held["[Content_Types].xml"] = old.replace(b"document.main", b"document.macroEnabled.main")


def entity(held: dict[str, bytes]) -> None:
    old = held["word/document.xml"]
    evil = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    held["word/document.xml"] = old.replace(b"<w:document", evil + b"<w:document", 1)


def fetched(held: dict[str, bytes]) -> None:
    name = "word/_rels/document.xml.rels"
    link = b'<Relationship Id="r9" Type="x/image" Target="http://x.example" TargetMode="External"/>'
    held[name] = held[name].replace(b"</Relationships>", link + b"</Relationships>")


def relation(link: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(held: dict[str, bytes]) -> None:
        name = "word/_rels/document.xml.rels"
        held[name] = held[name].replace(b"</Relationships>", link + b"</Relationships>")

    return change


def body(xml: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(held: dict[str, bytes]) -> None:
        held["word/document.xml"] = held["word/document.xml"].replace(b"<w:sectPr", xml, 1)

    return change


def run(*texts: bytes) -> bytes:
    """One field whose instruction is written in several pieces."""
    piece = b"".join(b"<w:r><w:instrText>" + one + b"</w:instrText></w:r>" for one in texts)
    begin = b'<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    return b"<w:p>" + begin + piece + begin.replace(b"begin", b"end") + b"</w:p><w:sectPr"


def other_letters(held: dict[str, bytes]) -> None:
    text = held["word/document.xml"].decode().partition("?>")[2]
    held["word/document.xml"] = b"<?xml version='1.0' encoding='utf-16'?>" + text.encode("utf-16")


def main_part(held: dict[str, bytes]) -> None:
    held["word/x.png"] = held["word/document.xml"]
    types = held["[Content_Types].xml"]
    held["[Content_Types].xml"] = types.replace(b"/word/document.xml", b"/word/x.png")


ATTACHED = b'<Relationship Id="r9" Type="x/attachedTemplate" Target="http://x/hyperlink.dotm" '
FETCHED, RUNS = "from elsewhere", "fetches or runs"
WORD_PARTS = [
    (bomb, "holds too much"),
    (macros, "macros"),
    (macro_type, "macros"),
    (entity, "not written by Word"),
    (other_letters, "not written by Word|macros"),
    (main_part, "embedded files"),
    (fetched, FETCHED),
    (relation(ATTACHED + b"TargetMode='External'/>"), FETCHED),
    (relation(ATTACHED + b'TargetMode="&#69;xternal"/>'), FETCHED),
    (relation(b'<Relationship Id="r9" Type="x/aFChunk" Target="a.mht"/>'), "embedded files"),
    (
        relation(
            b'<Relationship Id="r9" Type="x/hyperlink" Target="file://x/y" TargetMode="External"/>'
        ),
        FETCHED,
    ),
    (body(b'<w:pict><x src="http://x/y.png" xmlns="v"/></w:pict><w:sectPr'), FETCHED),
    (body(run(b'DDEAUTO c:\\\\x "y"')), RUNS),
    (body(run(b"dde", b"auto x")), RUNS),
    (body(run(b"&#68;DEAUTO x")), RUNS),
    (body(run(b" LI", b"NK Excel.Sheet")), RUNS),
    (body(b"<w:p><w:fldSimple w:instr='INCLUDEPICTURE http://x/y'/></w:p><w:sectPr"), RUNS),
]


@pytest.mark.parametrize(("change", "said"), WORD_PARTS)
def test_a_template_that_brings_something_along(change: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        word_check.check(packed(change))


def test_what_a_councils_template_may_have() -> None:
    link = b'<Relationship Id="r9" Type="x/hyperlink" Target="https://x" TargetMode="External"/>'
    word_check.check(packed(relation(link)))
    word_check.check(packed(body(run(b"PAGE"))))
    word_check.check(packed(body(run(b'HYPERLINK "https://x/dde.html link"'))))


@pytest.mark.parametrize(
    "file", [b"", b"PK\x03\x04 no", b"%PDF-1.7", bytes(word_check.LARGEST + 1)]
)
def test_what_is_no_template_is_refused_in_words(file: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"not a Word document|larger than 5 MB"):
        word_check.check(file)


def test_a_template_with_one_broken_byte_is_refused_in_words() -> None:
    whole = packed(lambda held: None)
    with zipfile.ZipFile(io.BytesIO(whole)) as held:
        part = held.getinfo("word/document.xml")
    begins = part.header_offset + 30 + len(part.filename)
    for at in range(begins, begins + part.compress_size, 7):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        with pytest.raises(InvalidInput, match="not a Word document"):
            word_check.check(bytes(broken))


def test_a_template_in_letters_that_nobody_knows_is_refused_in_words() -> None:
    def foo(held: dict[str, bytes]) -> None:
        text = held["word/document.xml"].partition(b"?>")[2]
        held["word/document.xml"] = b'<?xml version="1.0" encoding="foo"?>' + text

    with pytest.raises(InvalidInput, match="not a Word document"):
        word_check.check(packed(foo))


def test_our_own_template_passes_its_own_check() -> None:
    word_check.check(built_in())
