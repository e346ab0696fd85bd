"""What is sent twice to the council's page is there once, and no two proposals take one code."""

import asyncio
import contextlib
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from helpline.contract import Contract
from helpline.desk import figure_threads, measure_proposals, portal, review_actions
from helpline.desk.figure_threads import About
from helpline.desk.measure_wording import Worded
from helpline.desk.review_actions import Agreed
from helpline.errors import Conflict
from helpline.models import Event, FigureQuestion, MeasureProposal
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.released import LABEL, released
from tests.world import World

WORDED = Worded("Asked for at the review", "Calls back", "How many were rung back?")
OTHERWISE = Worded("Asked for at the review", "Calls back", "How many were rung back in a day?")
AGAIN, LATER = timedelta(seconds=90), timedelta(minutes=5)


def essex(world: World) -> Contract:
    return world.house.contracts["essex"]


async def council(world: World, name: str = "Colin") -> Actor:
    return await world.hire(name, Role.COMMISSIONER)


async def propose(
    world: World,
    by: Actor,
    after: timedelta = timedelta(),
    kind: str = "new",
    measure: str = "",
    worded: Worded = WORDED,
) -> tuple[int, str]:
    """Its id and its code."""
    async with world.house.db.write() as session:
        made = await measure_proposals.propose(
            session, essex(world), kind, measure, worded, by, world.now + after
        )
        return made.id or 0, made.measure


async def happened(world: World, kind: str) -> int:
    return len(await world.all(Event, Event.kind == kind))


async def test_a_proposal_that_is_sent_twice_is_one_and_no_two_take_one_code(world: World) -> None:
    colin = await council(world)
    first = await propose(world, colin)
    assert await propose(world, colin, AGAIN) == first
    ours, later = await propose(world, world.lead, AGAIN), await propose(world, colin, LATER)
    assert [code for _, code in (first, ours, later)] == [
        "calls_back",
        "calls_back_2",
        "calls_back_3",
    ]
    ended = await propose(world, colin, kind="end", measure="contacts")
    assert await propose(world, colin, AGAIN, kind="end", measure="contacts") == ended
    other = await propose(world, colin, AGAIN, kind="end", measure="cases")  # as many words
    assert other[0] != ended[0]
    with pytest.raises(Conflict, match="already"):
        await propose(world, colin, LATER, kind="end", measure="contacts")
    async with world.house.db.write() as session:
        contract, now = essex(world), world.now + LATER
        await measure_proposals.withdraw(session, contract, first[0], colin, now)
        await measure_proposals.withdraw(session, contract, ended[0], colin, now)
    assert (await propose(world, colin, LATER * 2))[1] == "calls_back"
    assert (await propose(world, colin, LATER * 2, kind="end", measure="contacts"))[0] != ended[0]


async def test_nor_do_two_who_propose_in_the_same_instant(world: World) -> None:
    people = [world.lead, await council(world), await council(world, "Corinne")]

    async def one(by: Actor) -> None:
        with contextlib.suppress(Conflict):
            await propose(world, by)

    await asyncio.gather(*(one(by) for by in people))
    made = await world.all(MeasureProposal)
    codes = [row.measure for row in made if isinstance(row, MeasureProposal)]
    assert codes and len(set(codes)) == len(codes)
    with pytest.raises(IntegrityError):  # nor does any other way of writing them
        async with world.house.db.write() as session:
            await session.execute(update(MeasureProposal).values(claim="new:calls_back"))
            again = MeasureProposal(
                contract="essex",
                kind="new",
                measure="calls_back",
                claim="new:calls_back",
                made_at=world.now,
                made_by_id=world.lead.user_id,
            )
            session.add(again)


async def test_a_code_that_is_long_stays_one_that_the_file_can_take(world: World) -> None:
    long = Worded("Asked for", "Calls back within a day of the first message", "How many?")
    made = [await propose(world, world.lead, LATER * n, worded=long) for n in range(12)]
    codes = [code for _, code in made]
    assert len(set(codes)) == 12
    assert all(len(code) <= 40 and not code.endswith("__2") for code in codes)


