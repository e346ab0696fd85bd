"""The list of blocks in the console: masked, lifted or extended with a reason, typed words kept."""

from datetime import timedelta

from helpline.desk import blocks
from helpline.models import Block
from tests.web.conftest import Arrive
from tests.world import STRANGER, World


async def blocked(world: World) -> int:
    await world.sms(STRANGER, "buy my watches")
    case = await world.case_of(STRANGER)
    async with world.house.db.write() as session:
        made = await blocks.block(
            session, case, "adverts", timedelta(hours=20), world.lead, world.now
        )
    assert made.id is not None
    return made.id


async def test_a_lead_sees_who_why_and_until_when_and_no_number(
    everybody: World, arrive: Arrive
) -> None:
    guest = await arrive(everybody, "leonie")
    await guest.get("/blocks")
    assert "Nobody is blocked" in guest.text
    await blocked(everybody)
    await guest.get("/blocks")
    assert "Look at again" in guest.text and "adverts" in guest.text and "…456" in guest.text
    assert STRANGER not in guest.page and "900456" not in guest.page
    assert f'href="/cases/{(await everybody.case_of(STRANGER)).reference}"' in guest.page


async def test_an_administrator_sees_no_way_into_the_case(everybody: World, arrive: Arrive) -> None:
    await blocked(everybody)
    guest = await arrive(everybody, "ada")
    await guest.get("/blocks")
    assert "adverts" in guest.text and 'href="/cases/' not in guest.page


async def test_without_a_reason_it_stays_and_the_page_says_so(
    everybody: World, arrive: Arrive
) -> None:
    block_id = await blocked(everybody)
    guest = await arrive(everybody, "leonie")
    assert await guest.post(f"/blocks/{block_id}/end", {"reason": ""}, follow=False) == 400
    assert "Say why they are to be answered again." in guest.text
    typed = {"reason": "still at it", "hours": "999"}
    assert await guest.post(f"/blocks/{block_id}/extension", typed, follow=False) == 400
    assert "at most a week" in guest.text and 'value="still at it"' in guest.page
    for hours in ("", "x", "-1", "٣", "99999999999999"):
        wrong = {"reason": "x", "hours": hours}
        assert await guest.post(f"/blocks/{block_id}/extension", wrong, follow=False) == 400


async def test_it_is_lifted_once(everybody: World, arrive: Arrive) -> None:
    block_id = await blocked(everybody)
    guest = await arrive(everybody, "leonie")
    await guest.post(f"/blocks/{block_id}/extension", {"reason": "still", "hours": "72"})
    assert "It goes on." in guest.text and "still" in guest.text
    (_, longer) = await everybody.all(Block)
    assert isinstance(longer, Block)
    await guest.post(f"/blocks/{longer.id}/end", {"reason": "enough"})
    assert "Lifted" in guest.text and "Nobody is blocked" in guest.text
    assert await guest.post(f"/blocks/{longer.id}/end", {"reason": "again"}, follow=False) == 409
