"""Figures that reports need from outside: asked for by name, typed in or handed in as a list, each
with its source and day; taken back with a reason, never written over.

Called by web/pages/supplied.py and the command line; reports/supplied.py lays what is here over the
counted figures. What a report that was checked or signed says stays as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.desk import events
from helpline.desk.imports import figures as listing
from helpline.desk.imports.figures import Listed
from helpline.desk.imports.reading import ImportProblems, ImportResult, Progress, plain
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import FigureList, SuppliedFigure, User
from helpline.reports.cells import By, Key
from helpline.reports.supplied import figures_given, written
from helpline.reports.view import worded
from helpline.rules.periods import KIND_OF, Period
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import ListState

LARGEST_LIST: Final = 1_000_000
"""Bytes of a list of figures."""
LONGEST_WHY: Final = 300


@dataclass(frozen=True)
class Given:
    """A figure as somebody gave it. `said`: in the unit of its measure, or the words."""

    id: int
    said: str
    source: str
    as_of: date | None
    at: datetime
    by: str


@dataclass(frozen=True)
class Asked:
    """One figure that the reports of a period need from outside."""

    measure: Measure
    given: Given | None


@dataclass(frozen=True)
class Part:
    """A line of a report, with the figures that it needs from outside."""

    report: str
    line: str
    asked: Sequence[Asked]


@dataclass(frozen=True)
class Earlier:
    """A figure of a time before us, or of another cut, as it was given."""

    measure: Measure
    by: By
    given: Given


@dataclass(frozen=True)
class Typed:
    """One figure as it was typed: the measure's code, and a number or words."""

    measure: str
    text: str


class Misread(InvalidInput):
    """What was typed for some figures cannot be; `wrong`: measure's code → what to do."""

    def __init__(self, wrong: dict[str, str]) -> None:
        self.wrong = wrong
        count = "1 figure" if len(wrong) == 1 else f"{len(wrong)} figures"
        super().__init__(f"{count} cannot be read, so nothing was kept. See below.")


# --- what is asked, and what is there ------------------------------------------------------------


def needed(contract: Contract, period: Period) -> list[tuple[str, str, list[Measure]]]:
    """Report, line and measures that the reports of such a period need from outside, each once."""
    seen: set[str] = set()
    found = []
    for report in contract.reports:
        if KIND_OF[report.every] != period.kind or not report.owes(period.end):
            continue
        for line in report.lines:
            measures = [contract.measure(code) for code in line.measures]
            fresh = [
                one
                for one in measures
                if one.counts == "supplied" and one.code not in seen and one.holds_on(period.end)
            ]
            seen.update(one.code for one in fresh)
            if fresh:
                found.append((report.title, line.title, fresh))
    return found


async def asked(session: AsyncSession, contract: Contract, period: Period) -> list[Part]:
    """The figures of a period's reports in their order, with what was given of them."""
    given = await _given(session, contract, period)
    return [
        Part(report, line, [Asked(one, given.get((one.code, ()))) for one in measures])
        for report, line, measures in needed(contract, period)
    ]


async def missing(session: AsyncSession, contract: Contract, period: Period) -> int:
    """How many figures of a period nobody has supplied yet."""
    given = await figures_given(session, contract, period)
    measures = [one for _, _, some in needed(contract, period) for one in some]
    return sum((one.code, ()) not in given for one in measures)


async def others(session: AsyncSession, contract: Contract, period: Period) -> list[Earlier]:
    """What was given for a period besides: counted measures of a time before us."""
    wanted = {one.code for _, _, some in needed(contract, period) for one in some}
    given = await _given(session, contract, period)
    return [
        Earlier(contract.measure(code), by, one)
        for (code, by), one in given.items()
        if (code not in wanted or by) and code in contract.measures
    ]


async def past_periods(session: AsyncSession, contract: Contract) -> list[tuple[str, int]]:
    """Labels of all periods for which something was given, with how many figures."""
    rows = await session.execute(
        select(col(SuppliedFigure.period), func.count())
        .where(
            col(SuppliedFigure.contract) == contract.key,
            col(SuppliedFigure.taken_back_at).is_(None),
        )
        .group_by(col(SuppliedFigure.period))
        .order_by(col(SuppliedFigure.period).desc())
    )
    return [(row[0], row[1]) for row in rows]


async def _given(session: AsyncSession, contract: Contract, period: Period) -> dict[Key, Given]:
    rows = await figures_given(session, contract, period)
    ids = {row.by_user_id for row in rows.values()} - {None}
    givers = await session.execute(
        select(col(User.id), col(User.shown_name)).where(col(User.id).in_(ids or {0}))
    )
    names = {row[0]: row[1] for row in givers}
    return {
        key: Given(
            id=row.id,
            said=said(contract.measure(key[0]), row.value, row.words),
            source=row.source or "",
            as_of=row.as_of,
            at=row.given_at,
            by=names.get(row.by_user_id, "An import"),
        )
        for key, row in rows.items()
        if key[0] in contract.measures
    }


