"""The council's list as an Excel workbook: the same difference and the same faults as for CSV, and
what only a workbook can do to a list, or to us."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from helpline.desk.imports import ImportProblems, sheets
from helpline.desk.imports.listed import COLUMNS, REQUIRED
from helpline.desk.imports.reading import read_rows

HEADER = ["person", "name", "kind", "mobile", "approved_from"]
CAROL = ["FC1", "Carol Ashby", "Foster carer", "07700 900123", date(2020, 1, 2)]


def workbook(*rows: Sequence[Any], change: Callable[[Any], object] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def repacked(content: bytes, **parts: str | None) -> bytes:
    """With these parts (dots and slashes as they are) put in, or instead of what was there."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for one in old.infolist():
            if one.filename not in parts:
                new.writestr(one.filename, old.read(one))
        for name, text in parts.items():
            new.writestr(name, text or "")
    return written.getvalue()


def rows(content: bytes | str) -> list[tuple[int, dict[str, str]]]:
    found, problems = read_rows(content, COLUMNS, REQUIRED)
    assert problems == []
    return [(row.line, row.values) for row in found]


def faults(content: bytes) -> list[tuple[int | None, str | None, str]]:
    try:
        _, problems = read_rows(content, COLUMNS, REQUIRED)
    except ImportProblems as error:
        problems = list(error.problems)
    return [(one.line, one.column, one.reason) for one in problems]


def test_a_workbook_reads_like_the_csv_file_of_the_same_list() -> None:
    text = "person,name,kind,mobile,approved_from\nFC1,Carol Ashby,Foster carer,07700 900123,"
    found = rows(workbook(HEADER, CAROL, [], ["FC2", " Jo  Pell\n", "Foster carer"]))
    assert found[0] == rows(text + "2020-01-02\n")[0]
    assert (found[1][0], found[1][1]["name"]) == (4, "Jo Pell")


def test_a_title_above_the_header_is_no_row_and_moves_no_number() -> None:
    def title(book: Any) -> None:
        book.active.merge_cells("A1:E1")

    found = rows(workbook(["Approved carers, August"], [], HEADER, CAROL, change=title))
    assert [line for line, _ in found] == [4]


def test_times_ids_and_formats_come_as_somebody_would_have_typed_them() -> None:
    def shape(book: Any) -> None:
        book.active["A2"].number_format = "000000"
        book.active["D2"].number_format = "00000000000"

    row = [123, "Carol", "Foster carer", 7700900123, datetime(2020, 1, 2)]  # noqa: DTZ001 - Excel's
    ((_, values),) = rows(workbook(HEADER, row, change=shape))
    assert (values["person"], values["mobile"]) == ("000123", "07700900123")
    assert values["approved_from"] == "2020-01-02"


def test_what_excel_did_to_a_list_is_named_with_its_row() -> None:
    def merged(book: Any) -> None:
        book.active.merge_cells("B6:B7")

    found = faults(
        workbook(
            HEADER,
            ["00017", "Carol", "Foster carer", 7700900123, "2/1/2020"],
            [18, "Jo", "Foster carer"],
            [date(2026, 3, 4), "Ann", "Foster carer", None, None, "and more"],
            ["FC9", "#N/A", 12345678901234567890],
            ["FC10", "Ida", "Foster carer"],
            ["FC11", None, "Foster carer"],
            change=merged,
        )
    )
    wanted = {
        (2, "mobile", "lost the 0"),
        (3, "person", "lost the 0"),
        (4, "person", "made a date"),
        (4, None, "beside the last column"),
        (5, "name", "Excel's errors"),
        (5, "kind", "rounds"),
        (6, None, "merged"),
    }
    told = {(line, column) for line, column, _ in found}
    assert told == {(line, column) for line, column, _ in wanted}
    for line, column, words in wanted:
        assert any((line, column) == (a, b) and words in reason for a, b, reason in found)


def test_a_formula_counts_by_the_value_it_last_had_and_without_one_is_a_fault() -> None:
    content = workbook(HEADER, CAROL, ["FC2", "=B2", "Foster carer"])
    assert [(line, column) for line, column, reason in faults(content) if "formula" in reason] == [
        (3, "name")
    ]
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        xml = packed.read("xl/worksheets/sheet1.xml").decode()
    valued = xml.replace("<f>B2</f><v />", "<f>B2</f><v>7</v>").replace("<v></v>", "<v>7</v>")
    assert valued != xml
    found = rows(repacked(content, **{"xl/worksheets/sheet1.xml": valued}))
    assert found[1][1]["name"] == "7"


def two_lists(book: Any) -> None:
    for row in (HEADER, CAROL):
        book.create_sheet("West").append(row) if row is HEADER else book["West"].append(row)


def far_down(book: Any) -> None:
    book.active["A60000"] = "x"


def far_right(book: Any) -> None:
    book.active["ZZ1"] = "x"


GOOD = workbook(HEADER, CAROL)
BOMB = "<a>" + " " * 30_000_000 + "</a>"


def belied(content: bytes, name: str) -> bytes:
    """With a part that says it is a hundred bytes long, its sum being of those."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        begun = packed.read(name)[:100]
    made = bytearray(content)
    at = made.rindex(name.encode()) - 46  # the list of parts is at the end of the file
    struct.pack_into("<L", made, at + 16, zlib.crc32(begun))
    struct.pack_into("<L", made, at + 24, len(begun))
    return bytes(made)


PICTURE = "xl/media/a.png"
HOSTILE = {
    "an old workbook or one with a password": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "password"),
    "no workbook": (b"PK\x03\x04 this is none", "cannot be read"),
    "cut off": (GOOD[:-200], "cannot be read"),
    "a bomb": (repacked(GOOD, **{"xl/media/x.xml": BOMB}), "larger inside"),
    "larger than it says": (
        belied(repacked(GOOD, **{PICTURE: " " * 1_000}), PICTURE),
        "cannot be read",
    ),
    "macros": (repacked(GOOD, **{"xl/vbaProject.bin": "x"}), "macros"),
    "entities": (
        repacked(GOOD, **{"xl/sharedStrings.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
        "cannot be read",
    ),
    "no XML": (repacked(GOOD, **{"xl/worksheets/sheet1.xml": "<sheet"}), "cannot be read"),
    "no parts": (repacked(GOOD, **{"xl/workbook.xml": None}), "cannot be read"),
    "a million rows": (workbook(HEADER, CAROL, change=far_down), "row 60,000"),
    "hundreds of columns": (workbook(HEADER, CAROL, change=far_right), "column ZZ"),
    "two lists": (workbook(HEADER, CAROL, change=two_lists), "2 of its sheets"),
    "nothing": (workbook(), "empty"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_workbook_that_is_no_list_is_refused_with_a_plain_sentence(what: str) -> None:
    content, words = HOSTILE[what]
    (fault,) = faults(content)
    assert fault[:2] == (None, None)
    assert words in fault[2]


def test_notes_on_another_sheet_are_left_out_and_a_list_without_its_columns_is_told_so() -> None:
    def notes(book: Any) -> None:
        book.create_sheet("Notes").append(["Ask Jo about these"])

    assert len(rows(workbook(HEADER, CAROL, change=notes))) == 1
    assert any("person is missing" in reason for *_, reason in faults(workbook(["a"], ["b"])))


def test_it_can_be_told_from_a_text() -> None:
    assert sheets.is_workbook(GOOD)
    assert not sheets.is_workbook(b"person,name,kind\n")
