"""Complaints and compliments at a browser."""

from helpline.models import Complaint, Compliment, Event
from tests.web.conftest import Arrive
from tests.world import CARER, World

LOGGED = {
    "words": "He never rang me back",
    "kind": "service",
    "subject": "worker",
    "complainant": "carer",
    "method": "telephone",
    "name": "Carol Ashby",
}


async def test_a_complaint_is_logged_worked_and_closed_and_the_worker_never_sees_it(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me")
    await everybody.allocate(CARER, everybody.worker)
    quinn = await arrive(everybody, "quinn")
    assert await quinn.get("/") == 200
    assert "No complaint is open" in quinn.text
    assert await quinn.post("/complaints", LOGGED | {"words": ""}) == 400
    assert "Carol Ashby" in quinn.page  # what was typed is still there
    about = {"about": str(everybody.worker.user_id)}
    assert await quinn.post("/complaints", LOGGED | about) == 200
    (found,) = await everybody.all(Complaint)
    assert isinstance(found, Complaint)
    at = f"/complaints/{found.reference}"
    assert "You handle it" in quinn.text
    sent = {"kind": "acknowledged", "words": "It came.", "how": "letter"}
    assert await quinn.post(f"{at}/entries", sent) == 200
    answer = {"kind": "answered", "outcome": "upheld", "action": "apology", "how": "letter"}
    assert await quinn.post(f"{at}/entries", answer) == 400
    assert "Write what they are told" in quinn.text
    assert await quinn.post(f"{at}/entries", answer | {"words": "We are sorry."}) == 200
    explained = {"kind": "explained", "how": "telephone"}
    assert await quinn.post(f"{at}/entries", explained) == 200
    learnt = {"kind": "learning", "words": "We ring when we say."}
    assert await quinn.post(f"{at}/entries", learnt) == 200
    assert await quinn.post(f"{at}/entries", {"kind": "closed"}) == 200
    assert "Closed" in quinn.text
    assert await quinn.get(f"/cases/{(await everybody.case_of(CARER)).reference}") == 403

    wasim = await arrive(everybody, "wasim")
    for page in ("/inbox", "/more", "/complaints/new", "/compliments", "/people"):
        await wasim.get(page)
        assert found.reference not in wasim.text, page
    assert await wasim.get(at) == 403
    leonie = await arrive(everybody, "leonie")
    assert await leonie.get(at) == 200
    entry = {"kind": "about", "user": str(everybody.lead.user_id)}
    assert await leonie.post(f"{at}/entries", entry) == 200
    assert await leonie.get(at) == 404
    await leonie.get("/complaints")
    assert found.reference not in leonie.text


async def test_that_it_is_about_somebody_can_be_taken_back_by_somebody_else(
    everybody: World, arrive: Arrive
) -> None:
    quinn, leonie = await arrive(everybody, "quinn"), await arrive(everybody, "leonie")
    named = {"user": str(everybody.lead.user_id)}
    assert await quinn.post("/complaints", LOGGED | {"about": named["user"]}) == 200
    at = quinn.path.split("?")[0]
    assert "It is not about one of those who were named" in quinn.text
    assert await leonie.post(f"{at}/entries", named | {"kind": "not_about"}) == 404
    assert await quinn.post(f"{at}/entries", {"kind": "not_about", "user": ""}) == 400
    assert await quinn.post(f"{at}/entries", named | {"kind": "not_about"}) == 200
    assert "It is not about Leonie" in quinn.text
    assert "It is not about one of those" not in quinn.text
    assert await leonie.get(at) == 200


async def test_a_worker_logs_one_on_a_case_and_reads_only_its_reference(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me")
    case = await everybody.case_of(CARER)
    wasim = await arrive(everybody, "wasim")
    assert await wasim.post("/complaints", LOGGED | {"case": case.reference}) == 200
    (found,) = await everybody.all(Complaint)
    assert isinstance(found, Complaint)
    assert found.about_case_id == case.id
    assert found.reference in wasim.text
    assert await wasim.post("/complaints", LOGGED | {"case": "ESX-222222"}) == 400
    await wasim.post(f"/cases/{case.reference}/reason", {"reason": "complaint"})
    assert "/complaints/new?case=" not in wasim.page  # it is in the register
    assert "This case is in the register" in wasim.text
    thanks = {"words": "Thank you all", "subject": "advice", "giver": "carer", "method": "letter"}
    assert await wasim.post("/compliments", thanks | {"giver": ""}) == 400
    assert await wasim.post("/compliments", thanks) == 200
    assert "Thank you all" in wasim.text
    assert len(await everybody.all(Compliment)) == 1


async def test_a_case_called_a_complaint_is_offered_to_the_register_and_linked_both_ways(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me about Tuesday")
    await everybody.allocate(CARER, everybody.worker)
    case = await everybody.case_of(CARER)
    wasim, quinn = await arrive(everybody, "wasim"), await arrive(everybody, "quinn")
    at, form = f"/cases/{case.reference}", f"/complaints/new?case={case.reference}"
    await wasim.get(at)
    assert form not in wasim.page
    assert await quinn.get("/complaints") == 200
    assert case.reference not in quinn.text
    await quinn.get(form)
    assert "about Tuesday" not in quinn.page  # no complaint: not hers to read
    await wasim.post(f"{at}/reason", {"reason": "complaint"})
    assert form in wasim.page
    assert await quinn.get("/complaints") == 200
    assert "Not in the register yet" in quinn.text
    assert form in quinn.page
    assert await quinn.get(form) == 200
    assert "about Tuesday" in quinn.page
    by_quinn = Event.by_user_id == (await everybody.known("quinn")).user_id
    (read,) = await everybody.all(Event, Event.kind == "case.read", by_quinn)
    assert isinstance(read, Event)
    assert read.case_id == case.id
    about = {"about": str(everybody.worker.user_id), "case": case.reference}
    assert await quinn.post("/complaints", LOGGED | about | {"subject": ""}) == 400
    assert await quinn.post("/complaints", LOGGED | about) == 200
    (found,) = await everybody.all(Complaint)
    assert isinstance(found, Complaint)
    assert (found.case_id, found.about_case_id) == (case.id, None)
    assert f"It came as case {case.reference}" in quinn.text
    assert await quinn.post("/complaints", LOGGED | about) == 200  # sent twice
    assert quinn.path.startswith(f"/complaints/{found.reference}")
    assert await quinn.post("/complaints", LOGGED | about | {"words": "Others"}) == 400
    assert await everybody.count(Complaint) == 1
    await quinn.get(form)
    assert quinn.path.endswith(found.reference)
    await quinn.get("/complaints")
    assert "Not in the register yet" not in quinn.text
    assert await wasim.get(at) == 404  # it is about him
    leonie = await arrive(everybody, "leonie")
    await leonie.get(at)
    assert f"/complaints/{found.reference}" in leonie.page
    assert "Write the complaint down" not in leonie.text  # that step is done
    await leonie.get(f"/complaints/{found.reference}")
    assert at in leonie.page
    await everybody.sms(CARER, "And nobody has said sorry")
    assert len(await everybody.all(Complaint)) == 1


async def test_a_reference_leads_to_the_complaint_for_whoever_may_see_it(
    everybody: World, arrive: Arrive
) -> None:
    quinn, lead = await arrive(everybody, "quinn"), await arrive(everybody, "leonie")
    await quinn.post("/complaints", LOGGED)
    (found,) = await everybody.all(Complaint)
    assert isinstance(found, Complaint)
    await lead.post("/search", {"asked": found.reference.lower()})
    assert LOGGED["words"] in lead.text
    worker = await arrive(everybody, "wasim")
    await worker.post("/search", {"asked": found.reference})
    assert "Nothing that you may see has this" in worker.text
