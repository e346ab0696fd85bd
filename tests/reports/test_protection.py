"""What leaves the provider: who has nothing but the published cells learns no small number."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from helpline.contract import Contract
from helpline.db import Database
from helpline.reports import codes
from helpline.reports.cells import Cell, by_of, places
from helpline.reports.protection import protect, rounded
from helpline.reports.report import Report
from tests.reports import past_quarter
from tests.reports.test_figures import DAY, END, START, counted, log, row, take_in

COUNTS = ("people", "contacts", "cases")
ENDS = ("met", "missed", "open")


@pytest.fixture
def unrounded(essex: Contract) -> Contract:
    """The contract with counts shown as they are: the attacker's best chance."""
    return essex.model_copy(
        update={"disclosure": essex.disclosure.model_copy(update={"round_to": 1})}
    )


async def small_quarter(db: Database, contract: Contract, now: Any, count: int = 260) -> None:
    rows = past_quarter.rows(contract, START, END - DAY, count, now=now, seed=7)
    await take_in(db, contract, past_quarter.as_csv(rows), now)


async def test_subtracting_shown_from_shown_gives_no_small_number(
    db: Database, unrounded: Contract, now: Any
) -> None:
    await small_quarter(db, unrounded, now)
    exact = await counted(db, unrounded, "2026-27-Q1", now)
    shown = await counted(db, unrounded, "2026-27-Q1", now, exact=False)
    truth = {cell.key: cell.value for cell in exact.cells}
    known = {cell.key: cell.value for cell in shown.cells if cell.value is not None}
    assert all(truth[key] == value for key, value in known.items())
    found = subtracted(unrounded, dict(known), truth)
    small = {key for key, value in truth.items() if is_count(key) and 1 <= value < 8}
    assert small
    assert not small & set(known)
    assert not small & found
    assert len(known) > 2_000  # and yet something is shown


def is_count(key: tuple) -> bool:
    return key[0] in COUNTS or key[0].rpartition(".")[2] in ENDS


def subtracted(contract: Contract, known: dict, truth: dict) -> set:
    """Every cell that follows, one subtraction after another, where the sums really hold."""
    printed = codes.printed(contract)
    cuts = contract.measure("cases").cuts
    measures = [
        *COUNTS,
        *(f"{clock.code}.{end}" for clock in contract.reported_clocks for end in ENDS),
    ]
    sums: dict = defaultdict(list)
    for measure in measures:
        for by in (by for cut in cuts for by in places(cut, printed)):
            for left_out in by:  # one way of cutting less: the sum this cell is a part of
                rest = tuple(pair for pair in by if pair != left_out)
                sums[measure, rest, left_out[0]].append((measure, by))
    lines = [((measure, by), parts) for (measure, by, _), parts in sums.items()]
    for clock in contract.reported_clocks:
        everywhere = (by for cut in cuts for by in places(cut, printed))
        lines += [
            (("cases", by), [(f"{clock.code}.{end}", by) for end in ENDS]) for by in everywhere
        ]
    lines = [(t, parts) for t, parts in lines if truth[t] == sum(truth[part] for part in parts)]
    found: set = set()
    while True:
        more = {}
        for total, parts in lines:
            unknown = [key for key in (total, *parts) if key not in known]
            if len(unknown) == 1:
                more[unknown[0]] = truth[unknown[0]]
        if not more:
            return found
        known |= more
        found |= set(more)


async def test_a_hidden_cell_carries_no_figure_of_any_kind(
    db: Database, essex: Contract, now: Any
) -> None:
    await small_quarter(db, essex, now)
    report = await counted(db, essex, "2026-27-Q1", now, exact=False)
    hidden = [cell for cell in report.cells if cell.hidden]
    assert hidden
    for cell in hidden:
        assert (cell.value, cell.percent) == (None, None), cell
        assert cell.denominator in (None, 822, 37), cell
    for clock in ("first_response", "allocation"):
        assert_pairs_are_hidden_together(report, clock)
    assert report.breaches == ()


def assert_pairs_are_hidden_together(report: Report, clock: str) -> None:
    """Met, with what was decided beside it, is missed."""
    by_key = {cell.key: cell for cell in report.cells}
    for cell in report.cells:
        if cell.measure == f"{clock}.met":
            missed = by_key[f"{clock}.missed", cell.by]
            if cell.hidden or missed.hidden:
                pair = (cell, missed)
                assert [(one.denominator, one.percent) for one in pair] == [(None, None)] * 2


