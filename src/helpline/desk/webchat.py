"""What one device sees of its chat: its own messages, what was sent to it, what has been read.

Called by web/pages/chat. A device is named by a hash of its token, under one contract; it is shown
what came from it and what was sent to it, never the rest of the case, whoever a worker takes its
owner to be. Reads only, except for noting that a message reached the page.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound, Media, Receipt
from helpline.desk import outbox
from helpline.desk.inbox import opened
from helpline.models import (
    Address,
    Case,
    Contact,
    Conversation,
    Event,
    InboundItem,
    OutMessage,
    Task,
    User,
)
from helpline.rules.media import is_safe
from helpline.sealing import ring
from helpline.vocabulary import (
    CaseStatus,
    ContactKind,
    ItemKind,
    ItemState,
    OutState,
    TaskKind,
)

CHANNEL: Final = "webchat"
MESSAGE_ID: Final = re.compile(r"[0-9a-f]{32}")
"""What our pages make; anything else is hashed into one."""
UNREAD_AFTER: Final = timedelta(hours=4)
MOST_SHOWN: Final = 200
"""Messages each way; older ones stay on the case."""
WAITING: Final = (OutState.QUEUED, OutState.SENDING, OutState.UNSURE)
THERE: Final = (OutState.SENT, OutState.DELIVERED, OutState.READ)
WHAT: Final = {"image": "photo", "audio": "voice", "video": "video"}
"""What the timeline calls a file of this kind; any other is a document."""


@dataclass(frozen=True)
class Line:
    """One message on the page. `key` names it for ever; `state` of the person's own: "arrived" or
    "read"; `is_automatic` for what no person wrote. `file` is what came with it, by its name on
    their device; `can_open` is whether a worker will be able to look at it."""

    key: str
    is_theirs: bool
    who: str
    text: str
    at: datetime
    state: str = ""
    is_automatic: bool = False
    file: str = ""
    can_open: bool = True


@dataclass(frozen=True)
class Chat:
    """A device's chat, oldest first; empty before its first message."""

    lines: tuple[Line, ...] = ()
    reference: str = ""
    is_closed: bool = False
    is_waiting: bool = False
    """Something is kept and not yet routed, or about to be sent to it."""
    fresh: tuple[str, ...] = ()
    """The ids under which receipts name what had not reached a page before."""


def device_of(token: str, contract: str) -> str:
    """The name of a device under a contract: 32 hex digits from which the token cannot be had."""
    return hashlib.sha256(f"{contract}:{token}".encode()).hexdigest()[:32]


def external_id(device: str, message_id: str) -> str:
    """The inbox's name for a message. `message_id` is the page's own, so that sending it again
    after a lost answer changes nothing."""
    is_ours = MESSAGE_ID.fullmatch(message_id) is not None
    plain = message_id if is_ours else hashlib.sha256(message_id.encode()).hexdigest()[:32]
    return device + plain


def packed(
    device: str, message_id: str, text: str, contract: str, file: Media | None = None
) -> Inbound:
    """The inbound item of one message, with the file that came with it (desk/uploads)."""
    what = WHAT.get(file.content_type.partition("/")[0], "document") if file else ""
    return Inbound(
        channel=CHANNEL,
        external_id=external_id(device, message_id),
        sender=device,
        recipient=contract,
        text=text,
        kind=ItemKind.MEDIA if file else ItemKind.TEXT,
        extra={"what": what} if what else {},
        media=(file,) if file else (),
    )


async def stamp(session: AsyncSession, contract: str, device: str) -> str:
    """A short text that changes whenever the page would look different; opens no sealed column."""
    came = select(func.count(), func.count(col(InboundItem.contact_id))).where(_from(device))
    counts: tuple[Any, ...] = tuple((await session.execute(came)).one())
    address_id, case_id = await _place(session, contract, device)
    if case_id is None:
        return "-".join(map(str, counts))
    sent = select(func.count(), func.max(col(OutMessage.id))).join(
        Contact, col(Contact.id) == col(OutMessage.contact_id)
    )
    sent = sent.where(
        col(Contact.case_id) == case_id,
        col(OutMessage.address_id) == address_id,
        col(OutMessage.state).in_(THERE),
    )
    counts += tuple((await session.execute(sent)).one())
    status = await session.scalar(select(col(Case.status)).where(col(Case.id) == case_id))
    read_at = (await _read_at(session, [case_id])).get(case_id)
    return "-".join(str(part or 0) for part in (*counts, status, read_at and read_at.timestamp()))


async def chat(session: AsyncSession, contract: str, device: str) -> Chat:
    """All that the device may see."""
    items = await _items(session, device)
    address_id, case_id = await _place(session, contract, device)
    cases_of = await _cases_of(session, [item.contact_id for item in items if item.contact_id])
    case_ids = set(cases_of.values()) | ({case_id} if case_id else set())
    read_at = await _read_at(session, case_ids)
    sent = await _sent(session, address_id, case_ids)
    case = await session.get(Case, case_id) if case_id else None
    lines = [_theirs(item, read_at.get(cases_of.get(item.contact_id, 0))) for item in items]
    lines += [_ours(row) for row in sent if row.state in THERE]
    return Chat(
        lines=tuple(sorted(lines, key=lambda line: (line.at, not line.is_theirs))),
        reference=case.reference if case else "",
        is_closed=case is not None and case.status == CaseStatus.CLOSED,
        is_waiting=any(item.state == ItemState.KEPT for item in items)
        or any(row.state in WAITING for row in sent),
        fresh=tuple(row.provider_id for row in sent if row.state == OutState.SENT),
    )


