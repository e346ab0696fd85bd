"""What happens to somebody's second factor by the hand of another, and how they hear of a change.

Called by the pages of the users and of one's own account. Whoever lost telephone and paper gets a
new start from a lead or an administrator, with a reason that stays; every change of how somebody
signs in is told to them by a way of their own, so that a stranger's change does not stay unseen.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import access, climbing, events, outbox
from helpline.desk.climbing import Reach
from helpline.errors import InvalidInput, NotAllowed
from helpline.models import FactorReset, Invitation, User, metadata
from helpline.rules.permissions import Actor, require
from helpline.templating import Wording
from helpline.vocabulary import CASEWORKERS, Role

WRITTEN: Final = ("email", "telegram", "sms")
"""By which something is told that nobody is woken for: the first of these that works."""
LONGEST_REASON: Final = 500
TABLES: Final = ("authenticator", "recovery_code", "passkey")


def may_reset(by: Actor, user: User) -> bool:
    """An administrator for anybody of theirs, a lead for those who work on cases; nobody for
    themself."""
    if user.id == by.user_id:
        return False
    if by.contract is not None and user.contract != by.contract:
        return False
    return by.role is Role.ADMIN or (by.role is Role.LEAD and user.role in CASEWORKERS)


async def reset(session: AsyncSession, user: User, reason: str, by: Actor, now: datetime) -> None:
    """Their app, their passkeys and their codes on paper are gone, and they are signed out
    everywhere. With their password alone they set up anew, where a second factor is required."""
    require(by, "user.ways", user.contract)
    if not may_reset(by, user):
        raise NotAllowed("An administrator does this for leads, and somebody else for yourself.")
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise InvalidInput(f"Say why, in 1 to {LONGEST_REASON} letters: how do you know that?")
    assert user.id is not None
    for name in TABLES:
        table = metadata.tables[name]
        await session.execute(delete(table).where(table.c.user_id == user.id))
    session.add(FactorReset(user_id=user.id, by_user_id=by.user_id, reason=reason, at=now))
    await session.flush()
    await access.revoke_all(session, user.id, now, by=by.user_id)
    await events.record(session, "user.factors_reset", now, by=by.user_id, user=user.id)


async def sign_out(session: AsyncSession, user: User, by: Actor, now: datetime) -> int:
    """A telephone was left on a bus: every sign-in of theirs ends, and nothing else. Gives how
    many there were."""
    require(by, "user.ways", user.contract)
    if not may_reset(by, user):
        raise NotAllowed("An administrator does this for leads, and everybody for themselves.")
    assert user.id is not None
    return await access.revoke_all(session, user.id, now, by=by.user_id)


async def tell(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    wording: Wording,
    reach: Reach,
    user_id: int,
    what: str,
    now: datetime,
) -> bool:
    """Say `what` (a text of signing_in.toml) to them by one way of their own; False where there is
    none on record. No telephone rings for it."""
    user = await session.get(User, user_id)
    contract = _contract_of(user, contracts)
    if user is None or contract is None:
        return False
    usable = climbing.working(user, reach)
    means = next((one for one in WRITTEN if one in usable), None)
    if means is None:
        return False
    text = wording.say(f"signing_in.{what}")
    await outbox.queue(session, contract, means, usable[means], text, now)
    return True


async def mail_link(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    wording: Wording,
    invitation: Invitation,
    address: str,
    now: datetime,
) -> bool:
    """The link as a letter to the invited. False where no contract could send it."""
    contract = invitation.contract or min(contracts, default="")
    if contract not in contracts or not invitation.email:
        return False
    text = wording.say("signing_in.link", address=address, is_renewal=invitation.is_renewal)
    await outbox.queue(session, contract, "email", invitation.email, text, now)
    invitation.mailed_at = now
    await session.flush()
    return True


def _contract_of(user: User | None, contracts: Mapping[str, Contract]) -> str | None:
    """Whose number or address the message leaves from."""
    if user is None or not contracts:
        return None
    return user.contract if user.contract in contracts else min(contracts)
