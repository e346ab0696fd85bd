"""How the loops and the nodes are: written by engine/jobs and engine/pulse, read by /readyz, the
outside watch, the metrics and the page of what runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.db import insert_for
from helpline.models import JobRun, Node, SetAside

SILENT_AFTER = timedelta(seconds=45)
"""A node writes every ten seconds that it lives."""
FAILING_TOO_LONG = timedelta(minutes=15)
"""A job may fail for a while: the others' troubles pass. Then the outside watch is not called."""
REMEMBERED = timedelta(days=1)
"""How long a node that is gone is still shown."""


@dataclass(frozen=True)
class Beat:
    """How one run of a job went. `late_at`: when the next is overdue; None leaves it as it was, so
    that a loop which only ever fails becomes late. `again_at`: when a failed one is tried again."""

    job: str
    node: str
    started_at: datetime
    seconds: float = 0
    late_at: datetime | None = None
    failure: str | None = None
    again_at: datetime | None = None


@dataclass(frozen=True)
class Running:
    """One job on one node, as the page shows it."""

    run: JobRun
    is_late: bool


@dataclass(frozen=True)
class Living:
    """One node and its jobs. `is_silent`: it neither ended nor was it seen lately."""

    node: Node
    is_silent: bool
    jobs: Sequence[Running]


async def write_down(session: AsyncSession, beat: Beat) -> None:
    """Record a beat."""
    news = {
        "started_at": beat.started_at,
        "seconds": beat.seconds,
        "again_at": beat.again_at,
    }
    if beat.late_at is not None:
        news["late_at"] = beat.late_at
    first = news | {"job": beat.job, "node": beat.node, "failures": 0}
    if beat.failure:
        first |= {"failures": 1, "failure": beat.failure, "failing_since": beat.started_at}
        news |= {
            "failures": col(JobRun.failures) + 1,
            "failure": beat.failure,
            "failing_since": func.coalesce(col(JobRun.failing_since), beat.started_at),
        }
    else:
        good = {"good_at": beat.started_at, "failures": 0, "failing_since": None}
        first, news = first | good, news | good
    await session.execute(
        insert_for(session, JobRun)
        .values(first)
        .on_conflict_do_update(index_elements=["job", "node"], set_=news)
    )


async def expect(
    session: AsyncSession, node: str, late: Mapping[str, datetime], now: datetime
) -> None:
    """The loops of a node that just started, and when each is late if nothing was heard of it."""
    for job, late_at in late.items():
        values = {"job": job, "node": node, "started_at": now, "late_at": late_at}
        await session.execute(
            insert_for(session, JobRun)
            .values(values | {"failures": 0, "seconds": 0})
            .on_conflict_do_update(index_elements=["job", "node"], set_={"late_at": late_at})
        )


async def unwell(session: AsyncSession, node: str, now: datetime) -> list[str]:
    """The loops of this node that are late, by name."""
    rows = await session.scalars(
        select(col(JobRun.job)).where(col(JobRun.node) == node, col(JobRun.late_at) < now)
    )
    return sorted(rows)


async def failing(session: AsyncSession, node: str, now: datetime) -> list[str]:
    """The jobs of this node that have failed for so long that it will not pass by itself."""
    rows = await session.scalars(
        select(col(JobRun.job)).where(
            col(JobRun.node) == node,
            col(JobRun.failures) > 0,
            col(JobRun.failing_since) < now - FAILING_TOO_LONG,
        )
    )
    return sorted(rows)


async def report(session: AsyncSession, node: Node, *, is_start: bool = False) -> None:
    """A node's word that it lives. In a container every start may have the same name."""
    values = node.model_dump()
    told: tuple[str, ...] = ("seen_at", "clock_ahead", "database_seconds")
    if is_start:
        told += ("started_at", "stopped_at", "version", "keys")
    news = {name: values[name] for name in told}
    await session.execute(
        insert_for(session, Node)
        .values(values)
        .on_conflict_do_update(index_elements=["name"], set_=news)
    )


async def leave(session: AsyncSession, node: str, now: datetime) -> None:
    """A node ends in good order: its loops are nobody's worry any more."""
    await session.execute(update(Node).where(col(Node.name) == node).values(stopped_at=now))
    await session.execute(update(JobRun).where(col(JobRun.node) == node).values(late_at=None))


async def forget_gone(session: AsyncSession, now: datetime) -> None:
    """Let go of nodes nobody has heard of for a day. A job's newest good beat stays, whoever's it
    was: the reconciler reaches back to it."""
    gone = select(col(Node.name)).where(col(Node.seen_at) < now - REMEMBERED)
    newest = select(func.max(col(JobRun.good_at))).group_by(col(JobRun.job))
    await session.execute(
        delete(JobRun).where(
            col(JobRun.node).in_(gone),
            col(JobRun.good_at).is_(None) | col(JobRun.good_at).not_in(newest),
        )
    )
    await session.execute(delete(Node).where(col(Node.seen_at) < now - REMEMBERED))


async def overview(session: AsyncSession, now: datetime) -> list[Living]:
    """Every node of the last day: those that run first, the newest on top."""
    nodes = (await session.scalars(select(Node).order_by(col(Node.started_at).desc()))).all()
    runs = (await session.scalars(select(JobRun).order_by(col(JobRun.job)))).all()
    found = [
        Living(
            node,
            node.stopped_at is None and now - node.seen_at > SILENT_AFTER,
            [
                Running(run, run.late_at is not None and run.late_at < now)
                for run in runs
                if run.node == node.name
            ],
        )
        for node in nodes
    ]
    return sorted(found, key=lambda one: (one.node.stopped_at is not None, one.is_silent))


async def set_aside(session: AsyncSession) -> Sequence[SetAside]:
    """The rows that break their loop, those given up first."""
    return (
        await session.scalars(
            select(SetAside).order_by(col(SetAside.is_given_up).desc(), col(SetAside.id))
        )
    ).all()
