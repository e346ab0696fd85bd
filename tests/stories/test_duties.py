"""What an allegation makes somebody owe, as it happens: over Christmas, before an interview, the
third time in two years, and with the twenty-eight days across a clock change."""

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.clock import MovableClock
from helpline.desk import allegations, conflicts, parts
from helpline.desk.duties import (
    agenda,
    answers,
    approvals,
    cover,
    interviews,
    notices,
    outcomes,
    repeats,
)
from helpline.errors import Conflict, InvalidInput, NotAllowed
from helpline.models import (
    Address,
    Alert,
    Allegation,
    ApprovalStep,
    Case,
    Deadline,
    Merge,
    Part,
    Person,
    PoliceInterview,
)
from helpline.rules import duties
from helpline.rules.permissions import Actor
from helpline.sealing import ring
from helpline.vocabulary import PartRole, Role
from tests.world import CARER, LEAD_PHONE, WORKER_PHONE, World, opened_world

HOUR = timedelta(hours=1)
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
    await leap(world, hours=40)
    sent = notices.Sent("email", "the duty manager", "", world.now, said=(COPY, "She stays there"))
    await do(world, notices.send, case, all_owed["council"].row.id, sent, world.worker, world.now)
    now_owed = await owed(world, case)
    assert now_owed["council"].row.state == "sent"
    assert now_owed["council!"].row.state == "owed"
    assert now_owed["council!"].due_at is None
    assert (await world.deadlines(CARER))["council_notice"].met_at is not None
    # nobody tells the LADO: warned in the morning of the 29th, broken at five
    await leap(world, hours=(datetime(2026, 12, 29, 17, 1, tzinfo=UTC) - world.now) / HOUR)
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


async def test_a_council_may_want_word_only_of_what_a_fostered_child_alleged(world: World) -> None:
    essex = world.house.contracts["essex"]
    only = [
        one.model_copy(update={"only_alleged_by": ("fostered_child",)})
        for one in essex.notices
        if one.code == "council"
    ]
    contract = essex.model_copy(update={"notices": (*only, *essex.notices[:1])})
    await world.sms(CARER, "They say somebody has said something about me")
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        assert case is not None
        for made_by in ("birth_family", "fostered_child"):
            told = allegations.Told(case.person_id, world.now, made_by=made_by, told_by="Carol")
            await allegations.record(session, contract, case, told, world.worker, world.now)
        shown = await notices.of_case(session, contract, case.id or 0)
    assert sorted(one.row.kind for one in shown) == ["council", "lado", "lado"]  # D19


async def test_who_was_told_before_it_was_called_an_allegation_was_told_then(
    one_world: World,
) -> None:
    world = one_world
    case = await accused(world, track="standards")
    told_at = world.now + HOUR
    await leap(world, hours=3)
    (entry,) = await world.all(Allegation)
    assert isinstance(entry, Allegation)
    moved = ("allegation", "The LADO", world.now, "It meets the threshold", world.worker, world.now)
    await do(world, allegations.move, case, entry.id, *moved)
    lado = (await owed(world, case))["lado"].row.id
    early = notices.Sent("form", "duty LADO", "", told_at - 3 * HOUR, said=(COPY, "Carol", "Safe"))
    with pytest.raises(InvalidInput, match="before we knew of it"):
        await do(world, notices.send, case, lado, early, world.worker, world.now)
    sent = replace(early, at=told_at)
    await do(world, notices.send, case, lado, sent, world.worker, world.now)
    assert (await owed(world, case))["lado"].row.sent_at == told_at


# --- the police -----------------------------------------------------------------------------------


