"""The rota's promises as stories: somebody is always on call, or somebody hears that nobody is."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import pytest

from helpline.clock import MovableClock
from helpline.desk import cases, conflicts, escalation, rota
from helpline.desk.rota import alarms, handovers, plan, swaps
from helpline.engine.rota import keep_rota
from helpline.errors import Conflict, InvalidInput, NotAllowed
from helpline.models import Alert, Event, Handover, RotaGap, Shift, ShiftSwap, User
from helpline.rules.permissions import Actor
from helpline.rules.rota import Weekly
from helpline.vocabulary import AbsenceKind, ShiftKind
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, STRANGER, WORKER_PHONE, World

EVERY_DAY = frozenset(range(7))
NIGHTS, DAYS = (time(20), time(8)), (time(8), time(20))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def beat(world: World) -> None:
    """The job runs, and what follows from it."""
    await keep_rota(world.house)
    await world.settle()


def later(world: World, by: timedelta) -> None:
    """The time is later; nothing of what came due in between has happened yet."""
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(by)


async def bare(world: World) -> None:
    """Dilys's month on call is taken off, and Wasim has all days, Dilys all nights instead."""
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        for who, (begins, ends) in ((world.worker, DAYS), (world.duty, NIGHTS)):
            weekly = Weekly(EVERY_DAY, begins, ends, world.now.date() - timedelta(days=1))
            await plan.add_pattern(
                session, essex, who.user_id, ShiftKind.PRIMARY, weekly, None, world.now
            )
        await plan.take_away(session, essex, 1, world.lead.user_id, world.now)
    await world.settle()


async def names(world: World) -> list[str]:
    async with world.house.db.read() as session:
        return [user.shown_name for user in await rota.on_call(session, "essex", world.now)]


async def shift_of(world: World, who: Actor, after: datetime) -> int:
    rows = await world.all(Shift, Shift.user_id == who.user_id, Shift.starts_at >= after)
    return next(row.id for row in rows if isinstance(row, Shift) and row.id is not None)


async def away(world: World, who: Actor, begins: str, ends: str) -> None:
    async with world.house.db.write() as session:
        await plan.note_absence(
            session,
            list(world.house.contracts.values()),
            who.user_id,
            AbsenceKind.SICKNESS,
            at(begins),
            at(ends),
            who.user_id,
            world.now,
        )
    await world.settle()


async def alerts(world: World, kind: str) -> list[Alert]:
    found = await world.all(Alert, Alert.kind == kind)
    return [alert for alert in found if isinstance(alert, Alert)]


# --- nights when the clocks change ---------------------------------------------------------------


async def test_in_the_long_night_exactly_one_person_is_woken(world_at_autumn: World) -> None:
    await one_is_woken(world_at_autumn, "2026-10-25T01:30", 13)


async def test_in_the_short_night_exactly_one_person_is_woken(world_at_spring: World) -> None:
    await one_is_woken(world_at_spring, "2027-03-28T00:30", 11)


async def one_is_woken(world: World, alarm_at: str, hours: int) -> None:
    await bare(world)
    (night,) = [
        row
        for row in await world.all(Shift, Shift.user_id == world.duty.user_id)
        if isinstance(row, Shift) and row.starts_at <= at(alarm_at) < row.ends_at
    ]
    assert night.ends_at - night.starts_at == timedelta(hours=hours)
    later(world, at(alarm_at) - world.now)
    await beat(world)
    assert await names(world) == ["Dilys"]
    await world.sms(STRANGER, "he has taken all his tablets")
    assert len(world.texts_to(DUTY_PHONE)) == 1
    assert world.texts_to(WORKER_PHONE) == []
    assert await alerts(world, "rota_gap") == []
    assert await alerts(world, "rota_nobody") == []


