"""The figures of a report: what its measures count in its period, protected unless exact ones are
asked.

Called by reports.make and by the console's report pages. A year is counted from its own records,
never added up from quarters (A60). It writes nothing; whether somebody may ask for exact figures
is decided before (rules/permissions.py).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import POPULATION, Measure
from helpline.db import as_owner
from helpline.reports import codes, counting, frozen, supplied
from helpline.reports.apart import there
from helpline.reports.cells import Breach, By, Cell, places
from helpline.reports.counting import Counts, Times, percentile
from helpline.reports.facts import CASE, COUNTS, DEADLINE, Window
from helpline.reports.populations import Populations, newest, populations
from helpline.reports.protection import Earlier, protect
from helpline.reports.report import Report
from helpline.rules.periods import Period, bounds, rolling_year, year_to_date
from helpline.vocabulary import UNKNOWN, DeadlineState

NO_DENOMINATOR: Final = "no denominator supplied"
NUMBER_ONLY: Final = "number only: not one of the carers the council counts"
NOTHING: Final = Times(0, None)
_MINUTE: Final = timedelta(minutes=1)

__all__ = [
    "NO_DENOMINATOR",
    "NUMBER_ONLY",
    "counted",
    "figures",
    "percent",
    "percentile",
    "protected",
]


async def figures(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    now: datetime,
    exact: bool,
    code: str | None = None,
    *,
    proved: bool = True,
) -> Report:
    """Count one period of one contract as it stands at `now` (aware UTC): the report of that code,
    or the first that is owed for such a period.

    `exact` leaves small numbers in; without it the contract's disclosure rule applies, over this
    report and every release that is out and could be set beside it; `proved` as in
    protection.protect.
    """
    return await there(session, _figures, contract, period, now, exact, code, proved)


async def _figures(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    now: datetime,
    exact: bool,
    code: str | None,
    proved: bool,
) -> Report:
    is_protected = contract.disclosure.applies and not exact
    report = await counted(session, contract, period, now, code, late=not is_protected)
    if not is_protected:
        return replace(report, exact=exact)
    return await protected(report, await frozen.earlier(session, contract, period), proved=proved)


async def counted(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    now: datetime,
    code: str | None = None,
    *,
    late: bool = True,
    until: datetime | None = None,
) -> Report:
    """The exact figures; `late`: with each promise that was not kept; `until`: nothing that
    happened at that instant or after it."""
    return await there(session, _counted, contract, period, now, code, late, until)


async def _counted(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    now: datetime,
    code: str | None,
    late: bool,
    until: datetime | None,
) -> Report:
    asked = contract.report(code) if code else contract.report_for(period.kind)
    measures = measures_of(contract, asked.code, period)
    printed = codes.printed(contract)
    counts = await _counts(session, contract, period, now, measures, printed, until)
    found = _Found(contract, period, counts, await populations(session, contract, period.end))
    cells = [cell for measure in measures for cell in found.cells(measure, printed)]
    cells = await supplied.laid_over(session, contract, period, cells)
    breaches = await _breaches(session, contract, period, now, printed) if late else []
    return Report(contract, asked, period, tuple(cells), tuple(breaches), True, False, now)


async def protected(exact: Report, earlier: Sequence[Earlier], *, proved: bool = True) -> Report:
    """The same as it may be published beside what is out; beside everything else that the process
    does, because it takes seconds, and a year's last report minutes."""
    if not exact.contract.disclosure.applies:
        return replace(exact, exact=False)
    cells = await asyncio.to_thread(
        protect, exact.contract, exact.period, exact.cells, earlier, proved=proved
    )
    return replace(exact, cells=cells, breaches=(), exact=False, is_protected=True)


def measures_of(contract: Contract, code: str, period: Period) -> list[Measure]:
    """The measures of a report in its order, each once, as they were agreed on the period's last
    day."""
    listed = [one for line in contract.report(code).lines for one in line.measures]
    asked = dict.fromkeys([*listed, *_whole_promises(contract, listed)])
    return [one for one in map(contract.measure, asked) if one.holds_on(period.end)]


def _whole_promises(contract: Contract, listed: Sequence[str]) -> Iterator[str]:
    """Of a promise that is asked for at all: kept, late and still in time. Who is told of two of
    them only could take what is not over yet for kept."""
    for clock in contract.reported_clocks:
        verdicts = [f"{clock.code}.{verdict}" for verdict in ("met", "missed", "open")]
        if set(verdicts) & set(listed):
            yield from (one for one in verdicts if one in contract.measures)


def percent(part: int, whole: int) -> float | None:
    """To one decimal, halves up, from whole numbers; None of nothing."""
    return (2000 * part + whole) // (2 * whole) / 10 if whole else None


