"""How a case came to its support worker: named, accepted, declined, undone.

`cases.allocate` names somebody and calls `named`; the pages of the case and of the inbox call the
rest. The 24-hour promise (A51) is met by the first naming. Reallocation never opens it again. It is
open again, with its old time, only where the naming that met it falls away and leaves nobody: a
name that said no has given the person nobody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Result, Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import conflicts, deadlines, escalation, events
from helpline.desk.holding import hold_as_it_stands
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, NotFound
from helpline.models import (
    Alert,
    Allocation,
    Case,
    Contact,
    Cover,
    Deadline,
    OutMessage,
    Person,
    User,
)
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import AlertKind, CaseStatus, ClockStop, DeadlineState, OutState

LONGEST = 500
UNDO_WITHIN = timedelta(minutes=10)
TELL_AFTER = timedelta(minutes=1)
"""The person hears the name a minute later: until then undoing is silent."""
STANDING = (col(Allocation.ended_at).is_(None),)
WAITING = (*STANDING, col(Allocation.accepted_at).is_(None), col(Allocation.declined_at).is_(None))


async def named(
    session: AsyncSession,
    case: Case,
    worker_id: int,
    before_id: int | None,
    by: Actor,
    now: datetime,
) -> Allocation:
    """Write down that somebody was named. Who names themself has accepted; whoever stood in for
    the one before does so no longer."""
    allocation = Allocation(
        contract=case.contract,
        case_id=case.id or 0,
        worker_id=worker_id,
        before_id=before_id,
        named_at=now,
        named_by_id=by.user_id,
        accepted_at=now if worker_id == by.user_id else None,
    )
    session.add(allocation)
    await session.flush()
    replaced = {"ended_at": now, "replaced_by_id": allocation.id}
    await session.execute(
        update(Allocation)
        .where(
            col(Allocation.case_id) == case.id,
            col(Allocation.id) != allocation.id,
            *STANDING,
        )
        .values(**replaced)
    )
    await session.execute(
        update(Cover)
        .where(col(Cover.case_id) == case.id, col(Cover.ended_at).is_(None))
        .values(**replaced)
    )
    return allocation


async def left_as_it_is(session: AsyncSession, case: Case, now: datetime) -> None:
    """A lead names whoever has the case already: what somebody else declined is settled."""
    await session.execute(
        update(Allocation)
        .where(
            col(Allocation.case_id) == case.id,
            col(Allocation.declined_at).is_not(None),
            *STANDING,
        )
        .values(ended_at=now)
    )


async def accept(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """Yes, it is theirs. Conflict when nobody waits for their answer any more."""
    require(by, "case.allocate", case.contract)
    await hold_as_it_stands(session, case)
    allocation = await _waiting(session, case, by)
    allocation.accepted_at = now
    await session.flush()
    await _event(session, "allocation.accepted", allocation, by, now)


async def accept_by_acting(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """Whoever answers the person has accepted the case, without another click."""
    await session.execute(
        update(Allocation)
        .where(
            col(Allocation.case_id) == case.id, col(Allocation.worker_id) == by.user_id, *WAITING
        )
        .values(accepted_at=now)
    )


async def decline(session: AsyncSession, case: Case, why: str, by: Actor, now: datetime) -> None:
    """No, and why. The case is again whose it was before, where they can still have it, else
    nobody's; it stands on the board until a lead has looked at it."""
    require(by, "case.allocate", case.contract)
    missing = "Say in a few words why you decline, so that your lead can decide."
    said = in_a_line(why, LONGEST, missing)
    await hold_as_it_stands(session, case)
    allocation = await _waiting(session, case, by)
    allocation.declined_at, allocation.why = now, said
    await _fall_back(session, case, allocation, now)
    await _event(
        session, "allocation.declined", allocation, by, now, open_again=case.worker_id is None
    )


