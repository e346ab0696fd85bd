"""Sent twice is once, and two at the same instant do it one after the other: nobody gets two cases,
two plans or two sets of dates."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.clock import MovableClock
from helpline.desk import (
    byhand,
    changes,
    complaints,
    groups,
    incidents,
    partners,
    parts,
    plans,
    referrals,
)
from helpline.desk.duties import approvals, cover, interviews, moves, outcomes
from helpline.errors import Conflict
from helpline.models import (
    Case,
    CaseLink,
    Complaint,
    Deadline,
    ExpensesClaim,
    GroupIssue,
    Incident,
    MoveDecision,
    OutcomeReport,
    Part,
    PartnerReferral,
    PoliceInterview,
    SaidAndDone,
    SupportPlan,
)
from helpline.vocabulary import LinkKind
from tests.world import CARER, STRANGER, World

Act = Callable[[AsyncSession, Case], Coroutine[Any, Any, Any]]
SOLICITOR = partners.Typed(
    "solicitor", "Marsh and Daughters", "Interviews", telephone="01632 960321"
)
ONCE = (
    *(Complaint, Case, Incident, ExpensesClaim),
    *(MoveDecision, OutcomeReport, PartnerReferral, PoliceInterview, SaidAndDone, GroupIssue),
    Deadline,
)


async def test_what_is_sent_twice_is_once(world: World) -> None:
    await world.sms(CARER, "Can you tell me about tax for carers?")
    essex, by, first = world.house.contracts["essex"], world.worker, world.now
    async with world.house.db.write() as session:
        whom = await partners.add(session, essex, SOLICITOR, world.lead, first)

    async def everything(session: AsyncSession, case: Case) -> None:
        now = world.now
        told = complaints.Told("service", "worker", "carer", "Same words ", now, "telephone")
        await complaints.log(session, essex, told, by, now)
        for who, mobile in (("FC1001", ""), ("Moira Quill, CO15 1RJ", ""), ("", "")):
            taken = byhand.TakenDown("letter", now, who, mobile, "At the coffee", "", False)
            await byhand.take_down(session, essex, taken, by, now)
        fall = incidents.Told(essex.incidents[0].code, "Fell", now, now)
        await incidents.log(session, essex, fall, by, now)
        await cover.open_claim(session, case, "Carol", "criminal", "Acorn", "", by, now)
        move = moves.Decision("A", "moves", "team manager", first.date())
        await moves.record(session, essex, case, move, by, now)
        await outcomes.report(session, essex, case, outcomes.Told("not_yet_known"), by, now)
        asked = (str(whom.id), case.person_id, "A solicitor", "agreed")
        await referrals.request(session, essex, case, *asked, by, now)
        await interviews.record(session, essex, case, interviews.Asked("Carol", "arrest"), by, now)
        done = changes.Typed("Slow to ring", "Two ring now", "other", first.date(), None)
        await changes.add(session, essex, done, world.lead, now)
        raised = groups.Raised("Clacton carers", "Parking", first.date())
        await groups.write(session, essex, raised, by, now)

    counted = []
    for minutes in (0, 1, 10):
        assert isinstance(world.clock, MovableClock)
        world.clock.forward(timedelta(minutes=minutes))
        async with world.house.db.write() as session:
            await everything(session, await session.merge(await world.case_of(CARER)))
        counted.append([await world.count(table) for table in ONCE])
    assert counted[0] == counted[1] and counted[0][:-1] == [1, 4, 1, 1, 1, 1, 1, 1, 1, 1]
    assert counted[2][:-1] == [2, 7, 2, 2, 2, 2, 2, 2, 2, 2]  # later somebody means it


async def test_two_at_the_same_instant_do_it_one_after_the_other(world: World) -> None:
    await world.sms(CARER, "Can you tell me about tax for carers?")
    essex, by, now = world.house.contracts["essex"], world.worker, world.now
    tess = await world.member("Tess Ashby", "OC7", group="own_child")
    day = now.date()
    later = (day + timedelta(days=30), day + timedelta(days=90))

    async def plan(session: AsyncSession, case: Case) -> None:
        await plans.make(session, essex, case, ["Sleep"], "Carol", day, *later, by, now)

    async def aftercare(session: AsyncSession, case: Case) -> None:
        await approvals.begin_aftercare(session, essex, case, day, by, now)

    async def part(session: AsyncSession, case: Case) -> None:
        await parts.give_to_known(session, case, tess, "own_child", by, now)

    async def interview(session: AsyncSession, case: Case) -> None:
        await interviews.record(session, essex, case, interviews.Asked("Carol", "arrest"), by, now)

    async def complaint(session: AsyncSession, case: Case) -> None:
        told = complaints.Told("service", "worker", "carer", "Same words", now, "telephone")
        await complaints.log(session, essex, told, by, now)

    await world.sms(STRANGER, "I am her husband")
    his = (await world.case_of(STRANGER)).id

    async def link(session: AsyncSession, case: Case) -> None:
        other = await session.get(Case, his)
        assert other is not None
        await parts.link(session, case, other, LinkKind.RELATED, "Her husband", by, now)

    for act in (plan, aftercare, part, interview, complaint, link):
        await at_once(world, act)
    tables = (SupportPlan, Part, PoliceInterview, Complaint, CaseLink)
    assert [await world.count(table) for table in tables] == [1, 1, 1, 1, 1]
    dates = [row.clock for row in await world.all(Deadline, Deadline.stops == "aftercare")]
    assert len(dates) == len(set(dates)) > 0


async def at_once(world: World, act: Act) -> None:
    """The second begins when the first has written and not yet said so."""

    async def second() -> None:
        async with world.house.db.write() as session:
            case = await session.get(Case, case_id)
            assert case is not None
            await act(session, case)

    case_id = (await world.case_of(CARER)).id
    async with world.house.db.write() as session:
        case = await session.get(Case, case_id)
        assert case is not None
        await act(session, case)
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.2)
    with contextlib.suppress(Conflict):  # told so: it is there already
        await waiting
