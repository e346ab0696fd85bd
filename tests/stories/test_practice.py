"""A new worker practises: nobody is real, each exercise looks at what was really done, and the real
helpline knows nothing of it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from helpline import seed
from helpline.desk import rota
from helpline.models import Allegation, Case, Notice
from helpline.rules.practice import EXERCISES
from helpline.vocabulary import Role
from tests import databases
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import World, opened_world


@pytest.fixture
async def practice(one_world: World) -> AsyncIterator[World]:
    """The same house as the practice helpline."""
    demo = one_world.house.demo
    assert demo is not None
    one_world.house = replace(one_world.house, demo=replace(demo, practice="essex"))
    await one_world.hire("Sefa", Role.SAFEGUARDING)
    yield one_world


async def begun(guest: Visitor, code: str) -> str:
    """The reference of the case that the exercise brought."""
    assert await guest.post(f"/practice/exercises/{code}") == 200, guest.text
    found = re.search(r"/cases/([A-Z0-9-]+)", guest.page)
    assert found, guest.text
    return found[1]


async def test_a_learner_takes_an_alert_and_is_told_what_was_good_and_what_is_missing(
    practice: World, arrive: Arrive
) -> None:
    guest = await arrive(practice, None)
    assert await guest.get("/practice") == 200
    assert "Practice: nobody is real here" in guest.text
    assert await guest.post("/practice", {"name": " "}) == 400
    assert "Say what we shall call you" in guest.text
    assert await guest.post("/practice", {"name": "Robin"}) == 200
    assert "The first takes two minutes" in guest.text and "Not begun" in guest.text

    reference = await begun(guest, "alert")
    await practice.settle()
    assert "Nobody has taken the alert" in guest.text and "Open the case" in guest.text
    assert await guest.get("/inbox") == 200
    found = re.search(r"/alerts/(\d+)/acknowledgement", guest.page)
    assert found and reference in guest.page
    assert await guest.post(f"/alerts/{found[1]}/acknowledgement") == 200
    assert await guest.get(f"/cases/{reference}") == 200
    assert "Practice: nobody is real here" in guest.text
    await guest.get("/practice/exercises/alert")
    assert "nothing is missing" in guest.text and "within ten minutes" in guest.text

    again = await begun(guest, "alert")  # begun anew: another carer, and nothing done
    assert again != reference and "Nobody has taken the alert" in guest.text
    somebody = await arrive(practice, None)  # each learner's progress is their own
    await somebody.post("/practice", {"name": "Kim"})
    assert "Not begun" in somebody.text and "of 3" not in somebody.text


async def test_a_reply_that_gives_it_away_is_noticed_and_one_that_does_not_is_praised(
    practice: World, arrive: Arrive
) -> None:
    guest = await arrive(practice, None)
    await guest.post("/practice", {"name": "Robin"})
    reference = await begun(guest, "emergency")
    await guest.get(f"/cases/{reference}")
    text = "Hello, it is Robin. Ring 999 now and tell them what he took. I am ringing you."
    assert await guest.post(f"/cases/{reference}/replies", {"text": text}) == 200, guest.text
    await guest.get("/practice/exercises/emergency")
    assert "You named 999." in guest.text and "You said who you are." in guest.text
    assert "Take the alert first" in guest.text

    await begun(guest, "handover")
    assert await guest.get("/inbox") == 200
    found = re.search(r"/rota/handovers/(\d+)", guest.page)
    assert found, guest.text
    reference = (await practice.all(Case))[-1].reference  # type: ignore[attr-defined]
    words = f"{reference} wants to be rung at eight, before the school run. She is very tired."
    assert await guest.post(f"/rota/handovers/{found[1]}/words", {"text": words}) == 200
    await guest.get("/practice/exercises/handover")
    assert "nothing is missing" in guest.text, guest.text


async def test_each_of_the_others_is_done_by_doing_it(practice: World, arrive: Arrive) -> None:
    guest = await arrive(practice, None)
    await guest.post("/practice", {"name": "Robin"})

    async def did(path: str, form: dict[str, str]) -> None:
        assert await guest.post(path, form) == 200, guest.text

    here = f"/cases/{await begun(guest, 'safe')}"
    await guest.get(f"{here}/safety")
    await did(f"{here}/safety", {"begins": "09:00", "ends": "15:00"})
    await did(f"{here}/replies", {"text": "Thank you for telling me. I will write at ten."})
    assert await whole(guest, "safe")

    here = f"/cases/{await begun(guest, 'worker')}"
    await guest.get(here)
    me = re.search(r'name="worker" value="(\d+)"', guest.page)
    reading = re.search(r"/readings/(\d+)", guest.page)
    assert me and reading
    await did(f"{here}/readings/{reading[1]}", {"urgency": "right"})
    await did(f"{here}/allocation", {"worker": me[1]})
    assert await whole(guest, "worker")

    here = f"/cases/{await begun(guest, 'call')}"
    call = {"direction": "out", "result": "spoke", "minutes": "10", "happened_at": ""}
    await did(f"{here}/calls", call | {"body": "Short."})
    assert not await whole(guest, "call") and "what they said" in guest.text
    said = "The visit upset both children. I ring again on Friday after school."
    await did(f"{here}/calls", call | {"body": said})
    assert await whole(guest, "call")

    here = f"/cases/{await begun(guest, 'allegation')}"
    case = (await practice.all(Case))[-1]
    assert isinstance(case, Case)
    told = {"person": str(case.person_id), "track": "allegation", "made_by": "not_told"}
    told |= {"words": "That she hit him", "whose_words": "carer", "type": "physical"}
    await did(f"{here}/pathway/entries", told | {"told_by": "Ms Ode", "track_said_by": "Ms Ode"})
    (entry,) = await practice.all(Allegation)
    for item in ("safe_now", "safe_contact", "ring_back"):
        await did(f"{here}/pathway/{entry.id}/ticks", {"item": item})  # type: ignore[attr-defined]
    notices = [one for one in await practice.all(Notice) if one.kind == "safeguarding_lead"]  # type: ignore[attr-defined]
    sent = {"to": "Sefa", "how": "telephone", "at": "", "words": "Told her what we know."}
    await did(f"{here}/duties/notices/{notices[0].id}/sending", sent)  # type: ignore[attr-defined]
    await did(f"{here}/replies", {"text": "I am Robin and I ring you in ten minutes."})
    assert await whole(guest, "allegation"), guest.text

    here = f"/cases/{await begun(guest, 'close')}"
    await did(f"{here}/replies", {"text": "I am glad. Write here whenever you need us."})
    await did(f"{here}/closure", {"support": "information", "outcome": "information_given"})
    assert await whole(guest, "close"), guest.text
    await guest.get("/practice/exercises")
    assert "5 of 8 done, Robin" in guest.text


async def whole(guest: Visitor, code: str) -> bool:
    assert await guest.get(f"/practice/exercises/{code}") == 200
    return "Well done: nothing is missing" in guest.text


async def test_what_the_command_sets_up_has_no_gap_and_the_last_shift_is_handed_over(
    tmp_path: Path, sqlite_template: Path, arrive: Arrive
) -> None:
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    async with opened_world(url, is_empty=True) as empty:
        demo = empty.house.demo
        assert demo is not None
        empty.house = replace(empty.house, demo=replace(demo, practice=seed.CONTRACT))
        await seed.sow_practice(empty.house)
        await seed.sow_practice(empty.house)  # once is enough
        async with empty.house.db.read() as session:
            week = empty.now + timedelta(days=7)
            assert await rota.gaps(session, seed.CONTRACT, empty.now, week) == []
        guest = await arrive(empty, None)
        await guest.post("/practice", {"name": "Robin"})
        await begun(guest, "handover")
        assert await guest.get("/inbox") == 200
        assert "/rota/handovers/" in guest.page


async def test_every_exercise_can_be_begun_and_has_its_words(
    practice: World, arrive: Arrive
) -> None:
    guest = await arrive(practice, None)
    await guest.post("/practice", {"name": "Robin"})
    for code, checks in EXERCISES.items():
        await begun(guest, code)
        assert "What you have done so far" in guest.text
        for name in checks:
            assert practice.house.wording.say(f"practice.{code}_{name}_good")
            assert practice.house.wording.say(f"practice.{code}_{name}_missing") in guest.text
    assert await guest.post("/practice/exercises/nothing") == 404
    assert await guest.get("/practice/exercises") == 200


async def test_the_real_helpline_has_no_practice(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "wasim")
    for path in ("/practice", "/practice/exercises", "/practice/exercises/alert"):
        assert await guest.get(path) == 404
    assert await guest.post("/practice", {"name": "Robin"}) == 404
    assert await guest.get("/inbox") == 200
    assert "nobody is real" not in guest.text
