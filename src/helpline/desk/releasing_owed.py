"""Which reports are owed and by when: a draft for each period that is over, its deadline, and what
the council may see of a period that still runs.

Called by engine/reporting every few minutes and by desk/releasing; doing it again changes nothing.
A report is sent when it is signed, because it lies in the portal from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract import parts as contract_parts
from helpline.db import insert_for
from helpline.desk import deadlines, events, obligations
from helpline.models import Deadline, ObligationDue, Release, RunningFigures
from helpline.reports import apart, figures, frozen
from helpline.reports.weeks import only_totals, so_far, totals
from helpline.rules import clocks, periods
from helpline.rules.periods import KIND_OF, Period
from helpline.rules.permissions import Actor
from helpline.vocabulary import ClockStart, ClockStop, DeadlineState, ReleaseState, Unit

DAY_ENDS: Final = time(17)
"""Ours: a report is read in office hours."""


# --- a draft for each period that is over ---------------------------------------------------------


async def keep_up(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """Draw up what is owed and has no draft yet, and give every open one its day. Returns how many
    rows are new or moved."""
    moved = 0
    for asked in contract.reports:
        first_ever = await _newest_end(session, contract, asked.code) is None
        for span in await _owed(session, contract, asked, now):
            if not asked.owes(span.end):
                continue
            await add(session, contract, asked, span, now, is_first=first_ever)
            moved += 1
    for release in await _unsent(session, contract):
        moved += await _plan(session, contract, release, now, is_new=False)
    return moved


async def _owed(
    session: AsyncSession, contract: Contract, asked: contract_parts.Report, now: datetime
) -> list[Period]:
    """The periods that are over, have no release and lie in the contract's term, or after it while
    the service goes on: those after the newest release there is; where there is none, the last one
    alone."""
    kind, month = KIND_OF[asked.every], contract.year_starts_month
    span = periods.previous(periods.period_containing(_today(contract, now), kind, month))
    newest = await _newest_end(session, contract, asked.code)
    found = []
    while span.end >= contract.term.start and (newest is None or span.end > newest):
        if span.start <= contract.term.last_day or contract.term.after_end == "warn":
            found.append(span)
        if newest is None:
            break
        span = periods.previous(span)
    return found[::-1]


async def _newest_end(session: AsyncSession, contract: Contract, code: str) -> date | None:
    return await session.scalar(
        select(func.max(col(Release.ends_on))).where(
            col(Release.contract) == contract.key, col(Release.report) == code
        )
    )


async def last_number(session: AsyncSession, contract: Contract, code: str, label: str) -> int:
    """The highest number there is of a report of a period; 0 where there is none."""
    return (
        await session.scalar(
            select(func.max(col(Release.number))).where(
                col(Release.contract) == contract.key,
                col(Release.report) == code,
                col(Release.period) == label,
            )
        )
        or 0
    )


async def add(
    session: AsyncSession,
    contract: Contract,
    asked: contract_parts.Report,
    span: Period,
    now: datetime,
    *,
    by: int | None = None,
    number: int = 1,
    why: str | None = None,
    is_first: bool = False,
) -> Release:
    """A draft, with the day by which it is owed. A restatement is owed by no clock; nor is what was
    due before this helpline began (`is_first`)."""
    made = Release(
        contract=contract.key,
        report=asked.code,
        period=span.label,
        starts_on=span.start,
        ends_on=span.end,
        number=number,
        why=why,
        state=ReleaseState.DRAFT,
        made_at=now,
        made_by_id=by,
    )
    session.add(made)
    await session.flush()
    await events.record(
        session,
        "release.drafted",
        now,
        contract=contract.key,
        by=by,
        release=made.id,
        report=asked.code,
        period=span.label,
        number=number,
    )
    await _plan(session, contract, made, now, is_new=is_first)
    return made


async def _unsent(session: AsyncSession, contract: Contract) -> Sequence[Release]:
    """The drafts whose day is not given yet, or may still move; of reports that the contract's
    file still has, since no other has a rule for its day."""
    rows = await session.scalars(
        select(Release)
        .outerjoin(Deadline, col(Deadline.id) == col(Release.deadline_id))
        .where(
            col(Release.contract) == contract.key,
            col(Release.state).in_([ReleaseState.DRAFT, ReleaseState.CHECKED]),
            col(Release.number) == 1,
            col(Release.report).in_([one.code for one in contract.reports]),
            or_(col(Deadline.id).is_(None), col(Deadline.state) == DeadlineState.OPEN),
        )
    )
    return rows.all()


# --- by when --------------------------------------------------------------------------------------


async def _plan(
    session: AsyncSession, contract: Contract, release: Release, now: datetime, *, is_new: bool
) -> int:
    """Give a draft its deadline, or move one that is not late yet to where its meeting is now."""
    if release.number != 1:
        return 0
    plan = await due(session, contract, release)
    if plan is None:
        return 0
    if release.deadline_id is None:
        if plan.due_at < now and (is_new or _was_before_us(release, plan)):
            return 0
        release.deadline_id = await _begin(session, contract, release, plan)
        await _quiet(session, contract, release, now)
        return 1
    later = clocks.moments(deadlines.REPORTS, plan.started_at, plan.due_at)
    changed = await session.execute(
        update(Deadline)
        .where(
            col(Deadline.id) == release.deadline_id,
            col(Deadline.state) == DeadlineState.OPEN,
            col(Deadline.due_at) > now,
            col(Deadline.due_at) != plan.due_at,
        )
        .values(
            due_at=plan.due_at,
            is_certain=plan.is_certain,
            next_alert_at=clocks.next_after(later, now) or plan.due_at,
        )
        .returning(col(Deadline.id))
    )
    return len(changed.all())


def _was_before_us(release: Release, plan: clocks.Plan) -> bool:
    return plan.due_at < release.made_at


async def due(session: AsyncSession, contract: Contract, release: Release) -> clocks.Plan | None:
    """By when a report is to be sent: so many working days after its period, or before the meeting
    at which it is presented; else by the day of the calendar of what is owed; None where nothing
    says so, or the meeting has no day yet."""
    asked = contract.report(release.report)
    span = frozen.period_of(contract, release)
    over = periods.bounds(span, contract.zone)[1]
    if asked.due_working_days is None:
        owed = (await session.scalars(await _in_calendar(session, contract, release))).first()
        if owed is None:
            return None
        local = datetime.combine(owed.due_on, DAY_ENDS, ZoneInfo(contract.zone))
        return clocks.Plan(over, local.astimezone(over.tzinfo), None, owed.is_certain)
    if asked.meeting is None:
        limit = clocks.Limit(asked.due_working_days, Unit.WORKING_DAYS, DAY_ENDS)
        counted_from = over - timedelta(minutes=1)  # the period's last day is day 0
    else:
        day = await meeting_after(session, contract, asked.meeting, span.end)
        if day is None:
            return None
        limit = clocks.Limit(asked.due_working_days, Unit.WORKING_DAYS_BEFORE, DAY_ENDS)
        counted_from = datetime.combine(day, time(12), ZoneInfo(contract.zone))
    plan = clocks.plan(clocks.Terms(limit), counted_from, contract.days)
    return replace(plan, started_at=over)


async def meeting_after(
    session: AsyncSession, contract: Contract, code: str, last: date
) -> date | None:
    """The first day after `last` on which a meeting takes place, as somebody named it."""
    return await session.scalar(
        select(func.min(col(ObligationDue.due_on))).where(
            col(ObligationDue.contract) == contract.key,
            col(ObligationDue.rule) == code,
            col(ObligationDue.due_on) > last,
            col(ObligationDue.dropped_at).is_(None),
        )
    )


async def _begin(
    session: AsyncSession, contract: Contract, release: Release, plan: clocks.Plan
) -> int:
    moments = clocks.moments(deadlines.REPORTS, plan.started_at, plan.due_at)
    added = await session.execute(
        insert(Deadline)
        .values(
            contract=contract.key,
            clock=f"report.{release.report}",
            starts=ClockStart.PERIOD_OVER,
            stops=ClockStop.SENDING,
            started_at=plan.started_at,
            due_at=plan.due_at,
            is_certain=plan.is_certain,
            state=DeadlineState.OPEN,
            next_alert_at=moments[0].at,
        )
        .returning(col(Deadline.id))
    )
    return added.scalar_one() or 0


async def is_sent(
    session: AsyncSession, contract: Contract, release: Release, by: Actor, now: datetime
) -> None:
    """It was signed, and lies in the portal: its clock ends, and the calendar says that it is done
    and what shows it."""
    if release.deadline_id is not None:
        which = col(Deadline.id) == release.deadline_id
        ended = await deadlines.end(session, now, which, is_kept=True, by=by.user_id)
        await deadlines.note_ended(session, ended, now, by.user_id)
    owed = await session.scalars(await _in_calendar(session, contract, release))
    for one in owed.all():
        one.done_on, one.done_at = _today(contract, now), now
        one.done_by_id, one.next_alert_at = by.user_id, None
        one.proof = "Signed, and in the portal since then."
        await session.flush()
        await obligations.hush(session, one, now)


async def _quiet(
    session: AsyncSession, contract: Contract, release: Release, now: datetime
) -> None:
    """The draft's own clock speaks from now on: nobody is told twice."""
    owed = await session.scalars(await _in_calendar(session, contract, release))
    for one in owed.all():
        one.next_alert_at = None
        await session.flush()
        await obligations.hush(session, one, now)


