"""News to chosen members: written, counted, looked at a second time, sent slowly, stopped.

Who gets it is decided by rules/audience, for the preview, again when each message is made and once
more when it leaves (desk/consents). How far it has come stands in rows: a restart goes on, and a
person has one row for a piece of news, so nobody gets it twice. Pages call this, and engine/giving.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Inbound
from helpline.contract import Contract
from helpline.desk import chosen, consents, events, outbox
from helpline.desk.chosen import Choice
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Address,
    News,
    NewsConsent,
    NewsRecipient,
    OutMessage,
    Person,
    PolicyProof,
)
from helpline.rules import audience
from helpline.rules.audience import Reader, Verdict
from helpline.rules.permissions import Actor, may, require
from helpline.rules.segments import Parts, parts_of
from helpline.sealing import ring
from helpline.templating import Wording
from helpline.vocabulary import NO_NEWS, NewsState, OutState, RecipientState, WhyNot

LONGEST = 1000
"""Characters of a piece of news: seven text messages, which is already too long."""
LONGEST_TITLE = 120
LOOKED_AT = 200
"""People looked at in one step: most of them may have to wait for their hours."""


@dataclass(frozen=True)
class Preview:
    """What a lead sees before sending. `text` as it arrives, `parts` how many text messages it is;
    `chosen` of the register, of whom `counts["gets"]` get it; the rest by reason."""

    text: str
    parts: Parts
    chosen: int
    counts: Mapping[str, int]
    by_channel: Mapping[str, int]


@dataclass(frozen=True)
class Progress:
    """How far it has come: people. `failed` could not be delivered; `why` is of those left out."""

    waiting: int
    on_the_way: int
    sent: int
    failed: int
    left_out: int
    why: Mapping[str, int]


async def find(session: AsyncSession, actor: Actor, news_id: int) -> News:
    """NotFound alike for what is not there and what is not theirs to see."""
    found = await session.get(News, news_id, with_for_update=True)
    if found is None or not may(actor, "news.write", found.contract):
        raise NotFound("There is no such piece of news, or it is not yours to see.")
    return found


async def write(
    session: AsyncSession,
    contract: Contract,
    title: str,
    body: str,
    choice: Choice,
    by: Actor,
    now: datetime,
    news: News | None = None,
) -> News:
    """A new draft, or a draft written anew; what a lead had been shown is then no longer ready."""
    require(by, "news.write", contract.key)
    title, body = title.strip(), body.replace("\r\n", "\n").strip()
    if not title or len(title) > LONGEST_TITLE:
        raise InvalidInput(f"Give it a name of at most {LONGEST_TITLE} letters. It is not sent.")
    if not body:
        raise InvalidInput("Write what they are to read.")
    if len(body) > LONGEST:
        raise InvalidInput(f"This is {len(body) - LONGEST} letters too long: {LONGEST} is most.")
    chosen.check(contract, choice)
    if news is None:
        news = News(
            contract=contract.key, title=title, body=body, written_at=now, by_user_id=by.user_id
        )
        session.add(news)
    elif news.state not in (NewsState.DRAFT, NewsState.READY):
        raise Conflict("This has been sent: write a new one.")
    news.title, news.body, news.state, news.ready_at = title, body, NewsState.DRAFT, None
    news.groups, news.quadrants = ",".join(choice.groups), ",".join(choice.quadrants)
    news.teams, news.needs = ",".join(choice.teams), ",".join(choice.needs)
    news.languages, news.never_came = ",".join(choice.languages), choice.never_came
    await session.flush()
    await _event(session, "news.written", news, by, now)
    return news


async def make_ready(session: AsyncSession, news: News, by: Actor, now: datetime) -> None:
    """Its writer asks a lead to look at it and send it."""
    require(by, "news.write", news.contract)
    if news.state != NewsState.DRAFT:
        raise Conflict("A lead has been asked already.")
    news.state, news.ready_at = NewsState.READY, now
    await session.flush()
    await _event(session, "news.ready", news, by, now)


def text_of(contract: Contract, wording: Wording, body: str) -> str:
    """As it arrives: the words, who sends them, and how to have no more of them."""
    return wording.say("membership.news", body=body, us=contract.called.us, word=NO_NEWS)


async def preview(
    session: AsyncSession, contract: Contract, wording: Wording, news: News, now: datetime
) -> Preview:
    """How it will look and whom it will reach, as things stand now. It changes nothing."""
    those = await chosen.people(session, contract, chosen.of(news), now)
    verdicts = await _verdicts(session, contract, those, now)
    by_channel: dict[str, int] = {}
    for verdict in verdicts.values():
        if verdict.way is not None:
            by_channel[verdict.way.channel] = by_channel.get(verdict.way.channel, 0) + 1
    text = text_of(contract, wording, news.body)
    counts = audience.counted(verdicts.values())
    return Preview(text, parts_of(text), len(those), counts, by_channel)


async def send(
    session: AsyncSession, contract: Contract, news: News, counted: int, by: Actor, now: datetime
) -> None:
    """A lead says yes to it and to the number they were shown: where it is another one by now, they
    look again. From here on it goes by itself."""
    require(by, "news.send", news.contract)
    if news.state not in (NewsState.DRAFT, NewsState.READY):
        raise Conflict("This has been sent already.")
    those = await chosen.people(session, contract, chosen.of(news), now)
    verdicts = await _verdicts(session, contract, those, now)
    gets = audience.counted(verdicts.values())["gets"]
    if gets != counted:
        raise Conflict(f"By now it reaches {gets}, not {counted}: look at it once more.")
    if not gets:
        raise InvalidInput(
            "Nobody would get it: choose others, or ask people whether they want news."
        )
    for person_id, verdict in verdicts.items():
        session.add(
            NewsRecipient(
                contract=news.contract,
                news_id=news.id or 0,
                person_id=person_id,
                state=RecipientState.WAITING if verdict.gets else RecipientState.LEFT_OUT,
                why=verdict.why or "",
                next_at=verdict.until or now,
            )
        )
    news.state, news.sent_at, news.sent_by_id = NewsState.SENDING, now, by.user_id
    news.counted = gets
    await session.flush()
    await _event(session, "news.sent", news, by, now, count=gets)


async def stop(session: AsyncSession, news: News, by: Actor, now: datetime) -> None:
    """Nobody else gets it: not even those whose message is made and has not left."""
    require(by, "news.write", news.contract)
    if news.state != NewsState.SENDING:
        raise Conflict("It is not being sent.")
    news.state, news.stopped_at, news.stopped_by_id = NewsState.STOPPED, now, by.user_id
    await session.flush()
    await session.execute(
        update(NewsRecipient)
        .where(
            col(NewsRecipient.news_id) == news.id,
            col(NewsRecipient.state) == RecipientState.WAITING,
        )
        .values(state=RecipientState.LEFT_OUT, why=WhyNot.STOPPED)
    )
    await _event(session, "news.stopped", news, by, now)


async def step(
    session: AsyncSession, contract: Contract, wording: Wording, now: datetime, beat: float
) -> int:
    """Make the next few messages, as many as the contract allows in `beat` seconds; the rows of
    what is being sent are locked, so that two nodes share one pace. Returns how many it made."""
    rows = (
        await session.scalars(
            select(News)
            .where(col(News.contract) == contract.key, col(News.state) == NewsState.SENDING)
            .order_by(col(News.id))
            .with_for_update()
        )
    ).all()
    if not rows:
        return 0
    left = audience.allowance(
        contract.news.per_minute, await made_lately(session, contract, now), now, beat
    )
    made = 0
    for news in rows:
        made += await _some_of(session, contract, wording, news, left - made, now)
        await _end_if_done(session, news, now)
    return made


async def progress(session: AsyncSession, news_id: int) -> Progress:
    """How far it has come, from the rows and from what became of each message."""
    rows = await session.execute(
        select(
            col(NewsRecipient.state),
            col(NewsRecipient.why),
            col(OutMessage.state),
            col(OutMessage.code),
            func.count(),
        )
        .outerjoin(OutMessage, col(OutMessage.id) == col(NewsRecipient.message_id))
        .where(col(NewsRecipient.news_id) == news_id)
        .group_by(
            col(NewsRecipient.state),
            col(NewsRecipient.why),
            col(OutMessage.state),
            col(OutMessage.code),
        )
    )
    count = {"waiting": 0, "on_the_way": 0, "sent": 0, "failed": 0, "left_out": 0}
    why: dict[str, int] = {}
    for state, reason, out, code, number in rows:
        held_for = code if out == OutState.HELD and code in list(WhyNot) else ""
        if state == RecipientState.LEFT_OUT or held_for:
            count["left_out"] += number
            why[held_for or reason] = why.get(held_for or reason, 0) + number
        elif state == RecipientState.WAITING:
            count["waiting"] += number
        else:
            count[_how_far(out)] += number
    return Progress(why=why, **count)


async def listed(session: AsyncSession, contracts: Sequence[str]) -> Sequence[News]:
    """The newest first."""
    found = await session.scalars(
        select(News)
        .where(col(News.contract).in_(contracts))
        .order_by(col(News.id).desc())
        .limit(100)
    )
    return found.all()


async def agreed_count(session: AsyncSession, contract: str) -> int:
    """How many people have agreed to news by at least one way."""
    newest = (
        select(func.max(col(NewsConsent.id)))
        .where(col(NewsConsent.contract) == contract)
        .group_by(col(NewsConsent.person_id), col(NewsConsent.channel))
    )
    query = select(func.count(func.distinct(col(NewsConsent.person_id)))).where(
        col(NewsConsent.id).in_(newest), col(NewsConsent.is_given)
    )
    return await session.scalar(query) or 0


async def hear_no(
    session: AsyncSession,
    wording: Wording,
    contract: Contract,
    inbound: Inbound,
    text: str,
    value: str,
    now: datetime,
) -> bool:
    """Whether `text` is exactly the word for no more news, from somebody we know the address of.
    Then it is written down and answered; it opens no case and starts no clock. `value`: the
    sender's address in its one spelling."""
    if text.strip(" \n\t.!'\"").upper() != NO_NEWS:
        return False
    address = await session.scalar(
        select(Address).where(
            col(Address.contract) == contract.key,
            col(Address.channel) == inbound.channel,
            col(Address.value_index).in_(ring().indexes(f"address:{inbound.channel}", value)),
        )
    )
    person = await session.get(Person, address.person_id) if address is not None else None
    if address is None or person is None:
        return False
    await consents.decline_all(session, person, now)
    ways = (await consents.ways_of(session, [address.person_id], now)).get(address.person_id, [])
    if not any(way.is_blocked for way in ways):
        words = wording.say("membership.no_more_news", person.language)
        await outbox.queue(
            session,
            contract.key,
            address.channel,
            address.value,
            words,
            now,
            address_id=address.id,
        )
    return True


