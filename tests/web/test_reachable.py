"""The rota says whom alerts do not reach, and what to do."""

from tests.web.conftest import Arrive
from tests.world import DUTY_PHONE, World


async def test_the_rota_warns_of_a_shift_that_rings_no_phone(
    everybody: World, arrive: Arrive
) -> None:
    guest = await arrive(everybody, "leonie")
    await guest.get("/rota")
    assert "Not reached by alerts" not in guest.text
    await everybody.sms(DUTY_PHONE, "STOP")
    await guest.get("/rota")
    assert "Not reached by alerts" in guest.text
    assert "Dilys , on call now" in guest.text and "text START" in guest.text
    assert "give it to somebody else" in guest.text
    assert DUTY_PHONE not in guest.page
