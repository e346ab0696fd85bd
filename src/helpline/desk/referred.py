"""What a professional who sent somebody must tell us: kept however little it is, and asked for
until nothing is missing (004 §2.3).

The contract says which fields there are. Called by the tab of steps and plan; a case that becomes a
referral is asked after at once (desk/kinds.py). Commits nothing.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.parts import ReferralField
from helpline.desk import deadlines, events, stale, tasks
from helpline.desk.holding import hold
from helpline.errors import Conflict, InvalidInput
from helpline.models import Case, Deadline, ReferralForm, Task
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import CaseKind, CaseStatus, ClockStop, DeadlineState, TaskKind

LONGEST = 4000
AGREEMENT = "agreement"


def fields_of(contract: Contract, group: str) -> tuple[ReferralField, ...]:
    """The contract's fields; one more where somebody at the council has to agree first to a
    referral of somebody of this group."""
    if contract.referral is None:
        return ()
    role = contract.referral.agreed_by(group)
    hint = "Who, and on which day"
    more = (ReferralField(code=AGREEMENT, name=f"Agreed by the {role}", hint=hint),) if role else ()
    return (*contract.referral.fields, *more)


def missing(contract: Contract, group: str, said: Mapping[str, str]) -> list[str]:
    """The names of required fields that are empty, in their order."""
    fields = fields_of(contract, group)
    return [one.name for one in fields if one.required and not one.ours and not said.get(one.code)]


def unanswered(contract: Contract, said: Mapping[str, str]) -> list[str]:
    """The names of what our answer lacks, where the contract wants something with it."""
    return [one.name for one in our_fields(contract) if not said.get(one.code)]


def our_fields(contract: Contract) -> tuple[ReferralField, ...]:
    """What we ourselves write: our answer."""
    fields = contract.referral.fields if contract.referral else ()
    return tuple(one for one in fields if one.ours)


async def of_case(session: AsyncSession, case_id: int) -> ReferralForm | None:
    query = select(ReferralForm).where(col(ReferralForm.case_id) == case_id)
    return await session.scalar(query.execution_options(populate_existing=True))


def mark_of(form: ReferralForm | None) -> str:
    """Of what a page shows."""
    return stale.mark_of(form.changed_at if form else None)


def said_in(form: ReferralForm | None) -> dict[str, str]:
    """Field code → what was said."""
    return dict(json.loads(form.fields)) if form is not None else {}


async def chase(
    session: AsyncSession, contract: Contract, case: Case, by: Actor | None, now: datetime
) -> None:
    """The case is a referral: what is missing is chased from now on."""
    if contract.referral is None or await of_case(session, case.id or 0) is not None:
        return
    await _chase(session, contract, case, None, len(missing(contract, case.group, {})), by, now)


async def fill(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    given: Mapping[str, str],
    by: Actor,
    now: datetime,
    seen: str = "",
    answered_at: datetime | None = None,
) -> ReferralForm:
    """Keep what the referral says, complete or not; fields that are not in `given` stay as they
    are. `seen`: the mark of what the page showed (desk/stale.py); Conflict where it is another
    now, because a form gives every field. The chase ends when nothing required is missing and
    begins again when something is; what is newly said of our own answer keeps its promise, until
    all that was said of it is taken out again. `answered_at`: when that answer went out, by which
    its promise is judged; None means now. InvalidInput where it cannot have been then."""
    require(by, "plan.write", case.contract)
    if contract.referral is None or case.kind != CaseKind.REFERRAL:
        raise InvalidInput("This is no referral. Say first, below, that it is one.")
    if case.status != CaseStatus.OPEN:
        raise Conflict("This case is closed. Open it again first.")
    await hold(session, case)
    form = await of_case(session, case.id or 0)
    stale.must_be_fresh(seen, form.changed_at if form else None)
    before = said_in(form)
    said = before | {
        one.code: _clean(one, given[one.code])
        for one in fields_of(contract, case.group)
        if one.code in given
    }
    lacking = len(missing(contract, case.group, said))
    if form is None:
        form = ReferralForm(
            contract=case.contract,
            case_id=case.id or 0,
            fields="{}",
            first_at=now,
            changed_at=now,
            by_user_id=by.user_id,
        )
        session.add(form)
    form.fields = json.dumps(said, ensure_ascii=False)
    form.missing, form.changed_at, form.by_user_id = lacking, now, by.user_id
    form.complete_at = None if lacking else form.complete_at or now
    await session.flush()
    await _chase(session, contract, case, form, lacking, by, now)
    ours = [one.code for one in our_fields(contract)]
    if any(said.get(code, "") != before.get(code, "") for code in ours):
        if not unanswered(contract, said):
            at = await _went_out(session, case, answered_at or now, now)
            await deadlines.meet(session, case, ClockStop.REFERRAL_ANSWER, at, by.user_id)
        elif not any(said.get(code) for code in ours):
            await _take_back(session, case, now)
    await events.record(
        session,
        "referral.written",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        missing=lacking,
    )
    return form


async def _went_out(session: AsyncSession, case: Case, at: datetime, now: datetime) -> datetime:
    """`at`, if an answer can have gone out then: after the referral came in, or was taken up anew.
    What was typed has whole minutes, so the minute of the receipt is late enough."""
    if at > now:
        raise InvalidInput("That time is still to come. Say when our answer went out.")
    asked = await session.scalar(
        select(func.min(col(Deadline.started_at))).where(
            col(Deadline.case_id) == case.id,
            col(Deadline.stops) == ClockStop.REFERRAL_ANSWER,
            col(Deadline.state) == DeadlineState.OPEN,
        )
    )
    began = max(case.opened_at, asked or case.opened_at)
    if at < began.replace(second=0, microsecond=0):
        raise InvalidInput(
            "That is before the referral came in or was taken up again. Say when our answer went "
            "out."
        )
    return max(at, began)


async def _take_back(session: AsyncSession, case: Case, now: datetime) -> None:
    """Nothing is said of our answer after all: what it kept is open again. A promise that was
    kept before the referral was taken up anew stays kept."""
    asked = (
        col(Deadline.case_id) == case.id,
        col(Deadline.stops) == ClockStop.REFERRAL_ANSWER,
    )
    by_form = (
        *asked,
        col(Deadline.state) == DeadlineState.MET,
        col(Deadline.met_by_id).is_not(None),
    )
    last = await session.scalar(select(func.max(col(Deadline.met_at))).where(*by_form))
    anew = (*asked, col(Deadline.state) != DeadlineState.MET, col(Deadline.started_at) >= last)
    if last is None or await session.scalar(select(col(Deadline.id)).where(*anew).limit(1)):
        return
    await session.execute(
        update(Deadline)
        .where(*by_form, col(Deadline.met_at) == last)
        # The next sweep sees at once what has come due meanwhile.
        .values(state=DeadlineState.OPEN, met_at=None, met_by_id=None, next_alert_at=now)
    )
    await session.flush()
    await deadlines.refresh_next_due(session, case)


async def _chase(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    form: ReferralForm | None,
    lacking: int,
    by: Actor | None,
    now: datetime,
) -> None:
    assert contract.referral is not None
    chasing = await tasks.open_of(session, case, TaskKind.REFERRAL_GAPS)
    if lacking and not chasing:
        due_at = tasks.end_of_working_day(contract, now, contract.referral.chase_days)
        task: Task = await tasks.give(
            session, case, TaskKind.REFERRAL_GAPS, "", None, due_at, None, now
        )
        chasing = [task]
    for task in chasing:
        if not lacking:
            await tasks.settle(session, task, by, now)
    if form is not None and chasing:
        form.chase_task_id = chasing[0].id
        await session.flush()


def _clean(one: ReferralField, text: str) -> str:
    plain = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not one.long:
        plain = " ".join(plain.split())
    if len(plain) > LONGEST:
        raise InvalidInput(f"“{one.name}” is too long: {LONGEST} characters are enough.")
    return plain
