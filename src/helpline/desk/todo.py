"""What somebody has to do next: loads what is owed around them and asks rules/todo.py for its
order. Called by the inbox and, for complaints, by their register; read only.

Whatever the first page has loaded already comes in as `Seen`, so that nothing is asked twice. Each
query is held to a few rows, the soonest first: a first page says what comes next, not everything.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import escalation, lists, safeguarding, samples, seeing
from helpline.desk.lists import CASE, DEADLINE, PERSON, USER
from helpline.models import metadata
from helpline.rules import todo as rules
from helpline.rules.permissions import Actor
from helpline.rules.todo import Asker, Kind, Owed, Turn
from helpline.vocabulary import (
    AlertKind,
    CaseStatus,
    ClockStart,
    ClockStop,
    DeadlineState,
    Role,
    Urgency,
)

COMPLAINT: Final = metadata.tables["complaint"]
MOST: Final = 30
"""Rows of each kind that are looked at."""
MOST_OWN: Final = 300
"""Open cases of one worker: more than anybody has."""
IN_DANGER: Final = (AlertKind.EMERGENCY, AlertKind.PRESSING)
FOR_SAFEGUARDING: Final = (AlertKind.PRESSING, AlertKind.ALLEGATION, AlertKind.CONCERN)


@dataclass(frozen=True)
class Thing:
    """What a line is said with. `stops`: what the clock waits for; `who`: whose word it is."""

    reference: str = ""
    place: str = ""
    name: str | None = None
    urgency: str = ""
    clock: str = ""
    stops: str = ""
    said: str | None = None
    who: str | None = None
    is_certain: bool = True
    row: Any = None
    """The alert, task or handover itself."""


@dataclass(frozen=True)
class Seen:
    """What the page has loaded for itself: open alerts, those taken, namings that wait for a yes,
    tasks, handovers, what waits for the safeguarding lead, how much lies in the tray."""

    alerts: Sequence[Any] = ()
    taken: Sequence[Any] = ()
    asked: Sequence[Any] = ()
    tasks: Sequence[Any] = ()
    handovers: Sequence[Any] = ()
    notices: Sequence[safeguarding.Waiting] = ()
    covered: Collection[int] = field(default_factory=tuple)


async def turns(
    session: AsyncSession,
    actor: Actor,
    asker: Asker,
    contracts: Sequence[str],
    seen: Seen,
    now: datetime,
    today_ends: datetime,
) -> list[Turn]:
    """What `actor` has to do, the first thing first."""
    own = await _own_cases(session, actor, contracts, seen.covered)
    waiting = await _waiting_among(session, [one.case_id for one in seen.alerts if one.case_id])
    owed = [*_loaded(seen, actor, {row.id for row in own}, waiting)]
    owed += await _of_own_cases(session, actor, contracts, own)
    owed += await _own_promises(session, actor, contracts)
    owed += await _own_complaints(session, actor, contracts)
    for row in await samples.unread(session, actor):
        thing = Thing(row.reference, f"/samples#said-{row.id}")
        owed.append(Owed(Kind.FEEDBACK, row.contract, is_mine=True, what=thing))
    if others := sorted((asker.on_call | asker.unmanned) & set(contracts)):
        owed += await _unanswered(session, actor, others)
    if actor.role is Role.LEAD:
        owed += await _of_the_team(session, actor, contracts, now)
    return rules.turns(owed, asker, now, today_ends)


def of_complaints(
    rows: Iterable[Any], alerts: Iterable[Any], actor: Actor, now: datetime, today_ends: datetime
) -> list[Turn]:
    """The same for the complaints officer, of what their register has loaded: rows with `due_at`
    and the stage that is next as (row, stage)."""
    owed = [*_loaded(Seen(alerts=tuple(alerts)), actor)]
    for row, stage in rows:
        thing = Thing(row.reference, f"/complaints/{row.reference}", clock=stage, who=row.handler)
        is_mine = row.handler_id == actor.user_id
        owed.append(
            Owed(Kind.COMPLAINT, row.contract, row.due_at, is_mine, about=row.reference, what=thing)
        )
    return rules.turns(owed, Asker(actor.role), now, today_ends)


def _loaded(
    seen: Seen, actor: Actor, own: Collection[int] = (), waiting: Collection[int] = ()
) -> Iterator[Owed]:
    """`own`: their cases; `waiting`: those on which nobody has answered. An emergency that somebody
    answered is still to be taken, but another that waits comes before it."""
    for one in seen.alerts:
        if escalation.may_take(one.rungs, actor.role):
            is_mine = one.owner_id == actor.user_id or one.case_id in own
            yield Owed(
                Kind.ALERT,
                one.contract,
                one.raised_at,
                is_mine,
                one.kind in IN_DANGER and (one.case_id is None or one.case_id in waiting),
                "safeguarding" in one.rungs.split(",") or one.kind in FOR_SAFEGUARDING,
                one.reference if one.case_id else "",
                Thing(one.reference, row=one),
            )
    for one in seen.taken:
        if one.acknowledged_by_id == actor.user_id:
            thing = Thing(one.reference, row=one)
            about = one.reference if one.case_id else ""
            is_danger = one.kind in IN_DANGER
            yield Owed(
                Kind.TAKEN, one.contract, one.act_by, True, is_danger, about=about, what=thing
            )
    for one in seen.asked:
        thing = Thing(one.reference, f"/cases/{one.reference}#allocation", one.name, one.urgency)
        yield Owed(Kind.ACCEPT, "", one.named_at, True, about=one.reference, what=thing)
    for one in seen.tasks:
        thing = Thing(one.reference, f"/cases/{one.reference}/plan#tasks", row=one)
        yield Owed(Kind.TASK, one.contract, one.due_at, True, about=one.reference, what=thing)
    for one in seen.handovers:
        thing = Thing("", f"/rota/handovers/{one.id}", row=one)
        yield Owed(Kind.HANDOVER, one.contract, one.at, True, what=thing)
    for one in seen.notices:
        thing = Thing(one.reference, one.place, clock=one.clock, is_certain=one.is_certain)
        yield Owed(
            *(Kind.NOTICE, one.contract, one.due_at),
            is_safeguarding=True,
            about=one.reference,
            what=thing,
        )


async def _waiting_among(session: AsyncSession, case_ids: Sequence[int]) -> set[int]:
    if not case_ids:
        return set()
    rows = await session.scalars(
        select(DEADLINE.c.case_id).where(
            DEADLINE.c.case_id.in_(case_ids),
            DEADLINE.c.stops.in_(lists.ANSWERS),
            DEADLINE.c.state == DeadlineState.OPEN,
        )
    )
    return set(rows)


def _deadlines(actor: Actor, contracts: Sequence[str]) -> Select[Any]:
    """Open clocks of open cases that `actor` may see, the soonest first."""
    return (
        select(
            DEADLINE.c.contract,
            DEADLINE.c.clock,
            DEADLINE.c.starts,
            DEADLINE.c.stops,
            DEADLINE.c.due_at,
            DEADLINE.c.what,
            DEADLINE.c.owner_id,
            DEADLINE.c.is_certain,
            CASE.c.reference,
            CASE.c.urgency,
            CASE.c.worker_id,
            PERSON.c.name,
            USER.c.shown_name.label("who"),
        )
        .join(CASE, CASE.c.id == DEADLINE.c.case_id)
        .join(PERSON, PERSON.c.id == CASE.c.person_id)
        .outerjoin(USER, USER.c.id == func.coalesce(DEADLINE.c.owner_id, CASE.c.worker_id))
        .where(
            DEADLINE.c.contract.in_(contracts),
            DEADLINE.c.state == DeadlineState.OPEN,
            CASE.c.status == CaseStatus.OPEN,
            *seeing.cases(actor),
        )
        .order_by(DEADLINE.c.due_at, DEADLINE.c.id)
        .limit(MOST)
    )


def _of_deadline(row: Any, *, is_mine: bool) -> Owed | None:
    """None for clocks whose rows come another way."""
    kind, anchor = Kind.CLOCK, ""
    match row.stops:
        case ClockStop.HUMAN_REPLY | ClockStop.REFERRAL_ANSWER:
            kind, anchor = Kind.ANSWER, "#reply"
        case ClockStop.ALLOCATION:
            kind, anchor = Kind.ALLOCATE, "#allocation"
        case ClockStop.KEPT_WORD if row.starts == ClockStart.PROMISE:
            kind, anchor = Kind.PROMISE, "#promises"
        case ClockStop.TASK_DONE:
            return None
        case ClockStop.REVIEWED:
            anchor = "/plan#review"
    thing = Thing(
        row.reference,
        f"/cases/{row.reference}{anchor}",
        row.name,
        row.urgency,
        row.clock,
        row.stops,
        row.what,
        row.who,
        row.is_certain,
    )
    is_danger = kind is Kind.ANSWER and row.urgency == Urgency.EMERGENCY
    return Owed(
        *(kind, row.contract, row.due_at, is_mine, is_danger), about=row.reference, what=thing
    )


async def _found(session: AsyncSession, query: Select[Any], *, is_mine: bool) -> list[Owed]:
    rows = await session.execute(query)
    return [one for row in rows if (one := _of_deadline(row, is_mine=is_mine)) is not None]


async def _own_cases(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], covered: Collection[int]
) -> Sequence[Any]:
    """Their open cases and those on which they stand in, the newest first."""
    theirs = CASE.c.worker_id == actor.user_id
    if covered:  # an empty list would keep the index of workers from being used
        theirs = or_(theirs, CASE.c.id.in_(covered))
    rows = await session.execute(
        select(CASE.c.id, CASE.c.contract, CASE.c.reference, CASE.c.urgency, CASE.c.last_in_at)
        .add_columns(PERSON.c.name)
        .join(PERSON, PERSON.c.id == CASE.c.person_id)
        .where(
            theirs,
            CASE.c.status == CaseStatus.OPEN,
            CASE.c.contract.in_(contracts),
            *seeing.cases(actor),
        )
        .order_by(CASE.c.id.desc())
        .limit(MOST_OWN)
    )
    return rows.all()


async def _of_own_cases(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], own: Sequence[Any]
) -> list[Owed]:
    """Clocks of these cases, but for a colleague's own word; and who wrote again and waits."""
    ids = [row.id for row in own]
    if not ids:
        return []
    query = _deadlines(actor, contracts).where(
        DEADLINE.c.case_id.in_(ids), DEADLINE.c.starts != ClockStart.PROMISE
    )
    found = await _found(session, query, is_mine=True)
    answered = await lists.last_answers(session, ids)
    for row in own:
        last = answered.get(row.id)
        if row.last_in_at is not None and last is not None and row.last_in_at > last:
            place = f"/cases/{row.reference}#reply"
            thing = Thing(row.reference, place, row.name, row.urgency)
            kind, at = Kind.WROTE_AGAIN, row.last_in_at
            found.append(Owed(kind, row.contract, at, True, about=row.reference, what=thing))
    return found


