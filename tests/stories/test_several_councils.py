"""Two councils in one house: which of them a message is for, by each way there is, and what happens
to one that has no number of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text
from sqlmodel import col

from helpline.desk import intake, linking, lists, webform
from helpline.engine.routing import ways
from helpline.errors import InvalidInput
from helpline.main import build
from helpline.models import (
    Address,
    Alert,
    Case,
    Contact,
    Deadline,
    InboundItem,
    OutMessage,
    Person,
    Shift,
)
from helpline.sealing import KeyRing
from helpline.settings import Settings
from helpline.vocabulary import OutState, Role
from tests import databases, folders
from tests.keys import TEST_KEY
from tests.web.conftest import Arrive
from tests.world import DUTY_PHONE, LEAD_PHONE, OUR_NUMBER, STRANGER, World, opened_world

THEIRS = "+447700900003"
CHAT = "880001"


@pytest.fixture
async def two(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[World]:
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    numbers = f"essex={OUR_NUMBER},stoke={THEIRS}"
    folder = folders.only("essex", "stoke")
    async with opened_world(url, contracts=folder, numbers=numbers) as world:
        set_to(world, telegram_contract="essex")
        await world.on_call(world.duty, contract="stoke")
        yield world


def set_to(world: World, **values: str) -> None:
    settings = world.house.settings.model_copy(update=values)
    object.__setattr__(world.house, "settings", settings)


async def contracts_of_cases(world: World) -> list[str]:
    return [one.contract for one in await world.all(Case) if isinstance(one, Case)]


# --- telephone ------------------------------------------------------------------------------------


async def test_one_telephone_that_texts_two_councils_is_two_people_and_two_cases(
    two: World,
) -> None:
    await two.sms(STRANGER, "hello, is this the right place")
    await two.sms(STRANGER, "and you, can you help", to=THEIRS)
    assert await contracts_of_cases(two) == ["essex", "stoke"]
    first, second = await two.all(Address, Address.channel == "sms", ~Address.from_register)
    assert first.person_id != second.person_id  # type: ignore[attr-defined]
    (one, other) = await two.all(Contact, Contact.direction == "in")
    assert one.case_id != other.case_id  # type: ignore[attr-defined]


async def test_without_a_number_its_people_are_not_texted_from_anothers(two: World) -> None:
    """Their answer would be the other council's. A worker is asked to reach them another way."""
    await two.sms(STRANGER, "can we talk about nights", to=THEIRS)
    set_to(two, twilio_numbers=f"essex={OUR_NUMBER}")
    before = len(two.texts_to(STRANGER))
    await two.reply(STRANGER, "Yes. I ring you at three.")
    assert len(two.texts_to(STRANGER)) == before
    (last,) = (await two.all(OutMessage, OutMessage.address_id.is_not(None)))[-1:]
    assert (last.state, last.code) == (OutState.FAILED, "no channel")  # type: ignore[attr-defined]
    assert "reach_another_way" in await two.tasks(STRANGER)


async def test_without_a_number_an_emergency_still_reaches_who_is_on_call(two: World) -> None:
    set_to(two, twilio_numbers=f"essex={OUR_NUMBER}")
    form = webform.Form(message="he says he has taken all his tablets")
    await two.house.inbox.keep(webform.pack(form, "a" * 32, "stoke"), two.now)
    await two.settle()
    assert await contracts_of_cases(two) == ["stoke"]
    assert any("PURPLE" in text for text in two.texts_to(DUTY_PHONE))


# --- Telegram: one bot for all --------------------------------------------------------------------


async def test_whoever_follows_a_councils_link_to_the_bot_is_theirs_from_then_on(
    two: World,
) -> None:
    await two.telegram(CHAT, "/start stoke")
    await two.telegram(CHAT, "could somebody ring the house")
    assert await contracts_of_cases(two) == ["stoke"]
    assert await two.count(InboundItem) == 2


