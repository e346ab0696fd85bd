"""Whoever cannot be written to now stands in nobody's way: each loop that looks at a few at a time
comes to the others too, however many it has to pass over."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpline.desk import feedback, gatherings, inviting, library, proofs
from helpline.desk.gatherings import Plan
from helpline.desk.library import COUNCILS_POLICY, OWN_POLICY, Draft
from helpline.models import Address, FeedbackAsk, Person, PolicyProof, SafeContact
from helpline.rules.safety import SafeRules, written
from helpline.sealing import ring
from tests.world import CARER, World, opened_world

OTHERS = ["+447700900124", "+447700900125", "+447700900126"]


@pytest.fixture
async def day(database_url: str) -> AsyncIterator[World]:
    async with opened_world(database_url, datetime(2026, 11, 3, 11, 0, tzinfo=UTC)) as world:
        for number, name in zip(OTHERS, ("Jo Li", "Samir Walsh", "Priya Nairn"), strict=True):
            await world.member(name, f"FC{number[-4:]}", number)
        yield world


async def _person(session: Any, number: str) -> Person:
    found = select(Address.person_id).where(Address.value_index.in_(_index(number)))
    return await session.get(Person, await session.scalar(found))


def _index(number: str) -> Any:
    return ring().indexes("address:sms", number)


async def test_the_policies(day: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "AT_ONCE", 2)
    essex = day.house.contracts["essex"]
    async with day.house.db.write() as session:
        for code in (OWN_POLICY, COUNCILS_POLICY):
            draft = Draft("policy", code.replace("_", " "), "All of it.", code=code)
            await library.add(session, essex, draft, day.lead, day.now)
    for number in (*OTHERS, CARER):
        await day.sms(number, "COMPLAINT nobody rang me")
    for number in OTHERS:
        await day.sms(number, "STOP")
    for _ in range(2):
        async with day.house.db.write() as session:
            words, site = day.house.wording, "https://x.example"
            await proofs.send_due(session, essex, words, site, day.now, 1)
    because = PolicyProof.why == "request"  # and not as somebody who is new
    proved = {one.person_id for one in await day.all(PolicyProof, because)}  # type: ignore[attr-defined]
    assert proved == {(await day.case_of(CARER)).person_id}


async def test_how_it_was(day: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "LOOKED_AT", 2)
    for number in (*OTHERS, CARER):
        await day.sms(number, "Where can I find the first aid course dates")
        await day.sms(number, "PERSON")
        await day.reply(number, "On our page of events.")
        await day.allocate(number, day.worker)
        await day.close(number)
    for number in OTHERS:
        await day.sms(number, "STOP")
    day.clock.forward(timedelta(days=2, hours=1))  # type: ignore[attr-defined]
    for _ in range(2):
        async with day.house.db.write() as session:
            essex = day.house.contracts["essex"]
            await feedback.ask_all(session, essex, day.house.wording, day.now)
    (asked,) = await day.all(FeedbackAsk)
    assert asked.case_id == (await day.case_of(CARER)).id  # type: ignore[attr-defined]


async def test_reminders(day: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inviting, "AT_ONCE", 2)
    starts, essex = day.now + timedelta(days=4), day.house.contracts["essex"]
    plan = Plan("Skills evening", starts, starts + timedelta(hours=2), place="Town Hall")
    async with day.house.db.write() as session:
        event = await gatherings.write(session, essex, plan, day.lead, day.now)
        for number in (*OTHERS, CARER):
            who = await _person(session, number)
            await gatherings.book(session, event, who, "", day.worker, day.now)
            if number in OTHERS:  # not to be written to before three
                rules = written(SafeRules(begins=time(15), ends=time(18)))
                session.add(SafeContact(person_id=who.id, rules=rules, set_at=day.now))
    day.clock.forward(timedelta(days=3))  # type: ignore[attr-defined]
    for _ in range(2):
        async with day.house.db.write() as session:
            await inviting.remind(session, essex, day.house.wording, day.now)
    await day.settle()
    assert "A reminder" in day.texts_to(CARER)[-1]
    assert [day.texts_to(number) for number in OTHERS] == [[], [], []]
