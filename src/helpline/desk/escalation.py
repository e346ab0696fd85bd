"""An alert's life: raised, taken by somebody, ended when it is moot.

Called by deadlines, intake, pages and whatever else needs a person; desk/climbing asks people about
it meanwhile. A code, a click or a key on the telephone takes it, and taking it is not enough: who
does nothing gives it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.db import insert_for
from helpline.desk import events
from helpline.errors import Conflict, NotFound
from helpline.models import Alert, Page, User
from helpline.vocabulary import AlertKind, Colour, Role, colour_of


@dataclass(frozen=True)
class Cause:
    """What an alert is about. `key` names it for ever: raising it twice makes one alert."""

    kind: AlertKind
    key: str
    reference: str
    stage: int = 0
    case_id: int | None = None
    deadline_id: int | None = None
    complaint_id: int | None = None
    incident_id: int | None = None
    request_id: int | None = None
    owner_id: int | None = None
    """Whose own promise it is: asked before anybody on the ladder."""
    rungs: tuple[str, ...] = ()
    """Instead of the contract's ladder."""


def severity(alert: Alert) -> int:
    """0 is asked about first. The last warning before a promise breaks stands with broken ones."""
    is_last = alert.kind == AlertKind.WARNING and alert.colour == Colour.RED
    return (AlertKind.BREACH if is_last else AlertKind(alert.kind)).severity


def may_take(rungs: str, role: Role) -> bool:
    """Whether somebody of this role may take an alert asked on these rungs: what was raised for the
    safeguarding lead is not taken from them by whoever wrote it down."""
    asked = set(rungs.split(","))
    if "safeguarding" not in asked or not asked <= TAKEN_BY.keys():
        return True
    return role in {TAKEN_BY[rung] for rung in asked}


TAKEN_BY: Final = {"safeguarding": Role.SAFEGUARDING, "lead": Role.LEAD}
"""Rungs that are one role alone. An alert that asks others too is anybody's to take."""


def glass_key(broken_id: int, user_id: int, rung: str) -> str:
    """The key of an alert about a case that `user_id` opened in an emergency."""
    return f"glass:{broken_id}:{rung}:{user_id}"


def is_their_own(alert: Alert, user_id: int | None) -> bool:
    """Whether the alert is about what this very person did: somebody else has to look at it."""
    return alert.kind == AlertKind.GLASS and alert.key.rpartition(":")[2] == str(user_id)


async def raise_alert(
    session: AsyncSession, contract: Contract, cause: Cause, now: datetime
) -> None:
    """Store the alert; the climb that follows at once asks the first rung."""
    await raise_alerts(session, [(contract, cause)], now)


async def raise_alerts(
    session: AsyncSession, causes: Sequence[tuple[Contract, Cause]], now: datetime
) -> None:
    """The same for many at once, as after an outage."""
    if not causes:
        return
    rows = [_raised(contract, cause, now) for contract, cause in causes]
    added = await session.execute(
        insert_for(session, Alert)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(
            col(Alert.id),
            col(Alert.contract),
            col(Alert.case_id),
            col(Alert.kind),
            col(Alert.colour),
        )
    )
    lines = [
        events.line(
            "alert.raised",
            now,
            contract=row.contract,
            case_id=row.case_id,
            alert=row.id,
            kind=row.kind,
            colour=row.colour,
        )
        for row in added
    ]
    await events.record_all(session, lines)


def _raised(contract: Contract, cause: Cause, now: datetime) -> dict[str, Any]:
    return {
        "key": cause.key,
        "contract": contract.key,
        "kind": cause.kind,
        "colour": colour_of(cause.kind, cause.stage),
        "case_id": cause.case_id,
        "deadline_id": cause.deadline_id,
        "complaint_id": cause.complaint_id,
        "incident_id": cause.incident_id,
        "request_id": cause.request_id,
        "reference": cause.reference,
        "raised_at": now,
        "owner_id": cause.owner_id,
        "rungs": ",".join(cause.rungs),
        "minutes_to_act": contract.ladder.minutes_to_act,
        "rung": 0,
        "next_rung_at": now,
    }


async def must_be_theirs(session: AsyncSession, alert_id: int, role: Role) -> None:
    """Raises Conflict for an alert that asks somebody of another role."""
    alert = await session.get(Alert, alert_id)
    if alert is not None and not may_take(alert.rungs, role):
        raise Conflict("This asks the safeguarding lead, who is asked until they take it.")


