"""What comes due: warnings and breaches become alerts, and it is written down when each deadline is
looked at next. Called by engine/watch every few seconds; it changes no deadline's state.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, cast, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Clock, Contract
from helpline.desk import climbing, escalation, events, late
from helpline.desk.deadlines import DEADLINE, PROMISED, REPORTS, TASKS, WORK
from helpline.models import Alert, Case, Complaint, DataRequest, Deadline, Incident
from helpline.rules import clocks
from helpline.templating import Wording
from helpline.vocabulary import AlertKind, ClockStart, ClockStop

LOOK_NEXT = (
    update(DEADLINE)
    .where(DEADLINE.c.id == bindparam("deadline"))
    .values(next_alert_at=bindparam("next_look"))
)


async def any_due(session: AsyncSession, now: datetime) -> bool:
    """Whether a warning or breach is due: one look at a partial index, however many are open."""
    due = select(col(Deadline.id)).where(col(Deadline.next_alert_at) <= now).limit(1)
    return await session.scalar(due) is not None


async def sweep(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    now: datetime,
    limit: int = 200,
    wording: Wording | None = None,
) -> int:
    """Raise what has come due, the longest waiting first, and set when each is looked at next.
    Whose answer is late is told so, in the words of `wording`. Returns how many were handled; the
    caller repeats while it equals `limit`."""
    due = (await session.execute(_due(now, limit))).mappings().all()
    looks, said, ended, late_ones = [], [], [], []
    causes: list[tuple[Contract, escalation.Cause]] = []
    for row in due:
        contract = contracts[row["contract"]]
        clock = contract.find_clock(row["clock"])
        if row["starts"] in (ClockStart.PERIOD_OVER, ClockStart.DATA_REQUEST):
            later = climbing.office_time(contract, now)
            if later != now:  # a report is no reason to ask anybody in the night
                looks.append({"deadline": row["id"], "next_look": later})
                continue
        terms = _terms(row, clock)
        moments = clocks.moments(terms, row["started_at"], row["due_at"], row["target_at"])
        looks.append({"deadline": row["id"], "next_look": clocks.next_after(moments, now)})
        moment = clocks.passed(moments, now)
        if moment is None:
            continue
        if moment.kind is AlertKind.BREACH:
            said.append(_missed(row, now))
            if row["stops"] == ClockStop.HUMAN_REPLY and row["case_id"]:
                late_ones.append(row)
        ended.append(row["id"])  # the worse one takes its place
        causes.append((contract, _cause(row, moment, clock)))
    if looks:
        await session.execute(LOOK_NEXT, looks)
    await events.record_all(session, said)
    await escalation.end_for_deadlines(session, ended, now)
    await escalation.raise_alerts(session, causes, now)
    if wording is None:
        return len(due)
    for row in late_ones:  # whoever must act has heard of it first
        wait = late.Wait(row["id"], row["case_id"], row["due_at"])
        await late.say_sorry_or_go_on(session, contracts[row["contract"]], wording, wait, now)
    return len(due)


def _terms(row: Any, clock: Clock | None) -> clocks.Terms:
    if row["starts"] == ClockStart.PERIOD_OVER:
        return REPORTS
    return TASKS if row["starts"] in WORK else clock.terms if clock else PROMISED


def _due(now: datetime, limit: int) -> Any:
    return (
        select(
            col(Deadline.id),
            col(Deadline.contract),
            col(Deadline.clock),
            col(Deadline.starts),
            col(Deadline.stops),
            col(Deadline.case_id),
            col(Deadline.started_at),
            col(Deadline.due_at),
            col(Deadline.target_at),
            col(Deadline.owner_id),
            col(Deadline.complaint_id),
            col(Deadline.incident_id),
            col(Deadline.request_id),
            func.coalesce(
                col(Case.reference),
                col(Complaint.reference),
                col(Incident.reference),
                col(DataRequest.reference),
                col(Alert.reference),
            ).label("reference"),
        )
        .outerjoin(Case, col(Case.id) == col(Deadline.case_id))
        .outerjoin(Complaint, col(Complaint.id) == col(Deadline.complaint_id))
        .outerjoin(Incident, col(Incident.id) == col(Deadline.incident_id))
        .outerjoin(DataRequest, col(DataRequest.id) == col(Deadline.request_id))
        .outerjoin(Alert, col(Alert.key) == literal("item:") + cast(col(Deadline.item_id), String))
        .where(col(Deadline.next_alert_at) <= now)
        .order_by(col(Deadline.next_alert_at))
        .limit(limit)
        .with_for_update(of=Deadline, skip_locked=True)
    )


def about(row: Any, moment: clocks.Moment) -> str:
    """Clocks of one case that come due together warn together: one page, not one for each."""
    is_own = row["owner_id"] is not None or row["case_id"] is None or row["starts"] in WORK
    what = f"deadline:{row['id']}" if is_own else f"case:{row['case_id']}"
    return f"{what}:{moment.kind}:{moment.at:%Y%m%dT%H%M%S}"


def _desk_of(row: Any) -> str:
    return climbing.REPORTS if row["starts"] == ClockStart.PERIOD_OVER else "TRAY"


def _missed(row: Any, now: datetime) -> dict[str, Any]:
    return events.line(
        "deadline.missed",
        now,
        contract=row["contract"],
        case_id=row["case_id"],
        clock=row["clock"],
        due_at=row["due_at"].isoformat(),
    )


def _cause(row: Any, moment: clocks.Moment, clock: Clock | None) -> escalation.Cause:
    is_late = moment.kind is AlertKind.BREACH
    is_word = row["owner_id"] is not None and not is_late
    kind, rungs = AlertKind.PROMISE if is_word else moment.kind, clock.rungs if clock else ()
    if row["starts"] in WORK:
        kind, rungs = AlertKind.TASK, ("worker", "lead") if is_late else ("worker",)
    if row["starts"] == ClockStart.PERIOD_OVER:
        kind, rungs = AlertKind.TASK, ("lead",)
    return escalation.Cause(
        kind=kind,
        stage=moment.stage,
        key=about(row, moment),
        reference=row["reference"] or _desk_of(row),
        case_id=row["case_id"],
        deadline_id=row["id"],
        complaint_id=row["complaint_id"],
        incident_id=row["incident_id"],
        request_id=row["request_id"],
        owner_id=row["owner_id"],
        rungs=rungs,
    )
