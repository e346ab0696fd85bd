"""The denominators that the council's accepted lists give: newest day first, the contract's own
where no list has been accepted by then (A05, D6).

Called by reports/figures.py only; it reads what desk/register.py wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract, Population
from helpline.models import metadata

POPULATION: Final = metadata.tables["population"]
Populations = Mapping[tuple[str, str | None], Population]
"""(group, quadrant) → the newest count; quadrant None is everywhere, never a sum."""


async def populations(session: AsyncSession, contract: Contract, on: date) -> Populations:
    """Every count of the newest list not later than `on` that has the group at all."""
    names = {group.code: group.name for group in contract.groups}
    rows = await session.execute(
        select(POPULATION)
        .where(POPULATION.c.contract == contract.key, POPULATION.c.as_of <= on)
        .order_by(POPULATION.c.as_of, POPULATION.c.id)
    )
    return {
        (row["group"], row["quadrant"]): Population(
            code=f"list_{row['list_id'] or 0}",
            label=names.get(row["group"], row["group"]),
            count=row["count"],
            as_of=row["as_of"],
            unit="people",
            group=row["group"],
            quadrant=row["quadrant"],
            source="The council's list",
        )
        for row in rows.mappings()
    }


def newest(*known: Population | None) -> Population | None:
    """The later of two counts; of one day, what was counted from the list."""
    there = [population for population in known if population is not None]
    return max(reversed(there), key=lambda population: population.as_of, default=None)
