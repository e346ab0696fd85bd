"""Over all releases of a year, nobody who subtracts learns a small number."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpline.contract import Contract
from helpline.db import Database
from helpline.reports.cells import Cell
from helpline.reports.protection import Earlier, protect
from helpline.rules.periods import Period, period
from tests import databases
from tests.reports import past_quarter
from tests.reports.attacker import Attacker, truth_of
from tests.reports.test_figures import counted, take_in

BEGINS, ENDS = datetime(2026, 7, 31, 23, tzinfo=UTC), datetime(2027, 7, 31, 23, tzinfo=UTC)
AFTER = datetime(2027, 9, 1, tzinfo=UTC)
QUARTERS = [f"2026-27-Q{n}" for n in range(1, 5)]
YEAR = "2026-27"
Counted = list[tuple[Period, tuple[Cell, ...]]]


@pytest.fixture(scope="module")
def narrow(essex: Contract) -> Contract:
    """Essex, cut three ways only: the same sums, and a tenth of the figures."""
    kept = {"quadrant", "carer_type", "method"}
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
        for table in essex.measure_tables
    )
    contract = essex.model_copy(update={"measure_tables": tables})
    contract.__dict__.pop("measures", None)  # worked out once for the wider one
    return contract


@pytest.fixture
async def year(narrow: Contract, tmp_path: Path, sqlite_template: Path) -> Counted:
    """Four quarters and the year, exact: so few cases that most cells are small."""
    db = Database(databases.new_sqlite_file(tmp_path, sqlite_template))
    rows = past_quarter.rows(narrow, BEGINS, ENDS, 700, now=AFTER, seed=11)
    await take_in(db, narrow, past_quarter.as_csv(rows), AFTER)
    found = []
    for label in (*QUARTERS, YEAR):
        report = await counted(db, narrow, label, AFTER)
        found.append((period(label, narrow.year_starts_month), report.cells))
    await db.close()
    return found


async def test_a_year_of_releases_gives_the_attacker_nothing(
    narrow: Contract, year: Counted
) -> None:
    releases = released(narrow, year)
    assert learned(narrow, releases) == []
    assert sum(bool(cell.value) for one in releases for cell in one.published) > 500


async def test_the_attacker_finds_what_a_weaker_rule_gives_away(
    narrow: Contract, year: Counted
) -> None:
    """A year that knows nothing of its quarters; and small ones hidden alone."""
    assert learned(narrow, released(narrow, year, links=False))
    alone = narrow.disclosure.model_copy(update={"secondary": False})
    weaker = narrow.model_copy(update={"disclosure": alone})
    assert learned(weaker, released(weaker, year))


def released(contract: Contract, year: Counted, *, links: bool = True) -> list[Earlier]:
    """Published one after the other, each with what was out by then; `links` False forgets it."""
    out: list[Earlier] = []
    for when, exact in year:
        shown = protect(contract, when, exact, [one for one in out if links and _shares(one, when)])
        out.append(Earlier(when, exact, shown))
    return out


def _shares(one: Earlier, when: Period) -> bool:
    return one.period.start <= when.end and when.start <= one.period.end


def learned(contract: Contract, releases: Sequence[Earlier]) -> list:
    """What the attacker learns; whatever they hold possible must hold the truth."""
    attacker = Attacker(contract, [(one.period, one.published) for one in releases])
    attacker.solve()
    truth = {}
    for one in releases:
        truth |= truth_of(one.period, one.exact)
    truth = {name: n for name, n in truth.items() if name in attacker.low}
    assert all(attacker.low[name] <= n <= attacker.high[name] for name, n in truth.items())
    assert sum(1 <= n <= 7 for n in truth.values()) > 1_000
    return attacker.learned(truth)
