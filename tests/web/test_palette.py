"""Commands by name offer what is open to whoever asks, and nothing that they must not know of."""

import json

import pytest
from sqlmodel import col

from helpline.desk import conflicts
from helpline.engine.searching import read_for_search
from helpline.models import Case
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from helpline.web.pages.palette import pages_for
from helpline.web.pages.search import LINES
from helpline.web.shortcuts import SHORTCUTS
from tests.web.conftest import Arrive
from tests.web.test_routes import WHO
from tests.world import CARER, World

LETTERS = dict(zip("WLSQCA", Role, strict=False))


@pytest.mark.parametrize("role", Role)
def test_every_page_on_offer_is_open_and_stands_there_once(role: Role) -> None:
    letter = next(one for one, other in LETTERS.items() if other is role)
    contract = "essex" if role is Role.COMMISSIONER else None
    offered = [one["at"] for one in pages_for(Actor(1, "A. Person", role, contract))]
    assert len(offered) == len(set(offered)) > 3
    assert [at for at in offered if letter not in WHO[f"GET {at}"]] == []


def test_no_key_means_two_things() -> None:
    keys = [key for one in SHORTCUTS if one.act for key in one.keys]
    assert len(keys) == len(set(keys))
    assert all(len(key) == 1 for key in keys)


async def test_what_somebody_opened_is_theirs_again_until_they_must_not_know_of_it(
    world: World, arrive: Arrive
) -> None:
    await world.sms(CARER, "Please ring me")
    case = await world.case_of(CARER)
    wasim, leonie = await arrive(world, "wasim"), await arrive(world, "leonie")
    await wasim.get(f"/cases/{case.reference}")
    await wasim.get("/palette")
    assert [one["at"] for one in json.loads(wasim.page)["cases"]] == [f"/cases/{case.reference}"]
    await leonie.get("/palette")
    assert json.loads(leonie.page)["cases"] == []  # she did not open it

    await read_for_search(world.house)
    await wasim.get("/search")
    asked, lines = {"asked": "ashb"}, {"Accept": LINES}
    assert await wasim.post("/search", asked, headers=lines) == 200
    found = [one["at"] for one in json.loads(wasim.page)["found"]]
    assert found == [f"/cases/{case.reference}", f"/people/{case.person_id}"]
    assert wasim.path == "/search"  # the name is in no address
    assert await wasim.post("/search", {"asked": "a"}, headers=lines) == 400
    assert "2 to 100 letters" in json.loads(wasim.page)["problem"]

    async with world.house.db.write() as session:
        held = await session.get(Case, case.id)
        assert held is not None
        worker = world.worker.user_id
        await conflicts.declare(session, held, worker, "a neighbour", world.lead, world.now)
    await wasim.get("/palette")
    assert json.loads(wasim.page)["cases"] == []
    assert await world.all(Case, col(Case.id) == case.id)
