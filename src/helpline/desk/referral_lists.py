"""What is shown of what cases asked of partners: on the case, and all that wait in one list.

Called by web/pages/case_referrals and partners; writes nothing. What was asked of a counsellor, and
what came of it, is read only by who works on the case, whoever asked, and the safeguarding lead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Result, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import covers, seeing
from helpline.models import (
    Case,
    Deadline,
    Partner,
    PartnerChase,
    PartnerReferral,
    PartnerSession,
    Person,
    User,
)
from helpline.rules.permissions import Actor
from helpline.vocabulary import DeadlineState, PartnerKind, ReferralState, Role


@dataclass(frozen=True)
class Shown:
    """One referral as the case's page shows it. `wanted` and the other words are None where its
    reader must not read them; `waited` is from asking to the first appointment, or until now."""

    id: int
    kind: str
    partner: str
    partner_id: int | None
    telephone: str
    person: str | None
    wanted: str | None
    is_private: bool
    consent: str
    state: ReferralState
    requested_at: datetime
    requested_by: str
    answered_at: datetime | None
    answered_words: str | None
    first_seen_on: date | None
    ended_at: datetime | None
    ending: str | None
    ended_words: str | None
    due_at: datetime | None
    is_late: bool
    waited: timedelta
    sessions: Sequence[PartnerSession]
    chases: Sequence[Any]

    @property
    def came(self) -> int:
        return sum(one.came for one in self.sessions)

    @property
    def minutes(self) -> int:
        """Of the appointments that were kept."""
        return sum(one.minutes for one in self.sessions if one.came)


@dataclass(frozen=True)
class Wait:
    """Somebody who waits to be seen, for the list of all that wait."""

    reference: str
    kind: str
    partner: str
    requested_at: datetime
    due_at: datetime | None
    is_late: bool
    chases: int


async def of_case(
    session: AsyncSession, contract: Contract, case: Case, by: Actor, now: datetime
) -> list[Shown]:
    """Everything this case asked of others: what waits longest first, then what runs, then what is
    over."""
    rows = (
        await session.execute(
            select(PartnerReferral, Partner, col(Person.name), col(User.shown_name), Deadline)
            .join(Person, col(Person.id) == col(PartnerReferral.person_id))
            .join(User, col(User.id) == col(PartnerReferral.requested_by_id))
            .outerjoin(Partner, col(Partner.id) == col(PartnerReferral.partner_id))
            .outerjoin(Deadline, col(Deadline.id) == col(PartnerReferral.deadline_id))
            .where(col(PartnerReferral.case_id) == case.id)
            .order_by(col(PartnerReferral.id))
        )
    ).all()
    ids = [row[0].id for row in rows]
    sessions = await _sessions(session, ids)
    chases = await _chases(session, ids)
    works_on_it = await works_on(session, case, by, now)
    found = [_shown(row, contract, works_on_it, by, sessions, chases, now) for row in rows]
    return sorted(
        found, key=lambda one: (one.state.is_over, not one.state.is_waiting, one.requested_at)
    )


async def waiting(
    session: AsyncSession, contracts: Mapping[str, Contract], by: Actor, now: datetime
) -> list[Wait]:
    """Everybody who waits to be seen, on cases that `by` may see, the longest first."""
    chased = (
        select(func.count())
        .where(col(PartnerChase.referral_id) == col(PartnerReferral.id))
        .scalar_subquery()
    )
    rows = await session.execute(
        select(PartnerReferral, Partner, Deadline, col(Case.reference), chased)
        .join(Case, col(Case.id) == col(PartnerReferral.case_id))
        .outerjoin(Partner, col(Partner.id) == col(PartnerReferral.partner_id))
        .outerjoin(Deadline, col(Deadline.id) == col(PartnerReferral.deadline_id))
        .where(
            col(PartnerReferral.contract).in_(list(contracts)),
            col(PartnerReferral.state).in_([state for state in ReferralState if state.is_waiting]),
            *seeing.cases(by),
        )
        .order_by(col(PartnerReferral.requested_at))
        .limit(200)
    )
    return [
        Wait(
            reference=reference,
            kind=found.kind,
            partner=_name(found, partner, contracts[found.contract]),
            requested_at=found.requested_at,
            due_at=_open(deadline),
            is_late=_is_late(deadline, now),
            chases=number,
        )
        for found, partner, deadline, reference, number in rows
    ]


@dataclass(frozen=True)
class WaitTimes:
    """How long people waited for one kind of partner; days, of those who were seen."""

    kind: str
    asked: int
    seen: int
    median_days: int | None
    longest_days: int | None


async def wait_times(
    session: AsyncSession, contracts: Mapping[str, Contract], by: Actor, since: datetime
) -> list[WaitTimes]:
    """Each kind that was asked since then, on cases that `by` may see, in order of their names."""
    rows = await session.execute(
        select(
            col(PartnerReferral.kind),
            col(PartnerReferral.contract),
            col(PartnerReferral.requested_at),
            col(PartnerReferral.first_seen_on),
        )
        .join(Case, col(Case.id) == col(PartnerReferral.case_id))
        .where(
            col(PartnerReferral.contract).in_(list(contracts)),
            col(PartnerReferral.requested_at) >= since,
            *seeing.cases(by),
        )
    )
    asked: dict[str, list[int | None]] = {}
    for kind, contract, requested_at, seen_on in rows:
        day = requested_at.astimezone(ZoneInfo(contracts[contract].zone)).date()
        waited = max((seen_on - day).days, 0) if seen_on else None
        asked.setdefault(kind, []).append(waited)
    return [_times(kind, asked[kind]) for kind in sorted(asked)]


# --- private ---


def _times(kind: str, waited: Sequence[int | None]) -> WaitTimes:
    seen = sorted(days for days in waited if days is not None)
    median = seen[(len(seen) - 1) // 2] if seen else None
    return WaitTimes(kind, len(waited), len(seen), median, seen[-1] if seen else None)


async def works_on(session: AsyncSession, case: Case, by: Actor, now: datetime) -> bool:
    """Whether they are its support worker, stand in, or are the safeguarding lead."""
    acting = await covers.who_acts(session, case, now)
    return by.user_id in (case.worker_id, acting) or by.role is Role.SAFEGUARDING


async def _sessions(
    session: AsyncSession, ids: Sequence[int | None]
) -> dict[int, list[PartnerSession]]:
    rows = await session.scalars(
        select(PartnerSession)
        .where(col(PartnerSession.referral_id).in_(ids))
        .order_by(col(PartnerSession.held_on), col(PartnerSession.id))
    )
    found: dict[int, list[PartnerSession]] = {}
    for one in rows.all():
        found.setdefault(one.referral_id, []).append(one)
    return found


async def _chases(session: AsyncSession, ids: Sequence[int | None]) -> dict[int, list[Any]]:
    rows: Result[Any] = await session.execute(
        select(
            col(PartnerChase.referral_id),
            col(PartnerChase.at),
            col(PartnerChase.how),
            col(PartnerChase.words),
            col(User.shown_name).label("who"),
        )
        .join(User, col(User.id) == col(PartnerChase.by_user_id))
        .where(col(PartnerChase.referral_id).in_(ids))
        .order_by(col(PartnerChase.at))
    )
    found: dict[int, list[Any]] = {}
    for one in rows:
        found.setdefault(one.referral_id, []).append(one)
    return found


def _shown(
    row: Any,
    contract: Contract,
    works_on_it: bool,
    by: Actor,
    sessions: Mapping[int, Sequence[PartnerSession]],
    chases: Mapping[int, Sequence[Any]],
    now: datetime,
) -> Shown:
    found, partner, person, asked_by, deadline = row
    is_private = PartnerKind(found.kind).is_private
    may_read = not is_private or works_on_it or by.user_id == found.requested_by_id
    seen = (
        datetime.combine(found.first_seen_on, time(12), ZoneInfo(contract.zone))
        if found.first_seen_on
        else None
    )
    until = seen or found.ended_at or now
    return Shown(
        id=found.id,
        kind=found.kind,
        partner=_name(found, partner, contract),
        partner_id=found.partner_id,
        telephone=(partner.telephone or "") if partner else "",
        person=person,
        wanted=found.wanted if may_read else None,
        is_private=is_private,
        consent=found.consent,
        state=ReferralState(found.state),
        requested_at=found.requested_at,
        requested_by=asked_by,
        answered_at=found.answered_at,
        answered_words=found.answered_words if may_read else None,
        first_seen_on=found.first_seen_on,
        ended_at=found.ended_at,
        ending=found.ending,
        ended_words=found.ended_words if may_read else None,
        due_at=_open(deadline),
        is_late=_is_late(deadline, now),
        waited=max(until - found.requested_at, timedelta()),
        sessions=sessions.get(found.id, ()),
        chases=chases.get(found.id, ()) if may_read else (),
    )


def _name(found: PartnerReferral, partner: Partner | None, contract: Contract) -> str:
    if partner is not None:
        return partner.name
    own = (one.name for one in contract.signposts if one.code == found.signpost)
    return next(own, "one of the contract's signposts")


def _open(deadline: Deadline | None) -> datetime | None:
    is_open = deadline is not None and deadline.state == DeadlineState.OPEN
    return deadline.due_at if is_open and deadline is not None else None


def _is_late(deadline: Deadline | None, now: datetime) -> bool:
    due = _open(deadline)
    return due is not None and due <= now
