"""Senders who are not answered for a while, as a lead looks after them: on their messages and on
their calls, and never at the price of an emergency."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from helpline.clock import MovableClock
from helpline.desk import blocks
from helpline.errors import InvalidInput, NotFound
from helpline.models import Alert, Block, Call, Case, Deadline, Task
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.fakes.telephone import Exchange, Owner, switched_on
from tests.world import DUTY_PHONE, OUR_NUMBER, STRANGER, World

DAY = timedelta(hours=24)


@pytest.fixture
async def exchange(world: World) -> AsyncIterator[Exchange]:
    async with switched_on(world) as exchange:
        exchange.owners[DUTY_PHONE] = Owner()
        yield exchange


async def test_a_blocked_caller_hears_the_signposts_and_rings_nobody(
    world: World, exchange: Exchange
) -> None:
    await blocked(world)
    log = await exchange.ring(STRANGER, OUR_NUMBER)
    await world.settle()

    assert "ring 9 9 9" in log.heard[0]
    assert log.rang == []
    (call,) = await world.all(Call)
    assert isinstance(call, Call) and call.state == "missed"
    assert await world.all(Alert, Alert.kind == "call_back") == []
    assert [task.kind for task in await world.all(Task) if isinstance(task, Task)] == ["call_back"]
    assert "call.not_put_through" in await world.events(STRANGER)
    assert (await world.deadlines(STRANGER))["first_response"].state == "open"


async def test_a_blocked_caller_in_danger_is_put_through_at_once(
    world: World, exchange: Exchange
) -> None:
    await blocked(world)
    log = await exchange.ring(STRANGER, OUR_NUMBER, "1")

    assert log.rang == log.joined == [DUTY_PHONE]
    assert (await world.case_of(STRANGER)).urgency == "emergency"


async def test_once_the_block_is_over_their_calls_ring_again(
    world: World, exchange: Exchange
) -> None:
    await blocked(world)
    await world.forward(hours=25)
    log = await exchange.ring(STRANGER, OUR_NUMBER)

    assert log.rang == [DUTY_PHONE]


async def test_somebody_who_only_ever_rang_can_be_blocked_too(
    world: World, exchange: Exchange
) -> None:
    await exchange.ring(STRANGER, OUR_NUMBER)
    async with world.house.db.write() as session:
        (case,) = await world.all(Case)
        assert isinstance(case, Case)
        await blocks.block(session, case, "breathes", DAY, world.lead, world.now)
    assert (await exchange.ring(STRANGER, OUR_NUMBER)).rang == []


async def test_the_list_says_who_why_by_whom_and_what_came_meanwhile(world: World) -> None:
    await blocked(world, hours=100)
    await world.sms(STRANGER, "buy my watches now")
    await world.sms(STRANGER, "he has taken all his tablets and won't wake up")

    (one,) = await listed(world)
    assert (one.sender, one.reason, one.by) == ("…456", "adverts", "Leonie")
    assert (one.kept, one.answered, one.is_soon_over) == (3, 2, False)
    forward(world, 80)
    (one,) = await listed(world)
    assert one.is_soon_over
    forward(world, 30)
    assert await listed(world) == []


async def test_lifted_they_are_answered_again_and_the_reason_stays(world: World) -> None:
    await blocked(world)
    (one,) = await listed(world)
    answered = len(world.texts_to(STRANGER))
    async with world.house.db.write() as session:
        with pytest.raises(InvalidInput, match="Say why"):
            await blocks.lift(session, one.id, " ", world.lead, world.now)
        await blocks.lift(session, one.id, "it was a mistake", world.lead, world.now)
    await world.sms(STRANGER, "STATUS")

    assert len(world.texts_to(STRANGER)) > answered
    (kept,) = await world.all(Block)
    assert isinstance(kept, Block)
    assert (kept.end_reason, kept.ended_by_id) == ("it was a mistake", world.lead.user_id)
    assert "address.unblocked" in await world.events(STRANGER)


async def test_it_goes_on_only_when_somebody_looks_and_never_more_than_a_week(
    world: World,
) -> None:
    await blocked(world)
    (one,) = await listed(world)
    week = timedelta(days=7)
    async with world.house.db.write() as session:
        for wrong in (week + DAY, timedelta(hours=3)):  # too long; shorter than it runs already
            with pytest.raises(InvalidInput):
                await blocks.extend(session, one.id, "again", wrong, world.lead, world.now)
        await blocks.extend(session, one.id, "still adverts", week, world.lead, world.now)
    forward(world, 30)

    (longer,) = await listed(world)
    assert (longer.reason, longer.since) == ("still adverts", one.since)
    assert "address.block_extended" in await world.events(STRANGER)
    forward(world, 24 * 6)
    assert await listed(world) == []


@pytest.mark.parametrize(
    "who", [Role.WORKER, Role.COMMISSIONER], ids=["a worker", "a commissioner"]
)
async def test_only_leads_and_administrators_change_the_list(world: World, who: Role) -> None:
    await blocked(world)
    (one,) = await listed(world)
    other = await world.hire("Somebody", who)
    async with world.house.db.write() as session:
        with pytest.raises(NotFound):
            await blocks.lift(session, one.id, "because", other, world.now)


@pytest.mark.parametrize(
    ("channel", "value", "shown"),
    [
        ("sms", "+447700900456", "…456"),
        ("email", "carol@there.example", "c…@there.example"),
        ("webchat", "f3" * 16, "a browser"),
        ("telegram", "700100", "…100"),
    ],
)
def test_no_address_can_be_written_to_from_the_list(channel: str, value: str, shown: str) -> None:
    assert blocks.masked(channel, value) == shown


async def blocked(world: World, hours: int = 24, by: Actor | None = None) -> None:
    await world.sms(STRANGER, "buy my watches")
    case = await world.case_of(STRANGER)
    async with world.house.db.write() as session:
        length = timedelta(hours=hours)
        await blocks.block(session, case, "adverts", length, by or world.lead, world.now)
    assert await world.all(Deadline) != []


def forward(world: World, hours: int) -> None:
    """Only the clock: what happens to other people's alerts meanwhile is told elsewhere."""
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(timedelta(hours=hours))


async def listed(world: World) -> list[blocks.Listed]:
    async with world.house.db.read() as session:
        return list(await blocks.listed(session, ["essex"], world.lead.user_id, world.now))
