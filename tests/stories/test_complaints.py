"""Somebody is not content with us: it is looked into by somebody who had nothing to do with it, and
whoever it is about never sees it."""

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from helpline import models
from helpline.desk import byhand, cases, complaints, lists, owed, webform
from helpline.desk import complaint_steps as steps
from helpline.desk.complaints import Told
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Alert,
    Case,
    Complaint,
    ComplaintEntry,
    Compliment,
    Contact,
    Deadline,
    Page,
)
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.world import CARER, LEAD_PHONE, STRANGER, World

QUINN_PHONE = "+447700900905"
SEFA_PHONE = "+447700900906"
SAID = "Wasim never rang me back and I was on my own with it"


async def told(world: World, **other: object) -> Complaint:
    """Quinn takes a complaint about Wasim on the telephone."""
    facts: dict[str, object] = {
        "kind": "service",
        "subject": "worker",
        "complainant": "carer",
        "words": SAID,
        "received_at": world.now,
        "method": "telephone",
        "about": (world.worker.user_id,),
    }
    by = other.pop("by", world.quinn)  # type: ignore[attr-defined]
    assert isinstance(by, Actor)
    async with world.house.db.write() as session:
        contract = world.house.contracts["essex"]
        found = Told(**(facts | other))  # type: ignore[arg-type]
        return await complaints.log(session, contract, found, by, world.now)


@pytest.fixture
async def world(world: World) -> World:
    world.quinn = await world.hire("Quinn", Role.COMPLAINTS, QUINN_PHONE)  # type: ignore[attr-defined]
    world.sefa = await world.hire("Sefa", Role.SAFEGUARDING, SEFA_PHONE)  # type: ignore[attr-defined]
    return world


async def test_a_complaint_sent_to_the_helpline_never_reaches_the_worker_it_is_about(
    world: World,
) -> None:
    await world.sms(CARER, "I need some advice about my allowance")
    await world.allocate(CARER, world.worker)
    before = len(world.texts_to("+447700900903"))
    await world.sms(CARER, f"COMPLAINT {SAID}")
    case, own = await world.case_of(CARER), (await world.all(Case))[-1]
    assert isinstance(own, Case)
    assert own.id != case.id
    assert own.reason == "complaint"
    said = await world.all(Contact, Contact.case_id == case.id)
    assert not [one for one in said if SAID in (one.body or "")]  # type: ignore[attr-defined]
    assert "Somebody independent looks into it" in world.texts_to(CARER)[-1]
    assert own.reference in world.texts_to(CARER)[-1]
    (found,) = await world.all(Complaint)
    assert isinstance(found, Complaint)
    assert SAID in found.words
    assert found.handler_id == world.quinn.user_id  # type: ignore[attr-defined]
    async with world.house.db.read() as session:
        from helpline.desk import cases

        with pytest.raises(NotFound):
            await cases.find_case(session, world.worker, own.reference)
        assert (await cases.find_case(session, world.lead, own.reference)).id == own.id
    await world.forward(hours=12.2)  # nobody answers: everybody else is asked, Wasim never
    pages = await world.all(Page)
    alerts = {a.id for a in await world.all(Alert, Alert.case_id == own.id)}  # type: ignore[attr-defined]
    asked = {p.user_id for p in pages if p.alert_id in alerts}  # type: ignore[attr-defined]
    assert asked and world.worker.user_id not in asked
    assert len(world.texts_to("+447700900903")) == before

    await world.sms(CARER, "COMPLAINT and he was rude")
    assert len(await world.all(Complaint)) == 1
    entries = [e.words for e in await world.all(ComplaintEntry)]  # type: ignore[attr-defined]
    assert "COMPLAINT and he was rude" in entries


