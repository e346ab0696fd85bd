"""The period as it runs, as far as the council sees it: how many came, and how many were answered
late, as at the last Sunday at midnight.

Reads what reports/frozen.py kept, and of that only what says nothing about the signed report to
come: with the number that was kept in time, and the total in the report, one could work out how few
were late. Called by web/pages/portal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Clock, Contract
from helpline.contract.measuring import Measure
from helpline.reports import frozen
from helpline.reports.cells import Cell
from helpline.reports.report import Report
from helpline.rules import periods

COUNTED: Final = ("contacts", "cases")
"""What everybody who came is counted by: wholes, and no part of them."""


@dataclass(frozen=True)
class Late:
    """One promise: how many of it were late so far. `state`: none, some, hidden or unknown."""

    clock: Clock
    cell: Cell | None
    state: str


@dataclass(frozen=True)
class Running:
    """What is shown of a period that runs. `as_at`: when the Sunday ended, in UTC."""

    report: Report
    as_at: datetime
    late: Sequence[Late]
    totals: Sequence[tuple[Measure, Cell]]

    @property
    def label(self) -> str:
        return self.report.period.label

    @property
    def sunday(self) -> date:
        """The last day that is counted."""
        zone = ZoneInfo(self.report.contract.zone)
        return self.as_at.astimezone(zone).date() - timedelta(days=1)


async def running(
    session: AsyncSession, contract: Contract, code: str, now: datetime
) -> Running | None:
    """The report's running period; None where no Sunday has passed in it yet."""
    kind = periods.KIND_OF[contract.report(code).every]
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    span = periods.period_containing(today, kind, contract.year_starts_month)
    found = await frozen.running(session, contract, code, span.label)
    return None if found is None else shown(found.report)


def shown(report: Report) -> Running:
    """What may be shown of the totals that were kept; `report` was made when its Sunday ended."""
    contract = report.contract
    wholes = [contract.measure(cell.measure) for cell in report.cells if not cell.by]
    totals = [
        (one, report.cell(one.code)) for one in wholes if one.counts in COUNTED and not one.where
    ]
    late = [_late(clock, report) for clock in contract.reported_clocks]
    known = [one for one in late if one.state != "unknown"]
    return Running(report, report.generated_at, known, totals)


def _late(clock: Clock, report: Report) -> Late:
    cell = report.find(f"{clock.code}.missed")
    if cell is None or (cell.value is None and not cell.hidden):
        return Late(clock, cell, "unknown")
    if cell.hidden:
        return Late(clock, cell, "hidden")
    return Late(clock, cell, "some" if cell.value else "none")
