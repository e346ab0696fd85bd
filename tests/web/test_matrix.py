"""Every route × everybody × everything it can be asked about: who must not get in is refused, and
nothing was changed by asking.

Routes come from the application itself. What is expected is written down here by hand, a second
time: WHO of test_routes (which roles), SHUT (who must not know of which case) and whose contract a
thing is of; nothing of rules/permissions or desk/seeing is asked. A route that leads to something
nobody named here fails, and so does one without a line in WHO. Requests are handled in this process
without a network; transactions are rolled back, so that every cell meets the same world.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from sqlalchemy import Table, UniqueConstraint, event, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from yarl import URL

from helpline.db import Database
from helpline.desk import access, cases, conflicts, parts, restricting
from helpline.models import Case, metadata
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from helpline.web import auth, showing
from helpline.web.app import ROUTES, Route, make_app
from helpline.web.asked import SIGNED_IN
from helpline.web.middleware import PUBLIC, SIGNED
from helpline.web.pages import health
from tests import databases, folders
from tests.desk import filled
from tests.web.test_routes import WHO
from tests.world import OUR_NUMBER, STRANGER, World, opened_world

THEIRS = "+447700900003"
OTHER = "stoke"


@dataclass(frozen=True)
class Person:
    """Somebody at a browser. `role`: a letter of WHO, empty: nobody who has a sign-in here."""

    name: str
    role: str
    contract: str | None = None


EVERYBODY = (
    # of the provider, on all its contracts
    *(Person("wasim", "W"), Person("leonie", "L"), Person("sefa", "S"), Person("quinn", "Q")),
    *(Person("ada", "A"), Person("colin", "C", "essex")),
    # of one contract, and of another
    *(Person("wendy", "W", "essex"), Person("lara", "L", "essex"), Person("seth", "S", "essex")),
    *(Person("quentin", "Q", "essex"), Person("aled", "A", "essex")),
    *(Person("wilf", "W", OTHER), Person("liam", "L", OTHER), Person("sian", "S", OTHER)),
    *(Person("quill", "Q", OTHER), Person("alba", "A", OTHER), Person("cora", "C", OTHER)),
    # who must not know of one thing or another
    *(Person("nina", "W"), Person("nora", "L"), Person("nell", "S")),  # each is in conflict
    *(Person("amara", "W"), Person("lena", "L")),  # worked for the other side
    Person("olive", "W"),  # it is about herself
    # who has no sign-in any more, and who never had one
    *(Person("gone", ""), Person("nobody", "")),
)
THREE = ("plain", "kept", "other")
FEW = ("wasim", "sefa")
"""To whom the case "kept" is kept."""
CASES = {
    # what kind of case → of which contract, and who must not know of it
    "plain": ("essex", ()),
    "below": ("essex", ()),
    "conflict": ("essex", ("nina", "nora", "nell")),
    "wall": ("essex", ("amara", "lena")),
    "own": ("essex", ("olive",)),
    "kept": ("essex", tuple(one.name for one in EVERYBODY if one.name not in FEW)),
    "other": (OTHER, ()),
}
CASE, ROW, CONTRACT, OWN, HOUSE = "case", "row", "contract", "own", "house"
LEADS_TO = {
    # how an address with a gap begins → what it leads to, and the table whose row that is
    "/cases/{reference}": (CASE, "case"),
    "/live/cases/{reference}": (CASE, "case"),
    "/people/{id}": (CASE, "person"),
    "/attachments/{id}": (CASE, "attachment"),
    "/alerts/{id}": (CASE, "alert"),
    "/emergencies/{id}": (CASE, "broken_glass"),
    "/complaints/{reference}": (ROW, "complaint"),
    "/compliments/{id}": (ROW, "compliment"),
    "/feedback/{id}": (ROW, "feedback_ask"),
    "/incidents/{reference}": (ROW, "incident"),
    "/blocks/{id}": (ROW, "block"),
    "/changes/{id}": (ROW, "said_and_done"),
    "/events/{id}": (ROW, "gathering"),
    "/evidence/files/{id}": (ROW, "evidence_file"),
    "/evidence/{id}": (ROW, "evidence_entry"),
    "/groups/{id}": (ROW, "group_issue"),
    "/library/{id}": (ROW, "library_item"),
    "/news/{id}": (ROW, "news"),
    "/obligations/files/{id}": (ROW, "evidence_file"),
    "/obligations/{id}": (ROW, "obligation_due"),
    "/partners/{id}": (ROW, "partner"),
    "/register/{id}": (ROW, "register_list"),
    "/releases/{id}": (ROW, "release"),
    "/rota/patterns/{id}": (ROW, "shift_pattern"),
    "/rota/shifts/{id}": (ROW, "shift"),
    "/rota/swaps/{id}": (ROW, "shift_swap"),
    "/rota/handovers/{id}": (ROW, "handover"),
    "/portal/{contract}": (CONTRACT, ""),
    "/reports/{contract}": (CONTRACT, ""),
    "/report-templates/{contract}": (CONTRACT, ""),
    "/rota/absences/{id}": (OWN, "absence"),
    "/account/": (OWN, "session"),
    "/users/": (HOUSE, "user"),
    "/papers/{id}": (HOUSE, "staff_paper"),
    "/rota/people/{id}": (HOUSE, "user"),
    "/tray/{id}": (HOUSE, "inbound_item"),
    "/running/set-aside/{id}": (HOUSE, "set_aside"),
    "/rights/kept/{id}": (ROW, "retention_run"),
    "/rights/holds/{id}": (CASE, "legal_hold"),
    "/rights/agreements/{id}": (ROW, "sharing_agreement"),
    "/rights/{reference}": (ROW, "data_request"),
    "/copies/messages/{id}": (HOUSE, ""),
    "/audit/readings/{id}": (ROW, "unusual_reading"),
}
LOOKED_AFTER = {"absence": "L"}
"""What is somebody's own, and who may do it for them."""
GAPS = {"label": "2026-27-Q1", "form": "note", "format": "json", "report": "quarter", "how": "done"}
"""What stands in a gap that is no row's number."""
BELOW = {
    # in an address below a case: what stands before a row's number → its table
    "conflicts": "conflict",
    "drafts": "draft",
    "aftercare": "task",
    "approvals": "approval_step",
    "claims": "expenses_claim",
    "moves": "move_decision",
    "counselling": "person",
    "interviews": "police_interview",
    "notices": "notice",
    "items": "library_use",
    "messages": "contact",
    "referrals": "partner_referral",
    "pathway": "allegation",
    "requests": "allegation_request",
    "links": "case_link",
    "parts": "part",
    "goals": "plan_goal",
    "steps": "step_tick",
    "tasks": "task",
    "promises": "deadline",
    "readings": "triage_reading",
}
FILLED = ("other", "wall", "conflict", "below")
"""Cases below which there are rows of every kind."""
LEAVE_OUT = {
    *("page", "call", "case_word", "conversation", "event", "out_message", "contact"),
    *("restriction", "restriction_name", "cover", "allocation", "complaint", "incident"),
    *("complaint_about", "shift_swap", "merge", "triage_reading", "data_request", "data_request"),
}
"""Rows that would shut somebody out, or that the cases have already."""
HELPERS = {"partner", "gathering", "library_item", "library_version", "absence", "shift"}
NAMED = ("complaint", "incident", "data_request")
"""Rows that are found by a reference."""
CODES = {
    "alert.kind": "task",
    "alert.colour": "amber",
    "alert.rungs": "",
    "draft.form": "note",
    "release.state": "draft",
    "partner_referral.state": "requested",
}
PLAIN = {"Time": time(9), "JSON": {}, "Float": 1.0, "LargeBinary": b"x"}
CONTACT, READING = metadata.tables["contact"], metadata.tables["triage_reading"]
FORMS = {
    "/duties/counselling/": {"state": "offered"},
    "/rights/agreements/": {"act": "end"},
}
"""Where a field means something else."""
SAYS_INSTEAD = {
    "/evidence/{id}/files": 400,  # that there is no file, before it looks whose the row is
    "/cases/{reference}/drafts/{id}/end": 303,  # nothing: what is not theirs just stays
}
"""What some answer to whoever must not, having done nothing."""
REFUSED = (401, 403, 404)
NOBODY = mock.Mock()
"""Stands where a connection would."""
MAY_WRITE = re.compile(r"INSERT INTO event|UPDATE session|INSERT INTO login", re.IGNORECASE)
"""That somebody was refused may be written down."""
FORM = {
    "why": "because it must be so",
    "text": "x",
    "body": "x",
    "words": "x",
    "what": "x",
    "hours": "24",
    "owner": "1",
    "user": "1",
    "title": "x",
    "name": "x",
    "state": "asked",
    "day": "2026-12-01",
    "last_day": "2026-12-01",
    "on": "2026-12-01",
    "until": "2026-12-01",
    "answer": "yes",
    "result": "spoke",
    "at": "2026-11-03T01:00",
    "decision": "keep",
    "agreed": "x",
    "by_day": "2026-12-01",
    "done_on": "2026-11-02",
    "proof": "x",
    "how": "show",
    "asked_by": "the police",
    "due_at": "2026-11-05T10:00",
    "minutes": "50",
    "came": "yes",
    "held_on": "2026-11-02",
    "review_on": "2027-02-01",
    "checked_with": "x",
    "step": "confirmed",
    "given": "x",
}
"""What most forms want, so that it is not they who say no."""


