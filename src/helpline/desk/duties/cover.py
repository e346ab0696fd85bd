"""What the membership gives somebody who is accused: legal expenses, the legal line, counselling
for each of the household, and a clear answer about their money (A31–A34, A38, domain.md §9).

We write down what insurers, services and the council said; nothing here promises cover.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import escalation, events, incidents, membership, parts
from helpline.desk.duties import repeats
from helpline.desk.holding import twin
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Case,
    CounsellingOffer,
    ExpensesClaim,
    LegalHandOff,
    MoneyPosition,
    Person,
)
from helpline.rules.duties import (
    ClaimState,
    HandOff,
    Money,
    MoneyState,
    OfferState,
    Proceeding,
)
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import AlertKind, PartRole

LONGEST_NAME = 160
LONG_PAST = timedelta(days=366)
LONGEST_WORDS = 1000
MOST_ON_A_CASE = 40
LINE_DOWN = "service_failure"
"""The kind of incident, where the contract has it."""
ONE_OUTAGE = timedelta(hours=1)


# --- legal expenses -------------------------------------------------------------------------------


async def claims(session: AsyncSession, case_id: int) -> Sequence[ExpensesClaim]:
    rows = await session.scalars(
        select(ExpensesClaim)
        .where(col(ExpensesClaim.case_id) == case_id)
        .order_by(col(ExpensesClaim.id))
    )
    return rows.all()


async def open_claim(
    session: AsyncSession,
    case: Case,
    who: str,
    proceeding: str,
    insurer: str,
    policy: str,
    by: Actor,
    now: datetime,
) -> ExpensesClaim:
    """Somebody of the household is to be defended or represented. The insurer must hear promptly:
    that is a condition of most policies. Sent twice it is one claim."""
    require(by, "duty.write", case.contract)
    if proceeding not in list(Proceeding):
        raise InvalidInput("Choose whether it is a criminal or a civil matter.")
    if len(await claims(session, case.id or 0)) >= MOST_ON_A_CASE:
        raise InvalidInput("That is more claims than a case can hold.")
    claim = ExpensesClaim(
        contract=case.contract,
        case_id=case.id or 0,
        who=in_a_line(who, LONGEST_NAME, "Say who is to be covered."),
        proceeding=proceeding,
        insurer=in_a_line(insurer, LONGEST_NAME) or None,
        policy=in_a_line(policy, LONGEST_NAME) or None,
        recorded_at=now,
        recorded_by_id=by.user_id,
    )
    same = ("case_id", "who", "proceeding", "insurer", "policy")
    before = await twin(session, claim, by, now, who="recorded_by_id", at="recorded_at", same=same)
    if before is not None:
        return before
    session.add(claim)
    await session.flush()
    await events.on_case(
        session, "claim.opened", case, now, by, claim=claim.id, proceeding=proceeding
    )
    return claim


async def move_claim(
    session: AsyncSession,
    case: Case,
    claim_id: int,
    state: str,
    words: str,
    by: Actor,
    now: datetime,
) -> None:
    """The insurer was told, said yes or no, or it is closed. A no needs the insurer's reason."""
    require(by, "duty.write", case.contract)
    claim = await session.get(ExpensesClaim, claim_id, with_for_update=True)
    if claim is None or claim.case_id != case.id:
        raise NotFound("There is no such claim on this case.")
    if state not in list(ClaimState):
        raise InvalidInput("Choose what happened to the claim.")
    there = ClaimState(state)
    if there not in ClaimState(claim.state).may_become:
        raise Conflict("That cannot follow on where the claim stands now. Look at it again.")
    missing = "Give the insurer's reason." if there is ClaimState.DECLINED else ""
    claim.words = in_a_line(words, LONGEST_WORDS, missing) or claim.words
    claim.state = there
    if there is ClaimState.NOTIFIED:
        claim.notified_at = now
    elif there is ClaimState.CLOSED:
        claim.closed_at = now
    else:
        claim.answered_at = now
    await session.flush()
    await events.on_case(session, "claim.moved", case, now, by, claim=claim.id, state=there)


