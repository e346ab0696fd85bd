"""Five councils in one house, as the demo has them: what is one's is shown to nobody of another,
through any page, search or report; staff of the provider see all and always which is whose.

The demo's invented world is what is walked through, so its seed is tested here as well."""

import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bots.simulator import Simulator
from helpline import seed, seed_councils
from helpline.clock import MovableClock
from helpline.desk.house import Demo
from helpline.engine.rota import keep_rota
from helpline.engine.searching import read_for_search
from helpline.main import build
from helpline.models import Alert, Case, Compliment, Incident, Person, metadata
from helpline.settings import Settings
from helpline.vocabulary import AlertKind
from helpline.web.app import ROUTES
from helpline.web.middleware import PUBLIC, SIGNED
from tests import databases, folders
from tests.keys import TEST_KEY
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import World

MORNING = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
KEYS = ("essex", "lancashire", "national", "peterborough", "stoke")
NAMES = {"essex": "Essex", "lancashire": "Lancashire", "peterborough": "Peterborough"}
FILLED = {
    "contract": ("essex", "peterborough"),
    "label": ("2026-27-Q1", "2026-27"),
    "period": ("2026-27-Q1",),
    "id": ("1", "2", "3"),
    "code": ("quarter",),
    "measure": ("cases",),
}
ELSEWHERE = re.compile(r"^/(live|static|demo|hooks|chat|contact)(/|$)|\.ics$")
_sown: list[Path] = []


