"""What the contract's schedule says of each closed case, and what keeps one longer: a hold, an open
request or complaint, a child's birthday nobody wrote down. Read only, for desk/rights/retention.
"""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.models import Case, Complaint, CounsellingOffer, DataRequest, LegalHold, Person
from helpline.rules import retention as rules
from helpline.vocabulary import CaseKind, HoldKind, StayReason


async def judged(
    session: AsyncSession,
    contract: Contract,
    today: date,
    *which: Any,
    asked: int | None = None,
) -> list[tuple[Case, rules.Verdict]]:
    """The closed cases of a contract with what the schedule says of each. `asked`: a request that
    does not keep them, because it is what asks for their erasing."""
    schedule = [one.rule for one in contract.retention]
    held = select(LegalHold).where(
        col(LegalHold.ended_at).is_(None),
        (col(LegalHold.case_id) == col(Case.id))
        | (col(LegalHold.case_id).is_(None) & (col(LegalHold.person_id) == col(Case.person_id))),
    )
    birthday = held.where(col(LegalHold.kind) == HoldKind.BIRTHDAY)
    request = select(col(DataRequest.id)).where(
        col(DataRequest.person_id) == col(Case.person_id),
        col(DataRequest.closed_at).is_(None),
        *(() if asked is None else (col(DataRequest.id) != asked,)),
    )
    complaint = select(col(Complaint.id)).where(
        (col(Complaint.case_id) == col(Case.id)) | (col(Complaint.about_case_id) == col(Case.id)),
        _is_kept(contract, today),
    )
    counselled = select(col(CounsellingOffer.id)).where(
        col(CounsellingOffer.case_id) == col(Case.id)
    )
    query: Any = (
        select(
            Case,
            Person,
            exists(held.correlate(Case)).label("held"),
            exists(birthday.correlate(Case)).label("birthday"),
            exists(request.correlate(Case)).label("request"),
            exists(complaint.correlate(Case)).label("complaint"),
            exists(counselled.correlate(Case)).label("counselled"),
        )
        .join(Person, col(Person.id) == col(Case.person_id))
        .where(col(Case.contract) == contract.key, col(Case.closed_at).is_not(None), *which)
        .order_by(col(Case.closed_at))
    )
    found = []
    for row in await session.execute(query):
        said = rules.verdict(_facts(contract, row), schedule)
        if said is not None:
            found.append((row.Case, said))
    return found


def _is_kept(contract: Contract, today: date) -> ColumnElement[bool]:
    """That a complaint is open, or that the contract's own time for complaints still runs from its
    last answer: then what it is about stays as well."""
    is_open = col(Complaint.closed_at).is_(None)
    times = [one.rule for one in contract.retention if CaseKind.COMPLAINT in one.cases]
    last = func.coalesce(col(Complaint.answered_at), col(Complaint.closed_at))
    return or_(
        is_open,
        *(last > contract.days.end_of(rules.all_over(one, today), time.max) for one in times),
    )


def may_be_over(contract: Contract, now: datetime) -> ColumnElement[bool]:
    """What the shortest rule of a case's kind lets go: the database leaves out all the rest, so
    that looking each hour opens nothing. Which rule holds is said by rules/retention.py."""
    today = contract.days.day_of(now)
    found: list[ColumnElement[bool]] = [false()]
    for rule in (one.rule for one in contract.retention):
        before = contract.days.end_of(rules.closed_before(rule, today), time.max)
        is_old = col(Case.closed_at) <= before
        if rule.kinds:
            found.append(col(Case.kind).in_(rule.kinds) & is_old)
        if rule.anonymous:
            found.append(col(Person.name).is_(None) & is_old)
    return or_(*found)


def _facts(contract: Contract, row: Row[Any]) -> rules.Facts:
    stays = [
        (row.held, StayReason.HOLD),
        (row.request, StayReason.REQUEST),
        (row.complaint, StayReason.COMPLAINT),
    ]
    person: Person = row.Person
    is_nobody = person.name is None and person.register_id is None
    return rules.Facts(
        kind=row.Case.kind,
        closed_on=contract.days.day_of(row.Case.closed_at),
        is_anonymous=is_nobody,
        had_counselling=row.counselled,
        is_child=row.Case.group in rules.CHILDREN or person.group in rules.CHILDREN,
        knows_birthday=row.birthday,
        stays=[reason for is_so, reason in stays if is_so],
    )
