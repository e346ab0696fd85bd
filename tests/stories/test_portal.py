"""What the council and we agree, ask and propose beside the figures, each side with the other."""

import tomllib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from helpline.contract import Contract, load_contracts
from helpline.contract.measuring import Measure
from helpline.desk import (
    figure_threads,
    measure_proposals,
    obligations,
    portal,
    review_actions,
)
from helpline.desk.figure_threads import About
from helpline.desk.measure_wording import Worded
from helpline.desk.review_actions import Agreed
from helpline.errors import Conflict, InvalidInput, NotAllowed, NotFound
from helpline.models import ObligationDue
from helpline.reports import measure_text
from helpline.rules.permissions import Actor
from helpline.vocabulary import ProposalKind, ProposalState, QuestionState, Role
from tests.released import released
from tests.world import World

WORDED = Worded("Asked for at the review", "Calls back", "How many were rung back?", target="95")
POINTING = ("See ESX-B7CD4F", "see esx-b7cd4f", "Ring 01632 960111", "0808 157 0123", "z@e.org")


def essex(world: World) -> Contract:
    return world.house.contracts["essex"]


async def council(world: World) -> Actor:
    return await world.hire("Colin", Role.COMMISSIONER)


async def owed(world: World) -> Sequence[ObligationDue]:
    """The lines of our calendar that wait, as people wrote them."""
    async with world.house.db.read() as session:
        rows = await session.scalars(
            select(ObligationDue).where(
                col(ObligationDue.rule).is_(None), col(ObligationDue.done_at).is_(None)
            )
        )
        return rows.all()


async def agree(world: World, by: Actor, days: int = 10, side: str = "provider") -> int:
    day = world.now.date() + timedelta(days=days)
    async with world.house.db.write() as session:
        agreed = Agreed("Ring back within the day", side, "Team lead", day)
        made = await review_actions.agree(session, essex(world), agreed, by, world.now)
    return made.id or 0


async def test_what_is_agreed_is_both_sides_and_what_is_overdue_stands_first(world: World) -> None:
    colin, contract = await council(world), essex(world)
    async with world.house.db.write() as session:
        today = world.now.date()
        await review_actions.hold(
            session, contract, today, "Both leads", "The quarter", colin, world.now
        )
        with pytest.raises(NotAllowed):
            await review_actions.hold(session, contract, today, "x", "x", world.worker, world.now)
        for wrong in POINTING:
            with pytest.raises(InvalidInput, match="leave it out"):
                agreed = Agreed(wrong, "council", "Colin", today)
                await review_actions.agree(session, contract, agreed, colin, world.now)
    later, late = await agree(world, world.lead, 10), await agree(world, colin, -3)
    assert await agree(world, colin, -3) == late  # sent twice
    theirs = await agree(world, colin, 5, "council")
    assert sorted(one.due_on for one in await owed(world)) == sorted(
        world.now.date() + timedelta(days=days) for days in (10, -3)
    )  # what is the council's own to do is not in our calendar
    async with world.house.db.write() as session:
        (line,) = [one for one in await owed(world) if one.due_on < world.now.date()]
        with pytest.raises(Conflict, match="own page"):
            await obligations.settle(
                session, contract, line.id or 0, world.now.date(), "x", world.lead, world.now
            )
        found = await review_actions.listed(session, contract, world.now)
        assert [one.id for one in found] == [late, theirs, later]
        assert [one.is_overdue for one in found] == [True, False, False]
        day = world.now.date()
        await review_actions.finish(
            session, contract, late, day, "Minutes of 3 May", colin, world.now
        )
        with pytest.raises(Conflict):
            await review_actions.drop(session, contract, late, "Done", world.lead, world.now)
        found = await review_actions.listed(session, contract, world.now)
        assert [one.id for one in found] == [theirs, later, late]
        assert found[-1].was_late
        assert [step.kind for step in found[-1].happened] == ["agreed", "done"]
    assert len(await owed(world)) == 1
    async with world.house.db.write() as session:
        day = world.now.date() + timedelta(days=20)
        await review_actions.move(session, contract, later, day, "New desk", world.lead, world.now)
        await review_actions.reopen(session, contract, late, "Not yet", world.lead, world.now)
    assert len(await owed(world)) == 2


async def test_nobody_reaches_into_another_contract(world: World) -> None:
    colin, row = await council(world), await agree(world, world.lead)
    other = essex(world).model_copy(update={"key": "elsewhere"})
    outsider = Actor(colin.user_id, "Olive", Role.COMMISSIONER, "elsewhere")
    async with world.house.db.write() as session:
        made = await measure_proposals.propose(
            session, essex(world), "new", "", WORDED, world.lead, world.now
        )
        for contract, by in ((other, outsider), (other, world.lead), (essex(world), outsider)):
            with pytest.raises(NotFound):
                await review_actions.drop(session, contract, row, "No", by, world.now)
            with pytest.raises(NotFound):
                await measure_proposals.one(session, contract, made.id or 0, by)
        assert await review_actions.listed(session, other, world.now) == []
        assert await measure_proposals.listed(session, other) == []
        with pytest.raises(NotAllowed):
            await review_actions.hold(
                session, essex(world), world.now.date(), "x", "x", outsider, world.now
            )


