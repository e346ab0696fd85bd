"""From a kept item to a case: the second of the two steps (design.md §2).

`route` takes one item through sender → person → case → dialogue → triage → deadlines → answer, in
the caller's transaction. A bug here can lose nothing: the item stays kept and is tried again, then
set aside in the tray, where its clock runs and a person is alerted. Called by engine/routing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound
from helpline.contract import Contract
from helpline.desk import (
    attachments,
    blocks,
    calls,
    cases,
    complaints,
    compliments,
    deadlines,
    eligibility,
    escalation,
    events,
    faults,
    feedback,
    kinds,
    linking,
    mailing,
    news,
    outbox,
    page_links,
    people,
    privacy,
    readings,
    safety,
    seeing,
    signposts,
    taking,
    trials,
    unplaced,
    webform,
)
from helpline.desk.house import House
from helpline.desk.inbox import opened
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Address,
    Alert,
    Case,
    Contact,
    Conversation,
    Event,
    InboundItem,
    Person,
    Task,
    User,
)
from helpline.rules import asking, dialogue, languages, mail, saying, triage
from helpline.rules.permissions import Actor, may
from helpline.sealing import CannotOpen, ring
from helpline.templating import Wording
from helpline.vocabulary import (
    NUMBERED,
    OWN_PAGES,
    UNKNOWN,
    UNPLACED,
    AlertKind,
    CaseStatus,
    ClockStop,
    ContactKind,
    Direction,
    Identity,
    ItemKind,
    ItemState,
    Step,
    TaskKind,
    Urgency,
)

RETRIES = tuple(timedelta(seconds=s) for s in (1, 5, 30))
"""Pauses between tries; after the last the item is set aside and shown."""
STAFF = "staff"
"""Where a session remembers whose phones are staff's: asked once for many items."""
STAFF_PHONES = select(
    col(User.id), col(User.mobile_index), col(User.telegram_index), col(User.email_index)
).where(col(User.left_at).is_(None))
HELD = "person.told_where_it_is"
BOT = "telegram"
"""The one channel that has one address for all contracts."""
FOLLOWED = re.compile(r"/start ([a-z][a-z0-9_-]{0,39})")
"""What a bot hears of somebody who followed a contract's own link to it."""
TOLD = timedelta(hours=6)
"""How long we do not say again with whom a question is."""
IN_HAND = timedelta(minutes=10)
"""How long somebody who took an alert is taken to be looking at what comes next."""


@dataclass(frozen=True)
class Ways:
    """What routing needs besides the session: the contracts, which of our numbers belongs to
    which, and the wording."""

    contracts: Mapping[str, Contract]
    numbers: Mapping[str, str]
    wording: Wording
    public_url: str = ""
    """Where our own pages are: for a link to one of them."""

    def contract_for(self, inbound: Inbound) -> Contract | None:
        """By the number it came to; a provider with one contract needs no list. Our own pages say
        the contract itself."""
        if inbound.channel in OWN_PAGES:
            return self.contracts.get(inbound.recipient)
        key = self.numbers.get(inbound.recipient)
        if key is None and len(self.contracts) == 1 and inbound.recipient not in self.numbers:
            return next(iter(self.contracts.values()))
        return self.contracts.get(key or "")


def ways_of(house: House) -> Ways:
    numbers = house.settings.every_number | house.settings.mailbox_contracts
    if house.settings.telegram_contract:
        numbers |= {BOT: house.settings.telegram_contract}
    return Ways(house.contracts, numbers, house.wording, house.settings.public_url)


async def route(session: AsyncSession, ways: Ways, item: InboundItem) -> None:
    """Put one kept item where it belongs. All times are those of receipt. Idempotent: an item that
    is no longer kept is left alone."""
    if item.state != ItemState.KEPT:
        return
    inbound, now = opened(item.sealed), item.received_at
    contract = await _whose(session, ways, inbound, now)
    if inbound.kind is ItemKind.UNREADABLE or contract is None or not inbound.sender:
        await set_aside(session, ways, item, "unreadable" if contract else "no contract")
        return
    item.contact_id = await _hear(session, ways, contract, inbound, now)
    item.state, item.settled_at = ItemState.ROUTED, now


