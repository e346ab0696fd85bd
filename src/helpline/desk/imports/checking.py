"""The checks that the columns of both imports share: words, instants, days, numbers.

Each takes a row and a column, returns the value, and notes what is wrong with it; the import goes
on to the next column, so that a file is put right in one go. Reads no clock: `now` is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final, Literal

from helpline.contract import Contract
from helpline.contract.words import squeezed
from helpline.desk.imports.reading import Problem, Row
from helpline.vocabulary import UNKNOWN

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Word = Literal["reason", "support", "method", "group", "outcome", "quadrant", "team"]


class Checks:
    """What a file's values mean under one contract, and everything found wrong with them."""

    def __init__(self, contract: Contract, now: datetime, problems: Sequence[Problem] = ()) -> None:
        self.contract, self.now, self.problems = contract, now, list(problems)
        self._told = {(one.line, one.column) for one in problems}
        self._once: dict[tuple[str, str], int] = {}

    def wrong(self, row: Row, column: str, reason: str) -> None:
        if (row.line, column) not in self._told:  # what could not be read is not also empty
            self.problems.append(Problem(row.line, column, reason))

    def needed(self, row: Row, column: str, longest: int = 200) -> str:
        """A value that must be there, and not longer than `longest` characters."""
        if not row[column]:
            self.wrong(row, column, "it is empty, and every row needs one.")
        return self.short(row, column, longest)

    def short(self, row: Row, column: str, longest: int = 200) -> str:
        if len(row[column]) > longest:
            self.wrong(row, column, f"it is longer than {longest} characters.")
        return row[column]

    def once(self, row: Row, column: str, value: str) -> None:
        """`value` must not stand in this column of an earlier row."""
        first = self._once.setdefault((column, value), row.line)
        if value and first != row.line:
            self.wrong(row, column, f"it is the same as on line {first}.")

    def word(self, row: Row, column: str, kind: Word) -> str:
        """The contract's code for a code, a name or a synonym; empty and "unknown" are unknown."""
        return self.code(row, column, kind, row[column])

    def words(self, row: Row, column: str, kind: Word) -> list[str]:
        """Several words with ; between them (or |), each code once; none where it is empty."""
        whole = self.contract.find_word(kind, row[column])
        if whole:
            return [whole]
        parts = [part.strip() for part in re.split(r"[;|\n]", row[column])]
        codes = [self.code(row, column, kind, part) for part in parts if part]
        return [code for code in dict.fromkeys(codes) if code != UNKNOWN]

    def code(self, row: Row, column: str, kind: Word, text: str) -> str:
        # Asked before the contract: some list "unknown" under "other", and a report must not.
        if not text or squeezed(text) == UNKNOWN:
            return UNKNOWN
        code = self.contract.find_word(kind, text)
        if code is None:
            shown = text if len(text) <= 40 else f"{text[:39]}…"
            allowed = ", ".join(self.contract.allowed(kind))
            self.wrong(row, column, f"“{shown}” is not known; it can be: {allowed}, or empty.")
        return code or UNKNOWN

    def instant(self, row: Row, column: str) -> datetime | None:
        """ISO 8601 with its zone, as UTC; not in the future. None where empty or wrong."""
        if not row[column]:
            return None
        try:
            read = datetime.fromisoformat(row[column])
            if read.tzinfo is None:
                self.wrong(row, column, "it has no time zone; write 2026-08-01T09:30:00+01:00.")
                return None
            instant = read.astimezone(UTC)
        except (ValueError, OverflowError):
            self.wrong(row, column, "it is no time; write it like 2026-08-01T09:30:00+01:00.")
            return None
        if instant > self.now:
            self.wrong(row, column, "it is in the future.")
        elif instant < EARLIEST:
            self.wrong(row, column, "it is before the year 2000.")
        return instant

    def day(self, row: Row, column: str) -> date | None:
        """A date like 2026-08-01; None where empty or wrong."""
        if not row[column]:
            return None
        try:
            if _DAY.fullmatch(row[column]):
                return date.fromisoformat(row[column])
        except ValueError:
            pass
        self.wrong(row, column, "it is no date; write it like 2026-08-01.")
        return None

    def number(self, row: Row, column: str, least: int, most: int, default: int) -> int:
        if not row[column]:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", row[column]) or not least <= int(row[column]) <= most:
            self.wrong(row, column, f"it must be a whole number from {least} to {most:,}.")
            return default
        return int(row[column])

    def not_before(
        self, row: Row, column: str, later: date | None, first_column: str, earlier: date | None
    ) -> None:
        """Two datetimes, or two dates: `later` must not come before `earlier`."""
        if later is not None and earlier is not None and later < earlier:
            self.wrong(row, column, f"it is before {first_column}.")
