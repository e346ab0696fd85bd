"""How a figure went over the last signed releases of a report, as a small chart and its table.

Made of what is published and of nothing else: a hidden figure is a gap. Called by web/pages/portal;
the wording and the drawing are in templates/pages/_portal_trend.html.j2.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.models import Release
from helpline.reports import frozen, supplied, view
from helpline.reports.cells import Cell
from helpline.reports.protection import HIDDEN, rounded
from helpline.rules import targets
from helpline.rules.periods import Period, previous

MOST: Final = 8
WIDTH, HEIGHT = 400, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 16, 16, 26, 122


@dataclass(frozen=True)
class Point:
    """One period. `value`: what is drawn, None where it is hidden, was not counted or is of
    nothing; `words`: the same to be read; `x` and `y` in the chart's own view box; `is_given`: it
    was not counted here but given to us."""

    label: str
    value: float | None
    words: str
    state: str
    x: int
    y: int | None
    is_given: bool = False


@dataclass(frozen=True)
class Trend:
    """One measure over its periods, the oldest first. `segments`: the line between neighbours that
    are both shown, as SVG points; `target_y`: where the target lies, where it is a number."""

    measure: Measure
    points: Sequence[Point]
    expected: str
    target_y: int | None

    @property
    def key(self) -> str:
        return self.measure.code.replace(".", "-")

    @property
    def shown(self) -> list[Point]:
        return [one for one in self.points if one.value is not None]

    @property
    def given(self) -> list[str]:
        """The periods whose figure was given to us."""
        return [one.label for one in self.points if one.is_given]

    @property
    def segments(self) -> list[str]:
        found: list[list[str]] = [[]]
        for one in self.points:
            if one.y is None:
                found.append([])
            else:
                found[-1].append(f"{one.x},{one.y}")
        return [" ".join(run) for run in found if len(run) > 1]

    @property
    def is_drawn(self) -> bool:
        return len(self.shown) > 1

    width, height, base = WIDTH, HEIGHT, _BOTTOM


@dataclass(frozen=True)
class Past:
    """A report's last periods, the oldest first, and the totals that were published of each."""

    labels: Sequence[str]
    totals: Sequence[Mapping[str, Cell]]

    def of(self, measure: Measure) -> Trend:
        """The trend of one measure's total."""
        cells = [totals.get(measure.code) for totals in self.totals]
        late_code = measure.code.removesuffix(".met") + ".missed"
        late = [totals.get(late_code) for totals in self.totals]
        is_share = any(cell is not None and cell.percent is not None for cell in cells)
        values = [_drawn(cell, is_share=is_share) for cell in cells]
        goal = _goal(measure)
        most = max((value for value in (*values, goal) if value is not None), default=0) or 1.0
        scale = _Scale(100.0 if is_share or measure.unit == "percent" else most)
        step = (WIDTH - _LEFT - _RIGHT) / max(len(cells), 1)
        points = [
            Point(
                label,
                value,
                _words(measure, cell, late[place], is_share=is_share),
                _state(measure, cell),
                round(_LEFT + step * (place + 0.5)),
                None if value is None else scale.y(value),
                is_given=cell is not None and cell.source is not None,
            )
            for place, (label, cell, value) in enumerate(
                zip(self.labels, cells, values, strict=True)
            )
        ]
        expected = targets.expected(measure.target, "percent" if measure.is_share else measure.unit)
        return Trend(measure, points, expected, None if goal is None else scale.y(goal))


