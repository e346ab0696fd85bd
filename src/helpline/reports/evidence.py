"""The report's line "evidence of involvement": the entries of the log, by kind, in one period.

Called by reports/figures.py only. They are things the provider did and name nobody, so that no
number is hidden; a kind without an entry is a nought, and printed.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.models import metadata
from helpline.reports.measures import EVIDENCE, Cell, shown_done
from helpline.rules.periods import Period

ENTRY = metadata.tables["evidence_entry"]


async def cells(session: AsyncSession, contract: Contract, period: Period) -> tuple[Cell, ...]:
    """A cell for each kind of evidence, and first of all together. An entry counts in the period in
    which it was done; one that was taken back does not count."""
    rows = await session.execute(
        select(ENTRY.c.kind, func.count())
        .where(
            ENTRY.c.contract == contract.key,
            ENTRY.c.day >= period.start,
            ENTRY.c.day <= period.end,
            ENTRY.c.taken_back_at.is_(None),
        )
        .group_by(ENTRY.c.kind)
    )
    number = {f"{EVIDENCE}.{row[0]}": int(row[1]) for row in rows}
    total = sum(number.values())
    return tuple(
        Cell(measure, (), total if measure == EVIDENCE else number.get(measure, 0))
        for measure in shown_done(contract)
    )