async def _own_promises(
    session: AsyncSession, actor: Actor, contracts: Sequence[str]
) -> list[Owed]:
    query = _deadlines(actor, contracts).where(
        DEADLINE.c.owner_id == actor.user_id, DEADLINE.c.starts == ClockStart.PROMISE
    )
    return await _found(session, query, is_mine=True)


async def _own_complaints(
    session: AsyncSession, actor: Actor, contracts: Sequence[str]
) -> list[Owed]:
    """Complaints that they handle, by what is due next of each."""
    due = func.min(DEADLINE.c.due_at).label("due_at")
    rows = await session.execute(
        select(COMPLAINT.c.contract, COMPLAINT.c.reference, due)
        .outerjoin(
            DEADLINE,
            and_(DEADLINE.c.complaint_id == COMPLAINT.c.id, DEADLINE.c.state == DeadlineState.OPEN),
        )
        .where(
            COMPLAINT.c.handler_id == actor.user_id,
            COMPLAINT.c.closed_at.is_(None),
            COMPLAINT.c.contract.in_(contracts),
            *seeing.complaints(actor, COMPLAINT),
        )
        .group_by(COMPLAINT.c.contract, COMPLAINT.c.reference)
        .order_by(due)
        .limit(MOST)
    )
    return [
        Owed(
            Kind.COMPLAINT,
            row.contract,
            row.due_at,
            True,
            about=row.reference,
            what=Thing(row.reference, f"/complaints/{row.reference}"),
        )
        for row in rows
    ]


