"""The rota through its pages: who sees what, gaps in words, swaps, absences, sheet, calendars."""

import re
from datetime import timedelta

from helpline.desk.rota import plan
from helpline.engine.rota import keep_rota
from helpline.models import Absence, CalendarFeed, Handover, Shift, ShiftSwap
from helpline.vocabulary import ShiftKind
from tests.rules.test_ical import events, plain
from tests.web.conftest import Arrive
from tests.world import CARER, STRANGER, World

NIGHT = {"kind": "primary", "starts": "2026-11-06T20:00", "ends": "2026-11-07T08:00"}


async def clear(world: World) -> None:
    """Dilys's month on call is taken off."""
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        await plan.take_away(session, essex, 1, world.lead.user_id, world.now)


async def put(world: World, arrive: Arrive, who: int, form: dict[str, str] = NIGHT) -> int:
    guest = await arrive(world, "leonie")
    await guest.get("/rota/new")
    assert await guest.post("/rota/shifts", {"user": str(who)} | form) == 200, guest.text
    rows = await world.all(Shift)
    last = rows[-1]
    assert isinstance(last, Shift)
    assert last.id is not None
    return last.id


async def test_a_gap_is_in_red_words_and_its_link_fills_it(world: World, arrive: Arrive) -> None:
    await clear(world)
    guest = await arrive(world, "leonie")
    await guest.get("/rota")
    assert "Nobody is first on call now" in guest.text
    link = re.search(r'href="(/rota/new\?[^"]+)"', guest.page)
    assert link is not None
    await guest.get(link[1].replace("&amp;", "&"))
    assert 'value="2026-11-03T02:15"' in guest.page
    form = {"user": str(world.duty.user_id), "kind": "primary", "starts": "2026-11-03T02:15"}
    await guest.post("/rota/shifts", form | {"ends": "2026-11-16T00:00"})
    assert "The shift is in the rota" in guest.text
    assert "Nobody is first" not in guest.text
    assert "Dilys" in guest.text


async def test_what_cannot_be_put_on_call_is_said_and_what_was_typed_stays(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "leonie")
    await guest.get("/rota/new")
    night = {"user": str(one_world.worker.user_id)} | NIGHT
    for wrong, said in (
        ({"user": "9999"}, "Choose somebody who works on this contract"),
        ({"ends": "2026-11-06T19:00"}, "must end after it starts"),
        ({"starts": "yesterday"}, "Give day and time, both"),
        ({"starts": ""}, "Give both times"),
        ({"kind": "king"}, "Choose what they are on call as"),
    ):
        assert await guest.post("/rota/shifts", night | wrong) == 400
        assert said in guest.text
    assert 'value="2026-11-07T08:00"' in guest.page
    twice = night | {"user": str(one_world.duty.user_id)}
    assert await guest.post("/rota/shifts", twice) == 409
    assert "on call at that time already" in guest.text
    assert await one_world.count(Shift) == 1


async def test_a_lead_changes_and_takes_away_a_worker_does_not(
    one_world: World, arrive: Arrive
) -> None:
    await clear(one_world)
    shift = await put(one_world, arrive, one_world.duty.user_id)
    guest = await arrive(one_world, "leonie")
    await guest.get(f"/rota/shifts/{shift}")
    form = NIGHT | {"user": str(one_world.worker.user_id)}
    assert await guest.post(f"/rota/shifts/{shift}", form) == 200
    assert "The rota is changed" in guest.text
    worker = await arrive(one_world, "dilys")
    await worker.get(f"/rota/shifts/{shift}")
    assert "Change the shift" not in worker.text
    assert await worker.post(f"/rota/shifts/{shift}", form) == 403
    assert await worker.post(f"/rota/shifts/{shift}/end") == 403
    assert await guest.post(f"/rota/shifts/{shift}/end") == 200
    assert "The shift is taken away" in guest.text
    assert await guest.get(f"/rota/shifts/{shift}") == 404


