"""The ways by which each of us is asked when on call: which addresses are on record, in which order
they are tried, and a test that goes out as an alert would. Called by the pages of one's own
sign-ins and of the users; desk/escalation does the asking itself.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import phonenumbers
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import climbing, events
from helpline.desk.climbing import Reach
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Alert, OutMessage, Page, User
from helpline.rules import ladder
from helpline.rules.permissions import Actor, require
from helpline.sealing import ring
from helpline.templating import Wording
from helpline.vocabulary import AlertKind, colour_of

BETWEEN_TESTS = timedelta(minutes=2)
"""A test costs a text and rings a telephone."""
ENOUGH = 2
"""Ways that do not fail together."""
MAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}\.[^@\s,;<>\".]{2,}")


@dataclass(frozen=True)
class Way:
    """One means in somebody's order. `why_not`: off (not switched on here), none (no address),
    stopped (they wrote STOP); empty: alerts go there."""

    means: str
    address: str
    why_not: str = ""


@dataclass(frozen=True)
class Tried:
    """The newest test by one means."""

    means: str
    at: datetime
    state: str
    taken_at: datetime | None


def ways_of(user: User, reach: Reach) -> list[Way]:
    """All means in this person's order, those that do not work included."""
    known = {
        "telegram": user.telegram,
        "sms": user.mobile,
        "voice": user.mobile,
        "email": user.email,
    }
    usable = climbing.working(user, reach)
    found = []
    for means in ladder.preferred(user.means):
        address, why_not = known[means] or "", ""
        if means not in reach.channels:
            why_not = "off"
        elif not address:
            why_not = "none"
        elif means not in usable:
            why_not = "stopped"
        found.append(Way(means, address, why_not))
    return found


def count(user: User, reach: Reach) -> int:
    """By how many ways an alert reaches them now."""
    return len(climbing.working(user, reach))


async def find(session: AsyncSession, user_id: int) -> User:
    """Somebody who works here. NotFound for anybody else."""
    user = await session.get(User, user_id)
    if user is None or user.left_at is not None:
        raise NotFound("There is nobody here with that number who still has access.")
    return user


async def move(
    session: AsyncSession, user: User, means: str, step: str, by: Actor, now: datetime
) -> None:
    """One place up or down in the order. At the end of the list nothing changes."""
    _may_set(user, by)
    order = list(ladder.preferred(user.means))
    if means not in order or step not in ("up", "down"):
        raise InvalidInput("Choose one of the ways in the list.")
    place = order.index(means)
    other = place + (1 if step == "down" else -1)
    if not 0 <= other < len(order):
        return
    order[place], order[other] = order[other], order[place]
    user.means = ",".join(order)
    await session.flush()
    await events.record(
        session, "user.means_set", now, by=by.user_id, user=user.id, means=user.means
    )


async def set_addresses(
    session: AsyncSession, user: User, mobile: str, email: str, by: Actor, now: datetime
) -> None:
    """Where alerts reach them; empty takes an address away. InvalidInput for what cannot be one.
    A new number is no bad one, and nobody wrote STOP from it."""
    require(by, "user.ways", user.contract)
    number, letter = _number(mobile), _mail(email)
    if number != user.mobile:
        user.mobile = number
        user.mobile_index = ring().index("address:sms", number) if number else None
        user.bad_since = user.opted_out_at = None
    user.email = letter
    user.email_index = ring().index("address:email", letter) if letter else None
    await session.flush()
    await events.record(session, "user.addresses_set", now, by=by.user_id, user=user.id)


async def try_out(
    session: AsyncSession,
    wording: Wording,
    reach: Reach,
    contract: str,
    user: User,
    now: datetime,
) -> int:
    """A test to oneself by every way that works, through the same outbox as an alert: each with a
    code of its own, so that it shows which was answered. Returns how many went out."""
    last = await session.scalar(
        select(func.max(col(Page.at)))
        .join(Alert, col(Alert.id) == col(Page.alert_id))
        .where(col(Page.user_id) == user.id, col(Alert.kind) == AlertKind.TEST)
    )
    if last is not None and last > now - BETWEEN_TESTS:
        raise Conflict("A test has just gone out. Give it two minutes.")
    usable = climbing.working(user, reach)
    if not usable:
        raise Conflict("There is no way on record by which a test could reach you.")
    assert user.id is not None
    for means, address in usable.items():
        alert = Alert(
            key=f"test:{user.id}:{means}:{now:%Y%m%dT%H%M%S%f}",
            contract=contract,
            kind=AlertKind.TEST,
            colour=colour_of(AlertKind.TEST, 0),
            reference="TEST",
            raised_at=now,
        )
        session.add(alert)
        await session.flush()
        code = await climbing.free_code(session, user.id)
        await climbing.send_one(
            session, wording, reach, user.id, (means, address), [alert], code, now
        )
        await session.flush()
    await events.record(session, "user.ways_tried", now, by=user.id, count=len(usable))
    return len(usable)


async def tried(session: AsyncSession, user_id: int) -> dict[str, Tried]:
    """Means → its newest test: how far the message came and when it was answered."""
    rows = await session.execute(
        select(col(Page.channel), col(Page.at), col(OutMessage.state), col(Alert.acknowledged_at))
        .join(Alert, col(Alert.id) == col(Page.alert_id))
        .join(OutMessage, col(OutMessage.id) == col(Page.message_id))
        .where(col(Page.user_id) == user_id, col(Alert.kind) == AlertKind.TEST)
        .order_by(col(Page.id).desc())
        .limit(4 * len(ladder.MEANS))
    )
    found: dict[str, Tried] = {}
    for means, at, state, taken_at in rows:
        found.setdefault(means, Tried(means, at, state, taken_at))
    return found


def _may_set(user: User, by: Actor) -> None:
    if user.id != by.user_id:
        require(by, "user.ways", user.contract)


def _number(text: str) -> str | None:
    if not text:
        return None
    try:
        parsed = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        raise InvalidInput("That is not a telephone number: write it like 07700 900123.")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _mail(text: str) -> str | None:
    if not text:
        return None
    if not MAIL.fullmatch(text):
        raise InvalidInput("That is not an e-mail address: write it like name@example.org.")
    return text.lower()
