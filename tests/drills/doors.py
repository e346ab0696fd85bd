"""Every door of a whole helpline, and somebody who tries each: what arrives by a provider, what the
public pages take, every form of the console filled in, lists and files handed in. The drills of
canaries and of injections put their words in here and look for them at the other end.

Nothing is stood in for but the providers: real bots reach the fakes on loopback.
"""

import io
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from random import Random
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientSession, CookieJar, FormData
from aiohttp.test_utils import TestClient, TestServer

from helpline.engine.fetching import fetch_all
from helpline.engine.mailbox import read_mailbox
from helpline.engine.searching import read_for_search
from helpline.main import real_channels
from helpline.vocabulary import Role
from helpline.web.app import make_app
from tests import folders
from tests.drills.houses import OUR_NUMBER
from tests.fakes.mail import MailProvider
from tests.fakes.telegram import FakeTelegram, delivered, update
from tests.fakes.telephone import Exchange
from tests.fakes.twilio import inbound_form
from tests.fakes.ways import all_on, mail_on
from tests.reports.short import shorten
from tests.world import PASSWORD, World, opened_world

NUMBERS: Final = f"essex={OUR_NUMBER},peterborough=+447700900001"
STAFF: Final = ("leonie", "wasim", "sefa", "quinn", "ada")
LEFT_ALONE: Final = re.compile(
    r"/(log(in|out)|demo|live|static|copies|account|invitation|users|socket)\b"
    r"|\.ics$|/emergency$|/restriction"
)
"""Not walked by robots: signing in and out, and what would shut the robot out."""
TYPED: Final = {"text", "search", "email", "tel", "url", ""}


