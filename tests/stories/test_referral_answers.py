"""A referral is answered once what the contract wants with the answer is written down (002 §5.1.4,
L01): a friendly word alone keeps neither the 48 hours nor the hour of an emergency."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from helpline.contract import load_contracts
from helpline.desk import cases, imports, kinds, lists, nexts, referred, transfer
from helpline.errors import Conflict, InvalidInput
from helpline.models import Case, Deadline, Task
from helpline.vocabulary import CaseKind, ClockStop, Urgency
from tests import folders
from tests.fakes.telephone import HANGS_UP, switched_on
from tests.web.conftest import Arrive
from tests.world import CARER, OUR_NUMBER, World

ASSESSED = {"assessment": "3 November, 9:20, to the Access to Resources Team: yes, in Lot 2"}
NORMAL, EMERGENCY = "referral_response", "referral_emergency"


def with_homes(world: World) -> None:
    """Essex with Lancashire's promises to whoever refers, and what a referral there must say."""
    essex = world.house.contracts["essex"]
    homes = load_contracts(folders.only("lancashire"))["lancashire"]
    clocks = (*essex.clocks, homes.clock(NORMAL), homes.clock(EMERGENCY))
    changed = essex.model_copy(update={"clocks": clocks, "referral": homes.referral})
    changed.__dict__.pop("has_conditions", None)  # it was worked out for the clocks there were
    world.house = replace(world.house, contracts={"essex": changed})


async def act(world: World, what: Any, *given: Any) -> Any:
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        contract = world.house.contracts["essex"]
        return await what(session, contract, case, *given, world.worker, world.now)


async def test_an_answer_without_its_assessment_keeps_no_promise(world: World) -> None:
    with_homes(world)
    await world.sms(CARER, "A boy of 14 needs a bed on Thursday")
    await act(world, kinds.change, CaseKind.REFERRAL, "Sent by the council's team")
    opened = (await world.case_of(CARER)).opened_at
    promise = (await world.deadlines(CARER))[NORMAL]
    assert promise.due_at == opened + timedelta(hours=48)
    await world.allocate(CARER, world.worker)
    await world.reply(CARER, "We are looking at it.")
    await act(world, referred.fill, {"referrer": "Sue Wren", "home_type": "mainstream"})
    assert (await world.deadlines(CARER))[NORMAL].state == "open"
    assert (await world.deadlines(CARER))["first_response"].state == "met"
    async with world.house.db.read() as session:
        ids = [(await world.case_of(CARER)).id or 0]
        faces = (await lists.faces_of(session, ids, world.now))[ids[0]]
    async with world.house.db.read() as session:
        case = await world.case_of(CARER)
        contract = world.house.contracts["essex"]
        coming = await nexts.of_case(session, contract, case, world.worker, world.now)
    [owed] = [one for one in coming if one.name.startswith("Referral answered")]
    assert (owed.tab, owed.anchor, owed.is_owed) == ("/plan", "referral", True)
    shown = {stop: face.is_running for stop, face in faces.items()}
    assert (shown["human_reply"], shown["referral_answer"]) == (False, True)
    await act(world, referred.fill, ASSESSED)
    kept = (await world.deadlines(CARER))[NORMAL]
    assert (kept.state, kept.met_at, kept.met_by_id) == ("met", world.now, world.worker.user_id)


async def test_an_emergency_has_its_hour_until_the_assessment_is_written_down(world: World) -> None:
    with_homes(world)
    await world.sms(CARER, "A boy of 14 needs a bed tonight")
    await act(world, kinds.change, CaseKind.REFERRAL, "Sent by the council's team")
    await act(world, cases.set_urgency, Urgency.URGENT, "Needed the same day")
    await world.reply(CARER, "We are looking at it.")
    await act(world, referred.fill, ASSESSED)
    rows = await world.deadlines(CARER)
    assert [rows[code].state for code in (NORMAL, EMERGENCY)] == ["met", "met"]


async def sent(world: World) -> None:
    """A referral has come in, and a worker has it."""
    with_homes(world)
    await world.sms(CARER, "A boy of 14 needs a bed on Thursday")
    await act(world, kinds.change, CaseKind.REFERRAL, "Sent by the council's team")
    await world.allocate(CARER, world.worker)
    await world.reply(CARER, "We are looking at it.")


async def test_a_referral_that_is_taken_up_again_is_owed_an_answer_anew(world: World) -> None:
    await sent(world)
    await act(world, referred.fill, ASSESSED)
    await world.close(CARER)
    await world.later(hours=50)
    await act(world, cases.reopen)
    anew = (await world.deadlines(CARER))[NORMAL]
    assert (anew.state, anew.started_at) == ("open", world.now)
    assert (await world.case_of(CARER)).next_due_at is not None


async def test_an_answer_keeps_its_promise_only_when_it_is_written_and_while_it_stands(
    world: World,
) -> None:
    await sent(world)
    await act(world, referred.fill, ASSESSED)
    await world.later(hours=50)
    await act(world, referred.fill, {"assessment": ""})
    taken_out = (await world.deadlines(CARER))[NORMAL]
    assert (taken_out.state, taken_out.met_at, taken_out.met_by_id) == ("open", None, None)
    assert taken_out.next_alert_at == world.now
    await act(world, referred.fill, ASSESSED)
    await world.close(CARER)
    await act(world, cases.reopen)
    await act(world, referred.fill, ASSESSED | {"referrer": "Sue Wren"})
    assert (await world.deadlines(CARER))[NORMAL].state == "open"  # nothing new was said of it
    await act(world, referred.fill, {"assessment": ""})
    case = await world.case_of(CARER)
    rows = await world.all(Deadline, Deadline.case_id == case.id, Deadline.clock == NORMAL)
    assert [row.state for row in rows] == ["met", "open"]  # the earlier one was kept
    await act(world, referred.fill, {"assessment": "5 November, 9:00: no"})
    assert (await world.deadlines(CARER))[NORMAL].state == "met"


