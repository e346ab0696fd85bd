"""Who sent them and how deep our support goes are asked where membership is (A14, A29)."""

from tests.web.conftest import Arrive
from tests.world import CARER, World


async def test_the_newest_word_counts_and_the_earlier_stay(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "a question about the allowance")
    case = await one_world.case_of(CARER)
    guest = await arrive(one_world, "wasim")
    here = f"/cases/{case.reference}/standing"
    await guest.get(here)
    assert "Access to Resources Team</option>" in guest.page
    assert await guest.post(f"{here}/origin", {"source": "a friend"}) == 400
    assert "Choose from the list who sent them" in guest.text
    assert await guest.post(f"{here}/origin", {"source": "", "level": ""}) == 400
    first = {"source": "access_to_resources", "level": "advice"}
    assert await guest.post(f"{here}/origin", first) == 200
    assert await guest.post(f"{here}/origin", {"source": "", "level": "involvement"}) == 200
    assert 'value="access_to_resources" selected' in guest.page
    assert 'value="involvement" selected' in guest.page
    await guest.get(f"/cases/{case.reference}")
    assert "Sent by: Access to Resources Team" in guest.text
    assert "How deep our support goes: advice" in guest.text
    assert "How deep our support goes: involvement" in guest.text
