"""How an alert went so far: who was asked by which way and when, who took it, and when it comes
back. Read only, Core rows, for the inbox and the page of a case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import climbing, seeing
from helpline.models import metadata
from helpline.rules.permissions import Actor
from helpline.vocabulary import OutState

ALERT, PAGE, USER = metadata.tables["alert"], metadata.tables["page"], metadata.tables["user"]
DEADLINE = metadata.tables["deadline"]
OUT = metadata.tables["out_message"]
NEWEST = 6
"""Messages of one alert that are shown; those before are counted."""
FAILED = (OutState.FAILED, OutState.HELD)


@dataclass(frozen=True)
class Asking:
    """One person asked at one time. `ways`: means, and whether it got through as far as we know."""

    name: str
    at: datetime
    ways: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Trail:
    """The newest askings of one alert, in order, and how many messages went before them."""

    askings: tuple[Asking, ...]
    before: int


async def trails(session: AsyncSession, alert_ids: Sequence[int]) -> dict[int, Trail]:
    """Alert id → its trail; an alert that nobody was asked about has none."""
    if not alert_ids:
        return {}
    place = func.row_number().over(partition_by=PAGE.c.alert_id, order_by=PAGE.c.id.desc())
    total = func.count().over(partition_by=PAGE.c.alert_id)
    numbered = (
        select(PAGE, place.label("place"), total.label("total"))
        .where(PAGE.c.alert_id.in_(alert_ids))
        .subquery()
    )
    query = (
        select(
            numbered.c.alert_id,
            numbered.c.user_id,
            numbered.c.at,
            numbered.c.channel,
            numbered.c.total,
            USER.c.shown_name,
            OUT.c.state,
        )
        .join(USER, USER.c.id == numbered.c.user_id)
        .outerjoin(OUT, OUT.c.id == numbered.c.message_id)
        .where(numbered.c.place <= NEWEST)
        .order_by(numbered.c.alert_id, numbered.c.id)
    )
    found: dict[int, list[Any]] = {}
    for row in await session.execute(query):
        found.setdefault(row.alert_id, []).append(row)
    return {
        alert_id: Trail(tuple(_askings(some)), some[0].total - len(some))
        for alert_id, some in found.items()
    }


def _askings(rows: Iterable[Any]) -> Iterable[Asking]:
    together: dict[tuple[int, datetime], list[Any]] = {}
    for row in rows:
        together.setdefault((row.user_id, row.at), []).append(row)
    for (_, at), some in together.items():
        ways = tuple((row.channel, row.state not in FAILED) for row in some)
        yield Asking(some[0].shown_name, at, ways)


async def asked_last(session: AsyncSession, user_id: int) -> int:
    """A number that grows whenever this person is asked about an alert that nobody has taken yet;
    0 where none waits for them."""
    query = (
        select(func.max(PAGE.c.id))
        .join(ALERT, ALERT.c.id == PAGE.c.alert_id)
        .where(PAGE.c.user_id == user_id, ALERT.c.next_rung_at.is_not(None))
    )
    return await session.scalar(query) or 0


async def taken(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], case_id: int | None = None
) -> list[Row[Any]]:
    """Alerts that somebody took and that come back to the ladder at `act_by` unless something is
    done, with the taker's name, those that come back first at the top."""
    query = (
        select(ALERT, USER.c.shown_name.label("taker"), DEADLINE.c.clock)
        .join(USER, USER.c.id == ALERT.c.acknowledged_by_id)
        .outerjoin(DEADLINE, DEADLINE.c.id == ALERT.c.deadline_id)
        .where(
            ALERT.c.act_by.is_not(None),
            ALERT.c.ended_at.is_(None),
            not_(climbing.is_acted_on()),
            ALERT.c.contract.in_(contracts),
            seeing.alerts(actor, ALERT),
        )
        .order_by(ALERT.c.act_by, ALERT.c.id)
        .limit(50)
    )
    if case_id is not None:
        query = query.where(ALERT.c.case_id == case_id)
    return list(await session.execute(query))
