"""What must be looked after in time, as promises: a table that ends, contact details that grow old,
and promises that were planned beyond what is known."""

from datetime import UTC, date, datetime, timedelta

import pytest

from helpline.contract import Contract, doubts
from helpline.desk import climbing, deadlines, upkeep
from helpline.engine.deliver import deliver_all
from helpline.engine.housekeeping import tidy_up
from helpline.models import Alert, Event, RegisterList
from helpline.vocabulary import Unit
from tests.stories.test_ladder import QUESTION, code_in
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, World

OFFICE = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)  # a Tuesday


def contract_until(world: World, last: date, verified: date | None = None) -> Contract:
    """The same contract with a shorter table, or contact details looked at on another day."""
    old = world.house.contracts["essex"]
    assert old.holidays is not None
    days = tuple(day for day in old.holidays.holidays if day.day <= last)
    holidays = old.holidays.model_copy(update={"last": last, "holidays": days})
    signposts = old.signposts
    if verified is not None:
        signposts = tuple(one.model_copy(update={"last_verified": verified}) for one in signposts)
    changed = old.model_copy(  # what is owed to the council has stories of its own
        update={"holidays": holidays, "signposts": signposts, "obligations": ()}
    )
    for one in (changed, holidays):
        for cached in ("days", "rules"):
            one.__dict__.pop(cached, None)
    world.house.contracts["essex"] = changed  # type: ignore[index]
    return changed


async def look(world: World, contract: Contract, now: datetime) -> int:
    async with world.house.db.write() as session:
        reach = climbing.Reach(frozenset(world.house.channels))
        return await upkeep.look(session, contract, world.house.wording, reach, now)


async def calendars(world: World) -> list[Alert]:
    found = await world.all(Alert, Alert.reference == "CALENDAR")
    return [alert for alert in found if isinstance(alert, Alert)]


FRESH = date(2026, 11, 1)


async def test_a_list_that_has_not_come_by_its_day_is_said_and_the_list_ends_it(
    world: World,
) -> None:
    contract = contract_until(world, date(2029, 12, 31), FRESH)

    async def arrives(as_of: date) -> None:
        row = RegisterList(contract="essex", as_of=as_of, is_whole=True, state="accepted")
        row.handed_in_at, row.by_user_id = world.now, world.lead.user_id
        async with world.house.db.write() as session:
            session.add(row)

    await arrives(date(2026, 10, 2))
    assert await look(world, contract, OFFICE + timedelta(days=7)) == 0  # the tenth
    assert await look(world, contract, OFFICE + timedelta(days=8)) == 1
    assert await look(world, contract, OFFICE + timedelta(days=9)) == 0
    (alert,) = await world.all(Alert, Alert.reference == "LIST")
    assert (alert.kind, alert.rungs, climbing.place_of(alert)) == ("upkeep", "lead", "/register")
    await arrives(date(2026, 11, 12))
    assert await look(world, contract, OFFICE + timedelta(days=9)) == 1
    (alert,) = await world.all(Alert, Alert.reference == "LIST")
    assert alert.ended_at is not None


async def test_a_table_that_ends_within_ninety_days_is_said_once_and_ended_by_a_longer_one(
    world: World,
) -> None:
    short = contract_until(world, date(2027, 1, 31), FRESH)
    assert await look(world, short, OFFICE) == 1
    assert await look(world, short, OFFICE + timedelta(hours=1)) == 0
    (alert,) = await calendars(world)
    assert (alert.kind, alert.rungs, alert.ended_at) == ("upkeep", "lead", None)
    still_short = contract_until(world, date(2027, 2, 1), FRESH)
    assert await look(world, still_short, OFFICE + timedelta(hours=2)) == 2  # another end
    longer = contract_until(world, date(2027, 12, 31), FRESH)
    assert await look(world, longer, OFFICE + timedelta(hours=14)) == 1
    assert all(alert.ended_at for alert in await calendars(world))


@pytest.mark.parametrize(
    ("days", "is_said"), [(91, False), (90, True), (1, True), (0, True), (-5, True)]
)
async def test_ninety_days_and_not_ninety_one(world: World, days: int, is_said: bool) -> None:
    short = contract_until(world, OFFICE.date() + timedelta(days=days), FRESH)
    await look(world, short, OFFICE)
    assert bool(await calendars(world)) == is_said


