"""Figures that were given to us instead of counted here: by hand, or from a file of a time before
us. They stand in the report beside the counted ones and say whose they are.

Called by reports/figures.py; desk/supplying.py writes what is read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import POPULATION, Measure
from helpline.models import metadata
from helpline.reports.cells import By, Cell, Key, by_of
from helpline.rules.periods import Period

SUPPLIED: Final = metadata.tables["supplied_figure"]
UNNAMED: Final = "supplied"
NOT_SUPPLIED: Final = "not supplied"


async def laid_over(
    session: AsyncSession, contract: Contract, period: Period, cells: Iterable[Cell]
) -> list[Cell]:
    """The same cells with what was supplied for the period: for measures that are supplied, and
    for counted ones where the period was over before the contract's first day with us. There, what
    was not supplied of such a measure is empty, as nought would be untrue."""
    given = await figures_given(session, contract, period)
    is_before_us = period.end < contract.term.start
    known = {measure for measure, _ in given}
    found = []
    for cell in cells:
        measure = contract.measure(cell.measure)
        if cell.measure in known and (measure.counts == "supplied" or is_before_us):
            cell = _laid(measure, cell, given)
        found.append(cell)
    return found


async def figures_given(
    session: AsyncSession, contract: Contract, period: Period
) -> dict[Key, Any]:
    """What was supplied for a period, as rows of the table; the last one given counts."""
    rows = await session.execute(
        select(SUPPLIED)
        .where(
            SUPPLIED.c.contract == contract.key,
            SUPPLIED.c.period == period.label,
            SUPPLIED.c.taken_back_at.is_(None),
        )
        .order_by(SUPPLIED.c.id)
    )
    return {(row.measure, by_written(row.by)): row for row in rows}


def _laid(measure: Measure, cell: Cell, given: Mapping[Key, Any]) -> Cell:
    row = given.get(cell.key)
    if row is None:
        is_asked = measure.counts == "supplied"
        return cell if is_asked else Cell(cell.measure, cell.by, None, note=NOT_SUPPLIED)
    laid = Cell(
        cell.measure,
        cell.by,
        _number(row.value),
        words=row.words,
        source=row.source or UNNAMED,
        denominator_as_of=row.as_of,
    )
    return _with_share(measure, laid, given)


def _with_share(measure: Measure, cell: Cell, given: Mapping[Key, Any]) -> Cell:
    """Its percentage, where everything that it is of was supplied too."""
    parts = [given.get((code, cell.by)) for code in measure.of]
    whole = sum(int(part.value or 0) for part in parts if part is not None)
    if POPULATION in measure.of or None in parts or not whole or cell.value is None:
        return cell
    share = (2000 * int(cell.value) + whole) // (2 * whole) / 10
    return replace(cell, denominator=whole, denominator_as_of=None, percent=share)


def _number(value: float | None) -> float | None:
    return int(value) if value is not None and value == int(value) else value


def written(by: By) -> str:
    """A cut as the table keeps it: "quadrant=west,carer_type=foster_carer"."""
    return ",".join(f"{name}={code}" for name, code in by)


def by_written(text: str) -> By:
    """The cut that `written` wrote."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return by_of({name: code for name, _, code in pairs})