async def test_a_swap_is_asked_agreed_and_seen_by_the_lead(world: World, arrive: Arrive) -> None:
    await clear(world)
    shift = await put(world, arrive, world.duty.user_id)
    sunday = NIGHT | {"starts": "2026-11-08T08:00", "ends": "2026-11-08T20:00"}
    other = await put(world, arrive, world.worker.user_id, sunday)
    dilys, wasim = await arrive(world, "dilys"), await arrive(world, "wasim")
    await dilys.get(f"/rota/shifts/{shift}")
    assert await dilys.post(f"/rota/shifts/{shift}/swaps", {"for_shift": ""}) == 400
    assert "Choose whom you ask" in dilys.text
    form = {"for_shift": str(other)}
    assert await dilys.post(f"/rota/shifts/{shift}/swaps", form) == 200
    assert "Until they agree, the shift is yours" in dilys.text
    lead = await arrive(world, "leonie")
    await lead.get("/rota")
    assert "Dilys asked Wasim to take Friday 6 Nov 20:00 to Saturday 7 Nov 08:00" in lead.text
    await wasim.get("/rota")
    assert "Dilys asks you to take" in wasim.text
    (swap,) = await world.all(ShiftSwap)
    assert isinstance(swap, ShiftSwap)
    assert await dilys.post(f"/rota/swaps/{swap.id}/agreement") == 403
    assert await lead.post(f"/rota/swaps/{swap.id}/agreement") == 403
    assert await wasim.post(f"/rota/swaps/{swap.id}/agreement") == 200
    assert "Agreed. The rota shows it." in wasim.text
    assert await wasim.post(f"/rota/swaps/{swap.id}/refusal") == 409
    await lead.get("/rota")
    assert "Agreed, and in force" in lead.text
    rows = {row.id: row.user_id for row in await world.all(Shift) if isinstance(row, Shift)}
    assert rows[shift] == world.worker.user_id
    assert rows[other] == world.duty.user_id


async def test_somebody_says_they_are_ill_and_only_the_lead_sees_why(
    world: World, arrive: Arrive
) -> None:
    dilys, wasim = await arrive(world, "dilys"), await arrive(world, "wasim")
    await dilys.get("/rota/absences")
    form = {"kind": "sickness", "first_day": "2026-11-03", "last_day": "2026-11-04"}
    form |= {"user": str(world.worker.user_id)}  # not theirs to choose: it is they who are away
    assert await dilys.post("/rota/absences", form) == 200
    assert "Shifts in that time count as empty" in dilys.text
    (absence,) = await world.all(Absence)
    assert isinstance(absence, Absence)
    assert absence.user_id == world.duty.user_id
    await wasim.get("/rota")
    assert "Nobody is first on call now" in wasim.text
    assert "away for part of it" in wasim.text
    assert "llness" not in wasim.text
    await wasim.get("/rota/sheet")
    assert "Not yet filled" in wasim.text
    assert "away" not in wasim.text
    await wasim.get("/rota/absences")
    assert "Dilys" not in wasim.text
    assert await wasim.post(f"/rota/absences/{absence.id}/end") == 404
    lead = await arrive(world, "leonie")
    await lead.get("/rota/absences")
    assert "Dilys , illness" in lead.text
    assert await lead.post(f"/rota/absences/{absence.id}/end") == 200
    await wasim.get("/rota")
    assert "Nobody is first on call" not in wasim.text


async def test_an_absence_that_makes_no_sense_is_refused(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "wasim")
    await guest.get("/rota/absences")
    for form in (
        {"kind": "holiday", "first_day": "soon"},
        {"kind": "holiday", "first_day": "2026-11-05", "last_day": "2026-11-04"},
        {"kind": "holiday", "first_day": "2026-01-05", "last_day": "2026-01-06"},
        {"kind": "revenge", "first_day": "2026-11-05"},
        {"kind": "holiday", "first_day": "2026-11-05", "first_time": "noon"},
        {"kind": "holiday", "first_day": "9999-12-31"},
    ):
        assert await guest.post("/rota/absences", form) == 400
    assert await one_world.count(Absence) == 0


