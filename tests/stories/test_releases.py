"""A report goes to the council: by when, who checks and who signs, and that nothing in it changes
any more, whatever happens to the cases it counted."""

import hashlib
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from helpline.contract import Contract, load_contracts
from helpline.desk import imports, releasing, releasing_given, releasing_lists, releasing_owed
from helpline.desk.rights import erasing
from helpline.engine.reporting import keep_reports
from helpline.errors import Conflict, InvalidInput
from helpline.models import (
    Alert,
    Case,
    Contact,
    Deadline,
    Event,
    ObligationDue,
    OutMessage,
    Release,
    User,
)
from helpline.reports import figures, frozen, render
from helpline.rules.periods import period
from helpline.rules.permissions import Actor
from helpline.vocabulary import DeadlineState, ReleaseState, Role
from tests.reports import past_quarter
from tests.reports.short import shorten
from tests.world import LEAD_PHONE, World

FIRST, LAST = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 10, 30, tzinfo=UTC)
DUE = datetime(2026, 11, 13, 17, tzinfo=UTC)  # the tenth working day after 31 October
FORMATS = ("json", "csv")


@pytest.fixture(autouse=True)
def short(world: World) -> None:
    shorten(world.house)


async def _drafted(world: World) -> Release:
    """A quarter with 150 cases is over, and its draft is made."""
    essex = _essex(world)
    made = past_quarter.rows(essex, FIRST, LAST, 150, now=world.now, seed=3)
    async with world.house.db.write() as session:
        content = past_quarter.as_csv(made).encode()
        await imports.import_cases(session, essex, content, world.now, dry_run=False)
        await releasing_owed.keep_up(session, essex, world.now)
    drafts = await world.all(Release)
    (found,) = [one for one in drafts if isinstance(one, Release) and one.report == "quarter"]
    return found


def _essex(world: World) -> Contract:
    return world.house.contracts["essex"]


async def _check(world: World, release_id: int, by: Actor) -> None:
    async with world.house.db.read() as session:
        release = await releasing.find(session, release_id, by)
        counted = await releasing.to_check(session, _essex(world), release, world.now)
    async with world.house.db.write() as session:
        await releasing.check(session, _essex(world), release_id, counted, by, world.now)


async def _write(world: World, release_id: int, by: Actor) -> int:
    """A sentence wherever one is asked for."""
    essex = _essex(world)
    async with world.house.db.write() as session:
        release = await releasing.find(session, release_id, by)
        ready = await releasing.to_sign(session, essex, release, world.now)
        texts = dict.fromkeys(ready.missing, "More carers knew the number.")
        return await releasing.say(session, essex, release_id, texts, by, world.now)


async def _sign(world: World, release_id: int, by: Actor) -> dict[str, bytes]:
    essex = _essex(world)
    async with world.house.db.read() as session:
        release = await releasing.find(session, release_id, by)
        ready = await releasing.to_sign(session, essex, release, world.now)
        files = await releasing.files_of(session, essex, ready)
    async with world.house.db.write() as session:
        await releasing.sign(session, essex, ready, files, by, world.now)
    return files


async def _released(world: World) -> tuple[int, Actor, dict[str, bytes]]:
    draft = await _drafted(world)
    lena = await world.hire("Lena", Role.LEAD)
    await _check(world, draft.id or 0, world.lead)
    await _write(world, draft.id or 0, world.lead)
    return draft.id or 0, lena, await _sign(world, draft.id or 0, lena)


async def test_what_was_signed_stays_whatever_becomes_of_its_cases(world: World) -> None:
    release_id, lena, files = await _released(world)
    essex = _essex(world)
    async with world.house.db.read() as session:
        release = await session.get(Release, release_id)
        assert release is not None
        before = await frozen.load(session, essex, release)
        exact = await frozen.load(session, essex, release, exact=True)
    assert any(cell.hidden for cell in before.cells)
    assert not any(cell.hidden for cell in exact.cells)
    assert before.cell("contacts").value
    async with world.house.db.write() as session:  # people are erased, cases put right
        cases = list(await session.scalars(Case.__table__.select().with_only_columns(Case.id)))
        await session.execute(delete(Contact).where(col(Contact.case_id).in_(cases[:40])))
        assert await erasing.erase(session, cases[40:], world.now.date(), world.now)
        await session.execute(update(Case).values(quadrant="west"))
    async with world.house.db.read() as session:
        release = await session.get(Release, release_id)
        assert release is not None
        assert (await frozen.load(session, essex, release)).cells == before.cells
        for format, body in files.items():
            assert await releasing.file(session, release, format) == body
            again = await render.rendered(await frozen.load(session, essex, release), format)
            assert hashlib.sha256(again).digest() == hashlib.sha256(body).digest()
        span = frozen.period_of(essex, release)
        live = await figures.counted(session, essex, span, world.now, "quarter")
        assert live.cell("contacts").value != exact.cell("contacts").value
    async with world.house.db.write() as session:  # the correction is another number beside it
        why = "The area of many carers was wrong."
        made = await releasing.restate(session, essex, release_id, why, world.lead, world.now)
        again_id = made.id or 0
    await _check(world, again_id, world.lead)
    await _write(world, again_id, world.lead)
    await _sign(world, again_id, lena)
    async with world.house.db.read() as session:
        both = await frozen.releases(session, essex)
        assert [one.number for one in both if one.report == "quarter"] == [1, 2]
        second = await frozen.load(session, essex, both[-1])
        changed = await releasing_lists.changed(session, essex, both[-1], second)
        assert second.why == why
        assert any(one.cut == "West" or "West" in one.cut for one in changed)
        first = await frozen.load(session, essex, both[0])
        assert first.cells == before.cells
        newest = await frozen.newest(session, essex, "quarter", first.period.label)
        assert newest is not None and newest.number == 2


