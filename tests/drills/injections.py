"""Injections: texts that want to be obeyed go in by every door of the helpline, and at every sink
it is seen that they are read and nothing else: pages in a real browser with a trap for scripts,
dialogs, foreign hosts and reports of the content policy; PDF, Word, Excel and CSV; what a telephone
line is told; letters' headers; log lines; the search. `make trust` sends two thousand.
"""

import argparse
import asyncio
import csv
import email
import email.policy
import io
import random
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree import ElementTree

import openpyxl
import pypdf
from playwright.async_api import async_playwright

from helpline import sealing
from helpline.models import Case
from helpline.reports import codes
from helpline.reports.cells import Cell, ordered, places
from helpline.reports.figures import measures_of
from helpline.reports.render import inert, rendered
from helpline.reports.report import Report
from helpline.rules.periods import period
from tests import databases
from tests.drills.__main__ import empty_database
from tests.drills.canaries import CASE_PAGES, STARTS, hearing
from tests.drills.doors import STAFF, Doors, Seen, filled, opened_doors, read, walked
from tests.drills.payloads import payloads
from tests.find_browser import find
from tests.keys import RAW_TEST_KEY
from tests.world import PASSWORD

MARKS: Final = re.compile(r"__ran|evil\.example|evil\d|\x1b")
"""What is in no address, header, log line or spoken word unless a text of ours got there."""
VERBS: Final = set("Response Say Gather Dial Number Record Redirect Hangup Pause".split())
HEADERS: Final = set(
    "from to subject date message-id in-reply-to references reply-to mime-version content-type "
    "content-transfer-encoding auto-submitted x-auto-response-suppress return-path precedence "
    "list-unsubscribe x-mailfrom x-rcptto x-peer content-language".split()
)
LOG_LINE: Final = re.compile(
    r'\{"[^\x00-\x1f]*\}|(DEBUG|INFO|WARNING|ERROR|CRITICAL) [\w.]+ [^<\x1b]*'
)
ACTIVE_IN_PDF: Final = (
    b"/JavaScript",
    b"/Launch",
    b"/EmbeddedFile",
    b"/SubmitForm",
    b"/OpenAction",
)
FIELDS_IN_WORD: Final = re.compile(rb"<w:(fldSimple|instrText|hyperlink|altChunk)\b")
TOGETHER: Final = 4  # payloads in one message


@dataclass
class Figures:
    """What was sent, what was looked at, and what was obeyed."""

    payloads: int = 0
    messages: int = 0
    forms: int = 0
    pages: int = 0
    browsed: int = 0
    files: int = 0
    letters: int = 0
    spoken: int = 0
    log_lines: int = 0
    searches: int = 0
    executed: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        looked = self.pages and self.files and self.spoken and self.log_lines
        return bool(self.payloads and looked) and not (self.wrong or self.executed)


# --- in ------------------------------------------------------------------------------------------


async def put_in(doors: Doors, texts: Sequence[str], forms: int, dice: random.Random) -> int:
    """Some texts together by each way in; one alone in each line of a form."""
    groups = [texts[at : at + TOGETHER] for at in range(0, len(texts), TOGETHER)]
    for n, group in enumerate(groups):
        said, one, sender = "\n".join(group), group[0], f"+447700900{200 + n % 700}"
        match n % 9:
            case 0:
                status = await doors.sms(said, sender)
            case 1:
                status = await doors.whatsapp(said, sender)
            case 2:
                status = await doors.telegram(said, n)
            case 3:
                status = await doors.letter(said, f"carer{n}@there.example")
            case 4:
                status = await doors.chat(said[:3900], n)
            case 5:
                status = await doors.chat(said[:3900], n, name=f"{one[:150]}.pdf")
            case 6:
                asked = {"name": one[:110], "safe": one[:480], "phone": sender}
                status = await doors.contact(n, message=said[:3900], **asked)
            case 7:
                status = await doors.ring(sender, one)
            case _:
                row = (
                    f"FC9{n}",
                    one[:80],
                    "Foster carer",
                    "West",
                    "CM1 1QH",
                    "2020-01-01",
                    "",
                    sender,
                )
                status = (await doors.hand_in_list([row])).status
        assert status < 500, (n % 9, status, said)
        if n % 60 == 59:
            await doors.live_on()
    await doors.live_on()
    return await _by_forms(doors, texts, forms, dice)


