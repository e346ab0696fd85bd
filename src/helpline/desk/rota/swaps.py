"""Swaps between two people: asking is the one consent, agreeing the other, and then it is in force.

Called by the console and the job `rota`. Nobody's shift ever moves without both; the lead sees all
of them and need not do anything.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, outbox
from helpline.desk.rota import alarms, plan
from helpline.desk.rota.duty import as_duty, aways
from helpline.errors import Conflict, InvalidInput, NotAllowed, NotFound
from helpline.models import Shift, ShiftSwap, User
from helpline.rules import rota as rules
from helpline.templating import Wording
from helpline.vocabulary import SwapState


async def ask(
    session: AsyncSession,
    contract: Contract,
    shift_id: int,
    asked_id: int,
    for_shift_id: int | None,
    asker_id: int,
    now: datetime,
    *,
    wording: Wording,
) -> int:
    """Ask somebody to take one's shift, for one of theirs or for nothing. InvalidInput says why it
    cannot be; Conflict when it is asked already."""
    await alarms.take_turn(session, contract.key, now)
    shift = await plan.find_shift(session, contract.key, shift_id, lock=True)
    other = await plan.find_shift(session, contract.key, for_shift_id) if for_shift_id else None
    if asked_id not in {user.id for user in await plan.staff(session, contract.key)}:
        raise InvalidInput("Choose somebody who works on this contract.")
    problem = await _problem(session, shift, other, asker_id, asked_id, now)
    if problem:
        raise InvalidInput(problem)
    if await session.scalar(select(col(ShiftSwap.id)).where(*_asked_about(shift_id)).limit(1)):
        raise Conflict("Somebody is asked about this shift already. Take that back first.")
    swap = ShiftSwap(
        contract=contract.key,
        shift_id=shift_id,
        for_shift_id=for_shift_id,
        asker_id=asker_id,
        asked_id=asked_id,
        asked_at=now,
        expires_at=min(one.starts_at for one in (shift, other) if one is not None),
    )
    session.add(swap)
    await session.flush()
    await _record(session, swap, "swap.asked", asker_id, now)
    await tell(session, contract.key, asked_id, wording.say("swap_asked"), now)
    assert swap.id is not None
    return swap.id


async def agree(
    session: AsyncSession,
    contract: Contract,
    swap_id: int,
    user_id: int,
    now: datetime,
    *,
    wording: Wording,
) -> None:
    """The second consent: the rota changes with it. Conflict when it is too late or the rota is
    another by now."""
    await alarms.take_turn(session, contract.key, now)
    swap = await _find(session, contract.key, swap_id, user_id, "asked_id")
    shift = await plan.find_shift(session, contract.key, swap.shift_id, lock=True)
    other = (
        await plan.find_shift(session, contract.key, swap.for_shift_id, lock=True)
        if swap.for_shift_id
        else None
    )
    problem = await _problem(session, shift, other, swap.asker_id, swap.asked_id, now)
    if problem:
        raise Conflict(problem)
    swap.state, swap.agreed_at, swap.in_force_at = SwapState.IN_FORCE, now, now
    await session.execute(
        update(ShiftSwap)
        .where(col(ShiftSwap.id) != swap_id, *_asked_about(swap.shift_id, swap.for_shift_id))
        .values(state=SwapState.EXPIRED, closed_at=now)
    )
    shift.user_id, shift.is_changed = swap.asked_id, True
    if other is not None:
        other.user_id, other.is_changed = swap.asker_id, True
    await session.flush()
    await _record(session, swap, "swap.agreed", user_id, now)
    await _record(session, swap, "swap.in_force", None, now)
    await tell(session, contract.key, swap.asker_id, wording.say("swap_agreed"), now)
    await alarms.look(session, contract, now)


async def refuse(
    session: AsyncSession,
    contract: Contract,
    swap_id: int,
    user_id: int,
    now: datetime,
    *,
    wording: Wording,
) -> None:
    """No, without having to say why. The shift stays with who has it."""
    await alarms.take_turn(session, contract.key, now)
    swap = await _find(session, contract.key, swap_id, user_id, "asked_id")
    swap.state, swap.closed_at = SwapState.REFUSED, now
    await session.flush()
    await _record(session, swap, "swap.refused", user_id, now)
    await tell(session, contract.key, swap.asker_id, wording.say("swap_refused"), now)


async def withdraw(
    session: AsyncSession, contract: Contract, swap_id: int, user_id: int, now: datetime
) -> None:
    """Whoever asked takes it back."""
    await alarms.take_turn(session, contract.key, now)
    swap = await _find(session, contract.key, swap_id, user_id, "asker_id")
    swap.state, swap.closed_at = SwapState.WITHDRAWN, now
    await session.flush()
    await _record(session, swap, "swap.withdrawn", user_id, now)


async def expire(session: AsyncSession, contract: str, now: datetime) -> int:
    """What nobody answered before the shift began is asked no more. Returns how many."""
    late = await session.scalars(
        select(ShiftSwap)
        .where(
            col(ShiftSwap.contract) == contract,
            col(ShiftSwap.state) == SwapState.ASKED,
            col(ShiftSwap.expires_at) <= now,
        )
        .with_for_update(skip_locked=True)
    )
    count = 0
    for swap in late:
        swap.state, swap.closed_at, count = SwapState.EXPIRED, now, count + 1
        await _record(session, swap, "swap.expired", None, now)
    await session.flush()
    return count


async def of_contracts(
    session: AsyncSession, contracts: Sequence[str], user_id: int | None, since: datetime
) -> Sequence[ShiftSwap]:
    """Open swaps and those asked after `since`, the newest first; of one person where given."""
    query = select(ShiftSwap).where(
        col(ShiftSwap.contract).in_(contracts),
        (col(ShiftSwap.state) == SwapState.ASKED) | (col(ShiftSwap.asked_at) > since),
    )
    if user_id is not None:
        mine = (col(ShiftSwap.asker_id) == user_id) | (col(ShiftSwap.asked_id) == user_id)
        query = query.where(mine)
    return list(await session.scalars(query.order_by(col(ShiftSwap.id).desc()).limit(50)))


async def contract_of(session: AsyncSession, swap_id: int) -> str | None:
    found: str | None = await session.scalar(
        select(col(ShiftSwap.contract)).where(col(ShiftSwap.id) == swap_id)
    )
    return found


async def tell(
    session: AsyncSession, contract: str, user_id: int, body: str, now: datetime
) -> None:
    """A short message to a colleague's telephone; it names nobody."""
    user = await session.get(User, user_id)
    if user is None or user.left_at is not None:
        return
    by_text = user.mobile if user.opted_out_at is None else None
    if by_text:
        await outbox.queue(session, contract, "sms", by_text, body, now)
    elif user.telegram:
        await outbox.queue(session, contract, "telegram", user.telegram, body, now)


