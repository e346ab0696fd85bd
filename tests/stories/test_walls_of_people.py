"""A wall stands between people: whatever is known of one side, old or new and in whatever register,
is not there for whoever worked for the other."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from helpline.desk import (
    byhand,
    cases,
    climbing,
    complaints,
    conflicts,
    incidents,
    independence,
    lists,
    merging,
    parts,
    waiting,
)
from helpline.desk.duties import moves, outcomes
from helpline.desk.rota import handovers
from helpline.errors import Conflict, NotFound
from helpline.models import Alert, Case, Complaint, Handover, Page, Person
from helpline.rules.permissions import Actor
from helpline.vocabulary import LinkKind, PartRole, Role
from tests import databases
from tests.stories.test_walls import inbox, name, sees, two_sides
from tests.world import CARER, STRANGER, World, opened_world


@pytest.fixture
async def one_world(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[World]:
    """On SQLite: what has nothing to do with the database."""
    async with opened_world(databases.new_sqlite_file(tmp_path, sqlite_template)) as world:
        yield world


async def by_hand(world: World, who: str, said: str, by: Actor) -> str:
    """The reference of a new case that somebody takes down."""
    taken = byhand.TakenDown("face_to_face", world.now, who, "", said, "allegation", True)
    async with world.house.db.write() as session:
        contract = world.house.contracts["essex"]
        return (await byhand.take_down(session, contract, taken, by, world.now)).reference


async def complain(world: World, told: dict[str, object]) -> str:
    told = {"subject": "worker", "complainant": "carer", "method": "telephone"} | told
    given = complaints.Told(kind="service", received_at=world.now, **told)  # type: ignore[arg-type]  # by name
    async with world.house.db.write() as session:
        contract = world.house.contracts["essex"]
        made = await complaints.log(session, contract, given, world.worker, world.now)
        return made.reference


async def may_read(world: World, who: Actor, reference: str) -> bool:
    async with world.house.db.read() as session:
        try:
            await complaints.find(session, who, reference)
        except NotFound:
            return False
    return True


async def test_a_new_case_of_somebody_behind_a_wall_is_behind_it_too(world: World) -> None:
    amara = await world.hire("Amara", Role.WORKER)
    carers, hers = await two_sides(world)
    await name(world, hers, amara)
    await name(world, carers, world.worker)
    again = await by_hand(world, "FC1001", "she cried about it", world.lead)
    await world.sms(CARER, "COMPLAINT my worker told Tess that I am lying")
    (complaint,) = await world.all(Case, Case.reason == "complaint")
    await world.sms(STRANGER, "somebody quite different")
    other = (await world.case_of(STRANGER)).reference

    assert await inbox(world, amara) == {hers, other}
    assert not await sees(world, amara, again)
    assert not await sees(world, amara, complaint.reference)
    assert await sees(world, world.worker, again)
    with pytest.raises(Conflict, match="must not work on this case"):
        await name(world, again, amara)
    async with world.house.db.read() as session:  # nor is she asked about it by an alert
        new = await cases.find_case(session, world.worker, again)
        assert amara.user_id in (await conflicts.of_cases(session, [new.id or 0]))[new.id or 0]
        tess = (await cases.find_case(session, amara, hers)).person_id
        assert (await merging.find_person(session, amara, tess)).id == tess  # her own person


async def test_a_past_case_of_the_other_side_was_taking_it(world: World) -> None:
    """Who supported the daughter years ago does not learn what is said about the mother."""
    nina = await world.hire("Nina", Role.WORKER)
    await world.sms(STRANGER, "my tax")
    await world.reply(STRANGER, "I look at it", by=nina)
    await world.close(STRANGER)
    old = await world.case_of(STRANGER)
    again = await by_hand(world, "", "she said it", world.lead)
    await world.sms(CARER, "they say I hurt her")
    carers = (await world.case_of(CARER)).reference
    async with world.house.db.write() as session:
        here = await cases.find_case(session, world.lead, carers)
        there = await cases.find_case(session, world.lead, again)
        there.person_id = old.person_id
        assert await sees(world, nina, carers)
        await parts.link(session, here, there, LinkKind.SIDES, "they clash", world.lead, world.now)
    assert not await sees(world, nina, carers)
    assert await sees(world, nina, again)


async def test_a_case_in_which_somebody_behind_the_wall_has_a_part(world: World) -> None:
    """The carer's partner comes in his own right: what he says of her is not for the other side."""
    amara = await world.hire("Amara", Role.WORKER)
    _, hers = await two_sides(world)
    await name(world, hers, amara)
    await world.sms(STRANGER, "I am her husband")
    his = (await world.case_of(STRANGER)).reference
    assert await sees(world, amara, his)
    carer = (await world.case_of(CARER)).person_id
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, his)
        person = await session.get(Person, carer)
        assert person is not None
        await parts.give_part(session, case, person, PartRole.PARTNER, world.lead, world.now)
        own = await cases.find_case(session, world.lead, hers)  # her mother, in her own case
        await parts.give_part(session, own, person, PartRole.HOUSEHOLD, world.lead, world.now)
    assert not await sees(world, amara, his)
    assert await sees(world, amara, hers)


