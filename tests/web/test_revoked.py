"""However a sign-in ends, the pages that follow what happens end with it, within five seconds and
over a real socket; so do those of somebody who only stopped working."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.clock import MovableClock
from helpline.desk import access, access_factors, ways
from helpline.vocabulary import Role
from tests.web.conftest import Arrive
from tests.web.test_live import heard, newest, stream
from tests.world import World

WITHIN = 5.0
"""Seconds."""


async def test_open_pages_end_with_their_session(one_world: World, come: Arrive) -> None:
    """Five people at once: one signs out, one ends it from elsewhere, of one the access ends, of
    one the second factor is reset, and one is given another password."""
    admin = await one_world.hire("Ada", Role.ADMIN)
    for name in ("Asa", "Bea", "Cyd"):
        await one_world.hire(name, Role.WORKER)
    names = ("wasim", "dilys", "asa", "bea", "cyd")
    guests = {name: await come(one_world, name) for name in names}
    elsewhere, stays = await come(one_world, "dilys"), await come(one_world, "leonie")
    follow = {
        name: await stream(one, f"/live/inbox?after={await newest(one)}")
        for name, one in guests.items()
    }
    left = await stream(stays, f"/live/inbox?after={await newest(stays)}")
    await elsewhere.get("/account")
    started = time.monotonic()

    async def by_desk(act: Callable[[AsyncSession, int], Awaitable[object]], name: str) -> None:
        user_id = (await one_world.known(name)).user_id
        async with one_world.house.db.write() as session:
            await act(session, user_id)

    async def reset(session: AsyncSession, user_id: int) -> None:
        user = await ways.find(session, user_id)
        await access_factors.reset(session, user, "lost", admin, one_world.now)

    await guests["wasim"].post("/logout")
    await elsewhere.post("/account/sessions/end")
    await by_desk(lambda session, who: access.end_access(session, who, admin, one_world.now), "asa")
    await by_desk(reset, "bea")
    await by_desk(
        lambda session, who: access.set_password(session, who, "hash", admin, one_world.now), "cyd"
    )
    ends = await asyncio.gather(*(heard(one, 8) for one in follow.values()))
    assert set(ends) == {"ended"}
    assert time.monotonic() - started < WITHIN
    for one in follow.values():
        assert await heard(one, 1) == "closed"
    assert await heard(left, 0.1) != "ended"  # nobody else's
    left.close()


async def test_an_open_page_ends_when_nobody_worked_for_eight_hours(
    one_world: World, come: Arrive
) -> None:
    guest = await come(one_world, "wasim")
    follow = await stream(guest, f"/live/inbox?after={await newest(guest)}")
    assert isinstance(one_world.clock, MovableClock)
    one_world.clock.forward(timedelta(hours=8, minutes=1))
    started = time.monotonic()
    assert await heard(follow, 8) == "ended"
    assert time.monotonic() - started < WITHIN
