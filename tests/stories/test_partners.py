"""Waiting for others, papers and what is owed, as promises: nobody waits in silence, what a
counsellor was asked stays with the support worker, and leads hear in time and never at night."""

from datetime import UTC, date, datetime, timedelta

import pytest

from helpline.desk import climbing, obligations, papers, partners, referral_lists, referrals, upkeep
from helpline.desk.papers import Typed as Paper
from helpline.desk.partners import Typed
from helpline.errors import InvalidInput, NotFound
from helpline.models import Alert, Case, Deadline, ObligationDue, Partner, PartnerReferral
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.stories.test_ladder import QUESTION, code_in
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, WORKER_PHONE, World

COUNSELLOR = Typed(
    "counsellor", "Marram Counselling", "Talking after an allegation", telephone="01632 960555"
)


async def partner(world: World, typed: Typed = COUNSELLOR) -> Partner:
    async with world.house.db.write() as session:
        contract = world.house.contracts["essex"]
        return await partners.add(session, contract, typed, world.lead, world.now)


async def ask(world: World, by: Actor | None = None, typed: Typed = COUNSELLOR) -> PartnerReferral:
    """Carol's case, Wasim's, asks the counsellor for something."""
    await world.sms(CARER, QUESTION)
    await world.reply(CARER, "I am Wasim.")
    await world.allocate(CARER, world.worker)
    known = await partner(world, typed)
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        return await referrals.request(
            session,
            world.house.contracts["essex"],
            case,
            str(known.id),
            case.person_id,
            "Sleeps badly since Friday",
            "agreed",
            by or world.worker,
            world.now,
        )


async def shown(world: World, by: Actor) -> referral_lists.Shown:
    async with world.house.db.read() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        assert case is not None
        contract = world.house.contracts["essex"]
        (one,) = await referral_lists.of_case(session, contract, case, by, world.now)
        return one


async def chase(world: World, referral_id: int) -> None:
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        assert case is not None
        contract = world.house.contracts["essex"]
        await referrals.chase(
            session,
            contract,
            case,
            referral_id,
            "telephone",
            "Ms Marram: next month",
            world.worker,
            world.now,
        )


async def waits(world: World) -> list[Deadline]:
    found = await world.all(Deadline, Deadline.clock == "partner_wait")
    return sorted((row for row in found if isinstance(row, Deadline)), key=lambda row: row.id or 0)


async def test_a_wait_of_a_fortnight_is_challenged_by_day_and_again_after_it(world: World) -> None:
    asked = await ask(world)
    (wait,) = await waits(world)
    # Tuesday 3 November and fourteen days, ten in the morning
    assert wait.due_at == datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
    before, on_call = len(world.texts_to(WORKER_PHONE)), len(world.texts_to(DUTY_PHONE))
    await world.forward(hours=24 * 13)
    assert len(world.texts_to(WORKER_PHONE)) == before
    await world.forward(hours=24 + 9)
    texts = world.texts_to(WORKER_PHONE)[before:]
    assert texts and (await shown(world, world.worker)).is_late
    assert len(world.texts_to(DUTY_PHONE)) == on_call  # a wait is nothing for whoever is on call
    await chase(world, asked.id or 0)
    old, new = await waits(world)
    assert (old.state, new.state) == ("met", "open")
    assert new.due_at == datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
    assert not (await shown(world, world.worker)).is_late
    alerts = await world.all(Alert, Alert.deadline_id == old.id)
    assert alerts and all(alert.ended_at for alert in alerts if isinstance(alert, Alert))


async def test_the_first_appointment_that_is_kept_ends_the_wait(world: World) -> None:
    asked = await ask(world)
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        contract = world.house.contracts["essex"]
        assert case is not None
        note = (session, contract, case, asked.id or 0)
        with pytest.raises(InvalidInput, match="That day has not come"):
            await referrals.note_session(
                *note, date(2026, 11, 4), 50, True, world.worker, world.now
            )
        await referrals.note_session(*note, date(2026, 11, 3), 50, False, world.worker, world.now)
        assert (await shown(world, world.worker)).state == "requested"
    async with world.house.db.write() as session:
        await referrals.note_session(
            session, *note[1:], date(2026, 11, 3), 50, True, world.worker, world.now
        )
    one = await shown(world, world.worker)
    assert (one.state, one.came, one.minutes, one.due_at) == ("seen", 1, 50, None)
    (wait,) = await waits(world)
    assert wait.state == "met"


