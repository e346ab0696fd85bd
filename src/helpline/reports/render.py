"""A report as a file: to read and print, to work on in a spreadsheet, to be checked cell by cell.

Called by reports.make. The same report always gives the same bytes. It counts and hides nothing,
and knows no council; what is printed stands in templates/reports.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC
from functools import cache
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.errors import InvalidInput
from helpline.reports import codes
from helpline.reports.apart import there
from helpline.reports.cells import DIMENSIONS, Cell
from helpline.reports.report import Report
from helpline.reports.report_pdf import pdf
from helpline.reports.word import docx, word
from helpline.reports.workbook import xlsx
from helpline.settings import TEMPLATES
from helpline.templating import environment

FORMATS: Final = ("html", "pdf", "docx", "xlsx", "csv", "json")
COLUMNS: Final = (
    *("contract", "period", "start", "end", "measure", "what", *DIMENSIONS),
    *("value", "denominator", "denominator_as_of", "percent", "hidden", "note", "words", "source"),
)
_ACTIVE: Final = ("=", "+", "-", "@", "\t", "\r")


def checked(format: str) -> str:
    """The format, if a report can be made in it; else InvalidInput names those there are."""
    if format not in FORMATS:
        raise InvalidInput(f"A report can be made as {', '.join(FORMATS)}, not as {format[:20]}.")
    return format


def render(report: Report, format: str) -> bytes:
    """The report in one of FORMATS; what is text is in UTF-8."""
    texts: dict[str, Callable[[Report], str]] = {"html": _html, "csv": _csv, "json": _json}
    files: dict[str, Callable[[Report], bytes]] = {"pdf": pdf, "docx": docx, "xlsx": xlsx}
    if checked(format) in texts:
        return texts[format](report).encode()
    return files[format](report)


async def rendered(report: Report, format: str, template: bytes | None = None) -> bytes:
    """The same, beside everything else that the process does: a PDF of 30 pages takes a second.
    `template` is a council's own for Word."""
    if template is None:
        return await asyncio.to_thread(render, report, format)
    if checked(format) != "docx":
        raise InvalidInput("Only a Word document is made from a template: choose docx.")
    return await asyncio.to_thread(word, report, template)


async def made(
    session: AsyncSession, report: Report, format: str, template: bytes | None = None
) -> bytes:
    """The same, in the process apart where `session` has one: typesetting, spreadsheets and Word go
    after taking messages in. No connection is held meanwhile."""
    return await there(session, _made, report, format, template)


async def _made(_: AsyncSession, report: Report, format: str, template: bytes | None) -> bytes:
    return await rendered(report, format, template)


def inert(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that could be gets a ' in front."""
    return f"'{text}" if text.startswith(_ACTIVE) else text


def _html(report: Report) -> str:
    style = (TEMPLATES / "reports" / "report.css").read_text("utf-8")
    template = _pages().get_template("reports/report.html.j2")
    # Our own file, and the only place where a style stands in a page: an export has no server.
    return template.render(report=report, style=Markup(style))  # noqa: S704


@cache
def _pages() -> Environment:
    return environment()


def _csv(report: Report) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    period = report.period
    head = [report.contract.key, period.label, period.start, period.end]
    worded = codes.names(report.contract)
    for cell in report.cells:
        by = dict(cell.by)
        what = " · ".join(worded[dimension][code] for dimension, code in cell.by)
        row = [cell.measure, what, *(by.get(dimension) for dimension in DIMENSIONS)]
        figures = [cell.value, cell.denominator, cell.denominator_as_of, cell.percent]
        written = [*head, *row, *figures, cell.hidden, cell.note, cell.words, cell.source]
        writer.writerow([inert(one) if isinstance(one, str) else one for one in written])
    return text.getvalue()


def _json(report: Report) -> str:
    """One cell a line, so that two reports can be compared line by line."""
    period, rule = report.period, report.contract.disclosure
    head = {
        "contract": report.contract.key,
        "report": report.asked.code,
        "period": {
            "label": period.label,
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
        },
        "generated_at": report.generated_at.astimezone(UTC).isoformat(),
        "exact": report.exact,
        "protected": report.is_protected,
        "rounded_to": rule.round_to if report.is_protected else 1,
        "provisional": report.is_provisional,
        "definitions": report.view.definitions,
    }
    if report.said:
        head["said"] = dict(report.said)
    if report.number > 1:
        head |= {"number": report.number, "why": report.why}
    written = json.dumps(head, ensure_ascii=False, indent=1)
    cells = ",\n".join(json.dumps(_plain(cell), ensure_ascii=False) for cell in report.cells)
    return f'{written[:-2]},\n "cells": [\n{cells}\n]}}\n'


def _plain(cell: Cell) -> dict[str, Any]:
    """Six keys always; the others only where there is one."""
    plain: dict[str, Any] = {
        "measure": cell.measure,
        "by": dict(cell.by),
        "value": cell.value,
        "denominator": cell.denominator,
        "percent": cell.percent,
        "hidden": cell.hidden,
    }
    if cell.denominator_as_of:
        plain["denominator_as_of"] = cell.denominator_as_of.isoformat()
    said = {"note": cell.note, "words": cell.words, "source": cell.source}
    return plain | {name: text for name, text in said.items() if text}