async def test_whoever_says_nothing_is_the_settings_and_changes_by_a_link(two: World) -> None:
    await two.telegram(CHAT, "hello")
    await two.telegram(CHAT, "/start stoke")
    await two.telegram(CHAT, "I meant you")
    await two.telegram("880002", "/start atlantis")
    assert await contracts_of_cases(two) == ["essex", "stoke", "essex"]


async def test_a_code_that_a_worker_read_out_ties_the_chat_to_that_workers_council(
    two: World,
) -> None:
    await two.sms(STRANGER, "could I write by Telegram", to=THEIRS)
    case = await two.case_of(STRANGER)
    async with two.house.db.write() as session:
        person = await session.get(Person, case.person_id)
        assert person is not None
        code = await linking.make_code_for_person(session, person, two.worker, two.now)
    await two.telegram(CHAT, f"/start {code}")
    (address,) = await two.all(Address, Address.channel == "telegram")
    assert (address.contract, address.person_id) == ("stoke", person.id)  # type: ignore[attr-defined]


def test_a_bot_for_several_must_know_whose_a_stranger_is() -> None:
    bot = {"telegram_token": "1:a", "telegram_secret": "s"}
    folder = folders.only("essex", "stoke")
    with pytest.raises(InvalidInput, match="HELPLINE_TELEGRAM_CONTRACT must say"):
        build(Settings(keys=TEST_KEY, contracts=folder, **bot))
    with pytest.raises(InvalidInput, match="HELPLINE_TELEGRAM_CONTRACT names"):
        build(Settings(keys=TEST_KEY, contracts=folder, telegram_contract="kent", **bot))


# --- our own pages --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/contact", "/chat"])
async def test_whoever_comes_without_a_council_chooses_one_and_says_nothing_else(
    two: World, arrive: Arrive, path: str
) -> None:
    guest = await arrive(two, None)
    assert await guest.get(path) == 200
    for contract in two.house.contracts.values():
        assert contract.council_full in guest.text
        assert contract.called.choose in guest.text
        assert contract.freephone
        assert contract.freephone.number in guest.text
        assert f'href="{path}?contract={contract.key}"' in guest.page
    assert "<input" not in guest.page
    assert "999" in guest.text


async def test_an_address_for_a_leaflet_leads_to_one_council(two: World, arrive: Arrive) -> None:
    guest = await arrive(two, None)
    assert await guest.get("/contact?for=stoke") == 200
    assert "Stoke-on-Trent care givers' helpline" in guest.text
    assert "Essex" not in guest.text
    assert await guest.get("/contact?for=atlantis") == 404
    form = {"message": "could we talk about nights", "id": "b" * 32}
    assert await guest.post("/contact?for=stoke", form) == 200
    await two.settle()
    assert await contracts_of_cases(two) == ["stoke"]


async def test_a_form_that_says_no_council_is_not_sent_to_any(two: World, arrive: Arrive) -> None:
    guest = await arrive(two, None)
    await guest.get("/contact?for=stoke")
    await guest.post("/contact", {"message": "hello", "id": "c" * 32})
    assert "Choose the council" in guest.text
    assert await two.count(InboundItem) == 0


async def test_what_cannot_be_read_lies_in_the_tray_of_whom_the_chat_spoke_with(two: World) -> None:
    await two.telegram(CHAT, "/start stoke")
    await two.telegram(CHAT, "could somebody ring the house")
    async with two.house.db.write() as session:
        items = (await session.scalars(select(InboundItem).order_by(col(InboundItem.id)))).all()
        await intake.set_aside(session, ways(two.house), items[-1], "unreadable")
    (clock,) = await two.all(Deadline, Deadline.case_id.is_(None))
    assert clock.contract == "stoke"  # type: ignore[attr-defined]


# --- what came to no council's number -------------------------------------------------------------

NOBODYS = "+447700900009"


