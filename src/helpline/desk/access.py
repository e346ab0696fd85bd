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
from helpline.rules import passwords
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
    is_second: bool = False
    """Whether two factors opened it."""
    confirmed_at: datetime | None = None
    """When whoever sits there last proved who they are."""


@dataclass(frozen=True)
class NewSession:
    """`token` goes into the cookie and is nowhere else; `browser` marks this browser as known."""

    token: str
    browser: str
    user_id: int
    role: Role


@dataclass(frozen=True)
class How:
    """How a session came to be: `method` one of METHODS, `browser` its family ("Firefox on
    Windows"), `is_second` whether two factors opened it."""

    method: str = "password"
    browser: str = ""
    is_second: bool = False


METHODS: Final = {
    "password": "with a password",
    "app": "with a password and a code of the app",
    "paper": "with a password and a code on paper",
    "password_passkey": "with a password and a passkey",
    "passkey": "with a passkey",
    "provider": "by your organisation's sign-in",
    "invitation": "by an invitation",
    "demo": "from the demo's phones",
}


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
    checked_role = checked(name, role, contract)
    await not_taken(session, name)
    password_hash = await hashed(password, name, shown_name or "")
    return await add_hashed(
        session,
        name,
        checked_role,
        contract,
        password_hash,
        now,
        shown_name=shown_name,
        mobile=mobile,
        telegram=telegram,
        by=by,
    )


async def add_hashed(
    session: AsyncSession,
    name: str,
    role: Role,
    contract: str | None,
    password_hash: str,
    now: datetime,
    *,
    shown_name: str | None = None,
    mobile: str | None = None,
    telegram: str | None = None,
    email: str | None = None,
    by: int | None = None,
) -> int:
    """The same, once name and role are checked and the password is a hash; an empty hash is that
    of no password: such a person signs in by other means."""
    values = {
        "name": name,
        "shown_name": " ".join((shown_name or name).split()),
        "role": role.value,
        "contract": contract or None,
        "password_hash": password_hash,
        "mobile": mobile,
        "mobile_index": ring().index("address:sms", mobile) if mobile else None,
        "telegram": telegram,
        "telegram_index": ring().index("address:telegram", telegram) if telegram else None,
        "email": email,
        "email_index": ring().index("address:email", email) if email else None,
        "created_at": now,
    }
    added = await session.execute(insert(USER).values(**values).returning(USER.c.id))
    user_id: int = added.scalar_one()
    await events.record(session, "user.added", now, by=by, user=user_id, role=role.value)
    return user_id


async def not_taken(session: AsyncSession, name: str) -> None:
    """Conflict where somebody signs in with this name already, whatever its capitals."""
    taken = select(USER.c.id).where(func.lower(USER.c.name) == name.lower())
    if (await session.execute(taken)).first():
        raise Conflict(f"Somebody is already called “{name}” here. Choose another name to sign in.")


async def here(session: AsyncSession, user_id: int) -> Row[Any]:
    """Somebody who still has access; NotFound for anybody else."""
    query = select(USER).where(USER.c.id == user_id, USER.c.left_at.is_(None))
    row = (await session.execute(query)).first()
    if row is None:
        raise NotFound("There is nobody here with that number who still has access.")
    return row


def checked(name: str, role: str, contract: str | None) -> Role:
    """The role, where name, role and contract go together; InvalidInput says what is wrong."""
    if not name or len(name) > 80 or not name.isprintable():
        raise InvalidInput("Give a name of 1 to 80 letters to sign in with.")
    if role not in list(Role):
        raise InvalidInput(f"There is no role “{role[:40]}”. The roles are {', '.join(Role)}.")
    if role == Role.COMMISSIONER and not contract:
        raise InvalidInput("A commissioner belongs to one contract: say which.")
    return Role(role)


def check_password(password: str, *own: str) -> None:
    """InvalidInput says what a password must be: long, and not what everybody tries first. `own`:
    the names of whoever it is for."""
    if len(password.strip()) < SHORTEST_PASSWORD:
        raise InvalidInput(
            f"The password needs at least {SHORTEST_PASSWORD} letters. Three or four words do."
        )
    if len(password) > LONGEST_PASSWORD:
        raise InvalidInput(f"The password may have at most {LONGEST_PASSWORD} letters.")
    if weakness := passwords.weakness(password, *own):
        raise InvalidInput(weakness)


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
    if len(password) > LONGEST_PASSWORD:  # nobody's: looked at as long as any other
        known_hash, password = None, password[:LONGEST_PASSWORD]
    return await asyncio.get_running_loop().run_in_executor(_HASHING, _verify, known_hash, password)


async def hashed(password: str, *own: str) -> str:
    """The hash to store. InvalidInput when the password may not be one."""
    check_password(password, *own)
    return await asyncio.get_running_loop().run_in_executor(_HASHING, _HASHER.hash, password)


async def refused(session: AsyncSession, user_id: int | None, why: str, now: datetime) -> None:
    """Somebody was not let in: written down, for a name nobody has as for one that is known."""
    await events.record(session, "user.sign_in_refused", now, user=user_id, why=why)


async def sign_in(
    session: AsyncSession, user_id: int, old_token: str | None, now: datetime, how: How = How()
) -> NewSession:
    """A new session for somebody who proved who they are; the browser's old one ends."""
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
            method=how.method,
            browser=how.browser,
            second_at=now if how.is_second else None,
            confirmed_at=now,
        )
    )
    await events.record(session, "user.signed_in", now, by=user_id, method=how.method)
    return NewSession(token, guessing.browser_mark(name), user_id, Role(role))


async def who(session: AsyncSession, token: str, now: datetime) -> tuple[SignedIn, datetime] | None:
    """Whose session this is and when it was last seen; None when it ended in any way."""
    query = (
        select(
            SESSION.c.id,
            SESSION.c.csrf,
            SESSION.c.seen_at,
            SESSION.c.second_at,
            SESSION.c.confirmed_at,
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
    is_second = row.second_at is not None
    return SignedIn(row.id, actor, row.csrf, is_second, row.confirmed_at), row.seen_at


async def confirm(
    session: AsyncSession, signed: SignedIn, now: datetime, *, is_second: bool = False
) -> str:
    """Whoever sits there has proved it anew (`is_second`: with a second factor, for the first
    time). The session goes on under a new token, which is given; the old one opens nothing."""
    token = secrets.token_urlsafe(32)
    values: dict[str, Any] = {"token_hash": token_hash(token), "confirmed_at": now}
    if is_second:
        values["second_at"] = now
    anew = update(SESSION).where(SESSION.c.id == signed.session_id, *_alive(now)).values(**values)
    if not (await session.execute(anew.returning(SESSION.c.id))).first():
        raise NotFound("You were signed out meanwhile. Sign in again.")
    await events.record(session, "user.confirmed", now, by=signed.actor.user_id)
    return token


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
    await events.record(
        session, "user.signed_out", now, by=actor.user_id, user=actor.user_id, count=1
    )


async def revoke_all(
    session: AsyncSession,
    user_id: int,
    now: datetime,
    except_id: int | None = None,
    by: int | None = None,
) -> int:
    """Sign somebody out everywhere; gives how many sessions ended."""
    others = SESSION.c.id != (except_id or 0)
    ended = await _revoke(session, SESSION.c.user_id == user_id, others, now=now)
    if ended:
        await events.record(session, "user.signed_out", now, by=by, user=user_id, count=ended)
    return ended


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
