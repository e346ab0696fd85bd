"""What a team lead looks at first: how it stands now, how the week goes, who carries how much, when
people write, how long they wait, and what is different from the quarter before.

Read by web/pages/overview. Numbers only, exact ones, of one contract; nobody is named but those who
work on it. Every question is one statement, however many cases there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, String, and_, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import Counted, Measure
from helpline.desk import rota
from helpline.models import metadata
from helpline.reports import codes, counting, facts
from helpline.reports.facts import Window
from helpline.rules import periods
from helpline.rules.periods import Period
from helpline.rules.permissions import Actor, require
from helpline.rules.rota import on_call_at
from helpline.vocabulary import (
    CaseKind,
    CaseStatus,
    ClockStop,
    DeadlineState,
    ShiftKind,
    Urgency,
)

CASE: Final = metadata.tables["case"]
CONTACT: Final = metadata.tables["contact"]
DEADLINE: Final = metadata.tables["deadline"]
TASK: Final = metadata.tables["task"]
USER: Final = metadata.tables["user"]
SOON: Final = timedelta(hours=24)
WEEKS: Final = 12
"""So far back it is looked at when people write, and how long they wait."""
WAITS: Final = (15, 60, 240, 480, 1440)
"""Minutes: the steps in which waiting is shown; then longer, and not answered yet."""
_MICROS: Final = 60_000_000
ANSWERS: Final = (ClockStop.HUMAN_REPLY, ClockStop.REFERRAL_ANSWER)
TOP: Final = 5


@dataclass(frozen=True)
class Standing:
    """Somebody on call now, until when, and as what."""

    name: str
    kind: ShiftKind
    until: datetime


@dataclass(frozen=True)
class Now:
    """How it stands. `late`: a promise on it is broken; `soon`: one is due within a day."""

    open: int
    unallocated: int
    emergencies: int
    late: int
    soon: int
    on_call: Sequence[Standing]


@dataclass(frozen=True)
class Week:
    """What came and went from one instant to another, and which promises that ended were broken."""

    contacts: int
    opened: int
    closed: int
    kept: int
    broken: int


@dataclass(frozen=True)
class Load:
    """What one person carries."""

    name: str
    open: int
    pressing: int
    late: int
    tasks: int


@dataclass(frozen=True)
class Waited:
    """How many waited no longer than `minutes` for a person's answer and longer than the step
    before; None: longer than the last step."""

    minutes: int | None
    number: int


@dataclass(frozen=True)
class Waits:
    """How long people waited for an answer. `open`: those who still wait."""

    steps: Sequence[Waited]
    open: int

    @property
    def number(self) -> int:
        return sum(one.number for one in self.steps)


@dataclass(frozen=True)
class Change:
    """A figure of the quarter so far beside the same days of the quarter before."""

    name: str
    now: int
    before: int

    @property
    def by(self) -> int:
        return self.now - self.before


@dataclass(frozen=True)
class Changes:
    """`before_until`: the last instant of the quarter before that is compared."""

    period: Period
    before: Period
    before_until: datetime
    totals: Sequence[Change]
    reasons: Sequence[Change]


@dataclass(frozen=True)
class Requests:
    """Requests for support after an allegation since the contract year began, the council's own
    expectation for a whole year, and what of it would have come by now (A06)."""

    since: date
    number: int
    in_a_year: int
    by_now: float

    @property
    def is_more(self) -> bool:
        """Whether more came than the council expects in these days."""
        return self.number > self.by_now


async def now_of(session: AsyncSession, contract: Contract, by: Actor, now: datetime) -> Now:
    """How many cases are open, and of those how many want what."""
    require(by, "overview.read", contract.key)
    due = CASE.c.next_due_at
    row = (
        await session.execute(
            select(
                func.count(),
                _how_many(CASE.c.worker_id.is_(None)),
                _how_many(CASE.c.urgency == Urgency.EMERGENCY),
                _how_many(due < now),
                _how_many(and_(due >= now, due < now + SOON)),
            ).where(CASE.c.contract == contract.key, CASE.c.status == CaseStatus.OPEN)
        )
    ).one()
    found, absent = await rota.whole(session, contract.key, now, now + SOON)
    names = {duty.id: entry.shown_name for duty, entry in found}
    standing = on_call_at([duty for duty, _ in found], absent, now)
    on_call = [Standing(names[one.id], ShiftKind(one.kind), one.ends_at) for one in standing]
    whole, unallocated, emergencies, late, soon = (int(number or 0) for number in row)
    return Now(whole, unallocated, emergencies, late, soon, on_call)


async def week_of(
    session: AsyncSession, contract: Contract, by: Actor, start: datetime, end: datetime
) -> Week:
    """What came, began and ended from `start` to `end`, and which of the promises that were due
    then were kept."""
    require(by, "overview.read", contract.key)
    window = Window(start, end, end, contract.zone)
    rows = [
        facts.query(session, fact, contract.key, window, ()).subquery()
        for fact in ("contacts", "cases", "closed")
    ]
    contacts, opened, closed = [
        (await session.execute(select(func.count()).select_from(one))).scalar_one() for one in rows
    ]
    kept = and_(DEADLINE.c.met_at.is_not(None), DEADLINE.c.met_at <= DEADLINE.c.due_at)
    promised = (
        await session.execute(
            select(_how_many(kept), func.count()).where(
                DEADLINE.c.contract == contract.key,
                DEADLINE.c.clock.in_([one.code for one in contract.reported_clocks]),
                DEADLINE.c.state != DeadlineState.CANCELLED,
                or_(
                    and_(DEADLINE.c.met_at >= start, DEADLINE.c.met_at < end),
                    and_(
                        DEADLINE.c.met_at.is_(None),
                        DEADLINE.c.due_at >= start,
                        DEADLINE.c.due_at < end,
                    ),
                ),
            )
        )
    ).one()
    in_time = int(promised[0] or 0)
    return Week(contacts, opened, closed, in_time, promised[1] - in_time)


async def requests(
    session: AsyncSession, contract: Contract, by: Actor, now: datetime
) -> Requests | None:
    """None where the contract expects no number."""
    require(by, "overview.read", contract.key)
    if contract.capacity is None:
        return None
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    year = periods.period_containing(today, periods.ANNUAL, contract.year_starts_month)
    start, end = periods.bounds(year, contract.zone)
    window = Window(start, end, now, contract.zone)
    begun = facts.query(session, "cases", contract.key, window, ("kind",)).subquery()
    *_, kind = begun.c
    asked = select(func.count()).select_from(begun).where(kind == CaseKind.ALLEGATION)
    number = (await session.execute(asked)).scalar_one()
    whole = contract.capacity.allegation_requests_a_year
    days = (today - year.start).days + 1
    return Requests(year.start, number, whole, whole * days / year.days)


async def loads(
    session: AsyncSession, contract: Contract, by: Actor, now: datetime
) -> Sequence[Load]:
    """Who carries how much, whoever has most first."""
    require(by, "overview.read", contract.key)
    pressing = CASE.c.urgency.in_([Urgency.EMERGENCY, Urgency.URGENT])
    cases = await session.execute(
        select(
            CASE.c.worker_id, func.count(), _how_many(pressing), _how_many(CASE.c.next_due_at < now)
        )
        .where(
            CASE.c.contract == contract.key,
            CASE.c.status == CaseStatus.OPEN,
            CASE.c.worker_id.is_not(None),
        )
        .group_by(CASE.c.worker_id)
    )
    tasks = await session.execute(
        select(TASK.c.owner_id, func.count())
        .join(CASE, CASE.c.id == TASK.c.case_id)
        .where(
            CASE.c.contract == contract.key, TASK.c.done_at.is_(None), TASK.c.owner_id.is_not(None)
        )
        .group_by(TASK.c.owner_id)
    )
    open_cases = {row[0]: (row[1], int(row[2]), int(row[3] or 0)) for row in cases}
    open_tasks: dict[int, int] = {row[0]: row[1] for row in tasks}
    names = await session.execute(
        select(USER.c.id, USER.c.shown_name).where(
            USER.c.id.in_([*open_cases.keys() | open_tasks.keys()])
        )
    )
    found = []
    for user_id, name in names:
        whole, urgent, late = open_cases.get(user_id, (0, 0, 0))
        found.append(Load(name, whole, urgent, late, open_tasks.get(user_id, 0)))
    return sorted(found, key=lambda one: (-one.open, -one.tasks, one.name))


async def hours(
    session: AsyncSession, contract: Contract, by: Actor, now: datetime
) -> Mapping[tuple[int, int], int]:
    """When people write and ring, over the last twelve weeks: (weekday from 0 for Monday, hour on
    the clock of the contract's place) → how many."""
    require(by, "overview.read", contract.key)
    window = Window(now - timedelta(weeks=WEEKS), now, now, contract.zone)
    came = facts.query(session, "contacts", contract.key, window, ())
    hour = _hour(session, CONTACT.c.at)
    rows = await session.execute(
        came.with_only_columns(hour, func.count(), maintain_column_froms=True).group_by(hour)
    )
    zone = ZoneInfo(contract.zone)
    found: Counter[tuple[int, int]] = Counter()
    for written, number in rows:
        local = datetime.strptime(written, "%Y-%m-%d %H").replace(tzinfo=UTC).astimezone(zone)
        found[local.weekday(), local.hour] += number
    return found


async def waits(session: AsyncSession, contract: Contract, by: Actor, now: datetime) -> Waits:
    """How long those who wrote in the last twelve weeks waited for a person's answer; each case
    once, by the promise of an answer that was given it first."""
    require(by, "overview.read", contract.key)
    answers = [one.code for one in contract.reported_clocks if one.stops in ANSWERS]
    window = Window(now - timedelta(weeks=WEEKS), now, now, contract.zone)
    made = facts.query(session, "promises", contract.key, window, ("clock",)).subquery()
    case_id, _, micros, clock = made.c
    first = (
        select(case_id, func.min(micros).label("micros"))
        .where(clock.in_(answers))
        .group_by(case_id)
        .subquery()
    )
    step = case(
        *((first.c.micros <= limit * _MICROS, limit) for limit in WAITS),
        (first.c.micros.is_not(None), 0),
    )
    rows = await session.execute(select(step, func.count()).group_by(step))
    found: dict[int | None, int] = {row[0]: row[1] for row in rows}
    steps = [Waited(limit, found.get(limit, 0)) for limit in WAITS]
    return Waits([*steps, Waited(None, found.get(0, 0))], found.get(None, 0))


async def changes(session: AsyncSession, contract: Contract, by: Actor, now: datetime) -> Changes:
    """The running quarter beside as many days of the quarter before: what came, and the reasons
    that moved most."""
    require(by, "overview.read", contract.key)
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    period = periods.period_containing(today, periods.QUARTER, contract.year_starts_month)
    before = periods.previous(period)
    (start, _), (began, ended) = (periods.bounds(one, contract.zone) for one in (period, before))
    until = min(began + (now - start), ended)
    measures = _wholes(contract)
    printed = codes.printed(contract)
    found = []
    for window in (
        Window(start, now, now, contract.zone),
        Window(began, until, now, contract.zone),
    ):
        counts = await counting.count(session, contract.key, measures, window, printed)
        found.append(counts.numbers)
    totals = [Change(one.name, *(some[one.code, ()] for some in found)) for one in measures]
    moved = []
    for code, name in codes.names(contract)["reason"].items():
        key = (measures[0].code, (("reason", code),))
        moved.append(Change(name, *(some[key] for some in found)))
    moved.sort(key=lambda one: (-abs(one.by), one.name))
    reasons = [one for one in moved if one.by][:TOP]
    return Changes(period, before, until, totals, reasons)


def _wholes(contract: Contract) -> list[Measure]:
    """What every contract counts, whatever its reports ask; cases also by why they came."""
    asked: tuple[tuple[Counted, str, tuple[str, ...]], ...] = (
        ("cases", "Cases that began", ("reason",)),
        ("contacts", "Contacts", ()),
        ("closed", "Cases closed", ()),
        ("complaints", "Complaints", ()),
    )
    found = [
        Measure(code=f"overview.{of}", name=name, question=f"{name}?", counts=of, by=by)
        for of, name, by in asked
    ]
    people = Measure(
        code="overview.people", name="People", question="People?", counts="contacts", takes="people"
    )
    late = Measure(
        code="overview.late",
        name="Promises not kept",
        question="Late?",
        counts="promises",
        where={
            "verdict": ("missed",),
            "clock": tuple(one.code for one in contract.reported_clocks),
        },
    )
    return [*found[:2], people, *found[2:], late]


def _how_many(condition: ColumnElement[bool]) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _hour(session: AsyncSession, at: ColumnElement[Any]) -> ColumnElement[str]:
    """The hour of UTC in which it was, "2026-11-03 02", as both databases write it."""
    if session.get_bind().dialect.name == "sqlite":
        return func.substr(cast(at, String), 1, 13)
    return func.to_char(func.timezone("UTC", at), "YYYY-MM-DD HH24")
