"""A message that did not get through: the task for a person, the next way that is tried by itself,
and the end of the task once one of them has carried it.

Called by outbox when a message fails for good or is reported as delivered, and by the page of a
case, which says what was tried. Which way may be tried is decided in rules/means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from helpline.desk import events, safety
from helpline.models import Address, Case, Contact, Conversation, Merge, OutMessage, Task
from helpline.rules.means import Means, next_means
from helpline.vocabulary import CaseStatus, Direction, Identity, OutState, Step, TaskKind

ARRIVED = (OutState.DELIVERED, OutState.READ)
GIVEN_UP = (OutState.FAILED, OutState.HELD)
ARRIVED_ALREADY = "arrived_already"
"""The code of a copy that was not needed any more when its turn came."""


@dataclass(frozen=True)
class Tried:
    """One other way by which a message was sent, and how far it came."""

    channel: str
    state: str
    code: str


async def ask_a_person(session: AsyncSession, message: OutMessage, now: datetime) -> None:
    """Open the task "reach another way", one a case however many messages fail."""
    if message.case_id is None:
        return
    if await _open_task(session, message.case_id) is None:
        session.add(
            Task(
                contract=message.contract,
                case_id=message.case_id,
                kind=TaskKind.REACH_ANOTHER_WAY,
                detail=message.channel,
                message_id=_first(message),
                created_at=now,
            )
        )
    await events.record(
        session,
        "message.not_delivered",
        now,
        contract=message.contract,
        case_id=message.case_id,
        channel=message.channel,
        code=message.code or "",
        held=message.state == OutState.HELD,
    )


async def next_address(session: AsyncSession, message: OutMessage) -> Address | None:
    """Where `message`, which has just failed for good, may be sent instead; None leaves it to a
    person. Its conversation belongs to the case from now on, so that an answer finds it."""
    if message.expires_at is not None:
        return None  # for this address alone
    if message.case_id is None or message.address_id is None:
        return None  # to a worker's phone, or about no case: the ladder's and the tray's business
    case = await session.get(Case, message.case_id)
    failed = await session.get(Address, message.address_id)
    if case is None or failed is None or failed.person_id != case.person_id:
        return None
    family = await _family(session, _first(message))
    addresses = list(
        await session.scalars(select(Address).where(col(Address.person_id) == case.person_id))
    )
    gone_by = {one.address_id for one in family}
    merged = await joined(session, case.person_id)
    found = next_means(
        [await _means(session, address, merged) for address in addresses],
        await safety.rules_of(session, case.person_id),
        {one.channel for one in family},
        is_person_certain=case.identity == Identity.KNOWN
        or (case.identity == Identity.UNKNOWN and case.id in merged["case"]),
        was_unwanted=any(a.opted_out_at is not None for a in addresses if a.id in gone_by),
    )
    if found is None:
        return None
    await _bring_home(session, case, found.address_id)
    return next(address for address in addresses if address.id == found.address_id)


async def has_arrived(session: AsyncSession, message: OutMessage) -> bool:
    """Whether a copy need not leave any more: the message, or another copy of it, got through."""
    if message.copy_of_id is None:
        return False
    family = await _family(session, message.copy_of_id)
    return any(one.state in ARRIVED for one in family)


async def note_arrival(session: AsyncSession, message: OutMessage, now: datetime) -> None:
    """`message` has just been reported as delivered. Ends the task that it was the last reason for:
    every message of the case that had failed has then got through another way."""
    if message.case_id is None:
        return
    if message.copy_of_id is not None:
        await events.record(
            session,
            "message.arrived_another_way",
            now,
            contract=message.contract,
            case_id=message.case_id,
            channel=message.channel,
        )
    task = await _open_task(session, message.case_id)
    if task is None or task.message_id is None or await _still_owed(session, task):
        return
    task.done_at = now
    await session.flush()
    await events.record(
        session,
        "task.done",
        now,
        contract=task.contract,
        case_id=task.case_id,
        kind=task.kind,
        by_itself=True,
    )


async def tried(session: AsyncSession, case_id: int) -> Sequence[Tried]:
    """The other ways tried since the open task "reach another way" began, in order."""
    task = await _open_task(session, case_id)
    if task is None:
        return []
    rows = await session.execute(
        select(col(OutMessage.channel), col(OutMessage.state), col(OutMessage.code))
        .where(
            col(OutMessage.case_id) == case_id,
            col(OutMessage.copy_of_id).is_not(None),
            col(OutMessage.created_at) >= task.created_at,
            # What was not needed any more was not tried.
            or_(col(OutMessage.code).is_(None), col(OutMessage.code) != ARRIVED_ALREADY),
        )
        .order_by(col(OutMessage.id))
    )
    return [Tried(channel, state, code or "") for channel, state, code in rows]


def _first(message: OutMessage) -> int:
    """The message that this one is, or is a copy of."""
    first = message.copy_of_id or message.id
    assert first is not None
    return first


async def _family(session: AsyncSession, first: int) -> Sequence[OutMessage]:
    found = await session.scalars(
        select(OutMessage).where(
            or_(col(OutMessage.id) == first, col(OutMessage.copy_of_id) == first)
        )
    )
    return found.all()


async def _open_task(session: AsyncSession, case_id: int) -> Task | None:
    return await session.scalar(
        select(Task)
        .where(
            col(Task.case_id) == case_id,
            col(Task.kind) == TaskKind.REACH_ANOTHER_WAY,
            col(Task.done_at).is_(None),
        )
        .order_by(col(Task.id))
        .limit(1)
    )


async def _still_owed(session: AsyncSession, task: Task) -> bool:
    """Whether anything else of the case since the task began has not got through: neither itself
    nor as a copy; or lies unread in a chat that nobody came back to."""
    copy = aliased(OutMessage)
    lost = (
        select(col(OutMessage.id))
        .where(
            col(OutMessage.case_id) == task.case_id,
            col(OutMessage.copy_of_id).is_(None),
            or_(
                col(OutMessage.state).in_(GIVEN_UP),
                (col(OutMessage.state) == OutState.SENT) & (col(OutMessage.code) == "unread"),
            ),
            col(OutMessage.settled_at) >= task.created_at,
            ~exists().where(
                col(copy.copy_of_id) == col(OutMessage.id), col(copy.state).in_(ARRIVED)
            ),
        )
        .limit(1)
    )
    return await session.scalar(lost) is not None


async def joined(session: AsyncSession, person_id: int) -> dict[str, set[int]]:
    """Addresses and cases that a worker has said to be this person's, by joining two records."""
    found: dict[str, set[int]] = {"address": set(), "case": set()}
    moved = await session.scalars(
        select(Merge).where(col(Merge.into_id) == person_id, col(Merge.undone_at).is_(None))
    )
    for merge in moved:
        for name, ids in found.items():
            ids.update(merge.moved.get(name, ()))
    return found


