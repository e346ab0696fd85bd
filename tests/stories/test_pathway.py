"""The first day of an allegation, and what it may become, as promises: the safeguarding lead hears
at once, what is owed runs whatever the calendar, and nothing is decided by us."""

from datetime import UTC, datetime, timedelta

import pytest

from helpline.clock import MovableClock
from helpline.desk import allegations, cases, firstday, pathway
from helpline.errors import Conflict, InvalidInput
from helpline.models import Alert, Allegation, AllegationTrack, Case, Deadline, KindChange, Page
from helpline.rules.permissions import Actor
from helpline.vocabulary import AlertKind, CaseKind, Role, Track
from tests.world import CARER, World, opened_world

CHRISTMAS = datetime(2026, 12, 25, 21, 40, tzinfo=UTC)  # a Friday; the 28th is a bank holiday too
SEFA_PHONE = "+447700900907"


async def told(world: World, by: Actor, case: Case | None = None, **more: object) -> int:
    """Somebody of ours writes down what they were told about the carer of the case."""
    async with world.house.db.write() as session:
        reference = (case or await world.case_of(CARER)).reference
        found = await cases.find_case(session, by, reference)
        values = {"person_id": found.person_id, "told_at": world.now, "told_by": "Carol Ashby"}
        said = allegations.Told(**(values | more))  # type: ignore[arg-type]
        contract = world.house.contracts["essex"]
        made = await allegations.record(session, contract, found, said, by, world.now)
    await world.settle()
    return made.id or 0


async def owed(world: World, stops: str) -> list[Deadline]:
    case = await world.case_of(CARER)
    found = await world.all(Deadline, Deadline.case_id == case.id, Deadline.stops == stops)
    return [row for row in found if isinstance(row, Deadline)]


async def test_the_first_day_of_an_allegation_on_christmas_night(database_url: str) -> None:
    """She texts at twenty to ten on Christmas Day. Nobody's office is open until the 29th."""
    async with opened_world(database_url, CHRISTMAS) as world:
        sefa = await world.hire("Sefa", Role.SAFEGUARDING, SEFA_PHONE)
        contract = world.house.contracts["essex"]
        await world.sms(CARER, "they say I hit him and they have taken him away")
        assert "You don't need to tell me what happened." in world.texts_to(CARER)[0]
        await world.forward(minutes=12)
        entry = await told(world, world.duty, track=Track.UNKNOWN, words="That she hit child A")

        # The safeguarding lead hears in that minute, and nothing of it is on the screen.
        (asked,) = world.texts_to(SEFA_PHONE)
        case = await world.case_of(CARER)
        assert case.reference in asked
        assert "allegation" not in asked.lower()
        assert case.kind == CaseKind.ALLEGATION
        await world.sms(SEFA_PHONE, asked.split("Reply ")[1][:4])
        assert world.texts_to(SEFA_PHONE)[-1] == f"You have {case.reference}."

        # The first hours stand there with their times; what is late stands first.
        await world.forward(minutes=63)
        async with world.house.db.write() as session:
            found = await cases.find_case(session, world.duty, case.reference)
            (one,) = await allegations.of_case(session, found.id or 0)
            for item in ("safe_now", "safe_contact", "ring_back"):
                await firstday.tick(session, contract, found, entry, item, world.duty, world.now)
            ticks = await firstday.ticks_of(session, entry)
            lines = firstday.lines(contract, one, case.group, ticks, world.now)
        assert [line.to_do.code for line in lines if line.place == "overdue"] == [
            *("police_there", "interview_time", "ask_solicitor", "risk_to_self"),
        ]
        assert ticks["ring_back"].name == "Dilys"

        # A person answers and one is named: 24 hours run through the holidays.
        async with world.house.db.write() as session:
            found = await cases.find_case(session, world.duty, case.reference)
            text = firstday.message(contract, world.house.wording, "en")
            await firstday.send(session, contract, found, text, world.duty, world.now)
        await world.settle()
        await world.allocate(CARER, world.worker)
        met = await world.deadlines(CARER)
        assert met["first_response"].met_at is not None
        assert met["allocation"].met_at is not None
        assert "What helps now" in world.texts_to(CARER)[-2]

        # One working day after Christmas Day at night is Tuesday the 29th.
        (lado,) = await owed(world, "lado_notice")
        assert lado.started_at == one.aware_at
        assert lado.due_at.date() == datetime(2026, 12, 29, tzinfo=UTC).date()

        # By the next evening a stage is known, by whom it was said, and what usually follows.
        assert isinstance(world.clock, MovableClock)
        world.clock.forward(timedelta(hours=22))
        async with world.house.db.write() as session:
            found = await cases.find_case(session, world.worker, case.reference)
            on = datetime(2026, 12, 25, tzinfo=UTC).date()
            await pathway.set_stage(
                session, contract, found, entry, "reported", "reached", on, "EDS", sefa, world.now
            )
            faces = await pathway.line_of(session, contract, one, case.group)
        assert [(face.stage.code, face.place) for face in faces[:3]] == [
            *(("reported", "here"), ("lado", "next"), ("strategy", "later")),
        ]
        assert faces[1].usual_by == datetime(2026, 12, 29, tzinfo=UTC).date()