async def _by_forms(doors: Doors, texts: Sequence[str], pages: int, dice: random.Random) -> int:
    cases = [one for one in await doors.world.all(Case) if isinstance(one, Case)]
    more = [
        "/new-case?contract=essex",
        "/complaints/new?contract=essex",
        "/partners/new",
        "/groups",
    ]
    more += ["/library/new", "/incidents", "/compliments", "/events/new", "/news/new", "/evidence"]
    sent = 0
    for number in range(pages):
        by = await doors.walker(dice.choice(("leonie", "sefa", "wasim", "quinn")))
        case = dice.choice(cases)
        here = [f"/cases/{case.reference}{page}" for page in CASE_PAGES] + more
        path = here[number % len(here)]
        found = read((await by.get(path)).text).forms
        found = [one for one in found if one.method == "post" and "logout" not in one.action]
        found = [one for one in found if "restriction" not in one.action]
        for form in dice.sample(found, min(4, len(found))):
            said = [*filled(form, dice, lambda _: dice.choice(texts))]
            one = await by.ask("POST", form.action or path, said)
            assert one.status < 500, (form.action, one.status, said)
            sent += 1
    return sent


async def search(doors: Doors, texts: Sequence[str], figures: Figures) -> None:
    """Found or not, and never an error of ours."""
    by = await doors.walker("wasim")
    pages = [await by.get("/search"), await by.get("/people")]
    for text in texts:
        for page in pages:
            form = next(one for one in read(page.text).forms if one.action == page.path)
            said = [*filled(form, random.Random(1), lambda _, said=text: said)]
            one = await by.ask("POST", page.path, said)
            figures.searches += 1
            if one.status >= 500:
                figures.wrong.append(f"{page.path} answers {one.status} to {text!r}")


# --- pages ---------------------------------------------------------------------------------------


class _Obeys(HTMLParser):
    """Whatever a browser would run, fetch or send elsewhere because of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag in ("iframe", "object", "embed", "base", "style", "math"):
            self.found.append(f"<{tag}>")
        if tag == "script" and not said.get("src", "").startswith("/static/"):
            self.found.append("a script without a file of ours")
        if tag == "meta" and said.get("http-equiv", "").lower() == "refresh":
            self.found.append("a page that leads elsewhere")
        for name, value in said.items():
            if name.startswith(("on", "hx-on")) or name in ("srcdoc", "style"):
                self.found.append(f"{tag} {name}={value[:60]}")
            if name in ("href", "src", "action", "formaction", "hx-get", "hx-post") and (
                MARKS.search(value) or urlsplit(value.strip()).scheme in ("javascript", "data")
            ):
                self.found.append(f"{tag} {name}={value[:80]}")


def _faults(one: Seen) -> Iterator[str]:
    if one.status >= 500:
        yield f"{one.by} {one.method} {one.path}: {one.status}"
    for name, value in one.headers.items():
        if MARKS.search(value):
            yield f"the header {name} of {one.path} says {value[:80]!r}"
    if one.is_page:
        obeys = _Obeys()
        obeys.feed(one.text)
        yield from (f"{one.by} {one.path}: {found}" for found in obeys.found)


TRAP = """document.addEventListener('securitypolicyviolation', (e) =>
  window.__stopped(e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile));"""


async def browse(doors: Doors, paths: Sequence[str], figures: Figures) -> None:
    """Each page in a real browser that notes whatever runs, asks, or is stopped."""
    ran: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        context = await browser.new_context()
        context.set_default_timeout(90_000)  # a busy machine
        await context.expose_function("__ran", lambda *said: ran.append(f"ran {said}"))
        await context.expose_function("__stopped", lambda said: ran.append(f"stopped {said}"))
        await context.add_init_script(TRAP)
        page = await context.new_page()
        page.on("dialog", lambda dialog: ran.append(f"a dialog: {dialog.message}"))
        page.on("popup", lambda _: ran.append("a window of its own"))
        here = urlsplit(doors.address).netloc

        def asked(request: Any) -> None:
            there = urlsplit(request.url)
            if there.scheme not in ("data", "blob") and there.netloc != here:
                ran.append(f"asked {request.url}")

        context.on("request", asked)
        await page.goto(f"{doors.address}/login")
        await page.fill("#name", "leonie")
        await page.fill("#password", PASSWORD)
        await page.click("text=Sign in >> nth=-1")
        await page.wait_for_url(lambda url: "/login" not in url)
        for path in paths:
            await page.goto(doors.address + path, wait_until="domcontentloaded")
            await page.evaluate(
                "document.querySelectorAll('details').forEach((d) => d.open = true)"
            )
            figures.browsed += 1
            figures.wrong += [f"{path} in a browser: {one}" for one in ran]
            figures.executed += len(ran)
            ran.clear()
        await _has_a_trap(page, ran)
        await browser.close()


async def _has_a_trap(page: Any, ran: list[str]) -> None:
    """What the policy stops and what runs is noted: or the browser's silence would say nothing."""
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=a()>')")
    await page.evaluate("window.__ran(7)")
    async with asyncio.timeout(60):
        while len(ran) < 2:  # noqa: ASYNC110  # two notes of a browser, in any order
            await asyncio.sleep(0.02)
    assert any("stopped" in one for one in ran), ran


