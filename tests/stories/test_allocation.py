"""Whose case it is, as promises: named, accepted, declined, undone, covered, and never somebody who
must not work on it."""

from datetime import timedelta

import pytest
from sqlmodel import col

from helpline.desk import allocation, cases, conflicts, covers, waiting
from helpline.desk.rota import plan
from helpline.errors import Conflict, InvalidInput, NotAllowed, NotFound
from helpline.models import Absence, Alert, Case, Contact, Deadline, Note, Page
from helpline.rules.permissions import Actor
from helpline.vocabulary import AbsenceKind, Role
from tests.world import CARER, STRANGER, World

QUESTION = "can I claim council tax reduction"


async def of(world: World, session: object, number: str = CARER) -> Case:
    reference = (await world.case_of(number)).reference
    return await cases.find_case(session, world.lead, reference)  # type: ignore[arg-type]


async def name(world: World, who: Actor, **kind: object) -> int:
    """Leonie names somebody; the id of the allocation."""
    by = kind.pop("by", world.lead)
    async with world.house.db.write() as session:
        found = await cases.allocate(
            session,
            world.house.contracts["essex"],
            await of(world, session),
            who.user_id,
            by,  # type: ignore[arg-type]
            world.now,
            wording=world.house.wording,
            **kind,  # type: ignore[arg-type]
        )
    return found.id if found and found.id else 0


async def decline(world: World, who: Actor, why: str = "I am full until Friday") -> None:
    async with world.house.db.write() as session:
        await allocation.decline(session, await of(world, session), why, who, world.now)
    await world.settle()


async def conflict(world: World, who: Actor) -> None:
    async with world.house.db.write() as session:
        case = await of(world, session)
        await conflicts.declare(session, case, who.user_id, "my neighbour", who, world.now)


async def away(world: World, who: Actor, days: float = 7) -> int:
    async with world.house.db.write() as session:
        return await plan.note_absence(
            session,
            list(world.house.contracts.values()),
            who.user_id,
            AbsenceKind.HOLIDAY,
            world.now,
            world.now + timedelta(days=days),
            world.lead.user_id,
            world.now,
        )


async def board(world: World, by: Actor | None = None) -> waiting.Board:
    async with world.house.db.read() as session:
        return await waiting.board(session, world.house.contracts, by or world.lead, world.now)


async def whys(world: World) -> list[str]:
    return [row.why.value for row in (await board(world)).rows]


# --- accept and decline --------------------------------------------------------------------------


async def test_who_is_named_by_a_lead_is_asked_and_the_promise_is_kept_at_once(
    world: World,
) -> None:
    await world.sms(CARER, QUESTION)
    assert await whys(world) == ["nobody"]
    await name(world, world.worker)
    assert (await world.deadlines(CARER))["allocation"].met_at == world.now
    async with world.house.db.read() as session:
        (asked,) = await allocation.waiting_for(session, world.worker.user_id)
        assert asked.namer == "Leonie"
    async with world.house.db.write() as session:
        await allocation.accept(session, await of(world, session), world.worker, world.now)
        assert not await allocation.waiting_for(session, world.worker.user_id)
    assert "allocation.accepted" in await world.events(CARER)
    assert await whys(world) == []


async def test_answering_the_person_accepts_without_another_click(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker)
    await world.reply(CARER, "Yes, you can.")
    async with world.house.db.read() as session:
        assert not await allocation.waiting_for(session, world.worker.user_id)
    with pytest.raises(Conflict):
        await decline(world, world.worker)


async def test_who_takes_a_case_has_accepted_it(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker, by=world.worker)
    async with world.house.db.read() as session:
        assert not await allocation.waiting_for(session, world.worker.user_id)


async def test_declined_with_nobody_left_the_promise_is_open_again_with_its_old_time(
    world: World,
) -> None:
    await world.sms(CARER, QUESTION)
    before = (await world.deadlines(CARER))["allocation"]
    await world.forward(hours=2)
    await name(world, world.worker)
    await world.forward(hours=1)
    await decline(world, world.worker)
    after = (await world.deadlines(CARER))["allocation"]
    assert (after.id, after.started_at, after.due_at) == (
        before.id,
        before.started_at,
        before.due_at,
    )
    assert (after.state, after.met_at) == ("open", None)
    case = await world.case_of(CARER)
    assert (case.worker_id, case.allocated_at) == (None, None)
    (row,) = (await board(world)).rows
    assert (row.why, row.declined_by, row.declined_why) == (
        "declined",
        "Wasim",
        "I am full until Friday",
    )
    assert world.worker.user_id not in {one.worker_id for one in row.proposals}
    await world.later(hours=24)
    assert "deadline.missed" in await world.events(CARER)  # it goes on warning