async def test_nobody_loses_their_own_worker_to_a_wall(world: World) -> None:
    """Neither by a part nor by a join; and where it comes about by itself, the board says so."""
    amara = await world.hire("Amara", Role.WORKER)
    _, hers = await two_sides(world)
    await name(world, hers, amara)
    await world.sms(STRANGER, "I am her husband")
    his = await world.case_of(STRANGER)
    await name(world, his.reference, amara)
    carer = (await world.case_of(CARER)).person_id
    for with_part in (True, False):
        with pytest.raises(Conflict, match="Amara supports ESX-"):
            async with world.house.db.write() as session:
                case = await cases.find_case(session, world.lead, his.reference)
                into, other = (
                    await session.get(Person, carer),
                    await session.get(Person, his.person_id),
                )
                assert into is not None
                assert other is not None
                if with_part:
                    role = PartRole.PARTNER
                    await parts.give_part(session, case, into, role, world.lead, world.now)
                else:
                    await merging.merge(session, into, other, "voice", world.lead, world.now)
    contracts = {"essex": world.house.contracts["essex"]}
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, his.reference)
        case.person_id = carer  # they said so themself
        await session.flush()
        board = await waiting.board(session, contracts, world.lead, world.now)
    assert [row.why for row in board.rows if row.reference == his.reference] == ["conflict"]


async def test_a_wall_waits_until_somebody_else_is_named(world: World) -> None:
    await world.sms(CARER, "they say I hurt her")
    await world.sms(STRANGER, "she hurt me")
    await world.reply(STRANGER, "I hear you", by=world.worker)
    carers = (await world.case_of(CARER)).reference
    await name(world, carers, world.worker)
    with pytest.raises(Conflict, match=f"Wasim supports {carers}"):
        async with world.house.db.write() as session:
            here = await cases.find_case(session, world.lead, carers)
            there = await cases.find_case(
                session, world.lead, (await world.case_of(STRANGER)).reference
            )
            by, now = world.lead, world.now
            await parts.link(session, here, there, LinkKind.SIDES, "they clash", by, now)


async def test_what_is_done_about_the_duties_takes_a_side(one_world: World) -> None:
    world, nina = one_world, await one_world.hire("Nina", Role.WORKER)
    carers, hers = await two_sides(world)
    contract = world.house.contracts["essex"]
    decision = moves.Decision("A", "moves", "team manager", world.now.date())
    async with world.house.db.write() as session:
        case = await cases.find_case(session, nina, carers)
        await moves.record(session, contract, case, decision, nina, world.now)
    assert await sees(world, nina, carers)
    assert not await sees(world, nina, hers)
    told = outcomes.Told("unsubstantiated", told_by="the council")
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.duty, hers)
        await outcomes.report(session, contract, case, told, world.duty, world.now)
    assert not await sees(world, world.duty, carers)


async def test_a_complaint_is_behind_the_walls_of_its_cases_and_of_its_person(
    world: World,
) -> None:
    amara, lena = await world.hire("Amara", Role.WORKER), await world.hire("Lena", Role.LEAD)
    officer = await world.hire("Quinn", Role.COMPLAINTS)
    carers, hers = await two_sides(world)
    await name(world, hers, amara)
    async with world.house.db.write() as session:  # the lead takes the daughter's side
        case = await cases.find_case(session, world.lead, hers)
        await cases.add_note(session, case, "fact", "spoke", world.now, world.lead, world.now)
    case = await world.case_of(CARER)
    arose = await complain(world, {"words": "about her", "about_case_id": case.id})
    hand = await complain(world, {"words": "by letter", "person_id": case.person_id})
    for reference in (arose, hand):
        assert not await may_read(world, world.lead, reference)
        assert await may_read(world, officer, reference)
        assert await may_read(world, lena, reference)
    async with world.house.db.write() as session:
        held = await cases.find_case(session, lena, carers)
        await conflicts.declare(session, held, lena.user_id, "neighbours", lena, world.now)
    for reference in (arose, hand):
        assert not await may_read(world, lena, reference)
    async with world.house.db.read() as session:
        for made in (await session.scalars(select(Complaint))).all():
            shut = (await conflicts.of_complaints(session, [made.id or 0]))[made.id or 0]
            assert {world.lead.user_id, lena.user_id, amara.user_id} <= shut
            assert officer.user_id not in shut
            may = {
                u.id for u, why in await independence.handlers(session, "essex", made) if not why
            }
            assert not {world.lead.user_id, lena.user_id} & may


