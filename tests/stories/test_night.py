"""What a carer meets at two in the morning besides an emergency, as stories."""

from tests.world import DUTY_PHONE, STRANGER, World


async def test_the_police_at_the_door_wake_the_duty_worker_and_stay_urgent(world: World) -> None:
    await world.sms(STRANGER, "the police arrested me and took my phone")

    assert (await world.case_of(STRANGER)).urgency == "urgent"
    (page,) = world.texts_to(DUTY_PHONE)
    assert "RED" in page
    assert "police" not in page.lower()
    await world.sms(STRANGER, "police are still here")
    assert len(world.texts_to(DUTY_PHONE)) == 1  # one page for one fright
