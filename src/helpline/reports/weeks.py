"""The totals of a period that still runs, week by week, so that no week's difference names anybody.

Called by desk/releasing_owed.py. A Sunday's totals are published a week late: by then it is known
how many came after it, and a total that hardly grew in that week, or since it was last shown, is
not shown. So whoever takes one Sunday from another, or from the signed report, is left with nought
or with many. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.reports.cells import Cell
from helpline.reports.protection import SO_FAR, Earlier, is_late, protect
from helpline.rules.periods import Period

OFTEN: Final = ("contacts", "cases")


def so_far(span: Period, as_at: datetime, zone: str) -> Period:
    """A period up to the Sunday that ended at `as_at` (aware)."""
    last = as_at.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    return replace(span, label=f"{span.label} to {last}", end=last, kind=SO_FAR)


def totals(
    contract: Contract,
    then: tuple[Period, Sequence[Cell]],
    now: tuple[Period, Sequence[Cell]],
    earlier: Sequence[Earlier],
) -> tuple[Cell, ...]:
    """The totals as at a Sunday, `then`, as they may be published when those as at the next, `now`,
    are known; both exact. `earlier`: the signed releases, and the Sundays that were published."""
    after = only_totals(contract, now[1])
    next_week = [Earlier(now[0], after, after)]
    return protect(contract, then[0], only_totals(contract, then[1]), earlier, next_week)


def only_totals(contract: Contract, cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """How many came, and how many were late: what was kept and what is still in time would tell the
    rest from one another, times are of too few, and what is rare grows by one a week. Nothing of
    longer days: less what is signed of the days before, it would tell of the first week."""
    return tuple(cell for cell in cells if not cell.by and _may_run(contract.measure(cell.measure)))


def _may_run(measure: Measure) -> bool:
    if measure.basis != "period":
        return False
    if measure.counts == "promises":
        return is_late(measure)
    return measure.counts in OFTEN and not measure.where
