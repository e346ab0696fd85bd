"""What a carer sees on their own page: their matters, where each stands, what comes next, what was
promised, what they may expect, their diary.

Read only, called by web/pages/own.py with a visit that desk/page_links has let in. Everything here
asks for the person's own rows in the query itself: no note, no opinion, no alert, nothing of
anybody else, and of an allegation only what they know of themself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import allegations, covers, deadlines, means, pathway
from helpline.desk.page_links import Visit
from helpline.models import (
    Allegation,
    Allocation,
    Case,
    Contact,
    Deadline,
    OutMessage,
    PoliceInterview,
    SupportPlan,
    User,
)
from helpline.rules import own_page
from helpline.rules.own_page import Shows, Standing
from helpline.vocabulary import (
    CaseStatus,
    ClockStart,
    ClockStop,
    ContactKind,
    DeadlineState,
    Direction,
    Identity,
    OutState,
    StageState,
    Teller,
)

MOST_MATTERS: Final = 8
MOST_LINES: Final = 1000
NOT_THERE: Final = (OutState.FAILED, OutState.HELD)


@dataclass(frozen=True)
class Now:
    """Where a matter stands: keys of the wording, and what they are filled with."""

    keys: tuple[str, ...]
    answer_by: datetime | None
    worker_by: datetime | None
    worker: str
    stand_in: covers.StandIn | None
    outcome: str = ""


@dataclass(frozen=True)
class Step:
    """Something that comes next. `key`: of the wording; `what`: as somebody of ours wrote it."""

    key: str
    at: datetime
    who: str = ""
    what: str = ""
    has_solicitor: bool | None = None
    is_day: bool = False
    """Whether only the day counts."""


@dataclass(frozen=True)
class Promise:
    key: str
    kind: str
    who: str
    what: str
    at: datetime


@dataclass(frozen=True)
class Way:
    """An allegation of which they know: the usual stages, what helps, what they were told."""

    aware_at: datetime
    stages: Sequence[pathway.StageFace]
    told: Sequence[pathway.QuestionFace]
    ask: Sequence[pathway.QuestionFace]


@dataclass(frozen=True)
class Line:
    """One line of the diary. `key`: of the wording; `text`: as it was written; `is_day`: only the
    day is known; `more`: further keys."""

    at: datetime
    key: str
    who: str = ""
    text: str = ""
    is_theirs: bool = False
    is_day: bool = False
    more: tuple[str, ...] = field(default=())
    minutes: int | None = None


async def matters(session: AsyncSession, visit: Visit) -> list[Case]:
    """Their own cases that it is certain are theirs, the open ones first; with little shown, only
    the one the link is about."""
    if visit.shows is Shows.LITTLE:
        return [visit.case]
    joined = await means.joined(session, visit.person.id or 0)
    found = await session.scalars(
        select(Case)
        .where(
            col(Case.person_id) == visit.person.id,
            col(Case.contract) == visit.link.contract,
            col(Case.identity) == Identity.KNOWN,
            col(Case.erased_at).is_(None),
            col(Case.import_key).is_(None),  # of a past log, with nothing to read
            col(Case.id).not_in(joined["case"]),
        )
        .order_by((col(Case.status) == CaseStatus.OPEN).desc(), col(Case.id).desc())
        .limit(MOST_MATTERS)
    )
    return list(found)


async def standing(session: AsyncSession, contract: Contract, case: Case, now: datetime) -> Now:
    due = await deadlines.open_due_times(session, case.id or 0)
    answer_by = due.get(ClockStop.HUMAN_REPLY) or due.get(ClockStop.REFERRAL_ANSWER)
    worker_by = due.get(ClockStop.ALLOCATION)
    worker = await session.get(User, case.worker_id) if case.worker_id else None
    is_closed = case.status == CaseStatus.CLOSED
    keys = own_page.stands(Standing(is_closed, answer_by, worker is not None, worker_by), now)
    named = next((one.name for one in contract.outcomes if one.code == case.outcome), "")
    return Now(
        keys,
        answer_by,
        worker_by,
        worker.shown_name if worker else "",
        (await covers.of_cases(session, [case.id or 0], now)).get(case.id or 0),
        named if is_closed else "",
    )


async def promises(session: AsyncSession, case: Case) -> list[Promise]:
    """What our people gave their word to, the newest first; what was agreed otherwise is none."""
    rows = await session.execute(
        select(Deadline, col(User.shown_name))
        .join(User, col(User.id) == col(Deadline.owner_id))
        .where(
            col(Deadline.case_id) == case.id,
            col(Deadline.starts) == ClockStart.PROMISE,
            col(Deadline.state) != DeadlineState.CANCELLED,
        )
        .order_by(col(Deadline.due_at).desc())
        .limit(20)
    )
    return [_promise(row, who) for row, who in rows]


def _promise(row: Deadline, who: str) -> Promise:
    kind = row.clock.partition(".")[2] or "other"
    if row.state == DeadlineState.OPEN:
        key, at = "promise_open", row.due_at
    elif row.met_at is None:
        key, at = "promise_broken", row.due_at
    else:
        key, at = ("promise_late" if row.met_at > row.due_at else "promise_kept"), row.met_at
    return Promise(key, kind, who, row.what or "", at)


async def steps(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    found: Now,
    promised: Sequence[Promise],
    now: datetime,
) -> list[Step]:
    """What comes next and when, the soonest first; of a closed matter nothing."""
    if case.status == CaseStatus.CLOSED:
        return []
    next_ones = [
        Step(f"next_{one.kind}", one.at, one.who, one.what)
        for one in promised
        if one.key == "promise_open"
    ]
    if found.answer_by is not None:
        next_ones.append(Step("next_answer", found.answer_by))
    if found.worker_by is not None and not found.worker:
        next_ones.append(Step("next_worker", found.worker_by))
    next_ones += await _interviews(session, case, now)
    next_ones += await _review(session, contract, case)
    return sorted(next_ones, key=lambda one: one.at)


async def _interviews(session: AsyncSession, case: Case, now: datetime) -> list[Step]:
    """Their own: never that of anybody else at home. When and with whom they come, not where."""
    rows = await session.scalars(
        select(PoliceInterview).where(
            col(PoliceInterview.case_id) == case.id,
            col(PoliceInterview.is_carer),
            col(PoliceInterview.ended_at).is_(None),
            col(PoliceInterview.at) > now,
        )
    )
    return [
        Step("next_interview", one.at, has_solicitor=one.confirmed_at is not None)
        for one in rows
        if one.at is not None
    ]


async def _review(session: AsyncSession, contract: Contract, case: Case) -> list[Step]:
    day = await session.scalar(
        select(col(SupportPlan.next_review_on)).where(
            col(SupportPlan.case_id) == case.id, col(SupportPlan.ended_at).is_(None)
        )
    )
    return [Step("next_review", _noon(contract, day), is_day=True)] if day else []


async def ways(session: AsyncSession, contract: Contract, case: Case) -> list[Way]:
    """What is known of each allegation about themself that they know of."""
    found = []
    for one in await _known(session, contract, case):
        ask, told = await pathway.questions_of(session, contract, one.id or 0, case.group)
        stages = await pathway.line_of(session, contract, one, case.group)
        found.append(Way(one.aware_at, stages, told, ask))
    return found


async def _known(session: AsyncSession, contract: Contract, case: Case) -> list[Allegation]:
    """Those about this person of which they told us themself or were told. Of anything else the
    page says nothing: it must not be from us, on a screen, that somebody first hears of it."""
    if contract.way(case.group) is None:
        return []
    found = []
    for one in await allegations.of_case(session, case.id or 0):
        if one.person_id != case.person_id:
            continue
        _, told = await pathway.questions_of(session, contract, one.id or 0, case.group)
        if told or (one.words and one.whose_words == Teller.CARER):
            found.append(one)
    return found


async def diary(session: AsyncSession, contract: Contract, case: Case) -> list[Line]:
    """What happened between them and us, the oldest first."""
    lines = [Line(case.opened_at, "first_came")]
    lines += await _contacts(session, case)
    lines += await _named(session, case)
    for one in await _known(session, contract, case):
        _, told = await pathway.questions_of(session, contract, one.id or 0, case.group)
        lines += [_told(contract, face) for face in told if face.row is not None]
        stages = await pathway.line_of(session, contract, one, case.group)
        lines += [
            Line(_noon(contract, face.row.reached_on), "reached", text=face.stage.name, is_day=True)
            for face in stages
            if face.row and face.row.reached_on and face.row.state == StageState.REACHED
        ]
    if case.closed_at is not None:
        lines.append(Line(case.closed_at, "was_closed"))
    return sorted(lines, key=lambda line: (line.at, line.key != "first_came"))


async def _contacts(session: AsyncSession, case: Case) -> list[Line]:
    """Messages both ways, and calls without what a worker noted of them."""
    rows = await session.execute(
        select(Contact, col(User.shown_name), col(OutMessage.state))
        .outerjoin(User, col(User.id) == col(Contact.by_user_id))
        .outerjoin(
            OutMessage,
            (col(OutMessage.contact_id) == col(Contact.id)) & col(OutMessage.copy_of_id).is_(None),
        )
        .where(col(Contact.case_id) == case.id, col(Contact.person_id) == case.person_id)
        .order_by(col(Contact.at).desc(), col(Contact.id).desc())
        .limit(MOST_LINES)
    )
    return [_contact(*row) for row in rows][::-1]


def _contact(one: Contact, who: str | None, state: str | None) -> Line:
    is_theirs = one.direction == Direction.IN
    if one.kind == ContactKind.CALL or one.what == "call":
        key = "you_rang" if is_theirs else "we_rang"
        more = (one.call_result,) if one.call_result else ()
        minutes = one.call_minutes or None
        return Line(one.at, key, is_theirs=is_theirs, more=more, minutes=minutes)
    if is_theirs and one.by_user_id is None:
        more = () if one.body else ("file",)
        return Line(one.at, "you_wrote", text=one.body or "", is_theirs=True, more=more)
    if is_theirs:  # what a worker wrote down of it is theirs, not the person's words
        return Line(one.at, "you_wrote", is_theirs=True)
    more = ("undelivered",) if state in NOT_THERE else ()
    if one.kind == ContactKind.AUTOMATIC:
        return Line(one.at, "automatic", text=one.body or "", more=more)
    return Line(one.at, "we_wrote", who=who or "", text=one.body or "", more=more)


async def _named(session: AsyncSession, case: Case) -> list[Line]:
    rows = await session.execute(
        select(col(Allocation.named_at), col(User.shown_name))
        .join(User, col(User.id) == col(Allocation.worker_id))
        .where(col(Allocation.case_id) == case.id, col(Allocation.declined_at).is_(None))
    )
    return [Line(at, "named", who=who) for at, who in rows]


def _told(contract: Contract, face: Any) -> Line:
    row = face.row
    said = "\n".join(filter(None, (face.question.name, row.words)))
    if row.told_on is None:
        return Line(row.set_at, "you_were_told", who=row.told_by or "", text=said)
    at = _noon(contract, row.told_on)
    return Line(at, "you_were_told", who=row.told_by or "", text=said, is_day=True)


def _noon(contract: Contract, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(contract.zone))