async def test_shown_counts_are_rounded_as_the_contract_says(
    db: Database, essex: Contract, now: Any
) -> None:
    contract = essex.model_copy(
        update={"disclosure": essex.disclosure.model_copy(update={"round_to": 5})}
    )
    await small_quarter(db, contract, now)
    report = await counted(db, contract, "2026-27-Q1", now, exact=False)
    values = [cell.value for cell in report.cells if cell.measure in COUNTS]
    assert all(value % 5 == 0 for value in values if value is not None)
    percents = [cell.percent for cell in report.cells if cell.percent is not None]
    assert all(percent == int(percent) for percent in percents)


@pytest.mark.parametrize(("number", "shown"), [(0, 0), (5, 5), (7, 5), (8, 10), (12, 10)])
def test_rounding_goes_to_the_nearest(number: int, shown: int) -> None:
    assert rounded(number, 5) == shown


async def test_noughts_are_shown(db: Database, essex: Contract, now: Any) -> None:
    report = await counted(db, essex, "2026-27-Q1", now, exact=False)
    assert not any(cell.hidden for cell in report.cells)
    assert all(cell.value in (0, None) for cell in report.cells)


async def test_allegations_are_given_yearly_and_for_the_whole_area_only(
    db: Database, unrounded: Contract, now: Any
) -> None:
    rows = [
        row(f"{reason}{n}", person=f"P{n}", reason=reason, quadrant="north")
        for reason in ("allegation", "finance", "health")
        for n in range(30)
    ]
    await take_in(db, unrounded, past_quarter.as_csv(rows), now)
    quarter = await counted(db, unrounded, "2026-27-Q1", now, exact=False)
    assert quarter.cell("cases", reason="allegation").hidden == "withheld"
    year = await counted(db, unrounded, "2026-27", now + timedelta(days=365), exact=False)
    assert year.cell("cases", reason="allegation").value == 30
    assert year.cell("cases", reason="allegation", quadrant="north").hidden == "withheld"


@pytest.mark.parametrize(
    ("agreed", "said", "withheld"),
    [
        ({}, "yearly, for the whole county, by one thing at a time", {"all", "area", "kind"}),
        ({"every": "quarter"}, "quarterly, for the whole county, by one thing", {"area", "kind"}),
        ({"every": "month", "crossed": True}, "monthly, for the whole county", {"area"}),
        (
            {"every": "quarter", "never_by": ("carer_type",), "crossed": True},
            "quarterly, never by kind of person",
            {"kind"},
        ),
    ],
)
def test_how_far_allegations_go_out_stands_in_the_contract(
    unrounded: Contract, agreed: dict[str, Any], said: str, withheld: set[str]
) -> None:
    rule = unrounded.disclosure.allegations.model_copy(update=agreed)
    contract = unrounded.model_copy(
        update={"disclosure": unrounded.disclosure.model_copy(update={"allegations": rule})}
    )
    of = ("reason", "allegation")
    cuts = {
        "all": (of,),
        "area": (("quadrant", "north"), of),
        "kind": (("carer_type", "foster_carer"), of),
    }
    cells = [Cell("cases", by_of(dict(by)), 30) for by in cuts.values()]
    shown = protect(contract, contract.period("2026-27-Q1"), cells, proved=False)
    assert rule.sentence.startswith(f"Allegation counts only {said}")
    found = {name for name, cell in zip(cuts, shown, strict=True) if cell.hidden == "withheld"}
    assert found == withheld


async def test_the_time_of_a_few_is_theirs_and_is_not_shown(
    db: Database, unrounded: Contract, now: Any
) -> None:
    text = log(*((f"r{n}", "2026-08-05T10:00:00Z", "2026-08-05T11:00:00Z") for n in range(3)))
    await take_in(db, unrounded, text, now)
    report = await counted(db, unrounded, "2026-27-Q1", now, exact=False)
    for measure in ("median_minutes", "p90_minutes", "slowest_minutes"):
        assert report.cell(f"first_response.{measure}").hidden == "hidden"


async def test_a_contract_that_does_not_protect_shows_everything(
    db: Database, essex: Contract, now: Any
) -> None:
    open_rule = essex.disclosure.model_copy(update={"applies": False})
    contract = essex.model_copy(update={"disclosure": open_rule})
    await take_in(db, contract, log(("a", "2026-08-05T10:00:00Z")), now)
    report = await counted(db, contract, "2026-27-Q1", now, exact=False)
    assert report.cell("people").value == 1
    assert not report.is_protected
