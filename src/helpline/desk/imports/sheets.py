"""An Excel workbook (.xlsx) as the text that a CSV file would be, row for row, so that a fault has
the row's own number; and what only a workbook can get wrong.

Used by desk/imports/reading.py. A workbook comes from outside: its size is looked at before it is
opened, nothing in it is ever worked out or followed, and what it is not sure of is a fault.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import openpyxl

from helpline.rules.packed import content_of

DATES: Final = ("approved_from", "approved_to", "young_person_born", "as_of")
"""Columns in which a day is expected; anywhere else Excel made one out of something."""
LARGEST_UNPACKED: Final = 25_000_000
"""Bytes: twenty thousand people take 15 million."""
MOST_PARTS: Final = 500
LAST_ROW: Final = 50_000
LAST_COLUMN: Final = 60
HEADER_WITHIN: Final = 20
"""Rows: a title and a date may stand above the names of the columns."""
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_CELL: Final = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br=["']([A-Z]{1,4})([0-9]{1,10})["']""")
_MERGED: Final = re.compile(rb"""\bmergeCell\s[^>]*?\bref=["'][A-Z]+([0-9]+):[A-Z]+([0-9]+)["']""")
_NO_VALUE: Final = re.compile(
    rb"""<c\s[^>]*?\br=["']([A-Z]+)([0-9]+)["'][^>]*>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)"""
    rb"""\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"""
)
_ZEROS: Final = re.compile(r"0{2,20}")
_SAVE_AGAIN: Final = "it cannot be read as an Excel workbook; open it in Excel and save it again."


class Refused(Exception):
    """The workbook is not read at all; its sentence says what to do."""


@dataclass(frozen=True)
class Sheet:
    """The list as CSV text with a line for every row, and what is wrong: (row, column, reason)."""

    text: str
    faults: Sequence[tuple[int, str | None, str]]


def is_workbook(content: bytes) -> bool:
    """By its first bytes; what a file is called proves nothing."""
    return content.startswith((_ZIP, _OLE))


def read(content: bytes, required: Sequence[str]) -> Sheet:
    """The one sheet that has the `required` columns. Raises Refused."""
    if content.startswith(_OLE):
        raise Refused(
            "it has a password, or is an old .xls workbook; save it as .xlsx without a password."
        )
    try:
        parts = _looked_at(content)
        with warnings.catch_warnings(action="ignore"):  # what it leaves out does not concern us
            return _read(content, parts, required)
    except Refused:
        raise
    except Exception as error:  # whatever a made-up workbook sets off in the reader
        raise Refused(_SAVE_AGAIN) from error


def _looked_at(content: bytes) -> dict[str, bytes]:
    """The XML of its sheets by name, once nothing speaks against opening it."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        members = packed.infolist()
        if len(members) > MOST_PARTS or sum(one.file_size for one in members) > LARGEST_UNPACKED:
            raise Refused(
                "it is far larger inside than a list of people; copy the list alone into a new "
                "workbook."
            )
        names = [one.filename.lower() for one in members]
        if any("vbaproject" in name or "macrosheet" in name for name in names):
            raise Refused("it has macros in it; save it as a workbook without macros (.xlsx).")
        sheets = {}
        for one in members:
            xml = content_of(packed, one)  # whatever its name: the reader may open it
            if one.filename.lower().endswith((".xml", ".rels")):
                if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml or b"\0" in xml:
                    raise Refused(_SAVE_AGAIN)
                if "/worksheets/" in one.filename:
                    sheets[one.filename] = xml
                if one.filename == "[Content_Types].xml" and b"macroEnabled" in xml:
                    raise Refused("it may have macros; save it as a workbook without them (.xlsx).")
    for xml in sheets.values():
        _must_be_small(xml)
    return sheets


def _must_be_small(xml: bytes) -> None:
    for column, row in _CELL.findall(xml):
        if int(row) > LAST_ROW:
            raise Refused(
                f"a sheet goes on to row {int(row):,}; delete the rows below the list and save it."
            )
        if len(column) > 2 or _number(column.decode()) > LAST_COLUMN:
            raise Refused(
                f"a sheet goes on to column {column.decode()}; delete the columns beside the list."
            )


def _read(content: bytes, parts: dict[str, bytes], required: Sequence[str]) -> Sheet:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    found: list[tuple[Any, list[Any], int]] = []
    filled: list[tuple[Any, list[Any], int]] = []
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file says of its own size proves nothing
        rows = list(sheet.iter_rows(max_row=LAST_ROW, max_col=LAST_COLUMN))
        at = _header_at(rows, required)
        if at is not None:
            found.append((sheet, rows, at))
        elif any(_is_filled(row) for row in rows):
            filled.append((sheet, rows, _first_filled(rows)))
    if len(found) > 1:
        raise Refused(
            f"{len(found)} of its sheets are lists; put everybody on one sheet, and hand that in."
        )
    if not found and not filled:
        raise Refused("it is empty.")
    sheet, rows, at = (found or filled)[0]
    xml = parts.get(sheet._worksheet_path.lstrip("/"), b"")
    names = _names(rows[at])
    faults = [*_merged(xml, at + 1), *_not_worked_out(xml, at + 1, names)]
    lines: list[list[str]] = [[] for _ in range(at)]  # a title above the header is no row of it
    lines.append([str(cell.value or "") for cell in rows[at]][: len(names)])
    padded = _padded_ids(rows[at + 1 :], names)
    for number, row in enumerate(rows[at + 1 :], at + 2):
        line, wrong = _line(row, names, padded)
        lines.append(line if any(line) else [])
        faults += [(number, column, reason) for column, reason in wrong]
    return Sheet(_as_text(lines, len(names)), faults)


def _header_at(rows: Sequence[Sequence[Any]], required: Sequence[str]) -> int | None:
    for at, row in enumerate(rows[:HEADER_WITHIN]):
        if set(required) <= set(_names(row)):
            return at
    return None


def _first_filled(rows: Sequence[Sequence[Any]]) -> int:
    return next(at for at, row in enumerate(rows) if _is_filled(row))


def _is_filled(row: Iterable[Any]) -> bool:
    return any(cell.value not in (None, "") for cell in row)


def _names(row: Sequence[Any]) -> list[str]:
    """The columns' names, up to the last that has one."""
    names = ["_".join(str(cell.value or "").casefold().split()) for cell in row]
    while names and not names[-1]:
        names.pop()
    return names


