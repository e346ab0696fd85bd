"""How long cases are kept, after the contract's schedule: each month a list of what is due, which
one person looks through and another approves; and the erasing itself, in portions.

Nothing is erased because a day has passed: only because two people said so. Called by pages and,
for the list and the portions, by engine/housekeeping.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, seeing
from helpline.desk.rights import erasing, judging
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, NotFound
from helpline.models import (
    Case,
    DataRequest,
    LegalHold,
    Person,
    RetentionLine,
    RetentionRun,
    User,
)
from helpline.rules import retention as rules
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import RightKind, RunState, StayReason

AT_ONCE: Final = 25
"""Cases erased in one transaction."""
MOST: Final = 2000
"""Cases of one list; what is more comes with the next."""
OPEN: Final = (RunState.PROPOSED, RunState.CHECKED)


@dataclass(frozen=True)
class Listed:
    """One line of a list as its reader sees it. `is_theirs` False: they must not know of the case,
    and somebody else looks at it."""

    line: RetentionLine
    case: Case
    name: str | None


# --- the list -------------------------------------------------------------------------------------


async def propose(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """This month's list, made once; none where nothing is due or one still waits. Returns how many
    cases are on it."""
    today = contract.days.day_of(now)
    month = f"{today:%Y-%m}"
    waiting = select(col(RetentionRun.id)).where(
        col(RetentionRun.contract) == contract.key,
        (col(RetentionRun.month) == month) | col(RetentionRun.state).in_([*OPEN, "approved"]),
        ~col(RetentionRun.month).startswith("DR-"),
    )
    if await session.scalar(waiting.limit(1)) is not None:
        return 0
    due = [
        (case, said)
        for case, said in await judging.judged(
            session, contract, today, erasing.closed(), judging.may_be_over(contract, now)
        )
        if said.is_over(today)
    ][:MOST]
    if not due:
        return 0
    await _list(session, contract, month, due, now)
    return len(due)


async def propose_for(
    session: AsyncSession, contract: Contract, found: DataRequest, by: Actor, now: datetime
) -> RetentionRun:
    """They ask to be erased: a list of their closed cases, whatever the schedule says, to be looked
    through and approved like every other."""
    require(by, "retention.work", contract.key)
    if found.kind != RightKind.ERASURE:
        raise Conflict("They did not ask for anything to be erased.")
    before = await session.scalar(
        select(RetentionRun).where(
            col(RetentionRun.month) == found.reference, col(RetentionRun.state) != RunState.DROPPED
        )
    )
    if before is not None:
        return before
    theirs = col(Case.person_id) == found.person_id
    today = contract.days.day_of(now)
    due = await judging.judged(session, contract, today, erasing.closed(), theirs, asked=found.id)
    if not due:
        raise Conflict(
            "No closed case of theirs is kept. An open one is closed first, and then erased."
        )
    made = await _list(session, contract, found.reference, due, now)
    await _event(session, "retention.asked", made, by, now)
    return made


async def _list(
    session: AsyncSession,
    contract: Contract,
    month: str,
    due: Sequence[tuple[Case, rules.Verdict]],
    now: datetime,
) -> RetentionRun:
    run = RetentionRun(contract=contract.key, month=month, made_at=now, state=RunState.PROPOSED)
    session.add(run)
    await session.flush()
    session.add_all(
        RetentionLine(
            run_id=run.id or 0,
            case_id=case.id or 0,
            rule=said.rule,
            due_on=said.kept_until,
            stays=said.stays or "",
        )
        for case, said in due
    )
    await session.flush()
    await _event(session, "retention.proposed", run, None, now, cases=len(due))
    return run


# --- looking through it ---------------------------------------------------------------------------


async def runs(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], limit: int = 50
) -> Sequence[Row[Any]]:
    """(run, how many go, how many stay, who checked): what waits for somebody first."""
    require(actor, "retention.work")
    goes = func.count(col(RetentionLine.id)).filter(col(RetentionLine.stays) == "")
    query: Any = (
        select(
            RetentionRun,
            goes.label("goes"),
            func.count(col(RetentionLine.id)).label("all"),
            col(User.shown_name).label("checked_by"),
        )
        .outerjoin(RetentionLine, col(RetentionLine.run_id) == col(RetentionRun.id))
        .outerjoin(User, col(User.id) == col(RetentionRun.checked_by_id))
        .where(col(RetentionRun.contract).in_(contracts))
        .group_by(col(RetentionRun.id), col(User.shown_name))
        .order_by(col(RetentionRun.state).not_in(OPEN), col(RetentionRun.made_at).desc())
        .limit(limit)
    )
    return (await session.execute(query)).all()


async def find(
    session: AsyncSession, actor: Actor, run_id: int, *, lock: bool = False
) -> RetentionRun:
    require(actor, "retention.work")
    within = () if actor.contract is None else (col(RetentionRun.contract) == actor.contract,)
    query = select(RetentionRun).where(col(RetentionRun.id) == run_id, *within)
    run = await session.scalar(query.with_for_update() if lock else query)
    if run is None:
        raise NotFound("There is no such list, or it is not yours to see.")
    return run


async def lines(session: AsyncSession, actor: Actor, run: RetentionRun) -> tuple[list[Listed], int]:
    """What stands on the list and its reader may see, and how many lines are hidden from them."""
    query: Any = (
        select(RetentionLine, Case, Person)
        .join(Case, col(Case.id) == col(RetentionLine.case_id))
        .join(Person, col(Person.id) == col(Case.person_id))
        .where(col(RetentionLine.run_id) == run.id)
        .order_by(col(RetentionLine.due_on), col(RetentionLine.id))
    )
    rows = await session.execute(query.where(*seeing.cases(actor)))
    found = [Listed(row[0], row[1], row[2].name) for row in rows]
    count = await session.scalar(select(func.count()).where(col(RetentionLine.run_id) == run.id))
    return found, (count or 0) - len(found)


async def take_off(
    session: AsyncSession, run: RetentionRun, line_id: int, why: str, by: Actor, now: datetime
) -> None:
    """A case stays for now, with the reason; the next list has it again."""
    _may_work(run, by)
    said = in_a_line(why, 500, "Say why it is kept for now.")
    line = await session.get(RetentionLine, line_id)
    if line is None or line.run_id != run.id:
        raise NotFound("There is no such line on this list.")
    await _must_see(session, by, [line.case_id])
    line.stays, line.why, line.decided_by_id = StayReason.TAKEN_OFF, said, by.user_id
    if run.state == RunState.CHECKED:  # whoever approves approves what was looked through
        run.state, run.checked_at, run.checked_by_id = RunState.PROPOSED, None, None
    await session.flush()
    await _event(session, "retention.taken_off", run, by, now, line=line.id)


async def check(session: AsyncSession, run: RetentionRun, by: Actor, now: datetime) -> None:
    """One person looked through all of it."""
    _may_work(run, by)
    if run.state != RunState.PROPOSED:
        raise Conflict("Somebody looked through it already. Somebody else approves it.")
    await _must_see(session, by, await _case_ids(session, run))
    run.state, run.checked_at, run.checked_by_id = RunState.CHECKED, now, by.user_id
    await session.flush()
    await _event(session, "retention.checked", run, by, now)


async def approve(session: AsyncSession, run: RetentionRun, by: Actor, now: datetime) -> None:
    """Another person agrees: what is on the list and does not stay is erased within the hour, and
    nobody can bring it back."""
    _may_work(run, by)
    require(by, "retention.approve", run.contract)
    if run.state != RunState.CHECKED:
        raise Conflict("Somebody has to look through it first.")
    if by.user_id == run.checked_by_id:
        raise Conflict("You looked through it: somebody else approves it.")
    await _must_see(session, by, await _case_ids(session, run))
    run.state, run.approved_at, run.approved_by_id = RunState.APPROVED, now, by.user_id
    await session.flush()
    await _event(session, "retention.approved", run, by, now)


async def drop(session: AsyncSession, run: RetentionRun, by: Actor, now: datetime) -> None:
    """The list is thrown away; nothing goes. Next month makes another."""
    _may_work(run, by)
    run.state, run.done_at = RunState.DROPPED, now
    await session.flush()
    await _event(session, "retention.dropped", run, by, now)


async def preview(
    session: AsyncSession, contract: Contract, run: RetentionRun, now: datetime
) -> erasing.Goes:
    """How much would go."""
    ids = await _case_ids(session, run)
    return await erasing.preview(session, ids, contract.days.day_of(now))


# --- erasing --------------------------------------------------------------------------------------


async def erase_next(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """The next portion of what two people agreed to. Each case is judged once more: what is held,
    or was opened again since, stays. Returns how many lines were settled."""
    run = await session.scalar(
        select(RetentionRun)
        .where(
            col(RetentionRun.contract) == contract.key,
            col(RetentionRun.state) == RunState.APPROVED,
        )
        .order_by(col(RetentionRun.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if run is None:
        return 0
    waiting = (
        await session.scalars(
            select(RetentionLine)
            .where(
                col(RetentionLine.run_id) == run.id,
                col(RetentionLine.stays) == "",
                col(RetentionLine.erased_at).is_(None),
            )
            .order_by(col(RetentionLine.id))
            .limit(AT_ONCE)
        )
    ).all()
    if not waiting:
        run.state, run.done_at = RunState.DONE, now
        await session.flush()
        await _event(session, "retention.done", run, None, now)
        return 1
    await _erase(session, contract, run, waiting, now)
    return len(waiting)


async def _erase(
    session: AsyncSession,
    contract: Contract,
    run: RetentionRun,
    waiting: Sequence[RetentionLine],
    now: datetime,
) -> None:
    ids = [line.case_id for line in waiting]
    asked = None
    if run.month.startswith("DR-"):
        asked = await session.scalar(
            select(col(DataRequest.id)).where(col(DataRequest.reference) == run.month)
        )
    today = contract.days.day_of(now)
    judged = await judging.judged(
        session, contract, today, erasing.closed(), col(Case.id).in_(ids), asked=asked
    )
    said = {case.id: verdict.stays for case, verdict in judged}
    goes = []
    for line in waiting:
        stays = said.get(line.case_id, StayReason.REOPENED)
        if stays is None:
            goes.append(line)
        else:
            line.stays = stays
    await session.flush()
    if not goes:
        return
    people = await erasing.erase(session, [line.case_id for line in goes], today, now)
    owners = {
        row[0]: row[1]
        for row in await session.execute(
            select(col(Case.id), col(Case.person_id)).where(col(Case.id).in_(ids))
        )
    }
    for line in goes:
        line.erased_at, line.with_person = now, owners[line.case_id] in people
    await session.flush()
    await _event(session, "retention.erased", run, None, now, cases=len(goes), people=len(people))


# --- small ----------------------------------------------------------------------------------------


async def any_waits(session: AsyncSession, contract: Contract, now: datetime) -> str:
    """What a lead has to look at: a list that waits, else a hold whose day has come; a key by which
    it is said once. Empty: nothing."""
    run = await session.scalar(
        select(col(RetentionRun.id))
        .where(col(RetentionRun.contract) == contract.key, col(RetentionRun.state).in_(OPEN))
        .limit(1)
    )
    if run is not None:
        return f"retention:{contract.key}:{run}"
    due = await session.scalar(
        select(func.min(col(LegalHold.review_on))).where(
            col(LegalHold.contract) == contract.key,
            col(LegalHold.ended_at).is_(None),
            col(LegalHold.review_on) <= contract.days.day_of(now),
        )
    )
    return f"holds:{contract.key}:{due}" if due else ""


async def _case_ids(session: AsyncSession, run: RetentionRun) -> list[int]:
    rows = await session.scalars(
        select(col(RetentionLine.case_id)).where(
            col(RetentionLine.run_id) == run.id, col(RetentionLine.stays) == ""
        )
    )
    return list(rows)


async def _must_see(session: AsyncSession, by: Actor, case_ids: Sequence[int]) -> None:
    """Nobody decides about a case that they must not know of."""
    seen = await session.scalar(
        select(func.count()).select_from(Case).where(col(Case.id).in_(case_ids), *seeing.cases(by))
    )
    if seen != len(set(case_ids)):
        raise Conflict(
            "There are cases on this list that are not yours to see. Somebody else has to do this."
        )


def _may_work(run: RetentionRun, by: Actor) -> None:
    require(by, "retention.work", run.contract)
    if run.state not in OPEN:
        raise Conflict("This list is settled already.")


async def _event(
    session: AsyncSession,
    kind: str,
    run: RetentionRun,
    by: Actor | None,
    now: datetime,
    **more: Any,
) -> None:
    who = by.user_id if by else None
    await events.record(session, kind, now, contract=run.contract, by=who, run=run.id, **more)
