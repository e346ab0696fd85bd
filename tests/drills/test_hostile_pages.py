"""Hostile forms at every page that takes one: signing in, the console, our public pages. Whatever
is sent, by whomever, the answer is below 500, and an answer of 400 or more has changed nothing.

The routes come from the route table and the names of the fields from the pages' source, so that a
new page is attacked from its first day. HELPLINE_TEST_SEED repeats a run.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import select

from helpline.channels import Inbound
from helpline.desk import access
from helpline.desk.house import House
from helpline.engine.routing import route_all
from helpline.models import Case, Session
from helpline.vocabulary import ItemKind, Role
from helpline.web.app import ROUTES
from helpline.web.middleware import SIGNED
from tests.drills import hostile
from tests.drills.houses import (
    NIGHT,
    OUR_NUMBER,
    carer,
    everything,
    opened_house,
    row_counts,
    serving,
)
from tests.drills.posting import Wire, request_bytes
from tests.drills.test_hostile import SEED, chunked

FORMS, ADDRESSES = 350, 300  # on each of the two databases
AT_ONCE = 20
PAGES = [route for route in ROUTES if route.method == "POST" and route.allow != SIGNED]
STREAMS = re.compile(r"live|socket|follow")  # they do not end: tests/web/test_live.py
READ = [r for r in ROUTES if r.method == "GET" and not STREAMS.search(r.path + r.page.__name__)]
SOURCE = Path(access.__file__).parents[1] / "web"
CODE = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
NAMES = sorted(set(re.findall(r"fields?\(request, \"(\w+)\"\)", CODE)))
QUERIES = sorted(set(re.findall(r"query\.get\(\"(\w+)\"", CODE)))
PLAUSIBLE = (
    "essex lead worker admin fact opinion in out spoke voicemail 5 12 1 2 emergency low allegation"
    " legal other 2026-11-03T01:00 2026-11-03T09:00 07700900123 FC1001 CM11QH sms telegram on"
    " foster_carer mid north text hello"
).split()
UNCOUNTED = {"login_attempt", "event", "audit_link"}  # that somebody was refused is written down

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Visitor:
    """Somebody's browser: its cookie and the token of its forms; nobody is signed in without."""

    cookie: str = ""
    csrf: str = ""


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    print(f"HELPLINE_TEST_SEED={SEED}")
    async with opened_house(database_url) as opened:
        for number in range(4):
            await opened.inbox.keep(
                Inbound("sms", f"SM{number}", carer(number), OUR_NUMBER, "he hit me"), NIGHT
            )
        await opened.inbox.keep(
            Inbound("sms", "odd", carer(9), OUR_NUMBER, "", ItemKind.UNREADABLE), NIGHT
        )
        await route_all(opened)
        yield opened