async def _some_of(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    news: News,
    left: int,
    now: datetime,
) -> int:
    if left <= 0:
        return 0
    waiting = (
        await session.scalars(
            select(NewsRecipient)
            .where(
                col(NewsRecipient.news_id) == news.id,
                col(NewsRecipient.state) == RecipientState.WAITING,
                col(NewsRecipient.next_at) <= now,
            )
            .order_by(col(NewsRecipient.next_at), col(NewsRecipient.id))
            .limit(LOOKED_AT)
        )
    ).all()
    verdicts = await _verdicts(session, contract, [one.person_id for one in waiting], now)
    text, made = text_of(contract, wording, news.body), 0
    for one in waiting:
        verdict = verdicts[one.person_id]
        if verdict.until is not None:
            one.next_at, one.why = verdict.until, WhyNot.HOURS
        elif verdict.way is None:
            one.state, one.why = RecipientState.LEFT_OUT, verdict.why or WhyNot.NO_WAY
        elif made < left:
            await _make(session, one, verdict, text, now)
            made += 1
    await session.flush()
    return made


async def _make(
    session: AsyncSession, one: NewsRecipient, verdict: Verdict, text: str, now: datetime
) -> None:
    assert verdict.way is not None
    address = await session.get(Address, verdict.way.address_id)
    assert address is not None
    message = await outbox.queue(
        session, one.contract, address.channel, address.value, text, now, address_id=address.id
    )
    await session.flush()
    one.state, one.why, one.queued_at, one.message_id = RecipientState.QUEUED, "", now, message.id


