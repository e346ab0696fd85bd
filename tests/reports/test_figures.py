"""Every figure of a generated quarter, counted a second way; and the edges of a period."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from helpline import reports
from helpline.contract import Contract
from helpline.db import Database
from helpline.desk.imports import import_cases
from helpline.errors import InvalidInput
from helpline.models import metadata
from helpline.reports import render
from helpline.reports.figures import NO_DENOMINATOR, NUMBER_ONLY, figures, percent, percentile
from helpline.reports.report import Report
from helpline.rules.periods import period
from helpline.vocabulary import DeadlineState
from tests.reports import past_quarter, second_count

START = datetime(2026, 7, 31, 23, tzinfo=UTC)  # midnight in summer time
END = datetime(2026, 11, 1, 0, tzinfo=UTC)  # midnight in winter time
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


async def take_in(db: Database, contract: Contract, text: str, now: datetime) -> None:
    async with db.write() as session:
        await import_cases(session, contract, text, now, dry_run=False)


async def counted(
    db: Database,
    contract: Contract,
    label: str,
    now: datetime,
    exact: bool = True,
    proved: bool = False,
) -> Report:
    wanted = period(label, contract.year_starts_month)
    async with db.read() as session:
        return await figures(session, contract, wanted, now, exact, proved=proved)


async def test_every_cell_of_a_generated_quarter_equals_a_second_count(
    db: Database, essex: Contract, now: datetime
) -> None:
    rows = past_quarter.rows(
        *(essex, START - 2 * DAY, END + 2 * SECOND, 2_200),
        now=now,
        seed=2026,
        edges=[START - SECOND, START, END - SECOND, END],
    )
    await take_in(db, essex, past_quarter.as_csv(rows), now)
    async with db.read() as session:
        made = await reports.make(session, essex, "2026-27-Q1", "json", now, exact=True)
    expected = second_count.figures(rows, START, END, now)
    cells = json.loads(made)["cells"]
    seen = set()
    for cell in cells:
        key = (cell["measure"], frozenset(cell["by"].items()))
        seen.add(key)
        if cell["measure"].startswith("quality."):
            continue
        counted_as = cell["measure"].removesuffix(".so_far")  # the year begins with this quarter
        assert_same({**cell, "measure": counted_as}, expected.get((counted_as, key[1])))
    assert set(expected) <= seen
    assert len(seen) == len(cells)
    assert expected["first_response.open", frozenset()]["value"] > 0


def assert_same(cell: dict, expected: dict | None) -> None:
    assert cell["hidden"] is None
    if expected is None:  # no row falls here: nought is printed, and nothing was measured
        assert cell["value"] in (0, None), cell
        assert (cell["value"] is None) == cell["measure"].endswith("_minutes"), cell
        return
    if cell["measure"].endswith("_minutes"):
        assert cell["value"] == pytest.approx(expected["value"], abs=0.051), cell
        return
    assert cell["value"] == expected["value"], cell
    assert cell["denominator"] == expected["of"], cell
    assert cell["percent"] == pytest.approx(expected["percent"], abs=0.051), cell


async def test_a_quarter_runs_from_local_midnight_to_local_midnight(
    db: Database, essex: Contract, now: datetime
) -> None:
    text = log(
        ("a", "2026-07-31T23:59:59+01:00"),
        ("b", "2026-08-01T00:00:00+01:00"),
        ("c", "2026-10-31T23:59:59+00:00"),
        ("d", "2026-11-01T00:00:00+00:00"),
    )
    await take_in(db, essex, text, now)
    assert (await counted(db, essex, "2026-27-Q1", now)).cell("cases").value == 2
    assert (await counted(db, essex, "2025-26-Q4", now)).cell("cases").value == 1
    assert (await counted(db, essex, "2026-27-Q2", now)).cell("cases").value == 1


async def test_the_hour_that_comes_twice_counts_towards_the_24(
    db: Database, essex: Contract, now: datetime
) -> None:
    answered_in_time = "2026-10-25T17:00:00+00:00"  # 24 elapsed hours after 18:00 summer time
    text = log(
        ("a", "2026-10-24T18:00:00+01:00", answered_in_time),
        ("b", "2026-10-24T18:00:00+01:00", "2026-10-25T17:00:01+00:00"),
    )
    await take_in(db, essex, text, now)
    report = await counted(db, essex, "2026-27-Q1", now)
    assert report.cell("first_response.met").value == 1
    assert report.cell("first_response.missed").value == 1
    assert report.cell("first_response.slowest_minutes").value == 1440.0
    late = [breach for breach in report.breaches if breach.clock == "first_response"]
    assert [(breach.quadrant, breach.is_answered) for breach in late] == [("unknown", True)]


async def test_a_year_counts_a_person_once_and_is_not_the_sum_of_its_quarters(
    db: Database, essex: Contract
) -> None:
    now = datetime(2027, 8, 2, tzinfo=UTC)
    text = log(*((f"r{month}", f"2026-{month:02}-10T10:00:00Z") for month in (8, 9, 11)))
    await take_in(db, essex, text, now)
    year = await counted(db, essex, "2026-27", now)
    quarters = [await counted(db, essex, f"2026-27-Q{n}", now) for n in (1, 2, 3, 4)]
    assert year.cell("people").value == 1
    assert [quarter.cell("people").value for quarter in quarters] == [1, 1, 0, 0]
    assert year.cell("cases").value == 3


async def test_every_code_is_printed_when_nothing_happened(
    db: Database, essex: Contract, now: datetime
) -> None:
    report = await counted(db, essex, "2026-27-Q1", now)
    assert all(cell.value in (0, None) for cell in report.cells)
    for dimension, codes in {
        "quadrant": [area.code for area in essex.quadrants],
        "carer_type": [group.code for group in essex.groups],
        "method": [method.code for method in essex.methods],
        "reason": [reason.code for reason in essex.reasons],
        "support": [support.code for support in essex.support],
    }.items():
        for code in {*codes, "unknown"}:
            assert report.cell("people", **{dimension: code}).value == 0


async def test_a_percentage_names_its_denominator_and_day_or_why_there_is_none(
    db: Database, essex: Contract, now: datetime
) -> None:
    report = await counted(db, essex, "2026-27-Q1", now)
    carers = report.cell("people", carer_type="foster_carer")
    assert (carers.denominator, carers.percent) == (822, 0.0)
    assert carers.denominator_as_of is not None
    north = report.cell("people", carer_type="foster_carer", quadrant="north")
    assert (north.denominator, north.percent, north.note) == (None, None, NO_DENOMINATOR)
    worker = report.cell("people", carer_type="professional")
    assert (worker.denominator, worker.percent, worker.note) == (None, None, NUMBER_ONLY)


async def test_a_quadrant_has_a_percentage_once_the_council_gives_its_number(
    db: Database, essex: Contract, now: datetime
) -> None:
    whole = next(p for p in essex.populations if p.group == "foster_carer")
    north = whole.model_copy(update={"quadrant": "north", "count": 200})
    contract = essex.model_copy(update={"populations": (*essex.populations, north)})
    await take_in(db, contract, log(("a", "2026-08-05T10:00:00Z")), now)
    report = await counted(db, contract, "2026-27-Q1", now)
    cell = report.cell("people", carer_type="foster_carer", quadrant="north")
    assert (cell.value, cell.denominator, cell.percent) == (0, 200, 0.0)


async def test_the_quality_of_the_records_is_counted(
    db: Database, essex: Contract, now: datetime
) -> None:
    text = past_quarter.as_csv(
        [
            row("a", closed_at="2026-08-06T10:00:00Z", outcome="support_completed"),
            row("b", closed_at="2026-08-06T10:00:00Z", support="information"),
            row("c"),
        ]
    )
    await take_in(db, essex, text, now)
    report = await counted(db, essex, "2026-27-Q1", now)
    assert report.cell("quality.closed_without_support").value == 1
    assert report.cell("quality.closed_without_outcome").value == 1


async def test_what_was_sent_is_no_contact_and_an_old_case_can_have_new_ones(
    db: Database, essex: Contract, now: datetime
) -> None:
    await take_in(db, essex, log(("a", "2026-07-05T10:00:00Z")), now)
    written = datetime(2026, 9, 1, tzinfo=UTC)
    await add_contact(db, "out", written)
    assert (await counted(db, essex, "2026-27-Q1", now)).cell("contacts").value == 0
    await add_contact(db, "in", written)
    report = await counted(db, essex, "2026-27-Q1", now)
    shown = [report.cell(measure).value for measure in ("people", "contacts", "cases")]
    assert shown == [1, 1, 0]
    assert report.cell("contacts", support="unknown").value == 1


async def add_contact(db: Database, direction: str, at: datetime) -> None:
    """The only case's first contact once more, another way or at another time."""
    contacts = metadata.tables["contact"]
    async with db.write() as session:
        first = (await session.execute(select(contacts).limit(1))).mappings().one()
        again = {**first, "direction": direction, "at": at}
        del again["id"]
        await session.execute(insert(contacts).values(again))


