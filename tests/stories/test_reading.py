"""Somebody reads far more than is usual: the safeguarding lead and the leads are told, once a day,
and say what it was. Whoever reads what they always read is left in peace."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from helpline.clock import MovableClock
from helpline.desk import cases, search, verifying, watching
from helpline.engine.auditing import keep_trail
from helpline.models import Alert, AuditDigest, AuditRound, Case, Event, OutMessage, UnusualReading
from helpline.rules import reading
from helpline.rules.permissions import Actor
from helpline.rules.reading import Hour, Kind, Limits
from helpline.vocabulary import Role
from tests.web.conftest import Arrive
from tests.world import World

LIMITS = Limits(25, 3, 5, 20, 3, time(22), time(6))
DAY, NIGHT = datetime(2026, 11, 3, 14, tzinfo=UTC), datetime(2026, 11, 3, 2, tzinfo=UTC)
CALM = Hour(cases=3, strange=0, searches=2, is_on_call=False)


@pytest.mark.parametrize(
    ("hour", "usually", "now", "kinds"),
    [
        (CALM, 4, DAY, []),
        (Hour(24, 0, 0, False), 0, DAY, []),  # many, and below what anybody minds
        (Hour(25, 0, 0, False), 8, DAY, [Kind.MANY]),
        (Hour(25, 0, 0, False), 9, DAY, []),  # a lead who goes through the list every morning
        (Hour(5, 5, 0, False), 4, NIGHT, [Kind.NIGHT]),
        (Hour(5, 5, 0, True), 4, NIGHT, []),  # on call
        (Hour(5, 5, 0, False), 4, DAY, []),
        (Hour(2, 0, 20, False), 4, DAY, [Kind.SEARCHES]),
        (Hour(3, 0, 40, False), 4, DAY, []),  # who searches and opens is at work
        (Hour(30, 30, 0, False), 5, NIGHT, [Kind.MANY, Kind.NIGHT]),
    ],
)
def test_what_is_unusual(hour: Hour, usually: int, now: datetime, kinds: list[Kind]) -> None:
    found = reading.unusual(hour, usually, LIMITS, now, "Europe/London")
    assert [kind for kind, _ in found] == kinds


def test_what_is_usual_is_the_middle_day_of_whoever_reads_most() -> None:
    assert reading.usual([2, 3, 90], [[1, 1], [6, 7, 5]]) == 6
    assert reading.usual([], []) == 0
    assert reading.is_night(datetime(2026, 7, 1, 21, 30, tzinfo=UTC), "Europe/London", LIMITS)
    assert not reading.is_night(datetime(2026, 7, 1, 5, 30, tzinfo=UTC), "Europe/London", LIMITS)


async def read(world: World, by: Actor, how_many: int) -> None:
    async with world.house.db.write() as session:
        found = (await session.scalars(select(Case).order_by(Case.id).limit(how_many))).all()
        for case in found:
            await cases.record_reading(session, case, by, world.now)


async def many_cases(world: World, how_many: int = 6) -> None:
    for number in range(how_many):
        await world.sms(f"+4477009002{number:02}", "could somebody ring me this week please")


async def rows(world: World, table: type, *where: Any) -> list[Any]:
    async with world.house.db.read() as session:
        return list(await session.scalars(select(table).where(*where).order_by(table.id)))


async def test_cases_that_are_not_theirs_read_at_night_are_told_once_and_settled(
    world: World, arrive: Arrive
) -> None:
    """Wasim is not on call and opens six strange cases at half past two."""
    safe = await world.hire("Sefa", Role.SAFEGUARDING, "+447700900904")
    await many_cases(world)
    await read(world, world.worker, 6)
    await read(world, world.duty, 6)  # on call: what she is there for
    for _ in range(3):
        await keep_trail(world.house)
        await world.forward(minutes=6)
    (found,) = await rows(world, UnusualReading)
    assert (found.user_id, found.kind, found.count) == (world.worker.user_id, Kind.NIGHT, 6)
    (alert,) = await rows(world, Alert, Alert.reference == watching.REFERENCE)
    assert alert.rungs == "safeguarding,lead"
    assert any("READING" in text for text in world.texts_to("+447700900904"))
    assert "Wasim" not in " ".join(world.texts_to("+447700900904"))
    sefa = await arrive(world, "sefa")
    assert await sefa.get("/audit") == 200
    assert "Wasim read 6 cases at night that are not theirs" in sefa.text
    address = f"/audit/readings/{found.id}"
    assert await sefa.post(address, {"why": "  "}) == 400
    assert "Say what it was" in sefa.text
    assert await sefa.post(address, {"why": "Covered for Dilys, who was ill."}) == 200
    assert "Covered for Dilys" in sefa.text
    assert (await rows(world, Alert, Alert.id == alert.id))[0].ended_at is not None
    assert safe.user_id not in {row.user_id for row in await rows(world, UnusualReading)}
    worker = await arrive(world, "wasim")
    assert await worker.get("/audit") == 403


async def test_whoever_it_is_about_neither_sees_nor_settles_it(
    world: World, arrive: Arrive
) -> None:
    await many_cases(world)
    await read(world, world.lead, 6)
    await keep_trail(world.house)
    (found,) = await rows(world, UnusualReading)
    (alert,) = await rows(world, Alert, Alert.reference == watching.REFERENCE)
    assert alert.rungs == "safeguarding"
    lead = await arrive(world, "leonie")
    await lead.get("/audit")
    assert "at night that are not theirs" not in lead.text
    assert await lead.post(f"/audit/readings/{found.id}", {"why": "it was me"}) == 404


async def test_many_searches_that_open_nothing_are_told(world: World) -> None:
    contracts = list(world.house.contracts.values())
    for _ in range(20):
        async with world.house.db.write() as session:
            await search.find(session, world.worker, contracts, "Ashby", world.now)
    await keep_trail(world.house)
    (found,) = await rows(world, UnusualReading)
    assert (found.kind, found.count) == (Kind.SEARCHES, 20)
    searches = await rows(world, Event, Event.kind == "search.made")
    assert "Ashby" not in repr([one.detail for one in searches])


async def test_far_more_than_usual_is_measured_against_ones_own_days(world: World) -> None:
    """A lead who opens every case each morning is not told of; a worker who suddenly does is."""
    limits = world.house.contracts["essex"].reading.model_copy(update={"cases_in_hour": 4})
    object.__setattr__(world.house.contracts["essex"], "reading", limits)
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(timedelta(hours=8))
    await many_cases(world)
    await world.on_call(world.worker)
    for _ in range(3):
        await read(world, world.worker, 1)
        await world.later(hours=24)
    await read(world, world.worker, 6)
    await keep_trail(world.house)
    (found,) = await rows(world, UnusualReading)
    assert (found.kind, found.count, found.usual) == (Kind.MANY, 6, 1)


async def test_its_end_leaves_by_letter_and_into_a_file(world: World, tmp_path: Path) -> None:
    """Whoever holds the line can tell later, whatever became of the database."""
    file = tmp_path / "elsewhere.txt"
    told = {"audit_to": "records@example.org, board@example.org", "audit_file": file}
    house = replace(world.house, settings=world.house.settings.model_copy(update=told))
    await many_cases(world, 1)
    for _ in range(2):
        await keep_trail(house)
    letters = [one for one in await rows(world, OutMessage) if one.channel == "email"]
    assert {one.recipient for one in letters} == {"records@example.org", "board@example.org"}
    (line,) = file.read_text().splitlines()
    assert all(line in one.body for one in letters)
    (left,) = await rows(world, AuditDigest)
    assert (left.mailed_to, left.written_at is not None) == (2, True)
    async with world.house.db.read() as session:
        assert (await verifying.look_through(session, line)).fault is None


async def test_once_a_day_all_of_it_is_looked_through_and_its_end_leaves(world: World) -> None:
    await many_cases(world, 2)
    for _ in range(2):
        await keep_trail(world.house)
    (left,) = await rows(world, AuditDigest)
    (looked,) = await rows(world, AuditRound)
    assert looked.is_whole
    assert left.seq == looked.lines > 0
    async with world.house.db.write() as session:
        (event, *_) = (await session.scalars(select(Event).order_by(Event.id))).all()
        event.kind = "case.closed"
    await world.later(hours=24)
    await keep_trail(world.house)
    assert [one.is_whole for one in await rows(world, AuditRound)] == [True, False]
    (alert,) = await rows(world, Alert, Alert.reference == "TRAIL")
    assert alert.rungs == "lead"
    assert len(await rows(world, AuditDigest)) == 2
