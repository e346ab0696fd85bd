"""Figures that were given to us instead of counted here: by hand, or from a file of a time before
us. They stand in the report beside the counted ones and say whose they are.

Called by reports/figures.py only; it reads what desk/supplying.py wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.models import metadata
from helpline.reports.cells import By, Cell, Key, by_of
from helpline.rules.periods import Period

SUPPLIED: Final = metadata.tables["supplied_figure"]


async def cells(
    session: AsyncSession, contract: Contract, period: Period, measures: Sequence[Measure]
) -> dict[Key, Cell]:
    """What was supplied for a period: for measures that are supplied, and for counted ones of a
    time before the contract's first day with us. The last one given counts."""
    asked = {one.code for one in measures}
    rows = await session.execute(
        select(SUPPLIED)
        .where(
            SUPPLIED.c.contract == contract.key,
            SUPPLIED.c.period == period.label,
            SUPPLIED.c.taken_back_at.is_(None),
        )
        .order_by(SUPPLIED.c.id)
    )
    found: dict[Key, Cell] = {}
    for row in rows:
        if row.measure in asked:
            value = (
                int(row.value) if row.value is not None and row.value == int(row.value) else None
            )
            cell = Cell(
                row.measure,
                by_written(row.by),
                row.value if value is None else value,
                words=row.words,
                source=row.source or "supplied",
                denominator_as_of=row.as_of,
            )
            found[cell.key] = cell
    return found


def written(by: By) -> str:
    """A cut as the table keeps it: "quadrant=west,carer_type=foster_carer"."""
    return ",".join(f"{name}={code}" for name, code in by)


def by_written(text: str) -> By:
    """The cut that `written` wrote."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return by_of({name: code for name, _, code in pairs})