# --- files ---------------------------------------------------------------------------------------


def report_of(doors: Doors, texts: Sequence[str]) -> Report:
    """A report that says these texts of itself, and whose areas are called by five of them."""
    contract = doors.world.house.contracts["essex"]
    areas = [
        area.model_copy(update={"name": text[:60].replace("\0", "")})
        for area, text in zip(contract.quadrants, texts, strict=False)
    ]
    named = contract.model_copy(update={"quadrants": (*areas, *contract.quadrants[len(areas) :])})
    for remembered in ("measures", "splits"):
        named.__dict__.pop(remembered, None)
    quarter, printed = period("2026-27-Q1", contract.year_starts_month), codes.printed(named)
    asked = named.report("quarter")
    cuts = {ordered(cut) for line in asked.lines for cut in line.by} | {()}
    cells = [
        Cell(measure.code, by, 40)
        for measure in measures_of(named, "quarter", quarter)
        for cut in sorted(cuts & {ordered(one) for one in measure.cuts})
        for by in places(cut, printed)
    ]
    half = len(texts) // 2
    said = {
        "people": "\n".join(texts[:half]),
        f"line:{asked.lines[0].code}": "\n".join(texts[half:]),
    }
    made = datetime(2026, 11, 1, 5, tzinfo=UTC)
    return Report(named, asked, quarter, tuple(cells), (), False, True, made, said)


async def reports(
    doors: Doors, texts: Sequence[str], kinds: Sequence[str], figures: Figures
) -> None:
    """The report in each format, beside one that says nothing."""
    plain, evil = report_of(doors, ["area"] * 5), report_of(doors, texts)
    for kind in kinds:
        made, harmless = await rendered(evil, kind, None), await rendered(plain, kind, None)
        figures.files += 1
        figures.wrong += [f"the report's {kind}: {one}" for one in _active(kind, made, harmless)]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[inert(one)] for one in texts])
    text.seek(0)
    for (cell,) in csv.reader(text):
        if cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
            figures.wrong.append(f"a cell of a CSV begins {cell[:20]!r}")


def _active(kind: str, made: bytes, harmless: bytes) -> Iterator[str]:
    """What in a file would do something when it is opened, beyond what a harmless one has."""
    match kind:
        case "html":
            obeys = _Obeys()
            obeys.feed(made.decode())
            yield from (one for one in obeys.found if one != "<style>")
        case "xlsx":
            book = openpyxl.load_workbook(io.BytesIO(made))
            cells = [cell for sheet in book for row in sheet for cell in row]
            yield from (f"a formula {c.value!r}" for c in cells if c.data_type == "f")
            yield from (
                f"a link {c.value!r}"
                for c in cells
                if c.hyperlink and MARKS.search(str(c.hyperlink.target))
            )
        case "docx":
            parts, plain = _parts(made), _parts(harmless)
            if _fields(parts) != _fields(plain):
                yield f"fields {_fields(parts)} instead of {_fields(plain)}"
            for name, part in parts.items():
                ElementTree.fromstring(part)
                if name.endswith(".rels") and MARKS.search(part.decode()):
                    yield f"{name} points elsewhere"
        case "pdf":
            yield from pdf_faults(made)
        case "csv":
            for row in csv.reader(io.StringIO(made.decode("utf-8-sig"), newline="")):
                yield from (f"a cell {c!r}" for c in row if c[:1] in ("=", "+", "@", "\t", "\r"))


