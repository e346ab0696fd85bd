"""An alert that goes out as a telephone call: its row in the log of calls, and the hooks by which
the call is led. Called by escalation (which asks), outbox (which sends) and switchboard (which
speaks). What is said is decided in rules/calls; nothing here knows a word of it.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.models import Alert, Call, OutMessage, Page
from helpline.vocabulary import CallState, Direction, OutState

CHANNEL = "voice"
NOT_PLACED = "asked:"
"""Before the id of a call whose provider has not yet said its own."""
WHILE_BUSY, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=10)
"""How often a line is looked at that is in use about the same case, and how long at most."""
MOOT = "moot"
"""The code of a call that was not needed any more when its turn came."""


async def prepare(session: AsyncSession, message: OutMessage, user_id: int, now: datetime) -> None:
    """The call that will carry `message`, as a row that its hooks find."""
    session.add(
        Call(
            provider_id=NOT_PLACED + secrets.token_hex(8),
            contract=message.contract,
            direction=Direction.OUT,
            user_id=user_id,
            message_id=message.id,
            begun_at=now,
        )
    )
    await session.flush()


async def hooks(session: AsyncSession, message: OutMessage) -> Mapping[str, str]:
    """Where the provider asks what the line does, and where it tells that the call is over."""
    call_id = await session.scalar(select(col(Call.id)).where(col(Call.message_id) == message.id))
    where = f"?call={call_id}"
    return {"next": f"/hooks/voice/alert{where}", "ended": f"/hooks/voice/alert/status{where}"}


async def is_moot(session: AsyncSession, message: OutMessage) -> bool:
    """Whether nothing that the message asks about waits any more: then nobody's telephone rings."""
    waits = (
        select(col(Alert.id))
        .join(Page, col(Page.alert_id) == col(Alert.id))
        .where(
            col(Page.message_id) == message.id,
            col(Alert.acknowledged_at).is_(None),
            col(Alert.ended_at).is_(None),
        )
        .limit(1)
    )
    return await session.scalar(waits) is None


async def is_line_busy(session: AsyncSession, message: OutMessage, now: datetime) -> bool:
    """Whether somebody is on our line about the very case: their call rings the same telephones,
    and must not find them engaged by ours."""
    on_the_line = (
        select(col(Call.id))
        .join(Alert, col(Alert.case_id) == col(Call.case_id))
        .join(Page, col(Page.alert_id) == col(Alert.id))
        .where(
            col(Page.message_id) == message.id,
            col(Call.direction) == Direction.IN,
            col(Call.state).in_([CallState.RINGING, CallState.CONNECTED]),
            col(Call.begun_at) > now - LONGEST_WAIT,
        )
        .limit(1)
    )
    return await session.scalar(on_the_line) is not None


async def note_placed(
    session: AsyncSession, message: OutMessage, provider_id: str, now: datetime
) -> None:
    """The provider has taken the call and numbered it; its hooks may have been faster. A number
    that another call has is not this one's."""
    if await session.scalar(select(col(Call.id)).where(col(Call.provider_id) == provider_id)):
        return
    await session.execute(
        update(Call)
        .where(col(Call.message_id) == message.id, col(Call.provider_id).like(f"{NOT_PLACED}%"))
        .values(provider_id=provider_id, begun_at=now)
    )


async def note_not_placed(session: AsyncSession, message: OutMessage, now: datetime) -> None:
    """Nobody's telephone rings: the row is closed, so that nobody goes on asking about it."""
    await session.execute(
        update(Call)
        .where(col(Call.message_id) == message.id, col(Call.state) == CallState.RINGING)
        .values(state=CallState.ENDED, ended_at=now, seconds=0)
    )


async def note_answered(session: AsyncSession, call: Call) -> None:
    """Somebody or something picked up."""
    call.asked = str(call.user_id)
    await session.flush()


async def note_over(session: AsyncSession, call: Call, now: datetime) -> None:
    """The call is over: whether it arrived is whether anybody picked up. The ladder keeps its own
    time: whoever did not press the key has not taken it."""
    message = await session.get(OutMessage, call.message_id, with_for_update=True)
    if message is None or message.state != OutState.SENT:
        return
    message.settled_at = now
    if call.connected_at is not None:
        message.state = OutState.READ
    elif call.asked:
        message.state = OutState.DELIVERED
    else:
        message.state, message.code = OutState.FAILED, "no-answer"
    await session.flush()
