"""Worlds with people at their browsers. `world` runs on both databases; `one_world` on SQLite,
for what has nothing to do with the database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from helpline.vocabulary import Role
from tests import databases
from tests.web.visitor import Visitor, visitor
from tests.world import World, opened_world

Arrive = Callable[[World, str | None], Awaitable[Visitor]]


@pytest.fixture
async def one_world(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[World]:
    async with opened_world(databases.new_sqlite_file(tmp_path, sqlite_template)) as world:
        yield world


@pytest.fixture
async def everybody(one_world: World) -> World:
    """Each role is taken: wasim works, leonie leads, sefa is the safeguarding lead, quinn hears
    complaints, ada administers, colin pays."""
    await one_world.hire("Sefa", Role.SAFEGUARDING)
    await one_world.hire("Quinn", Role.COMPLAINTS)
    await one_world.hire("Ada", Role.ADMIN)
    await one_world.hire("Colin", Role.COMMISSIONER)
    return one_world


@pytest.fixture
async def arrive() -> AsyncIterator[Arrive]:
    """`await arrive(world, "wasim")`: a browser of its own, signed in; None: nobody signed in."""
    async with _arriving("") as somebody:
        yield somebody


@pytest.fixture
async def come() -> AsyncIterator[Arrive]:
    """The same, onto a page that is quickly made: for tests in which nobody needs an inbox."""
    async with _arriving("/account/again") as somebody:
        yield somebody


@asynccontextmanager
async def _arriving(then: str) -> AsyncIterator[Arrive]:
    arrived: list[Visitor] = []

    async def somebody(world: World, name: str | None) -> Visitor:
        guest = await visitor(world)
        arrived.append(guest)
        if name:
            assert await guest.sign_in(name, then=then) == 200, guest.text
        return guest

    yield somebody
    for guest in arrived:
        await guest.client.close()
