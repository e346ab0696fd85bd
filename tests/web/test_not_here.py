"""Who asked not to be written to where they wrote from: the case says so in red above the reply."""

from tests.web.conftest import Arrive
from tests.world import STRANGER, World


async def test_the_reply_box_warns_of_who_may_read_it(one_world: World, arrive: Arrive) -> None:
    await one_world.sms(STRANGER, "pls dont text me here, my husband reads my phone")
    guest = await arrive(one_world, "wasim")
    await guest.get(f"/cases/{(await one_world.case_of(STRANGER)).reference}")

    assert "They asked not to be written to by text message: somebody may read it." in guest.text
    assert "As they asked" in guest.text
