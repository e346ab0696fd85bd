"""What a case asks of a partner: requested, answered, seen, ended; and the wait, challenged.

Called by web/pages/case_referrals. A referral sends nothing: a person rings or writes, and says
here what came of it. While they wait to be seen a deadline runs (the contract's clock
`partner_wait`); chasing meets it and begins it anew, so that nobody waits in silence. What is shown
of it, and to whom, is in desk/referral_lists.
"""

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Clock, Contract
from helpline.desk import deadlines, events, partners, parts
from helpline.desk.holding import twin
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Case,
    Deadline,
    Partner,
    PartnerChase,
    PartnerReferral,
    PartnerSession,
    Person,
)
from helpline.rules import clocks
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import (
    CaseStatus,
    ChaseWay,
    ClockStart,
    ClockStop,
    ConsentKind,
    PartnerApproval,
    PartnerKind,
    ReferralEnding,
    ReferralState,
    Unit,
)

CLOCK: Final = "partner_wait"
USUAL: Final = Clock(
    code=CLOCK,
    name="Seen by whom we asked, or the wait challenged",
    starts=ClockStart.PARTNER_ASKED,
    stops=ClockStop.PARTNER_SEEN,
    limit=14,
    unit=Unit.CALENDAR_DAYS,
    day_ends=time(10),
    rolls=True,
    mark="derived",
)
"""For a contract that names no such clock: a fortnight, said in the morning of a working day."""
LONGEST = 1000
LONGEST_SESSION = 600
"""Minutes."""
EARLIEST = timedelta(days=366)
"""So long ago an appointment may have been that is written down now."""


async def request(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    whom: str,
    person_id: int,
    wanted: str,
    consent: str,
    by: Actor,
    now: datetime,
) -> PartnerReferral:
    """Ask a partner for something for somebody of the case. `whom`: a partner's id, or the code of
    one of the contract's signposts. The wait is counted from now. Sent twice it is
    asked once."""
    require(by, "referral.work", case.contract)
    if case.status != CaseStatus.OPEN:
        raise InvalidInput("This case is closed. Open it again before you ask somebody.")
    partner_id, signpost, kind = await _whom(session, contract, whom, by)
    if person_id not in await _people_of(session, case):
        raise InvalidInput("Choose for whom it is: somebody of this case.")
    if consent not in list(ConsentKind):
        raise InvalidInput("Say what they agreed to: nobody is named to others without it.")
    found = PartnerReferral(
        contract=case.contract,
        case_id=case.id or 0,
        person_id=person_id,
        partner_id=partner_id,
        signpost=signpost,
        kind=kind,
        wanted=in_a_line(wanted, LONGEST, "Say what they are asked for."),
        consent=consent,
        consent_at=now,
        requested_at=now,
        requested_by_id=by.user_id,
    )
    same = ("case_id", "person_id", "partner_id", "signpost", "wanted")
    before = await twin(
        session, found, by, now, who="requested_by_id", at="requested_at", same=same
    )
    if before is not None:
        return before
    session.add(found)
    await session.flush()
    await _watch(session, contract, case, found, now)
    await _event(session, "partner.asked", found, now, by, asked=kind, consent=consent)
    return found


async def answer(
    session: AsyncSession,
    case: Case,
    referral_id: int,
    has_accepted: bool,
    words: str,
    by: Actor,
    now: datetime,
) -> None:
    """They said yes or no. A no needs their reason, ends the wait and leaves the need."""
    found = await find(session, case, referral_id, by)
    if found.state != ReferralState.REQUESTED:
        raise Conflict("They have answered already. Load the page again to see what they said.")
    missing = "" if has_accepted else "Say why they declined, so that the next is asked better."
    found.answered_words = in_a_line(words, LONGEST, missing) or None
    found.answered_at = now
    found.state = ReferralState.ACCEPTED if has_accepted else ReferralState.DECLINED
    if not has_accepted:
        found.ended_at, found.ended_by_id = now, by.user_id
        await _settle(session, case, found, now, by, is_kept=False)
    await session.flush()
    await _event(session, f"partner.{found.state}", found, now, by)


async def note_session(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    referral_id: int,
    held_on: date,
    minutes: int,
    came: bool,
    by: Actor,
    now: datetime,
) -> None:
    """An appointment: when, how long in minutes, and whether they came. The first that was kept
    ends the wait."""
    found = await find(session, case, referral_id, by)
    if ReferralState(found.state).is_over:
        raise Conflict("This has ended. Ask anew before you count another appointment.")
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    if held_on > today:
        raise InvalidInput("That day has not come: count an appointment once it was.")
    if held_on < today - EARLIEST:
        raise InvalidInput("That is more than a year ago: look at the day again.")
    if not 1 <= minutes <= LONGEST_SESSION:
        raise InvalidInput(f"Give its length in minutes, from 1 to {LONGEST_SESSION}.")
    session.add(
        PartnerSession(
            referral_id=referral_id,
            held_on=held_on,
            minutes=minutes,
            came=came,
            written_at=now,
            by_user_id=by.user_id,
        )
    )
    if came:
        is_first = found.first_seen_on is None
        found.first_seen_on = min(found.first_seen_on or held_on, held_on)
        found.state, found.answered_at = ReferralState.SEEN, found.answered_at or now
        if is_first:
            await _settle(session, case, found, now, by, is_kept=True)
    await session.flush()
    await _event(session, "partner.session", found, now, by, minutes=minutes, came=came)


