"""A report's cells with the contract's disclosure rule applied: what leaves the provider (D16).

Called by reports/figures.py unless exact figures were asked for. Which cells are hidden is decided
in rules/disclosure.py; here it is told which cells add up to which, and the percentages, times and
denominators that would give a hidden cell away are taken out with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from helpline.contract import Contract
from helpline.reports.measures import (
    CUTS,
    QUALITY,
    TIMES,
    VERDICTS,
    By,
    Cell,
    Key,
    apart,
    cells_of,
    codes,
    counts,
)
from helpline.rules.disclosure import SECONDARY, SMALL, Line, hidden_cells
from helpline.rules.periods import ANNUAL, Period

TOO_FEW = "too few for a percentage"


def protect(contract: Contract, period: Period, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The same cells in the same order; a hidden one says why and carries no figure."""
    hidden = _hidden(contract, period, cells)
    return tuple(_protected(contract, hidden, cell) for cell in cells)


def rounded(number: float, base: int) -> int:
    """To the nearest multiple of `base`, halves up."""
    return int(number + base / 2) // base * base


def _hidden(contract: Contract, period: Period, cells: tuple[Cell, ...]) -> dict[Key, str]:
    rule = contract.disclosure
    measured = {*counts(contract), *QUALITY, *apart(contract)}
    exact = {cell.key: int(cell.value or 0) for cell in cells if cell.measure in measured}
    number = {key: index for index, key in enumerate(exact)}  # numbers hash faster than cuts
    keys = list(exact)
    printed = codes(contract)
    lines = [
        Line(number[total], tuple(number[part] for part in parts))
        for total, parts in _sums(contract, printed)
    ]
    tables = [
        [number[measure, by] for by in cells_of(cut, printed)]
        for measure in counts(contract)
        for cut in CUTS
        if cut
    ]
    found = hidden_cells(
        dict(enumerate(exact.values())),
        lines,
        tables,
        threshold=rule.threshold,
        secondary=rule.secondary,
        withheld=[
            number[key] for key, n in exact.items() if n and _is_withheld(contract, period, key)
        ],
    )
    return {keys[index]: why for index, why in found.items() if isinstance(index, int)}


def _is_withheld(contract: Contract, period: Period, key: Key) -> bool:
    """Allegations are few and named by every crossing: yearly and for the whole area only."""
    by = key[1]
    reasons = {reason.code for reason in contract.reasons if reason.allegation}
    if dict(by).get("reason") not in reasons:
        return False
    return period.kind != ANNUAL or len(by) > 1


def _sums(
    contract: Contract, printed: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Key, list[Key]]]:
    """Every sum a reader can write down: along each dimension, and each promise's three ends."""
    for measure in counts(contract):
        for cut in CUTS:
            for along in cut:
                rest = tuple(dimension for dimension in cut if dimension != along)
                for by in cells_of(rest, dict(printed)):
                    yield (measure, by), [(measure, _with(by, along, c)) for c in printed[along]]
    for clock in contract.reported_clocks:
        for cut in CUTS:
            for by in cells_of(cut, dict(printed)):
                yield ("cases", by), [(f"{clock.code}.{verdict}", by) for verdict in VERDICTS]


def _with(by: By, dimension: str, code: str) -> By:
    pairs = [*by, (dimension, code)]
    return tuple(sorted(pairs, key=lambda pair: _ORDER[pair[0]]))


_ORDER = {cut[0]: place for place, cut in enumerate(cut for cut in CUTS if len(cut) == 1)}


def _protected(contract: Contract, hidden: Mapping[Key, str], cell: Cell) -> Cell:
    clock, _, last = cell.measure.rpartition(".")
    if last in TIMES:
        return _time(contract, hidden, cell, clock, last)
    why = hidden.get(cell.key)
    pair = [(f"{clock}.met", cell.by), (f"{clock}.missed", cell.by)] if clock else []
    if cell.measure == "people":
        cell = _of_population(contract, cell)
    elif any(key in hidden for key in pair):  # what was decided, less one, is the other
        cell = replace(cell, denominator=None, percent=None)
    elif cell.denominator is not None:
        cell = _of_decided(contract, cell)
    if why:
        return replace(cell, value=None, percent=None, hidden=why)
    return replace(cell, value=rounded(cell.value or 0, contract.disclosure.round_to))


def _of_population(contract: Contract, cell: Cell) -> Cell:
    """A population is public and stays as it is."""
    if cell.denominator is None:
        return cell
    if cell.denominator < contract.disclosure.percent_needs_denominator:
        return replace(cell, percent=None, note=TOO_FEW)
    return replace(cell, percent=_blunt(contract, cell.percent))


def _of_decided(contract: Contract, cell: Cell) -> Cell:
    decided = cell.denominator or 0
    shown = rounded(decided, contract.disclosure.round_to)
    if decided < contract.disclosure.percent_needs_denominator:
        return replace(cell, denominator=shown, percent=None, note=TOO_FEW)
    return replace(cell, denominator=shown, percent=_blunt(contract, cell.percent))


def _blunt(contract: Contract, percent: float | None) -> float | None:
    """Where counts are rounded, a percentage with decimals would undo it."""
    if percent is None or contract.disclosure.round_to == 1:
        return percent
    return float(rounded(percent, 1))


def _time(
    contract: Contract, hidden: Mapping[Key, str], cell: Cell, clock: str, measure: str
) -> Cell:
    """A time is hidden where few were answered or the group itself is hidden; the slowest is one
    person's own, so it also goes where kept and broken are not both shown."""
    answered, cell = cell.denominator or 0, replace(cell, denominator=None)
    why: str | None = None
    if 0 < answered < contract.disclosure.threshold:
        why = SMALL
    elif ("cases", cell.by) in hidden or (
        measure == "slowest_minutes" and _any_hidden(hidden, cell.by, clock)
    ):
        why = SECONDARY
    return replace(cell, value=None, hidden=why) if why else cell


def _any_hidden(hidden: Mapping[Key, str], by: By, clock: str) -> bool:
    ends: Iterable[Key] = ((f"{clock}.{verdict}", by) for verdict in VERDICTS)
    return any(key in hidden for key in ends)