async def _whose(
    session: AsyncSession, ways: Ways, inbound: Inbound, now: datetime
) -> Contract | None:
    """By what it came to. One bot serves all contracts, so there it is the one whose link was
    followed, or whose worker read out the code, else the one with which this chat spoke last; as
    it is at a number that belongs to none, once somebody has said whose the first message was."""
    by_number = ways.contract_for(inbound)
    is_shared = inbound.channel == BOT or (
        by_number is None and inbound.channel in NUMBERED and inbound.kind is not ItemKind.CALL
    )
    if not is_shared or len(ways.contracts) == 1:
        return by_number
    if inbound.channel != BOT:
        return ways.contracts.get(await _spoke_last(session, inbound, has_spoken=True) or "")
    link = FOLLOWED.fullmatch(inbound.text.strip())
    key = link[1] if link and link[1] in ways.contracts else None
    key = key or await linking.contract_of_code(session, inbound, now)
    key = key or await _spoke_last(session, inbound)
    return ways.contracts.get(key or "") or by_number


async def _spoke_last(
    session: AsyncSession, inbound: Inbound, *, has_spoken: bool = False
) -> str | None:
    """The contract with which this address spoke last; `has_spoken`: being on a council's list is
    not enough."""
    channel = inbound.channel
    found = (
        select(col(Address.contract))
        .join(
            Conversation,
            col(Conversation.address_id) == col(Address.id),
            isouter=not has_spoken,
        )
        .where(
            col(Address.channel) == channel,
            col(Address.value_index).in_(
                ring().indexes(f"address:{channel}", canonical(channel, inbound.sender))
            ),
        )
        .order_by(
            col(Conversation.last_in_at).is_(None),
            col(Conversation.last_in_at).desc(),
            col(Address.id).desc(),
        )
    )
    key: str | None = await session.scalar(found.limit(1))
    return key


async def _hear(
    session: AsyncSession, ways: Ways, contract: Contract, inbound: Inbound, now: datetime
) -> int | None:
    """Whoever and whatever it is: a call, a change of standing, a one-time code, staff, a person.
    The id of the contact it made, if it made one."""
    if inbound.kind is ItemKind.CALL:  # its hooks lead it from here; this is what makes it last
        return (await calls.arrive(session, contract, inbound, now)).contact_id
    if inbound.extra.get("what") == "my_chat_member":
        await linking.note_standing(session, contract, inbound, now)
        return None
    if await linking.use(session, ways.wording, contract, inbound, now):
        session.info.pop(STAFF, None)  # it may have been somebody's of ours
        return None
    letter = await mailing.read(session, contract, ways.wording, inbound)
    if letter is not None and letter.is_from_a_program:
        return await mailing.note(session, contract, letter, inbound, now)
    said = letter.first_line if letter is not None else inbound.text
    if await trials.hear(session, ways.wording, contract.key, inbound, said, now):
        return None
    worker = await _worker_with(session, inbound, letter)
    if worker is not None:
        await _hear_worker(session, ways, contract, worker, replace(inbound, text=said), now)
        return None
    value = canonical(inbound.channel, inbound.sender)
    if await news.hear_no(session, ways.wording, contract, inbound, said, value, now):
        return None
    return await _hear_person(session, ways, contract, inbound, now, letter)


async def put_off(
    session: AsyncSession, ways: Ways, item: InboundItem, failure: str, now: datetime
) -> None:
    """Routing failed: try again a little later, and after the last try set it aside."""
    item.attempts += 1
    item.failure = failure
    if item.attempts > len(RETRIES):
        await set_aside(session, ways, item, failure)
    else:
        item.next_try_at = now + RETRIES[item.attempts - 1]
    await session.flush()


