"""Whether a longer period agrees with the shorter ones that make it up: a year with its quarters,
a quarter with its months; by how many it does not, and why.

Called by the page of what to put right. A year is counted from its own records (A60): what is added
up here is only held beside it, never printed in a report. What is signed is read as it was signed,
the rest is counted now. Only for those who may see exact figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.models import Release
from helpline.reports import frozen
from helpline.reports.cells import By, Cell, Key
from helpline.reports.figures import counted, measures_of
from helpline.reports.report import Report
from helpline.rules.periods import (
    HALF_YEAR,
    KIND_OF,
    MONTH,
    MONTHS,
    QUARTER,
    Period,
    parts,
)

SHORTER: Final = (QUARTER, HALF_YEAR, MONTH)
"""Which shorter periods a figure is held beside: the first of these that reports it."""
WHY: Final[Mapping[str, str]] = {
    "people": "Somebody who came in several of them is counted in each, and once in the whole.",
    "restated": "What is signed was counted on different days, and one of them was restated "
    "meanwhile: today they agree.",
    "since": "What is signed was counted on different days. What was written down, answered or put "
    "right between them is only in the later one: counted today, they agree.",
    "supplied": "Some of these figures were supplied to us, not counted here: they stand as given.",
}
"""Every reason for which a whole and its parts may differ, in words."""


@dataclass(frozen=True)
class Standing:
    """One period's exact figures as they stand: as signed, or where they are not, counted now.
    `today`: the same counted now; `signed`: measure → the number of the release it stands in."""

    label: str
    cells: Mapping[Key, Cell]
    today: Mapping[Key, Cell]
    signed: Mapping[str, int]


@dataclass(frozen=True)
class Apart:
    """One figure of which the parts together are not the whole. `parts` in the order of the
    periods; `since`: how many more each part, and last the whole, would have if it were counted
    today; `why`: a key of WHY, or empty: a fault."""

    measure: str
    by: By
    whole: float
    parts: tuple[float, ...]
    since: tuple[float, ...]
    why: str

    @property
    def by_how_many(self) -> float:
        """More (or less, below nought) in the parts than in the whole."""
        return sum(self.parts) - self.whole

    @property
    def is_fault(self) -> bool:
        return not self.why


@dataclass(frozen=True)
class Together:
    """A whole beside its parts of one kind. `agree`: how many figures are the sum of theirs;
    `not_added`: the measures that cannot be added up."""

    kind: str
    whole: Standing
    parts: Sequence[Standing]
    apart: Sequence[Apart]
    agree: int
    not_added: Sequence[Measure]


def is_added(measure: Measure) -> bool:
    """Whether the parts of a period make up its whole: what happens at an instant does, people do
    but for those who came again; what is so on the last day, a time or a share does not."""
    return (
        measure.basis == "period"
        and measure.counts != "open"
        and measure.takes in ("number", "people")
        and measure.unit in ("number", "pounds")
    )


def apart(contract: Contract, whole: Standing, some: Sequence[Standing]) -> tuple[list[Apart], int]:
    """What differs, in the whole's own order, and how many figures agree. A figure that one of the
    parts does not know is left out."""
    found, agree = list[Apart](), 0
    for key, cell in whole.cells.items():
        measure = contract.measure(key[0])
        known = [one.cells[key] for one in some if key in one.cells]
        if not is_added(measure) or len(known) < len(some) or not some:
            continue
        numbers = [one.value for one in known if one.value is not None]
        if cell.value is None or len(numbers) < len(some):
            continue
        if sum(numbers) == cell.value:
            agree += 1
            continue
        since = tuple(_since(one, key) for one in (*some, whole))
        why = _why(measure, key, whole, some)
        found.append(Apart(*key, cell.value, tuple(numbers), since, why))
    return found, agree


def _since(one: Standing, key: Key) -> float:
    now, then = one.today.get(key), one.cells[key]
    return 0 if now is None or now.value is None else now.value - (then.value or 0)


def _why(measure: Measure, key: Key, whole: Standing, some: Sequence[Standing]) -> str:
    everything = (whole, *some)
    if any(one.cells[key].source for one in everything) or measure.counts == "supplied":
        return "supplied"
    total, *numbers = (
        (one.today[key] if key in one.today else one.cells[key]).value or 0 for one in everything
    )
    if measure.takes == "people":
        return "people" if max(numbers) <= total <= sum(numbers) else ""
    if total != sum(numbers):
        return ""
    again = any(one.signed.get(measure.code, 1) > 1 for one in everything)
    return "restated" if again else "since"


# --- read and counted -----------------------------------------------------------------------------


async def together(
    session: AsyncSession,
    contract: Contract,
    today: Report,
    signed: Release | None,
    now: datetime,
) -> list[Together]:
    """A period beside all shorter ones that make it up and have begun. `today`: its exact figures
    counted now; `signed`: its release, if there is one."""
    whole = _standing(today.period.label, [(today, 0)], [today])
    if signed is not None:
        stands = await frozen.load(session, contract, signed, exact=True)
        whole = _standing(today.period.label, [(stands, signed.number)], [today])
    listed = [contract.measure(code) for code in dict.fromkeys(code for code, _ in whole.cells)]
    found = []
    for kind, measures in _kinds(contract, today.period, listed).items():
        codes = {one.code for one in measures if is_added(one)}
        begun = [one for one in parts(today.period, kind) if one.start <= _day(contract, now)]
        some = [await _part(session, contract, span, codes, now) for span in begun]
        if not codes or not some:
            continue
        mine = _only(whole, codes)
        differ, agree = apart(contract, mine, some)
        if any(contract.measure(one.measure).takes == "number" for one in differ):
            some = [await _recounted(session, contract, one, codes, now) for one in some]
            differ, agree = apart(contract, mine, some)
        left = [one for one in measures if not is_added(one)]
        found.append(Together(kind, mine, some, differ, agree, left))
    return found


def _day(contract: Contract, now: datetime) -> date:
    return now.astimezone(ZoneInfo(contract.zone)).date()


def _kinds(
    contract: Contract, whole: Period, measures: Sequence[Measure]
) -> dict[str, list[Measure]]:
    """Kind of shorter period → what is held beside it."""
    found: dict[str, list[Measure]] = {}
    for kind in SHORTER:
        if MONTHS[kind] >= MONTHS[whole.kind]:
            continue
        there = {code for one in _reports(contract, kind) for code in _codes(contract, one, whole)}
        done = {one.code for some in found.values() for one in some}
        mine = [one for one in measures if one.code in there - done]
        if mine:
            found[kind] = mine
    return found


def _reports(contract: Contract, kind: str) -> Iterator[str]:
    yield from (one.code for one in contract.reports if KIND_OF[one.every] == kind)


def _codes(contract: Contract, report: str, span: Period) -> set[str]:
    return {one.code for one in measures_of(contract, report, span)}


async def _part(
    session: AsyncSession, contract: Contract, span: Period, codes: Collection[str], now: datetime
) -> Standing:
    """From every report of that period that has some of these measures: the signed ones first."""
    stood, live = list[tuple[Report, int]](), list[Report]()
    wanted = set(codes)
    asked = [one for one in _reports(contract, span.kind) if wanted & _codes(contract, one, span)]
    for code in asked:
        release = await frozen.newest(session, contract, code, span.label)
        if release is not None:
            report = await frozen.load(session, contract, release, exact=True)
            stood.append((report, release.number))
            wanted -= {cell.measure for cell in report.cells}
    for code in asked:
        if wanted & _codes(contract, code, span):
            live.append(await counted(session, contract, span, now, code, late=False))
            wanted -= {cell.measure for cell in live[-1].cells}
    return _only(_standing(span.label, [*stood, *((one, 0) for one in live)], live), codes)


async def _recounted(
    session: AsyncSession,
    contract: Contract,
    part: Standing,
    codes: Collection[str],
    now: datetime,
) -> Standing:
    """With what is signed counted again, to see what has changed since."""
    span, left, today = contract.period(part.label), set(part.signed), dict(part.today)
    for code in _reports(contract, span.kind):
        if left & _codes(contract, code, span):
            again = await counted(session, contract, span, now, code, late=False)
            today |= {cell.key: cell for cell in again.cells if cell.measure in left}
            left -= {cell.measure for cell in again.cells}
    return _only(Standing(part.label, part.cells, today, part.signed), codes)


def _standing(label: str, stood: Sequence[tuple[Report, int]], live: Sequence[Report]) -> Standing:
    """Of several reports of one period: a figure stands as in the first that has it."""
    cells: dict[Key, Cell] = {}
    signed: dict[str, int] = {}
    for report, number in stood:
        cells = {cell.key: cell for cell in report.cells} | cells
        if number:
            signed = dict.fromkeys((cell.measure for cell in report.cells), number) | signed
    today = {cell.key: cell for report in live for cell in report.cells}
    return Standing(label, cells, today, signed)


def _only(one: Standing, codes: Collection[str]) -> Standing:
    return Standing(
        one.label,
        {key: cell for key, cell in one.cells.items() if key[0] in codes},
        {key: cell for key, cell in one.today.items() if key[0] in codes},
        {code: number for code, number in one.signed.items() if code in codes},
    )
