"""What is counted in a process apart is what would be counted here, and a process that was ended
is only started anew."""

import asyncio
import functools
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from helpline.db import Database
from helpline.desk import releasing_owed
from helpline.desk.releasing_owed import ToCount
from helpline.errors import InvalidInput
from helpline.reports import apart as reports_apart
from helpline.reports import counting, render
from helpline.reports.apart import APART, NICE, Apart, stand_back
from tests.reports.over_there import waits_for, who_is_there
from tests.reports.test_figures import counted
from tests.stories.test_overview import CAROL, TOM
from tests.world import World


def name_of(asked: tuple[object, ...]) -> str:
    """Of the function that was handed over."""
    handed = asked[0]
    assert isinstance(handed, functools.partial)
    return str(handed.func.__name__)


@pytest.fixture
def in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is said of the queue, nobody waits at its end."""
    monkeypatch.setattr(reports_apart, "stand_back", lambda _: None)


@pytest.fixture
async def apart(tmp_path: Path) -> AsyncIterator[Apart]:
    made = Apart(f"sqlite:///{tmp_path}/any.db")
    yield made
    made.close()


async def test_it_stands_at_the_back_of_the_queue_and_is_started_anew(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent_back = list[int]()  # sent there at the end only: what is there waits for a busy machine
    monkeypatch.setattr(reports_apart, "stand_back", sent_back.append)
    process = await apart.run(who_is_there)
    assert process != os.getpid()
    assert sent_back[0] == process
    os.kill(process, signal.SIGKILL)
    both = await asyncio.gather(apart.run(who_is_there), apart.run(who_is_there))
    for another in both:
        assert another not in (process, os.getpid())
        assert another in sent_back
    assert os.getpriority(os.PRIO_PROCESS, another) == os.getpriority(os.PRIO_PROCESS, 0)
    stand_back(another)
    assert os.getpriority(os.PRIO_PROCESS, another) == NICE
    assert os.sched_getscheduler(another) == os.SCHED_IDLE


@pytest.mark.usefixtures("in_front")
async def test_nobody_waits_for_somebody_elses_long_check(apart: Apart, tmp_path: Path) -> None:
    waited_for = tmp_path / "go on"
    os.mkfifo(waited_for)
    first = await apart.run(who_is_there)
    check = asyncio.create_task(apart.run(waits_for, str(waited_for)))
    await asyncio.sleep(0)
    second = await apart.run(who_is_there)
    assert not check.done()
    waited_for.write_text("go on")
    assert {first, second} == {await check, second}
    assert first != second


@pytest.mark.usefixtures("in_front")
async def test_the_figures_are_the_same_there(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.sms(CAROL, "Can you tell me about the allowance?")
    await world.reply(CAROL, "Yes.")
    await world.sms(TOM, "Who pays the mileage?")
    await world.later(hours=1)
    monkeypatch.setattr(counting, "MANY", 1)
    here = Database(database_url)
    there = Database(database_url)
    there.info[APART] = apart = Apart(database_url)
    asked = list[tuple[object, ...]]()
    run = apart.run

    async def noted(*args: object) -> object:
        asked.append(args)
        return await run(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(apart, "run", noted)
    try:
        essex = world.house.contracts["essex"]
        label = "2026-27-Q2"
        reports = [await counted(db, essex, label, world.now) for db in (here, there)]
        assert reports[0].cells == reports[1].cells
        assert reports[0].cell("contacts").value == 2
        assert asked
        async with there.read() as session:
            made = await render.made(session, reports[0], "csv")
        assert made == render.render(reports[0], "csv")
        with pytest.raises(InvalidInput, match="not a Word document"):
            async with there.read() as session:
                await render.made(session, reports[0], "docx", b"no template")
        assert [name_of(one) for one in asked[-2:]] == ["_made"] * 2
        running = ToCount("quarter", reports[0].period, world.now)
        async with there.read() as session:
            cells = await releasing_owed.count_running(session, essex, running)
        async with here.read() as session:
            assert cells == await releasing_owed.count_running(session, essex, running)
        assert name_of(asked[-1]) == "_count_running"
    finally:
        apart.close()
        await here.close()
        await there.close()