async def test_at_eight_in_the_morning_after_the_change_the_day_begins(
    world_at_autumn: World,
) -> None:
    await bare(world_at_autumn)
    await world_at_autumn.forward(hours=14, minutes=59)  # 07:59 in London, by now on winter time
    assert await names(world_at_autumn) == ["Dilys"]
    await world_at_autumn.forward(minutes=2)
    assert await names(world_at_autumn) == ["Wasim"]


# --- swaps ---------------------------------------------------------------------------------------


async def asked(world: World, shift_id: int, for_shift: int | None = None) -> int:
    async with world.house.db.write() as session:
        swap = await swaps.ask(
            session,
            world.house.contracts["essex"],
            shift_id,
            world.worker.user_id,
            for_shift,
            world.duty.user_id,
            world.now,
            wording=world.house.wording,
        )
    await world.settle()
    return swap


async def answered(world: World, answer: object, swap: int, who: Actor) -> None:
    async with world.house.db.write() as session:
        await answer(  # type: ignore[operator]
            session,
            world.house.contracts["essex"],
            swap,
            who.user_id,
            world.now,
            wording=world.house.wording,
        )
    await world.settle()


async def free_evening(world: World) -> tuple[int, int]:
    """Dilys's Friday night, and Wasim's Sunday in exchange."""
    await bare(world)
    friday = await shift_of(world, world.duty, at("2026-11-06T19:00"))
    sunday = await shift_of(world, world.worker, at("2026-11-08T07:00"))
    return friday, sunday


async def test_a_night_shift_is_swapped_when_both_agree_and_not_before(world: World) -> None:
    friday, sunday = await free_evening(world)
    swap = await asked(world, friday, sunday)
    (told,) = world.texts_to(WORKER_PHONE)
    assert "asks you to take over a shift" in told
    assert "Dilys" not in told
    later(
        world, timedelta(hours=90 - 2.25)
    )  # Friday 18:00: the evening has come, nobody has agreed
    assert await names(world) == ["Wasim"]
    await answered(world, swaps.agree, swap, world.worker)
    assert "is agreed" in world.texts_to(DUTY_PHONE)[-1]
    later(world, timedelta(hours=5))  # Friday 23:00
    assert await names(world) == ["Wasim"]
    await world.sms(STRANGER, "he has taken all his tablets")
    assert len([t for t in world.texts_to(WORKER_PHONE) if "PURPLE" in t]) == 1
    assert not [t for t in world.texts_to(DUTY_PHONE) if "PURPLE" in t]
    later(world, timedelta(hours=36))  # Sunday 11:00: hers in exchange
    assert await names(world) == ["Dilys"]
    kinds = [e.kind for e in await world.all(Event) if isinstance(e, Event)]
    assert kinds.index("swap.asked") < kinds.index("swap.agreed") < kinds.index("swap.in_force")


async def test_a_refused_or_withdrawn_swap_moves_nothing(world: World) -> None:
    friday, _ = await free_evening(world)
    swap = await asked(world, friday)
    await answered(world, swaps.refuse, swap, world.worker)
    assert "still yours" in world.texts_to(DUTY_PHONE)[-1]
    with pytest.raises(Conflict):
        await answered(world, swaps.agree, swap, world.worker)
    again = await asked(world, friday)
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        await swaps.withdraw(session, essex, again, world.duty.user_id, world.now)
    with pytest.raises(Conflict):
        await answered(world, swaps.agree, again, world.worker)
    later(world, timedelta(hours=95))
    assert await names(world) == ["Dilys"]


async def test_nobody_answers_for_another_and_nobody_agrees_too_late(world: World) -> None:
    friday, _ = await free_evening(world)
    swap = await asked(world, friday)
    for stranger in (world.duty, world.lead):
        with pytest.raises(NotAllowed):
            await answered(world, swaps.agree, swap, stranger)
    later(world, timedelta(hours=92))  # the shift has begun
    with pytest.raises(Conflict):
        await answered(world, swaps.agree, swap, world.worker)
    await beat(world)
    (row,) = await world.all(ShiftSwap)
    assert isinstance(row, ShiftSwap)
    assert row.state == "expired"
    assert await names(world) == ["Dilys"]


