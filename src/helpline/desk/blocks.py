"""Senders nobody answers automatically for a while: adverts, jokes, a machine gone wild.

A block has a reason and an end, and never more than a week without somebody looking again. What
they send is still kept and shown, and an emergency is heard through any block. Called by the page
of a case, by the list of blocks, by intake and by the telephone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import events, seeing
from helpline.desk.cases import reply_address
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Address, Block, Call, Case, Contact, Conversation, OutMessage, User
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import NUMBERED, OWN_PAGES, Direction

LONGEST = timedelta(days=7)
SOON = timedelta(hours=24)
"""A block that ends within this time is to be looked at again."""
LONGEST_REASON = 500
WITHHELD = "withheld:"
UNTIL = (
    select(col(Block.until))
    .where(
        col(Block.address_id) == bindparam("address"),
        col(Block.ended_at).is_(None),
        col(Block.until) > bindparam("now"),
    )
    .order_by(col(Block.until).desc())
    .limit(1)
    .execution_options(autoflush=False)  # blocks are written at once
)


@dataclass(frozen=True)
class Listed:
    """One block as the list shows it. `sender` is masked; `kept` counts what came from them since
    it began, calls included, `answered` what went to them all the same."""

    id: int
    contract: str
    channel: str
    sender: str
    reason: str
    by: str
    since: datetime
    until: datetime
    is_soon_over: bool
    kept: int
    answered: int
    reference: str | None


async def block(
    session: AsyncSession, case: Case, reason: str, length: timedelta, by: Actor, now: datetime
) -> Block:
    """Stop answering the sender of `case` by ourselves until `length` from now."""
    require(by, "case.triage", case.contract)
    address = await _sender(session, case)
    if address is None or address.id is None:
        raise InvalidInput("There is no sender on this case who could be blocked.")
    if address.value.startswith(WITHHELD):
        raise InvalidInput("Their number is withheld: nobody could tell them from others.")
    made = Block(
        contract=case.contract,
        address_id=address.id,
        reason=in_a_line(reason, LONGEST_REASON, "Say why they are not to be answered."),
        begun_at=now,
        until=now + _length(length),
        by_user_id=by.user_id,
    )
    session.add(made)
    await session.flush()
    await _event(session, "address.blocked", made, case.id, by, now, until=made.until.isoformat())
    return made


async def unblock(
    session: AsyncSession, case: Case, by: Actor, now: datetime, reason: str = ""
) -> None:
    """End the sender's blocks at once; with none open nothing happens."""
    require(by, "case.triage", case.contract)
    address = await _sender(session, case)
    ended = await session.scalars(
        select(Block).where(
            col(Block.address_id) == (address.id if address else None),
            col(Block.ended_at).is_(None),
            col(Block.until) > now,
        )
    )
    for one in ended.all():
        await _end(session, one, case.id, reason.strip()[:LONGEST_REASON], by, now)


async def lift(session: AsyncSession, block_id: int, reason: str, by: Actor, now: datetime) -> None:
    """A lead ends a block before its time and says why."""
    held = await _open_block(session, block_id, by, now)
    why = in_a_line(reason, LONGEST_REASON, "Say why they are to be answered again.")
    await _end(session, held, await _case_of(session, held.address_id), why, by, now)


async def extend(
    session: AsyncSession, block_id: int, reason: str, length: timedelta, by: Actor, now: datetime
) -> None:
    """A lead has looked again: it goes on until `length` from now. The old reason stays on record
    with the old row; the new row goes on from the same beginning."""
    held = await _open_block(session, block_id, by, now)
    why = in_a_line(reason, LONGEST_REASON, "Say why it is to go on.")
    until = now + _length(length)
    if until <= held.until:
        raise InvalidInput("It runs longer than that already. To shorten it, lift it.")
    held.ended_at, held.ended_by_id = now, by.user_id
    longer = Block(
        contract=held.contract,
        address_id=held.address_id,
        reason=why,
        begun_at=held.begun_at,
        until=until,
        by_user_id=by.user_id,
    )
    session.add(longer)
    await session.flush()
    case_id = await _case_of(session, held.address_id)
    await _event(
        session, "address.block_extended", longer, case_id, by, now, until=until.isoformat()
    )