async def test_a_cancelled_promise_was_none_and_a_code_no_longer_known_is_unknown(
    db: Database, essex: Contract, now: datetime
) -> None:
    text = past_quarter.as_csv([row("a", reason="finance", quadrant="west")])
    await take_in(db, essex, text, now)
    cases, deadlines = metadata.tables["case"], metadata.tables["deadline"]
    async with db.write() as session:
        await session.execute(update(cases).values(reason="gone", quadrant="gone"))
        await session.execute(
            update(deadlines)
            .where(deadlines.c.clock == "allocation")
            .values(state=DeadlineState.CANCELLED)
        )
    report = await counted(db, essex, "2026-27-Q1", now)
    assert report.cell("cases", reason="unknown", quadrant="unknown").value == 1
    assert report.cell("allocation.missed").value == 0
    assert report.cell("first_response.missed").value == 1
    assert [breach.quadrant for breach in report.breaches] == ["unknown"]


async def test_a_part_of_a_reason_counts_as_the_reason(
    db: Database, essex: Contract, now: datetime
) -> None:
    await take_in(db, essex, log(("a", "2026-08-05T10:00:00Z")), now)
    async with db.write() as session:
        await session.execute(update(metadata.tables["case"]).values(reason="finance.mortgages"))
    report = await counted(db, essex, "2026-27-Q1", now)
    assert report.cell("cases", reason="finance").value == 1


