"""The ladder: an alert asks one rung after another, round and round, until somebody takes it.

Called by deadlines, intake and the tick. What leaves for a phone is a reference and a colour,
nothing else (design.md §4.8). Nobody on call is itself recorded; the lead is asked at once.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, outbox, rota
from helpline.errors import Conflict, NotFound
from helpline.models import Alert, Page, User
from helpline.templating import Wording
from helpline.vocabulary import AlertKind, colour_of


@dataclass(frozen=True)
class Cause:
    """What an alert is about. `key` names it for ever: raising it twice makes one alert."""

    kind: AlertKind
    key: str
    reference: str
    stage: int = 0
    case_id: int | None = None
    deadline_id: int | None = None


async def raise_alert(
    session: AsyncSession, contract: Contract, cause: Cause, now: datetime
) -> None:
    """Store the alert; the climb that follows at once asks the first rung."""
    values = {
        "key": cause.key,
        "contract": contract.key,
        "kind": cause.kind,
        "colour": colour_of(cause.kind, cause.stage),
        "case_id": cause.case_id,
        "deadline_id": cause.deadline_id,
        "reference": cause.reference,
        "raised_at": now,
        "code": await _free_code(session),
        "rung": 0,
        "next_rung_at": now,
    }
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    added = await session.scalar(
        dialect.insert(Alert)
        .values(values)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(col(Alert.id))
    )
    if added is not None:
        await events.record(
            session,
            "alert.raised",
            now,
            contract=contract.key,
            case_id=cause.case_id,
            alert=added,
            kind=cause.kind,
            colour=values["colour"],
        )


async def any_due(session: AsyncSession, now: datetime) -> bool:
    """Whether some alert's next rung is due."""
    due = select(col(Alert.id)).where(col(Alert.next_rung_at) <= now).limit(1)
    return await session.scalar(due) is not None