async def test_an_interview_tomorrow_at_nine_and_nobody_is_confirmed(world: World) -> None:
    case = await accused(world)
    await leap(world, hours=(datetime(2026, 11, 3, 22, 0, tzinfo=UTC) - world.now) / HOUR)
    await settle_notices(world, case)
    heard = len(world.texts_to(WORKER_PHONE))
    nine = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
    asked = interviews.Asked("Carol Ashby", "voluntary", nine, "Harlow", needs="A hearing loop")
    row = await do(world, interviews.record, case, asked, world.worker, world.now)
    assert isinstance(row, PoliceInterview)
    assert len(world.texts_to(WORKER_PHONE)) > heard  # eleven hours before is too near to wait
    await world.forward(minutes=40)
    assert world.texts_to(LEAD_PHONE)  # nobody took it: it climbs
    assert "Carol" not in "".join(world.texts_to(LEAD_PHONE))
    alerts = [one for one in await world.all(Alert) if isinstance(one, Alert)]
    assert sum(one.key.startswith("interview:") for one in alerts) == 1
    # four hours before, one hour before: nobody confirmed yet
    await leap(world, hours=(nine - timedelta(minutes=30) - world.now) / HOUR)
    standing = [one for one in await open_alerts(world) if one.kind == "warning"]
    assert len(standing) == 1
    name = "Marsh and Daughters"
    await do(world, interviews.solicitor_asked, case, row.id, name, world.worker, world.now)
    assert await open_alerts(world)  # asked is not confirmed
    await do(world, interviews.solicitor_confirmed, case, row.id, world.worker, world.now)
    assert not await open_alerts(world)
    heard = len(world.texts_to(WORKER_PHONE))
    await leap(world, hours=3)
    assert len(world.texts_to(WORKER_PHONE)) == heard
    await do(world, interviews.attended, case, row.id, True, world.worker, world.now)
    assert (await world.deadlines(CARER))["solicitor"].met_at < nine


async def test_another_hour_asks_anew_and_an_arrest_waits_for_no_hour(world: World) -> None:
    case = await accused(world)
    await settle_notices(world, case)
    later = world.now + timedelta(days=5)
    asked = interviews.Asked("Carol", "voluntary", later)
    row = await do(world, interviews.record, case, asked, world.worker, world.now)
    assert isinstance(row, PoliceInterview)
    assert not await open_alerts(world)  # five days are time enough
    await do(world, interviews.solicitor_asked, case, row.id, "Marsh", world.worker, world.now)
    await do(world, interviews.solicitor_confirmed, case, row.id, world.worker, world.now)
    sooner = world.now + timedelta(hours=20)
    await do(world, interviews.set_time, case, row.id, sooner, world.worker, world.now)
    assert len(await open_alerts(world)) == 1  # they said yes to another hour
    await do(world, interviews.call_off, case, row.id, world.worker, world.now)
    assert not await open_alerts(world)
    arrest = interviews.Asked("Colin", "arrest")
    row = await do(world, interviews.record, case, arrest, world.worker, world.now)
    assert isinstance(row, PoliceInterview)
    assert len(await open_alerts(world)) == 1
    for name in ("Marsh", "Fenn and Partners"):  # the first says yes and then cannot come
        await do(world, interviews.solicitor_asked, case, row.id, name, world.worker, world.now)
        assert len(await open_alerts(world)) == 1
        await do(world, interviews.solicitor_confirmed, case, row.id, world.worker, world.now)
        assert not await open_alerts(world)
        await leap(world, hours=0.1)


async def test_an_hour_that_nobody_knows_is_found_out(world: World) -> None:
    case = await accused(world)
    await settle_notices(world, case)
    asked = interviews.Asked("Carol", "voluntary")
    row = await do(world, interviews.record, case, asked, world.worker, world.now)
    assert isinstance(row, PoliceInterview)
    assert not await open_alerts(world)
    await leap(world, hours=4.1)
    (alert,) = await open_alerts(world)
    assert alert.rungs.startswith("worker,on_call")
    await do(world, interviews.solicitor_asked, case, row.id, "Marsh", world.worker, world.now)
    await do(world, interviews.solicitor_confirmed, case, row.id, world.worker, world.now)
    await do(world, interviews.solicitor_asked, case, row.id, "Fenn", world.worker, world.now)
    assert len(await open_alerts(world)) == 1  # the hour is still not known
    await leap(world, hours=8)
    assert "breach" in {one.kind for one in await open_alerts(world)}
    nine = world.now + timedelta(days=3)
    await do(world, interviews.set_time, case, row.id, nine, world.worker, world.now)
    assert not await open_alerts(world)
    due = await world.deadlines(CARER)
    assert due["interview_time"].met_at == world.now and due["solicitor"].due_at == nine


def test_an_interview_that_is_over_wants_no_hour_any_more() -> None:
    one = PoliceInterview(
        contract="essex", case_id=1, who="Carol", kind="arrest", recorded_at=CHRISTMAS_EVE
    )
    empty: dict[str, object] = {field.name: () for field in fields(agenda.Agenda)}
    page = agenda.Agenda(**empty | {"interviews": [one], "money": {}})  # type: ignore[arg-type]  # by name
    assert "interview_time" in {due.kind for due in page.dues}
    one.has_attended = True
    assert "interview_time" not in {due.kind for due in page.dues}


