"""Everything that happens by itself, as one table.

APScheduler only wakes these; what is due is in the database, so a late or missed wake-up loses
nothing. A job that fails is logged, counted and simply tried again at its next beat, for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from helpline.desk import beats
from helpline.desk.house import House
from helpline.engine.deliver import deliver_all
from helpline.engine.fetching import fetch_all
from helpline.engine.housekeeping import beat_heart, tidy_up
from helpline.engine.lines import look_after_calls
from helpline.engine.mailbox import read_mailbox
from helpline.engine.reconcile import reconcile
from helpline.engine.rota import keep_rota
from helpline.engine.routing import route_all
from helpline.engine.watch import watch
from helpline.log import log, where


@dataclass(frozen=True)
class Job:
    """`wake` names the event in house.wakes that runs it before its next beat, if any."""

    name: str
    every_seconds: float
    run: Callable[[House], Awaitable[int]]
    wake: str | None = None


JOBS = (
    Job("routing", 2, route_all, wake="routing"),  # kept items → cases
    Job("sending", 2, deliver_all, wake="sending"),  # outbox → providers
    Job("watch", 3, watch),  # deadlines due → alerts → ladder
    Job("fetching", 5, fetch_all),  # what people attached, from the provider, sealed
    Job("mailbox", 20, read_mailbox),  # e-mail in: kept, then marked as read
    Job("reconcile", 60, reconcile),  # what the providers took in and no webhook brought
    Job("calls", 60, look_after_calls),  # calls whose end nobody told; recordings kept here
    Job("rota", 60, keep_rota),  # patterns → shifts; gaps → alerts; swaps and handovers
    Job("tidy", 3600, tidy_up),  # old sign-ins and failed attempts
    Job("heartbeat", 60, beat_heart),  # tells an outside watch that all is well
)
BEAT_EVERY = timedelta(seconds=10)


class Engine:
    """The jobs of one process: started after the database is ready, stopped before it closes."""

    def __init__(self, house: House, jobs: tuple[Job, ...] = JOBS) -> None:
        self._house, self._jobs = house, jobs
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running = {job.name: asyncio.Lock() for job in jobs}
        self._listeners: list[asyncio.Task[None]] = []
        self._written: dict[str, datetime] = {}

    def start(self) -> None:
        for job in self._jobs:
            self._scheduler.add_job(
                self.beat,
                IntervalTrigger(seconds=int(job.every_seconds), timezone=UTC),
                args=[job],
                id=job.name,
                # Its defaults would silently drop a late beat and pile up slow ones.
                misfire_grace_time=None,
                coalesce=True,
                max_instances=1,
            )
            if job.wake:
                self._listeners.append(asyncio.create_task(self._listen(job)))
        self._scheduler.start()

    async def stop(self) -> None:
        self._scheduler.shutdown(wait=False)
        for listener in self._listeners:
            listener.cancel()
        await asyncio.gather(*self._listeners, return_exceptions=True)
        for lock in self._running.values():
            async with lock:  # let a beat under way finish its transaction
                pass

    async def beat(self, job: Job) -> None:
        """Run one job once and write down how it went; never raises."""
        async with self._running[job.name]:
            started_at = self._house.clock.now()
            try:
                await job.run(self._house)
                failure = None
            except Exception as error:
                failure = where(error)
                log().error("job.failed", job=job.name, where=failure)
            await self._write_down(job, started_at, failure)

    async def _write_down(self, job: Job, started_at: datetime, failure: str | None) -> None:
        """At most every ten seconds while all is well: an idle helpline leaves the disk alone."""
        last = self._written.get(job.name)
        if failure is None and last is not None and started_at - last < BEAT_EVERY:
            return
        try:
            async with self._house.db.write() as session:
                await beats.write_down(session, job.name, self._house.node, started_at, failure)
        except Exception as error:
            log().error("job.beat_not_written", job=job.name, where=where(error))
        else:
            self._written[job.name] = started_at

    async def _listen(self, job: Job) -> None:
        event: asyncio.Event = getattr(self._house.wakes, job.wake or "")
        while True:
            await event.wait()
            event.clear()
            await self.beat(job)
