"""Six hours nobody was there: what came due meanwhile is raised whole before anybody is asked about
it, and whoever is asked hears of the worst first."""

from datetime import datetime, timedelta

import pytest

from helpline.clock import MovableClock
from helpline.desk import climbing, due
from helpline.engine.deliver import deliver_all
from helpline.engine.routing import route_all
from helpline.engine.watch import watch
from helpline.models import Alert, Deadline
from helpline.web.hooks import take_in
from tests.world import CARER, DUTY_PHONE, NIGHT, STRANGER, World

EARLIER, LATER = "+447700900321", "+447700900322"


async def test_emergencies_then_breaches_then_warnings(world: World) -> None:
    clock = world.clock
    assert isinstance(clock, MovableClock)
    await world.sms(EARLIER, "please ring me about the training")
    await world.forward(hours=11)
    await world.sms(LATER, "please ring me about the training")
    before = len(world.texts_to(DUTY_PHONE))
    clock.forward(timedelta(hours=14))  # nothing of ours runs: one is broken, one warned about
    asked = world.sms_network.write(STRANGER, "+447700900000", "he has taken all his tablets")
    await take_in(world.house, world.sms_network, asked)
    await route_all(world.house)  # the emergency is an alert by now, the others are not
    while await watch(world.house) + await deliver_all(world.house):
        pass
    colours = [alert.colour for alert in await world.all(Alert)]
    assert {"purple", "black", "yellow"} <= set(colours)
    (first,) = world.texts_to(DUTY_PHONE)[before:]
    assert "3 alerts, the worst" in first and "PURPLE" in first


async def test_everything_due_is_raised_before_anybody_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches smaller than what is due."""
    monkeypatch.setattr("helpline.engine.watch.BATCH", 3)
    clock = world.clock
    assert isinstance(clock, MovableClock)
    for number in range(4):
        await world.sms(f"+44770090033{number}", "please ring me about the training")
    order: list[str] = []
    sweep, climb = due.sweep, climbing.climb

    async def swept(*args: object) -> int:
        count = await sweep(*args)  # type: ignore[arg-type]
        order.append("raised" if count else "")
        return count

    async def climbed(*args: object) -> int:
        count = await climb(*args)  # type: ignore[arg-type]
        order.append("asked" if count else "")
        return count

    monkeypatch.setattr(due, "sweep", swept)
    monkeypatch.setattr(climbing, "climb", climbed)
    clock.forward(timedelta(hours=25))
    await watch(world.house)
    said = [word for word in order if word]
    assert said.count("raised") >= 3
    assert said == sorted(said, reverse=True)  # every "raised" stands before every "asked"


async def test_a_breach_of_hours_ago_keeps_its_own_time(world: World) -> None:
    clock = world.clock
    assert isinstance(clock, MovableClock)
    await world.sms(CARER, "please ring me about the training")
    clock.forward(timedelta(hours=30))
    await watch(world.house)
    due: set[datetime] = {row.due_at for row in await world.all(Deadline)}
    assert due == {NIGHT + timedelta(hours=24)}
    assert [a.kind for a in await world.all(Alert) if a.deadline_id] == ["breach"]