async def test_what_a_counsellor_was_asked_is_read_by_who_works_on_the_case(world: World) -> None:
    asked = await ask(world)
    colleague = await world.hire("Rosa", Role.WORKER)
    assert (await shown(world, world.worker)).wanted == "Sleeps badly since Friday"
    for other in (colleague, world.lead):
        one = await shown(world, other)
        assert one.wanted is None and one.kind == "counsellor"
    # nor from another case
    await world.sms("+447700900777", QUESTION)
    async with world.house.db.write() as session:
        other = await session.get(Case, (await world.case_of("+447700900777")).id)
        assert other is not None
        with pytest.raises(NotFound):
            await referrals.end(
                session, other, asked.id or 0, "not_needed", "", world.worker, world.now
            )


async def test_nobody_is_referred_before_the_council_has_agreed(world: World) -> None:
    awaited = Typed("counsellor", "Marram", "Talking", telephone="01632 960555", approval="awaited")
    with pytest.raises(InvalidInput, match="The council has not agreed"):
        await ask(world, typed=awaited)


# --- papers, and what is owed ---------------------------------------------------------------------

OFFICE = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)  # a Tuesday


async def look(world: World, at: datetime) -> int:
    async with world.house.db.write() as session:
        contract = world.house.contracts["essex"]
        reach = climbing.Reach(frozenset(world.house.channels))
        return await upkeep.look(session, contract, world.house.wording, reach, at)


async def alarms(world: World, reference: str) -> list[Alert]:
    found = await world.all(Alert, Alert.reference == reference)
    return [one for one in found if isinstance(one, Alert)]


async def test_leads_hear_sixty_days_before_a_paper_runs_out_and_until_a_new_one_is_seen(
    world: World,
) -> None:
    async def noted(first: date, last: date) -> None:
        async with world.house.db.write() as session:
            typed = Paper("dbs", first, last)
            await papers.add(session, world.worker.user_id, typed, world.lead, world.now)

    await noted(date(2024, 1, 3), date(2027, 1, 2))  # sixty days after the third of November
    await look(world, OFFICE - timedelta(days=1))
    assert await alarms(world, "PAPERS") == []
    await look(world, OFFICE - timedelta(hours=6))  # at night
    assert await alarms(world, "PAPERS") == []
    await look(world, OFFICE)
    await look(world, OFFICE + timedelta(hours=1))
    (alarm,) = await alarms(world, "PAPERS")
    assert (alarm.rungs, alarm.ended_at) == ("lead", None)
    await noted(date(2026, 11, 3), date(2029, 11, 2))
    await look(world, OFFICE + timedelta(hours=2))
    (alarm,) = await alarms(world, "PAPERS")
    assert alarm.ended_at is not None


