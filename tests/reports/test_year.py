"""A year of five helplines: every figure of every report of every period of it equals what was
counted a second way, from what happened and from the contract's own words."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract, load_contracts
from helpline.contract.measuring import COUNTED, HAVE_PEOPLE
from helpline.db import Database
from helpline.reports.cells import Cell
from helpline.reports.figures import figures, protected
from helpline.reports.report import Report
from helpline.rules.periods import period
from tests import databases, folders
from tests.reports.year import Record, Span, fill, periods
from tests.reports.year.agreed import CONTRACTS, agreed
from tests.reports.year.making import CLOCK_CHANGES, DAY, TICK, make, midnight
from tests.reports.year.record import RETIRED
from tests.reports.year.second_count import Expected, SecondCount

FIVE = ("essex", "peterborough", "lancashire", "stoke", "national")
ENOUGH, FEW = 20_000, 1_200
HALFWAY = datetime(2026, 12, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
async def sqlite(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Database]:
    database = Database(databases.new_sqlite_file(tmp_path, sqlite_template))
    yield database
    await database.close()


@pytest.mark.timeout(400)  # a busy machine is no fault of the figures
@pytest.mark.parametrize("key", FIVE)
async def test_every_figure_of_a_year_equals_a_second_count(sqlite: Database, key: str) -> None:
    contracts = load_contracts(CONTRACTS)
    contract, other = contracts[key], contracts[FIVE[FIVE.index(key) - 1]]
    await fill(sqlite, other, seed=2, contacts=FEW)  # of another council: in no figure of this one
    record = await fill(sqlite, contract, seed=1, contacts=ENOUGH)
    second = SecondCount(agreed(key), record)
    async with sqlite.read() as session:
        last = await every_report(session, contract, record, second)
    names_people = (one for one in last if any(cell.measure == "contacts" for cell in one.cells))
    await what_leaves_is_exact_or_nothing(next(names_people))


async def test_a_running_year_is_counted_as_it_stands(db: Database) -> None:
    contract = load_contracts(CONTRACTS)["lancashire"]
    record = await fill(db, contract, seed=3, contacts=FEW, now=HALFWAY)
    async with db.read() as session:
        await every_report(session, contract, record, SecondCount(agreed("lancashire"), record))


async def test_whatever_a_contract_may_ask_for_is_counted_right(
    sqlite: Database, tmp_path: Path
) -> None:
    """Every basis, every fact and every way to cut and choose, of a contract that asks for all."""
    folder = folders.laid_out(tmp_path / "contracts", "stoke")
    with (folder / "stoke.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(everything()))
    contract = load_contracts(folder)["stoke"]
    record = await fill(sqlite, contract, seed=4, contacts=2 * FEW)
    second = SecondCount(agreed("stoke", folder), record)
    async with sqlite.read() as session:
        await every_report(session, contract, record, second, "everything")


async def test_whoever_comes_in_all_four_quarters_is_one_person_of_the_year(
    sqlite: Database,
) -> None:
    contract = load_contracts(CONTRACTS)["essex"]
    record = await fill(sqlite, contract, seed=5, contacts=FEW)
    spans = [span for span in periods(record.first) if span.every in ("quarter", "year")]
    async with sqlite.read() as session:
        found = [await counted(session, contract, record, "annual", span) for span in spans]
    *quarters, year = [report.cell("people").value or 0 for report in found]
    came = [
        {one.who for one in SecondCount(agreed("essex"), record).rows("contacts", span)}
        for span in spans[:4]
    ]
    assert len(set.intersection(*came)) >= 3
    assert [len(some) for some in came] == quarters
    assert len(set.union(*came)) == year < sum(quarters)


@pytest.mark.parametrize("key", FIVE)
def test_a_made_year_holds_what_is_hard_to_count(key: str) -> None:
    """Else the comparison would say nothing: the year has it all, whatever the seed."""
    contract = load_contracts(CONTRACTS)[key]
    first = date(2026, contract.year_starts_month, 1)
    made = make(contract, 6, 2 * FEW, first)
    midnights = {midnight(span.first, contract.zone) for span in periods(first)}
    opened = {case.opened for case in made.cases}
    quarters = [span for span in periods(first) if span.every == "quarter"]

    def quarter(at: datetime | None) -> int:
        day = at.astimezone(ZoneInfo(contract.zone)).date() if at else date.max
        return next((n for n, span in enumerate(quarters) if span.first <= day <= span.last), -1)

    assert midnights | {at - TICK for at in midnights} <= opened
    assert set(CLOCK_CHANGES) <= opened
    assert any(0 <= quarter(one.opened) < quarter(one.closed) for one in made.cases)
    assert any(one.written - one.at > DAY for one in made.contacts)
    assert {one.state for one in made.promises} == {"open", "met", "lapsed", "cancelled"}
    assert {TICK, 0 * TICK} <= {one.met - one.due for one in made.promises if one.met}
    assert any(one.case is None for one in made.promises)
    assert {"out", None} <= {one.eligibility for one in made.cases}
    for name in ("group", "quadrant", "reason", "method", "outcome"):
        assert RETIRED in {getattr(case, name) for case in made.cases}, name
    homes: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for case in made.cases:
        homes[case.who].add((case.group, case.quadrant))
    assert any(len(some) > 1 for some in homes.values())
    assert any(len(case.supports) > 1 for case in made.cases)
    assert {True, False} == {one.is_mistake for one in made.allegations}
    assert made.joined
    assert make(contract, 6, 2 * FEW, first) == made  # by chance, and the same each time


# --- how it is compared ---------------------------------------------------------------------------


async def every_report(
    session: AsyncSession,
    contract: Contract,
    record: Record,
    second: SecondCount,
    *codes: str,
) -> list[Report]:
    """Compare each report of each of its periods; of each the last one comes back."""
    last = {}
    for asked in contract.reports:
        for span in periods(record.first):
            if span.every == asked.every and asked.code in (codes or {asked.code}):
                made = await counted(session, contract, record, asked.code, span)
                assert_same(made, second, span)
                last[asked.code] = made
    return list(last.values())


async def counted(
    session: AsyncSession,
    contract: Contract,
    record: Record,
    code: str,
    span: Span,
) -> Report:
    wanted = period(span.label, contract.year_starts_month)
    assert (wanted.start, wanted.end) == (span.first, span.last)
    return await figures(session, contract, wanted, record.now, exact=True, code=code)


def assert_same(made: Report, second: SecondCount, span: Span) -> None:
    expected = second.report(made.asked.code, span)
    found = {
        (cell.measure, tuple(sorted(cell.by)) if len(cell.by) > 1 else cell.by): cell
        for cell in made.cells
    }
    unlike = sorted(found.keys() ^ expected.keys())
    assert not unlike, f"{len(unlike)}; {unlike[:5]}"
    wrong = [
        (span.label, key, found[key], told)
        for key, told in expected.items()
        if not is_same(found[key], told)
    ]
    assert not wrong, f"{len(wrong)} of {len(found)}; {wrong[:3]}"
    broken = [(one.clock, one.quadrant, one.minutes_late, one.is_answered) for one in made.breaches]
    assert sorted(broken) == second.broken(span)


def is_same(cell: Cell, told: Expected) -> bool:
    beside = (cell.denominator, cell.percent, cell.denominator_as_of, cell.note)
    given = (cell.words, cell.source, cell.hidden)
    if told.is_time and cell.value is not None and told.value is not None:
        same = abs(cell.value - told.value) <= 0.05 + 1e-7  # told to one decimal
    else:
        same = cell.value == told.value
    return (
        same
        and beside == (told.denominator, told.percent, told.denominator_as_of, told.note)
        and given == (told.words, told.source, None)
    )


async def what_leaves_is_exact_or_nothing(exact: Report) -> None:
    """With small numbers hidden, whatever is still said is the exact figure, rounded as the
    contract says, and nothing stands where it would be about a few people."""
    contract = exact.contract
    base, least = contract.disclosure.round_to, contract.disclosure.threshold
    out = await protected(exact, (), proved=False)  # which only hides more
    assert not out.breaches
    for said, known in zip(out.cells, exact.cells, strict=True):
        measure = contract.measure(said.measure)
        assert said.key == known.key
        if not measure.names_people:
            assert said == known
        elif said.value is None:
            assert said.percent is None
            assert said.hidden or known.value is None
        elif measure.is_minutes:
            assert said.value == known.value
        else:
            exactly = int(known.value or 0)
            assert said.value == (exactly + base // 2) // base * base
            assert exactly == 0 or exactly >= least
            assert said.percent is None or abs(said.percent - (known.percent or 0)) <= 0.5


# --- a contract that asks for everything ----------------------------------------------------------


def everything() -> Iterator[str]:
    """More measures for a contract's file, and a report with all of them."""
    codes = []
    for number, (code, told) in enumerate(_measures()):
        codes.append(code)
        yield f'[[own_measures]]\ncode = "{code}"\nname = "Figure {number}"\nquestion = "How many?"'
        yield told
    listed = ", ".join(f'"{code}"' for code in codes)
    yield '[[reports]]\ncode = "everything"\ntitle = "Everything"\nevery = "quarter"'
    yield 'recipients = ["strategic_manager"]\nsource = "none"'
    yield f'[[reports.lines]]\ncode = "all"\ntitle = "All"\nmeasures = [{listed}]'


def _measures() -> Iterator[tuple[str, str]]:
    for fact, columns in COUNTED.items():
        if fact == "supplied":
            continue
        cut = ", ".join(f'"{name}"' for name in columns if name != "score")
        for basis in ("period", "year_to_date", "rolling_12_months"):
            yield f"{fact}.{basis}", f'counts = "{fact}"\nbasis = "{basis}"\nby = [{cut}]'
        if fact in HAVE_PEOPLE:
            yield f"{fact}.people", f'counts = "{fact}"\ntakes = "people"\nby = [{cut}]'
    by = 'by = ["clock", "support", "kind"]\ncrossed = true\nunit = "minutes"'
    for takes in ("median", "p90", "slowest"):
        yield f"took.{takes}", f'counts = "promises"\ntakes = "{takes}"\n{by}'
    yield "at_end", 'counts = "open"\nbasis = "month_end"\nby = ["allocated"]'
    some = 'support = ["unknown"], reason = ["unknown"], carer_type = ["foster_carer", "unknown"]'
    yield "chosen", f'counts = "contacts"\nby = ["method"]\nwhere = {{ {some} }}'
    yield "share", 'counts = "closed"\nof = ["closed.period", "cases.period"]\nby = ["quadrant"]'