async def _end_if_done(session: AsyncSession, news: News, now: datetime) -> None:
    waits = select(col(NewsRecipient.id)).where(
        col(NewsRecipient.news_id) == news.id, col(NewsRecipient.state) == RecipientState.WAITING
    )
    if await session.scalar(waits.limit(1)) is None:
        news.state, news.done_at = NewsState.SENT, now
        await session.flush()
        await _event(session, "news.done", news, None, now)


async def made_lately(session: AsyncSession, contract: Contract, now: datetime) -> list[datetime]:
    """When messages of this kind were made in the last minute: news and policies share one pace."""
    since = now - timedelta(minutes=1)
    news = select(col(NewsRecipient.queued_at)).where(
        col(NewsRecipient.contract) == contract.key, col(NewsRecipient.queued_at) > since
    )
    proofs = select(col(PolicyProof.at)).where(
        col(PolicyProof.contract) == contract.key,
        col(PolicyProof.at) > since,
        col(PolicyProof.message_id).is_not(None),
    )
    made = [at for at in await session.scalars(news) if at is not None]
    return [*made, *await session.scalars(proofs)]


async def _verdicts(
    session: AsyncSession, contract: Contract, person_ids: Sequence[int], now: datetime
) -> dict[int, Verdict]:
    def judged(reader: Reader) -> Verdict:
        hours = contract.news
        return audience.judge(reader, now, contract.zone, hours.begins, hours.ends)

    found = await consents.readers(session, person_ids, now)
    return {reader.person_id: judged(reader) for reader in found}


def _how_far(state: str | None) -> str:
    if state in (OutState.FAILED, OutState.HELD):
        return "failed"
    return "sent" if state in (OutState.SENT, OutState.DELIVERED, OutState.READ) else "on_the_way"


async def _event(
    session: AsyncSession, kind: str, news: News, by: Actor | None, now: datetime, **detail: Any
) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=news.contract,
        by=by.user_id if by else None,
        news=news.id,
        **detail,
    )
