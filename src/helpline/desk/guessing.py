"""The brake on guessing passwords: wrong tries are counted, and each next one waits longer.

Called by web/pages/login.py around the check of a password. Nobody is locked out for ever: pauses
have an end, and a browser in which a name once signed in counts for itself, so that somebody
else's guessing cannot keep the duty worker out. Only blind indexes are stored.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.errors import InvalidInput
from helpline.models import metadata
from helpline.sealing import ring

TRY = metadata.tables["login_attempt"]


@dataclass(frozen=True)
class Brake:
    """After `free` wrong tries within an hour each next one waits 1, 2, 4 … up to `longest` s."""

    free: int
    longest: int

    def pause(self, failures: int) -> timedelta:
        over = failures - self.free
        return timedelta(seconds=min(2 ** min(over, 12), self.longest) if over >= 0 else 0)


BRAKES: Final = {"name": Brake(5, 60), "browser": Brake(5, 60), "address": Brake(20, 300)}
REMEMBERED = timedelta(hours=1)


class TooSoon(InvalidInput):
    """Too many wrong tries; `seconds` says how long to wait."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"Too many tries. Wait {_span(seconds)}, then try again.")


async def count_try(
    session: AsyncSession, name: str, address: str, browser: str | None, now: datetime
) -> list[int]:
    """Counts a try before the password is looked at, so that a hundred at once are a hundred.

    Gives the ids of the counted rows, for `forget` when the password fits. TooSoon when
    the brake is on; then nothing is counted, so that hammering does not lengthen the pause.
    """
    subjects = _subjects(name, address, browser)
    await _one_at_a_time(session, subjects)
    wait = timedelta()
    for kind, subject in subjects:
        wait = max(wait, await _wait(session, BRAKES[kind], subject, now))
    if wait > timedelta():
        raise TooSoon(max(1, round(wait.total_seconds())))
    rows = [{"subject": subject, "at": now} for _, subject in subjects]
    found = await session.execute(insert(TRY).returning(TRY.c.id), rows)
    return [row[0] for row in found]


async def forget(session: AsyncSession, tries: list[int]) -> None:
    """The password fitted: these were no guesses."""
    await session.execute(delete(TRY).where(TRY.c.id.in_(tries)))


def _subjects(name: str, address: str, browser: str | None) -> list[tuple[str, str]]:
    name = " ".join(name.split()).lower()
    if browser and _is_known(browser, name):
        return [("browser", ring().index("login", "browser:" + browser))]
    found = [("name", ring().index("login", "name:" + name))]
    if address:
        found.append(("address", ring().index("login", "address:" + address)))
    return sorted(found, key=lambda pair: pair[1])  # locks are always taken in the same order


def browser_mark(name: str) -> str:
    """A cookie that proves this name once signed in here; random, and nobody else can make it."""
    nonce = secrets.token_hex(8)
    return f"{nonce}.{ring().index('browser', f'{nonce}:{name.lower()}')}"


def _is_known(mark: str, name: str) -> bool:
    nonce, _, proof = mark.partition(".")
    if not re.fullmatch(r"[0-9a-f]{16}", nonce):
        return False
    proofs = ring().indexes("browser", f"{nonce}:{name}")
    return any(hmac.compare_digest(known.encode(), proof.encode()) for known in proofs)


async def _wait(session: AsyncSession, brake: Brake, subject: str, now: datetime) -> timedelta:
    query = select(func.count(), func.max(TRY.c.at)).where(
        TRY.c.subject == subject, TRY.c.at > now - REMEMBERED
    )
    count, last = (await session.execute(query)).one()
    return last + brake.pause(count) - now if count else timedelta()


async def _one_at_a_time(session: AsyncSession, subjects: list[tuple[str, str]]) -> None:
    """On SQLite writers queue anyway; on PostgreSQL tries with one subject wait for each other."""
    if session.get_bind().dialect.name == "postgresql":
        for _, subject in subjects:
            lock = int(subject[:15], 16)
            await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"
