"""What the record of a case lacks and reports count, put there later: of a closed one what they got
and how it ended, of any how they reached us.

Called by the case's page. It answers nobody, begins no promise and writes over nothing: what stands
on the record already stays. Commits nothing.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.agreement import LAST_RESORT
from helpline.desk import advice, casefile, events
from helpline.errors import Conflict, InvalidInput
from helpline.models import Case, CaseSupport, metadata
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import UNKNOWN, CaseStatus, Direction

CONTACT = metadata.tables["contact"]
IMPORTED = "imported"


def lacks_outcome(case: Case) -> bool:
    return case.outcome in (None, "", UNKNOWN)


async def complete(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    supports: Sequence[str],
    outcome: str,
    by: Actor,
    now: datetime,
) -> None:
    """Put what is missing on the record of a closed case. Conflict where nothing is."""
    require(by, "case.close", case.contract)
    if case.status != CaseStatus.CLOSED:
        raise Conflict("This case is open: say what they got and how it ended when you close it.")
    lacks_support = not await casefile.supports_of(session, case)
    if not lacks_support and not lacks_outcome(case):
        raise Conflict("What they got and how it ended is on the record already.")
    said = _checked(contract, supports) if lacks_support else []
    if outcome and outcome not in {known.code for known in contract.outcomes} - {UNKNOWN}:
        raise InvalidInput("Choose from the list how the case ended.")
    ended = outcome if lacks_outcome(case) else ""
    if not said and not ended:
        raise InvalidInput("Choose what they got, or how it ended.")
    session.add_all(
        CaseSupport(case_id=case.id or 0, support=one, at=now, by_user_id=by.user_id)
        for one in said
    )
    case.outcome = ended or case.outcome
    await session.flush()
    await events.on_case(session, "case.completed", case, now, by, outcome=ended, supports=said)


async def lacks_method(session: AsyncSession, contract: Contract, case: Case) -> bool:
    """Whether nobody knows how they reached us, when the case began or some time since."""
    unknown = exists().where(_of_case(case), _nobody_knows(contract))
    return _is_open(contract, case) or bool(await session.scalar(select(unknown)))


async def say_method(
    session: AsyncSession, contract: Contract, case: Case, method: str, by: Actor, now: datetime
) -> None:
    """How they reached us, where nobody knew. Reports count contacts by each one's own method, and
    cases and promises by that of the case: both are written. What came by a way that we know, or
    that somebody wrote down, is what happened and stays. Conflict where all of it is known."""
    require(by, "case.triage", case.contract)
    if method not in known_methods(contract):
        raise InvalidInput("Choose from the list how they reached us.")
    if not await lacks_method(session, contract, case):
        raise Conflict("How they reached us is on the record already.")
    before = case.method
    if _is_open(contract, case):
        case.method = method
    await session.flush()
    written = await session.execute(
        update(CONTACT)
        .where(_of_case(case), _nobody_knows(contract))
        .values(method=method)
        .returning(CONTACT.c.id)
    )
    said = {"method": method, "before": before, "contacts": len(written.all())}
    await events.on_case(session, "case.method_set", case, now, by, **said)


def known_methods(contract: Contract) -> list[str]:
    return [one.code for one in contract.methods if one.code != UNKNOWN]


def _is_open(contract: Contract, case: Case) -> bool:
    """Of a past log "other" may say no more than that nobody wrote it down."""
    is_vague = case.method == LAST_RESORT and case.import_key is not None
    return is_vague or case.method not in known_methods(contract)


def _of_case(case: Case) -> ColumnElement[bool]:
    return and_(CONTACT.c.case_id == case.id, CONTACT.c.direction == Direction.IN)


def _nobody_knows(contract: Contract) -> ColumnElement[bool]:
    is_vague = and_(CONTACT.c.method == LAST_RESORT, CONTACT.c.what == IMPORTED)
    return or_(CONTACT.c.method.not_in(known_methods(contract)), is_vague)


def _checked(contract: Contract, supports: Sequence[str]) -> list[str]:
    if set(supports) - {known.code for known in contract.support}:
        raise InvalidInput("Choose from the list what was provided.")
    asked = advice.asked_of(contract, supports)
    if asked:
        raise InvalidInput(
            f"{asked[0].name}: it must be known who gave it. Open the case again, and close it "
            "with their name."
        )
    return sorted(set(supports))
