"""Whether a case is within the contract: decided when it opens and whenever a fact changes, kept on
the case, and overridden only by a lead with a reason (A02, A09, A35, K04).

Called by desk/cases.py (opening), intake (somebody says who they are) and the person's page. The
decision itself is rules/eligibility.py; here the facts are loaded. Nobody is refused an answer.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.desk.people import MEMBERSHIPS, days_of
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput
from helpline.models import Address, Case, EligibilityDecision, Membership, Person, User
from helpline.rules import eligibility as rules
from helpline.rules import elsewhere
from helpline.rules.eligibility import Decision, Facts
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import CaseStatus, Eligibility

LONGEST_WHY: Final = 500
IN_HOUSE: Final = "in_house"
"""What the form says for whoever this council approved itself."""


async def facts_of(session: AsyncSession, contract: Contract, person: Person, on: date) -> Facts:
    """What is known of a person on that day."""
    held = list(await session.scalars(MEMBERSHIPS, {"person": person.id}))
    days = tuple(days_of(one) for one in held)
    holding = (one for one, span in zip(held, days, strict=True) if span.holds(on))
    best = next(holding, held[0] if held else None)
    group = best.group if best else person.group
    listed = {one.code: one for one in contract.groups}
    counts_as = listed[group].counts_as if group in listed else "other"
    limit = contract.age_limit
    refuses = contract.term.after_end == "refuse"
    return Facts(
        on=on,
        counts_as=counts_as,
        held=days,
        excluded_by=person.approved_by,
        household_is_approved=counts_as == "family"
        and await _household_is_approved(session, contract, person, on),
        has_age_limit=limit is not None and group in limit.groups,
        is_young_person_within=_is_within(contract, person, on),
        term_ended=refuses and on > contract.term.last_day,
    )


def _is_within(contract: Contract, person: Person, on: date) -> bool | None:
    if contract.age_limit is None or person.young_person_born is None:
        return None
    return contract.age_limit.covers(date.fromisoformat(person.young_person_born), on)


async def _household_is_approved(
    session: AsyncSession, contract: Contract, person: Person, on: date
) -> bool:
    """Whether somebody of the household holds an approval as a carer that day."""
    if person.household_index is None:
        return False
    carers = [one.code for one in contract.groups if one.counts_as == "carer"]
    found = await session.scalars(
        select(Membership)
        .join(Person, col(Person.id) == col(Membership.person_id))
        .where(
            col(Person.contract) == contract.key,
            col(Person.household_index) == person.household_index,
            col(Person.id) != person.id,
            col(Membership.group).in_(carers),
        )
    )
    return any(days_of(one).holds(on) for one in found)


async def decision_for(
    session: AsyncSession, contract: Contract, person: Person, now: datetime
) -> Decision:
    """As of today, for the person's page."""
    on = now.astimezone(ZoneInfo(contract.zone)).date()
    return rules.decide(await facts_of(session, contract, person, on))


async def take_down(session: AsyncSession, contract: Contract, case: Case, now: datetime) -> None:
    """A case that opens takes the decision down, as it takes down group, team and quadrant."""
    person = await session.get(Person, case.person_id)
    if person is not None:
        decided = await decision_for(session, contract, person, now)
        case.eligibility, case.eligibility_reason = decided.eligibility, decided.reason


async def decide_again(
    session: AsyncSession, contract: Contract, case: Case, by: Actor | None, now: datetime
) -> None:
    """A fact changed: who they are, who approved them, how old the young person is. What a lead
    decided stands until a lead decides otherwise."""
    if case.eligibility_reason == rules.OVERRIDE:
        return
    before = (case.eligibility, case.eligibility_reason)
    await take_down(session, contract, case, now)
    if (case.eligibility, case.eligibility_reason) != before:
        await _write(session, case, None, by, now)


async def decide_cases_again(
    session: AsyncSession, contract: Contract, person: Person, by: Actor | None, now: datetime
) -> None:
    """The same for every open case of a person."""
    rows = await session.scalars(
        select(Case).where(col(Case.person_id) == person.id, col(Case.status) == CaseStatus.OPEN)
    )
    for case in rows:
        await decide_again(session, contract, case, by, now)


