"""The figures of a quarter or a year: from tallies to cells, protected unless exact ones are asked.

Called by reports.make and by the console's report pages. A year is counted from its own records,
never added up from quarters (A60). It writes nothing; whether somebody may ask for exact figures
is decided before (rules/permissions.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.reports import evidence, voices
from helpline.reports.measures import (
    APART,
    CUTS,
    QUALITY,
    Breach,
    By,
    Cell,
    apart,
    cells_of,
    codes,
)
from helpline.reports.populations import Populations, newest, populations
from helpline.reports.protection import protect
from helpline.reports.report import Report
from helpline.reports.tallies import ClockTally, Tallies, Tally, take
from helpline.rules.periods import Period, bounds

NO_DENOMINATOR = "no denominator supplied"
NUMBER_ONLY = "number only: not one of the carers the council counts"


async def figures(
    session: AsyncSession, contract: Contract, period: Period, now: datetime, exact: bool
) -> Report:
    """Count one period of one contract as it stands at `now` (aware UTC).

    `exact` leaves small numbers in; without it the contract's disclosure rule applies.
    """
    printed = codes(contract)
    tallies = await take(session, contract.key, bounds(period, contract.zone), now, printed)
    counted = await populations(session, contract, period.end)
    cells = tuple(_cells(contract, period, tallies, counted))
    breaches: tuple[Breach, ...] = tallies.breaches
    is_protected = contract.disclosure.applies and not exact
    if is_protected:
        cells, breaches = protect(contract, period, cells), ()
    cells += await voices.cells(session, contract, period, protected=is_protected)
    cells += await evidence.cells(session, contract, period)  # what we did: it is about nobody
    return Report(contract, period, cells, breaches, exact, is_protected, now)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` (0 to 1) of the sorted values do not exceed; None of no values.

    Between two values it is interpolated in a straight line, as SQL's percentile_cont does.
    """
    if not values:
        return None
    position = share * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def percent(part: int, whole: int) -> float | None:
    """To one decimal, halves up, from whole numbers; None of nothing."""
    return (2000 * part + whole) // (2 * whole) / 10 if whole else None


def _cells(
    contract: Contract, period: Period, tallies: Tallies, populations: Populations
) -> Iterable[Cell]:
    printed = codes(contract)
    places = [by for cut in CUTS for by in cells_of(cut, printed)]
    nothing = Tally()
    counted = [(by, tallies.by.get(by, nothing)) for by in places]
    for by, tally in counted:
        yield _people(contract, period, by, len(tally.people), populations)
    yield from (Cell("contacts", by, tally.contacts) for by, tally in counted)
    yield from (Cell("cases", by, tally.cases) for by, tally in counted)
    for clock in contract.reported_clocks:
        for by, tally in counted:
            yield from _kept(clock.code, by, tally.clocks.get(clock.code, ClockTally()))
    without = (tallies.closed_without_support, tallies.closed_without_outcome)
    yield from (Cell(measure, (), n) for measure, n in zip(QUALITY, without, strict=True))
    yield from _apart(contract, tallies)


def _apart(contract: Contract, tallies: Tallies) -> Iterable[Cell]:
    """Contacts of people who are out of the contract: a line for each reason, noughts too."""
    measures = list(apart(contract))
    found = Counter[str]()
    for reason, number in tallies.apart.items():
        measure = f"{APART}.{reason}"
        found[measure if measure in measures else measures[-1]] += number
    return (Cell(measure, (), found[measure]) for measure in measures)


def _people(
    contract: Contract, period: Period, by: By, number: int, populations: Populations
) -> Cell:
    """People, and of which population: only a carer group has one (A57, A65), newest on the
    period's last day; its quadrant's own, or none (D6)."""
    cut = dict(by)
    group = cut.get("carer_type")
    if group is None:
        return Cell("people", by, number)
    if group not in {g.code for g in contract.groups if g.counts_as == "carer"}:
        return Cell("people", by, number, note=NUMBER_ONLY)
    population = newest(
        contract.population(group, cut.get("quadrant"), period.end),
        populations.get((group, cut.get("quadrant"))),
    )
    if population is None or population.unit != "people" or not population.count:
        return Cell("people", by, number, note=NO_DENOMINATOR)
    return Cell(
        "people",
        by,
        number,
        denominator=population.count,
        percent=percent(number, population.count),
        denominator_as_of=population.as_of,
    )


def _kept(clock: str, by: By, tally: ClockTally) -> Iterable[Cell]:
    """One promise: kept and broken as shares of those decided, and how long it took."""
    decided = tally.met + tally.missed
    for verdict, number in (("met", tally.met), ("missed", tally.missed)):
        yield Cell(
            f"{clock}.{verdict}",
            by,
            number,
            denominator=decided,
            percent=percent(number, decided),
        )
    yield Cell(f"{clock}.open", by, tally.open)
    times = {
        "median_minutes": percentile(tally.minutes, 0.5),
        "p90_minutes": percentile(tally.minutes, 0.9),
        "slowest_minutes": percentile(tally.minutes, 1.0),
    }
    for measure, minutes in times.items():
        rounded = None if minutes is None else round(minutes, 1)
        yield Cell(f"{clock}.{measure}", by, rounded, denominator=len(tally.minutes))
