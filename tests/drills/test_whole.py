"""The whole way through the real process: the bytes curl would send become a case and a message at
the provider, whose report comes back. `helpline serve`, real bots, providers on loopback."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from helpline.desk.house import House
from helpline.models import Case, Contact, OutMessage
from tests.drills.houses import (
    OUR_NUMBER,
    PUBLIC_URL,
    SMS_HOOK,
    STATUS_HOOK,
    TELEGRAM_HOOK,
    carer,
    everything,
    opened_house,
)
from tests.drills.posting import Answer, Wire
from tests.drills.processes import Command, environment, free_port
from tests.fakes.telegram import SECRET, FakeTelegram, update
from tests.fakes.twilio import FakeTwilio, Form, inbound_form, sign, status_form


async def test_a_signed_webhook_by_curl_becomes_a_case_and_an_answer_at_twilio(
    database_url: str,
) -> None:
    async with FakeTwilio() as twilio, opened_house(database_url) as house:
        helpline = Command(environment(database_url, twilio.url), free_port())
        await helpline.start()
        async with Wire(f"http://127.0.0.1:{helpline.port}") as wire:
            form = inbound_form(carer(1), OUR_NUMBER, "they say I hit him")
            for _ in range(2):  # the provider may well say it twice
                kept = await wire.send(curl(SMS_HOOK, form))
                assert (kept.status, kept.body) == (200, b"<Response/>")

            (message,) = await until(lambda: twilio.sent)
            assert message["to"] == carer(1)
            assert message["from"] == OUR_NUMBER
            assert message["status_callback"] == PUBLIC_URL + STATUS_HOOK
            (case,) = await everything(house, Case)
            assert case.reference in message["body"]

            for status, state in (("sent", "sent"), ("delivered", "delivered")):
                report = status_form(message["sid"], status, OUR_NUMBER, carer(1))
                assert (await wire.send(curl(STATUS_HOOK, report))).status == 200
                await until(states(house, [state]))
        assert await helpline.stop() == 0
        assert [c.direction for c in await everything(house, Contact)] == ["in", "out"]
        assert len(twilio.sent) == 1


async def test_the_same_for_telegram(database_url: str) -> None:
    async with FakeTelegram() as telegram, opened_house(database_url) as house:
        helpline = Command(environment(database_url, telegram_url=telegram.url), free_port())
        await helpline.start()
        async with Wire(f"http://127.0.0.1:{helpline.port}") as wire:
            body = json.dumps(update(700900123, "they say I hit him")).encode()
            headers = {"Content-Type": "application/json", SECRET_HEADER: SECRET}
            for _ in range(2):
                assert (await wire.post(TELEGRAM_HOOK, headers, body)).status == 200

            (message,) = await until(lambda: telegram.sent)
            assert str(message["chat_id"]) == "700900123"
            (case,) = await everything(house, Case)
            assert case.reference in message["text"]
            await until(states(house, ["sent"]))
        assert await helpline.stop() == 0
        assert [c.direction for c in await everything(house, Contact)] == ["in", "out"]


async def test_what_is_not_signed_changes_nothing_in_the_running_process(
    database_url: str,
) -> None:
    async with opened_house(database_url) as house:
        helpline = Command(environment(database_url), free_port())
        await helpline.start()
        async with Wire(f"http://127.0.0.1:{helpline.port}") as wire:
            form = inbound_form(carer(1), OUR_NUMBER, "they say I hit him")
            body = json.dumps(update(700900123, "they say I hit him")).encode()
            refused = [
                await wire.send(curl(SMS_HOOK, form, signature="wrong")),
                await wire.send(curl(STATUS_HOOK, form, signature="wrong")),
                await wire.send(curl(SMS_HOOK, form, signed_path=STATUS_HOOK)),
                await wire.post(TELEGRAM_HOOK, {SECRET_HEADER: "wrong"}, body),
                await wire.post(TELEGRAM_HOOK, {}, body),
            ]
        assert [answer.status for answer in refused] == [403] * 5
        assert all(is_a_sentence(answer) for answer in refused)
        assert await helpline.stop() == 0
        assert not await everything(house, Case)


# --- what is posted and waited for ---------------------------------------------------------------

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


def curl(path: str, form: Form, *, signature: str = "", signed_path: str = "") -> bytes:
    """The bytes of `curl -H 'X-Twilio-Signature: …' --data-urlencode … http://…`."""
    body = urlencode(form).encode()
    signature = signature or sign(PUBLIC_URL + (signed_path or path), form)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
        f"X-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    return head.encode() + body


def is_a_sentence(answer: Answer) -> bool:
    return answer.body.decode().strip().endswith(".") and b"<" not in answer.body


def states(house: House, expected: list[str]) -> Callable[[], Awaitable[bool]]:
    async def are_reached() -> bool:
        return [m.state for m in await everything(house, OutMessage)] == expected

    return are_reached


async def until(question: Callable[[], Any], seconds: float = 20) -> Any:
    """The first answer that is something. Fails after so many seconds."""
    async with asyncio.timeout(seconds):
        while True:
            answer = question()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.05)
