"""A promise that was broken stays broken, whatever is done about it afterwards: given more time,
passed on, called another kind, dropped, moved to another contract."""

import ast
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col

from helpline.desk import (
    cases,
    complaint_steps,
    complaints,
    kinds,
    plans,
    promises,
    referrals,
    tasks,
    transfer,
)
from helpline.desk.duties import interviews
from helpline.desk.rights import requests
from helpline.errors import Conflict, InvalidInput
from helpline.models import Alert, Case, Complaint, DataRequest, Deadline, Person
from helpline.vocabulary import ClockStart, ClockStop, Role
from tests.world import World

DESK = Path(__file__).parents[2] / "src/helpline/desk"
ENDS = ("cancel", "cancel_begun_by")
"""Functions that end clocks of whoever calls them."""
Act = AsyncIterator[None]
"""Something begins; then, when it is late, it is got rid of."""


def endings() -> set[str]:
    """Every act of the desk that ends clocks without their being kept, as "module.function"."""
    found = set()
    for path in DESK.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.AsyncFunctionDef):
                calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
                if any(_is_an_end(call) for call in calls):
                    found.add(f"{path.stem}.{function.name}")
    return found


def _is_an_end(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    if called == "conflicts.of_cases":  # the same word for something else
        return False
    kept = [ast.unparse(one.value) for one in call.keywords if one.arg == "is_kept"]
    ends = called in [f"{module}.{name}" for module in ("owed", "deadlines") for name in ENDS]
    return ends or any(one not in ("True", "is_kept") for one in kept)


class Story:
    """The world, and who writes next."""

    def __init__(self, world: World, quinn: Any) -> None:
        self.world, self.quinn, self.number, self.told = world, quinn, 0, 0

    @property
    def contract(self) -> Any:
        return self.world.house.contracts["essex"]

    async def case(self) -> str:
        """Somebody new writes and is answered: their number."""
        self.number += 1
        number = f"+4477009003{self.number:02d}"
        await self.world.sms(number, "Can you tell me about tax for carers?")
        await self.world.reply(number, "Yes.")
        return number

    async def on(self, number: str, act: Any, *given: Any) -> Any:
        found = await self.world.case_of(number)
        async with self.world.house.db.write() as session:
            case = await session.get(Case, found.id)
            more = (self.contract,) if act in NEEDS_CONTRACT else ()
            return await act(session, *more, case, *given, self.world.lead, self.world.now)

    async def complaint(self, **facts: Any) -> int:
        said = {"kind": "service", "subject": "worker", "complainant": "carer"} | facts
        self.told += 1
        words = f"Nobody rang: {self.told}"  # the same words would be the same complaint
        told = complaints.Told(words=words, received_at=self.world.now, method="telephone", **said)
        async with self.world.house.db.write() as session:
            row = await complaints.log(session, self.contract, told, self.quinn, self.world.now)
            row.handler_id = self.quinn.user_id
            return row.id or 0

    async def step(self, complaint_id: int, act: Any, *given: Any) -> None:
        async with self.world.house.db.write() as session:
            row = await session.get(Complaint, complaint_id)
            more = (self.contract,) if act not in (complaint_steps.close, FORWARD) else ()
            await act(session, *more, row, *given, self.quinn, self.world.now)


FORWARD = complaint_steps.forward
NEEDS_CONTRACT = (
    *(kinds.change, interviews.record, interviews.set_time, referrals.request, plans.make),
    *(transfer.hand_over, promises.give, cases.set_urgency),
)


async def more_time(it: Story) -> Act:
    row = await it.complaint()
    yield
    with pytest.raises(Conflict, match="time is over"):
        await it.step(row, complaint_steps.extend, "We need a file")


async def to_safeguarding(it: Story) -> Act:
    row = await it.complaint()
    yield
    await it.step(row, complaint_steps.pass_to_safeguarding, "A child may be hurt")


async def another_complaint(it: Story) -> Act:
    row = await it.complaint()
    yield
    await it.step(row, complaint_steps.classify, "data", "worker")


async def closed_complaint(it: Story) -> Act:
    row = await it.complaint(kind="council")
    await it.step(row, complaint_steps.forward, "The council's complaints team")
    yield
    await it.step(row, complaint_steps.close)


async def another_kind(it: Story) -> Act:
    number = await it.case()
    await it.on(number, kinds.change, "referral", "Sent by Sue")
    yield
    await it.on(number, kinds.change, "consultation", "Sue asks for herself")


async def less_urgent(it: Story) -> Act:
    it.number += 1
    number = f"+4477009003{it.number:02d}"
    await it.world.sms(number, "Can you tell me about tax for carers?")
    await it.on(number, cases.set_urgency, "urgent", "It is")
    yield
    await it.on(number, cases.set_urgency, "standard", "It is not")


async def interview(it: Story) -> tuple[str, int]:
    number = await it.case()
    asked = interviews.Asked("Carol", "voluntary", it.world.now + timedelta(days=2))
    return number, (await it.on(number, interviews.record, asked)).id


async def interview_moved(it: Story) -> Act:
    number, row = await interview(it)
    yield
    await it.on(number, interviews.set_time, row, it.world.now + timedelta(days=3))


async def interview_called_off(it: Story) -> Act:
    number, row = await interview(it)
    yield
    await it.on(number, interviews.call_off, row)


async def interview_alone(it: Story) -> Act:
    number, row = await interview(it)
    yield
    await it.on(number, interviews.attended, row, False)


async def referral(it: Story) -> tuple[str, int]:
    number = await it.case()
    whom = next(iter(it.contract.signposts)).code
    person = (await it.world.case_of(number)).person_id
    return number, (await it.on(number, referrals.request, whom, person, "Advice", "agreed")).id


async def partner_said_no(it: Story) -> Act:
    number, row = await referral(it)
    yield
    await it.on(number, referrals.answer, row, False, "They are full")


async def referral_ended(it: Story) -> Act:
    number, row = await referral(it)
    yield
    await it.on(number, referrals.end, row, "never_seen", "")


async def task(it: Story) -> tuple[str, int]:
    number = await it.case()
    due = it.world.now + timedelta(days=2)
    return number, (await it.on(number, tasks.give, "given", "Ring", None, due)).id


async def task_moved(it: Story) -> Act:
    number, row = await task(it)
    yield
    await it.on(number, tasks.change, row, None, it.world.now + timedelta(days=2))


async def task_dropped(it: Story) -> Act:
    _, row = await task(it)
    yield
    async with it.world.house.db.write() as session:
        await tasks.drop(session, row, it.world.lead, it.world.now)


async def plan_ended(it: Story) -> Act:
    number = await it.case()
    begun = (["Sleep"], "Carol", date(2026, 11, 3), date(2026, 12, 1), date(2027, 2, 1))
    await it.on(number, plans.make, *begun)
    yield
    await it.on(number, plans.end)


async def promise_withdrawn(it: Story) -> Act:
    number = await it.case()
    row = await it.on(number, promises.give, "call", "", it.world.now + timedelta(hours=5))
    yield
    with pytest.raises(InvalidInput, match="has passed"):
        await it.on(number, promises.withdraw, row.id)


async def request_paused(it: Story) -> Act:
    number = await it.case()
    case = await it.world.case_of(number)
    told = requests.Told("access", "What do you keep?", "telephone", it.world.now)
    async with it.world.house.db.write() as session:
        person = await session.get(Person, case.person_id)
        assert person is not None
        made = await requests.log(session, it.contract, person, told, it.world.lead, it.world.now)
    yield
    async with it.world.house.db.write() as session:
        found = await session.get(DataRequest, made.id)
        assert found is not None
        why, words = "identity", "Who are you?"
        await requests.pause(session, it.contract, found, why, words, it.world.lead, it.world.now)


async def other_contract(it: Story) -> Act:
    number = await it.case()
    yield
    other = it.contract.model_copy(update={"key": "wessex", "reference_prefix": "WSX"})
    await it.on(number, transfer.hand_over, other, transfer.Handed("They moved", "Tax"))


ACTS: dict[str, Callable[[Story], Act]] = {
    "complaint_steps.extend": more_time,
    "complaint_steps.pass_to_safeguarding": to_safeguarding,
    "complaint_steps.classify": another_complaint,
    "complaint_steps.close": closed_complaint,
    "kinds.change": another_kind,
    "deadlines.reconsider": less_urgent,
    "interviews.set_time": interview_moved,
    "interviews.call_off": interview_called_off,
    "interviews.attended": interview_alone,
    "referrals.answer": partner_said_no,
    "referrals.end": referral_ended,
    "tasks.change": task_moved,
    "tasks.settle": task_dropped,
    "plans.end": plan_ended,
    "promises.withdraw": promise_withdrawn,
    "requests._stop": request_paused,
    "transfer._end_clocks": other_contract,
}
THROUGH = {"owed.cancel", "deadlines.cancel_begun_by"}
"""Called by others of the list."""


def test_every_act_that_ends_a_clock_is_tried_below() -> None:
    assert endings() == set(ACTS) | THROUGH


async def test_a_broken_clock_never_vanishes(world: World) -> None:
    essex = world.house.contracts["essex"]
    told = {"starts": ClockStart.REFERRAL, "stops": ClockStop.FULL_ANSWER}
    reply = essex.clock("first_response").model_copy(update={"code": "reply", **told})
    hurry = essex.clock("first_response").model_copy(
        update={"code": "hurry", "only_urgencies": ("urgent", "emergency")}
    )
    changed = essex.model_copy(update={"clocks": (*essex.clocks, reply, hurry)})
    changed.__dict__.pop("has_conditions", None)
    world.house = replace(world.house, contracts={"essex": changed})
    it = Story(world, await world.hire("Quinn", Role.COMPLAINTS))
    acts = [act(it) for act in ACTS.values()]
    for act in acts:
        await anext(act)
    world.clock.forward(timedelta(days=60))  # type: ignore[attr-defined]
    broken = [one.id for one in await world.all(Deadline, col(Deadline.state) == "open")]
    waits = [one.id for one in await world.all(Deadline, Deadline.due_at >= world.now)]
    for act in acts:
        with suppress(StopAsyncIteration):
            await anext(act)
    rows = await world.all(Deadline, col(Deadline.id).in_(set(broken) - set(waits)))
    assert {one.state for one in rows} == {"open", "lapsed"}
    lapsed = [one for one in rows if one.state == "lapsed"]
    assert len(lapsed) > 12
    assert {(one.met_at, one.next_alert_at) for one in lapsed} == {(None, None)}
    asked = await world.all(Alert, col(Alert.deadline_id).in_([one.id for one in lapsed]))
    assert all(one.ended_at is not None for one in asked)
