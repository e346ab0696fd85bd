"""The page of copies, as leads and administrators see it."""

from datetime import timedelta

from sqlalchemy import insert

from helpline.desk import backups
from helpline.models import HeldBack, OutMessage, RestoredCopy, metadata
from helpline.vocabulary import OutState
from tests.web.conftest import Arrive
from tests.world import CARER, World


async def held(world: World) -> OutMessage:
    """As after a restore: an answer to Carol waits."""
    await world.sms(CARER, "Please ring me")
    await world.reply(CARER, "I will ring at nine.")
    message = (await world.all(OutMessage))[-1]
    assert isinstance(message, OutMessage)
    out, far = metadata.tables["out_message"], world.now.replace(year=9999, month=1, day=1)
    far = far.replace(hour=0, minute=0)
    async with world.house.db.write() as session:
        copy = {"made_at": world.now - timedelta(hours=5), "version": "0.1.0"}
        await session.execute(insert(RestoredCopy), [copy | {"restored_at": world.now}])
        row = {"kind": "message", "row_id": message.id, "due_at": world.now}
        await session.execute(insert(HeldBack), [row])
        waits = out.update().where(out.c.id == message.id)
        await session.execute(waits.values(state=OutState.QUEUED, next_try_at=far))
    return message


async def test_a_lead_settles_a_message_and_lets_everything_go(
    one_world: World, arrive: Arrive
) -> None:
    message = await held(one_world)
    reference = (await one_world.case_of(CARER)).reference
    worker = await arrive(one_world, "wasim")
    await worker.get("/inbox")
    assert "not watched until a team lead lets them go" in worker.text
    lead = await arrive(one_world, "leonie")
    await lead.get("/inbox")
    assert 'href="/copies">look at what waits' in lead.page
    assert await lead.get("/copies") == 200
    assert "made yesterday at 21:15" in lead.text or "copy made" in lead.text
    assert f"To the person of {reference}" in lead.text
    assert "Messages to carers 1 waits" in lead.text
    assert await lead.post("/copies/release") == 400
    assert "Say what becomes of the messages" in lead.text
    sent = len(one_world.texts_to(CARER))
    assert await lead.post(f"/copies/messages/{message.id}", {"choice": "throw_away"}) == 200
    assert "it is never sent" in lead.text
    assert await lead.post(f"/copies/messages/{message.id}", {"choice": "send"}) == 409
    assert await lead.post(f"/copies/messages/{message.id}", {"choice": "eat"}) == 400
    assert await lead.post("/copies/messages/999", {"choice": "send"}) == 404
    await one_world.settle()
    assert len(one_world.texts_to(CARER)) == sent
    assert "Waiting since the restore" not in lead.text or await lead.get("/copies") == 200
    assert await lead.post("/copies/release", {"messages": "send"}) == 409


async def test_an_administrator_sees_numbers_and_no_case(everybody: World, arrive: Arrive) -> None:
    await held(everybody)
    reference = (await everybody.case_of(CARER)).reference
    admin = await arrive(everybody, "ada")
    assert await admin.get("/copies") == 200
    assert "Messages to carers 1 waits" in admin.text
    assert reference not in admin.page
    assert await admin.post("/copies/release", {"messages": "throw_away"}) == 200
    assert "Let go: promises and alerts run again." in admin.text
    assert "Waiting since the restore" not in admin.text


async def test_copies_are_shown_with_their_trouble(one_world: World, arrive: Arrive) -> None:
    now = one_world.now
    async with one_world.house.db.write() as session:
        run_id = await backups.begin(session, "x:1", now)
        assert run_id is not None
        assert await backups.begin(session, "y:2", now) is None
        await backups.end(session, run_id, backups.Ended("night.copy", 12345, 2**20), now)
        again = await backups.begin(session, "y:2", now + timedelta(hours=24))
        assert again is not None
        trouble = backups.Ended(failure="OSError at making.py:9")
        await backups.end(session, again, trouble, now + timedelta(hours=24))
    lead = await arrive(one_world, "leonie")
    assert await lead.get("/copies") == 200
    assert "HELPLINE_BACKUP_DIR is not set" in lead.text
    assert "Good 12,345 rows 1,024 kB night.copy" in lead.text
    assert "Failed OSError at making.py:9" in lead.text
