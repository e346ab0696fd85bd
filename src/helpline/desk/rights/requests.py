"""The register of requests about somebody's own data: what they ask, who made sure that it is they,
and by when they are answered (UK GDPR article 12; domain.md §7).

The clock is a row like every other (desk/deadlines.py). It stands still while we wait for proof or
for what they mean, and may be made longer once, in the first month. Called by pages.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Result, Row, and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import deadlines, events, seeing
from helpline.desk.holding import twin
from helpline.desk.references import LETTERS
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Case,
    DataRequest,
    Deadline,
    Person,
    RequestEntry,
    RequestPause,
    User,
)
from helpline.rules import clocks
from helpline.rules import requests as rules
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import (
    ClockStart,
    ClockStop,
    DeadlineState,
    IdentityCheck,
    PauseKind,
    RightKind,
    RightOutcome,
    RightStep,
)

CLOCK: Final = "data_request"
"""The contract's clock: when to warn and whom. How long it is the law says (rules/requests.py)."""
LONGEST: Final = 5_000
PREFIX: Final = "DR"


@dataclass(frozen=True)
class Told:
    """A request as it came."""

    kind: str
    words: str
    method: str
    received_at: datetime


@dataclass(frozen=True)
class Standing:
    """Where the clock of a request is. `due_at` None: it stands still, or nothing is owed."""

    due_at: datetime | None
    is_certain: bool
    waits_for: PauseKind | None
    may_be_extended: bool


async def log(
    session: AsyncSession,
    contract: Contract,
    person: Person,
    told: Told,
    by: Actor,
    now: datetime,
    *,
    case: Case | None = None,
) -> DataRequest:
    """Into the register; the time runs from the day it came, by whatever way and to whomever of us.
    Sent twice it is one request."""
    require(by, "right.log", person.contract)
    _check(contract, told, now)
    made = DataRequest(
        reference=await _free_reference(session),
        contract=contract.key,
        kind=told.kind,
        person_id=person.id or 0,
        case_id=case.id if case else None,
        method=told.method,
        words=told.words.replace("\0", "").strip(),
        received_at=told.received_at,
        logged_at=now,
        logged_by_id=by.user_id,
    )
    same = ("contract", "kind", "person_id", "method", "words")
    before = await twin(session, made, by, now, who="logged_by_id", at="logged_at", same=same)
    if before is not None:
        return before
    session.add(made)
    await session.flush()
    await add(session, made, RightStep.LOGGED, by, now, code=told.kind)
    await _run(session, contract, made)
    return made


def _check(contract: Contract, told: Told, now: datetime) -> None:
    if told.kind not in list(RightKind):
        raise InvalidInput("Choose what they ask for.")
    if not told.words.strip():
        raise InvalidInput("Write down what they ask, in their own words as far as you can.")
    if len(told.words) > LONGEST:
        raise InvalidInput(f"That is too long: {LONGEST:,} characters are enough.")
    if told.method not in [one.code for one in contract.methods]:
        raise InvalidInput("Choose how it came.")
    if told.received_at > now:
        raise InvalidInput("That time has not come yet: say when it came.")


async def find(
    session: AsyncSession, actor: Actor, reference: str, *, lock: bool = False
) -> DataRequest:
    """The request, if `actor` may see it; the same NotFound whether it is not there or is of
    somebody whom they must not know of."""
    query = select(DataRequest).where(
        col(DataRequest.reference) == reference.strip().upper(),
        *seeing.requests(actor, DataRequest.__table__),  # type: ignore[attr-defined]
    )
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("There is no such request, or it is not yours to see.")
    return found


async def listed(
    session: AsyncSession,
    actor: Actor,
    contracts: Sequence[str],
    *,
    person_id: int | None = None,
    limit: int = 200,
) -> Sequence[Row[Any]]:
    """(request, person's name, due_at, the pause that stands): what is due first, then what waits
    for them, then what is answered, the newest first."""
    due = (
        select(col(Deadline.due_at))
        .where(
            col(Deadline.request_id) == col(DataRequest.id),
            col(Deadline.state) == DeadlineState.OPEN,
        )
        .order_by(col(Deadline.due_at))
        .limit(1)
        .scalar_subquery()
    )
    pause = and_(
        col(RequestPause.request_id) == col(DataRequest.id),
        col(RequestPause.answered_at).is_(None),
    )
    query: Any = (
        select(
            DataRequest,
            col(Person.name).label("name"),
            due.label("due_at"),
            col(RequestPause.why).label("waits_for"),
        )
        .join(Person, col(Person.id) == col(DataRequest.person_id))
        .outerjoin(RequestPause, pause)
        .where(
            col(DataRequest.contract).in_(contracts),
            *seeing.requests(actor, DataRequest.__table__),  # type: ignore[attr-defined]
        )
        .order_by(col(DataRequest.closed_at).is_not(None), due.is_(None), due)
        .order_by(col(DataRequest.received_at).desc())
        .limit(limit)
    )
    if person_id is not None:
        query = query.where(col(DataRequest.person_id) == person_id)
    return (await session.execute(query)).all()


