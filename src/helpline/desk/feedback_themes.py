"""What people say of the service, looked at as a whole: half a year at a time, by themes that a
person found in it, with quotations that a person approved, and what came of it (P19, K11, A70).

Read by /feedback. Nobody's name and no case stand in it: whoever reads comments need not know whose
they are. What belongs to a case that the reader is shut out of is not shown to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Result, Row, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, seeing
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import FeedbackAsk, FeedbackTheme, SaidAndDone, User, metadata
from helpline.rules.permissions import Actor, require

ASK: Final = metadata.tables["feedback_ask"]
LONGEST_QUOTE: Final = 300
Bounds = tuple[datetime, datetime]


@dataclass(frozen=True)
class Summary:
    """Half a year: how many were asked and how many answered, how many gave each number, and how
    often each theme was found, noughts included."""

    asked: int
    answered: int
    scores: dict[int, int]
    themes: dict[str, int]
    commented: int

    @property
    def rate(self) -> int | None:
        """Answers in a hundred askings; None where nobody was asked."""
        return round(100 * self.answered / self.asked) if self.asked else None


async def summary(
    session: AsyncSession, actor: Actor, contract: Contract, bounds: Bounds
) -> Summary:
    """What was asked in the period, and what came of it."""
    assert contract.feedback is not None
    rows = await session.execute(
        select(ASK.c.score, ASK.c.commented_at).where(*_within(actor, contract, bounds))
    )
    found = rows.all()
    themes = await session.execute(
        select(col(FeedbackTheme.theme), func.count())
        .join(ASK, ASK.c.id == col(FeedbackTheme.ask_id))
        .where(col(FeedbackTheme.ended_at).is_(None), *_within(actor, contract, bounds))
        .group_by(col(FeedbackTheme.theme))
    )
    counted = {theme: int(number) for theme, number in themes}
    scores = [row.score for row in found if row.score is not None]
    return Summary(
        asked=len(found),
        answered=len(scores),
        scores={score: scores.count(score) for score in range(1, 6)},
        themes={one.code: counted.get(one.code, 0) for one in contract.feedback.themes},
        commented=sum(row.commented_at is not None for row in found),
    )


async def comments(
    session: AsyncSession, actor: Actor, contract: Contract, bounds: Bounds, limit: int = 100
) -> list[tuple[Row[Any], list[str]]]:
    """Comments of the period with their themes, those without a theme first."""
    rows = (
        await session.execute(
            select(ASK)
            .where(ASK.c.comment.is_not(None), *_within(actor, contract, bounds))
            .order_by(ASK.c.commented_at.desc())
            .limit(limit)
        )
    ).all()
    themes: dict[int, list[str]] = {row.id: [] for row in rows}
    found = await session.execute(
        select(col(FeedbackTheme.ask_id), col(FeedbackTheme.theme)).where(
            col(FeedbackTheme.ask_id).in_(themes), col(FeedbackTheme.ended_at).is_(None)
        )
    )
    for ask_id, theme in found:
        themes[ask_id].append(theme)
    return sorted(((row, themes[row.id]) for row in rows), key=lambda pair: bool(pair[1]))


async def unread(session: AsyncSession, actor: Actor, contract: Contract, since: datetime) -> int:
    """How many comments of this time nobody has found a theme in."""
    themed = exists().where(
        col(FeedbackTheme.ask_id) == ASK.c.id, col(FeedbackTheme.ended_at).is_(None)
    )
    found = await session.scalar(
        select(func.count())
        .select_from(ASK)
        .where(ASK.c.comment.is_not(None), ASK.c.commented_at >= since, ~themed)
        .where(*_seen(actor, contract))
    )
    return found or 0


async def set_themes(
    session: AsyncSession,
    contract: Contract,
    ask_id: int,
    themes: Sequence[str],
    quote: str,
    by: Actor,
    now: datetime,
    *,
    is_agreed: bool = False,
) -> None:
    """What a person finds in a comment, and the words of it that anybody may be shown. A quotation
    is part of the comment, word by word, so that nobody is made to say what they did not.
    `is_agreed`: they said that the council may read it; without that it stays with us."""
    require(by, "feedback.work", contract.key)
    assert contract.feedback is not None
    ask = await session.scalar(
        select(FeedbackAsk).where(
            col(FeedbackAsk.id) == ask_id,
            col(FeedbackAsk.id).in_(select(ASK.c.id).where(*_seen(by, contract))),
        )
    )
    if ask is None or ask.comment is None:
        raise NotFound("There is no such comment, or it is not yours to see.")
    known = [one.code for one in contract.feedback.themes]
    if any(theme not in known for theme in themes):
        raise InvalidInput("Choose themes from the list.")
    said = in_a_line(quote, LONGEST_QUOTE)
    if said and said.casefold() not in " ".join(ask.comment.split()).casefold():
        raise InvalidInput("A quotation is part of what they wrote, word by word. Leave out names.")
    await _replace_themes(session, ask_id, frozenset(themes), by, now)
    if (said or None) != ask.quote:
        ask.quote = said or None
        ask.quoted_at, ask.quoted_by_id = (now, by.user_id) if said else (None, None)
        ask.quote_agreed_on = None
    if not is_agreed or not said:
        ask.quote_agreed_on = None
    elif ask.quote_agreed_on is None:
        ask.quote_agreed_on = now.astimezone(ZoneInfo(contract.zone)).date()
    await session.flush()
    await events.record(
        session,
        "feedback.themes_set",
        now,
        contract=contract.key,
        by=by.user_id,
        ask=ask_id,
        themes=sorted(themes),
        quoted=bool(said),
        agreed=ask.quote_agreed_on is not None,
    )


async def _replace_themes(
    session: AsyncSession, ask_id: int, themes: frozenset[str], by: Actor, now: datetime
) -> None:
    standing = await session.scalars(
        select(FeedbackTheme).where(
            col(FeedbackTheme.ask_id) == ask_id, col(FeedbackTheme.ended_at).is_(None)
        )
    )
    held = {row.theme: row for row in standing}
    for theme, row in held.items():
        if theme not in themes:
            row.ended_at = now
    session.add_all(
        FeedbackTheme(ask_id=ask_id, theme=theme, at=now, by_user_id=by.user_id)
        for theme in sorted(themes - held.keys())
    )
    await session.flush()


async def quotes(
    session: AsyncSession, actor: Actor, contract: Contract, bounds: Bounds
) -> list[str]:
    """The approved quotations of the period."""
    found = await session.scalars(
        select(ASK.c.quote)
        .where(ASK.c.quote.is_not(None), *_within(actor, contract, bounds))
        .order_by(ASK.c.quoted_at.desc())
    )
    return list(found)


async def said_and_done(
    session: AsyncSession, contract: Contract, limit: int = 50
) -> Sequence[Row[Any]]:
    """The changes, the newest first, and who wrote each down."""
    rows: Result[Any] = await session.execute(
        select(SaidAndDone, col(User.shown_name).label("who"))
        .join(User, col(User.id) == col(SaidAndDone.by_user_id))
        .where(col(SaidAndDone.contract) == contract.key, col(SaidAndDone.taken_back_at).is_(None))
        .order_by(col(SaidAndDone.id).desc())
        .limit(limit)
    )
    return rows.all()


def _seen(actor: Actor, contract: Contract) -> tuple[Any, ...]:
    return (ASK.c.contract == contract.key, *seeing.of_somebody(actor, ASK))


def _within(actor: Actor, contract: Contract, bounds: Bounds) -> tuple[Any, ...]:
    return (
        *_seen(actor, contract),
        ASK.c.asked_at >= bounds[0],
        ASK.c.asked_at < bounds[1],
    )
