"""A list of figures that were counted elsewhere: what a report needs from outside, or the quarters
before our first day, so that trends begin before us.

Used by desk/supplying.py for the page and the command line. It reads and checks; it writes nothing.
A row names its measure and its cut by code or by the words that the report prints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.contract.words import squeezed
from helpline.desk.imports.checking import Checks
from helpline.desk.imports.reading import Problem, Row, read_rows
from helpline.errors import InvalidInput
from helpline.reports import codes
from helpline.reports.cells import By, by_of
from helpline.rules.periods import Period

COLUMNS: Final = ("period", "measure", "cut", "value", "source", "as_of")
REQUIRED: Final = ("measure", "value")
MOST_ROWS: Final = 5_000
LONGEST_SOURCE, LONGEST_WORDS = 200, 200
MOST: Final = 1_000_000_000
MOST_PERCENT: Final = 300
"""Turnover can pass a hundred; 965 for 96.5 is a slip."""
_NUMBER: Final = re.compile(r"(£?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?(%?)")
_NONE: Final = re.compile(r"(no|none|not|nothing|n/a)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Listed:
    """One row, understood. `line` is where it stands in its file; 0 where it was typed."""

    line: int
    period: Period
    measure: Measure
    by: By
    value: float | None
    words: str | None
    source: str
    as_of: date | None


def figure(measure: Measure, text: str) -> tuple[float | None, str | None]:
    """What somebody wrote for a measure: a number ("1,204", "96.5%"), a grade, or in words why
    there is none. InvalidInput says what it may be."""
    said = " ".join(text.split())
    if measure.unit == "grade":
        return None, _grade(measure, said)
    found = _NUMBER.fullmatch(said.replace(" ", ""))
    if found is not None:
        return _number(measure, found), None
    if not said or re.search(r"[0-9]", said):
        raise InvalidInput("Write a number such as 12 or 96.5, or in words why there is none.")
    if measure.counts != "supplied":
        raise InvalidInput("This is counted: write a number.")
    return None, _short(said)


def may_be_supplied(contract: Contract, measure: Measure, period: Period) -> bool:
    """What nobody here counts; and what we count, for a time before the first day with us."""
    return measure.counts == "supplied" or period.end < contract.term.start


def read(
    contract: Contract, content: str | bytes, label: str, now: datetime
) -> tuple[list[Listed], list[Problem]]:
    """The rows that are right, and everything that is wrong. `label`: the period of a row that
    names none, or empty. ImportProblems where rows cannot be told apart."""
    rows, problems = read_rows(content, COLUMNS, REQUIRED)
    if len(rows) > MOST_ROWS:
        raise InvalidInput(f"There are more than {MOST_ROWS:,} rows. Hand it in in parts.")
    reading = _Reading(contract, label, Checks(contract, now, problems))
    listed = [one for row in rows if (one := reading.row(row)) is not None]
    return listed, reading.checks.problems


def begun(contract: Contract, label: str, now: datetime) -> Period:
    """The period of a label. InvalidInput for one that is none, or has not begun."""
    period = contract.period(label)
    if period.start > now.astimezone(ZoneInfo(contract.zone)).date():
        raise InvalidInput(f"{period.label} has not begun: nothing can be said of it yet.")
    return period


@dataclass(frozen=True)
class _Reading:
    contract: Contract
    label: str
    checks: Checks

    def row(self, row: Row) -> Listed | None:
        before = len(self.checks.problems)
        period, measure = self._period(row), self._measure(row)
        source = self.checks.short(row, "source", LONGEST_SOURCE)
        as_of = self.checks.day(row, "as_of")
        if as_of and as_of > self.checks.now.astimezone(ZoneInfo(self.contract.zone)).date():
            self.checks.wrong(row, "as_of", "it is in the future.")
        if period is None or measure is None:
            return None
        if not may_be_supplied(self.contract, measure, period):
            self.checks.wrong(
                row,
                "measure",
                f"we count this ourselves from {self.contract.term.start} on; it can be given for "
                "periods before that day only.",
            )
        by, value, words = self._cut(row, measure), None, None
        try:
            value, words = figure(measure, row["value"])
        except InvalidInput as error:
            self.checks.wrong(row, "value", _lower(str(error)))
        if by is None or len(self.checks.problems) > before:
            return None
        self.checks.once(row, "measure", f"{period.label} {measure.code} {by}")
        return Listed(row.line, period, measure, by, value, words, source, as_of)

    def _period(self, row: Row) -> Period | None:
        label = row["period"] or self.label
        if not label:
            self.checks.wrong(row, "period", "it is empty, and every row needs one.")
            return None
        try:
            return begun(self.contract, label, self.checks.now)
        except InvalidInput as error:
            self.checks.wrong(row, "period", _lower(str(error)))
            return None

    def _measure(self, row: Row) -> Measure | None:
        found = self.contract.measures.get(row["measure"])
        found = found or self._by_name.get(squeezed(row["measure"]))
        if found is None:
            self.checks.wrong(
                row,
                "measure",
                f"“{row['measure'][:60]}” is no measure of this contract; take its name or code "
                "from the page “What the figures mean”.",
            )
        return found

    @cached_property
    def _by_name(self) -> Mapping[str, Measure]:
        return {squeezed(one.name): one for one in self.contract.measures.values()}

    def _cut(self, row: Row, measure: Measure) -> By | None:
        """ "quadrant=west; carer_type=foster_carer", or in the words of the report."""
        pairs: dict[str, str] = {}
        for part in re.split(r"[;,]", row["cut"]):
            if not part.strip():
                continue
            said = re.match(r"([^=:]*)[=:](.*)", part, re.DOTALL)
            found = self._code(said[1], said[2]) if said and said[2].strip() else None
            if found is None:
                listed = ", ".join(measure.by) or "nothing: it is a total"
                self.checks.wrong(
                    row, "cut", f"write it like quadrant=west; it can be cut by {listed}."
                )
                return None
            pairs[found[0]] = found[1]
        by = by_of(pairs)
        if tuple(name for name, _ in by) not in {tuple(by_names(cut)) for cut in measure.cuts}:
            self.checks.wrong(row, "cut", "this measure is not cut in this way.")
            return None
        return by

    def _code(self, name: str, code: str) -> tuple[str, str] | None:
        for dimension, said in codes.NAMES.items():
            if squeezed(name) in (squeezed(dimension), squeezed(said)):
                for one, words in self._names[dimension].items():
                    if squeezed(code) in (squeezed(one), squeezed(words)):
                        return dimension, one
        return None

    @cached_property
    def _names(self) -> Mapping[str, Mapping[str, str]]:
        return codes.names(self.contract)


def by_names(cut: Sequence[str]) -> list[str]:
    """The dimensions of a cut in the order of every cell."""
    return [name for name in codes.NAMES if name in cut]


def _number(measure: Measure, found: re.Match[str]) -> float:
    pounds, whole, part, percent = found.groups(default="")
    if percent and measure.unit != "percent":
        raise InvalidInput("This is no percentage: write the number itself.")
    if pounds and measure.unit != "pounds":
        raise InvalidInput("This is no sum of money: write the number itself.")
    most = {"pounds": 2}.get(measure.unit, 1)
    if measure.counts != "supplied" and not measure.is_minutes:
        most = 0
    if len(part) > most:
        raise InvalidInput(
            "This is counted: write a whole number."
            if not most
            else f"Write it with at most {most} decimal{'s' if most > 1 else ''}."
        )
    value = float(f"{whole.replace(',', '')}.{part or 0}")
    if value > (MOST_PERCENT if measure.unit == "percent" else MOST):
        raise InvalidInput("That is too much to be right: look at the number again.")
    return value


def _grade(measure: Measure, said: str) -> str:
    scale = measure.target.scale if measure.target else ()
    for one in scale:
        if squeezed(one) == squeezed(said):
            return one
    if not said or (scale and not _NONE.match(said)):
        listed = ", ".join(scale) or "the grade in words"
        raise InvalidInput(f"Write one of: {listed}; or why there is none (“Not inspected”).")
    return _short(said)


def _short(said: str) -> str:
    if len(said) > LONGEST_WORDS:
        raise InvalidInput(f"Say it shorter: {LONGEST_WORDS} characters are enough.")
    return said


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