async def _means(session: AsyncSession, address: Address, merged: dict[str, set[int]]) -> Means:
    assert address.id is not None
    talk = await session.scalar(
        select(Conversation).where(col(Conversation.address_id) == address.id)
    )
    case = await session.get(Case, talk.case_id) if talk is not None and talk.case_id else None
    is_claim = case is not None and case.identity == Identity.CLAIMED
    return Means(
        address_id=address.id,
        channel=address.channel,
        is_theirs=address.from_register or (address.id in merged["address"] and not is_claim),
        used_at=await _used_at(session, address, talk, is_claim=is_claim),
        is_mobile=safety.is_mobile(address.value) if address.channel == "sms" else True,
        is_bad=address.bad_since is not None,
        has_opted_out=address.opted_out_at is not None,
    )


async def _used_at(
    session: AsyncSession, address: Address, talk: Conversation | None, *, is_claim: bool
) -> datetime | None:
    """When they last wrote from there. A form that named the address was not written from there,
    nor does a letter show that its sender is who they say."""
    if talk is None or is_claim:
        return None
    wrote = (
        select(col(Contact.id))
        .join(Case, col(Case.id) == col(Contact.case_id))
        .where(
            col(Contact.person_id) == address.person_id,
            col(Contact.channel) == address.channel,
            col(Contact.direction) == Direction.IN,
            col(Case.identity) != Identity.CLAIMED,
        )
    )
    return talk.last_in_at if await session.scalar(wrote.limit(1)) is not None else None


async def _bring_home(session: AsyncSession, case: Case, address_id: int) -> None:
    """An answer from there belongs to this case, unless another one is open there."""
    talk = await session.scalar(
        select(Conversation).where(col(Conversation.address_id) == address_id)
    )
    if talk is None:
        session.add(
            Conversation(
                contract=case.contract, address_id=address_id, case_id=case.id, step=Step.DONE
            )
        )
    else:
        other = await session.get(Case, talk.case_id) if talk.case_id else None
        if other is None or other.status == CaseStatus.CLOSED:
            talk.case_id = case.id
    await session.flush()
