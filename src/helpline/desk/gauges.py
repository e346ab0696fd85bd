"""What of the database outside machines watch: how much waits, how old it is, what is missing.

Counts and ages only: no reference, no name. Called by web/pages/health, which prints them for
Prometheus; ops/alerts.yaml and ops/dashboard.json use them by these names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.backup.holding import FAR
from helpline.desk import backups, rota
from helpline.models import metadata
from helpline.vocabulary import DeadlineState, ItemState, OutState

ITEM, OUT = metadata.tables["inbound_item"], metadata.tables["out_message"]
ALERT, RUN = metadata.tables["alert"], metadata.tables["job_run"]
NODE, ASIDE = metadata.tables["node"], metadata.tables["set_aside"]
DEADLINE, HELD = metadata.tables["deadline"], metadata.tables["held_back"]
UNSENT: Final = (OutState.QUEUED, OutState.UNSURE, OutState.SENDING)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Gauge:
    """One name and its samples: (labels, value). Ages in seconds, sizes in bytes."""

    name: str
    says: str
    samples: tuple[tuple[Mapping[str, str], float], ...]


def one(name: str, says: str, value: float) -> Gauge:
    return Gauge(name, says, (({}, float(value)),))


async def gauges(
    session: AsyncSession, contracts: Iterable[str], node: str, now: datetime
) -> list[Gauge]:
    """All of them, as they are now. `node`: whose loops are told of."""
    unsent = OUT.c.state.in_(UNSENT)
    due = unsent & (OUT.c.next_try_at < FAR)
    alive = NODE.c.stopped_at.is_(None)
    asked = ALERT.c.next_rung_at.is_not(None)
    late = (DEADLINE.c.state == DeadlineState.OPEN) & (DEADLINE.c.due_at < now)
    return [
        await _count(
            session, "items_waiting", "kept, not routed", ITEM, ITEM.c.state == ItemState.KEPT
        ),
        await _age(
            session,
            "items_oldest_seconds",
            "age of the oldest kept item",
            _oldest(ITEM.c.received_at, ITEM.c.state == ItemState.KEPT),
            now,
        ),
        await _count(
            session,
            "items_set_aside",
            "in the tray, for a person",
            ITEM,
            ITEM.c.state == ItemState.SET_ASIDE,
        ),
        await _count(session, "rows_set_aside", "broke their loop", ASIDE),
        await _count(session, "messages_waiting", "not sent yet", OUT, unsent),
        await _age(
            session,
            "messages_oldest_seconds",
            "how long the message that is due longest has been due",
            _oldest(OUT.c.next_try_at, due),
            now,
        ),
        await _by(
            session,
            "messages_retrying",
            "unsent after two tries or more",
            "channel",
            OUT.c.channel,
            unsent & (OUT.c.attempts > 1),
        ),
        await _by(
            session,
            "messages_failed_last_hour",
            "given up in the last hour",
            "channel",
            OUT.c.channel,
            (OUT.c.state == OutState.FAILED) & (OUT.c.settled_at > now - HOUR),
        ),
        await _count(session, "alerts_open", "asking somebody", ALERT, asked),
        await _age(
            session,
            "alerts_oldest_seconds",
            "age of the oldest alert nobody took",
            _oldest(ALERT.c.raised_at, asked),
            now,
        ),
        await _count(session, "deadlines_late", "open promises past their time", DEADLINE, late),
        one(
            "contracts_without_on_call",
            "contracts for which nobody is on call now",
            [bool(await rota.on_call(session, key, now)) for key in contracts].count(False),
        ),
        await _count(session, "nodes", "processes that run", NODE, alive),
        one(
            "database_seconds",
            "how long the database took to answer",
            await _number(session, select(func.max(NODE.c.database_seconds)).where(alive)),
        ),
        one(
            "clock_ahead_seconds",
            "how far the worst machine's clock is off",
            await _number(session, select(func.max(func.abs(NODE.c.clock_ahead))).where(alive)),
        ),
        await _count(session, "held_back", "held since a restore", HELD),
        *await _copies(session, now),
        *await _jobs(session, node, now),
    ]


async def _copies(session: AsyncSession, now: datetime) -> list[Gauge]:
    """Nothing is said of the age of the newest good copy while there is none."""
    good = await backups.newest_good(session)
    none: tuple[tuple[Mapping[str, str], float], ...] = ()
    age = (({}, (now - good.started_at).total_seconds()),) if good else none
    return [
        Gauge("backup_good_seconds_ago", "age of the newest good copy", age),
        one(
            "backup_is_late",
            "1: there was no good copy for 26 hours",
            await backups.is_too_old(session, now),
        ),
        one("backup_bytes", "size of the newest good copy", good.size if good else 0),
    ]


async def _jobs(session: AsyncSession, node: str, now: datetime) -> list[Gauge]:
    runs = (await session.execute(select(RUN).where(RUN.c.node == node).order_by(RUN.c.job))).all()
    return [
        Gauge(
            "job_failures",
            "failures in a row of this node's loops",
            tuple(({"job": run.job}, float(run.failures)) for run in runs),
        ),
        Gauge(
            "job_good_seconds_ago",
            "since the last good beat of this node's loops",
            tuple(
                ({"job": run.job}, (now - run.good_at).total_seconds())
                for run in runs
                if run.good_at
            ),
        ),
        Gauge(
            "job_late",
            "1: the loop's next beat is overdue",
            tuple(
                ({"job": run.job}, float(run.late_at is not None and run.late_at < now))
                for run in runs
            ),
        ),
    ]


async def _count(
    session: AsyncSession, name: str, says: str, table: Any, *where: ColumnElement[bool]
) -> Gauge:
    return one(
        name, says, await _number(session, select(func.count()).select_from(table).where(*where))
    )


async def _by(
    session: AsyncSession,
    name: str,
    says: str,
    label: str,
    column: ColumnElement[str],
    where: ColumnElement[bool],
) -> Gauge:
    rows = await session.execute(select(column, func.count()).where(where).group_by(column))
    samples = tuple(({label: row[0]}, float(row[1])) for row in sorted(rows))
    return Gauge(name, says, samples)


def _oldest(column: ColumnElement[Any], where: ColumnElement[bool]) -> Select[Any]:
    return select(func.min(column)).where(where)


async def _age(
    session: AsyncSession, name: str, says: str, oldest: Select[Any], now: datetime
) -> Gauge:
    at = (await session.execute(oldest)).scalar_one()
    return one(name, says, max((now - at).total_seconds(), 0) if at else 0)


async def _number(session: AsyncSession, query: Select[Any]) -> float:
    return float((await session.execute(query)).scalar_one() or 0)