async def test_declined_after_a_reallocation_it_is_the_first_ones_again_and_no_clock_opens(
    world: World,
) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker)
    met = (await world.deadlines(CARER))["allocation"].met_at
    await world.forward(hours=3)
    await name(world, world.duty)
    assert (await world.deadlines(CARER))["allocation"].met_at == met
    await decline(world, world.duty)
    case = await world.case_of(CARER)
    assert case.worker_id == world.worker.user_id
    assert (await world.deadlines(CARER))["allocation"].met_at == met
    assert await whys(world) == ["declined"]
    await name(world, world.worker)  # the lead leaves it as it is
    assert await whys(world) == []


async def test_declining_needs_a_reason_and_somebody_who_was_asked(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker)
    with pytest.raises(InvalidInput, match="why you decline"):
        await decline(world, world.worker, "  ")
    with pytest.raises(Conflict):
        await decline(world, world.duty)
    assert len(await world.all(Deadline)) == 2


# --- undo ----------------------------------------------------------------------------------------


async def test_undone_at_once_nobody_hears_the_name(world: World) -> None:
    await world.sms(CARER, QUESTION)
    heard = len(world.texts_to(CARER))
    said = await world.all(Contact)
    made = await name(world, world.worker, tell_at=world.now + timedelta(minutes=1))
    await world.settle()
    assert len(world.texts_to(CARER)) == heard
    async with world.house.db.write() as session:
        await allocation.undo(session, await of(world, session), made, world.lead, world.now)
    await world.forward(minutes=5)
    assert len(world.texts_to(CARER)) == heard
    assert len(await world.all(Contact)) == len(said)
    assert (await world.deadlines(CARER))["allocation"].state == "open"
    assert await whys(world) == ["nobody"]


async def test_what_is_not_undone_is_told_a_minute_later(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker, tell_at=world.now + timedelta(minutes=1))
    await world.forward(minutes=2)
    assert "Your support worker is Wasim" in world.texts_to(CARER)[-1]


async def test_too_late_to_undo(world: World) -> None:
    await world.sms(CARER, QUESTION)
    made = await name(world, world.worker)
    for minutes, by in ((0, world.worker), (11, world.lead)):
        await world.forward(minutes=minutes)
        async with world.house.db.write() as session:
            case = await of(world, session)
            with pytest.raises(Exception, match=r"nothing to undo|too long ago"):
                await allocation.undo(session, case, made, by, world.now)


# --- conflict and absence ------------------------------------------------------------------------


