"""Several nodes on one PostgreSQL, looked at closely: what one commits wakes the others, a browser
may go from one to the other at every click, a frozen node settles nothing that was taken over, and
two of them may bring the tables up to date at once."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import ClientSession
from sqlalchemy import create_engine, text

from helpline.channels import Inbound, SendResult
from helpline.clock import MovableClock
from helpline.db import STANDS_STILL, checked_url, sync_url
from helpline.desk import outbox
from helpline.desk.house import House
from helpline.engine.hearing import hear
from helpline.engine.jobs import Engine
from helpline.main import build
from helpline.migrations import is_at_head, is_current
from helpline.models import Case, Contact, OutMessage
from helpline.vocabulary import SendState
from tests import databases
from tests.drills.houses import everything, serving
from tests.fakes.twilio import new_sid
from tests.world import CARER, NIGHT, OUR_NUMBER, PASSWORD, World, opened_world


@pytest.fixture
def shared(postgres: str, postgres_template: str) -> Iterator[str]:
    url = databases.new_postgres_database(postgres, postgres_template)
    yield url
    databases.drop_postgres_database(url)


@pytest.fixture
async def one(shared: str) -> AsyncIterator[World]:
    async with opened_world(shared) as world:
        yield replace_node(world, "one")


@pytest.fixture
async def other(one: World) -> AsyncIterator[House]:
    """A second node on the world's database, with the same clock and the same telephones."""
    house = build(
        one.house.settings,
        clock=one.clock,
        channels=one.house.channels,
        demo=one.house.demo,
    )
    yield replace(house, node="other")
    await house.inbox.stop()
    await house.db.close()


def replace_node(world: World, name: str) -> World:
    world.house = replace(world.house, node=name)
    return world


@contextlib.asynccontextmanager
async def hearing(house: House) -> AsyncIterator[list[float]]:
    """The house listens; each moment at which its line stood anew."""
    stood: list[float] = []
    task = asyncio.create_task(hear(house, lambda: stood.append(time.monotonic())))
    try:
        async with asyncio.timeout(5):
            await house.wakes.routing.wait()
            await house.wakes.sending.wait()
        house.wakes.routing.clear()
        house.wakes.sending.clear()
        yield stood
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def woken(event: asyncio.Event, seconds: float = 1) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    event.clear()
    return True


async def test_what_is_kept_here_wakes_routing_there_at_once(one: World, other: House) -> None:
    async with hearing(other):
        inbound = Inbound("sms", new_sid(), CARER, OUR_NUMBER, "hello")
        await one.house.inbox.keep(inbound, NIGHT)
        assert await woken(other.wakes.routing)
        await one.house.inbox.keep(inbound, NIGHT)  # a repeat is nothing new
        assert not await woken(other.wakes.routing, 0.3)


async def test_what_is_queued_here_wakes_sending_there_when_it_commits(
    one: World, other: House
) -> None:
    async with hearing(other):
        async with one.house.db.write() as session:
            await outbox.queue(session, "essex", "sms", CARER, "hello", NIGHT)
            await session.flush()
            assert not await woken(other.wakes.sending, 0.3)  # it may yet be rolled back
        assert await woken(other.wakes.sending)
        with pytest.raises(ZeroDivisionError):
            async with one.house.db.write() as session:
                await outbox.queue(session, "essex", "sms", CARER, "hello", NIGHT)
                await session.flush()
                raise ZeroDivisionError
        async with one.house.db.write() as session:
            await session.execute(text("SELECT 1"))  # nor does the next one tell of it
        assert not await woken(other.wakes.sending, 0.3)


async def test_a_line_that_was_cut_stands_again_and_everybody_is_woken(
    one: World, other: House
) -> None:
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE query ILIKE 'LISTEN%' AND datname = current_database()"
    )
    async with hearing(other) as stood:
        async with one.house.db.write() as session:
            assert len((await session.execute(cut)).all()) == 1
        assert await woken(other.wakes.routing, 4)
        assert await woken(other.wakes.sending)
        assert len(stood) == 2


