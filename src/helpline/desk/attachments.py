"""What people attach: noted with the message, fetched afterwards, kept sealed, handed out as a
download and never shown inline.

`note` is called by intake; `claim`, `keep` and `put_off` by engine/fetching around the call to the
provider; `handed_out` by the page. Pictures are made anew, so that nothing in them says where they
were taken. Unsafe kinds are kept and never opened.
"""

import base64
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound, Media
from helpline.desk import events, seeing
from helpline.errors import Conflict, NotFound
from helpline.models import Attachment, Case, Contact
from helpline.rules import media
from helpline.rules.permissions import Actor
from helpline.vocabulary import AttachmentState

LARGEST = 16 * 1024 * 1024
"""Bytes: as much as WhatsApp carries; MMS carries less."""
MOST_PIXELS = 60_000_000
"""A small file can unfold to a picture that fills the memory; telephones make up to 50 million."""
LEASE = timedelta(minutes=2)
PAUSES = tuple(timedelta(minutes=m) for m in (0.5, 2, 10, 60, 360))
"""After each failed try; after the last it is lost. Twilio keeps media for years."""


@dataclass(frozen=True)
class Claimed:
    """One attachment in one fetcher's hand. `turn` is its fence: how often it was claimed."""

    id: int
    turn: int
    channel: str
    media: Media


@dataclass(frozen=True)
class Checked:
    """What the bytes turned out to be, ready to keep."""

    kind: str
    content: bytes
    is_safe: bool


@dataclass(frozen=True)
class HandedOut:
    """A file as a worker downloads it."""

    name: str
    content: bytes


async def note(session: AsyncSession, contact: Contact, inbound: Inbound, now: datetime) -> None:
    """One row for each thing that came with the message; the fetching job does the rest."""
    if not inbound.media:
        return
    await session.flush()
    assert contact.id is not None
    for one in inbound.media:
        session.add(
            Attachment(
                contract=contact.contract,
                case_id=contact.case_id,
                contact_id=contact.id,
                channel=inbound.channel,
                key=one.key,
                name=one.name[:120] or None,
                said_type=one.content_type[:100],
                next_try_at=now,
            )
        )
    await session.flush()


