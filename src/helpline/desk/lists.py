"""What the lists of the console show: the inbox, the counts beside its filters, alerts, who is on
call.

Read only, Core rows, called by web/pages. Pages of the inbox go by key (due time and id), never by
offset, and counts stop at a cap, so that a hundred thousand cases are as quick as a hundred.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    exists,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import seeing
from helpline.errors import InvalidInput
from helpline.models import metadata
from helpline.rules import clocks
from helpline.rules.permissions import Actor
from helpline.vocabulary import (
    AlertKind,
    CaseStatus,
    ClockStop,
    ContactKind,
    DeadlineState,
    Direction,
    Urgency,
)

ALERT = metadata.tables["alert"]
CASE = metadata.tables["case"]
CONTACT = metadata.tables["contact"]
DEADLINE = metadata.tables["deadline"]
ITEM = metadata.tables["inbound_item"]
PERSON = metadata.tables["person"]
SHIFT = metadata.tables["shift"]
USER = metadata.tables["user"]

ANSWERS = (ClockStop.HUMAN_REPLY, ClockStop.REFERRAL_ANSWER)
PAGE = 50
CAP = 1000
"""Counts go no further: "1,000+" says enough."""


class Filter(StrEnum):
    """Which open cases; the order is that of the page."""

    ALL = "all"
    MINE = "mine"
    UNALLOCATED = "unallocated"
    TODAY = "today"
    EMERGENCY = "emergency"


@dataclass(frozen=True)
class Face:
    """One promise as it stands: `verdict` is met, missed or open (rules/clocks.py)."""

    stops: str
    due_at: datetime
    met_at: datetime | None
    verdict: str
    is_certain: bool = True
    """False: due then or later, because it reaches beyond the known bank holidays."""

    @property
    def is_running(self) -> bool:
        return self.met_at is None


@dataclass(frozen=True)
class CaseRow:
    """One line of the inbox. `waiting_since`: they wrote and nobody has answered that yet."""

    id: int
    reference: str
    contract: str
    name: str | None
    identity: str
    urgency: str
    reason: str
    group: str
    quadrant: str
    opened_at: datetime
    next_due_at: datetime | None
    worker_id: int | None
    worker: str | None
    answer: Face | None
    allocation: Face | None
    waiting_since: datetime | None


@dataclass(frozen=True)
class CasePage:
    """`after` is the key of the next page, None at the end."""

    rows: Sequence[CaseRow]
    after: str | None


@dataclass(frozen=True)
class Scope:
    """Whose inbox, of which contracts, and until when "today" lasts (the next local midnight).
    `covered`: the ids of the cases on which they stand in for somebody."""

    actor: Actor
    contracts: Sequence[str]
    today_ends: datetime
    covered: Sequence[int] = ()


# --- the inbox -----------------------------------------------------------------------------------


async def inbox(
    session: AsyncSession, scope: Scope, chosen: Filter, after: str | None, now: datetime
) -> CasePage:
    """One page of open cases: emergencies that nobody has answered, then the next due first, those
    that owe nothing last.

    InvalidInput when `after` is no key that a page gave.
    """
    is_urgent, due, last_id = _read_key(after)
    wanted = [
        and_(*_open_in(contract, scope.actor), *_of(chosen, scope)) for contract in scope.contracts
    ]
    urgent: list[Row[Any]] = []
    if after is None or is_urgent:
        for condition in wanted:
            some = and_(condition, _waits_in_an_emergency())
            urgent += await _rows(session, _due_after(some, due, last_id))
        due, last_id, after = None, 0, None
    found: list[Row[Any]] = []
    if len(urgent) <= PAGE and (after is None or due is not None):
        for condition in wanted:
            some = and_(condition, _is_no_such_emergency())
            found += await _rows(session, _due_after(some, due, last_id))
        last_id = 0
    if len(urgent) + len(found) <= PAGE:
        for condition in wanted:
            found += await _rows(session, _owing_nothing_after(condition, last_id))
    urgent.sort(key=_by_due)
    found.sort(key=_by_due)
    both = [*urgent, *found]
    rows = await _with_clocks(session, both[:PAGE], now)
    key = _key(both[PAGE - 1], is_urgent=len(urgent) >= PAGE) if len(both) > PAGE else None
    return CasePage(rows, key)


def _by_due(row: Row[Any]) -> tuple[datetime, int]:
    return row.next_due_at or datetime.max.replace(tzinfo=UTC), row.id


async def counts(session: AsyncSession, scope: Scope) -> dict[Filter, int]:
    """How many each filter would show, counted to CAP + 1 and no further."""
    return {chosen: await _count(session, scope, chosen) for chosen in Filter}


async def most_urgent(session: AsyncSession, scope: Scope, now: datetime) -> CaseRow | None:
    """The emergency that is due first, if one still waits for its answer."""
    found: list[Row[Any]] = []
    for contract in scope.contracts:
        wanted = and_(*_open_in(contract, scope.actor), _waits_in_an_emergency())
        found += await _rows(session, _due_after(wanted, None, 0).limit(1))
    rows = await _with_clocks(session, sorted(found, key=_by_due)[:1], now)
    return rows[0] if rows else None


def _waits_in_an_emergency() -> ColumnElement[bool]:
    """Whether it is an emergency and a person's answer is still owed."""
    return and_(CASE.c.urgency == Urgency.EMERGENCY, _answer_is_owed())


