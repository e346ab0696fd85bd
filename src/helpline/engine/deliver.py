"""The loop that sends: claim, commit, send, settle. No connection is held while a provider is
called, and a message whose fate is unknown is asked about before it is sent again."""

import asyncio
from dataclasses import replace
from itertools import groupby

from helpline.channels import Channel, Outbound, SendResult
from helpline.desk import letters, outbox
from helpline.desk.house import House
from helpline.desk.outbox import Claimed
from helpline.log import log, where
from helpline.vocabulary import Fault, SendState

PAUSE = 3
"""While messages pour in, sending rests this many times as long as it worked."""
FROM_A_NUMBER = frozenset({"sms", "whatsapp", "voice", letters.CHANNEL})
MOST_COPIES = 3
"""Of one message, by a provider that cannot be asked and never answers."""


async def deliver_all(house: House) -> int:
    """Send whatever is due until nothing is. Returns how many messages were tried."""
    tried, is_more = 0, True
    while is_more:
        began_at = house.clock.seconds()
        async with house.db.write() as session:
            batch, is_more = await outbox.claim(
                session, house.contracts, house.wording, house.clock.now()
            )
        if not batch:
            continue
        # Recipients side by side, the messages of one recipient in their order.
        by_recipient = sorted(batch, key=lambda message: (message.recipient, message.id))
        groups = groupby(by_recipient, key=lambda message: message.recipient)
        await asyncio.gather(*(_one_by_one(house, list(group)) for _, group in groups))
        tried += len(batch)
        async with house.wakes.pages:
            house.wakes.pages.notify_all()
        await house.inbox.give_way(PAUSE * (house.clock.seconds() - began_at))
    return tried


async def _one_by_one(house: House, messages: list[Claimed]) -> None:
    for message in messages:
        channel = house.channels.get(message.channel)
        if channel is None or not _may_leave(house, message):
            async with house.db.write() as session:
                await outbox.fail_unsendable(session, message, house.clock.now())
            continue
        result = await _send(house, channel, message)
        async with house.db.write() as session:
            if not await outbox.settle(session, message, result, house.clock.now()):
                log().warning("message.lease_lost", outbox=message.id)


async def _send(house: House, channel: Channel, message: Claimed) -> SendResult:
    outbound = Outbound(
        key=f"{message.id}",
        sender=_sender(house, message),
        recipient=message.recipient,
        text=message.body,
        since=message.first_tried_at,
        extra=_extra(house, message),
    )
    try:
        if message.is_unsure:
            known = await channel.find_sent(outbound)
            if known is None:
                return _unasked(message, await channel.send(outbound))
            if not await _went_never(house, message, known):
                return known
        if message.is_too_late:  # the provider would only say the same
            return SendResult(SendState.REFUSED, code="63016", fault=Fault.WINDOW_CLOSED)
        return await channel.send(outbound)
    except Exception as error:  # a bot never raises; if one does, its message is not lost
        log().error("message.bot_failed", channel=message.channel, where=where(error))
        return SendResult(SendState.UNSURE, code="bot")


def _unasked(message: Claimed, result: SendResult) -> SendResult:
    """What a further try means where nobody can say whether an earlier one went (Telegram, e-mail).
    To read it twice does less harm than never; but not for ever: then a person takes over."""
    if result.state is SendState.UNSURE and message.attempts >= MOST_COPIES:
        return replace(result, state=SendState.REFUSED)
    if result.state is SendState.RETRY:  # this try did not go, and the doubt of before remains
        return replace(result, state=SendState.UNSURE)
    return result


def _sender(house: House, message: Claimed) -> str:
    """The address or number of ours that the message leaves from: the contract's own. Our own
    people are reached from any other, because an alert must reach somebody; nobody else is, because
    an answer to another council's number would be that council's."""
    settings = house.settings
    if message.channel == letters.CHANNEL:
        own, others = settings.mail_from(message.contract), settings.mail_addresses
    elif message.channel == "whatsapp":
        own, others = settings.whatsapp_from(message.contract), list(settings.whatsapp_numbers)
    else:
        own, others = settings.number_of.get(message.contract, ""), list(settings.numbers)
    return own or (next(iter(others), "") if message.is_for_staff else "")


def _may_leave(house: House, message: Claimed) -> bool:
    """Whether there is a number or address of ours that it may leave from, where one is needed."""
    return message.channel not in FROM_A_NUMBER or bool(_sender(house, message))


def _extra(house: House, message: Claimed) -> dict[str, str]:
    """What only some channels understand, by the names their bots know."""
    if message.letter:
        return letters.envelope(message.letter, _sender(house, message))
    if message.call:
        return dict(message.call)
    extra = {"content_sid": message.template, "choices": message.choices}
    return {name: value for name, value in extra.items() if value}


async def _went_never(house: House, message: Claimed, known: SendResult) -> bool:
    """Whether what the provider knows means that this message must still be sent."""
    if known.state is not SendState.ACCEPTED:
        return known.state is SendState.RETRY
    async with house.db.read() as session:
        return await outbox.is_another(session, message, known.provider_id)