@dataclass
class Scene:
    """The world, how each comes in (token and form token), and which rows there are."""

    world: World
    app: web.Application
    signed: dict[str, tuple[str, str]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    """Kind of case → its reference."""
    rows: dict[tuple[str, str], str] = field(default_factory=dict)
    """(table, kind of case or contract) → what stands in the gap."""
    wrote: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """One question: `path` is whole; `why` says what of, for whoever reads a failure."""

    route: Route
    path: str
    who: Person
    of: str
    gets_in: bool


# --- what is expected, by hand -------------------------------------------------------------------


def has_role(route: Route, who: Person) -> bool:
    return bool(who.role) and who.role in WHO[f"{route.method} {route.path}"]


def works_for(who: Person, contract: str) -> bool:
    return who.contract in (None, contract)


def knows_of(who: Person, kind: str) -> bool:
    """Whether they may know of this case."""
    contract, shut = CASES[kind]
    return works_for(who, contract) and who.name not in shut


def led_to(route: Route) -> tuple[str, str]:
    """What the address leads to; KeyError, with a sentence, for one that nobody named."""
    if "{" not in route.path:
        return "", ""
    longest = sorted(LEADS_TO, key=len, reverse=True)
    found = [LEADS_TO[begins] for begins in longest if route.path.startswith(begins)]
    if not found:
        raise KeyError(f"say in LEADS_TO what {route.path} leads to")
    return found[0]


def cells(scene: Scene) -> Iterator[Cell]:
    """Who may not get in, with everything there is to ask about; and one who may, for each route
    whose answer does not hang on what a row holds."""
    for route in ROUTES:
        if route.allow in (PUBLIC, SIGNED):
            continue
        kind, table = led_to(route)
        is_plain = not kind or (table == "case" and not below_a_row(route))
        has_got_in = route.stays or not is_plain or route.path == "/logout"
        for who in EVERYBODY:
            for of, gets_in in everything(route, kind, table, who):
                if gets_in and (has_got_in or of not in ("", "plain")):
                    continue
                has_got_in |= gets_in
                yield Cell(route, filled_in(scene, route, table, of), who, of, gets_in)


def everything(route: Route, kind: str, table: str, who: Person) -> Iterator[tuple[str, bool]]:
    """Of what somebody could ask this, and whether they get in. Where it is their role or their
    contract that keeps them out, three cases stand for all of them."""
    is_theirs = has_role(route, who)
    if kind == CASE:
        is_shut = not is_theirs or who.contract == OTHER
        for of in FILLED if table not in ("case", "person") else THREE if is_shut else CASES:
            yield of, is_theirs and knows_of(who, of)
        if is_theirs and table == "case" and below_a_row(route) and knows_of(who, "plain"):
            yield "crossed", False  # through a case they see, a row of one they do not
    elif kind in (ROW, CONTRACT):
        for of in ("essex", OTHER):
            yield of, is_theirs and works_for(who, of)
    elif kind == OWN:  # somebody else's
        yield "own", is_theirs and who.role in LOOKED_AFTER.get(table, "")
    else:
        yield "", is_theirs


def below_a_row(route: Route) -> bool:
    return re.search(r"\{(id|request)\}", route.path) is not None


def filled_in(scene: Scene, route: Route, table: str, of: str) -> str:
    path, child = route.path, "plain"
    if of == "crossed":
        of, child = "plain", "other"
    first = {"case": scene.references.get(of, "")}.get(table) or scene.rows.get((table, of), "1")
    path = path.replace("{contract}", of if of in ("essex", OTHER) else "essex")
    for gap, value in GAPS.items():
        path = path.replace("{" + gap + "}", value)
    if table:
        path = re.sub(r"\{\w+\}", first, path, count=1)
    while found := re.search(r"(\w[\w-]*)/\{\w+\}", path):
        row = scene.rows.get((BELOW.get(found[1], ""), child), "1")
        path = path.replace(found[0], f"{found[1]}/{row}", 1)
    return path


# --- asking --------------------------------------------------------------------------------------


async def ask(scene: Scene, cell: Cell) -> int:
    """The status of the answer, in this process."""
    token, csrf = scene.signed.get(cell.who.name, ("", ""))
    own = next((form for part, form in FORMS.items() if part in cell.path), {})
    form = urlencode(FORM | own | {"csrf": csrf}).encode() if cell.route.method == "POST" else b""
    payload = StreamReader(NOBODY, 2**16)
    payload.feed_data(form)
    payload.feed_eof()
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    headers = CIMultiDict([("Host", "127.0.0.1"), ("Cookie", f"helpline={token}"), kind])
    request = scene.app._make_request(
        RawRequestMessage(
            cell.route.method,
            cell.path,
            HttpVersion11,
            CIMultiDictProxy(headers),
            (),
            False,
            None,
            False,
            False,
            URL(cell.path),
        ),
        payload,
        NOBODY,
        NOBODY,
        NOBODY,
    )
    answer = await scene.app._handle(request)
    assert isinstance(answer, web.StreamResponse)
    if answer.status == 303 and answer.headers["Location"].startswith("/login"):
        return 401
    return answer.status


def what_is_wrong(scene: Scene, cell: Cell, status: int) -> str:
    told = f"{cell.who.name} {cell.route.method} {cell.path} ({cell.of}): {status}"
    if not cell.gets_in:
        wrote = [one for one in scene.wrote if not MAY_WRITE.match(one)]
        expected = SAYS_INSTEAD.get(cell.route.path)
        is_refused = status in REFUSED or (expected is not None and status == expected)
        return told + f", wrote {wrote}" if wrote or not is_refused else ""
    is_not_there = status == 404 and cell.of == "plain" and cell.route.method == "GET"
    return told if status in (401, 403) or is_not_there else ""


@pytest.mark.timeout(400)  # thirteen thousand questions
async def test_nobody_gets_in_who_must_not_and_nothing_is_changed_by_asking(scene: Scene) -> None:
    asked, refused, wrong = 0, Counter[str](), []
    for cell in cells(scene):
        scene.wrote.clear()
        status = await ask(scene, cell)
        asked += 1
        refused[cell.of or "no thing"] += not cell.gets_in
        if problem := what_is_wrong(scene, cell, status):
            wrong.append(problem)
    print(f"{asked:,} cells, {sum(refused.values()):,} of them refused, {len(wrong)} wrong")
    assert wrong == []
    assert asked >= 10_000


def test_a_route_that_nobody_named_fails() -> None:
    secret = Route("GET", "/secrets/{id}", health.lives, "case.read")
    with pytest.raises(KeyError, match="say in LEADS_TO what /secrets"):
        led_to(secret)
    with pytest.raises(KeyError):
        has_role(secret, EVERYBODY[0])


# --- the world -----------------------------------------------------------------------------------


@pytest.fixture
async def scene(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    numbers = f"essex={OUR_NUMBER},{OTHER}={THEIRS}"
    async with opened_world(url, contracts=folders.only("essex", OTHER), numbers=numbers) as world:
        app = make_app(world.house)
        made = Scene(world, app)
        await written(made)
        actors = await hired(world)
        await what_there_is(made, actors)
        await come_in(made, actors)
        rehearse(made)
        hurry(monkeypatch)
        runner = web.AppRunner(app)
        await runner.setup()
        yield made
        await runner.cleanup()


async def written(scene: Scene) -> None:
    """Somebody writes for each of the cases; one of them works here later."""
    for place, kind in enumerate(CASES):
        number = STRANGER if kind == "own" else f"+4477009002{place:02}"
        await scene.world.sms(
            number, "Please ring me", to=THEIRS if kind == "other" else OUR_NUMBER
        )
        scene.references[kind] = (await scene.world.case_of(number)).reference


async def hired(world: World) -> dict[str, Actor]:
    roles = {"W": Role.WORKER, "L": Role.LEAD, "S": Role.SAFEGUARDING, "Q": Role.COMPLAINTS}
    roles |= {"C": Role.COMMISSIONER, "A": Role.ADMIN, "": Role.WORKER}
    known = {"wasim": world.worker, "leonie": world.lead}
    for one in EVERYBODY:
        if one.name not in known and one.name != "nobody":
            mobile = STRANGER if one.name == "olive" else None
            role = roles[one.role]
            known[one.name] = await world.hire(one.name.capitalize(), role, mobile, one.contract)
    return known


async def come_in(scene: Scene, actors: dict[str, Actor]) -> None:
    world = scene.world
    async with world.house.db.write() as session:
        for name, actor in actors.items():
            new = await access.sign_in(session, actor.user_id, None, world.now)
            found = await access.who(session, new.token, world.now)
            assert found is not None
            scene.signed[name] = (new.token, found[0].csrf)
            newest = select(func.max(metadata.tables["session"].c.id))
            scene.rows["session", "own"] = str(await session.scalar(newest))
        await access.end_access(session, actors["gone"].user_id, actors["ada"], world.now)


async def what_there_is(scene: Scene, actors: dict[str, Actor]) -> None:
    """Six cases with somebody shut out of each, rows below them, and rows of each contract."""
    world, lead = scene.world, actors["leonie"]
    async with world.house.db.write() as session:
        found = {
            kind: await cases.find_case(session, lead, reference)
            for kind, reference in scene.references.items()
        }
        for name in CASES["conflict"][1]:
            who = actors[name].user_id
            await conflicts.declare(session, found["conflict"], who, "a friend", lead, world.now)
        await put_up_a_wall(session, world, found["wall"], actors)
        user_id = world.duty.user_id
        made = {
            contract: await rows_of_contract(session, scene, contract, found[kind], user_id)
            for contract, kind in (("essex", "below"), (OTHER, "other"))
        }
        for kind, case in found.items():
            await rows_of(session, scene, kind, case, made[case.contract])
        few = [actors[name].user_id for name in FEW]
        await restricting.keep_to(
            session, found["kept"], few, "a friend", actors["sefa"], world.now
        )


async def put_up_a_wall(
    session: AsyncSession, world: World, case: Case, actors: dict[str, Actor]
) -> None:
    contract, lead, now = world.house.contracts["essex"], actors["leonie"], world.now
    part = await parts.write_down(
        session, contract, case, "Tess", "own_child", "own_child", lead, now
    )
    other = await parts.separate(session, contract, case, part.id or 0, "she said it", lead, now)
    for name in CASES["wall"][1]:
        await cases.add_note(session, other, "fact", "I spoke to her", now, actors[name], now)


async def rows_of(
    session: AsyncSession, scene: Scene, kind: str, case: Case, made: dict[str, int]
) -> None:
    """A row of every table that hangs on a case, and which is whose."""
    scene.rows["person", kind] = str(case.person_id)
    mine = made | {"case": case.id or 0, "person": case.person_id}
    wanted = set(filled.hanging()) - LEAVE_OUT
    for table in metadata.sorted_tables:
        if table.name in wanted and kind in FILLED:
            mine[table.name] = await add_row(session, table, mine, case.contract, kind)
            scene.rows[table.name, kind] = str(mine[table.name])
    for table in (CONTACT, READING):  # made by the message
        theirs = select(table.c.id).where(table.c.case_id == case.id).order_by(table.c.id)
        scene.rows[table.name, kind] = str(await session.scalar(theirs.limit(1)))


async def rows_of_contract(
    session: AsyncSession, scene: Scene, contract: str, case: Case, user_id: int
) -> dict[str, int]:
    """A row of every table that belongs to a contract: table → id."""
    made = {"case": case.id or 0, "person": case.person_id, "user": user_id}
    wanted = {table for kind, table in LEADS_TO.values() if kind in (ROW, OWN, HOUSE)} | HELPERS
    for table in metadata.sorted_tables:
        if table.name in wanted - {"user", "session", "inbound_item"}:
            made[table.name] = await add_row(session, table, made, contract, contract)
            row = f"{table.name}-{contract}".upper()[:20]
            is_named = "reference" in table.c and table.name in NAMED
            scene.rows[table.name, contract] = row if is_named else str(made[table.name])
    return made


async def add_row(
    session: AsyncSession, table: Table, made: dict[str, int], contract: str, mark: str
) -> int:
    """A row as it is, by no act of the desk; what must be unique carries `mark`."""
    values = {
        one.name: PLAIN.get(type(one.type).__name__, filled._value(table, one, made))
        for one in table.columns
        if one.name != "id"
    }
    for one in table.columns:
        if one.foreign_keys and not one.nullable and values.get(one.name) is None:
            there = next(iter(one.foreign_keys)).column  # whichever there is
            known = await session.scalar(select(func.max(there)))
            values[one.name] = known or await add_row(session, there.table, made, contract, mark)
    rules = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    alone = {column.name for one in rules for column in one.columns}
    alone |= {c.name for index in table.indexes if index.unique for c in index.columns}
    for name in alone & values.keys():
        if isinstance(values[name], str):
            values[name] = f"{values[name]}{mark}"
    codes = {
        name.partition(".")[2]: code
        for name, code in CODES.items()
        if name.startswith(f"{table.name}.")
    }
    values |= codes
    if "contract" in table.c:
        values["contract"] = contract
    if "reference" in table.c and table.name in NAMED:
        values["reference"] = f"{table.name}-{contract}".upper()[:20]
    return int(
        (await session.execute(insert(table).values(values).returning(table.c.id))).scalar_one()
    )


def rehearse(scene: Scene) -> None:
    """From here on nothing is kept, and every statement that would have been is noted."""
    db = scene.world.house.db

    @asynccontextmanager
    async def write() -> AsyncIterator[AsyncSession]:
        async with db.turn, db._writing() as session, session.begin() as transaction:
            yield session
            await session.flush()
            session.expunge_all()
            await transaction.rollback()

    assert isinstance(db, Database)
    db.write = write  # type: ignore[method-assign]  # the same, but for its end

    @event.listens_for(db._writer.sync_engine, "after_cursor_execute")
    def _noted(_: Any, cursor: Any, statement: str, *more: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")) and cursor.rowcount:
            scene.wrote.append(statement[:60])


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who somebody is, is worked out once for each, because nothing here changes it; and pages are
    not written out: what they show is asked by test_walls."""
    known: dict[str, access.SignedIn | None] = {}
    really = auth.recognise

    async def recognise(request: web.Request) -> access.SignedIn | None:
        token = request.cookies.get("helpline", "")
        if token not in known:
            known[token] = await really(request)
        if (signed := known[token]) is not None:
            request[SIGNED_IN] = signed
        return signed

    monkeypatch.setattr(auth, "recognise", recognise)
    monkeypatch.setattr(showing, "rendered", lambda *_, **__: "")
