"""The council's monthly list: handed in, shown as a difference, accepted or thrown away (P14).

Called by web/pages/register.py. A list that is handed in changes nothing; what accepting it would
do is worked out anew each time, against the register as it is then.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, populations, seeing
from helpline.desk.imports import take_in
from helpline.desk.imports.difference import Difference, compare, compare_people, people_of
from helpline.desk.imports.listed import REQUIRED
from helpline.desk.imports.reading import plain
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Person, RegisterList, metadata
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import ListState

LIST: Final = metadata.tables["register_list"]
USER: Final = metadata.tables["user"]
LARGEST_LIST: Final = 2_000_000
"""Bytes: twenty thousand people."""
OLDEST: Final = timedelta(days=400)
AT_ONCE: Final = 200
"""Rows: a longer list is taken in portion by portion."""
MANY_LEAVE: Final = 0.1
"""Of those on the register: more than that looks like half a list."""


@dataclass(frozen=True)
class Shown:
    """A list and what accepting it would do. `hidden`: people whom the asker is shut out of; their
    rows are taken in with the others, and not shown."""

    row: RegisterList
    difference: Difference
    hidden: frozenset[int]

    @property
    def looks_halved(self) -> bool:
        """Whether so many would leave that the list is likely not whole."""
        here = len(self.difference.listed) - len(self.difference.new) + len(self.difference.left)
        return len(self.difference.left) > max(3, here * MANY_LEAVE)


@dataclass(frozen=True)
class Read:
    """A list without faults: its text, and what it would change."""

    content: str
    is_whole: bool
    difference: Difference


async def hand_in(
    session: AsyncSession,
    contract: Contract,
    content: bytes,
    as_of: date | None,
    by: Actor,
    now: datetime,
    *,
    is_whole: bool,
) -> RegisterList:
    """Read, checked and kept sealed until somebody decides; what is long is read by `read_list`
    first, before a transaction that others wait for."""
    read = await read_list(session, contract, content, as_of, by, now, is_whole=is_whole)
    return await keep(session, contract, read, by, now)


async def read_list(
    session: AsyncSession,
    contract: Contract,
    content: bytes,
    as_of: date | None,
    by: Actor,
    now: datetime,
    *,
    is_whole: bool,
) -> Read:
    """Changes nothing. ImportProblems names every fault."""
    require(by, "register.manage", contract.key)
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    if as_of is None:
        raise InvalidInput("Say on which day the council drew the list up.")
    if as_of > today or as_of < today - OLDEST:
        raise InvalidInput("The day of the list must be within the past year, and not in future.")
    await _must_be_the_newest(session, contract, as_of)
    text, problems = await asyncio.to_thread(plain, content, REQUIRED)
    listed = await people_of(contract, text, now, problems)
    found = await compare_people(session, contract, listed, as_of, is_whole=is_whole)
    return Read(text, is_whole, found)


async def keep(
    session: AsyncSession, contract: Contract, read: Read, by: Actor, now: datetime
) -> RegisterList:
    """One list of a contract waits at a time: an earlier one that nobody decided is thrown away."""
    require(by, "register.manage", contract.key)
    found = read.difference
    await _must_be_the_newest(session, contract, found.as_of)
    for waiting in await session.scalars(_pending(contract.key)):
        await _settle(session, waiting, ListState.THROWN_AWAY, by, now)
    made = RegisterList(
        contract=contract.key,
        as_of=found.as_of,
        is_whole=read.is_whole,
        content=read.content,
        rows=len(found.listed),
        handed_in_at=now,
        by_user_id=by.user_id,
    )
    _count(made, found)
    session.add(made)
    await session.flush()
    await _event(session, "register.handed_in", made, by, now)
    return made


async def shown(
    session: AsyncSession, contract: Contract, row: RegisterList, actor: Actor, now: datetime
) -> Shown:
    """What accepting a waiting list would do to the register as it is now."""
    assert row.content is not None
    found = await compare(session, contract, row.content, row.as_of, now, is_whole=row.is_whole)
    return Shown(row, found, await _shut_out(session, actor, found))


async def accept(
    session: AsyncSession, contract: Contract, list_id: int, by: Actor, now: datetime
) -> RegisterList:
    """The register becomes as the list has it, and the populations are dated from it: at once, or
    for a long list portion by portion (desk/taking_in.py). Accepted twice changes nothing the
    second time."""
    row = await find_list(session, by, list_id, for_update=True)
    if row.state in (ListState.ACCEPTED, ListState.TAKING_IN):
        return row
    if row.state == ListState.THROWN_AWAY or row.content is None:
        raise Conflict("This list was thrown away. Hand it in again.")
    newest = await newest_as_of(session, contract.key)
    if newest is not None and row.as_of < newest:
        raise Conflict("A newer list was accepted meanwhile. Throw this one away.")
    if row.rows > AT_ONCE:
        row.state, row.steps_done = ListState.TAKING_IN, 0
        row.decided_at, row.decided_by_id = now, by.user_id
        await session.flush()
        await _event(session, "register.taking_in", row, by, now)
        return row
    found = await compare(session, contract, row.content, row.as_of, now, is_whole=row.is_whole)
    await take_in(session, contract, found, now, list_id=row.id, by=by.user_id)
    _count(row, found)
    if row.is_whole:
        await populations.date_from(session, contract, row, found.listed)
    await _settle(session, row, ListState.ACCEPTED, by, now)
    return row


async def throw_away(session: AsyncSession, list_id: int, by: Actor, now: datetime) -> None:
    """The list is gone, and nothing was changed; of one that is being taken in, as where it cannot
    go on, what is on the register by then stays, and nobody leaves it."""
    row = await find_list(session, by, list_id, for_update=True)
    if row.state == ListState.ACCEPTED:
        raise Conflict("This list is accepted already. Hand in a newer one to change the register.")
    if row.state in (ListState.PENDING, ListState.TAKING_IN):
        await _settle(session, row, ListState.THROWN_AWAY, by, now)


async def find_list(
    session: AsyncSession, actor: Actor, list_id: int, *, for_update: bool = False
) -> RegisterList:
    """NotFound alike for one that is not there and one that is another contract's."""
    query = select(RegisterList).where(col(RegisterList.id) == list_id)
    if for_update:
        query = query.with_for_update()
    row = await session.scalar(query)
    if row is None or not may(actor, "register.manage", row.contract):
        raise NotFound("There is no such list.")
    return row


