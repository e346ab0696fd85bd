"""Who is behind a chat: proved by a code that is said once and used once.

A Telegram account has no telephone number and its name proves nothing (domain.md §8.4). A worker
reads a code to a person they know, or a member of staff makes one for their own phone; sent to the
bot, it ties the chat to them. Called by intake and by the pages that make codes.
"""

import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound
from helpline.contract import Contract
from helpline.desk import eligibility, events, outbox, people
from helpline.desk.references import LETTERS
from helpline.models import Address, Case, Conversation, LinkCode, Person, User
from helpline.rules.permissions import Actor, require
from helpline.sealing import ring
from helpline.templating import Wording
from helpline.vocabulary import Identity

VALID = timedelta(minutes=30)
LENGTH = 8
CODE = re.compile(rf"(?:/start\s+)?([{LETTERS}]{{{LENGTH}}})", re.IGNORECASE)
BLOCKED, BACK = frozenset({"kicked", "left"}), frozenset({"member"})


async def make_code_for_person(
    session: AsyncSession, person: Person, by: Actor, now: datetime
) -> str:
    """A code to read out to `person`, whom the worker knows: whoever sends it is taken for them."""
    require(by, "case.reply", person.contract)
    code = await _make(session, now, person_id=person.id)
    await events.record(
        session, "link.code_made", now, contract=person.contract, by=by.user_id, person=person.id
    )
    return code


async def make_code_for_user(session: AsyncSession, by: Actor, now: datetime) -> str:
    """A code for one's own phone, so that alerts come there as well."""
    code = await _make(session, now, user_id=by.user_id)
    await events.record(session, "link.code_made", now, by=by.user_id, user=by.user_id)
    return code


async def use(
    session: AsyncSession, wording: Wording, contract: Contract, inbound: Inbound, now: datetime
) -> bool:
    """Whether `inbound` was a valid code; then the chat is tied to its owner and told so. Anything
    else, a wrong or used or old code included, is an ordinary message."""
    found = CODE.fullmatch(inbound.text.strip())
    if inbound.channel != "telegram" or found is None:
        return False
    code = await session.scalar(
        select(LinkCode)
        .where(
            col(LinkCode.code_index).in_(ring().indexes("link", found[1].upper())),
            col(LinkCode.used_at).is_(None),
            col(LinkCode.expires_at) > now,
        )
        .with_for_update()
    )
    if code is None:
        return False
    if code.person_id is not None:
        person = await session.get(Person, code.person_id)
        if person is None or person.contract != contract.key:
            return False
        await _tie_person(session, contract, inbound, person, now)
    else:
        await _tie_user(session, inbound, code.user_id, now)
    code.used_at = now
    await session.flush()
    said = wording.of(contract.own_words).say("linked")
    await outbox.queue(session, contract.key, inbound.channel, inbound.sender, said, now)
    return True


async def contract_of_code(session: AsyncSession, inbound: Inbound, now: datetime) -> str | None:
    """The contract of whoever a valid code was read out to; None for anything else."""
    found = CODE.fullmatch(inbound.text.strip())
    if found is None:
        return None
    return await session.scalar(
        select(col(Person.contract))
        .join(LinkCode, col(LinkCode.person_id) == col(Person.id))
        .where(
            col(LinkCode.code_index).in_(ring().indexes("link", found[1].upper())),
            col(LinkCode.used_at).is_(None),
            col(LinkCode.expires_at) > now,
        )
    )


async def note_standing(
    session: AsyncSession, contract: Contract, inbound: Inbound, now: datetime
) -> None:
    """They blocked the bot, or let it back: noted like an opt-out and its end, on their address
    under every contract, because one bot serves all."""
    status = inbound.extra.get("status", "")
    if status not in BLOCKED | BACK:
        return
    await session.execute(
        update(Address)
        .where(
            col(Address.channel) == inbound.channel,
            col(Address.value_index).in_(
                ring().indexes(f"address:{inbound.channel}", inbound.sender)
            ),
        )
        .values(opted_out_at=now if status in BLOCKED else None)
    )
    kind = "address.opted_out" if status in BLOCKED else "address.opted_in"
    await events.record(session, kind, now, contract=contract.key, channel=inbound.channel)


async def _make(
    session: AsyncSession,
    now: datetime,
    *,
    person_id: int | None = None,
    user_id: int | None = None,
) -> str:
    code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    session.add(
        LinkCode(
            code_index=ring().index("link", code),
            person_id=person_id,
            user_id=user_id,
            made_at=now,
            expires_at=now + VALID,
        )
    )
    await session.flush()
    return code


async def _tie_person(
    session: AsyncSession, contract: Contract, inbound: Inbound, person: Person, now: datetime
) -> None:
    sender = await people.sender(session, contract.key, inbound.channel, inbound.sender, now)
    address = sender.address
    address.from_register = True
    case = await session.scalar(
        select(Case)
        .join(Conversation, col(Conversation.case_id) == col(Case.id))
        .where(col(Conversation.address_id) == address.id)
    )
    await people.identify(session, address, case, person, now, Identity.KNOWN)
    if case is not None and case.person_id != person.id:
        case = None  # across a wall: nothing of it is theirs
    if case is not None:
        case.identity = Identity.KNOWN
    await session.flush()
    await eligibility.decide_cases_again(session, contract, person, None, now)
    await events.record(
        session,
        "address.linked",
        now,
        contract=contract.key,
        case_id=case.id if case else None,
        person=person.id,
    )


async def _tie_user(
    session: AsyncSession, inbound: Inbound, user_id: int | None, now: datetime
) -> None:
    user = await session.get(User, user_id) if user_id else None
    if user is None or user.left_at is not None:
        return
    user.telegram = inbound.sender
    user.telegram_index = ring().index("address:telegram", inbound.sender)
    await session.flush()
    await events.record(session, "user.phone_linked", now, user=user_id)
