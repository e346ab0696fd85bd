"""A report arranged for reading: the promises first, then who came, how, why and what they got.

Handed to templates/reports/_report.html.j2 by the file and by the console. It chooses and orders
cells and formats numbers; every sentence is in the template. It sees only what the report shows,
so it cannot give a hidden number away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from helpline.contract import Clock
from helpline.reports import wording
from helpline.reports.measures import (
    COUNTED,
    QUALITY,
    TIMES,
    VERDICTS,
    Breach,
    Cell,
    apart,
    codes,
    names,
    shown_done,
    voiced,
)
from helpline.rules.disclosure import SMALL

if TYPE_CHECKING:
    from helpline.reports.report import Report

CHART_WIDTH: Final = 560
_LABELS: Final = 250  # of it for the names; the rest is for bars and their numbers
_BAR, _STEP = 18, 28
MOST_BREACHES: Final = 50


@dataclass(frozen=True)
class Promise:
    """One clock. `state`: nothing, kept, so_far, broken, few or hidden; see the template."""

    clock: Clock
    state: str
    total: Mapping[str, Cell]
    rows: Sequence[tuple[str, Mapping[str, Cell]]]
    late_in: Sequence[tuple[str, Cell]]
    breaches: Sequence[Breach]
    more_breaches: int


@dataclass(frozen=True)
class Bar:
    name: str
    cell: Cell
    y: int
    width: int


@dataclass(frozen=True)
class Chart:
    """Horizontal bars of one measure, in the units of its own view box."""

    measure: str
    bars: Sequence[Bar]
    height: int
    longest: Bar | None
    width: int = CHART_WIDTH
    labels: int = _LABELS
    thickness: int = _BAR


@dataclass(frozen=True)
class Breakdown:
    """One dimension: a row for each code with people, contacts and cases, and a chart of one."""

    dimension: str
    rows: Sequence[tuple[str, Sequence[Cell]]]
    chart: Chart


@dataclass(frozen=True)
class AccessRow:
    """A kind of person: people in each quadrant, then in all of them."""

    name: str
    cells: Sequence[Cell]
    total: Cell


class View:
    """What the template asks of a report."""

    def __init__(self, report: Report) -> None:
        self.report, self.contract = report, report.contract
        self._names, self._codes = names(report.contract), codes(report.contract)

    # --- the head ------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return self.contract.report(self.report.period.kind).title

    @property
    def recipients(self) -> list[str]:
        named = {one.code: one.name for one in self.contract.commissioners}
        return [named[code] for code in self.contract.report(self.report.period.kind).recipients]

    @property
    def generated(self) -> str:
        local = self.report.generated_at.astimezone(ZoneInfo(self.contract.zone))
        return f"{self.day(local.date())}, {local:%H:%M}"

    @property
    def most_hidden(self) -> int:
        """The largest count that is hidden for being small."""
        return self.contract.disclosure.threshold - 1

    # --- the sections --------------------------------------------------------------------------

    @cached_property
    def promises(self) -> list[Promise]:
        return [self._promise(clock) for clock in self.contract.reported_clocks]

    @cached_property
    def quadrants(self) -> list[str]:
        return [self._names["quadrant"][code] for code in self._codes["quadrant"]]

    @cached_property
    def access(self) -> list[AccessRow]:
        return [
            AccessRow(
                self._names["carer_type"][group],
                [
                    self.report.cell("people", quadrant=quadrant, carer_type=group)
                    for quadrant in self._codes["quadrant"]
                ],
                self.report.cell("people", carer_type=group),
            )
            for group in self._codes["carer_type"]
        ]

    @cached_property
    def everybody(self) -> AccessRow:
        cells = [self.report.cell("people", quadrant=code) for code in self._codes["quadrant"]]
        return AccessRow("", cells, self.report.cell("people"))

    @cached_property
    def breakdowns(self) -> list[Breakdown]:
        charted = {"method": "contacts", "reason": "cases", "support": "cases"}
        return [self._breakdown(dimension, measure) for dimension, measure in charted.items()]

    @cached_property
    def totals(self) -> list[Cell]:
        return [self.report.cell(measure) for measure in COUNTED]

    @cached_property
    def unknown(self) -> list[tuple[str, Cell]]:
        """Dimension → its cases whose code is not known."""
        return [
            (dimension, self.report.cell("cases", **{dimension: known[-1]}))
            for dimension, known in self._codes.items()
        ]

    @cached_property
    def quality(self) -> dict[str, Cell]:
        return {measure.partition(".")[2]: self.report.cell(measure) for measure in QUALITY}

    @cached_property
    def apart(self) -> list[tuple[str, Cell]]:
        """Why somebody was out of the contract → their contacts."""
        listed = apart(self.contract).items()
        return [(name, self.report.cell(measure)) for measure, name in listed]

    @cached_property
    def voices(self) -> list[tuple[str, str, list[tuple[str, Cell]]]]:
        """Tables of what people said and how cases ended: a code, a caption, name and figure."""
        names = voiced(self.contract)
        tables = (
            ("feedback", "Feedback", ("feedback", "feedback.asked", "feedback.answers"), "score"),
            ("outcomes", "How cases ended", ("outcomes",), "of"),
            ("complaints", "Complaints: what about", ("complaints",), "subject"),
            ("complaints", "Complaints: what was found", (), "outcome"),
            ("complaints", "Complaints: what was done", (), "action"),
            ("compliments", "Compliments: what for", ("compliments",), "subject"),
        )
        found = []
        for name, caption, totals, family in tables:
            inside = [one for one in names if one.startswith(f"{name}.{family}.")]
            listed = [one for one in (*totals, *inside) if one in names]
            if listed:
                rows = [(names[one], self.report.cell(one)) for one in listed]
                found.append((f"{name}-{family}", caption, rows))
        return found

    @cached_property
    def voice_places(self) -> list[tuple[str, list[Cell]]]:
        """Who answered, who was asked, cases closed: in each quadrant, then of each kind."""
        measures = [
            one
            for one in ("feedback", "feedback.asked", "outcomes")
            if one in voiced(self.contract)
        ]
        return [
            (
                self._names[dimension][code],
                [self.report.cell(measure, **{dimension: code}) for measure in measures],
            )
            for dimension in ("quadrant", "carer_type")
            for code in self._codes[dimension]
        ]

    @cached_property
    def evidence(self) -> list[tuple[str, Cell]]:
        """What the contract asks to be shown → how often it was done; the sum is left out."""
        listed = list(shown_done(self.contract).items())[1:]
        return [(name, self.report.cell(measure)) for measure, name in listed]

    @property
    def definitions(self) -> dict[str, str]:
        return wording.definitions(self.contract)

    # --- how a figure is written ---------------------------------------------------------------

    def number(self, value: float) -> str:
        return f"{value:,.1f}".removesuffix(".0")

    def day(self, day: date) -> str:
        return f"{day.day} {day:%B %Y}"

    def span(self, minutes: float) -> str:
        """Minutes in words: "under 1 min", "43 min", "31 h 5 min"."""
        whole = int(minutes)
        hours, left = divmod(whole, 60)
        if not hours:
            return f"{left} min" if left else "under 1 min" if minutes else "0 min"
        return f"{hours} h {left} min" if left else f"{hours} h"

    def quadrant(self, code: str) -> str:
        return self._names["quadrant"][code]

    # --- made once -----------------------------------------------------------------------------

    def _promise(self, clock: Clock) -> Promise:
        total = self._kept(clock)
        rows = [
            (self._names["quadrant"][code], self._kept(clock, quadrant=code))
            for code in self._codes["quadrant"]
        ]
        late = [(name, cells["missed"]) for name, cells in rows]
        late = [(name, cell) for name, cell in late if cell.value or cell.hidden == SMALL]
        late.sort(key=lambda pair: -(pair[1].value or 0))
        breaches = [breach for breach in self.report.breaches if breach.clock == clock.code]
        more = max(0, len(breaches) - MOST_BREACHES)
        state = _state(total)
        return Promise(clock, state, total, rows, late, breaches[:MOST_BREACHES], more)

    def _kept(self, clock: Clock, **by: str) -> dict[str, Cell]:
        measures = (*VERDICTS, *TIMES)
        kept = {name: self.report.cell(f"{clock.code}.{name}", **by) for name in measures}
        return kept | {"cases": self.report.cell("cases", **by)}

    def _breakdown(self, dimension: str, charted: str) -> Breakdown:
        rows = []
        for code in self._codes[dimension]:
            cells = [self.report.cell(measure, **{dimension: code}) for measure in COUNTED]
            rows.append((self._names[dimension][code], cells))
        place = COUNTED.index(charted)
        chart = _chart(charted, [(name, cells[place]) for name, cells in rows])
        return Breakdown(dimension, rows, chart)


def _state(total: Mapping[str, Cell]) -> str:
    """What the first page may say about a promise, from what is shown of it."""
    met, missed, still_open = (total[name] for name in VERDICTS)
    if missed.hidden:
        return "few" if missed.hidden == SMALL else "hidden"
    if missed.value:
        return "broken"
    if still_open.value or still_open.hidden:
        return "so_far"
    return "kept" if met.value or met.hidden else "nothing"


def _chart(measure: str, rows: Sequence[tuple[str, Cell]]) -> Chart:
    most = max((cell.value or 0 for _, cell in rows), default=0)
    room = CHART_WIDTH - _LABELS - 70  # the last for the number behind the bar
    bars = [
        Bar(name, cell, index * _STEP, round(room * (cell.value or 0) / most) if most else 0)
        for index, (name, cell) in enumerate(rows)
    ]
    longest = max(bars, key=lambda bar: bar.width) if most else None
    return Chart(measure, bars, len(rows) * _STEP, longest)
