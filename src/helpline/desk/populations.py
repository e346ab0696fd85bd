"""How many of each group there are on a day, in each quadrant, counted from a list that names
everybody (A05, A07, D6).

Called when a list is accepted, by desk/register.py and desk/taking_in.py; read by the register's
page and by reports.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk.imports.listed import Listed
from helpline.models import Population, RegisterList, metadata
from helpline.vocabulary import UNKNOWN

POPULATION: Final = metadata.tables["population"]


async def newest(session: AsyncSession, contract: str) -> Sequence[Population]:
    """The newest day's counts, for the page: each group, everywhere and by quadrant."""
    newest = (
        select(col(Population.as_of))
        .where(col(Population.contract) == contract)
        .order_by(col(Population.as_of).desc())
        .limit(1)
        .scalar_subquery()
    )
    found = await session.scalars(
        select(Population)
        .where(col(Population.contract) == contract, col(Population.as_of) == newest)
        .order_by(col(Population.id))
    )
    by_place = {(one.group, one.quadrant): one for one in found}  # a later list of the day counts
    return list(by_place.values())


async def date_from(
    session: AsyncSession, contract: Contract, row: RegisterList, listed: Sequence[Listed]
) -> None:
    """Each kind of person on the list: how many hold a membership that day, everywhere and in each
    quadrant; "unknown" is a row, and nobody is a number too (A07)."""
    holding = [person for person in listed if person.holds(row.as_of)]
    counted = Counter((person.group, person.quadrant.code) for person in holding)
    places = [*(area.code for area in contract.quadrants), UNKNOWN]
    rows = []
    for group in sorted({person.group for person in listed}):
        for quadrant in (None, *places):
            whole = sum(n for (of, _), n in counted.items() if of == group)
            count = whole if quadrant is None else counted[group, quadrant]
            rows.append(
                {
                    "contract": contract.key,
                    "group": group,
                    "quadrant": quadrant,
                    "as_of": row.as_of,
                    "count": count,
                    "list_id": row.id,
                }
            )
    await session.execute(insert(POPULATION), rows)
