"""Papers of our people, the log of evidence and the calendar of what is owed, as pages."""

from datetime import timedelta
from io import BytesIO

from aiohttp import FormData

from helpline.models import EvidenceEntry, EvidenceFile, ObligationDue, StaffPaper
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, World

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
ENTRY = {
    "kind": "users_influencing",
    "day": "2026-11-02",
    "what": "Carers asked for a night-time answer; the rota has two in December.",
    "you_said": "Nobody answers at night",
    "we_did": "Two are on call in December",
    "reached": "40",
}


async def hand_in(guest: Visitor, path: str, form: dict[str, str], name: str, body: bytes) -> int:
    data = FormData(quote_fields=False)
    for key, value in (form | {"csrf": guest.csrf}).items():
        data.add_field(key, value)
    data.add_field("file", BytesIO(body), filename=name, content_type="application/pdf")
    return await guest._read(await guest.client.post(path, data=data))


async def test_a_paper_that_ran_out_stops_a_naming_until_a_new_one_is_seen(
    everybody: World, arrive: Arrive
) -> None:
    lead = await arrive(everybody, "leonie")
    await lead.get("/papers")
    assert "Enhanced DBS check" in lead.text and "Not on record" in lead.text
    old = {"user": str(everybody.worker.user_id), "kind": "dbs", "number": "001234567890"}
    assert await lead.post("/papers", old | {"valid_from": "soon"}) == 400
    assert "Give the day from which it holds." in lead.text and "001234567890" in lead.page
    await lead.post("/papers", old | {"valid_from": "2023-01-09", "valid_until": "2026-01-08"})
    reason = "Enhanced DBS check ran out on 8 January 2026"
    assert f"May not be named on a case: {reason}" in lead.text
    await everybody.sms(CARER, "a question about fees")
    await lead.get("/allocate")
    assert f"May not be named now: Wasim ({reason})" in lead.text
    assert f'value="{everybody.worker.user_id}"' not in lead.page  # neither proposed nor to choose
    case = await everybody.case_of(CARER)
    name = {"worker": str(everybody.worker.user_id)}
    assert await lead.post(f"/cases/{case.reference}/allocation", name) == 400
    assert f"Wasim cannot be named: {reason}. Write down the new paper first." in lead.text
    await lead.get("/papers")
    await lead.post("/papers", old | {"valid_from": "2026-02-01"})
    assert "until 1 February 2029" in lead.text  # the contract says three years
    await lead.get(f"/cases/{case.reference}")
    await lead.post(f"/cases/{case.reference}/allocation", name)
    assert (await everybody.case_of(CARER)).worker_id == everybody.worker.user_id
    newest = max(row.id for row in await everybody.all(StaffPaper))
    await lead.get("/papers")
    await lead.post(f"/papers/{newest}/end")
    assert reason in lead.text


async def test_nobody_writes_down_their_own_papers(everybody: World, arrive: Arrive) -> None:
    lead = await arrive(everybody, "leonie")
    await lead.get("/papers")
    own = {"user": str(everybody.lead.user_id), "kind": "dbs", "valid_from": "2026-02-01"}
    assert await lead.post("/papers", own) == 400
    assert "Your own papers are looked at by somebody else." in lead.text


async def test_evidence_is_written_with_a_file_counted_and_taken_back(
    everybody: World, arrive: Arrive
) -> None:
    worker = await arrive(everybody, "wasim")
    await worker.get("/evidence")
    assert "Nothing is written down" in worker.text
    assert await hand_in(worker, "/evidence", ENTRY | {"we_did": ""}, "a.pdf", PDF) == 400
    assert "belong together" in worker.text and "Nobody answers at night" in worker.page
    assert await hand_in(worker, "/evidence", ENTRY, "minutes<b>.pdf", PDF) == 200
    assert "40 reached" in worker.text and "minutes<b>.pdf" in worker.text
    assert "<b>.pdf" not in worker.page
    (file,) = await everybody.all(EvidenceFile)
    answer = await worker.client.get(f"/evidence/files/{file.id}")
    assert await answer.read() == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment")
    (entry,) = await everybody.all(EvidenceEntry)
    assert await hand_in(worker, f"/evidence/{entry.id}/files", {}, "x.exe", b"MZ\x90\x00") == 200
    unsafe = max(one.id for one in await everybody.all(EvidenceFile))
    assert await worker.get(f"/evidence/files/{unsafe}") == 409
    lead = await arrive(everybody, "leonie")
    await lead.get("/reports/essex/2026-27-Q2")
    assert "Users influencing service development 1" in lead.text
    await lead.get("/evidence")
    agreed = {"agreed": "Two on call at Easter", "by_day": "", "owner": ""}
    assert await lead.post(f"/evidence/{entry.id}/agreements", agreed) == 400
    assert "Give the day by which" in lead.text and "Two on call at Easter" in lead.page
    await lead.post(f"/evidence/{entry.id}/agreements", agreed | {"by_day": "2026-12-01"})
    assert "Two on call at Easter, nobody yet, by 1 December 2026: open" in lead.text
    await lead.get("/obligations")
    assert "Two on call at Easter" in lead.text
    assert await lead.post(f"/evidence/{entry.id}/withdrawal", {"why": ""}) == 400
    await lead.post(f"/evidence/{entry.id}/withdrawal", {"why": "It was another contract's"})
    await lead.get("/reports/essex/2026-27-Q2")
    assert "Users influencing service development 0" in lead.text