@dataclass(frozen=True)
class Seen:
    """One answer of ours, as it went out."""

    by: str
    method: str
    path: str
    status: int
    headers: "MappingProxyType[str, str]"
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def is_page(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("text/html")


class Walker:
    """Somebody's browser, with everything it was answered in `seen`."""

    def __init__(self, session: ClientSession, address: str, name: str, seen: list[Seen]) -> None:
        self.session, self.address, self.name, self.seen = session, address, name, seen

    async def ask(
        self,
        method: str,
        path: str,
        form: FormData | Sequence[tuple[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Seen:
        """One request; where it leads on by a 303, the answer there is seen as well."""
        async with self.session.request(
            method, self.address + path, data=form, headers=headers, allow_redirects=False
        ) as answer:
            heard = MappingProxyType(dict(answer.headers))
            one = Seen(self.name, method, path, answer.status, heard, await answer.read())
        self.seen.append(one)
        if one.status == 303:
            there = urlsplit(urljoin(self.address + path, one.headers["Location"]))
            if self.address.endswith(there.netloc):
                return await self.get(there.path + (f"?{there.query}" if there.query else ""))
        return one

    async def get(self, path: str) -> Seen:
        return await self.ask("GET", path)

    async def sign_in(self) -> None:
        form = [("name", self.name), ("password", PASSWORD)]
        one = await self.ask("POST", "/login", form)
        assert one.status == 200, (self.name, one.status, one.text[:300])

    async def token(self) -> str:
        """That of this session's forms."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get("/account")).text)
        assert found, self.name
        return found[1]


@dataclass
class Doors:
    """The helpline, its providers, and whoever is signed in."""

    world: World
    client: TestClient
    exchange: Exchange
    bot: FakeTelegram
    mail: MailProvider
    stack: AsyncExitStack
    seen: list[Seen] = field(default_factory=list)
    walkers: dict[str, Walker] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return str(self.client.make_url("")).rstrip("/")

    async def walker(self, name: str = "") -> Walker:
        """A browser of its own; signed in when it has a name, and then the same one again."""
        if name in self.walkers:
            return self.walkers[name]
        session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        self.stack.push_async_callback(session.close)
        made = Walker(session, self.address, name or "nobody", self.seen)
        if name:
            await made.sign_in()
            self.walkers[name] = made
        return made

    async def live_on(self) -> None:
        """Everything that is due happens: routed, answered, fetched, read for the search."""
        await read_mailbox(self.world.house)
        await self.world.settle()
        await fetch_all(self.world.house)
        while await read_for_search(self.world.house):
            pass

    # --- what arrives ----------------------------------------------------------------------------

    async def sms(self, text: str, sender: str) -> int:
        sid = self.exchange.receive(sender, OUR_NUMBER, text)
        form = inbound_form(sender, OUR_NUMBER, text, sid)
        return (await self.exchange.post("/hooks/sms", form))[0]

    async def whatsapp(self, text: str, sender: str) -> int:
        pair = f"whatsapp:{sender}", f"whatsapp:{OUR_NUMBER}"
        sid = self.exchange.receive(*pair, text)
        form = inbound_form(*pair, text, sid, ProfileName=text)
        return (await self.exchange.post("/hooks/sms", form))[0]

    async def telegram(self, text: str, number: int) -> int:
        document = update(700900200 + number, text)
        document["message"]["from"]["first_name"] = text
        document["message"]["chat"]["first_name"] = text
        headers, body = delivered(document)
        async with self.client.post("/hooks/telegram", data=body, headers=headers) as answer:
            return answer.status

    async def letter(self, text: str, sender: str) -> int:
        """In its text, its subject and the sender's name."""
        line = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", text)[:800]
        shown = re.sub(r"[^ -!#-~]", " ", line)[:150].replace("\\", "/")
        named = f'"{shown}" <{sender}>'
        raw = (
            f"From: {named}\r\nTo: carers@helpline.example\r\n"
            f"Message-ID: <{len(self.mail.box)}.7@x>\r\nSubject: {line}\r\n"
            "Date: Tue, 03 Nov 2026 02:16:00 +0000\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            f"{text}"
        )
        self.mail.put(raw.encode("utf-8", "replace"), self.world.now)
        return 200

    async def chat(self, text: str, number: int, *, name: str = "") -> int:
        """`name`: of a file that comes with it."""
        guest = await self.walker()
        form = FormData()
        for key, value in (("text", text), ("id", f"{number:032x}")):
            form.add_field(key, value)
        if name:
            name = re.sub(r"[\x00-\x1f\x7f]", "_", name)  # no browser sends these
            form.add_field("file", io.BytesIO(b"%PDF-1.4 a letter"), filename=name)
        headers = {"X-Requested-With": "chat", "Cookie": f"helpline-chat={number:043}"}
        return (await guest.ask("POST", "/chat?contract=essex", form, headers)).status

    async def contact(self, number: int, **typed: str) -> int:
        guest = await self.walker()
        form = [("id", f"{number:032x}"), *typed.items()]
        return (await guest.ask("POST", "/contact?contract=essex", form)).status

    async def ring(self, caller: str, text: str) -> int:
        """A call whose form says something of its caller."""
        form = [("CallSid", f"CA{len(self.seen) + hash(caller) % 10**9:032x}"), ("From", caller)]
        form += [("To", OUR_NUMBER), ("CallerName", text), ("FromCity", text)]
        status, said = await self.exchange.post("/hooks/voice", form)
        self.spoken.append(said)
        await self.exchange.post("/hooks/voice/status", [*form, ("CallStatus", "completed")])
        return status

    spoken: list[str] = field(default_factory=list)

    # --- who walks through -----------------------------------------------------------------------

    async def hand_in_list(self, rows: Sequence[Sequence[str]]) -> Seen:
        """The council's list, with these rows, shown and accepted."""
        lead = await self.walker("leonie")
        head = "person,name,kind,team,postcode,approved_from,household,mobile"
        lines = [",".join('"' + one.replace('"', '""') + '"' for one in row) for row in rows]
        form = FormData()
        token = await lead.token()
        for name, value in (
            ("csrf", token),
            ("as_of", "2026-11-01"),
            ("whole", "no"),
            ("contract", "essex"),
        ):
            form.add_field(name, value)
        content = io.BytesIO("\n".join([head, *lines]).encode("utf-8", "replace"))
        form.add_field("file", content, filename="list.csv", content_type="text/csv")
        shown = await lead.ask("POST", "/register", form)
        if re.fullmatch(r"/register/\d+", shown.path):
            fields = [("csrf", token), ("sure", "yes")]
            return await lead.ask("POST", f"{shown.path}/acceptance", fields)
        return shown


@asynccontextmanager
async def opened_doors(database_url: str) -> AsyncIterator[Doors]:
    """Two councils, every channel, and somebody of each role."""
    councils = folders.only("essex", "peterborough")
    async with (
        opened_world(database_url, contracts=councils, numbers=NUMBERS) as world,
        AsyncExitStack() as stack,
    ):
        url = world.house.settings.public_url
        exchange = Exchange(url, world.clock)  # type: ignore[arg-type]  # it can be moved
        bot, mail = FakeTelegram(clock=world.clock), MailProvider()
        for fake in (exchange, bot, mail):
            await stack.enter_async_context(fake)
        more = all_on(exchange, bot) | mail_on(mail) | {"telegram_contract": "essex"}
        more["mailboxes"] = "essex=carers@helpline.example"
        settings = world.house.settings.model_copy(update=more)
        channels = {**world.house.channels, **real_channels(settings)}
        world.house = replace(world.house, settings=settings, channels=channels, demo=None)
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        server = TestServer(make_app(world.house))
        _few_figures(world)
        client = TestClient(server, cookie_jar=CookieJar(unsafe=True))
        exchange.client = await stack.enter_async_context(client)
        await world.hire("Sefa", Role.SAFEGUARDING)
        await world.hire("Quinn", Role.COMPLAINTS)
        await world.hire("Ada", Role.ADMIN)
        await world.hire("Colin", Role.COMMISSIONER)
        await world.hire("Petra", Role.COMMISSIONER, contract="peterborough")
        await world.hire("Percy", Role.WORKER, contract="peterborough")
        yield Doors(world, client, exchange, bot, mail, stack)


def _few_figures(world: World) -> None:
    """Reports of a few cells: what they say of somebody is looked for, not how much they count."""
    shorten(world.house)
    contracts: Any = world.house.contracts
    other = contracts["peterborough"]
    few = tuple(
        one.model_copy(update={"lines": (one.lines[0].model_copy(update={"by": ((),)}),)})
        for one in other.reports
    )
    contracts["peterborough"] = other.model_copy(update={"reports": few})


# --- forms ---------------------------------------------------------------------------------------


@dataclass
class Form:
    """A form of a page: where it goes, and its fields as kind, name, value and choices."""

    action: str
    method: str
    has_file: bool = False
    fields: list[tuple[str, str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _Reads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.addresses: list[str] = []
        self.links: list[str] = []
        self._open: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.addresses += [value for name, value in said.items() if _names_address(name)]
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        if tag == "form":
            self._open = Form(said.get("action", ""), said.get("method", "get").lower())
            self.forms.append(self._open)
        if self._open is None:
            return
        name, kind = said.get("name", ""), said.get("type", "").lower()
        if tag == "select":
            self._select = name
            self._open.fields.append(("select", name, ""))
            self._open.choices[name] = []
        elif tag == "option" and said.get("value"):
            self._open.choices.setdefault(self._select, []).append(said["value"])
        elif tag == "textarea":
            self._open.fields.append(("textarea", name, ""))
        elif tag in ("input", "button") and name:
            if kind == "radio":
                self._open.choices.setdefault(name, []).append(said.get("value", "on"))
            self._open.has_file |= kind == "file"
            self._open.fields.append((kind, name, said.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def _names_address(attribute: str) -> bool:
    return attribute in ("href", "src", "action", "formaction", "srcset", "poster", "data-url") or (
        attribute.startswith("hx-") and attribute.removeprefix("hx-") in ("get", "post", "push-url")
    )


def read(page: str) -> _Reads:
    """The forms of a page, every address it names, and its links."""
    reads = _Reads()
    reads.feed(page)
    return reads


def filled(form: Form, dice: Random, write: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Its fields as somebody fills them in: `write(name)` is what stands in a field for words."""
    decided: set[str] = set()
    for kind, name, value in form.fields:
        if kind in TYPED | {"textarea"}:
            yield name, _plausible(name, dice) or write(name)
        elif kind in ("select", "radio"):
            if name not in decided and form.choices.get(name):
                yield name, dice.choice(form.choices[name])
            decided.add(name)
        elif kind == "checkbox":
            if dice.random() < 0.7:
                yield name, value or "on"
        elif kind == "date":
            yield name, f"2026-11-{dice.randint(1, 3):02}"
        elif kind == "datetime-local":
            yield name, f"2026-11-{dice.randint(1, 2):02}T10:30"
        elif kind in ("number", "time"):
            yield name, "10:30" if kind == "time" else str(dice.randint(1, 9))
        elif kind == "hidden":
            yield name, value


def _plausible(name: str, dice: Random) -> str:
    """Fields that are read as days, hours or numbers though they look like text."""
    if re.search(r"(_on|_at|_date|day|born|from)$", name) and "why" not in name:
        return f"2026-11-0{dice.randint(1, 3)}"
    return str(dice.randint(1, 9)) if re.search(r"(minutes|hours|number|count)$", name) else ""


async def walked(by: Walker, starts: Iterable[str], most: int) -> list[Seen]:
    """Pages found from these, each link once, at most so many."""
    waiting, known, found = list(starts), set[str](), list[Seen]()
    while waiting and len(found) < most:
        path = waiting.pop(0)
        if path in known or LEFT_ALONE.search(urlsplit(path).path):
            continue
        known.add(path)
        one = await by.get(path)
        found.append(one)
        if one.is_page and one.status == 200:
            for address in read(one.text).links:
                there = urlsplit(urljoin(path, address))
                if not there.scheme and not there.netloc and there.path.startswith("/"):
                    waiting.append(there.path + (f"?{there.query}" if there.query else ""))
    return found
