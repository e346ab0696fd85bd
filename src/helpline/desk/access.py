"""Who may sign in and who is signed in: users, passwords and sessions.

Called by web/ and the command line. Passwords are hashed in threads of their own; a session's
token is stored as a hash only. It must never say, by words or by time, whether a name exists.
"""

import asyncio
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import events, guessing
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import metadata
from helpline.rules.permissions import Actor
from helpline.sealing import ring
from helpline.vocabulary import Role

USER = metadata.tables["user"]
SESSION = metadata.tables["session"]

IDLE = timedelta(hours=8)
LONGEST = timedelta(hours=14)  # longer than any shift, shorter than until the next one
SEEN_EVERY = timedelta(minutes=1)  # a page view writes at most this often
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 1000
REFUSED: Final = "The name or the password is not right. Try again, or ask your administrator."

# Two at a time: a hash takes 64 MiB, and a flood of sign-ins must not take the machine.
_HASHING = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
_HASHER = PasswordHasher()


@dataclass(frozen=True)
class SignedIn:
    """What a request needs to know of its session. `csrf` goes into every form of this session."""

    session_id: int
    actor: Actor
    csrf: str


@dataclass(frozen=True)
class NewSession:
    """`token` goes into the cookie and is nowhere else; `browser` marks this browser as known."""

    token: str
    browser: str
    user_id: int
    role: Role


# --- users ---------------------------------------------------------------------------------------


async def add_user(
    session: AsyncSession,
    name: str,
    role: str,
    contract: str | None,
    password: str,
    now: datetime,
    *,
    shown_name: str | None = None,
    mobile: str | None = None,
    telegram: str | None = None,
    by: int | None = None,
) -> int:
    """A new user's id. `mobile` is E.164, `telegram` a chat id: where alerts reach them.

    InvalidInput says what is wrong, Conflict that the name is taken.
    """
    name = " ".join(name.split())
    checked_role = _checked(name, role, contract)
    taken = select(USER.c.id).where(func.lower(USER.c.name) == name.lower())
    if (await session.execute(taken)).first():
        raise Conflict(f"Somebody is already called “{name}” here. Choose another name to sign in.")
    values = {
        "name": name,
        "shown_name": " ".join((shown_name or name).split()),
        "role": checked_role.value,
        "contract": contract or None,
        "password_hash": await hashed(password),
        "mobile": mobile,
        "mobile_index": ring().index("address:sms", mobile) if mobile else None,
        "telegram": telegram,
        "telegram_index": ring().index("address:telegram", telegram) if telegram else None,
        "created_at": now,
    }
    added = await session.execute(insert(USER).values(**values).returning(USER.c.id))
    user_id: int = added.scalar_one()
    await events.record(session, "user.added", now, by=by, user=user_id, role=role)
    return user_id


def _checked(name: str, role: str, contract: str | None) -> Role:
    if not name or len(name) > 80 or not name.isprintable():
        raise InvalidInput("Give a name of 1 to 80 letters to sign in with.")
    if role not in list(Role):
        raise InvalidInput(f"There is no role “{role[:40]}”. The roles are {', '.join(Role)}.")
    if role == Role.COMMISSIONER and not contract:
        raise InvalidInput("A commissioner belongs to one contract: say which.")
    return Role(role)


def check_password(password: str) -> None:
    """InvalidInput says what a password must be. Length is what counts; nothing else is asked."""
    if len(password.strip()) < SHORTEST_PASSWORD:
        raise InvalidInput(
            f"The password needs at least {SHORTEST_PASSWORD} letters. Three or four words do."
        )
    if len(password) > LONGEST_PASSWORD:
        raise InvalidInput(f"The password may have at most {LONGEST_PASSWORD} letters.")


async def end_access(session: AsyncSession, user_id: int, by: Actor, now: datetime) -> None:
    """Somebody left: they cannot sign in any more and are signed out everywhere at once."""
    if user_id == by.user_id:
        raise InvalidInput("You cannot end your own access. Ask another administrator.")
    left = update(USER).where(USER.c.id == user_id, USER.c.left_at.is_(None)).values(left_at=now)
    if not (await session.execute(left.returning(USER.c.id))).first():
        raise NotFound("There is nobody here with that number who still has access.")
    await revoke_all(session, user_id, now)
    await events.record(session, "user.left", now, by=by.user_id, user=user_id)


async def set_password(
    session: AsyncSession,
    user_id: int,
    new_hash: str,
    by: Actor,
    now: datetime,
    keep_session: int | None = None,
) -> None:
    """Store a hash made by `hashed`; every browser of this user but one is signed out."""
    known = (USER.c.id == user_id, USER.c.left_at.is_(None))
    changed = update(USER).where(*known).values(password_hash=new_hash).returning(USER.c.id)
    if not (await session.execute(changed)).first():
        raise NotFound("There is nobody here with that number who still has access.")
    await revoke_all(session, user_id, now, except_id=keep_session)
    await events.record(session, "user.password_changed", now, by=by.user_id, user=user_id)


# --- signing in ----------------------------------------------------------------------------------


