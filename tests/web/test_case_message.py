"""A message that belongs elsewhere: a worker who sees it moves it to its case, or says that what
comes from there is somebody else's from now on."""

from helpline.engine.searching import read_for_search
from helpline.models import Attachment, Case, Contact
from tests.web.conftest import Arrive
from tests.world import CARER, STRANGER, World


async def test_a_message_moves_to_the_case_it_belongs_to(one_world: World, arrive: Arrive) -> None:
    await one_world.sms(CARER, "about tax")
    await one_world.sms(STRANGER, "tell Carol the zebra crossing is closed")
    there, here = await one_world.case_of(CARER), await one_world.case_of(STRANGER)
    (message,) = await one_world.all(Contact, Contact.case_id == here.id, Contact.direction == "in")
    assert isinstance(message, Contact)
    async with one_world.house.db.write() as session:
        file = {"contract": "essex", "channel": "sms", "key": "k", "state": "kept"}
        session.add(Attachment(**file, size=9, case_id=here.id, contact_id=message.id))
    await read_for_search(one_world.house)
    guest = await arrive(one_world, "wasim")
    await guest.get(f"/cases/{here.reference}")
    at = f"/cases/{here.reference}/messages/{message.id}"
    assert f'href="{at}"' in guest.page
    assert await guest.get(at) == 200 and "zebra crossing" in guest.text
    assert await guest.post(f"{at}/case", {"other": ""}) == 400
    assert "Give the reference of the other case." in guest.text
    assert await guest.post(f"{at}/case", {"other": here.reference}) == 400
    assert await guest.post(f"{at}/case", {"other": there.reference}) == 200
    assert guest.path == f"/cases/{there.reference}"
    assert "zebra crossing" in guest.text and "A message was moved here" in guest.text
    assert await guest.get(at) == 404
    (moved,) = await one_world.all(Contact, Contact.id == message.id)
    (kept,) = await one_world.all(Attachment)
    assert isinstance(moved, Contact) and isinstance(kept, Attachment)
    assert (moved.case_id, moved.person_id) == (there.id, there.person_id)
    assert kept.case_id == there.id
    await guest.post("/search", {"asked": "zebra"})
    assert there.reference in guest.text and here.reference not in guest.text


async def test_somebody_else_writes_from_that_telephone_now(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "about tax")
    first = await one_world.case_of(CARER)
    (message, *_) = await one_world.all(Contact, Contact.direction == "in")
    assert isinstance(message, Contact)
    guest = await arrive(one_world, "wasim")
    at = f"/cases/{first.reference}/messages/{message.id}"
    await guest.get(at)
    assert "Text message, 07700 900123" in guest.text
    assert await guest.post(f"{at}/own-case") == 400
    assert "Choose where it comes from." in guest.text
    address = guest.page.split('name="address" type="radio" value="')[1].split('"')[0]
    assert await guest.post(f"{at}/own-case", {"address": address}) == 200
    assert "from now on gets a case of its own" in guest.text
    assert await guest.post(f"{at}/own-case", {"address": address}) == 404
    await one_world.sms(CARER, "now something quite different")
    assert (await one_world.case_of(CARER)).id != first.id
    assert await one_world.count(Case) == 2
