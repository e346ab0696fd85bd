"""Samples of a month's work: for each worker the same few cases by lot, a lead's words on what was
good and what to try, and the worker's word that they have read it.

Called by the page of samples and the first page. It is between the two of them: no report counts
it, no list ranks by it, and the person of the case has no part in it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Result, Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import events, seeing
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import WorkFeedback, metadata
from helpline.rules import samples as rules
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import CASEWORKERS, CaseStatus

CASE: Final = metadata.tables["case"]
FEEDBACK: Final = metadata.tables["work_feedback"]
USER: Final = metadata.tables["user"]
LONGEST: Final = 1000
MOST: Final = 2000
"""Cases of a month among which lots are drawn."""


@dataclass(frozen=True)
class Sample:
    """One case that was drawn, and what was said of it, if anything yet."""

    case_id: int
    reference: str
    contract: str
    worker_id: int
    worker: str
    said: Row[Any] | None


def month_before(now: datetime, zone: str) -> str:
    """The last whole month there: "2026-10"."""
    first = now.astimezone(ZoneInfo(zone)).date().replace(day=1)
    return f"{first - timedelta(days=1):%Y-%m}"


async def of_month(
    session: AsyncSession, actor: Actor, contracts: Sequence[Contract], month: str
) -> list[Sample]:
    """What was drawn of the cases that were closed in that month, by worker; never the asker's own,
    and only what they may see."""
    found = []
    for contract in contracts:
        require(actor, "sample.write", contract.key)
        start, end = _bounds(month, contract.zone)
        rows: Result[Any] = await session.execute(
            select(CASE.c.id, CASE.c.reference, CASE.c.worker_id, USER.c.shown_name)
            .join(USER, USER.c.id == CASE.c.worker_id)
            .where(
                CASE.c.contract == contract.key,
                CASE.c.status == CaseStatus.CLOSED,
                CASE.c.closed_at >= start,
                CASE.c.closed_at < end,
                CASE.c.worker_id != actor.user_id,
                CASE.c.erased_at.is_(None),
                USER.c.role.in_(CASEWORKERS),
                *seeing.cases(actor),
            )
            .limit(MOST)
        )
        found += await _drawn(session, contract.key, month, list(rows))
    return sorted(found, key=lambda one: (one.worker, one.worker_id, one.reference))


async def _drawn(
    session: AsyncSession, contract: str, month: str, rows: Sequence[Row[Any]]
) -> list[Sample]:
    of_worker = defaultdict[int, list[int]](list)
    for row in rows:
        of_worker[row.worker_id].append(row.id)
    lots = {case for worker, ids in of_worker.items() for case in rules.drawn(month, worker, ids)}
    said = {
        row.case_id: row
        for row in await session.execute(
            select(FEEDBACK).where(FEEDBACK.c.case_id.in_(lots), FEEDBACK.c.month == month)
        )
    }
    return [
        Sample(row.id, row.reference, contract, row.worker_id, row.shown_name, said.get(row.id))
        for row in rows
        if row.id in lots
    ]


async def say(
    session: AsyncSession,
    contract: Contract,
    sample: Sample,
    month: str,
    good: str,
    to_try: str,
    by: Actor,
    now: datetime,
) -> None:
    """A lead's words on one case that was drawn. What was good is always said; Conflict where a
    colleague was faster."""
    require(by, "sample.write", contract.key)
    well = in_a_line(good, LONGEST, "Say what was good: begin with that.")
    if sample.said is not None:
        raise Conflict("A colleague has said something of this case already. Look at it again.")
    row = WorkFeedback(
        contract=contract.key,
        case_id=sample.case_id,
        worker_id=sample.worker_id,
        month=month,
        good=well,
        to_try=in_a_line(to_try, LONGEST) or None,
        at=now,
        by_user_id=by.user_id,
    )
    session.add(row)
    await session.flush()
    await events.record(
        session, "sample.said", now, contract=contract.key, by=by.user_id, sample=row.id
    )


async def of_worker(session: AsyncSession, actor: Actor, limit: int = 24) -> Sequence[Row[Any]]:
    """What leads said of their own work, unread first, then the newest: the row, who said it, the
    case's reference."""
    rows = await session.execute(
        select(FEEDBACK, USER.c.shown_name.label("who"), CASE.c.reference)
        .join(USER, USER.c.id == FEEDBACK.c.by_user_id)
        .join(CASE, CASE.c.id == FEEDBACK.c.case_id)
        .where(FEEDBACK.c.worker_id == actor.user_id, *seeing.cases(actor))
        .order_by(FEEDBACK.c.read_at.is_not(None), FEEDBACK.c.at.desc())
        .limit(limit)
    )
    return rows.all()


async def unread(session: AsyncSession, actor: Actor) -> Sequence[Row[Any]]:
    """What they have not read yet: id, contract and the case's reference."""
    rows: Result[Any] = await session.execute(
        select(FEEDBACK.c.id, FEEDBACK.c.contract, CASE.c.reference)
        .join(CASE, CASE.c.id == FEEDBACK.c.case_id)
        .where(
            FEEDBACK.c.worker_id == actor.user_id,
            FEEDBACK.c.read_at.is_(None),
            *seeing.cases(actor),
        )
        .order_by(FEEDBACK.c.id)
    )
    return rows.all()


async def acknowledge(session: AsyncSession, feedback_id: int, by: Actor, now: datetime) -> None:
    """The worker has read it. Doing it twice changes nothing."""
    row = await session.get(WorkFeedback, feedback_id, with_for_update=True)
    if row is None or row.worker_id != by.user_id:
        raise NotFound("There is no such sample, or it is not about your work.")
    require(by, "sample.read", row.contract)
    if row.read_at is None:
        row.read_at = now
        await session.flush()
        await events.record(
            session, "sample.read", now, contract=row.contract, by=by.user_id, sample=row.id
        )


def _bounds(month: str, zone: str) -> tuple[datetime, datetime]:
    """InvalidInput for what is no month."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise InvalidInput("Choose a month, such as 2026-10.") from None
    place = ZoneInfo(zone)
    following = (first + timedelta(days=32)).replace(day=1)
    start, end = (datetime.combine(day, time(), place) for day in (first, following))
    return start, end