async def test_what_came_to_no_councils_number_waits_for_leads_and_is_given(
    two: World, arrive: Arrive
) -> None:
    """Whose words they are nobody knows: a lead of either council reads them and says whose, and
    somebody who works for one council alone does not."""
    await two.hire("Tessa", Role.WORKER, "+447700900906", contract="stoke")
    await two.hire("Stanley", Role.LEAD, None, contract="stoke")
    await two.sms(STRANGER, "who can talk with me about nights", to=NOBODYS)
    assert await two.count(Case) == 0
    assert "UNPLACED BLUE" in two.texts_to(DUTY_PHONE)[0]
    (clock,) = await two.all(Deadline)
    assert clock.started_at == two.now and clock.item_id  # type: ignore[attr-defined]

    tessa = await arrive(two, "tessa")
    await tessa.get("/tray")
    assert "about nights" not in tessa.text and "The tray is empty" in tessa.text
    assert await tessa.post("/tray/1/contract", {"contract": "stoke"}) == 409
    assert await tessa.post("/tray/1/clearance") == 409
    for name in ("stanley", "leonie", "wasim"):
        guest = await arrive(two, name)
        await guest.get("/tray")
        assert "about nights" in guest.text and "belongs to no council" in guest.text, name

    assert await guest.post("/tray/1/contract", {"contract": "kent"}) == 400
    assert "Choose the council that it is for" in guest.text and "about nights" in guest.text
    stanley = await arrive(two, "stanley")
    assert await stanley.post("/tray/1/contract", {"contract": "stoke"}) == 200
    assert "It is a case there now" in stanley.text
    await two.settle()
    (case,) = await two.all(Case)
    assert (case.contract, case.opened_at) == ("stoke", clock.started_at)  # type: ignore[attr-defined]
    assert "Stoke" in two.texts_to(STRANGER)[-1]
    (alert,) = await two.all(Alert, Alert.reference == "UNPLACED")
    assert alert.ended_at is not None  # type: ignore[attr-defined]
    assert await stanley.post("/tray/1/contract", {"contract": "essex"}) == 409

    await two.sms(STRANGER, "are you still there", to=NOBODYS)  # whose it is is known by now
    assert await contracts_of_cases(two) == ["stoke"]
    assert await two.count(Contact) > 2


async def test_an_emergency_to_no_councils_number_is_one(two: World) -> None:
    await two.sms(STRANGER, "he says he has taken all his tablets", to=NOBODYS)
    assert "UNPLACED PURPLE" in two.texts_to(DUTY_PHONE)[0]


async def test_whoever_may_not_read_it_is_not_asked_about_it(two: World) -> None:
    """Tessa works for one council only: the ladder goes on to a lead, at once and when late."""
    await two.hire("Tessa", Role.WORKER, "+447700900906", contract="essex")
    tessa = await two.known("tessa")
    async with two.house.db.write() as session:
        await session.execute(delete(Shift))
    await two.on_call(tessa)
    await two.sms(STRANGER, "who can talk with me about nights", to=NOBODYS)
    await two.forward(hours=25)
    assert not two.texts_to("+447700900906")
    assert any("UNPLACED BLACK" in text for text in two.texts_to(LEAD_PHONE))
    async with two.house.db.read() as session:
        assert not await lists.open_alerts(session, tessa, ["essex"])
        assert await lists.open_alerts(session, two.lead, ["essex"])


async def test_what_no_key_opens_hides_nothing_else_of_the_tray(two: World, arrive: Arrive) -> None:
    await two.sms(STRANGER, "who can talk with me about nights", to=NOBODYS)
    await two.sms("+447700900777", "and with me about days", to=NOBODYS)
    lost = KeyRing([b"a key that went away, 32 letters"]).seal("inbound_item.sealed", "{}")
    async with two.house.db.write() as session:
        change = text("UPDATE inbound_item SET sealed = :lost WHERE id = 1")
        await session.execute(change, {"lost": lost})
    guest = await arrive(two, "leonie")
    assert await guest.get("/tray") == 200
    assert "about days" in guest.text and "could not be read" in guest.text
