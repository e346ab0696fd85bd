"""Feedback and incidents at a browser."""

from helpline.models import FeedbackAsk, Incident
from tests.web.conftest import Arrive
from tests.world import CARER, World


async def test_what_somebody_said_is_written_down_and_given_its_themes(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me")
    case = await everybody.case_of(CARER)
    wasim = await arrive(everybody, "wasim")
    said = {"case": case.reference, "score": "4", "comment": "Wasim listened, slow to ring"}
    assert await wasim.post("/feedback/answers", said | {"score": ""}) == 400
    assert "slow to ring" in wasim.page
    assert await wasim.post("/feedback/answers", said) == 200
    assert await wasim.get("/feedback") == 403
    quinn = await arrive(everybody, "quinn")
    assert await quinn.get("/feedback") == 200
    assert "Wasim listened" in quinn.text
    assert "No theme yet" in quinn.text
    assert case.reference not in quinn.page
    (ask,) = await everybody.all(FeedbackAsk)
    assert isinstance(ask, FeedbackAsk)
    at = f"/feedback/{ask.id}/themes"
    assert await quinn.post(at, {"themes": "listened", "quote": "He was perfect"}) == 400
    assert await quinn.post(at, {"themes": "listened", "quote": "slow to ring"}) == 200
    assert "“slow to ring”" in quinn.text
    assert "No theme yet" not in quinn.text
    said_on = everybody.now.date().isoformat()
    change = {"said": "Slow to ring back", "source": "feedback", "said_on": said_on}
    assert await quinn.post("/changes", change | {"did": "A second person rings"}) == 200
    assert await quinn.get("/feedback") == 200
    assert "A second person rings" in quinn.text


async def test_an_incident_is_logged_and_told(everybody: World, arrive: Arrive) -> None:
    wasim = await arrive(everybody, "wasim")
    told = {"kind": "lone_working", "what": "Followed to the car"}
    assert await wasim.post("/incidents", told | {"what": ""}) == 400
    assert await wasim.post("/incidents", told) == 200
    assert "A lead tells them" in wasim.text
    (found,) = await everybody.all(Incident)
    assert isinstance(found, Incident)
    leonie = await arrive(everybody, "leonie")
    at = f"/incidents/{found.reference}"
    assert await leonie.get(at) == 200
    assert await leonie.post(f"{at}/notices/1", {"whom": "Me", "how": ""}) == 400
    assert await leonie.post(f"{at}/notices/1", {"whom": "Me", "how": "telephone"}) == 200
    assert await leonie.post(f"{at}/entries", {"kind": "closed"}) == 409
    assert await leonie.post(f"{at}/entries", {"kind": "reviewed", "words": "Seen."}) == 200
    assert await leonie.post(f"{at}/entries", {"kind": "closed"}) == 200
    assert "stays in the register" in leonie.text
