"""Links that let one named person in once: to begin here, or to choose a new password.

An administrator makes one, and hands it over or has it mailed; the invited chooses the password, so
nobody else ever knows it. Called by the pages of the users and by the page that the link opens.
Only a hash of the link is stored; one that is used, replaced, taken back or 72 hours old opens
nothing.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import access, events
from helpline.desk.ways import MAIL
from helpline.errors import Conflict, InvalidInput, NotAllowed, NotFound
from helpline.models import Invitation, metadata
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import Role

INVITATION = metadata.tables["invitation"]

LASTS: Final = timedelta(hours=72)
SHOWN: Final = timedelta(days=14)
"""How long one that ran out is still listed, so that it can be made anew."""
GONE: Final = "This link was used, replaced or has run out. Ask whoever sent it for a new one."


async def invite(
    session: AsyncSession,
    name: str,
    shown_name: str,
    role: str,
    contract: str | None,
    email: str,
    by: Actor,
    now: datetime,
) -> tuple[Invitation, str]:
    """The invitation and the token of its link, which is shown now and never again. InvalidInput
    says what is wrong, Conflict that the name is taken or invited already."""
    may_manage(by, contract)
    name = " ".join(name.split())
    checked = access.checked(name, role, contract)
    email = email.strip().lower()
    if email and not MAIL.fullmatch(email):
        raise InvalidInput("That is not an e-mail address: write it like name@example.org.")
    await access.not_taken(session, name)
    if any(one.name.lower() == name.lower() for one in await _waiting(session, now)):
        raise Conflict(f"“{name}” is invited already: make that link anew, or take it back.")
    invitation = Invitation(
        token_hash="",
        name=name,
        shown_name=" ".join((shown_name or name).split())[:80],
        role=checked.value,
        contract=contract or None,
        email=email or None,
        by_user_id=by.user_id,
        created_at=now,
        expires_at=now,
    )
    return invitation, await _issued(session, invitation, "user.invited", by, now)


async def invite_back(
    session: AsyncSession, user_id: int, by: Actor, now: datetime
) -> tuple[Invitation, str]:
    """A link by which somebody who is here chooses a new password. Nothing of theirs changes until
    it is used: whoever makes it by mistake locks nobody out. An older such link is void."""
    user = await access.here(session, user_id)
    may_manage(by, user.contract)
    older = update(INVITATION).where(
        INVITATION.c.user_id == user_id, INVITATION.c.is_renewal, *_unused()
    )
    await session.execute(older.values(ended_at=now))
    invitation = Invitation(
        token_hash="",
        name=user.name,
        shown_name=user.shown_name,
        role=user.role,
        contract=user.contract,
        email=user.email,
        by_user_id=by.user_id,
        created_at=now,
        expires_at=now,
        user_id=user_id,
        is_renewal=True,
    )
    return invitation, await _issued(session, invitation, "user.renewal_offered", by, now)


async def make_anew(
    session: AsyncSession, invitation_id: int, by: Actor, now: datetime
) -> tuple[Invitation, str]:
    """A new link, with 72 hours of its own; the old one opens nothing any more."""
    invitation = await _open_one(session, invitation_id, by)
    return invitation, await _issued(session, invitation, "user.invited_anew", by, now)


async def take_back(session: AsyncSession, invitation_id: int, by: Actor, now: datetime) -> None:
    invitation = await _open_one(session, invitation_id, by)
    invitation.ended_at = now
    await session.flush()
    await events.record(
        session, "user.invitation_ended", now, by=by.user_id, invitation=invitation_id
    )


async def listed(session: AsyncSession, by: Actor, now: datetime) -> Sequence[Invitation]:
    """Those that still open something, and those that ran out lately."""
    require(by, "user.manage")
    query = select(Invitation).where(
        col(Invitation.used_at).is_(None),
        col(Invitation.ended_at).is_(None),
        col(Invitation.expires_at) > now - SHOWN,
    )
    if by.contract is not None:
        query = query.where(col(Invitation.contract) == by.contract)
    return list(await session.scalars(query.order_by(col(Invitation.id).desc()).limit(200)))


# --- whoever holds the link ----------------------------------------------------------------------


async def find(session: AsyncSession, token: str, now: datetime) -> Invitation:
    """What the link opens; NotFound, with one sentence for all reasons, when it opens nothing."""
    query = select(Invitation).where(*_good(token, now))
    found = await session.scalar(query)
    if found is None:
        raise NotFound(GONE)
    return found


async def accept(session: AsyncSession, token: str, password_hash: str, now: datetime) -> int:
    """The id of whoever came in by the link, with the password whose hash is given (empty: with
    none, they come by their organisation's sign-in). Of two at once one finds it used."""
    used = update(INVITATION).where(*_good(token, now)).values(used_at=now)
    row = (await session.execute(used.returning(INVITATION))).first()
    if row is None:
        raise NotFound(GONE)
    if row.is_renewal:
        await access.here(session, row.user_id)
        myself = Actor(row.user_id, row.shown_name, Role(row.role), row.contract)
        await access.set_password(session, row.user_id, password_hash, myself, now)
        return int(row.user_id)
    await access.not_taken(session, row.name)
    user_id = await access.add_hashed(
        session,
        row.name,
        Role(row.role),
        row.contract,
        password_hash,
        now,
        shown_name=row.shown_name,
        email=row.email,
        by=row.by_user_id,
    )
    joined = update(INVITATION).where(INVITATION.c.id == row.id).values(user_id=user_id)
    await session.execute(joined)
    await events.record(session, "user.joined", now, by=user_id, invitation=row.id)
    return user_id


# --- private -------------------------------------------------------------------------------------


def may_manage(by: Actor, contract: str | None) -> None:
    """Whoever administers one contract has nothing to do with people of another, or of all."""
    require(by, "user.manage", contract or None)
    if by.contract is not None and contract != by.contract:
        raise NotAllowed("You administer one contract: choose that one.")


async def _issued(
    session: AsyncSession, invitation: Invitation, kind: str, by: Actor, now: datetime
) -> str:
    token = secrets.token_urlsafe(32)
    invitation.token_hash = access.token_hash(token)
    invitation.expires_at = now + LASTS
    invitation.mailed_at = None
    session.add(invitation)
    await session.flush()
    await events.record(
        session,
        kind,
        now,
        by=by.user_id,
        invitation=invitation.id,
        role=invitation.role,
        user=invitation.user_id,
    )
    return token


async def _open_one(session: AsyncSession, invitation_id: int, by: Actor) -> Invitation:
    found = await session.get(Invitation, invitation_id, with_for_update=True)
    if found is None or found.used_at is not None or found.ended_at is not None:
        raise NotFound("That invitation was used or taken back already.")
    may_manage(by, found.contract)
    return found


async def _waiting(session: AsyncSession, now: datetime) -> Sequence[Invitation]:
    query = select(Invitation).where(
        col(Invitation.used_at).is_(None),
        col(Invitation.ended_at).is_(None),
        col(Invitation.expires_at) > now,
        col(Invitation.is_renewal).is_(False),
    )
    return list(await session.scalars(query))


def _good(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        INVITATION.c.token_hash == access.token_hash(token),
        INVITATION.c.expires_at > now,
        *_unused(),
    )


def _unused() -> tuple[ColumnElement[bool], ...]:
    return (INVITATION.c.used_at.is_(None), INVITATION.c.ended_at.is_(None))