async def _in_calendar(
    session: AsyncSession, contract: Contract, release: Release
) -> Select[ObligationDue]:
    """What the calendar of obligations says of the same report: of its period, or of the meeting
    that it is owed before."""
    asked = contract.report(release.report)
    kind = KIND_OF[asked.every]
    is_first = contract.report_for(kind).code == release.report
    rules = [one.code for one in contract.obligations if one.report == kind and is_first]
    day: date | None = release.ends_on
    if asked.meeting is not None:
        day = await meeting_after(session, contract, asked.meeting, release.ends_on)
    return (
        select(ObligationDue)
        .where(
            col(ObligationDue.contract) == contract.key,
            col(ObligationDue.rule).in_(rules),
            col(ObligationDue.for_day) == day,
            col(ObligationDue.done_at).is_(None),
            col(ObligationDue.dropped_at).is_(None),
        )
        .with_for_update()
    )


# --- a period that still runs ---------------------------------------------------------------------


@dataclass(frozen=True)
class ToCount:
    """The running period of a report, to be counted as on a Sunday at midnight."""

    report: str
    span: Period
    as_at: datetime


async def running_due(session: AsyncSession, contract: Contract, now: datetime) -> list[ToCount]:
    """The reports whose running period has no figures of the Sunday before last yet."""
    as_at = last_sunday(contract, now - timedelta(days=7))
    found = []
    for asked in contract.reports:
        kind, month = KIND_OF[asked.every], contract.year_starts_month
        span = periods.period_containing(_today(contract, now), kind, month)
        if periods.bounds(span, contract.zone)[0] >= as_at:
            continue
        there = await session.scalar(
            select(col(RunningFigures.id)).where(
                *_same(contract, asked.code, span), col(RunningFigures.as_at) == as_at
            )
        )
        if there is None:
            found.append(ToCount(asked.code, span, as_at))
    return found


