"""What must not go wrong when several reports, or several people, are on their way at once: none is
signed beside another that it was not protected from, and none is in another's way."""

import asyncio
import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from helpline.contract import Contract
from helpline.desk import releasing, releasing_lists, releasing_owed, review_actions
from helpline.desk.review_actions import Agreed
from helpline.engine.reporting import keep_reports
from helpline.errors import Conflict
from helpline.models import ObligationDue, Release
from helpline.reports import frozen
from helpline.rules.periods import period
from helpline.rules.permissions import Actor
from helpline.vocabulary import ReleaseState, Role, Side
from tests.released import released
from tests.reports.short import shorten
from tests.world import World

QUARTER, EARLIER = "2026-27-Q1", "2025-26-Q4"
WHY = "The area of many carers was wrong."


@pytest.fixture(autouse=True)
def short(world: World) -> None:
    shorten(world.house)


def _essex(world: World) -> Contract:
    return world.house.contracts["essex"]


async def _checked(world: World, label: str) -> int:
    """A draft of that quarter, counted and checked by the first lead."""
    essex, by, now = _essex(world), world.lead, world.now
    async with world.house.db.write() as session:
        made = await releasing.draw_up(session, essex, "quarter", label, by, now)
    await _check(world, made.id or 0)
    return made.id or 0


async def _check(world: World, row: int) -> None:
    essex, by, now = _essex(world), world.lead, world.now
    async with world.house.db.write() as session:
        release = await releasing.find(session, row, by)
        counted = await releasing.to_check(session, essex, release, now)
        await releasing.check(session, essex, row, counted, by, now)
        said = dict.fromkeys(releasing.asked_for(essex, release), "More carers knew the number.")
        await releasing.say(session, essex, row, said, by, now)


async def _sign(world: World, row: int, by: Actor) -> None:
    essex = _essex(world)
    async with world.house.db.read() as session:
        release = await releasing.find(session, row, by)
        ready = await releasing.to_sign(session, essex, release, world.now)
        assert ready.missing == ()
    async with world.house.db.write() as session:
        await releasing.sign(session, essex, ready, {}, by, world.now)


async def test_of_two_that_were_checked_together_the_second_is_checked_again(world: World) -> None:
    lena = await world.hire("Lena", Role.LEAD)
    first, second = await _checked(world, EARLIER), await _checked(world, QUARTER)
    await _sign(world, first, lena)
    with pytest.raises(Conflict, match="signed since this one was checked"):
        await _sign(world, second, lena)
    async with world.house.db.write() as session:
        await releasing.take_back(session, second, world.lead, world.now)
    await _check(world, second)
    await _sign(world, second, lena)
    async with world.house.db.read() as session:
        assert len(await frozen.releases(session, _essex(world))) == 2


async def test_of_two_signatures_at_the_same_instant_one_sees_the_other(world: World) -> None:
    lena = await world.hire("Lena", Role.LEAD)
    first, second = await _checked(world, EARLIER), await _checked(world, QUARTER)
    both = await asyncio.gather(
        *(_sign(world, row, lena) for row in (first, second)), return_exceptions=True
    )
    assert [type(one) for one in both if one] == [Conflict]
    async with world.house.db.read() as session:
        assert len(await frozen.releases(session, _essex(world))) == 1


async def test_a_label_may_be_written_small_and_a_draft_is_made_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    essex, by, now = _essex(world), world.lead, world.now
    async with world.house.db.write() as session:
        await releasing.draw_up(session, essex, "quarter", QUARTER, by, now)
    with pytest.raises(Conflict, match="there already"):
        async with world.house.db.write() as session:
            await releasing.draw_up(session, essex, "quarter", QUARTER.lower(), by, now)

    async def nobody_sees_it_yet(*_: object) -> int:
        return 0

    monkeypatch.setattr(releasing_owed, "last_number", nobody_sees_it_yet)
    with pytest.raises(Conflict, match="there already"):
        async with world.house.db.write() as session:
            await releasing.draw_up(session, essex, "quarter", QUARTER, by, now)