async def test_a_pattern_fills_six_weeks_and_runs_out(world: World, arrive: Arrive) -> None:
    await clear(world)
    guest = await arrive(world, "leonie")
    await guest.get("/rota/patterns")
    form = [("user", str(world.worker.user_id)), ("kind", "primary"), ("begins", "20:00")]
    form += [("ends", "08:00"), ("first_day", "2026-11-04"), ("every_weeks", "1")]
    assert await guest.post("/rota/patterns", form) == 400
    assert "Tick at least one day" in guest.text
    assert await guest.post("/rota/patterns", [*form, ("days", "4"), ("days", "5")]) == 200
    assert "Wasim , first: Friday, Saturday, 20:00 to 08:00" in guest.text
    assert await world.count(Shift) == 1 + 12
    number = re.search(r"/rota/patterns/(\d+)/end", guest.page)
    assert number is not None
    last = {"last_day": "2026-11-14"}
    assert await guest.post(f"/rota/patterns/{number[1]}/end", last) == 200
    rows = [row for row in await world.all(Shift) if isinstance(row, Shift)]
    assert len([row for row in rows if row.pattern_id and row.taken_away_at is None]) == 4
    assert await guest.post("/rota/patterns/999/end", last) == 404
    assert await guest.post(f"/rota/patterns/{number[1]}/end", {"last_day": "x"}) == 400


async def test_skills_and_languages_are_written_down(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "leonie")
    path = f"/rota/people/{one_world.worker.user_id}/skills"
    await guest.get("/rota/people")
    form = {"skills": "Allegations,  finance ,", "languages": "pl, BSL"}
    assert await guest.post(path, form) == 200
    assert 'value="allegations, finance"' in guest.page
    assert 'value="bsl, pl"' in guest.page
    assert await guest.post(path, {"skills": "x" * 41}) == 400
    assert await guest.post("/rota/people/4242/skills", form) == 404


async def test_a_calendar_shows_ones_own_shifts_until_it_is_taken_away(
    world: World, arrive: Arrive
) -> None:
    shift = await put(world, arrive, world.worker.user_id)
    await world.sms(CARER, "they say I hit him")
    guest, program = await arrive(world, "wasim"), await arrive(world, None)
    await guest.get("/rota/calendar")
    assert await guest.post("/rota/calendar") == 200
    found = re.search(r"/rota/[A-Za-z0-9_-]{43}\.ics", guest.page)
    assert found is not None
    (feed,) = await world.all(CalendarFeed)
    assert isinstance(feed, CalendarFeed)
    assert feed.token_hash not in found[0]
    assert await program.get(found[0]) == 200
    assert program.headers["Content-Type"] == "text/calendar; charset=utf-8"
    (event,) = events(program.page.encode())
    assert event["UID"] == f"shift-{shift}@helpline"
    assert (event["DTSTART"], event["DTEND"]) == ("20261106T200000Z", "20261107T080000Z")
    assert plain(event["SUMMARY"]) == "On call, first: Essex"
    assert "ESX" not in program.page
    await guest.get("/rota/calendar")
    assert found[0] not in guest.page
    assert await guest.post("/rota/calendar") == 200  # a new one: the old answers nobody
    assert await program.get(found[0]) == 404
    newer = re.search(r"/rota/[A-Za-z0-9_-]{43}\.ics", guest.page)
    assert newer is not None
    assert await program.get(newer[0]) == 200
    assert await guest.post("/rota/calendar/end") == 200
    assert await program.get(newer[0]) == 404
    assert await program.get("/rota/short.ics") == 404