# --- the legal line -------------------------------------------------------------------------------


async def hand_off(
    session: AsyncSession, contract: Contract, case: Case, result: str, by: Actor, now: datetime
) -> LegalHandOff:
    """They were given the legal helpline, or put through to it. Where nobody answers there, a lead
    hears at once and it is an incident: the line is promised day and night (A38)."""
    require(by, "duty.write", case.contract)
    if result not in list(HandOff):
        raise InvalidInput("Choose how it went.")
    is_news = not await _has_just_failed(session, contract, now)
    row = LegalHandOff(
        contract=case.contract, case_id=case.id or 0, result=result, at=now, by_user_id=by.user_id
    )
    session.add(row)
    await session.flush()
    await events.on_case(session, "legal_line.handed_off", case, now, by, result=result)
    if result == HandOff.LINE_FAILED:
        cause = escalation.Cause(
            AlertKind.WARNING,
            f"legal_line:{row.id}",
            case.reference,
            stage=2,
            case_id=case.id,
            rungs=("lead", "manager"),
        )
        await escalation.raise_alert(session, contract, cause, now)
        if is_news and any(kind.code == LINE_DOWN for kind in contract.incidents):
            told = incidents.Told(LINE_DOWN, "Nobody answered the legal helpline.", now, now)
            await incidents.log(session, contract, told, by, now)
    return row


async def _has_just_failed(session: AsyncSession, contract: Contract, now: datetime) -> bool:
    """One outage is one incident, however many try."""
    query = select(col(LegalHandOff.id)).where(
        col(LegalHandOff.contract) == contract.key,
        col(LegalHandOff.result) == HandOff.LINE_FAILED,
        col(LegalHandOff.at) > now - ONE_OUTAGE,
    )
    return await session.scalar(query.limit(1)) is not None


async def hand_offs(session: AsyncSession, case_id: int) -> Sequence[LegalHandOff]:
    rows = await session.scalars(
        select(LegalHandOff)
        .where(col(LegalHandOff.case_id) == case_id)
        .order_by(col(LegalHandOff.at).desc())
        .limit(MOST_ON_A_CASE)
    )
    return rows.all()


async def hand_off_counts(
    session: AsyncSession, contract: str, since: datetime, until: datetime
) -> dict[str, int]:
    """How often the legal line was given, by how it went, between two instants."""
    rows = await session.execute(
        select(col(LegalHandOff.result), func.count())
        .where(
            col(LegalHandOff.contract) == contract,
            col(LegalHandOff.at) >= since,
            col(LegalHandOff.at) < until,
        )
        .group_by(col(LegalHandOff.result))
    )
    counts = dict.fromkeys((str(one) for one in HandOff), 0)
    return counts | {str(result): count for result, count in rows}


# --- counselling ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Member:
    """Somebody of the household and the newest word on counselling for them."""

    person_id: int | None
    who: str
    is_child: bool
    offer: CounsellingOffer | None


async def household(
    session: AsyncSession, contract: Contract, case: Case, actor: Actor
) -> list[Member]:
    """Everybody who lives there, by what is known on this case and by the register, with what they
    were offered; of the register no more than `actor` may see, so nobody across a wall."""
    person = await session.get(Person, case.person_id)
    listed = [
        (
            case.person_id,
            (person.name if person else None) or f"The {contract.nouns(case.group).carer}",
            False,
        )
    ]
    for part in await parts.on_case(session, case.id or 0):
        if part.role in parts.LIVES_THERE:
            is_child = _is_child(contract, part.group, part.role)
            listed.append((part.person_id, part.name or "Somebody who lives there", is_child))
    known = {id_ for id_, _, _ in listed}
    known |= await repeats.joined(session, known)
    living = await membership.household_of(session, actor, person) if person else []
    listed += [
        (row.id, row.name or "Somebody who lives there", _is_child(contract, row.group))
        for row in living
        if row.id not in known
    ]
    newest: dict[int | None, CounsellingOffer] = {}
    rows = await session.scalars(
        select(CounsellingOffer)
        .where(col(CounsellingOffer.case_id) == case.id)
        .order_by(col(CounsellingOffer.id))
    )
    themself = {case.person_id} | await repeats.joined(session, {case.person_id})
    for row in rows:
        newest[case.person_id if row.person_id in themself else row.person_id] = row
    return [Member(who, name, child, newest.get(who)) for who, name, child in listed]


