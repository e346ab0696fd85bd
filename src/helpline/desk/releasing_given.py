"""A signed report is presented and given to its recipients: when, to whom, by which way.

Called by web/pages/releases. By e-mail goes only that it is ready and where: never a figure.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import letters, outbox, releasing
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput
from helpline.models import Delivery, Release, User
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
    """It was presented on that day, to these people."""
    found = await releasing.find(session, release_id, by)
    if not ReleaseState(found.state).is_out:
        raise Conflict("Only a signed report can be presented.")
    if not found.ends_on < day <= now.astimezone(ZoneInfo(contract.zone)).date():
        raise InvalidInput("Give the day on which it was presented: after its period, not ahead.")
    found.presented_to = in_a_line(to, LONGEST, "Say to whom it was presented.")
    found.presented_on, found.presented_at, found.presented_by_id = day, now, by.user_id
    found.state = ReleaseState.PRESENTED
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
    found = await releasing.find(session, release_id, by)
    if not ReleaseState(found.state).is_out:
        raise Conflict("Only a signed report can be given to anybody.")
    if recipient not in {one.code for one in contract.commissioners}:
        raise InvalidInput("Choose who it was given to.")
    said = in_a_line(note, LONGEST, "Say how it was given: on paper, at a meeting.")
    session.add(
        Delivery(
            release_id=release_id,
            recipient=recipient,
            way=DeliveryWay.HAND,
            at=now,
            by_user_id=by.user_id,
            note=said,
        )
    )
    await session.flush()
    await releasing.note(session, "release.delivered", found, by, now, to=recipient)


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
    found = await releasing.find(session, release_id, by)
    if not ReleaseState(found.state).is_out:
        raise Conflict("Only a signed report can be given to anybody.")
    if recipient not in {one.code for one in contract.commissioners}:
        raise InvalidInput("Choose who it was given to.")
    names = dict(await readers(session, contract))
    if user_id not in names:
        raise InvalidInput("Choose whom to write to.")
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
    session.add(
        Delivery(
            release_id=release_id,
            recipient=recipient,
            way=DeliveryWay.EMAIL,
            at=now,
            by_user_id=by.user_id,
            note=names[user_id],
            message_id=message.id,
        )
    )
    await session.flush()
    await releasing.note(session, "release.delivered", found, by, now, to=recipient)