async def test_a_shift_the_lead_changes_is_asked_about_no_more(world: World) -> None:
    friday, _ = await free_evening(world)
    swap = await asked(world, friday)
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        shift = await plan.find_shift(session, "essex", friday)
        wanted = plan.Wanted(world.lead.user_id, ShiftKind.PRIMARY, shift.starts_at, shift.ends_at)
        await plan.change_shift(session, essex, friday, wanted, world.lead.user_id, world.now)
    (row,) = await world.all(ShiftSwap)
    assert isinstance(row, ShiftSwap)
    assert row.state == "expired"
    with pytest.raises(Conflict):
        await answered(world, swaps.agree, swap, world.worker)


# --- gaps ----------------------------------------------------------------------------------------


async def test_a_gap_in_the_coming_week_is_one_alarm_that_ends_when_it_is_filled(
    world: World,
) -> None:
    await bare(world)
    assert await alerts(world, "rota_gap") == []
    await away(world, world.duty, "2026-11-06T12:00", "2026-11-07T12:00")
    for _ in range(5):
        await beat(world)
        await world.forward(minutes=1)
    (alarm,) = await alerts(world, "rota_gap")
    assert alarm.reference == "ROTA"
    assert alarm.next_rung_at is not None
    assert [t for t in world.texts_to(DUTY_PHONE) if "ROTA AMBER" in t]
    async with world.house.db.write() as session:
        wanted = plan.Wanted(
            world.lead.user_id,
            ShiftKind.PRIMARY,
            at("2026-11-06T19:30"),
            at("2026-11-07T08:00"),
        )
        await plan.put_on_call(
            session, world.house.contracts["essex"], wanted, world.lead.user_id, world.now
        )
    (alarm,) = await alerts(world, "rota_gap")
    assert alarm.ended_at == world.now
    assert alarm.next_rung_at is None
    pages = len(world.texts_to(DUTY_PHONE))
    await world.forward(hours=2)
    assert len(world.texts_to(DUTY_PHONE)) == pages


async def test_when_the_gap_begins_the_lead_is_woken_by_a_worse_one(world: World) -> None:
    await bare(world)
    await away(world, world.duty, "2026-11-03T18:00", "2026-11-04T12:00")
    (first,) = await alerts(world, "rota_gap")
    async with world.house.db.write() as session:  # the lead takes it, and forgets it
        await escalation.acknowledge(session, first.id or 0, world.lead.user_id, world.now)
    await world.forward(hours=17, minutes=50)  # 20:05
    await beat(world)
    await beat(world)
    (worse,) = await alerts(world, "rota_nobody")
    assert worse.colour == "red"
    assert [t for t in world.texts_to(LEAD_PHONE) if "ROTA RED" in t]
    later(world, timedelta(hours=12))
    await beat(world)  # Wasim's day has begun: nobody is missing now, and tomorrow night is filled
    (worse,) = await alerts(world, "rota_nobody")
    assert worse.ended_at is not None


async def test_a_rota_without_anybody_is_one_alarm_however_long_it_lasts(world: World) -> None:
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        await plan.take_away(session, essex, 1, world.lead.user_id, world.now)
    for _ in range(30):
        await keep_rota(world.house)
        later(world, timedelta(hours=11))
    assert len(await alerts(world, "rota_nobody")) == 1
    assert await alerts(world, "rota_gap") == []
    assert await world.count(RotaGap) == 1


async def test_what_is_left_of_a_gap_that_has_begun_is_an_alarm_of_its_own(world: World) -> None:
    essex = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        await plan.take_away(session, essex, 1, world.lead.user_id, world.now)
    async with world.house.db.write() as session:
        wanted = plan.Wanted(
            world.lead.user_id, ShiftKind.PRIMARY, world.now, world.now + timedelta(hours=8)
        )
        await plan.put_on_call(session, essex, wanted, world.lead.user_id, world.now)
    (nobody,) = await alerts(world, "rota_nobody")
    (ahead,) = await alerts(world, "rota_gap")
    assert nobody.ended_at is not None
    assert ahead.ended_at is None


