"""Reads a folder of contract files and gives back contracts, or every fault of every file at once.

Called at the start and by `helpline check`: the service does not start on a folder with a fault.
It only reads; what may be wrong is decided by the parts' types and by contract/checks.py.
"""

from __future__ import annotations

import csv
import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from helpline.contract import codes, measuring, parts, pathway
from helpline.contract.agreement import Contract
from helpline.contract.checks import faults, repeated
from helpline.contract.document import Document, rows, texts
from helpline.errors import InvalidInput
from helpline.rules.postcodes import Share

_SET_AT_LOADING: Final = (
    *("file", "outcodes", "holidays", "path", "measure_tables", "document", "own_words"),
)


@dataclass(frozen=True)
class Problem:
    """One thing wrong: the file, the key as a dotted path ("clocks[0].limit_hours"), the reason."""

    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.file}: {self.key}: {self.reason}" if self.key else f"{self.file}: {self.reason}"
        )


class ContractProblems(InvalidInput):
    """The contracts cannot be used; `problems` names everything that is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("The contracts cannot be used:\n" + "\n".join(map(str, problems)))


_Stamp = tuple[tuple[str, int, int], ...]
_loaded: dict[_Stamp, dict[str, Contract]] = {}
_KEPT: Final = 4


def load_contracts(folder: Path) -> dict[str, Contract]:
    """All contracts of a folder by their key. Raises ContractProblems with every fault found. Files
    that have not changed since the last time in this process are not read again."""
    stamp = _stamp(folder)
    if stamp not in _loaded:
        found = _read(folder)
        while len(_loaded) >= _KEPT:
            _loaded.pop(next(iter(_loaded)))
        _loaded[stamp] = found
    return {key: one.model_copy() for key, one in _loaded[stamp].items()}


def _stamp(folder: Path) -> _Stamp:
    """Which files there are, when each was written and how long it is."""
    if not folder.is_dir():
        return ()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)


def _read(folder: Path) -> dict[str, Contract]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        why = f"the folder of contracts cannot be read: {error.strerror or 'unknown reason'}."
        raise ContractProblems([Problem(str(folder), "", why)]) from error
    if not files:
        nothing = "the folder holds no contract; put one .toml file a contract in it."
        raise ContractProblems([Problem(str(folder), "", nothing)])
    problems: list[Problem] = []
    documents: dict[str, Document] = {}
    contracts: dict[str, Contract] = {}
    for path in files:
        read = _document(path)
        if isinstance(read, Problem):
            problems.append(read)
            continue
        documents[path.name] = read
        contract, wrong = _contract(path, read)
        problems += wrong
        if contract is not None:
            contracts.setdefault(contract.key, contract)
    problems += _shared(documents)
    if problems:
        raise ContractProblems(problems)
    return contracts


def _document(path: Path) -> Document | Problem:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or 'unknown reason'}."
    except UnicodeDecodeError:
        reason = "the file is not UTF-8 text."
    except tomllib.TOMLDecodeError as error:
        reason = f"the file is not TOML: {error}."
    except RecursionError:
        reason = "the file is not a contract: its lists are nested too deeply."
    return Problem(path.name, "", reason)


def _contract(path: Path, document: Document) -> tuple[Contract | None, list[Problem]]:
    wrong = [
        Problem(path.name, name, "this is filled in when the file is loaded; take it out.")
        for name in _SET_AT_LOADING
        if name in document
    ]
    contract: Contract | None = None
    try:
        contract = Contract.model_validate(document)
    except ValidationError as error:
        wrong += [
            Problem(path.name, _key(detail["loc"]), _sentence(detail)) for detail in error.errors()
        ]
    wrong += [Problem(path.name, key, reason) for key, reason in faults(document)]
    outcodes, unreadable = _outcodes(path, document)
    wrong += unreadable
    holidays, misread = _holidays(path, document)
    wrong += misread
    path_ahead, unfit = _pathway(path, document)
    wrong += unfit
    tables, unreadable = _measure_tables(path, document)
    wrong += unreadable
    if contract is not None:
        contract = contract.model_copy(update={"measure_tables": tables})
        if not unreadable:
            wrong += [Problem(path.name, key, reason) for key, reason in _measuring(contract)]
    if contract is None or wrong:
        return None, wrong
    loaded = {"file": path.name, "outcodes": outcodes, "holidays": holidays, "path": path_ahead}
    return contract.model_copy(update=loaded | {"document": document}), []


def checked(filed: Contract, document: Document) -> Contract | list[Problem]:
    """The contract that another document makes, with what stood beside the file, by the same
    checks; or every fault. The names of files and what they hold must be as they were."""
    try:
        contract = Contract.model_validate(document)
    except ValidationError as error:
        return [Problem(filed.file, _key(one["loc"]), _sentence(one)) for one in error.errors()]
    wrong = [Problem(filed.file, key, reason) for key, reason in faults(document)]
    loaded = {name: getattr(filed, name) for name in _SET_AT_LOADING}
    contract = contract.model_copy(update=loaded | {"document": document})
    wrong += [Problem(filed.file, key, reason) for key, reason in _measuring(contract)]
    return wrong or contract


def _shared(documents: Mapping[str, Document]) -> Iterator[Problem]:
    for name in ("key", "reference_prefix"):
        first: dict[str, str] = {}
        for file, document in documents.items():
            value = document.get(name)
            if isinstance(value, str):
                if value in first:
                    yield Problem(file, name, f"“{value}” is already used by {first[value]}.")
                first.setdefault(value, file)


# --- the table of bank holidays in the folder calendars -------------------------------------------


def _holidays(path: Path, document: Document) -> tuple[parts.HolidayTable | None, list[Problem]]:
    """The table that the contract names; its own faults are named by its own file."""
    told = document.get("calendar")
    name = told.get("holidays") if isinstance(told, dict) else None
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return None, []  # none, or misshapen: the shape check names that
    file = path.parent / "calendars" / f"{name}.toml"
    if not file.is_file():
        there = ", ".join(sorted(one.stem for one in file.parent.glob("*.toml"))) or "none"
        missing = f"there is no calendars/{name}.toml; there is: {there}."
        return None, [Problem(path.name, "calendar.holidays", missing)]
    read = _document(file)
    if isinstance(read, Problem):
        return None, [read]
    try:
        table = parts.HolidayTable.model_validate(read)
    except ValidationError as error:
        return None, [
            Problem(file.name, _key(detail["loc"]), _sentence(detail)) for detail in error.errors()
        ]
    return table, [Problem(file.name, key, reason) for key, reason in _wrong_days(table)]


def _wrong_days(table: parts.HolidayTable) -> Iterator[tuple[str, str]]:
    if table.last <= table.first:
        yield "last", "it must be later than first."
    seen: set[date] = set()
    for place, one in enumerate(table.holidays):
        key = f"holidays[{place}].day"
        if not table.first <= one.day <= table.last:
            yield key, f"{one.day} is not between first and last."
        if one.day in seen:
            yield key, f"{one.day} stands here twice."
        if one.day.weekday() > 4:
            yield key, f"{one.day} is at a weekend: give the day on which it is kept instead."
        seen.add(one.day)


# --- what is counted, in the folder measures ------------------------------------------------------


def _measure_tables(
    path: Path, document: Document
) -> tuple[tuple[measuring.MeasureTable, ...], list[Problem]]:
    """The files of measures that the contract names."""
    named = document.get("shared_measures")
    tables: list[measuring.MeasureTable] = []
    problems: list[Problem] = []
    for name in named if isinstance(named, list) else ():
        file = path.parent / "measures" / f"{name}.toml"
        if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name)) or not file.is_file():
            there = ", ".join(sorted(one.stem for one in file.parent.glob("*.toml"))) or "none"
            why = f"there is no measures/{name}.toml; there is: {there}."
            problems.append(Problem(path.name, "shared_measures", why))
            continue
        read = _document(file)
        if isinstance(read, Problem):
            problems.append(read)
            continue
        problems += [Problem(file.name, key, reason) for key, reason in repeated(read, "measures")]
        try:
            tables.append(measuring.MeasureTable.model_validate(read))
        except ValidationError as error:
            problems += [
                Problem(file.name, _key(detail["loc"]), _sentence(detail))
                for detail in error.errors()
            ]
    return tuple(tables), problems


def _measuring(contract: Contract) -> Iterator[tuple[str, str]]:
    """What does not fit together among a contract's measures, its reports and its splits."""
    known, listed = contract.measures, codes.printed(contract)
    for code, measure in known.items():
        for reason in measuring.wrong(measure, frozenset(known)):
            yield f"measures.{code}", reason
        for reason in _miscounted(measure, known, listed):
            yield f"measures.{code}", reason
    for split in contract.splits:
        for code in (split.total, *split.parts):
            if code not in known:
                yield "own_splits", f"“{code}” is not a measure of this contract."
    for place, report in enumerate(contract.reports):
        for number, line in enumerate(report.lines):
            key = f"reports[{place}].lines[{number}]"
            for index, code in enumerate(line.measures):
                if code not in known:
                    yield f"{key}.measures[{index}]", f"“{code}” is not a measure of this contract."
            for cut in line.by:
                if cut and not any(
                    tuple(cut) in _both_ways(known[code]) for code in line.measures if code in known
                ):
                    yield f"{key}.by", f"none of its measures is cut by {' and '.join(cut)}."


