"""What is begun on the way in and not finished: the password fitted and the second factor is due, a
passkey was asked, somebody is at their organisation's own sign-in.

Called by the pages of signing in and of one's own account. Each is good once and for minutes; the
browser that began it holds the only token, and only its hash is stored.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk.access import token_hash
from helpline.models import metadata

STEP = metadata.tables["sign_in_step"]

LASTS: Final = timedelta(minutes=10)
SECOND: Final = "second"
"""A first factor fitted; the second is due."""
PASSKEY: Final = "passkey"
"""A challenge to a passkey that is there."""
ADDING: Final = "adding"
"""A challenge to a device that is to make a new passkey."""
PROVIDER: Final = "provider"
"""A visit to the organisation's own sign-in."""


@dataclass(frozen=True)
class Step:
    """`user_id`: whose it is, where that is known already. `detail`: what was put in."""

    id: int
    user_id: int | None
    detail: dict[str, Any]


async def open_step(
    session: AsyncSession, kind: str, now: datetime, user_id: int | None = None, **detail: str
) -> str:
    """The token for the browser. What ended long ago is cleared away on the way."""
    await session.execute(delete(STEP).where(STEP.c.expires_at < now - timedelta(days=1)))
    token = secrets.token_urlsafe(32)
    await session.execute(
        insert(STEP).values(
            kind=kind,
            token_hash=token_hash(token),
            user_id=user_id,
            detail=json.dumps(detail),
            created_at=now,
            expires_at=now + LASTS,
        )
    )
    return token


async def find(session: AsyncSession, kind: str, token: str, now: datetime) -> Step | None:
    """The step, still open; None when it is over, was used, or is nobody's."""
    query = select(STEP).where(*_open(kind, token, now))
    return _step((await session.execute(query)).first())


async def finish(session: AsyncSession, kind: str, token: str, now: datetime) -> Step | None:
    """The same, and nobody finishes it again."""
    ended = update(STEP).where(*_open(kind, token, now)).values(used_at=now).returning(STEP)
    return _step((await session.execute(ended)).first())


def _open(kind: str, token: str, now: datetime) -> tuple[Any, ...]:
    return (
        STEP.c.kind == kind,
        STEP.c.token_hash == token_hash(token),
        STEP.c.used_at.is_(None),
        STEP.c.expires_at > now,
    )


def _step(row: Any) -> Step | None:
    return Step(row.id, row.user_id, json.loads(row.detail)) if row is not None else None