async def test_whoever_is_only_greeted_or_named_by_mistake_sees_it(one_world: World) -> None:
    world = one_world
    quinn = await world.hire("Quinn", Role.COMPLAINTS, QUINN_PHONE)
    namesake = await world.hire("Carol", Role.LEAD)
    await world.sms(CARER, f"COMPLAINT {SAID}")
    (found,) = await world.all(Complaint)
    assert isinstance(found, Complaint)
    await world.sms(CARER, "COMPLAINT Hi Quinn, thank you for your letter. Carol Ashby")
    await world.sms(CARER, "COMPLAINT Leonie did not ring either")
    own = await world.case_of(CARER)

    async def sees(who: Actor) -> bool:
        async with world.house.db.read() as session:
            try:
                complaint = await complaints.find(session, who, found.reference)
                await cases.find_case(session, who, own.reference)
            except NotFound:
                return False
        return complaint.handler_id == quinn.user_id

    assert await sees(namesake)
    assert not await sees(world.lead)
    async with world.house.db.write() as session:
        complaint = await complaints.find(session, quinn, found.reference)
        assert complaint.handler_id == quinn.user_id
        await steps.name_not_about(session, complaint, world.lead.user_id, quinn, world.now)
    await world.sms(CARER, "COMPLAINT and Leonie still did not")
    assert await sees(world.lead)  # a person said so, and no program says otherwise
    async with world.house.db.write() as session:
        complaint = await complaints.find(session, quinn, found.reference)
        with pytest.raises(InvalidInput, match="said to be about"):
            await steps.name_not_about(session, complaint, world.lead.user_id, quinn, world.now)
        await steps.name_about(session, complaint, world.lead.user_id, quinn, world.now)
    assert not await sees(world.lead)


async def test_a_case_logged_by_the_form_shuts_out_whoever_supports_them(one_world: World) -> None:
    world = one_world
    world.quinn = await world.hire("Quinn", Role.COMPLAINTS)  # type: ignore[attr-defined]
    await world.sms(CARER, "I need some advice about my allowance")
    await world.allocate(CARER, world.worker)
    taken = byhand.TakenDown("letter", world.now, "FC1001", "", SAID, "complaint", True)
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        case = await byhand.take_down(session, essex, taken, world.lead, world.now)
        case_id = case.id
    await told(world, about=(), case_id=case_id, person_id=case.person_id)
    held = await world.all(models.Conflict, models.Conflict.case_id == case_id)
    assert [one.user_id for one in held] == [world.worker.user_id]  # type: ignore[attr-defined]


async def test_nobody_who_had_anything_to_do_with_it_handles_it(world: World) -> None:
    await world.sms(CARER, "I need some advice about my allowance")
    await world.allocate(CARER, world.worker)
    await world.reply(CARER, "Hello Carol", by=world.lead)
    case = await world.case_of(CARER)
    found = await told(world, person_id=case.person_id, about_case_id=case.id)
    quinn = world.quinn  # type: ignore[attr-defined]
    async with world.house.db.write() as session:
        complaint = await complaints.find(session, quinn, found.reference)
        assert complaint.handler_id == quinn.user_id  # the one officer who may
        with pytest.raises(Conflict, match="Leonie must not handle this: they have worked"):
            await steps.name_handler(session, complaint, world.lead.user_id, quinn, world.now)
        with pytest.raises(NotFound):
            await complaints.find(session, world.worker, found.reference)
        assert not await complaints.listed(session, world.worker, ["essex"], closed=False)
        await steps.name_about(session, complaint, world.lead.user_id, quinn, world.now)
        with pytest.raises(NotFound):
            await complaints.find(session, world.lead, found.reference)


async def test_its_clocks_run_in_working_days_and_wake_the_complaints_officer(
    world: World,
) -> None:
    found = await told(world)  # a Tuesday, in the night
    rows = {d.clock: d for d in await world.all(Deadline) if d.complaint_id}  # type: ignore[attr-defined]
    due = {code: row.due_at for code, row in rows.items()}  # type: ignore[attr-defined]
    assert due["complaint_acknowledgement"].date().isoformat() == "2026-11-06"
    assert due["complaint_stage_1"].date().isoformat() == "2026-11-17"
    world.clock.forward(due["complaint_acknowledgement"] - world.now)
    await world.settle()
    assert any(found.reference in text for text in world.texts_to(QUINN_PHONE))
    assert not any(found.reference in text for text in world.texts_to("+447700900903"))
    async with world.house.db.read() as session:
        assert await lists.open_alerts(session, world.lead, ["essex"])
        assert not await lists.open_alerts(session, world.worker, ["essex"])
    quinn, contract = world.quinn, world.house.contracts["essex"]  # type: ignore[attr-defined]
    async with world.house.db.write() as session:
        complaint = await complaints.find(session, quinn, found.reference)
        await steps.acknowledge(
            session, contract, complaint, "It came.", "letter", quinn, world.now
        )
        later = await steps.extend(
            session, contract, complaint, "A witness is away", quinn, world.now
        )
        assert later.date().isoformat() == "2026-12-01"
        with pytest.raises(Conflict):
            await steps.extend(session, contract, complaint, "Again", quinn, world.now)
        still = await owed.open_on(session, complaints.line_of(complaint))
        assert [row.clock for row in still] == ["complaint_stage_1_extended"]


