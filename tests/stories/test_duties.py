"""What an allegation makes somebody owe, as it happens: over Christmas, before an interview, the
third time in two years, and with the twenty-eight days across a clock change."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from helpline.desk import allegations, cases, merging, parts
from helpline.desk.duties import approvals, cover, interviews, moves, notices, outcomes, repeats
from helpline.errors import Conflict, InvalidInput, NotAllowed
from helpline.models import Address, Alert, Case, Deadline, Event, Merge, Person
from helpline.models import Notice as NoticeRow
from helpline.rules import duties
from helpline.rules.permissions import Actor
from helpline.vocabulary import PartRole, Role
from tests.world import CARER, World, opened_world

CHRISTMAS_EVE = datetime(2026, 12, 24, 21, 40, tzinfo=UTC)
"""A Thursday. Friday is Christmas Day, Monday its substitute for Boxing Day."""
COPY = "A child said that she was pushed. Child A is safe with their grandmother."


@pytest.fixture
async def at_christmas(database_url: str) -> AsyncIterator[World]:
    async with opened_world(database_url, CHRISTMAS_EVE) as world:
        yield world


async def accused(world: World, by: Actor | None = None, **told: object) -> Case:
    """Carol has told us that something was alleged about her; a case with Wasim."""
    await world.sms(CARER, "The social worker says a child has said something about me")
    await world.reply(CARER, "I am Wasim. I am here for you.")
    await world.allocate(CARER, world.worker)
    case = await world.case_of(CARER)
    await alleged(world, case, by or world.worker, **told)
    return await world.case_of(CARER)


async def alleged(world: World, case: Case, by: Actor, **told: object) -> None:
    given = {
        "told_at": world.now,
        "made_by": "fostered_child",
        "track": "allegation",
        "told_by": "Carol",
    } | told
    async with world.house.db.write() as session:
        here = await session.get(Case, case.id)
        assert here is not None
        one = allegations.Told(person_id=here.person_id, **given)  # type: ignore[arg-type]
        await allegations.record(session, world.house.contracts["essex"], here, one, by, world.now)
    await world.settle()


async def owed(world: World, case: Case) -> dict[str, notices.Shown]:
    """Kind → notice; of a word that follows another: "kind!"."""
    async with world.house.db.read() as session:
        shown = await notices.of_case(session, world.house.contracts["essex"], case.id or 0)
    return {one.row.kind + ("!" if one.row.is_outcome else ""): one for one in shown}


async def do(world: World, act: object, case: Case, *given: object, **named: object) -> object:
    """One act on the case in a transaction of its own: act(session, [contract,] case, …)."""
    async with world.house.db.write() as session:
        here = await session.get(Case, case.id)
        wants = act.__code__.co_varnames[1] == "contract"  # type: ignore[attr-defined]
        contract = [world.house.contracts["essex"]] if wants else []
        done = await act(session, *contract, here, *given, **named)  # type: ignore[operator]
    await world.settle()
    return done


# --- notices --------------------------------------------------------------------------------------


async def test_what_is_owed_over_the_christmas_weekend(at_christmas: World) -> None:
    world = at_christmas
    sefa = await world.hire("Sefa", Role.SAFEGUARDING, "+447700900908")
    case = await accused(world)
    all_owed = await owed(world, case)
    due = {kind: one.deadline.due_at for kind, one in all_owed.items() if one.deadline}
    assert due["lado"] == datetime(2026, 12, 29, 17, 0, tzinfo=UTC)  # the first working day after
    assert due["council"] == CHRISTMAS_EVE + timedelta(hours=72)  # Christmas or not
    assert set(due) == {
        "lado",
        "council",
        "safeguarding_lead",
        "placing_authority",
        "host_authority",
    }
    # Boxing Day: the council is told, and the word of how it ends stays owed, with no time yet
    await world.forward(hours=40)
    sent = notices.Sent("email", "the duty manager", COPY, world.now)
    await do(world, notices.send, case, all_owed["council"].row.id, sent, world.worker, world.now)
    now_owed = await owed(world, case)
    assert now_owed["council"].row.state == "sent"
    assert now_owed["council!"].row.state == "owed"
    assert now_owed["council!"].due_at is None
    assert (await world.deadlines(CARER))["council_notice"].met_at is not None
    # nobody tells the LADO: warned in the morning of the 29th, broken at five
    await world.forward(
        hours=(datetime(2026, 12, 29, 17, 1, tzinfo=UTC) - world.now) / timedelta(hours=1)
    )
    assert "deadline.missed" in await world.events(CARER)
    lado = (await owed(world, case))["lado"].row.id
    with pytest.raises(NotAllowed, match="safeguarding lead"):
        await do(world, notices.withhold, case, lado, "Too late now", world.worker, world.now)
    await do(world, notices.withhold, case, lado, "The police told them: log 12.", sefa, world.now)
    settled = (await owed(world, case))["lado"]
    assert (settled.row.state, settled.by) == ("not_sent", "Sefa")
    # how it ended: two working days for the second word
    told = outcomes.Told("unsubstantiated", "kcsie", "resolved_no_further", told_by="the LADO")
    await do(world, outcomes.report, case, told, world.worker, world.now)
    assert (await owed(world, case))["council!"].due_at == datetime(
        2026, 12, 31, 23, 59, 59, tzinfo=UTC
    )


async def all_allegations(world: World, case: Case) -> list[int]:
    async with world.house.db.read() as session:
        return [one.id or 0 for one in await allegations.of_case(session, case.id or 0)]
