"""Whoever spoke or wrote with somebody and wrote no note is reminded while there is time, on the
case and on their own inbox; a note ends it, and nobody is alerted."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import cases, closing, tasks
from helpline.engine.housekeeping import tidy_up
from helpline.errors import InvalidInput
from helpline.models import Alert, Deadline, Note, Task
from helpline.rules.permissions import Actor
from tests.world import CARER, World


async def to_write_up(world: World) -> list[Task]:
    found = await world.all(Task, Task.kind == "write_up", Task.done_at.is_(None))  # type: ignore[union-attr]
    return [one for one in found if isinstance(one, Task)]


async def on_inbox(world: World, who: Actor) -> list[str]:
    async with world.house.db.read() as session:
        return [row.kind for row in await tasks.mine(session, who, world.now)]


async def note(session: AsyncSession, world: World, by: Actor) -> None:
    case = await cases.find_case(session, by, (await world.case_of(CARER)).reference)
    await cases.add_note(session, case, "fact", "She is safe", world.now, by, world.now)


async def call(world: World, said: str) -> None:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(CARER)).reference)
        of = (world.house.contracts["essex"], case, "out", "spoke", 10, said)
        await cases.record_call(session, *of, world.now, world.worker, world.now)


async def test_whoever_wrote_no_note_is_reminded_until_there_is_one(world: World) -> None:
    await world.sms(CARER, "He says I grabbed him. What do I do")
    await world.reply(CARER, "I am Wasim. Let us talk at nine.")
    written_at = world.now
    await world.later(hours=11)
    await tidy_up(world.house)
    assert await to_write_up(world) == []  # they may still be at it
    await world.later(hours=2)
    for _ in range(2):
        await tidy_up(world.house)
    (task,) = await to_write_up(world)
    assert task.owner_id == world.worker.user_id
    assert task.due_at is not None
    assert (task.due_at - written_at).total_seconds() == 72 * 3600
    assert task.deadline_id is None
    await world.later(hours=40)
    assert "write_up" in await on_inbox(world, world.worker)
    assert "write_up" not in await on_inbox(world, world.duty)
    async with world.house.db.write() as session:
        await note(session, world, world.duty)  # somebody else's says nothing of what they did
    assert len(await to_write_up(world)) == 1
    async with world.house.db.write() as session:
        await note(session, world, world.worker)
    await tidy_up(world.house)
    assert await to_write_up(world) == []
    assert await world.all(Deadline, Deadline.clock == "task.write_up") == []
    assert not [one for one in await world.all(Alert) if "write_up" in str(one)]


async def test_a_call_with_what_was_said_is_written_up_and_done_is_done(world: World) -> None:
    await world.sms(CARER, "Please ring me")
    await call(world, "She is worried about the school")
    await world.later(hours=13)
    await tidy_up(world.house)
    assert await to_write_up(world) == []
    await call(world, "")
    await world.later(hours=13)
    await tidy_up(world.house)
    (task,) = await to_write_up(world)
    async with world.house.db.write() as session:
        await tasks.finish(session, task.id or 0, world.worker, world.now)
    await tidy_up(world.house)
    assert await to_write_up(world) == []  # they said there is nothing to write


async def close(world: World, although: str) -> None:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(CARER)).reference)
        essex = world.house.contracts["essex"]
        ended = ([essex.support[0].code], essex.outcomes[0].code, although)
        await closing.close(session, essex, case, *ended, world.worker, world.now)


async def test_why_a_case_is_closed_is_no_write_up_and_is_kept_where_something_is_owed(
    one_world: World,
) -> None:
    world = one_world
    await world.sms(CARER, "Can I claim for a bicycle?")
    await world.reply(CARER, "You can.")
    await world.later(hours=13)
    await tidy_up(world.house)
    with pytest.raises(InvalidInput, match="still owed"):
        await close(world, "")
    await close(world, "She wrote that all is well.")
    assert [one.reason for one in await notes(world)] == ["She wrote that all is well."]
    assert len(await to_write_up(world)) == 1  # what was said with her is still to be written
    await world.sms(CARER, "And for a helmet?")
    await world.allocate(CARER, world.worker, by=world.worker)
    await world.reply(CARER, "That too.")
    async with world.house.db.write() as session:
        await note(session, world, world.worker)
    await close(world, "I typed a reason that nobody asked for")
    assert len(await notes(world)) == 2  # the fact, and no decision


async def notes(world: World) -> list[Note]:
    return [one for one in await world.all(Note) if isinstance(one, Note)]
