"""Messages that are to leave, and what became of them.

Desk queues in its own transaction; engine/deliver claims, commits, sends and settles. A claim is a
lease with a fence: a sender that was overtaken cannot settle. After a try whose answer never came,
the provider is asked before anything is sent again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from helpline.channels import Receipt, SendResult
from helpline.contract import Contract
from helpline.desk import consents, events, faults, letters, means, ringing, safety
from helpline.models import Address, Alert, Conversation, OutMessage, Page
from helpline.rules import whatsapp
from helpline.rules.safety import Verdict
from helpline.templating import Wording
from helpline.vocabulary import Fault, OutState, SendState

LEASE = timedelta(seconds=60)
"""Longer than any provider's time-out: 15 s for Twilio, 20 s for Telegram."""
PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 7200))
"""How long after each failed try the next one waits; after the last, a person takes over."""
LONGEST_WAIT = 3600.0
"""Seconds: a provider that asks us to wait longer is asked again after that."""
AGAIN = (timedelta(minutes=10), timedelta(hours=1))
"""When a carrier could not deliver for a passing reason: how long until the next tries."""
REPORT_DUE = timedelta(minutes=10)
"""How long a report may take before the provider is asked; then twice as long each time."""
ASKED_FOR = timedelta(days=3)
"""For how long after sending anybody is asked: carriers without reports never give one."""
SETTLING = timedelta(seconds=60)
"""How long a provider's own list may lag behind what it accepted: only then is it asked."""


@dataclass(frozen=True)
class Claimed:
    """One message in one sender's hand."""

    id: int
    fence: int
    contract: str
    channel: str
    recipient: str
    body: str
    is_unsure: bool
    first_tried_at: datetime
    attempts: int = 1
    """How many tries there were, this one included."""
    choices: str = ""
    template: str = ""
    """WhatsApp: the approved template that must carry it, because the window is closed."""
    letter: Mapping[str, str] = field(default_factory=dict)
    """E-mail: what desk/letters says besides the text."""
    call: Mapping[str, str] = field(default_factory=dict)
    """Telephone: the hooks that lead the call."""
    is_too_late: bool = False
    """WhatsApp: the window is closed and the contract has no template."""
    is_for_staff: bool = False
    """It goes to one of our own people, for whom any number of ours is as good."""


async def queue(
    session: AsyncSession,
    contract: str,
    channel: str,
    recipient: str,
    body: str,
    now: datetime,
    *,
    address_id: int | None = None,
    contact_id: int | None = None,
    case_id: int | None = None,
    alert_id: int | None = None,
    choices: str = "",
    copy_of_id: int | None = None,
    expires_at: datetime | None = None,
) -> OutMessage:
    """Put one message in line. To an address that opted out it is held, and a person is asked to
    reach them another way: an opt-out is never silence (design.md §4.7). `copy_of_id`: the message
    that did not get through and that this one carries instead."""
    message = OutMessage(
        contract=contract,
        channel=channel,
        recipient=recipient,
        body=body,
        created_at=now,
        next_try_at=now,
        address_id=address_id,
        contact_id=contact_id,
        case_id=case_id,
        alert_id=alert_id,
        choices=choices,
        copy_of_id=copy_of_id,
        expires_at=expires_at,
    )
    if address_id is not None:
        address = await session.get(Address, address_id)  # whoever queues has it in hand
        if address is not None and address.opted_out_at is not None:
            message.state, message.settled_at = OutState.HELD, now
    session.add(message)
    if message.state == OutState.HELD:
        await session.flush()
        await _reach_another_way(session, message, now)
    return message