def _miscounted(
    measure: measuring.Measure,
    known: Mapping[str, measuring.Measure],
    listed: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    """What would load, and say nought or nothing in every report."""
    for name, chosen in measure.where.items():
        for code in chosen:
            if code not in listed.get(name, (code,)):
                there = ", ".join(listed[name])
                yield f"there is no {name} “{code}” in this contract; it has: {there}."
    for of in measure.of:
        if measure.names_people and of in known and not known[of].names_people:
            yield f"it cannot be a share of “{of}”, which is not about people."


def _both_ways(measure: measuring.Measure) -> set[tuple[str, ...]]:
    return {one for cut in measure.cuts for one in (cut, cut[::-1])}


# --- the usual way after an allegation, in the folder pathway -------------------------------------


def _pathway(path: Path, document: Document) -> tuple[pathway.PathwayTable | None, list[Problem]]:
    """The table that the contract names, if it names one; its faults are named by its own file."""
    name = document.get("pathway")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return None, []  # none, or misshapen: the shape check names that
    file = path.parent / "pathway" / f"{name}.toml"
    if not file.is_file():
        there = ", ".join(sorted(one.stem for one in file.parent.glob("*.toml"))) or "none"
        return None, [Problem(path.name, "pathway", f"there is no {name}; there is: {there}.")]
    read = _document(file)
    if isinstance(read, Problem):
        return None, [read]
    where = f"pathway/{file.name}"
    try:
        table = pathway.PathwayTable.model_validate(read)
    except ValidationError as error:
        return None, [Problem(where, _key(one["loc"]), _sentence(one)) for one in error.errors()]
    return table, [Problem(where, key, reason) for key, reason in pathway.wrong(table)]


# --- the postcode file beside a contract ----------------------------------------------------------

_COLUMNS: Final = frozenset({"code", "shares"})


def _outcodes(path: Path, document: Document) -> tuple[dict[str, tuple[Share, ...]], list[Problem]]:
    """The table of postcode districts; each area must be a district, an exclusion or outside."""
    told = document.get("postcodes")
    name = told.get("file") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(name, str) or Path(name).name != name:
        return {}, []  # none, or misshapen: the shape check names that
    try:
        with (path.parent / name).open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            if _COLUMNS - set(reader.fieldnames or ()):
                return {}, [Problem(name, "line 1", "it must have the columns code and shares.")]
            found = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}, [Problem(path.name, "postcodes.file", f"{name} cannot be read as a CSV file.")]
    sides = _sides(document, told)
    table: dict[str, tuple[Share, ...]] = {}
    problems: list[Problem] = []
    for line, row in found:
        try:
            table[str(row["code"])] = tuple(_shares(str(row["shares"]), sides))
        except ValueError as error:
            problems.append(Problem(name, f"line {line}", str(error)))
    return table, problems


