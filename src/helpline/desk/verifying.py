"""Looking through the audit trail: all of its chain as one state, line after line, up to the first
that is wrong. Called by `helpline audit verify`, the page of the trail and the job that looks after
it; it changes nothing but the list of when somebody looked.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncResult, AsyncSession
from sqlmodel import col

from helpline.desk import chain_rows, keyring
from helpline.desk.chain_rows import as_bytes, content, happened
from helpline.errors import InvalidInput
from helpline.models import AuditRound, metadata
from helpline.rules import chain
from helpline.rules.chain import Fault

LEFT: Final = metadata.tables["audit_digest"]
CHUNK: Final = 2000


@dataclass(frozen=True)
class Found:
    """What looking through the chain showed. `waiting`: lines written since that are not tied on
    yet, each with a true proof. `fault` None: it is whole up to `up_to`, when its last line
    happened; else the first line that is wrong: its number, its event, when that happened."""

    lines: int
    up_to: datetime | None
    anchor: str
    waiting: int = 0
    fault: Fault | None = None
    seq: int | None = None
    event_id: int | None = None
    at: datetime | None = None


async def look_through(
    session: AsyncSession, left: str | None = None, *, is_fresh: bool = True
) -> Found:
    """The whole chain as one state, line after line, in the memory of a few thousand. `left`: a
    line that left the machine earlier; the chain must still hold it. `is_fresh`: the session has
    asked nothing yet, so that on PostgreSQL all of it can be one state. InvalidInput when `left` is
    no such line."""
    anchored = chain.anchored(left) if left else None
    if left and anchored is None:
        raise InvalidInput("That is no line that left this machine: one looks like 4711:9f3c….")
    if is_fresh and session.get_bind().dialect.name == "postgresql":
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    walk = _Walk(await keyring.secrets(session), anchored)
    head = (await session.execute(chain_rows.END)).first()
    if head is not None:
        walk.unproved = (head.unproved_after, head.unproved_to)
    waiting = await _beside(session, walk)
    async with _streamed(session, chain_rows.LINES) as rows:
        async for row in rows:
            if fault := walk.fault_of(row):
                return walk.found(fault, row)
    if fault := await _fault_at_end(session, walk, head):
        return walk.found(fault)
    return walk.found_beside(waiting)


async def _fault_at_end(
    session: AsyncSession, walk: "_Walk", head: Row[Any] | None
) -> Fault | None:
    if head is not None:
        return walk.fault_at_end(head)
    began = (await session.execute(select(LEFT.c.id).limit(1))).first() or walk.seq or walk.left
    return Fault.SHORT if began else None


class _Walk:
    """Going along the chain: the last line that was right, and what is known of those beside it."""

    def __init__(self, keys: Mapping[bytes, bytes], left: tuple[int, str] | None) -> None:
        self._keys, self.left = keys, left
        self.unproved = (0, 0)
        self.seq, self.digest = 0, bytes(chain.SEED)
        self.at: datetime | None = None
        self.beside: dict[bytes, Row[Any]] = {}
        self.aside: tuple[Fault, Row[Any]] | None = None

    def found(self, fault: Fault, row: Row[Any] | None = None) -> Found:
        """The first line that is wrong; without a row, the end is."""
        seq, event_id = (row.seq, row.event_id) if row is not None else (self.seq, None)
        return Found(
            self.seq,
            self.at,
            self._anchor,
            0,
            fault,
            seq,
            event_id,
            happened(row) or self.at,
        )

    def found_beside(self, waiting: int) -> Found:
        """All lines are right; what stands beside them may be wrong."""
        if self.aside is None:
            return Found(self.seq, self.at, self._anchor, waiting)
        fault, row = self.aside
        return Found(self.seq, self.at, self._anchor, waiting, fault, None, row.id, happened(row))

    @property
    def _anchor(self) -> str:
        return chain.anchor(self.seq, self.digest)

    def fault_of(self, row: Row[Any]) -> Fault | None:
        """What is wrong with the next line; None steps on to it."""
        given, digest = as_bytes(row.of_line), as_bytes(row.digest)
        if row.seq != self.seq + 1 or not isinstance(row.event_id, int):
            return Fault.TORN
        line = {"before": self.digest, "seq": row.seq, "event_id": row.event_id}
        follows = chain.is_made_by(self._keys, digest, event_proof=given, **line)
        if not follows:
            return Fault.NO_KEY if follows is None else Fault.TORN
        if row.id is None:
            return Fault.REMOVED
        if fault := self._fault_of_event(row, given):
            return fault
        if given in self.beside:
            self.aside = self.aside or (Fault.ADDED, self.beside[given])
        self.seq, self.digest, self.at = row.seq, digest, happened(row)
        if self.left and self.left[0] == self.seq and self.left[1] != digest.hex():
            return Fault.OTHER
        return None

    def _fault_of_event(self, row: Row[Any], given: bytes) -> Fault | None:
        if chain.is_late(given) != (row.proof is None):
            return Fault.EDITED
        if row.proof is not None and as_bytes(row.proof) != given:
            return Fault.EDITED
        is_true = chain.is_proof_of(self._keys, given, content(row))
        if not is_true:
            return Fault.NO_KEY if is_true is None else Fault.EDITED
        return None

    def fault_beside(self, row: Row[Any]) -> Fault | None:
        """What is wrong with an event that is in no line; None: it waits to be tied on."""
        if row.proof is None:
            after, to = self.unproved
            return None if after < row.id <= to else Fault.UNPROVED
        given = as_bytes(row.proof)
        if given in self.beside or not chain.is_proof_of(self._keys, given, content(row)):
            return Fault.ADDED
        self.beside[given] = row
        return None

    def fault_at_end(self, head: Row[Any]) -> Fault | None:
        """Whether the chain ends where it says, and reaches what left the machine."""
        end, digest = as_bytes(head.proof), as_bytes(head.digest)
        mark = end[: chain.MARK]
        if mark not in self._keys:
            return Fault.NO_KEY
        try:
            true = chain.head(mark, self._keys[mark], head.seq, digest, self.unproved)
        except TypeError:  # no number
            return Fault.SHORT
        if true != end or (head.seq, digest) != (self.seq, self.digest):
            return Fault.SHORT
        return Fault.SHORT if self.left and self.left[0] > self.seq else None


@asynccontextmanager
async def _streamed(session: AsyncSession, query: Select[Any]) -> AsyncIterator[AsyncResult[Any]]:
    """A few thousand rows at a time; what is not read to its end is let go of all the same."""
    rows = await session.stream(query, execution_options={"yield_per": CHUNK})
    try:
        yield rows
    finally:
        await rows.close()


async def _beside(session: AsyncSession, walk: _Walk) -> int:
    """Events that are in no line: how many wait with a true proof; the first that has none is a
    fault. Copies of a line are found on the way along it."""
    waiting = 0
    async with _streamed(session, chain_rows.BESIDE) as rows:
        async for row in rows:
            fault = walk.fault_beside(row)
            if fault is None:
                waiting += 1
            else:
                walk.aside = walk.aside or (fault, row)
    return waiting


async def lines(session: AsyncSession) -> AsyncIterator[dict[str, Any]]:
    """Every line as plain values, for a file that is kept elsewhere. To be read to its end."""
    async with _streamed(session, chain_rows.LINES) as rows:
        async for row in rows:
            yield _plain(row)


def _plain(row: Row[Any]) -> dict[str, Any]:
    at = happened(row)
    return {
        "seq": row.seq,
        "event": row.event_id,
        "at": at.isoformat() if at else None,
        "kind": row.kind,
        "contract": row.contract,
        "case": row.case_id,
        "by": row.by_user_id,
        "detail": row.detail,
        "proof": as_bytes(row.of_line).hex(),
        "digest": as_bytes(row.digest).hex(),
    }


# --- what was found ------------------------------------------------------------------------------


async def note(session: AsyncSession, found: Found, seconds: float, now: datetime) -> None:
    """That somebody, or the loop, looked through it."""
    session.add(
        AuditRound(
            at=now,
            lines=found.lines,
            seconds=round(seconds, 3),
            is_whole=found.fault is None,
            fault=found.fault,
            seq=found.seq,
            event_id=found.event_id,
        )
    )
    await session.flush()


async def last_rounds(session: AsyncSession, most: int = 10) -> list[AuditRound]:
    """The newest first."""
    newest = select(AuditRound).order_by(col(AuditRound.id).desc()).limit(most)
    return list(await session.scalars(newest))