async def test_whoever_checks_does_not_sign_and_every_move_has_a_sentence(world: World) -> None:
    draft = await _drafted(world)
    essex, release_id = _essex(world), draft.id or 0
    lena = await world.hire("Lena", Role.LEAD)
    await _check(world, release_id, world.lead)
    async with world.house.db.read() as session:
        release = await releasing.find(session, release_id, lena)
        ready = await releasing.to_sign(session, essex, release, world.now)
    assert ready.missing == ()  # nothing is there of the time before: nothing moved
    with pytest.raises(Conflict, match="somebody else signs"):
        await _sign(world, release_id, world.lead)
    with pytest.raises(InvalidInput, match="leave out references"):
        async with world.house.db.write() as session:
            texts = {"people": "Ring 07700 900123 about it."}
            await releasing.say(session, essex, release_id, texts, lena, world.now)
    async with world.house.db.write() as session:
        texts = {"people": "More carers knew the number."}
        await releasing.say(session, essex, release_id, texts, lena, world.now)
        with pytest.raises(Conflict, match="changed meanwhile"):
            await releasing.sign(session, essex, ready, {}, lena, world.now)
    files = await _sign(world, release_id, lena)
    assert json.loads(files["json"])["said"] == {"people": "More carers knew the number."}
    async with world.house.db.read() as session:
        release = await releasing.find(session, release_id, lena)
        assert release.state == ReleaseState.SIGNED
        given = await releasing_given.deliveries(session, release)
        assert [one.recipient for one in given] == list(essex.report("quarter").recipients)
        clock = await session.get(Deadline, release.deadline_id)
        assert clock is not None
        assert (clock.state, clock.due_at) == (DeadlineState.MET, DUE)
    with pytest.raises(Conflict):
        async with world.house.db.write() as session:
            await releasing.take_back(session, release_id, lena, world.now)


async def test_a_figure_that_moved_wants_a_word_and_one_that_is_hidden_none(world: World) -> None:
    release_id, lena, _ = await _released(world)
    essex, day = _essex(world), timedelta(days=1)
    await world.forward(hours=24 * 95)  # the next quarter is over, and nearly nobody wrote
    made = past_quarter.rows(essex, LAST + 3 * day, LAST + 80 * day, 40, now=world.now, seed=4)
    for row in made:
        row["reference"] = f"LATER/{row['reference']}"
    async with world.house.db.write() as session:
        content = past_quarter.as_csv(made).encode()
        await imports.import_cases(session, essex, content, world.now, dry_run=False)
        await releasing_owed.keep_up(session, essex, world.now)
    async with world.house.db.read() as session:
        found = await frozen.releases(session, essex, only_out=False)
        (draft,) = [one for one in found if one.report == "quarter" and one.id != release_id]
    await _check(world, draft.id or 0, lena)
    async with world.house.db.read() as session:
        release = await releasing.find(session, draft.id or 0, lena)
        ready = await releasing.to_sign(session, essex, release, world.now)
        report = await frozen.load(session, essex, release)
        hidden = {cell.measure for cell in report.cells if cell.hidden and not cell.by}
    assert "contacts" in ready.missing
    assert not hidden & set(ready.missing)
    with pytest.raises(Conflict, match="wants its words"):
        await _sign(world, draft.id or 0, world.lead)


async def test_a_report_that_is_not_sent_in_time_is_a_broken_clock(world: World) -> None:
    draft = await _drafted(world)
    async with world.house.db.write() as session:
        assert await releasing_owed.keep_up(session, _essex(world), world.now) == 0
    assert len([r for r in await world.all(Release) if getattr(r, "report", "") == "quarter"]) == 1
    clock = await world.all(Deadline, Deadline.id == draft.deadline_id)
    assert [one.due_at for one in clock if isinstance(one, Deadline)] == [DUE]
    await world.forward(hours=24 * 11)
    alerts = await world.all(Alert, Alert.deadline_id == draft.deadline_id)
    assert {one.reference for one in alerts if isinstance(one, Alert)} == {"REPORTS"}
    told = [text for text in world.texts_to(LEAD_PHONE) if "REPORTS" in text]
    assert told
    missed = await world.all(Event, Event.kind == "deadline.missed")
    assert not [one for one in missed if isinstance(one, Event) and "report" in str(one.detail)]
    await world.forward(hours=24 * 4)
    missed = await world.all(Event, Event.kind == "deadline.missed")
    assert [one for one in missed if isinstance(one, Event) and "report" in str(one.detail)]


