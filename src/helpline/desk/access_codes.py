"""Codes as a second factor: the six digits of an authenticator app (RFC 6238), and ten codes on
paper for the day on which the telephone is lost.

Called by the pages of signing in and of one's own account. A code of the app is taken once, and
none that is older than it; a code on paper is stored like a password and is good once.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import access, events
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Authenticator, Passkey, metadata
from helpline.rules.permissions import Actor, require

APP = metadata.tables["authenticator"]
PAPER = metadata.tables["recovery_code"]

EVERY: Final = 30
"""Seconds that a code of the app is shown."""
BEFORE_AND_AFTER: Final = 1
"""Codes by which the telephone's clock may be off."""
HOW_MANY, LETTERS = 10, 10
ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that look alike on paper
PENDING: Final = timedelta(minutes=30)
WRONG: Final = "That code is not right. Wait for the next one in the app, and type that."
FEW: Final = 3
"""So many codes on paper left, and it is time for new ones."""


@dataclass(frozen=True)
class Factors:
    """What somebody has besides a password. `papers`: codes on paper that are left."""

    has_app: bool
    passkeys: int
    papers: int

    @property
    def is_any(self) -> bool:
        """Codes on paper alone are no second factor: they run out."""
        return self.has_app or self.passkeys > 0


async def standing(session: AsyncSession, user_id: int) -> Factors:
    app = select(func.count()).where(APP.c.user_id == user_id, APP.c.confirmed_at.is_not(None))
    keys = select(func.count()).where(col(Passkey.user_id) == user_id)
    left = select(func.count()).where(PAPER.c.user_id == user_id, PAPER.c.used_at.is_(None))
    query = select(app.scalar_subquery(), keys.scalar_subquery(), left.scalar_subquery())
    has_app, passkeys, papers = (await session.execute(query)).one()
    return Factors(bool(has_app), passkeys, papers)


# --- the app -------------------------------------------------------------------------------------


async def begin_app(session: AsyncSession, by: Actor, now: datetime) -> None:
    """A secret for a new app. It counts only when a code of it has come back; until then an older
    app goes on. One that was begun a moment ago is kept: the picture may have been scanned."""
    require(by, "factor.own")
    import pyotp

    mine = await session.get(Authenticator, by.user_id)
    if mine is not None and mine.confirmed_at is not None:
        raise Conflict("You have an app already. Take it away first, then add the new one.")
    if mine is not None and mine.created_at > now - PENDING:
        return
    if mine is None:
        mine = Authenticator(user_id=by.user_id, secret="", created_at=now)
        session.add(mine)
    mine.secret, mine.created_at, mine.last_step = pyotp.random_base32(), now, 0
    await session.flush()


async def pending_secret(session: AsyncSession, by: Actor) -> str:
    """The secret that waits for its first code. NotFound when none does."""
    mine = await session.get(Authenticator, by.user_id)
    if mine is None or mine.confirmed_at is not None:
        raise NotFound("There is no app being set up. Begin again on your account's page.")
    return mine.secret


async def confirm_app(session: AsyncSession, by: Actor, code: str, now: datetime) -> None:
    """The first code fitted: from now on the app is asked for. InvalidInput when it did not."""
    require(by, "factor.own")
    await pending_secret(session, by)
    if not await _taken(session, by.user_id, code, now, is_confirmed=False):
        raise InvalidInput(WRONG)
    confirmed = update(APP).where(APP.c.user_id == by.user_id).values(confirmed_at=now)
    await session.execute(confirmed)
    await events.record(session, "user.factor_added", now, by=by.user_id, factor="app")


async def app_fits(session: AsyncSession, user_id: int, code: str, now: datetime) -> bool:
    """Whether this is a code of the app's last, present or next half minute that was not taken
    yet; if so it is taken now."""
    return await _taken(session, user_id, code, now, is_confirmed=True)


async def end_app(session: AsyncSession, by: Actor, now: datetime, is_required: bool) -> None:
    require(by, "factor.own")
    await not_the_last(session, by, is_required, apps=1)
    ended = delete(APP).where(APP.c.user_id == by.user_id).returning(APP.c.user_id)
    if not (await session.execute(ended)).first():
        raise NotFound("You have no app here.")
    await events.record(session, "user.factor_ended", now, by=by.user_id, factor="app")


