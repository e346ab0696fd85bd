"""What a lead sees first agrees with what happened: counted by hand, on both databases."""

from datetime import UTC, date, datetime, timedelta

import pytest

from helpline.contract import Contract
from helpline.desk import overview
from helpline.errors import NotAllowed
from tests.world import World

CAROL, TOM, ANN = "+447700900131", "+447700900132", "+447700900133"


@pytest.fixture
def essex(world: World) -> Contract:
    return world.house.contracts["essex"]


async def test_how_it_stands_and_who_carries_what(world: World, essex: Contract) -> None:
    for number in (CAROL, TOM, ANN):
        await world.sms(number, "Can you tell me about the allowance?")
    await world.reply(CAROL, "Yes: I will send it to you.")
    await world.allocate(CAROL, world.worker)
    await world.reply(TOM, "Hello Tom")
    await world.close(TOM)
    await world.later(hours=23)
    async with world.house.db.read() as session:
        stands = await overview.now_of(session, essex, world.lead, world.now)
        carried = await overview.loads(session, essex, world.lead, world.now)
    assert (stands.open, stands.unallocated, stands.late, stands.soon) == (2, 1, 0, 1)
    assert [one.name for one in stands.on_call][:1] == ["Dilys"]
    assert all(one.until > world.now for one in stands.on_call)
    (wasim,) = [one for one in carried if one.open]
    assert (wasim.name, wasim.open, wasim.pressing, wasim.late) == ("Wasim", 1, 0, 0)
    await world.later(hours=2)
    async with world.house.db.read() as session:
        stands = await overview.now_of(session, essex, world.lead, world.now)
    assert (stands.late, stands.soon) == (1, 0)


async def test_the_week_the_hours_and_the_waits(world: World, essex: Contract) -> None:
    began = world.now
    await world.sms(CAROL, "Can you tell me about the allowance?")
    await world.later(hours=3)
    await world.sms(CAROL, "Are you there?")
    await world.reply(CAROL, "I am now.")
    await world.sms(TOM, "Who pays the mileage?")
    await world.later(hours=26)
    async with world.house.db.read() as session:
        by, now = world.lead, world.now
        week = await overview.week_of(session, essex, by, began, now)
        before = await overview.week_of(session, essex, by, began - timedelta(days=7), began)
        hours = await overview.hours(session, essex, by, now)
        waits = await overview.waits(session, essex, by, now)
    assert (week.contacts, week.opened, week.closed) == (3, 2, 0)
    assert (week.kept, week.broken) == (1, 3)  # Carol's worker, and both of Tom's
    assert before == overview.Week(0, 0, 0, 0, 0)
    first, later = began, began + timedelta(hours=3)
    assert hours == {
        (first.weekday(), first.hour): 1,  # in November the clock is that of UTC
        (later.weekday(), later.hour): 2,
    }
    assert {one.minutes: one.number for one in waits.steps if one.number} == {240: 1}
    assert waits.open == 1


async def test_the_hour_is_that_of_the_clock_on_the_wall(world: World, essex: Contract) -> None:
    summer = datetime(2027, 7, 5, 22, 30, tzinfo=UTC)  # a Monday, half past eleven at night there
    await world.later(hours=(summer - world.now).total_seconds() / 3600)
    await world.sms(CAROL, "Can you tell me about the allowance?")
    async with world.house.db.read() as session:
        asked_at = world.now + timedelta(minutes=1)
        assert await overview.hours(session, essex, world.lead, asked_at) == {(0, 23): 1}


async def test_the_quarter_is_held_against_as_many_days_of_the_one_before(
    world: World, essex: Contract
) -> None:
    await world.sms(CAROL, "Can you tell me about the allowance?")  # early in a quarter
    begins = datetime(2027, 2, 1, tzinfo=UTC)  # the next one
    await world.later(hours=(begins - world.now).total_seconds() / 3600 + 1)
    async with world.house.db.read() as session:
        early = await overview.changes(session, essex, world.lead, world.now)
    await world.later(hours=24 * 60)
    await world.sms(TOM, "Who pays the mileage?")
    await world.later(hours=1)
    async with world.house.db.read() as session:
        changes = await overview.changes(session, essex, world.lead, world.now)
    of = {one.name: (one.now, one.before) for one in early.totals}
    assert of["Cases that began"] == (0, 0)  # in its first hour nothing had come then either
    of = {one.name: (one.now, one.before) for one in changes.totals}
    assert of["Contacts"] == of["People"] == of["Cases that began"] == (1, 1)
    assert of["Promises not kept"] == (0, 2)


async def test_requests_after_an_allegation_beside_what_the_council_expects(
    world: World, essex: Contract
) -> None:
    """A06: up to twenty in a contract year from August; in November that is about five so far."""
    for number in range(8):
        await world.sms(f"+4477009002{number:02}", "An allegation has been made against me")
    async with world.house.db.read() as session:
        found = await overview.requests(session, essex, world.lead, world.now)
        other = world.house.contracts["essex"].model_copy(update={"capacity": None})
        assert await overview.requests(session, other, world.lead, world.now) is None
    assert found is not None
    assert (found.since, found.number, found.in_a_year) == (date(2026, 8, 1), 8, 20)
    assert 4 < found.by_now < 6 and found.is_more


async def test_it_is_for_leads(world: World, essex: Contract) -> None:
    async with world.house.db.read() as session:
        for asked in (overview.now_of, overview.loads, overview.hours, overview.waits):
            with pytest.raises(NotAllowed):
                await asked(session, essex, world.worker, world.now)