async def set_aside(session: AsyncSession, ways: Ways, item: InboundItem, failure: str) -> None:
    """Into the tray, with an alert: a person reads it, and its 24 hours run from receipt."""
    item.state, item.failure = ItemState.SET_ASIDE, failure
    await session.flush()
    assert item.id is not None
    kind, reference = AlertKind.TRAY, "TRAY"
    contract, text = await _contract_of(session, ways, item)
    if contract is None:
        kind, reference = unplaced.kind_of(text, item.channel), UNPLACED
        contract = unplaced.keeper(ways.contracts, item.received_at)
    await events.record(
        session, "item.set_aside", item.received_at, contract=contract.key, item=item.id
    )
    await deadlines.open_for_tray(session, contract, item.id, item.received_at)
    cause = escalation.Cause(kind=kind, key=f"item:{item.id}", reference=reference)
    await escalation.raise_alert(session, contract, cause, item.received_at)


async def _contract_of(
    session: AsyncSession, ways: Ways, item: InboundItem
) -> tuple[Contract | None, str]:
    """Whose tray it lies in, and what it says: nothing where no key opens it."""
    content = select(col(InboundItem.sealed)).where(col(InboundItem.id) == item.id)
    only = next(iter(ways.contracts.values())) if len(ways.contracts) == 1 else None
    try:
        inbound = opened(await session.scalar(content) or "")
    except CannotOpen:
        return only, ""
    return await _whose(session, ways, inbound, item.received_at) or only, inbound.text


async def give(
    session: AsyncSession, ways: Ways, item_id: int, contract: Contract, by: Actor, now: datetime
) -> None:
    """What came to no contract's number is this contract's, says somebody who read it: it becomes
    a case there as if it had come to it, with the times of its receipt."""
    item = await _tray_item(session, item_id, by)
    inbound = opened(item.sealed)
    if await _whose(session, ways, inbound, now) is not None:
        raise Conflict("It is known whose this is. Try it again instead.")
    if inbound.kind is ItemKind.UNREADABLE or not inbound.sender:
        raise InvalidInput("It cannot be read, so no case can be made of it.")
    if not unplaced.is_live(contract, now):
        raise InvalidInput(f"{contract.name} takes no new cases now. Choose another.")
    item.contact_id = await _hear(session, ways, contract, inbound, item.received_at)
    item.state, item.settled_at = ItemState.ROUTED, now
    await session.flush()
    await _leave_tray(session, item_id, by, now)
    await events.record(
        session, "item.given", now, contract=contract.key, by=by.user_id, item=item_id
    )


async def clear_tray_item(session: AsyncSession, item_id: int, by: Actor, now: datetime) -> None:
    """A person has dealt with a tray entry."""
    item = await _tray_item(session, item_id, by)
    item.state, item.settled_at = ItemState.CLEARED, now
    await session.flush()
    await _leave_tray(session, item_id, by, now)
    await events.record(session, "item.cleared", now, by=by.user_id, item=item_id)


async def try_again(session: AsyncSession, item_id: int, by: Actor, now: datetime) -> None:
    """Route a tray entry once more: the fault may be mended."""
    item = await _tray_item(session, item_id, by)
    item.state, item.attempts, item.next_try_at = ItemState.KEPT, 0, None
    await session.flush()
    await _leave_tray(session, item_id, by, now)
    await events.record(session, "item.tried_again", now, by=by.user_id, item=item_id)


async def _leave_tray(session: AsyncSession, item_id: int, by: Actor, now: datetime) -> None:
    await deadlines.meet_for_tray(session, item_id, now, by.user_id)
    await escalation.end(session, f"item:{item_id}", now)


async def _tray_item(session: AsyncSession, item_id: int, by: Actor) -> InboundItem:
    item = await session.get(InboundItem, item_id, with_for_update=True)
    if item is None or not may(by, "tray.clear"):
        raise NotFound("There is no such item in the tray.")
    if item.state != ItemState.SET_ASIDE:
        raise Conflict("Somebody has already dealt with this item.")
    return item