@pytest.fixture
async def five(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[World]:
    """The demo's world on a Monday morning, sown once in a process and copied for each test."""
    path = Path(databases.new_sqlite_file(tmp_path, sqlite_template).removeprefix("sqlite:///"))
    if _sown:
        shutil.copy(_sown[0], path)
    clock = MovableClock(frozen_at=MORNING)
    sms, telegram = Simulator("sms", allow=True), Simulator("telegram", allow=True)
    networks = {"sms": sms, "telegram": telegram}
    settings = Settings(
        database_url=f"sqlite:///{path}",
        keys=TEST_KEY,
        twilio_numbers=seed.NUMBERS,
        telegram_contract="essex",
        contracts=folders.ALL,
    )
    house = build(settings, clock=clock, channels=networks, demo=Demo(networks, clock))
    house.db.info.clear()  # reports are made here
    world = World(house, sms, telegram)
    await seed.sow(house, say=lambda _: None, is_signed=False)
    if not _sown:
        await read_for_search(house)
    try:
        yield world
    finally:
        await house.inbox.stop()
        await house.db.close()
        if not _sown:
            _sown.append(Path(tempfile.mkdtemp(prefix="helpline-five-")) / "sown.db")
            shutil.copy(path, _sown[0])


async def arrives(arrive: Arrive, world: World, name: str) -> Visitor:
    guest = await arrive(world, None)
    assert await guest.sign_in(name, seed.PASSWORD) == 200, guest.text
    return guest


async def references(world: World) -> dict[str, list[str]]:
    """Contract → its open cases."""
    found: dict[str, list[str]] = {key: [] for key in KEYS}
    for case in await world.all(Case, Case.status == "open"):
        assert isinstance(case, Case)
        found[case.contract].append(case.reference)
    return found


async def people_of(world: World, *keys: str) -> list[str]:
    rows = await world.all(Person, Person.contract.in_(keys))
    return [row.name for row in rows if isinstance(row, Person) and row.name]


def paths(references: list[str]) -> Iterator[str]:
    """Every page that somebody who is signed in may ask for, its gaps filled with what is not
    theirs."""
    for route in ROUTES:
        if route.method != "GET" or route.allow in (PUBLIC, SIGNED):
            continue
        if ELSEWHERE.search(route.path):
            continue
        found = [route.path]
        for gap in re.findall(r"{(\w+)}", route.path):
            values = references if gap == "reference" else FILLED.get(gap, ("1",))
            found = [one.replace("{" + gap + "}", value) for one in found for value in values]
        yield from found


async def test_one_council_is_shown_nothing_of_another(five: World, arrive: Arrive) -> None:
    """Tessa works for Stoke alone, Stella pays for it. One test: the world takes long to sow."""
    for who in ("tessa", "stella"):
        await no_page_shows_it(five, arrive, who)
    await her_own_are_there(five, arrive)
    await the_search_finds_nothing_of_another(five, arrive)
    await no_figure_of_another_is_given(five, arrive)


async def test_the_provider_sees_all_and_each_council_has_something(
    five: World, arrive: Arrive
) -> None:
    await staff_of_the_provider_see_whose_it_is(five, arrive)
    await no_page_of_a_council_is_empty_and_somebody_is_on_call(five)
    await what_is_new_is_of_the_council_that_was_chosen(five, arrive)
    await each_council_has_a_number_and_an_answer_of_its_own(five)


async def no_page_shows_it(five: World, arrive: Arrive, who: str) -> None:
    guest, known = await arrives(arrive, five, who), await references(five)
    theirs = [known["essex"][0], known["peterborough"][0]]
    names = await people_of(five, *NAMES)
    told, seen = [], 0
    for path in paths(theirs):
        status = await guest.get(path, follow=False)
        assert status < 500, path
        seen += status == 200
        if theirs[0] in path or theirs[1] in path:
            assert status in (403, 404), path
        said = guest.text
        told += [(path, one) for one in (*names, *NAMES.values()) if one in said]
        told += [(path, one) for one in re.findall(r"\b(?:ESX|LAN|PET|NAT)-\w{4,}", said)]
    assert seen > 4
    assert told == []


async def her_own_are_there(five: World, arrive: Arrive) -> None:
    """Otherwise the walk above would prove nothing."""
    guest, known = await arrives(arrive, five, "tessa"), await references(five)
    await guest.get("/inbox")
    for reference in known["stoke"]:
        assert reference in guest.page
        assert await guest.get(f"/cases/{reference}") == 200
        await guest.get("/inbox")
    await guest.get("/search")
    await guest.post("/search", {"asked": "nights"})
    assert "STK-" in guest.text


async def the_search_finds_nothing_of_another(five: World, arrive: Arrive) -> None:
    guest, known = await arrives(arrive, five, "tessa"), await references(five)
    await guest.get("/search")
    for asked in ("Carol Ashby", "statement", "Crowther", known["essex"][0]):
        await guest.post("/search", {"asked": asked})
        assert not re.search(r"/cases/(ESX|PET|LAN|NAT)-", guest.page), asked
        assert "/people/" not in guest.page.replace('action="/people', ""), asked


async def no_figure_of_another_is_given(five: World, arrive: Arrive) -> None:
    guest = await arrives(arrive, five, "stella")
    for key in KEYS:
        assert (await guest.get(f"/reports/{key}/measures") == 200) == (key == "stoke")
        for label in ("2026-27-Q1", "2026-27-Q3", "2026-M11", "2026-27"):
            assert await guest.get(f"/reports/{key}/{label}") in (
                (200, 404) if key == "stoke" else (403, 404)
            )
    await guest.get("/reports")
    assert re.findall(r"/reports/(\w+)/", guest.page)
    assert set(re.findall(r"/reports/(\w+)/", guest.page)) == {"stoke"}


async def staff_of_the_provider_see_whose_it_is(five: World, arrive: Arrive) -> None:
    guest, known = await arrives(arrive, five, "leonie"), await references(five)
    await guest.get("/inbox")
    for key, council in (("essex", "Essex"), ("stoke", "Stoke-on-Trent")):
        row = re.search(rf"{known[key][0]}.*?</li>", guest.page, re.S)
        assert row, key
        assert council in row[0], key
        assert await guest.get(f"/cases/{known[key][0]}") == 200
        assert council in guest.text
        await guest.get("/inbox")
    for path in ("/rota", "/reports", "/policies-told"):
        await guest.get(path)
        for contract in five.house.contracts.values():
            assert contract.council in guest.text, (path, contract.key)


async def what_is_new_is_of_the_council_that_was_chosen(five: World, arrive: Arrive) -> None:
    """Never of the first one, because nothing was said."""
    guest = await arrives(arrive, five, "leonie")
    for path in ("/complaints/new", "/new-case", "/library/new", "/events/new", "/news/new"):
        assert await guest.get(path) == 200
        assert f'href="{path}?contract=stoke"' in guest.page, path
        assert "<textarea" not in guest.page, path
        assert await guest.get(f"{path}?contract=stoke") == 200
        assert 'name="contract" value="stoke"' in guest.page, path
    event = {"kind": "crime", "what": "A window was broken at night", "did": ""}
    assert await guest.post("/incidents", event) == 400
    assert await guest.post("/incidents", event | {"contract": "stoke"}) == 200
    (made,) = await five.all(Incident, Incident.kind == "crime")
    assert made.contract == "stoke"  # type: ignore[attr-defined]
    praise = {"words": "Thank you", "subject": "support", "giver": "carer", "method": "letter"}
    before = await five.count(Compliment)
    assert await guest.post("/compliments", praise) == 400
    assert await guest.post("/compliments", praise | {"contract": "national"}) == 200
    rows = await five.all(Compliment)
    assert [one.contract for one in rows[before:]] == ["national"]  # type: ignore[attr-defined]


async def no_page_of_a_council_is_empty_and_somebody_is_on_call(five: World) -> None:
    """The seed: people, cases, and something in every register; nobody is asked about a gap."""
    await keep_rota(five.house)
    kinds = {(one.contract, one.kind) for one in await five.all(Alert) if isinstance(one, Alert)}
    assert not {one for one in kinds if one[1] == AlertKind.ROTA_NOBODY}
    assert {key for key, kind in kinds if kind == AlertKind.ROTA_GAP} <= {"essex"}  # its own story
    async with five.house.db.read() as session:
        for name in (
            "person",
            "case",
            "contact",
            "shift",
            "complaint",
            "incident",
            "evidence_entry",
        ):
            table = metadata.tables[name]
            rows = await session.execute(select(table.c.contract).distinct())
            assert set(rows.scalars()) >= set(KEYS), name


async def each_council_has_a_number_and_an_answer_of_its_own(five: World) -> None:
    """Whoever texts a council hears from that council, by its name and from its number."""
    for place, (number, key) in enumerate(five.house.settings.numbers.items()):
        sender = f"+44770090098{place}"
        await five.sms(sender, "hello, is anybody there", to=number)
        case = await five.case_of(sender)
        contract = five.house.contracts[key]
        assert (case.contract, case.reference[:3]) == (key, contract.reference_prefix)
        assert f"This is the {contract.called.us}." in five.texts_to(sender)[0]
    assert seed_councils.numbers().count("=") == len(KEYS) - 1
