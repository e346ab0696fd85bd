"""Somebody of ours has taken an emergency: whoever wrote hears their name.

Called by whatever takes an alert: a code, a key on the telephone, a click. To wait without knowing
whether anybody read it is the worst of such a night. It says no more than is true, once for each
colleague, and goes the way of every automatic message, so that safe contact holds.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import cases, events
from helpline.models import Alert, Case, Event, Person, User
from helpline.templating import Wording
from helpline.vocabulary import AlertKind, CaseStatus, ContactKind

TOLD = "person.told_who_took_it"
FOR_NOW = timedelta(hours=12)


class Words(Protocol):
    """What telling needs: the contracts and the wording."""

    @property
    def contracts(self) -> Mapping[str, Contract]: ...

    @property
    def wording(self) -> Wording: ...


async def tell(
    session: AsyncSession, words: Words, alerts: Sequence[Alert], user_id: int, now: datetime
) -> None:
    """Tell the people of these alerts who has them now, as far as they are emergencies of a case
    and nobody told them that this colleague has it."""
    for alert in alerts:
        case_id = alert.case_id if AlertKind(alert.kind).is_loud else None
        case = await session.get(Case, case_id) if case_id is not None else None
        contract = words.contracts.get(alert.contract)
        if case is None or contract is None or case.status != CaseStatus.OPEN:
            continue
        worker = await session.get(User, user_id)
        address = await cases.reply_address(session, case)
        if worker is None or address is None or address.opted_out_at is not None:
            continue
        if await _is_told(session, case, user_id, now):
            continue
        if await _has_answered(session, alert, user_id):
            continue  # they have their own words already
        person = await session.get(Person, case.person_id)
        body = words.wording.of(contract.own_words).say(
            "taken",
            person.language if person else "en",
            worker=worker.shown_name.split()[0],
            reference=case.reference,
        )
        await cases.send_to_person(
            session, contract, case, address, body, now, kind=ContactKind.AUTOMATIC
        )
        await events.record(
            session, TOLD, now, contract=case.contract, case_id=case.id, worker=user_id
        )


async def _has_answered(session: AsyncSession, alert: Alert, user_id: int) -> bool:
    """Whether this colleague wrote to them, or spoke with them, since the alert was raised."""
    said = select(col(Event.id)).where(
        col(Event.case_id) == alert.case_id,
        col(Event.kind).in_(("case.replied", "call.recorded", "call.connected")),
        col(Event.by_user_id) == user_id,
        col(Event.at) >= alert.raised_at,
    )
    return await session.scalar(said.limit(1)) is not None


async def _is_told(session: AsyncSession, case: Case, user_id: int, now: datetime) -> bool:
    told = await session.scalars(
        select(Event).where(
            col(Event.case_id) == case.id, col(Event.kind) == TOLD, col(Event.at) > now - FOR_NOW
        )
    )
    return any(one.detail.get("worker") == user_id for one in told.all())
