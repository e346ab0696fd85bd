"""The promised time is over and nobody has answered: whoever waits is told so once, and whom to
ring.

Called by desk/due in the transaction that finds it out. It makes no new promise.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.db import AWAY
from helpline.desk import cases, deadlines, signposts
from helpline.log import log, where
from helpline.models import Case, Person
from helpline.rules import saying
from helpline.templating import Wording
from helpline.vocabulary import CaseStatus, ContactKind


@dataclass(frozen=True)
class Wait:
    """Somebody waits for an answer that was promised for `due_at`."""

    deadline_id: int
    case_id: int
    due_at: datetime


async def say_sorry_or_go_on(
    session: AsyncSession, contract: Contract, wording: Wording, wait: Wait, now: datetime
) -> None:
    """As `say_sorry`; where it cannot be said (an address that nothing opens any more), all that is
    written in the same transaction stands: alerts are not lost for an apology (design.md §4.14)."""
    try:
        async with session.begin_nested():
            await say_sorry(session, contract, wording, wait, now)
    except AWAY:
        raise
    except Exception as error:
        log().error("late.not_said", deadline=wait.deadline_id, where=where(error))


async def say_sorry(
    session: AsyncSession, contract: Contract, wording: Wording, wait: Wait, now: datetime
) -> None:
    """Tell the person of this case that the answer promised for then is late; once, however many
    clocks wait for it. Who can not be written to, or whose case is closed, is told nothing."""
    case = await session.get(Case, wait.case_id)
    if case is None or case.status != CaseStatus.OPEN:
        return
    if await deadlines.was_broken_before(session, wait.deadline_id):
        return
    address = await cases.reply_address(session, case)
    if address is None or address.opted_out_at is not None or address.channel == "email":
        return  # a letter may be read by a program that answers: no more of them than one
    person = await session.get(Person, case.person_id)
    body = wording.of(contract.own_words).say(
        "late",
        person.language if person else "en",
        reference=case.reference,
        by_when=saying.by_when(wait.due_at, now, contract.zone),
        ring_us=signposts.words(contract, "")["ring_us"],
    )
    await cases.send_to_person(
        session, contract, case, address, body, now, kind=ContactKind.AUTOMATIC
    )
