"""Links that open a carer's own page: made, sent, opened once, and the visit that follows.

Asked for by a word (desk/intake) or sent by a worker (the page of a case); opened by
web/pages/own.py. A link is 256 random bits of which only a digest is kept; the message that carries
it is sealed, and the link is taken out of it when it was used, replaced or has run out. What the
page shows is desk/own_page; what may leave and how much is shown decides rules/own_page.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import access, cases, events, means, safety
from helpline.desk.merging import sharing_a_number
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Address,
    Case,
    Contact,
    Conversation,
    Event,
    OutMessage,
    PageLink,
    Person,
    Task,
    metadata,
)
from helpline.rules import languages, own_page, saying, whatsapp
from helpline.rules.own_page import Shows, WhoFacts
from helpline.rules.permissions import Actor, require
from helpline.templating import Wording
from helpline.vocabulary import ContactKind, Identity, TaskKind

LINK = metadata.tables["page_link"]
SEEN_EVERY: Final = timedelta(minutes=1)
SPLIT: Final = ("contact.moved_away", "conversation.split_off")
"""Events on a case that say: somebody else writes from there too."""
GONE: Final = "page.gone"
"""The one sentence, a key of the wording, for every link that opens nothing."""
WHY_NOT: Final = {
    "no_links": "A link cannot be sent the way they wrote last. Ring them instead.",
    "opted_out": "They have asked not to be texted here, so no link is sent. Ring them instead.",
    "landline": "That number is no mobile: a link would be read aloud. Ring them instead.",
    "hours": "It is outside the hours in which they may be reached, and a link lasts 30 minutes. "
    "Send it within those hours.",
    "neutral_only": "They asked for neutral words only, and a link is none. Ring them first and "
    "agree another way under safe contact.",
    "not_by_this_channel": "They asked not to be reached this way. Agree another under safe "
    "contact.",
    "window": "They wrote more than 24 hours ago, so WhatsApp lets no link through. Write to them "
    "first, or ring.",
    "not_theirs": "The number it would go to is not certainly theirs. Ring them instead.",
    "too_many": "They had three links within the hour. The newest one works; wait a little.",
}
"""Why no link is sent, as the worker who presses the button is told."""


class Sent(StrEnum):
    """What became of a wish for the page."""

    SENT = "sent"
    TOO_MANY = "too_many"
    KEPT_BACK = "kept_back"  # a worker was told


@dataclass(frozen=True)
class Visit:
    """Somebody who came by a link, and what they may see."""

    link: PageLink
    case: Case
    person: Person
    address: Address
    shows: Shows

    @property
    def language(self) -> str:
        chosen = self.link.language or self.case.language or self.person.language
        return chosen if chosen in languages.NAMES else "en"


# --- making and sending --------------------------------------------------------------------------


async def send(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    address: Address,
    wording: Wording,
    public_url: str,
    now: datetime,
    by: Actor | None = None,
) -> Sent:
    """A new link by this address, which ends an older one. Where safe contact or doubt about whose
    address it is keeps it back, nothing leaves and a worker is asked."""
    why = await _why_not(session, contract, case, address, now)
    if why == "too_many":
        return Sent.TOO_MANY
    if why:
        await _tell_worker(session, contract, case, why, now)
        return Sent.KEPT_BACK
    await _end_unused(session, address.id or 0, now)
    token = secrets.token_urlsafe(32)
    expires_at = now + own_page.LASTS
    person = await session.get(Person, case.person_id)
    language = case.language or (person.language if person else "en")
    until = saying.in_figures(expires_at, contract.zone)[-5:]
    link = f"{public_url}/page/{token}"
    contact = await cases.send_to_person(
        session,
        contract,
        case,
        address,
        wording.say("page.link", language, link=link, until=until),
        now,
        kind=ContactKind.AUTOMATIC,
        by=by.user_id if by else None,
        shown=wording.say("page.link", language, link="[…]", until=until),
        expires_at=expires_at,
    )
    message = await session.scalar(
        select(col(OutMessage.id)).where(col(OutMessage.contact_id) == contact.id)
    )
    made = PageLink(
        contract=contract.key,
        case_id=case.id or 0,
        person_id=case.person_id,
        address_id=address.id or 0,
        message_id=message,
        token_hash=access.token_hash(token),
        made_at=now,
        expires_at=expires_at,
        by_user_id=by.user_id if by else None,
    )
    session.add(made)
    await session.flush()
    await events.on_case(session, "page.sent", case, now, by, channel=address.channel)
    return Sent.SENT


async def send_by_worker(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    wording: Wording,
    public_url: str,
    by: Actor,
    now: datetime,
) -> None:
    """A worker sends them their page, the way an answer would go. InvalidInput says why not."""
    require(by, "case.reply", case.contract)
    address = await cases.reply_address(session, case)
    if address is None:
        raise InvalidInput("There is no number or address here to send a link to.")
    why = await _why_not(session, contract, case, address, now)
    if why:
        raise Conflict(WHY_NOT[why])
    await send(session, contract, case, address, wording, public_url, now, by)


async def _why_not(
    session: AsyncSession, contract: Contract, case: Case, address: Address, now: datetime
) -> str:
    if case.erased_at is not None or address.person_id != case.person_id:
        return "not_theirs"
    rules = await safety.rules_of(session, case.person_id)
    opted_out = address.opted_out_at is not None
    mobile = safety.is_mobile(address.value)
    why = own_page.why_not(rules, address.channel, mobile, opted_out, now, contract.zone)
    if why:
        return why
    if address.channel == "whatsapp":
        heard = select(col(Conversation.last_in_at)).where(
            col(Conversation.address_id) == address.id
        )
        if not whatsapp.is_open(await session.scalar(heard), now):
            return "window"
    made = select(func.count()).where(
        LINK.c.address_id == address.id, LINK.c.made_at > now - timedelta(hours=1)
    )
    return "too_many" if (await session.scalar(made) or 0) >= own_page.MOST_IN_AN_HOUR else ""


async def _tell_worker(
    session: AsyncSession, contract: Contract, case: Case, why: str, now: datetime
) -> None:
    """One open task a case, however often they ask."""
    what = f"They asked for their own page, and no link was sent. {WHY_NOT[why]}"
    open_one = select(Task).where(
        col(Task.case_id) == case.id,
        col(Task.kind) == TaskKind.GIVEN,
        col(Task.detail) == "page",
        col(Task.done_at).is_(None),
    )
    if await session.scalar(open_one.limit(1)) is None:
        session.add(
            Task(
                contract=contract.key,
                case_id=case.id or 0,
                kind=TaskKind.GIVEN,
                detail="page",
                what=what,
                created_at=now,
            )
        )
    await events.on_case(session, "page.kept_back", case, now, None, why=why)


async def _end_unused(session: AsyncSession, address_id: int, now: datetime) -> None:
    older = update(LINK).where(LINK.c.address_id == address_id, *_unused()).values(ended_at=now)
    ended = await session.scalars(older.returning(LINK.c.id))
    await _take_out(session, list(ended))


async def tidy(session: AsyncSession, now: datetime) -> None:
    """Take the links that have run out, or were used, out of the messages that carried them."""
    over = select(LINK.c.id).where(
        LINK.c.message_id.is_not(None),
        (LINK.c.expires_at <= now) | LINK.c.opened_at.is_not(None),
    )
    await _take_out(session, list(await session.scalars(over.limit(500))))


async def _take_out(session: AsyncSession, ids: list[int]) -> None:
    """What stands on the timeline stands in the message too from now on: the same without the
    link."""
    if not ids:
        return
    rows = await session.execute(
        select(OutMessage, Contact)
        .join(PageLink, col(PageLink.message_id) == col(OutMessage.id))
        .join(Contact, col(Contact.id) == col(OutMessage.contact_id))
        .where(col(PageLink.id).in_(ids))
    )
    for message, contact in rows:
        message.body = contact.body or ""
    await session.flush()
    await session.execute(update(LINK).where(LINK.c.id.in_(ids)).values(message_id=None))


# --- whoever holds the link ----------------------------------------------------------------------


async def find(session: AsyncSession, token: str, now: datetime) -> Visit:
    """What the link would open; NotFound, with one sentence for all reasons, when nothing."""
    found = await session.scalar(select(PageLink).where(*_good(token, now)))
    return await _seen_through(session, found)


async def open_once(session: AsyncSession, token: str, now: datetime) -> tuple[Visit, str]:
    """Use the link up: of two at once one finds it used. Gives the visit and its own token."""
    visit_token = secrets.token_urlsafe(32)
    used = (
        update(LINK)
        .where(*_good(token, now))
        .values(
            opened_at=now,
            seen_at=now,
            ends_at=now + own_page.LONGEST,
            visit_hash=access.token_hash(visit_token),
        )
    )
    link_id = await session.scalar(used.returning(LINK.c.id))
    found = await session.get(PageLink, link_id, populate_existing=True) if link_id else None
    visit = await _seen_through(session, found)
    await _take_out(session, [visit.link.id or 0])
    await note(session, visit, "page.opened", now, shows=visit.shows)
    return visit, visit_token


async def who(session: AsyncSession, token: str, now: datetime) -> Visit:
    """The visit of this token while it lasts; NotFound when it is over."""
    query = select(PageLink).where(
        col(PageLink.visit_hash) == access.token_hash(token),
        col(PageLink.left_at).is_(None),
        col(PageLink.seen_at) > now - own_page.IDLE,
        col(PageLink.ends_at) > now,
    )
    return await _seen_through(session, await session.scalar(query))


async def note_seen(session: AsyncSession, visit: Visit, now: datetime) -> None:
    await session.execute(update(LINK).where(LINK.c.id == visit.link.id).values(seen_at=now))


async def leave(session: AsyncSession, token: str, now: datetime) -> None:
    """They leave: the visit is over. Twice changes nothing."""
    left = (
        update(LINK)
        .where(LINK.c.visit_hash == access.token_hash(token), LINK.c.left_at.is_(None))
        .values(left_at=now)
    )
    row = (await session.execute(left.returning(LINK.c.case_id, LINK.c.contract))).first()
    if row is not None:
        await events.record(session, "page.left", now, contract=row.contract, case_id=row.case_id)


async def speak(session: AsyncSession, visit: Visit, language: str, now: datetime) -> None:
    """They chose another language for the fixed parts of the page."""
    if language != "en" and language not in languages.NAMES:
        raise InvalidInput("Choose a language from the list.")
    await session.execute(update(LINK).where(LINK.c.id == visit.link.id).values(language=language))
    await note(session, visit, "page.language_chosen", now, language=language)


async def visits_on(session: AsyncSession, case_id: int) -> dict[str, Any]:
    """For the worker: when a link was last sent and when the page was last opened."""
    row = (
        await session.execute(
            select(func.max(LINK.c.made_at), func.max(LINK.c.opened_at)).where(
                LINK.c.case_id == case_id
            )
        )
    ).one()
    return {"sent_at": row[0], "opened_at": row[1]}


async def _seen_through(session: AsyncSession, link: PageLink | None) -> Visit:
    """The link with whose it is now, unless that is no longer who it was made for."""
    if link is None:
        raise NotFound(GONE)
    case, address = (
        await session.get(Case, link.case_id),
        await session.get(Address, link.address_id),
    )
    person = await session.get(Person, link.person_id)
    if case is None or address is None or person is None:
        raise NotFound(GONE)
    is_another = {case.person_id, address.person_id} != {link.person_id}
    if is_another or case.erased_at is not None or person.erased_at is not None:
        raise NotFound(GONE)
    if own_page.is_shut_by(await safety.rules_of(session, link.person_id), address.channel):
        raise NotFound(GONE)
    joined = await means.joined(session, link.person_id)
    facts = WhoFacts(
        is_listed=address.from_register,
        is_known=case.identity == Identity.KNOWN,
        is_shared=await _is_shared(session, person),
        is_joined=address.id in joined["address"] or case.id in joined["case"],
    )
    return Visit(link, case, person, address, own_page.shows(facts))


async def _is_shared(session: AsyncSession, person: Person) -> bool:
    """Whether others use the telephone as well: a worker found so, or another record has it too."""
    split = (
        select(col(Event.id))
        .join(Case, col(Case.id) == col(Event.case_id))
        .where(col(Case.person_id) == person.id, col(Event.kind).in_(SPLIT))
    )
    if await session.scalar(split.limit(1)) is not None:
        return True
    others = await sharing_a_number(session, person)
    named = select(col(Person.id)).where(col(Person.id).in_(others), col(Person.name).is_not(None))
    return bool(others) and await session.scalar(named.limit(1)) is not None


async def note(
    session: AsyncSession, visit: Visit, kind: str, now: datetime, **detail: Any
) -> None:
    """Write down that they did something here."""
    await events.record(
        session, kind, now, contract=visit.link.contract, case_id=visit.case.id, **detail
    )


def _good(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        LINK.c.token_hash == access.token_hash(token),
        LINK.c.expires_at > now,
        *_unused(),
    )


def _unused() -> tuple[ColumnElement[bool], ...]:
    return (LINK.c.opened_at.is_(None), LINK.c.ended_at.is_(None))
