"""A CSV file, or a sheet of Excel, as rows with their line numbers, however it was saved; and what
is wrong with it.

Used by the two imports beside it. It knows columns, not what they mean; it reads no clock and no
database. A reason never quotes a name, a number or an address, as it may end up in a log.
"""

from __future__ import annotations

import csv
import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from helpline.desk.imports import sheets
from helpline.errors import InvalidInput

LONGEST_FIELD: Final = 2_000
"""Characters: more than any column of ours holds; a longer one is a missing quotation mark."""
CHUNK: Final = 500
_DELIMITERS: Final = (",", ";", "\t")
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

_READING: Final = threading.Lock()
"""How long a field may be is one number for the whole process."""
_T = TypeVar("_T")
Progress = Callable[[int, int], None]
"""Called with how many rows are done and how many there are."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file: the line a row starts on, the column where it is one's fault."""

    line: int | None
    column: str | None
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else "the file"
        return (
            f"{place}, {self.column}: {self.reason}" if self.column else f"{place}: {self.reason}"
        )


class ImportProblems(InvalidInput):
    """The file cannot be taken in, and nothing of it was; `problems` names everything wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        count = "1 thing is" if len(problems) == 1 else f"{len(problems)} things are"
        listed = "\n".join(str(problem) for problem in self.problems)
        super().__init__(f"{count} wrong, so nothing was imported:\n{listed}")


@dataclass(frozen=True)
class ImportResult:
    """How many rows were (or, in a dry run, would be) added, changed and left as they are.

    `problems` are no faults: they name rows that are already here with other values, which an
    import leaves alone.
    """

    added: int
    changed: int
    unchanged: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row: the line it starts on, and its values by column, without spaces around them."""

    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")


def read_rows(
    content: str | bytes, columns: Sequence[str], required: Sequence[str]
) -> tuple[list[Row], list[Problem]]:
    """The rows that have the right number of fields, and every fault found on the way.

    Raises ImportProblems at once where the rows cannot be told apart: no text, no header, or a
    column of `required` missing.
    """
    text, found = plain(content, required)
    with _READING:
        records = list(_records(text))
    header = next((record for record in records if not record.is_blank), None)
    if header is None:
        raise ImportProblems([Problem(None, None, "it is empty.")])
    if header.fault:
        raise ImportProblems([Problem(header.line, None, header.fault)])
    names = ["_".join(name.casefold().split()) for name in header.fields]
    problems = [*found, *_header_problems(header.line, names, columns, required)]
    if any(name not in names for name in required):
        raise ImportProblems(problems)
    rows = []
    for record in records[records.index(header) + 1 :]:
        if record.is_blank:
            continue
        fault = record.fault or _count_fault(len(record.fields), len(names))
        if fault:
            problems.append(Problem(record.line, None, fault))
            continue
        faults = [
            Problem(record.line, name, fault)
            for name, field in zip(names, record.fields, strict=True)
            if (fault := _field_fault(field))
        ]
        problems += faults
        if not faults:
            values = (field.strip() for field in record.fields)
            rows.append(Row(record.line, dict(zip(names, values, strict=True))))
    if not rows and not problems:
        problems.append(Problem(None, None, "it has a header and no rows."))
    return rows, problems


@dataclass(frozen=True)
class _Record:
    line: int
    fields: list[str]
    fault: str | None = None

    @property
    def is_blank(self) -> bool:
        return self.fault is None and not any(field.strip() for field in self.fields)


def plain(content: str | bytes, required: Sequence[str]) -> tuple[str, list[Problem]]:
    """The text of a CSV file or of a workbook's one list, and what only a workbook gets wrong. What
    it gives can be given to read_rows again."""
    if isinstance(content, str) or not sheets.is_workbook(content):
        return text_of(content), []
    try:
        sheet = sheets.read(content, required)
    except sheets.Refused as error:
        raise ImportProblems([Problem(None, None, str(error))]) from error
    return sheet.text, [Problem(*fault) for fault in sheet.faults]


def text_of(content: str | bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, else Windows-1252."""
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    encodings = [name for mark, name in _BOMS if content.startswith(mark)] or ["utf-8", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    reason = "it is no text that can be read; save it again as “CSV UTF-8”."
    raise ImportProblems([Problem(None, None, reason)])


def _records(text: str) -> Iterator[_Record]:
    """Every record with the line it starts on; a malformed one as a fault, and on with the next."""
    before = csv.field_size_limit(len(text) + 1)  # a huge field must not end the reading
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        while True:
            line = reader.line_num + 1
            try:
                yield _Record(line, next(reader))
            except csv.Error as error:
                yield _Record(line, [], _quote_fault(str(error)))
            except StopIteration:
                return
    finally:
        csv.field_size_limit(before)


def _quote_fault(error: str) -> str:
    if "end of data" in error:
        return "a quotation mark is opened and never closed; the rows after it were not read."
    return "a quotation mark stands inside a field; write it twice, and the field in quotes."


def _delimiter(text: str) -> str:
    """Whichever of comma, semicolon and tab the first line has most of."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=first.count)


def _header_problems(
    line: int, names: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> list[Problem]:
    found = Counter(names)
    wrong = [f"the column {name} is missing." for name in required if name not in found]
    wrong += [f"the column {name} is there {n} times." for name, n in found.items() if n > 1]
    allowed = ", ".join(columns)
    for name in found:
        if not name:
            wrong.append("a column has no name.")
        elif name not in columns:
            wrong.append(f"there is no column “{_short(name)}”; the columns are: {allowed}.")
    return [Problem(line, None, reason) for reason in wrong]


def _count_fault(found: int, wanted: int) -> str | None:
    if found == wanted:
        return None
    return f"it has {found} field{'' if found == 1 else 's'} where the header has {wanted}."


def _field_fault(field: str) -> str | None:
    if len(field) > LONGEST_FIELD:
        return f"it is longer than {LONGEST_FIELD:,} characters; is a quotation mark missing?"
    if "\0" in field:
        return "it holds a NUL, which no text has; save the file again as “CSV UTF-8”."
    return None


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def chunks(rows: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """The rows in portions that one statement of either database takes."""
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))