async def _unanswered(session: AsyncSession, actor: Actor, contracts: Sequence[str]) -> list[Owed]:
    """Whoever waits for a first answer, whosever case it is."""
    query = _deadlines(actor, contracts).where(DEADLINE.c.stops.in_(lists.ANSWERS))
    return await _found(session, query, is_mine=False)


async def _of_the_team(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], now: datetime
) -> list[Owed]:
    """For a lead: cases without a support worker, promises of anybody that break within hours, and
    a few that are broken, the latest first. Their own they have already."""
    others = _deadlines(actor, contracts).where(
        or_(CASE.c.worker_id.is_(None), CASE.c.worker_id != actor.user_id),
        or_(DEADLINE.c.owner_id.is_(None), DEADLINE.c.owner_id != actor.user_id),
    )
    nobodys = others.where(DEADLINE.c.stops == ClockStop.ALLOCATION)
    kept = others.where(not_(DEADLINE.c.stops == ClockStop.ALLOCATION))
    soon = kept.where(DEADLINE.c.due_at >= now, DEADLINE.c.due_at < now + rules.SOON)
    broken = kept.where(DEADLINE.c.due_at < now).order_by(None).order_by(DEADLINE.c.due_at.desc())
    found = []
    for query in (nobodys, soon, broken):
        found += await _found(session, query, is_mine=False)
    return found