def _is_no_such_emergency() -> ColumnElement[bool]:
    return or_(CASE.c.urgency != Urgency.EMERGENCY, not_(_answer_is_owed()))


def _answer_is_owed() -> ColumnElement[bool]:
    return exists().where(
        DEADLINE.c.case_id == CASE.c.id,
        DEADLINE.c.stops.in_(ANSWERS),
        DEADLINE.c.met_at.is_(None),
        DEADLINE.c.state != DeadlineState.CANCELLED,
    )


def _open_in(contract: str, actor: Actor) -> tuple[ColumnElement[bool], ...]:
    seen = seeing.not_shut_out(actor.user_id)
    return (CASE.c.status == CaseStatus.OPEN, CASE.c.contract == contract, *seen)


def _of(chosen: Filter, scope: Scope) -> tuple[ColumnElement[bool], ...]:
    mine: ColumnElement[bool] = CASE.c.worker_id == scope.actor.user_id
    if scope.covered:  # an empty list would keep the index of workers from being used
        mine = or_(mine, CASE.c.id.in_(scope.covered))
    return {
        Filter.ALL: (),
        Filter.MINE: (mine,),
        Filter.UNALLOCATED: (CASE.c.worker_id.is_(None),),
        Filter.TODAY: (CASE.c.next_due_at < scope.today_ends,),
        Filter.EMERGENCY: (CASE.c.urgency == Urgency.EMERGENCY,),
    }[chosen]


async def _count(session: AsyncSession, scope: Scope, chosen: Filter) -> int:
    total = 0
    for contract in scope.contracts:
        some = (
            select(CASE.c.id)
            .where(*_open_in(contract, scope.actor), *_of(chosen, scope))
            .limit(CAP + 1)
        )
        total += (
            await session.execute(select(func.count()).select_from(some.subquery()))
        ).scalar_one()
    return min(total, CAP + 1)


def _case_rows() -> Select[Any]:
    return (
        select(
            CASE.c.id,
            CASE.c.reference,
            CASE.c.contract,
            PERSON.c.name,
            CASE.c.identity,
            CASE.c.urgency,
            CASE.c.reason,
            CASE.c.group,
            CASE.c.quadrant,
            CASE.c.opened_at,
            CASE.c.next_due_at,
            CASE.c.last_in_at,
            CASE.c.worker_id,
            USER.c.shown_name.label("worker"),
        )
        .join(PERSON, PERSON.c.id == CASE.c.person_id)
        .outerjoin(USER, USER.c.id == CASE.c.worker_id)
    )


def _due_after(wanted: ColumnElement[bool], due: datetime | None, last_id: int) -> Select[Any]:
    """Those with an open promise, behind the key. The first condition is what the index can use."""
    query = _case_rows().where(wanted, CASE.c.next_due_at.is_not(None))
    if due is not None:
        behind = or_(CASE.c.next_due_at > due, CASE.c.id > last_id)
        query = query.where(CASE.c.next_due_at >= due, behind)
    return query.order_by(CASE.c.next_due_at, CASE.c.id).limit(PAGE + 1)


def _owing_nothing_after(wanted: ColumnElement[bool], last_id: int) -> Select[Any]:
    query = _case_rows().where(wanted, CASE.c.next_due_at.is_(None), CASE.c.id > last_id)
    return query.order_by(CASE.c.id).limit(PAGE + 1)


async def _rows(session: AsyncSession, query: Select[Any]) -> list[Row[Any]]:
    return list(await session.execute(query))


async def _with_clocks(
    session: AsyncSession, found: Sequence[Row[Any]], now: datetime
) -> list[CaseRow]:
    ids = [row.id for row in found]
    faces, answered = await faces_of(session, ids, now), await last_answers(session, ids)
    return [_case_row(row, faces.get(row.id, {}), answered.get(row.id)) for row in found]


def _case_row(row: Row[Any], faces: Mapping[str, Face], answered: datetime | None) -> CaseRow:
    values = dict(row._mapping)
    last_in = values.pop("last_in_at")
    is_waiting = last_in is not None and (answered is None or last_in > answered)
    return CaseRow(
        **values,
        answer=min(
            (faces[stop] for stop in ANSWERS if stop in faces),
            key=lambda face: (not face.is_running, face.due_at),
            default=None,
        ),
        allocation=faces.get(ClockStop.ALLOCATION),
        waiting_since=last_in if is_waiting else None,
    )


