"""Nobody on call, now or in the coming week, is an alarm: one for each gap, ended when filled.

Called by the job `rota` and after every change of a rota, in the same transaction. A gap is a row,
so that moving its edges raises nothing twice; when it begins, a worse alarm takes the place of the
first.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.db import insert_for
from helpline.desk import escalation, events
from helpline.desk.rota.duty import gaps, shortages
from helpline.models import Alert, RotaGap, RotaWatch
from helpline.rules.rota import Span, compare
from helpline.vocabulary import AlertKind

AHEAD = timedelta(days=7)
REFERENCE = "ROTA"
"""What a telephone shows instead of a case."""


async def look(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """Find the gaps of the coming week, raise what is new, end what is filled. Returns how many
    began or ended."""
    await take_turn(session, contract.key, now)
    known = {
        gap.id: gap
        for gap in await session.scalars(
            select(RotaGap).where(
                col(RotaGap.contract) == contract.key, col(RotaGap.ended_at).is_(None)
            )
        )
        if gap.id is not None
    }
    found = await gaps(session, contract.key, now, now + AHEAD)
    result = compare([(i, (gap.starts_at, gap.ends_at)) for i, gap in known.items()], found)
    moved = 0
    for gap_id in result.filled:
        await _filled(session, contract, known[gap_id], now)
    for gap_id, span in result.same:
        moved += await _moved(session, contract, known[gap_id], span, now)
    for span in result.new:
        await _found(session, contract, span, now)
    await _say_shortages(session, contract, now)
    return moved + len(result.new) + len(result.filled)


async def _say_shortages(session: AsyncSession, contract: Contract, now: datetime) -> None:
    """Too few for a busy time of the contract: an alarm for each, ended when there are enough."""
    if not contract.busy_times:
        return
    found = await shortages(session, contract, now, now + AHEAD)
    start = f"rota:short:{contract.key}:"
    keys = {f"{start}{span[1]:%Y%m%d%H%M}" for span in found}  # its end does not move with the time
    said = await session.scalars(
        select(col(Alert.key)).where(
            col(Alert.key).startswith(start, autoescape=True), col(Alert.ended_at).is_(None)
        )
    )
    for key in set(said) - keys:
        await escalation.end(session, key, now)
    for key in sorted(keys):
        cause = escalation.Cause(AlertKind.ROTA_GAP, key, REFERENCE)
        await escalation.raise_alert(session, contract, cause, now)


async def take_turn(session: AsyncSession, contract: str, now: datetime) -> None:
    """Until the transaction ends, no other node looks at this rota."""
    await session.execute(
        insert_for(session, RotaWatch)
        .values(contract=contract, looked_at=now)
        .on_conflict_do_update(index_elements=["contract"], set_={"looked_at": now})
    )


async def _found(session: AsyncSession, contract: Contract, span: Span, now: datetime) -> None:
    gap = RotaGap(contract=contract.key, starts_at=span[0], ends_at=span[1], found_at=now)
    session.add(gap)
    await session.flush()
    await events.record(session, "rota.gap_found", now, contract=contract.key, gap=gap.id)
    if span[0] > now:
        cause = escalation.Cause(AlertKind.ROTA_GAP, _key(gap), REFERENCE)
        await escalation.raise_alert(session, contract, cause, now)
    await _begun(session, contract, gap, now)


async def _moved(
    session: AsyncSession, contract: Contract, gap: RotaGap, span: Span, now: datetime
) -> bool:
    if gap.has_begun and span[0] > now:  # filled for now: what is left of it is another one, ahead
        await _filled(session, contract, gap, now)
        await _found(session, contract, span, now)
        return True
    if not gap.has_begun:
        gap.starts_at = span[0]  # once it has begun, "since now" would forget since when
    gap.ends_at = span[1]
    return await _begun(session, contract, gap, now)


async def _begun(session: AsyncSession, contract: Contract, gap: RotaGap, now: datetime) -> bool:
    """Nobody is on call now: said once for each time that a gap begins."""
    if gap.has_begun or gap.starts_at > now:
        await session.flush()
        return False
    gap.has_begun = True
    await session.flush()
    await escalation.end(session, _key(gap), now)
    cause = escalation.Cause(AlertKind.ROTA_NOBODY, _key(gap, "nobody"), REFERENCE)
    await escalation.raise_alert(session, contract, cause, now)
    return True


async def _filled(session: AsyncSession, contract: Contract, gap: RotaGap, now: datetime) -> None:
    gap.ended_at = now
    await session.flush()
    await escalation.end(session, _key(gap), now)
    await escalation.end(session, _key(gap, "nobody"), now)
    await events.record(session, "rota.gap_filled", now, contract=contract.key, gap=gap.id)


def _key(gap: RotaGap, what: str = "gap") -> str:
    return f"rota:{what}:{gap.id}"