async def test_the_running_period_is_the_same_all_week(world: World) -> None:
    essex = _essex(world)
    await world.forward(hours=24 * 15)
    await keep_reports(world.house)
    label = "2026-27-Q2"
    async with world.house.db.read() as session:
        first = await frozen.running(session, essex, "quarter", label)
    assert first is not None
    assert {cell.by for cell in first.report.cells} == {()}
    assert first.row.as_at == datetime(2026, 11, 9, tzinfo=UTC)  # a week late: reports/weeks.py
    await world.sms("+447700900123", "Please ring me")
    await keep_reports(world.house)
    async with world.house.db.read() as session:
        again = await frozen.running(session, essex, "quarter", label)
        waiting = await releasing_owed.running_due(session, essex, world.now)
    assert again is not None and again.report.cells == first.report.cells
    assert not waiting


async def test_the_council_is_told_that_it_is_ready_and_no_figure_leaves_by_post(
    world: World,
) -> None:
    release_id, lena, _ = await _released(world)
    essex, colin = _essex(world), await world.hire("Colin", Role.COMMISSIONER)
    day, to = world.now.date(), "Head of Fostering"
    async with world.house.db.write() as session:
        await session.execute(
            update(User).where(col(User.id) == colin.user_id).values(email="colin@council.example")
        )
        assert await releasing_given.readers(session, essex) == [(colin.user_id, "Colin")]
        await releasing_given.write_to(
            session,
            essex,
            release_id,
            "head_of_fostering",
            colin.user_id,
            lena,
            world.now,
            wording=world.house.wording,
            site="https://helpline.example",
        )
        await releasing_given.present(session, essex, release_id, day, to, lena, world.now)
    (letter,) = await world.all(OutMessage, OutMessage.channel == "email")
    assert isinstance(letter, OutMessage)
    assert "Quarterly report" in letter.body and "helpline.example/reports/essex" in letter.body
    async with world.house.db.write() as session:
        meeting = ObligationDue(
            contract="essex",
            rule="joint_review",
            for_day=day + timedelta(days=9),
            due_on=day + timedelta(days=9),
            made_at=world.now,
        )
        session.add(meeting)
        await session.flush()
        pack = await releasing_lists.pack(session, essex, meeting.id or 0, lena, world.now)
        again = await releasing_lists.pack(session, essex, meeting.id or 0, lena, world.now)
    assert pack == again
    with zipfile.ZipFile(io.BytesIO(pack)) as packed:
        agenda = packed.read("agenda.txt").decode()
    assert "1. The promises and whether they were kept" in agenda
    assert "None." in agenda  # it was presented before that day


async def test_a_report_before_a_meeting_is_due_where_the_meeting_is(world: World) -> None:
    council = load_contracts(Path(__file__).parents[2] / "contracts")["lancashire"]
    first, later = date(2026, 12, 15), date(2026, 12, 16)
    code = "quarterly_performance_meeting"
    async with world.house.db.write() as session:
        await releasing_owed.keep_up(session, council, world.now)
        drafts = await frozen.releases(session, council, only_out=False)
        (draft,) = [one for one in drafts if council.report(one.report).meeting == code]
        assert draft.deadline_id is None  # nobody has named the day
        meeting = ObligationDue(
            contract=council.key, rule=code, for_day=first, due_on=first, made_at=world.now
        )
        session.add(meeting)
        await session.flush()
        await releasing_owed.keep_up(session, council, world.now)
        clock = await session.get(Deadline, draft.deadline_id)
        assert clock is not None
        assert clock.due_at == datetime(2026, 12, 1, 17, tzinfo=UTC)
        meeting.due_on = later
        await releasing_owed.keep_up(session, council, world.now)
        await session.refresh(clock)
        assert clock.due_at == datetime(2026, 12, 2, 17, tzinfo=UTC)


async def test_a_sunday_counts_nothing_that_came_after_it(world: World) -> None:
    essex = load_contracts(Path(__file__).parents[2] / "contracts")["essex"]  # the whole report
    first, second = "+447700900123", "+447700900124"
    await world.sms(first, "Please ring me")
    await world.later(hours=1)
    sunday = world.now
    await world.later(hours=47)
    await world.sms(second, "Please ring me too")
    await world.reply(first, "I ring you now.")
    await world.later(hours=1)
    span = period("2026-27-Q2", essex.year_starts_month)
    async with world.house.db.read() as session:
        then = await figures.counted(
            session, essex, span, sunday, "quarter", late=False, until=sunday
        )
        today = await figures.counted(session, essex, span, world.now, "quarter", late=False)
    asked = ("contacts", "first_response.open", "first_response.missed")
    assert [then.cell(one).value for one in asked] == [1, 1, 0]
    assert [today.cell(one).value for one in asked] == [2, 1, 1]
    assert then.cell("first_response.median_minutes").value is None  # nobody had answered yet
