"""Two councils in one house: which of them a message is for, by each way there is, and what happens
to one that has no number of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from helpline.desk import intake, linking, webform
from helpline.engine.routing import ways
from helpline.errors import InvalidInput
from helpline.main import build
from helpline.models import Address, Case, Contact, Deadline, InboundItem, OutMessage, Person
from helpline.settings import Settings
from helpline.vocabulary import OutState
from tests import databases, folders
from tests.keys import TEST_KEY
from tests.web.conftest import Arrive
from tests.world import DUTY_PHONE, OUR_NUMBER, STRANGER, World, opened_world

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