async def _hear_person(
    session: AsyncSession,
    ways: Ways,
    contract: Contract,
    inbound: Inbound,
    now: datetime,
    letter: mailing.Letter | None = None,
) -> int | None:
    """A message from somebody who is not staff: person, case, contact, then the answer."""
    if letter is not None:
        inbound = replace(inbound, text=letter.text, media=(*inbound.media, *letter.more))
    sender = await _sender(session, contract, inbound, letter, now)
    address, case = sender.address, sender.case
    talk = sender.talk or _first_talk(contract, address)
    form = webform.read(inbound)
    found = None
    if form is not None:
        found = await webform.whom_it_names(session, contract, form)
    elif Step(talk.step).asks_who:
        found = await people.find_member(session, contract, inbound.text)
    if found is not None and await seeing.is_wall_between(
        session, sender.person.id or 0, found.id or 0
    ):
        found = None  # the other side of the same matter: nobody becomes that by saying so
    reading = await _read(session, contract, case, inbound, now)
    heard = letter.heard(Step(talk.step)) if letter is not None else inbound.text
    if case is not None and form is None and not inbound.media:
        answer = await feedback.heard(session, case, address, Step(talk.step), heard, now)
        if answer is not None and (answer.score is not None or _is_calm(heard, reading)):
            contact = _contact(session, contract, case, inbound, now)
            talk.last_in_at = now
            await feedback.take(session, contract, ways.wording, case, address, contact, answer)
            return contact.id
    elsewhere = await eligibility.heard_elsewhere(session, contract, address, case, inbound.text)
    facts = _facts(contract, talk, case, address, inbound.text, reading, found, now)
    person = found or sender.person
    turn = dialogue.hear(heard, privacy.facts(contract, person, inbound, facts, bool(elsewhere)))
    if form is not None:
        turn = dialogue.hear_form(form.reason, form.danger)
    kind = reading.category if Urgency(reading.urgency).rank <= Urgency.STANDARD.rank else ""
    apart = (
        case is not None
        and form is None
        and await complaints.goes_apart(session, contract, case, inbound.text, kind)
    )
    if case is not None and apart:  # not on the case of whoever it may be about
        case, talk = await complaints.open_case_of(session, case.person_id), _aside(talk)
        turn = dialogue.Turn(("complaint_noted",), Step.DONE, reason=complaints.REASON)
    if turn.opted_out or turn.opted_in:
        address.opted_out_at = now if turn.opted_out else None
        kind = "address.opted_out" if turn.opted_out else "address.opted_in"
        case_id = case.id if case else None
        await events.record(
            session, kind, now, contract=contract.key, case_id=case_id, channel=inbound.channel
        )
        if case is None and turn.opted_out:  # nothing to say to nobody: the ledger line is all
            return None
    if "held" in turn.say and not await _is_news(session, case, now):
        turn = replace(turn, say=tuple(key for key in turn.say if key != "held"))
    if letter is not None and not await mailing.is_answered_by_us(session, letter, address, now):
        # nothing is asked, so nothing waits
        turn = replace(turn, say=(), step=Step(talk.step), wants_page=False)
    if case is None:
        case = await _open(session, contract, sender, reading, now)
        if not apart:
            talk.case_id = case.id
            session.add(talk)
    elif case.status == CaseStatus.CLOSED and turn.opens_again:
        await cases.reopen(session, contract, case, None, now)
    if found is not None:
        await people.identify(session, address, case, found, now)
        await eligibility.decide_cases_again(session, contract, found, None, now)
    if elsewhere:
        await eligibility.suggest(session, case, elsewhere, now)
    contact = _contact(session, contract, case, inbound, now)
    if letter is not None:
        contact.body = letter.shown
        talk.letter_id = mail.answerable_id(inbound.extra.get("message_id", ""))
    await attachments.note(session, contact, inbound, now)
    await faults.hear_again(session, address)
    if form is not None:
        await webform.take_down(session, case, contact, form, now)
    if form is None:
        case.language = languages.heard(inbound.text, case.language)
    if inbound.text.strip() and not turn.answers:
        await session.flush()  # the reading names the contact
        readings.keep(session, contract, contact, reading, case.language)
    elif turn.danger:
        await readings.they_said_danger(session, case, now)
    is_waking = facts.waking or turn.wakes
    await _apply(session, contract, talk, case, address, contact, turn, reading, is_waking)
    if await complaints.hear(session, contract, case, contact):
        turn = dialogue.with_complaint(turn)
    await compliments.hear(session, contract, case, contact, reading.category, case.urgency)
    is_alarm = turn.danger or reading.urgency == Urgency.EMERGENCY
    if turn.wants_page and await blocks.blocked_until(session, address.id, now) is None:
        turn = await _send_page(session, ways, contract, case, address, turn, now)
    if turn.say and (is_alarm or await blocks.blocked_until(session, address.id, now) is None):
        said = inbound.text
        body = await _words(session, ways, contract, case, talk, turn, address, said, facts, now)
        await privacy.note(session, contract, case, inbound.channel, turn.say, now)
        if "held" in turn.say:
            await events.record(session, HELD, now, contract=case.contract, case_id=case.id)
        await cases.send_to_person(
            session,
            contract,
            case,
            address,
            body,
            now,
            kind=ContactKind.AUTOMATIC,
            choices=_choices(contract, turn),
        )
    else:
        await session.flush()
    return contact.id


