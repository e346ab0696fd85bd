"""The demo's telephones: both receivers in one visitor's hands, the hooks asked over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bots.exchange import Exchange
from helpline.channels import TakesCalls
from helpline.desk.house import Demo
from helpline.engine.fetching import fetch_all
from helpline.engine.lines import look_after_calls
from helpline.errors import InvalidInput
from helpline.models import Alert, Attachment, Call, Case, Task
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, World


@pytest.fixture
async def demo(one_world: World) -> AsyncIterator[World]:
    """The world as the demo has it: with an exchange."""
    exchange, house = Exchange(allow=True), one_world.house
    assert house.demo is not None
    assert isinstance(exchange, TakesCalls)
    channels = {**house.channels, "voice": exchange}
    demo = Demo(house.demo.phones, house.demo.clock, exchange)
    one_world.house = replace(house, channels=channels, demo=demo)
    yield one_world


def test_it_must_be_allowed_by_name() -> None:
    with pytest.raises(InvalidInput):
        Exchange()


async def does(guest: Visitor, number: str, what: str, key: str = "") -> int:
    form = {"number": number, "what": what, "key": key, "carer": CARER, "duty": DUTY_PHONE}
    return await guest.post("/demo/calls", form)


async def test_a_carer_rings_and_the_duty_worker_takes_the_call(
    demo: World, arrive: Arrive
) -> None:
    guest = await arrive(demo, None)
    await guest.get("/demo")
    assert "Ring the helpline" in guest.text
    assert await does(guest, CARER, "ring") == 200
    assert "You have reached" in guest.text
    assert "ring 9 9 9" in guest.text
    await does(guest, CARER, "key", "1")
    assert "it rings" in guest.text
    await does(guest, DUTY_PHONE, "answer")
    assert "Somebody says that there is danger. Press 1" in guest.text
    await does(guest, DUTY_PHONE, "key", "1")
    assert "they are speaking" in guest.text
    await does(guest, DUTY_PHONE, "hang_up")
    assert "You can ring again at any time." in guest.text

    (call,), (alert,) = await demo.all(Call), await demo.all(Alert)
    assert (call.state, call.user_id) == ("ended", demo.duty.user_id)  # type: ignore[attr-defined]
    assert alert.acknowledged_by_id == demo.duty.user_id  # type: ignore[attr-defined]


async def test_nobody_answers_and_the_message_is_kept(demo: World, arrive: Arrive) -> None:
    guest = await arrive(demo, None)
    await does(guest, CARER, "ring")
    await does(guest, CARER, "key")
    await does(guest, DUTY_PHONE, "ignore")
    await does(guest, LEAD_PHONE, "answer")
    await does(guest, LEAD_PHONE, "hang_up")
    assert "Leave a message" in guest.text
    await does(guest, CARER, "speak")
    assert "Your message is with us" in guest.text
    await demo.settle()
    await demo.forward(minutes=1)
    await fetch_all(demo.house)
    await look_after_calls(demo.house)

    assert [task.kind for task in await demo.all(Task)] == ["call_back"]  # type: ignore[attr-defined]
    (kept,) = await demo.all(Attachment)
    assert kept.state == "kept"  # type: ignore[attr-defined]


async def test_the_console_rings_out_to_the_demos_telephones(demo: World, arrive: Arrive) -> None:
    await demo.sms(CARER, "please ring me")
    guest = await arrive(demo, "wasim")
    path = f"/cases/{(await demo.case_of(CARER)).reference}"
    await guest.get(path)
    assert await guest.post(f"{path}/telephone") == 200
    wasim = "+447700900903"
    await does(guest, wasim, "answer")
    await does(guest, wasim, "key", "1")
    await does(guest, CARER, "answer")
    assert "Somebody would like to speak to you" in guest.text
    await does(guest, CARER, "key", "2")
    await does(guest, wasim, "hang_up")
    (call,) = await demo.all(Call)
    assert (call.state, call.direction) == ("ended", "out")  # type: ignore[attr-defined]
    assert (await demo.deadlines(CARER))["first_response"].state == "met"


async def test_an_emergency_rings_the_duty_workers_telephone(demo: World, arrive: Arrive) -> None:
    await demo.sms(CARER, "he says he will kill himself tonight")
    guest = await arrive(demo, None)
    await guest.get(f"/demo?duty={DUTY_PHONE.replace('+', '%2B')}")
    assert "it rings" in guest.text
    await does(guest, DUTY_PHONE, "answer")
    assert "It may be an emergency." in guest.text
    await does(guest, DUTY_PHONE, "key", "1")
    assert "That is noted." in guest.text
    (alert,) = await demo.all(Alert)
    assert alert.acknowledged_by_id == demo.duty.user_id  # type: ignore[attr-defined]


async def test_what_rang_out_in_the_demo_is_over(demo: World) -> None:
    await demo.sms(CARER, "he says he will kill himself tonight")
    await demo.forward(minutes=30)
    await look_after_calls(demo.house)
    calls = await demo.all(Call, Call.user_id == demo.duty.user_id)
    assert [call.state for call in calls][:-1] == ["ended"] * (len(calls) - 1)  # type: ignore[attr-defined]
    assert len(calls) > 1


@pytest.mark.parametrize(
    ("number", "what", "key"),
    [(CARER, "key", "1"), (CARER, "nonsense", ""), ("", "ring", ""), (CARER, "ring", "evil")],
)
async def test_what_cannot_be_done_is_said(
    demo: World, arrive: Arrive, number: str, what: str, key: str
) -> None:
    guest = await arrive(demo, None)
    assert await does(guest, number, what, key) == 400
    assert await demo.count(Case) == 0


async def test_without_the_exchanges_secret_its_hooks_are_shut(demo: World, arrive: Arrive) -> None:
    guest = await arrive(demo, None)
    for headers in ({}, {"x-exchange-secret": "guess"}):
        form = {"id": "x", "from": CARER, "to": ""}
        async with guest.client.post("/hooks/voice", json=form, headers=headers) as answer:
            assert answer.status == 403