async def test_a_complaint_about_the_complaints_officer_is_somebody_elses(world: World) -> None:
    quinn = world.quinn  # type: ignore[attr-defined]
    found = await told(world, about=(quinn.user_id,), by=world.lead)
    assert found.handler_id is None
    due = [d.due_at for d in await world.all(Deadline) if d.complaint_id]  # type: ignore[attr-defined]
    world.clock.forward(min(due) - world.now)
    await world.settle()
    assert not any(found.reference in text for text in world.texts_to(QUINN_PHONE))
    assert any(found.reference in text for text in world.texts_to(LEAD_PHONE))


async def test_a_stranger_who_complains_and_then_says_who_they_are(world: World) -> None:
    await world.sms(CARER, "I need some advice about my allowance")
    await world.allocate(CARER, world.worker)
    await world.sms(STRANGER, "I want to make a complaint about my support worker")
    await world.sms(STRANGER, "Carol Ashby CM1 1QH")
    case = await world.case_of(STRANGER)
    (found,) = await world.all(Complaint, Complaint.case_id == case.id)
    assert isinstance(found, Complaint)
    assert found.person_id == case.person_id == (await world.case_of(CARER)).person_id
    held = await world.all(models.Conflict, models.Conflict.case_id == case.id)
    assert [one.user_id for one in held] == [world.worker.user_id]  # type: ignore[attr-defined]


async def answer(world: World, reference: str, by: Actor, outcome: str = "partly") -> None:
    async with world.house.db.write() as session:
        complaint = await complaints.find(session, by, reference)
        await steps.answer(
            session,
            world.house.contracts["essex"],
            complaint,
            outcome=outcome,
            action="apology",
            words="We are sorry.",
            how="letter",
            by=by,
            now=world.now,
        )


async def test_it_is_answered_explained_and_looked_at_again_by_somebody_else(world: World) -> None:
    found = await told(world)
    quinn, lead = world.quinn, world.lead  # type: ignore[attr-defined]
    contract = world.house.contracts["essex"]
    with pytest.raises(Conflict, match="Only whoever handles"):
        await answer(world, found.reference, lead)
    await answer(world, found.reference, quinn)
    async with world.house.db.write() as session:
        complaint = await complaints.find(session, quinn, found.reference)
        await steps.explain(
            session, contract, complaint, "telephone", "in plain words", world.now, quinn, world.now
        )
        await steps.escalate(session, contract, complaint, "Not what happened", quinn, world.now)
        with pytest.raises(Conflict, match="they answered the stage before"):
            await steps.name_handler(session, complaint, quinn.user_id, quinn, world.now)
        await steps.name_handler(session, complaint, lead.user_id, quinn, world.now)
    await answer(world, found.reference, lead, "upheld")
    async with world.house.db.write() as session:
        complaint = await complaints.find(session, lead, found.reference)
        with pytest.raises(Conflict, match="no further stage"):
            await steps.escalate(session, contract, complaint, "Still not", lead, world.now)
        await steps.close(session, complaint, lead, world.now)
        await steps.write(session, complaint, "learning", "Ring when we say.", lead, world.now)
        assert not await owed.open_on(session, complaints.line_of(complaint))
    outcomes = [e.code for e in await world.all(ComplaintEntry) if e.kind == "answered"]  # type: ignore[attr-defined]
    assert outcomes == ["partly", "upheld"]


