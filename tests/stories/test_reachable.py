"""A worker whom an alert would not reach stands on the rota, with what to do about it."""

from collections.abc import AsyncIterator

import pytest

from helpline.desk import reachable
from helpline.desk.reachable import Unreachable, Why
from helpline.models import Event, User
from helpline.vocabulary import Role, ShiftKind
from tests.engine.twilio_house import (
    BACKUP_PHONE,
    CARER,
    DUTY_PHONE,
    LEAD_PHONE,
    TwilioHouse,
    opened_twilio_house,
)


@pytest.fixture
async def at_work(database_url: str) -> AsyncIterator[TwilioHouse]:
    async with opened_twilio_house(database_url) as house:
        await house.hire("Dilys", DUTY_PHONE, shift=ShiftKind.PRIMARY)
        await house.hire("Bea", BACKUP_PHONE)
        await house.hire("Leonie", LEAD_PHONE, Role.LEAD)
        yield house


async def seen(house: TwilioHouse) -> list[Unreachable]:
    async with house.house.db.read() as session:
        return list(await reachable.unreachable(session, ["essex"], house.now))


async def test_whoever_can_be_reached_is_not_in_the_list(at_work: TwilioHouse) -> None:
    assert await seen(at_work) == []


async def test_who_wrote_stop_stands_there_until_they_write_start(at_work: TwilioHouse) -> None:
    await at_work.write("STOP", sender=BACKUP_PHONE)
    await at_work.write("STOP", sender=DUTY_PHONE)
    dilys, bea = await seen(at_work)  # whose shift is sooner comes first
    assert (dilys.name, dilys.why, dilys.since) == ("Dilys", Why.OPTED_OUT, at_work.now)
    assert dilys.shift is not None and dilys.shift[0] <= at_work.now
    assert (bea.name, bea.shift) == ("Bea", None)
    await at_work.write("START", sender=DUTY_PHONE)
    assert [one.name for one in await seen(at_work)] == ["Bea"]


async def test_a_number_that_takes_no_texts_stands_there_until_they_write(
    at_work: TwilioHouse,
) -> None:
    await at_work.write("he has a knife please help", sender=CARER)
    asked = at_work.sent_to(DUTY_PHONE)[-1]
    for _ in range(2):
        await at_work.report(asked, "undelivered", 30005)
    (dilys,) = await seen(at_work)
    assert (dilys.name, dilys.why) == ("Dilys", Why.BAD_NUMBER)
    assert len(await at_work.all(Event, Event.kind == "worker.bad_number")) == 1
    await at_work.write("I am here", sender=DUTY_PHONE)
    assert await seen(at_work) == []


async def test_on_call_without_any_number(at_work: TwilioHouse) -> None:
    async with at_work.house.db.write() as session:
        for user in await at_work.all(User):
            held = await session.get(User, user.id)
            assert held is not None
            held.mobile = held.mobile_index = None
    (dilys,) = await seen(at_work)  # the others have no shift
    assert (dilys.name, dilys.why) == ("Dilys", Why.NO_NUMBER)