async def test_the_sheet_names_the_recipient_and_no_private_number(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    assert await guest.get("/rota/sheet?contract=essex&week=2026-11-03") == 200
    assert "Duty rota to the Essex Emergency Duty Service" in guest.text
    assert "0808 157 0100" in guest.text
    assert "Dilys" in guest.text
    assert "07700" not in guest.text
    assert await guest.get("/rota/sheet?contract=moon") == 404
    assert await guest.get("/rota/sheet?week=9999-99-99") == 200


async def test_who_comes_acknowledges_the_handover_and_the_lead_sees_who_did_not(
    world: World, arrive: Arrive
) -> None:
    await clear(world)
    night = NIGHT | {"starts": "2026-11-03T02:15", "ends": "2026-11-03T08:00"}
    day = NIGHT | {"starts": "2026-11-03T08:00", "ends": "2026-11-03T20:00"}
    await put(world, arrive, world.duty.user_id, night)
    await put(world, arrive, world.worker.user_id, day)
    await world.sms(STRANGER, "he has taken all his tablets")
    reference = (await world.case_of(STRANGER)).reference
    await world.forward(hours=5, minutes=20)
    await keep_rota(world.house)
    (handover,) = await world.all(Handover)
    assert isinstance(handover, Handover)
    path = f"/rota/handovers/{handover.id}"
    dilys, wasim = await arrive(world, "dilys"), await arrive(world, "wasim")
    await dilys.get("/rota")
    assert "You hand over to Wasim" in dilys.text
    await dilys.get(path)
    assert reference in dilys.text
    assert await dilys.post(f"{path}/words", {"text": "x" * 2001}) == 400
    assert await dilys.post(f"{path}/words", {"text": f"Ring {reference} first."}) == 200
    assert await dilys.post(f"{path}/acknowledgement") == 403
    await world.forward(hours=1)
    lead = await arrive(world, "leonie")
    await lead.get("/rota")
    assert "Handover not acknowledged: Wasim took over from Dilys" in lead.text
    await wasim.get("/rota")
    assert "You take over from Dilys" in wasim.text
    await wasim.get(path)
    assert f"Ring {reference} first." in wasim.text
    assert await wasim.post(f"{path}/words", {"text": "mine"}) == 403
    assert await wasim.post(f"{path}/acknowledgement") == 200
    assert "Acknowledged. It is yours now." in wasim.text
    await lead.get("/rota")
    assert "not acknowledged" not in lead.text


async def test_a_shift_of_somebody_no_alert_reaches_is_a_warning(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "leonie")
    await guest.get("/rota")
    assert "No alert reaches them" not in guest.text
    await one_world.sms("+447700900901", "STOP")
    await guest.get("/rota")
    assert "No alert reaches them" in guest.text


async def test_weeks_can_be_turned_and_nonsense_is_this_week(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    await guest.get("/rota?week=2026-11-18")
    assert "two weeks from 16 November" in guest.text
    assert "Monday 16 November" in guest.text
    await guest.get("/rota")
    assert "Monday 2 November" not in guest.text  # it is Tuesday: what is over is not in the way
    assert "Tuesday 3 November today" in guest.text
    await guest.get("/rota?week=2026-11-04")
    assert "Monday 2 November" in guest.text
    for nonsense in ("x", "0001-01-01", "9999-12-31", "2026-13-01"):
        assert await guest.get(f"/rota?week={nonsense}") == 200
        assert "two weeks from 2 November" in guest.text
    assert "Nobody is first" not in guest.text


async def test_ones_own_next_shift_comes_first(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "dilys")
    await guest.get("/rota")
    assert "You are on call now, until" in guest.text
    other = await arrive(one_world, "wasim")
    await other.get("/rota")
    assert "You have no shift in the coming weeks" in other.text


async def test_a_shift_is_moved_by_days_and_hours(one_world: World, arrive: Arrive) -> None:
    async with one_world.house.db.write() as session:
        starts = one_world.now.replace(hour=8, minute=0) + timedelta(days=3)
        of = (one_world.worker.user_id, ShiftKind.PRIMARY, starts, starts + timedelta(hours=12))
        essex = one_world.house.contracts["essex"]
        await plan.put_on_call(
            session, essex, plan.Wanted(*of), one_world.lead.user_id, one_world.now
        )
    shift = [row for row in await one_world.all(Shift) if isinstance(row, Shift)][-1]
    place = f"/rota/shifts/{shift.id}/move"
    lead = await arrive(one_world, "leonie")
    await lead.get("/rota")
    assert await lead.post(place, {"days": "2", "hours": "-1"}) == 200
    assert "The rota is changed." in lead.text
    (moved,) = await one_world.all(Shift, Shift.id == shift.id)
    assert isinstance(moved, Shift)
    assert moved.starts_at == starts + timedelta(days=2, hours=-1)
    assert moved.ends_at - moved.starts_at == timedelta(hours=12)
    for wrong in ({"days": "x", "hours": "0"}, {"days": "1"}, {"days": "-9", "hours": "0"}):
        assert await lead.post(place, wrong) in (400, 409)
        assert 'name="starts"' in lead.page  # its own form, with what is wrong above it
    worker = await arrive(one_world, "wasim")
    await worker.get("/rota")
    assert await worker.post(place, {"days": "1", "hours": "0"}) == 403