def _sides(document: Document, told: Document) -> dict[str, tuple[str | None, str | None]]:
    """Area → (quadrant, exclusion); outside is neither."""
    sides: dict[str, tuple[str | None, str | None]] = {str(told.get("outside")): (None, None)}
    for _, quadrant in rows(document, "quadrants"):
        for _, area in texts(quadrant, "districts"):
            sides[area] = (str(quadrant.get("code")), None)
    for _, exclusion in rows(document, "exclusions"):
        for _, area in texts(exclusion, "areas"):
            sides[area] = (None, str(exclusion.get("code")))
    return sides


def _shares(written: str, sides: Mapping[str, tuple[str | None, str | None]]) -> Iterator[Share]:
    for part in written.split(";"):
        area, equals, count = part.strip().rpartition("=")
        if not equals or not re.fullmatch(r"[0-9]{1,7}", count):
            raise ValueError(f"“{part.strip()}” is not an area, “=” and a number.")
        if area not in sides:
            raise ValueError(f"“{area}” is no district, excluded area or outside of the contract.")
        quadrant, excluded = sides[area]
        yield Share(area, int(count), quadrant, excluded)


# --- a plain sentence for each fault of shape -----------------------------------------------------

_SENTENCES: Final = {
    "missing": "it is missing.",
    "string_type": "it must be text in quotes.",
    "int_type": "it must be a whole number without quotes.",
    "int_from_float": "it must be a whole number.",
    "float_type": "it must be a number without quotes.",
    "bool_type": "it must be true or false, without quotes.",
    "date_type": "it must be a date like 2017-08-01, without quotes.",
    "time_type": "it must be a time like 17:30:00, without quotes.",
    "tuple_type": "it must be a list in square brackets.",
    "model_type": "it must be a table of keys and values.",
    "string_too_short": "it must not be empty.",
    "too_short": "it must not be empty.",
}
_SHAPES: Final = {
    "reference_prefix": "it must be two to four capital letters.",
    "key": "it must be small letters, digits, “-” or “_”, and begin with a letter.",
    "code": "it must be small letters, digits or “_”, and begin with a letter.",
    "file": "it must be the name of a .csv file beside the contract.",
    "closed_each_year": "it must be a month and a day like 12-25.",
}


