"""Over all releases of a year, of every contract, nobody who subtracts learns a small number."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from helpline.contract import Contract, load_contracts
from helpline.db import Database
from helpline.reports import weeks
from helpline.reports.cells import Cell
from helpline.reports.figures import counted
from helpline.reports.protection import Earlier, protect
from helpline.rules import periods
from helpline.rules.periods import KIND_OF, Period, bounds
from tests import databases
from tests.reports.attacker import Attacker, Name
from tests.reports.year import fill

LATER = datetime(2027, 9, 1, tzinfo=UTC)
KEPT = ("quadrant", "carer_type", "method")
Exact = list[tuple[Period, tuple[Cell, ...]]]


def narrow(contract: Contract, kept: Sequence[str] = KEPT) -> Contract:
    """The same contract, cut some ways only: the same sums, and a tenth of the figures."""
    tables = tuple(
        table.model_copy(
            update={
                "measures": tuple(
                    one.model_copy(update={"by": tuple(by for by in one.by if by in kept)})
                    if one.crossed
                    else one
                    for one in table.measures
                )
            }
        )
        for table in contract.measure_tables
    )
    made = contract.model_copy(update={"measure_tables": tables})
    made.__dict__.pop("measures", None)  # worked out once for the wider one
    return made


async def every_release(db: Database, contract: Contract, contacts: int) -> Exact:
    """All reports of all periods of a year, exact, in the order in which they are owed."""
    record = await fill(db, contract, 11, contacts)
    year = periods.period_containing(record.first, "annual", contract.year_starts_month)
    found: Exact = []
    for asked in contract.reports:
        kind = KIND_OF[asked.every]
        for when in periods.parts(year, kind) or (year,):
            async with db.read() as session:
                report = await counted(session, contract, when, record.now, asked.code, late=False)
            found.append((when, report.cells))
    return sorted(found, key=lambda one: (one[0].end, one[0].days))


def released(contract: Contract, year: Exact, *, links: bool = True) -> list[Earlier]:
    """Published one after the other, each with what was out by then; `links` False forgets it."""
    out: list[Earlier] = []
    for when, exact in year:
        out.append(Earlier(when, exact, protect(contract, when, exact, out if links else ())))
    return out


def learned(
    contract: Contract, releases: Sequence[Earlier], *, any_one: bool = False
) -> dict[Name, tuple[int, int]]:
    attacker = Attacker(contract)
    attacker.read(releases)
    return attacker.learned(any_one=any_one)


@pytest.fixture
def empty(tmp_path: Path, sqlite_template: Path) -> Database:
    return Database(databases.new_sqlite_file(tmp_path, sqlite_template))


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts(Path(__file__).parents[2] / "contracts")


@pytest.mark.parametrize(
    ("key", "contacts", "kept"),
    [
        ("essex", 700, KEPT[:2]),
        ("peterborough", 250, KEPT[1:2]),  # two reports a month: many more of them
        ("lancashire", 400, KEPT),
        ("stoke", 250, KEPT[1:2]),
        ("national", 400, KEPT[:2]),
    ],
)
async def test_a_year_of_releases_gives_the_attacker_nothing(
    contracts: dict[str, Contract], empty: Database, key: str, contacts: int, kept: Sequence[str]
) -> None:
    contract = narrow(contracts[key], kept)
    releases = released(contract, await every_release(empty, contract, contacts))
    await empty.close()
    assert learned(contract, releases) == {}
    assert sum(bool(cell.value) for one in releases for cell in one.published) > 50


async def test_the_attacker_finds_what_a_weaker_rule_gives_away(
    contracts: dict[str, Contract], empty: Database
) -> None:
    """A year that knows nothing of its quarters; and small ones hidden alone."""
    contract = narrow(contracts["essex"], KEPT[:2])
    year = await every_release(empty, contract, 400)
    await empty.close()
    assert learned(contract, released(contract, year, links=False), any_one=True)
    alone = contract.disclosure.model_copy(update={"secondary": False})
    weaker = contract.model_copy(update={"disclosure": alone})
    assert learned(weaker, released(weaker, year), any_one=True)


async def weekly(db: Database, contract: Contract, span: Period) -> Exact:
    """What each Sunday of a period adds: the period up to it, and the exact totals."""
    first = bounds(span, contract.zone)[0]
    sundays = [first + timedelta(days=7 * n + 3) for n in range(14)]
    found: Exact = []
    for at in sundays:
        async with db.read() as session:
            report = await counted(session, contract, span, at, late=False, until=at)
        totals = weeks.only_totals(contract, report.cells)
        found.append((weeks.so_far(span, at, contract.zone), totals))
    return found


def published_weekly(
    contract: Contract, running: Sequence[tuple[Period, tuple[Cell, ...]]]
) -> list[Earlier]:
    out: list[Earlier] = []
    for then, now in pairwise(running):
        shown = weeks.totals(contract, then, now, out)
        out.append(Earlier(then[0], then[1], shown))
    return out


async def test_thirteen_weeks_and_the_quarter_give_the_attacker_nothing(
    contracts: dict[str, Contract], empty: Database
) -> None:
    contract = narrow(contracts["essex"])
    record = await fill(empty, contract, 5, 1_500)
    span = periods.period_containing(record.first, "quarter", contract.year_starts_month)
    running = await weekly(empty, contract, span)
    async with empty.read() as session:
        exact = (await counted(session, contract, span, record.now, late=False)).cells
    await empty.close()
    out = published_weekly(contract, running)
    out.append(Earlier(span, exact, protect(contract, span, exact)))
    assert learned(contract, out) == {}
    assert sum(bool(cell.value) for one in out[:-1] for cell in one.published) > 20
    plain = [Earlier(*one, protect(contract, *one)) for one in running]
    assert learned(
        contract, [*plain, out[-1]], any_one=True
    )  # each Sunday by itself would give weeks away


async def test_a_figure_that_moved_by_one_is_not_told_from_its_restatement(
    contracts: dict[str, Contract], empty: Database
) -> None:
    contract = narrow(contracts["essex"])
    contract = contract.model_copy(
        update={"disclosure": contract.disclosure.model_copy(update={"round_to": 1})}
    )
    await fill(empty, contract, 5, 4_000)
    async with empty.read() as session:
        when = periods.period("2026-27-Q1", contract.year_starts_month)
        exact = (await counted(session, contract, when, LATER, late=False)).cells
    await empty.close()
    first = Earlier(when, exact, protect(contract, when, exact))
    before = {cell.key: cell for cell in first.published}
    by_one = tuple(_moved(cell, 1) for cell in exact)
    again = protect(contract, when, by_one, [first])
    assert [(one.value, one.percent, one.hidden) for one in again] == [
        (one.value, one.percent, one.hidden) for one in first.published
    ]
    much = tuple(_moved(cell, 40) for cell in exact)
    more = protect(contract, when, much, [first])
    assert any(one.value and one.value != before[one.key].value for one in more)


def _moved(cell: Cell, by: int) -> Cell:
    """A correction: some cases were another carer's."""
    if cell.measure in ("people", "contacts", "cases") and cell.value and cell.value > 20:
        return replace(cell, value=cell.value + by)
    return cell


def test_of_what_still_runs_nothing_is_told_over_longer_days(
    contracts: dict[str, Contract],
) -> None:
    essex = contracts["essex"]
    cells = [Cell(code, (), 100) for code in ("contacts", "contacts.so_far", "cases.so_far")]
    assert [cell.measure for cell in weeks.only_totals(essex, cells)] == ["contacts"]
