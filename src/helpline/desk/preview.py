"""How a reply will look where it arrives, before it is sent: from whom, whether safe contact holds
it back or puts neutral words in its place, in which language the person writes.

Read only, called by the page of a case. It asks the same rule that is asked when a message is about
to leave (rules/safety.py), which alone decides: what is said here is what would happen now.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import safety
from helpline.desk.house import House
from helpline.models import Address, Case, Person
from helpline.rules import safety as rules


@dataclass(frozen=True)
class Look:
    """`sender`: what stands above it on their phone, empty where the channel has its own; `why` and
    `until`: it waits, or is never sent that way (no `until`); `neutral`: what arrives instead;
    `language`: a code, where it is not English; `is_cut`: text messages, in pieces."""

    channel: str
    sender: str
    why: str
    until: datetime | None
    neutral: str
    language: str | None
    is_cut: bool


async def of(
    session: AsyncSession, house: House, case: Case, address: Address | None, now: datetime
) -> Look | None:
    """None where there is nowhere to write to."""
    if address is None or address.opted_out_at is not None:
        return None
    contract = house.contracts[case.contract]
    asked = await safety.rules_of(session, address.person_id)
    is_mobile = address.channel != "sms" or safety.is_mobile(address.value)
    verdict = rules.judge(asked, address.channel, is_mobile, now, contract.zone)
    neutral = ""
    if asked.neutral_only:
        neutral = safety.neutral_words(house.wording.of(contract.own_words), asked)
    person = await session.get(Person, case.person_id)
    language = case.language or (person.language if person else None)
    numbers = house.settings.number_of
    return Look(
        channel=address.channel,
        sender=numbers.get(case.contract, "") if address.channel in ("sms", "whatsapp") else "",
        why="" if verdict.may else verdict.why,
        until=verdict.until,
        neutral=neutral,
        language=None if language in (None, "en") else language,
        is_cut=address.channel == "sms",
    )