# --- earlier ones ---------------------------------------------------------------------------------


async def test_the_third_allegation_in_two_years_is_seen_with_dates_and_tracks_only(
    world: World,
) -> None:
    case = await accused(world)
    me = world.lead
    stale = world.now - timedelta(days=600)
    async with world.house.db.write() as session:
        here = await session.get(Case, case.id)
        assert here is not None
        # an old record of hers, joined since; one under another contract with her number; her son
        old = await person(session, "essex", "Carol A", stale)
        session.add(
            Merge(
                contract="essex",
                into_id=here.person_id,
                from_id=old,
                reason="same",
                moved={},
                at=stale,
                by_user_id=me.user_id,
            )
        )
        there = await person(session, "elsewhere", "C Ashby", stale)
        index = ring().index("address:sms", CARER)
        session.add(
            Address(
                person_id=there,
                contract="elsewhere",
                channel="sms",
                value=CARER,
                value_index=index,
            )
        )
        stranger = await person(session, "essex", "Carol Ashby", stale)  # a name proves nothing
        for number, (whose, contract, days) in enumerate(
            [(old, "essex", 600), (there, "elsewhere", 300), (stranger, "essex", 100)]
        ):
            await earlier_case(session, world, whose, contract, number, days)
    seen = await known_about(world, case, me)
    assert [(one.track, one.is_elsewhere) for one in seen] == [
        ("standards", False),
        ("standards", True),
        ("allegation", False),
    ]
    repeat = duties.repeat_of(seen, world.now.date())
    assert repeat is not None
    assert duties.said_of(repeat) == "Third in two years"
    # whoever works for one council only sees hers; whoever is shut out of a case sees it not here
    bound = replace(me, contract="essex")
    assert len(await known_about(world, case, bound)) == 2
    async with world.house.db.write() as session:
        first = await session.scalar(select(Case).where(col(Case.person_id) == old))
        assert first is not None
        await conflicts.declare(session, first, me.user_id, "A neighbour", me, world.now)
    assert [one.is_elsewhere for one in await known_about(world, case, me)] == [True, False]


async def known_about(world: World, case: Case, actor: Actor) -> list[duties.Earlier]:
    async with world.house.db.read() as session:
        return await repeats.about(session, actor, case.person_id, case.contract, case.id or 0)


async def person(session: AsyncSession, contract: str, name: str, at: datetime) -> int:
    row = Person(contract=contract, name=name, created_at=at)
    session.add(row)
    await session.flush()
    return row.id or 0


async def earlier_case(
    session: AsyncSession, world: World, whose: int, contract: str, number: int, days: int
) -> None:
    at = world.now - timedelta(days=days)
    case = Case(
        reference=f"OLD-{number}{number}{number}{number}AB",
        contract=contract,
        person_id=whose,
        method="telephone",
        opened_at=at,
    )
    session.add(case)
    await session.flush()
    session.add(
        Allegation(
            contract=contract,
            case_id=case.id or 0,
            person_id=whose,
            track="standards",
            told_at=at,
            aware_at=at,
            recorded_at=at,
        )
    )
    await session.flush()


# --- twenty-eight days ----------------------------------------------------------------------------


async def test_resignation_and_appeal_keep_their_days_over_the_clock_change(
    world_at_autumn: World,
) -> None:
    world = world_at_autumn  # Saturday 24 October 2026, the clocks go back in the night
    case = await accused(world)
    await settle_notices(world, case)
    today = date(2026, 10, 24)
    told = (case, "resignation", "Carol", today, world.worker, world.now)
    with pytest.raises(InvalidInput, match="cannot be taken back"):
        await do(world, approvals.record, *told)
    left = await do(world, approvals.record, *told, warned=True)
    proposed = await do(
        world, approvals.record, case, "determination", "Colin", today, world.worker, world.now
    )
    assert isinstance(left, ApprovalStep)
    assert isinstance(proposed, ApprovalStep)
    ends = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)  # winter time: not 22:59:59
    due = await world.deadlines(CARER)
    assert (due["resignation"].due_at, due["appeal"].due_at) == (ends, ends)
    # a fortnight before the end somebody is asked about the appeal
    await leap(world, hours=24 * 14 + 8)
    assert any(one.kind == "warning" for one in await open_alerts(world))
    await do(world, approvals.choose, case, proposed.id, "irm", world.worker, world.now)
    with pytest.raises(Conflict, match="one or the other"):
        await do(
            world, approvals.choose, case, proposed.id, "representations", world.worker, world.now
        )
    with pytest.raises(InvalidInput, match="before then"):
        await do(world, approvals.in_force, case, left.id, world.worker, world.now)
    await leap(world, hours=24 * 14)
    await do(world, approvals.in_force, case, left.id, world.worker, world.now)
    assert not await open_alerts(world)


