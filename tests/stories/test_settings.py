"""What people may change of a contract without us: from a day on, on every node, and nothing that
is past changes."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from helpline.desk import agreed, in_force
from helpline.desk.agreed import Draft
from helpline.desk.house import House, InForce
from helpline.engine.housekeeping import tidy_up
from helpline.errors import Conflict
from helpline.models import Alert, ContractChange, Event
from helpline.reports.figures import counted
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, World

LADDER = {
    "rungs": ["on_call", "lead"],
    "minutes_between_rungs": 5,
    "minutes_to_act": 30,
    "hours_to_accept": 4,
}


async def change(
    world: World, what: str, value: Any, valid_from: date, by: Actor
) -> ContractChange:
    house = world.house
    async with house.db.write() as session:
        seen = await agreed.newest_number(session, "essex", what)
        draft = Draft(what, value, valid_from, seen)
        filed = house.in_force.filed["essex"]
        row = await agreed.make(session, filed, house.wording.sources, draft, by, world.now)
    await in_force.keep(house)
    return row


def another_node(house: House) -> House:
    """As another process on the same database has it: the files, and nothing looked up yet."""
    contracts = dict(house.in_force.filed)
    return replace(house, contracts=contracts, in_force=InForce(house.in_force.filed, contracts))


async def agree(world: World, row: ContractChange, by: Actor) -> None:
    house = world.house
    async with house.db.write() as session:
        filed = house.in_force.filed["essex"]
        await agreed.agree(session, filed, house.wording.sources, row.id or 0, by, world.now)
    await in_force.keep(house)


async def test_a_changed_ladder_asks_as_changed_from_its_day_on(world: World) -> None:
    ada = await world.hire("Ada", Role.ADMIN)
    row = await change(world, "ladder", LADDER, date(2026, 11, 4), world.lead)
    with pytest.raises(Conflict, match="somebody else"):
        await agree(world, row, world.lead)
    await agree(world, row, ada)
    await world.sms(CARER, "my husband has a knife, help")  # the third of November: as before
    await world.forward(minutes=12)
    assert world.texts_to(DUTY_PHONE)
    assert not world.texts_to(LEAD_PHONE)
    await world.forward(hours=24)
    await in_force.keep(world.house)
    before = len(world.texts_to(LEAD_PHONE))
    await world.sms("+447700900456", "my partner has a knife, please help")
    await world.forward(minutes=6)  # the lead after five minutes, no longer after twenty
    assert len(world.texts_to(LEAD_PHONE)) > before
    kinds = [event.kind for event in await world.all(Event, Event.contract == "essex")]  # type: ignore[attr-defined]
    assert [kind for kind in kinds if kind.startswith("settings.")] == [
        "settings.changed",
        "settings.agreed",
    ]


async def test_a_changed_text_reaches_a_carer_and_is_taken_back(world: World) -> None:
    said = {"pieces": ["Good news: [worker] supports you now, reference [reference]."]}
    row = await change(world, "texts.en.allocated", said, date(2026, 11, 3), world.lead)
    other = another_node(world.house)  # sees it within seconds
    assert await in_force.keep(other, "another contract") == 0
    assert await in_force.keep(other) == 1
    assert other.contracts["essex"].own_words == world.house.contracts["essex"].own_words
    await world.sms(CARER, "Please ring me")
    await world.allocate(CARER, world.worker)
    assert world.texts_to(CARER)[-1].startswith("Good news: Wasim supports you now, reference ESX-")
    async with world.house.db.write() as session:
        await agreed.take_back(session, row.id or 0, world.lead, world.now)
    await in_force.keep(world.house)
    assert await in_force.keep(other) == 1
    for house in (world.house, other):
        assert house.contracts["essex"].own_words == {}
    await world.allocate(CARER, world.duty)
    assert world.texts_to(CARER)[-1].startswith("Your support worker is Dilys")
    assert world.texts_to(CARER)[-2].startswith("Good news")  # what was sent stays


async def test_a_change_that_fits_the_file_no_longer_stops_nothing(world: World) -> None:
    house, sources = world.house, world.house.wording.sources
    await change(
        world, "texts.en.noted", {"pieces": ["Thanks, we have it."]}, date(2026, 11, 3), world.lead
    )
    async with house.db.write() as session:
        session.add(
            ContractChange(
                contract="essex",
                what="signposts.gone",
                number=1,
                value={"line": "x"},
                valid_from=date(2026, 11, 1),
                made_at=world.now,
                by_user_id=world.lead.user_id,
            )
        )
    assert await in_force.keep(house) == 1
    assert house.contracts["essex"].own_words.keys() == {"en.noted"}
    [(left_out, _)] = house.in_force.left_out["essex"]
    assert left_out.what == "signposts.gone"
    assert await in_force.keep(house) == 0  # said once
    async with house.db.read() as session:
        held = await in_force.overlaid(session, house.in_force.filed, sources, world.now)
    assert held["essex"].left_out
    await world.forward(hours=8)  # a lead is told in office hours
    await tidy_up(house)
    [alert] = [one for one in await world.all(Alert) if getattr(one, "reference", "") == "SETTINGS"]
    assert alert.ended_at is None  # type: ignore[attr-defined]
    async with house.db.write() as session:
        await agreed.take_back(session, left_out.id, world.lead, world.now)
    await in_force.keep(house)
    await tidy_up(house)
    [alert] = [one for one in await world.all(Alert) if getattr(one, "reference", "") == "SETTINGS"]
    assert alert.ended_at is not None  # type: ignore[attr-defined]


async def test_a_report_counts_with_the_population_of_its_period(one_world: World) -> None:
    world, house = one_world, one_world.house
    count = {
        "code": "foster_carers",
        "label": "Essex foster carers",
        "unit": "people",
        "group": "foster_carer",
        "quadrant": None,
        "source": "The council's letter",
        "count": 840,
        "as_of": "2026-10-01",
    }
    await change(world, "populations.foster_carers", count, date(2026, 11, 3), world.lead)
    essex = house.contracts["essex"]
    found = []
    for label in ("2025-26-Q4", "2026-27-Q1"):
        async with house.db.read() as session:
            report = await counted(session, essex, essex.period(label), world.now)
        found.append(report.cell("people", carer_type="foster_carer").denominator)
    assert found == [822, 840]
