"""What comes by e-mail: what kind of letter it is, what of it is new, which of our messages it
answers, and what a program's letter means.

`read` is asked by intake first; `note` settles what no person wrote (a bounce fails the message it
is about, an automatic reply is shown on the case it belongs to); `part` hands engine/fetching what
was attached, out of the letter that is already kept. A sender's address proves nothing here.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound, Media, Receipt
from helpline.contract import Contract
from helpline.desk import events, letters, outbox
from helpline.desk.inbox import opened
from helpline.models import Address, Case, Contact, Conversation, InboundItem, OutMessage
from helpline.rules import dialogue, mail
from helpline.rules.mail import Sort
from helpline.sealing import ring
from helpline.templating import Wording
from helpline.vocabulary import ContactKind, Direction, Fault, OutState, Step

CHANNEL = letters.CHANNEL
MOST_ANSWERS = 10
"""Automatic answers to one address in a day: two programs that do not know each other for what they
are stop here. A whole dialogue takes five."""
DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Letter:
    """An e-mail, understood. `text` is what was written now, `shown` what stands on the timeline;
    `address_id` is whom our answered message went to, None where the letter answers none."""

    sort: Sort
    text: str
    shown: str
    address_id: int | None = None
    case_id: int | None = None
    more: tuple[Media, ...] = ()
    asked_staff: bool = False
    """It answers an alert of ours to one of our own."""
    first_line: str = ""
    """Of what was written, without the subject: where a code stands."""

    @property
    def is_from_a_program(self) -> bool:
        """Whether nobody wrote it: it opens no case and is no contact."""
        return self.sort in (Sort.BOUNCE, Sort.DELAY, Sort.AWAY, Sort.OWN)

    def heard(self, step: Step) -> str:
        """What the dialogue hears. To "is anyone in danger" a YES on the first line counts, however
        many regards stand below; a NO with more below it does not."""
        words = mail.without_signature(self.text)
        first = words.partition("\n")[0].strip()
        return first if step.asks_danger and first.strip(" .!,").upper() in dialogue.YES else words


async def read(
    session: AsyncSession, contract: Contract, wording: Wording, inbound: Inbound
) -> Letter | None:
    """The letter in an item; None for any other channel."""
    if inbound.channel != CHANNEL:
        return None
    extra = inbound.extra
    answered = await _answered(session, contract, inbound)
    sort = mail.sort_of(
        _headers(extra.get("headers", "")),
        extra.get("action", ""),
        answers_us=answered is not None,
        is_ours=bool(letters.signed_ids(extra.get("message_id", ""))),
    )
    address_id = answered.address_id if answered else None
    if sort is Sort.AWAY and answered is None:
        known = await _case_with(session, contract, inbound.sender)
        case_id, sort = known, sort if known is not None else Sort.BULK
    else:
        case_id = answered.case_id if answered else None
    words, is_cut = mail.new_words(inbound.text)
    subject = mail.bare_subject(extra.get("subject", ""))
    ours = (wording.say("email.subject"), wording.say("email.subject_neutral"))
    is_ours = subject.lower() in [mail.bare_subject(one).lower() for one in ours]
    text = words if is_ours else "\n\n".join(filter(None, (subject, words)))
    more = (Media(f"{inbound.external_id}:text", "text/plain", "the whole text"),) if is_cut else ()
    return Letter(
        sort=sort,
        text=text,
        shown=await _shown(session, wording, inbound, text, is_cut, address_id),
        address_id=address_id,
        case_id=case_id,
        more=more,
        asked_staff=answered is not None and answered.alert_id is not None and sort is Sort.LETTER,
        first_line=mail.without_signature(words).strip().partition("\n")[0],
    )


async def writer(session: AsyncSession, contract: Contract, letter: Letter) -> Address | None:
    """The address whose conversation the letter goes on, by its token; None without one."""
    if letter.address_id is None:
        return None
    address = await session.get(Address, letter.address_id)
    return address if address is not None and address.contract == contract.key else None


async def is_answered_by_us(
    session: AsyncSession, letter: Letter, address: Address, now: datetime
) -> bool:
    """Whether our programs may answer: never a machine or a list, and nobody without end."""
    if letter.sort is not Sort.LETTER:
        return False
    said = await session.scalar(
        select(func.count())
        .select_from(OutMessage)
        .join(Contact, col(Contact.id) == col(OutMessage.contact_id))
        .where(
            col(OutMessage.address_id) == address.id,
            col(OutMessage.created_at) > now - DAY,
            col(Contact.kind) == ContactKind.AUTOMATIC,
        )
    )
    return (said or 0) < MOST_ANSWERS


async def note(
    session: AsyncSession, contract: Contract, letter: Letter, inbound: Inbound, now: datetime
) -> int | None:
    """A program's letter: what it means for what we sent. The id of the contact that shows it, if
    one does. It is kept in any case."""
    if letter.sort is Sort.BOUNCE:
        await _fail(session, contract, inbound, now)
        return None
    case = await session.get(Case, letter.case_id) if letter.case_id else None
    if letter.sort is not Sort.AWAY or case is None:
        await events.record(
            session, "mail.by_program", now, contract=contract.key, sort=letter.sort.value
        )
        return None
    assert case.id is not None
    contact = Contact(
        contract=contract.key,
        case_id=case.id,
        person_id=case.person_id,
        direction=Direction.IN,
        kind=ContactKind.AUTOMATIC,
        channel=CHANNEL,
        method=contract.method_for(CHANNEL),
        at=now,
        written_at=now,
        body=letter.shown,
        what="auto_reply",
    )
    session.add(contact)
    await session.flush()
    return contact.id


async def kept(session: AsyncSession, media: Media) -> Inbound | None:
    """The letter that an attachment came with."""
    external_id, _, _ = media.key.rpartition(":")
    sealed = await session.scalar(
        select(col(InboundItem.sealed)).where(
            col(InboundItem.channel) == CHANNEL, col(InboundItem.external_id) == external_id
        )
    )
    return opened(sealed) if sealed is not None else None


def part(letter: Inbound, media: Media) -> bytes | None:
    """One attachment out of the kept letter, its whole text, or all of it. Takes its time: call it
    in a thread."""
    which = media.key.rpartition(":")[2]
    if which == "text":
        return letter.text.encode("utf-8", "replace")
    raw = letter.raw.encode("latin-1", "replace")
    return raw if which == "all" else mail.part_of(raw, int(which))


async def _answered(
    session: AsyncSession, contract: Contract, inbound: Inbound
) -> OutMessage | None:
    """The message of ours that this letter answers or is about: the last one whose real token it
    carries in an address or a reference. Of a server's report, the one it reports on."""
    extra = inbound.extra
    reported = letters.signed_ids(extra.get("about", ""))
    about = reported or letters.signed_ids(extra.get("refers", ""))
    if not about:
        return None
    return await session.scalar(
        select(OutMessage).where(
            col(OutMessage.id) == max(about),
            col(OutMessage.channel) == CHANNEL,
            col(OutMessage.contract) == contract.key,
        )
    )


