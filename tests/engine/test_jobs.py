"""The loops: what fails is tried again for ever after growing pauses, is seen by everybody, and
breaks nothing else; a row that breaks its loop is set aside and the others go on."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import insert, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from helpline.clock import AgreedClock, MovableClock
from helpline.desk import beats, setting_aside
from helpline.desk.house import House
from helpline.engine.housekeeping import beat_heart, tidy_up
from helpline.engine.jobs import JOBS, Engine, Job, pause_after
from helpline.engine.pulse import take_pulse
from helpline.engine.watch import watch
from helpline.models import Alert, Deadline, Event, JobRun, Node, SetAside, metadata
from tests.fakes.serving import Served
from tests.world import CARER, STRANGER, World


class Broken:
    """A job that fails as often as it is told to, and counts."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.left, self.runs = failures, 0
        self.error = error or RuntimeError("words that must not be kept")

    async def __call__(self, _: House) -> int:
        self.runs += 1
        if self.left:
            self.left -= 1
            raise self.error
        return 0


def test_pauses_grow_up_to_five_minutes() -> None:
    assert [pause_after(n, 3) for n in range(1, 9)] == [3, 6, 12, 24, 48, 96, 192, 300]
    assert pause_after(10_000, 3) == 300
    assert pause_after(1, 3600) == 300
    assert [pause_after(n, 2, is_away=True) for n in (1, 2, 3, 99)] == [2, 4, 5, 5]


async def test_a_job_that_fails_is_tried_again_and_nobody_can_hurry_it(
    world: World,
) -> None:
    broken = Broken(2)
    job = Job("routing", 0.4, broken, wake="routing")
    engine = Engine(world.house, (job,))
    for _ in range(200):  # woken by every message of a storm
        await engine.beat(job)
    assert broken.runs == 1
    await asyncio.sleep(0.5)
    assert broken.runs == 2  # by itself, after the pause
    for _ in range(200):
        await engine.beat(job)
    await asyncio.sleep(0.5)
    assert broken.runs == 2  # the second pause is twice as long
    await asyncio.sleep(0.5)
    assert broken.runs == 3
    await engine.beat(job)
    assert broken.runs == 4  # well again: no pause


async def test_trouble_is_written_down_and_so_is_its_end(world: World) -> None:
    job = Job("watch", 3, Broken(3))
    engine = Engine(world.house, (job,))
    began = world.now
    for _ in range(3):
        await engine.beat(job)
        engine._troubles["watch"].until = 0
        world.clock.forward(timedelta(minutes=1))
    (run,) = await runs(world)
    assert (run.failures, run.failing_since, run.good_at) == (3, began, None)
    assert run.failure.startswith("RuntimeError at test_jobs.py:")
    assert "words" not in run.failure
    assert run.again_at > run.started_at
    await engine.beat(job)  # two seconds after a beat was written
    (run,) = await runs(world)
    assert (run.failures, run.failing_since, run.again_at) == (0, None, None)
    assert run.good_at == world.now


async def test_a_database_that_comes_back_ends_every_rest(world: World) -> None:
    broken = Broken(1, OperationalError("", {}, Exception()))
    job = Job("watch", 300, broken)
    engine = Engine(world.house, (job,))
    await engine.beat(job)
    assert broken.runs == 1
    engine.database_is_back()
    await asyncio.sleep(0.1)
    assert broken.runs == 2
    await engine.stop()


async def test_late_is_said_of_what_does_not_beat_and_of_vital_loops_that_only_fail(
    world: World,
) -> None:
    async def late() -> list[str]:
        async with world.house.db.read() as session:
            return await beats.unwell(session, world.house.node, world.now)

    house = replace(world.house, demo=None)
    vital = Job("routing", 3000, Broken(99), late_after=60, is_vital=True)
    other = Job("mailbox", 3000, Broken(99), late_after=60)
    silent = Job("rota", 3000, Broken(0), late_after=90)
    engine = Engine(house, (vital, other, silent))
    await engine._begin()
    assert await late() == []
    world.clock.forward(timedelta(seconds=50))
    await engine.beat(vital)
    await engine.beat(other)
    world.clock.forward(timedelta(seconds=30))
    assert await late() == ["routing"]
    world.clock.forward(timedelta(seconds=20))
    assert await late() == ["rota", "routing"]


