"""The police want to speak with somebody of the household: a solicitor is asked, confirms, comes
(A30).

As the hour nears without a confirmation the alert climbs, and it does so at once where the hour is
near already or somebody is under arrest. Where nobody knows the hour, to find it out has a time of
its own that climbs the same way. Our worker never sits in, and never says what to answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Clock, Contract
from helpline.desk import escalation, events
from helpline.desk.duties import dates
from helpline.desk.holding import hold, twin
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Alert, Case, PoliceInterview
from helpline.rules import duties
from helpline.rules.duties import InterviewKind, SolicitorStep
from helpline.rules.permissions import Actor, require
from helpline.sealing import ring
from helpline.vocabulary import AlertKind, ClockStart, DeadlineState

LONGEST_NAME = 160
LONGEST_NEEDS = 500
FURTHEST = timedelta(days=366)
MOST_ON_A_CASE = 20
SAME = ("case_id", "who", "kind", "at", "ended_at")
"""What is alike in one that was sent twice."""


@dataclass(frozen=True)
class Asked:
    """What we were told of an interview; everything but who and how may be unknown."""

    who: str
    kind: str
    at: datetime | None = None
    station: str = ""
    officer: str = ""
    log_number: str = ""
    needs: str = ""
    policy: str = ""
    is_under_18: bool = False
    is_carer: bool = True


async def of_case(session: AsyncSession, case_id: int) -> list[PoliceInterview]:
    """Those that stand, the next first; one whose time nobody knows before all others."""
    rows = await session.scalars(
        select(PoliceInterview).where(
            col(PoliceInterview.case_id) == case_id, col(PoliceInterview.ended_at).is_(None)
        )
    )
    return sorted(rows, key=lambda one: (one.at is not None, one.at or one.recorded_at, one.id))


async def record(
    session: AsyncSession, contract: Contract, case: Case, asked: Asked, by: Actor, now: datetime
) -> PoliceInterview:
    """Write down that there is to be an interview. From now on a solicitor is wanted, and the
    ladder is asked until one is confirmed. Sent twice it is one interview."""
    require(by, "duty.write", case.contract)
    missing = [] if asked.who.strip() else ["Say who is to be interviewed."]
    if asked.kind not in list(InterviewKind):
        missing.append("Choose how the police speak with them.")
    if missing:
        raise InvalidInput(" ".join(missing))
    _must_be_ahead(asked.at, now)
    row = PoliceInterview(
        contract=contract.key,
        case_id=case.id or 0,
        who=in_a_line(asked.who, LONGEST_NAME, "Say who is to be interviewed."),
        is_carer=asked.is_carer,
        is_under_18=asked.is_under_18,
        kind=asked.kind,
        at=asked.at,
        station=in_a_line(asked.station, LONGEST_NAME) or None,
        officer=in_a_line(asked.officer, LONGEST_NAME) or None,
        log_number=in_a_line(asked.log_number, LONGEST_NAME) or None,
        needs=in_a_line(asked.needs, LONGEST_NEEDS) or None,
        policy=in_a_line(asked.policy, LONGEST_NAME) or None,
        recorded_at=now,
        recorded_by_id=by.user_id,
    )
    before = await twin(session, row, by, now, who="recorded_by_id", at="recorded_at", same=SAME)
    if before is not None:
        return before
    await hold(session, case)
    if len(await of_case(session, case.id or 0)) >= MOST_ON_A_CASE:
        raise InvalidInput("That is more interviews than a case can hold. Take one back first.")
    session.add(row)
    await session.flush()
    await _watch(session, contract, case, row, now)
    detail = {"interview": row.id, "way": row.kind, "under_18": row.is_under_18}
    await events.on_case(session, "interview.recorded", case, now, by, **detail)
    return row


async def set_time(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    interview_id: int,
    at: datetime | None,
    by: Actor,
    now: datetime,
) -> PoliceInterview:
    """The hour is known now, or is another. A solicitor who confirmed for the old one is asked
    again, because nobody knows whether they can come."""
    require(by, "duty.write", case.contract)
    row = await _find(session, case, interview_id)
    if at is None:
        raise InvalidInput("Give day and time of the interview.")
    _must_be_ahead(at, now)
    if row.has_attended is not None:
        raise Conflict("This interview is over.")
    await _rest(session, case, row, now, by, is_kept=row.at is None)  # the hour was found
    row.at, row.confirmed_at, row.confirmed_by_id = at, None, None
    await _watch(session, contract, case, row, now)
    await events.on_case(session, "interview.moved", case, now, by, interview=row.id)
    return row


async def solicitor_asked(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    interview_id: int,
    solicitor: str,
    by: Actor,
    now: datetime,
) -> PoliceInterview:
    """Somebody was asked to come. Where one who had confirmed drops out, the wait begins anew. The
    same one for two of a case is only warned about: a duty solicitor at night may be all there is.
    """
    require(by, "duty.write", case.contract)
    row = await _find(session, case, interview_id)
    if row.has_attended is not None:
        raise Conflict("This interview is over.")
    name = in_a_line(solicitor, LONGEST_NAME, "Say whom you asked: a name or a firm.")
    row.solicitor, row.solicitor_index = name, ring().index("solicitor", name.casefold())
    row.requested_at, row.requested_by_id = now, by.user_id
    if row.confirmed_at is not None:
        row.confirmed_at, row.confirmed_by_id = None, None
        await _watch(session, contract, case, row, now)
    await session.flush()
    await events.on_case(session, "solicitor.requested", case, now, by, interview=row.id)
    return row


async def solicitor_confirmed(
    session: AsyncSession, case: Case, interview_id: int, by: Actor, now: datetime
) -> PoliceInterview:
    """They said that they will come: nobody is asked any more, unless the hour is not known yet."""
    require(by, "duty.write", case.contract)
    row = await _find(session, case, interview_id)
    if row.requested_at is None:
        raise Conflict("Write down first whom you asked.")
    if row.confirmed_at is not None:
        raise Conflict("It is written down already that they confirmed.")
    row.confirmed_at, row.confirmed_by_id = now, by.user_id
    await session.flush()
    if row.at is None:
        await _end_alerts(session, case, row, now)
    else:
        await _rest(session, case, row, now, by, is_kept=True)
    await events.on_case(session, "solicitor.confirmed", case, now, by, interview=row.id)
    return row


async def attended(
    session: AsyncSession,
    case: Case,
    interview_id: int,
    was_there: bool,
    by: Actor,
    now: datetime,
) -> PoliceInterview:
    """The interview is over, and a solicitor was there or was not."""
    require(by, "duty.write", case.contract)
    row = await _find(session, case, interview_id)
    if row.at is not None and row.at > now:
        raise InvalidInput("The interview has not begun yet.")
    if row.has_attended is not None:
        raise Conflict("It is written down already whether a solicitor was there.")
    row.has_attended, row.attended_at, row.attended_by_id = was_there, now, by.user_id
    await session.flush()
    await _rest(session, case, row, now, by, is_kept=was_there)
    await events.on_case(
        session, "solicitor.attended", case, now, by, interview=row.id, was_there=was_there
    )
    return row


async def call_off(
    session: AsyncSession, case: Case, interview_id: int, by: Actor, now: datetime
) -> None:
    """There will be none, or it was written down by mistake. It stays in the trail."""
    require(by, "duty.write", case.contract)
    row = await _find(session, case, interview_id)
    row.ended_at, row.ended_by_id = now, by.user_id
    await session.flush()
    await _rest(session, case, row, now, by, is_kept=False)
    await events.on_case(session, "interview.called_off", case, now, by, interview=row.id)


def shared_solicitors(interviews: Sequence[PoliceInterview]) -> tuple[tuple[str, str], ...]:
    """Pairs of people with the same solicitor: each should have their own."""
    return duties.shared_solicitors(
        duties.Wanted(one.who, one.solicitor_index or "") for one in interviews
    )


def step_of(row: PoliceInterview) -> SolicitorStep:
    return duties.solicitor_step(row.requested_at, row.confirmed_at, row.has_attended)


async def _watch(
    session: AsyncSession, contract: Contract, case: Case, row: PoliceInterview, now: datetime
) -> None:
    """Begin the deadline that ends with a confirmation, or the one that ends with the hour where
    nobody knows it; and ask at once where the hour is near."""
    clock = _clock(contract, ClockStart.INTERVIEW)
    untimed = _clock(contract, ClockStart.INTERVIEW_UNTIMED)
    held = await dates.of(session, [row.deadline_id])
    is_sought = any(one.state == DeadlineState.OPEN for one in held.values())
    if row.at is not None or not is_sought:
        row.deadline_id = None
    if row.at is not None and clock is not None:
        deadline = await dates.start_clock(session, contract, case, clock, now, due_at=row.at)
        row.deadline_id = deadline.id
    elif row.at is None and untimed is not None and not is_sought:
        row.deadline_id = (await dates.start_clock(session, contract, case, untimed, now)).id
    await session.flush()
    hours = clock.warn_before_hours if clock else ()
    if duties.is_too_near(row.at, now, hours, row.kind):
        await escalation.raise_alert(session, contract, _cause(case, row, clock, now), now)


def _clock(contract: Contract, start: ClockStart) -> Clock | None:
    return next((one for one in contract.clocks if one.starts is start), None)


def _cause(
    case: Case, row: PoliceInterview, clock: Clock | None, now: datetime
) -> escalation.Cause:
    """One for each wait, so that a new wait asks anew."""
    return escalation.Cause(
        AlertKind.WARNING,
        f"{_about(row)}{now:%Y%m%dT%H%M%S}",
        case.reference,
        stage=2,
        case_id=case.id,
        deadline_id=row.deadline_id,
        rungs=clock.rungs if clock else (),
    )


def _about(row: PoliceInterview) -> str:
    """How the key of every alert about this interview begins."""
    return f"interview:{row.id}:"


async def _rest(
    session: AsyncSession,
    case: Case,
    row: PoliceInterview,
    now: datetime,
    by: Actor,
    *,
    is_kept: bool,
) -> None:
    await dates.settle(session, case, row.deadline_id, now, by, is_kept=is_kept)
    await _end_alerts(session, case, row, now)


async def _end_alerts(
    session: AsyncSession, case: Case, row: PoliceInterview, now: datetime
) -> None:
    keys = await session.scalars(
        select(col(Alert.key)).where(
            col(Alert.case_id) == case.id,
            col(Alert.ended_at).is_(None),
            col(Alert.key).startswith(_about(row), autoescape=True),
        )
    )
    for key in list(keys):
        await escalation.end(session, key, now)


def _must_be_ahead(at: datetime | None, now: datetime) -> None:
    if at is not None and at > now + FURTHEST:
        raise InvalidInput("That is more than a year away: give an earlier time.")
    if at is not None and at < now - timedelta(days=1):
        raise InvalidInput("That time is past. For an interview that is over write a note.")


async def _find(session: AsyncSession, case: Case, interview_id: int) -> PoliceInterview:
    row = await session.get(PoliceInterview, interview_id, with_for_update=True)
    if row is None or row.case_id != case.id or row.ended_at is not None:
        raise NotFound("There is no such interview on this case.")
    return row