def _key(loc: Iterable[int | str]) -> str:
    key = ""
    for step in loc:
        key += f"[{step}]" if isinstance(step, int) else f".{step}" if key else step
    return key


def _sentence(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(str(detail["loc"][-1]))
    if kind in ("literal_error", "enum"):
        return f"“{detail['input']}” is not possible; it must be {context['expected']}."
    if kind == "string_pattern_mismatch":
        named = [step for step in detail["loc"] if isinstance(step, str)]
        return f"“{detail['input']}” has the wrong shape: {_SHAPES.get(named[-1], _SHAPES['code'])}"
    if kind == "string_too_long":
        return f"it is longer than {context['max_length']} letters."
    limits = {"greater_than": "gt", "greater_than_equal": "ge", "less_than_equal": "le"}
    if kind in limits:
        words = {"gt": "more than", "ge": "at least", "le": "at most"}[limits[kind]]
        return f"{detail['input']} is not possible: it must be {words} {context[limits[kind]]:g}."
    return _SENTENCES.get(kind, f"{detail['msg']}.")


def _unknown_key(name: str) -> str:
    near = difflib.get_close_matches(name, _known_keys(), n=1)
    return "no contract has such a key." + (f" Is {near[0]} meant?" if near else "")


def _known_keys() -> set[str]:
    tables: list[Any] = [Contract, *vars(parts).values()]
    return {
        name
        for table in tables
        if isinstance(table, type) and issubclass(table, parts.Table)
        for name in table.model_fields
    } - set(_SET_AT_LOADING)
