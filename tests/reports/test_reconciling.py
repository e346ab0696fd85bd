"""Whether parts and totals of a report agree: what differs has its reason, and what has none is a
fault."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from helpline.contract import Contract
from helpline.contract.measuring import Split
from helpline.db import Database
from helpline.reports import codes
from helpline.reports.cells import Cell, by_of
from helpline.reports.figures import counted
from helpline.reports.reconciling import WHY, Difference, differences, faults, told
from helpline.reports.report import Report
from helpline.rules.periods import period
from tests.reports import any_life

NOW = datetime(2027, 1, 2, 12, tzinfo=UTC)


def report(contract: Contract, figures: dict[tuple[str, str], Any], along: str) -> Report:
    """A report of a few cells: (measure, code or "") → a value, or a whole cell."""
    cells = []
    for (measure, code), value in figures.items():
        by = by_of({along: code}) if code else ()
        cell = value if isinstance(value, Cell) else Cell(measure, by, value)
        cells.append(replace(cell, by=by))
    asked = contract.report("quarter")
    asked = asked.model_copy(update={"lines": ()})
    span = period("2026-27-Q1", contract.year_starts_month)
    return Report(contract, asked, span, tuple(cells), (), True, False, NOW)


def parts(
    contract: Contract, measure: str, along: str, total: float, numbers: list[float]
) -> Report:
    """One breakdown: the total, and these numbers for the first codes, nought for the rest."""
    printed = codes.printed(contract)[along]
    figures: dict[tuple[str, str], Any] = {(measure, ""): total}
    for place, code in enumerate(printed):
        figures[measure, code] = numbers[place] if place < len(numbers) else 0
    return report(contract, figures, along)


@pytest.mark.parametrize(
    ("measure", "along", "total", "numbers", "why"),
    [
        ("people", "quadrant", 10, [6, 6], "places"),  # two live in two
        ("people", "quadrant", 10, [6, 3], ""),  # somebody is nowhere
        ("people", "quadrant", 5, [6, 0], ""),  # more in one place than there are
        ("cases", "support", 10, [8, 4], "supports"),
        ("cases", "support", 10, [8, 1], ""),
        ("cases", "quadrant", 10, [6, 6], ""),
        ("cases", "quadrant", 10, [6, 3], ""),
        ("first_response.met", "support", 3, [3, 3], "supports"),
    ],
)
def test_what_differs_has_the_reason_that_its_measure_gives(
    essex: Contract, measure: str, along: str, total: float, numbers: list[float], why: str
) -> None:
    (found,) = differences(parts(essex, measure, along, total, numbers))
    assert (found.measure, found.along, found.by) == (measure, along, ())
    assert (found.total, found.by_how_many) == (total, sum(numbers) - total)
    assert found.why == why
    assert found.is_fault == (not why)


@pytest.mark.parametrize("measure", ["people", "cases", "contacts"])
def test_what_adds_up_is_not_mentioned(essex: Contract, measure: str) -> None:
    assert not differences(parts(essex, measure, "quadrant", 10, [6, 4]))


def test_of_times_it_is_added_up_how_many_are_known(essex: Contract) -> None:
    code, areas = "first_response.slowest_minutes", codes.printed(essex)["quadrant"]

    def made(total: Cell, first: Cell) -> Report:
        nothing = Cell(code, (), None, denominator=0)
        figures: dict[tuple[str, str], Any] = {(code, ""): total, (code, areas[0]): first}
        figures |= {(code, area): nothing for area in areas[1:]}
        return report(essex, figures, "quadrant")

    whole = Cell(code, (), 90.0, denominator=4)
    assert not differences(made(whole, whole))
    (fewer,) = differences(made(whole, replace(whole, denominator=3)))
    assert fewer.is_fault
    assert (fewer.total, fewer.parts) == (4, 3)
    (other,) = differences(made(whole, replace(whole, value=60.0)))
    assert other.is_fault


def test_what_was_supplied_stands_as_given(essex: Contract) -> None:
    made = parts(essex, "cases", "quadrant", 10, [6, 9])
    cells = tuple(replace(cell, source="Their log") for cell in made.cells)
    (found,) = differences(replace(made, cells=cells))
    assert found.why == "supplied"
    unknown = tuple(replace(cell, value=None) if not cell.by else cell for cell in made.cells)
    assert not differences(replace(made, cells=unknown))


def test_a_promise_that_was_called_off_explains_a_split_and_a_second_one_too(
    essex: Contract,
) -> None:
    def split(met: int) -> list[Difference]:
        figures = {("cases", ""): 10, ("first_response.met", ""): met}
        figures |= {("first_response.missed", ""): 1, ("first_response.open", ""): 0}
        return list(differences(report(essex, figures, "quadrant")))

    assert not split(9)
    (off,) = split(7)
    assert (off.why, off.by_how_many) == ("called_off", -2)
    assert off.of == ("first_response.met", "first_response.missed", "first_response.open")
    (again,) = split(11)
    assert (again.why, again.by_how_many) == ("again", 2)


def test_a_split_of_one_and_the_same_thing_must_be_exact(essex: Contract) -> None:
    own = Split(total="outcomes", parts=("quality.closed_without_outcome",))
    contract = essex.model_copy(update={"own_splits": (own,)})
    contract.__dict__.pop("splits", None)
    figures = {("outcomes", ""): 3, ("quality.closed_without_outcome", ""): 2}
    assert [one.why for one in differences(report(contract, figures, "quadrant"))] == [""]


def test_some_of_a_number_are_never_more_than_it(essex: Contract) -> None:
    figures = {("cases", ""): 3, ("quality.closed_without_outcome", ""): 4}
    (found,) = differences(report(essex, figures, "quadrant"))
    assert found.is_fault
    assert found.of == ("quality.closed_without_outcome",)
    assert not differences(
        report(essex, {("cases", ""): 4, ("quality.closed_without_outcome", ""): 4}, "quadrant")
    )


async def test_a_whole_year_of_any_life_has_reasons_for_all_and_no_fault(
    db: Database, essex: Contract
) -> None:
    await any_life.live(db, essex, datetime(2026, 11, 2, tzinfo=UTC))
    async with db.read() as session:
        made = await counted(session, essex, period("2026-27", 8), NOW, late=False)
    found = differences(made)
    assert not faults(found)
    assert {one.why for one in found} >= {"places", "supports", "groups", "called_off"}
    assert {one.why for one in found} <= set(WHY)
    listed = told(found)
    assert sum(one.number for one in listed) == len(found)
    printed = [one.most for one in listed if one.most.line == "carers_accessing"]
    assert {one.measure for one in printed} == {"people", "contacts", "cases"}
    tampered = tuple(
        replace(cell, value=(cell.value or 0) + 1) if cell.key == ("contacts", ()) else cell
        for cell in made.cells
    )
    assert faults(differences(replace(made, cells=tampered)))


def test_protected_figures_cannot_be_added_up(essex: Contract) -> None:
    made = replace(parts(essex, "cases", "quadrant", 10, [6, 4]), is_protected=True)
    with pytest.raises(ValueError, match="exact"):
        differences(made)
