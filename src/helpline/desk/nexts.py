"""What comes next on a case, worked out in one place and shown the same on each of its tabs.

Whom to answer, what is owed to others, the first hours' list, tasks, promises, the plan.

Read only. Whoever waits for an answer comes first; then everything by its time, what cannot wait
counting as due now; then what has no time. What is `owed` is met or explained before a case closes
(desk/closing.py). Called by the pages of a case.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import (
    allegations,
    casefile,
    firstday,
    kinds,
    lists,
    plans,
    promises,
    referred,
    silence,
    tasks,
)
from helpline.desk.duties import agenda
from helpline.desk.duties.dates import OWED
from helpline.models import Case, Deadline
from helpline.rules import steps
from helpline.rules.permissions import Actor
from helpline.vocabulary import CaseKind, CaseStatus, ClockStart, ClockStop, DeadlineState

DUTIES_OWED = (
    *("notice", "outcome_notice", "chase", "director", "interview_time", "solicitor_request"),
    *("solicitor_confirm", "appeal", "dissent"),
)
"""Of what the page of notices and dates lists: what somebody outside waits for, or hangs on."""
ELSEWHERE = (ClockStart.TASK, ClockStart.PROMISE)
"""Clocks whose rows come with words of their own."""


@dataclass(frozen=True)
class Next:
    """Something to be done: `kind` says what (templates/pages/_next.html.j2 has its words), `name`
    about what, `tab` and `anchor` where. `what`: the task or promise itself."""

    kind: str
    name: str = ""
    tab: str = ""
    anchor: str = ""
    at: datetime | None = None
    is_now: bool = False
    """It cannot wait, whatever its time."""
    is_owed: bool = False
    what: Any = None


async def of_case(
    session: AsyncSession, contract: Contract, case: Case, actor: Actor, now: datetime
) -> list[Next]:
    """Everything that is to be done on a case that was found for `actor`, the next thing first. Of
    a closed one only what is still owed."""
    is_open = case.status == CaseStatus.OPEN
    is_pathway = case.kind in (CaseKind.ALLEGATION, CaseKind.STANDARDS)
    rows = await _open_deadlines(session, case)
    found = [*_clocks(contract, rows, is_pathway=is_pathway)]
    if is_open:
        found = await _answers(session, case, found)
    if is_pathway:
        shown = await agenda.of_case(session, contract, case, actor, now)
        found += [_duty(due) for due in shown.dues]
        found += await _first_hours(session, contract, case, now)
    for row in await promises.open_on(session, case.id or 0):
        found.append(Next("promise", anchor="promises", at=row.due_at, is_owed=True, what=row))
    for row in await tasks.on_case(session, case.id or 0):
        found.append(Next("task", tab="/plan", anchor="tasks", at=row.due_at, what=row))
    if is_open:
        found += await _plan(session, contract, case, now)
        if not is_pathway:
            found += await _steps(session, case, now)
    else:
        found = [one for one in found if one.is_owed]
    return sorted(found, key=lambda one: _order(one, now))


def _order(one: Next, now: datetime) -> tuple[int, float]:
    if one.kind in ("answer", "answer_again", "opened_again"):
        return 0, 0
    if one.is_now:
        return 1, min(one.at or now, now).timestamp()
    return (1, one.at.timestamp()) if one.at else (2, 0)


async def _open_deadlines(session: AsyncSession, case: Case) -> list[Deadline]:
    rows = await session.scalars(
        select(Deadline)
        .where(col(Deadline.case_id) == case.id, col(Deadline.state) == DeadlineState.OPEN)
        .order_by(col(Deadline.due_at), col(Deadline.id))
    )
    return list(rows)


def _clocks(contract: Contract, rows: list[Deadline], *, is_pathway: bool) -> Iterator[Next]:
    """Of several promises of an answer, or of a worker, the soonest."""
    seen = set()
    for row in rows:
        if row.starts in ELSEWHERE or (is_pathway and row.stops in OWED):
            continue
        if row.stops in (ClockStop.HUMAN_REPLY, ClockStop.ALLOCATION):
            if row.stops not in seen:
                seen.add(row.stops)
                is_answer = row.stops == ClockStop.HUMAN_REPLY
                kind, anchor = ("answer", "reply") if is_answer else ("allocate", "allocation")
                yield Next(kind, anchor=anchor, at=row.due_at, is_owed=is_answer, what=row)
        elif row.stops == ClockStop.REVIEWED:
            yield Next("review", tab="/plan", anchor="review", at=row.due_at)
        else:
            tab = "/partners" if row.starts == ClockStart.PARTNER_ASKED else ""
            anchor = ""
            if row.stops == ClockStop.REFERRAL_ANSWER:
                tab, anchor = "/plan", "referral"
            clock = contract.find_clock(row.clock)
            name = clock.name if clock else row.clock.replace("_", " ")
            yield Next("clock", name, tab, anchor, at=row.due_at, is_owed=True, what=row)


async def _answers(session: AsyncSession, case: Case, found: list[Next]) -> list[Next]:
    """Whether they wrote after our last answer, whose clock was met by then; and where they did
    not, a promise of an answer is that of a case that was opened again."""
    heard = await casefile.last_heard(session, case)
    answered = (await lists.last_answers(session, [case.id or 0])).get(case.id or 0)
    waits = heard is not None and (answered is None or heard.at > answered)
    promised = next((one for one in found if one.kind == "answer"), None)
    if heard is not None and waits and promised is None:
        again = Next("answer_again", anchor="reply", at=heard.at, is_now=True, is_owed=True)
        return [*found, again]
    if promised is not None and answered is not None and not waits:
        return [replace(one, kind="opened_again") if one is promised else one for one in found]
    return found


def _duty(due: agenda.Due) -> Next:
    is_owed = due.kind in DUTIES_OWED
    return Next(due.kind, due.name, "/duties", due.anchor, due.at, due.is_now, is_owed, due)


async def _first_hours(
    session: AsyncSession, contract: Contract, case: Case, now: datetime
) -> list[Next]:
    """Of each matter's list the first thing that is not done; a case where nobody has written down
    yet what was said begins with that."""
    entries = await allegations.of_case(session, case.id or 0)
    if not entries:
        at = case.opened_at
        return [Next("record", tab="/pathway", anchor="record", at=at, is_now=True)]
    found = []
    for entry in entries if contract.path is not None else ():
        ticks = await firstday.ticks_of(session, entry.id or 0)
        lines = [
            one
            for one in firstday.lines(contract, entry, case.group, ticks, now)
            if one.done_at is None
        ]
        if lines:
            first = min(lines, key=lambda line: line.due_at)
            found.append(Next("first_hours", first.to_do.text, "/pathway", "list", at=first.due_at))
    return found


async def _plan(session: AsyncSession, contract: Contract, case: Case, now: datetime) -> list[Next]:
    """A silence that is followed up, what a referrer left out, an end that was not agreed."""
    found = []
    if (quiet := await silence.on_case(session, case.id or 0)) is not None:
        found.append(Next("silence", tab="/plan", anchor="silence", at=now, what=quiet))
    if case.kind == CaseKind.REFERRAL and contract.referral is not None:
        said = referred.said_in(await referred.of_case(session, case.id or 0))
        if missing := referred.missing(contract, case.group, said):
            names = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
            found.append(Next("referral", names, "/plan", "referral", at=now))
    plan = await plans.standing(session, case.id or 0)
    if plan is not None and await plans.exit_of(session, case.id or 0) is None:
        found.append(Next("exit", tab="/plan", anchor="exit"))
    return found


async def _steps(session: AsyncSession, case: Case, now: datetime) -> list[Next]:
    line = steps.next_step(await kinds.lines(session, case, now))
    if line is None:
        return []
    return [Next("step", line.step.name, "/plan", f"step_{line.step.code}", what=line.step)]
