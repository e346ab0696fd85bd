"""Something happened: whoever must know is told, the child is asked, somebody reviews it."""

from datetime import timedelta

import pytest

from helpline.desk import incidents, owed
from helpline.errors import Conflict, NotFound
from helpline.models import Incident, IncidentNotice
from helpline.vocabulary import Role
from tests.world import CARER, LEAD_PHONE, World

SEFA_PHONE = "+447700900906"


async def test_an_incident_is_told_reviewed_and_closed_only_when_all_is_done(world: World) -> None:
    sefa = await world.hire("Sefa", Role.SAFEGUARDING, SEFA_PHONE)
    contract = world.house.contracts["essex"]
    await world.sms(CARER, "Please ring me")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        found = await incidents.log(
            session,
            contract,
            incidents.Told(
                kind="restraint",
                what="Child A was held",
                happened_at=world.now - timedelta(hours=2),
                known_at=world.now,
                case=case,
            ),
            world.worker,
            world.now,
        )
        reference = found.reference
    world.clock.forward(timedelta(minutes=61))  # nobody told the safeguarding lead at once
    await world.settle()
    assert any(reference in text for text in world.texts_to(SEFA_PHONE))
    notices = {n.code: n for n in await world.all(IncidentNotice)}  # type: ignore[attr-defined]
    assert set(notices) == {"safeguarding_lead", "council"}
    for step in ("council", "safeguarding_lead"):
        async with world.house.db.write() as session:
            found = await incidents.find(session, sefa, reference)
            with pytest.raises(Conflict, match="still owed word"):
                await incidents.close(session, found, sefa, world.now)
            await incidents.tell(
                session,
                contract,
                found,
                notices[step].id,
                whom="The duty team",
                how="telephone",
                at=world.now,
                not_needed="",
                by=sefa,
                now=world.now,
            )
    async with world.house.db.write() as session:
        found = await incidents.find(session, sefa, reference)
        with pytest.raises(Conflict, match="Ask the child"):
            await incidents.close(session, found, sefa, world.now)
        await incidents.write_child_view(session, found, "given", "It hurt", sefa, world.now)
        with pytest.raises(Conflict, match="review"):
            await incidents.close(session, found, sefa, world.now)
        await incidents.review(session, found, "Looked at.", sefa, world.now)
        await incidents.close(session, found, sefa, world.now)
        assert not await owed.open_on(session, incidents.line_of(found))


async def test_whoever_is_shut_out_of_the_case_does_not_see_its_incident(world: World) -> None:
    from helpline.desk import conflicts

    contract = world.house.contracts["essex"]
    await world.sms(CARER, "Please ring me")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        told = incidents.Told("missing", "Child A is missing", world.now, world.now, case=case)
        made = await incidents.log(session, contract, told, world.duty, world.now)
        await conflicts.declare(session, case, world.worker.user_id, "kin", world.lead, world.now)
        reference = made.reference
    async with world.house.db.read() as session:
        with pytest.raises(NotFound):
            await incidents.find(session, world.worker, reference)
        assert not await incidents.listed(session, world.worker, ["essex"])
        found = await incidents.find(session, world.lead, reference)
        assert isinstance(found, Incident)
    assert not any(reference in text for text in world.texts_to(LEAD_PHONE))