async def _send_page(
    session: AsyncSession,
    ways: Ways,
    contract: Contract,
    case: Case,
    address: Address,
    turn: dialogue.Turn,
    now: datetime,
) -> dialogue.Turn:
    """The link to their own page; who had several just now is told which of them works."""
    await session.flush()
    sent = await page_links.send(
        session, contract, case, address, ways.wording, ways.public_url, now
    )
    if sent is page_links.Sent.TOO_MANY:
        return replace(turn, say=(*turn.say, "page.several"))
    return turn


async def _read(
    session: AsyncSession, contract: Contract, case: Case | None, inbound: Inbound, now: datetime
) -> triage.Reading:
    """What triage makes of a message, beside what they wrote just before and at this hour."""
    here = triage.Place(hour=now.astimezone(ZoneInfo(contract.zone)).hour)
    if case is not None and inbound.channel != mailing.CHANNEL:  # nobody writes letters in pieces
        before = await readings.before(session, case, inbound.channel, now)
        here = replace(here, before=before, reason=case.reason)
    return triage.read_in(inbound.text, here, channel=inbound.channel)


def _is_calm(text: str, reading: triage.Reading) -> bool:
    """Whether words after an answer to our question need nothing but to be read."""
    return dialogue.one_word(text) not in dialogue.COMMANDS and asking.is_only_a_comment(
        text,
        urgency=Urgency(reading.urgency),
        category=reading.category,
        asks_safety=reading.ask_safety,
    )


async def _is_news(session: AsyncSession, case: Case | None, now: datetime) -> bool:
    """Whether they have not been told a while ago with whom it is and by when."""
    if case is None:
        return True
    told = select(col(Event.id)).where(
        col(Event.case_id) == case.id, col(Event.kind) == HELD, col(Event.at) > now - TOLD
    )
    return await session.scalar(told.limit(1)) is None


def _aside(talk: Conversation) -> Conversation:
    """Stands in for a conversation that goes on elsewhere, and is not stored."""
    return Conversation(contract=talk.contract, address_id=talk.address_id, step=Step.DONE)


def _choices(contract: Contract, turn: dialogue.Turn) -> str:
    """The answers that one tap may give where the channel has buttons."""
    if "ask_danger" in turn.say:
        return "YES|NO"
    if "ask_reason" in turn.say:
        numbered = enumerate((reason for reason in contract.reasons if reason.menu), 1)
        return "|".join([*(f"{number} {reason.menu}" for number, reason in numbered), "PERSON"])
    return ""


async def _sender(
    session: AsyncSession,
    contract: Contract,
    inbound: Inbound,
    letter: mailing.Letter | None,
    now: datetime,
) -> people.Sender:
    """Who writes: by the token of the message they answer, else by their address."""
    address = await mailing.writer(session, contract, letter) if letter is not None else None
    if address is not None and address.id is not None:
        sender = await people.sender_at(session, address.id)
        if sender is not None:
            return sender
    value = canonical(inbound.channel, inbound.sender)
    return await people.sender(session, contract.key, inbound.channel, value, now)