async def listed(
    session: AsyncSession, contracts: Sequence[str], reader_id: int, now: datetime
) -> Sequence[Listed]:
    """Every block that holds now, the one that ends first on top; with the case it came from where
    its reader may know of that."""
    seen = seeing.not_shut_out(reader_id)
    rows = await session.execute(
        select(Block, Address, col(User.shown_name), col(Case.reference))
        .join(Address, col(Address.id) == col(Block.address_id))
        .join(User, col(User.id) == col(Block.by_user_id))
        .outerjoin(Conversation, col(Conversation.address_id) == col(Address.id))
        .outerjoin(Case, and_(col(Case.id) == col(Conversation.case_id), *seen))
        .where(
            col(Block.contract).in_(contracts),
            col(Block.ended_at).is_(None),
            col(Block.until) > now,
        )
        .order_by(col(Block.until), col(Block.id))
        .limit(200)
    )
    return [
        Listed(
            id=held.id or 0,
            contract=held.contract,
            channel=address.channel,
            sender=masked(address.channel, address.value),
            reason=held.reason,
            by=by,
            since=held.begun_at,
            until=held.until,
            is_soon_over=held.until - now <= SOON,
            kept=await _kept(session, held, address),
            answered=await _answered(session, held),
            reference=reference,
        )
        for held, address, by, reference in rows.all()
    ]


def masked(channel: str, value: str) -> str:
    """Enough of an address to tell one from another, too little to write to it."""
    if channel in OWN_PAGES:
        return "a browser"
    if channel == "email":
        name, _, host = value.rpartition("@")
        return f"{name[:1]}…@{host}"
    return f"…{value[-3:]}"


async def blocked_until(
    session: AsyncSession, address_id: int | None, now: datetime
) -> datetime | None:
    """Until when this sender is not answered automatically; None when they are."""
    if address_id is None:
        return None
    return await session.scalar(UNTIL, {"address": address_id, "now": now})


async def any_blocked(
    session: AsyncSession, contract: str, addresses: ColumnElement[bool], now: datetime
) -> bool:
    """Whether one of these addresses is blocked: who texts and who rings may be one number."""
    held = (
        select(col(Block.id))
        .join(Address, col(Address.id) == col(Block.address_id))
        .where(
            col(Block.contract) == contract,
            col(Block.ended_at).is_(None),
            col(Block.until) > now,
            addresses,
        )
    )
    return await session.scalar(held.limit(1)) is not None


async def _sender(session: AsyncSession, case: Case) -> Address | None:
    """Whom an answer would go to; of a case that only rang, the number it rang from."""
    address = await reply_address(session, case)
    if address is not None:
        return address
    return await session.scalar(
        select(Address)
        .join(Call, col(Call.address_id) == col(Address.id))
        .where(col(Call.case_id) == case.id)
        .order_by(col(Call.id).desc())
        .limit(1)
    )


async def _open_block(session: AsyncSession, block_id: int, by: Actor, now: datetime) -> Block:
    held = await session.get(Block, block_id, with_for_update=True)
    if held is None or not may(by, "block.manage", held.contract):
        raise NotFound("There is no such block, or it is not yours to change.")
    if held.ended_at is not None or held.until <= now:
        raise Conflict("This block is over already.")
    return held


async def _end(
    session: AsyncSession, held: Block, case_id: int | None, why: str, by: Actor, now: datetime
) -> None:
    held.ended_at, held.ended_by_id, held.end_reason = now, by.user_id, why or None
    await session.flush()
    await _event(session, "address.unblocked", held, case_id, by, now)


async def _case_of(session: AsyncSession, address_id: int) -> int | None:
    """The case on whose timeline it stands."""
    return await session.scalar(
        select(col(Conversation.case_id)).where(col(Conversation.address_id) == address_id)
    )


async def _kept(session: AsyncSession, held: Block, address: Address) -> int:
    channels = {address.channel, *(["voice"] if address.channel in NUMBERED else [])}
    counted = (
        select(func.count())
        .select_from(Contact)
        .where(
            col(Contact.person_id) == address.person_id,
            col(Contact.direction) == Direction.IN,
            col(Contact.channel).in_(sorted(channels)),
            col(Contact.at) >= held.begun_at,
        )
    )
    return await session.scalar(counted) or 0


async def _answered(session: AsyncSession, held: Block) -> int:
    counted = (
        select(func.count())
        .select_from(OutMessage)
        .where(
            col(OutMessage.address_id) == held.address_id,
            col(OutMessage.created_at) >= held.begun_at,
        )
    )
    return await session.scalar(counted) or 0


def _length(length: timedelta) -> timedelta:
    if not timedelta() < length <= LONGEST:
        raise InvalidInput("A block lasts at most a week; then somebody looks again.")
    return length


async def _event(
    session: AsyncSession,
    kind: str,
    held: Block,
    case_id: int | None,
    by: Actor,
    now: datetime,
    /,
    **detail: object,
) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=held.contract,
        case_id=case_id,
        by=by.user_id,
        block=held.id,
        **detail,
    )
