"""A signed report is presented and given out: each time is written down beside the others, and what
is sent twice is one."""

from datetime import date, timedelta

from sqlalchemy import update
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import releasing, releasing_given, releasing_lists
from helpline.desk.releasing_lists import Presented
from helpline.models import Event, OutMessage, Release, User
from helpline.rules.permissions import Actor
from helpline.vocabulary import DeliveryWay, Role
from tests.released import released
from tests.world import World

AGAIN, LATER = timedelta(seconds=90), timedelta(minutes=5)
NAMES = ("Colin", "Corinne")
HEAD, PANEL = "Head of Fostering", "The fostering panel"


def _essex(world: World) -> Contract:
    return world.house.contracts["essex"]


async def _present(world: World, row: int, day: date, to: str, by: Actor, after: timedelta) -> None:
    async with world.house.db.write() as session:
        await releasing_given.present(session, _essex(world), row, day, to, by, world.now + after)


async def _presented(world: World, row: int) -> list[Presented]:
    async with world.house.db.read() as session:
        release = await releasing.find(session, row, world.lead)
        return list(
            (await releasing_lists.one(session, _essex(world), release, world.now)).presented
        )


async def test_a_report_that_is_presented_again_was_presented_twice(world: World) -> None:
    row, today = (await released(world)).id or 0, world.now.date()
    first, lena = today - timedelta(days=2), await world.hire("Lena", Role.LEAD)
    await _present(world, row, today, PANEL, lena, timedelta())
    await _present(world, row, first, HEAD, world.lead, timedelta())
    await _present(world, row, first, f" {HEAD} ", world.lead, AGAIN)  # sent twice
    assert [(one.day, one.to, one.by, one.at) for one in await _presented(world, row)] == [
        (first, HEAD, world.lead.name, world.now),
        (today, PANEL, "Lena", world.now),
    ]
    assert len(await world.all(Event, Event.kind == "release.presented")) == 2
    await _present(world, row, first, HEAD, world.lead, LATER)
    assert len(await _presented(world, row)) == 3


async def test_a_presentation_from_before_each_had_its_row_is_still_told(world: World) -> None:
    row, today = (await released(world)).id or 0, world.now.date()
    before = today - timedelta(days=30)
    async with world.house.db.write() as session:
        release = await session.get(Release, row)
        assert release is not None
        release.presented_on, release.presented_to = before, HEAD
        release.presented_at, release.presented_by_id = world.now, world.lead.user_id
    await _present(world, row, today, PANEL, world.lead, timedelta())
    assert [(one.day, one.to, one.by) for one in await _presented(world, row)] == [
        (before, HEAD, world.lead.name),
        (today, PANEL, world.lead.name),
    ]


async def _write(world: World, row: int, reader: int, after: timedelta) -> None:
    async with world.house.db.write() as session:
        await releasing_given.write_to(
            *(session, _essex(world), row, "head_of_fostering", reader),
            world.lead,
            world.now + after,
            wording=world.house.wording,
            site="https://helpline.example",
        )


async def test_a_letter_or_a_paper_that_is_sent_twice_is_given_once(world: World) -> None:
    row, essex = (await released(world)).id or 0, _essex(world)
    readers = [(await world.hire(name, Role.COMMISSIONER)).user_id for name in NAMES]
    async with world.house.db.write() as session:
        for id in readers:
            mine = update(User).where(col(User.id) == id)
            await session.execute(
                mine.values(email=f"c{id}@council.example", shown_name="Colin Wade")
            )
        for after in (timedelta(), AGAIN, LATER):
            who, then = "head_of_fostering", world.now + after
            await releasing_given.deliver(session, essex, row, who, "On paper", world.lead, then)
    for after in (timedelta(), AGAIN):
        for reader in readers:  # of the same name
            await _write(world, row, reader, after)
    letters = await world.all(OutMessage, OutMessage.channel == "email")
    assert len(letters) == len(readers)
    await _write(world, row, readers[0], LATER)
    async with world.house.db.read() as session:
        release = await releasing.find(session, row, world.lead)
        given = [one.way for one in await releasing_given.deliveries(session, release)]
    assert (given.count(DeliveryWay.HAND), given.count(DeliveryWay.EMAIL)) == (2, 3)
