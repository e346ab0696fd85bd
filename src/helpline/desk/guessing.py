"""The brake on guessing passwords and codes: wrong tries are counted, and each next one waits.

Called by web/pages/login*.py and web/again.py around every check. Nobody is locked out for ever:
pauses have an end; a browser in which a name once signed in counts for itself, and elsewhere what
is tried from one address slows that address first: a stranger's guessing cannot keep the duty
worker out, and a passkey is never slowed. Only blind indexes are stored.
"""

import hmac
import ipaddress
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


BRAKES: Final = {
    "pair": Brake(5, 60),  # one name from one address
    "name": Brake(50, 60),  # one name from anywhere: guessing by many machines
    "address": Brake(20, 300),  # one address, whatever names
    "browser": Brake(5, 60),  # a browser in which the name signed in before
    # A six-digit code, once the password fitted: a guess an hour or two is left in the end.
    "second": Brake(5, 1800),
    "second-browser": Brake(5, 300),
    "step": Brake(120, 20),  # what one address may begin and leave lying in an hour
}
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
    return await _count(session, _subjects(name, address, browser), now)


async def count_second(
    session: AsyncSession, user_id: int, name: str, browser: str | None, now: datetime
) -> list[int]:
    """The same for a second factor, of somebody whose first fitted."""
    kind, whose = "second", str(user_id)
    if browser and _is_known(browser, " ".join(name.split()).lower()):
        kind, whose = "second-browser", f"{user_id}:{browser}"
    return await _count(session, [(kind, ring().index("login", f"{kind}:{whose}"))], now)


async def count_step(session: AsyncSession, address: str, now: datetime) -> None:
    """Something is begun that leaves a row: a challenge, a visit to a provider. TooSoon when one
    address begins more than a whole office would."""
    await _count(session, [("step", ring().index("login", f"step:{network(address)}"))], now)


async def wrong_seconds(session: AsyncSession, user_id: int, now: datetime) -> int:
    """How often within the hour a second factor of theirs was wrong, in a browser not known."""
    subject = ring().index("login", f"second:{user_id}")
    query = select(func.count()).where(TRY.c.subject == subject, TRY.c.at > now - REMEMBERED)
    return int((await session.execute(query)).scalar_one())


async def _count(
    session: AsyncSession, subjects: list[tuple[str, str]], now: datetime
) -> list[int]:
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
    name, address = " ".join(name.split()).lower(), network(address)
    if browser and _is_known(browser, name):
        return [("browser", ring().index("login", "browser:" + browser))]
    found = [
        ("name", ring().index("login", "name:" + name)),
        ("pair", ring().index("login", f"pair:{address}:{name}")),
    ]
    if address:
        found.append(("address", ring().index("login", "address:" + address)))
    return sorted(found, key=lambda pair: pair[1])  # locks are always taken in the same order


def network(address: str) -> str:
    """What counts as one address: of the new kind, the 2^64 that one home has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


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
