"""A test message to oneself: a word on a page, sent from one's own phone, and what becomes of it.

It takes the whole way that a carer's message takes: the provider, the hook, what is kept, routing,
the outbox and back. Only where a person would be made of it, it is heard here instead, so that
there is no case and no contact, and nothing that a report could count. Called by intake and the
page of what is still to be set up.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound
from helpline.desk import events, outbox
from helpline.errors import InvalidInput
from helpline.models import OutMessage, Trial
from helpline.rules.permissions import Actor, require
from helpline.templating import Wording

VALID = timedelta(minutes=30)
KNOWN = timedelta(days=7)
"""How long a word that is over is still told from what a carer writes."""
WORD = re.compile(r"try[\s.-]*(\d{3})[\s.-]*(\d{3})[\s.]*", re.IGNORECASE)
WRITTEN = ("sms", "whatsapp", "telegram", "email")
"""The ways by which somebody can send a word."""


@dataclass(frozen=True)
class Tried:
    """The newest test by one way. `state`: of our answer, a word of OutState; None before it."""

    trial: Trial
    state: str | None
    settled_at: datetime | None

    @property
    def word(self) -> str:
        """As it is sent: "TRY 482 913"."""
        return f"TRY {self.trial.word[:3]} {self.trial.word[3:]}"

    @property
    def is_elsewhere(self) -> bool:
        """Whether it came to another council's number, or by another way than it was meant for."""
        heard = (self.trial.heard_for, self.trial.heard_by)
        return self.trial.heard_at is not None and heard != (
            self.trial.contract,
            self.trial.channel,
        )

    @property
    def has_worked(self) -> bool:
        return self.state in ("sent", "delivered", "read") and not self.is_elsewhere


async def begin(
    session: AsyncSession, contract: str, channel: str, by: Actor, now: datetime
) -> Trial:
    """A new word for one way of one contract."""
    require(by, "start.work", contract)
    if channel not in WRITTEN:
        raise InvalidInput("Choose one of the ways in the list.")
    trial = Trial(
        contract=contract,
        channel=channel,
        user_id=by.user_id,
        word=await _free_word(session),
        made_at=now,
        expires_at=now + VALID,
    )
    session.add(trial)
    await session.flush()
    await events.record(
        session, "trial.begun", now, contract=contract, by=by.user_id, channel=channel
    )
    return trial


async def hear(
    session: AsyncSession,
    wording: Wording,
    contract_key: str,
    inbound: Inbound,
    said: str,
    now: datetime,
) -> bool:
    """Whether this is a word of ours and nothing else; then it is answered and goes no further. A
    word nobody was given is an ordinary message."""
    found = WORD.fullmatch(said.strip())
    if found is None:
        return False
    trial = await session.scalar(
        select(Trial)
        .where(col(Trial.word) == found[1] + found[2], col(Trial.made_at) > now - KNOWN)
        .with_for_update()
    )
    if trial is None:
        return False
    is_over = trial.expires_at <= now
    answer = await outbox.queue(
        session,
        contract_key,
        inbound.channel,
        inbound.sender,
        wording.say("start.word_is_over" if is_over else "start.word_came"),
        now,
    )
    if not is_over and trial.heard_at is None:
        await session.flush()
        trial.heard_at, trial.message_id = now, answer.id
        trial.heard_by, trial.heard_for = inbound.channel, contract_key
        await session.flush()
        await events.record(
            session, "trial.heard", now, contract=contract_key, channel=inbound.channel
        )
    return True


async def newest(session: AsyncSession, contract: str) -> Mapping[str, Tried]:
    """Way → the newest test of it."""
    rows = await session.execute(
        select(Trial, col(OutMessage.state), col(OutMessage.settled_at))
        .join(OutMessage, col(OutMessage.id) == col(Trial.message_id), isouter=True)
        .where(col(Trial.contract) == contract)
        .order_by(col(Trial.id).desc())
        .limit(40)
    )
    found: dict[str, Tried] = {}
    for trial, state, settled_at in rows:
        found.setdefault(trial.channel, Tried(trial, state, settled_at))
    return found


async def _free_word(session: AsyncSession) -> str:
    while True:
        word = f"{secrets.randbelow(10**6):06}"
        if await session.scalar(select(col(Trial.id)).where(col(Trial.word) == word)) is None:
            return word
