"""The council's monthly list: handed in, shown as a difference, accepted or thrown away; and the
populations that are dated from it (A05, D6, P14).

Called by web/pages/register.py. A list that is handed in changes nothing; what accepting it would
do is worked out anew each time, against the register as it is then.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, seeing
from helpline.desk.imports import take_in
from helpline.desk.imports.difference import Difference, compare
from helpline.desk.imports.reading import text_of
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Person, Population, RegisterList, metadata
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import UNKNOWN, ListState

LIST: Final = metadata.tables["register_list"]
POPULATION: Final = metadata.tables["population"]
USER: Final = metadata.tables["user"]
LARGEST_LIST: Final = 2_000_000
"""Bytes: twenty thousand people."""
OLDEST: Final = timedelta(days=400)
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
    """Read, checked and kept sealed until somebody decides. One list of a contract waits at a time:
    an earlier one that nobody decided is thrown away. ImportProblems names every fault; then
    nothing is kept."""
    require(by, "register.manage", contract.key)
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    if as_of is None:
        raise InvalidInput("Say on which day the council drew the list up.")
    if as_of > today or as_of < today - OLDEST:
        raise InvalidInput("The day of the list must be within the past year, and not in future.")
    newest = await newest_as_of(session, contract.key)
    if newest is not None and as_of < newest:
        raise InvalidInput(
            f"A list of {newest:%-d %B %Y} is accepted already; this one is older. "
            "Ask the council for the newest."
        )
    found = await compare(session, contract, content, as_of, now, is_whole=is_whole)
    for waiting in await session.scalars(_pending(contract.key)):
        await _settle(session, waiting, ListState.THROWN_AWAY, by, now)
    made = RegisterList(
        contract=contract.key,
        as_of=as_of,
        is_whole=is_whole,
        content=text_of(content),
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
    """The register becomes as the list has it, and the populations are dated from it. Accepted
    twice changes nothing the second time."""
    row = await find_list(session, by, list_id, for_update=True)
    if row.state == ListState.ACCEPTED:
        return row
    if row.state == ListState.THROWN_AWAY or row.content is None:
        raise Conflict("This list was thrown away. Hand it in again.")
    newest = await newest_as_of(session, contract.key)
    if newest is not None and row.as_of < newest:
        raise Conflict("A newer list was accepted meanwhile. Throw this one away.")
    found = await compare(session, contract, row.content, row.as_of, now, is_whole=row.is_whole)
    await take_in(session, contract, found, now, list_id=row.id, by=by.user_id)
    _count(row, found)
    if row.is_whole:
        await _date_populations(session, contract, row, found)
    await _settle(session, row, ListState.ACCEPTED, by, now)
    return row


async def throw_away(session: AsyncSession, list_id: int, by: Actor, now: datetime) -> None:
    """Nothing was changed, and the list is gone."""
    row = await find_list(session, by, list_id, for_update=True)
    if row.state == ListState.ACCEPTED:
        raise Conflict("This list is accepted already. Hand in a newer one to change the register.")
    if row.state == ListState.PENDING:
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


async def populations(session: AsyncSession, contract: str) -> Sequence[Population]:
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


async def _date_populations(
    session: AsyncSession, contract: Contract, row: RegisterList, found: Difference
) -> None:
    """Each kind of person on the list: how many hold a membership that day, everywhere and in each
    quadrant; "unknown" is a row, and nobody is a number too (A07)."""
    holding = [person for person in found.listed if person.holds(row.as_of)]
    counted = Counter((person.group, person.quadrant.code) for person in holding)
    places = [*(area.code for area in contract.quadrants), UNKNOWN]
    rows = []
    for group in sorted({person.group for person in found.listed}):
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
