"""After a restore: what the copy was about to send waits here until a person has looked at it.

`backup/holding.py` holds it back in the restore's own transaction; this shows how much waits and
lets it go: messages are sent or thrown away, alerts and promises begin again. Whatever came in
since the restore was never held. Called by web/pages/copies and `helpline release`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.backup.holding import COLUMNS, FAR, HeldKind
from helpline.desk import events, seeing
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import RestoredCopy, metadata
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import DeadlineState, OutState

HELD, OUT = metadata.tables["held_back"], metadata.tables["out_message"]
ALERT, DEADLINE = metadata.tables["alert"], metadata.tables["deadline"]
CASE = metadata.tables["case"]
ACTION: Final = "restore.release"
THROWN_AWAY: Final = "old_copy"
"""The code of a message that a person threw away because it was of a copy."""
MOST_SHOWN: Final = 100


@dataclass(frozen=True)
class Waiting:
    """What is held of some contracts. `to_people`: messages to people we help; `to_staff`: those by
    which alerts asked our own."""

    made_at: datetime
    restored_at: datetime
    to_people: int
    to_staff: int
    alerts: int
    deadlines: int

    @property
    def messages(self) -> int:
        return self.to_people + self.to_staff


@dataclass(frozen=True)
class HeldMessage:
    """One message to somebody we help. `reference`: of its case; empty where it has none."""

    id: int
    contract: str
    channel: str
    reference: str
    written_at: datetime
    is_unsure: bool
    """It may have left before the copy was made."""


@dataclass(frozen=True)
class Released:
    sent: int
    thrown_away: int
    alerts: int
    deadlines: int


async def copy(session: AsyncSession) -> RestoredCopy | None:
    """The copy this database came from, as long as anything of it is held."""
    return await session.scalar(
        select(RestoredCopy)
        .where(col(RestoredCopy.released_at).is_(None))
        .order_by(col(RestoredCopy.id).desc())
        .limit(1)
    )


async def is_held(session: AsyncSession) -> bool:
    """Whether a person still has to let something go: loops that write to many wait for it."""
    held = select(col(RestoredCopy.id)).where(col(RestoredCopy.released_at).is_(None)).limit(1)
    return await session.scalar(held) is not None


async def waiting(session: AsyncSession, contracts: Sequence[str]) -> Waiting | None:
    """How much of these contracts is held; None where no copy was restored, or all is let go."""
    found = await copy(session)
    if found is None:
        return None
    staff = OUT.c.address_id.is_(None)
    return Waiting(
        made_at=found.made_at,
        restored_at=found.restored_at,
        to_people=await _count(session, HeldKind.MESSAGE, contracts, ~staff),
        to_staff=await _count(session, HeldKind.MESSAGE, contracts, staff),
        alerts=await _count(session, HeldKind.RUNG, contracts)
        + await _count(session, HeldKind.ACT, contracts),
        deadlines=await _count(session, HeldKind.DEADLINE, contracts),
    )


async def messages(session: AsyncSession, by: Actor) -> list[HeldMessage]:
    """Those to people we help that `by` may see one by one, the oldest first."""
    query = (
        select(
            OUT.c.id, OUT.c.contract, OUT.c.channel, CASE.c.reference, OUT.c.created_at, OUT.c.state
        )
        .join(HELD, (HELD.c.row_id == OUT.c.id) & (HELD.c.kind == HeldKind.MESSAGE))
        .join(CASE, CASE.c.id == OUT.c.case_id)
        .where(OUT.c.address_id.is_not(None), *seeing.cases(by))
        .order_by(OUT.c.id)
        .limit(MOST_SHOWN)
    )
    return [
        HeldMessage(
            row.id,
            row.contract,
            row.channel,
            row.reference,
            row.created_at,
            row.state != OutState.QUEUED,
        )
        for row in await session.execute(query)
    ]


async def settle_one(
    session: AsyncSession, message_id: int, by: Actor, now: datetime, *, is_sent: bool
) -> None:
    """Send or throw away one message on a case that `by` may see."""
    mine = select(OUT.c.contract).join(CASE, CASE.c.id == OUT.c.case_id)
    contract = await session.scalar(mine.where(OUT.c.id == message_id, *seeing.cases(by)))
    if contract is None:
        raise NotFound("There is no such message among those that wait.")
    require(by, ACTION, contract)
    these = _still_held(HeldKind.MESSAGE, [contract]) & (OUT.c.id == message_id)
    if not await _settle_messages(session, these, now, is_sent=is_sent):
        raise Conflict("Somebody has already decided about this message.")
    await events.record(
        session,
        "restore.message_settled",
        now,
        contract=contract,
        by=by.user_id,
        outbox=message_id,
        sent=is_sent,
    )
    await _close(session, by.user_id, now)


async def release(
    session: AsyncSession,
    contracts: Sequence[str],
    choice: str,
    by: Actor | None,
    now: datetime,
) -> Released:
    """Let go of everything that is held of these contracts. `choice` is what becomes of messages to
    people we help: "send" or "throw_away". Those by which alerts had asked our own people are
    thrown away: whatever is still open asks anew, once, about the worst of it. `by` None: whoever
    has the machine and its keys."""
    if choice not in ("send", "throw_away"):
        raise InvalidInput("Say what becomes of the messages: send them, or throw them away.")
    if by is not None:
        for contract in contracts:
            require(by, ACTION, contract)
    if not await is_held(session):
        raise Conflict("Nothing is held: everything has been let go already.")
    staff = OUT.c.address_id.is_(None)
    held = _still_held(HeldKind.MESSAGE, contracts)
    away = await _settle_messages(session, held & staff, now, is_sent=False)
    is_sent = choice == "send"
    count = await _settle_messages(session, held & ~staff, now, is_sent=is_sent)
    await _forget(session, HeldKind.MESSAGE, OUT, contracts)
    alerts = await _begin_again(
        session, HeldKind.RUNG, contracts, ALERT.c.acknowledged_at.is_(None), now
    ) + await _begin_again(session, HeldKind.ACT, contracts, ALERT.c.ended_at.is_(None), None)
    deadlines = await _begin_again(
        session, HeldKind.DEADLINE, contracts, DEADLINE.c.state == DeadlineState.OPEN, None
    )
    gone = Released(count if is_sent else 0, away + (0 if is_sent else count), alerts, deadlines)
    for contract in contracts:
        await events.record(
            session,
            "restore.released",
            now,
            contract=contract,
            by=by.user_id if by else None,
            choice=choice,
            sent=gone.sent,
            thrown_away=gone.thrown_away,
            alerts=alerts,
            deadlines=deadlines,
        )
    await _close(session, by.user_id if by else None, now)
    return gone


async def _count(
    session: AsyncSession,
    kind: HeldKind,
    contracts: Sequence[str],
    *where: ColumnElement[bool],
) -> int:
    table, _, _ = COLUMNS[kind]
    query = select(func.count()).select_from(table).where(_still_held(kind, contracts), *where)
    return (await session.execute(query)).scalar_one()


def _still_held(kind: HeldKind, contracts: Sequence[str]) -> ColumnElement[bool]:
    table, due, until = COLUMNS[kind]
    held = exists().where(HELD.c.kind == kind, HELD.c.row_id == table.c.id)
    holds = due == FAR if until else due.is_(None)
    return and_(held, holds, table.c.contract.in_(contracts))


async def _settle_messages(
    session: AsyncSession, these: ColumnElement[bool], now: datetime, *, is_sent: bool
) -> int:
    """Whether one that waited had left already, nobody here knows: its provider is asked before it
    is sent, where it can be asked."""
    values: dict[str, Any] = {"state": OutState.HELD, "settled_at": now, "code": THROWN_AWAY}
    if is_sent:
        first = func.coalesce(OUT.c.first_tried_at, OUT.c.created_at)
        values = {"state": OutState.UNSURE, "first_tried_at": first}
    values["next_try_at"] = now
    changed = await session.execute(update(OUT).where(these).values(values).returning(OUT.c.id))
    ids = [row.id for row in changed]
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        gone = (HELD.c.kind == HeldKind.MESSAGE, HELD.c.row_id.in_(some))
        await session.execute(delete(HELD).where(*gone))
    return len(ids)


async def _begin_again(
    session: AsyncSession,
    kind: HeldKind,
    contracts: Sequence[str],
    is_open: ColumnElement[bool],
    at: datetime | None,
) -> int:
    """Rows that still wait move by themselves again: `at`, or when they would have."""
    table, due, _ = COLUMNS[kind]
    was = (
        select(HELD.c.due_at)
        .where(HELD.c.kind == kind, HELD.c.row_id == table.c.id)
        .scalar_subquery()
    )
    these = _still_held(kind, contracts)
    ended = (table.c.ended_at.is_(None),) if table is ALERT else ()
    begun = await session.execute(
        update(table).where(these, is_open, *ended).values({due.name: at or was})
    )
    await _forget(session, kind, table, contracts)
    return int(begun.rowcount)  # type: ignore[attr-defined]  # of an UPDATE


async def _forget(
    session: AsyncSession, kind: HeldKind, table: Table, contracts: Sequence[str]
) -> None:
    theirs = select(table.c.id).where(table.c.contract.in_(contracts))
    await session.execute(delete(HELD).where(HELD.c.kind == kind, HELD.c.row_id.in_(theirs)))


async def _close(session: AsyncSession, by: int | None, now: datetime) -> None:
    """Once nothing is held any more, the copy is one like any other."""
    if (await session.execute(select(HELD.c.row_id).limit(1))).first() is None:
        await session.execute(
            update(RestoredCopy)
            .where(col(RestoredCopy.released_at).is_(None))
            .values(released_at=now, released_by_id=by)
        )
