"""The directory of partners and the tab of a case that asks them, as people use them."""

import re
from datetime import timedelta

from helpline.models import Partner, PartnerReferral
from tests.web.conftest import Arrive
from tests.world import CARER, World

SOLICITOR = {
    "kind": "solicitor",
    "name": "Pettifer & Rowe <Solicitors>",
    "skills": "Police interviews, day and night",
    "telephone": "01632 960321",
    "approval": "not_needed",
}


async def test_a_lead_writes_a_partner_down_and_a_worker_finds_them(
    everybody: World, arrive: Arrive
) -> None:
    lead = await arrive(everybody, "leonie")
    await lead.get("/partners/new")
    assert await lead.post("/partners", SOLICITOR | {"name": ""}) == 400
    assert "Give their name." in lead.text and 'href="#partner-name"' in lead.page
    assert "Police interviews, day and night" in lead.page  # what was typed is kept
    assert await lead.post("/partners", SOLICITOR | {"areas": "north"}) == 200
    assert "They are in the directory." in lead.text
    worker = await arrive(everybody, "wasim")
    await worker.get("/partners")
    assert "Pettifer & Rowe <Solicitors>" in worker.text and "<Solicitors>" not in worker.page
    assert 'action="/partners/found"' in worker.page and "/partners/new" not in worker.page
    for looked_for, is_found in (
        ({"kind": "solicitor"}, True),
        ({"kind": "counsellor"}, False),
        ({"area": "north"}, True),
        ({"area": "west"}, False),
        ({"words": "POLICE night"}, True),
        ({"words": "mortgage"}, False),
    ):
        await worker.post("/partners/found", looked_for)
        assert ("Pettifer" in worker.text) == is_found, looked_for
    (row,) = await everybody.all(Partner)
    assert await worker.post(f"/partners/{row.id}/verification") == 200
    assert await worker.post(f"/partners/{row.id}", SOLICITOR) == 403


async def test_two_who_change_one_partner_lose_nothing(everybody: World, arrive: Arrive) -> None:
    lead, sefa = await arrive(everybody, "leonie"), await arrive(everybody, "leonie")
    await lead.get("/partners/new")
    await lead.post("/partners", SOLICITOR)
    (row,) = await everybody.all(Partner)
    at = f"/partners/{row.id}"
    await lead.get(at)
    await sefa.get(at)
    seen = re.findall(r'name="seen" value="([^"]+)"', lead.page)[0]
    everybody.clock.forward(timedelta(minutes=1))  # type: ignore[attr-defined]
    theirs = SOLICITOR | {"seen": seen, "telephone": "01632 960322", "areas": "north"}
    assert await sefa.post(at, theirs) == 200
    mine = SOLICITOR | {"seen": seen, "skills": "Also appeals"}
    assert await lead.post(at, mine) == 409
    assert "A colleague changed this while you were writing" in lead.text
    assert "Also appeals" in lead.page and 'value="01632 960321"' in lead.page
    assert "Telephone number 01632 960322" in lead.text
    again = re.findall(r'name="seen" value="([^"]+)"', lead.page)[0]
    assert await lead.post(at, mine | {"seen": again}) == 200
    (row,) = await everybody.all(Partner)
    assert (row.skills, row.telephone) == ("Also appeals", "01632 960321")


async def test_old_details_are_said_and_the_contracts_own_cannot_be_changed(
    everybody: World, arrive: Arrive
) -> None:
    lead = await arrive(everybody, "leonie")
    await lead.get("/partners/new")
    await lead.post("/partners", SOLICITOR)
    assert "ring or look whether it is still right" not in lead.text
    everybody.clock.forward(timedelta(days=91))  # type: ignore[attr-defined]
    lead = await arrive(everybody, "leonie")
    await lead.get("/partners")
    assert "ring or look whether it is still right" in lead.text
    assert "Essex Foster Carers Association" in lead.text
    assert "Stands in the contract and is changed there only" in lead.text
    (row,) = await everybody.all(Partner)
    links = set(re.findall(r'href="/partners/(\w+)"', lead.page))
    assert links == {"new", str(row.id)}


async def test_a_case_asks_a_partner_and_every_step_is_on_the_page(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "they say I hit him")
    lead = await arrive(everybody, "leonie")
    await lead.get("/partners/new")
    await lead.post("/partners", SOLICITOR)
    (partner,) = await everybody.all(Partner)
    case = await everybody.case_of(CARER)
    tab = f"/cases/{case.reference}/partners"
    assert await lead.get(tab) == 200
    form = {"whom": str(partner.id), "person": str(case.person_id), "consent": "agreed"}
    assert await lead.post(f"{tab}/referrals", form | {"wanted": ""}) == 400
    assert "Say what they are asked for." in lead.text
    assert f'value="{partner.id}" selected' in lead.page
    await lead.post(f"{tab}/referrals", form | {"wanted": "Interview on Thursday at nine"})
    assert "Waiting for" in lead.text and "Interview on Thursday at nine" in lead.text
    (row,) = await everybody.all(PartnerReferral)
    at = f"{tab}/referrals/{row.id}"
    assert await lead.post(f"{at}/answer", {"answer": "no", "words": ""}) == 400
    await lead.post(f"{at}/answer", {"answer": "yes", "words": "Mr Rowe will come"})
    assert "Mr Rowe will come" in lead.text
    assert await lead.post(f"{at}/sessions", {"held_on": "tomorrow", "minutes": "50"}) == 400
    assert await lead.post(f"{at}/sessions", {"held_on": "2026-11-03", "minutes": "0"}) == 400
    await lead.post(f"{at}/sessions", {"held_on": "2026-11-03", "minutes": "50", "came": "yes"})
    assert "Seen after" in lead.text and "1 time, 50 minutes" in lead.text
    await lead.post(f"{at}/end", {"ending": "completed"})
    assert "ended: finished as it should" in lead.text.lower()
    await lead.get("/partners")
    assert "Waiting to be seen" not in lead.text
    assert "Solicitor : asked 1 time, seen 1; half of them within 0 days" in lead.text
