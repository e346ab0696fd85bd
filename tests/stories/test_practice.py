"""A new worker practises: nobody is real, each exercise looks at what was really done, and the real
helpline knows nothing of it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from helpline.models import Case
from helpline.rules.practice import EXERCISES
from helpline.vocabulary import Role
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import World


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

    reference = await begun(guest, "worker")
    await guest.get(f"/cases/{reference}")
    await guest.post(f"/cases/{reference}/allocation", {"worker": ""})
    await guest.get("/practice/exercises/worker")
    assert "You opened the case." in guest.text

    await begun(guest, "handover")
    assert await guest.get("/inbox") == 200
    found = re.search(r"/rota/handovers/(\d+)", guest.page)
    assert found, guest.text
    reference = (await practice.all(Case))[-1].reference  # type: ignore[attr-defined]
    words = f"{reference} wants to be rung at eight, before the school run. She is very tired."
    assert await guest.post(f"/rota/handovers/{found[1]}/words", {"text": words}) == 200
    await guest.get("/practice/exercises/handover")
    assert "nothing is missing" in guest.text, guest.text


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