async def test_an_engine_routes_what_another_node_kept_before_its_next_beat(
    one: World, other: House
) -> None:
    engine = Engine(other, tuple(slow_jobs()))
    engine.start()
    await asyncio.sleep(1)
    inbound = Inbound("sms", new_sid(), CARER, OUR_NUMBER, "please ring me")
    began = time.monotonic()
    await one.house.inbox.keep(inbound, one.now)
    while not await everything(other, Case):
        assert time.monotonic() - began < 5
        await asyncio.sleep(0.02)
    await engine.stop()


def slow_jobs() -> Iterator[object]:
    from helpline.engine.jobs import JOBS

    for job in JOBS:
        if job.name in ("routing", "sending"):
            yield replace(job, every_seconds=3000)


async def test_a_browser_may_go_to_another_node_at_every_click(one: World, other: House) -> None:
    await one.sms(CARER, "Please ring me")
    reference = (await one.case_of(CARER)).reference
    async with serving(one.house) as here, serving(other) as there, browser() as session:
        csrf = await signed_in(session, here)
        for number in range(6):
            address = (here, there)[number % 2]
            async with session.get(f"{address}/inbox") as answer:
                assert answer.status == 200
                assert reference in await answer.text()
            form = {"csrf": csrf, "text": f"I can ring at {number}."}
            async with session.post(
                f"{address}/cases/{reference}/replies",
                data=form,
                headers={"Origin": address},
                allow_redirects=False,
            ) as answer:
                assert answer.status == 303, await answer.text()
        async with session.post(
            f"{there}/logout", data={"csrf": csrf}, headers={"Origin": there}, allow_redirects=False
        ) as answer:
            assert answer.status == 303
        async with session.get(f"{here}/inbox", allow_redirects=False) as answer:
            assert answer.status == 303  # signed out there is signed out here
    said = [c.body for c in await everything(other, Contact) if (c.body or "").startswith("I can")]
    assert said == [f"I can ring at {number}." for number in range(6)]


async def test_a_page_open_here_follows_what_happens_there(one: World, other: House) -> None:
    await one.sms(CARER, "Please ring me")
    async with serving(other) as there, browser() as session, hearing(other):
        await signed_in(session, there)
        async with session.get(f"{there}/inbox") as answer:
            after = (await answer.text()).partition("/live/inbox?after=")[2].partition('"')[0]
        async with session.get(f"{there}/live/inbox?after={after}") as stream:
            await asyncio.sleep(1.3)
            await one.sms(CARER, "Are you there?")
            began = time.monotonic()
            async with asyncio.timeout(5):
                while (line := await stream.content.readline()) != b"event: changed\n":
                    assert line
            assert time.monotonic() - began < 1


async def test_a_chat_may_have_its_page_here_and_its_socket_there(one: World, other: House) -> None:
    async with serving(one.house) as here, serving(other) as there, browser() as session:
        async with session.get(f"{here}/chat") as answer:
            assert answer.status == 200
        async with hearing(other), session.ws_connect(f"{there}/chat/socket", origin=there) as ws:
            form = {"text": "My placement is going badly", "id": "1f" * 16}
            headers = {"Origin": here, "X-Requested-With": "chat"}
            async with session.post(f"{here}/chat", data=form, headers=headers) as answer:
                assert answer.status == 204, await answer.text()
            await one.settle()
            assert (await ws.receive(5)).data == "changed"
            async with session.get(f"{there}/chat/messages") as answer:
                assert "Your message has arrived" in await answer.text()