async def history(session: AsyncSession, found: DataRequest) -> Sequence[Row[Any]]:
    """What happened, in order: the entry and who wrote it."""
    rows: Result[Any] = await session.execute(
        select(RequestEntry, col(User.shown_name).label("who"))
        .join(User, col(User.id) == col(RequestEntry.by_user_id))
        .where(col(RequestEntry.request_id) == found.id)
        .order_by(col(RequestEntry.id))
    )
    return rows.all()


async def standing(
    session: AsyncSession, contract: Contract, found: DataRequest, now: datetime
) -> Standing:
    """Where its clock is."""
    pauses = await _pauses(session, found)
    waits = next((PauseKind(one.why) for one in pauses if one.answered_at is None), None)
    if found.closed_at is not None:
        return Standing(None, True, None, False)
    due = _due(contract, found, pauses)
    today = contract.days.day_of(now)
    first = rules.may_be_extended(
        contract.days.day_of(found.received_at), _spans(contract, pauses), today, contract.days
    )
    return Standing(
        due.at if due else None,
        due.is_certain if due else True,
        waits,
        first and found.extended_at is None,
    )


async def check_identity(
    session: AsyncSession,
    contract: Contract,
    found: DataRequest,
    how: str,
    words: str,
    by: Actor,
    now: datetime,
) -> None:
    """Somebody made sure that it is they who ask, and how; the clock goes on if it waited for
    that."""
    _must_be_open(found, by)
    if how not in list(IdentityCheck):
        raise InvalidInput("Choose how you made sure who asks.")
    found.identity, found.identity_at, found.identity_by_id = how, now, by.user_id
    said = in_a_line(words, 500)
    await add(session, found, RightStep.IDENTITY, by, now, code=how, words=said)
    for pause in await _pauses(session, found):
        if pause.answered_at is None and pause.why == PauseKind.IDENTITY:
            await resume(session, contract, found, now, by, now)


async def pause(
    session: AsyncSession,
    contract: Contract,
    found: DataRequest,
    why: str,
    words: str,
    by: Actor,
    now: datetime,
) -> None:
    """They were asked who they are, or what they mean: the clock stands still until they answer.
    What is late by now stays late."""
    _must_be_open(found, by)
    if why not in list(PauseKind):
        raise InvalidInput("Choose what we wait for.")
    if any(one.answered_at is None for one in await _pauses(session, found)):
        raise Conflict("The clock stands still already. Write down their answer first.")
    if why == PauseKind.IDENTITY and found.identity is not None:
        raise Conflict("It is written down already that they are who they say.")
    said = in_a_line(words, 1000, "Write down what you asked them.")
    held = RequestPause(request_id=found.id or 0, why=why, asked_at=now, asked_by_id=by.user_id)
    session.add(held)
    await add(session, found, RightStep.PAUSED, by, now, code=why, words=said)
    await _stop(session, found, now)


async def resume(
    session: AsyncSession,
    contract: Contract,
    found: DataRequest,
    answered_at: datetime,
    by: Actor,
    now: datetime,
    words: str = "",
) -> None:
    """Their answer came: the clock goes on, later by the days that it stood still."""
    _must_be_open(found, by)
    open_ones = [one for one in await _pauses(session, found) if one.answered_at is None]
    if not open_ones:
        raise Conflict("The clock runs already.")
    if not open_ones[0].asked_at <= answered_at <= now:
        raise InvalidInput("Say when their answer came, after you asked and before now.")
    open_ones[0].answered_at = answered_at
    said = in_a_line(words, 1000)
    await add(session, found, RightStep.RESUMED, by, now, words=said, code=open_ones[0].why)
    await _run(session, contract, found)


async def extend(
    session: AsyncSession,
    contract: Contract,
    found: DataRequest,
    why: str,
    by: Actor,
    now: datetime,
) -> None:
    """Two months more, once and within the first: because it is complex or one of many. They are
    told the reason today."""
    _must_be_open(found, by)
    said = in_a_line(why, 1000, "Say why more time is needed: they are told the reason.")
    if found.extended_at is not None:
        raise Conflict("It was given two months more already. There is no third time.")
    if not (await standing(session, contract, found, now)).may_be_extended:
        raise Conflict(
            "More time can be taken only within the first month, while the clock runs. Answer "
            "what you can now, and tell them when the rest comes."
        )
    found.extended_at = now
    await add(session, found, RightStep.EXTENDED, by, now, words=said)
    await _stop(session, found, now)
    await _run(session, contract, found)