async def test_a_worker_who_leaves_leaves_a_gap(world: World) -> None:
    await beat(world)
    async with world.house.db.write() as session:
        user = await session.get(User, world.duty.user_id)
        assert user is not None
        user.left_at = world.now
    await beat(world)
    assert len(await alerts(world, "rota_nobody")) == 1
    assert await names(world) == []


# --- Christmas -----------------------------------------------------------------------------------


async def test_christmas_is_planned_with_overrides_and_nobody_works_who_is_away(
    world: World,
) -> None:
    """Dilys and Wasim have their usual weeks; at Christmas both are away and Leonie stands in, but
    nobody thought of Boxing Day's night: that is heard a week before."""
    await bare(world)
    for who in (world.duty, world.worker):
        await away(world, who, "2026-12-24T08:00", "2026-12-27T08:00")
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        wanted = plan.Wanted(
            world.lead.user_id,
            ShiftKind.PRIMARY,
            at("2026-12-24T08:00"),
            at("2026-12-26T20:00"),
            is_override=True,
        )
        await plan.put_on_call(session, essex, wanted, world.lead.user_id, world.now)
    while world.now < at("2026-12-19T00:00"):
        later(world, timedelta(hours=24))
        await keep_rota(world.house)
    assert await alerts(world, "rota_gap") == []
    later(world, timedelta(hours=30))
    await beat(world)
    (gap,) = await world.all(RotaGap)
    assert isinstance(gap, RotaGap)
    assert (gap.starts_at, gap.ends_at) == (at("2026-12-26T20:00"), at("2026-12-27T08:00"))
    assert len(await alerts(world, "rota_gap")) == 1
    later(world, at("2026-12-25T03:00") - world.now)
    assert await names(world) == ["Leonie"]
    later(world, at("2026-12-26T23:00") - world.now)
    assert await names(world) == []
    later(world, at("2026-12-28T03:00") - world.now)
    assert await names(world) == ["Dilys"]


# --- a shift that is changed while it runs -------------------------------------------------------


async def test_a_shift_changed_under_way_asks_the_new_person_from_that_moment(
    world: World,
) -> None:
    before = world.now
    async with world.house.db.write() as session:
        wanted = plan.Wanted(
            world.worker.user_id, ShiftKind.PRIMARY, before, world.now + timedelta(hours=6)
        )
        essex = world.house.contracts["essex"]
        await plan.change_shift(session, essex, 1, wanted, world.lead.user_id, world.now)
    assert await names(world) == ["Wasim"]
    rows = [row for row in await world.all(Shift) if isinstance(row, Shift)]
    assert [(row.user_id, row.ends_at > before) for row in rows] == [
        (world.duty.user_id, False),  # what she did stays written down
        (world.worker.user_id, True),
    ]
    await world.sms(STRANGER, "he has taken all his tablets")
    assert world.texts_to(DUTY_PHONE) == []
    assert [t for t in world.texts_to(WORKER_PHONE) if "PURPLE" in t]


async def test_a_shift_cut_short_now_is_nobody_now(world: World) -> None:
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        await plan.take_away(session, essex, 1, world.lead.user_id, world.now)
        assert await rota.on_call(session, "essex", world.now) == []
    assert len(await alerts(world, "rota_nobody")) == 1


async def test_a_shift_taken_away_stays_away_though_its_pattern_goes_on(world: World) -> None:
    await bare(world)
    friday = await shift_of(world, world.duty, at("2026-11-06T19:00"))
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        await plan.take_away(session, essex, friday, world.lead.user_id, world.now)
    for _ in range(3):
        await keep_rota(world.house)
        later(world, timedelta(hours=24))
    later(world, timedelta(hours=20))  # Friday, 22:15
    assert await names(world) == []
    later(world, timedelta(hours=24))
    assert await names(world) == ["Dilys"]


