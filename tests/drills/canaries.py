"""Canaries: invented names, numbers, phrases, addresses and postcodes go in by every door, the
helpline lives on (promises missed, alerts climbing, providers failing, broken pages, reports), and
then they are looked for wherever they do not belong: log lines, metrics, error pages,
what staff are sent, addresses, answers that may be cached, reports, other councils' pages, the
database's own bytes, and a browser after signing out. `make trust` sends two hundred.
"""

import argparse
import asyncio
import html
import io
import logging
import random
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit

import structlog
from playwright.async_api import async_playwright
from sqlalchemy import text as sql

from helpline import log, sealing
from helpline.models import Case, metadata
from helpline.web.asked import HOUSE
from tests import databases
from tests.drills.__main__ import empty_database
from tests.drills.doors import STAFF, TYPED, Doors, Seen, filled, opened_doors, read, walked
from tests.find_browser import find
from tests.keys import RAW_TEST_KEY
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, PASSWORD, WORKER_PHONE

FIRST = "Vexley Quorra Tamsin Brindle Osric Jorun Peregrin Wystan Ottoline Zephyr".split()
LAST = "Marrowby Thackwick Ouseley Grimsdale Pellinore Quillfeather Yarrowby Snettle".split()
THINGS = "zeppelin marmalade harpsichord walrus trombone gazebo teapot lighthouse".split()
KINDS: Final = ("json", "csv", "html", "xlsx", "docx", "pdf")
STAFF_NUMBERS: Final = (DUTY_PHONE, LEAD_PHONE, WORKER_PHONE)
STRANGERS = ("colin", "petra", "percy")
CASE_PAGES = ("", "/record", "/people", "/plan", "/standing", "/safety", "/partners", "/rights")
STARTS = ("/inbox", "/more", "/tray", "/people", "/complaints", "/rota", "/reports", "/triage")
FAILURE: Final = re.compile(r"<title>[^<]*(Something went wrong|Not found|Not allowed)")


@dataclass(frozen=True)
class Canary:
    kind: str
    text: str


@dataclass
class Figures:
    """Where canaries were put in, what was looked at, and each that was where it should not be."""

    put_in: int = 0
    doors: int = 0
    forms: int = 0
    pages: int = 0
    log_lines: int = 0
    heard: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        return bool(self.put_in and self.pages and self.log_lines) and not self.wrong


def flock(count: int, dice: random.Random) -> list[Canary]:
    """So many canaries, a fifth of each kind, each unlike every other and all that we say."""
    made: list[Canary] = []
    for n in range(count):
        tail = "".join(dice.choice("bcdfghjklmnpqrstvwxz") for _ in range(4))
        made.append(
            (
                Canary("name", f"{dice.choice(FIRST)} {dice.choice(LAST)}{tail}"),
                Canary("number", f"+447700900{400 + n // 5}"),
                Canary("phrase", f"the {dice.choice(THINGS)} of {tail}ington fell on the stairs"),
                Canary("e-mail", f"{tail}{n}@{dice.choice(LAST).lower()}.example"),
                Canary("postcode", f"ZQ{n // 5 % 10} {n // 50 % 10}{tail[:2].upper()}"),
            )[n % 5]
        )
    return made


class Nose:
    """Finds canaries in whatever we send or keep."""

    def __init__(self, canaries: Sequence[Canary]) -> None:
        self.texts = [one.text for one in canaries]
        self._needles = [form.lower() for one in canaries for form in _spelt(one)]

    def __call__(self, said: str) -> str:
        """The first canary in it, however it is encoded; empty for none."""
        forms = [said]
        if "&" in said:
            forms.append(html.unescape(said))
        if "%" in said or "+" in said:
            forms.append(unquote_plus(said))
        return next((found for form in forms if (found := self.plain(form))), "")

    def plain(self, said: str) -> str:
        """The same for what is not encoded."""
        lower = said.lower()
        for needle in self._needles:
            if (at := lower.find(needle)) >= 0 and not lower[at + len(needle) :][:1].isdigit():
                return needle
        return ""


def _spelt(one: Canary) -> tuple[str, ...]:
    """The ways in which one writes it."""
    if one.kind == "number":
        last = one.text[-3:]
        return f"7700900{last}", f"7700 900{last}", f"7700 900 {last}"
    if one.kind == "postcode":
        return one.text, one.text.replace(" ", "")
    return (one.text,)