async def test_no_word_is_asked_for_where_none_can_be_written(world: World) -> None:
    row = await _checked(world, QUARTER)
    essex = _essex(world)
    line = essex.report("quarter").lines[0].model_copy(update={"measures": ("people",)})
    asked = essex.report("quarter").model_copy(update={"lines": (line,)})
    fewer = essex.model_copy(update={"reports": (asked,)})  # "contacts" stands in no line of it
    async with world.house.db.read() as session:
        release = await releasing.find(session, row, world.lead)
        found = await releasing.moves(session, fewer, release, world.now)
    assert [one.measure.code for one in found] == ["people"]


async def test_a_report_that_left_the_file_and_one_that_breaks_hold_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    essex = _essex(world)
    gone = Release(
        contract="essex",
        report="no_longer_asked_for",
        period=QUARTER,
        starts_on=date(2026, 8, 1),
        ends_on=date(2026, 10, 31),
        state=ReleaseState.DRAFT,
        made_at=world.now,
    )
    async with world.house.db.write() as session:
        session.add(gone)
    assert await keep_reports(world.house) >= 0
    contracts: Any = world.house.contracts
    contracts["another"] = essex.model_copy(update={"key": "another"})
    kept, keep_up = list[str](), releasing_owed.keep_up

    async def breaks_once(session: Any, contract: Contract, now: datetime) -> int:
        kept.append(contract.key)
        if contract.key == "essex":
            raise ValueError("something is wrong with it")
        return await keep_up(session, contract, now)

    monkeypatch.setattr(releasing_owed, "keep_up", breaks_once)
    with pytest.raises(ExceptionGroup):
        await keep_reports(world.house)
    assert kept[-1] == "another"


async def test_exact_figures_are_compared_with_exact_ones(world: World) -> None:
    lena, essex = await world.hire("Lena", Role.LEAD), _essex(world)
    row = await _checked(world, QUARTER)
    await _sign(world, row, lena)
    async with world.house.db.write() as session:
        first = await releasing.find(session, row, world.lead)
        assert '["people","",0' in (first.cells or "")
        first.cells = (first.cells or "").replace('["people","",0', '["people","",7', 1)
        made = await releasing.restate(session, essex, row, WHY, world.lead, world.now)
    await _check(world, made.id or 0)
    async with world.house.db.read() as session:
        again = await releasing.find(session, made.id or 0, world.lead)
        exact = await frozen.load(session, essex, again, exact=True)
        published = await frozen.load(session, essex, again)
        assert not await releasing_lists.changed(session, essex, again, exact)
        assert await releasing_lists.changed(session, essex, again, published)


async def test_what_was_agreed_at_a_review_is_in_the_pack(world: World) -> None:
    lena, essex = await world.hire("Lena", Role.LEAD), _essex(world)
    day = world.now.astimezone(UTC).date() + timedelta(days=9)
    meeting = ObligationDue(
        contract="essex", rule="joint_review", for_day=day, due_on=day, made_at=world.now
    )
    agreed = Agreed("Send the list of new carers.", Side.COUNCIL, "Head of Fostering", day)
    async with world.house.db.write() as session:
        session.add(meeting)
        await review_actions.agree(session, essex, agreed, lena, world.now)
        pack = await releasing_lists.pack(session, essex, meeting.id or 0, lena, world.now)
    with zipfile.ZipFile(io.BytesIO(pack)) as packed:
        agenda = packed.read("agenda.txt").decode()
    assert f"- Send the list of new carers: Head of Fostering, by {day.day} {day:%B %Y}" in agenda


async def test_a_figure_of_the_year_so_far_is_kept_apart_from_the_quarters_before(
    world: World,
) -> None:
    """Who has two of them takes one from the other, though the quarters share no day."""
    essex = _essex(world)
    await released(world, label="2025-26-Q4")
    first = await released(world, label="2026-27-Q1")
    second = period("2026-27-Q2", essex.year_starts_month)
    asked = essex.report("quarter")
    line = asked.lines[0].model_copy(update={"code": "so_far", "measures": ("cases.so_far",)})
    more = asked.model_copy(update={"lines": (*asked.lines, line)})
    with_so_far = essex.model_copy(update={"reports": (more,)})
    async with world.house.db.read() as session:
        assert not await frozen.earlier(session, essex, second)
        found = await frozen.earlier(session, with_so_far, second)
    assert [one.period.label for one in found] == [first.period]
