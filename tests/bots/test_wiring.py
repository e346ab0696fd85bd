"""What each provider says when it is asked whether it knows us and where it brings what comes: real
libraries, providers on loopback."""

import pytest

from bots.email import Email
from bots.sms import Sms
from bots.telegram import Telegram
from bots.voice import Voice
from helpline.channels import Wiring
from helpline.desk import wiring
from tests.fakes.mail import US, MailProvider
from tests.fakes.serving import AnswersWith
from tests.fakes.telegram import SECRET, TOKEN, FakeTelegram
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio

OURS = "+447700900001"
HERE = "https://helpline.example/hooks"


async def test_twilio_says_what_each_number_calls() -> None:
    async with FakeTwilio() as twilio:
        twilio.numbers = [
            {"phone_number": OURS, "sms_url": f"{HERE}/sms", "voice_url": f"{HERE}/voice"},
            {"phone_number": "+447700900002", "sms_url": "", "voice_method": "GET"}
            | {"voice_url": f"{HERE}/voice"},
        ]
        sms = Sms(ACCOUNT_SID, AUTH_TOKEN, twilio.url)
        voice = Voice(ACCOUNT_SID, AUTH_TOKEN, "https://helpline.example", twilio.url)
        refused = Sms(ACCOUNT_SID, "another token", twilio.url)
        try:
            assert await sms.wiring() == Wiring(hooks={OURS: f"{HERE}/sms", "+447700900002": ""})
            assert (await voice.wiring()).hooks == {
                OURS: f"{HERE}/voice",
                "+447700900002": f"GET {HERE}/voice",
            }
            assert await refused.wiring() == Wiring(refused="account")
        finally:
            for one in (sms, voice, refused):
                await one.close()


async def test_telegram_says_where_the_webhook_points() -> None:
    async with FakeTelegram() as telegram:
        bot = Telegram(TOKEN, SECRET, telegram.url)
        refused = Telegram("700900123:another-token", SECRET, telegram.url)
        try:
            assert await bot.wiring() == Wiring(hooks={"telegram": ""})
            telegram.webhook = {"url": f"{HERE}/telegram"}
            assert await bot.wiring() == Wiring(hooks={"telegram": f"{HERE}/telegram"})
            assert await refused.wiring() == Wiring(refused="token")
        finally:
            await bot.close()
            await refused.close()


async def test_a_mail_server_lets_us_in_on_both_sides_or_says_on_which_not() -> None:
    async with MailProvider() as provider:
        assert await Email(provider.smtp_url, provider.imap_url, [US]).wiring() == Wiring()
        wrong = provider.imap_url.replace("//", "//nobody:wrong@", 1)
        wrong = wrong if wrong.count("@") == 1 else _with_password(provider.imap_url)
        assert await Email(provider.smtp_url, wrong, [US]).wiring() == Wiring(refused="in")


def _with_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://nobody:wrong@{rest.rpartition('@')[2]}"


@pytest.mark.parametrize("status", [200, 500])
async def test_a_provider_that_makes_no_sense_is_silent_and_stops_nothing(status: int) -> None:
    async with AnswersWith("<p>gateway</p>", status) as broken:
        sms = Sms(ACCOUNT_SID, AUTH_TOKEN, broken.url)
        try:
            assert await wiring.ask({"sms": sms, "webchat": object()}) == {"sms": None}  # type: ignore[dict-item]
        finally:
            await sms.close()