async def test_another_contracts_cases_are_not_counted(
    db: Database, essex: Contract, now: datetime
) -> None:
    other = essex.model_copy(update={"key": "elsewhere", "reference_prefix": "ELS"})
    await take_in(db, other, log(("a", "2026-08-05T10:00:00Z")), now)
    assert (await counted(db, essex, "2026-27-Q1", now)).cell("contacts").value == 0
    assert (await counted(db, other, "2026-27-Q1", now)).cell("contacts").value == 1


@pytest.mark.parametrize("label", ["", "2026", "2026-27-Q5", "2026-28", "Q1"])
async def test_a_label_that_is_no_period_is_explained(
    db: Database, essex: Contract, now: datetime, label: str
) -> None:
    async with db.read() as session:
        with pytest.raises(InvalidInput, match="A year is written 2026-27"):
            await reports.make(session, essex, label, "json", now, exact=True)


@pytest.mark.parametrize("format", ["odt", "xls", "PDF", ""])
async def test_a_format_that_is_not_made_is_refused_with_those_that_are(
    db: Database, essex: Contract, now: datetime, format: str
) -> None:
    async with db.read() as session:
        with pytest.raises(InvalidInput, match=", ".join(render.FORMATS)):
            await reports.make(session, essex, "2026-27-Q1", format, now, exact=True)


def test_percentiles_are_interpolated_like_percentile_cont() -> None:
    assert percentile([], 0.5) is None
    assert percentile([7], 0.9) == 7
    assert percentile([10, 20], 0.5) == 15
    assert percentile([0, 10, 20, 30, 40], 0.9) == pytest.approx(36)


def test_percentages_round_halves_up_from_whole_numbers() -> None:
    assert percent(1, 800) == 0.1
    assert percent(1, 3) == 33.3
    assert percent(2, 3) == 66.7
    assert percent(0, 0) is None


def row(reference: str, received_at: str = "2026-08-05T10:00:00Z", **more: str) -> dict[str, str]:
    empty = dict.fromkeys(past_quarter.COLUMNS, "")
    return empty | {"reference": reference, "received_at": received_at, "person": "P1"} | more


def log(*cases: tuple[str, ...]) -> str:
    """Rows of reference, received and, where it happened, answered; all of one person."""
    names = ("reference", "received_at", "first_response_at")
    made = [row(**dict(zip(names, case, strict=False))) for case in cases]
    return past_quarter.as_csv(made)