async def note_delivered(session: AsyncSession, fresh: Iterable[str], now: datetime) -> None:
    """The page has fetched these: the worker sees that they arrived."""
    for provider_id in fresh:
        receipt = Receipt(CHANNEL, provider_id, OutState.DELIVERED)
        await outbox.record_receipt(session, receipt, now)


async def case_of(session: AsyncSession, contract: str, device: str) -> int | None:
    """The case that this device's chat is about now."""
    return (await _place(session, contract, device))[1]


async def ask_about_unread(session: AsyncSession, now: datetime) -> int:
    """A worker's answer that no page has fetched for hours: whoever wrote has gone, and a person is
    asked to reach them another way. Once an answer; returns how many."""
    unread = (
        select(OutMessage, col(Contact.id))
        .join(Contact, col(Contact.id) == col(OutMessage.contact_id))
        .where(
            col(OutMessage.channel) == CHANNEL,
            col(OutMessage.state) == OutState.SENT,
            col(OutMessage.settled_at) <= now - UNREAD_AFTER,
            col(OutMessage.code).is_(None),
            col(Contact.kind) == ContactKind.MESSAGE,
        )
        .limit(100)
    )
    messages = [row[0] for row in await session.execute(unread)]
    for message in messages:
        message.code = "unread"
        is_asked = await session.scalar(
            select(col(Task.id)).where(
                col(Task.case_id) == message.case_id,
                col(Task.kind) == TaskKind.REACH_ANOTHER_WAY,
                col(Task.done_at).is_(None),
            )
        )
        if is_asked is None and message.case_id is not None:
            session.add(
                Task(
                    contract=message.contract,
                    case_id=message.case_id,
                    kind=TaskKind.REACH_ANOTHER_WAY,
                    detail=CHANNEL,
                    created_at=now,
                )
            )
        await session.flush()
    return len(messages)


def _from(device: str) -> ColumnElement[bool]:
    """The items of a device: a range of the unique index. Only hex digits, so that every database
    sorts them alike."""
    key = col(InboundItem.external_id)
    return (col(InboundItem.channel) == CHANNEL) & key.between(device + "0" * 32, device + "f" * 32)


async def _items(session: AsyncSession, device: str) -> list[Any]:
    item = InboundItem
    query = select(
        col(item.external_id),
        col(item.received_at),
        col(item.state),
        col(item.contact_id),
        col(item.sealed),
        col(item.id),
    ).where(_from(device))
    rows = await session.execute(query.order_by(col(item.id).desc()).limit(MOST_SHOWN))
    return list(rows.all())[::-1]


async def _place(
    session: AsyncSession, contract: str, device: str
) -> tuple[int | None, int | None]:
    """The ids of the device's address and of the case it is about now."""
    found = await session.execute(
        select(col(Address.id), col(Conversation.case_id))
        .outerjoin(Conversation, col(Conversation.address_id) == col(Address.id))
        .where(
            col(Address.contract) == contract,
            col(Address.channel) == CHANNEL,
            col(Address.value_index).in_(ring().indexes(f"address:{CHANNEL}", device)),
        )
    )
    row = found.first()
    return (row[0], row[1]) if row is not None else (None, None)


async def _cases_of(session: AsyncSession, contact_ids: list[int]) -> dict[int, int]:
    """Contact id → case id, for messages that a worker has moved since."""
    if not contact_ids:
        return {}
    query = select(col(Contact.id), col(Contact.case_id)).where(col(Contact.id).in_(contact_ids))
    return {contact: case for contact, case in await session.execute(query) if contact}


async def _read_at(session: AsyncSession, case_ids: Iterable[int]) -> Mapping[int, datetime]:
    """Case id → when somebody of ours last opened it."""
    query = (
        select(col(Event.case_id), func.max(col(Event.at)))
        .where(col(Event.case_id).in_(list(case_ids)), col(Event.kind) == "case.read")
        .group_by(col(Event.case_id))
    )
    return {case: at for case, at in await session.execute(query) if case is not None}


async def _sent(
    session: AsyncSession, address_id: int | None, case_ids: Iterable[int]
) -> list[Any]:
    """What was sent to this device, or is about to be: the words as they left."""
    query = (
        select(
            col(OutMessage.id),
            col(OutMessage.body),
            col(OutMessage.state),
            col(OutMessage.provider_id),
            col(Contact.at),
            col(Contact.kind),
            col(User.shown_name),
        )
        .join(Contact, col(Contact.id) == col(OutMessage.contact_id))
        .outerjoin(User, col(User.id) == col(Contact.by_user_id))
        .where(
            col(Contact.case_id).in_(list(case_ids)),
            col(OutMessage.address_id) == address_id,
            col(OutMessage.state).in_((*THERE, *WAITING)),
        )
        .order_by(col(OutMessage.id).desc())
        .limit(MOST_SHOWN)
    )
    return list((await session.execute(query)).all())[::-1]


def _theirs(item: Row[Any], read_at: datetime | None) -> Line:
    is_read = read_at is not None and read_at >= item.received_at
    kept = opened(item.sealed)
    return Line(
        key="in-" + item.external_id[32:],
        is_theirs=True,
        who="You",
        text=kept.text,
        at=item.received_at,
        state="read" if is_read else "arrived",
        file=", ".join(one.name for one in kept.media),
        can_open=all(is_safe(one.content_type) for one in kept.media),
    )


def _ours(row: Row[Any]) -> Line:
    is_automatic = row.kind == ContactKind.AUTOMATIC
    who = "Automatic answer" if is_automatic else row.shown_name or "Helpline"
    return Line(f"out-{row.id}", False, who, row.body, row.at, is_automatic=is_automatic)