async def not_the_last(
    session: AsyncSession, by: Actor, is_required: bool, *, apps: int = 0, passkeys: int = 0
) -> None:
    """Conflict where this would leave somebody without a second factor who must have one."""
    have = await standing(session, by.user_id)
    if is_required and have.has_app - apps + have.passkeys - passkeys <= 0:
        raise Conflict("This is your last second factor. Add another first, then take this away.")


def address_of(secret: str, name: str) -> str:
    """What the picture holds: secret, name and who asks."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Helpline")


def picture(address: str) -> bytes:
    """The square that a telephone reads, as an SVG file."""
    import segno

    out = BytesIO()
    segno.make(address, error="m").save(out, kind="svg", scale=5, border=4, light="#fff")
    return out.getvalue()


async def _taken(
    session: AsyncSession, user_id: int, code: str, now: datetime, *, is_confirmed: bool
) -> bool:
    known = await session.get(Authenticator, user_id, populate_existing=True)
    if known is None or (known.confirmed_at is not None) != is_confirmed:
        return False
    step = _step_of(known.secret, digits_of(code), now)
    if step is None:
        return False
    newer = update(APP).where(APP.c.user_id == user_id, APP.c.last_step < step)
    taken = await session.execute(newer.values(last_step=step).returning(APP.c.user_id))
    return taken.first() is not None


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The half minute to which the code belongs. Every candidate is looked at, as long each."""
    import pyotp

    app, here = pyotp.TOTP(secret), int(now.timestamp()) // EVERY
    near = range(here - BEFORE_AND_AFTER, here + BEFORE_AND_AFTER + 1)
    fitting = [step for step in near if secrets.compare_digest(app.generate_otp(step), code)]
    return fitting[-1] if fitting else None


def digits_of(code: str) -> str:
    """Six digits, however they were grouped; what is no such code fits nothing."""
    plain = "".join(code.split())
    return plain if plain.isascii() and plain.isdigit() and len(plain) == 6 else "none"


# --- on paper ------------------------------------------------------------------------------------


def fresh_papers() -> list[str]:
    """Ten codes like 3-7KQ2M-XW9RD: the first digit says which it is."""
    return [
        f"{place}-{''.join(secrets.choice(ALPHABET) for _ in range(LETTERS))}"
        for place in range(HOW_MANY)
    ]


def as_printed(code: str) -> str:
    return f"{code[:2]}{code[2:7]}-{code[7:]}"


async def paper_hashes(codes: list[str]) -> list[str]:
    """What to store of them; takes a second, so no connection is held meanwhile."""
    return [await access.hashed(code) for code in codes]


async def keep_papers(session: AsyncSession, by: Actor, hashes: list[str], now: datetime) -> None:
    """These ten take the place of all older ones."""
    require(by, "factor.own")
    await session.execute(delete(PAPER).where(PAPER.c.user_id == by.user_id))
    rows = [
        {"user_id": by.user_id, "place": place, "code_hash": one, "created_at": now}
        for place, one in enumerate(hashes)
    ]
    await session.execute(insert(PAPER), rows)
    await events.record(session, "user.papers_made", now, by=by.user_id, count=len(rows))


async def paper_hash(session: AsyncSession, user_id: int, code: str) -> tuple[int, str] | None:
    """Id and hash of the one code that this could be; None where it was used or never was."""
    plain = plain_paper(code)
    if not plain:
        return None
    query = select(PAPER.c.id, PAPER.c.code_hash).where(
        PAPER.c.user_id == user_id, PAPER.c.place == int(plain[0]), PAPER.c.used_at.is_(None)
    )
    row = (await session.execute(query)).first()
    return (int(row.id), str(row.code_hash)) if row else None


async def use_paper(session: AsyncSession, user_id: int, paper_id: int, now: datetime) -> bool:
    """True for whoever used it first."""
    used = update(PAPER).where(
        PAPER.c.id == paper_id, PAPER.c.user_id == user_id, PAPER.c.used_at.is_(None)
    )
    if not (await session.execute(used.values(used_at=now).returning(PAPER.c.id))).first():
        return False
    await events.record(session, "user.paper_used", now, by=user_id)
    return True


def plain_paper(code: str) -> str:
    """As it was stored, however it was typed; empty for what can be none."""
    plain = "".join(char for char in code.upper() if char.isascii() and char.isalnum())
    return f"{plain[0]}-{plain[1:]}" if len(plain) == LETTERS + 1 and plain[0].isdigit() else ""