async def faces_of(
    session: AsyncSession, case_ids: Sequence[int], now: datetime
) -> dict[int, dict[str, Face]]:
    """Case id → what stops it → the latest promise, of several open ones the soonest: a case opened
    again makes a new one, and an emergency a shorter one."""
    query = (
        select(
            DEADLINE.c.case_id,
            DEADLINE.c.stops,
            DEADLINE.c.due_at,
            DEADLINE.c.met_at,
            DEADLINE.c.is_certain,
        )
        .where(DEADLINE.c.case_id.in_(case_ids), DEADLINE.c.state != DeadlineState.CANCELLED)
        .order_by(DEADLINE.c.started_at, DEADLINE.c.id)
    )
    found: dict[int, dict[str, Face]] = {}
    for row in await session.execute(query):
        verdict = clocks.verdict(row.due_at, row.met_at, now)
        face = Face(row.stops, row.due_at, row.met_at, verdict, row.is_certain)
        shown = found.setdefault(row.case_id, {}).get(row.stops)
        if shown is None or shown.met_at or row.due_at < shown.due_at or row.met_at:
            found[row.case_id][row.stops] = face
    return found


async def last_answers(session: AsyncSession, case_ids: Sequence[int]) -> dict[int, datetime]:
    """When a person of ours last answered, by message or by a conversation on the telephone."""
    human = or_(
        and_(CONTACT.c.kind == ContactKind.MESSAGE, CONTACT.c.direction == Direction.OUT),
        and_(CONTACT.c.kind == ContactKind.CALL, CONTACT.c.call_result == "spoke"),
    )
    query = (
        select(CONTACT.c.case_id, func.max(CONTACT.c.at).label("at"))
        .where(CONTACT.c.case_id.in_(case_ids), human)
        .group_by(CONTACT.c.case_id)
    )
    return {row.case_id: row.at for row in await session.execute(query)}


def _key(row: Row[Any], is_urgent: bool) -> str:
    """Where the next page goes on; "!" before it while emergencies are still to come."""
    due = row.next_due_at.isoformat() if row.next_due_at else "-"
    return f"{'!' if is_urgent else ''}{due}~{row.id}"


def _read_key(after: str | None) -> tuple[bool, datetime | None, int]:
    """Whether emergencies go on, from what due time, from which id."""
    if after is None:
        return False, None, 0
    is_urgent = after.startswith("!")
    due, _, last_id = after.removeprefix("!").partition("~")
    try:
        instant = None if due == "-" else datetime.fromisoformat(due).astimezone(UTC)
        number = int(last_id)
    except (ValueError, OverflowError):
        raise InvalidInput(
            "This page of the list is not there. Start from the first page."
        ) from None
    if not 0 <= number < 2**31:  # PostgreSQL refuses to compare an id with more
        raise InvalidInput("This page of the list is not there. Start from the first page.")
    return is_urgent, instant, number


# --- alerts, rota --------------------------------------------------------------------------------


async def open_alerts(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], case_id: int | None = None
) -> list[Row[Any]]:
    """What nobody has taken yet and `actor` may know of, the worst first and then the longest
    waiting; those of one case where it is named. `clock`: whose time runs out or is over."""
    query = (
        select(ALERT, DEADLINE.c.clock)
        .outerjoin(DEADLINE, DEADLINE.c.id == ALERT.c.deadline_id)
        .where(
            ALERT.c.next_rung_at.is_not(None),
            ALERT.c.contract.in_(contracts),
            seeing.alerts(actor, ALERT),
        )
    )
    if case_id is not None:
        query = query.where(ALERT.c.case_id == case_id)
    worst = case({kind.value: kind.severity for kind in AlertKind}, value=ALERT.c.kind, else_=99)
    query = query.order_by(worst, ALERT.c.raised_at, ALERT.c.id)
    return list(await session.execute(query.limit(50)))


async def contract_of_alert(session: AsyncSession, actor: Actor, alert_id: int) -> str | None:
    """None for what is not there or `actor` must not know of."""
    query = select(ALERT.c.contract).where(ALERT.c.id == alert_id, seeing.alerts(actor, ALERT))
    found = await session.execute(query)
    contract: str | None = found.scalar_one_or_none()
    return contract


async def shifts(
    session: AsyncSession, contracts: Iterable[str], since: datetime, until: datetime
) -> list[Row[Any]]:
    """Who is on call between two instants, in the order of beginning."""
    query = (
        select(SHIFT, USER.c.shown_name, USER.c.left_at)
        .join(USER, USER.c.id == SHIFT.c.user_id)
        .where(
            SHIFT.c.contract.in_(list(contracts)),
            SHIFT.c.ends_at > since,
            SHIFT.c.starts_at < until,
        )
        .order_by(SHIFT.c.starts_at, SHIFT.c.kind.desc(), SHIFT.c.id)
        .limit(500)
    )
    return list(await session.execute(query))