async def test_a_question_waits_for_a_lead_with_a_day_and_an_answer_settles_it(
    world: World,
) -> None:
    colin, contract = await council(world), essex(world)
    about = About("quarter", "2026-27-Q1", "first_response.met")
    async with world.house.db.write() as session:
        with pytest.raises(InvalidInput, match="signed"):
            await figure_threads.ask(session, contract, about, "Why?", colin, world.now)
    await released(world)
    async with world.house.db.write() as session:
        for wrong in (About("quarter", "2026-27"), About("quarter", "2026-27-Q1", "nonsense")):
            with pytest.raises(InvalidInput):
                await figure_threads.ask(session, contract, wrong, "Why?", colin, world.now)
        with pytest.raises(NotAllowed):
            await figure_threads.ask(session, contract, about, "Why?", world.lead, world.now)
        other = About("quarter", "2026-27-Q1", "contacts")
        asked = [
            await figure_threads.ask(session, contract, other, words, colin, world.now)
            for words in ("And these?", "And these?", "And whose are they?")
        ]
        assert asked[0].id == asked[1].id != asked[2].id  # sent twice is once
        for one in (asked[0], asked[2]):
            await figure_threads.close(session, contract, one.id or 0, colin, world.now)
        with pytest.raises(InvalidInput, match="leave it out"):
            await figure_threads.ask(session, contract, about, POINTING[0], colin, world.now)
        made = await figure_threads.ask(session, contract, about, "Why?", colin, world.now)
    assert made.figure == "80 (88.9%)"
    assert made.due_on == date(2026, 11, 10)  # five working days after a Tuesday
    assert [one.due_on for one in await owed(world)] == [made.due_on]
    async with world.house.db.write() as session:
        assert await figure_threads.waiting(session, contract) == (1, made.due_on)
        row = made.id or 0
        with pytest.raises(InvalidInput, match="leave it out"):
            await figure_threads.write(session, contract, row, POINTING[2], world.lead, world.now)
        await figure_threads.write(session, contract, row, "One was late.", world.lead, world.now)
    assert await owed(world) == []
    async with world.house.db.write() as session:
        await figure_threads.write(session, contract, row, "And why?", colin, world.now)
        again = await figure_threads.find(session, contract, row, colin)
        assert again.state == QuestionState.WAITING
        assert len(await portal.thread(session, question=row)) == 3
    assert len(await owed(world)) == 1
    async with world.house.db.write() as session:
        await figure_threads.close(session, contract, row, colin, world.now)
    assert await owed(world) == []


async def test_a_proposal_is_agreed_by_the_other_side_in_its_newest_words_and_changes_nothing(
    world: World, tmp_path: Path
) -> None:
    colin, contract, now = await council(world), essex(world), world.now
    worded = Worded(**(vars(WORDED) | {"target_kind": "at_least"}))
    async with world.house.db.write() as session:
        made = await measure_proposals.propose(session, contract, "new", "", worded, colin, now)
        row, day = made.id or 0, now.date() + timedelta(days=30)
        with pytest.raises(Conflict, match="own side"):
            await measure_proposals.agree(session, contract, row, 1, day, colin, now)
        await measure_proposals.revise(session, contract, row, worded, world.lead, now)
        with pytest.raises(Conflict, match="own side"):
            await measure_proposals.agree(session, contract, row, 2, day, world.lead, now)
        with pytest.raises(Conflict, match="newer"):
            await measure_proposals.agree(session, contract, row, 1, day, colin, now)
        with pytest.raises(InvalidInput, match="today or later"):
            past = now.date() - timedelta(days=1)
            await measure_proposals.agree(session, contract, row, 2, past, colin, now)
        await measure_proposals.agree(session, contract, row, 2, day, colin, now)
        found = await measure_proposals.one(session, contract, row, world.lead)
        assert (found.state, found.from_on) == (ProposalState.AGREED, day)
        assert [one.side for one in found.versions] == ["council", "provider"]
        with pytest.raises(Conflict, match="decided"):
            await measure_proposals.decline(session, contract, row, "No", world.lead, now)
        promise = "first_response.met"
        with pytest.raises(InvalidInput, match="promise"):
            await measure_proposals.propose(session, contract, "end", promise, worded, colin, now)
    assert found.measure not in contract.measures


@pytest.mark.parametrize("kind", list(ProposalKind))
def test_the_text_for_the_contracts_file_is_one_the_file_can_take(kind: ProposalKind) -> None:
    contract = load_contracts(Path(__file__).parents[2] / "contracts")["essex"]
    code = "call_backs" if kind is ProposalKind.NEW else "contacts"
    text = measure_text.text(
        contract, kind, code, date(2026, 12, 1), name='Said "so"', question="How\\many?",
        means="Each\nonce", target=measure_text.target_of("at_least", 95.0, ""),
    )  # fmt: skip
    blocks = [Measure.model_validate(one) for one in tomllib.loads(text)["own_measures"]]
    before, after = date(2026, 11, 30), date(2026, 12, 1)
    old = [one for one in blocks if one.holds_on(before)]
    new = [one for one in blocks if one.holds_on(after)]
    assert (len(old), len(new)) == {"new": (0, 1), "change": (1, 1), "end": (1, 0)}[kind]
    assert all(one.counts == "contacts" and one.by for one in old)
    assert all((one.name, one.means) == ('Said "so"', "Each\nonce") for one in new)
    assert not {one.code for one in new} & contract.measures.keys()
