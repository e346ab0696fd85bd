"""A message that belongs elsewhere: two people share a telephone, or somebody wrote about another
matter. It moves to the case it belongs to; or what comes from that address from now on gets a case
of its own.

Called by the page of one message. What was promised on either case stays as it is: the person who
waits there is answered there.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Result, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import events, search
from helpline.errors import InvalidInput, NotFound
from helpline.models import Address, Attachment, Case, Contact, Conversation, TriageReading
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import CaseStatus, Direction, Step


async def find_message(
    session: AsyncSession, case: Case, contact_id: int, *, lock: bool = False
) -> Contact:
    """Something that came in on this case; NotFound for anything else."""
    contact = await session.get(Contact, contact_id, with_for_update=lock or None)
    is_theirs = contact is not None and contact.direction == Direction.IN
    if contact is None or not is_theirs or contact.case_id != case.id:
        raise NotFound("There is no such message on this case.")
    return contact


async def conversations(session: AsyncSession, case: Case) -> Sequence[Row[Any]]:
    """Where the person of this case writes from: address id, channel, value."""
    found: Result[Any] = await session.execute(
        select(col(Address.id), col(Address.channel), col(Address.value))
        .join(Conversation, col(Conversation.address_id) == col(Address.id))
        .where(col(Conversation.case_id) == case.id)
        .order_by(col(Address.id))
    )
    return found.all()


async def move_message(
    session: AsyncSession, case: Case, contact_id: int, to: Case, by: Actor, now: datetime
) -> None:
    """The message, with its files, is on the case `to` from now on, which `by` was found to see."""
    require(by, "case.triage", case.contract)
    contact = await find_message(session, case, contact_id, lock=True)
    if to.contract != case.contract:
        raise InvalidInput("That case is of another contract. Hand this one over instead.")
    if to.id == case.id:
        raise InvalidInput("The message is on this case already. Give another case.")
    if to.status != CaseStatus.OPEN:
        raise InvalidInput("That case is closed. Open it again first, so that somebody answers.")
    contact.case_id, contact.person_id = to.id or 0, to.person_id
    to.last_in_at = max(contact.at, to.last_in_at or contact.at)
    await session.execute(
        update(Attachment)
        .where(col(Attachment.contact_id) == contact_id)
        .values(case_id=to.id, contract=to.contract)
    )
    await session.execute(
        update(TriageReading)
        .where(col(TriageReading.contact_id) == contact_id)
        .values(case_id=to.id, contract=to.contract)
    )
    await session.flush()
    case.last_in_at = await session.scalar(
        select(func.max(col(Contact.at))).where(
            col(Contact.case_id) == case.id, col(Contact.direction) == Direction.IN
        )
    )
    await session.flush()
    await search.read_message(session, contact_id)
    for one, kind in ((case, "contact.moved_away"), (to, "contact.moved_here")):
        await events.on_case(session, kind, one, now, by, contact=contact_id)


async def split_off(
    session: AsyncSession, case: Case, address_id: int | None, by: Actor, now: datetime
) -> None:
    """What comes from this address from now on is a matter of its own: the next message opens a
    new case. What came so far stays."""
    require(by, "case.triage", case.contract)
    if address_id is None:
        raise InvalidInput("Choose where it comes from.")
    talk = await session.scalar(
        select(Conversation)
        .where(col(Conversation.address_id) == address_id, col(Conversation.case_id) == case.id)
        .with_for_update()
    )
    if talk is None:
        raise NotFound("There is no conversation with that address on this case.")
    talk.case_id, talk.step = None, Step.NEW
    await session.flush()
    await events.on_case(session, "conversation.split_off", case, now, by)