async def climb(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    wording: Wording,
    now: datetime,
    limit: int = 50,
) -> int:
    """Ask the next rung of every alert whose time has come. Returns how many alerts moved."""
    waiting = (
        await session.scalars(
            select(Alert)
            .where(col(Alert.next_rung_at) <= now)
            .order_by(col(Alert.next_rung_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for alert in waiting:
        await _ask_next(session, contracts[alert.contract], wording, alert, now)
    await session.flush()
    return len(waiting)


async def acknowledge(session: AsyncSession, alert_id: int, user_id: int, now: datetime) -> Alert:
    """`user_id` takes the alert; the ladder rests. NotFound, or Conflict when somebody else was
    first; taking one's own again changes nothing."""
    alert = await session.get(Alert, alert_id, with_for_update=True, populate_existing=True)
    if alert is None:
        raise NotFound("There is no such alert.")
    if alert.acknowledged_by_id == user_id:
        return alert
    if alert.acknowledged_at is not None:
        raise Conflict("Somebody else has already taken this alert.")
    alert.acknowledged_at, alert.acknowledged_by_id, alert.next_rung_at = now, user_id, None
    await session.flush()
    await events.record(
        session,
        "alert.acknowledged",
        now,
        contract=alert.contract,
        case_id=alert.case_id,
        by=user_id,
        alert=alert_id,
    )
    return alert


async def acknowledge_by_code(
    session: AsyncSession, user: User, text: str, now: datetime
) -> tuple[str, Alert | None]:
    """A worker's text: the wording key of the answer, and the alert it was about."""
    code = "".join(character for character in text if character.isdigit())[:4]
    alert = await session.scalar(
        select(Alert)
        .join(Page, col(Page.alert_id) == col(Alert.id))
        .where(col(Alert.code) == code, col(Page.user_id) == user.id)
        .order_by(col(Alert.id).desc())
        .limit(1)
    )
    if alert is None or alert.id is None or user.id is None:
        return "alert_code_unknown", None
    try:
        return "alert_taken", await acknowledge(session, alert.id, user.id, now)
    except Conflict:
        return "alert_taken_by_other", alert


async def end_for_deadline(session: AsyncSession, deadline_id: int, now: datetime) -> None:
    """The deadline is met, or a worse alert takes over: nobody is asked about the old one again."""
    await session.execute(
        update(Alert)
        .where(col(Alert.deadline_id) == deadline_id, col(Alert.ended_at).is_(None))
        .values(ended_at=now, next_rung_at=None)
    )


async def hand_over(session: AsyncSession, deadline_id: int, to_deadline_id: int) -> None:
    """What is still asked about the one deadline is asked about the other from now on."""
    await session.execute(
        update(Alert)
        .where(col(Alert.deadline_id) == deadline_id, col(Alert.ended_at).is_(None))
        .values(deadline_id=to_deadline_id)
    )


async def end(session: AsyncSession, key: str, now: datetime) -> None:
    """What the alert was about is settled: nobody is asked again."""
    await session.execute(
        update(Alert)
        .where(col(Alert.key) == key, col(Alert.ended_at).is_(None))
        .values(ended_at=now, next_rung_at=None)
    )


async def _ask_next(
    session: AsyncSession, contract: Contract, wording: Wording, alert: Alert, now: datetime
) -> None:
    assert alert.id is not None
    minutes = timedelta(minutes=contract.ladder.minutes_between_rungs)
    asked, rung = await _next_with_somebody(session, contract, alert.rung, now)
    alert.rung, alert.next_rung_at = rung + 1, now + minutes
    reached = [user for user in asked if await _page(session, contract, wording, alert, user, now)]
    await events.record(
        session,
        "alert.asked" if reached else "alert.nobody",
        now,
        contract=alert.contract,
        case_id=alert.case_id,
        alert=alert.id,
        rung=rung,
        users=[user.id for user in reached],
    )


async def _next_with_somebody(
    session: AsyncSession, contract: Contract, rung: int, now: datetime
) -> tuple[Sequence[User], int]:
    """The people of this rung; of the next one where it is empty; after a whole empty round,
    nobody, and the ladder tries again later."""
    rungs = contract.ladder.rungs
    for step in range(len(rungs)):
        role = rungs[(rung + step) % len(rungs)]
        finder = rota.on_call if role == "on_call" else None
        people = (
            await finder(session, contract.key, now)
            if finder
            else await rota.leads(session, contract.key)
        )
        if people:
            return people, rung + step
    return [], rung


async def _page(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    alert: Alert,
    user: User,
    now: datetime,
) -> bool:
    """Queue the message by every way to one person's phone: of two, one may be dead. False when
    none is on record."""
    by_text = user.mobile if user.opted_out_at is None else None
    ways = [way for way in (("sms", by_text), ("telegram", user.telegram)) if way[1]]
    for channel, recipient in ways:
        await _page_by(session, contract, wording, alert, user, channel, recipient or "", now)
    return bool(ways)


async def _page_by(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    alert: Alert,
    user: User,
    channel: str,
    recipient: str,
    now: datetime,
) -> None:
    assert alert.id is not None
    assert user.id is not None
    body = wording.say(
        "alert", reference=alert.reference, colour=alert.colour.upper(), code=alert.code
    )
    session.add(Page(alert_id=alert.id, user_id=user.id, rung=alert.rung, at=now, channel=channel))
    await outbox.queue(
        session,
        contract.key,
        channel,
        recipient,
        body,
        now,
        alert_id=alert.id,
        choices=alert.code,
    )


async def _free_code(session: AsyncSession) -> str:
    """Four digits no open alert has; after some tries a shared one, which only asks for a click."""
    for _ in range(20):
        code = f"{secrets.randbelow(10_000):04}"
        taken = await session.scalar(
            select(col(Alert.id))
            .where(col(Alert.code) == code, col(Alert.next_rung_at).is_not(None))
            .limit(1)
        )
        if taken is None:
            break
    return code
