"""Advice that only somebody qualified may give: the closing asks who gave it and by what, keeps it,
and asks nothing where there was none (A28)."""

from datetime import date

import pytest
from sqlalchemy import select

from helpline.desk import advice, cases, papers
from helpline.desk.advice import Typed
from helpline.desk.filing import reading
from helpline.errors import InvalidInput
from helpline.models import AdviceGiven, Partner
from tests.world import CARER, World


async def close(world: World, *supports: str, **advised: Typed) -> None:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(CARER)).reference)
        contract = world.house.contracts["essex"]
        ended = contract.outcomes[0].code
        closing = (contract, case, supports, ended, world.worker, world.now, advised)
        await cases.close(session, *closing)


async def adviser(world: World, name: str) -> str:
    async with world.house.db.read() as session:
        contract = world.house.contracts["essex"]
        found = await advice.advisers(session, contract, world.now)
    return next(one.key for one in found if one.name == name)


async def test_closing_asks_who_gave_legal_and_medical_advice(world: World) -> None:
    await world.sms(CARER, "Can I see a solicitor?")
    async with world.house.db.write() as session:
        session.add(
            Partner(
                contract="essex",
                kind="solicitor",
                name="Ash & Elm",
                skills="law",
                made_at=world.now,
            )
        )
        paper = papers.Typed("qualification", date(2020, 1, 1), None, title="Registered nurse")
        await papers.add(session, world.worker.user_id, paper, world.lead, world.now)
    legal = Typed(await adviser(world, "Ash & Elm"))
    for said, missing in (
        (Typed(), "say who gave it"),
        (Typed("partner:999"), "say who gave it"),
        (legal, "by what qualification"),
        (Typed("else", "", "solicitor"), "write the name"),
    ):
        with pytest.raises(InvalidInput, match=f"Legal advice: .*{missing}"):
            await close(world, "legal_advice", "information", legal_advice=said)
    await close(
        world,
        *("legal_advice", "medical_information"),
        legal_advice=Typed(legal.who, qualification="solicitor, police station accredited"),
        medical_information=Typed(await adviser(world, "Wasim")),
    )
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, (await world.case_of(CARER)).reference)
        contract = world.house.contracts["essex"]
        chapters = await reading.chapters(session, contract, case, world.lead, world.now)
        kept = (await session.scalars(select(AdviceGiven).order_by(AdviceGiven.id))).all()
        await cases.reopen(session, contract, case, world.lead, world.now)
    assert [(one.partner_id, one.user_id) for one in kept] == [
        (1, None),
        (None, world.worker.user_id),
    ]
    (chapter,) = [one for one in chapters if one.title == "Legal cover and advice"]
    said_there = [value.said for entry in chapter.entries for value in entry.values]
    assert {"Ash & Elm", "solicitor, police station accredited"} <= set(said_there)
    assert {"Wasim", "Registered nurse"} <= set(said_there)
    await close(world, "legal_advice")  # it was said the first time


async def test_nothing_is_asked_where_no_such_advice_was_given(world: World) -> None:
    await world.sms(CARER, "Thank you")
    await close(world, "information", "counselling")
    assert await world.count(AdviceGiven) == 0
