"""What the record of a closed case lacks, put there without opening the case again: what they got,
how it ended. Reports count both.

Called by the case's page. It answers nobody, begins no promise and writes over nothing: what stands
on the record already stays. Commits nothing.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import advice, casefile, events
from helpline.errors import Conflict, InvalidInput
from helpline.models import Case, CaseSupport
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import UNKNOWN, CaseStatus


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
