"""The page of what runs: loops, nodes, what was set aside, and the button that tries again."""

from datetime import timedelta

from sqlalchemy import update

from helpline.clock import MovableClock
from helpline.desk import beats
from helpline.engine.jobs import JOBS
from helpline.engine.pulse import take_pulse
from helpline.engine.watch import watch
from helpline.models import Deadline, Node, SetAside
from tests.web.conftest import Arrive
from tests.world import CARER, World


async def test_loops_and_nodes_are_shown_with_their_trouble(world: World, arrive: Arrive) -> None:
    await take_pulse(world.house)
    late = {job.name: world.now + timedelta(seconds=30) for job in JOBS}
    async with world.house.db.write() as session:  # as an engine that begins, and never beats
        await beats.expect(session, world.house.node, late, world.now)
    trouble = "OSError at mailbox.py:38"
    for failure in (trouble, trouble):
        beat = beats.Beat("mailbox", world.house.node, world.now, failure=failure)
        async with world.house.db.write() as session:
            await beats.write_down(session, beat)
    died = Node(name="far:7", version="0.1.0", started_at=world.now, seen_at=world.now)
    async with world.house.db.write() as session:
        await beats.report(session, died)
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(timedelta(seconds=90))
    await take_pulse(world.house)
    lead = await arrive(world, "leonie")
    assert await lead.get("/running") == 200
    assert world.house.node in lead.page
    assert "2 times in a row since" in lead.page
    assert trouble in lead.page
    assert "Late" in lead.page  # the watch has not beaten since it began
    assert "Silent" in lead.page
    assert all(job.name.capitalize() in lead.page for job in JOBS)


async def test_what_was_set_aside_is_shown_and_tried_again(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "please ring me when you can")
    async with world.house.db.write() as session:
        await session.execute(update(Deadline).values(contract="gone"))
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(timedelta(hours=12, minutes=1))
    await watch(world.house)
    aside = await world.all(SetAside)
    lead = await arrive(world, "leonie")
    await lead.get("/running")
    assert f"Deadline {aside[0].row_id}, gone" in lead.page
    assert "KeyError at " in lead.page
    async with world.house.db.write() as session:
        await session.execute(update(Deadline).values(contract="essex"))
    for row in aside:
        assert await lead.post(f"/running/set-aside/{row.id}/attempt") == 200
    assert "It is being tried again" in lead.page
    await watch(world.house)
    await lead.get("/running")
    assert "Nothing is set aside" in lead.page
    assert await lead.post(f"/running/set-aside/{aside[0].id}/attempt") == 404
