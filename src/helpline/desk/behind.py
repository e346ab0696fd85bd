"""What one figure of a report counts: the cases, contacts, complaints and so on behind it.

Called by the page that a figure opens onto. It reads the same rows as the count (reports/facts.py)
and chooses them by the same codes, so that what is listed can never be another number than what is
printed; tests hold both against each other for every cell. Whatever its reader may not see is
counted and not listed. It writes nothing, and nothing personal comes out of it but references.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, and_, false, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.desk import seeing
from helpline.errors import NotFound
from helpline.models import metadata
from helpline.reports import codes, counting, facts
from helpline.reports.cells import By
from helpline.reports.counting import AT_ONCE, SHARES, SUPPORT, Provided, percentile, place_of
from helpline.reports.facts import BEHIND
from helpline.reports.figures import window_of
from helpline.reports.supplied import by_written, written
from helpline.rules.periods import Period
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import UNKNOWN

SHOWN: Final = 200
"""Things listed at a time."""
NO_FIGURE: Final = "There is no such figure in the reports of this contract."
SUPPLIED: Final = metadata.tables["supplied_figure"]
_MINUTE: Final = 60_000_000
_T = TypeVar("_T")
_THEIRS: Final = 4
"""Columns behind the codes: id, when, reference, whether the reader may see it."""


@dataclass(frozen=True)
class Row:
    """One thing that is counted: where it is, when it was, how long it took (minutes), and by what
    it is counted (dimension → printed code). Of a person: the first cases of theirs that count,
    and how many things of theirs do."""

    references: tuple[str, ...]
    at: datetime | date | None
    minutes: float | None = None
    by: tuple[tuple[str, str], ...] = ()
    number: int = 1
    id: int = 0


@dataclass(frozen=True)
class Given:
    """A figure that was supplied: what, by whom, as of which day; `counts`: it is the one that
    stands in the report."""

    value: float | None
    words: str | None
    source: str | None
    as_of: date | None
    given_at: datetime
    is_taken_back: bool
    counts: bool


@dataclass(frozen=True)
class Behind:
    """What is behind a figure. `value` is what the report prints; `number` how many things it
    counts (of a time: how many times are known), of which the reader may not see `unseen`; `rows`
    are some of those they may, from `first` on (0 is the first)."""

    measure: Measure
    by: By
    value: float | None
    number: int
    unseen: int
    rows: Sequence[Row]
    first: int
    given: Sequence[Given] = ()
    is_supplied: bool = False

    @property
    def seen(self) -> int:
        return self.number - self.unseen


def asked(contract: Contract, code: str, cut: str) -> tuple[Measure, By]:
    """The figure that an address names: a measure's code, and its cut as supplied.written writes
    it. NotFound for what no report of the contract has."""
    measure = contract.measures.get(code)
    if measure is None:
        raise NotFound(NO_FIGURE)
    try:
        by = by_written(cut)
    except KeyError:
        raise NotFound(NO_FIGURE) from None
    printed = codes.printed(contract)
    is_cut = {name for name, _ in by} in [set(one) for one in measure.cuts]
    if not is_cut or any(one not in printed[name] for name, one in by):
        raise NotFound(NO_FIGURE)
    return measure, by


async def behind(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    measure: Measure,
    by: By,
    actor: Actor,
    now: datetime,
    first: int = 0,
) -> Behind:
    """What this figure counts for a report of the period, as it stands now."""
    found = await behind_each(session, contract, period, measure, [by], actor, now, first)
    return found[0]


async def behind_each(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    measure: Measure,
    cells: Sequence[By],
    actor: Actor,
    now: datetime,
    first: int = 0,
) -> list[Behind]:
    """The same for several cells of a measure, in their order, by one reading."""
    require(actor, "report.behind", contract.key)
    given = await _given(session, contract, period, measure)
    if given is not None:
        return [_supplied(measure, by, given.get(written(by), [])) for by in cells]
    found = await _read(session, contract, period, measure, cells, actor, now)
    return [_behind(measure, by, some, first) for by, some in zip(cells, found, strict=True)]


def _supplied(measure: Measure, by: By, given: Sequence[Given]) -> Behind:
    value = next((one.value for one in given if one.counts), None)
    return Behind(measure, by, value, 0, 0, (), 0, given, is_supplied=True)


# --- what was supplied ----------------------------------------------------------------------------


async def _given(
    session: AsyncSession, contract: Contract, period: Period, measure: Measure
) -> dict[str, list[Given]] | None:
    """How it is cut → each time that it was supplied, the newest first; the newest that was not
    taken back counts. None where the measure is counted here (supplied.laid_over)."""
    is_supplied = measure.counts == "supplied"
    if not is_supplied and period.end >= contract.term.start:
        return None
    rows = await session.execute(
        select(SUPPLIED)
        .where(
            SUPPLIED.c.contract == contract.key,
            SUPPLIED.c.period == period.label,
            SUPPLIED.c.measure == measure.code,
        )
        .order_by(SUPPLIED.c.id.desc())
    )
    found: dict[str, list[Given]] = defaultdict(list)
    for row in rows:
        mine = found[row.by]
        is_taken_back = row.taken_back_at is not None
        counts = not is_taken_back and not any(one.counts for one in mine)
        said = (row.value, row.words, row.source, row.as_of, row.given_at)
        mine.append(Given(*said, is_taken_back, counts))
    is_given = any(one.counts for some in found.values() for one in some)
    return found if is_supplied or is_given else None


# --- what was counted -----------------------------------------------------------------------------

_Sees = Callable[[Actor, Contract], Sequence[ColumnElement[bool]]]


@dataclass(frozen=True)
class _Kind:
    """How one kind of fact is found again: its own id, when it was, what it is called, and under
    which conditions somebody may see it."""

    id: ColumnElement[Any]
    at: ColumnElement[Any]
    reference: ColumnElement[Any]
    sees: _Sees


def _of_case(id: ColumnElement[Any], at: ColumnElement[Any]) -> _Kind:
    return _Kind(id, at, facts.CASE.c.reference, lambda actor, _: seeing.cases(actor))


def _case_of(case_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """The reference of the case that a row has, where it has one."""
    case = facts.CASE.alias()
    return select(case.c.reference).where(case.c.id == case_id).scalar_subquery()


_KINDS: Final[Mapping[str, _Kind]] = {
    "contacts": _of_case(facts.CONTACT.c.id, facts.CONTACT.c.at),
    "apart": _of_case(facts.CONTACT.c.id, facts.CONTACT.c.at),
    "cases": _of_case(facts.CASE.c.id, facts.CASE.c.opened_at),
    "closed": _of_case(facts.CASE.c.id, facts.CASE.c.closed_at),
    "open": _of_case(facts.CASE.c.id, facts.CASE.c.opened_at),
    "promises": _of_case(facts.DEADLINE.c.id, facts.DEADLINE.c.started_at),
    "allegations": _of_case(facts.ALLEGATION.c.id, facts.ALLEGATION.c.aware_at),
    "complaints": _Kind(
        facts.COMPLAINT.c.id,
        facts.COMPLAINT.c.received_at,
        facts.COMPLAINT.c.reference,
        lambda actor, _: seeing.complaints(actor),
    ),
    "incidents": _Kind(
        facts.INCIDENT.c.id,
        facts.INCIDENT.c.known_at,
        facts.INCIDENT.c.reference,
        lambda actor, _: seeing.incidents(actor),
    ),
    "compliments": _Kind(
        facts.COMPLIMENT.c.id,
        facts.COMPLIMENT.c.at,
        _case_of(facts.COMPLIMENT.c.case_id),
        lambda actor, _: seeing.of_somebody(actor, facts.COMPLIMENT),
    ),
    "feedback": _Kind(
        facts.ASK.c.id,
        facts.ASK.c.asked_at,
        facts.CASE.c.reference,
        lambda actor, _: seeing.of_somebody(actor, facts.ASK),
    ),
    "evidence": _Kind(
        facts.EVIDENCE.c.id,
        facts.EVIDENCE.c.day,
        literal(None),
        lambda actor, contract: [true() if may(actor, "evidence.read", contract.key) else false()],
    ),
}


class _Counted(NamedTuple):
    """A row that counts in a cell: as it was read, and its printed codes."""

    row: Any
    codes: tuple[str, ...]

    @property
    def micros(self) -> int:
        return self.row[2] or 0


async def _read(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    measure: Measure,
    cells: Sequence[By],
    actor: Actor,
    now: datetime,
) -> list[list[_Counted]]:
    """For each cell the rows that count in it, by when they were."""
    printed = codes.printed(contract)
    columns = _columns(measure)
    provided = Provided([(UNKNOWN,)], {})
    if SUPPORT in {*measure.by, *measure.where}:
        provided = await counting.supports(session, contract.key, printed)
    kind = _KINDS[measure.counts]
    window = window_of(contract, period, measure.basis, now)
    query = (
        facts.query(session, measure.counts, contract.key, window, columns)
        .add_columns(
            kind.id.label("its_id"),
            kind.at.label("its_at"),
            kind.reference.label("its_reference"),
            and_(true(), *kind.sees(actor, contract)).label("is_seen"),
        )
        .order_by(kind.at, kind.id)
    )
    coded = _Coded(columns, printed)
    chosen = [_Chosen(measure, by, columns) for by in cells]
    found: list[list[_Counted]] = [[] for _ in cells]
    result = await session.stream(query, execution_options={"yield_per": AT_ONCE})
    async for part in result.partitions():
        for row in part:
            supports = provided.sets[provided.of.get(row[0], 0)]
            known = coded(row[BEHIND:-_THEIRS])
            counts = [place for place, one in enumerate(chosen) if one.counts(known, supports)]
            for place in counts:
                found[place].append(_Counted(row, known))
    return found


class _Coded:
    """From the codes of a row to those that are printed: the contract's own, or the last for all
    else. Few combinations occur, so each is worked out once."""

    def __init__(self, columns: Sequence[str], printed: Mapping[str, Sequence[str]]) -> None:
        self._columns = [
            (name, printed[name], {code: place for place, code in enumerate(printed[name])})
            for name in columns
        ]
        self._known: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def __call__(self, row: Sequence[Any]) -> tuple[str, ...]:
        raw = tuple(row)
        known = self._known.get(raw)
        if known is None:
            known = self._known[raw] = tuple(
                codes[place_of(name, code, places)]
                for (name, codes, places), code in zip(self._columns, raw, strict=True)
            )
        return known


class _Chosen:
    """Which rows count in one cell: what the measure chooses, and where the cell is cut."""

    def __init__(self, measure: Measure, by: By, columns: Sequence[str]) -> None:
        wanted = [(name, frozenset(some)) for name, some in measure.where.items()]
        wanted += [(name, frozenset((code,))) for name, code in by]
        self._codes = [(columns.index(n), some) for n, some in wanted if n != SUPPORT]
        self._supports = [some for name, some in wanted if name == SUPPORT]

    def counts(self, known: Sequence[str], supports: Sequence[str]) -> bool:
        for at, some in self._codes:
            if known[at] not in some:
                return False
        return all(not some.isdisjoint(supports) for some in self._supports)


# --- from what was read to what is listed ---------------------------------------------------------


def _behind(measure: Measure, by: By, found: Sequence[_Counted], first: int) -> Behind:
    columns = _columns(measure)
    if measure.takes == "people":
        people = list(_people(found).values())
        seen = [some for some in people if some]
        shown, first = _part(seen, first)
        rows = [_person(some) for some in shown]
        return Behind(measure, by, len(people), len(people), len(people) - len(seen), rows, first)
    value: float | None = len(found)
    if measure.is_minutes:
        found = sorted((one for one in found if one.row[2] is not None), key=_slowest_first)
        value = _value(measure, found)
    listed = [one for one in found if one.row.is_seen]
    some, first = _part(listed, first)
    rows = [_row(one, columns) for one in some]
    return Behind(measure, by, value, len(found), len(found) - len(listed), rows, first)


def _part(listed: Sequence[_T], first: int) -> tuple[Sequence[_T], int]:
    """Some of a long list, and where they begin: what begins beyond the end is the last part."""
    first = min(first, max(0, (len(listed) - 1) // SHOWN * SHOWN))
    return listed[first : first + SHOWN], first


def _slowest_first(one: _Counted) -> int:
    return -one.micros


def _value(measure: Measure, timed: Sequence[_Counted]) -> float | None:
    took = [one.micros / _MINUTE for one in reversed(timed)]
    value = percentile(took, SHARES[measure.takes])
    return None if value is None else round(value, 1)


def _row(one: _Counted, columns: Sequence[str]) -> Row:
    row = one.row
    minutes = None if row[2] is None else row[2] / _MINUTE
    references = (row.its_reference,) if row.its_reference else ()
    by = tuple(zip(columns, one.codes, strict=True))
    return Row(references, row.its_at, minutes, by, id=row.its_id)


def _people(found: Sequence[_Counted]) -> dict[int, list[_Counted]]:
    """Each person with what counts of theirs, as far as the reader may see it."""
    theirs: dict[int, list[_Counted]] = {}
    for one in found:
        if one.row[1] is not None:
            some = theirs.setdefault(one.row[1], [])
            if one.row.is_seen:
                some.append(one)
    return theirs


def _person(some: Sequence[_Counted]) -> Row:
    references = dict.fromkeys(one.row.its_reference for one in some)
    named = tuple(one for one in references if one)
    return Row(named, some[0].row.its_at, number=len(some))


def _columns(measure: Measure) -> list[str]:
    """What is read of each row; supports are known by case."""
    return sorted({*measure.by, *measure.where} - {SUPPORT})
