"""Whose turn it is: a loop that may look at a few rows at a time goes on where it stopped, and
begins anew after the last. So rows that nothing can be done about now never keep the others
waiting. Called by loops of the desk that pass over rows they can do nothing about now.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.db import insert_for
from helpline.models import Turn, metadata


async def take(session: AsyncSession, loop: str, now: datetime) -> Turn | None:
    """How far `loop` has looked, locked until the end of the transaction; None while another node
    looks."""
    if await session.get(Turn, loop) is None:
        row = {"loop": loop, "last_id": 0, "at": now}
        new = insert_for(session, metadata.tables["turn"]).values(row)
        await session.execute(new.on_conflict_do_nothing())
    locked = {"skip_locked": True}
    found: Turn | None = await session.get(
        Turn, loop, with_for_update=locked, populate_existing=True
    )
    return found


def end(turn: Turn, looked_at: Sequence[int | None], there_were: int, limit: int) -> None:
    """The loop looked at these rows, in order, of `there_were` that it had asked for with `limit`:
    the next look goes on after them, or from the start where they were the last."""
    is_last = len(looked_at) == there_were < limit
    turn.last_id = 0 if is_last or not looked_at else looked_at[-1] or 0