async def test_no_form_is_our_fault_and_what_is_refused_changes_nothing(house: House) -> None:
    chance = random.Random(SEED)
    visitors = [Visitor(), await visitor(house, Role.LEAD), await visitor(house, Role.ADMIN)]
    references = [case.reference for case in await everything(house, Case)]
    pages = cycle(chance.sample(PAGES, len(PAGES)))  # each in its turn: none is left out by chance
    seen: Counter[tuple[str, int]] = Counter()

    async def attack(wire: Wire) -> int:
        page = next(pages)
        raw = form(chance, page.path, references, chance.choice(visitors))
        answer = await wire.send(raw)
        assert answer.status < 500, (answer, raw[:1000])
        seen[page.path, answer.status] += 1
        return answer.status

    async with serving(house) as url:
        wires = [Wire(url) for _ in range(AT_ONCE)]
        before = await counted(house)
        for _ in range(FORMS // AT_ONCE):
            statuses = await asyncio.gather(*(attack(wire) for wire in wires))
            after = await counted(house)
            if min(statuses) >= 400:
                assert after == before
            before = after
        for wire in wires:
            await wire.close()
    assert {path for path, _ in seen} == {page.path for page in PAGES}
    statuses_seen = {status for _, status in seen}
    assert {400, 403, 404, 303} <= statuses_seen, seen  # the attack came as far as the desk


async def test_no_address_is_our_fault(house: House) -> None:
    chance = random.Random(SEED)
    visitors = [Visitor(), await visitor(house, Role.LEAD), await visitor(house, Role.ADMIN)]
    references = [case.reference for case in await everything(house, Case)]
    pages = cycle(chance.sample(READ, len(READ)))
    seen: Counter[str] = Counter()

    async def ask(wire: Wire) -> None:
        page = next(pages)
        by = chance.choice(visitors)
        raw = request_bytes(address(chance, page.path, references), cookie_of(by))
        answer = await wire.send(raw.replace(b"POST", b"GET", 1))
        assert answer.status < 500, (answer, raw[:500])
        seen[page.path] += 1

    async with serving(house) as url:
        wires = [Wire(url) for _ in range(AT_ONCE)]
        for _ in range(ADDRESSES // AT_ONCE):
            await asyncio.gather(*(ask(wire) for wire in wires))
        for wire in wires:
            await wire.close()
    assert seen.keys() == {page.path for page in READ}


# --- what is sent --------------------------------------------------------------------------------


def form(chance: random.Random, path: str, references: list[str], by: Visitor) -> bytes:
    place = filled(chance, path, references)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | cookie_of(by)
    if chance.random() < 0.1:
        headers |= hostile.headers(chance)
    body = fields(chance, by.csrf)
    if chance.random() < 0.1:
        raw = chunked(body, 1 + len(body) // 3)
        return request_bytes(place, {**headers, "Transfer-Encoding": "chunked"}, raw)
    return request_bytes(place, {**headers, "Content-Length": str(len(body))}, body)


def fields(chance: random.Random, csrf: str) -> bytes:
    """Mostly a form one could believe in, with something odd in it."""
    if chance.random() < 0.3:
        body = hostile.body(chance, b"text=hello&name=robin", NAMES)
    else:
        pairs = [(name, chance.choice(PLAUSIBLE)) for name in NAMES]
        for at in chance.sample(range(len(pairs)), 2):
            pairs[at] = (pairs[at][0], chance.choice(hostile.ODD_TEXTS))
        body = b"&".join(hostile.field(name, value) for name, value in pairs)
    return body + f"&csrf={csrf}".encode() if chance.random() < 0.9 else body


def address(chance: random.Random, path: str, references: list[str]) -> str:
    names = chance.sample(QUERIES, 3)
    query = b"&".join(hostile.field(name, odd_or_plausible(chance)) for name in names)
    return f"{filled(chance, path, references)}?{query.decode()[:5000]}"


def odd_or_plausible(chance: random.Random) -> str:
    known = (
        "9~9",
        "-~5",
        "2026-11-03T00:00~99999999999",
        "csv",
        "json",
        "list",
        "live",
        "all",
        "1",
    )
    return chance.choice(hostile.ODD_TEXTS) if chance.random() < 0.5 else chance.choice(known)


def cookie_of(by: Visitor) -> dict[str, str]:
    return {"Cookie": f"helpline={by.cookie}"} if by.cookie else {}


def filled(chance: random.Random, path: str, references: list[str]) -> str:
    """The route's address with something in each of its places."""
    return re.sub(r"\{(\w+)(:[^}]*)?\}", lambda name: part(chance, name[1], references), path)


def part(chance: random.Random, name: str, references: list[str]) -> str:
    """Something to stand in an address: often what is there, else nonsense."""
    if name == "reference" and chance.random() < 0.8:
        return chance.choice(references)
    if chance.random() < 0.6:
        return str(chance.randrange(1, 6))
    return chance.choice(
        ("0", "-1", "9" * 18, "9" * 30, "4294967296", "x", "%00", "%ff", "%F0%9F%98%80", "1.5")
    )


# --- who sends it --------------------------------------------------------------------------------


async def visitor(house: House, role: Role) -> Visitor:
    async with house.db.write() as session:
        user = await access.add_user(session, role, role, None, "three words and more", NIGHT)
        new = await access.sign_in(session, user, None, NIGHT)
        csrf = await session.scalar(select(Session.csrf).where(Session.user_id == user))  # type: ignore[arg-type, call-overload]
    return Visitor(new.token, csrf)


async def counted(house: House) -> dict[str, int]:
    counts = await row_counts(house)
    return {name: rows for name, rows in counts.items() if name not in UNCOUNTED}
