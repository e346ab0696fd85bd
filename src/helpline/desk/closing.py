"""Closing a case: what is still owed is met first, or somebody says why it is closed all the same.

Nothing that is owed ends by closing: its clocks go on and ask whoever they asked before. The reason
is kept as a decision on the case. Called by the page of a case; commits nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import advice, cases, lists, nexts
from helpline.errors import InvalidInput
from helpline.models import Case
from helpline.rules.permissions import Actor

UNANSWERED = (
    "Nobody has answered this person yet. Answer them, or say why it is closed all the same."
)
OWED = "Something is still owed on this case. See to it, or say why it is closed all the same."
ALL_THE_SAME = "The case is closed although something is still owed, or nobody has answered."


async def close(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    supports: Sequence[str],
    outcome: str,
    although: str,
    by: Actor,
    now: datetime,
    advised: Mapping[str, advice.Typed] = MappingProxyType({}),
) -> None:
    """As `cases.close`, once nothing is owed, nobody waits and every alert is taken; or with
    `although`, the reason, which is kept where there is something to explain. InvalidInput says
    which of these it is, after what is missing in the form itself; the transaction is the caller's
    to roll back."""
    lacking = await _lacking(session, contract, case, by, now)
    await cases.close(session, contract, case, supports, outcome, by, now, advised)
    if lacking and not although.strip():
        raise InvalidInput(lacking)
    if lacking:
        await cases.add_decision(session, case, ALL_THE_SAME, although, by, now)


async def _lacking(
    session: AsyncSession, contract: Contract, case: Case, by: Actor, now: datetime
) -> str:
    """What has to be explained, as a sentence; empty where nothing has."""
    owed = [one for one in await nexts.of_case(session, contract, case, by, now) if one.is_owed]
    if any(one.kind in ("answer", "answer_again") for one in owed):
        return UNANSWERED
    has_alert = bool(await lists.open_alerts(session, by, [contract.key], case.id))
    return OWED if owed or has_alert else ""