async def claim(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    wording: Wording,
    now: datetime,
    limit: int = 20,
) -> tuple[list[Claimed], bool]:
    """Take what is due, including what an overtaken sender left behind (its lease is over: it may
    have gone, so it counts as unsure). Safe contact is held to here, at the moment of sending.
    Also tells whether there may be more."""
    due = (
        select(OutMessage)
        .where(
            col(OutMessage.state).in_([OutState.QUEUED, OutState.UNSURE, OutState.SENDING]),
            col(OutMessage.next_try_at) <= now,
        )
        .order_by(col(OutMessage.next_try_at), col(OutMessage.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    messages: Sequence[OutMessage] = (await session.scalars(due)).all()
    claimed = []
    for message in sorted(messages, key=lambda m: m.id or 0):
        if await means.has_arrived(session, message):
            message.state, message.settled_at = OutState.HELD, now
            message.code = means.ARRIVED_ALREADY
            continue
        if message.channel == ringing.CHANNEL and await ringing.is_moot(session, message):
            message.state, message.settled_at, message.code = OutState.HELD, now, ringing.MOOT
            await ringing.note_not_placed(session, message, now)
            continue
        if message.channel == ringing.CHANNEL and await ringing.is_line_busy(session, message, now):
            message.next_try_at = now + ringing.WHILE_BUSY
            continue
        if why_not := await consents.why_not(session, contracts[message.contract], message, now):
            message.state, message.settled_at, message.code = OutState.HELD, now, why_not
            continue
        judged, rules = await safety.verdict(session, contracts[message.contract], message, now)
        if message.expires_at is not None and (now >= message.expires_at or not _as_it_is(judged)):
            message.state, message.settled_at, message.code = OutState.HELD, now, "too_late"
            await means.ask_a_person(session, message, now)
            continue
        if not judged.may:
            await _hold_back(session, message, judged, now)
            continue
        taken = _claimed(message, now)
        if judged.is_neutral:
            words = wording.of(contracts[message.contract].own_words)
            taken = replace(taken, body=safety.neutral_words(words, rules))
        if message.channel == letters.CHANNEL:
            contract = contracts[message.contract]
            body, said = await letters.dressed(
                session, contract, wording, message, taken.body, is_neutral=judged.is_neutral
            )
            taken = replace(taken, body=body, letter=said)
        if message.channel == ringing.CHANNEL:
            taken = replace(taken, call=await ringing.hooks(session, message))
        if message.channel == "whatsapp" and not await _window_is_open(session, message, now):
            template = contracts[message.contract].whatsapp
            taken = replace(
                taken,
                template=template.content_sid if template else "",
                is_too_late=template is None,
            )
        claimed.append(taken)
    return claimed, len(messages) == limit


async def settle(
    session: AsyncSession, claimed: Claimed, result: SendResult, now: datetime
) -> bool:
    """Write down what the provider said. False when the lease was lost: somebody else settles."""
    message = await session.get(OutMessage, claimed.id, with_for_update=True)
    if message is None or message.fence != claimed.fence or message.state != OutState.SENDING:
        return False
    message.code = result.code or message.code
    if result.state is SendState.ACCEPTED:
        message.state, message.settled_at = OutState.SENT, now
        message.provider_id = result.provider_id or None
        message.next_try_at = now + REPORT_DUE
        if message.channel == ringing.CHANNEL:
            await ringing.note_placed(session, message, result.provider_id, now)
    elif _is_final(message, result):
        await _fail(session, message, now, result.fault)
    else:
        pause = PAUSES[min(message.attempts, len(PAUSES)) - 1]
        if result.retry_after:
            pause = max(pause, timedelta(seconds=min(result.retry_after, LONGEST_WAIT)))
        if result.state is SendState.UNSURE:
            pause = max(pause, SETTLING)
        message.state = OutState.UNSURE if result.state is SendState.UNSURE else OutState.QUEUED
        message.next_try_at = now + pause
    await session.flush()
    return True


def _as_it_is(judged: Verdict) -> bool:
    """Whether the very words may leave now."""
    return judged.may and not judged.is_neutral


def _is_final(message: OutMessage, result: SendResult) -> bool:
    """Whether this message will not be tried again. A call that could not be placed now is not
    placed later: the next person is asked at once."""
    if result.state is SendState.RETRY and message.channel == ringing.CHANNEL:
        return True
    return result.state is SendState.REFUSED or message.attempts > len(PAUSES)


async def is_another(session: AsyncSession, claimed: Claimed, provider_id: str) -> bool:
    """Whether the provider's message of this id is a different one of ours: the same words sent to
    the same person twice are two messages, and one found is not the other."""
    other = select(col(OutMessage.id)).where(
        col(OutMessage.channel) == claimed.channel,
        col(OutMessage.provider_id) == provider_id,
        col(OutMessage.id) != claimed.id,
    )
    return await session.scalar(other.limit(1)) is not None


async def record_receipt(session: AsyncSession, receipt: Receipt, now: datetime) -> None:
    """A delivery report, in any order and any number: the state only ever grows. One for a message
    we do not know (sent from another system on the same account) changes nothing."""
    message = await session.scalar(
        select(OutMessage)
        .where(
            col(OutMessage.channel) == receipt.channel,
            col(OutMessage.provider_id) == receipt.provider_id,
        )
        .with_for_update()
    )
    if message is None or OutState(message.state).rank >= receipt.state.rank:
        return
    waits_again = message.state == OutState.QUEUED  # this very try has failed before
    if waits_again and receipt.state not in (OutState.DELIVERED, OutState.READ):
        return
    message.code = receipt.code or message.code
    if receipt.state is not OutState.FAILED:
        has_arrived = message.state not in means.ARRIVED and receipt.state in means.ARRIVED
        message.state = receipt.state
        await session.flush()
        if has_arrived:
            await means.note_arrival(session, message, now)
    elif receipt.may_retry and message.alert_id is None and message.attempts <= len(AGAIN):
        # A text may wait for a handset to be switched on; an alert goes to the next person.
        message.state, message.first_tried_at = OutState.QUEUED, None
        message.next_try_at = now + AGAIN[message.attempts - 1]
    else:
        await _fail(session, message, now, receipt.fault)
    await session.flush()


async def unreported(
    session: AsyncSession, channels: Sequence[str], now: datetime, limit: int = 50
) -> list[tuple[str, str]]:
    """Channel and provider's id of messages sent long enough ago that their report must have been
    lost. Each is asked about again after twice the time."""
    due = (
        select(OutMessage)
        .where(
            col(OutMessage.state) == OutState.SENT,
            col(OutMessage.next_try_at) <= now,
            col(OutMessage.next_try_at) > now - ASKED_FOR,
            col(OutMessage.channel).in_(channels),
            col(OutMessage.provider_id).is_not(None),
        )
        .order_by(col(OutMessage.next_try_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    messages = (await session.scalars(due)).all()
    for message in messages:
        age = now - (message.settled_at or message.created_at)
        # Past ASKED_FOR the next look would be: far enough back that it is not found again.
        message.next_try_at = now + age if age < ASKED_FOR else now - ASKED_FOR
    await session.flush()
    return [(message.channel, message.provider_id or "") for message in messages]


async def fail_unsendable(session: AsyncSession, claimed: Claimed, now: datetime) -> None:
    """There is no such channel any more, or the contract has no number or address there: a person
    takes over."""
    await settle(session, claimed, SendResult(SendState.REFUSED, code="no channel"), now)


def _claimed(message: OutMessage, now: datetime) -> Claimed:
    assert message.id is not None
    is_unsure = message.state in (OutState.UNSURE, OutState.SENDING)
    message.provider_id = None  # of a try that failed: late reports of it must not settle this one
    message.state = OutState.SENDING
    message.attempts += 1
    message.fence += 1
    message.first_tried_at = message.first_tried_at or now
    message.next_try_at = now + LEASE
    return Claimed(
        id=message.id,
        fence=message.fence,
        contract=message.contract,
        channel=message.channel,
        recipient=message.recipient,
        body=message.body,
        is_unsure=is_unsure,
        first_tried_at=message.first_tried_at,
        attempts=message.attempts,
        choices=message.choices,
        is_for_staff=message.address_id is None,
    )


async def _hold_back(
    session: AsyncSession, message: OutMessage, judged: Verdict, now: datetime
) -> None:
    """Not now, or not this way: it waits for its hour, or a person takes over."""
    if judged.until is not None:
        message.next_try_at = judged.until
        await events.record(
            session,
            "message.held_back",
            now,
            contract=message.contract,
            case_id=message.case_id,
            channel=message.channel,
            until=judged.until.isoformat(),
        )
    else:
        message.state, message.settled_at, message.code = OutState.HELD, now, judged.why
        await session.flush()
        await _reach_another_way(session, message, now)
    await session.flush()


async def _window_is_open(session: AsyncSession, message: OutMessage, now: datetime) -> bool:
    heard = select(col(Conversation.last_in_at)).where(
        col(Conversation.address_id) == message.address_id
    )
    return whatsapp.is_open(await session.scalar(heard), now)


async def _fail(
    session: AsyncSession, message: OutMessage, now: datetime, fault: Fault = Fault.NONE
) -> None:
    message.state, message.settled_at = OutState.FAILED, now
    await faults.learn(session, message, fault, now)
    if message.channel == ringing.CHANNEL:
        await ringing.note_not_placed(session, message, now)
    if message.alert_id is not None:
        await _ask_the_next(session, message, now)
    await session.flush()
    await _reach_another_way(session, message, now)


async def _ask_the_next(session: AsyncSession, message: OutMessage, now: datetime) -> None:
    """A phone that cannot be reached must not hold up the ladder: the next rung is asked now,
    unless the same asking is on its way to the same person by another means."""
    other, mine = aliased(Page), aliased(Page)
    elsewhere = (
        select(col(other.id))
        .join(OutMessage, col(OutMessage.id) == col(other.message_id))
        .where(
            col(other.alert_id) == col(mine.alert_id),
            col(other.user_id) == col(mine.user_id),
            col(other.at) == col(mine.at),
            col(other.message_id) != message.id,
            col(OutMessage.state).not_in([OutState.FAILED, OutState.HELD]),
        )
        .exists()
    )
    await session.flush()
    await session.execute(
        update(Alert)
        .where(
            col(Alert.id).in_(
                select(col(mine.alert_id)).where(col(mine.message_id) == message.id, ~elsewhere)
            ),
            col(Alert.next_rung_at).is_not(None),
        )
        .values(next_rung_at=now)
    )


async def _reach_another_way(session: AsyncSession, message: OutMessage, now: datetime) -> None:
    """It will not get through this way: a person is asked, and where the person it is for allows
    it, the next way is tried meanwhile."""
    await means.ask_a_person(session, message, now)
    address = await means.next_address(session, message)
    if address is None:
        return
    await events.record(
        session,
        "message.sent_another_way",
        now,
        contract=message.contract,
        case_id=message.case_id,
        channel=message.channel,
        instead=address.channel,
    )
    await queue(
        session,
        message.contract,
        address.channel,
        address.value,
        message.body,
        now,
        address_id=address.id,
        contact_id=message.contact_id,
        case_id=message.case_id,
        choices=message.choices,
        copy_of_id=message.copy_of_id or message.id,
    )