async def _counts(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    now: datetime,
    measures: Sequence[Measure],
    printed: Mapping[str, Sequence[str]],
    until: datetime | None = None,
) -> Counts:
    """Everything that is counted, each measure over the days its basis means; with what the shares
    are of, whether it is in the report or not."""
    wanted = {one.code: one for one in measures}
    for measure in measures:
        wanted |= {of: contract.measure(of) for of in measure.of if of != POPULATION}
    by_window: dict[Window, list[Measure]] = defaultdict(list)  # a year may begin with this period
    for measure in wanted.values():
        if measure.counts != "supplied":
            by_window[window_of(contract, period, measure.basis, now)].append(measure)
    found = Counts()
    for days, some in by_window.items():
        window = days if until is None else replace(days, end=min(days.end, until))
        counted = await counting.count(session, contract.key, some, window, printed)
        found.numbers.update(counted.numbers)
        found.times.update(counted.times)
    return found


def window_of(contract: Contract, period: Period, basis: str, now: datetime) -> Window:
    """The days over which a measure of such a basis is counted, for a report of this period."""
    return Window(*bounds(_days(period, basis), contract.zone), now, contract.zone)


def _days(period: Period, basis: str) -> Period:
    if basis == "year_to_date":
        return year_to_date(period)
    return rolling_year(period) if basis == "rolling_12_months" else period


@dataclass(frozen=True)
class _Found:
    """From numbers to cells: every code is printed, noughts too (A07)."""

    contract: Contract
    period: Period
    counts: Counts
    populations: Populations

    def cells(self, measure: Measure, printed: Mapping[str, Sequence[str]]) -> Iterator[Cell]:
        make = self._time if measure.is_minutes else self._number
        for cut in measure.cuts:
            for by in places(cut, printed):
                yield make(measure, by)

    def _time(self, measure: Measure, by: By) -> Cell:
        times = self.counts.times.get((measure.code, by), NOTHING)
        value = None if times.value is None else round(times.value, 1)
        return Cell(measure.code, by, value, denominator=times.number)

    def _number(self, measure: Measure, by: By) -> Cell:
        if measure.counts == "supplied":
            return Cell(measure.code, by, None, note="nobody has supplied this yet")
        number = self.counts.numbers[measure.code, by]
        if POPULATION in measure.of:
            return self._of_population(measure.code, by, number)
        if not measure.of:
            return Cell(measure.code, by, number)
        whole = sum(self.counts.numbers[of, by] for of in measure.of)
        share = percent(number, whole)
        return Cell(measure.code, by, number, denominator=whole, percent=share)

    def _of_population(self, code: str, by: By, number: int) -> Cell:
        """People, and of which population: only a carer group has one (A57, A65), newest on the
        period's last day; its quadrant's own, or none (D6)."""
        cut = dict(by)
        group, quadrant = cut.get("carer_type"), cut.get("quadrant")
        if group is None:
            return Cell(code, by, number)
        if group not in {one.code for one in self.contract.groups if one.counts_as == "carer"}:
            return Cell(code, by, number, note=NUMBER_ONLY)
        population = newest(
            self.contract.population(group, quadrant, self.period.end),
            self.populations.get((group, quadrant)),
        )
        if population is None or population.unit != "people" or not population.count:
            return Cell(code, by, number, note=NO_DENOMINATOR)
        return Cell(
            code,
            by,
            number,
            denominator=population.count,
            percent=percent(number, population.count),
            denominator_as_of=population.as_of,
        )


async def _breaches(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    now: datetime,
    printed: Mapping[str, Sequence[str]],
) -> list[Breach]:
    """Each promise of the period that was not kept, the latest first."""
    start, end = bounds(period, contract.zone)
    broken = (
        select(DEADLINE.c.clock, DEADLINE.c.due_at, DEADLINE.c.met_at, CASE.c.quadrant)
        .join_from(DEADLINE, CASE, DEADLINE.c.case_id == CASE.c.id)
        .where(
            DEADLINE.c.contract == contract.key,
            DEADLINE.c.clock.in_([clock.code for clock in contract.reported_clocks]),
            DEADLINE.c.state != DeadlineState.CANCELLED,
            DEADLINE.c.started_at >= start,
            DEADLINE.c.started_at < end,
            or_(
                DEADLINE.c.met_at > DEADLINE.c.due_at,
                and_(DEADLINE.c.met_at.is_(None), DEADLINE.c.due_at < now),
            ),
            COUNTS,
        )
    )
    async with as_owner(session):
        rows = await session.execute(broken)
    found = []
    for row in rows:
        late = ((row.met_at or now) - row.due_at) / _MINUTE
        area = row.quadrant if row.quadrant in printed["quadrant"] else UNKNOWN
        found.append(Breach(row.clock, area, late, row.met_at is not None))
    return sorted(found, key=lambda one: (one.clock, -one.minutes_late, one.quadrant))