async def test_a_pattern_that_ends_takes_its_shifts_with_it_and_no_others(world: World) -> None:
    await bare(world)
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        (nights,) = [
            pattern
            for pattern in await plan.patterns(session, "essex", world.now.date())
            if pattern.user_id == world.duty.user_id
        ]
        last = date(2026, 11, 10)
        await plan.end_pattern(session, essex, nights.id or 0, last, 1, world.now)
        found = await rota.gaps(session, "essex", world.now, at("2026-11-13T00:00"))
    assert found == [
        (at("2026-11-11T20:00"), at("2026-11-12T08:00")),
        (at("2026-11-12T20:00"), at("2026-11-13T00:00")),
    ]
    assert await names(world) == ["Dilys"]


async def test_nobody_is_put_on_call_twice_in_the_past_or_for_ever(world: World) -> None:
    async with world.house.db.write() as session:
        essex, lead = world.house.contracts["essex"], world.lead.user_id
        for begins, ends, error in (
            (1, 5, Conflict),
            (5, 5, InvalidInput),
            (-9, -1, InvalidInput),
            (24 * 31, 24 * 50, InvalidInput),
        ):
            wanted = plan.Wanted(
                world.duty.user_id,
                ShiftKind.PRIMARY,
                world.now + timedelta(hours=begins),
                world.now + timedelta(hours=ends),
            )
            with pytest.raises(error):
                await plan.put_on_call(session, essex, wanted, lead, world.now)


async def test_managers_are_not_asked_with_the_first_line(world: World) -> None:
    async with world.house.db.write() as session:
        wanted = plan.Wanted(
            world.lead.user_id, ShiftKind.MANAGER, world.now, world.now + timedelta(hours=8)
        )
        essex = world.house.contracts["essex"]
        await plan.put_on_call(session, essex, wanted, world.lead.user_id, world.now)
        (manager,) = await rota.managers(session, "essex", world.now)
    assert manager.shown_name == "Leonie"
    assert await names(world) == ["Dilys"]


# --- handovers -----------------------------------------------------------------------------------


async def test_the_sheet_names_what_is_open_and_the_one_who_comes_says_they_read_it(
    world: World,
) -> None:
    await bare(world)
    await world.sms(STRANGER, "he has taken all his tablets")
    await world.sms(CARER, "can I claim council tax reduction")
    await world.forward(hours=5, minutes=20)  # 07:35, Wasim comes at eight
    await beat(world)
    (handover,) = await world.all(Handover)
    assert isinstance(handover, Handover)
    assert (handover.from_id, handover.to_id) == (world.duty.user_id, world.worker.user_id)
    stranger = (await world.case_of(STRANGER)).reference
    carer = (await world.case_of(CARER)).reference
    async with world.house.db.write() as session:
        sheet = await handovers.sheet(session, "essex", world.worker, world.now)
        assert [row.reference for row in sheet.emergencies] == [stranger]
        with pytest.raises(NotAllowed):
            await handovers.acknowledge(session, handover, world.lead, world.now)
        await handovers.write(session, handover, "Ring the stranger first.", world.duty.user_id)
    await world.forward(hours=1)
    await beat(world)
    async with world.house.db.write() as session:
        late = await handovers.late(session, ["essex"], world.now)
        assert [one.id for one in late] == [handover.id]
        found = await handovers.find(session, ["essex"], world.worker, handover.id or 0)
        await handovers.acknowledge(session, found, world.worker, world.now)
    async with world.house.db.read() as session:
        assert await handovers.late(session, ["essex"], world.now) == []
        found = await handovers.find(session, ["essex"], world.worker, handover.id or 0)
        assert found.seen is not None
        assert found.seen["emergencies"] == [stranger]
    later(world, timedelta(hours=9))
    async with world.house.db.read() as session:
        sheet = await handovers.sheet(session, "essex", world.worker, world.now)
        assert carer in [row.reference for row in sheet.promises]
        assert carer not in [row.reference for row in sheet.silent]
    later(world, timedelta(days=8))
    async with world.house.db.read() as session:
        sheet = await handovers.sheet(session, "essex", world.worker, world.now)
        assert carer in [row.reference for row in sheet.silent]
    async with world.house.db.write() as session:  # who must not know of it is not told here either
        case = await cases.find_case(session, world.lead, carer)
        who = world.worker
        await conflicts.declare(session, case, who.user_id, "my sister", world.lead, world.now)
        sheet = await handovers.sheet(session, "essex", who, world.now)
    assert carer not in str(sheet.references)


