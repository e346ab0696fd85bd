"""Earlier allegations and concerns about the same person, over years and contracts (P03): dates and
tracks only, and only those of cases that the asker may see. No case is opened by it.

The same person is found by joins of records, by the council's own number, and by a telephone number
or address that another record has too; others of the household are counted apart.
"""

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import seeing
from helpline.models import metadata
from helpline.rules.duties import Earlier
from helpline.rules.permissions import Actor

ADDRESS = metadata.tables["address"]
ALLEGATION = metadata.tables["allegation"]
CASE = metadata.tables["case"]
MERGE = metadata.tables["merge"]
PERSON = metadata.tables["person"]
MOST_JOINS = 5
"""Rounds in which joins and addresses are followed: each finds records of the ones before."""


async def same_person(session: AsyncSession, person_id: int) -> set[int]:
    """The ids of every record that is this person: itself, what was joined with it, and records
    that have one of its numbers or addresses, under whatever contract."""
    found = {person_id}
    fresh = {person_id}
    for _ in range(MOST_JOINS):
        fresh = (
            await joined(session, fresh)
            | await _by_address(session, fresh)
            | await _sharing(session, "register_index", fresh)
        ) - found
        if not fresh:
            break
        found |= fresh
    return found


async def joined(session: AsyncSession, ids: Iterable[int]) -> set[int]:
    """The records that a join, still standing, ties to one of these."""
    held = list(ids)
    rows = await session.execute(
        select(MERGE.c.into_id, MERGE.c.from_id).where(
            or_(MERGE.c.into_id.in_(held), MERGE.c.from_id.in_(held)),
            MERGE.c.undone_at.is_(None),
        )
    )
    return {one for row in rows for one in row}


async def _by_address(session: AsyncSession, ids: Iterable[int]) -> set[int]:
    """An address says the same of two records only where it is the same channel and value; within
    one contract it is one record's anyway."""
    own, other = ADDRESS.alias("own"), ADDRESS.alias("other")
    rows = await session.scalars(
        select(other.c.person_id)
        .join(own, (own.c.value_index == other.c.value_index) & (own.c.channel == other.c.channel))
        .where(own.c.person_id.in_(list(ids)))
        .distinct()
    )
    return set(rows)


async def _sharing(session: AsyncSession, column: str, ids: Iterable[int]) -> set[int]:
    """Whoever has the same blind index in this column as one of them: of the register, or of the
    home."""
    own, other = PERSON.alias("own"), PERSON.alias("other")
    rows = await session.scalars(
        select(other.c.id)
        .join(own, own.c[column] == other.c[column])
        .where(own.c.id.in_(list(ids)), own.c[column].is_not(None))
        .distinct()
    )
    return set(rows)


async def about(
    session: AsyncSession, actor: Actor, person_id: int, contract: str, case_id: int
) -> list[Earlier]:
    """Everything about this person and their household that `actor` may see, the oldest first, of
    which this case is one. A case of another contract is a date and a track and nothing else; one
    across a wall, or that they are in conflict with, is not there."""
    own = await same_person(session, person_id)
    household = await _sharing(session, "household_index", own)
    if not own | household:
        return []
    rows = await session.execute(
        select(
            ALLEGATION.c.case_id,
            ALLEGATION.c.contract,
            ALLEGATION.c.person_id,
            ALLEGATION.c.aware_at,
            ALLEGATION.c.track,
        )
        .join(CASE, CASE.c.id == ALLEGATION.c.case_id)
        .where(
            ALLEGATION.c.person_id.in_(own | household),
            ALLEGATION.c.ended_at.is_(None),
            *seeing.cases(actor),
        )
        .order_by(ALLEGATION.c.aware_at, ALLEGATION.c.id)
    )
    return [
        Earlier(
            at=row.aware_at,
            track=row.track,
            is_here=row.case_id == case_id,
            is_household=row.person_id not in own,
            is_elsewhere=row.contract != contract,
        )
        for row in rows
    ]