@contextmanager
def hearing() -> Iterator[io.StringIO]:
    """All that is logged by anybody at any level, as `helpline serve` would write it, and all that
    is printed."""
    root, said = logging.getLogger(), io.StringIO()
    kept, level, out = root.handlers[:], root.level, (sys.stdout, sys.stderr)
    levels = {name: logging.getLogger(name).level for name in list(root.manager.loggerDict)}
    root.handlers = []
    sys.stdout = sys.stderr = said
    log.set_up(logging.DEBUG)
    structlog.configure(cache_logger_on_first_use=False)
    root.setLevel(logging.DEBUG)
    for name in [*levels, "httpx", "aiohttp.access", "twilio"]:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        sys.stdout, sys.stderr = out
        root.handlers = kept
        root.setLevel(level)
        for name, was in levels.items():
            logging.getLogger(name).setLevel(was)
        structlog.reset_defaults()


# --- in ------------------------------------------------------------------------------------------


async def put_in(doors: Doors, flock_: Sequence[Canary], forms: int, dice: random.Random) -> int:
    """Each canary by one of the doors of people, then all of them through the console's forms.
    Returns how many forms were sent."""
    for n, canary in enumerate(flock_):
        sender = canary.text if canary.kind == "number" else f"+447700900{300 + n % 90}"
        mail = canary.text if canary.kind == "e-mail" else f"carer{n}@there.example"
        said = f"Please ring about {canary.text}, they come on Monday"
        match n % 9:
            case 0:
                status = await doors.sms(said, sender)
            case 1:
                status = await doors.whatsapp(said, sender)
            case 2:
                status = await doors.telegram(said, n)
            case 3:
                status = await doors.letter(said, mail)
            case 4:
                status = await doors.chat(said, n)
            case 5:
                status = await doors.chat("with a letter", n, name=f"{canary.text}.pdf")
            case 6:
                asked = {"name": canary.text, "safe": said, "email": mail, "phone": sender}
                status = await doors.contact(n, message=said, **asked)
            case 7:
                status = await doors.ring(sender, canary.text)
            case _:
                status = (await doors.hand_in_list([_row(n, canary, sender)])).status
        assert status in (200, 204), (n % 9, status)
        if n % 40 == 39:
            await doors.live_on()
    await doors.live_on()
    return await _by_forms(doors, flock_, forms, dice)


def _row(n: int, canary: Canary, sender: str) -> tuple[str, ...]:
    name = canary.text if canary.kind == "name" else f"Carer {n}"
    return (f"FC9{n}", name, "Foster carer", "West", "CM1 1QH", "2020-01-01", "", sender)


async def _by_forms(doors: Doors, flock_: Sequence[Canary], forms: int, dice: random.Random) -> int:
    """Every form of the case's pages and of what is written down by hand, round and round."""
    cases = [one for one in await doors.world.all(Case) if isinstance(one, Case)]
    sent = 0
    for number in range(forms):
        by = await doors.walker(dice.choice(("leonie", "sefa", "wasim")))
        case = dice.choice(cases)
        pages = [f"/cases/{case.reference}{page}" for page in CASE_PAGES]
        pages += ["/new-case?contract=essex", "/complaints/new?contract=essex", "/search"]
        pages.append(f"/people/{case.person_id}")
        found = read((await by.get(pages[number % len(pages)])).text).forms
        found = [one for one in found if one.method == "post" and not one.has_file]
        for form in dice.sample(found, min(3, len(found))):
            if "logout" not in form.action and "restriction" not in form.action:
                said = list(filled(form, dice, lambda _: dice.choice(flock_).text))
                await by.ask("POST", form.action or pages[number % len(pages)], said)
                sent += 1
    return sent


# --- the helpline lives on -----------------------------------------------------------------------


