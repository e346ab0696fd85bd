"""You said, we did: what the council may read, what carers' groups raised, and how often people
were handed on."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from helpline.contract import Contract
from helpline.desk import changes, complaint_steps, complaints
from helpline.desk.changes import Typed
from helpline.desk.complaints import Told
from helpline.errors import InvalidInput, NotAllowed, NotFound
from helpline.models import FeedbackAsk, LegalHandOff, SaidAndDone
from helpline.reports import handed_on
from helpline.rules import periods
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.world import CARER, World

COLIN = Actor(0, "Colin", Role.COMMISSIONER, "essex")
SAID = Typed("Nobody rings back", "We ring within the day", "feedback", None, None)


def essex(world: World) -> Contract:
    return world.house.contracts["essex"]


async def write(world: World, by: Actor, **other: Any) -> SaidAndDone:
    facts = {"said_on": date(2026, 3, 2), "done_on": date(2026, 3, 3), **other}
    typed = Typed(**({"said": SAID.said, "done": SAID.done, "source": SAID.source} | facts))
    async with world.house.db.write() as session:
        return await changes.add(session, essex(world), typed, by, world.now)


async def read(world: World, by: Actor = COLIN) -> list[changes.Change]:
    async with world.house.db.read() as session:
        return await changes.listed(session, by, essex(world), shown=True)


async def test_the_council_reads_a_change_once_it_is_shown_and_a_quotation_while_it_is_agreed(
    world: World,
) -> None:
    await world.sms(CARER, "Please ring me")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        ask = FeedbackAsk(
            contract="essex", person_id=case.person_id, case_id=case.id, why="by_hand",
            asked_at=world.now, open_until=world.now, score=2, comment="You never rang back.",
            quote="You never rang back", quote_agreed_on=world.now.date(),
        )  # fmt: skip
        session.add(ask)
        await session.flush()
    change = await write(world, world.lead, ask=ask.id)
    assert await read(world) == []
    async with world.house.db.write() as session:
        with pytest.raises(NotAllowed):
            await changes.show(session, change.id or 0, world.worker, world.now)
        await changes.show(session, change.id or 0, world.lead, world.now)
    assert [one.quote for one in await read(world)] == ["You never rang back"]
    async with world.house.db.write() as session:
        await session.execute(update(FeedbackAsk).values(quote_agreed_on=None))
    assert [(one.said, one.quote) for one in await read(world)] == [(SAID.said, "")]
    async with world.house.db.write() as session:
        await changes.take_back(session, change.id or 0, world.lead, world.now)
        with pytest.raises(NotFound):
            await changes.show(session, change.id or 0, world.lead, world.now)
    assert await read(world) == []


async def test_words_for_the_council_name_nobody_and_never_the_complaint(world: World) -> None:
    quinn = await world.hire("Quinn", Role.COMPLAINTS, "+447700900905")
    facts = {"kind": "service", "subject": "worker", "complainant": "carer", "words": "Late again"}
    async with world.house.db.write() as session:
        told = Told(**facts, name="Zelda Quick", received_at=world.now, method="letter")
        found = await complaints.log(session, essex(world), told, quinn, world.now)
        await complaint_steps.write(session, found, "learning", "We ring.", quinn, world.now)
        assert await changes.learnt_from(session, found) == "We ring."
    at = {"source": "complaint", "complaint": found.reference, "done_on": None}
    for said in ("Zelda waited", f"See {found.reference}", "Ring 01632 960111", "z@example.org"):
        with pytest.raises(InvalidInput, match="leave out"):
            await write(world, quinn, said=said, **at)
    for wrong in ({"said_on": None}, {"said_on": date(2099, 1, 1)}, {"done_on": date(2025, 1, 1)}):
        with pytest.raises(InvalidInput):
            await write(world, quinn, **wrong)
    with pytest.raises(InvalidInput, match="quotation"):
        await write(world, quinn, ask=999)
    change = await write(world, quinn, said="Calls came late", **at)
    async with world.house.db.write() as session:
        await changes.show(session, change.id or 0, quinn, world.now)
    assert [one.complaint for one in await read(world)] == [""]
    assert [one.complaint for one in await read(world, quinn)] == [found.reference]


async def test_small_numbers_of_hand_offs_are_not_shown_and_the_total_does_not_give_them_away(
    world: World,
) -> None:
    await world.sms(CARER, "Please ring me")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        for number in range(14):
            result = "line_failed" if number < 2 else "put_through"
            session.add(
                LegalHandOff(
                    contract="essex", case_id=case.id or 0, result=result, at=world.now,
                    by_user_id=world.worker.user_id,
                )
            )  # fmt: skip
    contract = essex(world)
    quarter = periods.period_containing(world.now.date(), "quarter", contract.year_starts_month)
    async with world.house.db.read() as session:
        exact = await handed_on.rows(session, contract, [quarter], exact=True)
        shown = await handed_on.rows(session, contract, [quarter], exact=False)
    assert [(row.code, row.figures[0].value) for row in exact][:3] == [
        *(("", 14), ("legal_line", 12), ("legal_line_failed", 2)),
    ]
    values = {row.code: row.figures[0] for row in shown if row.group == "handed"}
    assert values["legal_line_failed"].value is None
    assert sum(figure.value is None for figure in values.values()) >= 2
    assert all(figure.value is None or figure.value % 5 == 0 for figure in values.values())
