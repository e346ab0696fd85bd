"""Nobody has heard from a person for long: somebody tries again, and later a lead looks at it.

`look` is run by the engine (housekeeping) for each contract; the rest is what people do about a
silence. It gives tasks and never closes a case: support goes on until it is agreed that it ends
(A36; 004 §2.3). Commits nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import climbing, escalation, events, tasks
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import Case, Silence, SilenceStep, Task, metadata
from helpline.rules import silence as rules
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import (
    AlertKind,
    CallResult,
    CaseKind,
    CaseStatus,
    ContactKind,
    Direction,
    SilenceMove,
    TaskKind,
)

LONGEST = 500
BATCH = 500
CASE = metadata.tables["case"]
CONTACT = metadata.tables["contact"]
EVENT = metadata.tables["event"]
SILENCE = metadata.tables["silence"]
STEP = metadata.tables["silence_step"]
USER = metadata.tables["user"]


async def look(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """Notice those who fell silent, give a lead those who still are, and end what is over, in
    office hours. Returns how many moved; the caller repeats until nothing does. A contract without
    a table of silence is left alone."""
    if contract.silence is None or climbing.office_time(contract, now) > now:
        return 0  # nobody is woken to hear that it was quiet
    return await _follow_up(session, contract, now) + await _notice(session, contract, now)


async def _notice(session: AsyncSession, contract: Contract, now: datetime) -> int:
    assert contract.silence is not None
    terms, moved = contract.silence, 0
    for are_pathway, days in ((True, terms.pathway_days), (False, terms.days)):
        kinds = [kind for kind in CaseKind if kind.is_pathway is are_pathway]
        quiet = _quiet_since(now - timedelta(days=days))
        found = await session.scalars(
            select(Case)
            .where(
                CASE.c.contract == contract.key,
                CASE.c.status == CaseStatus.OPEN,
                CASE.c.kind.in_(kinds),
                *quiet,
            )
            .order_by(CASE.c.id)
            .limit(BATCH)
            .with_for_update(of=Case, skip_locked=True)
        )
        for case in found.all():
            await _begin(session, contract, case, await heard_at(session, case), now)
            moved += 1
    return moved


def _quiet_since(instant: datetime) -> tuple[ColumnElement[bool], ...]:
    """That nothing was heard on a case after an instant, and no silence stands or was settled."""
    return (
        CASE.c.import_key.is_(None),  # nothing imported wakes anybody
        func.coalesce(CASE.c.last_in_at, CASE.c.opened_at) <= instant,
        CASE.c.opened_at <= instant,
        ~exists().where(CONTACT.c.case_id == CASE.c.id, CONTACT.c.at > instant, _is_heard()),
        ~exists().where(
            EVENT.c.case_id == CASE.c.id, EVENT.c.kind == "case.reopened", EVENT.c.at > instant
        ),
        ~exists().where(
            SILENCE.c.case_id == CASE.c.id,
            SILENCE.c.ended_at.is_(None) | (SILENCE.c.ended_at > instant),
        ),
    )


def _is_heard() -> ColumnElement[bool]:
    """Of a contact: they wrote or rang, or were spoken with. What we wrote is not hearing them."""
    from_them = (CONTACT.c.direction == Direction.IN) & (CONTACT.c.kind != ContactKind.AUTOMATIC)
    return from_them | (CONTACT.c.call_result == CallResult.SPOKE)


async def _begin(
    session: AsyncSession, contract: Contract, case: Case, since: datetime, now: datetime
) -> None:
    assert contract.silence is not None
    due_at = tasks.end_of_working_day(contract, now, contract.silence.task_days)
    task = await tasks.give(session, case, TaskKind.SILENT, "", None, due_at, None, now)
    found = Silence(
        contract=contract.key,
        case_id=case.id or 0,
        since=since,
        noticed_at=now,
        task_id=task.id,
    )
    session.add(found)
    await session.flush()
    await _say(session, "silence.noticed", found, now, None, days=(now - since).days)


async def _follow_up(session: AsyncSession, contract: Contract, now: datetime) -> int:
    assert contract.silence is not None
    terms, moved = contract.silence, 0
    found = await session.execute(
        select(Silence, Case)
        .join(Case, col(Case.id) == col(Silence.case_id))
        .where(
            col(Silence.contract) == contract.key,
            col(Silence.ended_at).is_(None),
        )
        .order_by(col(Silence.id))
        .with_for_update(of=Silence, skip_locked=True)
    )
    for row, case in found.all():
        facts = rules.Facts(
            await heard_at(session, case), row.noticed_at, row.since, row.told_lead_at is not None
        )
        match rules.follow(facts, terms.of(case.kind), terms.lead_after_days, now):
            case rules.Follow.HEARD:
                row.heard_again = True
                await _end(session, row, None, now)
                moved += 1
            case rules.Follow.LEAD:
                await _to_lead(session, contract, row, case, now)
                moved += 1
    return moved


async def _to_lead(
    session: AsyncSession, contract: Contract, row: Silence, case: Case, now: datetime
) -> None:
    assert contract.silence is not None
    due_at = tasks.end_of_working_day(contract, now, contract.silence.task_days)
    task = await tasks.give(session, case, TaskKind.STILL_SILENT, "", None, due_at, None, now)
    row.told_lead_at, row.lead_task_id = now, task.id
    await session.flush()
    cause = escalation.Cause(
        AlertKind.TASK, _key(row), case.reference, case_id=case.id, rungs=("lead",)
    )
    await escalation.raise_alert(session, contract, cause, now)
    await _say(session, "silence.with_lead", row, now, None)


async def heard_at(session: AsyncSession, case: Case) -> datetime:
    """When they last wrote, rang or were spoken with; at the earliest when the case opened, was
    opened again, or an earlier silence was settled."""
    times: list[datetime | None] = [
        await session.scalar(
            select(func.max(CONTACT.c.at)).where(CONTACT.c.case_id == case.id, _is_heard())
        ),
        await session.scalar(
            select(func.max(EVENT.c.at)).where(
                EVENT.c.case_id == case.id, EVENT.c.kind == "case.reopened"
            )
        ),
        await session.scalar(
            select(func.max(SILENCE.c.ended_at)).where(SILENCE.c.case_id == case.id)
        ),
    ]
    return max([case.opened_at, *(time for time in times if time is not None)])


# --- what people do about it ---------------------------------------------------------------------


async def on_case(session: AsyncSession, case_id: int) -> Silence | None:
    """The silence that stands, if one does."""
    return await session.scalar(
        select(Silence).where(col(Silence.case_id) == case_id, col(Silence.ended_at).is_(None))
    )


async def past(session: AsyncSession, case_id: int) -> Sequence[Silence]:
    """Silences of a case that are over, the latest first."""
    found = await session.scalars(
        select(Silence)
        .where(col(Silence.case_id) == case_id, col(Silence.ended_at).is_not(None))
        .order_by(col(Silence.id).desc())
    )
    return found.all()


async def steps_of(session: AsyncSession, silence_id: int) -> list[Row[Any]]:
    """What was tried, in order: step, words, at, who."""
    query = (
        select(STEP, USER.c.shown_name.label("who"))
        .join(USER, USER.c.id == STEP.c.by_user_id)
        .where(STEP.c.silence_id == silence_id)
        .order_by(STEP.c.id)
    )
    return list(await session.execute(query))


async def note_try(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """They were written to, or rung in vain, while they were silent: the task to try again is done
    by that."""
    found = await on_case(session, case.id or 0)
    task = await session.get(Task, found.task_id) if found and found.task_id else None
    if found is None or task is None or task.done_at is not None:
        return
    await try_again(session, case, SilenceMove.AGAIN, "", by, now)


async def try_again(
    session: AsyncSession, case: Case, move: str, words: str, by: Actor, now: datetime
) -> SilenceStep:
    """Something was tried; that settles the support worker's task. `agreed` says what comes next
    and ends the silence: from then on it is counted anew."""
    require(by, "case.reply", case.contract)
    found = await on_case(session, case.id or 0)
    if found is None:
        raise NotFound("Nobody waits to hear from them on this case.")
    if move not in list(SilenceMove):
        raise InvalidInput("Choose what you did.")
    missing = "Say what was agreed to come next, and with whom."
    said = in_a_line(words, LONGEST, missing if move == SilenceMove.AGREED else "")
    step = SilenceStep(
        silence_id=found.id or 0, step=str(move), words=said or None, at=now, by_user_id=by.user_id
    )
    session.add(step)
    await session.flush()
    await _say(session, "silence.tried", found, now, by, step=str(move))
    await _settle_task(session, found.task_id, by, now)
    if move == SilenceMove.AGREED:
        found.agreed_next = said
        await _end(session, found, by, now)
    return step


async def end_by_closing(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """A person closed the case: nobody waits any more."""
    found = await on_case(session, case.id or 0)
    if found is not None:
        await _end(session, found, by, now)


async def _end(session: AsyncSession, row: Silence, by: Actor | None, now: datetime) -> None:
    row.ended_at, row.ended_by_id = now, by.user_id if by else None
    await session.flush()
    for task_id in (row.task_id, row.lead_task_id):
        await _settle_task(session, task_id, by, now)
    await escalation.end(session, _key(row), now)
    event = "silence.heard_again" if row.heard_again else "silence.ended"
    await _say(session, event, row, now, by)


async def _settle_task(
    session: AsyncSession, task_id: int | None, by: Actor | None, now: datetime
) -> None:
    task = await session.get(Task, task_id) if task_id is not None else None
    if task is not None and task.done_at is None:
        await tasks.settle(session, task, by, now)


def _key(row: Silence) -> str:
    return f"silence:{row.id}"


async def _say(
    session: AsyncSession,
    event: str,
    row: Silence,
    now: datetime,
    by: Actor | None,
    **detail: Any,
) -> None:
    await events.record(
        session,
        event,
        now,
        contract=row.contract,
        case_id=row.case_id,
        by=by.user_id if by else None,
        **detail,
    )