async def test_what_is_owed_is_said_to_its_owner_by_day_until_it_is_done(world: World) -> None:
    contract = world.house.contracts["essex"]
    await look(world, OFFICE)
    rows = [one for one in await world.all(ObligationDue) if isinstance(one, ObligationDue)]
    assert await look(world, OFFICE + timedelta(hours=1)) == 0  # laid out once
    report = min(rows, key=lambda row: row.due_on)
    assert (report.rule, report.due_on) == ("quarterly_report", date(2026, 11, 13))
    async with world.house.db.write() as session:
        owner = world.worker.user_id
        args = (contract, report.id or 0, owner, report.due_on, world.lead, world.now)
        await obligations.give(session, *args)
    sunday = datetime(2026, 11, 8, 10, 0, tzinfo=UTC)  # five days before
    await look(world, sunday)
    assert await alarms(world, "OWED") == []
    world.clock.forward(sunday + timedelta(days=1) - world.now)  # type: ignore[attr-defined]
    await look(world, world.now)
    await world.settle()
    (text,) = [one for one in world.texts_to(WORKER_PHONE) if "OWED" in one]
    assert "OWED BLUE" in text
    await world.forward(hours=12)  # nobody is asked again before the next office day
    assert len([one for one in world.texts_to(LEAD_PHONE) if "OWED" in one]) == 0
    await world.sms(WORKER_PHONE, code_in(text))
    await look(world, datetime(2026, 11, 16, 10, 0, tzinfo=UTC))  # it is late
    assert [one.ended_at is None for one in await alarms(world, "OWED")] == [False, True]
    async with world.house.db.write() as session:
        done = (date(2026, 11, 9), "Sent to both Commissioners", world.worker, world.now)
        await obligations.settle(session, contract, report.id or 0, *done)
    assert all(one.ended_at for one in await alarms(world, "OWED"))


async def test_what_is_counted_from_a_meeting_follows_it(world: World) -> None:
    essex = world.house.contracts["essex"]
    review = next(one for one in essex.obligations if one.code == "joint_review")
    pack = review.model_copy(
        update={"code": "pack", "name": "Pack", "counted_from": "joint_review", "amount": -10}
    )
    contract = essex.model_copy(update={"obligations": (*essex.obligations, pack)})

    async def packs() -> dict[date, bool]:
        rows = [one for one in await world.all(ObligationDue) if isinstance(one, ObligationDue)]
        return {one.due_on: one.dropped_at is None for one in rows if one.rule == "pack"}

    async with world.house.db.write() as session:
        made = await obligations.add(
            session, contract, "joint_review", "", date(2027, 1, 6), None, world.lead, world.now
        )
    assert await packs() == {date(2026, 12, 18): True}
    for day, expected in (
        (date(2027, 1, 13), {date(2026, 12, 18): False, date(2026, 12, 29): True}),
        (date(2027, 1, 6), {date(2026, 12, 18): True, date(2026, 12, 29): False}),
    ):
        async with world.house.db.write() as session:
            args = (contract, made.id or 0, None, day, world.lead, world.now)
            await obligations.give(session, *args)
        assert await packs() == expected


async def test_what_is_owed_every_week_stands_four_weeks_ahead_and_is_late_aloud_once(
    world: World,
) -> None:
    """001 §7: a panel that sits every week. 3 November 2026 is a Tuesday."""
    essex = world.house.contracts["essex"]
    panel = next(one for one in essex.obligations if one.code == "joint_review").model_copy(
        update={"code": "panel", "name": "Panel", "every": "week", "amount": -1, "warn_days": (1,)}
    )
    contract = essex.model_copy(update={"obligations": (panel,)})

    async def laid_out_on(now: datetime) -> list[ObligationDue]:
        async with world.house.db.write() as session:
            await obligations.look(session, contract, now)
        rows = [one for one in await world.all(ObligationDue) if isinstance(one, ObligationDue)]
        return sorted((one for one in rows if one.rule == "panel"), key=lambda row: row.due_on)

    days = [one.due_on for one in await laid_out_on(OFFICE)]
    assert days == [date(2026, 10, 30) + timedelta(weeks=weeks) for weeks in range(5)]
    friday = datetime(2026, 11, 6, 10, 0, tzinfo=UTC)
    assert len(await laid_out_on(friday)) == 5  # the week ends on Sunday
    assert len(await laid_out_on(friday + timedelta(days=3))) == 6
    for weeks in (1, 2, 3):
        rows = await laid_out_on(friday + timedelta(days=3, weeks=weeks))
    first = rows[1]
    assert first.due_on == friday.date() and first.done_at is None
    assert first.next_alert_at is None  # said before, on the day and the day after: the next is due
    said = [
        one.key for one in await alarms(world, "OWED") if one.key.startswith(f"owed:{first.id}:")
    ]
    assert len(said) == 2  # the day itself, and once when it was late
