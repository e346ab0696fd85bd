"""A signed report is presented and given to its recipients: when, to whom, by which way.

Called by web/pages/releases. Each time is a row, and what is sent twice is one. By e-mail goes
only that it is ready and where: never a figure.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import letters, outbox, portal, releasing
from helpline.desk.holding import twin
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput
from helpline.models import Delivery, Release, ReleasePresentation, User
from helpline.rules.permissions import Actor
from helpline.templating import Wording
from helpline.vocabulary import DeliveryWay, ReleaseState, Role

LONGEST: Final = 300


async def present(
    session: AsyncSession,
    contract: Contract,
    release_id: int,
    day: date,
    to: str,
    by: Actor,
    now: datetime,
) -> None:
    """It was presented on that day, to these people; again on another, or to others, is another
    row."""
    found = await _signed(session, release_id, by, "Only a signed report can be presented.")
    if not found.ends_on < day <= portal.today_of(contract, now):
        raise InvalidInput("Give the day on which it was presented: after its period, not ahead.")
    made = ReleasePresentation(
        release_id=release_id,
        day=day,
        to_whom=in_a_line(to, LONGEST, "Say to whom it was presented."),
        by_user_id=by.user_id,
        at=now,
    )
    same = ("release_id", "day", "to_whom")
    if await twin(session, made, by, now, who="by_user_id", at="at", same=same):
        return
    session.add(made)
    found.state = ReleaseState.PRESENTED
    await session.flush()
    await releasing.note(session, "release.presented", found, by, now, day=day.isoformat())


async def deliveries(session: AsyncSession, release: Release) -> Sequence[Delivery]:
    """To whom it was given, the first first."""
    rows = await session.scalars(
        select(Delivery)
        .where(col(Delivery.release_id) == release.id)
        .order_by(col(Delivery.at), col(Delivery.id))
    )
    return rows.all()


async def deliver(
    session: AsyncSession,
    contract: Contract,
    release_id: int,
    recipient: str,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """It was given to a recipient by hand; how stands in `note`."""
    found = await _to_give(session, contract, release_id, recipient, by)
    said = in_a_line(note, LONGEST, "Say how it was given: on paper, at a meeting.")
    made = _delivery(found, recipient, DeliveryWay.HAND, said, by, now)
    if not await _is_sent_again(session, made, by, now):
        await _give(session, made, found, by, now)


async def readers(session: AsyncSession, contract: Contract) -> Sequence[tuple[int, str]]:
    """Those of the council who sign in and can be written to: id and name."""
    rows = await session.execute(
        select(col(User.id), col(User.shown_name), col(User.email))
        .where(
            col(User.role) == Role.COMMISSIONER,
            col(User.contract) == contract.key,
            col(User.left_at).is_(None),
        )
        .order_by(col(User.shown_name))
    )
    return [(row.id or 0, row.shown_name) for row in rows if row.email]


async def write_to(
    session: AsyncSession,
    contract: Contract,
    release_id: int,
    recipient: str,
    user_id: int | None,
    by: Actor,
    now: datetime,
    *,
    wording: Wording,
    site: str,
) -> None:
    """A letter to somebody of the council says that the report is ready, and where it lies."""
    found = await _to_give(session, contract, release_id, recipient, by)
    names = dict(await readers(session, contract))
    if user_id not in names:
        raise InvalidInput("Choose whom to write to.")
    made = _delivery(found, recipient, DeliveryWay.EMAIL, names[user_id], by, now)
    made.to_user_id = user_id
    if await _is_sent_again(session, made, by, now):
        return
    user = await session.get(User, user_id)
    asked = contract.report(found.report)
    words = wording.say(
        "email.report_ready",
        title=asked.title,
        period=found.period,
        council=contract.council,
        provider=contract.provider_name,
        link=f"{site}/reports/{contract.key}/{found.period}?report={found.report}"
        f"&number={found.number}",
    )
    address = (user.email if user else None) or ""
    message = await outbox.queue(session, contract.key, letters.CHANNEL, address, words, now)
    await session.flush()
    made.message_id = message.id
    await _give(session, made, found, by, now)


# --- pieces --------------------------------------------------------------------------------------


async def _signed(session: AsyncSession, release_id: int, by: Actor, otherwise: str) -> Release:
    found = await releasing.find(session, release_id, by)
    if not ReleaseState(found.state).is_out:
        raise Conflict(otherwise)
    return found


async def _to_give(
    session: AsyncSession, contract: Contract, release_id: int, recipient: str, by: Actor
) -> Release:
    found = await _signed(session, release_id, by, "Only a signed report can be given to anybody.")
    if recipient not in {one.code for one in contract.commissioners}:
        raise InvalidInput("Choose who it was given to.")
    return found


def _delivery(
    found: Release, recipient: str, way: DeliveryWay, note: str, by: Actor, now: datetime
) -> Delivery:
    return Delivery(
        release_id=found.id or 0,
        recipient=recipient,
        way=way,
        at=now,
        by_user_id=by.user_id,
        note=note,
    )


async def _is_sent_again(session: AsyncSession, made: Delivery, by: Actor, now: datetime) -> bool:
    same = ("release_id", "recipient", "way", "note", "to_user_id")
    return await twin(session, made, by, now, who="by_user_id", at="at", same=same) is not None


async def _give(
    session: AsyncSession, made: Delivery, found: Release, by: Actor, now: datetime
) -> None:
    session.add(made)
    await session.flush()
    await releasing.note(session, "release.delivered", found, by, now, to=made.recipient)
