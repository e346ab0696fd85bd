"""The end of the audit trail leaves this machine once a day: whoever later has everything here,
keys and all, cannot make a shorter or another chain agree with a line that somebody else holds.

A line is a number and a digest: nothing personal, and it opens nothing. Called by engine/auditing.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.db import insert_for
from helpline.desk import events, outbox
from helpline.models import AuditDigest, AuditHead, metadata
from helpline.rules import chain
from helpline.templating import Wording

DIGEST = metadata.tables["audit_digest"]
CHANNEL = "email"


async def is_made(session: AsyncSession, now: datetime) -> bool:
    """Whether today's has been made, or there is nothing yet to make one of."""
    seq = await session.scalar(select(col(AuditHead.seq)))
    if not seq:
        return True
    return await session.scalar(select(DIGEST.c.id).where(DIGEST.c.day == _day(now))) is not None


async def make(
    session: AsyncSession,
    to: Collection[str],
    contracts: Mapping[str, Contract],
    wording: Wording,
    now: datetime,
) -> str | None:
    """Today's line, and a letter with it to each address; None when another node was faster."""
    head = await session.get(AuditHead, 1)
    if head is None or not head.seq:
        return None
    anchor = chain.anchor(head.seq, head.digest)
    values = {
        "day": _day(now),
        "seq": head.seq,
        "digest": bytes(head.digest).hex(),
        "made_at": now,
        "mailed_to": len(to),
    }
    added = insert_for(session, DIGEST).values(values).on_conflict_do_nothing()
    if (await session.execute(added.returning(DIGEST.c.id))).first() is None:
        return None
    line = f"{now.astimezone(UTC).isoformat(timespec='seconds')} {anchor}"
    body = wording.say("audit_digest", line=line)
    for address in to:
        await outbox.queue(session, min(contracts), CHANNEL, address, body, now)
    await events.record(session, "audit.digest_made", now, count=head.seq, letters=len(to))
    return line


async def written(session: AsyncSession, now: datetime) -> None:
    """Today's line stands in the file as well."""
    await session.execute(update(DIGEST).where(DIGEST.c.day == _day(now)).values(written_at=now))


async def lately(session: AsyncSession, most: int = 7) -> list[AuditDigest]:
    """What left, the newest first."""
    newest = select(AuditDigest).order_by(col(AuditDigest.day).desc()).limit(most)
    return list(await session.scalars(newest))


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
