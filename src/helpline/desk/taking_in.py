"""A long list that was accepted becomes the register portion by portion, so that nobody who writes
meanwhile waits for it; how far it has come is on its row.

Called by engine/taking_in.py, which opens a transaction for each step. A step that was cut off is
done again, and done twice changes nothing: so the list is on the register whole, whatever was
killed in between. Nothing else may be handed in until then, or until it is thrown away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, populations
from helpline.desk.imports.difference import compare_portion, people_of
from helpline.desk.imports.listed import Listed
from helpline.desk.imports.people import Writing
from helpline.desk.imports.register import Missing, find_missing, find_stored
from helpline.models import RegisterList
from helpline.vocabulary import ListState

PORTION: Final = 100
"""Rows of one transaction: a tenth of a second where all of them are written anew."""


@dataclass(frozen=True)
class Work:
    """One list, read: every transaction of its taking in needs it. `by`: who accepted it."""

    list_id: int
    contract: Contract
    people: Sequence[Listed]
    as_of: date
    is_whole: bool
    by: int | None

    @property
    def portions(self) -> int:
        return portions_of(len(self.people))


def portions_of(rows: int) -> int:
    return -(-rows // PORTION)


async def waiting(session: AsyncSession) -> Sequence[int]:
    """The lists that are being taken in, the oldest first."""
    found = await session.scalars(
        select(col(RegisterList.id))
        .where(col(RegisterList.state) == ListState.TAKING_IN)
        .order_by(col(RegisterList.id))
    )
    return [list_id or 0 for list_id in found]


async def read(
    session: AsyncSession, contracts: Mapping[str, Contract], list_id: int, now: datetime
) -> Work | None:
    """None where somebody else has finished it, or thrown it away."""
    row = await session.get(RegisterList, list_id)
    if row is None or row.state != ListState.TAKING_IN or row.content is None:
        return None
    contract = contracts[row.contract]
    people = await people_of(contract, row.content, now)
    return Work(list_id, contract, people, row.as_of, row.is_whole, row.decided_by_id)


async def step(session: AsyncSession, work: Work, now: datetime) -> bool:
    """The next portion, in a transaction of its own: first all that changed, in a second round all
    that is new, because a number that one gives up in its last row another may take in its first.
    False once there is none."""
    row = await _held(session, work)
    if row is None or row.steps_done >= 2 * work.portions:
        return False
    round_, at = divmod(row.steps_done, work.portions)
    portion = work.people[at * PORTION : (at + 1) * PORTION]
    found = await compare_portion(session, work.contract, portion, work.as_of)
    writing = Writing(session, work.contract, found, now, work.list_id)
    if round_ == 0:
        await writing.give_up()
    else:
        await writing.take()
    row.steps_done += 1
    await session.flush()
    return True


async def missing(session: AsyncSession, work: Work) -> Sequence[Missing]:
    """Who is to leave, once everybody who is on the list is here."""
    if not work.is_whole:
        return []
    stored = await find_stored(session, work.contract, work.people)
    here = {one.id for one in stored.values()}
    return await find_missing(session, work.contract, work.people, here, work.as_of)


async def end(session: AsyncSession, work: Work, left: Sequence[Missing], now: datetime) -> None:
    """The memberships of a portion of those who left."""
    if await _held(session, work) is not None:
        empty = await compare_portion(session, work.contract, [], work.as_of)
        await Writing(session, work.contract, empty, now, work.list_id).end(left)


async def finish(session: AsyncSession, work: Work, now: datetime) -> None:
    """The register is as the list has it: the populations are dated from it, and its text goes."""
    row = await _held(session, work)
    if row is None or row.steps_done < 2 * work.portions:
        return
    if work.is_whole:
        await populations.date_from(session, work.contract, row, work.people)
    row.state, row.content = ListState.ACCEPTED, None
    await session.flush()
    counts: dict[str, Any] = {"added": row.added, "changed": row.changed, "left": row.left}
    more: dict[str, Any] = {"contract": row.contract, "by": work.by}
    await events.record(session, "people.imported", now, **more, **counts, unchanged=row.unchanged)
    await events.record(
        session, "register.accepted", now, **more, list=row.id, **counts, clashes=row.clashes
    )


async def _held(session: AsyncSession, work: Work) -> RegisterList | None:
    """The row, which nobody else moves meanwhile; None once it is finished or thrown away."""
    row = await session.get(
        RegisterList, work.list_id, with_for_update=True, populate_existing=True
    )
    return row if row is not None and row.state == ListState.TAKING_IN else None
