"""Deadlines and alerts that break the loop which moves them: put off for longer and longer, shown
to the leads, and said aloud once it does not pass by itself. Called by engine/watch and the page.

Nothing is dropped: what is set aside is still tried every hour, because the fault may be ours and
mended by the next version.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import escalation, events
from helpline.errors import NotFound
from helpline.models import SetAside, metadata
from helpline.rules.permissions import Actor
from helpline.vocabulary import AlertKind

PAUSES = tuple(timedelta(seconds=s) for s in (10, 60, 300, 3600))
"""How long after each failure the row is tried again; from the last on a person knows of it."""
REFERENCE = "SYSTEM"
"""What a telephone shows instead of a case."""
TABLES = {name: metadata.tables[name] for name in ("deadline", "alert")}
DUE = {
    "deadline": TABLES["deadline"].c.next_alert_at,
    "alert": TABLES["alert"].c.next_rung_at,
}
"""When a row of these kinds is moved next."""


async def put_off(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    kind: str,
    row_id: int,
    was_due: datetime,
    failure: str,
    now: datetime,
) -> None:
    """The row broke its loop with `failure` (a class and a place): it waits, the others go on."""
    found = await session.scalar(
        select(SetAside).where(col(SetAside.kind) == kind, col(SetAside.row_id) == row_id)
    )
    if found is None:
        table = TABLES[kind]
        contract = await session.scalar(select(table.c.contract).where(table.c.id == row_id))
        found = SetAside(
            kind=kind,
            row_id=row_id,
            contract=contract or "",
            due_at=was_due,
            failures=0,
            failure=failure,
            first_at=now,
            last_at=now,
        )
        session.add(found)
    found.failures, found.failure, found.last_at = found.failures + 1, failure, now
    await _set_due(session, kind, row_id, _again_at(found))
    if found.failures >= len(PAUSES) and not found.is_given_up:
        found.is_given_up = True
        await events.record(session, "row.set_aside", now, kind=kind, row=row_id, where=failure)
        cause = escalation.Cause(AlertKind.UPKEEP, _key(found), REFERENCE)
        contract_told = contracts.get(found.contract) or contracts[min(contracts)]
        await escalation.raise_alert(session, contract_told, cause, now)
    await session.flush()


async def forget_moved(session: AsyncSession, now: datetime) -> None:
    """What went well after all, or is not waited for any more, is nobody's worry."""
    for found in (await session.scalars(select(SetAside))).all():
        waits = select(DUE[found.kind]).where(TABLES[found.kind].c.id == found.row_id)
        at = await session.scalar(waits)
        if at is None or (at > now and at != _again_at(found)):
            await escalation.end(session, _key(found), now)
            await session.execute(delete(SetAside).where(col(SetAside.id) == found.id))


async def try_again(session: AsyncSession, set_aside_id: int, by: Actor, now: datetime) -> None:
    """The cause may be mended: the row is due as it first was. NotFound when it has moved."""
    found = await session.get(SetAside, set_aside_id, with_for_update=True)
    if found is None:
        raise NotFound("This has gone well meanwhile.")
    await _set_due(session, found.kind, found.row_id, found.due_at)
    await events.record(
        session, "row.tried_again", now, by=by.user_id, kind=found.kind, row=found.row_id
    )


async def _set_due(session: AsyncSession, kind: str, row_id: int, at: datetime) -> None:
    table, due = TABLES[kind], DUE[kind]
    still_waits = (table.c.id == row_id) & due.is_not(None)
    await session.execute(update(table).where(still_waits).values({due.name: at}))


def _again_at(found: SetAside) -> datetime:
    return found.last_at + PAUSES[min(found.failures, len(PAUSES)) - 1]


def _key(found: SetAside) -> str:
    return f"set_aside:{found.kind}:{found.row_id}:{found.first_at:%Y%m%dT%H%M%S}"
