"""Whoever looks whether something is there already, and writes it if not, holds the case meanwhile:
two who do it in the same instant do it one after the other, and the second finds the first's.

Called by acts of which a case may have one only (a plan that stands, somebody's part, the dates for
afterwards). On SQLite there is one writer anyway.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.models import Case


async def hold(session: AsyncSession, case: Case) -> None:
    """Until the transaction ends. Ask what is there only after it."""
    await session.execute(select(col(Case.id)).where(col(Case.id) == case.id).with_for_update())
