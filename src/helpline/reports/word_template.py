"""The Word template that a report is made with where a council has sent none of its own, and that
a council's own can be begun from.

Built here rather than kept as a file, so that what stands in it can be read. Its fields are the
names of reports/paper.py; `{%p … %}`, `{%tr … %}` and `{%tc … %}` repeat a paragraph, a row, a
cell.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from docx import Document
from docx.document import Document as Written
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

INK: Final = RGBColor(0x17, 0x47, 0x5A)
QUIET: Final = RGBColor(0x50, 0x5A, 0x5F)
LETTERS: Final = "Arial"
SIZES: Final = {"Normal": 10, "Heading 1": 20, "Heading 2": 14, "Heading 3": 10.5}
OLD: Final = datetime(2026, 1, 1, tzinfo=UTC)
TOTALS: Final = (6.4, 2.6, 0.5, 4.5, 0.5, 0.5, 3.5, 0.5)
ONE: Final = "{{ title }}, {{ council }}, {{ period }}"
HEAD: Final = (
    "{{ start }} to {{ end }}. {{ contract }}, provided by {{ provider }} for "
    "{{ council_in_full }}. For: {{ recipients }}. Counted on {{ counted }}"
    "{% if is_provisional %}, while the period was still running: these figures are not final"
    "{% endif %}."
)
CAPTION: Final = (
    "{{ table.caption }}{% if table.of > 1 %} (part {{ table.part }} of {{ table.of }}){% endif %}"
)


@cache
def built_in() -> bytes:
    """The template as a file."""
    paper = Document()
    _look(paper)
    paper.add_heading(ONE, 1)
    paper.add_paragraph("{%p if opens %}")
    paper.add_paragraph().add_run("{{ opens }}").bold = True
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph(HEAD)
    paper.add_paragraph("{%p if restates %}")
    paper.add_paragraph().add_run("{{ restates }}").bold = True
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph("{%p if promises %}")
    paper.add_heading("Were the promises kept?", 2)
    paper.add_paragraph("{%p endif %}")
    _answers(paper)
    paper.add_paragraph("{{ note }}").paragraph_format.space_before = Pt(10)
    paper.add_paragraph("{%p for promise in promises %}")
    paper.add_paragraph("{%p set table = promise.table %}")
    paper.add_paragraph("{%p if table.rows %}")
    _cut(paper)
    _picture(paper)
    paper.add_paragraph("{%p endif %}")
    _late(paper)
    paper.add_paragraph("{%p endfor %}")
    _lines(paper)
    _meanings(paper)
    _annex(paper)
    file = io.BytesIO()
    paper.save(file)
    return file.getvalue()


def _meanings(paper: Written) -> None:
    paper.add_paragraph("{%p if definitions %}")
    paper.add_heading("What the figures mean", 2)
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph("{%p for one in definitions %}")
    meaning = paper.add_paragraph()
    meaning.add_run("{{ one.name }}. ").bold = True
    meaning.add_run("{{ one.means }}")
    meaning.paragraph_format.space_after = Pt(4)
    paper.add_paragraph("{%p endfor %}")


def _annex(paper: Written) -> None:
    """Tables of two things at once, of all lines: what few read stands behind what all do."""
    paper.add_paragraph("{%p if lines | selectattr('has_crossed') | list %}")
    paper.add_heading("Annex: by two things together", 2)
    paper.add_paragraph("{%p for line in lines %}")
    paper.add_paragraph("{%p if line.has_crossed %}")
    paper.add_paragraph().add_run("{{ line.title }}").bold = True
    paper.paragraphs[-1].paragraph_format.keep_with_next = True
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph("{%p for table in line.tables %}")
    paper.add_paragraph("{%p if table.is_crossed %}")
    _cut(paper)
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph("{%p endfor %}")
    paper.add_paragraph("{%p endfor %}")
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph()  # a document does not end with a table


def _look(paper: Written) -> None:
    section = paper.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2)
    section.top_margin = section.bottom_margin = Cm(1.8)
    for name, size in SIZES.items():
        style: Any = paper.styles[name]
        style.font.name, style.font.size = LETTERS, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        if name != "Normal":
            style.font.color.rgb, style.font.bold = INK, True
    normal: Any = paper.styles["Normal"]
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-GB")
    normal.element.get_or_add_rPr().append(language)
    foot = section.footer.paragraphs[0]
    foot.add_run(ONE + ". Counted on {{ counted }}. Page ").font.size = Pt(8)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        run = foot.add_run()
        run.font.size = Pt(8)
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        part.text = text or None
        run._r.append(part)
    about = paper.core_properties
    about.author, about.title, about.comments = "Helpline", "Report", ""
    about.created = about.modified = OLD


def _answers(paper: Written) -> None:
    paper.add_paragraph("{%p for promise in promises %}")
    paper.add_heading("{{ promise.name }}", 3)
    answer = paper.add_paragraph().add_run("{{ promise.answer }}")
    answer.bold, answer.font.size = True, Pt(18)
    paper.add_paragraph("{{ promise.more }}")
    paper.add_paragraph().add_run("{{ promise.where }}").bold = True
    paper.add_paragraph().add_run("{{ promise.times }}").font.size = Pt(9)
    paper.add_paragraph("{%p endfor %}")
    for paragraph in paper.paragraphs[-6:]:
        paragraph.paragraph_format.space_after = Pt(2)
        paragraph.paragraph_format.keep_with_next = True


def _late(paper: Written) -> None:
    paper.add_paragraph("{%p if promise.late %}")
    paper.add_heading("Each that was late: {{ promise.name | lower }}", 3)
    paper.add_paragraph("{%p for late in promise.late %}")
    paper.add_paragraph("{{ late }}", style="List Bullet")
    paper.add_paragraph("{%p endfor %}")
    paper.add_paragraph("{%p if promise.more_late %}")
    paper.add_paragraph("and {{ promise.more_late }} more, less late")
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph("{%p endif %}")


def _lines(paper: Written) -> None:
    paper.add_paragraph("{%p for line in lines %}")
    paper.add_heading("{{ line.title }}", 2)
    paper.add_paragraph("{%p if line.asks %}")
    paper.add_paragraph("{{ line.asks }}")
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph("{%p for said in line.said %}")
    paper.add_paragraph("{{ said }}")
    paper.add_paragraph("{%p endfor %}")
    paper.add_paragraph("{%p if line.totals %}")
    table = _table(paper, 8, _where("Question", "Figure", "Share, or source", "Expected"), TOTALS)
    table.add_row().cells[0].text = "{%tr for total in line.totals %}"
    expected = "{{ total.expected }}{% if total.state %} ({{ total.state }}){% endif %}"
    _row(table, _where("{{ total.name }}", "{{ total.figure }}", "{{ total.share }}", expected))
    for row in table.rows:
        row.cells[1].paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    table.add_row().cells[0].text = "{%tr endfor %}"
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph("{%p for table in line.tables %}")
    paper.add_paragraph("{%p if not table.is_crossed %}")
    _cut(paper)
    _picture(paper)
    paper.add_paragraph("{%p endif %}")
    paper.add_paragraph("{%p endfor %}")
    paper.add_paragraph("{%p endfor %}")


def _where(name: str, figure: str, share: str, expected: str) -> tuple[str, ...]:
    """A row of a line's figures: columns in which nothing would stand are not there."""
    shares = ("{%tc if line.has_share %}", share, "{%tc endif %}")
    return name, figure, *shares, "{%tc if line.has_expected %}", expected, "{%tc endif %}"


