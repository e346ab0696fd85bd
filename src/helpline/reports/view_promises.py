"""How the promises of a report were kept, arranged for its first page: one answer each, and where.

Made for reports/view.py. It works out nothing but what follows from figures that the report shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from helpline.contract import Clock
from helpline.reports import codes
from helpline.reports.cells import Cell
from helpline.reports.protection import FEW, MANY
from helpline.reports.view_parts import TIMES, VERDICTS, Chart, Promise, chart

if TYPE_CHECKING:
    from helpline.reports.report import Report

MOST_BREACHES: Final = 50


def promises(report: Report) -> list[Promise]:
    """The promises that this report counts."""
    counted = {cell.measure for cell in report.cells}
    clocks = [one for one in report.contract.reported_clocks if f"{one.code}.met" in counted]
    return [_promise(report, clock) for clock in clocks]


def said_by_area(promises: Sequence[Promise]) -> frozenset[str]:
    """The measures whose figures by area stand in the promises' own tables."""
    return frozenset(
        f"{one.clock.code}.{name}"
        for one in promises
        if not one.is_bare
        for name in (*VERDICTS, *TIMES)
    )


def most_hidden(report: Report) -> int:
    """The largest count that is hidden for being small."""
    return report.contract.disclosure.threshold - 1


def _promise(report: Report, clock: Clock) -> Promise:
    total, areas = _kept(report, clock), codes.names(report.contract)["quadrant"]
    rows = [(name, _kept(report, clock, quadrant=code)) for code, name in areas.items()]
    kept = [cells for _, cells in rows]
    late = [(name, cells["missed"]) for name, cells in rows]
    late = [(name, cell) for name, cell in late if cell.value]
    late.sort(key=lambda pair: -(pair[1].value or 0))
    breaches = [breach for breach in report.breaches if breach.clock == clock.code]
    more = max(0, len(breaches) - MOST_BREACHES)
    times = [name for name in TIMES if any(one[name].value is not None for one in (total, *kept))]
    shown, least = breaches[:MOST_BREACHES], _in_time(report, total)
    drawn = _drawn(report, rows)
    return Promise(clock, _state(total), times, total, rows, late, shown, more, least, drawn)


def _kept(report: Report, clock: Clock, **by: str) -> dict[str, Cell]:
    """The figures of a promise, and of the cases it was made to, where they are counted."""
    wanted = {name: f"{clock.code}.{name}" for name in (*VERDICTS, *TIMES)}
    return {
        name: report.find(code, **by) or Cell(code, (), None)
        for name, code in {**wanted, "cases": "cases"}.items()
    }


def _drawn(report: Report, rows: Sequence[tuple[str, Mapping[str, Cell]]]) -> Chart | None:
    """Where they were late, as bars; where no late one is shown, where they were in time."""
    for verdict in ("missed", "met"):
        cells = [(name, kept[verdict]) for name, kept in rows]
        if any(cell.value for _, cell in cells):
            return chart(report.contract.measure(cells[0][1].measure), cells)
    return None


def _in_time(report: Report, total: Mapping[str, Cell]) -> int | None:
    """Worked out from shown figures alone, each taken as low as rounding allows."""
    most, base = most_hidden(report), report.contract.disclosure.round_to
    met, cases, still_open = (total[name] for name in ("met", "cases", "open"))
    if met.value:
        least = int(met.value) - base // 2
        return 100 * least // (least + most)
    if cases.value and still_open.value == 0:
        least = int(cases.value) - base // 2
        return max(0, 100 * (least - most) // least)
    return None


def _state(total: Mapping[str, Cell]) -> str:
    """What the first page may say about a promise, from what is shown of it."""
    met, missed, still_open = (total[name] for name in VERDICTS)
    if missed.hidden:
        few = missed.note and missed.note.startswith(FEW.format(""))
        many = missed.note and missed.note.endswith(MANY.format(""))
        return "few" if few else "many" if many else "hidden"
    if missed.value:
        return "broken"
    if still_open.value or still_open.hidden:
        return "so_far"
    if missed.value is None:
        return "unknown"
    return "kept" if met.value or met.hidden else "nothing"