async def write(
    session: AsyncSession, found: DataRequest, words: str, by: Actor, now: datetime
) -> None:
    """A note on it, at any time."""
    require(by, "right.work", found.contract)
    said = in_a_line(words, LONGEST, "Write it down first.")
    await add(session, found, RightStep.NOTE, by, now, words=said)


async def close(
    session: AsyncSession, found: DataRequest, outcome: str, words: str, by: Actor, now: datetime
) -> None:
    """They were answered: how it ended, and for what was refused why and where to complain. A file
    is given only to whom we are sure of, and after a second person signed it."""
    _must_be_open(found, by)
    if outcome not in list(RightOutcome):
        raise InvalidInput("Choose how it ended.")
    said = in_a_line(words, 2000, "Write down what they were told, and by which way.")
    given = outcome in (RightOutcome.DONE, RightOutcome.PARTLY)
    if given and found.identity is None:
        raise Conflict("First make sure who asks, and write down how.")
    if given and found.kind == RightKind.ACCESS and found.signed_at is None:
        raise Conflict("First somebody else has to sign the file that they are given.")
    found.outcome, found.closed_at, found.closed_by_id = outcome, now, by.user_id
    for one in await _pauses(session, found):
        one.answered_at = one.answered_at or now
    await add(session, found, RightStep.CLOSED, by, now, code=outcome, words=said)
    ended = await deadlines.end(
        session, now, col(Deadline.request_id) == found.id, is_kept=True, by=by.user_id
    )
    await deadlines.note_ended(session, ended, now, by.user_id)


async def add(
    session: AsyncSession,
    found: DataRequest,
    kind: RightStep,
    by: Actor,
    now: datetime,
    *,
    code: str = "",
    words: str = "",
) -> None:
    """One line of its history, and of the audit trail."""
    session.add(
        RequestEntry(
            request_id=found.id or 0,
            kind=kind,
            code=code,
            words=words or None,
            at=now,
            written_at=now,
            by_user_id=by.user_id,
        )
    )
    await session.flush()
    await events.record(
        session,
        f"right.{kind}",
        now,
        contract=found.contract,
        by=by.user_id,
        request=found.id,
        code=code,
    )


def must_work(found: DataRequest, by: Actor) -> None:
    """Raises where `by` may not, or may no longer, do anything to it."""
    _must_be_open(found, by)


# --- the clock ------------------------------------------------------------------------------------


async def _run(session: AsyncSession, contract: Contract, found: DataRequest) -> None:
    """Its clock as a row; none while it stands still."""
    pauses = await _pauses(session, found)
    due = _due(contract, found, pauses)
    if due is None:
        return
    clock = contract.find_clock(CLOCK)
    terms = clock.terms if clock else deadlines.PROMISED
    first = clocks.moments(terms, found.received_at, due.at)
    row = {
        "contract": contract.key,
        "request_id": found.id,
        "clock": CLOCK,
        "starts": ClockStart.DATA_REQUEST,
        "stops": ClockStop.FULL_ANSWER,
        "started_at": found.received_at,
        "due_at": due.at,
        "is_certain": due.is_certain,
        "state": DeadlineState.OPEN,
        "next_alert_at": first[0].at,
    }
    await session.execute(deadlines.NEW, [row])


async def _stop(session: AsyncSession, found: DataRequest, now: datetime) -> None:
    ended = await deadlines.end(session, now, col(Deadline.request_id) == found.id, is_kept=False)
    await deadlines.note_ended(session, ended, now, None)


def _due(
    contract: Contract, found: DataRequest, pauses: Sequence[RequestPause]
) -> rules.Due | None:
    received: date = contract.days.day_of(found.received_at)
    months = rules.LONGER if found.extended_at else rules.MONTHS
    return rules.due(received, months, _spans(contract, pauses), contract.days)


def _spans(contract: Contract, pauses: Sequence[RequestPause]) -> list[rules.Pause]:
    day = contract.days.day_of
    return [
        rules.Pause(day(one.asked_at), day(one.answered_at) if one.answered_at else None)
        for one in pauses
    ]


async def _pauses(session: AsyncSession, found: DataRequest) -> list[RequestPause]:
    rows = await session.scalars(
        select(RequestPause)
        .where(col(RequestPause.request_id) == found.id)
        .order_by(col(RequestPause.id))
    )
    return list(rows)


def _must_be_open(found: DataRequest, by: Actor) -> None:
    require(by, "right.work", found.contract)
    if found.closed_at is not None:
        raise Conflict("It is answered already. A note can still be added.")


async def _free_reference(session: AsyncSession) -> str:
    while True:
        reference = f"{PREFIX}-{''.join(secrets.choice(LETTERS) for _ in range(6))}"
        taken = select(col(DataRequest.id)).where(col(DataRequest.reference) == reference)
        if await session.scalar(taken) is None:
            return reference