async def test_after_it_is_over_somebody_asks_how_they_are_even_on_a_closed_case(
    world: World,
) -> None:
    case = await accused(world)
    await settle_notices(world, case)
    over = date(2026, 11, 3)
    await do(world, approvals.begin_aftercare, case, over, world.worker, world.now)
    await world.close(CARER)
    await leap(world, hours=24 * 43)
    first, second = await aftercare(world, case)
    assert first.due_at.date() == date(2026, 12, 15)
    assert any(one.deadline_id == first.id for one in await open_alerts(world))
    await do(world, approvals.aftercare_given, case, first.id, world.worker, world.now)
    assert second.due_at.date() == date(2027, 5, 4)  # 3 May is a bank holiday
    assert not await open_alerts(world)


async def test_no_answer_ends_with_the_director_and_a_child_waits_for_the_investigators(
    world: World,
) -> None:
    case = await accused(world)
    lado = (await owed(world, case))["lado"].row.id
    sent = notices.Sent("form", "duty LADO", "", world.now, said=(COPY, "Carol", "Child A is"))
    await do(world, notices.send, case, lado, sent, world.worker, world.now)
    for step in (1, 2, 3):
        waiting = (await owed(world, case))["lado"].waiting
        assert waiting is not None
        assert (waiting[0].step, waiting[0].is_last) == (step, step == 3)
        asked = ("letter", "Nobody has answered", world.worker, world.now)
        await do(world, answers.chase, case, lado, *asked)
    assert (await owed(world, case))["lado"].waiting is None
    child = await do(
        world,
        parts.write_down,
        case,
        "Child of theirs",
        "own_child",
        PartRole.OWN_CHILD,
        world.worker,
        world.now,
    )
    assert isinstance(child, Part)
    refer = (child.person_id, "referred")
    with pytest.raises(InvalidInput, match="investigating team"):
        await do(world, cover.offer, case, *refer, "", world.worker, world.now)
    await do(world, cover.offer, case, *refer, "DC Bell", world.worker, world.now)


async def test_a_child_of_the_household_is_one_whatever_their_part_is_called(
    one_world: World,
) -> None:
    world = one_world
    case = await accused(world)
    named = ("Child of theirs", "own_child", PartRole.HOUSEHOLD, world.worker, world.now)
    child = await do(world, parts.write_down, case, *named)
    assert isinstance(child, Part)
    refer = (child.person_id, "referred", "")
    with pytest.raises(InvalidInput, match="investigating team"):
        await do(world, cover.offer, case, *refer, world.worker, world.now)


# --- what they stand on ---------------------------------------------------------------------------


async def leap(world: World, hours: float) -> None:
    """A long time passes in which nothing that matters here is watched minute by minute."""
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(timedelta(hours=hours))
    await world.settle()


async def settle_notices(world: World, case: Case) -> None:
    """Everybody was told: what follows is about something else."""
    sefa = Actor(world.lead.user_id, "Leonie", Role.SAFEGUARDING, None)
    for one in (await owed(world, case)).values():
        await do(world, notices.withhold, case, one.row.id, "Told by others", sefa, world.now)
    async with world.house.db.write() as session:
        for alert in await session.scalars(select(Alert).where(col(Alert.ended_at).is_(None))):
            alert.ended_at, alert.next_rung_at = world.now, None


async def open_alerts(world: World) -> list[Alert]:
    rows = await world.all(Alert, Alert.ended_at.is_(None))
    return [one for one in rows if isinstance(one, Alert)]


async def aftercare(world: World, case: Case) -> list[Deadline]:
    async with world.house.db.read() as session:
        return list(await approvals.aftercare(session, case.id or 0))
