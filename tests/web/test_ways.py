"""The ways by which each is asked, as pages: one's own order, a test that really goes out, and who
may look after whom."""

import re

from helpline.models import Alert, Event, OutMessage, User
from helpline.sealing import ring
from tests.web.conftest import Arrive
from tests.world import DUTY_PHONE, WORKER_PHONE, World


async def user(world: World, name: str) -> User:
    (found,) = await world.all(User, User.name == name)
    assert isinstance(found, User)
    return found


async def test_ones_own_order_is_changed_without_script(one_world: World, arrive: Arrive) -> None:
    wasim = await arrive(one_world, "wasim")
    await wasim.get("/account")
    shown = [wasim.text.index(name) for name in ("Telegram", "Text message", "Telephone call")]
    assert shown == sorted(shown)
    assert await wasim.post("/account/ways", {"means": "sms", "step": "up"}) == 200
    assert (await user(one_world, "wasim")).means == "sms,telegram,voice,email"
    assert "The order is changed" in wasim.text
    await wasim.post("/account/ways", {"means": "sms", "step": "up"})  # it is first already
    assert (await user(one_world, "wasim")).means == "sms,telegram,voice,email"
    assert await wasim.post("/account/ways", {"means": "pigeon", "step": "up"}) == 400
    assert await wasim.post("/account/ways", {"means": "sms", "step": "away"}) == 400


async def test_a_test_goes_through_the_real_outbox_and_shows_what_was_answered(
    one_world: World, arrive: Arrive
) -> None:
    wasim = await arrive(one_world, "wasim")
    await wasim.get("/account")
    assert await wasim.post("/account/test") == 200
    await one_world.settle()
    (text,) = one_world.texts_to(WORKER_PHONE)
    assert text.startswith("Helpline TEST BLUE. Reply ")
    await wasim.get("/account")
    assert "not answered" in wasim.text
    await one_world.sms(WORKER_PHONE, text.split("Reply ")[1][:4])
    await wasim.get("/account")
    assert "arrived and answered" in wasim.text and "not answered" not in wasim.text
    await one_world.forward(hours=3)
    assert len(one_world.texts_to(DUTY_PHONE)) == 0  # a test climbs no ladder
    assert await wasim.get("/inbox") == 200 and "TEST" not in wasim.text


async def test_tests_are_not_sent_one_after_the_other(one_world: World, arrive: Arrive) -> None:
    wasim = await arrive(one_world, "wasim")
    await wasim.get("/account")
    await wasim.post("/account/test")
    assert await wasim.post("/account/test") == 409
    assert "Give it two minutes" in wasim.text
    assert await one_world.count(OutMessage) == await one_world.count(Alert) == 1


async def test_a_test_keeps_no_real_alert_waiting(one_world: World, arrive: Arrive) -> None:
    dilys = await arrive(one_world, "dilys")
    await dilys.get("/account")
    await one_world.sms("+447700900456", "can I claim council tax reduction")
    await one_world.forward(hours=11, minutes=59)
    await dilys.post("/account/test", token=dilys.csrf)
    if dilys.status in (401, 403):  # signed out by the hours that passed
        await dilys.sign_in("dilys")
        await dilys.get("/account")
        await dilys.post("/account/test")
    await one_world.forward(minutes=1)
    texts = one_world.texts_to(DUTY_PHONE)
    assert ["TEST" in text for text in texts] == [True, False]


async def test_a_lead_sees_who_is_reached_in_one_way_only_and_adds_a_second(
    everybody: World, arrive: Arrive
) -> None:
    leonie = await arrive(everybody, "leonie")
    await leonie.get("/users")
    assert "Reached in fewer than two ways" in leonie.text
    assert "Add somebody" not in leonie.text and "End access" not in leonie.text
    wasim = await user(everybody, "wasim")
    form = {"mobile": "07700 900 903", "email": "Wasim@Helpline.example"}
    assert await leonie.post(f"/users/{wasim.id}/addresses", form) == 200
    wasim = await user(everybody, "wasim")
    assert (wasim.mobile, wasim.email) == (WORKER_PHONE, "wasim@helpline.example")
    assert wasim.email_index == ring().index("address:email", "wasim@helpline.example")
    event = (await everybody.all(Event, Event.kind == "user.addresses_set"))[-1]
    assert isinstance(event, Event) and "wasim@" not in str(event.detail)


async def test_a_new_number_is_no_bad_one(everybody: World, arrive: Arrive) -> None:
    ada = await arrive(everybody, "ada")
    await ada.get("/users")
    async with everybody.house.db.write() as session:
        wasim = await session.get(User, everybody.worker.user_id)
        assert wasim is not None
        wasim.bad_since = wasim.opted_out_at = everybody.now
    path = f"/users/{everybody.worker.user_id}/addresses"
    await ada.post(path, {"mobile": WORKER_PHONE, "email": ""})
    assert (await user(everybody, "wasim")).opted_out_at is not None
    await ada.post(path, {"mobile": "07700900999", "email": ""})
    changed = await user(everybody, "wasim")
    assert changed.mobile == "+447700900999"
    assert changed.bad_since is None and changed.opted_out_at is None


async def test_what_is_no_address_is_refused_with_words(everybody: World, arrive: Arrive) -> None:
    ada = await arrive(everybody, "ada")
    await ada.get("/users")
    path = f"/users/{everybody.worker.user_id}/addresses"
    assert await ada.post(path, {"mobile": "ring me", "email": ""}) == 400
    assert "not a telephone number" in ada.text
    for wrong in ("wasim", "a@b", "a b@c.example", "a@c.example, d@e.example"):
        assert await ada.post(path, {"mobile": "", "email": wrong}) == 400
        assert "not an e-mail address" in ada.text
    assert (await user(everybody, "wasim")).mobile == WORKER_PHONE


async def test_others_are_set_by_leads_and_administrators_alone(
    everybody: World, arrive: Arrive
) -> None:
    dilys = await arrive(everybody, "dilys")
    await dilys.get("/account")
    path = f"/users/{everybody.worker.user_id}"
    assert await dilys.post(f"{path}/ways", {"means": "sms", "step": "up"}) == 403
    assert await dilys.post(f"{path}/addresses", {"mobile": "", "email": ""}) == 403
    ada = await arrive(everybody, "ada")
    await ada.get("/users")
    assert await ada.post(f"{path}/ways", {"means": "sms", "step": "up"}) == 200
    assert (await user(everybody, "wasim")).means == "sms,telegram,voice,email"
    ids = re.findall(r'id="(user-\d+)"', ada.page)
    assert len(ids) == len(set(ids)) == 7
