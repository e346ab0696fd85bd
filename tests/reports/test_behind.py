"""What a figure opens onto is what it counts: for every measure of every contract, and every way in
which its like is cut, as many things as the figure says."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from helpline.contract import Contract, load_contracts
from helpline.contract.measuring import Measure
from helpline.db import Database
from helpline.desk import behind as behind_figures
from helpline.desk.behind import SHOWN, Behind, asked, behind
from helpline.errors import NotAllowed, NotFound
from helpline.models import Case, Conflict, SuppliedFigure
from helpline.reports import codes, counting
from helpline.reports.cells import By, places
from helpline.reports.counting import Counts
from helpline.reports.figures import NOTHING, window_of
from helpline.rules.periods import Period, period
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests import databases
from tests.reports import any_life

START = datetime(2026, 11, 2, tzinfo=UTC)
NOW = datetime(2027, 1, 2, 12, tzinfo=UTC)  # some of it has not ended yet
CROSSED = 8  # one in so many crossed tables is opened: it chooses by both, each alone is tried
CONTRACTS = load_contracts(Path(__file__).parents[2] / "contracts")


def reader(contract: Contract, user_id: int = 0, role: Role = Role.LEAD) -> Actor:
    return Actor(user_id, "Lea", role, contract.key)


def autumn(contract: Contract) -> Period:
    """A year in which the life lies, or some of it where a contract's year begins in January."""
    return period("2026-27", contract.year_starts_month)


Shape = tuple[str, str, tuple[str, ...]]


def some_of(
    counts: Counts, measure: Measure, printed: Mapping[str, Sequence[str]], opened: set[Shape]
) -> list[By]:
    """Its total; and unless a measure alike was opened there already, of every cut the first and
    the last figure that is more than nought, or a nought. The last is of all other codes."""
    known = {by for code, by in (*counts.numbers, *counts.times) if code == measure.code}
    found: dict[By, None] = {(): None}
    for number, cut in enumerate(measure.cuts):
        shape = (measure.counts, "time" if measure.is_minutes else measure.takes, cut)
        if shape in opened or (len(cut) > 1 and number % CROSSED):
            continue
        opened.add(shape)
        every = list(places(cut, printed))
        there = [by for by in every if by in known]
        found |= dict.fromkeys([*there[:1], *there[-1:]] or every[-1:])
    return list(found)


async def compare(db: Database, contract: Contract) -> int:
    """Every measure counted and opened, and figures of every way in which it is cut; how many were
    more than nought."""
    await any_life.live(db, contract, START)
    span, printed = autumn(contract), codes.printed(contract)
    measures = [one for one in contract.measures.values() if one.counts != "supplied"]
    more_than_nought, opened = 0, set[Shape]()
    async with db.read() as session:
        for measure in measures:
            window = window_of(contract, span, measure.basis, NOW)
            counts = await counting.count(session, contract.key, [measure], window, printed)
            for by in some_of(counts, measure, printed, opened):
                one = await behind(session, contract, span, measure, by, reader(contract), NOW)
                same(measure, by, one, counts)
                more_than_nought += bool(one.number)
    return more_than_nought


def same(measure: Measure, by: By, found: Behind, counts: Counts) -> None:
    if measure.is_minutes:
        times = counts.times.get((measure.code, by), NOTHING)
        assert found.number == times.number, (measure.code, by)
        value = None if times.value is None else round(times.value, 1)
        assert found.value == value, (measure.code, by)
    else:
        assert found.value == found.number == counts.numbers[measure.code, by], (measure.code, by)
    assert len(found.rows) == min(found.number, SHOWN), (measure.code, by)


async def test_every_figure_of_essex_opens_onto_as_many_things_on_both_databases(
    db: Database, essex: Contract
) -> None:
    assert await compare(db, essex) > 100


@pytest.mark.parametrize("key", sorted(set(CONTRACTS) - {"essex"}))
async def test_and_every_figure_of_every_other_contract(
    key: str, tmp_path: Path, sqlite_template: Path
) -> None:
    db = Database(databases.new_sqlite_file(tmp_path, sqlite_template))
    try:
        assert await compare(db, CONTRACTS[key]) > 20
    finally:
        await db.close()