async def test_the_days_of_what_is_owed_come_as_a_calendar_without_what_was_typed(
    everybody: World, arrive: Arrive
) -> None:
    lead = await arrive(everybody, "leonie")
    await lead.get("/obligations")
    typed = {"rule": "", "what": "Ring Sue about Easter", "day": "2026-12-01", "owner": ""}
    await lead.post("/obligations", typed)
    assert 'href="/obligations.ics"' in lead.page
    worker = await arrive(everybody, "wasim")
    answer = await worker.client.get("/obligations.ics")
    assert (answer.status, answer.content_type) == (200, "text/calendar")
    text = (await answer.text()).replace("\r\n ", "")
    assert "DTSTART;VALUE=DATE:20261113" in text and "Commissioners: Essex" in text
    assert "DTSTART;VALUE=DATE:20261201" in text and "by hand" in text and "Sue" not in text


async def test_a_file_too_large_is_refused_and_what_was_typed_stays(
    everybody: World, arrive: Arrive
) -> None:
    worker = await arrive(everybody, "wasim")
    await worker.get("/evidence")
    large = PDF + b"x" * (10 * 1024 * 1024)
    assert await hand_in(worker, "/evidence", ENTRY, "large.pdf", large) == 400
    assert "larger than 10 MB" in worker.text and "night-time answer" in worker.page
    assert await everybody.all(EvidenceEntry) == []


async def test_what_is_owed_stands_in_order_and_is_done_with_a_proof(
    everybody: World, arrive: Arrive
) -> None:
    lead = await arrive(everybody, "leonie")
    await lead.get("/obligations")
    assert "Next Quarterly report to the Commissioners , 13 November 2026 in 10 days" in lead.text
    assert "No day yet" in lead.text and "Joint review of performance measures" in lead.text
    rows = await everybody.all(ObligationDue)
    first = min(rows, key=lambda row: row.due_on)
    owner = {"owner": str(everybody.worker.user_id), "day": first.due_on.isoformat()}
    await lead.post(f"/obligations/{first.id}", owner)
    assert "Wasim looks after it" in lead.text
    form = {"rule": "essex/joint_review", "day": "2026-12-01"}
    await lead.post("/obligations", form)
    assert "Tuesday, 1 December 2026" in lead.text
    assert await lead.post("/obligations", form) == 409
    worker = await arrive(everybody, "wasim")
    await worker.get("/obligations")
    assert "You look after it" in worker.text
    at = f"/obligations/{first.id}/completion"
    assert await worker.post(at, {"done_on": "2026-11-03", "proof": ""}) == 400
    done = {"done_on": "2026-11-03", "proof": "Sent to the Head of Fostering by e-mail"}
    assert await hand_in(worker, at, done, "receipt.pdf", PDF) == 200
    assert "Sent to the Head of Fostering" in worker.text and "receipt.pdf" in worker.text
    other = max(rows, key=lambda row: row.due_on)
    done_other = f"/obligations/{other.id}/completion"
    assert await worker.post(done_other, {"done_on": "2026-11-03", "proof": "x"}) == 403


async def test_what_is_late_is_said_first(everybody: World, arrive: Arrive) -> None:
    admin = await arrive(everybody, "ada")
    await admin.get("/obligations")
    everybody.clock.forward(timedelta(days=12))  # type: ignore[attr-defined]
    admin = await arrive(everybody, "ada")
    await admin.get("/obligations")
    assert "13 November 2026 2 days late" in admin.text


async def test_nonsense_is_refused_and_never_breaks_a_page(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "a question about fees")
    case = await everybody.case_of(CARER)
    lead = await arrive(everybody, "leonie")
    await lead.get("/obligations")
    row = (await everybody.all(ObligationDue))[0].id
    asked = f"/cases/{case.reference}/partners/referrals"
    forms = {
        "/papers": ("valid_from", "level"),
        "/evidence": ("day", "partner", "reached"),
        "/obligations": ("rule", "day", "owner"),
        f"/obligations/{row}": ("owner", "day"),
        f"/obligations/{row}/completion": ("done_on",),
        asked: ("whom", "person"),
        f"{asked}/1/sessions": ("held_on", "minutes"),
    }
    sound = {"kind": "dbs", "user": str(everybody.worker.user_id), "valid_from": "2026-01-01"}
    for path, names in forms.items():
        for name in names:
            for value in ("9999-12-31", "9" * 30):
                status = await lead.post(path, sound | {name: value}, follow=False)
                assert status < 500, (path, name, value)
    for asking in ("period=2099-00-Q9", "period=%00", "kind=x", "contract=nowhere"):
        assert await lead.get(f"/evidence?{asking}") == 200
