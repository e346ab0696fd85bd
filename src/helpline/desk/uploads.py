"""Files handed in on our own pages: kept before their message, until they are attachments.

`keep` is called by web/pages before the message itself is kept, `content_of` and `forget` by
engine/fetching, `tidy` by the hourly job. Looks at no content beyond its first bytes.
"""

import base64
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Media
from helpline.db import insert_for
from helpline.desk.webchat import CHANNEL
from helpline.models import InboundItem, Upload
from helpline.rules import media

LARGEST = 10 * 1024 * 1024
"""Bytes. A telephone's photo has 3 to 8 million."""
ALONE_FOR = timedelta(hours=1)
"""After that a file whose message never came is not waited for any more."""


def media_of(key: str, name: str, content: bytes) -> Media:
    """How the message names its file, `key` being the message's own external id. The type is what
    the content shows, not what the browser said. Takes its time: call it in a thread."""
    try:
        kind = media.kind_of(content)
    except Exception:  # whatever the reader of a broken archive says: it is kept, and not opened
        kind = media.UNKNOWN_KIND
    return Media(key, kind, name)


async def keep(session: AsyncSession, key: str, content: bytes, now: datetime) -> None:
    """Once: handed in again, or after its message was kept, it changes nothing."""
    message = select(col(InboundItem.id)).where(
        col(InboundItem.channel) == CHANNEL, col(InboundItem.external_id) == key
    )
    if await session.scalar(message) is not None:
        return
    written = base64.b64encode(content).decode("ascii")
    values = {"key": key, "content": written, "kept_at": now}
    await session.execute(
        insert_for(session, Upload).values(values).on_conflict_do_nothing(index_elements=["key"])
    )


async def content_of(session: AsyncSession, key: str) -> bytes | None:
    """The file; None where it is gone."""
    content = await session.scalar(select(col(Upload.content)).where(col(Upload.key) == key))
    return base64.b64decode(content) if content is not None else None


async def forget(session: AsyncSession, key: str) -> None:
    """It is an attachment now, made anew: nothing stays of what it was before."""
    await session.execute(delete(Upload).where(col(Upload.key) == key))


async def tidy(session: AsyncSession, now: datetime) -> None:
    """Files whose message never came go; a message that waits keeps its file."""
    message = select(col(InboundItem.id)).where(
        col(InboundItem.channel) == CHANNEL, col(InboundItem.external_id) == col(Upload.key)
    )
    await session.execute(
        delete(Upload).where(col(Upload.kept_at) < now - ALONE_FOR, ~message.exists())
    )
