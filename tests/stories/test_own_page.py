"""A carer opens their own page by a link from their own telephone, and nobody else does; it shows
what is theirs and nothing more."""

import re
from datetime import timedelta

from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text

from helpline.desk import allegations, cases, elsewhere, parts, promises, safety
from helpline.models import Case, Event, OutMessage, PageLink, Task
from helpline.rules.safety import SafeRules
from helpline.vocabulary import LinkKind, NoteKind, Track
from helpline.web.app import make_app
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, STRANGER, World

LINK = re.compile(r"http\S+(/page/[A-Za-z0-9_-]{43})")
GONE = "it is too old: to get a new one, send us the word PAGE."


async def link_to(world: World, number: str = CARER) -> str:
    """They text the word, and this is the address in the answer."""
    await world.sms(number, "page")
    found = LINK.search(world.texts_to(number)[-1])
    assert found, world.texts_to(number)[-1]
    return found[1]


async def come_in(guest: Visitor, path: str) -> None:
    assert await guest.get(path) == 200
    assert await guest.post(path, token="") == 200, guest.text
    assert guest.path == "/page"


async def the_case(world: World, number: str = CARER) -> Case:
    async with world.house.db.read() as session:
        return await cases.find_case(session, world.worker, (await world.case_of(number)).reference)


async def test_she_asks_by_text_and_reads_where_things_stand(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, None)
    await world.sms(CARER, "my allowance was not paid again")
    case = await the_case(world)
    async with world.house.db.write() as session:
        contract = world.house.contracts["essex"]
        due = world.now + timedelta(hours=8)
        here = await session.merge(case)
        await promises.give(
            session, contract, here, "call", "the allowance", due, world.worker, world.now
        )
        await cases.add_note(
            session, here, NoteKind.OPINION, "She exaggerates", world.now, world.worker, world.now
        )
    path = await link_to(world)
    said = world.texts_to(CARER)[-1]
    assert "until 02:45" in said
    for word in ("allowance", "case", "worker", "allegation", case.reference):
        assert word not in said.lower()

    # A program that previews the message opens the link too: nothing is used up, nothing is said.
    assert await guest.get(path) == 200
    assert "Open my page" in guest.text
    assert "allowance" not in guest.text
    assert guest.headers["Referrer-Policy"] == "same-origin"
    assert guest.headers["Cache-Control"] == "no-store"

    await come_in(guest, path)
    assert "A person will answer you by" in guest.text
    assert "Wasim rings you By 10.15 am today the allowance" in guest.text
    assert case.reference in guest.text
    assert "exaggerates" not in guest.text
    await guest.get("/page/diary")
    assert "You wrote my allowance was not paid again" in guest.text
    assert "exaggerates" not in guest.text
    assert path not in guest.page

    # Used twice: refused, also in the browser that has it open; what she sees stays hers.
    assert await guest.post(path, token="") == 404
    other = await arrive(world, None)
    assert await other.get(path) == 404
    assert GONE in other.text
    assert await other.get("/page") == 404

    events = await world.events(CARER)
    assert [kind for kind in events if kind.startswith("page.")] == ["page.sent", "page.opened"]
    await nothing_is_left_of(world, path.rpartition("/")[2])

    # A newer link ends the one before it, and each ends by itself; after three it is said once.
    second, third = await link_to(world), await link_to(world)
    assert await other.get(second) == 404
    await world.sms(CARER, "page")
    assert "The newest one is the one that works" in world.texts_to(CARER)[-1]
    assert await other.get(third) == 200
    await world.later(hours=0.51)
    assert await other.get(third) == 404
    assert await other.post(third, token="") == 404


async def nothing_is_left_of(world: World, token: str) -> None:
    rows = [row.model_dump() for row in await world.all(PageLink) if isinstance(row, PageLink)]
    bodies = [row.body for row in await world.all(OutMessage) if isinstance(row, OutMessage)]
    async with world.house.db.read() as session:
        trail = (await session.execute(text("SELECT detail FROM event"))).all()
    assert token not in f"{rows} {bodies} {trail}"