async def test_nobody_in_conflict_can_be_named_or_names_or_is_proposed(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await conflict(world, world.worker)
    with pytest.raises(Conflict, match="Wasim must not work on this case"):
        await name(world, world.worker)
    with pytest.raises(Conflict, match="You must not"):
        await name(world, world.worker, by=world.worker)
    (row,) = (await board(world)).rows
    named = {one.worker_id for one in row.proposals} | {user_id for user_id, _ in row.others}
    assert world.worker.user_id not in named
    assert world.duty.user_id in named


async def test_a_lead_in_conflict_neither_sees_nor_names(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await conflict(world, world.lead)
    found = await board(world)
    assert (found.rows, found.kept_back) == ([], 1)
    with pytest.raises(NotFound):  # they do not see it at all
        await name(world, world.duty)


async def test_a_worker_in_conflict_with_their_own_case_is_on_the_board(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker)
    await conflict(world, world.worker)
    assert await whys(world) == ["conflict"]


async def test_somebody_away_is_named_only_with_a_reason_that_is_kept(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await away(world, world.worker)
    (row,) = (await board(world)).rows
    assert world.worker.user_id not in {one.worker_id for one in row.proposals}
    with pytest.raises(InvalidInput, match="Wasim is away until"):
        await name(world, world.worker)
    await name(world, world.worker, although_away="He asked for it, he knows her well")
    assert [note.kind for note in await world.all(Note) if isinstance(note, Note)] == ["decision"]


async def test_a_worker_may_not_name_others(world: World) -> None:
    await world.sms(CARER, QUESTION)
    with pytest.raises(NotAllowed):
        await name(world, world.duty, by=world.worker)


# --- cover ---------------------------------------------------------------------------------------


async def stand_in(world: World, who: Actor) -> None:
    async with world.house.db.write() as session:
        case = await of(world, session)
        contract = world.house.contracts[case.contract]
        await covers.begin(session, contract, case, who.user_id, world.lead, world.now)


async def stands_in(world: World) -> int | None:
    async with world.house.db.read() as session:
        return await covers.who_acts(session, await of(world, session), world.now)


async def test_an_absence_hands_over_and_gives_back_by_itself(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker)
    await away(world, world.worker, days=2)
    (row,) = (await board(world)).rows
    assert (row.why, row.worker, row.is_cover) == ("away", "Wasim", True)
    await stand_in(world, world.duty)
    assert await whys(world) == []
    assert await stands_in(world) == world.duty.user_id
    assert (await world.case_of(CARER)).worker_id == world.worker.user_id
    async with world.house.db.read() as session:
        (held,) = await covers.of_worker(session, world.duty.user_id, world.now)
        assert held.for_name == "Wasim"
    await world.later(hours=49)
    assert await stands_in(world) == world.worker.user_id
    assert await whys(world) == []


async def test_back_early_the_case_is_theirs_early(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker)
    absence_id = await away(world, world.worker)
    await stand_in(world, world.duty)
    await world.forward(hours=5)
    async with world.house.db.write() as session:
        absence = await session.get(Absence, absence_id)
        assert absence is not None
        everywhere = list(world.house.contracts.values())
        await plan.end_absence(session, everywhere, absence, world.lead.user_id, world.now)
    assert await stands_in(world) == world.worker.user_id


async def test_who_stands_in_and_goes_away_too_needs_cover_again(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker)
    await away(world, world.worker)
    await stand_in(world, world.duty)
    await away(world, world.duty, days=1)
    assert await whys(world) == ["away"]
    with pytest.raises(Conflict, match="Dilys is away too"):
        await stand_in(world, world.duty)


async def test_nobody_stands_in_for_somebody_who_is_here_nor_against_a_conflict(
    world: World,
) -> None:
    await world.sms(CARER, QUESTION)
    await name(world, world.worker)
    with pytest.raises(Conflict, match="not away"):
        await stand_in(world, world.duty)
    await away(world, world.worker)
    await conflict(world, world.duty)
    with pytest.raises(Conflict, match="Dilys must not"):
        await stand_in(world, world.duty)


# --- the order and the facts ---------------------------------------------------------------------


async def test_the_most_urgent_waits_first_and_who_is_on_call_is_proposed(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await world.forward(hours=1)
    await world.sms(STRANGER, "he says he will kill himself tonight")
    first, second = (await board(world)).rows
    assert (first.urgency, second.urgency) == ("emergency", "standard")
    assert first.proposals[0].name == "Dilys"
    assert first.proposals[0].why.startswith("on call now; ")
    assert second.proposals[0].name != "Dilys"  # the plan counts what it has given out


async def test_whoever_answered_them_before_is_proposed_first(world: World) -> None:
    await world.sms(CARER, QUESTION)
    await world.reply(CARER, "Yes, you can.", by=world.worker)
    (row,) = (await board(world)).rows
    assert row.proposals[0].name == "Wasim"
    assert row.proposals[0].why == "spoke with them today; no open case"


async def test_a_language_and_a_skill_of_the_rota_are_found(world: World) -> None:
    from helpline.models import Person

    await world.sms(CARER, "they say I hit him and there is an allegation")
    amara = await world.hire("Amara", Role.WORKER)
    async with world.house.db.write() as session:
        case = await of(world, session)
        person = await session.get(Person, case.person_id)
        assert person is not None
        person.language, case.reason = "pl", "allegation"
        await plan.set_skills(
            session, amara.user_id, ["allegations"], ["polish"], world.lead.user_id, world.now
        )
    (row,) = (await board(world)).rows
    assert row.proposals[0].name == "Amara"
    assert row.proposals[0].why.startswith("speaks Polish; skilled in allegation")


async def test_a_naming_nobody_answers_is_a_leads_again_after_four_hours(world: World) -> None:
    contract = world.house.contracts["essex"]

    async def chase() -> int:
        async with world.house.db.write() as session:
            return await allocation.chase(session, contract, world.now)

    await world.sms(CARER, QUESTION)
    await name(world, world.worker)
    await world.forward(hours=3)
    assert await chase() == 0
    await world.forward(hours=1)
    assert await chase() == 1
    assert await chase() == 0  # once
    await world.settle()
    (told,) = await world.all(Alert, col(Alert.key).startswith("naming:"))
    assert {page.user_id for page in await world.all(Page, col(Page.alert_id) == told.id)} == {
        world.lead.user_id
    }
    async with world.house.db.write() as session:
        await allocation.accept(session, await of(world, session), world.worker, world.now)
    await chase()
    (told,) = await world.all(Alert, col(Alert.key).startswith("naming:"))
    assert told.ended_at == world.now
