"""Everything that happens by itself, as one table.

APScheduler only wakes these; what is due is in the database, so a late or missed wake-up loses
nothing. A job that fails is tried again for ever, after pauses that grow; it is never disabled, and
how it goes is written down for everybody to see (web/pages/running).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from helpline.db import AWAY
from helpline.desk import beats, restored
from helpline.desk.house import House
from helpline.desk.in_force import keep
from helpline.engine.auditing import keep_trail
from helpline.engine.backups import keep_copies
from helpline.engine.deliver import deliver_all
from helpline.engine.feedback import ask_for_feedback
from helpline.engine.fetching import fetch_all
from helpline.engine.giving import BEAT, give
from helpline.engine.hearing import hear
from helpline.engine.housekeeping import beat_heart, tidy_up
from helpline.engine.lines import look_after_calls
from helpline.engine.mailbox import read_mailbox
from helpline.engine.pulse import take_pulse
from helpline.engine.reconcile import reconcile
from helpline.engine.reporting import keep_reports
from helpline.engine.rota import keep_rota
from helpline.engine.routing import route_all
from helpline.engine.searching import read_for_search
from helpline.engine.taking_in import take_in_lists
from helpline.engine.watch import watch
from helpline.log import log, where


@dataclass(frozen=True)
class Job:
    """`wake` names the event in house.wakes that runs it before its next beat, if any. After
    `late_after` seconds without a beat the loop is late and its node not ready. A `is_vital` job
    rests on the database alone, so only a good beat counts; the others may fail because somebody
    else's server does, which is shown and is no reason to send people to another node."""

    name: str
    every_seconds: float
    run: Callable[[House], Awaitable[int]]
    wake: str | None = None
    late_after: float = 300
    is_vital: bool = False


JOBS = (
    Job("routing", 2, route_all, "routing", late_after=120, is_vital=True),  # kept items → cases
    Job("sending", 2, deliver_all, "sending", late_after=600, is_vital=True),  # outbox → providers
    Job("watch", 2, watch, late_after=60, is_vital=True),  # deadlines due → alerts → ladder
    Job("settings", 5, keep, late_after=600),  # changed settings → the contracts as they hold now
    Job("fetching", 5, fetch_all, late_after=600),  # what people attached, sealed
    Job("mailbox", 20, read_mailbox),  # e-mail in: kept, then marked as read
    Job("reconcile", 60, reconcile, late_after=900),  # what no webhook brought
    Job("calls", 60, look_after_calls),  # calls whose end nobody told; recordings kept here
    Job("rota", 60, keep_rota),  # patterns → shifts; gaps → alerts; swaps and handovers
    Job("searching", 5, read_for_search),  # new texts → what they are found by
    Job("taking_in", 5, take_in_lists, late_after=600),  # long lists of the council, in portions
    Job("giving", BEAT, give),  # news they agreed to, reminders, the policies
    Job("feedback", 900, ask_for_feedback, late_after=3600),  # how it was, never in a crisis
    Job("reporting", 60, keep_reports, late_after=3600),  # drafts owed, and by when
    Job("auditing", 5, keep_trail, late_after=3600),  # the chain over the trail; unusual reading
    Job("backups", 60, keep_copies, late_after=3600),  # a copy of everything once a day
    Job("pulse", 10, take_pulse, late_after=60),  # this node lives; the database's clock
    Job("tidy", 3600, tidy_up, late_after=3 * 3600),  # old sign-ins and failed attempts
    Job("heartbeat", 60, beat_heart),  # tells an outside watch that all is well
)
WAIT_FOR_RELEASE = frozenset({"giving", "feedback"})
"""After a restore these write to nobody until a person has let go what the copy held."""
BEAT_EVERY = timedelta(seconds=10)
LONGEST_PAUSE = 300.0
"""Seconds between two tries of a job that keeps failing."""
DATABASE_PAUSE = 5.0
"""While it is the database that does not answer: when it is back, nothing due may wait longer."""


@dataclass
class Trouble:
    """A job that failed and rests: `until` on the house's steady clock."""

    failures: int
    until: float


