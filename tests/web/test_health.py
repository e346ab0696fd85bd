"""What machines ask of the process."""

from datetime import timedelta

from sqlalchemy import insert

from helpline.models import JobRun
from tests.web.conftest import Arrive
from tests.world import CARER, World


async def test_the_process_lives(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    assert await guest.get("/healthz") == 200


async def test_ready_means_database_and_loops(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, None)
    async with world.house.db.write() as session:
        beat = {"job": "watch", "node": world.house.node, "failures": 0}
        beat |= {"started_at": world.now, "good_at": world.now}
        await session.execute(insert(JobRun).values(**beat))
    assert await guest.get("/readyz") == 200
    world.clock.forward(timedelta(minutes=5))
    assert await guest.get("/readyz") == 503
    assert "waiting for: watch" in guest.page


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
