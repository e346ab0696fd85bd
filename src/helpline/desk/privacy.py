"""What people are told of what is kept about them: once each in the first answer, and whenever they
ask; in the contract's own words (K13).

Called by desk/intake. Our own pages say it themselves, beside what is written there.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.channels import Inbound
from helpline.contract import Contract
from helpline.models import Case, Person
from helpline.rules import dialogue, kept
from helpline.vocabulary import OWN_PAGES

TELLS = frozenset(["privacy", "what_is_kept"])


def facts(
    contract: Contract,
    person: Person,
    inbound: Inbound,
    known: dialogue.Facts,
    elsewhere: bool,
) -> dialogue.Facts:
    """What the dialogue knows besides: whether to say it, and whether they ask."""
    if contract.privacy is None:
        return replace(known, approved_elsewhere=elsewhere)
    is_told = person.privacy_told_at is not None or inbound.channel in OWN_PAGES
    return replace(
        known,
        approved_elsewhere=elsewhere,
        privacy_due=not is_told,
        asks_what_is_kept=kept.asks_what_is_kept(inbound.text),
    )


async def note(
    session: AsyncSession, case: Case, channel: str, said: tuple[str, ...], now: datetime
) -> None:
    """They were told: by the message that leaves now, or by the page they write on."""
    if TELLS.isdisjoint(said) and channel not in OWN_PAGES:
        return
    person = await session.get(Person, case.person_id)
    if person is not None and person.privacy_told_at is None:
        person.privacy_told_at = now


def words(contract: Contract) -> dict[str, str]:
    """For the texts "privacy" and "what_is_kept"."""
    told = contract.privacy
    return {"privacy": told.line, "what_is_kept": told.answer} if told else {}
