"""The audit trail as one chain: tying on what was written since.

Events prove themselves when they are written (models/trail.py, rules/chain.py), in the
transactions of their acts, on any number of nodes; `tie_on` is the loop that puts them into one
order afterwards, on whichever node takes the head of the chain. desk/verifying looks through it.
Nothing changes or removes an event.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Row,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import beats, chain_rows, events, keyring
from helpline.errors import Conflict, InvalidInput
from helpline.models import AuditHead, metadata
from helpline.rules import chain
from helpline.sealing import ring

EVENT: Final = metadata.tables["event"]
LINK: Final = metadata.tables["audit_link"]
HEAD: Final = metadata.tables["audit_head"]
LEFT: Final = metadata.tables["audit_digest"]
JOB: Final = "auditing"
AT_ONCE: Final = 1000
"""Lines tied on in one transaction: a few hundredths of a second."""
CHUNK: Final = 2000
BEHIND: Final = 1000
"""How many numbers before the last settled one are looked at once more: PostgreSQL gives a row its
number an instant before its transaction can be seen to run."""
# --- tying on ------------------------------------------------------------------------------------


async def is_due(session: AsyncSession) -> bool:
    """Whether something was written since; an idle helpline leaves the disk alone."""
    settled = await session.scalar(select(HEAD.c.settled_id))
    newest = await session.scalar(select(func.max(EVENT.c.id))) or 0
    return settled is None or bool(settled < newest)


async def tie_on(session: AsyncSession, now: datetime, most: int = AT_ONCE) -> int:
    """Tie what was written since to the end of the chain; returns how many lines. 0 too when
    another node does it, or when the chain cannot begin yet. The caller repeats while there are
    any."""
    await keyring.stand(session, now)
    head = await _held_head(session, now)
    if head is None:
        return 0
    tying = _Tying(head, await keyring.secrets(session))
    after = head.settled_id - BEHIND
    while True:
        rows = (await session.execute(chain_rows.NOT_TIED, {"after": after, "most": most})).all()
        added = await tying.take(session, rows)
        if added or len(rows) < most:
            break
        after = rows[-1].id  # a whole page that nobody wrote through the helpline
    if len(rows) < most:
        head.unproved_after = head.unproved_to
        await _settle(session, head)
    _close(head, tying.keys, now)
    await session.flush()
    return added


async def tied_to(session: AsyncSession) -> tuple[int, datetime | None]:
    """How many lines the chain has, and when the last of them happened."""
    row = (
        await session.execute(
            select(HEAD.c.seq, EVENT.c.at)
            .outerjoin(LINK, LINK.c.seq == HEAD.c.seq)
            .outerjoin(EVENT, EVENT.c.id == LINK.c.event_id)
        )
    ).first()
    return (row.seq, row.at) if row is not None else (0, None)


class _Tying:
    """The end of the chain in our hands."""

    def __init__(self, head: AuditHead, keys: Mapping[bytes, bytes]) -> None:
        self.head, self.keys, self._mark = head, keys, ring().mark

    async def take(self, session: AsyncSession, rows: Sequence[Row[Any]]) -> int:
        """Tie these on, but for what stays beside the chain, where `look_through` finds it: what
        has no true proof, and copies of a line."""
        proofs = {row.id: bytes(row.proof or self._late_proof(row)) for row in rows}
        copies = await _tied_already(session, list(proofs.values()))
        head, added = self.head, list[dict[str, Any]]()
        for row in rows:
            given = proofs[row.id]
            if given in copies or not self._may(row, given):
                continue
            copies.add(given)
            head.seq += 1
            secret = self.keys[self._mark]
            head.digest = chain.link(
                self._mark, secret, bytes(head.digest), head.seq, row.id, given
            )
            line = {"seq": head.seq, "event_id": row.id, "proof": given, "digest": head.digest}
            added.append(line)
        if added:
            await session.execute(insert(LINK), added)
        return len(added)

    def _may(self, row: Row[Any], given: bytes) -> bool:
        if row.proof is None:
            return bool(self.head.unproved_after < row.id <= self.head.unproved_to)
        return bool(chain.is_proof_of(self.keys, given, chain_rows.content(row)))

    def _late_proof(self, row: Row[Any]) -> bytes:
        nonce = chain.nonce(chain.LATER)
        return chain.proof(self._mark, self.keys[self._mark], nonce, chain_rows.content(row))


async def _held_head(session: AsyncSession, now: datetime) -> AuditHead | None:
    """The end of the chain, in our hands; made when there is none and no older version writes."""
    found: AuditHead | None = await session.get(
        AuditHead, 1, with_for_update={"skip_locked": True}, populate_existing=True
    )
    if found is not None:
        return found
    if (await session.execute(select(HEAD.c.id))).first() or await _older_node(session, now):
        return None
    unproved = select(func.max(EVENT.c.id)).where(EVENT.c.proof.is_(None))
    head = AuditHead(
        id=1,
        seq=0,
        digest=chain.SEED,
        unproved_to=await session.scalar(unproved) or 0,
        proof=b"",
        at=now,
    )
    _close(head, await keyring.secrets(session), now)
    session.add(head)
    await session.flush()
    return head


async def _older_node(session: AsyncSession, now: datetime) -> bool:
    """Whether a process runs that knows no proofs: it has no loop of this name."""
    return any(
        JOB not in {job.run.job for job in one.jobs}
        for one in await beats.overview(session, now)
        if one.node.stopped_at is None and not one.is_silent and one.jobs
    )


async def _tied_already(session: AsyncSession, proofs: list[bytes]) -> set[bytes]:
    """Those that stand in the chain: somebody copied a line."""
    found = await session.scalars(select(LINK.c.proof).where(LINK.c.proof.in_(proofs)))
    return {bytes(one) for one in found}


async def _settle(session: AsyncSession, head: AuditHead) -> None:
    """How far nothing can appear any more: SQLite has one writer at a time; on PostgreSQL every
    transaction must have ended that ran when a number was the newest."""
    newest = await session.scalar(select(func.max(EVENT.c.id))) or 0
    if session.get_bind().dialect.name == "sqlite":
        head.settled_id = newest
        return
    said = "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM "
    oldest, next_ = (await session.execute(text(said + "pg_current_snapshot() AS s"))).one()
    if oldest >= head.pending_xid:
        head.settled_id, head.pending_id, head.pending_xid = head.pending_id, newest, next_


def _close(head: AuditHead, keys: Mapping[bytes, bytes], now: datetime) -> None:
    mark, unproved = ring().mark, (head.unproved_after, head.unproved_to)
    head.at = now
    head.proof = chain.head(mark, keys[mark], head.seq, bytes(head.digest), unproved)


async def look_again_from_the_start(session: AsyncSession) -> None:
    """Whatever was passed over is tied on by the next beats; once a day, in case."""
    await session.execute(update(HEAD).values(settled_id=0))


async def accept(session: AsyncSession, event_id: int, now: datetime) -> int:
    """Lines without a proof up to this one are what an older version wrote, by the word of whoever
    holds the keys. Returns how many. The next beat ties them on."""
    head = await session.get(AuditHead, 1, with_for_update=True, populate_existing=True)
    if head is None:
        raise Conflict("There is no chain yet: it begins when the helpline runs.")
    without = (EVENT.c.proof.is_(None), EVENT.c.id > head.unproved_to, EVENT.c.id <= event_id)
    count = await session.scalar(select(func.count()).where(*without)) or 0
    if not count:
        raise InvalidInput("There are no new lines without a proof up to that one.")
    before = head.unproved_after = head.unproved_to
    head.unproved_to = event_id
    head.settled_id = min(head.settled_id, before)
    _close(head, await keyring.secrets(session), now)
    await session.flush()
    await events.record(session, "audit.accepted", now, after=before, to=event_id, count=count)
    return count
