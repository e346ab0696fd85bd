"""An e-mail of ours as it leaves: subject, frame, and the signed token by which an answer finds its
case. Called by outbox when it claims a message, and by mailing to recognise what comes back.

No subject says what a case is about, and nothing here names a sender beyond our plain address: both
are shown on locked screens.
"""

from collections.abc import Mapping
from hmac import compare_digest

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.models import Alert, Contact, Conversation, OutMessage
from helpline.rules import mail
from helpline.sealing import ring
from helpline.templating import Wording
from helpline.vocabulary import ContactKind

CHANNEL = "email"
_PLACE = "mail thread"


def token_of(message_id: int) -> str:
    """The token of one message of ours: nobody makes one without the key ring."""
    return mail.token(message_id, ring().index(_PLACE, str(message_id)))


def signed_ids(*texts: str) -> list[int]:
    """The ids of those messages whose real tokens stand in `texts`; forged ones are passed over."""
    return [
        number
        for number, digest in mail.tokens_in(*texts)
        if any(
            compare_digest(true[: len(digest)], digest)
            for true in ring().indexes(_PLACE, str(number))
        )
    ]


def provider_id(token: str, host: str) -> str:
    """The Message-ID, without brackets, under which our letter travels."""
    return f"{token}@{host}"


async def dressed(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    message: OutMessage,
    body: str,
    *,
    is_neutral: bool,
) -> tuple[str, Mapping[str, str]]:
    """The text in its frame, and what else the letter says. A neutral one has no frame and a
    subject that could be anybody's, and stands beside no letter of theirs."""
    assert message.id is not None
    if message.address_id is None:
        return await _to_staff(session, wording, message, body)
    automatic = await session.scalar(
        select(col(Contact.kind)).where(col(Contact.id) == message.contact_id)
    )
    before = await session.scalar(
        select(col(OutMessage.id))
        .where(
            col(OutMessage.channel) == CHANNEL,
            col(OutMessage.address_id) == message.address_id,
            col(OutMessage.id) < message.id,
        )
        .order_by(col(OutMessage.id).desc())
        .limit(1)
    )
    is_ours = message.case_id is None  # news or a reminder: it answers no letter of theirs
    subject = "membership.subject" if is_ours else "email.subject"
    said = {
        "token": token_of(message.id),
        "subject": wording.say("email.subject_neutral" if is_neutral else subject),
        "before": token_of(before) if before is not None else "",
        "answers": "" if is_neutral or is_ours else await _letter_id(session, message),
        "automatic": "yes" if automatic in (None, ContactKind.AUTOMATIC) else "",
    }
    if is_neutral:
        return body, said
    framed = wording.say("email.frame", body=body, mark=mail.MARK, us=contract.called.us)
    return framed, said


async def _to_staff(
    session: AsyncSession, wording: Wording, message: OutMessage, body: str
) -> tuple[str, Mapping[str, str]]:
    """An alert to one of ours, or the answer to their code: a reference and a colour, and nobody's
    conversation."""
    assert message.id is not None
    alert = await session.get(Alert, message.alert_id) if message.alert_id else None
    said = {"token": token_of(message.id), "before": "", "answers": "", "automatic": "yes"}
    if alert is None:
        return body, said | {"subject": wording.say("email.subject_staff")}
    subject = wording.say(
        "email.subject_alert", reference=alert.reference, colour=alert.colour.upper()
    )
    return wording.say("email.alert", body=body, mark=mail.MARK), said | {"subject": subject}


async def _letter_id(session: AsyncSession, message: OutMessage) -> str:
    """The Message-ID of their last letter, so that their mail program shows ours beside it."""
    found = select(col(Conversation.letter_id)).where(
        col(Conversation.address_id) == message.address_id
    )
    return await session.scalar(found) or ""


def envelope(said: Mapping[str, str], address: str) -> dict[str, str]:
    """What `dressed` said, once the address it leaves from is known: whom to answer, under which
    Message-ID it travels, to which letters of ours and theirs it belongs."""
    host = address.rpartition("@")[2]
    extra = {
        "subject": said["subject"],
        "automatic": said["automatic"],
        "reply_to": mail.with_plus(address, said["token"]),
        "message_id": provider_id(said["token"], host),
        "refers": provider_id(said["before"], host) if said["before"] else "",
        "answers": said["answers"],
    }
    return {name: value for name, value in extra.items() if value}
