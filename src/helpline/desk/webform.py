"""The form of the helpline's own site (/contact): who it names and how they can be reached.

`pack` is called by the page, the rest by intake while it routes. What somebody writes into a form
proves nothing: a person found this way is marked as claimed, and an address that belongs to
somebody already is never moved to somebody else.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import phonenumbers
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound
from helpline.contract import Contract
from helpline.desk import people
from helpline.models import Address, Case, Contact, Conversation, Person
from helpline.sealing import ring
from helpline.vocabulary import Step

CHANNEL: Final = "webform"


@dataclass(frozen=True)
class Form:
    """What was filled in, cleaned by the page; empty where nothing was. `phone` is E.164, `danger`
    None when the question was left open, `reason` a code of the contract or None."""

    message: str
    name: str = ""
    membership: str = ""
    phone: str = ""
    email: str = ""
    safe: str = ""
    reason: str | None = None
    reason_name: str = ""
    danger: bool | None = None


def pack(form: Form, submission: str, contract: str) -> Inbound:
    """The inbound item of one form. Each submission is a sender of its own: two people may use one
    computer, and what one of them wrote must not end up on the other's case."""
    return Inbound(
        channel=CHANNEL,
        external_id=submission,
        sender=submission,
        recipient=contract,
        text=form.message,
        extra={"form": json.dumps(asdict(form)), "what": "form"},
    )


def read(inbound: Inbound) -> Form | None:
    """The form an item carries; None for any other channel."""
    if inbound.channel != CHANNEL or "form" not in inbound.extra:
        return None
    return Form(**json.loads(inbound.extra["form"]))


async def whom_it_names(session: AsyncSession, contract: Contract, form: Form) -> Person | None:
    """The person on the register with this number (or name and postcode), else whoever is already
    known by the telephone number or e-mail address that was given."""
    if form.membership or form.name:
        found = await people.find_member(session, contract, f"{form.name} {form.membership}")
        if found is not None:
            return found
    for channel, value in _ways(form):
        address = await _address(session, contract.key, channel, value)
        if address is not None:
            return await session.get(Person, address.person_id)
    return None


async def take_down(
    session: AsyncSession, case: Case, contact: Contact, form: Form, now: datetime
) -> None:
    """Write the whole form on the timeline, note the name, and make what was given a way to answer:
    a worker's reply goes to the mobile of the form, else to its e-mail address."""
    contact.body = _as_text(form)
    person = await session.get(Person, case.person_id)
    if person is not None and not person.name and form.name:
        person.name = form.name
    is_there = False
    for channel, value in _ways(form):
        address = await _address(session, case.contract, channel, value)
        if address is None:
            address = Address(
                person_id=case.person_id,
                contract=case.contract,
                channel=channel,
                value=value,
                value_index=ring().index(f"address:{channel}", value),
            )
            session.add(address)
            await session.flush()
        if not is_there:
            is_there = await _answer_there(session, case, address, now)
    await session.flush()


async def _answer_there(session: AsyncSession, case: Case, address: Address, now: datetime) -> bool:
    """The address's conversation belongs to this case, unless it has one of its own or is another
    person's; whether answers now go there."""
    if address.person_id != case.person_id:
        return False
    assert address.id is not None
    talk = await session.scalar(
        select(Conversation).where(col(Conversation.address_id) == address.id)
    )
    if talk is None:
        talk = Conversation(
            contract=case.contract,
            address_id=address.id,
            case_id=case.id,
            step=Step.DONE,
            last_in_at=now,
        )
        session.add(talk)
    return talk.case_id == case.id


def _ways(form: Form) -> list[tuple[str, str]]:
    """Channel and canonical value of each way to answer. A number that cannot be texted is on the
    timeline to be rung."""
    found = [("sms", form.phone)] if form.phone and can_be_texted(form.phone) else []
    return found + ([("email", form.email.lower())] if form.email else [])


def can_be_texted(number: str) -> bool:
    """Whether an E.164 number is no landline. Ofcom's numbers for drama count as mobiles."""
    if number.startswith("+447700900"):
        return True
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    return kind in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )


async def _address(
    session: AsyncSession, contract: str, channel: str, value: str
) -> Address | None:
    return await session.scalar(
        select(Address).where(
            col(Address.contract) == contract,
            col(Address.channel) == channel,
            col(Address.value_index).in_(ring().indexes(f"address:{channel}", value)),
        )
    )


def _as_text(form: Form) -> str:
    danger = {None: "not answered", True: "YES", False: "no"}[form.danger]
    lines = [
        ("Name", form.name),
        ("Membership number or postcode", form.membership),
        ("Telephone", form.phone),
        ("E-mail", form.email),
        ("How and when to reach them safely", form.safe),
        ("About", form.reason_name),
        ("Is anyone in danger now", danger),
    ]
    return form.message + "\n\n" + "\n".join(f"{name}: {text}" for name, text in lines if text)