async def _case_with(session: AsyncSession, contract: Contract, sender: str) -> int | None:
    """The case of the conversation with this address, if there is one."""
    return await session.scalar(
        select(col(Conversation.case_id))
        .join(Address, col(Address.id) == col(Conversation.address_id))
        .where(
            col(Address.contract) == contract.key,
            col(Address.channel) == CHANNEL,
            col(Address.value_index).in_(ring().indexes(f"address:{CHANNEL}", sender.lower())),
        )
        .limit(1)
    )


async def _fail(session: AsyncSession, contract: Contract, inbound: Inbound, now: datetime) -> None:
    """What we sent did not arrive: it fails, and a person reaches them another way."""
    message = await _answered(session, contract, inbound)
    if message is None or message.id is None:
        await events.record(session, "mail.bounce_unmatched", now, contract=contract.key)
        return
    if message.provider_id is None:  # we never heard that it was taken; now we know
        host = inbound.recipient.rpartition("@")[2]
        message.provider_id = letters.provider_id(letters.token_of(message.id), host)
        await session.flush()
    receipt = Receipt(
        CHANNEL,
        message.provider_id,
        OutState.FAILED,
        code=inbound.extra.get("status", "") or "bounce",
        fault=_fault(inbound.extra.get("fault", "")),
    )
    await outbox.record_receipt(session, receipt, now)


async def _shown(
    session: AsyncSession,
    wording: Wording,
    inbound: Inbound,
    text: str,
    is_cut: bool,
    address_id: int | None,
) -> str:
    """What the timeline shows: the new words, and what a worker must know about the rest."""
    lines = [text]
    if is_cut:
        lines.append(wording.say("email.more"))
    if "cut_from" in inbound.extra:
        lines.append(wording.say("email.too_large"))
    if count := inbound.extra.get("left_out"):
        lines.append(wording.say("email.unread_parts", count=count))
    if address_id is not None:
        address = await session.get(Address, address_id)
        if address is not None and address.value.lower() != inbound.sender.lower():
            lines.append(wording.say("email.elsewhere", address=inbound.sender))
    return "\n\n".join(filter(None, lines))


def _headers(written: str) -> dict[str, str]:
    try:
        found = json.loads(written)
    except ValueError:
        return {}
    return dict(found) if isinstance(found, dict) else {}


def _fault(word: str) -> Fault:
    return Fault(word) if word in set(Fault) else Fault.NONE