class Engine:
    """The jobs of one process: started after the database is ready, stopped before it closes."""

    def __init__(self, house: House, jobs: tuple[Job, ...] = JOBS) -> None:
        self._house, self._jobs = house, jobs
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running = {job.name: asyncio.Lock() for job in jobs}
        self._tasks: set[asyncio.Task[None]] = set()
        self._written: dict[str, datetime] = {}
        self._troubles: dict[str, Trouble] = {}

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
                self._keep(self._listen(job))
        self._keep(self._begin())
        if not self._house.db.is_sqlite:
            self._keep(hear(self._house, self.database_is_back))
        self._scheduler.start()

    async def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for lock in self._running.values():
            await lock.acquire()  # a beat under way ends its transaction, and none begins any more
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with self._house.db.write() as session:
                await beats.leave(session, self._house.node, self._house.clock.now())
        except Exception as error:  # then it counts as one that fell silent
            log().error("engine.end_not_written", where=where(error))

    async def beat(self, job: Job) -> None:
        """Run one job once and write down how it went; never raises. Does nothing while the job
        rests after a failure, however often it is woken: what is due waits in the database."""
        async with self._running[job.name]:
            if self._rests(job):
                return
            clock = self._house.clock
            started_at, began = clock.now(), clock.seconds()
            try:
                if not (job.name in WAIT_FOR_RELEASE and await self._is_held()):
                    await job.run(self._house)
                failure = None
                self._troubles.pop(job.name, None)
            except Exception as error:
                failure = where(error)
                self._put_off(job, error)
                log().error("job.failed", job=job.name, where=failure)
            await self._write_down(job, started_at, clock.seconds() - began, failure)

    async def _is_held(self) -> bool:
        async with self._house.db.read() as session:
            return await restored.is_held(session)

    def database_is_back(self) -> None:
        """Whatever rests may only have missed the database: try at once."""
        for job in self._jobs:
            if self._troubles.get(job.name) is not None:
                self._troubles[job.name].until = 0
                self._keep(self.beat(job))

    def _rests(self, job: Job) -> bool:
        trouble = self._troubles.get(job.name)
        return trouble is not None and self._house.clock.seconds() < trouble.until

    def _put_off(self, job: Job, error: Exception) -> None:
        before = self._troubles.get(job.name)
        failures = before.failures + 1 if before else 1
        is_away = isinstance(error, AWAY)
        pause = pause_after(failures, job.every_seconds, is_away=is_away)
        self._troubles[job.name] = Trouble(failures, self._house.clock.seconds() + pause)
        self._keep(self._again(job, pause))

    async def _again(self, job: Job, pause: float) -> None:
        """A slow job must not wait for its next beat."""
        await asyncio.sleep(pause)
        await self.beat(job)

    async def _write_down(
        self, job: Job, started_at: datetime, seconds: float, failure: str | None
    ) -> None:
        """At most every ten seconds while all is well: an idle helpline leaves the disk alone."""
        last = self._written.get(job.name)
        if failure is None and last is not None and started_at - last < BEAT_EVERY:
            return
        now, trouble = self._house.clock.now(), self._troubles.get(job.name)
        rest = trouble.until - self._house.clock.seconds() if trouble else 0
        beat = beats.Beat(
            job.name,
            self._house.node,
            started_at,
            seconds,
            late_at=None if failure and job.is_vital else self._late_at(job, now),
            failure=failure,
            again_at=now + timedelta(seconds=rest) if failure else None,
        )
        try:
            async with self._house.db.write() as session:
                await beats.write_down(session, beat)
        except Exception as error:
            log().error("job.beat_not_written", job=job.name, where=where(error))
        else:
            self._written[job.name] = started_at
            if failure:
                del self._written[job.name]  # that it is well again is news at once

    async def _begin(self) -> None:
        """Say which loops there are, so that one which never beats is late as well; then begin."""
        now = self._house.clock.now()
        late = {job.name: self._late_at(job, now) for job in self._jobs}
        try:
            async with self._house.db.write() as session:
                await beats.expect(session, self._house.node, late, now)
        except Exception as error:  # each beat says it again
            log().error("job.beat_not_written", where=where(error))
        for job in self._jobs:
            if job.is_vital:  # what came due while nobody was there does not wait for a beat
                self._keep(self.beat(job))

    def _late_at(self, job: Job, now: datetime) -> datetime:
        # The demo's clock is put forward by hours: there only what beats all the time can be late.
        extra = timedelta(0 if self._house.demo is None or job.is_vital else 365)
        return now + timedelta(seconds=job.late_after) + extra

    async def _listen(self, job: Job) -> None:
        event: asyncio.Event = getattr(self._house.wakes, job.wake or "")
        while True:
            await event.wait()
            event.clear()
            await self.beat(job)

    def _keep(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def pause_after(failures: int, every_seconds: float, *, is_away: bool = False) -> float:
    """Seconds until a job is tried again after so many failures in a row: its own beat, twice, four
    times as long, and five minutes at most. A database that `is_away` is asked every few seconds:
    nothing is wrong with the job."""
    longest = DATABASE_PAUSE if is_away else LONGEST_PAUSE
    return float(min(every_seconds * 2 ** min(failures - 1, 20), longest))