def said(measure: Measure, value: float | None, words: str | None) -> str:
    """A supplied figure in words."""
    return words or ("–" if value is None else worded(measure, value))


def period_for(contract: Contract, label: str, now: datetime) -> Period:
    """The period of a label that has begun. InvalidInput says what one looks like."""
    return listing.begun(contract, label, now)


# --- typed in ------------------------------------------------------------------------------------


async def supply(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    typed: Sequence[Typed],
    source: str,
    as_of: date | None,
    by: Actor,
    now: datetime,
) -> int:
    """Keep what was typed, all of it or nothing: how many figures are new or other than before.
    Misread names each that cannot be."""
    require(by, "report.supply", contract.key)
    wanted = {one.code: one for _, _, some in needed(contract, period) for one in some}
    filled = [one for one in typed if one.text.strip()]
    if not filled:
        raise InvalidInput("Write at least one figure.")
    source = in_a_line(source, listing.LONGEST_SOURCE, "Say who or what the figures are from.")
    if as_of and as_of > now.astimezone(ZoneInfo(contract.zone)).date():
        raise InvalidInput("The day of the figures is in the future.")
    wrong: dict[str, str] = {}
    listed = []
    for one in filled:
        measure = wanted.get(one.measure)
        if measure is None:
            raise InvalidInput("A figure is not asked for in this period. Load the page again.")
        try:
            value, words = listing.figure(measure, one.text)
        except InvalidInput as error:
            wrong[one.measure] = str(error)
            continue
        listed.append(Listed(0, period, measure, (), value, words, source, as_of))
    if wrong:
        raise Misread(wrong)
    result = await _keep(session, contract, listed, by.user_id, now)
    return result.added + result.changed


async def take_back(
    session: AsyncSession, contract: Contract, figure_id: int, why: str, by: Actor, now: datetime
) -> SuppliedFigure:
    """It does not count any more, nor does one that it took the place of; rows and reason stay."""
    require(by, "report.supply", contract.key)
    row = await session.get(SuppliedFigure, figure_id)
    if row is None or row.contract != contract.key:
        raise NotFound("There is no such figure.")
    if row.taken_back_at is not None:
        raise Conflict("It was taken back already.")
    why = in_a_line(why, LONGEST_WHY, "Say why it is taken back.")
    before = await session.scalars(
        select(SuppliedFigure).where(
            col(SuppliedFigure.contract) == contract.key,
            col(SuppliedFigure.period) == row.period,
            col(SuppliedFigure.measure) == row.measure,
            col(SuppliedFigure.by) == row.by,
            col(SuppliedFigure.taken_back_at).is_(None),
        )
    )
    for one in before:
        one.taken_back_at, one.taken_back_by_id, one.taken_back_why = now, by.user_id, why
    await session.flush()
    await events.record(
        session,
        "figures.taken_back",
        now,
        contract=contract.key,
        by=by.user_id,
        period=row.period,
        measure=row.measure,
    )
    return row


# --- handed in as a list -------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One row of a list, and what stands there now. `change`: new, other or same."""

    listed: Listed
    before: str
    after: str
    change: str


@dataclass(frozen=True)
class ReadList:
    """A list without faults, as text, and what accepting it would do."""

    content: str
    lines: Sequence[Line]


async def read_list(
    session: AsyncSession, contract: Contract, content: bytes | str, label: str, now: datetime
) -> ReadList:
    """Changes nothing. ImportProblems names everything that is wrong. It is understood in a thread
    of its own: a long list takes a second, in which everything else goes on."""
    text, listed = await asyncio.to_thread(_understood, contract, content, label, now)
    given: dict[str, dict[Key, Any]] = {}
    lines = []
    for one in listed:
        if one.period.label not in given:
            given[one.period.label] = await figures_given(session, contract, one.period)
        row = given[one.period.label].get((one.measure.code, one.by))
        before = said(one.measure, row.value, row.words) if row else ""
        after = said(one.measure, one.value, one.words)
        change = "new" if row is None else "same" if _is_same(row, one) else "other"
        lines.append(Line(one, before, after, change))
    return ReadList(text, lines)


async def hand_in(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    read: ReadList,
    by: Actor,
    now: datetime,
) -> FigureList:
    """A list that was read waits until somebody accepts it; an earlier one of the same period that
    waits is thrown away."""
    require(by, "report.supply", contract.key)
    for one in await waiting(session, contract):
        if one.period == period.label:
            _settle(one, ListState.THROWN_AWAY, by, now)
    made = FigureList(
        contract=contract.key,
        period=period.label,
        content=read.content,
        rows=len(read.lines),
        handed_in_at=now,
        by_user_id=by.user_id,
    )
    session.add(made)
    await session.flush()
    await _event(session, "figures.handed_in", made, by, now)
    return made


async def waiting(session: AsyncSession, contract: Contract) -> Sequence[FigureList]:
    """The contract's lists that nobody decided yet, the newest first, without what is in them."""
    rows = await session.scalars(
        select(FigureList)
        .where(
            col(FigureList.contract) == contract.key,
            col(FigureList.state) == ListState.PENDING,
        )
        .options(defer(FigureList.content))  # type: ignore[arg-type]  # a column, to SQLModel a str
        .order_by(col(FigureList.id).desc())
    )
    return rows.all()