async def test_the_visit_ends_by_itself_and_when_she_leaves(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    guest = await arrive(world, None)
    await world.sms(CARER, "hello")
    await come_in(guest, await link_to(world))
    for _ in range(6):
        await world.later(hours=0.32)  # nineteen minutes and a bit
        assert await guest.get("/page") == 200
    await world.later(hours=0.1)  # two hours and a minute since it began
    assert await guest.get("/page") == 404

    await come_in(guest, await link_to(world))
    await world.later(hours=0.34)
    assert await guest.get("/page") == 404

    await come_in(guest, await link_to(world))
    kept = {c.key: c.value for c in guest.client.session.cookie_jar}
    assert await guest.post("/page/leaving", token="", follow=False) == 200
    assert guest.headers["Refresh"] == "0; url=https://www.bbc.co.uk/weather"
    async with _with_cookies(world, kept) as client:  # somebody copied the cookie before
        assert (await client.get("/page")).status == 404
    assert "page.left" in await world.events(CARER)


def _with_cookies(world: World, kept: dict[str, str]) -> TestClient:
    jar = CookieJar(unsafe=True)
    return TestClient(TestServer(make_app(world.house)), cookie_jar=jar, cookies=kept)


async def test_where_it_is_not_safe_nothing_is_sent_and_the_worker_is_told(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    guest = await arrive(world, None)
    await world.sms(CARER, "hello")
    await come_in(guest, await link_to(world))
    sent = len(world.texts_to(CARER))
    for rules in (SafeRules(not_by=("sms",)), SafeRules(neutral_only=True)):
        case = await the_case(world)
        async with world.house.db.write() as session:
            await safety.set_rules(session, case, rules, world.worker, world.now)
        await world.sms(CARER, "my page")
    assert len(world.texts_to(CARER)) == sent
    assert await guest.get("/page") == 404  # what is found unsafe shuts a page that is open
    (task,) = await world.all(Task, Task.done_at.is_(None))
    assert isinstance(task, Task)
    assert "no link was sent" in str(task.what)
    assert "page.kept_back" in await world.events(CARER)


async def test_her_husband_with_a_matter_of_his_own_sees_his_alone(
    world: World, arrive: Arrive
) -> None:
    """Both are part of the same matter, each with a case, and there is a wall between the two."""
    contract, lead = world.house.contracts["essex"], world.lead
    husband = "+447700900188"
    await world.member("Colin Ashby", "FC1009", husband)
    await world.sms(CARER, "they say he hit the boy")
    await world.sms(husband, "they say I did something and I did not")
    hers, his = await the_case(world), await the_case(world, husband)
    async with world.house.db.write() as session:
        mine = await session.merge(hers)
        await parts.give_to_known(session, mine, his.person_id, "partner", lead, world.now)
        await parts.link(
            session,
            mine,
            await session.merge(his),
            LinkKind.SIDES,
            "it is about him",
            lead,
            world.now,
        )
        told = allegations.Told(
            his.person_id, world.now, told_by="Colin Ashby", words="That he hit A"
        )
        await allegations.record(session, contract, mine, told, world.worker, world.now)
    guest = await arrive(world, None)
    await come_in(guest, await link_to(world))
    for path in ("/page", "/page/diary", "/page/readers", "/page?m=2", "/page/diary?m=9"):
        assert await guest.get(path) == 200
        assert his.reference not in guest.text
        assert "I did not" not in guest.text
        assert "hit A" not in guest.text
    await guest.get("/page")
    assert "What you may expect" not in guest.text  # it is about him, not about her
    other = await arrive(world, None)
    await come_in(other, await link_to(world, husband))
    await other.get("/page/diary")
    assert "I did not" in other.text
    assert "they say he hit" not in other.text


async def test_whoever_is_not_certain_sees_no_more_than_status_says(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    guest = await arrive(world, None)
    await world.sms(STRANGER, "my allowance was not paid again")
    await come_in(guest, await link_to(world, STRANGER))
    assert "We cannot be sure who reads this page" in guest.text
    for path in ("/page/diary", "/page/panel", "/page/readers", "/page/contact"):
        assert await guest.get(path, follow=False) == 303
        assert guest.headers["Location"] == "/page"
    assert "allowance" not in guest.text

    # Two people share a telephone, as a worker found: from then on it says as little to her.
    await world.sms(CARER, "hello")
    await world.sms(CARER, "page")
    case = await the_case(world)
    async with world.house.db.write() as session:
        talk = (await elsewhere.conversations(session, case))[0]
        await elsewhere.split_off(session, case, talk.id, world.worker, world.now)
    found = LINK.search(world.texts_to(CARER)[-1])
    assert found
    await come_in(guest, found[1])
    assert "We cannot be sure who reads this page" in guest.text


async def test_under_an_allegation_she_sees_what_she_knows_of_and_no_more(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    contract = world.house.contracts["essex"]
    await world.sms(CARER, "can you ring me please")
    case = await the_case(world)
    async with world.house.db.write() as session:
        here = await session.merge(case)
        told = allegations.Told(
            case.person_id,
            world.now,
            told_by="The LADO",
            track=Track.ALLEGATION,
            words="That she locked child A in",
            whose_words="professional",
        )
        await allegations.record(session, contract, here, told, world.worker, world.now)
    guest = await arrive(world, None)
    await come_in(guest, await link_to(world))
    assert "What you may expect" not in guest.text  # nobody has told her yet, and no screen does
    async with world.house.db.write() as session:
        here = await session.merge(await the_case(world))
        told = allegations.Told(case.person_id, world.now, told_by="Carol Ashby", words="Locked in")
        await allegations.record(session, contract, here, told, world.worker, world.now)
    await guest.get("/page")
    assert "What you may expect" in guest.text
    assert "The LADO" not in guest.text
    assert "Locked in" not in guest.text


async def test_she_makes_it_safer_at_once_and_looser_only_after_a_question(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    await world.sms(CARER, "hello")
    guest = await arrive(world, None)
    await come_in(guest, await link_to(world))
    await guest.get("/page/contact")
    key = re.search(r'name="key" value="(\w+)"', guest.page)
    assert key
    form = {"key": key[1], "begins": "09:00", "ends": "17:00", "not_by": "voice"}
    assert await guest.post("/page/contact", form, token="") == 200
    assert "We keep to it from now on" in guest.text
    assert (await rules(world)).not_by == ("voice",)
    looser = {"key": key[1], "begins": "", "ends": ""}
    assert await guest.post("/page/contact", looser, token="") == 200
    assert "Nothing has changed yet" in guest.text
    assert (await rules(world)).not_by == ("voice",)
    (task,) = await world.all(Task, Task.done_at.is_(None))
    assert isinstance(task, Task)
    assert "less strict" in str(task.what)
    assert await guest.post("/page/contact", form | {"ends": ""}, token="") == 400
    assert "Give both times" in guest.text
    assert await guest.post("/page/contact", form | {"key": "x"}, token="") == 403
    closing = form | {"neutral_only": "yes"}
    assert await guest.post("/page/contact", closing, token="") == 200
    assert "Your page is closed" in guest.text
    assert await guest.get("/page") == 404


async def rules(world: World) -> SafeRules:
    case = await world.case_of(CARER)
    async with world.house.db.read() as session:
        return await safety.rules_of(session, case.person_id)


async def test_a_worker_sends_it_sees_the_visit_and_it_says_how_it_ended(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    await world.sms(CARER, "can I claim council tax reduction")
    await world.allocate(CARER, world.worker)
    wasim, guest = await arrive(world, "wasim"), await arrive(world, None)
    here = f"/cases/{(await world.case_of(CARER)).reference}"
    await wasim.get(here)
    assert await wasim.post(f"{here}/page") == 200
    await world.settle()
    found = LINK.search(world.texts_to(CARER)[-1])
    assert found
    assert found[1] not in wasim.page
    await come_in(guest, found[1])
    assert "Your support worker is Wasim." in guest.text
    await guest.get("/page/readers")
    assert "Wasim support worker" in guest.text
    await wasim.get(here)
    assert "They opened their own page" in wasim.text
    assert "They looked who read their case" in wasim.text
    await world.close(CARER)
    await guest.get("/page")
    assert "This is closed. You can come back at any time." in guest.text
    assert "How it ended" in guest.text
    (opened,) = await world.all(Event, Event.kind == "page.opened")
    assert isinstance(opened, Event)
    assert opened.detail == {"shows": "all"}