def _parts(file: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        return {n: parts.read(n) for n in parts.namelist() if n.endswith((".xml", ".rels"))}


def _fields(parts: dict[str, bytes]) -> Counter[bytes]:
    return Counter(found for part in parts.values() for found in FIELDS_IN_WORD.findall(part))


def pdf_faults(file: bytes) -> Iterator[str]:
    """Anything that acts in a PDF, a link that a text made, or what typesetting has read."""
    paper = pypdf.PdfReader(io.BytesIO(file))
    yield from (f"{word.decode()} in it" for word in ACTIVE_IN_PDF if word in file)
    for page in paper.pages:
        for one in page.get("/Annots") or []:
            if MARKS.search(str(one.get_object().get("/A", ""))):
                yield "a link that a text made"
    if "root:x:0" in "".join(page.extract_text() for page in paper.pages):
        yield "a file of the machine was read"


async def papers(doors: Doors, cases: Sequence[str], figures: Figures) -> None:
    """The case as it is printed."""
    by = await doors.walker("leonie")
    for reference in cases:
        for name in ("chronology.pdf", "file.pdf"):
            one = await by.get(f"/cases/{reference}/record/{name}")
            if not one.body.startswith(b"%PDF"):
                figures.wrong.append(f"{one.path}: {one.status}, no PDF")
                continue
            figures.files += 1
            figures.wrong += [f"{one.path}: {fault}" for fault in pdf_faults(one.body)]


# --- lines, letters, logs ------------------------------------------------------------------------


def listen(doors: Doors, figures: Figures) -> None:
    for said in doors.spoken:
        figures.spoken += 1
        verbs = {one.tag for one in ElementTree.fromstring(said).iter()}
        if verbs - VERBS or MARKS.search(said):
            figures.wrong.append(f"the telephone is told {said[:200]!r}")
    for taken in doors.mail.taken:
        figures.letters += 1
        letter = email.message_from_bytes(taken.raw, policy=email.policy.default)
        odd = {name.lower() for name in letter} - HEADERS
        if (
            odd
            or letter.defects
            or MARKS.search(taken.recipient)
            or MARKS.search(str(letter["to"]))
        ):
            figures.wrong.append(f"a letter to {taken.recipient} has {odd or letter.defects}")
        if len(letter.get_all("subject", [])) != 1 or MARKS.search(str(letter["subject"])):
            figures.wrong.append(f"a letter's subject is {letter['subject']!r}")


def log_faults(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not LOG_LINE.fullmatch(line) or MARKS.search(line):
            yield f"a log line is {line[:160]!r}"


# --- the drill -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """`forms`: pages whose forms are filled in; `most`: pages that each of the staff walks;
    `cases`: whose pages are opened in a browser; `printed`: those that are printed; `kinds`: of
    report files."""

    payloads: int = 2000
    forms: int = 60
    most: int = 25
    cases: int = 30
    printed: int = 12
    kinds: tuple[str, ...] = ("html", "csv", "xlsx", "docx", "pdf")
    searches: int = 250


async def drill(plan: Plan, seed: int, url: str) -> Figures:
    dice, figures = random.Random(seed), Figures(payloads=plan.payloads)
    texts = payloads(plan.payloads, dice)
    async with opened_doors(url) as doors:
        with hearing() as said:
            figures.forms = await put_in(doors, texts, plan.forms, dice)
            await search(doors, texts[: plan.searches], figures)
            for name in STAFF if plan.most > 10 else STAFF[:1]:
                await walked(await doors.walker(name), STARTS, plan.most)
        figures.log_lines = len(said.getvalue().splitlines())
        figures.wrong += log_faults(said.getvalue().splitlines())
        for one in doors.seen:
            figures.wrong += _faults(one)
        cases = [one for one in await doors.world.all(Case) if isinstance(one, Case)]
        some = [one.reference for one in dice.sample(cases, min(plan.cases, len(cases)))]
        await papers(doors, some[: plan.printed], figures)
        for at in range(0, len(texts), 250):
            await reports(doors, texts[at : at + 250], plan.kinds, figures)
        await browse(doors, [*STARTS[:3], *_pages(some)], figures)
        listen(doors, figures)
        figures.messages, figures.pages = len(cases), len(doors.seen)
    figures.wrong = sorted(set(figures.wrong))
    return figures


def _pages(references: Sequence[str]) -> Iterator[str]:
    for reference in references:
        yield f"/cases/{reference}"
        yield f"/cases/{reference}/record"


def main() -> int:
    wanted = argparse.ArgumentParser(prog="injections", description=__doc__)
    wanted.add_argument("--database", choices=databases.KINDS, default="sqlite")
    wanted.add_argument("--payloads", type=int, default=2000)
    wanted.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = wanted.parse_args()
    sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
    plan = Plan(payloads=asked.payloads)
    with empty_database(asked.database) as url:
        figures = asyncio.run(drill(plan, asked.seed, url))
    print(f"injections: {asked.database}, seed {asked.seed}")
    for name, value in vars(figures).items():
        if name != "wrong":
            print(f"  {name.replace('_', ' '):14} {value}")
    for wrong in figures.wrong[:60]:
        print(f"  WRONG {wrong}")
    print("injections: nothing was obeyed" if figures.is_kept else "injections: FAILED")
    return 0 if figures.is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