@pytest.mark.parametrize(
    ("when", "is_said"),
    [
        (datetime(2026, 11, 3, 8, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 3, 9, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 3, 15, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 3, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 7, 11, 0, tzinfo=UTC), False),  # a Saturday
        (datetime(2026, 12, 25, 11, 0, tzinfo=UTC), False),  # a Friday
        (datetime(2026, 10, 20, 8, 30, tzinfo=UTC), True),  # half past nine in summer time
    ],
)
async def test_nobody_is_told_outside_office_hours(
    world: World, when: datetime, is_said: bool
) -> None:
    await look(world, contract_until(world, date(2027, 1, 10), FRESH), when)
    assert bool(await calendars(world)) == is_said


async def test_it_asks_leads_and_again_on_the_next_office_day_only(world: World) -> None:
    contract_until(world, date(2027, 1, 10), FRESH)
    world.clock.forward(OFFICE - world.now)  # type: ignore[attr-defined]
    await tidy_up(world.house)
    await world.settle()
    (text,) = world.texts_to(LEAD_PHONE)
    assert text.startswith("Helpline CALENDAR BLUE.")
    await world.forward(hours=23)
    assert len(world.texts_to(LEAD_PHONE)) == 1 and world.texts_to(DUTY_PHONE) == []
    await world.forward(hours=24 * 5 + 2)  # past the weekend
    texts = world.texts_to(LEAD_PHONE)
    assert len(texts) == 5  # Tuesday to Friday, and Monday
    await world.sms(LEAD_PHONE, code_in(texts[-1]))
    await world.forward(hours=24 * 7)
    assert len(world.texts_to(LEAD_PHONE)) == 6  # "You have CALENDAR", and nothing after it


async def test_old_contact_details_are_one_line_a_week_to_leads(world: World) -> None:
    old = contract_until(world, date(2028, 12, 31), OFFICE.date() - timedelta(days=91))
    world.clock.forward(OFFICE - world.now)  # type: ignore[attr-defined]
    count = len(doubts.old_signposts(old, OFFICE.date()))
    for hours in range(24 * 5):
        await look(world, old, OFFICE + timedelta(hours=hours))
    await deliver_all(world.house)
    (text,) = world.texts_to(LEAD_PHONE)
    assert text.startswith(f"Helpline: {count} of the")
    await look(world, old, OFFICE + timedelta(days=7))
    await world.forward(hours=24 * 8)
    assert len(world.texts_to(LEAD_PHONE)) == 2 and world.texts_to(DUTY_PHONE) == []


async def test_details_that_are_looked_after_are_no_news(world: World) -> None:
    fresh = contract_until(world, date(2028, 12, 31), OFFICE.date() - timedelta(days=90))
    assert await look(world, fresh, OFFICE) == 0


def with_forty_days(world: World, contract: Contract) -> Contract:
    """The first clock counts forty working days, which reach past Christmas."""
    forty = contract.clocks[0].model_copy(
        update={"limit": 40, "unit": Unit.WORKING_DAYS, "warn_after_hours": ()}
    )
    changed = contract.model_copy(update={"clocks": (forty, *contract.clocks[1:])})
    changed.__dict__.pop("days", None)
    world.house.contracts["essex"] = changed  # type: ignore[index]
    return changed


async def test_what_reached_beyond_the_table_is_planned_again_when_it_grows(world: World) -> None:
    whole = world.house.contracts["essex"]
    with_forty_days(world, contract_until(world, date(2026, 11, 4), FRESH))
    await world.sms(CARER, QUESTION)
    before = (await world.deadlines(CARER))["first_response"]
    assert not before.is_certain
    grown = with_forty_days(world, whole)
    async with world.house.db.write() as session:
        assert await deadlines.plan_again(session, grown, world.now) == 1
        assert await deadlines.plan_again(session, grown, world.now) == 0
    after = (await world.deadlines(CARER))["first_response"]
    assert after.is_certain and after.due_at > before.due_at  # Christmas lies between
    assert after.next_alert_at == after.due_at
    assert len(await world.all(Event, Event.kind == "deadline.planned_again")) == 1


async def test_what_is_past_or_met_is_not_planned_again(world: World) -> None:
    whole = world.house.contracts["essex"]
    with_forty_days(world, contract_until(world, date(2026, 11, 4), FRESH))
    await world.sms(CARER, QUESTION)
    before = (await world.deadlines(CARER))["first_response"]
    grown = with_forty_days(world, whole)
    async with world.house.db.write() as session:
        assert await deadlines.plan_again(session, grown, before.due_at) == 0
    await world.reply(CARER, "Yes, you can.")
    async with world.house.db.write() as session:
        assert await deadlines.plan_again(session, grown, world.now) == 0
    assert (await world.deadlines(CARER))["first_response"].due_at == before.due_at