def _line(
    row: Sequence[Any], names: Sequence[str], padded: int
) -> tuple[list[str], list[tuple[str | None, str]]]:
    line: list[str] = []
    wrong: list[tuple[str | None, str]] = []
    for name, cell in zip(names, row, strict=False):
        text, fault = _text(name, cell, padded)
        line.append(text)
        if fault:
            wrong.append((name, fault))
    if _is_filled(row[len(names) :]):
        wrong.append((None, "it has something beside the last column of the list."))
    return line, wrong


def _text(name: str, cell: Any, padded: int) -> tuple[str, str | None]:
    """A cell as somebody would have typed it, and what is wrong with it."""
    value = cell.value
    match value:
        case None:
            return "", None
        case bool():
            return str(value).upper(), None
        case datetime() | date():
            if name in DATES:
                return _day(value), None
            return "", "Excel has made a date of it; make the column text, and write it again."
        case int() | float():
            return _digits(name, value, str(cell.number_format or ""), padded)
    text = " ".join(str(value).split())
    if cell.data_type == "e":
        return "", "it is one of Excel's errors; write the value itself."
    return text, None


def _day(value: date) -> str:
    if isinstance(value, datetime) and (value.hour, value.minute, value.second) == (0, 0, 0):
        return value.date().isoformat()
    return value.isoformat()


def _digits(name: str, value: float, shape: str, padded: int) -> tuple[str, str | None]:
    """A number. Shown with zeros in front by its format, it has them; a telephone number or an id
    that must have had one has lost it."""
    if "%" in shape:  # Excel keeps 96.5% as 0.965
        return f"{value * 100:.10g}%", None
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.10g}", None
    text = str(int(value))
    if len(text) > 15:
        return "", "Excel rounds so long a number; make the column text, and write it again."
    if _ZEROS.fullmatch(shape):
        return text.zfill(len(shape)), None
    if name == "mobile" and not text.startswith("44"):
        return "", "it has lost the 0 in front; make the column text, and write the number again."
    if name == "person" and len(text) < padded:
        return text, "it may have lost the 0 in front; make the column text, and write it again."
    return text, None


def _padded_ids(rows: Iterable[Sequence[Any]], names: Sequence[str]) -> int:
    """How long the ids are where some begin with a nought: a shorter number has lost its own."""
    if "person" not in names:
        return 0
    at = names.index("person")
    ids = (row[at].value for row in rows if len(row) > at)
    return max(
        (len(one) for one in ids if isinstance(one, str) and one.isdigit() and one[0] == "0"),
        default=0,
    )


def _merged(xml: bytes, header: int) -> Iterator[tuple[int, str | None, str]]:
    """Merged cells from the header on: only the first has the value. Those of a title may be."""
    for first, last in _MERGED.findall(xml):
        if int(last) >= header:
            yield (
                max(int(first), header),
                None,
                "cells are merged here; unmerge them, and give each row its own value.",
            )


def _not_worked_out(
    xml: bytes, header: int, names: Sequence[str]
) -> Iterator[tuple[int, str | None, str]]:
    """Formulas without the value that Excel last had for them: they would read as empty."""
    for column, row in _NO_VALUE.findall(xml):
        at = _number(column.decode()) - 1
        if int(row) > header and at < len(names):
            yield int(row), names[at], "it is a formula without a value; paste the value itself."


def _number(column: str) -> int:
    """A is 1, AA is 27."""
    number = 0
    for letter in column:
        number = number * 26 + ord(letter) - 64
    return number


def _as_text(lines: Iterable[Sequence[str]], width: int) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    for line in lines:
        if line:
            writer.writerow([*line, *[""] * (width - len(line))])
        else:
            written.write("\n")
    return written.getvalue()
