"""From the tables to tallies: four passes over one period, then every cut from the same rows.

Called by reports/figures.py only. Core rows, no objects; it writes nothing and hides nothing. All
counting beyond grouping is done here rather than in SQL, so that both databases agree to the digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.models import metadata
from helpline.reports.measures import CUTS, DIMENSIONS, Breach, By
from helpline.rules import clocks
from helpline.vocabulary import (
    UNKNOWN,
    CaseStatus,
    ClockStart,
    ContactKind,
    DeadlineState,
    Direction,
    Eligibility,
)

CASE: Final = metadata.tables["case"]
CASE_SUPPORT: Final = metadata.tables["case_support"]
CONTACT: Final = metadata.tables["contact"]
DEADLINE: Final = metadata.tables["deadline"]
COUNTS: Final = or_(CASE.c.eligibility.is_(None), CASE.c.eligibility != Eligibility.OUT)
"""Whoever is out of the contract was answered, and is counted apart (A02, A09)."""
_MINUTE: Final = timedelta(minutes=1)
Place = tuple[str, ...]
"""A code for each of DIMENSIONS: where in the report a row belongs. The last, support, is left
out where a case must be counted once, as one case may have had several supports."""
Bounds = tuple[datetime, datetime]
_INSTANTS: Final = ("started_at", "due_at", "met_at")


@dataclass
class ClockTally:
    """How one promise was kept; `minutes` holds the time it took wherever it has happened."""

    met: int = 0
    missed: int = 0
    open: int = 0
    minutes: list[float] = field(default_factory=list)

    def count(self, verdict: str, minutes: float | None) -> None:
        if verdict == "met":
            self.met += 1
        elif verdict == "missed":
            self.missed += 1
        else:
            self.open += 1
        if minutes is not None:
            self.minutes.append(minutes)

    def add(self, other: ClockTally) -> None:
        self.met += other.met
        self.missed += other.missed
        self.open += other.open
        self.minutes += other.minutes


@dataclass
class Tally:
    """What was counted in one place. People are kept by id: they are distinct wherever cut."""

    people: set[int] = field(default_factory=set)
    contacts: int = 0
    cases: int = 0
    clocks: defaultdict[str, ClockTally] = field(default_factory=lambda: defaultdict(ClockTally))

    def add(self, other: Tally) -> None:
        self.people |= other.people
        self.contacts += other.contacts
        self.cases += other.cases
        for code, clock in other.clocks.items():
            self.clocks[code].add(clock)


@dataclass(frozen=True)
class Tallies:
    """`by` holds a tally for every cut that has rows; a cut without any is not in it."""

    by: Mapping[By, Tally]
    breaches: tuple[Breach, ...]
    closed_without_support: int
    closed_without_outcome: int
    apart: Mapping[str, int] = field(default_factory=dict)
    """Contacts of people who are out of the contract, by reason: in none of the tallies."""


async def take(
    session: AsyncSession,
    contract: str,
    bounds: Bounds,
    now: datetime,
    printed: Mapping[str, tuple[str, ...]],
) -> Tallies:
    """Count one contract's period, given as UTC instants (first included, last excluded).

    A code that the contract no longer has is counted as unknown, so that totals stay whole.
    """
    places = _Places(printed, await _supports(session, contract, bounds))
    without_support = without_outcome = 0
    for row in await session.execute(_cases(contract, bounds)):
        for tally in places.of(row):
            tally.cases += 1
        if row.status == CaseStatus.CLOSED:
            without_support += row.id not in places.supports
            without_outcome += row.outcome is None
    for row in await session.execute(_contacts(contract, bounds)):
        for tally in places.of(row):
            tally.people.add(row.person_id)
            tally.contacts += row.contacts
    breaches = []
    for row in await session.execute(_deadlines(contract, bounds)):
        verdict = clocks.verdict(row.due_at, row.met_at, now)
        minutes = None if row.met_at is None else (row.met_at - row.started_at) / _MINUTE
        for tally in places.of(row):
            tally.clocks[row.clock].count(verdict, minutes)
        if verdict == "missed":
            late = ((row.met_at or now) - row.due_at) / _MINUTE
            quadrant = places.code("quadrant", row.quadrant)
            breaches.append(Breach(row.clock, quadrant, late, row.met_at is not None))
    breaches.sort(key=lambda breach: (breach.clock, -breach.minutes_late, breach.quadrant))
    out = {row.reason: row.contacts for row in await session.execute(_apart(contract, bounds))}
    return Tallies(places.cut(), tuple(breaches), without_support, without_outcome, out)


class _Places:
    """Where rows are counted: once a case, and once for each support that the case had."""

    def __init__(
        self, printed: Mapping[str, tuple[str, ...]], supports: Mapping[int, list[str]]
    ) -> None:
        self.supports = supports
        self._known = {dimension: frozenset(codes) for dimension, codes in printed.items()}
        self._once: defaultdict[Place, Tally] = defaultdict(Tally)
        self._by_support: defaultdict[Place, Tally] = defaultdict(Tally)
        self._seen: dict[tuple[int, str], list[Tally]] = {}

    def code(self, dimension: str, code: str) -> str:
        return code if code in self._known[dimension] else UNKNOWN

    def of(self, row: Any) -> list[Tally]:
        """The tallies a row counts in; the four passes meet the same case again and again."""
        quadrant, group, method, reason, case_id = row[:5]
        found = self._seen.get((case_id, method))
        if found is None:
            whole = reason.partition(".")[0]  # a part of a reason counts as the reason
            written = zip(DIMENSIONS, (quadrant, group, method, whole), strict=False)
            place = tuple(self.code(dimension, code) for dimension, code in written)
            provided = self.supports.get(case_id, (UNKNOWN,))
            found = [self._once[place]]
            found += [
                self._by_support[*place, support]
                for support in {self.code("support", code) for code in provided}
            ]
            self._seen[case_id, method] = found
        return found

    def cut(self) -> dict[By, Tally]:
        """Every cut that has rows, merged from the places."""
        found: defaultdict[By, Tally] = defaultdict(Tally)
        for cut in CUTS:
            at = [(dimension, DIMENSIONS.index(dimension)) for dimension in cut]
            places = self._by_support if "support" in cut else self._once
            for place, tally in places.items():
                found[tuple([(dimension, place[index]) for dimension, index in at])].add(tally)
        for tally in found.values():
            for clock in tally.clocks.values():
                clock.minutes.sort()
        return dict(found)


# --- the four passes; the first five columns are four codes and the case -------------------------


def _within(column: Any, bounds: Bounds) -> ColumnElement[bool]:
    return and_(column >= bounds[0], column < bounds[1])


def _places(method: Any, *more: Any) -> Select[Any]:
    return select(CASE.c.quadrant, CASE.c.group, method, CASE.c.reason, CASE.c.id, *more)


def _cases(contract: str, bounds: Bounds) -> Select[Any]:
    return _places(CASE.c.method, CASE.c.status, CASE.c.outcome).where(
        CASE.c.contract == contract, _within(CASE.c.opened_at, bounds), COUNTS
    )


def _contacts(contract: str, bounds: Bounds) -> Select[Any]:
    """What came in (A64: people with at least one contact), a row for each case, person, method."""
    grouped = _places(CONTACT.c.method, CONTACT.c.person_id)
    return (
        grouped.add_columns(func.count().label("contacts"))
        .join_from(CONTACT, CASE, CONTACT.c.case_id == CASE.c.id)
        .where(
            CONTACT.c.contract == contract,
            CONTACT.c.direction == Direction.IN,
            CONTACT.c.kind != ContactKind.AUTOMATIC,  # a program answered, not the person
            CONTACT.c.what != "feedback",  # an answer to our question sought no support
            _within(CONTACT.c.at, bounds),
            COUNTS,
        )
        .group_by(*grouped.selected_columns)
    )


def _apart(contract: str, bounds: Bounds) -> Select[Any]:
    """Contacts of people who are out of the contract, by reason."""
    reason = CASE.c.eligibility_reason
    return (
        select(reason.label("reason"), func.count().label("contacts"))
        .join_from(CONTACT, CASE, CONTACT.c.case_id == CASE.c.id)
        .where(
            CONTACT.c.contract == contract,
            CONTACT.c.direction == Direction.IN,
            CONTACT.c.kind != ContactKind.AUTOMATIC,
            _within(CONTACT.c.at, bounds),
            CASE.c.eligibility == Eligibility.OUT,
        )
        .group_by(reason)
    )


def _deadlines(contract: str, bounds: Bounds) -> Select[Any]:
    """Promises that began in the period; a cancelled one was never a promise to anybody."""
    return (
        _places(CASE.c.method, *(DEADLINE.c[name] for name in ("clock", *_INSTANTS)))
        .join_from(DEADLINE, CASE, DEADLINE.c.case_id == CASE.c.id)
        .where(
            DEADLINE.c.contract == contract,
            DEADLINE.c.state != DeadlineState.CANCELLED,
            DEADLINE.c.starts == ClockStart.RECEIPT,
            _within(DEADLINE.c.started_at, bounds),
            COUNTS,
        )
    )


async def _supports(session: AsyncSession, contract: str, bounds: Bounds) -> dict[int, list[str]]:
    """Case → what was provided on it, for every case that the other passes can meet."""
    asked = (
        select(CONTACT.c.case_id)
        .where(CONTACT.c.contract == contract, _within(CONTACT.c.at, bounds))
        .union(
            select(DEADLINE.c.case_id).where(
                DEADLINE.c.contract == contract, _within(DEADLINE.c.started_at, bounds)
            )
        )
    )
    rows = await session.execute(
        select(CASE_SUPPORT.c.case_id, CASE_SUPPORT.c.support)
        .join_from(CASE_SUPPORT, CASE, CASE_SUPPORT.c.case_id == CASE.c.id)
        .where(
            CASE.c.contract == contract,
            or_(_within(CASE.c.opened_at, bounds), CASE.c.id.in_(asked)),
        )
    )
    found: defaultdict[int, list[str]] = defaultdict(list)
    for case_id, support in rows:
        found[case_id].append(support)
    return dict(found)