async def count_running(session: AsyncSession, contract: Contract, one: ToCount) -> str:
    """Its totals as they may be published a week later. Reads only, and goes after whoever writes
    to us: counted and protected in the process apart, where there is one."""
    return await apart.there(session, _count_running, contract, one)


async def _count_running(session: AsyncSession, contract: Contract, one: ToCount) -> str:
    then, now = one.as_at, _week_later(contract, one.as_at)
    counted = [
        await figures.counted(session, contract, one.span, at, one.report, late=False, until=at)
        for at in (then, now)
    ]
    weeks = [
        (so_far(one.span, at, contract.zone), report.cells)
        for at, report in zip((then, now), counted, strict=True)
    ]
    earlier = await frozen.earlier(session, contract, one.span)
    earlier += await frozen.weeks(session, contract, one.span)
    exact = replace(counted[0], cells=only_totals(contract, counted[0].cells), breaches=())
    cells = await asyncio.to_thread(totals, contract, weeks[0], weeks[1], earlier)
    is_protected = contract.disclosure.applies
    shown = replace(exact, cells=cells if is_protected else exact.cells, exact=False)
    return frozen.kept_week(exact, replace(shown, is_protected=is_protected))


async def keep_running(
    session: AsyncSession, contract: Contract, one: ToCount, cells: str, now: datetime
) -> None:
    """Keep them; two nodes that counted the same keep one."""
    await session.execute(
        insert_for(session, RunningFigures)
        .values(
            contract=contract.key,
            report=one.report,
            period=one.span.label,
            as_at=one.as_at,
            made_at=now,
            cells=cells,
        )
        .on_conflict_do_nothing(index_elements=["contract", "report", "period", "as_at"])
    )


def _week_later(contract: Contract, at: datetime) -> datetime:
    local = at.astimezone(ZoneInfo(contract.zone)).replace(tzinfo=None) + timedelta(days=7)
    return local.replace(tzinfo=ZoneInfo(contract.zone)).astimezone(at.tzinfo)


def last_sunday(contract: Contract, now: datetime) -> datetime:
    """The last instant at which a Sunday ended, in UTC."""
    today = _today(contract, now)
    monday = today - timedelta(days=today.weekday())
    zone = ZoneInfo(contract.zone)
    return datetime.combine(monday, time(), zone).astimezone(now.tzinfo)


def _same(contract: Contract, code: str, span: Period) -> tuple[ColumnElement[bool], ...]:
    return (
        col(RunningFigures.contract) == contract.key,
        col(RunningFigures.report) == code,
        col(RunningFigures.period) == span.label,
    )


def _today(contract: Contract, now: datetime) -> date:
    return now.astimezone(ZoneInfo(contract.zone)).date()