async def live(doors: Doors, flock_: Sequence[Canary]) -> None:
    """A bad day: providers fail, promises are missed, alerts climb, pages break, people search for
    what they should not find and put names into addresses."""
    doors.exchange.fail_with(503, 20503)
    doors.bot.fail_with(502, "Bad Gateway")
    doors.mail.answers["rcpt"] = "550 5.1.1 no such mailbox"
    await doors.sms("somebody has taken all their tablets", CARER)
    await doors.live_on()
    await doors.world.later(hours=30)
    doors.exchange.behave()
    doors.bot.behave()
    doors.mail.answers.clear()
    await doors.live_on()
    doors.walkers.clear()  # their sessions are over
    by, nobody = await doors.walker("wasim"), await doors.walker()
    token = await by.token()
    for canary in flock_[:: max(1, len(flock_) // 20)]:
        await by.ask(
            "POST", "/search", [("csrf", token), ("text", canary.text), ("q", canary.text)]
        )
        await by.ask("POST", "/people", [("csrf", token), ("who", canary.text)])
        await by.ask("POST", "/cases/ESX-NONE99/notes", [("csrf", token), ("body", canary.text)])
        await nobody.ask("POST", "/hooks/sms", [("Body", canary.text)])
    await _break_a_page(doors, by.session, flock_[0])


async def _break_a_page(doors: Doors, session: Any, canary: Canary) -> None:
    """As broken as a house can be."""
    app = doors.client.server.app  # type: ignore[attr-defined]  # it is a TestServer
    house, by = app[HOUSE], await doors.walker("wasim")
    contracts = house.contracts
    object.__setattr__(house, "contracts", None)
    try:
        token = "x"
        for path in ("/inbox", "/search", "/new-case"):
            one = await by.ask("GET", path)
            await by.ask("POST", path, [("csrf", token), ("text", canary.text)])
        assert one.status == 500
    finally:
        object.__setattr__(house, "contracts", contracts)


# --- out -----------------------------------------------------------------------------------------


async def look(doors: Doors, smells: Nose, figures: Figures, most: int) -> None:
    """Walks through as everybody and notes each canary that is where it should not be."""
    for name in STAFF if most > 10 else STAFF[:1]:
        await walked(await doors.walker(name), STARTS, most)
    for name in STRANGERS if most > 10 else STRANGERS[1:]:
        strangers = await walked(await doors.walker(name), ("/", "/portal", *STARTS), most // 2)
        figures.wrong += [
            f"{name} is shown {smells(s.text)} at {s.path}" for s in strangers if smells(s.text)
        ]
    nobody = await doors.walker()
    for text in smells.texts[:5]:  # last, as whoever comes after them from there has to wait
        await nobody.ask("POST", "/login", [("name", text), ("password", text)])
    await _reports(doors, smells, figures, KINDS if most > 10 else KINDS[:2])
    metrics = await (await doors.walker()).get("/metrics")
    if smells(metrics.text):
        figures.wrong.append(f"/metrics says {smells(metrics.text)}")
    assert any(smells(one.text) for one in doors.seen if one.is_page)  # it has a nose at all
    for one in doors.seen:
        figures.wrong += _faults(one, smells)
    figures.pages = len(doors.seen)
    for sent in doors.exchange.sent:
        said = str(sent.get("body", ""))
        if sent["to"] in STAFF_NUMBERS and smells(said):
            figures.wrong.append(f"staff are texted {smells(said)}")
    figures.heard = len(doors.exchange.sent) + len(doors.mail.taken) + len(doors.spoken)
    for letter in doors.mail.taken:
        if smells(str(letter.letter["subject"])):
            figures.wrong.append(f"a letter's subject says {letter.letter['subject']}")
    figures.wrong += [f"the telephone says {smells(one)}" for one in doors.spoken if smells(one)]


def _faults(one: Seen, smells: Nose) -> Iterator[str]:
    whole = smells(one.text)
    said = f"{one.by} {one.method} {one.path} ({one.status})"
    if whole and one.headers.get("Cache-Control") != "no-store":
        yield f"{said} may be cached and says {whole}"
    if whole and one.is_page and FAILURE.search(one.text):
        yield f"the error page of {said} says {whole}"
    for name, value in one.headers.items():
        if smells(value):
            yield f"the header {name} of {said} says {smells(value)}"
    if not (whole and one.is_page):
        return
    page = read(one.text)
    for address in page.addresses:
        if urlsplit(address).scheme not in ("tel", "mailto", "sms") and smells(address):
            yield f"an address on {said} says {smells(address)}: {address}"
    for form in page.forms:
        typed = [name for kind, name, _ in form.fields if kind in TYPED | {"textarea"}]
        if form.method == "get" and typed:
            yield f"a form on {said} puts {typed} into an address"


async def _reports(doors: Doors, smells: Nose, figures: Figures, kinds: Sequence[str]) -> None:
    lead = await doors.walker("leonie")
    for kind in kinds:
        one = await lead.get(f"/reports/essex/2026-27-Q3?format={kind}")
        for name, said in _inside(one.body):
            if one.status == 200 and smells(said):
                figures.wrong.append(f"the report's {kind} says {smells(said)} in {name}")


def _inside(body: bytes) -> Iterator[tuple[str, str]]:
    yield "the file", body.decode("utf-8", "replace")
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            for name in parts.namelist():
                yield name, parts.read(name).decode("utf-8", "replace")


async def look_into_rows(doors: Doors, smells: Nose, url: str) -> Iterator[str]:
    """Every value as the database holds it, and of SQLite the file's own bytes."""
    wrong = set[str]()
    async with doors.world.house.db.read() as session:
        for name in metadata.tables:
            rows = (await session.execute(sql(f'SELECT * FROM "{name}"'))).mappings().all()
            for column in rows[0] if rows else ():
                if found := smells.plain("\0".join(_raw(row[column]) for row in rows)):
                    wrong.add(f"{name}.{column} holds {found} unsealed")
    if url.startswith("sqlite") and not wrong:
        path = Path(url.removeprefix("sqlite:///"))
        for file in sorted(path.parent.glob(path.name + "*")):
            if found := smells.plain(file.read_bytes().decode("latin-1")):
                wrong.add(f"the bytes of {file.suffix} hold {found}")
    return iter(sorted(wrong))


def _raw(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes) else str(value)


# --- a browser after signing out -----------------------------------------------------------------

STORED = """async () => {
  const bases = indexedDB.databases ? await indexedDB.databases() : [];
  const kept = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const asked of await cache.keys()) kept.push(await (await cache.match(asked)).text());
  }
  return JSON.stringify([{...localStorage}, {...sessionStorage}, bases, kept, document.cookie]);
}"""


async def look_into_browser(doors: Doors, smells: Nose, paths: Sequence[str]) -> list[str]:
    """Somebody reads, types, signs out, and leaves the machine to the next."""
    wrong: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        page = await (await browser.new_context()).new_page()
        page.set_default_timeout(90_000)  # a busy machine
        await page.goto(f"{doors.address}/login")
        await page.fill("#name", "wasim")
        await page.fill("#password", PASSWORD)
        await page.click("text=Sign in >> nth=-1")
        await page.wait_for_url(lambda url: "/login" not in url)
        for path in paths:
            await page.goto(doors.address + path)
        if not smells(await page.content()):
            wrong.append(f"the browser never saw a canary at {paths[-1]}")
        await page.click("text=Sign out >> visible=true")
        await page.wait_for_url(lambda url: "/cases" not in url)
        if smells(stored := await page.evaluate(STORED)):
            wrong.append(f"the browser keeps {smells(stored)} after signing out")
        await page.go_back()
        if smells(await page.content()):
            wrong.append("after signing out, Back shows the case")
        await browser.close()
    return wrong


async def _one_with_a_canary(doors: Doors, smells: Nose) -> str:
    doors.walkers.clear()  # their sessions are over
    by = await doors.walker("wasim")
    for case in await doors.world.all(Case):
        assert isinstance(case, Case)
        if smells((one := await by.get(f"/cases/{case.reference}")).text):
            return one.path
    raise AssertionError("no case shows a canary")


# --- the drill -----------------------------------------------------------------------------------


async def drill(count: int, forms: int, most: int, seed: int, url: str, browse: bool) -> Figures:
    """`forms`: pages whose forms are filled in; `most`: pages that each of the staff walks."""
    dice, figures = random.Random(seed), Figures(put_in=count, doors=9)
    canaries = flock(count, dice)
    smells = Nose(canaries)
    async with opened_doors(url) as doors:
        with hearing() as said:
            figures.forms = await put_in(doors, canaries, forms, dice)
            await live(doors, canaries)
            await look(doors, smells, figures, most)
        lines = said.getvalue().splitlines()
        figures.log_lines = len(lines)
        figures.wrong += [f"a log line says {line}" for line in lines if smells(line)]
        figures.wrong += await look_into_rows(doors, smells, url)
        if browse:
            await doors.world.later(hours=2)  # whoever tried names at the sign-in is forgotten
            case = await _one_with_a_canary(doors, smells)
            figures.wrong += await look_into_browser(doors, smells, ("/inbox", "/tray", case))
    figures.wrong = sorted(set(figures.wrong))
    return figures


def main() -> int:
    wanted = argparse.ArgumentParser(prog="canaries", description=__doc__)
    wanted.add_argument("--database", choices=(*databases.KINDS, "both"), default="both")
    wanted.add_argument("--canaries", type=int, default=200)
    wanted.add_argument("--forms", type=int, default=120, help="pages whose forms are filled in")
    wanted.add_argument("--pages", type=int, default=120, help="walked by each of the staff")
    wanted.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = wanted.parse_args()
    sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
    kept = True
    for kind in databases.KINDS if asked.database == "both" else (asked.database,):
        with empty_database(kind) as url:
            run = drill(asked.canaries, asked.forms, asked.pages, asked.seed, url, True)
            figures = asyncio.run(run)
        print(f"canaries: {kind}, seed {asked.seed}")
        for name in ("put_in", "doors", "forms", "pages", "heard", "log_lines"):
            print(f"  {name.replace('_', ' '):14} {getattr(figures, name)}")
        for wrong in figures.wrong[:60]:
            print(f"  WRONG {wrong}")
        kept = kept and figures.is_kept
    print("canaries: none where it should not be" if kept else "canaries: FAILED")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
