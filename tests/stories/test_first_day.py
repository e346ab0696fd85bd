"""The first day: somebody sets a helpline up, and tries it from their own phone before any carer
does."""

import re
from dataclasses import replace
from pathlib import Path

from bots.sms import Sms
from helpline.models import Case, Contact, Event, Person, Trial
from helpline.vocabulary import Role
from tests import databases
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import DUTY_PHONE, LEAD_PHONE, OUR_NUMBER, STRANGER, World, opened_world


def word_on(page: str) -> str:
    found = re.search(r"TRY \d{3} \d{3}", page)
    assert found, page
    return found[0]


async def test_a_test_message_to_oneself_goes_the_whole_way_and_counts_nowhere(
    world: World, arrive: Arrive
) -> None:
    leonie = await arrive(world, "leonie")
    before = [await world.count(table) for table in (Case, Person, Contact)]
    assert await leonie.get("/start") == 200
    assert "Not live yet" in leonie.text and "A test text" in leonie.text
    form = {"contract": "essex", "channel": "sms"}
    assert await leonie.post("/start/trials", form) == 200
    word = word_on(leonie.text)
    assert "07700 900000" in leonie.text and "every 2s" in leonie.page

    await world.sms(LEAD_PHONE, f" {word.lower().replace('try ', 'Try')}. ")  # as thumbs write
    told = world.texts_to(LEAD_PHONE)
    assert len(told) == 1 and "heard your test" in told[0]
    assert await leonie.get("/start/trials?contract=essex") == 200
    assert leonie.page.count("hl-start__step--done") >= 3, leonie.text
    assert await leonie.get("/start") == 200
    assert "was kept, and its answer left" in leonie.text
    assert [await world.count(table) for table in (Case, Person, Contact)] == before

    # The same word again, a day later: answered, and still nobody's case.
    await world.forward(hours=24)
    await world.sms(STRANGER, word)
    assert "too old" in world.texts_to(STRANGER)[-1]
    assert [await world.count(table) for table in (Case, Person, Contact)] == before

    # Whoever writes more than a word, or a word that nobody was given, is a carer like any other.
    await world.sms(STRANGER, f"{word} he is not breathing")
    assert await world.count(Case) == before[0] + 1
    await world.sms("+447700900457", "try 000 000" if word != "TRY 000 000" else "try 000 001")
    assert await world.count(Case) == before[0] + 2
    kinds = [row.kind for row in await world.all(Event) if isinstance(row, Event)]
    assert kinds.count("trial.begun") == kinds.count("trial.heard") == 1


async def test_a_word_that_comes_to_another_number_is_no_proof(
    world: World, arrive: Arrive
) -> None:
    leonie = await arrive(world, "leonie")
    await leonie.post("/start/trials", {"contract": "essex", "channel": "sms"})
    word = word_on(leonie.text)
    await world.telegram("5550001", word)
    assert await leonie.get("/start") == 200
    assert "by another way than it was meant for" in leonie.text
    assert "was kept, and its answer left" not in leonie.text
    (trial,) = await world.all(Trial)
    assert isinstance(trial, Trial) and trial.heard_by == "telegram"


async def test_the_list_says_in_a_sentence_what_is_wrong_and_where_it_is_put_right(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.hire("Ada", Role.ADMIN)
    async with FakeTwilio() as twilio:
        number = {"phone_number": OUR_NUMBER, "sms_url": "https://old.example.org/hooks/sms"}
        twilio.numbers = [number]
        real = Sms(ACCOUNT_SID, AUTH_TOKEN, twilio.url)
        channels = {**one_world.house.channels, "sms": real}
        one_world.house = replace(one_world.house, channels=channels)
        try:
            await _look_through(await arrive(one_world, "ada"), number)
        finally:
            await real.close()


async def _look_through(ada: Visitor, number: dict[str, str]) -> None:
    assert await ada.get("/start") == 200
    for sentence in (
        "07700 900000 brings its texts to https://old.example.org/hooks/sms",
        "set its incoming messages to http://127.0.0.1:8080/hooks/sms, by POST",
        "127.0.0.1:8080 is this very machine",
        "No process is running",
        "keys check --copy",
        "There is no safeguarding lead",
        "These have a password only",
        "Nobody stands behind the first line",
        "No copy is made. Set HELPLINE_BACKUP_DIR",
        "Set HELPLINE_HEARTBEAT_URL",
        "Set HELPLINE_AUDIT_TO",
    ):
        assert sentence in ada.text, sentence
    assert "Next: Public address" in ada.text

    number["sms_url"] = "http://127.0.0.1:8080/hooks/sms"
    assert await ada.get("/start") == 200
    assert "brings its texts to https://old" in ada.text  # asked at most once a minute
    assert await ada.post("/start/asking", {"contract": "essex"}) == 200
    assert "is our provider's, and brings its texts here" in ada.text
    assert await ada.post("/start/trials", {"contract": "stoke", "channel": "sms"}) == 400
    assert await ada.post("/start/trials", {"contract": "essex", "channel": "post"}) == 400
    assert "Choose one of the ways" in ada.text
    assert DUTY_PHONE not in ada.text


async def test_whoever_opens_a_fresh_helpline_is_told_how_to_get_in(
    tmp_path: Path, sqlite_template: Path, arrive: Arrive
) -> None:
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    async with opened_world(url, is_empty=True) as fresh:
        guest = await arrive(fresh, None)
        assert await guest.get("/login") == 200
        assert "Nobody can sign in yet" in guest.text
        await fresh.hire("Ada", Role.ADMIN)
        assert await guest.get("/login") == 200
        assert "Nobody can sign in yet" not in guest.text
