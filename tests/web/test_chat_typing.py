"""That somebody is typing shows on the other side: to that side alone, without a word, not too
often, and nothing is stored."""

import contextlib

from aiohttp import ClientResponse, ClientWebSocketResponse

from helpline.models import Case, Event, InboundItem
from helpline.web.writing import EVERY, Typing
from tests.web.conftest import Arrive
from tests.web.test_live import heard, newest
from tests.web.visitor import Visitor
from tests.world import CARER, World

SCRIPT = {"X-Requested-With": "chat"}


async def begun(world: World, guest: Visitor, text: str) -> str:
    """A chat and its case; gives the reference."""
    await guest.get("/chat")
    await guest.post("/chat", {"text": text}, headers=SCRIPT)
    await world.settle()
    case = (await world.all(Case))[-1]
    assert isinstance(case, Case)
    await guest.get("/chat")  # what came is seen
    return case.reference


async def following(worker: Visitor, reference: str) -> ClientResponse:
    after = await newest(worker)
    return await worker.client.get(f"/live/cases/{reference}?after={after}")


async def said(socket: ClientWebSocketResponse, seconds: float = 3) -> list[str]:
    """All that the socket says within a time, "changed" left out."""
    found = []
    with contextlib.suppress(TimeoutError):
        while True:
            found.append((await socket.receive(seconds)).data)
            seconds = 0.5
    return [word for word in found if word != "changed"]


async def test_the_worker_sees_that_the_carer_types(one_world: World, arrive: Arrive) -> None:
    guest, other = await arrive(one_world, None), await arrive(one_world, None)
    worker = await arrive(one_world, "wasim")
    mine = await begun(one_world, guest, "Are you there?")
    theirs = await begun(one_world, other, "Something else")
    events = await one_world.count(Event)
    # One server a visitor in these tests, so the chat's socket is opened where the worker is.
    token = await _cookie(guest)
    case, elsewhere = await following(worker, mine), await following(worker, theirs)
    async with worker.client.ws_connect("/chat/socket", headers={"Cookie": token}) as socket:
        for _ in range(5):
            await socket.send_str("typing")
        assert await heard(case) == "typing"
        assert await heard(case, 1) == ""  # once, however often it was said
        assert await heard(elsewhere, 0.2) == ""
        await socket.send_str("I want to say that he")  # no words are listened to
        assert await heard(case, 1) == ""
    case.close()
    elsewhere.close()
    assert await one_world.count(Event) == events
    assert await one_world.count(InboundItem) == 2


async def test_the_carer_sees_that_a_worker_types(one_world: World, arrive: Arrive) -> None:
    guest, other = await arrive(one_world, None), await arrive(one_world, None)
    worker = await arrive(one_world, "wasim")
    reference = await begun(one_world, guest, "Are you there?")
    await begun(one_world, other, "Something else")
    mine, theirs = await _cookie(guest), await _cookie(other)
    await worker.get(f"/cases/{reference}")
    assert f'data-typing="/cases/{reference}/typing"' in worker.page
    async with (
        worker.client.ws_connect("/chat/socket", headers={"Cookie": mine}) as socket,
        worker.client.ws_connect("/chat/socket", headers={"Cookie": theirs}) as elsewhere,
    ):
        for _ in range(3):
            assert await worker.post(f"/cases/{reference}/typing") == 204
        assert await said(socket) == ["typing"]
        assert await said(elsewhere, 0.5) == []


async def test_a_text_has_nobody_to_tell(one_world: World, arrive: Arrive) -> None:
    worker = await arrive(one_world, "wasim")
    await one_world.sms(CARER, "Please ring me")
    reference = (await one_world.case_of(CARER)).reference
    await worker.get(f"/cases/{reference}")
    assert f'data-typing="/cases/{reference}' not in worker.page
    assert await worker.post(f"/cases/{reference}/typing") == 204
    assert await worker.post("/cases/ESX-NONE99/typing") == 404


def test_each_is_told_at_most_every_two_seconds() -> None:
    typing = Typing()
    assert typing.is_news("a", 10.0)
    assert not typing.is_news("a", 10.0 + EVERY - 0.01)
    assert typing.is_news("b", 10.5)
    assert typing.is_news("a", 10.0 + EVERY)


async def _cookie(guest: Visitor) -> str:
    (token,) = [one for one in guest.client.session.cookie_jar if one.key == "helpline-chat"]
    return f"helpline-chat={token.value}"
