"""The pages of a case that is kept to few, opened in an emergency, and of who read what."""

from helpline.desk import cases, restricting
from helpline.rules.permissions import ALLOWED, COMMANDS
from tests.web.conftest import Arrive
from tests.world import CARER, World

WHY = "she rang and says he is at the door with a knife"


async def kept_to_sefa(world: World) -> str:
    await world.sms(CARER, "Please ring me")
    sefa = await world.known("sefa")
    async with world.house.db.write() as session:
        reference = (await world.case_of(CARER)).reference
        case = await cases.find_case(session, sefa, reference)
        await restricting.keep_to(session, case, [sefa.user_id], "a friend", sefa, world.now)
    return reference


async def test_a_typed_reason_opens_it_and_somebody_else_looks(
    everybody: World, arrive: Arrive
) -> None:
    reference = await kept_to_sefa(everybody)
    wasim, sefa = await arrive(everybody, "wasim"), await arrive(everybody, "sefa")
    assert await wasim.get(f"/cases/{reference}") == 404
    await wasim.get("/emergency")
    assert await wasim.post("/emergency", {"asked": "", "why": WHY}) == 400
    assert WHY in wasim.page  # nothing typed is lost
    assert await wasim.post("/emergency", {"asked": "ESX-000000", "why": WHY}) == 404
    nothing_there = wasim.text.replace("ESX-000000", "")
    assert await wasim.post("/emergency", {"asked": reference, "why": "999"}) == 400
    assert "Say in a sentence what the emergency is" in wasim.text
    assert await wasim.post("/emergency", {"asked": reference, "why": WHY}) == 200
    assert wasim.path == f"/cases/{reference}"
    assert "Opened in an emergency, though it is shut to them" in wasim.text
    assert await wasim.post(f"/cases/{reference}/closure", {"outcome": "resolved"}) == 404
    assert await wasim.get("/emergencies") == 403
    await sefa.get("/emergencies")
    assert WHY in sefa.text
    assert await sefa.post("/emergencies/1", {}) == 400
    assert "Choose whether it was right" in sefa.text
    assert await sefa.post("/emergencies/1", {"was_right": "yes", "words": "yes"}) == 200
    assert "says Sefa, today 02:15" in sefa.text
    await sefa.get(f"/cases/{reference}/restriction")
    assert WHY in sefa.text
    await everybody.forward(minutes=61)
    assert await wasim.get(f"/cases/{reference}") == 404
    assert "There is no such case, or it cannot be opened this way" in nothing_there


async def test_a_lead_keeps_a_case_to_few_on_its_own_tab(everybody: World, arrive: Arrive) -> None:
    await everybody.sms(CARER, "Please ring me")
    reference = (await everybody.case_of(CARER)).reference
    leonie, sefa = await arrive(everybody, "leonie"), await everybody.known("sefa")
    tab = f"/cases/{reference}/restriction"
    await leonie.get(tab)
    assert (
        await leonie.post(f"{tab}/people", {"who": str(everybody.lead.user_id), "why": ""}) == 400
    )
    assert "Say why it is kept to so few" in leonie.text
    form = [("who", str(sefa.user_id)), ("who", str(everybody.lead.user_id)), ("why", "a friend")]
    assert await leonie.post(f"{tab}/people", form) == 200
    assert "From now on only they see it" in leonie.text
    wasim = await arrive(everybody, "wasim")
    assert await wasim.get(f"/cases/{reference}") == 404
    assert await leonie.post(f"{tab}/end") == 200
    assert await wasim.get(f"/cases/{reference}") == 200


async def test_whoever_asks_gets_a_sheet_with_days_and_names(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me")
    case = await everybody.case_of(CARER)
    wasim = await arrive(everybody, "wasim")
    await wasim.get(f"/cases/{case.reference}")
    await wasim.get(f"/people/{case.person_id}")
    assert f"/people/{case.person_id}/readers" in wasim.page
    assert await wasim.get(f"/people/{case.person_id}/readers") == 200
    assert await wasim.post(f"/people/{case.person_id}/readers", {}) == 400
    assert await wasim.post(f"/people/{case.person_id}/readers", {"how": "telephone"}) == 200
    assert f"3 November 2026, 02:15 Wasim support worker {case.reference}: read it" in wasim.text


async def test_the_whole_table_can_be_read(everybody: World, arrive: Arrive) -> None:
    ada = await arrive(everybody, "ada")
    assert await ada.get("/permissions") == 200
    assert not [line.says for line in ALLOWED.values() if line.says not in ada.text]
    assert not [name for name in COMMANDS if f"helpline {name}" not in ada.text]
