"""The pages about somebody's own data, as people use them: written down on a case, made sure who
asks, gone through passage by passage, signed by another, handed over; whom we told; what is held;
a breach whose 72 hours run."""

import json
import re
from datetime import timedelta

from helpline.desk.rights import retention
from helpline.models import BreachAssessment, DataRequest, IncidentNotice
from tests.web.conftest import Arrive
from tests.world import CARER, World

ASKS = {"kind": "access", "words": "I want a copy <b>now</b>", "method": "telephone"}


async def test_a_copy_is_asked_for_on_a_case_and_handed_over_signed_by_two(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "What do you keep about me?")
    at = f"/cases/{(await everybody.case_of(CARER)).reference}/rights"
    worker, sefa, lead = [await arrive(everybody, who) for who in ("wasim", "sefa", "leonie")]
    assert await worker.get(at) == 200
    assert "asked what we keep" in worker.text
    assert "in the words of version" in worker.text
    assert await worker.post(f"{at}/requests", ASKS | {"kind": ""}) == 400
    assert "Choose what they ask for." in worker.text and 'href="#request-kind"' in worker.page
    assert "I want a copy &lt;b&gt;now" in worker.page  # what was typed is kept
    assert await worker.post(f"{at}/requests", ASKS) == 200
    assert "A lead or the safeguarding lead answers it" in worker.text
    (made,) = await everybody.all(DataRequest)
    there = f"/rights/{made.reference}"  # type: ignore[attr-defined]
    assert await worker.get("/rights") == 200
    assert "Carol Ashby asked" in worker.text
    assert await worker.get(f"{there}/file") == 403

    await sefa.get(there)
    assert "is it they who ask" in sefa.text
    assert await sefa.post(f"{there}/steps", {"kind": "identity", "how": ""}) == 400
    assert 'href="#identity-how"' in sefa.page
    assert await sefa.post(f"{there}/steps", {"kind": "paused", "why": "identity", "words": "ID?"})
    assert "The clock stands still" in sefa.text
    await sefa.post(f"{there}/steps", {"kind": "resumed", "words": "here"})
    await sefa.post(f"{there}/steps", {"kind": "identity", "how": "called_back"})
    await sefa.post(f"{there}/steps", {"kind": "extended", "words": "many files"})
    assert "Two months more" in sefa.text
    assert await sefa.post(f"{there}/steps", {"kind": "closed", "outcome": "done", "words": "x"})
    assert "somebody else has to sign" in sefa.text

    await sefa.get(f"{there}/file")
    assert "still to be decided" in sefa.text and "What do you keep about me?" in sefa.text
    assert await sefa.post(f"{there}/file", {"act": "prepare"}) == 409
    await sefa.post(f"{there}/file", {"act": "plain"})
    await decide_the_rest(sefa)
    assert await sefa.post(f"{there}/file", {"act": "prepare"}) == 200, sefa.text
    assert "so somebody else signs it" in sefa.text
    assert await sefa.post(f"{there}/signature", {"act": "sign"}) == 409
    await lead.get(there)
    assert await lead.post(f"{there}/signature", {"act": "back", "words": ""}) == 400
    assert await lead.post(f"{there}/signature", {"act": "sign"}) == 200
    assert "Signed. It can be handed over." in lead.text
    assert await lead.get(f"{there}/file/pdf") == 200
    assert lead.page.startswith("%PDF") and "attachment" in lead.headers["Content-Disposition"]
    assert await lead.get(f"{there}/file/json") == 200
    file = json.loads(lead.page)
    assert "What do you keep about me?" in lead.page
    assert file["reference"] == made.reference  # type: ignore[attr-defined]
    assert await lead.get(f"{there}/file/docx") == 404
    await lead.get(there)
    await lead.post(f"{there}/steps", {"kind": "closed", "outcome": "done", "words": "Given"})
    assert "Done as they asked" in lead.text
    assert await lead.post(f"{there}/steps", {"kind": "note", "words": "They rang: thanks"}) == 200
    await lead.get("/rights?contract=essex")
    assert "Done as they asked" in lead.text
    assert await lead.get("/rights/DR-NOBODY") == 404


async def decide_the_rest(guest) -> None:  # type: ignore[no-untyped-def]
    """Each passage as it is marked on the page, like a browser would send it."""
    at = guest.path.split("?")[0]
    await guest.get(at)
    fields = [("act", "decide")]
    for key in re.findall(r'name="key" value="(\w+)"', guest.page):
        choice = re.search(rf'name="choice-{key}" type="radio" value="(\w+)" checked', guest.page)
        assert choice
        fields += [("key", key), (f"choice-{key}", choice[1])]
        select = guest.page.split(f'name="reason-{key}"')[1].split("</select>")[0]
        chosen = re.search(r'value="(\w+)" selected', select)
        fields.append((f"reason-{key}", chosen[1] if chosen else ""))
    if len(fields) > 1:
        assert await guest.post(at, fields) == 200, guest.text


