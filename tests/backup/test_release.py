"""After a restore nothing old leaves and nobody is asked about it, until a person lets it go; what
comes in meanwhile is answered and alarms as always."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from helpline.backup import making, restoring
from helpline.desk import restored
from helpline.engine.jobs import JOBS, Engine
from helpline.errors import Conflict, InvalidInput, NotAllowed
from helpline.models import Alert, Deadline, Event, HeldBack, OutMessage, Session, metadata
from helpline.vocabulary import OutState, Role
from tests import databases
from tests.backup.conftest import AT, BACKUP_KEY, KEYS, quiet
from tests.once import once
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, STRANGER, World, opened_world

LATER = AT + timedelta(hours=40)  # the machine was gone for long


BOTH = pytest.mark.parametrize("risen", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
async def night(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, busy: World
) -> Path:
    """A copy, made once in a run, in which an answer to a carer and a page to Dilys wait."""
    with once(tmp_path_factory, "waiting.copy") as (made, is_made):
        if not is_made:
            await _let_two_wait(busy)
            making.make(busy.house.settings.database_url, made, BACKUP_KEY, KEYS, AT, quiet)
    return made


async def _let_two_wait(busy: World) -> None:
    case = await busy.case_of(CARER)
    async with busy.house.db.write() as session:
        address = (await session.execute(select(metadata.tables["address"]))).first()
        assert address is not None
        row = {"contract": "essex", "channel": "sms", "created_at": AT, "next_try_at": AT}
        row |= {"attempts": 0, "fence": 0, "choices": "", "case_id": case.id}
        words = [(CARER, "An old answer", address.id), (DUTY_PHONE, "AN OLD PAGE", None)]
        for number, text, address_id in words:
            values = {"recipient": number, "body": text, "address_id": address_id}
            await session.execute(insert(OutMessage), [row | values])


def _brought_back(copy: Path, url: str) -> None:
    back = restoring.restore(copy, url, BACKUP_KEY, KEYS, LATER, quiet)
    assert back.held.messages == 2
    assert back.held.deadlines > 0
    assert back.held.alerts > 0


@pytest.fixture
async def risen(
    request: pytest.FixtureRequest,
    night: Path,
    tmp_path: Path,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    """A helpline restored forty hours after its copy was made; on SQLite once in a run."""
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    if getattr(request, "param", "sqlite") == "postgres":
        url = request.getfixturevalue("postgres_again")
        _brought_back(night, url)
    else:
        path = Path(url.removeprefix("sqlite:///"))
        with once(tmp_path_factory, "risen.db") as (made, is_made):
            if not is_made:
                _brought_back(night, url)
                shutil.move(path, made)
        shutil.copy(made, path)
    async with opened_world(url, LATER, is_known=True) as world:
        yield world
    if url.startswith("postgresql"):
        databases.empty_postgres_database(url)


def everything_sent(world: World) -> list[str]:
    return [text for number in PHONES for text in world.texts_to(number)]


PHONES = (CARER, STRANGER, DUTY_PHONE, LEAD_PHONE)


@BOTH
async def test_nothing_old_leaves_and_what_is_new_alarms(risen: World) -> None:
    await risen.forward(hours=30)  # every promise of the copy would have broken by now
    assert everything_sent(risen) == []
    await risen.sms("+447700900777", "he says he has taken all his tablets")
    assert risen.texts_to("+447700900777"), "a new message is answered"
    assert risen.texts_to(DUTY_PHONE), "and a new emergency rings"
    assert "An old answer" not in str(everything_sent(risen))


async def test_who_was_signed_in_is_not_any_more(risen: World) -> None:
    for session in await risen.all(Session):
        assert isinstance(session, Session)
        assert session.revoked_at is not None


@BOTH
async def test_let_go_each_promise_raises_once_and_messages_leave(risen: World) -> None:
    async with risen.house.db.read() as session:
        waiting = await restored.waiting(session, ["essex"])
    assert waiting is not None
    assert (waiting.to_people, waiting.to_staff) == (1, 1)
    assert waiting.deadlines > 0
    before = await risen.count(Alert)
    async with risen.house.db.write() as session:
        gone = await restored.release(session, ["essex"], "send", risen.lead, risen.now)
    assert (gone.sent, gone.thrown_away) == (1, 1)
    await risen.settle()
    assert "An old answer" in risen.texts_to(CARER)
    assert "AN OLD PAGE" not in str(everything_sent(risen))
    raised = (await risen.all(Alert))[before:]
    about = [(one.case_id, one.kind, one.deadline_id) for one in raised if isinstance(one, Alert)]
    assert about
    assert len(about) == len(set(about)), "what was missed is raised once"
    assert len(risen.texts_to(DUTY_PHONE)) <= 1, "one message with a count"
    assert await risen.count(HeldBack) == 0
    async with risen.house.db.read() as session:
        assert not await restored.is_held(session)
        assert await restored.waiting(session, ["essex"]) is None
    with pytest.raises(Conflict, match="let go already"):
        async with risen.house.db.write() as session:
            await restored.release(session, ["essex"], "send", risen.lead, risen.now)
    (event,) = await risen.all(Event, Event.kind == "restore.released")
    assert isinstance(event, Event)
    assert event.by_user_id == risen.lead.user_id
    assert event.detail["sent"] == 1


async def test_thrown_away_they_never_leave_and_promises_go_on(risen: World) -> None:
    async with risen.house.db.write() as session:
        gone = await restored.release(session, ["essex"], "throw_away", risen.lead, risen.now)
    assert (gone.sent, gone.thrown_away) == (0, 2)
    await risen.settle()
    assert "An old answer" not in str(everything_sent(risen))
    held = await risen.all(OutMessage, OutMessage.code == restored.THROWN_AWAY)
    assert [one.state for one in held if isinstance(one, OutMessage)] == [OutState.HELD] * 2
    async with risen.house.db.read() as session:
        due = await session.scalar(
            select(Deadline.id).where(Deadline.state == "open", Deadline.next_alert_at.is_not(None))
        )
    assert due is not None or risen.texts_to(DUTY_PHONE)


async def test_one_by_one(risen: World) -> None:
    async with risen.house.db.read() as session:
        (one,) = await restored.messages(session, risen.lead)
    case = await risen.case_of(CARER)
    assert one.reference == case.reference
    async with risen.house.db.write() as session:
        await restored.settle_one(session, one.id, risen.lead, risen.now, is_sent=True)
    await risen.settle()
    assert "An old answer" in risen.texts_to(CARER)
    with pytest.raises(Conflict, match="already decided"):
        async with risen.house.db.write() as session:
            await restored.settle_one(session, one.id, risen.lead, risen.now, is_sent=False)
    async with risen.house.db.read() as session:
        assert await restored.is_held(session), "promises still wait"


async def test_a_promise_met_while_held_stays_met(risen: World) -> None:
    async with risen.house.db.write() as session:
        await session.execute(Deadline.__table__.update().values(state="met"))  # type: ignore[attr-defined]
        gone = await restored.release(session, ["essex"], "throw_away", risen.lead, risen.now)
    assert gone.deadlines == 0


async def test_only_leads_and_administrators_let_go_and_say_how(risen: World) -> None:
    other = await risen.hire("Olga", Role.LEAD, contract="stoke")
    for who in (risen.worker, other):
        with pytest.raises(NotAllowed):
            async with risen.house.db.write() as session:
                await restored.release(session, ["essex"], "send", who, risen.now)
    with pytest.raises(InvalidInput, match="send them, or throw them away"):
        async with risen.house.db.write() as session:
            await restored.release(session, ["essex"], "", risen.lead, risen.now)


async def test_loops_that_write_to_many_wait(risen: World) -> None:
    ran: list[str] = []

    async def run(_: object) -> int:
        ran.append("ran")
        return 0

    (giving,) = [job for job in JOBS if job.name == "giving"]
    job = type(giving)(giving.name, 1, run)
    await Engine(risen.house, (job,)).beat(job)
    assert ran == []
    async with risen.house.db.write() as session:
        await restored.release(session, ["essex"], "throw_away", None, risen.now)
    await Engine(risen.house, (job,)).beat(job)
    assert ran == ["ran"]