def _picture(paper: Written) -> None:
    """The chart of a table, where it has one."""
    paper.add_paragraph("{%p if table.chart %}")
    title = paper.add_paragraph().add_run("{{ table.chart.title }}")
    title.font.color.rgb, title.font.size = QUIET, Pt(9)
    paper.paragraphs[-1].paragraph_format.keep_with_next = True
    paper.paragraphs[-1].paragraph_format.space_before = Pt(8)
    paper.add_paragraph("{{ table.chart.picture }}")
    paper.add_paragraph("{%p endif %}")


def _cut(paper: Written) -> None:
    """One table of the report, with as many columns as it has."""
    paper.add_heading(CAPTION, 3)
    first = (
        "{{ table.first }}",
        "{%tc for name in table.columns %}",
        "{{ name }}",
        "{%tc endfor %}",
    )
    table = _table(paper, 4, first, (4.25, 4.25, 4.25, 4.25))
    table.add_row().cells[0].text = "{%tr for row in table.rows %}"
    _row(table, ("{{ row.name }}", "{%tc for cell in row.cells %}", "{{ cell }}", "{%tc endfor %}"))
    table.add_row().cells[0].text = "{%tr endfor %}"
    table.add_row().cells[0].text = "{%tr if table.total %}"
    total = (
        "{{ table.total_name }}",
        "{%tc for cell in table.total %}",
        "{{ cell }}",
        "{%tc endfor %}",
    )
    for cell in _row(table, total):
        for run in cell.paragraphs[0].runs:
            run.bold = True
    table.add_row().cells[0].text = "{%tr endif %}"
    for row in table.rows:
        row.cells[2].paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
        width = row.cells[2]._tc.get_or_add_tcPr().get_or_add_tcW()
        width.set(qn("w:type"), "auto")  # as many as there are share what is left
        width.set(qn("w:w"), "0")


def _table(paper: Written, columns: int, head: tuple[str, ...], widths: tuple[float, ...]) -> Any:
    table: Any = paper.add_table(rows=0, cols=columns, style="Light List")
    table.autofit = True
    whole = table._tbl.tblPr.find(qn("w:tblW"))
    whole.set(qn("w:type"), "pct")
    whole.set(qn("w:w"), "5000")
    for cell in _row(table, head):
        for run in cell.paragraphs[0].runs:
            run.bold = True
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Cm(width)
    again = OxmlElement("w:tblHeader")  # on every page that the table goes over
    table.rows[0]._tr.get_or_add_trPr().append(again)
    return table


def _row(table: Any, texts: tuple[str, ...]) -> Any:
    row = table.add_row()
    whole = OxmlElement("w:cantSplit")
    row._tr.get_or_add_trPr().append(whole)
    for cell, text in zip(row.cells, texts, strict=True):
        cell.text = text
    return row.cells
