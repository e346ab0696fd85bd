"""The world that tests/web/test_matrix.py asks about: everybody who could ask, six cases with
somebody shut out of each, rows of every table below them and of each contract; and transactions
that are rolled back, so that every question meets the same world."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import Table, UniqueConstraint, event, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.db import Database
from helpline.desk import access, cases, conflicts, parts, restricting
from helpline.models import Case, metadata
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from helpline.web import auth, showing
from helpline.web.app import make_app
from helpline.web.asked import SIGNED_IN
from tests import databases, folders
from tests.desk import filled
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


@asynccontextmanager
async def opened_scene(
    folder: Path, template: Path, monkeypatch: pytest.MonkeyPatch, tables: Collection[str]
) -> AsyncIterator[Scene]:
    """`tables`: those of which each contract has a row."""
    url = databases.new_sqlite_file(folder, template)
    numbers = f"essex={OUR_NUMBER},{OTHER}={THEIRS}"
    async with opened_world(url, contracts=folders.only("essex", OTHER), numbers=numbers) as world:
        made = Scene(world, make_app(world.house))
        await written(made)
        actors = await hired(world)
        await what_there_is(made, actors, tables)
        await come_in(made, actors)
        rehearse(made)
        hurry(monkeypatch)
        runner = web.AppRunner(made.app)
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


async def what_there_is(scene: Scene, actors: dict[str, Actor], tables: Collection[str]) -> None:
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
            contract: await rows_of_contract(session, scene, contract, found[kind], user_id, tables)
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
    session: AsyncSession,
    scene: Scene,
    contract: str,
    case: Case,
    user_id: int,
    tables: Collection[str],
) -> dict[str, int]:
    """A row of every table that belongs to a contract: table → id."""
    made = {"case": case.id or 0, "person": case.person_id, "user": user_id}
    wanted = set(tables) | HELPERS
    for table in metadata.sorted_tables:
        if table.name in wanted - {"user", "session", "inbound_item", ""}:
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
