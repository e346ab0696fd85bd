"""A report as a Word document: made from our own plain template, or from a council's own.

Called by reports/render.py. A template comes from outside: it is looked at before it is opened
(reports/word_check.py), and filled by reports/fill.py in a process that has little time and memory
and nothing but the report. The same report and template give the same bytes.
"""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from helpline.errors import InvalidInput
from helpline.reports.paper import paper, parts
from helpline.reports.report import Report
from helpline.reports.report_pdf import pictures
from helpline.reports.word_check import check
from helpline.rules.packed import content_of

FILLER: Final = Path(__file__).with_name("fill.py")
LONGEST_SECONDS: Final = 600
"""On a clock: who stands at the back of the queue may wait. What it may use up is in fill.py."""
COLUMNS: Final = 6
"""Of a table beside the rows' names; wider ones come in parts."""
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
FIXED: Final = (1980, 1, 1, 0, 0, 0)


def docx(report: Report) -> bytes:
    """The report in our own template."""
    from helpline.reports.word_template import built_in

    return word(report, built_in())


def word(report: Report, template: bytes) -> bytes:
    """The report in this template. Raises InvalidInput, saying what is wrong with it: not a Word
    document, too large, macros, something to be fetched, a field that no report has."""
    check(template)
    filled = _clean(values(report))
    if has_pictures(template):
        draw(filled)
    asked = {
        "template": base64.b64encode(template).decode(),
        "values": filled,
        "made": report.generated_at.astimezone(UTC).isoformat(),
    }
    try:
        made = subprocess.run(  # our own program; nothing on its line is from outside
            [sys.executable, "-I", str(FILLER)],
            input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InvalidInput("The template takes too long to fill. Use a simpler one.") from None
    if made.stdout.startswith(b"!"):
        raise InvalidInput(made.stdout[1:].decode())
    if made.returncode or not made.stdout.startswith(b"PK"):
        raise InvalidInput("The template cannot be filled: it needs too much time or memory.")
    return _stable(made.stdout)


def values(report: Report) -> dict[str, Any]:
    """The fields that a template may use, and what they hold for this report."""
    printed = paper(report)
    for line in printed["lines"]:
        line["tables"] = [part for table in line["tables"] for part in _parts(table)]
    for promise in printed["promises"]:
        table = promise["table"]
        drawn = {**table["chart"], "picture": ""} if table["chart"] else None
        table |= {"part": 0, "of": 0, "chart": drawn}
    return printed


def _parts(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """As many columns as the paper holds; the chart stands below the last of them."""
    for part in parts(table, COLUMNS):
        is_last = part["part"] == part["of"]
        chart = {**table["chart"], "picture": ""} if table["chart"] and is_last else None
        yield {**part, "chart": chart}


def has_pictures(template: bytes) -> bool:
    """Whether it asks for charts at all: drawing them takes half a second."""
    with zipfile.ZipFile(io.BytesIO(template)) as packed:
        content = content_of(packed, packed.getinfo("word/document.xml"))
    return b"picture" in re.sub(rb"<[^>]*>", b"", content)


def draw(filled: dict[str, Any]) -> None:
    """Beside each chart its picture, which reports/fill.py puts into the document."""
    tables = [promise["table"] for promise in filled["promises"]]
    tables += [table for line in filled["lines"] for table in line["tables"]]
    charts = [table["chart"] for table in tables if table["chart"]]
    for chart, png in zip(charts, pictures(charts), strict=True):
        chart["png"] = png


def _clean(value: Any) -> Any:
    """The same without the characters that no XML may hold."""
    if isinstance(value, str):
        return CONTROLS.sub("", value)
    if isinstance(value, dict):
        return {name: _clean(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return value


def _stable(document: bytes) -> bytes:
    """The same parts in the same order, without the hour at which they were packed."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(document)) as packed,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as again,
    ):
        for one in packed.infolist():
            content = content_of(packed, one)
            again.writestr(zipfile.ZipInfo(one.filename, FIXED), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()