def _facts(
    contract: Contract,
    talk: Conversation,
    case: Case | None,
    address: Address,
    text: str,
    reading: triage.Reading,
    found: Person | None,
    now: datetime,
) -> dialogue.Facts:
    is_known = address.from_register or bool(case and case.identity != Identity.UNKNOWN)
    quiet = (now - talk.last_in_at).total_seconds() / 3600 if talk.last_in_at else None
    return dialogue.Facts(
        step=Step(talk.step),
        is_known=is_known,
        found=found is not None,
        questions_off=talk.questions_off,
        alarming=reading.urgency == Urgency.EMERGENCY,
        ask_safety=reading.ask_safety,
        waking=triage.wakes(text, reading),
        language=case.language if case else None,
        is_unreadable=triage.is_strange(text),
        is_closed=case is not None and case.status == CaseStatus.CLOSED,
        has_network_words=address.channel not in (*OWN_PAGES, mailing.CHANNEL),
        quiet_hours=quiet,
        reasons=_menu(contract),
    )


def _menu(contract: Contract) -> dict[str, str]:
    """What may be typed for each reason that stands in the text menu: its number or its words."""
    menu: dict[str, str] = {}
    for number, reason in enumerate((r for r in contract.reasons if r.menu), 1):
        words = dialogue.one_word(str(reason.menu)).lower()
        menu |= dict.fromkeys((str(number), words, f"{number}{words}"), reason.code)
    return menu


def _first_talk(contract: Contract, address: Address) -> Conversation:
    """Stored together with the case that it is about."""
    assert address.id is not None
    return Conversation(contract=contract.key, address_id=address.id)


async def _open(
    session: AsyncSession,
    contract: Contract,
    sender: people.Sender,
    reading: triage.Reading,
    now: datetime,
) -> Case:
    """A new case for this conversation, with who they are as the register has it today."""
    person, address = sender.person, sender.address
    assert person.id is not None
    known = await people.standing(session, person, now.astimezone(ZoneInfo(contract.zone)).date())
    case = Case(
        reference="",
        contract=contract.key,
        person_id=person.id,
        identity=_identity(address),
        urgency=reading.urgency,
        reason=_reason(contract, reading),
        why=reading.why,
        group=known.group,
        team=known.team,
        quadrant=known.quadrant,
        method=contract.method_for(address.channel),
        opened_at=now,
        last_in_at=now,
    )
    return await cases.open_case(session, contract, case)


def _identity(address: Address) -> Identity:
    """The council's list proves who writes from a number; a mail address anybody can put on."""
    if not address.from_register:
        return Identity.UNKNOWN
    return Identity.CLAIMED if address.channel == mailing.CHANNEL else Identity.KNOWN


def _reason(contract: Contract, reading: triage.Reading) -> str:
    known = {reason.code for reason in contract.reasons}
    return reading.category if reading.category in known else UNKNOWN


def _contact(
    session: AsyncSession, contract: Contract, case: Case, inbound: Inbound, now: datetime
) -> Contact:
    assert case.id is not None
    contact = Contact(
        contract=contract.key,
        case_id=case.id,
        person_id=case.person_id,
        direction=Direction.IN,
        kind=ContactKind.MESSAGE,
        channel=inbound.channel,
        method=contract.method_for(inbound.channel),
        at=now,
        written_at=now,
        body=inbound.text,
        what=inbound.extra.get("what", inbound.kind.value),
    )
    session.add(contact)
    case.last_in_at = max(now, case.last_in_at or now)
    return contact


