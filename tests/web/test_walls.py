"""Each person through every route of the app: nobody is shown a case, its words or its people that
they must not know of. Routes come from the route table, so a new page is walked without a line
here; what a path leaves open is filled in, and one with another gap in it fails."""

import re
from collections.abc import AsyncIterator

import pytest

from helpline.desk import cases, conflicts, parts
from helpline.engine.searching import read_for_search
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from helpline.web.app import ROUTES, Route
from helpline.web.middleware import PUBLIC, SIGNED
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, World

WORDS = "the lighthouse keeper says I pushed him"
SECRETS = ("lighthouse", "Carol", "Ashby", CARER, "07700 900123")
FILLED = {
    "contract": ("essex",),
    "label": ("2026-27-Q1", "2026-27"),
    "id": tuple(str(number) for number in range(1, 4)),
    "form": ("reply", "note"),
    "request": ("1",),
}
"""What stands in a path for what: ids as low as those of the first rows are."""
ELSEWHERE = re.compile(r"^/(live|static|demo|hooks|chat|contact)(/|$)|\.ics$")
"""Streams, files, the demo's phones, and the pages of the public site: tested where they are."""


class Matter:
    """Carol's case and her daughter's, a wall between; who works on which; who is shut out."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.carers = self.daughters = ""
        self.people: dict[str, Actor] = {}


async def name(world: World, reference: str, who: Actor) -> None:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, reference)
        contract = world.house.contracts["essex"]
        await cases.allocate(
            session, contract, case, who.user_id, world.lead, world.now, wording=world.house.wording
        )


@pytest.fixture
async def matter(everybody: World) -> AsyncIterator[Matter]:
    world, it = everybody, Matter(everybody)
    amara = await world.hire("Amara", Role.WORKER)
    nina = await world.hire("Nina", Role.WORKER)
    contract = world.house.contracts["essex"]
    await world.sms(CARER, WORDS)
    it.carers = (await world.case_of(CARER)).reference
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, it.carers)
        part = await parts.write_down(
            session, contract, case, "Tess", "own_child", "own_child", world.lead, world.now
        )
        other = await parts.separate(
            session, contract, case, part.id or 0, "she said it", world.lead, world.now
        )
        await conflicts.declare(session, case, nina.user_id, "neighbours", world.lead, world.now)
        it.daughters = other.reference
    await name(world, it.carers, world.worker)
    await name(world, it.daughters, amara)
    await read_for_search(world.house)
    yield it


def filled(path: str, reference: str) -> list[str]:
    """Every address that a path of the table stands for here."""
    found = [path.replace("{reference}", reference)]
    for gap, values in FILLED.items():
        if "{" + gap + "}" in path:
            found = [one.replace("{" + gap + "}", value) for one in found for value in values]
    assert not any("{" in one for one in found), f"say in FILLED what stands in {path}"
    return found


def walked(method: str) -> list[Route]:
    return [
        route
        for route in ROUTES
        if route.method == method
        and route.allow not in (PUBLIC, SIGNED)
        and not ELSEWHERE.search(route.path)
        and not route.path.endswith("{merge}/undoing")
    ]


@pytest.mark.parametrize("who", ["amara", "nina", "quinn", "colin", "ada"])
async def test_no_page_shows_what_its_reader_must_not_know(
    matter: Matter, arrive: Arrive, who: str
) -> None:
    guest = await arrive(matter.world, who)
    hidden = (*SECRETS, matter.carers)
    seen, told = 0, []
    for route in walked("GET"):
        for path in filled(route.path, matter.carers):
            status = await guest.get(path, follow=False)
            seen += status == 200
            assert status < 500, path
            if "{reference}" in route.path:
                assert status in (403, 404), path
            told += [(path, secret) for secret in hidden if secret in guest.page]
    assert seen >= 2  # whoever is shown nothing at all proves nothing
    assert told == []


@pytest.mark.parametrize("who", ["amara", "nina", "quinn", "colin", "ada"])
async def test_nothing_can_be_done_on_a_case_one_must_not_know(
    matter: Matter, arrive: Arrive, who: str
) -> None:
    guest = await arrive(matter.world, who)
    await guest.get("/account")
    answers = {
        route.path: await guest.post(filled(route.path, matter.carers)[0], follow=False)
        for route in walked("POST")
        if "{reference}" in route.path
    }
    assert set(answers.values()) <= {403, 404}, answers


async def test_who_works_on_it_is_shown_it(matter: Matter, arrive: Arrive) -> None:
    """The same walk by the support worker: otherwise the walks above would prove nothing."""
    guest = await arrive(matter.world, "wasim")
    shown = await pages_of(guest, matter.carers)
    assert {200} == set(shown.values()), shown
    await guest.get("/inbox")
    assert matter.carers in guest.page
    assert matter.daughters not in guest.page


@pytest.mark.parametrize("who", ["amara", "nina", "wasim"])
async def test_the_search_finds_only_what_its_asker_may_see(
    matter: Matter, arrive: Arrive, who: str
) -> None:
    guest = await arrive(matter.world, who)
    await guest.get("/search")
    for asked in ("lighthouse", "Ashby", CARER, matter.carers):
        await guest.post("/search", {"asked": asked})
        found = f"/cases/{matter.carers}" in guest.page or ">Carol Ashby<" in guest.page
        assert found == (who == "wasim"), (who, asked)


async def pages_of(guest: Visitor, reference: str) -> dict[str, int]:
    """Every page of a case that has no further gap in its address → status."""
    return {
        route.path: await guest.get(route.path.replace("{reference}", reference))
        for route in walked("GET")
        if route.path.startswith("/cases/")
        and re.findall(r"\{\w+\}", route.path) == ["{reference}"]
    }