async def test_whom_we_told_and_what_is_held_is_written_down_on_the_case(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "hello")
    at = f"/cases/{(await everybody.case_of(CARER)).reference}/rights"
    lead, worker = await arrive(everybody, "leonie"), await arrive(everybody, "wasim")
    await lead.get("/rights/told")
    agreement = {
        "title": "With the police",
        "party": "The county's police",
        "basis": "safeguarding",
        "covers": "What protects a child",
        "from_day": "2026-01-01",
        "review_on": "2026-11-01",
    }
    assert await lead.post("/rights/agreements", agreement | {"review_on": ""}) == 400
    assert 'href="#agreement-review_on"' in lead.page and "With the police" in lead.page
    assert await lead.post("/rights/agreements", agreement) == 200
    await lead.get("/rights")
    assert "is to be looked at again" in lead.text
    told = {
        "recipient": "police",
        "whom": "Sergeant Ines Vale",
        "what": "That a child may be in danger",
        "basis": "consent",
        "knows": "not_safe",
        "agreement": "1",
    }
    await worker.get(at)
    assert await worker.post(f"{at}/told", told) == 400
    assert "unless they agreed to it" in worker.text and 'href="#told-basis"' in worker.page
    assert await worker.post(f"{at}/told", told | {"basis": "safeguarding"}) == 200
    assert "Sergeant Ines Vale" in worker.text and "With the police" in worker.text
    await lead.get("/rights/told")
    assert "Sergeant Ines Vale" in lead.text
    assert await lead.post("/rights/agreements/1", {"act": "on", "review_on": "2027-11-01"}) == 200
    assert await lead.post("/rights/agreements/1", {"act": "end"}) == 200
    assert await lead.post("/rights/agreements/1", {"act": "end"}) == 409
    await lead.get(at)
    held = {"kind": "legal", "reason": "A claim was made", "review_on": "2027-06-01"}
    assert await lead.post(f"{at}/holds", held | {"review_on": "2020-01-01"}) == 400
    assert await lead.post(f"{at}/holds", held) == 200
    await lead.get("/rights/kept")
    assert "A claim was made" in lead.text
    assert await lead.post("/rights/holds/1/end", {"words": ""}) == 400
    assert await lead.post("/rights/holds/1/end", {"words": "It was settled"}) == 200
    assert "A claim was made" not in lead.text


async def test_a_list_is_looked_through_by_one_and_approved_by_another(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "hello")
    await everybody.close(CARER)
    await everybody.later(hours=24 * 366 * 3)
    contract = everybody.house.contracts["essex"]
    async with everybody.house.db.write() as session:
        assert await retention.propose(session, contract, everybody.now) == 1
    lead, sefa = await arrive(everybody, "leonie"), await arrive(everybody, "sefa")
    await lead.get("/rights/kept")
    assert "1 case goes" in lead.text
    assert await lead.get("/rights/kept/1") == 200
    assert "Enquiry: kept until" in lead.text and "Nobody can bring it back" in lead.text
    assert await lead.post("/rights/kept/1", {"act": "taken_off", "line": "1", "words": ""}) == 400
    assert 'href="#line1-words"' in lead.page
    assert await lead.post("/rights/kept/1", {"act": "checked"}) == 200
    assert "somebody else approves it" in lead.text
    assert await lead.post("/rights/kept/1/approval", {"sure": "yes"}) == 409
    await sefa.get("/rights/kept/1")
    assert await sefa.post("/rights/kept/1/approval", {}) == 400
    assert 'href="#sure"' in sefa.page
    assert await sefa.post("/rights/kept/1/approval", {"sure": "yes"}) == 200
    assert "Approved. It goes within the hour." in sefa.text
    async with everybody.house.db.write() as session:
        assert await retention.erase_next(session, contract, everybody.now) == 1
        assert await retention.erase_next(session, contract, everybody.now) == 1
    await sefa.get("/rights/kept/1")
    assert "Gone" in sefa.text
    case = await everybody.case_of(CARER)
    await sefa.get(f"/cases/{case.reference}/rights")
    assert "was erased" in sefa.text
    await sefa.get(f"/cases/{case.reference}")
    assert "hello" not in sefa.text


async def test_a_breach_is_judged_and_says_who_must_hear_of_it(
    everybody: World, arrive: Arrive
) -> None:
    worker, lead = await arrive(everybody, "wasim"), await arrive(everybody, "leonie")
    await worker.get("/incidents")
    lost = {"kind": "data_breach", "what": "A letter went to the wrong house"}
    assert await worker.post("/incidents", lost) == 200
    there = worker.path.split("?")[0]
    assert "how great is the risk" in worker.text
    await lead.get("/rights")
    assert "has not been judged yet" in lead.text
    await lead.get(there)
    judged = {"risk": "high", "people": "two", "words": "The address of a carer in hiding"}
    assert await lead.post(f"{there}/assessment", judged) == 400
    assert 'href="#assessed-people"' in lead.page
    assert await lead.post(f"{there}/assessment", judged | {"people": "2"}) == 200
    assert "The people whom it concerns" in lead.text
    again = judged | {"risk": "unlikely", "people": "1", "words": "It came back unopened"}
    assert await lead.post(f"{there}/assessment", again) == 200
    assert "Write down below, beside the regulator, why not" in lead.text
    assert len(await everybody.all(BreachAssessment)) == 2
    notices = await everybody.all(IncidentNotice)
    assert {one.code for one in notices} == {"data_lead", "regulator", "council", "people"}  # type: ignore[attr-defined]
    regulator = next(one for one in notices if one.code == "regulator")  # type: ignore[attr-defined]
    assert regulator.due_at - everybody.now == timedelta(hours=72)  # type: ignore[attr-defined]