async def _find(
    session: AsyncSession, contract: str, swap_id: int, user_id: int, whose: str
) -> ShiftSwap:
    swap = await session.get(ShiftSwap, swap_id, with_for_update=True, populate_existing=True)
    if swap is None or swap.contract != contract:
        raise NotFound("There is no such swap.")
    if getattr(swap, whose) != user_id:
        raise NotAllowed("Only the two whose shifts these are can do that.")
    if swap.state != SwapState.ASKED:
        raise Conflict("This was settled already. Look at the rota again.")
    return swap


async def _problem(
    session: AsyncSession,
    shift: Shift,
    other: Shift | None,
    asker_id: int,
    asked_id: int,
    now: datetime,
) -> str | None:
    spans = [one for one in (shift, other) if one is not None]
    since, until = min(s.starts_at for s in spans), max(s.ends_at for s in spans)
    both = (asker_id, asked_id)
    rows = await session.scalars(
        select(Shift).where(
            col(Shift.contract) == shift.contract,
            col(Shift.user_id).in_(both),
            col(Shift.taken_away_at).is_(None),
            col(Shift.ends_at) > since,
            col(Shift.starts_at) < until,
        )
    )
    return rules.swap_problem(
        as_duty(shift),
        as_duty(other) if other else None,
        asker_id,
        asked_id,
        [as_duty(row) for row in rows],
        await aways(session, both, since, until),
        now,
    )


def _asked_about(*shift_ids: int | None) -> tuple[ColumnElement[bool], ...]:
    ids = [shift_id for shift_id in shift_ids if shift_id is not None]
    about = col(ShiftSwap.shift_id).in_(ids) | col(ShiftSwap.for_shift_id).in_(ids)
    return (col(ShiftSwap.state) == SwapState.ASKED, about)


async def _record(
    session: AsyncSession, swap: ShiftSwap, event: str, by: int | None, now: datetime
) -> None:
    await events.record(session, event, now, contract=swap.contract, by=by, swap=swap.id)