async def known_password(session: AsyncSession, name: str) -> tuple[int, str] | None:
    """The user's id and password hash; None for a name nobody has, or who left."""
    query = select(USER.c.id, USER.c.password_hash).where(
        func.lower(USER.c.name) == " ".join(name.split()).lower(), USER.c.left_at.is_(None)
    )
    row = (await session.execute(query)).first()
    return (row.id, row.password_hash) if row else None


async def fits(known_hash: str | None, password: str) -> bool:
    """Whether the password is the one; always one whole verification, also where there is no hash.

    Takes no session: a connection must not be held for the 0.1 s (and the queue) of a hash.
    """
    password = password[:LONGEST_PASSWORD]
    return await asyncio.get_running_loop().run_in_executor(_HASHING, _verify, known_hash, password)


async def hashed(password: str) -> str:
    """The hash to store. InvalidInput when the password may not be one."""
    check_password(password)
    return await asyncio.get_running_loop().run_in_executor(_HASHING, _HASHER.hash, password)


async def sign_in(
    session: AsyncSession, user_id: int, old_token: str | None, now: datetime
) -> NewSession:
    """A new session for a user whose password fitted; the browser's old one ends."""
    if old_token:
        await _revoke(session, SESSION.c.token_hash == token_hash(old_token), now=now)
    role, name = (
        await session.execute(select(USER.c.role, USER.c.name).where(USER.c.id == user_id))
    ).one()
    token = secrets.token_urlsafe(32)
    await session.execute(
        insert(SESSION).values(
            user_id=user_id,
            token_hash=token_hash(token),
            csrf=secrets.token_urlsafe(24),
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
        )
    )
    await events.record(session, "user.signed_in", now, by=user_id)
    return NewSession(token, guessing.browser_mark(name), user_id, Role(role))


async def who(session: AsyncSession, token: str, now: datetime) -> tuple[SignedIn, datetime] | None:
    """Whose session this is and when it was last seen; None when it ended in any way."""
    query = (
        select(
            SESSION.c.id,
            SESSION.c.csrf,
            SESSION.c.seen_at,
            USER.c.id.label("user_id"),
            USER.c.shown_name,
            USER.c.role,
            USER.c.contract,
        )
        .join(USER, USER.c.id == SESSION.c.user_id)
        .where(SESSION.c.token_hash == token_hash(token), *_alive(now), USER.c.left_at.is_(None))
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    actor = Actor(row.user_id, row.shown_name, Role(row.role), row.contract)
    return SignedIn(row.id, actor, row.csrf), row.seen_at


async def seen(session: AsyncSession, session_id: int, now: datetime) -> None:
    """Somebody is at work with this session: its idle time starts anew."""
    await session.execute(update(SESSION).where(SESSION.c.id == session_id).values(seen_at=now))


async def alive(session: AsyncSession, session_ids: set[int], now: datetime) -> set[int]:
    """Those of the sessions that have not ended; asked every few seconds for open live pages."""
    query = (
        select(SESSION.c.id)
        .join(USER, USER.c.id == SESSION.c.user_id)
        .where(SESSION.c.id.in_(session_ids), *_alive(now), USER.c.left_at.is_(None))
    )
    return set((await session.execute(query)).scalars())


# --- ending sessions -----------------------------------------------------------------------------


async def sessions_of(session: AsyncSession, user_id: int, now: datetime) -> list[Row[Any]]:
    """Where somebody is signed in now, the latest seen first."""
    query = select(SESSION).where(SESSION.c.user_id == user_id, *_alive(now))
    return list(await session.execute(query.order_by(SESSION.c.seen_at.desc())))


async def revoke(session: AsyncSession, session_id: int, actor: Actor, now: datetime) -> None:
    """End one of one's own sessions; NotFound for anybody else's."""
    mine = (SESSION.c.id == session_id, SESSION.c.user_id == actor.user_id)
    if not await _revoke(session, *mine, now=now):
        raise NotFound("That sign-in has already ended.")


async def revoke_all(
    session: AsyncSession, user_id: int, now: datetime, except_id: int | None = None
) -> int:
    """Sign somebody out everywhere; gives how many sessions ended."""
    others = SESSION.c.id != (except_id or 0)
    return await _revoke(session, SESSION.c.user_id == user_id, others, now=now)


async def _revoke(session: AsyncSession, *where: ColumnElement[bool], now: datetime) -> int:
    ended = update(SESSION).where(*where, SESSION.c.revoked_at.is_(None)).values(revoked_at=now)
    return len((await session.execute(ended.returning(SESSION.c.id))).all())


async def carry_over(session: AsyncSession, before: datetime, after: datetime) -> None:
    """The demo's clock jumped: whoever was signed in before is signed in after."""
    carried = update(SESSION).where(*_alive(before))
    await session.execute(carried.values(seen_at=after, expires_at=after + LONGEST))


# --- private -------------------------------------------------------------------------------------


def token_hash(token: str) -> str:
    """A random token needs no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _alive(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        SESSION.c.revoked_at.is_(None),
        SESSION.c.expires_at > now,
        SESSION.c.seen_at > now - IDLE,
    )


def _verify(known: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(known or _nobodys_hash(), password) and known is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))