async def test_a_frozen_node_that_wakes_up_settles_nothing_that_was_taken_over(
    one: World, other: House
) -> None:
    clock = one.clock
    assert isinstance(clock, MovableClock)
    async with one.house.db.write() as session:
        queued = await outbox.queue(session, "essex", "sms", CARER, "hello", one.now)
    (frozen,) = await claimed(one.house)
    assert await claimed(other) == []
    clock.forward(outbox.LEASE + timedelta(seconds=1))
    (taken,) = await claimed(other)
    assert taken.is_unsure  # it may have gone: ask first
    assert taken.fence == frozen.fence + 1
    async with one.house.db.write() as session:
        said = SendResult(SendState.REFUSED, code="late")
        assert not await outbox.settle(session, frozen, said, one.now)
    async with other.db.write() as session:
        said = SendResult(SendState.ACCEPTED, provider_id="SM1")
        assert await outbox.settle(session, taken, said, one.now)
    (message,) = await everything(other, OutMessage, OutMessage.id == queued.id)
    assert (message.state, message.provider_id) == ("sent", "SM1")


async def test_a_transaction_that_stands_still_is_ended_and_its_rows_are_free(
    one: World, other: House
) -> None:
    """What a SIGSTOP in the middle of a sweep does."""
    async with one.house.db.write() as session:
        queued = await outbox.queue(session, "essex", "sms", CARER, "hello", one.now)

    async def freeze() -> None:
        async with other.db.write() as session:
            await session.get(OutMessage, queued.id, with_for_update=True)
            await asyncio.sleep(STANDS_STILL + 1.5)
            await session.execute(text("SELECT 1"))

    frozen = asyncio.create_task(freeze())
    await asyncio.sleep(0.3)
    assert await claimed(one.house) == []
    began = time.monotonic()
    while not await claimed(one.house):
        assert time.monotonic() - began < STANDS_STILL + 4
        await asyncio.sleep(0.2)
    with pytest.raises(Exception, match="idle"):
        await frozen


# --- two versions side by side -------------------------------------------------------------------


async def test_two_nodes_that_migrate_at_once_do_it_once(postgres: str) -> None:
    url = databases.new_postgres_database(postgres)
    words = f"from helpline.migrations import migrate; migrate({url!r})"
    nodes = [await asyncio.create_subprocess_exec(sys.executable, "-c", words) for _ in range(3)]
    assert [await node.wait() for node in nodes] == [0, 0, 0]
    assert is_at_head(url)
    databases.drop_postgres_database(url)


async def test_an_older_version_goes_on_with_tables_that_grew(one: World, shared: str) -> None:
    await one.sms(CARER, "Please ring me")
    engine = create_engine(sync_url(checked_url(shared)))
    with engine.begin() as connection:  # what a newer version's step may do
        connection.execute(text("ALTER TABLE contact ADD COLUMN mood text"))
        connection.execute(text("ALTER TABLE deadline ADD COLUMN weight int NOT NULL DEFAULT 1"))
        connection.execute(text("CREATE TABLE newer (id serial PRIMARY KEY)"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'newer'"))
    engine.dispose()
    await one.sms(CARER, "Are you there?")
    await one.reply(CARER, "I am.")
    await one.forward(hours=1)
    assert "I am." in one.texts_to(CARER)[-1]
    assert not is_at_head(shared)
    assert is_current(shared)  # so it may be started anew, should it die now


def test_a_version_that_is_behind_does_not_start(postgres: str) -> None:
    url = databases.new_postgres_database(postgres)
    assert not is_current(url)
    databases.drop_postgres_database(url)


# --- with ----------------------------------------------------------------------------------------


async def claimed(house: House) -> list[outbox.Claimed]:
    async with house.db.write() as session:
        found, _ = await outbox.claim(session, house.contracts, house.wording, house.clock.now())
    return [one for one in found if one.body == "hello"]


def browser() -> ClientSession:
    return ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def signed_in(session: ClientSession, address: str) -> str:
    """Wasim, signed in there; the token of his forms."""
    form = {"name": "wasim", "password": PASSWORD}
    async with session.post(
        f"{address}/login", data=form, headers={"Origin": address}, allow_redirects=False
    ) as answer:
        assert answer.status == 303, await answer.text()
    async with session.get(f"{address}/account") as answer:
        page = await answer.text()
    return page.partition('name="csrf" value="')[2].partition('"')[0]
