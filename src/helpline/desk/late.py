"""The promised time is over and nobody has answered: whoever waits is told so once, and whom to
ring.

Called by desk/due in the transaction that finds it out. It makes no new promise.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import cases, signposts
from helpline.models import Case, Person
from helpline.rules import saying
from helpline.templating import Wording
from helpline.vocabulary import CaseStatus, ContactKind


async def say_sorry(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    case_id: int,
    due_at: datetime,
    now: datetime,
) -> None:
    """Tell the person of this case that the answer promised for `due_at` is late. Who can not be
    written to, or whose case is closed, is told nothing."""
    case = await session.get(Case, case_id)
    if case is None or case.status != CaseStatus.OPEN:
        return
    address = await cases.reply_address(session, case)
    if address is None or address.opted_out_at is not None or address.channel == "email":
        return  # a letter may be read by a program that answers: no more of them than one
    person = await session.get(Person, case.person_id)
    body = wording.say(
        "late",
        person.language if person else "en",
        reference=case.reference,
        by_when=saying.by_when(due_at, now, contract.zone),
        ring_us=signposts.words(contract, "")["ring_us"],
    )
    await cases.send_to_person(
        session, contract, case, address, body, now, kind=ContactKind.AUTOMATIC
    )