async def test_a_safeguarding_matter_in_a_complaint_is_told_the_same_minute(world: World) -> None:
    found = await told(world)
    quinn, contract = world.quinn, world.house.contracts["essex"]  # type: ignore[attr-defined]
    async with world.house.db.write() as session:
        complaint = await complaints.find(session, quinn, found.reference)
        await steps.pass_to_safeguarding(
            session, contract, complaint, "A child was hurt", quinn, world.now
        )
        with pytest.raises(Conflict, match="safeguarding lead has this"):
            await steps.close(session, complaint, quinn, world.now)
    await world.settle()
    assert found.reference in world.texts_to(SEFA_PHONE)[-1]
    world.clock.forward(timedelta(days=30))  # its answer is not owed meanwhile
    async with world.house.db.write() as session:
        sefa = world.sefa  # type: ignore[attr-defined]
        complaint = await complaints.find(session, sefa, found.reference)
        assert "complaint_stage_1" not in await open_clocks(session, complaint)
        await steps.resume(session, contract, complaint, "Decided by us", sefa, world.now)
        assert "complaint_stage_1" in await open_clocks(session, complaint)


async def open_clocks(session: object, complaint: Complaint) -> list[str]:
    rows = await owed.open_on(session, complaints.line_of(complaint))  # type: ignore[arg-type]
    return [row.clock for row in rows]


async def test_the_councils_are_passed_on_and_data_ones_have_thirty_days(world: World) -> None:
    quinn, contract = world.quinn, world.house.contracts["essex"]  # type: ignore[attr-defined]
    council = await told(world, kind="council", subject="council", about=())
    data = await told(world, kind="data", subject="data_protection", about=())
    rows = [d for d in await world.all(Deadline) if isinstance(d, Deadline)]
    thirty = {(d.complaint_id, d.clock): d.due_at for d in rows}
    due = thirty[data.id, "data_complaint_acknowledgement"]
    assert due.date() == date(2026, 12, 3)
    async with world.house.db.write() as session:
        complaint = await complaints.find(session, quinn, council.reference)
        with pytest.raises(InvalidInput, match="council answers"):
            await steps.answer(
                session,
                contract,
                complaint,
                outcome="upheld",
                action="none",
                words="x",
                how="letter",
                by=quinn,
                now=world.now,
            )
        await steps.forward(session, complaint, "Essex complaints team", quinn, world.now)
        await steps.close(session, complaint, quinn, world.now)
        assert complaint.outcome == "forwarded"


async def test_the_database_keeps_what_was_logged(world: World) -> None:
    found = await told(world)
    with pytest.raises(IntegrityError):
        async with world.house.db.write() as session:
            await session.execute(delete(Complaint).where(Complaint.id == found.id))
    assert len(await world.all(Complaint)) == 1


def test_nothing_of_ours_takes_a_line_of_a_register_away() -> None:
    registers = "Complaint|ComplaintEntry|ComplaintAbout|Compliment|Incident|IncidentEntry"
    taken = re.compile(rf"delete\(\s*({registers}|IncidentNotice)\b")
    folder = Path(complaints.__file__).parents[1]
    assert not [path for path in folder.rglob("*.py") if taken.search(path.read_text("utf-8"))]


async def test_a_form_that_says_complaint_is_one_from_the_first_minute(world: World) -> None:
    form = webform.Form("Nobody rang me", name="Carol Ashby", membership="FC1001")
    form = replace(form, reason="complaint", reason_name="Complaint about the service")
    await world.house.inbox.keep(webform.pack(form, "a-form", "essex"), world.now)
    await world.settle()
    (found,) = await world.all(Complaint)
    assert isinstance(found, Complaint)
    assert "Nobody rang me" in found.words
    assert found.case_id is not None


async def test_thanks_are_counted_by_themselves(world: World) -> None:
    await world.sms(CARER, "Thank you so much, Wasim was brilliant and really helped us")
    (found,) = await world.all(Compliment)
    assert isinstance(found, Compliment)
    assert "brilliant" in found.words
    assert not await world.all(Complaint)
    assert not any("COMPLAINT" in text for text in world.texts_to(LEAD_PHONE))


async def test_what_was_said_before_a_person_called_it_a_complaint_is_part_of_it(
    world: World,
) -> None:
    await world.sms(CARER, "Please ring me about Tuesday")
    case, since = await world.case_of(CARER), world.now
    async with world.house.db.write() as session:
        found = await cases.find_case(session, world.duty, case.reference)
        contract = world.house.contracts["essex"]
        await cases.set_reason(session, contract, found, "complaint", world.duty, world.now)
    await world.forward(hours=1)
    await world.sms(CARER, "Still nothing")
    (complaint,) = await world.all(Complaint)
    assert isinstance(complaint, Complaint)
    assert complaint.words == "Please ring me about Tuesday\n\nStill nothing"
    assert complaint.received_at == since