async def claim(session: AsyncSession, now: datetime, limit: int = 5) -> list[Claimed]:
    """Take what is due, for as long as LEASE lasts."""
    due = (
        select(col(Attachment.id))
        .where(col(Attachment.state) == AttachmentState.WAITING, col(Attachment.next_try_at) <= now)
        .order_by(col(Attachment.next_try_at), col(Attachment.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        # A common table is asked once; PostgreSQL may ask a plain subquery anew for every row, and
        # then more are taken than anybody will fetch.
        .cte("due")
    )
    taken = await session.execute(
        update(Attachment)
        .where(
            col(Attachment.id).in_(select(due.c.id)),
            col(Attachment.state) == AttachmentState.WAITING,
        )
        .values(attempts=col(Attachment.attempts) + 1, next_try_at=now + LEASE)
        .returning(
            col(Attachment.id),
            col(Attachment.attempts),
            col(Attachment.channel),
            col(Attachment.key),
            col(Attachment.said_type),
            col(Attachment.name),
        )
    )
    return [
        Claimed(row.id, row.attempts, row.channel, Media(row.key, row.said_type, row.name or ""))
        for row in taken
    ]


def checked(content: bytes) -> Checked:
    """What it is by its content; pictures made anew. Takes its time: call it in a thread."""
    kind = media.kind_of(content)
    if kind not in media.PICTURES:
        return Checked(kind, content, media.is_safe(kind))
    try:
        clean = _made_anew(content)
        return Checked(media.kind_of(clean), clean, is_safe=True)
    except Exception:  # whatever the decoder says: a picture that cannot be read is not opened
        return Checked(kind, content, is_safe=False)


async def keep(session: AsyncSession, claimed: Claimed, found: Checked, now: datetime) -> bool:
    """Store it sealed. False when another fetcher has it by now."""
    state = AttachmentState.KEPT if found.is_safe else AttachmentState.UNSAFE
    return await _settle(
        session,
        claimed,
        now,
        state,
        kind=found.kind,
        size=len(found.content),
        content=base64.b64encode(found.content).decode("ascii"),
    )


async def put_off(session: AsyncSession, claimed: Claimed, is_lost: bool, now: datetime) -> None:
    """It could not be had: later again, or never."""
    if is_lost or claimed.turn > len(PAUSES):
        await _settle(session, claimed, now, AttachmentState.LOST)
        return
    await session.execute(
        update(Attachment)
        .where(*_in_hand(claimed))
        .values(next_try_at=now + PAUSES[claimed.turn - 1])
    )


async def of_case(session: AsyncSession, case_id: int) -> dict[int, list[Any]]:
    """Contact id → what came with it, without the bytes."""
    found = await session.execute(
        select(
            col(Attachment.id),
            col(Attachment.contact_id),
            col(Attachment.kind),
            col(Attachment.said_type),
            col(Attachment.size),
            col(Attachment.state),
        )
        .where(col(Attachment.case_id) == case_id)
        .order_by(col(Attachment.id))
        .limit(1000)
    )
    by_contact: dict[int, list[Any]] = {}
    for row in found:
        by_contact.setdefault(row.contact_id, []).append(row)
    return by_contact


async def handed_out(
    session: AsyncSession, attachment_id: int, by: Actor, now: datetime
) -> HandedOut:
    """The file for a download, and an event that says who took it. NotFound for a case that is not
    theirs to see, Conflict for what is not here or is not opened."""
    row = (
        await session.execute(
            select(
                col(Attachment.id),
                col(Attachment.state),
                col(Attachment.kind),
                col(Attachment.case_id),
                col(Case.contract),
                col(Case.reference),
            )
            .join(Case, col(Case.id) == col(Attachment.case_id))
            .where(col(Attachment.id) == attachment_id, *seeing.cases(by))
        )
    ).first()
    if row is None:
        raise NotFound("There is no such file, or it is not yours to see.")
    if row.state != AttachmentState.KEPT:
        raise Conflict(_WHY_NOT[AttachmentState(row.state)])
    content = await session.scalar(
        select(col(Attachment.content)).where(col(Attachment.id) == attachment_id)
    )
    await events.record(
        session,
        "attachment.read",
        now,
        contract=row.contract,
        case_id=row.case_id,
        by=by.user_id,
        attachment=attachment_id,
    )
    # Named by us: what the sender called it might be made to mislead.
    name = f"{row.reference}-{attachment_id}.{media.extension(row.kind)}"
    return HandedOut(name, base64.b64decode(content or ""))


_WHY_NOT: dict[AttachmentState, str] = {
    AttachmentState.DELETED: (
        "This recording was kept as long as the contract allows, and is deleted now."
    ),
    AttachmentState.WAITING: "This file is still being fetched. Try again in a minute.",
    AttachmentState.UNSAFE: (
        "This file is of a kind that could harm this computer: it is kept and not opened. "
        "Ask the person to send it as a picture or a PDF."
    ),
    AttachmentState.LOST: (
        "This file could not be had: it was too large, or it was gone. Ask the person to send it "
        "again."
    ),
}


async def _settle(
    session: AsyncSession, claimed: Claimed, now: datetime, state: AttachmentState, **values: Any
) -> bool:
    settled = await session.execute(
        update(Attachment)
        .where(*_in_hand(claimed))
        .values(state=state, next_try_at=None, fetched_at=now, **values)
        .returning(col(Attachment.contract), col(Attachment.case_id))
    )
    row = settled.first()
    if row is None:
        return False
    if state is not AttachmentState.KEPT:
        await events.record(
            session,
            f"attachment.{state}",
            now,
            contract=row.contract,
            case_id=row.case_id,
            attachment=claimed.id,
        )
    return True


def _in_hand(claimed: Claimed) -> Sequence[Any]:
    return (
        col(Attachment.id) == claimed.id,
        col(Attachment.state) == AttachmentState.WAITING,
        col(Attachment.attempts) == claimed.turn,
    )


def _made_anew(content: bytes) -> bytes:
    """The picture's points alone, turned the right way up: no place, no device, no comment."""
    from PIL import Image, ImageOps  # late: only the fetching job needs it

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF", "WEBP")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError("too many points")
            # Only the first of a moving picture's frames: what moves is no evidence.
            kind = "PNG" if picture.format == "GIF" else str(picture.format)
            turned = ImageOps.exif_transpose(picture)
            plain = turned.convert("RGB" if kind == "JPEG" else "RGBA")
            clean = Image.new(plain.mode, plain.size)
            clean.paste(plain)
    written = io.BytesIO()
    clean.save(written, format=kind, quality=88)
    return written.getvalue()
