"""The last act on a case is undone by whoever did it, within minutes, and the trail keeps both."""

import re
from datetime import timedelta

from helpline.desk import promises
from helpline.models import CaseSupport, Note
from helpline.vocabulary import CaseStatus
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, World


async def undo(guest: Visitor, place: str) -> int:
    found = re.search(r'name="act" value="(\d+)"', guest.page)
    assert found, "nothing can be undone here"
    return await guest.post(f"{place}/undoing", {"act": found[1]})


async def test_what_was_just_done_is_undone(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "Is the training in March still on?")
    place = f"/cases/{(await world.case_of(CARER)).reference}"
    before = await world.deadlines(CARER)
    wasim = await arrive(world, "wasim")

    # Named: the promise that this met runs on with its old time, and nobody was told a name.
    texts = len(world.texts_to(CARER))
    await wasim.get(place)
    await wasim.post(f"{place}/allocation", {"worker": str(world.worker.user_id)})
    assert "The support worker is named." in wasim.text
    assert await undo(wasim, place) == 200
    await world.forward(minutes=5)
    case, after = await world.case_of(CARER), await world.deadlines(CARER)
    assert (case.worker_id, case.allocated_at) == (None, None)
    assert after["allocation"].met_at is None
    assert after["allocation"].due_at == before["allocation"].due_at
    assert len(world.texts_to(CARER)) == texts

    # Urgency and reason are as they were, whoever chose them.
    for act, form in (("urgency", {"urgency": "urgent"}), ("reason", {"reason": "finance"})):
        was = await world.case_of(CARER)
        await wasim.post(f"{place}/{act}", form)
        assert await undo(wasim, place) == 200, wasim.text
        case = await world.case_of(CARER)
        assert (case.urgency, case.reason, case.reason_from, case.kind) == (
            *(was.urgency, was.reason, was.reason_from, was.kind),
        )

    # Closed by mistake: open as it was, owing what it owed and nothing new.
    await world.reply(CARER, "Yes, on the 12th")
    owed = {name: row.id for name, row in (await world.deadlines(CARER)).items()}
    await wasim.get(place)
    contract = world.house.contracts["essex"]
    ended = {"support": contract.support[0].code, "outcome": contract.outcomes[0].code}
    await wasim.post(f"{place}/closure", ended | {"although": "All is said"})
    assert (await world.case_of(CARER)).status == CaseStatus.CLOSED, wasim.text
    assert await undo(wasim, place) == 200
    case = await world.case_of(CARER)
    assert (case.status, case.outcome, case.closed_at) == (CaseStatus.OPEN, None, None)
    assert {name: row.id for name, row in (await world.deadlines(CARER)).items()} == owed
    assert not await world.all(CaseSupport)
    kinds = await world.events(CARER)
    assert kinds.index("case.closed") < len(kinds) - 1 - kinds[::-1].index("act.undone")


async def test_a_promise_and_a_note_are_undone_truly(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "Is the training in March still on?")
    case = await world.case_of(CARER)
    place = f"/cases/{case.reference}"
    async with world.house.db.write() as session:
        at, contract = world.now + timedelta(hours=2), world.house.contracts["essex"]
        given = await promises.give(
            session, contract, case, "call", "", at, world.worker, world.now
        )
    wasim = await arrive(world, "wasim")
    await wasim.get(place)
    await wasim.post(f"{place}/promises/{given.id}/end", {"how": "kept"})
    assert await undo(wasim, place) == 200
    await wasim.get(place)
    assert "You promised to ring them" in wasim.text

    await wasim.post(f"{place}/notes", {"kind": "fact", "body": "On the wrong case"})
    assert await undo(wasim, place) == 200
    notes = await world.all(Note)
    assert [note.body for note in notes if isinstance(note, Note)] == [
        "On the wrong case",
        "Written by mistake: taken back by its writer.",
    ]
    assert "Corrected below" in wasim.text


async def test_only_the_last_act_of_the_same_person_and_only_for_minutes(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    await world.sms(CARER, "Is the training in March still on?")
    place = f"/cases/{(await world.case_of(CARER)).reference}"
    wasim, lead = await arrive(world, "wasim"), await arrive(world, "leonie")
    await wasim.get(place)
    await wasim.post(f"{place}/urgency", {"urgency": "urgent"})
    page = wasim.page
    await lead.get(place)
    assert ">Undo" not in lead.page
    assert await lead.post(f"{place}/undoing", {"act": "1"}) == 409
    await lead.post(f"{place}/urgency", {"urgency": "emergency"})
    assert await undo(wasim, place) == 409  # the lead said otherwise since
    assert "It has changed since" in wasim.text
    await lead.get(place)
    await world.forward(minutes=11)
    assert await undo(lead, place) == 409
    assert "too long ago" in lead.text
    assert (await world.case_of(CARER)).urgency == "emergency"
    wasim.page = page
    await wasim.get(place)
    await wasim.post(f"{place}/replies", {"text": "Yes"})
    assert ">Undo" not in wasim.page  # a text that left is not taken back