async def test_what_a_sheet_tells_who_takes_over(one_world: World) -> None:
    """Neither the complaint about them, nor what others wrote to one another."""
    world, nina = one_world, await one_world.hire("Nina", Role.WORKER)
    about = await complain(world, {"words": "about Leonie", "about": (world.lead.user_id,)})
    other = await complain(world, {"words": "about the line"})
    async with world.house.db.write() as session:
        row = Handover(contract="essex", at=world.now, from_id=world.duty.user_id)
        row.to_id, row.words = world.worker.user_id, "ESX-1: she says her daughter lies"
        session.add(row)
    world.clock.forward(timedelta(days=3, hours=12))
    async with world.house.db.read() as session:
        sheet = await handovers.sheet(session, "essex", world.lead, world.now)
        assert [line.complaint for line in sheet.promises] == [other], about
        assert not (await handovers.sheet(session, "essex", nina, world.now)).promises
        for reader, is_shown in ((world.duty, True), (world.worker, True), (nina, False)):
            try:
                found = await handovers.find(session, ["essex"], reader, row.id or 0)
            except NotFound:
                assert not is_shown
            else:
                assert is_shown
                assert handovers.is_between(found, reader.user_id)
        late = await handovers.find(session, ["essex"], world.lead, row.id or 0)
        assert not handovers.is_between(late, world.lead.user_id)


async def test_who_is_shut_out_joins_and_parts_nobody(one_world: World) -> None:
    world, nina = one_world, await one_world.hire("Nina", Role.WORKER)
    await world.sms(CARER, "about tax")
    await world.sms(STRANGER, "me again")
    carer, stranger = await world.case_of(CARER), await world.case_of(STRANGER)
    async with world.house.db.write() as session:
        into = await session.get(Person, carer.person_id)
        other = await session.get(Person, stranger.person_id)
        assert into is not None
        assert other is not None
        made = await merging.merge(session, into, other, "same voice", world.lead, world.now)
        case = await cases.find_case(session, world.lead, carer.reference)
        await conflicts.declare(session, case, nina.user_id, "neighbours", world.lead, world.now)
        with pytest.raises(NotFound):
            await merging.unmerge(session, into, made.id or 0, nina, world.now)
        third = Person(contract="essex", created_at=world.now)
        session.add(third)
        await session.flush()
        with pytest.raises(NotFound):  # a join is found by the person whose it is
            await merging.unmerge(session, third, made.id or 0, world.lead, world.now)
        await merging.unmerge(session, other, made.id or 0, world.lead, world.now)


async def test_two_sides_are_never_joined(one_world: World) -> None:
    carers, hers = await two_sides(one_world)
    async with one_world.house.db.write() as session:
        two = await session.scalars(
            select(Person)
            .join(Case, col(Case.person_id) == col(Person.id))
            .where(col(Case.reference).in_((carers, hers)))
        )
        into, other = two.all()
        with pytest.raises(Conflict, match="wall between these two"):
            by = one_world.lead
            await merging.merge(session, into, other, "a like name", by, one_world.now)


async def test_whoever_is_asked_by_an_alert_may_know_of_it(one_world: World) -> None:
    """An incident on a case asks nobody who is shut out of the case; a complaints officer takes no
    alert of a case."""
    world, officer = one_world, await one_world.hire("Quinn", Role.COMPLAINTS)
    await world.sms(CARER, "they say I hit him")
    case = await world.case_of(CARER)
    contract = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        here = await cases.find_case(session, world.duty, case.reference)
        kind = contract.incidents[0].code
        told = incidents.Told(kind, "it happened again", world.now, world.now, case=here)
        found = await incidents.log(session, contract, told, world.worker, world.now)
        await conflicts.declare(
            session, here, world.lead.user_id, "neighbours", world.lead, world.now
        )
        shut = await conflicts.of_incidents(session, [found.id or 0])
        assert shut == {found.id: frozenset({world.lead.user_id})}
        alert = Alert(kind="warning", contract="essex", reference=case.reference, key="k")
        alert.colour, alert.raised_at, alert.case_id = "amber", world.now, case.id
        session.add(alert)
        await session.flush()
        for who, contract_key in ((world.worker, "essex"), (officer, None), (world.lead, None)):
            assert await lists.contract_of_alert(session, who, alert.id or 0) == contract_key
        of_incident = Alert(kind="warning", contract="essex", reference=found.reference, key="i")
        of_none = Alert(kind="warning", contract="essex", reference="PAPERS", key="n")
        for one in (of_incident, of_none):
            one.colour, one.raised_at, one.next_rung_at = "amber", world.now, world.now
            one.rungs = "lead"
        of_incident.incident_id = found.id
        session.add_all([of_incident, of_none])
        await session.flush()
        await climbing.climb(session, world.house.contracts, world.house.wording, world.now)
        asked = set((await session.scalars(select(col(Page.alert_id)))).all())
        assert of_none.id in asked
        assert of_incident.id not in asked