async def test_what_its_reader_may_not_see_is_counted_and_not_listed(
    db: Database, essex: Contract
) -> None:
    user_id = await any_life.live(db, essex, START)
    lead, span = reader(essex, user_id), autumn(essex)
    measure = essex.measure("cases")
    async with db.read() as session:
        before = await behind(session, essex, span, measure, (), lead, NOW)
    hidden = before.rows[0].references[0]
    async with db.write() as session:
        case_id = await session.scalar(select(Case.id).where(Case.reference == hidden))  # type: ignore[call-overload,arg-type]
        session.add(Conflict(case_id=case_id, user_id=user_id, kind="declared", why="x", since=NOW))
    async with db.read() as session:
        after = await behind(session, essex, span, measure, (), lead, NOW)
        people = await behind(session, essex, span, essex.measure("people"), (), lead, NOW)
        other = await behind(session, essex, span, measure, (), reader(essex), NOW)
    assert (after.value, after.number, after.unseen) == (before.value, before.number, 1)
    listed = {one for row in (*after.rows, *people.rows) for one in row.references}
    assert hidden not in listed
    assert len(after.rows) == before.number - 1
    assert other.unseen == 0


async def test_a_person_is_one_row_with_their_cases(db: Database, essex: Contract) -> None:
    await any_life.live(db, essex, START)
    async with db.read() as session:
        found = await behind(
            session, essex, autumn(essex), essex.measure("people"), (), reader(essex), NOW
        )
        contacts = await behind(
            session, essex, autumn(essex), essex.measure("contacts"), (), reader(essex), NOW
        )
    assert sum(row.number for row in found.rows) == contacts.value
    assert any(len(row.references) > 1 for row in found.rows)
    assert len({one for row in found.rows for one in row.references}) == sum(
        len(row.references) for row in found.rows
    )


async def test_long_lists_come_in_parts_and_a_part_beyond_the_end_is_the_last(
    db: Database, essex: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    await any_life.live(db, essex, START)
    monkeypatch.setattr(behind_figures, "SHOWN", 10)
    measure, span, lead = essex.measure("cases"), autumn(essex), reader(essex)
    async with db.read() as session:
        every = [
            await behind(session, essex, span, measure, (), lead, NOW, first)
            for first in range(0, 60, 10)
        ]
        beyond = await behind(session, essex, span, measure, (), lead, NOW, 9_990)
    whole = int(every[0].value or 0)
    listed = [row.references[0] for one in every[: -(-whole // 10)] for row in one.rows]
    assert len(set(listed)) == whole
    assert (beyond.first, [row.references for row in beyond.rows][-1][0]) == (
        (whole - 1) // 10 * 10,
        listed[-1],
    )


async def test_a_supplied_figure_opens_onto_who_supplied_it(db: Database, essex: Contract) -> None:
    staff = essex.measure("cases").model_copy(
        update={"code": "staff", "counts": "supplied", "by": (), "crossed": False}
    )
    async with db.write() as session:
        for value, back in ((90.0, None), (96.0, None), (12.0, NOW)):
            session.add(
                SuppliedFigure(
                    contract="essex",
                    period="2026-27",
                    measure="staff",
                    value=value,
                    source="The staff list",
                    given_at=NOW,
                    taken_back_at=back,
                )
            )
    async with db.read() as session:
        found = await behind(session, essex, autumn(essex), staff, (), reader(essex), NOW)
    assert found.is_supplied
    assert found.value == 96.0
    assert [(one.value, one.counts, one.is_taken_back) for one in found.given] == [
        (12.0, False, True),
        (96.0, True, False),
        (90.0, False, False),
    ]


async def test_only_leads_and_safeguarding_leads_open_a_figure(
    db: Database, essex: Contract
) -> None:
    for role in (Role.WORKER, Role.COMMISSIONER, Role.COMPLAINTS, Role.ADMIN):
        async with db.read() as session:
            with pytest.raises(NotAllowed):
                await behind(
                    *(session, essex, autumn(essex), essex.measure("cases"), ()),
                    reader(essex, role=role),
                    NOW,
                )


@pytest.mark.parametrize(
    ("code", "cut"),
    [
        ("luck", ""),
        ("cases", "moon=full"),
        ("cases", "quadrant=atlantis"),
        ("cases", "quadrant"),
        ("cases", "outcome=supported"),
        ("cases", "quadrant=north,reason=finance,method=text"),
        ("cases", "\x00"),
    ],
)
def test_an_address_that_names_no_figure_is_none(essex: Contract, code: str, cut: str) -> None:
    with pytest.raises(NotFound):
        asked(essex, code, cut)


def test_an_address_names_a_figure_whatever_the_order(essex: Contract) -> None:
    measure, by = asked(essex, "cases", "reason=finance,quadrant=north")
    assert (measure.code, by) == ("cases", (("quadrant", "north"), ("reason", "finance")))
    assert asked(essex, "cases", "")[1] == ()
