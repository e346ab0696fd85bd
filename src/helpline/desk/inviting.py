"""Telling those who booked: a reminder before it begins, a place that came free, another time or
place, an evening called off; each by the person's own safe way. Called by desk/gatherings and
engine/giving.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import consents, outbox, turns
from helpline.models import Address, Booking, Gathering, OutMessage, Person
from helpline.rules import audience, saying
from helpline.templating import Wording
from helpline.vocabulary import BookingState, OutState

OUT_OF_DATE = "out_of_date"
SETTLES = timedelta(minutes=10)
"""After the last change: whoever puts a second thing right sends no second message."""
AT_ONCE = 50
"""Bookings looked at in one beat: who may not be written to now has their turn again later."""


async def remind(session: AsyncSession, contract: Contract, wording: Wording, now: datetime) -> int:
    """Write to everybody who has a place at something of the coming day and was not reminded,
    within the hours for news. Who has no safe way is shown on its page. Returns how many."""
    turn = await turns.take(session, f"reminders:{contract.key}", now)
    if turn is None:
        return 0
    soon = now + timedelta(days=contract.news.days_before)
    rows = await session.execute(
        select(Booking, Gathering)
        .join(Gathering, col(Gathering.id) == col(Booking.gathering_id))
        .where(
            col(Gathering.contract) == contract.key,
            col(Gathering.cancelled_at).is_(None),
            col(Gathering.starts_at) > now,
            col(Gathering.starts_at) <= soon,
            col(Booking.state) == BookingState.BOOKED,
            col(Booking.reminded_at).is_(None),
            col(Booking.word_due_at).is_(None),  # they hear first that it is at another time
            col(Booking.id) > turn.last_id,
        )
        .order_by(col(Booking.id))
        .limit(AT_ONCE)
        .with_for_update(of=Booking, skip_locked=True)
    )
    sent, found = 0, rows.all()
    turns.end(turn, [booking.id for booking, _ in found], len(found), AT_ONCE)
    for booking, gathering in found:
        if gathering.starts_at - booking.booked_at <= timedelta(days=contract.news.days_before):
            booking.reminded_at = now  # they were told the day when they booked
            continue
        hours = contract.news
        (reader,) = await consents.readers(session, [booking.person_id], now)
        later = audience.next_hour(reader.rules, now, contract.zone, hours.begins, hours.ends)
        if later is not None and later < gathering.starts_at:
            continue
        booking.reminded_at = now
        booking.reminder_id = await tell(
            session, contract, wording, gathering, booking, "reminder", now
        )
        sent += booking.reminder_id is not None
    await session.flush()
    return sent


async def owe_word(session: AsyncSession, bookings: Sequence[Booking], now: datetime) -> None:
    """Time or place is another: they are told when nobody has changed it for some minutes, and what
    they were reminded of counts no more."""
    await take_back(session, bookings, now)
    for booking in bookings:
        booking.word_due_at = now + SETTLES
        booking.reminded_at, booking.reminder_id = None, None
    await session.flush()


async def take_back(session: AsyncSession, bookings: Sequence[Booking], now: datetime) -> None:
    """What was said of the old time and has not left yet never leaves, and nothing more is owed."""
    said = [one for booking in bookings for one in (booking.reminder_id, booking.told_message_id)]
    await session.execute(
        update(OutMessage)
        .where(
            col(OutMessage.id).in_([one for one in said if one is not None]),
            col(OutMessage.state) == OutState.QUEUED,
        )
        .values(state=OutState.HELD, settled_at=now, code=OUT_OF_DATE)
    )
    for booking in bookings:
        booking.word_due_at = None


async def tell_changes(
    session: AsyncSession, contract: Contract, wording: Wording, now: datetime
) -> int:
    """Write to everybody who is owed word of another time or place, within the hours for news
    unless it begins before. Who has no safe way is shown on its page. Returns how many."""
    rows = await session.execute(
        select(Booking, Gathering)
        .join(Gathering, col(Gathering.id) == col(Booking.gathering_id))
        .where(col(Gathering.contract) == contract.key, col(Booking.word_due_at) <= now)
        .order_by(col(Booking.word_due_at), col(Booking.id))
        .limit(AT_ONCE)
        .with_for_update(of=Booking, skip_locked=True)
    )
    sent = 0
    for booking, gathering in rows.all():
        is_over = gathering.cancelled_at is not None or gathering.starts_at <= now
        if is_over or booking.state not in (BookingState.BOOKED, BookingState.WAITING):
            booking.word_due_at = None
            continue
        (reader,) = await consents.readers(session, [booking.person_id], now)
        hours = contract.news
        later = audience.next_hour(reader.rules, now, contract.zone, hours.begins, hours.ends)
        if later is not None and later < gathering.starts_at:
            booking.word_due_at = later
            continue
        booking.word_due_at = None
        booking.told_message_id = await tell(
            session, contract, wording, gathering, booking, "moved", now
        )
        is_soon = gathering.starts_at - now <= timedelta(days=contract.news.days_before)
        if is_soon or booking.told_message_id is None:  # this was the reminder; or ring them
            booking.reminded_at, booking.reminder_id = now, booking.told_message_id
        sent += booking.told_message_id is not None
    await session.flush()
    return sent


async def tell(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    gathering: Gathering,
    booking: Booking,
    key: str,
    now: datetime,
) -> int | None:
    """Write to one who booked, by their own safe way; None where there is none."""
    (reader,) = await consents.readers(session, [booking.person_id], now)
    way = audience.own_way(reader)
    address = await session.get(Address, way.address_id) if way is not None else None
    person = await session.get(Person, booking.person_id)
    if address is None or person is None:
        return None
    day, clock = when_words(gathering, contract)
    body = wording.say(
        f"membership.{key}",
        person.language,
        us=contract.called.us,
        title=gathering.title,
        day=day,
        time=clock,
        place=gathering.place,
        link=gathering.link,
    )
    message = await outbox.queue(
        session,
        contract.key,
        address.channel,
        address.value,
        body,
        now,
        address_id=address.id,
    )
    await session.flush()
    return message.id


def when_words(gathering: Gathering, contract: Contract) -> tuple[str, str]:
    """ "Tuesday 1 December" and "6 pm", where the contract is."""
    local = gathering.starts_at.astimezone(ZoneInfo(contract.zone))
    return audience.local_day(gathering.starts_at, contract.zone), saying.clock_time(local)
