"""Pictures of every page in every state, as a desk and a telephone show it: `make pictures`.

Goes from link to link as each kind of user, once for every line of the route table, and looks at
what it finds with axe: no violation, nothing wider than the screen, nothing that the content policy
had to stop. The pictures and a page that shows them all land in var/pictures, to be looked at one
by one. Ends with 1 where something was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from helpline import seed
from helpline.vocabulary import Role
from helpline.web.app import ROUTES, make_app
from tests import databases
from tests.browser.site import DESK, PHONE, PICTURES, fill
from tests.find_browser import find
from tests.world import PASSWORD, World, opened_world

SIZES = {"desk": DESK, "phone": PHONE}
WHO = {
    **dict.fromkeys(("wasim", "leonie", "sefa"), "inbox"),
    "quinn": "complaints",
    "ada": "users",
    "petra": "portal",
}
"""Who goes, and where they begin."""
FIRST = ("/login", "/chat", "/contact")
"""What somebody without a sign-in begins with."""
LEAVES = re.compile(r"^/(logout|hooks|static|live|healthz|readyz|metrics)|\.(pdf|ics|svg|csv)$")
MOST_OF_A_KIND = 2
"""Pages of one line of the route table that are looked at; a case in the seed has many faces."""
STATES: dict[str, dict[str, Any]] = {
    # what each sees: the world, and how the browser is set
    "full": {},
    "empty": {},
    "long": {},
    "dark": {"color_scheme": "dark"},
    "contrast": {"forced_colors": "active"},
    "zoom": {"viewport": {"width": 320, "height": 256}},  # 1280 × 1024 at 400 %
}


@dataclass
class Walk:
    """What was seen: the line of the route table → its pages; and what was wrong."""

    address: str
    state: str
    password: str
    seen: dict[str, list[str]] = field(default_factory=dict)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def takes(self, who: str, path: str) -> bool:
        """Whether a page is still worth a look: another of its kind, or for somebody else."""
        line = line_of(path)
        if line is None or LEAVES.search(path):
            return False
        known = self.seen.setdefault(line, [])
        return f"{who} {path}" not in known and len(known) < MOST_OF_A_KIND

    def fault(self, what: str) -> None:
        """Said at once: a walk takes long."""
        if what not in self.faults:
            self.faults.append(what)
            print(what, flush=True)


def line_of(path: str) -> str | None:
    """The line of the route table that answers a path; None where it is no page of ours."""
    return next((line for line, fits in LINES if fits.fullmatch(path)), None)


def _fits(line: str) -> re.Pattern[str]:
    """A path of the route table as a pattern; names stand for anything, or for what they say."""
    parts = re.split(r"\{\w+(?::((?:[^{}]|\{\d+\})*))?\}", line)
    fixed, free = parts[::2], [said or "[^/]+" for said in parts[1::2]]
    return re.compile("".join(re.escape(a) + b for a, b in zip(fixed, [*free, ""], strict=True)))


LINES = [(route.path, _fits(route.path)) for route in ROUTES if route.method == "GET"]


async def walk(browser: Browser, here: Walk, *, is_quick: bool) -> None:
    """From link to link, as nobody and as each of WHO."""
    await _as_one(browser, here, "nobody", FIRST, is_quick=is_quick)
    for who, begins in WHO.items():
        await _as_one(browser, here, who, (f"/{begins}", "/more", "/account"), is_quick=is_quick)


async def _as_one(
    browser: Browser, here: Walk, who: str, begins: Sequence[str], *, is_quick: bool
) -> None:
    settings: dict[str, Any] = {"viewport": DESK, "reduced_motion": "reduce"} | STATES[here.state]
    context = await browser.new_context(**settings)
    page = await context.new_page()
    page.on("console", lambda said: _note(here, page, said.text))
    page.on("pageerror", lambda error: _note(here, page, str(error)))
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    if who != "nobody":
        await sign_in(page, here, who)
    ahead, met = list(begins), set(begins)
    while ahead:
        path = ahead.pop(0)
        if not here.takes(who, path) or not await _is_page(context, here.address + path):
            continue
        here.seen[line_of(path) or ""].append(f"{who} {path}")
        await look(page, here, who, path, is_quick=is_quick)
        for link in await _links(page):
            if link not in met:
                met.add(link)
                ahead.append(link)
    await context.close()


def _note(here: Walk, page: Page, said: str) -> None:
    path = urlsplit(page.url).path
    if "the server responded with a status of 4" not in said:  # noted of what is refused
        here.fault(f"{here.state} {path}: the browser says {said[:200]}")


async def sign_in(page: Page, here: Walk, who: str) -> None:
    await page.goto(f"{here.address}/login")
    await page.fill("#name", who)
    await page.fill("#password", here.password)
    await page.click("main button:has-text('Sign in') >> nth=-1")
    await page.wait_for_url(lambda url: "/login" not in url)


async def _is_page(context: BrowserContext, address: str) -> bool:
    """Whether it is there and a page: files are not opened."""
    answer = await context.request.get(address)
    is_file = "attachment" in answer.headers.get("content-disposition", "")
    is_html = answer.headers.get("content-type", "").startswith("text/html")
    return answer.ok and is_html and not is_file


async def _links(page: Page) -> list[str]:
    hrefs = await page.eval_on_selector_all(
        "a[href^='/']", "links => links.map(link => link.getAttribute('href'))"
    )
    return [urlsplit(href).path for href in hrefs]


async def look(page: Page, here: Walk, who: str, path: str, *, is_quick: bool) -> None:
    """One page: as it opens, unfolded, and after its first form was sent with nothing in it."""
    name = f"{here.state}-{who}-{re.sub(r'[^a-z0-9]+', '-', path.lower()).strip('-') or 'first'}"
    await page.goto(here.address + path)
    sizes = {"zoom": STATES["zoom"]["viewport"]} if here.state == "zoom" else SIZES
    for width, size in sizes.items():
        await page.set_viewport_size(size)
        await _check(page, here, f"{who} {path} ({width})", with_axe=width != "phone")
        if not is_quick:
            await _picture(page, here, f"{name}-{width}")
    await page.set_viewport_size(STATES[here.state].get("viewport", DESK))
    if here.state == "full":
        await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        await _check(page, here, f"{who} {path} (unfolded)", with_axe=True)
        if await _sends_nothing(page):
            await _check(page, here, f"{who} {path} (in error)", with_axe=True)
            if not is_quick:
                await _picture(page, here, f"{name}-error")


async def _sends_nothing(page: Page) -> bool:
    """Send the first form that has something to write in, empty. False where there is none."""
    form = page.locator("main form[method=post]:has(textarea, input[type=text])").first
    if not await form.count():
        return False
    await form.evaluate("form => { form.noValidate = true; form.reset(); }")
    answer = page.wait_for_event("load", timeout=5000)
    button = form.locator("button[type=submit], button:not([type])").first
    if not await button.count():
        answer.close()
        return False
    await asyncio.gather(answer, button.click(), return_exceptions=True)
    return True


async def _check(page: Page, here: Walk, what: str, *, with_axe: bool) -> None:
    root = "document.documentElement"
    if await page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"):
        here.fault(f"{here.state} {what}: wider than the screen")
    if not with_axe:
        return
    found = (await Axe().run(page)).response["violations"]
    for one in found:
        sample = one["nodes"][0]["html"][:140]
        here.fault(f"{here.state} {what}: {one['id']} × {len(one['nodes'])}: {sample}")


async def _picture(page: Page, here: Walk, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    here.pictures.append((name, urlsplit(page.url).path))


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[str]:
    """The demo in a process of its own: the whole invented world."""
    port = await _free_port()
    command = (str(Path(sys.executable).with_name("helpline")), "demo")
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=os.environ | {"PORT": str(port)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_it_answers(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def _until_it_answers(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.5)
        else:
            writer.close()
            return
    raise RuntimeError("The demo does not answer.")


@asynccontextmanager
async def own_world(folder: Path, *, is_filled: bool) -> AsyncIterator[str]:
    """A helpline without a single case, or one with long names and cases of every kind."""
    url = databases.new_sqlite_file(folder, databases.migrated_sqlite(folder))
    async with opened_world(url) as world:
        if is_filled:
            await fill(world)  # hires Ada as well
        await _staff(world, () if is_filled else (("Ada", Role.ADMIN),))
        runner = web.AppRunner(make_app(world.house), shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def _staff(world: World, more: Sequence[tuple[str, Role]]) -> None:
    ours = (("Sefa", Role.SAFEGUARDING), ("Quinn", Role.COMPLAINTS), ("Petra", Role.COMMISSIONER))
    for name, role in (*ours, *more):
        await world.hire(name, role)


def table(walks: Sequence[Walk]) -> str:
    """The page that shows all pictures, the smallest lines of the route table first."""
    rows = "".join(
        f'<figure><img loading="lazy" src="{html.escape(name)}.png" alt="">'
        f"<figcaption>{html.escape(name)}<br>{html.escape(path)}</figcaption></figure>"
        for one in walks
        for name, path in one.pictures
    )
    style = "figure{display:inline-block;width:30%;vertical-align:top}img{width:100%}"
    return f"<!doctype html><title>Pictures</title><style>{style}</style>{rows}"


async def run(states: Sequence[str], *, is_quick: bool) -> list[Walk]:
    walks = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find(), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for state in states:
            with TemporaryDirectory(prefix="helpline-pictures-") as folder:
                is_own = state in ("empty", "long")
                opened = (
                    own_world(Path(folder), is_filled=state == "long")
                    if is_own
                    else demo(Path(folder))
                )
                async with opened as address:
                    here = Walk(address, state, PASSWORD if is_own else seed.PASSWORD)
                    await walk(browser, here, is_quick=is_quick)
                    walks.append(here)
                    print(
                        f"{state}: {sum(map(len, here.seen.values()))} pages of "
                        f"{sum(map(bool, here.seen.values()))} lines, {len(here.faults)} faults"
                    )
        await browser.close()
    return walks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("states", nargs="*", help=f"of {', '.join(STATES)}; without any, all")
    parser.add_argument("--quick", action="store_true", help="look only, take no pictures")
    given = parser.parse_args()
    walks = asyncio.run(run(given.states or list(STATES), is_quick=given.quick))
    if not given.quick:
        (PICTURES / "index.html").write_text(table(walks), "utf-8")
    faults = [fault for one in walks for fault in one.faults]
    missed = {line for line, _ in LINES} - {
        line for one in walks for line, met in one.seen.items() if met
    }
    print(f"not met: {', '.join(sorted(line for line in missed if not LEAVES.search(line)))}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