async def test_a_concern_about_care_that_becomes_an_allegation(world: World) -> None:
    """At first it is about house rules. Three weeks later somebody says it is more."""
    await world.hire("Sefa", Role.SAFEGUARDING, SEFA_PHONE)
    contract = world.house.contracts["essex"]
    await world.sms(CARER, "they are not happy with how I keep the logs")
    entry = await told(world, world.worker, track=Track.STANDARDS, track_said_by="Ms Ode")
    assert (await world.case_of(CARER)).kind == CaseKind.STANDARDS
    assert await owed(world, "lado_notice") == []
    assert world.texts_to(SEFA_PHONE) == []

    await world.allocate(CARER, world.worker)
    await world.reply(CARER, "I am with you in this.")
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(timedelta(days=21))
    said_at = world.now - timedelta(minutes=30)
    why = "Child A now says she was locked in"
    async with world.house.db.write() as session:
        found = await cases.find_case(session, world.worker, (await world.case_of(CARER)).reference)
        arguments = (session, contract, found, entry)
        with pytest.raises(InvalidInput, match="Say who told you"):
            await allegations.move(
                *arguments, "allegation", "", said_at, why, world.worker, world.now
            )
        with pytest.raises(Conflict, match="that already"):
            await allegations.move(
                *arguments, "standards", "Ms Ode", said_at, why, world.worker, world.now
            )
        await allegations.move(
            *arguments, "allegation", "Ms Ode", said_at, why, world.worker, world.now
        )
    await world.settle()

    assert (await world.case_of(CARER)).kind == CaseKind.ALLEGATION
    assert len(world.texts_to(SEFA_PHONE)) == 1
    (lado,) = await owed(world, "lado_notice")
    assert lado.started_at == said_at
    history = await world.all(AllegationTrack)
    assert [(row.track, row.said_by) for row in history] == [  # type: ignore[attr-defined]
        *(("standards", "Ms Ode"), ("allegation", "Ms Ode")),
    ]
    changes = [row.after for row in await world.all(KindChange)]  # type: ignore[attr-defined]
    assert changes[-2:] == ["standards", "allegation"]

    # And back: nothing is cancelled by itself, because somebody decides about each notice.
    async with world.house.db.write() as session:
        found = await cases.find_case(session, world.worker, (await world.case_of(CARER)).reference)
        await allegations.move(
            *(session, contract, found, entry, "standards", "The LADO", world.now),
            *("No threshold met", world.worker, world.now),
        )
    (lado,) = await owed(world, "lado_notice")
    assert lado.state == "open"


async def test_the_button_pressed_twice_writes_it_down_once(world: World) -> None:
    await world.sms(CARER, "they say I hit him")
    first = await told(world, world.worker, words="That she hit child A")
    assert await told(world, world.worker, words="That she hit child A") == first
    await world.forward(minutes=5)
    await told(world, world.worker, words="And that she shouted")
    assert await world.count(Allegation) == 2
    asked = await world.all(Alert, Alert.kind == AlertKind.ALLEGATION)
    assert len(asked) == 2
    # Where nobody is the safeguarding lead, the team lead is asked.
    pages = await world.all(Page, Page.alert_id == asked[0].id)  # type: ignore[attr-defined]
    assert {page.user_id for page in pages} == {world.lead.user_id}  # type: ignore[attr-defined]


async def test_it_is_about_somebody_of_the_case_and_never_in_the_future(world: World) -> None:
    await world.sms(CARER, "they say I hit him")
    await world.member("Jo Pell", "FC2002")
    stranger = await world.member("Somebody Else", "FC2003")
    with pytest.raises(InvalidInput, match="Choose whom it is about"):
        await told(world, world.worker, person_id=stranger)
    with pytest.raises(InvalidInput, match="still to come"):
        await told(world, world.worker, told_at=world.now + timedelta(hours=1))
    assert await world.count(Allegation) == 0