async def past(
    session: AsyncSession, contract: Contract, releases: Sequence[Release], report: str
) -> Past:
    """The last eight periods of a report, of each what counts: its last signed release. Where the
    first of them was the first with us, what was supplied of the periods before it stands there."""
    newest: dict[str, Release] = {}
    for one in releases:
        if one.report == report and one.number >= newest.get(one.period, one).number:
            newest[one.period] = one
    found = sorted(newest.values(), key=lambda one: one.ends_on)[-MOST:]
    totals = await frozen.totals(session, contract, [one.id or 0 for one in found])
    labels, cells = [one.period for one in found], [totals.get(one.id or 0, {}) for one in found]
    while labels and len(labels) < MOST:
        span = previous(contract.period(labels[0]))
        given = await _before_us(session, contract, span)
        if not given:
            break
        labels, cells = [span.label, *labels], [given, *cells]
    return Past(labels, cells)


async def _before_us(session: AsyncSession, contract: Contract, span: Period) -> dict[str, Cell]:
    """What was supplied of a period that was over before the contract's first day with us. What
    could be about a few people is hidden, with all that it is a part of and all that is a part of
    the same."""
    if span.end >= contract.term.start:
        return {}
    given = await supplied.figures_given(session, contract, span)
    values = {
        code: row.value
        for (code, by), row in given.items()
        if not by and row.value is not None and code in contract.measures
    }
    hidden = _small(contract, values)
    return {code: _cell(contract, code, values, hidden) for code in values}


def _small(contract: Contract, values: Mapping[str, float]) -> set[str]:
    rule, measures = contract.disclosure, contract.measures
    if not rule.applies:
        return set()
    few = {
        code
        for code, value in values.items()
        if measures[code].names_people and 0 < value < rule.threshold
    }
    for code, value in values.items():
        of = measures[code].of
        rest = values.get(of[0], 0) - value if len(of) == 1 else 0
        if measures[code].names_people and 0 < rest < rule.threshold:
            few.add(code)
    families = [{code, *measures[code].of} for code in values if measures[code].of]
    families += [{split.total, *split.parts} for split in contract.splits]
    return few.union(*(family for family in families if family & few))


def _cell(
    contract: Contract, code: str, values: Mapping[str, float], hidden: Collection[str]
) -> Cell:
    """With its percentage, where everything that it is of was supplied and is many."""
    if code in hidden:
        return Cell(code, (), None, hidden=HIDDEN)
    rule, of = contract.disclosure, contract.measure(code).of
    whole, base = sum(values.get(one, 0) for one in of), rule.round_to if rule.applies else 1
    is_many = whole >= (rule.percent_needs_denominator if rule.applies else 1)
    share = None
    if of and is_many and all(one in values and one not in hidden for one in of):
        share = round(100 * values[code] / whole, 1 if base == 1 else None)
    return Cell(code, (), rounded(values[code], base), percent=share, source=supplied.UNNAMED)


@dataclass(frozen=True)
class _Scale:
    """From nought: a percentage to a hundred, anything else to its largest value."""

    most: float

    def y(self, value: float) -> int:
        return round(_BOTTOM - (_BOTTOM - _TOP) * min(value / self.most, 1))


def _drawn(cell: Cell | None, *, is_share: bool) -> float | None:
    if cell is None or cell.hidden:
        return None
    return cell.percent if is_share else cell.value


def _words(measure: Measure, cell: Cell | None, late: Cell | None, *, is_share: bool) -> str:
    """What is read of a figure; of a hidden promise, what is published of the late ones."""
    if cell is None:
        return "not counted"
    if cell.hidden:
        return f"{late.note} late" if late and late.hidden and late.note else "not shown"
    if cell.words:
        return cell.words
    if is_share and cell.percent is not None:
        return f"{view.number(cell.percent)}%"
    if cell.value is None or (is_share and not cell.value):
        return "–"
    return view.worded(measure, cell.value)


def _goal(measure: Measure) -> float | None:
    if measure.target is None:
        return None
    at_least, at_most = measure.target.at_least, measure.target.at_most
    return at_most if at_least is None else at_least


def _state(measure: Measure, cell: Cell | None) -> str:
    if cell is None:
        return ""
    value = None if measure.of else cell.value
    return targets.state(measure.target, value, cell.percent, cell.words)
