"""Every way in and out as the person and the provider at its other end use it: `write`, `heard`,
and the troubles a provider can make, under the same words for all of them. Behind each stand the
real bot, the real client library and the fake provider on loopback; in front the whole helpline."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

import bots.email
import bots.telegram
from bots import _twilio
from helpline.desk import cases, webchat
from helpline.engine.mailbox import read_mailbox
from helpline.main import real_channels
from helpline.models import Case
from helpline.settings import Settings
from helpline.web.app import make_app
from tests import folders
from tests.drills.houses import OUR_NUMBER, carer
from tests.fakes import telegram as telegrams
from tests.fakes.mail import MailProvider
from tests.fakes.misbehaviour import FakeProvider
from tests.fakes.telegram import FakeTelegram, delivered, update
from tests.fakes.telephone import Exchange
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, inbound_form, signed
from tests.web.visitor import Visitor
from tests.world import World, opened_world

IMPATIENT = 0.7  # seconds that a bot waits for an answer, where the trouble is that none comes
SCRIPT = {"X-Requested-With": "chat"}
ELSEWHERE = {"Origin": "https://elsewhere.example"}


class Way:
    """One channel of a whole helpline. People are numbered: `by` is one of them."""

    name = ""
    method = ""
    """What reports call it."""
    names_time = True
    """Whether its provider can say how long to wait."""

    def __init__(self, world: World, client: TestClient, provider: Any) -> None:
        self.world, self.client, self.provider = world, client, provider

    # --- the person ------------------------------------------------------------------------------

    async def write(self, text: str, by: int = 0, copies: int = 1) -> set[int]:
        """Somebody writes once, and their provider tells us `copies` times at once; what it heard
        from us: HTTP statuses (of a mailbox: 200 for read and marked)."""
        raise NotImplementedError

    async def again(self) -> set[int]:
        """The provider tells us of the newest message once more."""
        raise NotImplementedError

    async def malformed(self) -> int:
        """Something that is genuine and makes no sense."""
        raise NotImplementedError

    async def forged(self) -> int | None:
        """Something that pretends to come this way; None where no way could tell."""
        raise NotImplementedError

    async def heard(self, by: int = 0) -> list[str]:
        """What this person received from us, oldest first."""
        raise NotImplementedError

    # --- the provider ----------------------------------------------------------------------------

    def hold(self) -> asyncio.Event:
        """It takes what we send and says nothing until the event is set."""
        held: asyncio.Event = self.provider.hold()
        return held

    @property
    def offered(self) -> int:
        """How often it was asked to send something."""
        tries: int = self.provider.tries
        return tries

    def busy(self, seconds: int) -> None:
        """Too many requests: come again in so many seconds."""
        raise NotImplementedError

    def down(self) -> None:
        """A fault of its own: nothing is taken."""
        raise NotImplementedError

    def silent(self) -> None:
        """It takes nothing and never says so."""
        self.provider.hang()

    def loses_answers(self) -> None:
        """It sends what we hand over and never says so."""
        self.provider.accept_then_drop()

    def fails_afterwards(self) -> None:
        """It sends what we hand over and says that it broke."""
        self.provider.accept_then_fail()

    def recover(self) -> None:
        self.provider.behave()

    @asynccontextmanager
    async def impatient(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
        """For the length of a `with` our side waits less than a second for an answer."""
        channel = self.world.house.channels[self.name]
        with monkeypatch.context() as patience:
            patience.setattr(_twilio, "TOTAL_SECONDS", IMPATIENT)
            patience.setattr(bots.telegram, "ANSWER_SECONDS", IMPATIENT)
            patience.setattr(bots.email, "LETTER_SECONDS", IMPATIENT)
            yield
            await channel.close()

    # --- our side --------------------------------------------------------------------------------

    async def settle(self) -> None:
        await self.world.settle()

    async def all(self, table: type, *where: object) -> list[Any]:
        return list(await self.world.all(table, *where))

    async def reply(self, text: str) -> None:
        """Wasim answers on the newest case."""
        async with self.world.house.db.write() as session:
            case = await session.get(Case, (await self.all(Case))[-1].id)
            assert case is not None
            contract = self.world.house.contracts[case.contract]
            await cases.reply(session, contract, case, text, self.world.worker, self.world.now)
        await self.settle()

    async def _at_once(self, copies: int) -> set[int]:
        """The newest message, so many times side by side."""
        heard = await asyncio.gather(*(self.again() for _ in range(copies)))
        return set().union(*heard)

    async def _post(self, path: str, form: Any, headers: Mapping[str, str] = {}) -> int:
        async with self.client.post(
            path, data=form, headers=headers, allow_redirects=False
        ) as answer:
            await answer.read()
            return answer.status


class Sms(Way):
    name, method, prefix = "sms", "text", ""
    provider: Exchange

    async def write(self, text: str, by: int = 0, copies: int = 1) -> set[int]:
        from_, to = self.prefix + carer(by), self.prefix + OUR_NUMBER
        self._form = inbound_form(from_, to, text, self.provider.receive(from_, to, text))
        return await self._at_once(copies)

    async def again(self) -> set[int]:
        status, _ = await self.provider.post("/hooks/sms", self._form)
        return {status}

    async def malformed(self) -> int:
        form = [("From", self.prefix + carer(0)), ("MessageSid", "\x00"), ("Body", "hello")]
        return (await self.provider.post("/hooks/sms", form))[0]

    async def forged(self) -> int | None:
        form = inbound_form(self.prefix + carer(0), self.prefix + OUR_NUMBER, "hello")
        url = self.provider.public_url + "/hooks/sms"
        headers, body = signed(url, form, "another token")
        return await self._post("/hooks/sms", body, headers)

    async def heard(self, by: int = 0) -> list[str]:
        return [one["body"] for one in self.provider.sent if one["to"] == self.prefix + carer(by)]

    def busy(self, seconds: int) -> None:
        self.provider.fail_with(429, 20429, retry_after=seconds)

    def down(self) -> None:
        self.provider.fail_with(503, 20503)


class WhatsApp(Sms):
    name, method, prefix = "whatsapp", "whatsapp", "whatsapp:"


class Telegram(Way):
    name, method = "telegram", "telegram"
    provider: FakeTelegram

    async def write(self, text: str, by: int = 0, copies: int = 1) -> set[int]:
        self._update = update(700900123 + by, text)
        return await self._at_once(copies)

    async def again(self) -> set[int]:
        headers, body = delivered(self._update)
        return {await self._post("/hooks/telegram", body, headers)}

    async def malformed(self) -> int:
        headers, _ = delivered({})
        return await self._post("/hooks/telegram", b'{"update_id": 7, "message": [\xff', headers)

    async def forged(self) -> int | None:
        headers, body = delivered(update(700900123, "hello"), "another secret")
        return await self._post("/hooks/telegram", body, headers)

    async def heard(self, by: int = 0) -> list[str]:
        return [m["text"] for m in self.provider.sent if int(m["chat_id"]) == 700900123 + by]

    def busy(self, seconds: int) -> None:
        self.provider.fail_with(429, "Too Many Requests", retry_after=seconds)

    def down(self) -> None:
        self.provider.fail_with(502, "Bad Gateway")


class Email(Way):
    name, method = "email", "email"
    names_time = False
    provider: MailProvider

    async def write(self, text: str, by: int = 0, copies: int = 1) -> set[int]:
        letter = self.provider.write(f"carer{by}@there.example", text, self.world.now)
        for number in range(1, copies):  # another way through other servers each time
            self.provider.put(f"Received: by way {number}\r\n".encode() + letter.raw, letter.at)
        return await self._collect()

    async def again(self) -> set[int]:
        self.provider.put(self.provider.box[-1].raw, self.world.now)
        return await self._collect()

    async def malformed(self) -> int:
        self.provider.put(b"\x00\xff no letter at all", self.world.now)
        return max(await self._collect())

    async def forged(self) -> int | None:
        return None

    async def heard(self, by: int = 0) -> list[str]:
        taken = self.provider.taken
        return [one.text for one in taken if one.recipient == f"carer{by}@there.example"]

    async def _collect(self) -> set[int]:
        await read_mailbox(self.world.house)
        return {200 if "\\Seen" in one.flags else 0 for one in self.provider.box}

    def hold(self) -> asyncio.Event:
        self.provider.held = asyncio.Event()
        return self.provider.held

    @property
    def offered(self) -> int:
        return self.provider.offered

    def busy(self, seconds: int) -> None:
        self.provider.answers["rcpt"] = "450 4.2.1 too many letters just now"

    def down(self) -> None:
        self.provider.answers["data"] = "451 4.3.0 out of order"

    def silent(self) -> None:
        self.hold()

    def loses_answers(self) -> None:
        self.provider.dies_after = "data"

    def recover(self) -> None:
        self.provider.answers.clear()
        self.provider.dies_after, self.provider.held = "", None


class WebChat(Way):
    name, method = "webchat", "website"

    async def write(self, text: str, by: int = 0, copies: int = 1) -> set[int]:
        self._newest = (by, {"text": text, "id": secrets.token_hex(16)})
        return await self._at_once(copies)

    async def again(self) -> set[int]:
        by, form = self._newest
        self.client.session.cookie_jar.clear()  # the device is the one that is named below
        status = await self._post("/chat", form, {**SCRIPT, **self._device(by)})
        return {200 if status == 204 else status}

    async def malformed(self) -> int:
        return await self._post("/chat", {"text": " ", "id": "\x00"}, {**SCRIPT, **self._device(0)})

    async def forged(self) -> int | None:
        return await self._post("/chat", {"text": "hello"}, {**ELSEWHERE, **self._device(0)})

    async def heard(self, by: int = 0) -> list[str]:
        device = webchat.device_of(self._token(by), "essex")
        async with self.world.house.db.read() as session:
            chat = await webchat.chat(session, "essex", device)
        return [line.text for line in chat.lines if not line.is_theirs]

    def _token(self, by: int) -> str:
        return f"{by:043}"

    def _device(self, by: int) -> dict[str, str]:
        return {"Cookie": f"helpline-chat={self._token(by)}"}


class WebForm(Way):
    """The first answer is the page that follows, the next one goes to the telephone given."""

    name, method = "webform", "website"
    provider: Exchange

    async def write(self, text: str, by: int = 0, copies: int = 1) -> set[int]:
        form = {"message": text, "phone": carer(by), "id": secrets.token_hex(16)}
        self._newest = (by, form)
        self._pages = getattr(self, "_pages", {})
        return await self._at_once(copies)

    async def again(self) -> set[int]:
        by, form = self._newest
        guest = Visitor(self.client)
        sending = asyncio.create_task(guest.post("/contact", form))
        while not sending.done():  # the page waits a moment for the reference
            await self.settle()
            await asyncio.sleep(0.01)
        self._pages[by] = guest.text
        return {await sending}

    async def malformed(self) -> int:
        return await self._post("/contact", {"message": "hello", "phone": "\x00 ring me"})

    async def forged(self) -> int | None:
        return await self._post("/contact", {"message": "hello"}, ELSEWHERE)

    async def heard(self, by: int = 0) -> list[str]:
        texts = [one["body"] for one in self.provider.sent if one["to"] == carer(by)]
        return [self._pages[by], *texts]


class Voice(Way):
    """Calls; who rings and who is rung is told by the exchange."""

    name, method = "voice", "telephone"
    provider: Exchange

    async def write(self, text: str, by: int = 0, copies: int = 1) -> set[int]:
        await self.provider.ring(carer(by), OUR_NUMBER)  # asserts 200 at every hook
        return {200}

    async def malformed(self) -> int:
        return (await self.provider.post("/hooks/voice", [("Nonsense", "yes")]))[0]

    async def forged(self) -> int | None:
        form = [("CallSid", "CA" + "1" * 32), ("From", carer(0)), ("To", OUR_NUMBER)]
        url = self.provider.public_url + "/hooks/voice"
        headers, body = signed(url, form, "another token")
        return await self._post("/hooks/voice", body, headers)

    def busy(self, seconds: int) -> None:
        self.provider.fail_with(429, 20429, retry_after=seconds)

    def down(self) -> None:
        self.provider.fail_with(503, 20503)


KINDS: tuple[type[Way], ...] = (Sms, WhatsApp, Telegram, Voice, WebChat, WebForm, Email)


@asynccontextmanager
async def opened_way(name: str, database_url: str) -> AsyncIterator[Way]:
    """A whole helpline with every channel switched on, seen from one of them."""
    async with opened_world(database_url) as world, AsyncExitStack() as stack:
        public_url = world.house.settings.public_url
        exchange = Exchange(public_url, world.clock)  # type: ignore[arg-type]  # it can be moved
        bot, mail = FakeTelegram(clock=world.clock), MailProvider()
        for fake in (exchange, bot, *([mail] if name == Email.name else [])):
            await stack.enter_async_context(fake)
        settings = world.house.settings.model_copy(
            update=all_on(exchange, bot) | (mail_on(mail) if name == Email.name else {})
        )
        channels = {**world.house.channels, **real_channels(settings)}
        world.house = replace(world.house, settings=settings, channels=channels, demo=None)
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        client = TestClient(TestServer(make_app(world.house)), cookie_jar=CookieJar(unsafe=True))
        exchange.client = await stack.enter_async_context(client)
        (kind,) = (kind for kind in KINDS if kind.name == name)
        providers: dict[str, FakeProvider | MailProvider] = {"telegram": bot, "email": mail}
        yield kind(world, client, providers.get(name, exchange))


def all_on(exchange: Exchange, bot: FakeTelegram) -> dict[str, str]:
    """The settings that switch on Twilio's channels and Telegram."""
    return {
        "twilio_account_sid": ACCOUNT_SID,
        "twilio_auth_token": AUTH_TOKEN,
        "twilio_api_url": exchange.url,
        "telegram_token": telegrams.TOKEN,
        "telegram_secret": telegrams.SECRET,
        "telegram_api_url": bot.url,
    }


def mail_on(mail: MailProvider) -> dict[str, str]:
    return {"smtp_url": mail.smtp_url, "imap_url": mail.imap_url}


def everything_on() -> Settings:
    """Settings under which every channel there is exists; nobody is at the addresses."""
    here = "http://127.0.0.1:9"
    exchange, bot = Exchange(here, None), FakeTelegram()  # type: ignore[arg-type]  # never started
    mail = {"smtp_url": "smtp://127.0.0.1:9", "imap_url": "imap://us%40here.example:x@127.0.0.1:9"}
    names = all_on(exchange, bot) | mail | {"twilio_numbers": f"essex={OUR_NUMBER}"}
    return Settings(contracts=folders.essex(), **names)  # type: ignore[arg-type]  # all are texts
