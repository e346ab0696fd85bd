"""Safe contact, cases written down by hand, and joining records: through their pages."""

import re

from helpline.models import Case, Merge
from tests.web.conftest import Arrive
from tests.world import CARER, STRANGER, World


async def test_what_is_agreed_is_held_to_from_then_on(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "about tax")
    path = f"/cases/{(await world.case_of(CARER)).reference}"
    guest = await arrive(world, "wasim")
    assert await guest.get(f"{path}/safety") == 200
    form = {"begins": "09:00", "ends": "15:00", "code_name": "Aunt May", "neutral_only": "yes"}
    assert await guest.post(f"{path}/safety", form) == 200
    assert "From now on we hold to what was agreed." in guest.text
    assert "As they asked" in guest.text
    await guest.post(f"{path}/replies", {"text": "Yes you can."})
    await world.forward(hours=8)
    assert world.texts_to(CARER)[-1].startswith("Aunt May: you have a message waiting.")


async def test_half_a_span_is_refused_and_what_was_typed_stays(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "about tax")
    path = f"/cases/{(await one_world.case_of(CARER)).reference}/safety"
    guest = await arrive(one_world, "wasim")
    await guest.get(path)
    assert await guest.post(path, {"begins": "09:00", "code_name": "Aunt May"}) == 400
    assert "Give both times" in guest.text
    assert 'value="Aunt May"' in guest.page


async def test_a_visit_is_written_down_and_becomes_a_case(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, "wasim")
    assert await guest.get("/new-case") == 200
    form = {"channel": "face_to_face", "happened_at": "2026-11-02T20:15", "who": "FC1001"}
    form |= {"text": "Met at the coffee morning, asks about respite.", "reason": "placements"}
    assert await guest.post("/new-case", form) == 200
    assert "The case is written down" in guest.text
    assert "Carol Ashby" in guest.text
    assert "Answer: due in 18 h, today 20:15" in guest.text


async def test_an_empty_new_case_says_what_is_missing_and_stores_nothing(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    await guest.get("/new-case")
    assert await guest.post("/new-case", {"channel": "letter", "who": "Jo Pell"}) == 400
    assert "Write what it is about" in guest.text
    assert 'value="Jo Pell"' in guest.page
    assert await one_world.count(Case) == 0


async def test_records_are_joined_with_a_reason_and_parted_again(
    world: World, arrive: Arrive
) -> None:
    await world.member("Carol Ashbey", "FC2001", STRANGER)
    await world.sms(CARER, "about tax")
    await world.sms(STRANGER, "about tax too")
    into, other = (await world.case_of(CARER)).person_id, (await world.case_of(STRANGER)).person_id
    guest = await arrive(world, "wasim")
    assert await guest.get(f"/people/{into}") == 200
    assert "a like name at the same postcode" in guest.text
    form = {"other": str(other), "reason": ""}
    assert await guest.post(f"/people/{into}/merges", form) == 400
    assert "Say how you know" in guest.text
    assert await guest.post(f"/people/{into}/merges", form | {"reason": "She said so."}) == 200
    assert (await world.case_of(STRANGER)).person_id == into
    (joined,) = await world.all(Merge)
    assert await guest.post(f"/people/{into}/merges/{joined.id}/undoing") == 200
    assert (await world.case_of(STRANGER)).person_id == other


async def test_a_person_who_is_not_there_is_not_found(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "wasim")
    for path in ("/people/999999", "/people/x", "/people/99999999999999999999"):
        assert await guest.get(path) == 404


async def test_a_code_for_telegram_is_shown_once_and_works(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "about tax")
    person_id = (await world.case_of(CARER)).person_id
    guest = await arrive(world, "wasim")
    for page, chat in ((f"/people/{person_id}", "777000111"), ("/account", "777000222")):
        await guest.get(page)
        assert await guest.post(f"{page}/telegram") == 200
        code = re.search(r"\b[B-DF-HJ-NP-TV-XZ2-9]{8}\b", guest.text)
        assert code is not None
        await world.telegram(chat, code[0])
        assert "now yours" in world.telegram_network.on(chat)[-1].text
        await guest.get(page)
        assert code[0] not in guest.text


async def test_a_sender_of_adverts_is_blocked_for_a_day_with_a_reason(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(STRANGER, "buy my watches")
    path = f"/cases/{(await one_world.case_of(STRANGER)).reference}"
    guest = await arrive(one_world, "wasim")
    await guest.get(path)
    assert await guest.post(f"{path}/block", {"hours": "24", "block_reason": ""}) == 400
    assert "Say why" in guest.text
    assert await guest.post(f"{path}/block", {"hours": "24", "block_reason": "adverts"}) == 200
    assert "Not answered automatically until tomorrow 02:15" in guest.text
    assert await guest.post(f"{path}/block", {"hours": "0"}) == 200
    assert "Not answered automatically until" not in guest.text
