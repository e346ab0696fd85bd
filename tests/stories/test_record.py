"""The record: four kinds of notes kept apart, late ones said to be late, corrections beside what
they correct, what the person says to it, and a half-written note that survives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import cases, drafts, record
from helpline.engine.housekeeping import tidy_up
from helpline.errors import InvalidInput, NotFound
from helpline.models import Case, Draft
from tests.world import CARER, STRANGER, World

TEXT = "He says I grabbed him. What do I do"


@asynccontextmanager
async def at_case(world: World, number: str = CARER) -> AsyncIterator[tuple[AsyncSession, Case]]:
    reference = (await world.case_of(number)).reference
    async with world.house.db.write() as session:
        yield session, await cases.find_case(session, world.worker, reference)


async def note(world: World, kind: str, body: str, hours_ago: float = 0, **more: object) -> int:
    async with at_case(world) as (session, case):
        happened = world.now - timedelta(hours=hours_ago)
        written = await cases.add_note(
            session,
            case,
            kind,
            body,
            happened,
            world.worker,
            world.now,
            **more,  # type: ignore[arg-type]
        )
        return written.id or 0


async def lines(world: World, shown: str = "") -> list[record.Line]:
    async with at_case(world) as (session, case):
        contract = world.house.contracts["essex"]
        found = await record.chronology(session, contract, case, record.CHOICES[shown])
        return list(found.lines)


async def test_a_decision_is_not_recorded_without_its_reason(world: World) -> None:
    await world.sms(CARER, TEXT)
    for why in ("", "  \n"):
        with pytest.raises(InvalidInput, match="Say why"):
            await note(world, "decision", "No contact with the school for now", why=why)
    await note(world, "decision", "No contact for now", why="They asked for time")
    (line,) = await lines(world, "decision")
    assert (line.entry.body, line.entry.reason) == ("No contact for now", "They asked for time")


async def test_the_four_kinds_stand_apart_and_can_be_asked_for(world: World) -> None:
    await world.sms(CARER, TEXT)
    await note(world, "fact", "The placement ended on Monday")
    await note(world, "opinion", "She is close to giving up")
    await note(world, "own_words", "I never touched him")
    await note(world, "own_words", "She shouted at us", whose="child A")
    assert [line.entry.whose for line in await lines(world, "own_words")] == [None, "child A"]
    assert [line.entry.body for line in await lines(world, "opinion")] == [
        "She is close to giving up"
    ]
    assert [line.entry.body for line in await lines(world, "message")] == [TEXT]


async def test_late_is_what_the_contract_calls_late(world: World) -> None:
    await world.sms(CARER, TEXT)
    await note(world, "fact", "in time", hours_ago=72)
    await note(world, "fact", "late", hours_ago=96)
    late, in_time = await lines(world, "fact")
    assert (late.entry.body, late.late_by) == ("late", timedelta(hours=24))
    assert late.written_after == timedelta(hours=96)
    assert in_time.late_by is None
    essex = world.house.contracts["essex"]
    clocks = [one for one in essex.clocks if one.code != "write_up"]
    world.house.contracts["essex"] = essex.model_copy(update={"clocks": clocks})  # type: ignore[index]
    assert [line.late_by for line in await lines(world, "fact")] == [None, None]


async def test_a_correction_stands_beside_and_the_original_stays(world: World) -> None:
    await world.sms(CARER, TEXT)
    first = await note(world, "fact", "The meeting is on the 12th", hours_ago=3)
    await note(world, "fact", "The meeting is on the 13th", corrects=first)
    wrong, right = await lines(world, "fact")
    assert wrong.entry.body == "The meeting is on the 12th"
    assert wrong.entry.is_corrected
    assert [one.body for one in wrong.corrected_by] == ["The meeting is on the 13th"]
    assert right.entry.corrects_at == wrong.entry.at
    assert not right.entry.is_corrected
    await world.sms(STRANGER, "hello")
    with pytest.raises(NotFound, match="not on this case"):
        async with at_case(world, STRANGER) as (session, other):
            await cases.add_note(
                session, other, "fact", "x", world.now, world.worker, world.now, corrects=first
            )


async def test_what_the_person_says_is_filed_beside(world: World) -> None:
    await world.sms(CARER, TEXT)
    first = await note(world, "opinion", "She overreacts")
    async with at_case(world) as (session, case):
        filed = (session, case, "disagreement")
        await record.comment(*filed, "", "I do not.", first, world.now, world.worker, world.now)
        await record.comment(
            *filed, "Ben Ashby", "None of this is fair", None, world.now, world.worker, world.now
        )
        with pytest.raises(InvalidInput, match="own words"):
            await record.comment(*filed, "", " ", None, world.now, world.worker, world.now)
    (line,) = await lines(world, "opinion")
    assert [(one.kind, one.who, one.body) for one in line.comments] == [
        ("disagreement", None, "I do not.")
    ]
    async with at_case(world) as (session, case):
        whole = await record.chronology(session, world.house.contracts["essex"], case)
        assert [one.who for one in whole.comments] == ["Ben Ashby"]
    assert (await world.events(CARER)).count("comment.filed") == 2


# --- what was begun ------------------------------------------------------------------------------


async def begin(world: World, body: str, key: str = "page-1") -> bool:
    async with at_case(world) as (session, case):
        fields = {"body": body, "kind": "opinion", "csrf": "never kept"}
        return await drafts.save(session, case, "note", key, fields, world.worker, world.now)


async def begun(world: World) -> list[str]:
    async with at_case(world) as (session, case):
        return [one.words for one in await drafts.begun_on(session, case, world.worker)]


async def test_what_was_begun_is_kept_for_its_writer_alone(world: World) -> None:
    await world.sms(CARER, TEXT)
    assert await begin(world, "She told me that")
    assert await begin(world, "She told me that her mother")
    assert await begin(world, "another page", "page-2")
    assert sorted(await begun(world)) == ["She told me that her mother", "another page"]
    async with at_case(world) as (session, case):
        assert await drafts.begun_on(session, case, world.lead) == []
        mine = (await drafts.begun_on(session, case, world.worker))[0]
        assert "csrf" not in mine.fields
        with pytest.raises(NotFound):
            await drafts.one_begun(session, case, mine.id, world.lead)
    assert await begin(world, "  ", "page-2") is False
    assert await begun(world) == ["She told me that her mother"]


async def test_what_comes_late_from_a_page_that_was_sent_is_let_go(world: World) -> None:
    await world.sms(CARER, TEXT)
    await begin(world, "half")
    for key in ("page-1", "never-saved"):
        async with at_case(world) as (session, case):
            await drafts.sent(session, case, key, world.worker, world.now)
        await begin(world, "half a note", key)
    assert await begun(world) == []
    assert [row.fields for row in await world.all(Draft) if isinstance(row, Draft)] == [None, None]


async def test_a_draft_nobody_came_back_to_is_gone_after_thirty_days(world: World) -> None:
    await world.sms(CARER, TEXT)
    await begin(world, "half")
    async with at_case(world) as (session, _):
        await drafts.forget_old(session, world.now + timedelta(days=29))
    assert await begun(world) == ["half"]
    world.clock.forward(timedelta(days=31))  # type: ignore[attr-defined]
    await tidy_up(world.house)
    assert await world.all(Draft) == []