async def find_list(
    session: AsyncSession, contract: Contract, list_id: int, *, for_update: bool = False
) -> FigureList:
    row = await session.get(FigureList, list_id, with_for_update=for_update or None)
    if row is None or row.contract != contract.key:
        raise NotFound("There is no such list.")
    return row


async def read_again(
    session: AsyncSession, contract: Contract, list_id: int, now: datetime
) -> Sequence[Listed]:
    """What a list says that waits; nothing where it was decided, which `accept` looks at."""
    row = await find_list(session, contract, list_id)
    if row.content is None:
        return ()
    _, listed = await asyncio.to_thread(_understood, contract, row.content, row.period, now)
    return listed


async def accept(
    session: AsyncSession,
    contract: Contract,
    list_id: int,
    listed: Sequence[Listed],
    by: Actor,
    now: datetime,
) -> ImportResult:
    """Its figures, as `read_again` read them, count from now on. Accepted twice it changes nothing
    the second time."""
    require(by, "report.supply", contract.key)
    row = await find_list(session, contract, list_id, for_update=True)
    if row.state == ListState.ACCEPTED:
        return ImportResult(0, 0, row.rows)
    if row.state != ListState.PENDING or row.content is None:
        raise Conflict("This list was thrown away. Hand it in again.")
    result = await _keep(session, contract, listed, by.user_id, now, row.id)
    _settle(row, ListState.ACCEPTED, by, now)
    await session.flush()
    await _event(session, "figures.accepted", row, by, now)
    return result


async def throw_away(
    session: AsyncSession, contract: Contract, list_id: int, by: Actor, now: datetime
) -> None:
    require(by, "report.supply", contract.key)
    row = await find_list(session, contract, list_id, for_update=True)
    if row.state == ListState.ACCEPTED:
        raise Conflict("This list was accepted already: take single figures back instead.")
    _settle(row, ListState.THROWN_AWAY, by, now)
    await session.flush()
    await _event(session, "figures.thrown_away", row, by, now)


async def import_figures(
    session: AsyncSession,
    contract: Contract,
    content: str | bytes,
    now: datetime,
    *,
    dry_run: bool,
    progress: Progress | None = None,
) -> ImportResult:
    """For the command line: every row names its period. All or nothing."""
    _, listed = await asyncio.to_thread(_understood, contract, content, "", now)
    result = await _keep(session, contract, listed, None, now, dry_run=dry_run)
    if progress:
        progress(len(listed), len(listed))
    return result


# --- kept ----------------------------------------------------------------------------------------


def _understood(
    contract: Contract, content: str | bytes, label: str, now: datetime
) -> tuple[str, list[Listed]]:
    """The list as text, and what it says."""
    text, problems = plain(content, listing.REQUIRED)
    listed, found = listing.read(contract, text, label, now)
    if problems or found:
        raise ImportProblems([*problems, *found])
    return text, listed


async def _keep(
    session: AsyncSession,
    contract: Contract,
    listed: Sequence[Listed],
    by: int | None,
    now: datetime,
    list_id: int | None = None,
    *,
    dry_run: bool = False,
) -> ImportResult:
    """Beside what is there; what is the same already is not written again."""
    given: dict[str, dict[Key, Any]] = {}
    rows: list[dict[str, Any]] = []
    added = 0
    for one in listed:
        label = one.period.label
        if label not in given:
            given[label] = await figures_given(session, contract, one.period)
        before = given[label].get((one.measure.code, one.by))
        if before is not None and _is_same(before, one):
            continue
        added += before is None
        rows.append(
            {
                "contract": contract.key,
                "period": label,
                "measure": one.measure.code,
                "by": written(one.by),
                "value": one.value,
                "words": one.words,
                "source": one.source or None,
                "as_of": one.as_of,
                "given_at": now,
                "by_user_id": by,
                "list_id": list_id,
            }
        )
    if rows and not dry_run:
        await session.execute(insert(SuppliedFigure), rows)
        for label in sorted({row["period"] for row in rows}):
            await events.record(
                session,
                "figures.supplied",
                now,
                contract=contract.key,
                by=by,
                period=label,
                figures=sum(row["period"] == label for row in rows),
            )
    return ImportResult(added, len(rows) - added, len(listed) - len(rows))


def _is_same(row: Any, one: Listed) -> bool:
    there = (row.value, row.words, row.source or "", row.as_of)
    return bool(there == (one.value, one.words, one.source, one.as_of))


def _settle(row: FigureList, state: ListState, by: Actor, now: datetime) -> None:
    row.state, row.decided_at, row.decided_by_id, row.content = state, now, by.user_id, None


async def _event(
    session: AsyncSession, kind: str, row: FigureList, by: Actor, now: datetime
) -> None:
    await events.record(
        session, kind, now, contract=row.contract, by=by.user_id, list=row.id, rows=row.rows
    )
