"""The last act on a case, taken back by whoever did it, within minutes: who is named, urgency,
reason, closing, a task or a promise that was said to be done, a note.

Called by the page of a case. An undo is an act of its own with an event of its own: the first one
stays in the audit trail. What has left the house is not taken back: a reply leaves at once, because
somebody waits for it, so it has no undo. Clocks that the act had met run on with their old time.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import allocation, deadlines, events, kinds, plans
from helpline.desk.allocation import UNDO_WITHIN
from helpline.desk.holding import hold_as_it_stands
from helpline.errors import Conflict, NotFound
from helpline.models import (
    Allocation,
    Case,
    CaseSupport,
    Deadline,
    KindChange,
    Note,
    Task,
    metadata,
)
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import CaseKind, CaseStatus, DeadlineState, TaskKind

EVENT: Final = metadata.tables["event"]
UNDONE: Final = "act.undone"
CHANGED: Final = "It has changed since. Look at the case and change it anew."
TOO_LATE: Final = "There is nothing to undo: it is too long ago, or was undone already."
TAKEN_BACK: Final = "Written by mistake: taken back by its writer."


@dataclass(frozen=True)
class Act:
    """The last thing somebody did on a case, while it can be undone: the event's id, kind, time
    and detail."""

    id: int
    kind: str
    at: datetime
    detail: Mapping[str, Any]


async def last_act(session: AsyncSession, case: Case, by: Actor, now: datetime) -> Act | None:
    """What `by` did last on this case, if it can be undone and is minutes ago; None where they did
    something since that cannot be."""
    row = (
        await session.execute(
            select(EVENT.c.id, EVENT.c.kind, EVENT.c.at, EVENT.c.detail)
            .where(
                EVENT.c.case_id == case.id,
                EVENT.c.by_user_id == by.user_id,
                EVENT.c.at > now - UNDO_WITHIN,
                EVENT.c.kind.not_in(FOLLOWS),
            )
            .order_by(EVENT.c.id.desc())
            .limit(1)
        )
    ).first()
    if row is None or row.kind not in _UNDO or _changed_nothing(row.detail):
        return None
    return Act(row.id, row.kind, row.at, row.detail)


async def undo(
    session: AsyncSession, contract: Contract, case: Case, act_id: int, by: Actor, now: datetime
) -> str:
    """Take back the act with that event, if it still is their last; returns its kind. Conflict
    where it is not, is too long ago, or something has changed since."""
    await hold_as_it_stands(session, case)
    act = await last_act(session, case, by, now)
    if act is None or act.id != act_id:
        raise Conflict(TOO_LATE)
    action, take_back = _UNDO[act.kind]
    require(by, action, case.contract)
    it = _It(session, contract, case, by, now, act)
    await take_back(it)
    await session.flush()
    if act.kind != "case.allocated":  # which leaves an event that says more
        await events.on_case(session, UNDONE, case, now, by, of=act.kind, act=act.id)
    return act.kind


@dataclass(frozen=True)
class _It:
    session: AsyncSession
    contract: Contract
    case: Case
    by: Actor
    now: datetime
    act: Act


def _changed_nothing(detail: Mapping[str, Any]) -> bool:
    """Somebody chose what stood there already."""
    return any(
        name in detail and detail[name] == detail.get("before") for name in ("urgency", "reason")
    )


async def _naming(it: _It) -> None:
    found = await it.session.scalar(
        select(col(Allocation.id)).where(
            col(Allocation.case_id) == it.case.id,
            col(Allocation.named_by_id) == it.by.user_id,
            col(Allocation.named_at) == it.act.at,
        )
    )
    if found is None:
        raise Conflict(CHANGED)
    await allocation.undo(it.session, it.case, found, it.by, it.now)


async def _urgency(it: _It) -> None:
    if it.case.urgency != it.act.detail["urgency"]:
        raise Conflict(CHANGED)
    it.case.urgency = it.act.detail["before"]
    await _reconsider(it)


async def _reason(it: _It) -> None:
    """The kind that the reason brought with it goes with it, but nothing takes a case off the
    pathway by itself."""
    case, detail = it.case, it.act.detail
    if case.reason != detail["reason"] or "before_from" not in detail:
        raise Conflict(CHANGED)
    has_turned = await it.session.scalar(
        select(col(KindChange.id))
        .where(col(KindChange.case_id) == case.id, col(KindChange.at) >= it.act.at)
        .limit(1)
    )
    if has_turned is not None and CaseKind(case.kind).is_pathway:
        raise Conflict("The case is on the pathway since then: say on its plan what kind it is.")
    case.reason, case.reason_from = detail["before"], detail["before_from"]
    await _reconsider(it)
    await kinds.follow_reason(it.session, it.contract, case, it.now)


async def _reconsider(it: _It) -> None:
    await it.session.flush()
    if it.contract.has_conditions:
        await deadlines.reconsider(it.session, it.contract, it.case, it.now)


async def _closing(it: _It) -> None:
    """Open again as it was: no new promise, unlike a case that is opened again later."""
    case = it.case
    if case.status != CaseStatus.CLOSED or case.closed_at != it.act.at:
        raise Conflict(CHANGED)
    closed_at, case.status = case.closed_at, CaseStatus.OPEN
    case.closed_at = case.closed_by_id = case.outcome = None
    await it.session.execute(
        delete(CaseSupport).where(
            col(CaseSupport.case_id) == case.id, col(CaseSupport.at) == closed_at
        )
    )
    await it.session.flush()
    await plans.take_up_again(it.session, it.contract, case, closed_at, it.now)
    await deadlines.refresh_next_due(it.session, case)


async def _task(it: _It) -> None:
    task = await it.session.get(Task, it.act.detail["task"], with_for_update=True)
    if task is None or task.case_id != it.case.id or task.done_at is None:
        raise Conflict(CHANGED)
    await _to_be_done(it, task)


async def _to_be_done(it: _It, task: Task) -> None:
    task.done_at = task.done_by_id = task.dropped_at = None
    await it.session.flush()
    if task.deadline_id is not None:
        await _run_on(it, task.deadline_id)


async def _promise(it: _It) -> None:
    await _run_on(it, it.act.detail["promise"])


async def _run_on(it: _It, deadline_id: int) -> None:
    """The clock runs on with its old time; the next sweep sees what has come due meanwhile."""
    opened = await it.session.scalars(
        update(Deadline)
        .where(
            col(Deadline.id) == deadline_id,
            col(Deadline.case_id) == it.case.id,
            col(Deadline.state) != DeadlineState.OPEN,
        )
        .values(state=DeadlineState.OPEN, met_at=None, met_by_id=None, next_alert_at=it.now)
        .returning(col(Deadline.id))
    )
    if not opened.all():
        raise Conflict(CHANGED)
    await deadlines.refresh_next_due(it.session, it.case)


async def _note(it: _It) -> None:
    """The note stays, as the record never loses a word; a later one says that it was a mistake."""
    note = await it.session.scalar(
        select(Note)
        .where(
            col(Note.case_id) == it.case.id,
            col(Note.by_user_id) == it.by.user_id,
            col(Note.written_at) == it.act.at,
        )
        .order_by(col(Note.id).desc())
        .limit(1)
    )
    if note is None:
        raise NotFound(TOO_LATE)
    it.session.add(
        Note(
            case_id=note.case_id,
            kind=note.kind,
            body=TAKEN_BACK,
            reason=TAKEN_BACK if note.reason else None,
            whose=note.whose,
            corrects_id=note.id,
            happened_at=note.happened_at,
            written_at=it.now,
            by_user_id=it.by.user_id,
        )
    )
    reminders = await it.session.scalars(
        select(Task).where(
            col(Task.case_id) == it.case.id,
            col(Task.kind) == TaskKind.WRITE_UP,
            col(Task.done_at) == it.act.at,
            col(Task.done_by_id) == it.by.user_id,
        )
    )
    for task in reminders.all():  # what was said is still to be written up
        await _to_be_done(it, task)


_UNDO: Final[Mapping[str, tuple[str, Callable[[_It], Awaitable[None]]]]] = {
    "case.allocated": ("case.allocate", _naming),
    "case.urgency_set": ("case.triage", _urgency),
    "case.reason_set": ("case.triage", _reason),
    "case.closed": ("case.close", _closing),
    "task.done": ("task.finish", _task),
    "task.dropped": ("task.finish", _task),
    "promise.kept": ("case.reply", _promise),
    "promise.withdrawn": ("case.reply", _promise),
    "note.written": ("note.write", _note),
}
"""The event of an act → the action it took, and how it is taken back."""
FOLLOWS: Final = (
    *("case.read", "attachment.read", "alert.acknowledged", "case.kind_set", "plan.ended"),
    *("deadline.met", "deadline.cancelled", "deadline.lapsed", "deadline.started"),
    *("silence.ended", "silence.tried", "advice.noted"),
)
"""What only follows from an act, or changes nothing: it does not stand between it and its undo."""
