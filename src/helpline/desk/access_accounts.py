"""Accounts at the organisation's own sign-in (OpenID Connect) that are somebody of ours.

Called by the pages of signing in, of one's own account and of invitations, after web/provider.py
has proved what the provider says. An account is found by who vouches for it and its subject there,
and by nothing else: an address or a name may pass to somebody else, a subject never does.
"""

import hashlib
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import events
from helpline.errors import Conflict, NotFound
from helpline.models import ProviderAccount, User, metadata
from helpline.rules.permissions import Actor, require

ACCOUNT = metadata.tables["provider_account"]
UNLINKED = (
    "That account is not linked to anybody here. Sign in with your password and link it on your "
    "account's page, or ask your administrator for an invitation."
)


async def link(
    session: AsyncSession, user_id: int, issuer: str, subject: str, now: datetime
) -> None:
    """From now on this account signs this person in. Conflict when it is somebody else's, or they
    have another of this provider."""
    query = select(ACCOUNT.c.user_id).where(ACCOUNT.c.account_hash == account_hash(issuer, subject))
    owner = (await session.execute(query)).scalar()
    if owner == user_id:
        return
    if owner is not None:
        raise Conflict("That account is linked to somebody else here. Nothing was changed.")
    mine = select(ACCOUNT.c.id).where(ACCOUNT.c.user_id == user_id, ACCOUNT.c.issuer == issuer)
    if (await session.execute(mine)).first():
        raise Conflict("Another account of yours is linked already. Take that away first.")
    session.add(
        ProviderAccount(
            user_id=user_id,
            issuer=issuer,
            account_hash=account_hash(issuer, subject),
            linked_at=now,
        )
    )
    await session.flush()
    await events.record(session, "user.account_linked", now, by=user_id)


async def end(session: AsyncSession, by: Actor, issuer: str, now: datetime) -> None:
    """The account signs nobody in any more. Conflict where there is no other way in."""
    require(by, "factor.own")
    mine = (ACCOUNT.c.user_id == by.user_id, ACCOUNT.c.issuer == issuer)
    has_password = await session.scalar(
        select(col(User.password_hash) != "").where(col(User.id) == by.user_id)
    )
    if not has_password:
        raise Conflict("It is your only way in. Ask your administrator for a password link first.")
    if not (await session.execute(delete(ACCOUNT).where(*mine).returning(ACCOUNT.c.id))).first():
        raise NotFound("No account is linked.")
    await events.record(session, "user.account_unlinked", now, by=by.user_id)


async def whose(session: AsyncSession, issuer: str, subject: str, now: datetime) -> int | None:
    """Who is signed in by this account; None for an account of nobody, or of somebody who left."""
    query = (
        select(ACCOUNT.c.id, ACCOUNT.c.user_id)
        .join(User, col(User.id) == ACCOUNT.c.user_id)
        .where(ACCOUNT.c.account_hash == account_hash(issuer, subject), col(User.left_at).is_(None))
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    await session.execute(update(ACCOUNT).where(ACCOUNT.c.id == row.id).values(used_at=now))
    return int(row.user_id)


async def is_linked(session: AsyncSession, user_id: int, issuer: str) -> bool:
    query = select(ACCOUNT.c.id).where(ACCOUNT.c.user_id == user_id, ACCOUNT.c.issuer == issuer)
    return (await session.execute(query)).first() is not None


def account_hash(issuer: str, subject: str) -> str:
    return hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()
