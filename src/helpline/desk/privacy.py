"""What people are told of what is kept about them: once each in the first answer, and whenever they
ask; in the contract's own words (K13).

Called by desk/intake. Our own pages say it themselves, beside what is written there.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound
from helpline.contract import Contract
from helpline.models import Case, Person, PrivacyTold
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


@dataclass(frozen=True)
class Proof:
    """That a person was told, by which way and in which words. `is_current`: the contract still
    says the same. `version` empty: told before versions were kept."""

    at: datetime
    channel: str
    version: str
    is_current: bool


def version_of(contract: Contract) -> str:
    """The words by which people are told, as twelve signs: other words are another version."""
    told = contract.privacy
    words = [told.line, told.answer, told.spoken, told.page] if told else []
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]


async def told(session: AsyncSession, contract: Contract, person_id: int) -> list[Proof]:
    """When and how they were told what is kept, newest first."""
    rows = await session.scalars(
        select(PrivacyTold)
        .where(col(PrivacyTold.person_id) == person_id)
        .order_by(col(PrivacyTold.at).desc(), col(PrivacyTold.id).desc())
    )
    now_said = version_of(contract)
    found = [Proof(one.at, one.channel, one.version, one.version == now_said) for one in rows]
    person = await session.get(Person, person_id)
    first = person.privacy_told_at if person else None
    if first is not None and not any(one.at <= first for one in found):
        found.append(Proof(first, "", "", False))
    return found


async def note(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    channel: str,
    said: tuple[str, ...],
    now: datetime,
) -> None:
    """They were told: by the message that leaves now, or by the page they write on. Each version
    of the words once, with the way and the time: the proof that they were."""
    if TELLS.isdisjoint(said) and channel not in OWN_PAGES:
        return
    person = await session.get(Person, case.person_id)
    if person is not None and person.privacy_told_at is None:
        person.privacy_told_at = now
    if person is None or contract.privacy is None:
        return
    version = version_of(contract)
    before = select(col(PrivacyTold.id)).where(
        col(PrivacyTold.person_id) == person.id, col(PrivacyTold.version) == version
    )
    if await session.scalar(before.limit(1)) is None:
        told = PrivacyTold(
            contract=contract.key,
            person_id=person.id or 0,
            version=version,
            channel=channel,
            at=now,
        )
        session.add(told)


def words(contract: Contract) -> dict[str, str]:
    """For the texts "privacy" and "what_is_kept"."""
    told = contract.privacy
    return {"privacy": told.line, "what_is_kept": told.answer} if told else {}