async def test_a_handover_the_rota_no_longer_asks_for_is_void(world: World) -> None:
    await bare(world)
    await world.forward(hours=5, minutes=20)
    await beat(world)
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        wanted = plan.Wanted(
            world.lead.user_id,
            ShiftKind.PRIMARY,
            world.now,
            world.now + timedelta(hours=8),
            is_override=True,
        )
        await plan.put_on_call(session, essex, wanted, world.lead.user_id, world.now)
    assert await names(world) == ["Leonie"]  # alone: Dilys has the night off from now on
    await beat(world)
    first, second = await world.all(Handover)
    assert isinstance(first, Handover)
    assert isinstance(second, Handover)
    assert first.void_at is not None
    assert (second.from_id, second.to_id) == (world.duty.user_id, world.lead.user_id)


async def test_two_nodes_looking_at_once_find_one_gap(world: World) -> None:
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        await plan.take_away(session, essex, 1, world.lead.user_id, world.now)

    async def look() -> None:
        async with world.house.db.write() as session:
            await alarms.look(session, world.house.contracts["essex"], world.now)

    await asyncio.gather(*(look() for _ in range(6)))
    assert await world.count(RotaGap) == 1
    assert len(await alerts(world, "rota_nobody")) == 1


async def test_two_leads_at_once_put_somebody_on_call_once(world: World) -> None:
    wanted = plan.Wanted(
        world.worker.user_id, ShiftKind.PRIMARY, world.now, world.now + timedelta(hours=8)
    )

    async def put() -> None:
        async with world.house.db.write() as session:
            essex = world.house.contracts["essex"]
            await plan.put_on_call(session, essex, wanted, world.lead.user_id, world.now)

    done = await asyncio.gather(*(put() for _ in range(6)), return_exceptions=True)
    assert [one for one in done if one is None] == [None]
    assert all(isinstance(one, Conflict) for one in done if one is not None)
    assert len(await world.all(Shift, Shift.user_id == world.worker.user_id)) == 1


async def test_an_agreement_and_a_change_at_the_same_moment_leave_one_truth(
    world: World,
) -> None:
    friday, _ = await free_evening(world)
    swap = await asked(world, friday)
    essex, lead = world.house.contracts["essex"], world.lead.user_id

    async def change() -> None:
        async with world.house.db.write() as session:
            shift = await plan.find_shift(session, "essex", friday)
            wanted = plan.Wanted(lead, ShiftKind.PRIMARY, shift.starts_at, shift.ends_at)
            await plan.change_shift(session, essex, friday, wanted, lead, world.now)

    agreeing = answered(world, swaps.agree, swap, world.worker)
    first, second = await asyncio.gather(agreeing, change(), return_exceptions=True)
    assert second is None
    assert first is None or isinstance(first, Conflict)
    (row,) = await world.all(ShiftSwap)
    (shift,) = await world.all(Shift, Shift.id == friday)
    assert isinstance(row, ShiftSwap)
    assert isinstance(shift, Shift)
    assert row.state == ("in_force" if first is None else "expired")
    assert shift.user_id == lead  # whichever came first, the lead's change is not lost
