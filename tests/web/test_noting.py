"""Whoever was shown people is in the audit trail, also by pages that write nothing themselves."""

from sqlalchemy import select

from helpline.models import Event, Person, metadata
from helpline.web import noting
from helpline.web.app import ROUTES
from helpline.web.middleware import PUBLIC, SIGNED
from tests.web.conftest import Arrive
from tests.world import CARER, World

GETS = {r.path for r in ROUTES if r.method == "GET" and r.allow not in (PUBLIC, SIGNED)}


async def said(world: World, name: str) -> list[tuple[str, dict[str, object]]]:
    who = await world.known(name)
    async with world.house.db.read() as session:
        rows = await session.scalars(
            select(Event).where(Event.by_user_id == who.user_id).order_by(Event.id)
        )
        return [(row.kind, row.detail) for row in rows]


async def test_opening_a_person_and_a_complaint_is_noted_without_a_name(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "hello")
    (person,) = [row for row in await everybody.all(Person) if isinstance(row, Person)]
    wasim = await arrive(everybody, "wasim")
    for path in (f"/people/{person.id}", "/people/999999", "/tray", "/inbox", "/account"):
        await wasim.get(path)
    await wasim.get(f"/people/{person.id}", headers={"HX-Request": "true"})
    kinds = await said(everybody, "wasim")
    assert [one for one in kinds if one[0] != "user.signed_in"] == [
        ("person.read", {"route": "/people/{id}", "rows": [person.id]}),
        ("page.read", {"route": "/tray", "rows": []}),
    ]
    admin = await arrive(everybody, "ada")
    await admin.get("/users")
    assert ("page.read", {"route": "/users", "rows": []}) in await said(everybody, "ada")


async def test_looking_for_somebody_by_number_is_noted_without_the_number(
    one_world: World, arrive: Arrive
) -> None:
    wasim = await arrive(one_world, "wasim")
    await wasim.get("/people")
    await wasim.post("/people", {"asked": "FC1001"})
    found = dict(await said(one_world, "wasim"))
    assert found["search.made"] == {"of": "number", "people": 1, "cases": 0}


async def test_what_somebody_may_not_do_is_noted_once_a_minute(
    everybody: World, arrive: Arrive
) -> None:
    ada = await arrive(everybody, "ada")
    for path in ("/inbox", "/search", "/people/1"):
        assert await ada.get(path) == 403
    refused = [detail for kind, detail in await said(everybody, "ada") if kind == "access.refused"]
    assert refused == [{"route": "/inbox", "method": "GET", "count": 1}]
    await everybody.later(hours=0.1)
    assert await ada.get("/inbox") == 403
    refused = [detail for kind, detail in await said(everybody, "ada") if kind == "access.refused"]
    assert refused[1:] == [{"route": "/inbox", "method": "GET", "count": 3}]


def test_what_is_said_of_pages_is_said_of_pages_there_are() -> None:
    assert noting.ITSELF | noting.QUIET <= GETS
    assert not noting.ITSELF & noting.QUIET
    assert noting.PERSON in GETS - noting.ITSELF - noting.QUIET
    assert len(GETS - noting.ITSELF - noting.QUIET) > 10


def test_nothing_in_our_own_code_changes_or_removes_a_line_of_the_trail() -> None:
    """Whoever wants to must break the chain, and is found; the code itself never does."""
    import re
    from pathlib import Path

    import helpline

    wrong = re.compile(r"(?:update|delete)\(\s*(?:EVENT|Event)\b|\"event\"\]\)\.(?:update|delete)")
    for path in Path(helpline.__file__).parent.rglob("*.py"):
        assert not wrong.search(path.read_text("utf-8")), path
    assert "event" in metadata.tables
