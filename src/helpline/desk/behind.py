"""What one figure of a report counts: the cases, contacts, complaints and so on behind it.

Called by the page that a figure opens onto. It asks for the same rows as the count does
(reports/facts.py) and chooses them by the same codes; tests hold both against each other for every
cell. The database counts and orders them and only one part of the list is ever read, however many
there are. Whatever its reader may not see is counted and not listed. It writes nothing, and nothing
personal comes out of it but references.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.desk import seeing
from helpline.errors import NotFound
from helpline.models import metadata
from helpline.reports import codes, facts
from helpline.reports.cells import By
from helpline.reports.counting import SHARES, SUPPORT, place_of
from helpline.reports.figures import window_of
from helpline.reports.supplied import by_written, written
from helpline.rules.periods import Period
from helpline.rules.permissions import Actor, may, require

SHOWN: Final = 200
"""Things listed at a time."""
NO_FIGURE: Final = "There is no such figure in the reports of this contract."
SUPPLIED: Final = metadata.tables["supplied_figure"]
_MINUTE: Final = 60_000_000


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
    require(actor, "report.behind", contract.key)
    given = await _given(session, contract, period, measure)
    if given is not None:
        return _supplied(measure, by, given.get(written(by), []))
    return await _counted(session, contract, period, measure, by, actor, now, first)


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
    its = facts.CASE.alias()
    return select(its.c.reference).where(its.c.id == case_id).scalar_subquery()


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


@dataclass(frozen=True)
class _Chosen:
    """The rows that count in one cell, as the query that chooses them; and what each has: its id
    and instant, its codes as they are stored, its person, the microseconds it took."""

    rows: Select[Any]
    kind: _Kind
    codes: Sequence[ColumnElement[Any]]
    person: ColumnElement[Any]
    took: ColumnElement[Any]
    is_seen: ColumnElement[bool]

    def asking(self, *asked: ColumnElement[Any]) -> Select[Any]:
        """Of each row this."""
        return self.rows.with_only_columns(*asked, maintain_column_froms=True)


def _chosen(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    measure: Measure,
    by: By,
    actor: Actor,
    now: datetime,
) -> _Chosen:
    columns, printed = _columns(measure), codes.printed(contract)
    window = window_of(contract, period, measure.basis, now)
    rows = facts.query(session, measure.counts, contract.key, window, columns)
    case_id, person, took, *coded = (one["expr"] for one in rows.column_descriptions)
    known = dict(zip(columns, coded, strict=True))
    for name, some in (*measure.where.items(), *((name, (code,)) for name, code in by)):
        if name == SUPPORT:
            rows = rows.where(_was_given(case_id, some, printed[name]))
        else:
            rows = rows.where(_is_printed(name, known[name], some, printed[name]))
    if measure.is_minutes:
        rows = rows.where(took.is_not(None))
    elif measure.takes == "people":
        rows = rows.where(person.is_not(None))
    kind = _KINDS[measure.counts]
    is_seen = and_(true(), *kind.sees(actor, contract))
    return _Chosen(rows, kind, coded, person, took, is_seen)


def _is_printed(
    name: str, code: ColumnElement[Any], some: Collection[str], printed: Sequence[str]
) -> ColumnElement[bool]:
    """That a row's code is printed as one of these, as counting.place_of has it: a part of a reason
    as the reason, and whatever the contract does not have as the last."""
    *before, last = printed
    chosen = _is_one(name, code, [one for one in before if one in some])
    return or_(chosen, code.is_(None), ~_is_one(name, code, before)) if last in some else chosen


def _is_one(name: str, code: ColumnElement[Any], some: Sequence[str]) -> ColumnElement[bool]:
    parts = [func.substr(code, 1, len(one) + 1) == f"{one}." for one in some]
    return or_(code.in_(some), *(parts if name == "reason" else ()))


def _was_given(
    case_id: ColumnElement[Any], some: Collection[str], printed: Sequence[str]
) -> ColumnElement[bool]:
    """That a row's case was given one of these; one that was given nothing counts as the last."""
    *before, last = printed
    given = facts.CASE_SUPPORT.alias()
    anything = exists().where(given.c.case_id == case_id)
    chosen = anything.where(given.c.support.in_([one for one in before if one in some]))
    other = anything.where(given.c.support.not_in(before))
    return or_(chosen, other, ~anything) if last in some else chosen


