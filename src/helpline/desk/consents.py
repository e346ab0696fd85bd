"""Who agreed to news and by which way, as rows that are only ever added to; and everything about a
person that rules/audience asks for.

Pages and intake write here, desk/news reads, and outbox asks `is_moot` when a message is about to
leave. No word of theirs means no news; nothing here touches a message about their own matter.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, safety
from helpline.errors import InvalidInput
from helpline.models import (
    Address,
    Block,
    Case,
    Conversation,
    News,
    NewsConsent,
    NewsRecipient,
    OutMessage,
    Part,
    Person,
    SafeContact,
)
from helpline.rules import audience
from helpline.rules.audience import Reader, Way
from helpline.rules.permissions import Actor, require
from helpline.rules.safety import SafeRules
from helpline.rules.safety import read as read_rules
from helpline.vocabulary import (
    NEWS_CHANNELS,
    CaseKind,
    CaseStatus,
    ConsentHow,
    NewsState,
    Urgency,
    WhyNot,
)

AT_ONCE = 500
"""People asked about in one query."""


@dataclass(frozen=True)
class Standing:
    """What holds for one person and one channel; `at` None: they were never asked."""

    channel: str
    is_given: bool = False
    how: str = ""
    at: datetime | None = None


async def write_down(
    session: AsyncSession,
    person: Person,
    channel: str,
    is_given: bool,
    how: str,
    by: Actor,
    now: datetime,
) -> None:
    """They said yes or no to news by one channel, to a worker who writes it down."""
    require(by, "news.write", person.contract)
    if channel not in NEWS_CHANNELS:
        raise InvalidInput("Choose by which way: text message, Telegram or e-mail.")
    if how not in list(ConsentHow) or how == ConsentHow.KEYWORD:
        raise InvalidInput("Choose how they said it.")
    before = await standing(session, person.id or 0)
    if any(one.channel == channel and one.is_given == is_given and one.at for one in before):
        return
    _add(session, person, channel, is_given, how, by.user_id, now)
    await session.flush()
    kind = "news.agreed" if is_given else "news.declined"
    await events.record(
        session, kind, now, contract=person.contract, by=by.user_id, channel=channel, how=how
    )


async def decline_all(session: AsyncSession, person: Person, now: datetime) -> None:
    """They sent the word themselves: no more news by any way. It is kept also where they had never
    agreed, so that nobody asks them again."""
    for channel in NEWS_CHANNELS:
        _add(session, person, channel, False, ConsentHow.KEYWORD, None, now)
    await session.flush()
    await events.record(
        session, "news.declined", now, contract=person.contract, how=ConsentHow.KEYWORD
    )


async def standing(session: AsyncSession, person_id: int) -> list[Standing]:
    """What holds for each channel, in the order of NEWS_CHANNELS."""
    rows = await _newest(session, [person_id])
    found = {row.channel: row for row in rows}
    return [
        Standing(channel, row.is_given, row.how, row.at)
        if (row := found.get(channel)) is not None
        else Standing(channel)
        for channel in NEWS_CHANNELS
    ]


async def readers(
    session: AsyncSession, person_ids: Collection[int], now: datetime
) -> list[Reader]:
    """What rules/audience asks of each of these people, in a few queries however many they are."""
    found: list[Reader] = []
    listed = sorted(set(person_ids))
    for start in range(0, len(listed), AT_ONCE):
        found += await _some_readers(session, listed[start : start + AT_ONCE], now)
    return found


async def why_not(
    session: AsyncSession, contract: Contract, message: OutMessage, now: datetime
) -> str:
    """Why a piece of news must not leave after all: it was stopped, or its reader has taken back
    their word, is in a crisis or blocked since. Empty for what may leave, and for what is no news.
    Asked by outbox in the transaction that claims the message."""
    if message.case_id is not None or message.alert_id is not None or message.address_id is None:
        return ""
    row = (
        await session.execute(
            select(NewsRecipient, col(News.state))
            .join(News, col(News.id) == col(NewsRecipient.news_id))
            .where(col(NewsRecipient.message_id) == message.id)
        )
    ).first()
    if row is None:
        return ""
    recipient, state = row
    if state == NewsState.STOPPED:
        return WhyNot.STOPPED
    (reader,) = await readers(session, [recipient.person_id], now)
    if message.channel not in reader.agreed:
        return WhyNot.NO_CONSENT
    verdict = audience.judge(reader, now, contract.zone, contract.news.begins, contract.news.ends)
    return "" if verdict.gets else verdict.why or WhyNot.NO_WAY


async def in_crisis(session: AsyncSession, person_ids: Sequence[int]) -> set[int]:
    """Which of them are in an open case that is an emergency, urgent, or an accusation, as the
    person it is for or as one of its people."""
    hard = (
        col(Case.status) == CaseStatus.OPEN,
        or_(
            col(Case.urgency).in_([Urgency.EMERGENCY, Urgency.URGENT]),
            col(Case.kind).in_([kind for kind in CaseKind if kind.is_pathway]),
            col(Case.reason) == "allegation",
        ),
    )
    of = select(col(Case.person_id)).where(col(Case.person_id).in_(person_ids), *hard)
    having = (
        select(col(Part.person_id))
        .join(Case, col(Case.id) == col(Part.case_id))
        .where(col(Part.person_id).in_(person_ids), col(Part.ended_at).is_(None), *hard)
    )
    return set(await session.scalars(of)) | set(await session.scalars(having))


async def _some_readers(session: AsyncSession, ids: Sequence[int], now: datetime) -> list[Reader]:
    agreed: dict[int, set[str]] = {}
    for row in await _newest(session, ids):
        if row.is_given:
            agreed.setdefault(row.person_id, set()).add(row.channel)
    ways = await ways_of(session, ids, now)
    rules, hard = await _rules(session, ids), await in_crisis(session, ids)
    return [
        Reader(
            person_id=person_id,
            agreed=frozenset(agreed.get(person_id, ())),
            ways=tuple(ways.get(person_id, ())),
            rules=rules.get(person_id, SafeRules()),
            in_crisis=person_id in hard,
        )
        for person_id in ids
    ]


async def ways_of(session: AsyncSession, ids: Iterable[int], now: datetime) -> dict[int, list[Way]]:
    """Person → their addresses, as far as rules/audience knows ways. An address that only a claim
    ties to them is none of theirs."""
    rows = await session.execute(
        select(Address, col(Conversation.last_in_at), col(Case.identity), col(Block.id))
        .outerjoin(Conversation, col(Conversation.address_id) == col(Address.id))
        .outerjoin(Case, col(Case.id) == col(Conversation.case_id))
        .outerjoin(
            Block,
            (col(Block.address_id) == col(Address.id))
            & col(Block.ended_at).is_(None)
            & (col(Block.until) > now),
        )
        .where(col(Address.person_id).in_(list(ids)))
        .order_by(col(Address.id))
    )
    found: dict[int, list[Way]] = {}
    for address, used_at, identity, block in rows:
        if not address.from_register and identity == "claimed":
            continue
        way = Way(
            address_id=address.id or 0,
            channel=address.channel,
            is_mobile=address.channel != "sms" or safety.is_mobile(address.value),
            is_bad=address.bad_since is not None,
            has_opted_out=address.opted_out_at is not None,
            is_blocked=block is not None,
            used_at=used_at,
        )
        found.setdefault(address.person_id, []).append(way)
    return found


async def _rules(session: AsyncSession, ids: Sequence[int]) -> dict[int, SafeRules]:
    newest = (
        select(func.max(col(SafeContact.id)))
        .where(col(SafeContact.person_id).in_(ids))
        .group_by(col(SafeContact.person_id))
    )
    rows = await session.scalars(select(SafeContact).where(col(SafeContact.id).in_(newest)))
    return {row.person_id: read_rules(row.rules) for row in rows}


async def _newest(session: AsyncSession, ids: Sequence[int]) -> Sequence[NewsConsent]:
    newest = (
        select(func.max(col(NewsConsent.id)))
        .where(col(NewsConsent.person_id).in_(ids))
        .group_by(col(NewsConsent.person_id), col(NewsConsent.channel))
    )
    found = await session.scalars(select(NewsConsent).where(col(NewsConsent.id).in_(newest)))
    return found.all()


def _add(
    session: AsyncSession,
    person: Person,
    channel: str,
    is_given: bool,
    how: str,
    by: int | None,
    now: datetime,
) -> None:
    assert person.id is not None
    session.add(
        NewsConsent(
            contract=person.contract,
            person_id=person.id,
            channel=channel,
            is_given=is_given,
            how=how,
            at=now,
            by_user_id=by,
        )
    )