async def acknowledge(session: AsyncSession, alert_id: int, user_id: int, now: datetime) -> Alert:
    """`user_id` takes the alert: it is theirs, and the ladder rests until they should have done
    something. NotFound, or Conflict when somebody else was first; taking one's own again, or one
    that has ended by itself, changes nothing."""
    alert = await session.get(Alert, alert_id, with_for_update=True, populate_existing=True)
    if alert is None:
        raise NotFound("There is no such alert.")
    if alert.acknowledged_by_id == user_id:
        return alert
    if alert.acknowledged_at is not None:
        raise Conflict("Somebody else has already taken this alert.")
    if alert.ended_at is not None:
        return alert
    if is_their_own(alert, user_id):
        raise Conflict("This is about a case that you opened: somebody else looks at it.")
    alert.acknowledged_at, alert.acknowledged_by_id, alert.next_rung_at = now, user_id, None
    if AlertKind(alert.kind).wants_action:
        alert.act_by = now + timedelta(minutes=alert.minutes_to_act)
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


@dataclass(frozen=True)
class Taken:
    """What a code took. `key`: the wording of the answer; `count`: how many they have now, or how
    many more wait where an emergency was taken; `next`: the worst of those."""

    key: str
    reference: str = ""
    count: int = 0
    next: Alert | None = None
    alerts: tuple[Alert, ...] = ()


async def acknowledge_by_code(session: AsyncSession, user: User, text: str, now: datetime) -> Taken:
    """A worker's text with the code of a message: everything it asked about is theirs, but
    emergencies one by one, the worst first: nobody can act on thirteen at once."""
    code = "".join(character for character in text if character.isdigit())[:4]
    found = await session.scalars(
        select(Alert).where(col(Alert.id).in_(_asked_with(code, user.id))).order_by(col(Alert.id))
    )
    alerts = sorted(found.all(), key=lambda alert: (severity(alert), alert.id))
    if not alerts or user.id is None:
        return Taken("alert_code_unknown")
    waiting = [one for one in alerts if one.acknowledged_at is None and one.ended_at is None]
    if waiting and AlertKind(waiting[0].kind).is_loud:
        mine = await _take(session, waiting[:1], user.id, now)
        left = waiting[1:]
        if mine and left:
            return Taken("alert_taken_more", mine[0].reference, len(left), left[0], tuple(mine))
    else:
        mine = await _take(session, waiting or alerts, user.id, now)
    if not mine:
        return Taken("alert_taken_by_other", alerts[0].reference)
    key = "alert_taken" if len(mine) == 1 else "alerts_taken"
    return Taken(key, mine[0].reference, len(mine), alerts=tuple(mine))


async def asked_by(session: AsyncSession, message_id: int) -> list[Alert]:
    """What one message asks about and nobody has taken yet, the worst first."""
    found = await session.scalars(
        select(Alert)
        .join(Page, col(Page.alert_id) == col(Alert.id))
        .where(
            col(Page.message_id) == message_id,
            col(Alert.acknowledged_at).is_(None),
            col(Alert.ended_at).is_(None),
        )
    )
    return sorted(found.unique().all(), key=lambda alert: (severity(alert), alert.id))


async def acknowledge_by_call(
    session: AsyncSession, message_id: int, user_id: int, now: datetime
) -> list[Alert]:
    """They pressed the key: all that the call asked about and that still waits is theirs, of
    emergencies the worst alone. Returns what they took."""
    waiting = await asked_by(session, message_id)
    if waiting and AlertKind(waiting[0].kind).is_loud:
        waiting = waiting[:1]
    return await _take(session, waiting, user_id, now)


async def _take(
    session: AsyncSession, alerts: Sequence[Alert], user_id: int, now: datetime
) -> list[Alert]:
    """Those of the alerts that nobody else was faster with."""
    taken = []
    for alert in alerts:
        try:
            taken.append(await acknowledge(session, alert.id or 0, user_id, now))
        except Conflict:
            continue
    return taken


def _asked_with(code: str, user_id: int | None) -> Select[int]:
    """The alerts of this person's newest message with this code."""
    newest = (
        select(func.max(col(Page.message_id)))
        .where(col(Page.user_id) == user_id, col(Page.code) == code)
        .scalar_subquery()
    )
    return select(col(Page.alert_id)).where(
        col(Page.user_id) == user_id, col(Page.code) == code, col(Page.message_id) == newest
    )


async def end_for_deadline(session: AsyncSession, deadline_id: int, now: datetime) -> None:
    """The deadline is met, or a worse alert takes over: nobody is asked about the old one again."""
    await end_for_deadlines(session, [deadline_id], now)


async def end_for_deadlines(
    session: AsyncSession, deadline_ids: Sequence[int], now: datetime
) -> None:
    if not deadline_ids:
        return
    await session.execute(
        update(Alert)
        .where(col(Alert.deadline_id).in_(deadline_ids), col(Alert.ended_at).is_(None))
        .values(ended_at=now, next_rung_at=None, act_by=None)
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
        .values(ended_at=now, next_rung_at=None, act_by=None)
    )
