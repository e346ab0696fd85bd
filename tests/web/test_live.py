"""Pages that follow what happens: told at once, told nothing personal, ended when signed out."""

import asyncio
import time

from aiohttp import ClientResponse

from helpline.web.live import HUB, Hub, Listener
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, STRANGER, World


async def stream(guest: Visitor, path: str) -> ClientResponse:
    answer = await guest.client.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    return answer


async def heard(answer: ClientResponse, seconds: float = 4) -> str:
    """The next event's name, or "" when none comes in time."""
    try:
        async with asyncio.timeout(seconds):
            while line := (await answer.content.readline()).decode():
                if line.startswith("event: "):
                    return line[7:].strip()
    except TimeoutError:
        return ""
    return "closed"


async def newest(guest: Visitor) -> str:
    await guest.get("/inbox")
    return guest.page.partition("/live/inbox?after=")[2].partition('"')[0]


async def test_an_open_inbox_hears_of_a_new_message_within_seconds(
    world: World, arrive: Arrive
) -> None:
    guest = await arrive(world, "wasim")
    answer = await stream(guest, f"/live/inbox?after={await newest(guest)}")
    assert await heard(answer, 1.5) == ""
    await world.sms(CARER, "They say I hit him")
    assert await heard(answer) == "changed"
    answer.close()


async def test_what_happened_between_page_and_stream_is_not_missed(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    after = await newest(guest)
    other = await stream(guest, f"/live/inbox?after={after}")
    await one_world.sms(CARER, "They say I hit him")
    assert await heard(other) == "changed"
    late = await stream(guest, f"/live/inbox?after={after}")
    assert await heard(late) == "changed"
    other.close()
    late.close()


async def test_a_case_hears_of_itself_only_and_of_no_reading(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "Please ring me")
    path = f"/cases/{(await one_world.case_of(CARER)).reference}"
    guest, lead = await arrive(one_world, "wasim"), await arrive(one_world, "leonie")
    await guest.get(path)
    after = guest.page.partition("?after=")[2].partition('"')[0]
    answer = await stream(guest, f"/live{path}?after={after}")
    await lead.get(path)
    await one_world.sms(STRANGER, "Hello")
    assert await heard(answer, 2.5) == ""
    await lead.post(f"{path}/replies", {"text": "I can ring at ten."})
    assert await heard(answer, 1) == "changed"
    answer.close()


async def test_the_stream_ends_within_five_seconds_of_signing_out(
    world: World, arrive: Arrive
) -> None:
    guest = await arrive(world, "wasim")
    answer = await stream(guest, f"/live/inbox?after={await newest(guest)}")
    started = time.monotonic()
    await guest.post("/logout")
    assert await heard(answer, 8) == "ended"
    assert time.monotonic() - started < 5
    assert await heard(answer, 1) == "closed"


async def test_streams_do_not_hold_up_the_end_of_the_process(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    answers = [await stream(guest, "/live/inbox"), await stream(guest, "/demo/live")]
    started = time.monotonic()
    await guest.client.server.close()  # type: ignore[union-attr]  # it is running
    assert time.monotonic() - started < 5
    for answer in answers:
        answer.close()


async def test_an_event_that_is_committed_late_still_wakes(world: World) -> None:
    """With several writers event 7 may become visible after event 8."""
    hub = Hub(world.house)
    listener = Listener(1, frozenset({"essex"}))
    hub.listeners.add(listener)
    await world.sms(CARER, "Please ring me")
    async with world.house.db.read() as session:
        await hub.look(session)
    assert listener.news.is_set()
    first = min(hub._recent, key=lambda news: news.id)
    hub._recent -= {first}  # as if it had not been visible yet
    listener.news.clear()
    async with world.house.db.read() as session:
        await hub.look(session)
        assert listener.news.is_set()
        listener.news.clear()
        await hub.look(session)
    assert not listener.news.is_set()


async def test_too_many_pages_are_told_so(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "wasim")
    server = guest.client.server
    hub = server.app[HUB]  # type: ignore[attr-defined]  # our own app
    hub.listeners |= {Listener(1, frozenset()) for _ in range(500)}
    answer = await guest.client.get("/live/inbox")
    assert answer.status == 503