async def test_an_answer_counts_from_when_it_went_out(world: World) -> None:
    await sent(world)
    opened = (await world.case_of(CARER)).opened_at
    await world.later(hours=50)
    for wrong, why in ((-1, "before the referral came in"), (51, "still to come")):
        at = partial(referred.fill, answered_at=opened + timedelta(hours=wrong))
        with pytest.raises(InvalidInput, match=why):
            await act(world, at, ASSESSED)
    await act(world, partial(referred.fill, answered_at=opened + timedelta(hours=5)), ASSESSED)
    kept = (await world.deadlines(CARER))[NORMAL]
    assert (kept.state, kept.met_at) == ("met", opened + timedelta(hours=5))


async def test_when_an_answer_went_out_is_said_on_the_page(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    await sent(world)
    await world.later(hours=50)
    guest = await arrive(world, "wasim")
    path = f"/cases/{(await world.case_of(CARER)).reference}/plan"
    typed = {"referral_assessment": "Yes, in Lot 2", "answered_at": "2026-11-09T09:20"}
    assert await guest.post(f"{path}/referral", typed) == 400
    assert "That time is still to come" in guest.text
    assert "Yes, in Lot 2" in guest.page and 'value="2026-11-09T09:20"' in guest.page
    assert await guest.post(f"{path}/referral", typed | {"answered_at": "2026-11-03T02:15"}) == 200
    kept = (await world.deadlines(CARER))[NORMAL]
    assert kept.met_at == kept.started_at


async def test_whoever_referred_and_rings_in_vain_is_owed_an_answer_anew(one_world: World) -> None:
    world = one_world
    await sent(world)
    await act(world, referred.fill, ASSESSED)
    async with switched_on(world) as exchange:
        await world.forward(hours=1)
        begun = world.now
        await exchange.ring(CARER, OUR_NUMBER, HANGS_UP)
    owed = await world.deadlines(CARER)
    assert {owed[code].started_at for code in (NORMAL, "first_response")} == {begun}
    assert {owed[code].state for code in (NORMAL, "first_response")} == {"open"}


async def test_an_unanswered_referral_does_not_go_over_to_another_contract(
    one_world: World,
) -> None:
    world = one_world
    await sent(world)
    essex = world.house.contracts["essex"]
    other = essex.model_copy(update={"key": "wessex", "name": "Wessex", "reference_prefix": "WX"})
    handed = transfer.Handed("They moved house", "A boy of 14 needs a bed.")
    world.worker = world.lead
    with pytest.raises(Conflict, match="still wait for an answer"):
        await act(world, transfer.hand_over, other, handed)
    assert (await world.deadlines(CARER))[NORMAL].state == "open"


async def test_a_referral_that_goes_over_has_its_new_promise_on_the_task(
    one_world: World,
) -> None:
    world = one_world
    await sent(world)
    await act(world, referred.fill, ASSESSED)
    essex = world.house.contracts["essex"]
    clocks = tuple(one for one in essex.clocks if one.stops != ClockStop.HUMAN_REPLY)
    renamed = {"key": "wessex", "name": "Wessex", "reference_prefix": "WX", "clocks": clocks}
    other = essex.model_copy(update=renamed)
    other.__dict__.pop("has_conditions", None)
    world.worker = world.lead
    handed = transfer.Handed("They moved house", "A boy of 14 needs a bed.")
    new = await act(world, transfer.hand_over, other, handed)
    (task,) = await world.all(Task, Task.case_id == new.id, Task.kind == "given")
    assert task.due_at == world.now + timedelta(hours=48)


async def test_what_the_referrer_is_asked_for_is_never_our_own_answer(world: World) -> None:
    homes = load_contracts(folders.only("lancashire"))["lancashire"]
    assert homes.referral is not None
    said = {one.code: "x" for one in homes.referral.fields if not one.ours}
    assert referred.missing(homes, "unknown", said) == []
    [lacking] = referred.unanswered(homes, said)
    assert "Impact Risk Assessment" in lacking
    assert referred.unanswered(homes, said | ASSESSED) == []


async def test_a_past_referral_is_counted_by_the_promise_to_who_referred(world: World) -> None:
    with_homes(world)
    essex = world.house.contracts["essex"]
    reasons = tuple(
        one.model_copy(update={"opens": CaseKind.REFERRAL}) if one.code == "placements" else one
        for one in essex.reasons
    )
    contract = essex.model_copy(update={"reasons": reasons})
    day = (world.now - timedelta(days=9)).isoformat(timespec="seconds")
    later = (world.now - timedelta(days=8)).isoformat(timespec="seconds")
    columns = "reference,received_at,method,person,carer_type,quadrant,reason,support"
    log = [
        f"{columns},first_response_at,allocated_at,closed_at,outcome,contacts",
        f"L-1,{day},email,P1,foster_carer,mid,placements,,{later},{later},,,1",
    ]
    async with world.house.db.write() as session:
        await imports.import_cases(session, contract, "\n".join(log), world.now, dry_run=False)
    rows = [one for one in await world.all(Deadline) if isinstance(one, Deadline)]
    assert {one.clock: one.state for one in rows}[NORMAL] == "met"