async def test_versions_messages_and_decisions_that_are_sent_twice_are_one(world: World) -> None:
    colin, contract, acts = await council(world), essex(world), measure_proposals
    row, _ = await propose(world, colin)
    day = world.now.date() + timedelta(days=30)
    async with world.house.db.write() as session:
        for worded in (OTHERWISE, OTHERWISE, WORDED):
            await acts.revise(session, contract, row, worded, colin, world.now)
        for text in ("Why so late?", "Why so late?", "And who counts them?"):
            await acts.say(session, contract, row, text, colin, world.now + AGAIN)
        for _ in range(2):
            await acts.agree(session, contract, row, 3, day, world.lead, world.now)
        with pytest.raises(Conflict, match="decided"):
            later = day + timedelta(days=1)
            await acts.agree(session, contract, row, 3, later, world.lead, world.now)
        with pytest.raises(Conflict, match="decided"):
            await acts.agree(session, contract, row, 3, day, world.lead, world.now + LATER)
        found = await acts.one(session, contract, row, colin)
        said = await portal.thread(session, proposal=row)
    assert [one.question for one in found.versions] == [
        one.question for one in (WORDED, OTHERWISE, WORDED)
    ]
    assert [one.text for one in said] == ["Why so late?", "And who counts them?"]
    assert await happened(world, "measure.agreed") == 1
    row, _ = await propose(world, world.lead, kind="change", measure="contacts")
    async with world.house.db.write() as session:
        for _ in range(2):
            await acts.decline(session, contract, row, "It is clear as it is", colin, world.now)
    assert await happened(world, "measure.declined") == 1


async def test_questions_and_answers_that_are_sent_twice_are_one(world: World) -> None:
    colin, contract, now = await council(world), essex(world), world.now
    await released(world)
    about = About("quarter", LABEL, "contacts")
    async with world.house.db.write() as session:
        asked = [
            await figure_threads.ask(session, contract, about, text, colin, now)
            for text in ("And these?", "And whose are they?", "And these?")
        ]
        row = asked[0].id or 0
        for text in ("They are calls.", "They are calls.", "And letters."):
            await figure_threads.write(session, contract, row, text, world.lead, now + AGAIN)
        said = await portal.thread(session, question=row)
    assert len(await world.all(FigureQuestion)) == 2
    assert [one.text for one in said] == ["And these?", "They are calls.", "And letters."]
    assert await happened(world, "question.answered") == 2


async def test_what_happens_to_an_action_is_written_down_once(world: World) -> None:
    contract, lead, now, acts = essex(world), world.lead, world.now, review_actions
    day = now.date()
    soon, why = day + timedelta(days=9), "The desk moves"
    async with world.house.db.write() as session:
        agreed = Agreed("Ring back within the day", "provider", "Team lead", soon)
        row = (await acts.agree(session, contract, agreed, lead, now)).id or 0
        assert (await acts.agree(session, contract, agreed, lead, now + AGAIN)).id == row
        for after in (timedelta(), AGAIN):
            later = soon + timedelta(days=9)
            await acts.move(session, contract, row, later, why, lead, now + after)
        for what in ("done", "reopened", "done", "dropped"):
            for after in (timedelta(), AGAIN):
                if what == "done":
                    await acts.finish(session, contract, row, day, "Minutes", lead, now + after)
                elif what == "reopened":
                    await acts.reopen(session, contract, row, "Not yet", lead, now + after)
                elif after:  # it is done, which is not what was asked for
                    with pytest.raises(Conflict):
                        await acts.drop(session, contract, row, "Enough", lead, now)
        with pytest.raises(Conflict):
            await acts.finish(session, contract, row, day, "Minutes", lead, now + LATER)
        (found,) = await acts.listed(session, contract, now)
    assert [one.kind for one in found.happened] == ["agreed", "moved", "done", "reopened", "done"]
