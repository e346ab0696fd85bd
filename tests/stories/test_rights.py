"""What people may ask of what we keep about them: a copy with others' names blacked out and signed
by two, a clock that stands still while we wait, and an erasing that two people agreed to."""

import base64
import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from helpline.desk import parts
from helpline.desk.rights import access, access_pdf, judging, requests, retention
from helpline.desk.rights.requests import Told
from helpline.errors import Conflict, NotFound
from helpline.models import Case, Complaint, DataRequest, Deadline, Person, RequestFile
from helpline.rules.permissions import Actor
from helpline.vocabulary import DeadlineState, Role
from tests.world import CARER, LEAD_PHONE, World

PARTNER = "+447700900124"


async def asked(world: World, kind: str = "access", words: str = "What do you keep?") -> str:
    """Carol asks; a worker writes it down."""
    contract = world.house.contracts["essex"]
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        person = await session.get(Person, case.person_id)
        assert person is not None
        told = Told(kind, words, "telephone", world.now)
        made = await requests.log(
            session, contract, person, told, world.worker, world.now, case=case
        )
        return made.reference


async def deadline_of(world: World, reference: str) -> list[Deadline]:
    async with world.house.db.read() as session:
        rows = await session.scalars(
            select(Deadline)
            .join(DataRequest, col(DataRequest.id) == col(Deadline.request_id))
            .where(col(DataRequest.reference) == reference)
            .order_by(col(Deadline.id))
        )
        return list(rows)


async def test_a_request_is_answered_in_a_month_and_the_clock_waits_for_them(world: World) -> None:
    sefa = await world.hire("Sefa", Role.SAFEGUARDING)
    contract = world.house.contracts["essex"]
    await world.sms(CARER, "what do you keep about me?")
    reference = await asked(world)
    assert await asked(world) == reference  # sent twice it is one
    (first,) = await deadline_of(world, reference)
    assert contract.days.day_of(first.due_at).isoformat() == "2026-12-03"
    async with world.house.db.write() as session:
        found = await requests.find(session, sefa, reference)
        await requests.pause(
            session, contract, found, "identity", "Asked for the last four", sefa, world.now
        )
        with pytest.raises(Conflict, match="stands still"):
            await requests.pause(session, contract, found, "clarification", "x", sefa, world.now)
    await world.later(hours=24 * 7)
    async with world.house.db.write() as session:
        found = await requests.find(session, sefa, reference)
        await requests.check_identity(session, contract, found, "called_back", "", sefa, world.now)
    first, second = await deadline_of(world, reference)
    assert first.state == DeadlineState.CANCELLED
    assert contract.days.day_of(second.due_at).isoformat() == "2026-12-10"
    async with world.house.db.write() as session:
        found = await requests.find(session, sefa, reference)
        await requests.extend(session, contract, found, "Four years of files", sefa, world.now)
        with pytest.raises(Conflict, match="already"):
            await requests.extend(session, contract, found, "Again", sefa, world.now)
    *_, third = await deadline_of(world, reference)
    assert contract.days.day_of(third.due_at).isoformat() == "2027-02-10"
    async with world.house.db.write() as session:
        found = await requests.find(session, sefa, reference)
        with pytest.raises(Conflict, match="sign the file"):
            await requests.close(session, found, "done", "Sent by post", sefa, world.now)
        await requests.close(session, found, "withdrawn", "They rang", sefa, world.now)
    *_, third = await deadline_of(world, reference)
    assert third.state == DeadlineState.MET


async def test_whoever_leads_hears_in_office_hours_that_it_is_due(world: World) -> None:
    await world.sms(CARER, "what do you keep about me?")
    reference = await asked(world)
    await world.later(hours=24 * 25 + 12)  # a Saturday afternoon
    assert not any(reference in text for text in world.texts_to(LEAD_PHONE))
    await world.later(hours=44)
    assert any(reference in text for text in world.texts_to(LEAD_PHONE))