def _is_child(contract: Contract, group: str, role: str = "") -> bool:
    """By what they are in the case, or by the group the register has them in."""
    children = contract.feedback.child_groups if contract.feedback else ()
    return role == PartRole.OWN_CHILD or group in children


async def offer(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    person_id: int,
    state: str,
    checked_with: str,
    by: Actor,
    now: datetime,
) -> CounsellingOffer:
    """Counselling was offered to one of the household, and what they said. A child of their own is
    referred only once the investigating team has been asked whether it touches evidence."""
    require(by, "duty.write", case.contract)
    if state not in list(OfferState):
        raise InvalidInput("Choose what became of the offer.")
    listed = await household(session, contract, case, by)
    member = next((m for m in listed if m.person_id == person_id), None)
    if member is None:
        raise NotFound("They have no part in this case.")
    before = member.offer
    checked = in_a_line(checked_with, LONGEST_NAME) or (before.checked_with if before else None)
    if member.is_child and state == OfferState.REFERRED and not checked:
        raise InvalidInput(
            "Ask the investigating team first whether counselling touches the child's evidence, "
            "and write down who answered."
        )
    was_checked = before.checked_at if before and before.checked_with == checked else None
    row = CounsellingOffer(
        contract=case.contract,
        case_id=case.id or 0,
        person_id=person_id,
        who=member.who,
        is_child=member.is_child,
        state=state,
        at=now,
        by_user_id=by.user_id,
        checked_with=checked,
        checked_at=(was_checked or now) if checked else None,
    )
    session.add(row)
    await session.flush()
    await events.on_case(session, "counselling.offered", case, now, by, offer=row.id, state=state)
    return row


# --- money ----------------------------------------------------------------------------------------


async def money(session: AsyncSession, case_id: int) -> dict[str, MoneyPosition]:
    """What is known of the allowance and of the fee: the newest of each."""
    rows = await session.scalars(
        select(MoneyPosition)
        .where(col(MoneyPosition.case_id) == case_id)
        .order_by(col(MoneyPosition.id))
    )
    return {row.what: row for row in rows}


async def set_money(
    session: AsyncSession,
    case: Case,
    what: str,
    state: str,
    until: date | None,
    told_by: str,
    words: str,
    by: Actor,
    now: datetime,
) -> MoneyPosition:
    """What they were told about their allowance or fee, until when and by whom; or that they, or we
    for them, have asked. An answer says who gave it."""
    require(by, "duty.write", case.contract)
    if what not in list(Money):
        raise InvalidInput("Choose whether it is the allowance or the fee.")
    if state not in list(MoneyState):
        raise InvalidInput("Choose what they were told.")
    missing = "Say who told them so." if MoneyState(state).is_answer else ""
    if until is not None and not missing:
        raise InvalidInput("Leave the last day empty: nobody has answered yet.")
    if until is not None and until < case.opened_at.date() - LONG_PAST:
        raise InvalidInput("That last day is more than a year before this case: look at it again.")
    row = MoneyPosition(
        contract=case.contract,
        case_id=case.id or 0,
        what=what,
        state=state,
        until=until,
        told_by=in_a_line(told_by, LONGEST_NAME, missing) or None,
        words=in_a_line(words, LONGEST_WORDS) or None,
        at=now,
        by_user_id=by.user_id,
    )
    session.add(row)
    await session.flush()
    await events.on_case(session, "money.told", case, now, by, money=what, state=state)
    return row
