"""Reports as they were counted once: what stands in a release is read back, never counted again.

Called by figures.py (nothing published lets one subtract from what is out already), by
desk/releasing and by every page that shows a release. Erasing a person or correcting a case changes
nothing that comes from here. It reads only.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from helpline.contract import Contract
from helpline.models import Release, ReleaseComment, RunningFigures
from helpline.reports import codes
from helpline.reports.cells import Breach, Cell, Key, places
from helpline.reports.protection import Earlier
from helpline.reports.report import Report
from helpline.reports.supplied import by_written, written
from helpline.reports.weeks import so_far
from helpline.rules.periods import Period, period, rolling_year, year_to_date
from helpline.vocabulary import ReleaseState

OUT = [state for state in ReleaseState if state.is_out]
_HEAVY: Any = (Release.exact, Release.cells)
LIGHT = tuple(defer(column) for column in _HEAVY)
"""Thousands of figures are opened only where they are read."""


# --- releases ------------------------------------------------------------------------------------


async def releases(
    session: AsyncSession, contract: Contract, *, only_out: bool = True
) -> list[Release]:
    """The contract's releases, the newest period first, of each the restatements after the first;
    `only_out`: those that are signed, which is what the council may see."""
    wanted = select(Release).where(col(Release.contract) == contract.key)
    if only_out:
        wanted = wanted.where(col(Release.state).in_(OUT))
    rows = await session.scalars(
        wanted.order_by(
            col(Release.ends_on).desc(),
            col(Release.starts_on),
            col(Release.report),
            col(Release.number),
        ).options(*LIGHT)
    )
    return list(rows)


async def newest(
    session: AsyncSession, contract: Contract, report: str, label: str
) -> Release | None:
    """What counts for a report of a period: the last of its signed releases."""
    return await session.scalar(
        select(Release)
        .where(
            col(Release.contract) == contract.key,
            col(Release.report) == report,
            col(Release.period) == label,
            col(Release.state).in_(OUT),
        )
        .order_by(col(Release.number).desc())
        .limit(1)
        .options(*LIGHT)
    )


async def load(
    session: AsyncSession,
    contract: Contract,
    release: Release,
    *,
    exact: bool = False,
    only: Collection[str] | None = None,
) -> Report:
    """A release from `checked` on as it was counted: as published, or with `exact` as counted;
    with what was written of it. Whether somebody may see either is the caller's to decide. `only`:
    the totals, and what is cut by one of these alone, which takes a tenth of the time."""
    column = col(Release.exact) if exact else col(Release.cells)
    text = await session.scalar(select(column).where(col(Release.id) == release.id))
    if text is None or release.counted_at is None:
        raise ValueError("A draft has no figures of its own: they are counted when looked at.")
    kept = json.loads(text)
    span = period_of(contract, release)
    asked = contract.report(release.report)
    if only is None:
        cells = _whole(contract, release, _cells(contract, kept["cells"]))
    else:
        begin = tuple(f"{name}=" for name in only)
        some = [row for row in kept["cells"] if not row[1] or row[1].startswith(begin)]
        cells = _cells(contract, [row for row in some if "," not in row[1]])
    return Report(
        contract,
        asked,
        span,
        cells,
        tuple(Breach(*row) for row in kept["breaches"]),
        exact,
        kept["protected"],
        release.counted_at,
        said=await said(session, release),
        number=release.number,
        why=release.why or "",
    )


async def totals(
    session: AsyncSession, contract: Contract, ids: Sequence[int], *, exact: bool = False
) -> dict[int, dict[str, Cell]]:
    """Release → measure → its total, as published or with `exact` as counted, for what goes over
    many releases."""
    column = col(Release.exact) if exact else col(Release.cells)
    rows = await session.execute(select(col(Release.id), column).where(col(Release.id).in_(ids)))
    found = {}
    for release_id, text in rows:
        plain = [row for row in json.loads(text or '{"cells":[]}')["cells"] if not row[1]]
        found[release_id or 0] = {cell.measure: cell for cell in _cells(contract, plain)}
    return found


async def standing(
    session: AsyncSession, contract: Contract, label: str, key: Key
) -> tuple[Release, Cell] | None:
    """An exact figure as it stands in a report of that period, the newest that is checked; None
    where it is in none."""
    found = await session.scalars(
        select(Release)
        .where(
            col(Release.contract) == contract.key,
            col(Release.period) == label,
            col(Release.counted_at).is_not(None),
        )
        .order_by(col(Release.counted_at).desc())
    )
    measure, cut = key[0], written(key[1])
    for release in found:
        text = await session.scalar(select(col(Release.exact)).where(col(Release.id) == release.id))
        for row in json.loads(text or '{"cells":[]}')["cells"]:
            if (row[0], row[1]) == (measure, cut):
                return release, _cell(row)
    return None


def period_of(contract: Contract, release: Release) -> Period:
    """The days a release is about, as they were when it was made."""
    return _period(contract, release.period, release.starts_on, release.ends_on)


def _period(contract: Contract, label: str, first: date, last: date) -> Period:
    return replace(period(label, contract.year_starts_month), start=first, end=last)


async def said(session: AsyncSession, release: Release) -> dict[str, str]:
    """What was written of it: a measure's code, or "line:" and a line's code → the text."""
    rows = await session.scalars(
        select(ReleaseComment)
        .where(col(ReleaseComment.release_id) == release.id)
        .order_by(col(ReleaseComment.id))
    )
    newest = {row.measure or f"line:{row.line}": row.text for row in rows}
    return {place: text for place, text in newest.items() if text}


def kept(report: Report) -> str:
    """A report's figures as the columns of `release` keep them."""
    return json.dumps(
        {
            "protected": report.is_protected,
            "cells": [_plain(cell) for cell in report.cells],
            "breaches": [
                [one.clock, one.quadrant, one.minutes_late, one.is_answered]
                for one in report.breaches
            ],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


# --- what a reader has already -------------------------------------------------------------------


async def earlier(
    session: AsyncSession, contract: Contract, span: Period, *, besides: int | None = None
) -> list[Earlier]:
    """Every signed release that a reader of this period's figures could set beside them: those
    that count days which it counts too, those that count days of these, and so on."""
    if not contract.disclosure.applies:
        return []
    rows = (
        await session.execute(
            select(
                col(Release.id), col(Release.period), col(Release.starts_on), col(Release.ends_on)
            ).where(
                col(Release.contract) == contract.key,
                col(Release.state).in_(OUT),
                col(Release.cells).is_not(None),
            )
        )
    ).all()
    out = [
        (
            row.id,
            *_counted_days(contract, _period(contract, row.period, row.starts_on, row.ends_on)),
        )
        for row in rows
    ]
    wanted = _connected(_counted_days(contract, span), out)
    wanted.discard(besides or 0)
    if not wanted:
        return []
    found = await session.scalars(
        select(Release)
        .where(col(Release.id).in_(wanted))
        .order_by(col(Release.signed_at), col(Release.id))
    )
    return [_earlier(contract, release) for release in found]


def _counted_days(contract: Contract, span: Period) -> tuple[date, date]:
    """Of which days a report of this period may count anything about somebody: a figure of the year
    to date, or of twelve months, begins before the period does."""
    listed = {code for one in contract.reports for line in one.lines for code in line.measures}
    measures = [one for code, one in contract.measures.items() if code in listed]
    bases = {one.basis for one in measures if one.names_people and one.holds_on(span.end)}
    first = span.start
    if "year_to_date" in bases:
        first = min(first, year_to_date(span).start)
    if "rolling_12_months" in bases:
        first = min(first, rolling_year(span).start)
    return first, span.end


def _connected(span: tuple[date, date], others: Iterable[tuple[int, date, date]]) -> set[int]:
    (first, last), waiting = span, list(others)
    found: set[int] = set()
    while near := [one for one in waiting if one[1] <= last and first <= one[2]]:
        found |= {one[0] for one in near}
        first = min(first, *(one[1] for one in near))
        last = max(last, *(one[2] for one in near))
        waiting = [one for one in waiting if one not in near]
    return found


def _earlier(contract: Contract, release: Release) -> Earlier:
    counted, published = json.loads(release.exact or ""), json.loads(release.cells or "")
    return Earlier(
        period_of(contract, release),
        _cells(contract, counted["cells"]),
        _cells(contract, published["cells"]),
    )


# --- a period that still runs --------------------------------------------------------------------


@dataclass(frozen=True)
class Running:
    """The totals of a period that still runs, as on a Sunday at midnight."""

    report: Report
    row: RunningFigures


async def running(
    session: AsyncSession, contract: Contract, code: str, label: str
) -> Running | None:
    """What the council sees of the running period of a report: totals without breakdown, protected
    and the same all week. None before there is a first Sunday to show (reports/weeks.py)."""
    row = await session.scalar(
        select(RunningFigures)
        .where(
            col(RunningFigures.contract) == contract.key,
            col(RunningFigures.report) == code,
            col(RunningFigures.period) == label,
        )
        .order_by(col(RunningFigures.as_at).desc())
        .limit(1)
    )
    if row is None:
        return None
    kept = json.loads(row.cells)
    report = Report(
        contract,
        totals_only(contract, code),
        period(row.period, contract.year_starts_month),
        _cells(contract, kept["cells"]),
        (),
        False,
        kept["protected"],
        row.as_at,
    )
    return Running(report, row)


async def weeks(session: AsyncSession, contract: Contract, span: Period) -> list[Earlier]:
    """What was published of periods that shared days with this one while they ran."""
    rows = await session.scalars(
        select(RunningFigures)
        .where(col(RunningFigures.contract) == contract.key)
        .order_by(col(RunningFigures.as_at), col(RunningFigures.id))
    )
    found = []
    for row in rows:
        of = so_far(period(row.period, contract.year_starts_month), row.as_at, contract.zone)
        kept = json.loads(row.cells)
        if of.start <= span.end and span.start <= of.end and "exact" in kept:
            exact, shown = _cells(contract, kept["exact"]), _cells(contract, kept["cells"])
            found.append(Earlier(of, exact, shown))
    return found


def kept_week(exact: Report, shown: Report) -> str:
    """A Sunday's totals as the column keeps them: as published, and the exact ones behind them."""
    return json.dumps(json.loads(kept(shown)) | {"exact": [_plain(cell) for cell in exact.cells]})


def totals_only(contract: Contract, code: str) -> Any:
    """The report without any breakdown."""
    asked = contract.report(code)
    lines = [line.model_copy(update={"by": ((),)}) for line in asked.lines]
    return asked.model_copy(update={"lines": tuple(lines)})


# --- what changed between two --------------------------------------------------------------------


@dataclass(frozen=True)
class Changed:
    """One figure that a restatement gives otherwise; None where the other has no such figure."""

    before: Cell | None
    after: Cell | None

    @property
    def cell(self) -> Cell:
        cell = self.after or self.before
        assert cell is not None
        return cell


def changes(before: Report, after: Report) -> list[Changed]:
    """The figures that differ between two releases of the same report and period, as each of them
    shows them, in printing order."""
    old = {cell.key: cell for cell in before.cells}
    new = {cell.key: cell for cell in after.cells}
    keys: dict[Key, None] = dict.fromkeys([*new, *old])
    pairs = (Changed(old.get(key), new.get(key)) for key in keys)
    return [pair for pair in pairs if _shown(pair.before) != _shown(pair.after)]


def _shown(cell: Cell | None) -> tuple[object, ...]:
    if cell is None:
        return (None, None, None, None, None)
    return (cell.value, cell.percent, cell.denominator, cell.hidden, cell.words)


# --- cells as text -------------------------------------------------------------------------------


def _plain(cell: Cell) -> list[Any]:
    """Short, because a year has thousands: what is missing at the end is None."""
    as_of = cell.denominator_as_of.isoformat() if cell.denominator_as_of else None
    row: list[Any] = [cell.measure, written(cell.by), cell.value, cell.denominator, cell.percent]
    row += [cell.hidden, as_of, cell.note, cell.words, cell.source]
    while row[-1] is None:
        row.pop()
    return row


def _cells(contract: Contract, rows: Sequence[Sequence[Any]]) -> tuple[Cell, ...]:
    """The cells of measures that the contract still has: the files of a release have them all."""
    return tuple(_cell(row) for row in rows if row[0] in contract.measures)


def _cell(row: Sequence[Any]) -> Cell:
    full = [*row, *[None] * (10 - len(row))]
    measure, by, value, denominator, percent, hidden, as_of, note, words, source = full
    day = date.fromisoformat(as_of) if as_of else None
    return Cell(
        measure, by_written(by), value, denominator, percent, hidden, day, note, words, source
    )


def _whole(contract: Contract, release: Release, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """With an empty cell wherever the contract prints a code today that it did not have then."""
    there: Mapping[Key, Cell] = {cell.key: cell for cell in cells}
    printed, more = codes.printed(contract), list[Cell]()
    for code in dict.fromkeys(cell.measure for cell in cells):
        for cut in contract.measure(code).cuts:
            for by in places(cut, printed):
                if (code, by) not in there:
                    more.append(Cell(code, by, None, note="not counted then"))
    return (*cells, *more)