# --- from what is chosen to what is listed: the database counts, orders and gives a part of it ----


async def _counted(
    session: AsyncSession,
    contract: Contract,
    period: Period,
    measure: Measure,
    by: By,
    actor: Actor,
    now: datetime,
    first: int,
) -> Behind:
    chosen = _chosen(session, contract, period, measure, by, actor, now)
    is_people = measure.takes == "people"
    number, seen = (await session.execute(_numbers(chosen, is_people))).one()
    value: float | None = number
    if measure.is_minutes:
        value = await _value(session, chosen, measure, number)
    first = min(first, max(0, (seen - 1) // SHOWN * SHOWN))
    listing = _people if is_people else _things
    rows = await listing(session, contract, measure, chosen, first) if seen else []
    return Behind(measure, by, value, number, number - seen, rows, first)


def _numbers(chosen: _Chosen, is_people: bool) -> Select[Any]:
    """How many there are, and how many of them the reader may see."""
    one = chosen.person if is_people else chosen.kind.id
    each = (one, case((chosen.is_seen, one)))
    return chosen.asking(*(func.count(of.distinct() if is_people else of) for of in each))


async def _value(
    session: AsyncSession, chosen: _Chosen, measure: Measure, number: int
) -> float | None:
    """Of a time: the one or two times between which it lies, and where (counting.percentile)."""
    if not number:
        return None
    share = SHARES[measure.takes]
    position = share * (number - 1)
    query = chosen.asking(chosen.took).order_by(chosen.took).offset(int(position)).limit(2)
    took: list[float] = [micros / _MINUTE for (micros,) in await session.execute(query)]
    return round(took[0] + (took[-1] - took[0]) * (position - int(position)), 1)


async def _things(
    session: AsyncSession, contract: Contract, measure: Measure, chosen: _Chosen, first: int
) -> list[Row]:
    """By when they were; of a time the slowest first."""
    kind, columns, printed = chosen.kind, _columns(measure), codes.printed(contract)
    slowest = [chosen.took.desc()] if measure.is_minutes else []
    query = (
        chosen.asking(kind.id, kind.at, kind.reference, chosen.took, *chosen.codes)
        .where(chosen.is_seen)
        .order_by(*slowest, kind.at, kind.id)
        .offset(first)
        .limit(SHOWN)
    )
    rows = []
    for id, at, reference, took, *coded in await session.execute(query):
        minutes = None if took is None else took / _MINUTE
        by = tuple(
            (name, _printed(name, code, printed[name]))
            for name, code in zip(columns, coded, strict=True)
        )
        rows.append(Row((reference,) if reference else (), at, minutes, by, id=id))
    return rows


def _printed(name: str, code: str | None, printed: Sequence[str]) -> str:
    return printed[place_of(name, code, {one: place for place, one in enumerate(printed)})]


async def _people(
    session: AsyncSession, contract: Contract, measure: Measure, chosen: _Chosen, first: int
) -> list[Row]:
    """Everybody once, by when they first came, with the cases of theirs that count."""
    kind, person = chosen.kind, chosen.person
    seen = chosen.rows.where(chosen.is_seen)
    earliest, number = func.min(kind.at), func.count()
    who = await session.execute(
        seen.with_only_columns(person, earliest, number, maintain_column_froms=True)
        .group_by(person)
        .order_by(earliest, person)
        .offset(first)
        .limit(SHOWN)
    )
    listed = {id: (at, number) for id, at, number in who}
    cases = await session.execute(
        seen.with_only_columns(person, kind.reference, maintain_column_froms=True)
        .where(person.in_(list(listed)))
        .group_by(person, kind.reference)
        .order_by(earliest, kind.reference)
    )
    theirs: dict[int, list[str]] = {id: [] for id in listed}
    for id, reference in cases:
        if reference:
            theirs[id].append(reference)
    return [Row(tuple(theirs[id]), at, number=many) for id, (at, many) in listed.items()]


def _columns(measure: Measure) -> list[str]:
    """What is read of each row; supports are known by case."""
    return sorted({*measure.by, *measure.where} - {SUPPORT})