async def test_a_copy_without_others_is_signed_by_two_and_stays_what_it_is(world: World) -> None:
    """A partner's words and name are suggested to be left out, their record is not mentioned, and
    what is handed over is byte for byte what was signed."""
    sefa, contract = await world.hire("Sefa", Role.SAFEGUARDING), world.house.contracts["essex"]
    await world.member("Mark Ashby", "FC1002", PARTNER)
    await world.sms(PARTNER, "A secret of my own: zebrafish")
    await world.sms(CARER, "Mark grabbed the lad. I told you about wolverine")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        mark = (await world.case_of(PARTNER)).person_id
        await parts.give_to_known(session, case, mark, "partner", world.worker, world.now)
    reference = await asked(world)
    async with world.house.db.write() as session:
        found = await requests.find(session, sefa, reference)
        await requests.check_identity(session, contract, found, "in_person", "", sefa, world.now)
        sheet = await access.gather(session, contract, found, sefa, world.now)
        texts = [one.passage.text for _, each in sheet.sections for one in each]
        assert any("wolverine" in text for text in texts)
        assert not any("zebrafish" in text for text in texts)
        with pytest.raises(Conflict, match="still to be decided"):
            await made(session, world, found, sheet)
        await access.show_plain(session, found, sheet, sefa, world.now)
        sheet = await access.gather(session, contract, found, sefa, world.now)
        left = {
            one.passage.key: (
                one.passage.suggestion.choice.value,
                one.passage.suggestion.reason or "",
            )
            for _, each in sheet.sections
            for one in each
            if one.choice is None
        }
        assert left
        await access.decide(session, found, sheet, left, sefa, world.now)
        sheet = await access.gather(session, contract, found, sefa, world.now)
        assert sheet.open == 0
        document = await made(session, world, found, sheet)
    pdf = await access_pdf.render(document)
    assert pdf.startswith(b"%PDF")
    said = json.dumps(document, ensure_ascii=False)
    assert "wolverine" in said
    assert "Mark" not in said
    assert "zebrafish" not in said
    assert "FC1001" in said
    assert "Sefa read case" in said  # who prepares it reads it
    async with world.house.db.write() as session:
        found = await requests.find(session, sefa, reference)
        await access.prepare(session, found, document, pdf, sefa, world.now)
        with pytest.raises(Conflict, match="somebody else signs"):
            await access.sign(session, found, sefa, world.now)
        await access.sign(session, found, world.lead, world.now)
        assert await access.file(session, found, "pdf", sefa, world.now) == pdf
        row = await session.scalar(select(RequestFile).where(col(RequestFile.form) == "pdf"))
        assert row is not None
        assert base64.b64decode(row.content) == pdf
    await world.sms(CARER, "one thing more")  # what comes later is not in it
    async with world.house.db.write() as session:
        found = await requests.find(session, sefa, reference)
        sheet = await access.gather(session, contract, found, sefa, world.now)
        assert sheet.open  # the new message
        with pytest.raises(Conflict, match="signed"):
            await access.decide(session, found, sheet, {}, sefa, world.now)
        await requests.close(session, found, "done", "Handed over", sefa, world.now)


async def made(session, world: World, found: DataRequest, sheet: access.Sheet):  # type: ignore[no-untyped-def]
    person = await session.get(Person, found.person_id)
    contract = world.house.contracts["essex"]
    return access.document(contract, found, person, sheet, world.now)


async def test_whoever_must_not_know_of_them_sees_no_request(world: World) -> None:
    from helpline.desk import conflicts

    await world.sms(CARER, "what do you keep about me?")
    reference = await asked(world)
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        await conflicts.declare(session, case, world.lead.user_id, "kin", world.lead, world.now)
    async with world.house.db.read() as session:
        with pytest.raises(NotFound):
            await requests.find(session, world.lead, reference)
        assert not await requests.listed(session, world.lead, ["essex"])
        assert await requests.listed(session, world.worker, ["essex"])