async def undo(
    session: AsyncSession, case: Case, allocation_id: int, by: Actor, now: datetime
) -> None:
    """Take back what one has just named: as if it had not been. The person is not told the name
    where the message has not left yet. Conflict once it is too late for that."""
    require(by, "case.allocate", case.contract)
    await hold_as_it_stands(session, case)
    allocation = await session.get(Allocation, allocation_id, with_for_update=True)
    if allocation is None or allocation.case_id != case.id or allocation.named_by_id != by.user_id:
        raise NotFound("There is nothing to undo here.")
    if allocation.ended_at is not None or allocation.declined_at is not None:
        raise Conflict("It has changed since. Look at the case and name somebody anew.")
    if allocation.accepted_at is not None and allocation.worker_id != by.user_id:
        raise Conflict("They have accepted it already. Name somebody else instead.")
    if now - allocation.named_at > UNDO_WITHIN:
        raise Conflict("That is too long ago to undo. Name somebody else instead.")
    allocation.ended_at = now
    await _fall_back(session, case, allocation, now)
    await _do_not_tell(session, allocation)
    await _event(session, "allocation.undone", allocation, by, now)


async def chase(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """Namings that nobody has answered for the contract's hours: a lead is told once, so that a
    name that says nothing does not pass for a support worker. Ends what was answered since. Returns
    how many were told of."""
    start = f"naming:{contract.key}:"
    late = {
        f"{start}{row.id}": row
        for row in await session.execute(
            select(col(Allocation.id), col(Allocation.case_id), col(Case.reference))
            .join(Case, col(Case.id) == col(Allocation.case_id))
            .where(
                col(Allocation.contract) == contract.key,
                col(Allocation.named_at) <= now - timedelta(hours=contract.ladder.hours_to_accept),
                col(Case.status) == CaseStatus.OPEN,
                col(Case.worker_id) == col(Allocation.worker_id),
                *WAITING,
            )
        )
    }
    said = set(
        await session.scalars(
            select(col(Alert.key)).where(
                col(Alert.key).startswith(start, autoescape=True), col(Alert.ended_at).is_(None)
            )
        )
    )
    for key in said - late.keys():
        await escalation.end(session, key, now)
    for key, row in late.items():
        if key not in said:
            cause = escalation.Cause(
                AlertKind.WARNING, key, row.reference, case_id=row.case_id, rungs=("lead",)
            )
            await escalation.raise_alert(session, contract, cause, now)
    return len(late.keys() - said)


async def waiting_for(session: AsyncSession, user_id: int) -> Sequence[Row[Any]]:
    """What waits for somebody's yes or no: reference, urgency, name of the person, named_at, who
    named them; the longest waiting first."""
    namer = User.__table__.alias("namer")  # type: ignore[attr-defined]  # SQLModel does not say so
    rows: Result[Any] = await session.execute(
        select(
            col(Case.reference),
            col(Case.urgency),
            col(Person.name),
            col(Allocation.named_at),
            namer.c.shown_name.label("namer"),
        )
        .join(Case, col(Case.id) == col(Allocation.case_id))
        .join(Person, col(Person.id) == col(Case.person_id))
        .outerjoin(namer, namer.c.id == col(Allocation.named_by_id))
        .where(
            col(Allocation.worker_id) == user_id,
            col(Case.status) == CaseStatus.OPEN,
            col(Case.worker_id) == user_id,
            *WAITING,
        )
        .order_by(col(Allocation.named_at), col(Allocation.id))
        .limit(100)
    )
    return rows.all()


async def on_case(session: AsyncSession, case_id: int) -> Row[Any] | None:
    """The naming that stands on a case, newest first: worker_id, who, named_at, accepted_at,
    declined_at, why."""
    rows: Result[Any] = await session.execute(
        select(
            col(Allocation.id),
            col(Allocation.worker_id),
            col(User.shown_name).label("who"),
            col(Allocation.named_at),
            col(Allocation.accepted_at),
            col(Allocation.declined_at),
            col(Allocation.why),
        )
        .join(User, col(User.id) == col(Allocation.worker_id))
        .where(col(Allocation.case_id) == case_id, *STANDING)
        .order_by(col(Allocation.id).desc())
        .limit(1)
    )
    return rows.first()


async def declined(session: AsyncSession, case_ids: Sequence[int]) -> dict[int, Sequence[Row[Any]]]:
    """Case id → who said no to it, ever, the latest last: worker_id, who, why, at, is_open."""
    rows: Result[Any] = await session.execute(
        select(
            col(Allocation.case_id),
            col(Allocation.worker_id),
            col(User.shown_name).label("who"),
            col(Allocation.why),
            col(Allocation.declined_at).label("at"),
            col(Allocation.ended_at).is_(None).label("is_open"),
        )
        .join(User, col(User.id) == col(Allocation.worker_id))
        .where(col(Allocation.case_id).in_(case_ids), col(Allocation.declined_at).is_not(None))
        .order_by(col(Allocation.declined_at), col(Allocation.id))
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append(row)
    return dict(found)


async def _waiting(session: AsyncSession, case: Case, by: Actor) -> Allocation:
    found: Allocation | None = await session.scalar(
        select(Allocation)
        .where(
            col(Allocation.case_id) == case.id, col(Allocation.worker_id) == by.user_id, *WAITING
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None or case.worker_id != by.user_id or case.status != CaseStatus.OPEN:
        raise Conflict("Nobody waits for your answer here: the case has moved on.")
    return found


async def _fall_back(
    session: AsyncSession, case: Case, allocation: Allocation, now: datetime
) -> None:
    """The naming is as if it had not been: what it replaced stands again, and where nobody is left
    the promise that it met is open again, with its old time."""
    case.worker_id = await _who_was_before(session, case, allocation)
    for table in (Allocation, Cover):
        await session.execute(
            update(table)
            .where(col(table.replaced_by_id) == allocation.id)
            .values(ended_at=None, replaced_by_id=None)
        )
    if case.worker_id is None:
        opened = await session.scalars(
            update(Deadline)
            .where(
                col(Deadline.case_id) == case.id,
                col(Deadline.stops) == ClockStop.ALLOCATION,
                col(Deadline.state) == DeadlineState.MET,
                col(Deadline.met_at) == allocation.named_at,
            )
            # The next sweep sees at once what has come due meanwhile.
            .values(state=DeadlineState.OPEN, met_at=None, met_by_id=None, next_alert_at=now)
            .returning(col(Deadline.id))
        )
        if opened.all():
            case.allocated_at = None
    await session.flush()
    await deadlines.refresh_next_due(session, case)


async def _who_was_before(session: AsyncSession, case: Case, allocation: Allocation) -> int | None:
    """Whoever had it before, if they have not left and may work on it still."""
    if allocation.before_id is None:
        return None
    before = await session.get(User, allocation.before_id)
    shut_out = (await conflicts.of_cases(session, [case.id or 0])).get(case.id or 0, frozenset())
    is_able = before is not None and before.left_at is None and before.id not in shut_out
    return allocation.before_id if is_able else None


async def _do_not_tell(session: AsyncSession, allocation: Allocation) -> None:
    """The message with the name, if it still lies in the outbox: no sender has it in hand."""
    contact_id, allocation.told_contact_id = allocation.told_contact_id, None
    if contact_id is None:
        return
    await session.flush()
    gone = await session.scalars(
        delete(OutMessage)
        .where(
            col(OutMessage.contact_id) == contact_id,
            col(OutMessage.state) == OutState.QUEUED,
            col(OutMessage.attempts) == 0,
        )
        .returning(col(OutMessage.id))
    )
    if gone.all():
        await session.execute(delete(Contact).where(col(Contact.id) == contact_id))


async def _event(
    session: AsyncSession,
    kind: str,
    allocation: Allocation,
    by: Actor,
    now: datetime,
    **detail: object,
) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=allocation.contract,
        case_id=allocation.case_id,
        by=by.user_id,
        worker=allocation.worker_id,
        **detail,
    )