async def _apply(
    session: AsyncSession,
    contract: Contract,
    talk: Conversation,
    case: Case,
    address: Address,
    contact: Contact,
    turn: dialogue.Turn,
    reading: triage.Reading,
    is_waking: bool,
) -> None:
    """Write down what the message settled. Urgency only ever rises here."""
    now = contact.at
    # What the reconciler found late is no newer than what came since.
    talk.step, talk.last_in_at = turn.step, max(now, talk.last_in_at or now)
    talk.questions_off = talk.questions_off or turn.questions_off
    before = (case.reason, case.urgency)
    if turn.reason and case.reason_from != "worker":
        case.reason, case.reason_from = turn.reason, "person"
    elif case.reason_from == "triage" and case.reason in (UNKNOWN, "other"):
        case.reason = _reason(contract, reading)
    read = Urgency.EMERGENCY if turn.danger else Urgency(reading.urgency)
    if turn.answers and read is not Urgency.EMERGENCY:
        read = _urgency_of(contract, turn.reason)
    if read.rank > Urgency(case.urgency).rank:
        case.urgency, case.why = (
            read,
            reading.why if not turn.danger else "They wrote YES to danger.",
        )
        await events.record(
            session,
            "case.urgency_raised",
            now,
            contract=contract.key,
            case_id=case.id,
            urgency=read,
        )
    if contract.has_conditions and (case.reason, case.urgency) != before:
        await deadlines.reconsider(session, contract, case, now, since=now)
    if case.reason != before[0]:
        await kinds.follow_reason(session, contract, case, now)
    if read is Urgency.EMERGENCY:
        await _alert(session, contract, case, contact, AlertKind.EMERGENCY)
    elif is_waking:
        await _alert(session, contract, case, contact, AlertKind.PRESSING)
    if turn.wants_call:
        await _ask_for_call(session, contract, case, contact)
    if turn.no_call:
        await calls.no_call_wanted(session, case, now)
    if turn.not_here:
        await safety.not_here(session, case, address.channel, now)
    if (turn.opted_out or turn.not_here) and case.status == CaseStatus.OPEN:
        # An opt-out opens another way, never silence (design.md §4.7).
        await _task(session, contract, case, TaskKind.REACH_ANOTHER_WAY, address.channel, now)


def _urgency_of(contract: Contract, reason: str | None) -> Urgency:
    """An answer to our question says nothing about urgency but what was chosen from the menu."""
    chosen = next((one for one in contract.reasons if one.code == reason), None)
    if chosen is None:
        return Urgency.LOW
    return Urgency.URGENT if chosen.allegation else Urgency.STANDARD


async def _alert(
    session: AsyncSession, contract: Contract, case: Case, contact: Contact, kind: AlertKind
) -> None:
    """One page for one fright: while somebody is being asked, or took it minutes ago, the next
    message of the same person raises no second one that would hide another's emergency."""
    await session.flush()  # the message's id names the alert
    in_hand = await session.scalar(
        select(col(Alert.id))
        .where(
            col(Alert.case_id) == case.id,
            col(Alert.kind).in_({kind, AlertKind.EMERGENCY} if kind.is_loud else {kind}),
            or_(
                col(Alert.next_rung_at).is_not(None),
                col(Alert.acknowledged_at) > contact.at - IN_HAND,
            ),
        )
        .limit(1)
    )
    if in_hand is not None:
        return
    cause = escalation.Cause(
        kind=kind,
        key=f"{kind}:{case.id}:{contact.id}",
        reference=case.reference,
        case_id=case.id,
    )
    await escalation.raise_alert(session, contract, cause, contact.at)


async def _ask_for_call(
    session: AsyncSession, contract: Contract, case: Case, contact: Contact
) -> None:
    await _task(session, contract, case, TaskKind.CALL_BACK, "", contact.at)
    await _alert(session, contract, case, contact, AlertKind.CALL_BACK)


async def _task(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    kind: TaskKind,
    detail: str,
    now: datetime,
) -> None:
    assert case.id is not None
    open_one = select(col(Task.id)).where(
        col(Task.case_id) == case.id, col(Task.kind) == kind, col(Task.done_at).is_(None)
    )
    if await session.scalar(open_one.limit(1)) is None:
        session.add(
            Task(contract=contract.key, case_id=case.id, kind=kind, detail=detail, created_at=now)
        )