async def test_every_job_says_when_it_is_late() -> None:
    assert all(job.late_after >= 3 * min(job.every_seconds, 3600) for job in JOBS)
    assert {job.name for job in JOBS if job.is_vital} == {"routing", "sending", "watch"}


async def test_the_outside_watch_is_called_only_while_every_loop_is_well(world: World) -> None:
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.Response()

    async with Served([web.get("/alive", answer)]) as outside:
        settings = world.house.settings.model_copy(update={"heartbeat_url": f"{outside.url}/alive"})
        house = replace(world.house, settings=settings)
        assert await beat_heart(house) == 1
        values = {"job": "mailbox", "node": house.node, "seconds": 0, "failures": 3}
        values |= {"started_at": world.now, "failing_since": world.now}
        async with house.db.write() as session:
            await session.execute(insert(JobRun).values(values))
        assert await beat_heart(house) == 1  # others' troubles pass
        world.clock.forward(timedelta(minutes=16))
        assert await beat_heart(house) == 0
        async with house.db.write() as session:
            news = {"failures": 0, "late_at": world.now - timedelta(seconds=1)}
            await session.execute(update(JobRun).values(news))
        assert await beat_heart(house) == 0
    assert len(calls) == 2


# --- rows that break their loop ------------------------------------------------------------------


async def test_a_deadline_of_an_unknown_contract_holds_up_no_other(world: World) -> None:
    await world.sms(CARER, "please ring me when you can")
    await world.sms(STRANGER, "please ring me when you can")
    poisoned = await world.deadlines(CARER)
    async with world.house.db.write() as session:
        ids = [row.id for row in poisoned.values()]
        await session.execute(
            update(Deadline).where(col(Deadline.id).in_(ids)).values(contract="gone")
        )
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(timedelta(hours=12, minutes=1))
    await watch(world.house)
    other = (await world.case_of(STRANGER)).id
    assert [a.case_id for a in await world.all(Alert) if a.kind == "warning"] == [other]
    aside = await world.all(SetAside)
    assert {(row.kind, row.failures) for row in aside} == {("deadline", 1)}
    assert {row.row_id for row in aside} <= set(ids)
    assert all(row.failure.startswith("KeyError at ") for row in aside)


async def poison(world: World) -> int:
    """A deadline of Carol's that breaks the sweep: its id."""
    await world.sms(CARER, "please ring me when you can")
    found = (await world.deadlines(CARER))["first_response"]
    async with world.house.db.write() as session:
        this = update(Deadline).where(col(Deadline.id) == found.id)
        await session.execute(this.values(contract="gone"))
        await session.execute(
            update(Deadline).where(col(Deadline.id) != found.id).values(next_alert_at=None)
        )
    assert found.id is not None
    return found.id


async def test_what_does_not_pass_is_said_aloud_once_and_still_tried(world: World) -> None:
    await poison(world)
    clock = world.clock
    assert isinstance(clock, MovableClock)
    clock.forward(timedelta(hours=12, minutes=1))
    failures = []
    for pause in (0, 10, 60, 300, 3600, 3600):
        clock.forward(timedelta(seconds=pause))
        await watch(world.house)
        (aside,) = await world.all(SetAside)
        failures.append(aside.failures)
    assert failures == [1, 2, 3, 4, 5, 6]
    assert aside.is_given_up
    alerts = [alert for alert in await world.all(Alert) if alert.kind == "upkeep"]
    assert [alert.reference for alert in alerts] == ["SYSTEM"]
    kinds = [event.kind for event in await world.all(Event)]
    assert kinds.count("row.set_aside") == 1


async def test_once_mended_it_is_tried_again_at_the_press_of_a_button(world: World) -> None:
    deadline = await poison(world)
    clock = world.clock
    assert isinstance(clock, MovableClock)
    clock.forward(timedelta(hours=12, minutes=1))
    for pause in (0, 10, 60, 300):
        clock.forward(timedelta(seconds=pause))
        await watch(world.house)
    async with world.house.db.write() as session:
        await session.execute(update(Deadline).values(contract="essex"))
    clock.forward(timedelta(seconds=1))
    (aside,) = await world.all(SetAside)
    async with world.house.db.write() as session:
        await setting_aside.try_again(session, aside.id, world.lead, world.now)
    await watch(world.house)
    assert await world.all(SetAside) == []
    alerts = [alert for alert in await world.all(Alert) if alert.deadline_id == deadline]
    assert [alert.kind for alert in alerts] == ["warning"]
    (told,) = [alert for alert in await world.all(Alert) if alert.kind == "upkeep"]
    assert told.ended_at is not None


