"""A voice message is kept as long as the contract says, and no day longer; that there was one stays
on the case."""

from datetime import timedelta

import pytest

from helpline.desk import attachments
from helpline.engine.fetching import fetch_all
from helpline.engine.housekeeping import tidy_up
from helpline.engine.lines import look_after_calls
from helpline.errors import Conflict
from helpline.models import Attachment, Call, Event
from tests.fakes.telephone import switched_on
from tests.world import OUR_NUMBER, STRANGER, World


async def recorded(world: World) -> Attachment:
    (row,) = await world.all(Attachment)
    assert isinstance(row, Attachment)
    return row


async def test_after_ninety_days_the_sound_is_gone_and_the_fact_stays(world: World) -> None:
    async with switched_on(world) as exchange:
        await exchange.ring(STRANGER, OUR_NUMBER, says=b"please ring me")
        await fetch_all(world.house)
        await look_after_calls(world.house)
        size = (await recorded(world)).size

        world.clock.forward(timedelta(days=89, hours=23))
        await tidy_up(world.house)
        assert (await recorded(world)).state == "kept"

        world.clock.forward(timedelta(hours=2))
        await tidy_up(world.house)
        await tidy_up(world.house)
        gone = await recorded(world)
        assert (gone.state, gone.content, gone.size) == ("deleted", None, size)
        (event,) = await world.all(Event, Event.kind == "recording.deleted")
        assert isinstance(event, Event) and event.detail["kept"] == "90 days"
        async with world.house.db.write() as session:
            with pytest.raises(Conflict, match="kept as long as the contract allows"):
                await attachments.handed_out(session, gone.id or 0, world.worker, world.now)


async def test_what_could_not_be_opened_is_then_deleted_at_the_providers_too(world: World) -> None:
    async with switched_on(world) as exchange:
        await exchange.ring(STRANGER, OUR_NUMBER, says=b"please ring me")
        await fetch_all(world.house)
        async with world.house.db.write() as session:
            (row,) = await world.all(Attachment)
            held = await session.get(Attachment, row.id)  # type: ignore[attr-defined]
            assert held is not None
            held.state = "unsafe"
        await look_after_calls(world.house)
        (call,) = await world.all(Call)
        assert isinstance(call, Call) and not (call.recording_id or "").startswith("gone:")

        world.clock.forward(timedelta(days=91))
        await tidy_up(world.house)
        await look_after_calls(world.house)
        (call,) = await world.all(Call)
        assert isinstance(call, Call) and (call.recording_id or "").startswith("gone:")


async def test_a_contract_without_a_limit_keeps_it(world: World) -> None:
    essex = world.house.contracts["essex"]
    world.house.contracts["essex"] = essex.model_copy(update={"retention": ()})  # type: ignore[index]
    async with switched_on(world) as exchange:
        await exchange.ring(STRANGER, OUR_NUMBER, says=b"please ring me")
        await fetch_all(world.house)
    world.clock.forward(timedelta(days=5000))
    await tidy_up(world.house)
    assert (await recorded(world)).state == "kept"