# --- kept long enough -----------------------------------------------------------------------------


async def closed_long_ago(world: World, years: int = 11) -> Case:
    await world.sms(CARER, "They say I hit him: wolverine")
    await world.reply(CARER, "I am here, zebrafish")
    await world.close(CARER)
    await world.later(hours=24 * 366 * years)
    return await world.case_of(CARER)


async def test_two_people_agree_before_anything_goes_and_a_hold_keeps_it(world: World) -> None:
    lena = await world.hire("Lena", Role.LEAD)
    contract = world.house.contracts["essex"]
    case = await closed_long_ago(world)
    async with world.house.db.write() as session:
        assert await retention.propose(session, contract, world.now) == 1
        assert await retention.propose(session, contract, world.now) == 0
        (row,) = await retention.runs(session, world.lead, ["essex"])
        run = row.RetentionRun
        goes = await retention.preview(session, contract, run, world.now)
        assert goes.messages >= 2
        with pytest.raises(Conflict, match="look through it first"):
            await retention.approve(session, run, lena, world.now)
        await retention.check(session, run, world.lead, world.now)
        with pytest.raises(Conflict, match="somebody else approves"):
            await retention.approve(session, run, world.lead, world.now)
        assert await retention.erase_next(session, contract, world.now) == 0
        await retention.approve(session, run, lena, world.now)
    await hold(world, case, lena)  # somebody asks for it meanwhile
    assert await erased(world) == 2
    assert "wolverine" in await told(world, case.id or 0)
    async with world.house.db.read() as session:
        found, hidden = await retention.lines(session, lena, run)
        assert [one.line.stays for one in found] == ["hold"]
        assert hidden == 0


async def test_a_complaint_that_is_kept_longer_keeps_what_it_is_about(one_world: World) -> None:
    world, contract = one_world, one_world.house.contracts["essex"]
    await world.sms(CARER, "Please ring me")
    await world.close(CARER)
    case = await world.case_of(CARER)
    await world.later(hours=24 * 366 * 3)  # an enquiry is kept for two years, a complaint for six
    answered = world.now - timedelta(days=400)
    told = {"kind": "service", "subject": "other", "complainant": "carer", "method": "letter"}
    async with world.house.db.write() as session:
        complaint = Complaint(
            **told,
            reference="C-TESTED",
            contract="essex",
            words="Nobody rang",
            about_case_id=case.id,
            received_at=answered,
            logged_at=answered,
            stage_since=answered,
            answered_at=answered,
            closed_at=answered,
        )
        session.add(complaint)
        await session.flush()
        await retention.propose(session, contract, world.now)
        (row,) = await retention.runs(session, world.lead, ["essex"])
        (line,), _ = await retention.lines(session, world.lead, row.RetentionRun)
        assert line.line.stays == "complaint"
        complaint.answered_at = complaint.closed_at = world.now - timedelta(days=366 * 7)
        await session.flush()
    async with world.house.db.write() as session:
        judged = await judging.judged(session, contract, contract.days.day_of(world.now))
        assert [said.stays for _, said in judged] == [None]


async def hold(world: World, case: Case, by: Actor) -> None:
    from helpline.desk.rights import holds

    async with world.house.db.write() as session:
        day = (world.now + timedelta(days=90)).date()
        await holds.begin(session, case, "legal", "A claim was made", day, False, by, world.now)


async def erased(world: World) -> int:
    """The portions of the hourly job, until there is nothing more."""
    done, contract = 0, world.house.contracts["essex"]
    while True:
        async with world.house.db.write() as session:
            settled = await retention.erase_next(session, contract, world.now)
        if not settled:
            return done
        done += settled


async def told(world: World, case_id: int) -> str:
    from helpline.models import Contact

    rows = await world.all(Contact, Contact.case_id == case_id)
    return " ".join(row.body or "" for row in rows)  # type: ignore[attr-defined]
