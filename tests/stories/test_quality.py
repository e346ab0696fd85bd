"""Before a report is signed a lead puts right what is wanting, what changes most figures first; and
every figure opens onto what it counts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from helpline.clock import MovableClock
from helpline.desk import completing, membership, quality, releasing
from helpline.desk.quality import Quality
from helpline.errors import Conflict
from helpline.models import Case, Complaint, Contact, Note
from helpline.models import Conflict as Shut
from helpline.reports import figures, frozen
from helpline.rules.periods import period
from helpline.rules.permissions import Actor
from tests.world import CARER, STRANGER, World

LABEL = "2026-27-Q2"


async def of(world: World, by: Actor | None = None, only: str = "", first: int = 0) -> Quality:
    contract = world.house.contracts["essex"]
    span = period(LABEL, contract.year_starts_month)
    async with world.house.db.read() as session:
        return await quality.of_period(
            *(session, contract, "quarter", span, by or world.lead, world.now),
            only=only,
            first=first,
        )


async def test_who_nobody_knows_comes_first_and_is_gone_when_it_is_written_down(
    world: World,
) -> None:
    await world.sms(CARER, "Please ring me")
    await world.sms(STRANGER, "Please ring me")
    stranger = await world.case_of(STRANGER)
    found = await of(world)
    first = found.cases[0]
    assert first.reference == stranger.reference
    assert {"group", "quadrant", "person", "in_time"} <= set(first.wants)
    to_do = [one.tables for one in found.wants if one.code not in quality.PASSING]
    assert to_do == sorted(to_do, reverse=True)
    assert found.wants[-1].code == "in_time"  # however much it changes: nobody puts it right
    assert {one.code: one.cases for one in found.wants}["in_time"] == 2
    contract = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        case = await session.get(Case, stranger.id)
        assert case is not None
        said = membership.Said(group="foster_carer", quadrant="north")
        await membership.note_facts(session, contract, case, said, world.lead, world.now)
    after = await of(world)
    assert not {"group", "quadrant"} & {one.code for one in after.wants}
    assert not (await of(world, only="quadrant")).cases


async def test_a_promise_that_waits_is_named_until_somebody_answers(world: World) -> None:
    await world.sms(CARER, "Please ring me")
    assert isinstance(world.clock, MovableClock)
    world.clock.forward(timedelta(hours=30))
    assert [one.cases for one in (await of(world)).wants if one.code == "waiting"] == [1]
    await world.allocate(CARER, world.worker)
    await world.reply(CARER, "I am here now")
    assert "waiting" not in {one.code for one in (await of(world)).wants}


async def test_what_is_closed_and_says_nothing_is_listed_and_what_came_late_too(
    world: World,
) -> None:
    await world.sms(CARER, "Please ring me")
    await world.reply(CARER, "I am here")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        await session.execute(
            update(Case)
            .where(Case.id == case.id)  # type: ignore[arg-type]
            .values(status="closed", closed_at=world.now, outcome=None)
        )
        session.add(
            Note(
                case_id=case.id or 0,
                kind="fact",
                body="x",
                happened_at=world.now,
                written_at=world.now + timedelta(days=9),
                by_user_id=world.worker.user_id,
            )
        )
        session.add(
            Contact(
                contract="essex",
                case_id=case.id or 0,
                person_id=case.person_id,
                direction="in",
                kind="call",
                channel="voice",
                method="telephone",
                at=world.now,
                written_at=world.now + timedelta(days=100),
            )
        )
    found = await of(world)
    assert {"support", "outcome", "late", "later"} <= set(found.cases[0].wants)
    last = found.cases[0].wants[-1]
    assert last == "late"  # it changes no figure


async def test_how_somebody_reached_us_is_wanting_on_the_case_and_on_each_contact(
    world: World,
) -> None:
    await world.sms(CARER, "Please ring me")
    assert not (await of(world, only="method")).cases
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        row = update(Contact).where(Contact.case_id == case.id)  # type: ignore[arg-type]
        await session.execute(row.values(method="by pigeon"))
    found = await of(world, only="method")
    assert [one.reference for one in found.cases] == [case.reference]
    assert next(one.tables for one in found.wants if one.code == "method") > 0
    assert "method" not in quality.PASSING
    contract = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        wanting = await session.get(Case, case.id)
        assert wanting is not None
        said = ("telephone", world.worker, world.now)
        await completing.say_method(session, contract, wanting, *said)
    assert not (await of(world, only="method")).cases


async def test_what_the_figures_do_not_count_is_not_named_either(world: World) -> None:
    """An answer to our question sought no support; who is out of the contract is in no figure."""
    await world.sms(CARER, "Please ring me")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        session.add(
            Note(
                case_id=case.id or 0,
                kind="fact",
                body="x",
                happened_at=world.now,
                written_at=world.now + timedelta(days=9),
                by_user_id=world.worker.user_id,
            )
        )
        for what, kind in (("feedback", "message"), (None, "call")):
            session.add(
                Contact(
                    contract="essex",
                    case_id=case.id or 0,
                    person_id=case.person_id,
                    direction="in",
                    kind=kind,
                    what=what or "text",
                    channel="sms",
                    method="text",
                    at=world.now,
                    written_at=world.now + timedelta(days=100 if what else 9),
                )
            )
    wants = {one.code for one in (await of(world)).wants}
    assert "late" in wants
    assert "later" not in wants
    async with world.house.db.write() as session:
        changed = update(Case).where(Case.id == case.id).values(eligibility="out")  # type: ignore[arg-type]
        await session.execute(changed)
    assert "late" not in {one.code for one in (await of(world)).wants}


async def test_a_case_that_is_not_yours_to_see_is_counted_and_not_listed(world: World) -> None:
    await world.sms(STRANGER, "Please ring me")
    case = await world.case_of(STRANGER)
    whole = await of(world)
    async with world.house.db.write() as session:
        session.add(
            Shut(
                case_id=case.id or 0,
                user_id=world.lead.user_id,
                why="x",
                since=world.now,
                kind="declared",
            )
        )
    found = await of(world)
    assert (found.number, found.unseen, len(found.cases)) == (1, 1, 0)
    assert [one.cases for one in found.wants] == [one.cases for one in whole.wants]


async def test_an_answered_complaint_says_what_was_found_and_done(world: World) -> None:
    async with world.house.db.write() as session:
        session.add(
            Complaint(
                reference="C-1",
                contract="essex",
                kind="service",
                subject="delay",
                complainant="carer",
                method="text",
                words="x",
                received_at=world.now,
                logged_at=world.now,
                stage_since=world.now,
                answered_at=world.now,
            )
        )
    assert (await of(world)).complaints == 1


async def test_a_report_with_a_figure_that_nothing_explains_is_not_checked(world: World) -> None:
    essex = world.house.contracts["essex"]
    asked = essex.report("quarter")  # the whole one has thirty thousand cells
    line = asked.lines[0].model_copy(update={"measures": ("contacts",), "by": ((),)})
    contract = essex.model_copy(update={"reports": (asked.model_copy(update={"lines": (line,)}),)})
    async with world.house.db.write() as session:
        draft = await releasing.draw_up(
            session, contract, "quarter", "2026-27-Q1", world.lead, world.now
        )
    async with world.house.db.read() as session:
        counted = await releasing.to_check(session, contract, draft, world.now)
        span = contract.period("2026-27-Q1")
        exact = await figures.counted(session, contract, span, world.now, "quarter")
    cells = [
        replace(cell, value=4) if cell.key == ("contacts", ()) else cell for cell in exact.cells
    ]
    wrong = releasing.counted_of(replace(exact, cells=tuple(cells)), exact)
    for these, said in ((wrong, "do not add up"), (counted, "")):
        async with world.house.db.write() as session:
            act = releasing.check(session, contract, draft.id or 0, these, world.lead, world.now)
            if said:
                with pytest.raises(Conflict, match=said):
                    await act
            else:
                await act
    async with world.house.db.read() as session:
        stands = await frozen.standing(session, contract, "2026-27-Q1", ("contacts", ()))
        nowhere = await frozen.standing(session, contract, "2026-27-Q2", ("contacts", ()))
    assert stands is not None
    assert (stands[0].id, stands[1].value) == (draft.id, 0)
    assert nowhere is None
