"""What machines ask of the process."""

from datetime import timedelta

from helpline.desk import beats
from helpline.engine.pulse import take_pulse
from tests.web.conftest import Arrive
from tests.world import CARER, World


async def test_the_process_lives(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    assert await guest.get("/healthz") == 200


async def test_ready_means_database_and_loops(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, None)
    assert await guest.get("/readyz") == 200
    late = {"watch": world.now + timedelta(minutes=1), "mailbox": world.now + timedelta(minutes=5)}
    async with world.house.db.write() as session:
        await beats.expect(session, world.house.node, late, world.now)
        await beats.expect(session, "another:1", late, world.now)
    assert await guest.get("/readyz") == 200
    world.clock.forward(timedelta(minutes=2))
    assert await guest.get("/readyz") == 503
    assert guest.page == "waiting for: watch\n"
    beat = beats.Beat(
        "watch", world.house.node, world.now, late_at=world.now + timedelta(minutes=9)
    )
    async with world.house.db.write() as session:
        await beats.write_down(session, beat)
    assert await guest.get("/readyz") == 200


async def test_loops_nodes_and_what_was_set_aside_are_in_the_metrics(
    world: World, arrive: Arrive
) -> None:
    guest = await arrive(world, None)
    beat = beats.Beat("mailbox", world.house.node, world.now, failure="OSError at mailbox.py:1")
    async with world.house.db.write() as session:
        await beats.write_down(session, beat)
        await beats.write_down(session, beat)
    await take_pulse(world.house)
    assert await guest.get("/metrics") == 200
    assert 'helpline_job_failures{job="mailbox"} 2' in guest.page
    assert "helpline_nodes 1\n" in guest.page
    assert "helpline_rows_set_aside 0\n" in guest.page


async def test_without_a_database_it_lives_and_is_not_ready(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await one_world.house.db.close()
    one_world.house.db.path.rename(one_world.house.db.path.with_suffix(".gone"))
    one_world.house.db.path.mkdir()
    assert await guest.get("/healthz") == 200
    assert await guest.get("/readyz") == 503
    one_world.house.db.path.rmdir()


async def test_metrics_count_by_pattern_and_carry_no_reference(
    world: World, arrive: Arrive
) -> None:
    await world.sms(CARER, "Please ring me")
    reference = (await world.case_of(CARER)).reference
    guest = await arrive(world, "wasim")
    await guest.get(f"/cases/{reference}")
    await guest.get("/nowhere/very-private-word")
    assert await guest.get("/metrics") == 200
    assert 'helpline_requests_total{method="GET",route="/cases/{reference}"' in guest.page
    assert "helpline_alerts_open" in guest.page
    assert reference not in guest.page
    assert "very-private-word" not in guest.page
    assert "Carol" not in guest.page
