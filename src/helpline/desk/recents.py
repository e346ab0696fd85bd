"""The cases that somebody opened last, from the lines they left on the audit trail.

Called by web/pages/palette.py. Nothing is kept for it, here or in a browser: what somebody may not
see any more is not shown any more.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import seeing
from helpline.models import metadata
from helpline.rules.permissions import Actor

CASE, EVENT, PERSON = (metadata.tables[name] for name in ("case", "event", "person"))
MOST: Final = 8
FAR: Final = 20_000
"""Lines of the trail that are looked through: a few days of a busy helpline, some hundredths of a
second."""


async def opened(session: AsyncSession, actor: Actor) -> Sequence[Row[Any]]:
    """Reference, name, status and reason of each, the last opened first."""
    newest = await session.scalar(select(func.max(EVENT.c.id))) or 0
    last = func.max(EVENT.c.id).label("last")
    mine = (
        select(EVENT.c.case_id, last)
        .where(
            EVENT.c.id > newest - FAR,
            EVENT.c.kind == "case.read",
            EVENT.c.by_user_id == actor.user_id,
        )
        .group_by(EVENT.c.case_id)
        .subquery()
    )
    query = (
        select(CASE.c.reference, CASE.c.contract, CASE.c.status, CASE.c.reason, PERSON.c.name)
        .join(mine, mine.c.case_id == CASE.c.id)
        .join(PERSON, PERSON.c.id == CASE.c.person_id)
        .where(*seeing.cases(actor))
        .order_by(mine.c.last.desc())
        .limit(MOST)
    )
    return list(await session.execute(query))