async def lists(session: AsyncSession, contracts: Sequence[str], limit: int = 24) -> list[Row[Any]]:
    """The newest lists of these contracts, without what is in them."""
    columns = [column for column in LIST.c if column.name != "content"]
    decider = USER.alias("decider")
    query = (
        select(*columns, USER.c.shown_name.label("by"), decider.c.shown_name.label("decided_by"))
        .join(USER, USER.c.id == LIST.c.by_user_id)
        .outerjoin(decider, decider.c.id == LIST.c.decided_by_id)
        .where(LIST.c.contract.in_(contracts))
        .order_by(LIST.c.id.desc())
        .limit(limit)
    )
    return list(await session.execute(query))


async def newest_as_of(session: AsyncSession, contract: str) -> date | None:
    """The day of the newest accepted list."""
    return await session.scalar(
        select(col(RegisterList.as_of))
        .where(
            col(RegisterList.contract) == contract,
            col(RegisterList.state) == ListState.ACCEPTED,
        )
        .order_by(col(RegisterList.as_of).desc())
        .limit(1)
    )


async def _must_be_the_newest(session: AsyncSession, contract: Contract, as_of: date) -> None:
    newest = await newest_as_of(session, contract.key)
    if newest is not None and as_of < newest:
        raise InvalidInput(
            f"A list of {newest:%-d %B %Y} is accepted already; this one is older. "
            "Ask the council for the newest."
        )
    coming = select(col(RegisterList.id)).where(
        col(RegisterList.contract) == contract.key,
        col(RegisterList.state) == ListState.TAKING_IN,
    )
    if await session.scalar(coming) is not None:
        raise InvalidInput("The list before is still being taken in. Try again in a minute.")


async def _shut_out(session: AsyncSession, actor: Actor, found: Difference) -> frozenset[int]:
    if not may(actor, "people.read"):  # an administrator reads the list, and no case
        return frozenset()
    named = [change.stored.id for change in found.changed]
    named += [one.person_id for one in found.left]
    named += [clash.other_id for clash in found.clashes]
    if not named:
        return frozenset()
    seen = await session.scalars(select(col(Person.id)).where(*seeing.people(actor)))
    return frozenset(named) - set(seen)


def _pending(contract: str) -> Any:
    return (
        select(RegisterList)
        .where(col(RegisterList.contract) == contract, col(RegisterList.state) == ListState.PENDING)
        .with_for_update()
    )


def _count(row: RegisterList, found: Difference) -> None:
    row.added, row.changed, row.left = len(found.new), len(found.changed), len(found.left)
    row.unchanged, row.clashes = found.unchanged, len(found.clashes)


async def _settle(
    session: AsyncSession, row: RegisterList, state: ListState, by: Actor, now: datetime
) -> None:
    """Decided: what was in it is on the register, or gone."""
    row.state, row.content = state, None
    row.decided_at, row.decided_by_id = now, by.user_id
    await session.flush()
    await _event(session, f"register.{state}", row, by, now)


async def _event(
    session: AsyncSession, kind: str, row: RegisterList, by: Actor, now: datetime
) -> None:
    counts = {"added": row.added, "changed": row.changed, "left": row.left, "clashes": row.clashes}
    await events.record(
        session, kind, now, contract=row.contract, by=by.user_id, list=row.id, **counts
    )