async def heard_elsewhere(
    session: AsyncSession, contract: Contract, address: Address, case: Case | None, text: str
) -> str | None:
    """The contract's exclusion that they name as whoever approved them ("I foster for Southend").
    None where the council's list knows better, where it was decided, or heard before."""
    if address.from_register or (
        case is not None
        and (case.eligibility in (Eligibility.IN, Eligibility.OUT) or case.said_exclusion)
    ):
        return None
    person = await session.get(Person, address.person_id)
    if person is not None and person.approved_by:
        return None
    named = {one.code: (*one.synonyms, *one.said) for one in contract.exclusions}
    return elsewhere.approved_elsewhere(text, named, (contract.council, contract.council_full))


async def suggest(session: AsyncSession, case: Case, exclusion: str, now: datetime) -> None:
    """Probably not within the contract: a person looks, and the machine refuses nobody."""
    case.said_exclusion = exclusion
    await session.flush()
    await events.record(
        session,
        "case.may_be_out",
        now,
        contract=case.contract,
        case_id=case.id,
        exclusion=exclusion,
    )


async def settle_suggestion(
    session: AsyncSession, contract: Contract, case: Case, is_so: bool, by: Actor, now: datetime
) -> None:
    """A worker says whether it is so. Then they are decided anew, like after any fact; if it is
    not, the case is as it was. Said twice changes nothing."""
    require(by, "case.triage", case.contract)
    if case.said_exclusion is None:
        return
    exclusion, case.said_exclusion = case.said_exclusion, None
    person = await session.get(Person, case.person_id)
    if is_so and person is not None:
        person.approved_by = exclusion
        await session.flush()
        await decide_cases_again(session, contract, person, by, now)
    await session.flush()
    await events.record(
        session,
        "case.may_be_out_settled",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        exclusion=exclusion,
        is_so=is_so,
    )


def words_elsewhere(contract: Contract, exclusion: str | None) -> dict[str, str]:
    """For the text "approved_elsewhere": who else helps, and when that was last looked at."""
    if exclusion is None:
        return {}
    line = signpost_for(contract, exclusion)
    checked = next((one.last_verified for one in contract.signposts if one.line == line), None)
    return {
        "elsewhere": line,
        "elsewhere_checked": f"{checked:%-d %B %Y}" if checked else "",
    }


async def override(
    session: AsyncSession, case: Case, decision: str, why: str, by: Actor, now: datetime
) -> None:
    """A lead decides otherwise than the rules, and says why (K04)."""
    require(by, "eligibility.override", case.contract)
    if decision not in (Eligibility.IN, Eligibility.OUT):
        raise InvalidInput("Choose whether they are within the contract or not.")
    said = in_a_line(why, LONGEST_WHY, "Say why: the council may ask.")
    case.eligibility, case.eligibility_reason = decision, rules.OVERRIDE
    case.said_exclusion = None
    await _write(session, case, said, by, now)


async def history(session: AsyncSession, case_id: int) -> Sequence[Row[Any]]:
    """What was decided, when, by whom and why, the newest first."""
    query = (
        select(EligibilityDecision.__table__, User.shown_name.label("by"))  # type: ignore[attr-defined]
        .outerjoin(User, col(User.id) == col(EligibilityDecision.by_user_id))
        .where(col(EligibilityDecision.case_id) == case_id)
        .order_by(col(EligibilityDecision.id).desc())
    )
    return list(await session.execute(query))


def sentence(contract: Contract, reason: str | None) -> str:
    """The reason in words: the contract's own for an exclusion."""
    for one in contract.exclusions:
        if one.code == reason:
            return one.reason
    return rules.SENTENCES.get(reason or "", "")


def signpost_for(contract: Contract, reason: str | None) -> str:
    """The line of whoever else helps somebody who is out; any contract has one for them."""
    code = next((one.signpost for one in contract.exclusions if one.code == reason), None)
    lines = {one.code: one.line for one in contract.signposts}
    if code in lines:
        return lines[code]
    return next((one.line for one in contract.signposts if one.audience == "ineligible"), "")


async def _write(
    session: AsyncSession, case: Case, why: str | None, by: Actor | None, now: datetime
) -> None:
    session.add(
        EligibilityDecision(
            contract=case.contract,
            case_id=case.id or 0,
            decision=case.eligibility or Eligibility.UNKNOWN,
            reason=case.eligibility_reason or rules.NOT_KNOWN,
            why=why,
            at=now,
            by_user_id=by.user_id if by else None,
        )
    )
    await session.flush()
    await events.record(
        session,
        "case.eligibility",
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id if by else None,
        decision=case.eligibility,
        reason=case.eligibility_reason,
    )