async def _words(
    session: AsyncSession,
    ways: Ways,
    contract: Contract,
    case: Case,
    talk: Conversation,
    turn: dialogue.Turn,
    address: Address,
    text: str,
    facts: dialogue.Facts,
    now: datetime,
) -> str:
    """The turn's texts as one message in the person's language."""
    due = await deadlines.open_due_times(session, case.id or 0)
    person = await session.get(Person, case.person_id)
    worker = await session.get(User, case.worker_id) if case.worker_id else None
    answer_by = due.get(ClockStop.HUMAN_REPLY) or due.get(ClockStop.REFERRAL_ANSWER)
    worker_by = due.get(ClockStop.ALLOCATION)
    values = {
        "us": contract.called.us,
        "ours": contract.called.ours,
        "reference": case.reference,
        "by_when": saying.by_when(answer_by, now, contract.zone) if answer_by else "",
        "by_figures": saying.in_figures(answer_by, contract.zone) if answer_by else "",
        "worker_by": saying.by_when(worker_by, now, contract.zone) if worker_by else "",
        "worker": worker.shown_name if worker else "",
        "closed": case.status == CaseStatus.CLOSED,
        "alarming": facts.alarming,
        "waking": facts.waking,
        "has_number": address.channel in NUMBERED,
        **signposts.words(contract, text, facts.alarming),
        **privacy.words(contract),
        **eligibility.words_elsewhere(contract, case.said_exclusion),
        "menu": ", ".join(
            f"{number} {reason.menu}"
            for number, reason in enumerate((r for r in contract.reasons if r.menu), 1)
        ),
    }
    language = case.language or "en"
    if person is not None and not case.language and not languages.is_english(text):
        language = person.language
    wording = ways.wording.of(contract.own_words)
    return "\n".join(wording.say(key, language, **values) for key in turn.say)


async def _worker_with(
    session: AsyncSession, inbound: Inbound, letter: mailing.Letter | None
) -> User | None:
    """The member of staff whose phone this is, if it is one's. A mail address proves nobody: a
    letter is theirs only if it answers an alert of ours; what they forward opens a case."""
    if letter is not None and not letter.asked_staff:
        return None
    staff = session.info.get(STAFF)
    if staff is None:
        rows = await session.execute(STAFF_PHONES)
        staff = session.info[STAFF] = {i: user for user, *both in rows for i in both if i}
    value = canonical(inbound.channel, inbound.sender)
    indexes = ring().indexes(f"address:{inbound.channel}", value)
    user_id = next((staff[index] for index in indexes if index in staff), None)
    return None if user_id is None else await session.get(User, user_id)


async def _hear_worker(
    session: AsyncSession,
    ways: Ways,
    contract: Contract,
    worker: User,
    inbound: Inbound,
    now: datetime,
) -> None:
    """Staff answer alerts from their phone; anything else they send is told it was not taken."""
    is_letter = inbound.channel == mailing.CHANNEL  # says nothing about their telephone
    if not is_letter and await faults.hear_worker(session, worker, contract.key, inbound.text, now):
        return
    taken = await escalation.acknowledge_by_code(session, worker, inbound.text, now)
    following = taken.next
    body = ways.wording.say(
        taken.key,
        reference=taken.reference,
        count=taken.count,
        next_reference=following.reference if following else "",
        next_colour=following.colour.upper() if following else "",
        spoken=AlertKind(following.kind).spoken if following else "",
    )
    await taking.tell(session, ways, taken.alerts, worker.id or 0, now)
    recipient = canonical(inbound.channel, inbound.sender)
    await outbox.queue(session, contract.key, inbound.channel, recipient, body, now)


@lru_cache(maxsize=1000)  # phonenumbers takes longer to read a number than we to find its owner
def canonical(channel: str, value: str) -> str:
    """One spelling for each address: E.164 for telephones where it is one, small letters for mail,
    else as it came."""
    if channel in ("sms", "whatsapp", "voice"):
        try:
            number = phonenumbers.parse(value, "GB")
        except phonenumbers.NumberParseException:
            return value.strip()
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return value.strip().lower() if channel == mailing.CHANNEL else value.strip()