async def chase(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    referral_id: int,
    how: str,
    words: str,
    by: Actor,
    now: datetime,
) -> None:
    """They were asked again (N09). Where they are still waited for, the wait's clock begins anew:
    whoever chased is asked to look again after as long."""
    found = await find(session, case, referral_id, by)
    if ReferralState(found.state).is_over:
        raise Conflict("This has ended: nothing is waited for any more.")
    if how not in list(ChaseWay):
        raise InvalidInput("Say how you asked again.")
    session.add(
        PartnerChase(
            referral_id=referral_id,
            at=now,
            how=how,
            words=in_a_line(words, LONGEST, "Say whom you asked, and what they said."),
            by_user_id=by.user_id,
        )
    )
    await session.flush()
    await _event(session, "partner.chased", found, now, by, how=how)
    if ReferralState(found.state).is_waiting:
        await _settle(session, case, found, now, by, is_kept=True)
        await _watch(session, contract, case, found, now)


async def end(
    session: AsyncSession,
    case: Case,
    referral_id: int,
    ending: str,
    words: str,
    by: Actor,
    now: datetime,
) -> None:
    """It is over, and how. Who was never seen cannot have completed it."""
    found = await find(session, case, referral_id, by)
    if ReferralState(found.state).is_over:
        raise Conflict("This has ended already.")
    if ending not in list(ReferralEnding):
        raise InvalidInput("Say how it ended.")
    if ending == ReferralEnding.COMPLETED and found.first_seen_on is None:
        raise InvalidInput(
            "They were never seen: count the appointments first, or end it otherwise."
        )
    if ending == ReferralEnding.NEVER_SEEN and found.first_seen_on is not None:
        raise InvalidInput("They were seen: choose how it ended after that.")
    found.ended_words = in_a_line(words, LONGEST) or None
    found.state, found.ending = ReferralState.ENDED, ending
    found.ended_at, found.ended_by_id = now, by.user_id
    await _settle(session, case, found, now, by, is_kept=False)
    await session.flush()
    await _event(session, "partner.ended_work", found, now, by, ending=ending)


async def find(session: AsyncSession, case: Case, referral_id: int, by: Actor) -> PartnerReferral:
    """One of this case's referrals, held for this transaction."""
    require(by, "referral.work", case.contract)
    found = await session.get(
        PartnerReferral, referral_id, with_for_update=True, populate_existing=True
    )
    if found is None or found.case_id != case.id:
        raise NotFound("There is no such referral on this case.")
    return found


async def choices(
    session: AsyncSession, contract: Contract, now: datetime
) -> list[partners.Listed]:
    """Whom a case may be referred to: the directory without who waits for the council's yes."""
    found = await partners.listed(session, [contract], now)
    own = {one.code for one in contract.partners}
    return [one for one in found if one.can_be_asked and one.code not in own]


async def people(session: AsyncSession, case: Case) -> list[tuple[int, str]]:
    """For whom something may be asked: the person of the case, then its other people."""
    person = await session.get(Person, case.person_id)
    first = (case.person_id, (person.name if person else None) or "Somebody not known yet")
    others = await parts.on_case(session, case.id or 0)
    named = [
        (one.person_id, one.name or "Somebody not known yet")
        for one in others
        if one.role != "professional"
    ]
    return [first, *named]


# --- private -------------------------------------------------------------------------------------


async def _whom(
    session: AsyncSession, contract: Contract, whom: str, by: Actor
) -> tuple[int | None, str | None, str]:
    """Partner's id or signpost's code, and the kind."""
    if whom in {one.code for one in contract.signposts}:
        return None, whom, PartnerKind.OTHER
    if not (whom.isascii() and whom.isdigit() and len(whom) < 10):
        raise InvalidInput("Choose whom you ask.")
    found = await session.get(Partner, int(whom))
    if found is None or found.ended_at is not None or found.contract != contract.key:
        raise InvalidInput("Choose whom you ask.")
    if PartnerApproval(found.approval).stops_referrals:
        raise InvalidInput("The council has not agreed to them: nobody may be referred there yet.")
    return found.id, None, found.kind


async def _people_of(session: AsyncSession, case: Case) -> set[int]:
    return {person_id for person_id, _ in await people(session, case)}


async def _watch(
    session: AsyncSession, contract: Contract, case: Case, found: PartnerReferral, now: datetime
) -> None:
    """The wait's deadline begins now."""
    clock = next(
        iter(contract.clocks_for(ClockStart.PARTNER_ASKED, case.urgency, case.reason)), USUAL
    )
    plan = contract.plan(clock, now)
    deadline = Deadline(
        contract=case.contract,
        case_id=case.id,
        clock=clock.code,
        starts=ClockStart.PARTNER_ASKED,
        stops=ClockStop.PARTNER_SEEN,
        started_at=now,
        due_at=plan.due_at,
        is_certain=plan.is_certain,
        next_alert_at=clocks.moments(deadlines.TASKS, now, plan.due_at)[0].at,
    )
    session.add(deadline)
    await session.flush()
    found.deadline_id = deadline.id
    await session.flush()
    await deadlines.refresh_next_due(session, case)


async def _settle(
    session: AsyncSession,
    case: Case,
    found: PartnerReferral,
    now: datetime,
    by: Actor,
    *,
    is_kept: bool,
) -> None:
    """The wait's open deadline ends."""
    which = col(Deadline.id) == found.deadline_id
    await deadlines.end(session, now, which, is_kept=is_kept, by=by.user_id)
    await deadlines.refresh_next_due(session, case)


async def _event(
    session: AsyncSession,
    kind: str,
    found: PartnerReferral,
    now: datetime,
    by: Actor,
    **detail: Any,
) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=found.contract,
        case_id=found.case_id,
        by=by.user_id,
        referral=found.id,
        **detail,
    )