async def test_an_alert_that_cannot_climb_holds_up_no_other(world: World) -> None:
    await world.sms(CARER, "he says he has taken all his tablets")
    await world.sms(STRANGER, "he says he has taken all his tablets")
    first, second = [a for a in await world.all(Alert) if a.kind == "emergency"]
    async with world.house.db.write() as session:
        # A kind that nobody knows: its place among the others cannot be told.
        this = update(Alert).where(col(Alert.id) == first.id)
        await session.execute(this.values(kind="from a newer version"))
    clock = world.clock
    assert isinstance(clock, MovableClock)
    clock.forward(timedelta(hours=1))
    await watch(world.house)
    (aside,) = await world.all(SetAside)
    assert (aside.kind, aside.row_id) == ("alert", first.id)
    after = {alert.id: alert for alert in await world.all(Alert)}
    assert after[second.id].rung > second.rung
    assert after[first.id].rung == first.rung


# --- nodes and clocks ----------------------------------------------------------------------------


async def test_a_pulse_says_that_the_node_lives_and_a_day_later_the_dead_are_forgotten(
    world: World,
) -> None:
    await take_pulse(world.house)
    (node,) = await rows_of(world, Node)
    assert (node.name, node.seen_at, node.stopped_at) == (world.house.node, world.now, None)
    values = {"job": "reconcile", "seconds": 0, "failures": 0, "started_at": world.now}
    rows = [
        values
        | {"node": world.house.node, "good_at": world.now - timedelta(hours=age)}
        | {"job": name}
        for name, age in (("reconcile", 1), ("watch", 2))
    ]
    rows.append(values | {"job": "watch", "node": "another", "good_at": world.now})
    async with world.house.db.write() as session:
        await session.execute(insert(metadata.tables["job_run"]), rows)
    world.clock.forward(timedelta(hours=25))
    await tidy_up(world.house)
    assert await rows_of(world, Node) == []
    left = {(run.job, run.node) for run in await runs(world)}
    assert left == {("reconcile", world.house.node), ("watch", "another")}


async def test_a_node_that_starts_under_the_name_of_one_that_ended_lives(world: World) -> None:
    await take_pulse(world.house, is_start=True)
    async with world.house.db.write() as session:
        await beats.leave(session, world.house.node, world.now)
    (node,) = await rows_of(world, Node)
    assert node.stopped_at == world.now
    world.clock.forward(timedelta(minutes=5))
    await take_pulse(world.house, is_start=True)
    (node,) = await rows_of(world, Node)
    assert (node.stopped_at, node.started_at) == (None, world.now)
    world.clock.forward(timedelta(minutes=5))
    await take_pulse(world.house)
    (node,) = await rows_of(world, Node)
    assert node.started_at == world.now - timedelta(minutes=5)


async def test_a_node_lives_by_the_databases_clock(world: World) -> None:
    """Whatever its own clock shows."""
    clock = AgreedClock()
    house = replace(world.house, clock=clock)
    before = clock.now()
    clock.agree(before + timedelta(minutes=15), clock.seconds())
    assert clock.now() - before >= timedelta(minutes=15)
    assert clock.ahead == pytest.approx(-900, abs=1)
    await take_pulse(house)
    if house.db.is_sqlite:
        return  # one machine, one clock
    assert abs(clock.ahead) < 1
    (node,) = await rows_of(world, Node)
    assert abs(node.clock_ahead) < 1


async def test_a_wrong_clock_is_an_alarm_once_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.house.db.is_sqlite:
        return
    clock = AgreedClock()
    house = replace(world.house, clock=clock)
    monkeypatch.setattr(AgreedClock, "ahead", 2.1)
    await take_pulse(house)
    await take_pulse(house)
    (alert,) = [alert for alert in await world.all(Alert) if alert.kind == "upkeep"]
    assert alert.reference == "SYSTEM"


async def runs(world: World) -> list[JobRun]:
    return list(await rows_of(world, JobRun))


async def rows_of(world: World, table: type) -> list[Any]:
    """Rows of a table without an id."""
    async with world.house.db.read() as session:
        return list((await session.scalars(select(table))).all())
